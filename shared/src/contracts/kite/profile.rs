//! `GET|PUT /api/v1/profile`, `POST /api/v1/auth/change-password`, `POST /api/v1/auth/first-login-reset`,
//! and the routes of [`super::email_change`], [`super::emails`], [`super::second_factor`],
//! [`super::sessions`] and [`super::tokens`].

use std::ops::RangeInclusive;

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::register::{NAME, PASSWORD};
use super::session::{Caller, NewCaller, SessionBody, SettingUp, TERMS, session_answer};
use super::{Told, audit, email_change, emails, second_factor, sessions, success, tokens};
use crate::contracts::{avatars, rfc3339, too_many_requests};
use crate::http::{App, Checks, Context, Field, Json, Listing, Required, about};
use crate::identity::{Account, EmailChange, Error, FirstLoginReset, Language, ProfileChanges, Role};

/// Characters of a nickname.
pub(super) const NICKNAME: RangeInclusive<usize> = 0..=32;
/// Characters of an avatar's address at most.
const AVATAR_URL: usize = 512;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .get("/api/v1/profile", profile, about("The signed-in account"))
        .put(
            "/api/v1/profile",
            update_profile,
            about("Change what is sent; a proved address changes once the mailed code comes back")
                .or(|| vec![Error::EmailTaken, Error::AddressIsName, Error::Undeliverable, too_many_requests()]),
        )
        .post(
            "/api/v1/auth/change-password",
            change_password,
            about("Change the password; every other session ends")
                .or(|| vec![Error::CurrentPasswordWrong, too_many_requests()]),
        )
        .post(
            "/api/v1/auth/first-login-reset",
            first_login_reset,
            about("Replace the first administrator's name, address and password")
                .or(|| vec![Error::PasswordAlreadyChosen, Error::NameTaken, Error::EmailTaken]),
        )
        .and(tokens::routes())
        .and(second_factor::routes())
        .and(emails::routes())
        .and(sessions::routes())
        .and(audit::routes())
        .and(email_change::routes())
}

/// A role.
#[derive(Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum RoleName {
    Admin,
    User,
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        match role {
            Role::Admin => Self::Admin,
            Role::User => Self::User,
        }
    }
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Admin => Self::Admin,
            RoleName::User => Self::User,
        }
    }
}

/// The language of mails; "" for that of the request which causes one.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[schemars(inline)]
enum MailLanguage {
    #[serde(rename = "zh")]
    Chinese,
    #[serde(rename = "en")]
    English,
    #[serde(rename = "")]
    AsAsked,
}

impl From<MailLanguage> for Option<Language> {
    fn from(language: MailLanguage) -> Self {
        match language {
            MailLanguage::Chinese => Some(Language::Chinese),
            MailLanguage::English => Some(Language::English),
            MailLanguage::AsAsked => None,
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Profile {
    #[schemars(extend("format" = "uuid"))]
    id: String,
    #[schemars(extend("format" = "uuid"))]
    user_id: String,
    username: String,
    nickname: String,
    /// "" if the account has none.
    email: String,
    /// An address that takes its place once the code comes back that was mailed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_email: Option<String>,
    /// "" if there is none.
    avatar_url: String,
    role: RoleName,
    /// Bytes; -1 is unlimited.
    storage_limit: i64,
    /// Bytes.
    storage_used: i64,
    is_active: bool,
    password_must_change: bool,
    has_local_password: bool,
    totp_enabled: bool,
    /// Absent unless an administrator demands a second factor of the account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schemars(extend("const" = true))]
    totp_required: bool,
    /// Of mails: `zh` or `en`, absent where they are in that of the request which causes one.
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'static str>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
}

impl Profile {
    pub(super) fn of(account: &Account, context: &Context) -> Self {
        Self {
            id: account.id.to_string(),
            user_id: account.id.to_string(),
            username: account.name.as_str().to_owned(),
            nickname: account.display_name().to_owned(),
            email: account.email_text().to_owned(),
            pending_email: None,
            avatar_url: avatars::address_of(account, context),
            role: account.role.into(),
            storage_limit: account.storage_limit,
            storage_used: account.storage_used,
            is_active: account.active,
            password_must_change: account.must_change_password,
            // Every account of the pool has a password.
            has_local_password: true,
            totp_enabled: account.has_second_factor(),
            totp_required: account.second_factor_required,
            language: account.profile.language.map(Language::code),
            created_at: rfc3339(account.created_at),
        }
    }
}

async fn profile(context: Context, caller: NewCaller) -> Told<Profile> {
    success(Profile::of(&caller.0.acting()?, &context))
}

#[derive(Deserialize, JsonSchema)]
struct UpdateRequest {
    /// "" clears it.
    #[serde(default)]
    #[schemars(length(max = *NICKNAME.end()))]
    nickname: Field<String>,
    #[serde(default)]
    #[schemars(email)]
    email: Field<String>,
    /// An http or https address, "" to clear it.
    #[serde(default)]
    #[schemars(length(max = AVATAR_URL))]
    avatar_url: Field<String>,
    #[serde(default)]
    language: Field<MailLanguage>,
}

async fn update_profile(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<UpdateRequest>,
) -> Told<Profile> {
    let mut checks = Checks::new();
    let changes = ProfileChanges {
        display_name: checks.optional_text("nickname", body.nickname, &NICKNAME),
        avatar_url: avatars::changed(
            checks.optional_url("avatar_url", body.avatar_url, AVATAR_URL),
            &caller.account.account,
            &context,
        ),
        language: checks.optional_one_of("language", body.language, "zh, en, \"\"").map(Option::from),
        ..ProfileChanges::default()
    };
    let email = match body.email {
        Field::Absent => None,
        given => checks.email("email", given.into()),
    };
    checks.finish()?;
    let by = caller.by.clone();
    let (caller, pending_email) = match &email {
        None => (caller, None),
        Some(email) => match app.identity.change_email(caller.signed_in()?, email, &context.errand).await? {
            EmailChange::Done(caller) => (caller.into(), None),
            EmailChange::Pending(caller) => (caller.into(), Some(email.as_str().to_owned())),
        },
    };
    let account = by.narrow(app.identity.update_profile(caller, changes).await?);
    success(Profile { pending_email, ..Profile::of(&account, &context) })
}

#[derive(Deserialize, JsonSchema)]
struct ChangePasswordRequest {
    #[serde(default)]
    old_password: Field<String>,
    /// The same in other words.
    #[serde(default)]
    current_password: Field<String>,
    #[schemars(length(min = *PASSWORD.start(), max = *PASSWORD.end()))]
    new_password: Required<String>,
}

async fn change_password(
    State(app): State<App>,
    SettingUp(caller): SettingUp,
    Json(body): Json<ChangePasswordRequest>,
) -> Told<()> {
    let mut checks = Checks::new();
    let current = checks.password("old_password", body.old_password.or(body.current_password));
    let new = checks.new_password("new_password", body.new_password, &PASSWORD, app.identity.password_policy());
    let (Some(current), Some(new)) = (current, new) else { return Err(checks.refuse()) };
    app.identity.change_password(caller.signed_in()?, &current, &new).await?;
    success(())
}

/// Each field in one of its two spellings.
#[derive(Deserialize, JsonSchema)]
struct FirstLoginRequest {
    #[serde(default)]
    username: Field<String>,
    #[serde(default)]
    email: Field<String>,
    #[serde(default)]
    password: Field<String>,
    #[serde(default)]
    new_username: Field<String>,
    #[serde(default)]
    new_email: Field<String>,
    #[serde(default)]
    new_password: Field<String>,
}

async fn first_login_reset(
    State(app): State<App>,
    context: Context,
    NewCaller(caller): NewCaller,
    Json(body): Json<FirstLoginRequest>,
) -> Told<SessionBody> {
    let mut checks = Checks::new();
    let email = checks.email("email", body.email.or(body.new_email));
    let name = checks.name("username", body.username.or(body.new_username), &NAME, email.as_ref());
    let password =
        checks.new_password("password", body.password.or(body.new_password), &PASSWORD, app.identity.password_policy());
    let (Some(name), Some(email), Some(password)) = (name, email, password) else { return Err(checks.refuse()) };
    let reset = FirstLoginReset { name, email, password };
    let opened = app.identity.first_login_reset(caller.signed_in()?, reset, &TERMS, &context.visitor()).await?;
    session_answer(&opened, &app, &context)
}
