use reqwest::Method;
use serde_json::json;

use super::create;
use crate::support::World;

#[tokio::test]
async fn make_change_and_deactivate() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let body = json!({
        "username": "alice", "nickname": "Alice", "email": "alice@example.com", "password": "secret123", "role": "user",
        "storage_limit": 1024, "is_active": true,
    });
    let alice = world.post("/api/v1/admin/users", body).bearer(&boss).await.text("/data/id");
    let plain = json!({"username": "bob", "email": "bob@example.com", "password": "secret123"});
    world.post("/api/v1/admin/users", plain).bearer(&boss).await;
    let off = json!({"username": "carl", "email": "carl@example.com", "password": "secret123", "is_active": false});
    let carl = world.post("/api/v1/admin/users", off).bearer(&boss).await.text("/data/id");
    world.post("/api/v1/auth/login", json!({"username": "carl", "password": "secret123"})).await;
    let path = format!("/api/v1/admin/users/{alice}");
    let token = world.sign_in("alice", "secret123").await;
    world.note("what doesn't end a session");
    let body = json!({"username": "Alicia", "nickname": "", "email": "alicia@example.com", "storage_limit": -1,
        "role": "user", "is_active": true});
    world.put(&path, body).bearer(&boss).await;
    world.get("/api/v1/profile").bearer(&token).await;
    world.note("the old name is free, the new one is not");
    for name in ["alice", "alicia"] {
        let body = json!({"username": name, "email": format!("new-{name}@example.com"), "password": "secret123"});
        world.post("/api/v1/auth/register", body).await;
    }
    world.note("what does: a role");
    world.put(&path, json!({"role": "admin"})).bearer(&boss).await;
    world.get("/api/v1/profile").bearer(&token).await;
    let token = world.sign_in("alicia", "secret123").await;
    world.get("/api/v1/admin/users?size=1").bearer(&token).await;
    world.note("a password");
    world.put(&path, json!({"password": "secret456"})).bearer(&boss).await;
    world.get("/api/v1/profile").bearer(&token).await;
    world.note("deactivation, of which a second one changes nothing");
    let login = json!({"username": "alicia", "password": "secret456"});
    let refresh = world.post("/api/v1/auth/login", login.clone()).quietly().await.text("/data/refresh_token");
    for _ in 0..2 {
        world.ask(Method::DELETE, &path).bearer(&boss).await;
    }
    world.post("/api/v1/auth/refresh", json!({"refresh_token": refresh})).await;
    world.post("/api/v1/auth/login", login.clone()).await;
    world.note("and back: the old tokens stay dead");
    world.put(&path, json!({"is_active": true})).bearer(&boss).await;
    world.post("/api/v1/auth/refresh", json!({"refresh_token": refresh})).await;
    world.sign_in("alicia", "secret456").await;
    world.put(&format!("/api/v1/admin/users/{carl}"), json!({"is_active": true})).bearer(&boss).quietly().await;
    world.sign_in("carl", "secret123").await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn refusals() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let alice = create(&mut world, &boss, "alice", "user").await;
    let path = format!("/api/v1/admin/users/{alice}");
    for body in [
        json!({}),
        json!({"username": "Alice", "email": "new@example.com", "password": "secret123"}),
        json!({"username": "new", "email": "ALICE@example.com", "password": "secret123"}),
        json!({"username": "Admin", "email": "new@example.com", "password": "secret123"}),
        json!({"username": "ab", "email": "nowhere", "password": "short", "nickname": "x".repeat(33), "role": "root",
            "storage_limit": -2, "is_active": "yes"}),
    ] {
        world.post("/api/v1/admin/users", body).bearer(&boss).await;
    }
    for body in [
        json!({"username": "BOSS"}),
        json!({"username": "admin"}),
        json!({"email": "boss@example.com"}),
        json!({"username": "eve@example.com"}),
        json!({"role": "Admin", "password": "short"}),
    ] {
        world.put(&path, body).bearer(&boss).await;
    }
    world.note("a name that is the account's own address, there already or coming with it");
    world.put(&path, json!({"username": "alice@example.com"})).bearer(&boss).await;
    world.put(&path, json!({"username": "al@example.com", "email": "al@example.com"})).bearer(&boss).await;
    world.note("a form sent back whole changes nothing, whatever the lengths");
    let long = "a-name-that-mcphub-takes-and-kite-would-not-give";
    world.post("/mcphub/api/auth/register", json!({"username": long, "password": "secret123"})).quietly().await;
    let listed = world.get("/api/v1/admin/users").bearer(&boss).quietly().await.json();
    let mut form = listed["data"]["items"].as_array().expect("items").last().expect("an account").clone();
    assert_eq!((&form["username"], &form["nickname"]), (&json!(long), &json!(long)));
    let whole = form["id"].as_str().expect("an id").to_owned();
    form.as_object_mut().expect("an object").retain(|key, _| key != "id" && key != "user_id");
    world.put(&format!("/api/v1/admin/users/{whole}"), form).bearer(&boss).await;
    world.note("ids of nobody");
    for id in ["01990000-0000-7000-8000-000000000000", "1", "alice", "%ff", "%00"] {
        let path = format!("/api/v1/admin/users/{id}");
        world.put(&path, json!({})).bearer(&boss).quietly().await.is(404, 40400);
        world.ask(Method::DELETE, &path).bearer(&boss).quietly().await.is(404, 40400);
    }
    world.put("/api/v1/admin/users/%ff", json!({})).bearer(&boss).await;
    world.note("not for everybody");
    let user = world.sign_in("al@example.com", "secret123").await;
    for (method, path) in [(Method::POST, "/api/v1/admin/users"), (Method::PUT, &path), (Method::DELETE, &path)] {
        world.ask(method.clone(), path).await;
        world.ask(method.clone(), path).bearer(&user).await;
        world.ask(method, path).bearer("not-a-token").quietly().await.is(401, 40101);
    }
    world.ask(Method::PATCH, &path).bearer(&boss).await;
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn by_cookie_only_from_its_own_pages() {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let alice = create(&mut world, &boss, "alice", "user").await;
    let (path, cookie) = (format!("/api/v1/admin/users/{alice}"), format!("access_token={boss}"));
    let body = json!({"username": "eve", "email": "eve@example.com", "password": "secret123"});
    let foreign = "https://evil.example.com";
    world.post("/api/v1/admin/users", body.clone()).header("cookie", &cookie).header("origin", foreign).await;
    world.put(&path, json!({"role": "admin"})).header("cookie", &cookie).header("origin", foreign).await;
    world.ask(Method::DELETE, &path).header("cookie", &cookie).header("origin", foreign).await;
    let own = world.base_url().to_owned();
    let made = world.post("/api/v1/admin/users", body).header("cookie", &cookie).header("origin", &own).quietly().await;
    assert_eq!(made.status, 201, "{}", made.body);
    let changed =
        world.put(&path, json!({"nickname": "A"})).header("cookie", &cookie).header("origin", &own).quietly().await;
    assert_eq!((changed.status.as_u16(), changed.text("/data/nickname").as_str()), (200, "A"));
    let deactivated = world.ask(Method::DELETE, &path).header("cookie", &cookie).quietly().await;
    assert_eq!(deactivated.status, 200, "no page, no origin: {}", deactivated.body);
    insta::assert_snapshot!(world.transcript());
}
