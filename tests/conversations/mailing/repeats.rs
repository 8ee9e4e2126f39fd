//! An event that Lambda hands over twice: one mail, and the answer that the first delivery got.

use std::time::Duration;

use polygate_shared::http::Group;
use serde_json::{Value, json};

use super::service::{Fate, MailService};
use crate::events::{all_events, play};
use crate::support::World;

const ADDRESS: &str = "event-sprout@example.com";

fn event() -> Value {
    all_events()["sproutgate/register"].clone()
}

/// The same request as another one.
fn anew(event: &Value) -> Value {
    let mut event = event.clone();
    event["requestContext"]["requestId"] = "another-request".into();
    event
}

async fn status(world: &World, event: &Value) -> u64 {
    play(world, Group::Register, event).await["statusCode"].as_u64().expect("a status")
}

#[tokio::test]
async fn later() {
    let world = World::start().await;
    let first = play(&world, Group::Register, &event()).await;
    assert_eq!(first["statusCode"], json!(200));
    // Just then, and after the minute in which another request would be refused.
    for wait in [0, 30, 61, 3500] {
        world.clock.advance(Duration::from_secs(wait));
        assert_eq!(play(&world, Group::Register, &event()).await, first, "after {wait} more seconds");
    }
    assert_eq!(world.mails_to(ADDRESS).len(), 1);
    assert_eq!(status(&world, &anew(&event())).await, 200, "another request is another mail");
    assert_eq!(world.mails_to(ADDRESS).len(), 2);
}

#[tokio::test]
async fn at_the_same_time() {
    let world = World::start().await;
    let event = event();
    let answers = futures_util::future::join_all((0..8).map(|_| play(&world, Group::Register, &event))).await;
    assert_eq!(answers[0]["statusCode"], json!(200));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(world.mails_to(ADDRESS).len(), 1);
}

#[tokio::test]
async fn after_the_code_was_used() {
    let mut world = World::start().await;
    let first = play(&world, Group::Register, &event()).await;
    let proof = json!({"account": "event-sprout", "code": world.code_for(ADDRESS)});
    assert_eq!(world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.status, 200);
    assert_eq!(play(&world, Group::Register, &event()).await, first);
    assert_eq!(world.mails_to(ADDRESS).len(), 1);
}

#[tokio::test]
async fn whose_mail_did_not_leave_or_may_have() {
    let unknown = [Fate::ArrivesUnanswered, Fate::LostUnanswered, Fate::ArrivesCutOff];
    let certain = [Fate::Refused(400, "Throttling", "Maximum sending rate exceeded."), Fate::NobodyThere];
    for fate in unknown.into_iter().chain(certain) {
        let (service, world) = MailService::with_world().await;
        service.let_it_be(fate).await;
        let first = play(&world, Group::Register, &event()).await;
        assert_eq!((&first["statusCode"], &first["headers"]["retry-after"]), (&json!(503), &json!("60")), "{fate:?}");
        service.let_it_be(Fate::Arrives).await;
        let calls = service.calls();
        for wait in [0, 61] {
            world.clock.advance(Duration::from_secs(wait));
            assert_eq!(play(&world, Group::Register, &event()).await, first, "{fate:?} after {wait} seconds");
        }
        assert_eq!(service.calls(), calls, "{fate:?}: nothing was sent");
        assert_eq!(status(&world, &anew(&event())).await, 200, "{fate:?}: another try is free");
    }
}

#[tokio::test]
async fn while_the_first_is_still_waiting_for_its_answer() {
    for fate in [Fate::ArrivesUnanswered, Fate::LostUnanswered] {
        let (service, world) = MailService::with_world().await;
        service.let_it_be(fate).await;
        let event = event();
        let answers = futures_util::future::join_all((0..3).map(|_| play(&world, Group::Register, &event))).await;
        assert!(answers.iter().all(|answer| answer["statusCode"] == json!(503)), "{fate:?}: {answers:?}");
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{fate:?}: {answers:?}");
        assert_eq!(service.calls(), 1, "{fate:?}");
    }
}

#[tokio::test]
async fn for_each_purpose() {
    let mut world = World::start().await;
    world.register_proved("demo").await;
    world.clock.advance(Duration::from_secs(3600));
    for (group, name, address, body) in [
        (
            Group::Register,
            "sproutgate/forgot-password",
            "demo@example.com",
            json!({"account": "demo", "email": "demo@example.com"}),
        ),
        (Group::Register, "kite/password-reset-request", "demo@example.com", json!({"identifier": "demo"})),
        (Group::Profile, "sproutgate/secondary-email-request", "s@example.com", json!({"email": "s@example.com"})),
        (Group::Profile, "kite/add-email", "k@example.com", json!({"email": "k@example.com"})),
        (Group::Profile, "kite/email-change-request", "n@example.com", json!({"new_email": "n@example.com"})),
    ] {
        world.clock.advance(Duration::from_secs(600));
        let token = world.sign_in("demo", "demo123").await;
        let mut event = all_events()[name].clone();
        event["headers"]["authorization"] = format!("Bearer {token}").into();
        event["body"] = body.to_string().into();
        let before = world.mails_to(address).len();
        let first = play(&world, group, &event).await;
        assert_eq!(first["statusCode"], json!(200), "{name}: {first}");
        world.clock.advance(Duration::from_secs(90));
        let second = play(&world, group, &event).await;
        assert_eq!(second["statusCode"], json!(200), "{name}: {second}");
        assert_eq!(world.mails_to(address).len() - before, 1, "{name}");
    }
}
