//! Where requests carry their tokens.

use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use cookie::Cookie;

use super::context::header_text;
use super::{App, Context, Failure};
use crate::identity::AccessToken;

/// The token of `Authorization: Bearer …` (RFC 6750; the scheme in any case).
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = header_text(headers, &header::AUTHORIZATION)?.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

/// The bearer token as an access token.
pub(crate) fn bearer_token(parts: &Parts) -> Option<AccessToken> {
    bearer(&parts.headers).map(AccessToken::new)
}

/// A cookie's value.
pub(crate) fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = values.flat_map(Cookie::split_parse);
    let named = cookies.filter_map(Result::ok).find(|cookie| cookie.name() == name && !cookie.value().is_empty());
    named.map(|cookie| cookie.value().to_owned())
}

/// Refuses a change that only a cookie vouches for when another site's page asks for it. Browsers send `Origin`
/// with every cross-site change; a request without one comes from no page.
pub(crate) fn check_origin(parts: &Parts, app: &App, context: &Context) -> Result<(), Failure> {
    let safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let Some(origin) = header_text(&parts.headers, &header::ORIGIN).filter(|_| !safe) else { return Ok(()) };
    let allowed = context.origin().is_some_and(|own| own.eq_ignore_ascii_case(origin)) || app.allows_origin(origin);
    if allowed { Ok(()) } else { Err(Failure::OriginNotAllowed) }
}
