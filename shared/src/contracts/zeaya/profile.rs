//! `GET /api/auth/user`, `PUT /api/auth/profile`, `PUT /api/auth/password`.

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, put};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::Date;

use super::register::PASSWORD;
use super::{Caller, local_time, success};
use crate::contracts::avatars;
use crate::http::{App, Checks, Context, Failure, Field, Json, Routes};
use crate::identity::{Account, Gender, Problem, ProfileChanges, Usage};
use crate::messages::Text;

pub(in crate::contracts) fn routes() -> Routes {
    Routes::new()
        .at("/api/auth/user", get(user))
        .at("/api/auth/profile", put(update_profile))
        .at("/api/auth/password", put(change_password))
        .and(super::avatar::routes())
}

#[derive(Serialize)]
struct FullUser<'a> {
    id: u64,
    username: &'a str,
    email: &'a str,
    nickname: &'a str,
    avatar: String,
    bio: &'a str,
    gender: u8,
    birthday: Option<String>,
    mobile: &'a str,
    status: u8,
    is_admin: bool,
    create_time: String,
    stats: Usage,
}

async fn user(State(app): State<App>, context: Context, Caller(caller): Caller) -> Result<Response, Failure> {
    let account = &caller.acting();
    let profile = &account.profile;
    let user = FullUser {
        id: account.number,
        username: account.name.as_str(),
        email: account.email_text(),
        nickname: account.display_name(),
        avatar: avatars::path_of(account),
        bio: &profile.bio,
        gender: gender_number(profile.gender),
        birthday: profile.birthday.map(date_text),
        mobile: &profile.phone,
        status: u8::from(account.active),
        is_admin: account.is_admin(),
        create_time: local_time(account.created_at, app.zone),
        stats: account.usage,
    };
    let data = serde_json::to_value(user).map_err(anyhow::Error::from)?;
    Ok(success(None, Some(data), context.language))
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct UpdateRequest {
    nickname: Field<String>,
    bio: Field<String>,
    gender: Field<i64>,
    birthday: Field<String>,
    mobile: Field<String>,
}

async fn update_profile(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<UpdateRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let changes = ProfileChanges {
        display_name: checks.optional_text("nickname", body.nickname, &(0..=64)),
        bio: checks.optional_text("bio", body.bio, &(0..=4096)),
        gender: gender(&mut checks, body.gender),
        birthday: birthday(&mut checks, body.birthday),
        phone: checks.optional_text("mobile", body.mobile, &(0..=32)),
        avatar_url: None,
    };
    checks.finish()?;
    let sent = changes.clone();
    let account = app.identity.update_profile(caller, changes).await?;
    Ok(success(Some(Text::Updated), Some(updated(&account, &sent)), context.language))
}

/// `id`, `nickname` and `bio` always; the other fields where they were sent.
fn updated(account: &Account, sent: &ProfileChanges) -> Value {
    let profile = &account.profile;
    let mut data = Map::from_iter([
        ("id".to_owned(), json!(account.number)),
        ("nickname".to_owned(), json!(account.display_name())),
        ("bio".to_owned(), json!(profile.bio)),
    ]);
    data.extend(sent.gender.map(|_| ("gender".to_owned(), json!(gender_number(profile.gender)))));
    data.extend(sent.birthday.map(|_| ("birthday".to_owned(), json!(profile.birthday.map(date_text)))));
    data.extend(sent.phone.as_ref().map(|_| ("mobile".to_owned(), json!(profile.phone))));
    Value::Object(data)
}

fn gender(checks: &mut Checks, given: Field<i64>) -> Option<Gender> {
    let number = checks.optional("gender", given, "integer")?;
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
    let text = checks.optional("birthday", given, "string")?;
    if text.is_empty() {
        return Some(None);
    }
    let format = time::macros::format_description!("[year]-[month]-[day]");
    let date = Date::parse(&text, format).ok().filter(|date| (1000..=9999).contains(&date.year()));
    if date.is_none() {
        checks.note("birthday", Problem::NotADate, Some(text.into()));
    }
    date.map(Some)
}

fn date_text(date: Date) -> String {
    let format = time::macros::format_description!("[year]-[month]-[day]");
    date.format(format).unwrap_or_default()
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PasswordRequest {
    old_password: Field<String>,
    new_password: Field<String>,
}

async fn change_password(
    State(app): State<App>,
    context: Context,
    Caller(caller): Caller,
    Json(body): Json<PasswordRequest>,
) -> Result<Response, Failure> {
    let mut checks = Checks::new();
    let old = checks.password("old_password", body.old_password);
    let new = checks.new_password("new_password", body.new_password, &PASSWORD);
    let (Some(old), Some(new)) = (old, new) else { return Err(checks.refuse()) };
    app.identity.change_password(caller.signed_in()?, &old, &new).await?;
    Ok(success(Some(Text::PasswordChanged), None, context.language))
}
