//! `GET /api/auth/user`, `POST /api/auth/change-password`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::register::PASSWORD;
use super::{Caller, Done, Told, User};
use crate::contracts::too_many_requests;
use crate::http::{Answer, App, Checks, Context, Json, Listing, Required, about};
use crate::identity::Error;
use crate::messages::{self, Text};

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new().get("/api/auth/user", user, about("The signed-in account")).post(
        "/api/auth/change-password",
        change_password,
        about("Change the password; every other session ends")
            .or(|| vec![Error::CurrentPasswordWrong, too_many_requests()]),
    )
}

#[derive(Serialize, JsonSchema)]
struct UserAnswer {
    #[schemars(extend("const" = true))]
    success: bool,
    user: User,
}

async fn user(Caller(caller): Caller) -> Told<UserAnswer> {
    Answer::of(&UserAnswer { success: true, user: User::of(&caller.acting()?) })
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ChangePasswordRequest {
    #[schemars(length(min = 1))]
    current_password: Required<String>,
    #[schemars(length(min = *PASSWORD.start()))]
    new_password: Required<String>,
}

async fn change_password(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<ChangePasswordRequest>,
) -> Told<Done> {
    let mut checks = Checks::new();
    let current = checks.password("currentPassword", body.current_password);
    let new = checks.new_password("newPassword", body.new_password, &PASSWORD, app.identity.password_policy());
    let (Some(current), Some(new)) = (current, new) else { return Err(checks.refuse()) };
    app.identity.change_password(caller.signed_in()?, &current, &new).await?;
    Answer::of(&Done { success: true, message: messages::text(Text::PasswordUpdated, context.language) })
}
