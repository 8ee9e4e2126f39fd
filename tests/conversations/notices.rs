//! Notices: what people are told by mail of what happened to their accounts, and what mails look like for whom.

use std::time::Duration;

use polygate::{Options, Server};
use polygate_shared::identity::{Clock, EmailAddress, Undeliverable};
use reqwest::Method;
use serde_json::{Value, json};

use crate::people::Authenticator;
use crate::support::World;

const HOME: &str = "anna@example.com";
const LOGIN: &str = "/kite/api/v1/auth/login";
const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Safari/604.1";

/// An account that people make themselves, old enough to be told of other devices.
async fn anna(world: &mut World) -> String {
    let token = world.register_proved("anna").await;
    world.clock.advance(Duration::from_secs(700));
    token
}

/// The mails that came since the last look, oldest first: recipients, subject and text. When it was is left out.
fn news(world: &World, seen: &mut usize) -> String {
    let mails = world.server.mails();
    let fresh = mails.len() - *seen;
    *seen = mails.len();
    let told = mails.iter().take(fresh).rev().map(|mail| {
        let lines = mail.text.lines().map(|line| match line.split_once(": ") {
            Some((label @ ("When" | "时间"), _)) => format!("{label}: [time]"),
            Some(_) | None => line.to_owned(),
        });
        let text = lines.collect::<Vec<_>>().join("\n");
        format!("To: {}\nSubject: {}\n\n{text}", mail.to.join(", "), mail.subject)
    });
    told.collect::<Vec<_>>().join("\n\n════\n\n")
}

async fn log_in(world: &mut World, name: &str, password: &str, agent: &str) -> u16 {
    let body = json!({"username": name, "password": password});
    world.post(LOGIN, body).header("user-agent", agent).quietly().await.status.as_u16()
}

/// Sends a request that must succeed.
async fn done(world: &mut World, method: Method, path: &str, body: Value, by: &str) -> Value {
    let answer = world.ask(method, path).json(body).bearer(by).quietly().await;
    assert!(answer.status.is_success(), "{path}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap_or_default()
}

#[tokio::test]
async fn a_person_is_told_of_each_act() {
    let mut world = World::start().await;
    let token = anna(&mut world).await;
    let mut seen = world.server.mails().len();
    let mut told = Vec::new();
    assert_eq!(log_in(&mut world, "anna", "demo123", PHONE).await, 200);
    told.push(news(&world, &mut seen));
    let change = json!({"current_password": "demo123", "new_password": "demo1234"});
    done(&mut world, Method::POST, "/api/v1/auth/change-password", change, &token).await;
    told.push(news(&world, &mut seen));
    done(&mut world, Method::POST, "/api/v1/tokens", json!({"name": "backup"}), &token).await;
    told.push(news(&world, &mut seen));
    let (authenticator, _) = world.add_second_factor(&token).await;
    told.push(news(&world, &mut seen));
    let proof = json!({"password": "demo1234", "code": authenticator.next_code(&world)});
    done(&mut world, Method::POST, "/api/v1/auth/2fa/recovery-codes", proof, &token).await;
    told.push(news(&world, &mut seen));
    let proof = json!({"password": "demo1234", "code": authenticator.next_code(&world)});
    done(&mut world, Method::POST, "/api/v1/auth/2fa/disable", proof, &token).await;
    told.push(news(&world, &mut seen));
    done(&mut world, Method::POST, "/api/v1/emails", json!({"email": "second@example.com"}), &token).await;
    seen = world.server.mails().len();
    let proof = json!({"email": "second@example.com", "code": world.code_for("second@example.com")});
    done(&mut world, Method::POST, "/api/v1/emails/verify", proof, &token).await;
    told.push(news(&world, &mut seen));
    let second = json!({"email": "second@example.com"});
    done(&mut world, Method::POST, "/api/v1/emails/promote", second, &token).await;
    told.push(news(&world, &mut seen));
    done(&mut world, Method::POST, "/api/v1/emails/remove", json!({"email": HOME}), &token).await;
    told.push(news(&world, &mut seen));
    let asked = json!({"identifier": "anna"});
    world.post("/api/v1/auth/password-reset/request", asked).quietly().await;
    seen = world.server.mails().len();
    let code = world.code_for("second@example.com");
    let reset = json!({"identifier": "anna", "code": code, "new_password": "demo12345"});
    world.post("/api/v1/auth/password-reset/confirm", reset).quietly().await.is(200, 0);
    told.push(news(&world, &mut seen));
    insta::assert_snapshot!(told.join("\n\n════════════════\n\n"));
}

#[tokio::test]
async fn a_person_is_told_what_administrators_did() {
    let mut world = World::start().await;
    let token = anna(&mut world).await;
    let (_, _) = world.add_second_factor(&token).await;
    let boss = world.boss().await;
    let listed = world.get("/api/v1/admin/users?search=anna").bearer(&boss).quietly().await;
    let path = format!("/api/v1/admin/users/{}", listed.text("/data/items/0/id"));
    let mut seen = world.server.mails().len();
    let mut told = Vec::new();
    done(&mut world, Method::PUT, &path, json!({"password": "demo4321"}), &boss).await;
    told.push(news(&world, &mut seen));
    done(&mut world, Method::POST, &format!("{path}/2fa/reset"), json!({}), &boss).await;
    told.push(news(&world, &mut seen));
    done(&mut world, Method::PUT, &path, json!({"username": "anne"}), &boss).await;
    told.push(news(&world, &mut seen));
    done(&mut world, Method::PUT, &path, json!({"email": "new@example.com"}), &boss).await;
    told.push(news(&world, &mut seen));
    done(&mut world, Method::PUT, &path, json!({"nickname": "Anne", "storage_limit": 5}), &boss).await;
    assert_eq!(news(&world, &mut seen), "", "of nothing else");
    insta::assert_snapshot!(told.join("\n\n════════════════\n\n"));
}

#[tokio::test]
async fn nobody_is_told_without_need_or_at_an_address_that_nobody_proved() {
    let mut world = World::start().await;
    let token = world.register_proved("anna").await;
    assert_eq!(world.mails_to(HOME).len(), 1, "the code; the first sign-in needs no notice");
    world.clock.advance(Duration::from_secs(700));
    assert_eq!(log_in(&mut world, "anna", "demo123", "").await, 200);
    assert_eq!(log_in(&mut world, "anna", "demo123", "").await, 200);
    done(&mut world, Method::PUT, "/api/v1/profile", json!({"nickname": "Anna"}), &token).await;
    assert_eq!(world.mails_to(HOME).len(), 1, "a known device");
    assert_eq!(log_in(&mut world, "anna", "wrong", PHONE).await, 401);
    assert_eq!(world.mails_to(HOME).len(), 1, "a wrong password");
    assert_eq!(log_in(&mut world, "anna", "demo123", PHONE).await, 200);
    assert_eq!(log_in(&mut world, "anna", "demo123", PHONE).await, 200);
    assert_eq!(world.mails_to(HOME).len(), 2, "once for a device");
    let home = EmailAddress::parse(HOME).expect("an address");
    let bounced = world.server.identity().mark_undeliverable(&home, Undeliverable::Bounced, world.clock.now()).await;
    bounced.expect("a mark");
    done(&mut world, Method::POST, "/api/v1/tokens", json!({"name": "backup"}), &token).await;
    assert_eq!(world.mails_to(HOME).len(), 2, "an address that mail came back from");
    world.register("ben", "demo123").await;
    let ben = world.sign_in("ben", "demo123").await;
    world.clock.advance(Duration::from_secs(700));
    assert_eq!(log_in(&mut world, "ben", "demo123", PHONE).await, 200);
    let change = json!({"current_password": "demo123", "new_password": "demo1234"});
    done(&mut world, Method::POST, "/api/v1/auth/change-password", change, &ben).await;
    assert_eq!(world.mails_to("ben@example.com"), [""; 0]);
}

#[tokio::test]
async fn a_second_step_on_a_new_device_is_told_too() {
    let mut world = World::start().await;
    let token = anna(&mut world).await;
    let (authenticator, _): (Authenticator, _) = world.add_second_factor(&token).await;
    let before = world.mails_to(HOME).len();
    let body = json!({"username": "anna", "password": "demo123"});
    let waiting = world.post(LOGIN, body).header("user-agent", PHONE).quietly().await;
    assert_eq!(world.mails_to(HOME).len(), before, "nobody is in yet");
    let code = authenticator.next_code(&world);
    let proof = json!({"challenge_token": waiting.text("/data/challenge_token"), "code": code});
    world.post("/api/v1/auth/2fa/verify", proof).header("user-agent", PHONE).quietly().await.is(200, 0);
    assert_eq!(world.mails_to(HOME).len(), before + 1);
}

#[tokio::test]
async fn twenty_an_hour_for_one_address() {
    let mut world = World::start().await;
    let token = anna(&mut world).await;
    let before = world.mails_to(HOME).len();
    for number in 0..25 {
        done(&mut world, Method::POST, "/api/v1/tokens", json!({"name": format!("{number}")}), &token).await;
    }
    assert_eq!(world.mails_to(HOME).len(), before + 20);
    let other = world.register_proved("ben").await;
    done(&mut world, Method::POST, "/api/v1/tokens", json!({"name": "ben's"}), &other).await;
    assert_eq!(world.mails_to("ben@example.com").len(), 2, "others are told");
    world.clock.advance(Duration::from_secs(3600));
    let token = world.sign_in("anna", "demo123").await;
    done(&mut world, Method::POST, "/api/v1/tokens", json!({"name": "later"}), &token).await;
    assert_eq!(world.mails_to(HOME).len(), before + 21);
}

#[tokio::test]
async fn a_mail_service_that_fails_keeps_nobody_from_anything() {
    let mut world = World::with(|options| options.with("AWS_ENDPOINT_URL_SES", "http://127.0.0.1:1")).await;
    let boss = world.boss().await;
    let account = json!({"username": "anna", "email": HOME, "password": "demo123"});
    done(&mut world, Method::POST, "/api/v1/admin/users", account, &boss).await;
    world.clock.advance(Duration::from_secs(700));
    assert_eq!(log_in(&mut world, "anna", "demo123", PHONE).await, 200);
    let token = world.sign_in("anna", "demo123").await;
    let change = json!({"current_password": "demo123", "new_password": "demo1234"});
    done(&mut world, Method::POST, "/api/v1/auth/change-password", change, &token).await;
    assert_eq!(log_in(&mut world, "anna", "demo1234", "").await, 200);
    assert_eq!(world.server.mails(), []);
}

#[tokio::test]
async fn mails_are_in_the_accounts_language_and_else_in_the_requests() {
    let mut world = World::start().await;
    let registration = json!({"account": "anna", "password": "demo123", "username": "", "email": HOME});
    world.post("/sproutgate/api/auth/register", registration).header("accept-language", "en").quietly().await;
    let proof = json!({"account": "anna", "code": world.code_for(HOME)});
    world.post("/sproutgate/api/auth/verify-email", proof).quietly().await;
    let ask = async |world: &mut World, language: &str| {
        world.clock.advance(Duration::from_secs(3700));
        let asked = json!({"identifier": "anna"});
        let path = "/api/v1/auth/password-reset/request";
        world.post(path, asked).header("accept-language", language).quietly().await.is(200, 0);
        let subject = world.mails_to(HOME).pop().expect("a mail");
        subject.trim_end_matches(|last: char| last.is_ascii_digit()).to_owned()
    };
    assert_eq!(ask(&mut world, "zh").await, "Your password reset code: ", "as whoever registered asked");
    let token = world.sign_in("anna", "demo123").await;
    world.put("/api/v1/profile", json!({"language": "zh"})).bearer(&token).await;
    assert_eq!(ask(&mut world, "en").await, "您的密码重置验证码：");
    let token = world.sign_in("anna", "demo123").await;
    world.put("/api/v1/profile", json!({"language": ""})).bearer(&token).await;
    assert_eq!(ask(&mut world, "en").await, "Your password reset code: ");
    assert_eq!(ask(&mut world, "zh").await, "您的密码重置验证码：");
    let token = world.sign_in("anna", "demo123").await;
    for wrong in [json!("fr"), json!("EN"), json!(1)] {
        world.put("/api/v1/profile", json!({"language": wrong})).bearer(&token).await;
    }
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn what_a_person_is_called_does_no_harm_in_a_mail() {
    let mut world = World::start().await;
    let token = anna(&mut world).await;
    let plain = news(&world, &mut 0).matches("Bcc").count();
    assert_eq!(plain, 0);
    let names =
        ["<script>alert(1)</script>", "\u{202e}annA", "A\r\nBcc: all@example.com", "\"><img src=x onerror=f()>"];
    for name in names {
        let before = world.server.mails().len();
        let named = world.put("/api/v1/profile", json!({"nickname": name})).bearer(&token).quietly().await;
        assert_eq!(named.status, 200, "{}", named.body);
        done(&mut world, Method::POST, "/api/v1/tokens", json!({"name": "x"}), &token).await;
        let mails = world.server.mails();
        assert_eq!(mails.len(), before + 1, "one mail");
        let mail = &mails[0];
        assert_eq!(
            (mail.to.as_slice(), mail.from.as_str()),
            ([HOME.to_owned()].as_slice(), "no-reply@polygate.localhost")
        );
        assert_eq!(mail.subject, "An API token was made for your account");
        assert!(!mail.html.contains("<script") && !mail.html.contains("<img") && !mail.html.contains('\u{202e}'));
        assert!(!mail.text.contains("\nBcc") && !mail.text.contains('\u{202e}'), "{}", mail.text);
    }
}

/// A directory with templates of one's own, in the build's own place for such things.
fn folder(name: &str, files: &[(&str, &str)]) -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    for (file, text) in files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    folder.display().to_string()
}

#[tokio::test]
async fn a_deployment_brings_its_own_brand_and_templates() {
    let words = "{% block heading %}Welcome to {{ brand.name }}{% endblock %}{% block reason %}Type this:\
                 {% endblock %}{% block otherwise %}Or don't.{% endblock %}";
    let own = folder("own", &[("zh/register.txt", words), (".hidden", "no template")]);
    let mut world = World::with(|options| {
        let options = options.with("MAIL_TEMPLATES", &own).with("BRAND_NAME", "Photos & <Co>");
        options.with("BRAND_COLOR", "#ff8800").with("SUPPORT_EMAIL", "help@example.com")
    })
    .await;
    world.register_proved("anna").await;
    let mail = world.server.mails().remove(0);
    assert!(mail.subject.starts_with("Welcome to Photos & <Co>："), "{}", mail.subject);
    assert!(mail.text.starts_with("Type this:\n\n") && mail.text.contains("help@example.com"), "{}", mail.text);
    assert!(mail.html.contains("Photos &amp; &lt;Co&gt;") && mail.html.contains("#ff8800"), "{}", mail.html);
}

#[tokio::test]
async fn a_template_that_can_not_be_used_stops_the_development_server_and_not_a_function() {
    let broken = folder("broken", &[("layout.html", "<h1>{{ heading }}</h1>"), ("en/register.txt", "{% if %}")]);
    for (own, mend) in [
        (broken.as_str(), "the mail template en/register.txt is not usable"),
        ("/nowhere/at/all", "name a directory of templates"),
    ] {
        let told = Server::start(Options::default().with("MAIL_TEMPLATES", own)).await.err().expect("a bad template");
        let told = told.to_string();
        assert!(told.contains(mend) && told.starts_with("MAIL_TEMPLATES="), "{told}");
        let lookup = |asked: &str| (asked == "MAIL_TEMPLATES").then(|| own.to_owned());
        let settings = polygate_shared::settings::Settings::parse(&lookup).expect("settings");
        let (_, bad) = polygate_shared::mail_templates::stationery(&settings);
        assert!(!bad.is_empty(), "a function logs these and goes on");
    }
}
