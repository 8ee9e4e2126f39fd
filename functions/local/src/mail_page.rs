//! The mails of the development server: a page for people, JSON for programs, and each mail's HTML for a preview.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::{Json, Router, routing::get};

use crate::mailbox::{LocalMail, Mailbox};
use crate::pages::{script, style};

/// Mails come from anybody. Nothing in one runs, is sent or is loaded from elsewhere, also where somebody opens its
/// HTML by itself; the mails' page may look in, to measure it.
const MAIL_POLICY: &str = "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'self'";

/// The page and what it asks for.
pub(crate) fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/_local/mail", get(|| async { Html(include_str!("pages/mail.html")) }))
        .route("/_local/mail.js", get(|| async { script(include_str!("pages/mail.js")) }))
        .route("/_local/mail.css", get(|| async { style(include_str!("pages/mail.css")) }))
        .route("/_local/mail.json", get(mail_json))
        .route("/_local/mail/{id}/html", get(mail_html))
        .with_state(mailbox)
}

async fn mail_json(State(mailbox): State<Mailbox>) -> Json<Vec<LocalMail>> {
    Json(mailbox.newest_first())
}

async fn mail_html(State(mailbox): State<Mailbox>, Path(id): Path<u32>) -> Response {
    let mail = mailbox.newest_first().into_iter().find(|mail| mail.id == id && !mail.html.is_empty());
    let Some(mail) = mail else {
        return (StatusCode::NOT_FOUND, "There is no such mail, or it has no HTML: see /_local/mail.\n")
            .into_response();
    };
    let policy = HeaderValue::from_static(MAIL_POLICY);
    (HeaderMap::from_iter([(header::CONTENT_SECURITY_POLICY, policy)]), Html(mail.html)).into_response()
}
