//! `GET|POST /api/admin/users`, `PUT|DELETE /api/admin/users/{account}`.

use std::marker::PhantomData;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::register::{AVATAR_URL, BIO, DISPLAY_NAME, NAME, PASSWORD, PHONE};
use super::{Told, User, UserAnswer, user};
use crate::contracts::{LARGEST, MOST_SEARCHED, Needs, ToChange, ToRead, administrators, avatars};
use crate::http::{
    Answer, App, Checks, Context, Failure, Field, Json, Listing, Query, Required, Segment, about, credentials,
    query_value,
};
use crate::identity::{AccountChanges, AccountDetails, AccountId, Administrator, Error, NewAccount, ProfileChanges};
use crate::openapi::{Input, Operation, Scheme};

/// Accounts in one answer, where the request doesn't say.
const LIMIT: u32 = 100;
/// Accounts in one answer at most.
const MOST: u32 = 500;
/// Further addresses of one account at most.
const MOST_ADDRESSES: usize = 10;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .get(
            "/api/admin/users",
            list_users,
            about("Accounts in order of their making").or(|| vec![Error::TooManyMatches]),
        )
        .post(
            "/api/admin/users",
            create_user,
            about("Make an account").or(|| vec![Error::NameTaken, Error::EmailTaken]),
        )
        .put(
            "/api/admin/users/{account}",
            update_user,
            about("Change what is sent; a new password ends all sessions")
                .or(|| vec![Error::EmailTaken, Error::AddressIsName]),
        )
        .delete(
            "/api/admin/users/{account}",
            delete_user,
            about("Delete an account; its name and its addresses are free again").or(|| vec![Error::LastAdministrator]),
        )
}

/// Who asks, and what an API token needs for it. It comes before what else is read of a request, so that nobody but
/// administrators learns anything.
struct By<N = ToChange>(Administrator, PhantomData<N>);

impl<N: Needs> FromRequestParts<App> for By<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let visitor = Context::from_request_parts(parts, app).await?.visitor();
        let token = admin_token(parts);
        let by = app.identity.authorize_administrator(token.as_deref(), N::SCOPE, &visitor).await?;
        Ok(Self(by, PhantomData))
    }
}

impl<N: Needs> Input for By<N> {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        operation.secured_by(&[Scheme::AdminHeader, Scheme::Bearer, Scheme::TokenQuery]);
        operation.refuses(administrators());
    }
}

/// The three ways to carry it: `?token=`, `X-Admin-Token`, bearer.
fn admin_token(parts: &Parts) -> Option<String> {
    let header = parts.headers.get("x-admin-token").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let bearer = credentials::bearer(&parts.headers).map(str::to_owned);
    let places = [query_value(parts.uri.query(), "token"), header, bearer];
    places.into_iter().flatten().find(|token| !token.is_empty())
}

#[derive(Deserialize, JsonSchema)]
struct ListQuery {
    /// Accounts in one answer.
    #[serde(default)]
    #[schemars(with = "Option<u32>", range(min = 1, max = MOST))]
    limit: Field<String>,
    /// The `nextCursor` of the answer before.
    #[serde(default)]
    cursor: Field<String>,
    /// What a name or an e-mail begins with; "" for all accounts.
    #[serde(default)]
    #[schemars(length(max = MOST_SEARCHED))]
    search: Field<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ListAnswer {
    /// Exactly how many there are.
    total: u64,
    users: Vec<User>,
    /// Where there are more.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

async fn list_users(
    State(app): State<App>,
    context: Context,
    _: By<ToRead>,
    Query(query): Query<ListQuery>,
) -> Told<ListAnswer> {
    let mut checks = Checks::new();
    let limit = checks.query_number("limit", query.limit, LIMIT.into(), &(1..=MOST.into()));
    let limit = u32::try_from(limit).unwrap_or(MOST);
    let (accounts, total, next_cursor) = match checks.search("search", query.search, MOST_SEARCHED) {
        None => {
            let after = checks.cursor("cursor", query.cursor, |text| text.parse().ok()).unwrap_or_default();
            checks.finish()?;
            let page = app.identity.list_accounts(after, limit).await?;
            (page.accounts, page.total, page.next.map(|number| number.to_string()))
        }
        Some(beginning) => {
            let after = checks.cursor("cursor", query.cursor, AccountId::parse);
            checks.finish()?;
            let found = app.identity.search_accounts(&beginning, after, limit).await?;
            (found.accounts, found.total, found.next.map(|id| id.to_string()))
        }
    };
    let users = accounts.iter().map(|account| User::of(account, &context)).collect();
    Answer::of(&ListAnswer { total, users, next_cursor })
}

#[derive(Deserialize, JsonSchema)]
struct CreateRequest {
    /// The login name.
    #[schemars(length(min = *NAME.start(), max = *NAME.end()))]
    account: Required<String>,
    #[schemars(length(min = *PASSWORD.start(), max = *PASSWORD.end()))]
    password: Required<String>,
    #[serde(flatten)]
    details: Details,
}

/// The name itself stays: clients send it along with the rest.
#[derive(Deserialize, JsonSchema)]
struct UpdateRequest {
    #[serde(default)]
    #[schemars(length(min = *PASSWORD.start(), max = *PASSWORD.end()))]
    password: Field<String>,
    #[serde(flatten)]
    details: Details,
}

/// Everything of an account that isn't needed for making it.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Details {
    /// The name to show.
    #[serde(default)]
    #[schemars(length(max = *DISPLAY_NAME.end()))]
    username: Field<String>,
    /// "" for none.
    #[serde(default)]
    email: Field<String>,
    #[serde(default)]
    #[schemars(range(min = 0, max = LARGEST))]
    level: Field<i64>,
    #[serde(default)]
    #[schemars(range(min = -LARGEST, max = LARGEST))]
    sprout_coins: Field<i64>,
    #[serde(default)]
    #[schemars(length(max = MOST_ADDRESSES))]
    secondary_emails: Field<Vec<String>>,
    #[serde(default)]
    #[schemars(length(max = *PHONE.end()))]
    phone: Field<String>,
    /// An http or https address, "" to clear it.
    #[serde(default)]
    #[schemars(length(max = AVATAR_URL))]
    avatar_url: Field<String>,
    #[serde(default)]
    #[schemars(length(max = *BIO.end()))]
    bio: Field<String>,
}

impl Details {
    fn read(self, checks: &mut Checks) -> AccountDetails {
        AccountDetails {
            email: checks.optional_email("email", self.email),
            secondary_emails: checks.optional_emails("secondaryEmails", self.secondary_emails, MOST_ADDRESSES),
            profile: ProfileChanges {
                display_name: checks.optional_text("username", self.username, &DISPLAY_NAME),
                phone: checks.optional_text("phone", self.phone, &PHONE),
                avatar_url: checks.optional_url("avatarUrl", self.avatar_url, AVATAR_URL),
                bio: checks.optional_text("bio", self.bio, &BIO),
                gender: None,
                birthday: None,
                language: None,
            },
            level: checks.optional_number("level", self.level, &(0..=LARGEST)),
            coins: checks.optional_number("sproutCoins", self.sprout_coins, &(-LARGEST..=LARGEST)),
            role: None,
            active: None,
            second_factor_required: None,
            storage_limit: None,
        }
    }
}

async fn create_user(
    State(app): State<App>,
    context: Context,
    By(by, _): By,
    Json(body): Json<CreateRequest>,
) -> Told<UserAnswer> {
    let mut checks = Checks::new();
    let details = body.details.read(&mut checks);
    let email = details.email.as_ref().and_then(Option::as_ref);
    let name = checks.name("account", body.account, &NAME, email);
    let password = checks.new_password("password", body.password, &PASSWORD, app.identity.password_policy());
    let (Some(name), Some(password)) = (name, password) else { return Err(checks.refuse()) };
    checks.finish()?;
    let account = app.identity.create_account(&by, NewAccount { name, password, details }).await?;
    user(&account, &context)
}

async fn update_user(
    State(app): State<App>,
    context: Context,
    By(by, _): By,
    Segment(name): Segment,
    Json(body): Json<UpdateRequest>,
) -> Told<UserAnswer> {
    let read = app.identity.account_named(&name).await?;
    let mut checks = Checks::new();
    let mut details = body.details.read(&mut checks);
    details.profile.avatar_url = avatars::changed(details.profile.avatar_url, &read.account, &context);
    let password = checks.optional_new_password("password", body.password, &PASSWORD, app.identity.password_policy());
    checks.finish()?;
    let account = app.identity.change_account(&by, read, AccountChanges { name: None, password, details }).await?;
    user(&account, &context)
}

#[derive(Serialize, JsonSchema)]
struct DeletedAnswer {
    deleted: bool,
}

async fn delete_user(State(app): State<App>, By(by, _): By, Segment(name): Segment) -> Told<DeletedAnswer> {
    let read = app.identity.account_named(&name).await?;
    app.identity.delete_account(&by, read).await?;
    Answer::of(&DeletedAnswer { deleted: true })
}
