//! The one log line of a request that mails: what came of the mail, and no address.

use serde_json::{Value, json};

use super::service::{Fate, MailService};
use crate::support::World;

/// The one line of the last request.
fn line(world: &World) -> Value {
    let mut lines = world.watch.lines();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    lines.remove(0)
}

#[tokio::test]
async fn a_mail_that_is_broken_off_by_the_answer_is_unknown() {
    let (service, mut world) = MailService::with_world_waiting(std::time::Duration::from_secs(30)).await;
    world.register_proved("demo").await;
    world.clock.advance(std::time::Duration::from_secs(60));
    service.let_it_be(Fate::LostUnanswered).await;
    for (name, mail, failures) in [("demo", json!("unknown"), 1), ("nobody", Value::Null, 0)] {
        world.watch.lines();
        world.post("/kite/api/v1/auth/password-reset/request", json!({"identifier": name})).quietly().await;
        let line = line(&world);
        assert_eq!((&line["mail"], &line["MailFailures"]), (&mail, &json!(failures)), "{name}");
    }
}

#[tokio::test]
async fn what_came_of_the_mail_is_told_and_to_whom_is_not() {
    let (service, mut world) = MailService::with_world().await;
    world.register_proved("demo").await;
    let ask = async |world: &mut World, round: usize, silent: bool| {
        world.clock.advance(std::time::Duration::from_secs(600));
        let token = world.sign_in("demo", "demo123").await;
        world.watch.lines();
        let further = json!({"email": format!("further{round}@example.com")});
        match silent {
            true => world.post("/kite/api/v1/auth/password-reset/request", json!({"identifier": "demo"})).quietly(),
            false => world.post("/kite/api/v1/emails", further).bearer(&token).quietly(),
        }
        .await;
        let line = line(world);
        assert!(!line.to_string().contains('@') && !line.to_string().contains("further"), "{line}");
        line
    };
    for (round, (fate, word)) in [
        (Fate::Arrives, "sent"),
        (Fate::Refused(400, "Throttling", "further0@example.com"), "throttled"),
        (Fate::Refused(400, "MessageRejected", "not verified: demo@example.com"), "unverified"),
        (Fate::Refused(400, "MessageRejected", "demo@example.com"), "rejected"),
        (Fate::Refused(400, "AccountSendingPausedException", ""), "misconfigured"),
        (Fate::LostUnanswered, "unknown"),
        (Fate::NobodyThere, "unreachable"),
    ]
    .into_iter()
    .enumerate()
    {
        service.let_it_be(fate).await;
        for silent in [false, true] {
            let line = ask(&mut world, round, silent).await;
            assert_eq!(line["mail"], json!(word), "{fate:?}: {line}");
            assert_eq!(line["MailFailures"], json!(u8::from(word != "sent")), "{fate:?}: {line}");
        }
    }
    world.watch.lines();
    world.get("/kite/api/v1/health").quietly().await;
    let line = line(&world);
    assert_eq!((line.get("mail"), &line["MailFailures"]), (None, &json!(0)), "{line}");
}
