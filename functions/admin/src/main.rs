//! The `admin` function: the administrator's side.

use polygate_shared::aws::lambda;
use polygate_shared::http::Endpoints;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::run_with_mail_and_secrets(Endpoints::ADMIN).await
}
