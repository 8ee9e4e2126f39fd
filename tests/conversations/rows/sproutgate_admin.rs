//! sproutgate: the administrator's side.

use serde_json::{Value, json};

use super::Trial;
use crate::admin::demo;

const USERS: &str = "/sproutgate/api/admin/users";

impl Trial {
    /// As whoever holds the deployment's administrator token, with the document's account made.
    async fn by_token_holder(test: &str) -> Self {
        let mut trial = Self::of(test).await;
        let token = trial.world.server.admin_token().reveal().to_owned();
        trial.world.post(USERS, demo()).bearer(&token).quietly().await.has(200);
        trial.token = Some(token);
        trial.path = trial.path.replace("{account}", "demo");
        trial
    }

    /// Every way to carry a good token and a bad one, the published default among these, then everybody else who may
    /// not. The request may succeed any number of times.
    async fn is_for_token_holders(&mut self, body: &Value) {
        let (path, token) = (self.path.clone(), self.token.take().expect("the token"));
        for (what, carried, good) in
            [("good", token.as_str(), true), ("bad", "not-the-token", false), ("published", "shumengya520", false)]
        {
            self.path = format!("{path}?token={carried}");
            let by_query = self.ask(&format!("a {what} one in the query"), body.clone()).await;
            self.path.clone_from(&path);
            self.world.note(&format!("a {what} one in the header"));
            let ask = self.world.ask(self.method.clone(), &path).header("x-admin-token", carried);
            let by_header = if body.is_null() { ask.await } else { ask.json(body.clone()).await };
            self.token = Some(carried.to_owned());
            let by_bearer = self.ask(&format!("a {what} bearer"), body.clone()).await;
            self.token = None;
            for answer in [by_query, by_header, by_bearer] {
                assert_eq!(answer.status.as_u16() != 401, good, "{}", answer.body);
            }
        }
        self.refuses_strangers(body).await;
        self.refuses_newcomers(body).await;
        self.refuses_programs(body).await;
        self.refuses_ordinary_people(body).await;
        self.token = Some(self.world.boss().await);
        let answer = self.ask("a signed-in administrator may", body.clone()).await;
        assert!(![401, 403].contains(&answer.status.as_u16()), "{}", answer.body);
        self.token = Some(token);
    }
}

#[tokio::test]
async fn sproutgate_get_admin_users() {
    let mut trial = Trial::by_token_holder("sproutgate_get_admin_users").await;
    trial.ask("all", Value::Null).await.has(200);
    trial.path = format!("{USERS}?limit=1");
    let cursor = trial.ask("some", Value::Null).await.text("/nextCursor");
    trial.path = format!("{USERS}?limit=1&cursor={cursor}");
    trial.ask("the rest", Value::Null).await.has(200);
    trial.path = format!("{USERS}?limit=0&cursor=x");
    trial.ask("out of range", Value::Null).await.has(400);
    trial.path = USERS.to_owned();
    trial.is_for_token_holders(&Value::Null).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_post_admin_users() {
    let mut trial = Trial::by_token_holder("sproutgate_post_admin_users").await;
    trial.ask("taken", demo()).await.has(409);
    let mut other = demo();
    other["account"] = json!("other");
    trial.ask("its address taken", other.clone()).await.has(409);
    other["email"] = json!("other@example.com");
    trial.ask("a further address taken", other.clone()).await.has(409);
    other["secondaryEmails"] = json!([]);
    trial.ask("made", other).await.has(200);
    let bad = json!({
        "account": "ab", "password": "short", "username": "x".repeat(65), "email": "nowhere", "level": -1,
        "sproutCoins": 9_007_199_254_740_992_i64, "secondaryEmails": ["nowhere"], "phone": "1".repeat(33),
        "avatarUrl": "javascript:alert(1)", "bio": "x".repeat(4097),
    });
    trial.ask("out of range", bad).await.has(400);
    trial.refuses_bodies(&demo()).await;
    trial.is_for_token_holders(&json!({"account": "admin", "password": "demo123"})).await;
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_put_admin_user() {
    let mut trial = Trial::by_token_holder("sproutgate_put_admin_user").await;
    let good = json!({
        "password": "newpass", "username": "新昵称", "level": 1, "secondaryEmails": ["demo2@example.com"], "sproutCoins": 99,
    });
    trial.ask("changed", good.clone()).await.has(200);
    trial.world.sign_in("demo", "newpass").await;
    trial.world.register("owner", "secret123").await;
    trial.ask("another's address", json!({"email": "owner@example.com"})).await.has(409);
    trial.ask("another's further address", json!({"secondaryEmails": ["owner@example.com"]})).await.has(409);
    trial.ask("out of range", json!({"password": "short", "level": -1, "email": "nowhere"})).await.has(400);
    let eleven: Vec<_> = (0..11).map(|nth| format!("demo{nth}@example.com")).collect();
    trial.ask("too many", json!({"secondaryEmails": eleven})).await.has(400);
    trial.refuses_bodies(&good).await;
    trial.is_for_token_holders(&json!({"level": 2})).await;
    trial.path = format!("{USERS}/nobody");
    trial.ask("nobody", good).await.has(404);
    insta::assert_snapshot!(trial.told());
}

#[tokio::test]
async fn sproutgate_delete_admin_user() {
    let mut trial = Trial::by_token_holder("sproutgate_delete_admin_user").await;
    let session = trial.world.sign_in("demo", "demo123").await;
    trial.ask("gone", Value::Null).await.has(200);
    trial.world.get("/sproutgate/api/auth/me").bearer(&session).await.has(401);
    trial.ask("once", Value::Null).await.has(404);
    trial.is_for_token_holders(&Value::Null).await;
    trial.path = format!("{USERS}/boss");
    trial.ask("the last administrator", Value::Null).await.has(409);
    insta::assert_snapshot!(trial.told());
}
