//! How many mails one address gets, however often it is asked for.

use std::time::Duration;

use serde_json::{Value, json};

use super::service::{Fate, MailService};
use crate::support::World;

fn registration(address: &str) -> (String, Value) {
    let body = json!({"account": "new", "password": "demo123", "username": "", "email": address});
    ("/sproutgate/api/auth/register".to_owned(), body)
}

/// Asks so often, so far apart; how many mails came of it.
async fn mails(world: &mut World, times: u32, gap: Duration, address: &str) -> usize {
    let before = world.mails_to(address).len();
    for _ in 0..times {
        let (path, body) = registration(address);
        let status = world.post(&path, body).quietly().await.status;
        assert!(status == 200 || status == 429, "{status}");
        world.clock.advance(gap);
    }
    world.mails_to(address).len() - before
}

#[tokio::test]
async fn one_a_minute_and_five_an_hour_and_others_are_not_held_up() {
    let mut world = World::start().await;
    assert_eq!(mails(&mut world, 30, Duration::from_secs(2), "one@example.com").await, 1, "in a minute");
    assert_eq!(mails(&mut world, 1, Duration::ZERO, "two@example.com").await, 1, "another address");
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(mails(&mut world, 30, Duration::from_secs(118), "one@example.com").await, 5, "in an hour");
    assert_eq!(mails(&mut world, 1, Duration::ZERO, "two@example.com").await, 1, "another address");
}

#[tokio::test]
async fn thirty_at_once_are_one() {
    let mut world = World::start().await;
    let token = world.register_proved("demo").await;
    world.clock.advance(Duration::from_secs(3600));
    let forgotten = json!({"account": "demo", "email": "demo@example.com"});
    let further = json!({"email": "further@example.com"});
    for (what, path, body, address, silent) in [
        ("registering", "/sproutgate/api/auth/register", registration("new@example.com").1, "new@example.com", false),
        ("forgotten", "/sproutgate/api/auth/forgot-password", forgotten, "demo@example.com", true),
        ("a further address", "/kite/api/v1/emails", further, "further@example.com", false),
    ] {
        let before = world.mails_to(address).len();
        let asked = vec![(path.to_owned(), body.clone(), token.clone()); 30];
        let statuses: Vec<_> = world.all_at_once_as(asked).await.iter().map(|answer| answer.status.as_u16()).collect();
        let done = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!(done, if silent { 30 } else { 1 }, "{what}: {statuses:?}");
        assert!(statuses.iter().all(|status| [200, 429, 503].contains(status)), "{what}: {statuses:?}");
        let sent = world.mails_to(address).len() - before;
        // Thirty at once can take this machine longer than the fixed time of that answer, which breaks them off.
        assert!(sent == 1 || (silent && sent == 0), "{what}: {sent}");
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(world.post(path, body).bearer(&token).quietly().await.status, 200, "{what}");
        assert_eq!(world.mails_to(address).len() - before, sent + 1, "{what}: a minute later");
    }
}

#[tokio::test]
async fn mails_that_do_not_leave_take_no_place() {
    let (service, mut world) = MailService::with_world().await;
    service.let_it_be(Fate::Refused(400, "Throttling", "Daily message quota exceeded.")).await;
    for _ in 0..12 {
        let (path, body) = registration("one@example.com");
        assert_eq!(world.post(&path, body).quietly().await.status, 503);
    }
    service.let_it_be(Fate::Arrives).await;
    assert_eq!(mails(&mut world, 30, Duration::from_secs(118), "one@example.com").await, 5);
}

#[tokio::test]
async fn a_retry_in_doubt_is_the_same_request_only_with_the_same_password() {
    let (service, mut world) = MailService::with_world().await;
    service.let_it_be(Fate::ArrivesUnanswered).await;
    let (path, body) = registration("one@example.com");
    assert_eq!(world.post(&path, body.clone()).quietly().await.status, 503);
    let first = world.code_for("one@example.com");
    service.let_it_be(Fate::Arrives).await;

    world.clock.advance(Duration::from_secs(60));
    let mut other = body.clone();
    other["password"] = "another-password".into();
    assert_eq!(world.post(&path, other).quietly().await.status, 200);
    let second = world.code_for("one@example.com");
    assert_ne!(first, second, "each request has its own code");

    world.note("the first one's code makes what it asked for");
    let proof = json!({"account": "new", "code": first});
    assert_eq!(world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.status, 200);
    let sign_in = json!({"account": "new", "password": "another-password"});
    assert_eq!(world.post("/sproutgate/api/auth/login", sign_in).quietly().await.status, 401);
    world.sign_in("new", "demo123").await;
}

#[tokio::test]
async fn a_code_in_doubt_keeps_its_guesses_and_gets_its_time_anew() {
    let (service, mut world) = MailService::with_world().await;
    service.let_it_be(Fate::ArrivesUnanswered).await;
    let (path, body) = registration("one@example.com");
    assert_eq!(world.post(&path, body.clone()).quietly().await.status, 503);
    let code = world.code_for("one@example.com");
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let guess = async |world: &mut World, code: &str| {
        let proof = json!({"account": "new", "code": code});
        world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.status.as_u16()
    };
    for _ in 0..4 {
        assert_eq!(guess(&mut world, wrong).await, 400);
    }
    service.let_it_be(Fate::Arrives).await;
    world.clock.advance(Duration::from_secs(9 * 60));
    assert_eq!(world.post(&path, body.clone()).quietly().await.status, 200);
    assert_eq!(world.code_for("one@example.com"), code);
    world.clock.advance(Duration::from_secs(9 * 60));
    assert_eq!(guess(&mut world, &code).await, 200, "the fifth guess, 18 minutes after the first mail");
}

#[tokio::test]
async fn doubt_about_one_account_is_not_cleared_up_by_anothers_mail() {
    let (service, mut world) = MailService::with_world().await;
    let address = "further@example.com";
    let ask = async |world: &mut World, name: &str| {
        let token = world.sign_in(name, "demo123").await;
        let asked = json!({"email": address});
        world.post("/kite/api/v1/emails", asked).bearer(&token).quietly().await.status.as_u16()
    };
    world.register_proved("anna").await;
    world.register_proved("ben").await;
    service.let_it_be(Fate::ArrivesUnanswered).await;
    assert_eq!(ask(&mut world, "anna").await, 503);
    let annas = world.code_for(address);
    service.let_it_be(Fate::Arrives).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(ask(&mut world, "ben").await, 200);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(ask(&mut world, "anna").await, 200);
    assert_eq!(world.code_for(address), annas, "whichever of her mails arrives works");
}

#[tokio::test]
async fn a_code_in_doubt_that_was_guessed_at_too_often_is_replaced() {
    let (service, mut world) = MailService::with_world().await;
    service.let_it_be(Fate::ArrivesUnanswered).await;
    let (path, body) = registration("one@example.com");
    assert_eq!(world.post(&path, body.clone()).quietly().await.status, 503);
    let code = world.code_for("one@example.com");
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        let proof = json!({"account": "new", "code": wrong});
        assert_eq!(world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.status, 400);
    }
    service.let_it_be(Fate::Arrives).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.post(&path, body).quietly().await.status, 200);
    let proof = json!({"account": "new", "code": world.code_for("one@example.com")});
    assert_eq!(world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.status, 200);
}

#[tokio::test]
async fn a_reset_mail_that_is_cut_off_by_the_answer_brings_the_same_code_again() {
    let (service, mut world) = MailService::with_world_waiting(Duration::from_secs(30)).await;
    world.register_proved("demo").await;
    let asked = json!({"account": "demo", "email": "demo@example.com"});
    let path = "/sproutgate/api/auth/forgot-password";
    service.let_it_be(Fate::ArrivesUnanswered).await;
    assert_eq!(world.post(path, asked.clone()).quietly().await.status, 200);
    let code = world.code_for("demo@example.com");
    service.let_it_be(Fate::Arrives).await;
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.post(path, asked).quietly().await.status, 200);
    assert_eq!(world.mails_to("demo@example.com").len(), 3);
    assert_eq!(world.code_for("demo@example.com"), code);
}
