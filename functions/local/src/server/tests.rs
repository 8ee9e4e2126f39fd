//! Whole servers: started, asked, stopped and started again.

use axum::http::StatusCode;
use polygate_shared::identity::ClaimKind;

use super::*;

async fn get(url: String) -> (StatusCode, String) {
    let response = reqwest::get(url).await.expect("an answer");
    (response.status(), response.text().await.expect("text"))
}

fn kept_in(folder: &Folder) -> Options {
    Options { data: DataDir::Folder(folder.file("data")), ..Options::default() }
}

#[tokio::test]
async fn many_at_a_time_each_by_itself() {
    let first = Server::start(Options::default()).await.expect("starts");
    let second = Server::start(Options::default().with("ROOT_CONTRACT", "kite")).await.expect("starts");
    assert_ne!(first.base_url(), second.base_url());
    assert_ne!(first.admin_token().reveal(), second.admin_token().reveal());
    let (status, page) = get(format!("{}/_local/mail", first.base_url())).await;
    assert!(status == StatusCode::OK && page.contains("No mail yet"), "{page}");
    assert_eq!(get(format!("{}/_local/mail.json", second.base_url())).await, (StatusCode::OK, "[]".to_owned()));
    let folder = first.folder().to_owned();
    assert!(first.lambda_env().is_file());
    first.shutdown().await;
    assert!(!folder.exists());
    let (status, answer) = get(format!("{}/_local/nothing", second.base_url())).await;
    assert!(status == StatusCode::NOT_FOUND && answer.contains("40400"), "{answer}");
}

#[tokio::test]
async fn a_restart_keeps_accounts_token_and_issuer() {
    let outer = Folder::temporary(&SystemChance::default()).expect("a folder");
    let server = Server::start(kept_in(&outer)).await.expect("starts");
    let (url, token) = (server.base_url().to_owned(), server.admin_token().clone());
    server.shutdown().await;
    let server = Server::start(kept_in(&outer)).await.expect("starts again");
    assert_eq!(server.admin_token().reveal(), token.reveal());
    let store = server.store();
    assert_eq!(store.count_accounts().await.expect("a count"), 1);
    assert_eq!(store.claims(&[(ClaimKind::Name, "admin".into())]).await.expect("claims").len(), 1);
    assert_eq!(store.signing_record().await.expect("a record").issuer, Some(url));
    server.shutdown().await;
}

#[tokio::test]
async fn what_is_taken_or_bad_is_told() {
    let outer = Folder::temporary(&SystemChance::default()).expect("a folder");
    let server = Server::start(kept_in(&outer)).await.expect("starts");
    let port = server.base_url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    for (options, expected) in [
        (kept_in(&outer), "is in use by another polygate"),
        (Options { port, ..Options::default() }, "is taken: stop what runs there, or name another with --port"),
        (Options::default().with("TIME_ZONE", "CST"), "TIME_ZONE=CST is not usable: "),
        (Options::default().with("MAIL_FROM", "me"), "MAIL_FROM=me is not usable: "),
    ] {
        let error = Server::start(options).await.err().expect("refused").to_string();
        assert!(error.contains(expected), "{error}");
    }
    server.shutdown().await;
    std::fs::write(outer.file("data").join(TABLE_FILE), "rubbish that is no table").expect("writes");
    let error = Server::start(kept_in(&outer)).await.err().expect("refused").to_string();
    assert!(error.contains("is broken (") && error.contains("move it away"), "{error}");
}

#[tokio::test]
async fn pages_answer_this_machine_only_and_load_nothing() {
    let server = Server::start(Options::default()).await.expect("starts");
    let request = reqwest::Client::new().get(format!("{}/_local/mail.json", server.base_url()));
    let response = request.header("host", "evil.example").send().await.expect("an answer");
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let response = reqwest::get(format!("{}/_local", server.base_url())).await.expect("an answer");
    assert!(response.headers()["content-security-policy"].to_str().expect("text").starts_with("default-src 'none'"));
}

#[tokio::test]
async fn a_mail_is_shown_by_itself_where_nothing_of_it_runs() {
    let server = Server::start(Options::default()).await.expect("starts");
    let at = |path: &str| format!("{}/_local/{path}", server.base_url());
    let (html, mail) =
        ("<p>424242</p><script>alert(1)</script>", [("Action", "SendEmail"), ("Source", "a@example.com")]);
    let to = [("Destination.ToAddresses.member.1", "b@example.com"), ("Message.Subject.Data", "Code: 424242")];
    let form: Vec<_> = mail.into_iter().chain(to).chain([("Message.Body.Html.Data", html)]).collect();
    let sent = reqwest::Client::new().post(at("ses")).form(&form).send().await.expect("an answer");
    assert_eq!(sent.status(), StatusCode::OK);
    let response = reqwest::get(at("mail/1/html")).await.expect("an answer");
    let policy = response.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.starts_with("sandbox allow-same-origin; default-src 'none'; "), "{policy}");
    assert!(!policy.contains("script-src"), "{policy}");
    assert_eq!(response.text().await.expect("text"), html);
    for path in ["mail/2/html", "mail/0/html", "mail/99999999999/html"] {
        assert!(get(at(path)).await.0.is_client_error(), "{path}");
    }
    let (_, page) = get(at("mail")).await;
    for file in page.split('"').filter(|part| part.ends_with(".js") || part.ends_with(".css")) {
        let response = reqwest::get(format!("{}{file}", server.base_url())).await.expect("an answer");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        assert_eq!(response.status(), StatusCode::OK, "{file}");
    }
    assert!(!page.contains("style="), "its policy has no inline styles");
    server.shutdown().await;
}

#[tokio::test]
async fn the_documents_and_the_pages_to_try_them_on_are_served_whole() {
    let server = Server::start(Options::default()).await.expect("starts");
    let at = |path: &str| format!("{}{path}", server.base_url());
    let (_, list) = get(at("/_local/api")).await;
    for (name, document) in polygate_shared::openapi::documents() {
        assert!(list.contains(&format!("/_local/api/{name}")), "{list}");
        let (status, served) = get(at(&format!("/_local/openapi/{name}.json"))).await;
        assert_eq!((status, served), (StatusCode::OK, polygate_shared::openapi::text_of(&document)));
        let (status, page) = get(at(&format!("/_local/api/{name}"))).await;
        assert_eq!(status, StatusCode::OK);
        // Nothing is loaded from elsewhere, and what the page loads is there.
        let loaded = page.split(['"', '\'']).filter(|part| part.ends_with(".js") || part.ends_with(".css"));
        let loaded: Vec<_> = loaded.collect();
        assert_eq!(loaded.len(), 4, "{page}");
        for file in loaded {
            assert!(file.starts_with("/_local/"), "{file}");
            assert_eq!(get(at(file)).await.0, StatusCode::OK, "{file}");
        }
    }
    assert_eq!(get(at("/_local/api/nothing")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(at("/_local/openapi/kite")).await.0, StatusCode::NOT_FOUND);
    server.shutdown().await;
}
