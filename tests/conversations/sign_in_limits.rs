//! How many wrong sign-ins are let through: per name, per known device, per source.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Answer, World};
use crate::work::Recorder;

const LOGIN: [&str; 4] =
    ["/kite/api/v1/auth/login", "/zeaya/api/auth/login", "/sproutgate/api/auth/login", "/mcphub/api/auth/login"];
const KITE: &str = LOGIN[0];

/// A sign-in as any contract reads it.
fn login(name: &str, password: &str) -> Value {
    json!({"username": name, "account": name, "password": password})
}

async fn from(world: &mut World, device: &str, name: &str, password: &str) -> Answer {
    world.post(KITE, login(name, password)).header("user-agent", device).quietly().await
}

#[tokio::test]
async fn after_five_wrong_ones_every_sign_in_waits_and_unknown_names_get_the_same() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let mut told = Vec::new();
    for name in ["alice", "nobody", "Alice@Example.com", "nobody@example.com"] {
        let mut answers = String::new();
        for path in LOGIN.iter().chain(&LOGIN) {
            let answer = world.post(path, login(name, "wrong-password")).quietly().await;
            answers.push_str(&format!("▶ POST {path}\n{}\n\n", answer.told()));
        }
        told.push(answers);
    }
    assert!(told.iter().all(|answers| *answers == told[0]), "{told:#?}");
    world.note("the right password waits too");
    world.post(KITE, login("alice", "secret123")).await;
    world.clock.advance(Duration::from_secs(1));
    world.note("after one second a single one is let through; if it is wrong the next waits twice as long");
    world.post(KITE, login("alice", "wrong-password")).await;
    world.post(KITE, login("alice", "secret123")).await;
    world.clock.advance(Duration::from_secs(2));
    world.sign_in("alice", "secret123").await;
    insta::assert_snapshot!(format!("{}\n{}", told[0], world.transcript()));
}

#[tokio::test]
async fn the_wait_doubles_up_to_a_quarter_of_an_hour_and_is_forgotten_after_a_day() {
    let mut world = World::start().await;
    for _ in 0..5 {
        from(&mut world, "", "alice", "wrong-password").await.is(401, 40100);
    }
    let mut waits = Vec::new();
    for _ in 0..13 {
        let refused = from(&mut world, "", "alice", "wrong-password").await;
        refused.is(429, 42900);
        let wait: u64 = refused.headers["retry-after"].to_str().expect("text").parse().expect("seconds");
        waits.push(wait);
        world.clock.advance(Duration::from_secs(wait));
        from(&mut world, "", "alice", "wrong-password").await.is(401, 40100);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
    world.clock.advance(Duration::from_secs(24 * 3600));
    for _ in 0..5 {
        from(&mut world, "", "alice", "wrong-password").await.is(401, 40100);
    }
    from(&mut world, "", "alice", "wrong-password").await.is(429, 42900);
}

#[tokio::test]
async fn of_50_parallel_wrong_passwords_five_reach_the_hash() {
    let recorder = Recorder::start();
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    for (path, name) in [(LOGIN[0], "alice"), (LOGIN[1], "nobody"), (LOGIN[2], "alice@example.com")] {
        let asked = vec![(path.to_owned(), login(name, "wrong-password")); 50];
        recorder.take();
        let answers = world.all_at_once(asked).await;
        assert_eq!(recorder.take().hashes.len(), 5, "{path}");
        let (looked_at, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 401);
        assert_eq!((looked_at.len(), refused.len()), (5, 45), "{path}");
        for answer in refused {
            assert_eq!(answer.status, 429, "{}", answer.body);
            assert_eq!(
                (&answer.headers["retry-after"], &answer.headers["x-ratelimit-limit"]),
                (&"1".parse().expect("a value"), &"5".parse().expect("a value"))
            );
        }
    }
    // Once a wait is over a single one of many is let through.
    world.clock.advance(Duration::from_secs(1));
    recorder.take();
    let answers = world.all_at_once(vec![(KITE.to_owned(), login("alice", "wrong-password")); 50]).await;
    assert_eq!(recorder.take().hashes.len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 401).count(), 1);
}

#[tokio::test]
async fn a_device_that_signed_in_before_is_not_kept_out_by_others() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    from(&mut world, "phone", "alice", "secret123").await.is(200, 0);
    for _ in 0..5 {
        from(&mut world, "stranger", "alice", "wrong-password").await.is(401, 40100);
    }
    from(&mut world, "stranger", "alice", "wrong-password").await.is(429, 42900);
    world.note("somebody guesses; the known device signs in all the same, one that is new waits");
    world.post(KITE, login("alice", "secret123")).header("user-agent", "phone").await;
    world.post(KITE, login("alice", "secret123")).header("user-agent", "laptop").await;
    world.note("what the known device gets wrong is counted for it alone");
    for _ in 0..5 {
        from(&mut world, "phone", "alice", "wrong-password").await.is(401, 40100);
    }
    world.post(KITE, login("alice", "secret123")).header("user-agent", "phone").await;
    world.clock.advance(Duration::from_secs(1));
    from(&mut world, "laptop", "alice", "secret123").await.is(200, 0);
    world.clock.advance(Duration::from_secs(90 * 24 * 3600));
    for _ in 0..5 {
        from(&mut world, "stranger", "alice", "wrong-password").await.is(401, 40100);
    }
    world.note("after ninety days it is new again");
    world.post(KITE, login("alice", "secret123")).header("user-agent", "phone").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn what_was_right_is_not_counted() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    for nth in 0..12 {
        from(&mut world, &format!("device {nth}"), "alice", "secret123").await.is(200, 0);
    }
    // Nor are those that are being looked at: who comes meanwhile waits for them, for some moments.
    let many = world.all_at_once(vec![(KITE.to_owned(), login("alice", "secret123")); 12]).await;
    assert!(many.iter().all(|answer| answer.status == 200), "{many:?}");
    // Nor is a password that was right where more was needed.
    let session = world.sign_in("alice", "secret123").await;
    let (authenticator, _) = world.add_second_factor(&session).await;
    for nth in 0..8 {
        for path in LOGIN {
            let answer = world.post(path, login("alice", "secret123")).header("user-agent", &nth.to_string());
            assert_ne!(answer.quietly().await.status, 429);
        }
    }
    let token = from(&mut world, "a new one", "alice", "secret123").await.text("/data/challenge_token");
    let code = authenticator.next_code(&world);
    let proof = json!({"challenge_token": token, "code": code});
    world.post("/api/v1/auth/2fa/verify", proof).header("user-agent", "a new one").quietly().await.is(200, 0);
    for _ in 0..6 {
        from(&mut world, "stranger", "alice", "wrong-password").await;
    }
    from(&mut world, "a new one", "alice", "secret123").await.is(200, 0);
}

#[tokio::test]
async fn a_disabled_account_is_told_so_however_often() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let boss = world.boss().await;
    let listed = world.get("/api/v1/admin/users?search=alice").bearer(&boss).quietly().await;
    let path = format!("/api/v1/admin/users/{}", listed.text("/data/items/0/id"));
    assert_eq!(world.ask(reqwest::Method::DELETE, &path).bearer(&boss).quietly().await.status, 200);
    for _ in 0..8 {
        let answer = world.post(LOGIN[1], login("alice", "secret123")).quietly().await;
        answer.is(403, 10004);
    }
}
