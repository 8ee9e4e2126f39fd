//! The four wire contracts: each maps its own shapes onto the core, and nothing else.
//!
//! A contract is a module: `mod.rs` has its envelope and how it spells failures, then one file per endpoint
//! group has that group's routes, wire types and handlers.

mod avatars;
mod kite;
mod mcphub;
mod service;
mod sproutgate;
#[cfg(test)]
mod tests;
mod warnings;
mod zeaya;

use std::time::Duration;

use axum::http::StatusCode;
use schemars::SchemaGenerator;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::http::{Contract, Failure, Group, Listing, Render};
use crate::identity::{Error, Scope};
use crate::openapi::{Description, shape_of};

/// Sign in and out.
pub(crate) fn login<L: Listing>(contract: Contract) -> L {
    match contract {
        Contract::Kite => kite::login::routes(),
        Contract::Zeaya => zeaya::login::routes(),
        Contract::Sproutgate => sproutgate::login::routes(),
        Contract::Mcphub => mcphub::login::routes(),
    }
}

/// Register, verify e-mail, forgot and reset password.
pub(crate) fn register<L: Listing>(contract: Contract) -> L {
    match contract {
        Contract::Kite => kite::register::routes(),
        Contract::Zeaya => zeaya::register::routes(),
        Contract::Sproutgate => sproutgate::register::routes(),
        Contract::Mcphub => mcphub::register::routes(),
    }
}

/// Refresh, verify a token, pictures.
pub(crate) fn refresh<L: Listing>(contract: Contract) -> L {
    let own: L = match contract {
        Contract::Kite => kite::refresh::routes(),
        Contract::Sproutgate => sproutgate::refresh::routes(),
        Contract::Zeaya | Contract::Mcphub => L::new(),
    };
    own.and(avatars::routes())
}

/// What a signed-in person does to their own account.
pub(crate) fn profile<L: Listing>(contract: Contract) -> L {
    match contract {
        Contract::Kite => kite::profile::routes(),
        Contract::Zeaya => zeaya::profile::routes(),
        Contract::Sproutgate => sproutgate::profile::routes(),
        Contract::Mcphub => mcphub::profile::routes(),
    }
}

/// What an API token needs for a request of the administrator's side.
pub(crate) trait Needs {
    /// The scope.
    const SCOPE: Scope;
}

/// For requests that change something.
pub(crate) struct ToChange;

/// For those that don't.
pub(crate) struct ToRead;

/// For reports of usage.
pub(crate) struct ToReport;

/// For looking at usage.
pub(crate) struct ToReadUsage;

impl Needs for ToChange {
    const SCOPE: Scope = Scope::AdminWrite;
}

impl Needs for ToRead {
    const SCOPE: Scope = Scope::AdminRead;
}

impl Needs for ToReport {
    const SCOPE: Scope = Scope::UsageWrite;
}

impl Needs for ToReadUsage {
    const SCOPE: Scope = Scope::UsageRead;
}

/// The administrator's side.
pub(crate) fn admin<L: Listing>(contract: Contract) -> L {
    match contract {
        Contract::Kite => kite::admin::routes::<L>()
            .and(kite::usage::routes())
            .and(kite::settings::routes())
            .and(kite::audit::admin_routes())
            .and(kite::keys::routes())
            .and(kite::undeliverable::routes()),
        Contract::Sproutgate => sproutgate::admin::routes(),
        Contract::Zeaya | Contract::Mcphub => L::new(),
    }
}

/// What belongs to the service as a whole; all of it is what other services call often.
pub(crate) fn service<L: Listing>() -> L {
    service::routes::<L>().and(avatars::routes())
}

/// What there is to say of a group's endpoints in a contract.
pub(crate) fn described(contract: Contract, group: Group) -> Description {
    match group {
        Group::Login => login(contract),
        Group::Register => register(contract),
        Group::Refresh => refresh(contract),
        Group::Profile => profile(contract),
        Group::Admin => admin(contract),
    }
}

/// The shape of every refusal.
pub(crate) fn refusal_shape(contract: Contract, schemas: &mut SchemaGenerator) -> Value {
    match contract {
        Contract::Kite => shape_of::<kite::Refusal>(schemas),
        Contract::Zeaya => shape_of::<zeaya::Refusal>(schemas),
        Contract::Sproutgate => shape_of::<sproutgate::Refusal>(schemas),
        Contract::Mcphub => shape_of::<mcphub::Refusal>(schemas),
    }
}

/// How a contract spells failures.
pub(crate) fn render(contract: Contract) -> Render {
    match contract {
        Contract::Kite => kite::render,
        Contract::Zeaya => zeaya::render,
        Contract::Sproutgate => sproutgate::render,
        Contract::Mcphub => mcphub::render,
    }
}

/// The path prefix that names a contract.
pub(crate) fn mount(contract: Contract) -> &'static str {
    match contract {
        Contract::Kite => "/kite",
        Contract::Zeaya => "/zeaya",
        Contract::Sproutgate => "/sproutgate",
        Contract::Mcphub => "/mcphub",
    }
}

/// A success that carries no data, as the contract spells it.
pub(crate) fn nothing_to_say(contract: Contract) -> Value {
    match contract {
        Contract::Kite => kite::nothing_to_say(),
        Contract::Zeaya => serde_json::json!({"code": 0}),
        Contract::Sproutgate => serde_json::json!({}),
        Contract::Mcphub => serde_json::json!({"success": true}),
    }
}

/// The HTTP status of a failure where the contract has one of its own only for what the core says.
fn status(failure: &Failure, of_error: fn(&Error) -> StatusCode) -> StatusCode {
    match failure {
        Failure::Core(error) => of_error(error),
        Failure::MalformedBody | Failure::MalformedForm => StatusCode::BAD_REQUEST,
        Failure::OriginNotAllowed => StatusCode::FORBIDDEN,
        Failure::UnknownPath => StatusCode::NOT_FOUND,
        Failure::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Failure::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Failure::UnsupportedMediaType | Failure::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Failure::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// How an endpoint for signed-in people refuses others.
fn callers() -> impl Iterator<Item = Failure> {
    callers_without_factor().chain([Failure::Core(Error::SecondFactorRequired)])
}

/// The same where it is open to who has yet to set up a second factor.
fn callers_without_factor() -> impl Iterator<Item = Failure> {
    let token = [Error::TokenMissing, Error::TokenInvalid, Error::SessionEnded];
    token.into_iter().chain([Error::PasswordChangeRequired, Error::ScopeMissing]).map(Failure::Core)
}

/// How an endpoint for administrators refuses others.
fn administrators() -> impl Iterator<Item = Failure> {
    callers().chain([Failure::Core(Error::NotAdministrator)])
}

/// What registering with an address refuses.
fn registration_refusals() -> Vec<Error> {
    vec![Error::RegistrationClosed, Error::NameTaken, Error::EmailTaken, too_many_requests()]
}

/// What signing in refuses where it takes one request.
fn sign_in_refusals() -> Vec<Error> {
    let password = [Error::WrongCredentials, Error::AccountDisabled];
    let factor = [Error::SecondFactorNeeded, Error::SecondFactorWrong, too_many_requests()];
    password.into_iter().chain(factor).collect()
}

/// What is refused for being asked too often, for the documents.
fn too_many_requests() -> Error {
    Error::TooManyRequests { retry_after: Duration::from_secs(60), limit: 5 }
}

/// A refusal as JSON.
fn spelled(refusal: &impl Serialize) -> Value {
    // A plain shape has nothing that can't be written.
    serde_json::to_value(refusal).unwrap_or_default()
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The largest whole number that every JSON client reads exactly: 2^53 - 1.
const LARGEST: i64 = 9_007_199_254_740_991;

/// Characters of a text that is searched for: no name and no address is longer.
const MOST_SEARCHED: usize = 254;

/// RFC 3339 in UTC with whole seconds, e.g. `2026-01-01T00:00:00Z`.
fn rfc3339(instant: OffsetDateTime) -> String {
    let whole = instant.to_offset(time::UtcOffset::UTC).truncate_to_second();
    // Years that RFC 3339 can't write don't occur.
    whole.format(&Rfc3339).unwrap_or_default()
}
