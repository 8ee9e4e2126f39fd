//! `POST /api/v1/admin/undeliverable/lift`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::Deserialize;

use super::admin::By;
use super::{Told, success};
use crate::http::{App, Checks, Json, Listing, Required, about};
use crate::identity::Error;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new().post(
        "/api/v1/admin/undeliverable/lift",
        lift,
        about("Let mail go again to an address from which it came back or where it was unwanted")
            .or(|| vec![Error::NotFound])
            .beyond_the_document(),
    )
}

/// The address goes in the body, since paths are logged on the way.
#[derive(Deserialize, JsonSchema)]
struct LiftRequest {
    #[schemars(email)]
    email: Required<String>,
}

async fn lift(State(app): State<App>, By(by, _): By, Json(body): Json<LiftRequest>) -> Told<()> {
    let mut checks = Checks::new();
    let Some(email) = checks.email("email", body.email) else { return Err(checks.refuse()) };
    app.identity.lift_mail_mark(&by, &email).await?;
    success(())
}
