use reqwest::Method;
use serde_json::{Value, json};

use super::demo;
use crate::support::World;

#[tokio::test]
async fn make_change_and_delete() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.note("the document's own requests");
    world.post("/sproutgate/api/admin/users", demo()).bearer(&token).await;
    let signed_in = world.sign_in("demo", "demo123").await;
    let update = json!({
        "password": "newpass", "username": "新昵称", "level": 1, "secondaryEmails": ["demo2@example.com"], "sproutCoins": 99,
    });
    world.put("/sproutgate/api/admin/users/demo", update).bearer(&token).await;
    world.note("the new password ended the session");
    world.get("/sproutgate/api/auth/me").bearer(&signed_in).await;
    let signed_in = world.sign_in("demo", "newpass").await;
    world.note("nothing else does");
    let update = json!({"username": "", "email": "other@example.com", "phone": "", "avatarUrl": "", "bio": ""});
    world.put("/sproutgate/api/admin/users/demo", update).bearer(&token).await;
    world.get("/sproutgate/api/auth/me").bearer(&signed_in).await;
    world.note("nothing to change, and a name that is sent along");
    world.put("/sproutgate/api/admin/users/demo", json!({"account": "someone"})).bearer(&token).await;
    world.note("gone, with its sessions");
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/demo").bearer(&token).await;
    world.get("/sproutgate/api/auth/me").bearer(&signed_in).await;
    world.get("/kite/api/v1/profile").bearer(&signed_in).await;
    world.post("/sproutgate/api/auth/verify", json!({"token": signed_in})).await;
    world.post("/sproutgate/api/auth/login", json!({"account": "demo", "password": "newpass"})).await;
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/demo").bearer(&token).await;
    world.put("/sproutgate/api/admin/users/demo", json!({"level": 2})).bearer(&token).await;
    world.note("its name and addresses are free again");
    let again = json!({"account": "DEMO", "password": "demo123", "email": "demo2@example.com",
        "secondaryEmails": ["other@example.com", "demo@example.com"]});
    world.post("/sproutgate/api/admin/users", again).bearer(&token).await;
    let listed = world.get("/sproutgate/api/admin/users").bearer(&token).quietly().await.json();
    let names: Vec<_> = listed["users"].as_array().expect("users").iter().map(|user| user["account"].clone()).collect();
    assert_eq!((&listed["total"], names), (&json!(2), vec![json!("admin"), json!("DEMO")]));
    world.note("the old session does not come back with the name");
    world.get("/sproutgate/api/auth/me").bearer(&signed_in).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn ways_to_carry_the_token() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    let boss = world.boss().await;
    let user = |name: &str| json!({"account": name, "password": "demo123"});
    world.post(&format!("/sproutgate/api/admin/users?token={token}"), user("anna")).await;
    world.post("/sproutgate/api/admin/users", user("berta")).header("x-admin-token", &token).await;
    world.post("/sproutgate/api/admin/users", user("carla")).bearer(&boss).await;
    let level = json!({"level": 3});
    world.put(&format!("/sproutgate/api/admin/users/anna?token={token}"), level.clone()).await;
    world.put("/sproutgate/api/admin/users/anna", level.clone()).header("x-admin-token", &token).await;
    world.put("/sproutgate/api/admin/users/anna", level.clone()).bearer(&boss).await;
    world.ask(Method::DELETE, &format!("/sproutgate/api/admin/users/anna?token={token}")).await;
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/berta").header("x-admin-token", &token).await;
    world.note("refused, whether or not there is such an account");
    let carla = world.sign_in("carla", "demo123").await;
    for path in ["/sproutgate/api/admin/users/carla", "/sproutgate/api/admin/users/nobody"] {
        world.put(path, level.clone()).await;
        world.put(path, level.clone()).header("x-admin-token", "shumengya520").await;
        world.put(path, level.clone()).bearer(&carla).await;
        world.ask(Method::DELETE, path).await;
        world.ask(Method::DELETE, path).bearer(&carla).await;
    }
    world.post("/sproutgate/api/admin/users", user("eve")).await;
    world.post("/sproutgate/api/admin/users", user("eve")).bearer(&carla).await;
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/carla").bearer(&boss).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn refusals() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.post("/sproutgate/api/admin/users", demo()).bearer(&token).quietly().await;
    world.register("anna", "demo123").await;
    let mut post = Vec::new();
    let with = |field: &str, value: Value| {
        let mut body = json!({"account": "newbie", "password": "demo123"});
        body[field] = value;
        body
    };
    post.push(json!({}));
    for taken in ["Demo", "ＤＥＭＯ", "admin", "ADMIN"] {
        post.push(with("account", taken.into()));
    }
    for taken in ["DEMO@example.com", "demo2@example.com", "anna@example.com"] {
        post.push(with("email", taken.into()));
        post.push(with("secondaryEmails", json!(["new@example.com", taken])));
    }
    post.push(with("account", "somebody@example.com".into()));
    post.push(json!({
        "account": "ab", "password": "short", "username": "x".repeat(65), "email": "nowhere", "level": -1, "sproutCoins": 1.5,
        "secondaryEmails": ["a@b.co", "nobody", ""], "phone": 1, "avatarUrl": "javascript:alert(1)", "bio": [],
    }));
    post.push(with("secondaryEmails", json!("a@b.co")));
    post.push(with("secondaryEmails", (0..11).map(|nth| format!("u{nth}@example.com")).collect()));
    for body in post {
        world.post("/sproutgate/api/admin/users?lang=en", body).bearer(&token).await;
    }
    world.ask(Method::POST, "/sproutgate/api/admin/users").raw("application/json", "[1]").bearer(&token).await;
    world.note("changes");
    for body in [
        json!({"password": "short", "level": "high"}),
        json!({"password": ""}),
        json!({"email": "anna@example.com"}),
        json!({"secondaryEmails": ["anna@example.com"]}),
    ] {
        world.put("/sproutgate/api/admin/users/demo", body).bearer(&token).await;
    }
    world.note("the account is as it was");
    world.put("/sproutgate/api/admin/users/demo", json!({})).bearer(&token).await;
    world.note("paths that name nobody, and a method that is not there");
    for name in ["nobody", "%ff%fe", "demo@example.com", "%20"] {
        let path = format!("/sproutgate/api/admin/users/{name}?lang=en");
        world.put(&path, json!({})).bearer(&token).await;
        world.ask(Method::DELETE, &path).bearer(&token).await;
    }
    world.ask(Method::PATCH, "/sproutgate/api/admin/users/demo").bearer(&token).await;
    world.ask(Method::DELETE, "/sproutgate/api/admin/users/").bearer(&token).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn names_in_any_case_and_script() {
    let names = [
        ("萌芽用户", ["%E8%90%8C%E8%8A%BD%E7%94%A8%E6%88%B7", "萌芽用户"]),
        ("Änne B.", ["%C3%84NNE%20B.", "a%CC%88nne%20b."]),
        ("100%", ["100%25", "%EF%BC%91%EF%BC%90%EF%BC%90%EF%BC%85"]),
        ("a+b", ["a+b", "A%2BB"]),
    ];
    are_found(&names).await;
}

#[tokio::test]
async fn a_name_with_a_slash() {
    are_found(&[("a/b+c", ["a%2Fb+c", "A%2fB%2BC"])]).await;
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    for method in [Method::PUT, Method::DELETE] {
        let asked = world.ask(method, "/sproutgate/api/admin/users/a%2Fb?lang=en").json(json!({})).bearer(&token);
        let answer = asked.quietly().await;
        assert_eq!((answer.status.as_u16(), answer.text("/error").as_str()), (404, "Not found"), "nobody has it");
    }
}

/// Accounts are changed and deleted by their names, written in these ways.
async fn are_found(names: &[(&str, [&str; 2])]) {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    for (name, paths) in names {
        for path in paths {
            let body = json!({"account": name, "password": "demo123"});
            let made = world.post("/sproutgate/api/admin/users", body).bearer(&token).quietly().await;
            assert_eq!(made.status, 200, "{}", made.body);
            let path = format!("/sproutgate/api/admin/users/{path}");
            let changed = world.put(&path, json!({"level": 5})).bearer(&token).quietly().await;
            assert_eq!((changed.text("/user/account").as_str(), &changed.json()["user"]["level"]), (*name, &json!(5)));
            let deleted = world.ask(Method::DELETE, &path).bearer(&token).quietly().await;
            assert_eq!(deleted.body, "{\"deleted\":true}");
        }
    }
    assert_eq!(world.server.store().count_accounts().await.expect("a count"), 1);
}

#[tokio::test]
async fn further_addresses_belong_to_one_account() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    world.post("/sproutgate/api/admin/users", demo()).bearer(&token).quietly().await;
    world.note("signing in with one, and nobody else gets it");
    world.post("/sproutgate/api/auth/login", json!({"account": "Demo2@example.com", "password": "demo123"})).await;
    let taken = json!({"username": "other", "email": "DEMO2@example.com", "password": "demo123"});
    world.post("/kite/api/v1/auth/register", taken.clone()).await;
    world.note("the primary one, and one that is there twice, are left out");
    let list = json!(["demo3@example.com", "DEMO3@example.com", "Demo@example.com"]);
    world.put("/sproutgate/api/admin/users/demo", json!({"secondaryEmails": list})).bearer(&token).await;
    world.note("removed ones are free");
    world.post("/kite/api/v1/auth/register", taken).await;
    world.note("promoted, with the old primary kept as a further one");
    let swap = json!({"email": "demo3@example.com", "secondaryEmails": ["demo@example.com"]});
    world.put("/sproutgate/api/admin/users/demo", swap).bearer(&token).await;
    world.note("promoted, and the old primary let go");
    world.put("/sproutgate/api/admin/users/demo", json!({"email": "demo@example.com"})).bearer(&token).await;
    world.note("none at all");
    world.put("/sproutgate/api/admin/users/demo", json!({"email": "", "secondaryEmails": []})).bearer(&token).await;
    let free = json!({"username": "third", "email": "demo@example.com", "password": "demo123"});
    world.post("/kite/api/v1/auth/register", free).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn what_an_administrator_set_is_proved_and_what_was_there_stays_as_it_was() {
    let mut world = World::start().await;
    let token = world.server.admin_token().reveal().to_owned();
    // Somebody claims another's address, and an administrator sends the whole form back.
    world.register("squatter", "demo123").await;
    let form = json!({"email": "Squatter@example.com", "level": 1});
    world.put("/sproutgate/api/admin/users/squatter", form).bearer(&token).quietly().await;
    world.post("/sproutgate/api/admin/users", demo()).bearer(&token).quietly().await;
    world.note("the squatter's address still yields to its owner");
    for (name, email) in [("owner", "squatter@example.com"), ("guest", "demo@example.com")] {
        let body = json!({"account": name, "password": "demo123", "username": "", "email": email});
        world.post("/sproutgate/api/auth/register", body).await;
    }
    let code = world.code_for("squatter@example.com");
    world.post("/sproutgate/api/auth/verify-email", json!({"account": "owner", "code": code})).await;
    world.note("the administrator's doesn't: its owner is told instead");
    let told = world.mails_to("demo@example.com");
    world.note(&told.join("; "));
    insta::assert_snapshot!(world.transcript());
}
