//! Mails that come back or are complained about: the reports as SNS hands them to the function, and what follows for
//! the address, its account and whoever types it.

use std::time::Duration;

use lambda_runtime::{Context, LambdaEvent};
use polygate_shared::aws::bounces::{SnsEvent, handle};
use polygate_shared::identity::{self, Clock, Identity};
use reqwest::Method;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use crate::contracts::{CONTRACTS, log_in, registering, signing_in};
use crate::rows::brief;
use crate::structure::read;
use crate::support::World;

const DAY: Duration = Duration::from_secs(86_400);

/// A report of `events/`, about this address and this instant, as SNS hands it over.
fn report(world: &World, name: &str, address: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut event: Value = serde_json::from_str(&read(&format!("events/ses-{name}.json"))).expect("JSON");
    let message = event.pointer_mut("/Records/0/Sns/Message").expect("a message");
    let mut told: Value = serde_json::from_str(message.as_str().expect("a text")).expect("JSON");
    let recipients = if name == "bounce" { "bouncedRecipients" } else { "complainedRecipients" };
    told[name][recipients][0]["emailAddress"] = address.into();
    told[name]["timestamp"] = world.clock.now().format(&Rfc3339).expect("an instant").into();
    change(&mut told[name]);
    *message = told.to_string().into();
    event
}

/// The function takes an event in: a process of it, where the tests speak to some.
async fn take_in(world: &World, event: Value) -> Result<(), String> {
    if let Some(functions) = &world.functions {
        return functions.report(&event).await.map(|answer| assert_eq!(answer, Value::Null));
    }
    take_in_here(world, world.server.identity(), event).await.map_err(|accident| accident.to_string())
}

async fn take_in_here(world: &World, identity: &Identity, event: Value) -> identity::Result<()> {
    let event: SnsEvent = serde_json::from_value(event).expect("an event of SNS");
    handle(identity, &world.watch.log(), LambdaEvent::new(event, Context::default())).await
}

/// The report reaches the function.
pub(crate) async fn reported(world: &World, name: &str, address: &str) {
    let event = report(world, name, address, |_| {});
    take_in(world, event).await.expect("taken in");
}

/// What a sign-in through each contract warns of, by the codes.
async fn warned(world: &mut World, name: &str, password: &str) -> Vec<Vec<String>> {
    let mut told = Vec::new();
    for contract in CONTRACTS {
        let answer = log_in(world, contract, name, password).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let body = answer.json();
        let warnings = body.get("warnings").or(body.pointer("/data/warnings")).and_then(Value::as_array).cloned();
        let code = |warning: Value| warning["code"].as_str().expect("a code").to_owned();
        told.push(warnings.unwrap_or_default().into_iter().map(code).collect());
    }
    told
}

fn in_each(code: &str) -> Vec<Vec<String>> {
    vec![vec![code.to_owned()]; CONTRACTS.len()]
}

fn nothing() -> Vec<Vec<String>> {
    vec![Vec::new(); CONTRACTS.len()]
}

#[tokio::test]
async fn who_signs_in_is_told_in_every_contract_and_both_languages() {
    let mut world = World::start().await;
    world.register_proved("anna").await;
    reported(&world, "bounce", "ANNA@example.com").await;
    for contract in CONTRACTS {
        for language in ["en", "zh-CN"] {
            let (path, body) = signing_in(contract, "anna", "demo123");
            world.post(path, body).header("accept-language", language).await;
        }
    }
    reported(&world, "complaint", "anna@example.com").await;
    let (path, body) = signing_in("sproutgate", "anna", "demo123");
    world.post(path, body).await;
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn no_more_mail_goes_there_and_a_forgotten_password_tells_nothing() {
    let mut world = World::start().await;
    let token = world.register_proved("anna").await;
    world.register_proved("berta").await;
    reported(&world, "bounce", "anna@example.com").await;
    reported(&world, "bounce", "nobody@example.com").await;
    world.clock.advance(Duration::from_secs(60));
    let before = world.server.mails().len();
    world.note("a new account, a further address, another primary one");
    let (path, body) = registering("sproutgate", "carla", "Nobody@example.com", "demo123");
    world.post(path, body).await;
    let email = json!({"email": "nobody@example.com"});
    world.post("/sproutgate/api/auth/secondary-email/request", email.clone()).bearer(&token).await;
    world.post("/kite/api/v1/emails", email.clone()).bearer(&token).await;
    let new = json!({"new_email": "nobody@example.com"});
    world.post("/kite/api/v1/auth/email-change/request", new).bearer(&token).await;
    world.put("/kite/api/v1/profile", email).bearer(&token).await;
    world.note("a forgotten password: the same for who gets no mail, who gets one, and nobody");
    let forgot = |name: &str| json!({"account": name, "email": format!("{name}@example.com")});
    let mut told = Vec::new();
    for name in ["anna", "carla"] {
        told.push(world.post("/sproutgate/api/auth/forgot-password", forgot(name)).await.body);
        told.push(world.post("/kite/api/v1/auth/password-reset/request", json!({"identifier": name})).await.body);
    }
    assert_eq!(told[..2], told[2..]);
    assert_eq!(world.server.mails().len(), before, "nothing was mailed");
    let answer = world.post("/sproutgate/api/auth/forgot-password", forgot("berta")).quietly().await;
    assert_eq!((answer.status.as_u16(), answer.body), (200, told[0].clone()));
    assert_eq!(world.server.mails().len(), before + 1, "others are mailed as always");
    insta::assert_snapshot!(brief(world.transcript()));
    world.is_sound().await;
}

#[tokio::test]
async fn a_mark_of_a_mail_that_came_back_ends_by_itself_and_one_of_a_complaint_does_not() {
    let mut world = World::start().await;
    for name in ["anna", "berta"] {
        world.register_proved(name).await;
    }
    reported(&world, "bounce", "anna@example.com").await;
    reported(&world, "complaint", "berta@example.com").await;
    // A mail that comes back afterwards doesn't weaken the complaint.
    reported(&world, "bounce", "berta@example.com").await;
    world.clock.advance(30 * DAY - Duration::from_secs(1));
    assert_eq!(warned(&mut world, "anna", "demo123").await, in_each("email_bounced"));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(warned(&mut world, "anna", "demo123").await, nothing());
    assert_eq!(warned(&mut world, "berta", "demo123").await, in_each("email_complained"));
    for (name, mails) in [("anna", 2), ("berta", 1)] {
        let forgot = json!({"account": name, "email": format!("{name}@example.com")});
        world.post("/sproutgate/api/auth/forgot-password", forgot).quietly().await;
        assert_eq!(world.mails_to(&format!("{name}@example.com")).len(), mails, "{name}");
    }
}

#[tokio::test]
async fn what_may_arrive_yet_is_no_complaint_or_can_not_be_read_changes_nothing() {
    let mut world = World::start().await;
    world.register_proved("anna").await;
    for (name, field, value) in [
        ("bounce", "bounceType", json!("Transient")),
        ("bounce", "bounceType", json!("Undetermined")),
        ("bounce", "timestamp", json!("yesterday")),
        // More than thirty days ago.
        ("bounce", "timestamp", json!("2039-11-01T00:00:00Z")),
        ("bounce", "bouncedRecipients", json!([{"emailAddress": "nowhere"}])),
        ("bounce", "bouncedRecipients", json!([{"emailAddress": "unknown@example.com"}])),
        ("complaint", "complaintFeedbackType", json!("not-spam")),
        ("complaint", "complainedRecipients", json!(null)),
    ] {
        let event = report(&world, name, "anna@example.com", |part| part[field] = value);
        take_in(&world, event).await.expect("dropped, and not handed over again");
    }
    for message in ["", "hello", "{}", r#"{"eventType":"Delivery","delivery":{}}"#] {
        let event = json!({"Records": [{"Sns": {"Message": message}}]});
        take_in(&world, event).await.expect("dropped");
    }
    let lines = world.watch.lines();
    let told = lines.iter().filter(|line| line["message"] == "report");
    let told = told.map(|line| format!("{}: {}, marked {}", line["outcome"], line["detail"], line["marked"]));
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"));
    assert_eq!(warned(&mut world, "anna", "demo123").await, nothing());
}

#[tokio::test]
async fn the_same_report_twice_and_at_once_marks_once() {
    let mut world = World::start().await;
    world.register_proved("anna").await;
    let reports = (0..8).map(|_| reported(&world, "bounce", "anna@example.com"));
    futures_util::future::join_all(reports).await;
    world.clock.advance(DAY);
    reported(&world, "bounce", "anna@example.com").await;
    assert_eq!(warned(&mut world, "anna", "demo123").await, in_each("email_bounced"));
    world.clock.advance(29 * DAY);
    assert_eq!(warned(&mut world, "anna", "demo123").await, in_each("email_bounced"), "thirty days from the last one");
}

#[tokio::test]
async fn another_primary_address_ends_the_warning() {
    let mut world = World::start().await;
    let token = world.register_proved("anna").await;
    reported(&world, "bounce", "anna@example.com").await;
    let new = json!({"new_email": "new@example.com"});
    world.post("/kite/api/v1/auth/email-change/request", new).bearer(&token).quietly().await.is(200, 0);
    let proof = json!({"new_email": "new@example.com", "code": world.code_for("new@example.com")});
    world.post("/kite/api/v1/auth/email-change/confirm", proof).bearer(&token).quietly().await.is(200, 0);
    assert_eq!(warned(&mut world, "anna", "demo123").await, nothing());
}

#[tokio::test]
async fn a_code_that_arrived_all_the_same_ends_the_mark() {
    let mut world = World::start().await;
    world.register_proved("anna").await;
    world.clock.advance(Duration::from_secs(60));
    let forgot = json!({"account": "anna", "email": "anna@example.com"});
    world.post("/sproutgate/api/auth/forgot-password", forgot.clone()).quietly().await;
    reported(&world, "bounce", "anna@example.com").await;
    let reset = json!({"account": "anna", "code": world.code_for("anna@example.com"), "newPassword": "stronger-pass"});
    let done = world.post("/sproutgate/api/auth/reset-password", reset).quietly().await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert_eq!(warned(&mut world, "anna", "stronger-pass").await, nothing());
    world.clock.advance(Duration::from_secs(60));
    world.post("/sproutgate/api/auth/forgot-password", forgot).quietly().await;
    assert_eq!(world.mails_to("anna@example.com").len(), 4, "three codes, and that the password was reset");
}

#[tokio::test]
async fn an_administrator_lets_mail_go_there_again() {
    let mut world = World::start().await;
    let token = world.register_proved("anna").await;
    let boss = world.boss().await;
    reported(&world, "complaint", "anna@example.com").await;
    let lift = "/kite/api/v1/admin/undeliverable/lift";
    let email = json!({"email": "Anna@Example.com"});
    world.post(lift, email.clone()).await;
    world.post(lift, email.clone()).bearer(&token).await;
    world.post(lift, json!({"email": "nowhere"})).bearer(&boss).await;
    // Events of one instant stand in no order.
    world.clock.advance(Duration::from_secs(1));
    world.post(lift, email.clone()).bearer(&boss).await;
    assert_eq!(warned(&mut world, "anna", "demo123").await, nothing());
    let forgot = json!({"account": "anna", "email": "anna@example.com"});
    world.clock.advance(Duration::from_secs(60));
    world.post("/sproutgate/api/auth/forgot-password", forgot).quietly().await;
    assert_eq!(world.mails_to("anna@example.com").len(), 2);
    let trail = world.get("/kite/api/v1/audit").bearer(&token).quietly().await.json();
    let events = trail["data"]["items"].as_array().expect("events").iter();
    let told = events.map(|event| format!("{} {} {}", event["action"], event["detail"], event["actor"]["kind"]));
    let told: Vec<_> = told.filter(|event| event.starts_with("\"mail_")).collect();
    assert_eq!(told, [r#""mail_resumed" "" "administrator""#, r#""mail_stopped" "complained" "service""#]);
    world.note("nothing to lift");
    world.post(lift, email).bearer(&boss).await;
    world.ask(Method::GET, lift).bearer(&boss).await;
    insta::assert_snapshot!(brief(world.transcript()));
}

#[tokio::test]
async fn a_store_that_fails_fails_the_event_so_that_it_comes_again() {
    let world = World::start().await;
    let event = report(&world, "bounce", "anna@example.com", |_| {});
    let front = crate::refusals::front_without_store();
    let failed = take_in_here(&world, front.identity(), event).await.expect_err("handed over again");
    assert!(failed.is_accident(), "{failed}");
    assert!(!failed.to_string().contains("anna"), "{failed}");
    let lines = world.watch.lines();
    let told = lines.last().map(|line| (&line["outcome"], &line["Faults"], &line["level"]));
    assert_eq!(told, Some((&json!("failed"), &json!(1), &json!("ERROR"))));
}
