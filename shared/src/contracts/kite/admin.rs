//! `GET|POST /api/v1/admin/users`, `PUT|DELETE /api/v1/admin/users/{id}`.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{get, put};
use serde::{Deserialize, Serialize};

use super::profile::{NICKNAME, ProfileBody};
use super::register::{NAME, PASSWORD};
use super::session::presented;
use super::{created, success};
use crate::contracts::LARGEST;
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes, Segment};
use crate::identity::{
    AccessToken, AccountChanges, AccountDetails, AccountId, Administrator, Error, NewAccount, Problem, ProfileChanges,
    Role, Versioned,
};

/// Accounts on a page, where the request doesn't say.
const PAGE_SIZE: u32 = 20;
/// Accounts on a page at most.
const MOST_ON_A_PAGE: u32 = 100;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new()
        .at("/api/v1/admin/users", get(list_users).post(create_user))
        .at("/api/v1/admin/users/{id}", put(update_user).delete(deactivate_user))
}

/// Who asks. It comes before what else is read of a request, so that nobody but administrators learns anything.
struct By(Administrator);

impl FromRequestParts<App> for By {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let context = Context::from_request_parts(parts, app).await?;
        let token = presented(parts, app, &context)?;
        Ok(Self(app.identity.authorize_administrator(token.as_ref().map(AccessToken::reveal)).await?))
    }
}

#[derive(Serialize)]
struct ListAnswer<'a> {
    items: Vec<ProfileBody<'a>>,
    total: u64,
    page: u32,
    size: u32,
}

async fn list_users(State(app): State<App>, context: Context, _: By, parts: Parts) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let page = count(&mut checks, &parts, "page", 1, u32::MAX / MOST_ON_A_PAGE);
    let size = count(&mut checks, &parts, "size", PAGE_SIZE, MOST_ON_A_PAGE);
    checks.finish()?;
    let listed = app.identity.list_accounts_by_page(page, size).await?;
    let items = listed.accounts.iter().map(|account| ProfileBody::of(account, &context)).collect();
    success(ListAnswer { items, total: listed.total, page, size })
}

/// A query parameter that counts from 1, or what stands for it where it is absent.
fn count(checks: &mut Checks, parts: &Parts, name: &'static str, default: u32, most: u32) -> u32 {
    let number = checks.query_number(name, parts.uri.query(), default.into(), &(1..=most.into()));
    u32::try_from(number).unwrap_or(most)
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UserRequest {
    username: Field<String>,
    nickname: Field<String>,
    email: Field<String>,
    password: Field<String>,
    role: Field<String>,
    storage_limit: Field<i64>,
    is_active: Field<bool>,
}

async fn create_user(
    State(app): State<App>,
    context: Context,
    _: By,
    Json(body): Json<UserRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let name = checks.name("username", body.username, &NAME, email.as_ref());
    let password = checks.new_password("password", body.password, &PASSWORD);
    let details = AccountDetails {
        email: Some(email),
        profile: profile(&mut checks, body.nickname),
        role: role(&mut checks, body.role),
        active: checks.optional("is_active", body.is_active, "boolean"),
        storage_limit: storage_limit(&mut checks, body.storage_limit),
        ..AccountDetails::default()
    };
    let (Some(name), Some(password)) = (name, password) else { return Err(checks.refuse()) };
    checks.finish()?;
    let account = app.identity.create_account(NewAccount { name, password, details }).await?;
    created(ProfileBody::of(&account, &context))
}

async fn update_user(
    State(app): State<App>,
    context: Context,
    By(by): By,
    Segment(id): Segment,
    Json(body): Json<UserRequest>,
) -> Result<Response, Failure> {
    let read = find(&app, &id).await?;
    let known = &read.account;
    let mut checks = Checks::new();
    let email = checks.optional_email("email", body.email);
    let own = email.clone().unwrap_or_else(|| known.email.as_ref().map(|claim| claim.address.clone()));
    let details = AccountDetails {
        email,
        profile: profile(&mut checks, as_shown(body.nickname, known.display_name())),
        role: role(&mut checks, body.role),
        active: checks.optional("is_active", body.is_active, "boolean"),
        storage_limit: storage_limit(&mut checks, body.storage_limit),
        ..AccountDetails::default()
    };
    let name = match as_shown(body.username, known.name.as_str()) {
        Field::Absent => None,
        given => checks.name("username", given, &NAME, own.as_ref()),
    };
    let password = checks.optional_new_password("password", body.password, &PASSWORD);
    checks.finish()?;
    let account = app.identity.change_account(&by, read, AccountChanges { name, password, details }).await?;
    success(ProfileBody::of(&account, &context))
}

async fn deactivate_user(State(app): State<App>, By(by): By, Segment(id): Segment) -> Result<Response, Failure> {
    let read = find(&app, &id).await?;
    let details = AccountDetails { active: Some(false), ..AccountDetails::default() };
    app.identity.change_account(&by, read, AccountChanges { details, ..AccountChanges::default() }).await?;
    success(())
}

/// The account of this id; what is no id at all is nobody's.
async fn find(app: &App, id: &str) -> Result<Versioned, Failure> {
    let id = AccountId::parse(id).ok_or(Error::NotFound)?;
    Ok(app.identity.account(id).await?)
}

/// Nothing to change where the text is what the profile shows: clients send a form back whole, and a name that
/// was chosen in another contract may have a length that this one gives nobody.
fn as_shown(given: Field<String>, shown: &str) -> Field<String> {
    match given {
        Field::Given(text) if text == shown => Field::Absent,
        Field::Absent | Field::Wrong(_) | Field::Given(_) => given,
    }
}

fn profile(checks: &mut Checks, nickname: Field<String>) -> ProfileChanges {
    let display_name = checks.optional_text("nickname", nickname, &NICKNAME);
    ProfileChanges { display_name, ..ProfileChanges::default() }
}

fn role(checks: &mut Checks, given: Field<String>) -> Option<Role> {
    let text = checks.optional("role", given, "string")?;
    match text.as_str() {
        "admin" => Some(Role::Admin),
        "user" => Some(Role::User),
        other => {
            checks.note("role", Problem::NotOneOf("admin, user"), Some(other.into()));
            None
        }
    }
}

/// Bytes; -1 is unlimited.
fn storage_limit(checks: &mut Checks, given: Field<i64>) -> Option<i64> {
    checks.optional_number("storage_limit", given, &(-1..=LARGEST))
}
