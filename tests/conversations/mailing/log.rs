//! The one log line of a request that mails: what came of the mail, and no address.

use std::io::{Result, Write};
use std::sync::{Arc, Mutex};

use serde_json::json;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use super::service::{Fate, MailService};
use crate::support::World;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.lock().expect("not poisoned").write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Whatever is logged from `info` on, as lines.
    fn subscriber(&self) -> impl tracing::Subscriber + use<> {
        let writer = self.clone();
        let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
        tracing_subscriber::registry().with(LevelFilter::INFO).with(layer)
    }

    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().expect("not poisoned"))).expect("text")
    }
}

#[tokio::test]
async fn a_mail_that_is_broken_off_by_the_answer_is_unknown() {
    let lines = Lines::default();
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _here = tracing::subscriber::set_default(lines.subscriber());
    let (service, mut world) = MailService::with_world_waiting(std::time::Duration::from_secs(30)).await;
    world.register_proved("demo").await;
    world.clock.advance(std::time::Duration::from_secs(60));
    service.let_it_be(Fate::LostUnanswered).await;
    for (name, told) in [("demo", true), ("nobody", false)] {
        lines.take();
        world.post("/kite/api/v1/auth/password-reset/request", json!({"identifier": name})).quietly().await;
        assert_eq!(lines.take().contains("mail=\"unknown\""), told, "{name}");
    }
}

#[tokio::test]
async fn what_came_of_the_mail_is_told_and_to_whom_is_not() {
    let lines = Lines::default();
    // While there is only one subscriber, tracing asks the thread that first comes by a line whether it is wanted, and
    // that may be another test's.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    // Everything here runs on this thread.
    let _here = tracing::subscriber::set_default(lines.subscriber());
    let (service, mut world) = MailService::with_world().await;
    world.register_proved("demo").await;
    let ask = async |world: &mut World, round: usize, silent: bool| {
        world.clock.advance(std::time::Duration::from_secs(600));
        let token = world.sign_in("demo", "demo123").await;
        lines.take();
        let further = json!({"email": format!("further{round}@example.com")});
        match silent {
            true => world.post("/kite/api/v1/auth/password-reset/request", json!({"identifier": "demo"})).quietly(),
            false => world.post("/kite/api/v1/emails", further).bearer(&token).quietly(),
        }
        .await;
        let told = lines.take();
        assert!(!told.contains("@") && !told.contains("further"), "{told}");
        let line = told.lines().find(|line| line.contains("request") && line.contains("endpoint=")).expect("a line");
        line.to_owned()
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
            assert!(line.contains(&format!("mail=\"{word}\"")), "{fate:?}: {line}");
        }
    }
    lines.take();
    world.get("/kite/api/v1/health").quietly().await;
    let told = lines.take();
    assert!(told.contains("endpoint=") && !told.contains("mail="), "{told}");
}
