//! What many ask for in the same instant.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use polygate_shared::identity::ClaimKind;
use serde_json::{Value, json};

use crate::support::{Answer, World};
use crate::work::Recorder;

fn register_body(contract: &str, name: &str, email: &str) -> Value {
    match contract {
        "sproutgate" => json!({"account": name, "password": "password123", "username": "", "email": email}),
        _ => json!({"username": name, "password": "password123", "email": email}),
    }
}

fn register_path(contract: &str) -> String {
    if contract == "kite" { "/kite/api/v1/auth/register".to_owned() } else { format!("/{contract}/api/auth/register") }
}

#[tokio::test]
async fn of_24_parallel_registrations_of_one_name_one_wins() {
    for contract in ["kite", "zeaya", "mcphub"] {
        let world = World::start().await;
        let asked = (0..24).map(|nth| {
            let name = if nth % 2 == 0 { "Winner" } else { "wINNER" };
            (register_path(contract), register_body(contract, name, &format!("user{nth}@example.com")))
        });
        let answers = world.all_at_once(asked.collect()).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status.is_success());
        assert_eq!((won.len(), lost.len()), (1, 23), "{contract}");
        for answer in lost {
            let body = answer.json();
            match contract {
                "kite" => assert_eq!((answer.status.as_u16(), &body["code"]), (409, &json!(40900))),
                "zeaya" => assert_eq!((answer.status.as_u16(), &body["code"]), (409, &json!(10001))),
                _ => assert_eq!((answer.status.as_u16(), &body["message"]), (400, &json!("User already exists"))),
            }
        }
        assert_eq!(
            world.server.store().count_accounts().await.expect("a count"),
            2,
            "the winner and the administrator"
        );
        world.is_sound().await;
    }
}

#[tokio::test]
async fn of_24_parallel_registrations_of_one_address_one_wins() {
    for (contract, code) in [("kite", 40900), ("zeaya", 10002)] {
        let world = World::start().await;
        let asked = (0..24).map(|nth| {
            let email = ["one@example.com", "ONE@example.com", "One@Example.COM"][nth % 3];
            (register_path(contract), register_body(contract, &format!("user{nth}"), email))
        });
        let answers = world.all_at_once(asked.collect()).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status.is_success());
        assert_eq!((won.len(), lost.len()), (1, 23), "{contract}");
        assert!(lost.iter().all(|answer| answer.status == 409 && answer.json()["code"] == json!(code)), "{lost:?}");
        assert_eq!(world.server.store().count_accounts().await.expect("a count"), 2);
        world.is_sound().await;
    }
}

#[tokio::test]
async fn one_name_through_all_contracts_at_once() {
    let world = World::start().await;
    let asked = (0..24).map(|nth| {
        let contract = ["kite", "zeaya", "mcphub"][nth % 3];
        (register_path(contract), register_body(contract, "winner", &format!("user{nth}@example.com")))
    });
    let answers = world.all_at_once(asked.collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.status.is_success()).count(), 1);
    world.is_sound().await;
}

#[tokio::test]
async fn a_name_that_24_people_wait_to_prove_goes_to_the_first() {
    let mut world = World::start().await;
    let addresses: Vec<_> = (0..24).map(|nth| format!("user{nth}@example.com")).collect();
    let asked =
        addresses.iter().map(|email| (register_path("sproutgate"), register_body("sproutgate", "winner", email)));
    for answer in world.all_at_once(asked.collect()).await {
        assert_eq!(answer.status, 200, "nothing is taken before an address is proved: {}", answer.body);
    }
    let mut outcomes = Vec::new();
    for address in &addresses[..3] {
        let body = json!({"account": "winner", "code": world.code_for(address)});
        outcomes.push(world.post("/sproutgate/api/auth/verify-email", body).await);
    }
    assert_eq!(outcomes.iter().map(|answer| answer.status.as_u16()).collect::<Vec<_>>(), [200, 409, 409]);
    insta::assert_snapshot!(outcomes[1].told());
    world.is_sound().await;
}

#[tokio::test]
async fn one_address_mailed_once_however_many_ask_at_once() {
    let world = World::start().await;
    let asked = (0..24).map(|nth| {
        let email = if nth % 2 == 0 { "one@example.com" } else { "One@EXAMPLE.com" };
        (register_path("sproutgate"), register_body("sproutgate", &format!("user{nth}"), email))
    });
    let answers = world.all_at_once(asked.collect()).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 429)));
    assert_eq!(world.server.mails().len(), 1);
    world.is_sound().await;
}

/// Signs alice in through kite; access and refresh token.
async fn signed_in(world: &mut World) -> (String, String) {
    let login = json!({"username": "alice", "password": "secret123"});
    let answer = world.post("/api/v1/auth/login", login).quietly().await;
    (answer.text("/data/access_token"), answer.text("/data/refresh_token"))
}

async fn refresh(world: &mut World, token: &str) -> Answer {
    world.post("/api/v1/auth/refresh", json!({"refresh_token": token})).quietly().await
}

/// Sends one refresh token many times at once; what they all got for it.
async fn refreshed_at_once(world: &World, token: &str, times: usize) -> String {
    let asked = vec![("/api/v1/auth/refresh".to_owned(), json!({"refresh_token": token})); times];
    let answers = world.all_at_once(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), times, "two tabs, one session");
    let successors: BTreeSet<_> = answers.iter().map(|answer| answer.text("/data/refresh_token")).collect();
    assert_eq!(successors.len(), 1, "one successor for all of them");
    successors.into_iter().next().expect("one")
}

/// Which of these refresh tokens the stored session takes as the live one.
async fn live<'a>(world: &World, tokens: &[&'a String]) -> Vec<&'a String> {
    let alice = [(ClaimKind::Name, "alice".to_owned())];
    let claims = world.server.store().claims(&alice).await.expect("claims");
    let sessions = world.server.store().sessions(claims[0].account).await.expect("sessions");
    assert_eq!(sessions.len(), 1);
    let current = &sessions[0].refresh.as_ref().expect("refresh tokens").current;
    // Account and session (16 bytes each), the secret (32), a tag.
    let secret = |token: &str| URL_SAFE_NO_PAD.decode(&token["pgr_".len()..]).expect("base64url")[32..64].to_vec();
    tokens.iter().copied().filter(|token| current.matches(&secret(token))).collect()
}

#[tokio::test]
async fn of_100_parallel_refreshes_of_one_token_one_successor_is_live_and_the_old_one_ends_the_session() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let (access, first) = signed_in(&mut world).await;
    let second = refreshed_at_once(&world, &first, 100).await;
    assert_eq!(live(&world, &[&first, &second]).await, [&second], "exactly one is live");
    // An answer was lost: the same again gets the same, and after the grace another in its place.
    assert_eq!(refresh(&mut world, &first).await.text("/data/refresh_token"), second);
    world.clock.advance(Duration::from_secs(10));
    let third = refreshed_at_once(&world, &first, 100).await;
    assert_eq!(live(&world, &[&first, &second, &third]).await, [&third]);
    let fourth = refreshed_at_once(&world, &third, 100).await;
    assert_eq!(live(&world, &[&first, &second, &third, &fourth]).await, [&fourth]);
    world.clock.advance(Duration::from_secs(10));
    let fifth = refresh(&mut world, &fourth).await;
    // Somebody has a copy of one that was used long ago: from here on nobody has anything.
    for stolen in [&third, &fifth.text("/data/refresh_token"), &fourth] {
        refresh(&mut world, stolen).await.is(401, 40102);
    }
    for access in [&access, &fifth.text("/data/access_token")] {
        assert_eq!(world.get("/kite/api/v1/profile").bearer(access).quietly().await.status, 401);
    }
}

#[tokio::test]
async fn a_stolen_token_among_100_parallel_refreshes_ends_the_session_for_all() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let (_, stolen) = signed_in(&mut world).await;
    let next = refresh(&mut world, &stolen).await.text("/data/refresh_token");
    let live = refresh(&mut world, &next).await.text("/data/refresh_token");
    world.clock.advance(Duration::from_secs(10));
    let asked = (0..100).map(|nth| {
        let token = if nth % 10 == 5 { &stolen } else { &live };
        ("/api/v1/auth/refresh".to_owned(), json!({"refresh_token": token}))
    });
    let answers = world.all_at_once(asked.collect()).await;
    for (nth, answer) in answers.iter().enumerate().filter(|(nth, answer)| nth % 10 == 5 || answer.status != 200) {
        assert_eq!((nth, answer.status.as_u16(), &answer.json()["code"]), (nth, 401, &json!(40102)), "{}", answer.body);
    }
    let handed_out = answers.iter().filter(|answer| answer.status == 200);
    let successors: BTreeSet<_> = handed_out.map(|answer| answer.text("/data/refresh_token")).collect();
    assert!(successors.len() <= 1, "{successors:?}");
    for token in successors.iter().chain([&live]) {
        refresh(&mut world, token).await.is(401, 40102);
    }
    world.is_sound().await;
}

#[tokio::test]
async fn parallel_changes_of_one_profile_all_take_effect() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let token = world.sign_in("alice", "secret123").await;
    let asked = (0..16).map(|nth| {
        let body = if nth % 2 == 0 { json!({"bio": "about me"}) } else { json!({"phone": "13800000000"}) };
        ("/sproutgate/api/auth/profile".to_owned(), body)
    });
    for answer in world.all_put_at_once(asked.collect(), &[&token]).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let user = world.get("/sproutgate/api/auth/me").bearer(&token).quietly().await.json();
    assert_eq!((&user["user"]["bio"], &user["user"]["phone"]), (&json!("about me"), &json!("13800000000")));
    world.is_sound().await;
}

#[tokio::test]
async fn a_session_that_a_password_change_ended_changes_nothing_any_more() {
    for _ in 0..6 {
        let mut world = World::start().await;
        world.register("alice", "secret123").await;
        let sessions = [world.sign_in("alice", "secret123").await, world.sign_in("alice", "secret123").await];
        let asked = ["one-password", "two-password"]
            .map(|password| ("/sproutgate/api/auth/profile".to_owned(), json!({"password": password})));
        let answers = world.all_put_at_once(asked.to_vec(), &[&sessions[0], &sessions[1]]).await;
        let statuses: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        assert!(statuses == [200, 401] || statuses == [401, 200], "{statuses:?}");
        let won = usize::from(statuses == [401, 200]);
        world.sign_in("alice", ["one-password", "two-password"][won]).await;
        for (nth, session) in sessions.iter().enumerate() {
            let status = world.get("/sproutgate/api/auth/me").bearer(session).quietly().await.status;
            assert_eq!(status.is_success(), nth == won, "only the session that changed it goes on");
        }
        world.is_sound().await;
    }
}

#[tokio::test]
async fn one_code_presented_many_times_at_once_makes_one_account() {
    let world = World::start().await;
    let body = register_body("sproutgate", "winner", "winner@example.com");
    world.all_at_once(vec![(register_path("sproutgate"), body)]).await;
    let body = json!({"account": "winner", "code": world.code_for("winner@example.com")});
    let asked = vec![("/sproutgate/api/auth/verify-email".to_owned(), body); 5];
    for answer in world.all_at_once(asked).await {
        assert_eq!(answer.status, 200, "a double click is no refusal: {}", answer.body);
    }
    assert_eq!(world.server.store().count_accounts().await.expect("a count"), 2);
    world.is_sound().await;
}

#[tokio::test]
async fn one_reset_sent_many_times_at_once_is_one_reset() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let forgot = json!({"account": "alice", "email": "alice@example.com"});
    world.post("/sproutgate/api/auth/forgot-password", forgot).quietly().await;
    let body = json!({"account": "alice", "code": world.code_for("alice@example.com"), "newPassword": "newpass"});
    let asked = vec![("/sproutgate/api/auth/reset-password".to_owned(), body); 4];
    for answer in world.all_at_once(asked).await {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    world.sign_in("alice", "newpass").await;
    world.is_sound().await;
}

#[tokio::test]
async fn of_200_parallel_guesses_at_one_code_five_are_compared() {
    let recorder = Recorder::start();
    let mut world = World::start().await;
    let registration = register_body("sproutgate", "winner", "winner@example.com");
    world.post("/sproutgate/api/auth/register", registration).quietly().await;
    let session = world.register_proved("alice").await;
    world.post("/kite/api/v1/emails", json!({"email": "further@example.com"})).bearer(&session).quietly().await;
    for (path, mut body, address) in [
        ("/sproutgate/api/auth/verify-email", json!({"account": "winner"}), "winner@example.com"),
        ("/kite/api/v1/emails/verify", json!({"email": "further@example.com"}), "further@example.com"),
    ] {
        let code = world.code_for(address);
        body["code"] = if code == "000000" { "000001" } else { "000000" }.into();
        recorder.take();
        let asked = vec![(path.to_owned(), body.clone(), session.clone()); 200];
        let answers = world.all_at_once_as(asked).await;
        assert_eq!(recorder.take().compared, 5, "{path}");
        assert!(answers.iter().all(|answer| answer.status.is_client_error()), "{path}: {answers:?}");
        // Nor is the right one any more.
        body["code"] = code.into();
        let late = world.post(path, body).bearer(&session).quietly().await;
        assert!(late.status.is_client_error(), "{path}: {}", late.body);
        assert_eq!(recorder.take().compared, 0, "{path}");
    }
}
