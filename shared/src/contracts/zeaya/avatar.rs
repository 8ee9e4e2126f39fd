//! `POST /api/auth/avatar`.

use axum::extract::State;
use axum::response::Response;
use axum::routing::post;
use serde_json::json;

use super::{Caller, success};
use crate::contracts::avatars;
use crate::http::{App, Checks, Context, Failure, Routes, Upload};
use crate::identity::Problem;
use crate::messages::Text;

pub(super) fn routes() -> Routes {
    Routes::new().at("/api/auth/avatar", post(upload))
}

async fn upload(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    form: Upload,
) -> Result<Response, Failure> {
    let Some(file) = form.file(&["avatar", "file"])? else {
        let mut checks = Checks::new();
        checks.note("avatar", Problem::Missing, None);
        return Err(checks.refuse());
    };
    let account = app.identity.upload_avatar(caller, file).await?;
    let data = json!({"avatar": avatars::path_of(&account)});
    Ok(success(Some(Text::Uploaded), Some(data), context.language))
}
