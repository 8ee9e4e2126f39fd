//! A person's sessions: listed and ended by the person, in effect at the next request in every contract.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, World};

const SESSIONS: &str = "/api/v1/sessions";

/// Signs alice in through each contract, a minute apart; the tokens, oldest first.
async fn everywhere(world: &mut World) -> Vec<String> {
    world.register("alice", "secret123").await;
    let login = json!({"username": "alice", "account": "alice", "password": "secret123"});
    let mut tokens = Vec::new();
    for (path, token) in [
        ("/mcphub/api/auth/login", "/token"),
        ("/sproutgate/api/auth/login", "/token"),
        ("/zeaya/api/auth/login", "/data/token"),
        ("/kite/api/v1/auth/login", "/data/access_token"),
    ] {
        let agent = format!("agent of {}", &path[1..4]);
        let answer = world.post(path, login.clone()).header("user-agent", &agent).quietly().await;
        tokens.push(answer.text(token));
        world.clock.advance(Duration::from_secs(60));
    }
    tokens
}

async fn listed(world: &mut World, token: &str) -> Vec<Value> {
    let answer = world.get(SESSIONS).bearer(token).quietly().await;
    answer.json()["data"].as_array().unwrap_or_else(|| panic!("{}", answer.body)).clone()
}

async fn id_of(world: &mut World, token: &str) -> String {
    let sessions = listed(world, token).await;
    let own = sessions.iter().find(|session| session["current"] == json!(true)).expect("the one that asks");
    own["id"].as_str().expect("an id").to_owned()
}

async fn end(world: &mut World, token: &str, id: &str) -> Answer {
    world.ask(Method::DELETE, &format!("{SESSIONS}/{id}")).bearer(token).await
}

/// How each contract answers a token.
async fn statuses(world: &mut World, token: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for path in
        ["/kite/api/v1/profile", "/zeaya/api/auth/user", "/sproutgate/api/auth/me", "/mcphub/api/auth/user", SESSIONS]
    {
        statuses.push(world.get(path).bearer(token).quietly().await.status.as_u16());
    }
    let verified = world.post("/sproutgate/api/auth/verify", json!({"token": token})).quietly().await;
    statuses.push(verified.status.as_u16());
    statuses
}

#[tokio::test]
async fn listed_newest_first_and_ended_one_by_one() {
    let mut world = World::start().await;
    let tokens = everywhere(&mut world).await;
    world.get(SESSIONS).bearer(&tokens[3]).await;
    world.note("another one, refused from the next request on");
    let id = id_of(&mut world, &tokens[0]).await;
    end(&mut world, &tokens[3], &id).await;
    assert_eq!(statuses(&mut world, &tokens[0]).await, [401; 6]);
    world.get("/mcphub/api/auth/user").bearer(&tokens[0]).await;
    world.note("once");
    end(&mut world, &tokens[3], &id).await;
    assert_eq!(listed(&mut world, &tokens[3]).await.len(), 3);
    world.note("the one that asks");
    let own = id_of(&mut world, &tokens[3]).await;
    end(&mut world, &tokens[3], &own).await;
    assert_eq!(statuses(&mut world, &tokens[3]).await, [401; 6]);
    assert_eq!(statuses(&mut world, &tokens[2]).await, [200; 6]);
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn all_others_end_together() {
    let mut world = World::start().await;
    let tokens = everywhere(&mut world).await;
    world.ask(Method::DELETE, SESSIONS).bearer(&tokens[1]).await;
    for (nth, token) in tokens.iter().enumerate() {
        assert_eq!(statuses(&mut world, token).await, if nth == 1 { [200; 6] } else { [401; 6] }, "{nth}");
    }
    world.get(SESSIONS).bearer(&tokens[1]).await;
    world.note("the person signs in again, and API tokens are none of these");
    let token = world.sign_in("alice", "secret123").await;
    let program = world.api_token(&token).await;
    world.ask(Method::DELETE, SESSIONS).bearer(&token).quietly().await.is(200, 0);
    assert_eq!(listed(&mut world, &token).await.len(), 1);
    world.get("/api/v1/profile").bearer(&program).quietly().await.is(200, 0);
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn by_cookie_under_the_mount() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let login = json!({"username": "alice", "password": "secret123"});
    let cookie = world.post("/kite/api/v1/auth/login", login).quietly().await.cookie("access_token");
    let id = id_of(&mut world, &cookie).await;
    let cookie = format!("access_token={cookie}");
    world.note("a page of another origin may not");
    let ask = world.ask(Method::DELETE, "/kite/api/v1/sessions").header("cookie", &cookie);
    ask.header("origin", "https://evil.example").await;
    world.ask(Method::DELETE, &format!("/kite/api/v1/sessions/{id}")).header("cookie", &cookie).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn what_is_over_is_not_listed_and_not_found() {
    let mut world = World::start().await;
    let tokens = everywhere(&mut world).await;
    let (hub, gallery) = (id_of(&mut world, &tokens[0]).await, id_of(&mut world, &tokens[2]).await);
    world.clock.advance(Duration::from_secs(24 * 3600));
    let login = json!({"username": "alice", "password": "secret123"});
    let signed_in = world.post("/api/v1/auth/login", login).quietly().await;
    let (token, refresh) = (signed_in.text("/data/access_token"), signed_in.text("/data/refresh_token"));
    world.note("mcphub's ended after its day");
    world.get(SESSIONS).bearer(&token).await;
    end(&mut world, &token, &hub).await;
    world.note("those of before a new password ended with it");
    let change = json!({"old_password": "secret123", "new_password": "stronger-pass"});
    world.post("/api/v1/auth/change-password", change).bearer(&token).quietly().await.is(200, 0);
    end(&mut world, &token, &gallery).await;
    world.note("a refresh shows in what is left");
    world.clock.advance(Duration::from_secs(600));
    let refreshed = world.post("/api/v1/auth/refresh", json!({"refresh_token": refresh})).quietly().await;
    world.get(SESSIONS).bearer(&refreshed.text("/data/access_token")).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn refused() {
    let mut world = World::start().await;
    let first = world.sign_in("admin", "admin").await;
    world.register("alice", "secret123").await;
    world.register("bob", "secret123").await;
    let (alice, bob) = (world.sign_in("alice", "secret123").await, world.sign_in("bob", "secret123").await);
    let program = world.api_token(&alice).await;
    let another = id_of(&mut world, &bob).await;
    world.note("not signed in, not a token, an API token, a password to choose first");
    for token in [None, Some("not-a-token"), Some(program.as_str()), Some(first.as_str())] {
        for (method, path) in
            [(Method::GET, SESSIONS), (Method::DELETE, SESSIONS), (Method::DELETE, "/api/v1/sessions/x")]
        {
            let ask = world.ask(method, path);
            if let Some(token) = token {
                ask.bearer(token).await
            } else {
                ask.await
            };
        }
    }
    world.note("another's, nobody's, what is no id, and a method that isn't");
    for id in [another.as_str(), "7d444840-9dc0-41d1-b245-5ffdce74fad2", "x", "%ff"] {
        end(&mut world, &alice, id).await;
    }
    world.post(SESSIONS, json!({})).bearer(&alice).await;
    assert_eq!(statuses(&mut world, &bob).await, [200; 6]);
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn of_sessions_that_end_all_others_at_once_one_is_left() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let mut tokens = Vec::new();
    for _ in 0..6 {
        tokens.push(world.sign_in("alice", "secret123").await);
    }
    let asked = tokens.iter().map(|token| (Method::DELETE, SESSIONS.to_owned(), token.clone(), json!({}))).collect();
    let answers = world.all_at_once_by(asked).await;
    let done = answers.iter().filter(|answer| answer.status == 200).count();
    let ended = answers.iter().filter(|answer| answer.json()["code"] == json!(40102)).count();
    assert_eq!((done >= 1, done + ended), (true, 6), "{answers:?}");
    let mut left = 0;
    for token in &tokens {
        left += usize::from(statuses(&mut world, token).await == [200; 6]);
    }
    assert_eq!(left, 1, "the last that was served");
}

#[tokio::test]
async fn an_ended_session_is_not_brought_back_by_a_refresh_under_way() {
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let login = json!({"username": "alice", "password": "secret123"});
    let other = world.sign_in("alice", "secret123").await;
    for _ in 0..5 {
        let signed_in = world.post("/api/v1/auth/login", login.clone()).quietly().await;
        let (token, refresh) = (signed_in.text("/data/access_token"), signed_in.text("/data/refresh_token"));
        let id = id_of(&mut world, &token).await;
        let mut asked =
            vec![
                (Method::POST, "/api/v1/auth/refresh".to_owned(), String::new(), json!({"refresh_token": refresh}));
                3
            ];
        asked.push((Method::DELETE, format!("{SESSIONS}/{id}"), other.clone(), json!({})));
        let answers = world.all_at_once_by(asked).await;
        answers[3].is(200, 0);
        assert_eq!(listed(&mut world, &other).await.len(), 1);
        assert_eq!(statuses(&mut world, &token).await, [401; 6]);
    }
}

#[tokio::test]
async fn a_session_ends_after_ninety_days_however_often_it_is_refreshed() {
    const DAY: Duration = Duration::from_secs(86_400);
    let mut world = World::start().await;
    world.register("alice", "secret123").await;
    let login = json!({"username": "alice", "password": "secret123"});
    let mut refresh = world.post("/api/v1/auth/login", login).quietly().await.text("/data/refresh_token");
    for _ in 0..15 {
        world.clock.advance(6 * DAY - Duration::from_secs(4));
        let answer = world.post("/api/v1/auth/refresh", json!({"refresh_token": refresh})).quietly().await;
        answer.is(200, 0);
        refresh = answer.text("/data/refresh_token");
    }
    // A minute before the end nothing that is handed out lives longer than that minute.
    let last = world.post("/api/v1/auth/refresh", json!({"refresh_token": refresh})).quietly().await;
    assert_eq!(
        (&last.json()["data"]["expires_in"], &last.json()["data"]["refresh_expires_at"]),
        (&json!(60), &last.json()["data"]["expires_at"])
    );
    let access = last.text("/data/access_token");
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(statuses(&mut world, &access).await, [200; 6]);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(statuses(&mut world, &access).await, [401; 6]);
    let token = last.text("/data/refresh_token");
    world.post("/api/v1/auth/refresh", json!({"refresh_token": token})).quietly().await.is(401, 40102);
}
