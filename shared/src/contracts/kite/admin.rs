//! `GET|POST /api/v1/admin/users`, `PUT|DELETE /api/v1/admin/users/{id}`.

use std::marker::PhantomData;

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::profile::{NICKNAME, Profile, RoleName};
use super::register::{NAME, PASSWORD};
use super::session::{describe_credentials, presented};
use super::{Told, second_factor, sessions, success};
use crate::contracts::{LARGEST, MOST_SEARCHED, Needs, ToChange, ToRead, administrators};
use crate::http::{App, Checks, Context, Failure, Field, Json, Listing, Query, Required, Segment, about};
use crate::identity::{
    AccessToken, AccountChanges, AccountDetails, AccountId, Administrator, Error, Kind, NewAccount, ProfileChanges,
    Role, Versioned,
};
use crate::openapi::{Input, Operation};

/// Accounts on a page, where the request doesn't say.
const PAGE_SIZE: u32 = 20;
/// Accounts on a page at most.
const MOST_ON_A_PAGE: u32 = 100;
/// The last page that can be asked for.
const LAST_PAGE: u32 = u32::MAX / MOST_ON_A_PAGE;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .get(
            "/api/v1/admin/users",
            list_users,
            about("Accounts in order of their making, by page")
                .or(|| vec![Error::TooManyMatches])
                .beyond_the_document(),
        )
        .post(
            "/api/v1/admin/users",
            create_user,
            about("Make an account").or(|| vec![Error::NameTaken, Error::EmailTaken]).beyond_the_document(),
        )
        .put(
            "/api/v1/admin/users/{id}",
            update_user,
            about("Change what is sent; another password or role ends all sessions")
                .or(|| vec![Error::NameTaken, Error::EmailTaken, Error::LastAdministrator, Error::AddressIsName])
                .beyond_the_document(),
        )
        .delete(
            "/api/v1/admin/users/{id}",
            deactivate_user,
            about("Deactivate an account").or(|| vec![Error::LastAdministrator]).beyond_the_document(),
        )
        .and(second_factor::admin_routes())
        .and(sessions::admin_routes())
}

/// Who asks, and what an API token needs for it. It comes before what else is read of a request, so that nobody but
/// administrators learns anything.
pub(super) struct By<N = ToChange>(pub(super) Administrator, pub(super) PhantomData<N>);

impl<N: Needs> FromRequestParts<App> for By<N> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let context = Context::from_request_parts(parts, app).await?;
        let token = presented(parts, app, &context)?;
        let token = token.as_ref().map(AccessToken::reveal);
        let by = app.identity.authorize_administrator(token, N::SCOPE, &context.visitor()).await?;
        Ok(Self(by, PhantomData))
    }
}

impl<N: Needs> Input for By<N> {
    fn describe(operation: &mut Operation, _: &mut SchemaGenerator) {
        describe_credentials(operation);
        operation.refuses(administrators());
    }
}

#[derive(Deserialize, JsonSchema)]
struct ListQuery {
    /// Counts from 1.
    #[serde(default)]
    #[schemars(with = "Option<u32>", range(min = 1, max = LAST_PAGE))]
    page: Field<String>,
    /// Accounts on a page.
    #[serde(default)]
    #[schemars(with = "Option<u32>", range(min = 1, max = MOST_ON_A_PAGE))]
    size: Field<String>,
    /// What a name or an e-mail begins with; "" for all accounts.
    #[serde(default)]
    #[schemars(length(max = MOST_SEARCHED))]
    search: Field<String>,
}

#[derive(Serialize, JsonSchema)]
struct ListAnswer {
    items: Vec<Profile>,
    /// Exactly how many there are.
    total: u64,
    page: u32,
    size: u32,
}

async fn list_users(
    State(app): State<App>,
    context: Context,
    _: By<ToRead>,
    Query(query): Query<ListQuery>,
) -> Told<ListAnswer> {
    let mut checks = Checks::new();
    let page = count(&mut checks, "page", query.page, 1, LAST_PAGE);
    let size = count(&mut checks, "size", query.size, PAGE_SIZE, MOST_ON_A_PAGE);
    let search = checks.search("search", query.search, MOST_SEARCHED);
    checks.finish()?;
    let (accounts, total) = match search {
        None => app.identity.list_accounts_by_page(page, size).await.map(|listed| (listed.accounts, listed.total))?,
        Some(beginning) => {
            let found = app.identity.search_accounts_by_page(&beginning, page, size).await?;
            (found.accounts, found.total)
        }
    };
    let items = accounts.iter().map(|account| Profile::of(account, &context)).collect();
    success(ListAnswer { items, total, page, size })
}

/// A query parameter that counts from 1, or what stands for it where it is absent.
fn count(checks: &mut Checks, name: &'static str, given: Field<String>, default: u32, most: u32) -> u32 {
    let number = checks.query_number(name, given, default.into(), &(1..=most.into()));
    u32::try_from(number).unwrap_or(most)
}

#[derive(Deserialize, JsonSchema)]
struct CreateRequest {
    #[schemars(length(min = *NAME.start(), max = *NAME.end()))]
    username: Required<String>,
    #[schemars(email)]
    email: Required<String>,
    #[schemars(length(min = *PASSWORD.start(), max = *PASSWORD.end()))]
    password: Required<String>,
    #[serde(flatten)]
    details: Details,
}

#[derive(Deserialize, JsonSchema)]
struct UpdateRequest {
    /// As it is changes nothing, whatever its length.
    #[serde(default)]
    username: Field<String>,
    /// "" for none.
    #[serde(default)]
    email: Field<String>,
    #[serde(default)]
    #[schemars(length(min = *PASSWORD.start(), max = *PASSWORD.end()))]
    password: Field<String>,
    #[serde(flatten)]
    details: Details,
}

/// Everything of an account that isn't needed for making it.
#[derive(Deserialize, JsonSchema)]
struct Details {
    /// "" clears it; as it is changes nothing, whatever its length.
    #[serde(default)]
    nickname: Field<String>,
    #[serde(default)]
    role: Field<RoleName>,
    /// Bytes; -1 is unlimited.
    #[serde(default)]
    #[schemars(range(min = -1, max = LARGEST))]
    storage_limit: Field<i64>,
    #[serde(default)]
    is_active: Field<bool>,
    /// Whether the account must have a second factor.
    #[serde(default)]
    totp_required: Field<bool>,
}

impl Details {
    fn read(self, checks: &mut Checks, shown: &str) -> AccountDetails {
        let display_name = checks.optional_text("nickname", as_shown(self.nickname, shown), &NICKNAME);
        AccountDetails {
            profile: ProfileChanges { display_name, ..ProfileChanges::default() },
            role: checks.optional_one_of("role", self.role, "admin, user").map(Role::from),
            active: checks.optional("is_active", self.is_active, Kind::Boolean),
            second_factor_required: checks.optional("totp_required", self.totp_required, Kind::Boolean),
            storage_limit: checks.optional_number("storage_limit", self.storage_limit, &(-1..=LARGEST)),
            ..AccountDetails::default()
        }
    }
}

async fn create_user(
    State(app): State<App>,
    context: Context,
    By(by, _): By,
    Json(body): Json<CreateRequest>,
) -> Told<Profile, 201> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email);
    let name = checks.name("username", body.username, &NAME, email.as_ref());
    let password = checks.new_password("password", body.password, &PASSWORD, app.identity.password_policy());
    let details = AccountDetails { email: Some(email), ..body.details.read(&mut checks, "") };
    let (Some(name), Some(password)) = (name, password) else { return Err(checks.refuse()) };
    checks.finish()?;
    let account = app.identity.create_account(&by, NewAccount { name, password, details }).await?;
    success(Profile::of(&account, &context))
}

async fn update_user(
    State(app): State<App>,
    context: Context,
    By(by, _): By,
    Segment(id): Segment,
    Json(body): Json<UpdateRequest>,
) -> Told<Profile> {
    let read = find(&app, &id).await?;
    let known = &read.account;
    let mut checks = Checks::new();
    let email = checks.optional_email("email", body.email);
    let own = email.clone().unwrap_or_else(|| known.email.as_ref().map(|claim| claim.address.clone()));
    let details = AccountDetails { email, ..body.details.read(&mut checks, known.display_name()) };
    let name = match as_shown(body.username, known.name.as_str()) {
        Field::Absent => None,
        given => checks.name("username", given.into(), &NAME, own.as_ref()),
    };
    let password = checks.optional_new_password("password", body.password, &PASSWORD, app.identity.password_policy());
    checks.finish()?;
    let account = app.identity.change_account(&by, read, AccountChanges { name, password, details }).await?;
    success(Profile::of(&account, &context))
}

async fn deactivate_user(State(app): State<App>, By(by, _): By, Segment(id): Segment) -> Told<()> {
    let read = find(&app, &id).await?;
    let details = AccountDetails { active: Some(false), ..AccountDetails::default() };
    app.identity.change_account(&by, read, AccountChanges { details, ..AccountChanges::default() }).await?;
    success(())
}

/// The account of this id; what is no id at all is nobody's.
pub(super) async fn find(app: &App, id: &str) -> Result<Versioned, Failure> {
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
