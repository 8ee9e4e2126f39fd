//! `GET|POST /api/admin/users`, `PUT|DELETE /api/admin/users/{account}`.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, put};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::register::{DISPLAY_NAME, NAME, PASSWORD};
use super::{UserBody, success};
use crate::contracts::{LARGEST, avatars};
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes, Segment, credentials, query_value};
use crate::identity::{AccountChanges, AccountDetails, Administrator, NewAccount, ProfileChanges};

/// Accounts in one answer, where the request doesn't say.
const LIMIT: u32 = 100;
/// Accounts in one answer at most.
const MOST: u32 = 500;
/// Further addresses of one account at most.
const MOST_ADDRESSES: usize = 10;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new()
        .at("/api/admin/users", get(list_users).post(create_user))
        .at("/api/admin/users/{account}", put(update_user).delete(delete_user))
}

/// Who asks. It comes before what else is read of a request, so that nobody but administrators learns anything.
struct By(Administrator);

impl FromRequestParts<App> for By {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Ok(Self(app.identity.authorize_administrator(admin_token(parts).as_deref()).await?))
    }
}

/// The three ways to carry it: `?token=`, `X-Admin-Token`, bearer.
fn admin_token(parts: &Parts) -> Option<String> {
    let header = parts.headers.get("x-admin-token").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let bearer = credentials::bearer(&parts.headers).map(str::to_owned);
    let places = [query_value(parts.uri.query(), "token"), header, bearer];
    places.into_iter().flatten().find(|token| !token.is_empty())
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ListAnswer<'a> {
    total: u64,
    users: Vec<UserBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

async fn list_users(State(app): State<App>, context: Context, _: By, parts: Parts) -> Result<Response, Failure> {
    let query = parts.uri.query();
    let mut checks = Checks::new();
    let limit = checks.query_number("limit", query, LIMIT.into(), &(1..=MOST.into()));
    let after = checks.query_number("cursor", query, 0, &(0..=u64::MAX));
    checks.finish()?;
    let page = app.identity.list_accounts(after, u32::try_from(limit).unwrap_or(MOST)).await?;
    success(ListAnswer {
        total: page.total,
        users: page.accounts.iter().map(|account| UserBody::of(account, &context)).collect(),
        next_cursor: page.next.map(|number| number.to_string()),
    })
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UserRequest {
    account: Field<String>,
    password: Field<String>,
    #[serde(flatten)]
    details: DetailsRequest,
}

/// Everything of an account that isn't needed for making it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DetailsRequest {
    username: Field<String>,
    email: Field<String>,
    level: Field<i64>,
    sprout_coins: Field<i64>,
    secondary_emails: Field<Vec<String>>,
    phone: Field<String>,
    avatar_url: Field<String>,
    bio: Field<String>,
}

impl DetailsRequest {
    fn read(self, checks: &mut Checks) -> AccountDetails {
        AccountDetails {
            email: checks.optional_email("email", self.email),
            secondary_emails: checks.optional_emails("secondaryEmails", self.secondary_emails, MOST_ADDRESSES),
            profile: ProfileChanges {
                display_name: checks.optional_text("username", self.username, &DISPLAY_NAME),
                phone: checks.optional_text("phone", self.phone, &(0..=32)),
                avatar_url: checks.optional_url("avatarUrl", self.avatar_url, 512),
                bio: checks.optional_text("bio", self.bio, &(0..=4096)),
                gender: None,
                birthday: None,
            },
            level: checks.optional_number("level", self.level, &(0..=LARGEST)),
            coins: checks.optional_number("sproutCoins", self.sprout_coins, &(-LARGEST..=LARGEST)),
            role: None,
            active: None,
            storage_limit: None,
        }
    }
}

async fn create_user(
    State(app): State<App>,
    context: Context,
    _: By,
    Json(body): Json<UserRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let details = body.details.read(&mut checks);
    let email = details.email.as_ref().and_then(Option::as_ref);
    let name = checks.name("account", body.account, &NAME, email);
    let password = checks.new_password("password", body.password, &PASSWORD);
    let (Some(name), Some(password)) = (name, password) else { return Err(checks.refuse()) };
    checks.finish()?;
    let account = app.identity.create_account(NewAccount { name, password, details }).await?;
    success(json!({"user": UserBody::of(&account, &context)}))
}

async fn update_user(
    State(app): State<App>,
    context: Context,
    By(by): By,
    Segment(name): Segment,
    Json(body): Json<UserRequest>,
) -> Result<Response, Failure> {
    let read = app.identity.account_named(&name).await?;
    let mut checks = Checks::new();
    let mut details = body.details.read(&mut checks);
    details.profile.avatar_url = avatars::changed(details.profile.avatar_url, &read.account, &context);
    let password = checks.optional_new_password("password", body.password, &PASSWORD);
    checks.finish()?;
    // The name itself stays: clients send it along with the rest.
    let account = app.identity.change_account(&by, read, AccountChanges { name: None, password, details }).await?;
    success(json!({"user": UserBody::of(&account, &context)}))
}

async fn delete_user(State(app): State<App>, By(by): By, Segment(name): Segment) -> Result<Response, Failure> {
    let read = app.identity.account_named(&name).await?;
    app.identity.delete_account(&by, read).await?;
    success(json!({"deleted": true}))
}
