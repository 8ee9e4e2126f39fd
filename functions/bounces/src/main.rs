//! The `bounces` function: marks addresses that mail came back from or was unwanted at.

use polygate_shared::aws::{bounces, lambda};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    bounces::run().await
}
