//! What was written is read again, whole, in order and strongly consistent.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use polygate_shared::aws::dynamodb::{DynamoStore, create_table};
use polygate_shared::identity::{Change, ClaimKind, CodeKey, Hashed, KeyRecord, MailLog, Picture, Store, Version};
use serde_json::{Value, json};

use crate::engine::{Engine, TABLE};
use crate::values::*;

async fn commit(engine: &Engine, changes: &[Change<'_>]) {
    engine.store.commit(changes).await.expect("an outcome").expect("no refusal");
}

#[tokio::test]
async fn values_come_back_as_they_were() {
    let engine = Engine::start().await;
    for number in [1, 2] {
        let (account, session) = (account(number), session(id(number), number));
        let bare = bare_session(id(number), 10 + number);
        commit(&engine, &[Change::CreateAccount(&account)]).await;
        commit(&engine, &[Change::OpenSession(&session), Change::OpenSession(&bare)]).await;
        let (owner, opened) = engine.store.account_and_session(account.id, session.id).await.expect("an answer");
        let owner = owner.expect("an account");
        assert_eq!((owner.account, owner.version), (account.clone(), Version(1)));
        // A session's instants are kept to the second.
        assert_eq!(opened, Some(session));
        let (_, opened) = engine.store.account_and_session(account.id, bare.id).await.expect("an answer");
        assert_eq!(opened, Some(bare));
    }
    let (owner, opened) = engine.store.account_and_session(id(1), session_id(99)).await.expect("an answer");
    assert!(owner.is_some() && opened.is_none());
    let (owner, opened) = engine.store.account_and_session(id(99), session_id(1)).await.expect("an answer");
    assert!(owner.is_none() && opened.is_none());
}

#[tokio::test]
async fn pictures_are_kept_as_bytes_until_they_are_dropped() {
    let engine = Engine::start().await;
    let picture = Picture::from_stored(&[0xff, 0xd8, 0, 0xff, 0xd9]);
    assert_eq!(engine.store.picture(7).await.expect("an answer"), None);
    commit(&engine, &[Change::KeepPicture { number: 7, picture: picture.clone() }]).await;
    assert_eq!(engine.store.picture(7).await.expect("an answer"), Some(picture.clone()));
    assert_eq!(engine.store.picture(77).await.expect("an answer"), None);
    let item = engine.item("avatar#7".to_owned(), "picture".to_owned()).await;
    assert_eq!(item["jpeg"].as_b().expect("binary").as_ref(), picture.jpeg());
    for _ in 0..2 {
        commit(&engine, &[Change::DropPicture { number: 7 }]).await;
        assert_eq!(engine.store.picture(7).await.expect("an answer"), None);
    }
}

#[tokio::test]
async fn codes_come_back_with_their_own_expiry() {
    let engine = Engine::start().await;
    let mut codes = [challenge("a@b.co", "111111"), challenge("c@d.co", "222222")];
    codes[1].pending = None;
    for code in &codes {
        commit(&engine, &[Change::IssueChallenge(code)]).await;
    }
    assert_eq!(engine.store.challenges(&challenge_key()).await.expect("codes"), codes);
    let expiry = engine.expiry("code#register#alice".to_owned(), "a@b.co".to_owned()).await;
    assert_eq!(expiry, codes[0].expires_at.unix_timestamp() + 3600);
}

#[tokio::test]
async fn claims_are_found_whatever_is_looked_for() {
    let engine = Engine::start().await;
    let long = "ﷺ".repeat(5000);
    for claim in [name("alice", id(1)), email("a@b.co", id(1), false), name(&long, id(2))] {
        commit(&engine, &[Change::TakeClaim(claim)]).await;
    }
    let wanted = [
        (ClaimKind::Name, "alice".to_owned()),
        (ClaimKind::Name, "alice".to_owned()),
        (ClaimKind::Email, "alice".to_owned()),
        (ClaimKind::Email, "a@b.co".to_owned()),
        (ClaimKind::Name, String::new()),
        (ClaimKind::Name, long.clone()),
        (ClaimKind::Name, "x".repeat(100_000)),
    ];
    let mut found = engine.store.claims(&wanted).await.expect("claims");
    found.sort_by_key(|claim| claim.key.len());
    assert_eq!(found, [name("alice", id(1)), email("a@b.co", id(1), false), name(&long, id(2))]);
    assert_eq!(engine.store.claims(&[]).await.expect("claims"), []);
}

#[tokio::test]
async fn settings_and_keys_are_kept() {
    let engine = Engine::start().await;
    let store = &engine.store;
    let record = store.signing_record().await.expect("an answer");
    assert!(record.issuer.is_none() && record.keys.is_empty() && record.code_key.is_none());
    let key = |sequence: u64| -> KeyRecord {
        let record = json!({ "sequence": sequence, "pkcs8": "AA", "created_at": NOON.unix_timestamp() });
        serde_json::from_value(record).expect("a key")
    };
    for sequence in [10, 2, 1] {
        assert!(store.commit(&[Change::AddSigningKey(&key(sequence))]).await.expect("an outcome").is_ok());
    }
    assert!(store.commit(&[Change::AddSigningKey(&key(2))]).await.expect("an outcome").is_err());
    assert!(store.fix_issuer("https://one.example").await.expect("an outcome"));
    assert!(!store.fix_issuer("https://two.example").await.expect("an outcome"));
    assert!(store.add_code_key(&CodeKey::new("one")).await.expect("an outcome"));
    assert!(!store.add_code_key(&CodeKey::new("two")).await.expect("an outcome"));
    let record = store.signing_record().await.expect("an answer");
    assert_eq!(record.code_key.as_ref().map(CodeKey::reveal), Some("one"));
    assert_eq!(record.issuer.as_deref(), Some("https://one.example"));
    assert_eq!(record.keys, [key(1), key(2), key(10)]);

    assert_eq!(store.admin_token().await.expect("an answer"), None);
    for token in ["one", "two"] {
        store.set_admin_token(&Hashed::of(token.as_bytes())).await.expect("set");
        assert_eq!(store.admin_token().await.expect("an answer"), Some(Hashed::of(token.as_bytes())));
    }
    assert_eq!(store.mail_log("never@mailed.co").await.expect("a log"), MailLog::empty("never@mailed.co"));
}

#[tokio::test]
async fn accounts_are_listed_in_order_and_counted() {
    let engine = Engine::start().await;
    assert_eq!(engine.store.list_accounts(0, 10).await.expect("a list"), []);
    assert_eq!(engine.store.count_accounts().await.expect("a count"), 0);
    // With gaps, and with far more in some of the listing's partitions than in others.
    let numbers: Vec<u64> = (1..=60).filter(|number| number % 8 == 3 || number % 7 == 0).chain([1000]).collect();
    for number in &numbers {
        let account = account(*number);
        commit(&engine, &[Change::CreateAccount(&account)]).await;
    }
    assert_eq!(engine.store.count_accounts().await.expect("a count"), numbers.len() as u64);
    for (after, limit) in [(0, 100), (0, 5), (7, 1), (8, 4), (11, 9), (59, 1), (59, 9), (1000, 3), (0, 0)] {
        let wanted = numbers.iter().copied().filter(|number| *number > after).take(limit as usize);
        // With what was asked for, so that a failure tells it.
        let ask = async || {
            let listed = engine.store.list_accounts(after, limit).await.expect("a list");
            (after, limit, listed.iter().map(|account| account.number).collect())
        };
        engine.comes_to((after, limit, wanted.collect::<Vec<_>>()), ask).await;
    }
    let listed = engine.store.list_accounts(0, 1).await.expect("a list");
    assert_eq!(listed, [account(numbers[0])], "the index carries the whole account");
}

#[tokio::test]
async fn a_table_that_exists_is_fine() {
    let engine = Engine::start().await;
    create_table(&engine.client, TABLE).await.expect("no error");
}

/// Keeps what is sent.
#[derive(Debug, Clone, Default)]
struct Listener(Arc<Mutex<Vec<(String, Value)>>>);

impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "Listener"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        let body = serde_json::from_slice(request.body().bytes().unwrap_or_default())?;
        self.0.lock().expect("not poisoned").push((target.rsplit('.').next().unwrap_or_default().to_owned(), body));
        Ok(())
    }
}

#[tokio::test]
async fn reads_that_decide_are_strongly_consistent_and_one_round_trip() {
    let engine = Engine::start().await;
    let listener = Listener::default();
    let config = aws_sdk_dynamodb::config::Builder::from(&engine.config).interceptor(listener.clone()).build();
    let store = DynamoStore::new(
        aws_sdk_dynamodb::Client::from_conf(config),
        TABLE,
        std::sync::Arc::new(polygate_shared::identity::SystemChance::default()),
    );

    store.claims(&[(ClaimKind::Name, "a".to_owned()), (ClaimKind::Email, "b".to_owned())]).await.expect("an answer");
    store.claims_and_settings(&[(ClaimKind::Name, "a".to_owned())]).await.expect("an answer");
    store.runtime_settings().await.expect("an answer");
    store.account(id(1)).await.expect("an answer");
    store.accounts(&[id(1), id(2)]).await.expect("an answer");
    store.account_and_session(id(1), session_id(1)).await.expect("an answer");
    store.challenges(&challenge_key()).await.expect("an answer");
    store.mail_log("a@b.co").await.expect("an answer");
    store.signing_record().await.expect("an answer");
    store.admin_token().await.expect("an answer");
    store.count_accounts().await.expect("an answer");

    let seen = std::mem::take(&mut *listener.0.lock().expect("not poisoned"));
    let operations: Vec<_> = seen.iter().map(|(operation, _)| operation.as_str()).collect();
    let expected = [
        "BatchGetItem",
        "BatchGetItem",
        "GetItem",
        "GetItem",
        "BatchGetItem",
        "BatchGetItem",
        "Query",
        "GetItem",
        "Query",
        "GetItem",
        "BatchGetItem",
    ];
    assert_eq!(operations, expected);
    for (operation, body) in &seen {
        let consistent = match operation.as_str() {
            "BatchGetItem" => &body["RequestItems"][TABLE]["ConsistentRead"],
            _ => &body["ConsistentRead"],
        };
        assert_eq!(consistent, &Value::Bool(true), "{operation}: {body}");
    }

    // The listing is an index, which can't be read so.
    store.list_accounts(0, 10).await.expect("an answer");
    let seen = std::mem::take(&mut *listener.0.lock().expect("not poisoned"));
    assert_eq!(seen.len(), 8);
    assert!(seen.iter().all(|(_, body)| body["IndexName"] == "listing" && body["ConsistentRead"].is_null()));
}
