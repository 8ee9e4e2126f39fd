//! Searching the accounts by how a name or an address begins.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::World;

/// Accounts made a second apart, since they are found in the order in which they were made.
async fn people(world: &mut World, names: &[&str]) {
    for name in names {
        world.clock.advance(Duration::from_secs(1));
        world.register(name, "secret123").await;
    }
}

fn names(listed: &Value, list: &str, name: &str) -> Vec<String> {
    let found = listed.pointer(list).and_then(Value::as_array).expect("a list");
    found.iter().map(|one| one[name].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn through_kite_by_page() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    people(&mut world, &["zoe", "alina", "Alice", "bob", "alan"]).await;
    let body = json!({"username": "Straße", "email": "street@example.com", "password": "secret123"});
    world.post("/api/v1/auth/register", body).quietly().await;
    world.clock.advance(Duration::from_secs(1));
    let robert = world.register_proved("robert").await;
    world.add_email(&robert, "alvin@example.com").await;
    world.get("/api/v1/admin/users?search=ALI&page=1&size=1").bearer(&boss).await;
    world.note("nothing to search for is the whole list");
    world.get("/api/v1/admin/users?search=%20&size=1").bearer(&boss).await;
    for (search, found) in [
        ("al", ["alina", "Alice", "alan", "robert"].as_slice()),
        ("ＡＬＩ", &["alina", "Alice"]),
        ("alice@", &["Alice"]),
        ("alice@EXAMPLE.com", &["Alice"]),
        ("alvin", &["robert"]),
        ("robert", &["robert"]),
        ("straß", &["Straße"]),
        ("lice", &[]),
        ("alices", &[]),
    ] {
        let path = format!("/api/v1/admin/users?search={search}");
        let listed = world.get(&path).bearer(&boss).quietly().await.json();
        assert_eq!(names(&listed, "/data/items", "username"), found, "{search}");
        assert_eq!(listed["data"]["total"], json!(found.len()), "{search}");
    }
    let mut seen = Vec::new();
    for page in 1..=3 {
        let path = format!("/api/v1/admin/users?search=al&page={page}&size=2");
        let listed = world.get(&path).bearer(&boss).quietly().await.json();
        assert_eq!(listed["data"]["total"], json!(4));
        seen.push(names(&listed, "/data/items", "username"));
    }
    assert_eq!(seen, [["alina", "Alice"].as_slice(), &["alan", "robert"], &[]]);
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn through_sproutgate_behind_a_cursor_while_accounts_come_and_go() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    people(&mut world, &["anna1", "anna2", "anna3", "anna4", "berta"]).await;
    let first = world.get("/sproutgate/api/admin/users?search=anna&limit=2").bearer(&token).await;
    for gone in ["anna1", "anna2", "anna3"] {
        world.ask(Method::DELETE, &format!("/sproutgate/api/admin/users/{gone}")).bearer(&token).quietly().await;
    }
    people(&mut world, &["Anna5", "anna1"]).await;
    let path = format!("/sproutgate/api/admin/users?search=anna&limit=2&cursor={}", first.text("/nextCursor"));
    let listed = world.get(&path).bearer(&token).quietly().await.json();
    assert_eq!(names(&listed, "/users", "account"), ["anna4", "Anna5"]);
    assert_eq!(listed["total"], json!(3), "{listed}");
    let next = listed["nextCursor"].as_str().expect("more");
    let path = format!("/sproutgate/api/admin/users?search=anna&limit=2&cursor={next}");
    let listed = world.get(&path).bearer(&token).quietly().await.json();
    assert_eq!((names(&listed, "/users", "account"), &listed["nextCursor"]), (vec!["anna1".to_owned()], &Value::Null));
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn a_new_name_or_address_is_found_and_the_old_one_is_not() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let alice = super::create(&mut world, &boss, "alice", "user").await;
    let body = json!({"username": "carol", "email": "c@example.org"});
    world.put(&format!("/api/v1/admin/users/{alice}"), body).bearer(&boss).quietly().await.is(200, 0);
    for (search, total) in [("alice", 0), ("carol", 1), ("c@example.org", 1)] {
        let path = format!("/api/v1/admin/users?search={search}");
        let listed = world.get(&path).bearer(&boss).quietly().await.json();
        assert_eq!(listed["data"]["total"], json!(total), "{search}");
    }
}

#[tokio::test]
async fn refused() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let api_token = world.api_token(&boss).await;
    world.register("alice", "secret123").await;
    let alice = world.sign_in("alice", "secret123").await;
    let path = "/api/v1/admin/users?search=ali";
    world.get(path).await;
    world.get(path).bearer("not-a-token").await;
    world.get(path).bearer(&alice).await;
    world.get(path).bearer(&api_token).await;
    let long = "x".repeat(255);
    world.get(&format!("/api/v1/admin/users?search={long}&size=0")).bearer(&boss).await;
    for query in ["search=ali&cursor=7&limit=0".to_owned(), format!("search={long}")] {
        world.get(&format!("/sproutgate/api/admin/users?{query}")).bearer(&boss).await;
    }
    insta::assert_snapshot!(world.transcript());
}
