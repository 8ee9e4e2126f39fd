//! `POST /api/auth/register`.

use std::ops::RangeInclusive;

use std::convert::Infallible;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::{PLACES, TERMS, Told, User, presented};
use crate::contracts::too_many_requests;
use crate::http::{Answer, App, Checks, Context, Field, Json, Listing, Required, about};
use crate::identity::{AccessToken, Error, Kind, Registration, Role};
use crate::openapi::{Input, Operation};

/// Characters of a login name; the document sets no bounds, so the pool's own do.
const NAME: RangeInclusive<usize> = 1..=64;
/// Characters of a password.
pub(super) const PASSWORD: RangeInclusive<usize> = 6..=usize::MAX;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new().post(
        "/api/auth/register",
        register,
        about("Make an account and sign in; an administrator's token makes it an administrator's if asked")
            .or(|| vec![Error::RegistrationClosed, Error::NameTaken, too_many_requests()]),
    )
}

/// The token that the request carries, if it does.
struct Presented(Option<AccessToken>);

impl<S: Sync> FromRequestParts<S> for Presented {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(presented(parts)))
    }
}

impl Input for Presented {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.secured_by(&PLACES);
        operation.open_to_anybody();
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct RegisterRequest {
    #[schemars(length(min = *NAME.start(), max = *NAME.end()))]
    username: Required<String>,
    #[schemars(length(min = *PASSWORD.start()))]
    password: Required<String>,
    /// Counts only when an administrator asks.
    #[serde(default)]
    is_admin: Field<bool>,
}

#[derive(Serialize, JsonSchema)]
struct RegisterAnswer {
    #[schemars(extend("const" = true))]
    success: bool,
    token: String,
    user: User,
}

async fn register(
    State(app): State<App>,
    context: Context,
    Presented(token): Presented,
    Json(body): Json<RegisterRequest>,
) -> Told<RegisterAnswer> {
    let mut checks = Checks::new();
    let name = checks.name("username", body.username, &NAME, None);
    let password = checks.new_password("password", body.password, &PASSWORD, app.identity.password_policy());
    let admin = checks.optional("isAdmin", body.is_admin, Kind::Boolean).unwrap_or(false);
    let (Some(name), Some(password)) = (name, password) else { return Err(checks.refuse()) };
    checks.finish()?;
    // A token matters only to an administrator; a stale one doesn't keep anybody from registering.
    let by = app.identity.administrator_behind(token.as_ref(), &context.visitor()).await?;
    let role = if admin { Role::Admin } else { Role::User };
    let registration =
        Registration { name, email: None, password, display_name: String::new(), visitor: context.visitor(), role };
    let opened = app.identity.register_and_log_in(registration, by.as_ref(), &TERMS).await?;
    Answer::of(&RegisterAnswer {
        success: true,
        token: opened.tokens.access.reveal().to_owned(),
        user: User::of(&opened.account),
    })
}
