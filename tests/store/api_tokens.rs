//! API tokens: kept beside their account, read with it, and marked as used without being brought back.

use std::time::Duration;

use polygate_shared::identity::{ApiToken, ApiTokenId, Change, Hashed, Store};
use serde_json::json;
use uuid::Uuid;

use crate::engine::Engine;
use crate::values::*;

fn token(number: u128, expires_in: Option<i64>) -> ApiToken {
    serde_json::from_value(json!({
        "id": Uuid::from_u128(number),
        "account": id(1).0,
        "name": "backup",
        "secret": Hashed::of(b"secret"),
        "generation": 0,
        "created_at": NOON.unix_timestamp(),
        "expires_at": expires_in.map(|seconds| NOON.unix_timestamp() + seconds),
        "last_used": null,
    }))
    .expect("a token")
}

async fn commit(engine: &Engine, change: Change<'_>) {
    engine.store.commit(&[change]).await.expect("an outcome").expect("no condition");
}

async fn kept(engine: &Engine, token: ApiTokenId) -> Option<ApiToken> {
    engine.store.account_and_api_token(id(1), token).await.expect("an answer").1
}

#[tokio::test]
async fn are_added_read_with_their_account_listed_and_dropped() {
    let engine = Engine::start().await;
    let account = account(1);
    commit(&engine, Change::CreateAccount(&account)).await;
    commit(&engine, Change::OpenSession(&session(account.id, 1))).await;
    let (older, newer) = (token(7, Some(60)), token(8, None));
    commit(&engine, Change::AddApiToken(&newer)).await;
    commit(&engine, Change::AddApiToken(&older)).await;
    assert_eq!(engine.store.api_tokens(id(1)).await.expect("tokens"), [older.clone(), newer.clone()]);
    assert_eq!(engine.store.api_tokens(id(2)).await.expect("tokens"), []);
    let (owner, read) = engine.store.account_and_api_token(id(1), older.id).await.expect("an answer");
    assert_eq!((owner.map(|owner| owner.account), read), (Some(account), Some(older.clone())));
    let place = (format!("account#{}", id(1)), format!("token#{}", older.id));
    assert_eq!(engine.expiry(place.0, place.1).await, NOON.unix_timestamp() + 60 + 86_400);
    for _ in 0..2 {
        commit(&engine, Change::DropApiToken { account: id(1), token: older.id }).await;
        assert_eq!(kept(&engine, older.id).await, None);
    }
    assert_eq!(engine.store.api_tokens(id(1)).await.expect("tokens"), [newer]);
}

#[tokio::test]
async fn a_use_is_noted_forwards_only_and_brings_nothing_back() {
    let engine = Engine::start().await;
    let token = token(7, None);
    commit(&engine, Change::AddApiToken(&token)).await;
    let later = NOON.replace_nanosecond(0).expect("whole seconds") + Duration::from_secs(60);
    for (at, expected) in [(later, later), (later - Duration::from_secs(30), later)] {
        engine.store.note_use(&token, at).await.expect("an answer");
        assert_eq!(kept(&engine, token.id).await.and_then(|kept| kept.last_used), Some(expected));
    }
    commit(&engine, Change::DropApiToken { account: id(1), token: token.id }).await;
    engine.store.note_use(&token, later + Duration::from_secs(60)).await.expect("no error either");
    assert_eq!(kept(&engine, token.id).await, None);
}
