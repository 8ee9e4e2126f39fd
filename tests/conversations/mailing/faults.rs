//! Every request that mails, against everything that the mail service can do to it.

use std::time::Duration;

use polygate_shared::identity::{ChallengeKey, ClaimKind, Clock, Purpose};
use reqwest::Method;
use serde_json::{Value, json};

use super::service::{Fate, MailService, NOT_SENT, UNKNOWN};
use crate::support::{Answer, World};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// A request that mails. `{n}` is another number in each round.
struct Case {
    name: &'static str,
    purpose: Purpose,
    ask: (&'static str, &'static str, Value),
    /// Where the mail goes.
    address: &'static str,
    /// Whom the code is kept under: a name that is registered, or the account that asks.
    subject: Subject,
    /// What the code is good for; a notice in its place has none.
    prove: Option<(&'static str, Value)>,
    /// Whether the answer is the same whatever happens.
    silent: bool,
}

enum Subject {
    Name(&'static str),
    Account,
}

impl Case {
    fn fill(value: &Value, round: usize) -> Value {
        serde_json::from_str(&value.to_string().replace("{n}", &round.to_string())).expect("JSON")
    }

    fn address(&self, round: usize) -> String {
        self.address.replace("{n}", &round.to_string())
    }

    async fn ask(&self, world: &mut World, round: usize, shown: bool) -> Answer {
        let signed_in = matches!(self.subject, Subject::Account) && !self.silent;
        let token = if signed_in { world.sign_in("demo", "demo123").await } else { String::new() };
        let (method, path, body) = &self.ask;
        let method: Method = method.parse().expect("a method");
        let ask = world.ask(method, path).json(Self::fill(body, round));
        let ask = if signed_in { ask.bearer(&token) } else { ask };
        if shown { ask.await } else { ask.quietly().await }
    }

    /// Uses the code of the newest mail.
    async fn prove(&self, world: &mut World, round: usize) {
        let Some((path, body)) = &self.prove else { return };
        let token = world.sign_in("demo", "demo123").await;
        let mut body = Self::fill(body, round);
        body["code"] = world.code_for(&self.address(round)).into();
        let answer = world.post(path, body).bearer(&token).quietly().await;
        assert!(answer.status.is_success(), "{}: {}", self.name, answer.body);
    }

    /// How many codes could be used now; what stands in the place of one that is never mailed can't.
    async fn codes_in_play(&self, world: &World, round: usize) -> usize {
        if self.prove.is_none() {
            return 0;
        }
        let store = world.server.store();
        let subject = match self.subject {
            Subject::Name(name) => name.replace("{n}", &round.to_string()),
            Subject::Account => {
                let claims = store.claims(&[(ClaimKind::Name, "demo".to_owned())]).await.expect("claims");
                claims[0].account.to_string()
            }
        };
        let codes = store.challenges(&ChallengeKey { purpose: self.purpose, subject }).await.expect("codes");
        let now = world.clock.now();
        codes.iter().filter(|code| code.used_by.is_none() && now < code.expires_at && code.guesses < 5).count()
    }

    /// What everybody is told whose mail is not known to have left.
    #[track_caller]
    fn assert_told(&self, answer: &Answer) -> (u16, String) {
        let retry_after = answer.headers.get("retry-after").map(|value| value.to_str().expect("a number"));
        let expected = if self.silent { (200, None) } else { (503, Some("60")) };
        assert_eq!((answer.status.as_u16(), retry_after), expected, "{}: {}", self.name, answer.body);
        let mut body = answer.json();
        body.as_object_mut().expect("an object").remove("expiresAt");
        if let Some(data) = body.get_mut("data").and_then(Value::as_object_mut) {
            data.remove("expires_at");
        }
        (answer.status.as_u16(), body.to_string())
    }
}

async fn world() -> (MailService, World) {
    let (service, mut world) = MailService::with_world().await;
    world.register_proved("demo").await;
    world.register_proved("other").await;
    (service, world)
}

async fn play(case: Case) {
    let (service, mut world) = world().await;
    let mut told = None;
    let fates = NOT_SENT.iter().chain(&UNKNOWN);
    for (round, fate) in fates.enumerate() {
        world.clock.advance(HOUR);
        let (certain, first_of_its_kind) = (NOT_SENT.contains(fate), *fate == NOT_SENT[0] || *fate == UNKNOWN[0]);
        let arrives = matches!(fate, Fate::ArrivesUnanswered | Fate::ArrivesCutOff);
        let address = case.address(round);
        let before = world.mails_to(&address).len();
        let arrived = |world: &World| world.mails_to(&address).len() - before;
        if first_of_its_kind {
            world.note(if certain { "SES throttles" } else { "SES doesn't answer in time" });
        }

        service.let_it_be(*fate).await;
        let calls = service.calls();
        let answer = case.ask(&mut world, round, first_of_its_kind).await;
        let answer = case.assert_told(&answer);
        assert_eq!(told.get_or_insert_with(|| answer.clone()), &answer, "{fate:?} is told as any other");
        assert_eq!(arrived(&world), usize::from(arrives), "{fate:?}");
        assert!(service.calls() <= calls + 1, "{fate:?}: one attempt");
        assert_eq!(case.codes_in_play(&world, round).await, usize::from(!certain && case.prove.is_some()), "{fate:?}");

        service.let_it_be(Fate::Arrives).await;
        let first = arrives.then(|| world.mails_to(&address).pop()).flatten();
        if !certain {
            let early = case.ask(&mut world, round, first_of_its_kind).await;
            assert_eq!(early.status, if case.silent { 200 } else { 429 }, "{fate:?}: {}", early.body);
            assert_eq!(arrived(&world), usize::from(arrives), "{fate:?}: the mail keeps its place");
            world.clock.advance(MINUTE);
        }
        let answer = case.ask(&mut world, round, first_of_its_kind).await;
        assert!(answer.status.is_success(), "{fate:?}: {}", answer.body);
        assert_eq!(arrived(&world), 1 + usize::from(arrives), "{fate:?}");
        assert_eq!(case.codes_in_play(&world, round).await, usize::from(case.prove.is_some()), "{fate:?}");
        let second = world.mails_to(&address).pop();
        assert!(first.is_none() || first == second, "{fate:?}: the same code in both mails");
        case.prove(&mut world, round).await;
    }
    insta::with_settings!({snapshot_suffix => case.name}, { insta::assert_snapshot!(world.transcript()) });
}

#[tokio::test]
async fn registration() {
    let account = json!({"account": "new{n}", "password": "demo123", "username": "", "email": "new{n}@example.com"});
    play(Case {
        name: "registration",
        purpose: Purpose::Register,
        ask: ("POST", "/sproutgate/api/auth/register", account),
        address: "new{n}@example.com",
        subject: Subject::Name("new{n}"),
        prove: Some(("/sproutgate/api/auth/verify-email", json!({"account": "new{n}"}))),
        silent: false,
    })
    .await;
}

#[tokio::test]
async fn registration_with_an_address_that_has_an_owner() {
    let account = json!({"account": "new{n}", "password": "demo123", "username": "", "email": "other@example.com"});
    play(Case {
        name: "registration_owned",
        purpose: Purpose::AlreadyRegistered,
        ask: ("POST", "/sproutgate/api/auth/register", account),
        address: "other@example.com",
        subject: Subject::Name("new{n}"),
        prove: None,
        silent: false,
    })
    .await;
}

#[tokio::test]
async fn forgotten_password_in_sproutgate() {
    let new = json!({"account": "demo", "newPassword": "demo123"});
    play(Case {
        name: "forgotten_sproutgate",
        purpose: Purpose::ResetPassword,
        ask: ("POST", "/sproutgate/api/auth/forgot-password", json!({"account": "demo", "email": "demo@example.com"})),
        address: "demo@example.com",
        subject: Subject::Account,
        prove: Some(("/sproutgate/api/auth/reset-password", new)),
        silent: true,
    })
    .await;
}

#[tokio::test]
async fn forgotten_password_in_kite() {
    let new = json!({"identifier": "demo", "new_password": "demo123"});
    play(Case {
        name: "forgotten_kite",
        purpose: Purpose::ResetPassword,
        ask: ("POST", "/kite/api/v1/auth/password-reset/request", json!({"identifier": "demo"})),
        address: "demo@example.com",
        subject: Subject::Account,
        prove: Some(("/kite/api/v1/auth/password-reset/confirm", new)),
        silent: true,
    })
    .await;
}

#[tokio::test]
async fn further_address_in_sproutgate() {
    let further = json!({"email": "more{n}@example.com"});
    play(Case {
        name: "further_sproutgate",
        purpose: Purpose::SecondaryEmail,
        ask: ("POST", "/sproutgate/api/auth/secondary-email/request", further.clone()),
        address: "more{n}@example.com",
        subject: Subject::Account,
        prove: Some(("/sproutgate/api/auth/secondary-email/verify", further)),
        silent: false,
    })
    .await;
}

#[tokio::test]
async fn further_address_in_kite() {
    let further = json!({"email": "more{n}@example.com"});
    play(Case {
        name: "further_kite",
        purpose: Purpose::SecondaryEmail,
        ask: ("POST", "/kite/api/v1/emails", further.clone()),
        address: "more{n}@example.com",
        subject: Subject::Account,
        prove: Some(("/kite/api/v1/emails/verify", further)),
        silent: false,
    })
    .await;
}

#[tokio::test]
async fn further_address_that_has_an_owner() {
    play(Case {
        name: "further_owned",
        purpose: Purpose::AddressInUse,
        ask: ("POST", "/kite/api/v1/emails", json!({"email": "other@example.com"})),
        address: "other@example.com",
        subject: Subject::Account,
        prove: None,
        silent: false,
    })
    .await;
}

#[tokio::test]
async fn another_address_in_kite() {
    let another = json!({"new_email": "next{n}@example.com"});
    play(Case {
        name: "another",
        purpose: Purpose::ChangeEmail,
        ask: ("POST", "/kite/api/v1/auth/email-change/request", another.clone()),
        address: "next{n}@example.com",
        subject: Subject::Account,
        prove: Some(("/kite/api/v1/auth/email-change/confirm", another)),
        silent: false,
    })
    .await;
}

#[tokio::test]
async fn another_address_by_the_profile_of_kite() {
    let proof = json!({"new_email": "next{n}@example.com"});
    play(Case {
        name: "another_by_profile",
        purpose: Purpose::ChangeEmail,
        ask: ("PUT", "/kite/api/v1/profile", json!({"email": "next{n}@example.com"})),
        address: "next{n}@example.com",
        subject: Subject::Account,
        prove: Some(("/kite/api/v1/auth/email-change/confirm", proof)),
        silent: false,
    })
    .await;
}
