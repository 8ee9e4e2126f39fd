//! What the development server shows under `/_local`: its mails, to people and to programs.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::{Json, Router, routing::get};

use crate::api;
use crate::mailbox::{LocalMail, Mailbox};
use crate::text::escape;

/// Mails come from anybody: nothing in them runs, and nothing is loaded from elsewhere. The pages' own
/// script is a file. A preview inherits this policy, so inline styles are allowed.
const POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 0; }
article { border: 1px solid color-mix(in srgb, currentColor 25%, transparent); border-radius: .5rem;
  padding: 1rem; margin: 1rem 0; }
p { margin: .3rem 0; } .meta { opacity: .75; font-size: .9rem; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; }
iframe { width: 100%; height: 22rem; border: 0; border-radius: .3rem; background: #fff; color-scheme: light; }
";

/// Loads the page anew when a mail came, and leaves a reader alone otherwise.
const SCRIPT: &str = "
const shown = document.body.dataset.newest;
setInterval(async () => {
  try {
    const mails = await (await fetch('/_local/mail.json')).json();
    if (String(mails[0]?.id ?? '') !== shown) location.reload();
  } catch { /* the server is restarting: try again */ }
}, 2000);
";

/// The pages of one server.
pub(crate) fn router(mailbox: Mailbox) -> Router {
    Router::new()
        .route("/_local", get(index))
        .route("/_local/", get(index))
        .route("/_local/mail", get(mail_page))
        .route("/_local/mail.json", get(mail_json))
        .route("/_local/mail.js", get(|| async { ([(header::CONTENT_TYPE, "text/javascript")], SCRIPT) }))
        .with_state(mailbox)
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
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    response
}

async fn index() -> Html<String> {
    page(
        "Polygate, development server",
        "",
        "<ul>
<li><a href=\"/_local/api\">/_local/api</a>: the endpoints of each contract, to read and to try</li>
<li><a href=\"/_local/mail\">/_local/mail</a>: the mails that were sent</li>
<li><a href=\"/_local/mail.json\">/_local/mail.json</a>: the same for programs, newest first</li>
<li>/_local/ses: takes mail as Amazon SES does, for AWS_ENDPOINT_URL_SES</li>
<li>everything else: the service, under /kite, /zeaya, /sproutgate and /mcphub</li>
</ul>",
    )
}

async fn mail_json(State(mailbox): State<Mailbox>) -> Json<Vec<LocalMail>> {
    Json(mailbox.newest_first())
}

async fn mail_page(State(mailbox): State<Mailbox>) -> Html<String> {
    let mails = mailbox.newest_first();
    let newest = mails.first().map(|mail| mail.id.to_string()).unwrap_or_default();
    let list: String = mails.iter().map(article).collect();
    let list = if list.is_empty() { "<p>No mail yet. This page shows it as soon as one is sent.</p>" } else { &list };
    page(
        "Mails",
        &newest,
        &format!("{list}\n<script src=\"/_local/mail.js\"></script>\n<noscript>Reload for new mails.</noscript>"),
    )
}

fn article(mail: &LocalMail) -> String {
    let LocalMail { id, to, from, subject, text, html, sent_at } = mail;
    let preview = if html.is_empty() {
        String::new()
    } else {
        format!(
            "<details><summary>As HTML</summary><iframe sandbox title=\"Mail {id} as HTML\" srcdoc=\"{}\"></iframe></details>",
            escape(html)
        )
    };
    let at = format!("{} {:02}:{:02}:{:02} UTC", sent_at.date(), sent_at.hour(), sent_at.minute(), sent_at.second());
    format!(
        "<article id=\"mail-{id}\"><h2>{}</h2>\n<p class=\"meta\">To {} · from {} · {at}</p>\n<pre>{}</pre>\n{preview}</article>\n",
        escape(subject),
        escape(&to.join(", ")),
        escape(from),
        escape(text),
    )
}

pub(crate) fn page(title: &str, newest: &str, body: &str) -> Html<String> {
    let title = escape(title);
    Html(format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head>\n\
         <body data-newest=\"{newest}\"><h1>{title}</h1>\n{body}\n</body></html>\n"
    ))
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::mailbox::Draft;

    #[test]
    fn nothing_in_a_mail_gets_out_of_its_place() {
        let mailbox = Mailbox::default();
        let hostile = r#""><script>alert('x')</script>&"#;
        let draft = Draft {
            to: vec![hostile.into()],
            from: hostile.into(),
            subject: hostile.into(),
            text: hostile.into(),
            html: hostile.into(),
        };
        mailbox.keep(draft, OffsetDateTime::UNIX_EPOCH);
        let html = article(&mailbox.newest_first()[0]);
        assert!(!html.contains("<script"), "{html}");
        assert_eq!(html.matches("&quot;&gt;&lt;script&gt;").count(), 5, "{html}");
        assert!(html.contains("1970-01-01 00:00:00 UTC"), "{html}");
    }

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
