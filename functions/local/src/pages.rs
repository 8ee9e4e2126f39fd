//! What the development server shows under `/_local`, to this machine only, and the policy that its pages are under.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::{Router, routing::get};

use crate::mailbox::Mailbox;
use crate::text::escape;
use crate::{api, mail_page};

/// A page runs its own script and nothing else, and loads nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src data:; \
    frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The pages of one server.
pub(crate) fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/_local", get(index))
        .route("/_local/", get(index))
        .route("/_local/page.css", get(|| async { style(include_str!("pages/page.css")) }))
        .merge(mail_page::router(mailbox))
        .merge(api::router())
        .layer(middleware::map_response(with_policy))
}

/// Answers only requests that name this machine, so that no page elsewhere can read mails by pointing its own
/// name here (DNS rebinding).
pub(crate) async fn only_for_this_machine(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if names_this_machine(host) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "Ask for this page by 127.0.0.1 or localhost.\n").into_response()
}

fn names_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.to_ascii_lowercase();
    ["127.0.0.1", "localhost", "[::1]"].contains(&name.as_str()) || name.ends_with(".localhost")
}

async fn with_policy(mut response: Response) -> Response {
    let headers = response.headers_mut();
    // A mail and Swagger UI have policies of their own.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(POLICY));
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn index() -> Html<String> {
    page(
        "Polygate, development server",
        "<ul>
<li><a href=\"/_local/api\">/_local/api</a>: the endpoints of each contract, to read and to try</li>
<li><a href=\"/_local/mail\">/_local/mail</a>: the mails that were sent</li>
<li><a href=\"/_local/mail.json\">/_local/mail.json</a>: the same for programs, newest first</li>
<li>/_local/ses: takes mail as Amazon SES does, for AWS_ENDPOINT_URL_SES</li>
<li>everything else: the service, under /kite, /zeaya, /sproutgate and /mcphub</li>
</ul>",
    )
}

/// A small page in the common style.
pub(crate) fn page(title: &str, body: &str) -> Html<String> {
    let title = escape(title);
    Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><link rel=\"icon\" href=\"data:,\">\
         <link rel=\"stylesheet\" href=\"/_local/page.css\"></head>\n<body><h1>{title}</h1>\n{body}\n</body></html>\n"
    ))
}

/// A page's script.
pub(crate) fn script(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], text)
}

/// A page's style.
pub(crate) fn style(text: &'static str) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_this_machine() {
        for host in ["127.0.0.1:9000", "localhost", "LOCALHOST:80", "[::1]:9000", "[::1]", "photos.localhost:9000"] {
            assert!(names_this_machine(host), "{host}");
        }
        for host in ["", "evil.example", "evil.example:9000", "127.0.0.1.evil.example", "localhost.evil.example:9000"] {
            assert!(!names_this_machine(host), "{host}");
        }
    }
}
