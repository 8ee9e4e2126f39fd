//! kite: the administrator's accounts.

use serde_json::{Value, json};

use super::Trial;

const USERS: &str = "/kite/api/v1/admin/users";

fn user(name: &str) -> Value {
    json!({
        "username": name, "nickname": "Al", "email": format!("{name}@example.com"), "password": "secret123", "role": "user",
        "storage_limit": 1024, "is_active": true,
    })
}

impl Trial {
    /// As the first administrator.
    async fn by_boss(test: &str) -> Self {
        let mut trial = Self::of(test).await;
        trial.token = Some(trial.world.boss().await);
        trial
    }

    /// Who may not, whatever the request.
    async fn is_for_administrators(&mut self, body: &Value) {
        self.refuses_strangers(body).await;
        self.refuses_newcomers(body).await;
        self.refuses_programs(body).await;
        self.refuses_ordinary_people(body).await;
        let own = self.token.replace(self.world.server.admin_token().reveal().to_owned());
        let answer = self.ask("whoever has the deployment's token may", body.clone()).await;
        assert_ne!(answer.status.as_u16() / 100, 5, "{}", answer.body);
        assert!(![401, 403].contains(&answer.status.as_u16()), "{}", answer.body);
        self.token = own;
    }

    /// Asks it of this account.
    async fn of_new_user(&mut self, name: &str) {
        let boss = self.bearer();
        let made = self.world.post(USERS, user(name)).bearer(&boss).quietly().await;
        self.path = format!("{USERS}/{}", made.text("/data/id"));
    }

    /// Asks it of whoever asks: the only administrator.
    async fn of_oneself(&mut self) {
        let boss = self.bearer();
        let own = self.world.get("/kite/api/v1/profile").bearer(&boss).quietly().await;
        self.path = format!("{USERS}/{}", own.text("/data/id"));
    }

    /// Nobody's id, and what is none.
    async fn finds_nobody(&mut self, body: &Value) {
        for (what, id) in [("nobody's id", "01990000-0000-7000-8000-000000000000"), ("no id", "nothing")] {
            self.path = format!("{USERS}/{id}");
            self.ask(what, body.clone()).await.is(404, 40400);
        }
    }
}

#[tokio::test]
async fn kite_get_admin_users() {
    let mut trial = Trial::by_boss("kite_get_admin_users").await;
    trial.world.register("alice", "secret123").await;
    trial.ask("all", Value::Null).await.is(200, 0);
    trial.path = format!("{USERS}?page=2&size=1");
    trial.ask("a page", Value::Null).await.is(200, 0);
    trial.path = format!("{USERS}?page=0&size=101");
    trial.ask("out of range", Value::Null).await.is(400, 40000);
    trial.path = format!("{USERS}?page=one&size=-1");
    trial.ask("no numbers", Value::Null).await.is(400, 40000);
    trial.path = USERS.to_owned();
    trial.is_for_administrators(&Value::Null).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_post_admin_users() {
    let mut trial = Trial::by_boss("kite_post_admin_users").await;
    trial.ask("made", user("alice")).await.is(201, 0);
    trial.ask("name taken", user("ALICE")).await.is(409, 40900);
    let mut taken = user("bob");
    taken["email"] = json!("alice@example.com");
    trial.ask("address taken", taken).await.is(409, 40900);
    let bad = json!({
        "username": "ab", "nickname": "x".repeat(33), "email": "nowhere", "password": "short", "role": "king",
        "storage_limit": -2, "is_active": true,
    });
    trial.ask("out of range", bad).await.is(400, 40000);
    trial.refuses_bodies(&user("bob")).await;
    trial.is_for_administrators(&user("bob")).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_put_admin_user() {
    let mut trial = Trial::by_boss("kite_put_admin_user").await;
    trial.of_new_user("alice").await;
    let good = json!({"nickname": "Alice Liu", "storage_limit": -1, "is_active": true});
    trial.ask("changed", good.clone()).await.is(200, 0);
    trial.ask("nothing to change", json!({})).await.is(200, 0);
    trial.ask("out of range", json!({"username": "ab", "role": "king", "storage_limit": -2})).await.is(400, 40000);
    trial.ask("name taken", json!({"username": "BOSS"})).await.is(409, 40900);
    trial.ask("address taken", json!({"email": "BOSS@example.com"})).await.is(409, 40900);
    trial.refuses_bodies(&good).await;
    trial.is_for_administrators(&good).await;
    trial.of_oneself().await;
    trial.ask("the last administrator, demoted", json!({"role": "user"})).await.is(409, 40901);
    trial.ask("the last administrator, disabled", json!({"is_active": false})).await.is(409, 40901);
    trial.finds_nobody(&good).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_delete_admin_users_sessions() {
    let mut trial = Trial::by_boss("kite_delete_admin_users_sessions").await;
    trial.of_new_user("alice").await;
    trial.path.push_str("/sessions");
    let session = trial.world.sign_in("alice", "secret123").await;
    let program = trial.world.api_token(&session).await;
    trial.ask("all of hers", Value::Null).await.is(200, 0);
    for token in [session, program] {
        trial.world.get("/kite/api/v1/profile").bearer(&token).await.is(401, 40102);
    }
    trial.world.note("her password stays");
    let again = trial.world.sign_in("alice", "secret123").await;
    let trail = trial.world.get("/kite/api/v1/audit").bearer(&again).quietly().await.body;
    assert!(trail.contains("\"action\":\"sessions_ended\""), "{trail}");
    trial.is_for_administrators(&Value::Null).await;
    trial.of_oneself().await;
    trial.path.push_str("/sessions");
    trial.ask("one's own", Value::Null).await.is(200, 0);
    trial.ask("the session that asked is over too", Value::Null).await.is(401, 40102);
    let boss = json!({"username": "boss", "password": "strong-new-password"});
    trial.token = Some(trial.world.post("/kite/api/v1/auth/login", boss).quietly().await.text("/data/access_token"));
    for (what, id) in [("nobody's id", "01990000-0000-7000-8000-000000000000"), ("no id", "nothing")] {
        trial.path = format!("{USERS}/{id}/sessions");
        trial.ask(what, Value::Null).await.is(404, 40400);
    }
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn kite_delete_admin_user() {
    let mut trial = Trial::by_boss("kite_delete_admin_user").await;
    trial.of_new_user("alice").await;
    let session = trial.world.sign_in("alice", "secret123").await;
    trial.ask("disabled", Value::Null).await.is(200, 0);
    trial.world.get("/kite/api/v1/profile").bearer(&session).await.is(401, 40102);
    trial.ask("again", Value::Null).await.is(200, 0);
    trial.is_for_administrators(&Value::Null).await;
    trial.of_oneself().await;
    trial.ask("the last administrator", Value::Null).await.is(409, 40901);
    trial.finds_nobody(&Value::Null).await;
    insta::assert_snapshot!(trial.told());
}
