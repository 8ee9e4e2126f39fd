//! The strict policy: a password that is chosen now is long enough and not common, wherever it is chosen.

use polygate_shared::identity::{AccountId, Change, PasswordHash};
use reqwest::Method;
use serde_json::{Value, json};

use crate::contracts::{CONTRACTS, registering};
use crate::support::World;

const GOOD: &str = "h7$kQ2!x";

async fn strict() -> World {
    World::with(|options| options.with("PASSWORD_POLICY", "strict")).await
}

#[tokio::test]
async fn registering_refuses_short_and_common_ones_in_each_contracts_words() {
    let mut world = strict().await;
    for contract in CONTRACTS {
        for password in ["Password1", "h7$kQ2!", "qwertyuiop"] {
            let (path, body) = registering(contract, "alice", "alice@example.com", password);
            let answer = world.post(path, body).await;
            assert_eq!(answer.status, 400, "{contract}: {}", answer.body);
            assert!(!answer.body.contains(password), "a password is never told again: {}", answer.body);
        }
    }
    insta::assert_snapshot!(world.transcript());
    for contract in CONTRACTS {
        let name = format!("{contract}-user");
        let (path, body) = registering(contract, &name, &format!("{name}@example.com"), GOOD);
        assert!(world.post(path, body).quietly().await.status.is_success(), "{contract}");
    }
}

#[tokio::test]
async fn so_does_every_other_place_where_one_is_chosen() {
    let mut world = strict().await;
    let first = world.sign_in("admin", "admin").await;
    let reset = |password| json!({"username": "boss", "email": "boss@example.com", "password": password});
    world.post("/kite/api/v1/auth/first-login-reset", reset("iloveyou")).bearer(&first).await.is(400, 40000);
    let boss = world.post("/kite/api/v1/auth/first-login-reset", reset(GOOD)).bearer(&first).quietly().await;
    let boss = boss.text("/data/access_token");
    world.register("alice", GOOD).await;
    let alice = world.sign_in("alice", GOOD).await;
    let profile = world.get("/kite/api/v1/profile").bearer(&alice).quietly().await;
    let path = format!("/kite/api/v1/admin/users/{}", profile.text("/data/id"));
    let change = |new: &str| -> Value {
        json!({
            "old_password": GOOD, "new_password": new, "currentPassword": GOOD, "newPassword": new, "password": new,
            "identifier": "alice", "account": "alice", "username": "bob", "code": "000000",
        })
    };
    for (method, path, token) in [
        (Method::POST, "/kite/api/v1/auth/change-password", &alice),
        (Method::POST, "/kite/api/v1/auth/password-reset/confirm", &alice),
        (Method::POST, "/kite/api/v1/admin/users", &boss),
        (Method::PUT, path.as_str(), &boss),
        (Method::PUT, "/zeaya/api/auth/password", &alice),
        (Method::PUT, "/sproutgate/api/auth/profile", &alice),
        (Method::POST, "/sproutgate/api/auth/reset-password", &alice),
        (Method::POST, "/sproutgate/api/admin/users", &boss),
        (Method::PUT, "/sproutgate/api/admin/users/alice", &boss),
        (Method::POST, "/mcphub/api/auth/change-password", &alice),
    ] {
        let answer = world.ask(method, path).bearer(token).json(change("Passw0rd")).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.body);
    }
    insta::assert_snapshot!(world.transcript());
    world.sign_in("alice", GOOD).await;
    let answer = world.put("/zeaya/api/auth/password", change("a-better-one")).bearer(&alice).quietly().await;
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test]
async fn one_that_exists_signs_in_whatever_it_is() {
    let mut lenient = World::start().await;
    lenient.register("alice", "secret").await;
    let hash = hash_of(&lenient, "alice").await;
    let mut world = strict().await;
    world.register("alice", GOOD).await;
    let session = world.sign_in("alice", GOOD).await;
    let profile = world.get("/kite/api/v1/profile").bearer(&session).quietly().await;
    let id = AccountId(profile.text("/data/id").parse().expect("a UUID"));
    let store = world.server.store();
    let mut read = store.account(id).await.expect("an answer").expect("an account");
    read.account.password = hash;
    let update = Change::UpdateAccount { account: &read.account, was: read.version };
    store.commit(&[update]).await.expect("an outcome").expect("nobody else");
    world.sign_in("alice", "secret").await;
}

async fn hash_of(world: &World, name: &str) -> PasswordHash {
    let accounts = world.server.store().list_accounts(0, 10).await.expect("accounts");
    let account = accounts.into_iter().find(|account| account.name.as_str() == name);
    account.expect("the account").password
}
