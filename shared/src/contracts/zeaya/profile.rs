//! `GET /api/auth/user`, `PUT /api/auth/profile`, `PUT /api/auth/password`.

use std::ops::RangeInclusive;

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::Date;

use super::register::PASSWORD;
use super::{Caller, Done, LOCAL_TIME, Told, done, local_time, success};
use crate::contracts::{avatars, too_many_requests};
use crate::http::{Answer, App, Checks, Context, Failure, Field, Json, Listing, Required, about};
use crate::identity::{Account, Error, Gender, Kind, Problem, ProfileChanges, Usage};
use crate::messages::Text;

/// Characters of a nickname.
const NICKNAME: RangeInclusive<usize> = 0..=64;
/// Characters of a text about the person.
const BIO: RangeInclusive<usize> = 0..=4096;
/// Characters of a telephone number.
const MOBILE: RangeInclusive<usize> = 0..=32;

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .get("/api/auth/user", user, about("The signed-in account"))
        .put("/api/auth/profile", update_profile, about("Change what is sent"))
        .put(
            "/api/auth/password",
            change_password,
            about("Change the password; every other session ends")
                .or(|| vec![Error::CurrentPasswordWrong, too_many_requests()]),
        )
        .and(super::avatar::routes())
}

#[derive(Serialize, JsonSchema)]
struct FullUser {
    /// The account's number.
    id: u64,
    username: String,
    /// "" if the account has none.
    email: String,
    nickname: String,
    /// A path under the base URL or an address, "" if there is none.
    avatar: String,
    bio: String,
    /// 0 unknown, 1 male, 2 female.
    #[schemars(range(min = 0, max = 2))]
    gender: u8,
    #[schemars(extend("format" = "date"))]
    birthday: Option<String>,
    mobile: String,
    /// 1 active, 0 disabled.
    #[schemars(range(min = 0, max = 1))]
    status: u8,
    is_admin: bool,
    /// `YYYY-MM-DD HH:MM:SS` in the deployment's zone.
    #[schemars(regex(pattern = LOCAL_TIME))]
    create_time: String,
    stats: Stats,
}

#[derive(Serialize, JsonSchema)]
struct Stats {
    photos: u64,
    albums: u64,
    favorites: u64,
    likes: u64,
}

impl From<Usage> for Stats {
    fn from(usage: Usage) -> Self {
        let Usage { photos, albums, favorites, likes } = usage;
        Self { photos, albums, favorites, likes }
    }
}

async fn user(State(app): State<App>, context: Context, Caller(caller): Caller) -> Told<FullUser> {
    let account = &caller.acting()?;
    let profile = &account.profile;
    let user = FullUser {
        id: account.number,
        username: account.name.as_str().to_owned(),
        email: account.email_text().to_owned(),
        nickname: account.display_name().to_owned(),
        avatar: avatars::path_of(account),
        bio: profile.bio.clone(),
        gender: gender_number(profile.gender),
        birthday: profile.birthday.map(date_text),
        mobile: profile.phone.clone(),
        status: u8::from(account.active),
        is_admin: account.is_admin(),
        create_time: local_time(account.created_at, app.zone),
        stats: account.usage.into(),
    };
    success(None, user, context.language)
}

#[derive(Deserialize, JsonSchema)]
struct UpdateRequest {
    /// "" clears it.
    #[serde(default)]
    #[schemars(length(max = *NICKNAME.end()))]
    nickname: Field<String>,
    #[serde(default)]
    #[schemars(length(max = *BIO.end()))]
    bio: Field<String>,
    /// 0 unknown, 1 male, 2 female.
    #[serde(default)]
    #[schemars(range(min = 0, max = 2))]
    gender: Field<i64>,
    /// `YYYY-MM-DD`, "" to clear it.
    #[serde(default)]
    birthday: Field<String>,
    #[serde(default)]
    #[schemars(length(max = *MOBILE.end()))]
    mobile: Field<String>,
}

/// `id`, `nickname` and `bio` always; the other fields where they were sent.
#[derive(Serialize, JsonSchema)]
struct Updated {
    id: u64,
    nickname: String,
    bio: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u8")]
    gender: Option<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    birthday: Option<Option<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    mobile: Option<String>,
}

async fn update_profile(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<UpdateRequest>,
) -> Told<Updated> {
    let mut checks = Checks::new();
    let changes = ProfileChanges {
        display_name: checks.optional_text("nickname", body.nickname, &NICKNAME),
        bio: checks.optional_text("bio", body.bio, &BIO),
        gender: gender(&mut checks, body.gender),
        birthday: birthday(&mut checks, body.birthday),
        phone: checks.optional_text("mobile", body.mobile, &MOBILE),
        avatar_url: None,
        language: None,
    };
    checks.finish()?;
    let sent = changes.clone();
    let account = app.identity.update_profile(caller, changes).await?;
    success(Some(Text::Updated), updated(&account, &sent), context.language)
}

fn updated(account: &Account, sent: &ProfileChanges) -> Updated {
    let profile = &account.profile;
    Updated {
        id: account.number,
        nickname: account.display_name().to_owned(),
        bio: profile.bio.clone(),
        gender: sent.gender.map(|_| gender_number(profile.gender)),
        birthday: sent.birthday.map(|_| profile.birthday.map(date_text)),
        mobile: sent.phone.as_ref().map(|_| profile.phone.clone()),
    }
}

fn gender(checks: &mut Checks, given: Field<i64>) -> Option<Gender> {
    let number = checks.optional("gender", given, Kind::Integer)?;
    let gender = match number {
        0 => Some(Gender::Unknown),
        1 => Some(Gender::Male),
        2 => Some(Gender::Female),
        _ => None,
    };
    if gender.is_none() {
        checks.note("gender", Problem::NotOneOf("0, 1, 2"), Some(number.into()));
    }
    gender
}

fn gender_number(gender: Gender) -> u8 {
    match gender {
        Gender::Unknown => 0,
        Gender::Male => 1,
        Gender::Female => 2,
    }
}

/// A date, or "" to clear it.
fn birthday(checks: &mut Checks, given: Field<String>) -> Option<Option<Date>> {
    let text = checks.optional("birthday", given, Kind::Text)?;
    if text.is_empty() {
        return Some(None);
    }
    let format = time::macros::format_description!("[year]-[month]-[day]");
    // The library takes a sign before the year, the contract ten characters and no other.
    let is_plain = text.len() == 10 && text.starts_with(|first: char| first.is_ascii_digit());
    let date = Date::parse(&text, format).ok().filter(|date| is_plain && (1000..=9999).contains(&date.year()));
    if date.is_none() {
        checks.note("birthday", Problem::NotADate, Some(text.into()));
    }
    date.map(Some)
}

fn date_text(date: Date) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    date.format(format).unwrap_or_default()
}

#[derive(Deserialize, JsonSchema)]
struct PasswordRequest {
    #[schemars(length(min = 1))]
    old_password: Required<String>,
    #[schemars(length(min = *PASSWORD.start()))]
    new_password: Required<String>,
}

async fn change_password(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<PasswordRequest>,
) -> Result<Answer<Done>, Failure> {
    let mut checks = Checks::new();
    let old = checks.password("old_password", body.old_password);
    let new = checks.new_password("new_password", body.new_password, &PASSWORD, app.identity.password_policy());
    let (Some(old), Some(new)) = (old, new) else { return Err(checks.refuse()) };
    app.identity.change_password(caller.signed_in()?, &old, &new).await?;
    done(Text::PasswordChanged, context.language)
}
