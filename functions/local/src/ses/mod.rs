//! An endpoint that speaks SES to `aws-sdk-ses`, so that the code which sends mail is the deployed one.

mod address;
mod mime;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::FormRejection;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Form, Router, extract::DefaultBodyLimit, routing::post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use polygate_shared::identity::Clock;

use crate::mailbox::{Draft, Mailbox};
use crate::text::escape;

use address::is_acceptable;

/// Where it is on the main port; the SDK adds a slash.
const PATH: &str = "/_local/ses";
/// SES takes 10 MB of raw mail; base64 and the form encoding make it longer.
const MOST_BYTES: usize = 20 * 1024 * 1024;
const MOST_RECIPIENTS: usize = 50;
const NAMESPACE: &str = "http://ses.amazonaws.com/doc/2010-12-01/";

/// Where it is, given where the server is.
pub(crate) fn url(base_url: &str) -> String {
    format!("{base_url}{PATH}")
}

/// What the endpoint needs.
#[derive(Clone)]
pub(crate) struct Ses {
    pub(crate) mailbox: Mailbox,
    pub(crate) clock: Arc<dyn Clock>,
}

/// The endpoint, to be mounted where `AWS_ENDPOINT_URL_SES` points.
pub(crate) fn router(ses: Ses) -> Router {
    Router::new()
        .route(PATH, post(answer))
        .route(&format!("{PATH}/"), post(answer))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(middleware::from_fn(not_for_pages))
        .with_state(ses)
}

/// Refuses what a web page sends: a form needs no preflight, so any page could put mails into the mailbox. Browsers
/// send `Origin` with every form that is posted; the SDK never does.
async fn not_for_pages(request: Request, next: Next) -> Response {
    if request.headers().contains_key(header::ORIGIN) {
        return (StatusCode::FORBIDDEN, "No web page sends mail here.\n").into_response();
    }
    next.run(request).await
}

/// Why a request is not carried out, in SES's words.
#[derive(Debug, PartialEq, Eq)]
struct Rejection {
    code: &'static str,
    message: String,
}

impl Rejection {
    fn message(message: impl Into<String>) -> Self {
        Self { code: "MessageRejected", message: message.into() }
    }

    fn parameter(message: impl Into<String>) -> Self {
        Self { code: "InvalidParameterValue", message: message.into() }
    }
}

type Parameters = BTreeMap<String, String>;

async fn answer(State(ses): State<Ses>, form: Result<Form<Parameters>, FormRejection>) -> Response {
    let parameters = match form {
        Ok(Form(parameters)) => parameters,
        Err(rejection) => return rejected(&Rejection { code: "MalformedQueryString", message: rejection.body_text() }),
    };
    let action = parameters.get("Action").map_or("", String::as_str);
    let draft = match action {
        "SendEmail" => send_email(&parameters),
        "SendRawEmail" => send_raw_email(&parameters),
        other => Err(Rejection { code: "InvalidAction", message: format!("Could not find operation {other}") }),
    };
    match draft.and_then(check) {
        Ok(draft) => {
            let id = ses.mailbox.keep(draft, ses.clock.now());
            xml(
                StatusCode::OK,
                format!(
                    "<{action}Response xmlns=\"{NAMESPACE}\"><{action}Result><MessageId>local-{id}</MessageId>\
                     </{action}Result><ResponseMetadata><RequestId>local-{id}</RequestId></ResponseMetadata>\
                     </{action}Response>"
                ),
            )
        }
        Err(rejection) => rejected(&rejection),
    }
}

fn send_email(parameters: &Parameters) -> Result<Draft, Rejection> {
    let get = |name: &str| parameters.get(name).cloned().unwrap_or_default();
    let mut to = members(parameters, "Destination.ToAddresses");
    to.extend(members(parameters, "Destination.CcAddresses"));
    to.extend(members(parameters, "Destination.BccAddresses"));
    Ok(Draft {
        to,
        from: get("Source"),
        subject: get("Message.Subject.Data"),
        text: get("Message.Body.Text.Data"),
        html: get("Message.Body.Html.Data"),
    })
}

fn send_raw_email(parameters: &Parameters) -> Result<Draft, Rejection> {
    let data = parameters.get("RawMessage.Data").map_or("", String::as_str);
    let raw = STANDARD.decode(data).map_err(|_| Rejection::parameter("RawMessage.Data is not base64."))?;
    let mut draft = mime::parse(&String::from_utf8_lossy(&raw));
    // Those of the call win over the mail's own headers.
    let to = members(parameters, "Destinations");
    if !to.is_empty() {
        draft.to = to;
    }
    if let Some(source) = parameters.get("Source") {
        draft.from.clone_from(source);
    }
    Ok(draft)
}

/// The values of a list: `Name.member.1`, `Name.member.2` and so on.
fn members(parameters: &Parameters, name: &str) -> Vec<String> {
    (1..).map_while(|index| parameters.get(&format!("{name}.member.{index}")).cloned()).collect()
}

/// Refuses what SES would refuse.
fn check(draft: Draft) -> Result<Draft, Rejection> {
    if draft.to.is_empty() {
        return Err(Rejection::message("No recipient was given."));
    }
    if draft.to.len() > MOST_RECIPIENTS {
        return Err(Rejection::message(format!("Recipient count exceeds {MOST_RECIPIENTS}.")));
    }
    if let Some(bad) = draft.to.iter().chain([&draft.from]).find(|address| !is_acceptable(address)) {
        return Err(Rejection::message(format!("Illegal address: {bad:?}.")));
    }
    if draft.subject.contains(['\r', '\n']) {
        return Err(Rejection::message("The subject is more than one line."));
    }
    if draft.text.is_empty() && draft.html.is_empty() {
        return Err(Rejection::message("The body is empty."));
    }
    Ok(draft)
}

fn rejected(rejection: &Rejection) -> Response {
    tracing::warn!(code = rejection.code, message = rejection.message, "mail refused");
    let (code, message) = (rejection.code, escape(&rejection.message));
    xml(
        StatusCode::BAD_REQUEST,
        format!(
            "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>local</RequestId></ErrorResponse>"
        ),
    )
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}

#[cfg(test)]
mod tests;
