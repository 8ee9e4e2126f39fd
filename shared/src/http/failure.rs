//! What a handler returns when it can't answer as asked; the contract that the request speaks puts it into words.

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::Context;
use crate::identity::{Error, Language};

/// A request that is refused before the core hears of it, or after it.
#[derive(Debug)]
pub enum Failure {
    /// The core's refusal or accident.
    Core(Error),
    /// A body that isn't JSON, or not an object.
    MalformedBody,
    /// No such path in this contract.
    UnknownPath,
    /// The path exists, but not with this method; the answer carries `Allow`.
    MethodNotAllowed,
    /// More bytes than an endpoint takes.
    BodyTooLarge,
    /// A body in another form than the endpoint takes.
    UnsupportedMediaType,
    /// A form that can't be taken apart.
    MalformedForm,
    /// Something else where the endpoint takes a form.
    NotAForm,
    /// A change that a cookie vouches for, asked for by a page that may not.
    OriginNotAllowed,
    /// A handler panicked.
    Panicked,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Core(Error::Internal(error))
    }
}

impl IntoResponse for Failure {
    /// Carries itself in the answer's extensions to `render_failures`, which knows contract and language.
    fn into_response(self) -> Response {
        carry(Arc::new(self))
    }
}

/// An answer that carries a failure to [`render_failures`].
pub(super) fn carry(failure: Arc<Failure>) -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(failure);
    response
}

/// Marks an answer that spells its failure itself; the failure goes along for the log.
#[derive(Clone)]
struct InOwnWords;

/// This answer, with the failure that it already tells in words of its own.
pub(crate) fn in_own_words(failure: Failure, mut response: Response) -> Response {
    response.extensions_mut().insert(Arc::new(failure));
    response.extensions_mut().insert(InOwnWords);
    response
}

/// How often something may be asked for, on answers to whoever asked too often.
pub(super) const RATE_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
/// How often it may still be asked for: 0.
pub(super) const RATE_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");

/// How a contract spells a failure.
pub type Render = fn(&Failure, Language) -> (StatusCode, Value);

/// Turns failures into the contract's words.
pub(super) async fn render_failures(
    State(render): State<Render>,
    context: Context,
    request: Request,
    next: Next,
) -> Response {
    let mut response = next.run(request).await;
    if response.extensions().get::<InOwnWords>().is_some() {
        return response;
    }
    let Some(failure) = response.extensions_mut().get::<Arc<Failure>>().cloned() else { return response };
    let (status, body) = render(&failure, context.language);
    let mut rendered = (status, axum_json(&body)).into_response();
    // What the router said with the refusal, such as `Allow`.
    if let Some(allow) = response.headers_mut().remove(header::ALLOW) {
        rendered.headers_mut().insert(header::ALLOW, allow);
    }
    if let Some(seconds) = failure.retry_after_seconds() {
        rendered.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if let Some(limit) = failure.limit() {
        rendered.headers_mut().insert(RATE_LIMIT, HeaderValue::from(limit));
        rendered.headers_mut().insert(RATE_REMAINING, HeaderValue::from(0));
    }
    rendered.extensions_mut().insert(failure);
    rendered
}

/// JSON with its charset, as every answer of the service has it.
pub(crate) fn axum_json(body: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"))];
    (content_type, body.to_string()).into_response()
}

impl Failure {
    /// How often it may be asked for, where it was asked for too often.
    pub(crate) fn limit(&self) -> Option<u32> {
        let Self::Core(Error::TooManyRequests { limit, .. }) = self else { return None };
        Some(*limit)
    }

    /// When to try again, in seconds, where that is told.
    pub(crate) fn retry_after_seconds(&self) -> Option<u64> {
        let Self::Core(Error::TooManyRequests { retry_after, .. } | Error::Unavailable { retry_after, .. }) = self
        else {
            return None;
        };
        Some(retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0))
    }
}

impl Failure {
    /// What it is, in words that stay the same, for the log.
    pub(crate) fn word(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Core(Error::Invalid(_)) => "invalid input",
            Self::Core(Error::Internal(_)) => "internal",
            Self::Core(Error::Unavailable { .. }) => "unavailable",
            Self::Core(error) => return Cow::Owned(error.to_string()),
            Self::MalformedBody => "malformed body",
            Self::UnknownPath => "unknown path",
            Self::MethodNotAllowed => "method not allowed",
            Self::BodyTooLarge => "body too large",
            Self::UnsupportedMediaType => "media type unsupported",
            Self::MalformedForm => "malformed form",
            Self::NotAForm => "not a form",
            Self::OriginNotAllowed => "origin not allowed",
            Self::Panicked => "a handler panicked",
        })
    }

    /// More about it, for the log: of an accident the cause, of refused fields their names. What was sent in them may be
    /// personal.
    pub(super) fn detail(&self) -> Option<String> {
        match self {
            Self::Core(Error::Invalid(violations)) => {
                let fields: Vec<_> = violations.iter().map(|violation| violation.field.as_ref()).collect();
                Some(fields.join(", "))
            }
            Self::Core(Error::Internal(cause) | Error::Unavailable { cause, .. }) => Some(format!("{cause:#}")),
            Self::Core(_)
            | Self::MalformedBody
            | Self::UnknownPath
            | Self::MethodNotAllowed
            | Self::BodyTooLarge
            | Self::UnsupportedMediaType
            | Self::MalformedForm
            | Self::NotAForm
            | Self::OriginNotAllowed
            | Self::Panicked => None,
        }
    }

    /// Whether an attempt to sign in has failed with it. Without its second factor one has yet to be finished.
    pub(super) fn refuses_sign_in(&self) -> bool {
        let Self::Core(error) = self else { return false };
        !error.is_accident() && !matches!(error, Error::SecondFactorNeeded)
    }
}
