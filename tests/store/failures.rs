//! Conflicts, throttling and lost answers, which the engine never shows: a stand-in does.

use std::time::Duration;

use polygate_shared::aws::client;
use polygate_shared::aws::dynamodb::DynamoStore;
use polygate_shared::identity::{Change, ClaimKind, Error, Store, Version};
use serde_json::{Value, json};

use crate::engine::{StandIn, TABLE};
use crate::values::*;

fn error(code: &str) -> String {
    json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "as told" }).to_string()
}

fn cancelled(reasons: &[&str]) -> String {
    let reasons: Vec<_> = reasons.iter().map(|code| json!({ "Code": code })).collect();
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    })
    .to_string()
}

#[track_caller]
fn assert_unavailable<T: std::fmt::Debug>(outcome: Result<T, Error>, seconds: u64) -> String {
    match outcome {
        Err(Error::Unavailable { retry_after, cause }) => {
            assert_eq!(retry_after, Duration::from_secs(seconds));
            format!("{cause:#}")
        }
        other => panic!("{other:?} is not unavailable"),
    }
}

async fn transact(table: &StandIn) -> Result<Result<(), String>, Error> {
    let changes = [Change::TakeClaim(name("alice", id(1))), Change::TakeClaim(email("a@b.co", id(1), true))];
    Ok(table.store().commit(&changes).await?.map_err(|refused| format!("{refused:?}")))
}

#[tokio::test]
async fn a_transaction_waits_for_others() {
    let busy = cancelled(&["None", "TransactionConflict"]);
    let table = StandIn::start(move |nth, _| if nth < 3 { (400, busy.clone()) } else { (200, "{}".to_owned()) }).await;
    assert_eq!(transact(&table).await.expect("an outcome"), Ok(()));
    assert!(table.seen().iter().all(|seen| seen.operation == "TransactWriteItems"));
    let tokens: Vec<_> = table.seen().iter().map(|seen| seen.body["ClientRequestToken"].clone()).collect();
    assert_eq!(tokens.len(), 4);
    assert!(tokens.iter().all(Value::is_string));
}

#[tokio::test]
async fn a_transaction_does_not_wait_for_ever() {
    let table = StandIn::start(|_, _| (400, cancelled(&["TransactionConflict", "ThrottlingError"]))).await;
    assert_unavailable(transact(&table).await, 1);
    assert_eq!(table.seen().len(), 8);
}

#[tokio::test]
async fn a_failed_condition_counts_more_than_a_conflict() {
    let table = StandIn::start(|_, _| (400, cancelled(&["TransactionConflict", "ConditionalCheckFailed"]))).await;
    assert_eq!(transact(&table).await.expect("an outcome"), Err("EmailTaken".to_owned()));
    assert_eq!(table.seen().len(), 1);
}

#[tokio::test]
async fn a_transaction_that_can_never_work_is_our_fault() {
    let table = StandIn::start(|_, _| (400, cancelled(&["ValidationError", "None"]))).await;
    let outcome = transact(&table).await;
    assert!(matches!(outcome, Err(Error::Internal(_))), "{outcome:?}");
    assert_eq!(table.seen().len(), 1);
}

#[tokio::test]
async fn a_single_write_waits_for_transactions() {
    let table = StandIn::start(|nth, _| match nth {
        0 | 1 => (400, error("TransactionConflictException")),
        _ => (200, "{}".to_owned()),
    })
    .await;
    assert!(table.store().reserve_guess(&challenge("a@b.co", "111111"), 5).await.expect("an outcome"));
    assert_eq!(table.seen().len(), 3);

    let table = StandIn::start(|_, _| (400, error("TransactionConflictException"))).await;
    assert_unavailable(table.store().end_session(id(1), session_id(1)).await, 1);
    assert_eq!(table.seen().len(), 8);
}

#[tokio::test]
async fn what_passes_is_unavailable_and_the_rest_is_our_fault() {
    for (status, code) in [(400, "ThrottlingException"), (400, "RequestLimitExceeded"), (500, "InternalServerError")] {
        let table = StandIn::start(move |_, _| (status, error(code))).await;
        let cause = assert_unavailable(table.store().account(id(1)).await, 1);
        assert!(cause.starts_with("GetItem: "), "{cause}");
        assert_eq!(table.seen().len(), 4, "the SDK tries {code} again, but not for ever");
    }
    for code in ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"] {
        let table = StandIn::start(move |_, _| (400, error(code))).await;
        let outcome = table.store().account(id(1)).await;
        assert!(matches!(&outcome, Err(Error::Internal(cause)) if format!("{cause:#}").starts_with("GetItem: ")));
        assert_eq!(table.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_table_that_cannot_be_reached_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let nowhere = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = client::dynamodb(&client::connect_local(nowhere).expect("a configuration"));
    assert_unavailable(
        DynamoStore::new(client, TABLE, std::sync::Arc::new(polygate_shared::identity::SystemChance::default()))
            .account(id(1))
            .await,
        1,
    );
}

#[tokio::test]
async fn an_update_whose_answer_was_lost_has_taken_place() {
    // The first attempt is applied and its answer lost; the second one finds the account as the first one left it.
    let applied = std::sync::Mutex::new(Value::Null);
    let table = StandIn::start(move |nth, body| {
        let mut applied = applied.lock().expect("not poisoned");
        if nth == 0 {
            *applied = body["Item"].clone();
            return (500, error("InternalServerError"));
        }
        let failed = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException";
        (400, json!({ "__type": failed, "Item": *applied }).to_string())
    })
    .await;
    let account = account(1);
    let (store, update) = (table.store(), Change::UpdateAccount { account: &account, was: Version(1) });
    let first = store.commit(std::slice::from_ref(&update)).await.expect("an outcome");
    assert!(first.is_ok() && table.seen().len() == 2);
    // Another update of the same content meets somebody else's work.
    let second = store.commit(&[update]).await.expect("an outcome");
    assert!(second.is_err() && table.seen().len() == 3);
}

#[tokio::test]
async fn what_a_batch_leaves_is_asked_for_again() {
    let table = StandIn::start(|nth, body| {
        let answer = match nth {
            0 => json!({ "Responses": {}, "UnprocessedKeys": body["RequestItems"] }),
            _ => json!({ "Responses": {}, "UnprocessedKeys": {} }),
        };
        (200, answer.to_string())
    })
    .await;
    let wanted = [(ClaimKind::Name, "alice".to_owned())];
    assert_eq!(table.store().claims(&wanted).await.expect("claims"), []);
    let seen = table.seen();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0].body, seen[1].body);

    let table = StandIn::start(|_, body| {
        (200, json!({ "Responses": {}, "UnprocessedKeys": body["RequestItems"] }).to_string())
    })
    .await;
    assert_unavailable(table.store().claims(&wanted).await, 1);
}

#[tokio::test]
async fn a_table_that_is_down_is_not_stormed() {
    let table = StandIn::start(|_, _| (500, error("InternalServerError"))).await;
    let config = client::connect_local(&table.endpoint).expect("a configuration");
    // What retries are paid from is shared by all clients of a process, and is this test's own here.
    let own = aws_sdk_dynamodb::config::retry::RetryPartition::new("a table that is down");
    let config = aws_sdk_dynamodb::config::Builder::from(&config).retry_partition(own).build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let chance = std::sync::Arc::new(polygate_shared::identity::SystemChance::default());
    let store = DynamoStore::new(client, TABLE, chance);
    futures_util::future::join_all((0..300).map(|_| store.account(id(1)))).await;
    // A hundred retries in all (fewer where some are dearer, being after a time-out), and then none: not three for each of
    // the three hundred.
    let asked = table.seen().len();
    assert!((301..=300 + 100).contains(&asked), "{asked}");
    assert_unavailable(store.account(id(1)).await, 1);
    assert_eq!(table.seen().len(), asked + 1);
}

#[tokio::test]
async fn a_table_that_never_answers_is_given_up_in_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let silent = format!("http://{}", listener.local_addr().expect("an address"));
    let config = client::connect_local(silent).expect("a configuration");
    let (attempt, call) = (Duration::from_millis(200), Duration::from_millis(500));
    let bounds = aws_config::timeout::TimeoutConfig::builder().operation_attempt_timeout(attempt);
    let bounds = bounds.operation_timeout(call).build();
    let config = aws_sdk_dynamodb::config::Builder::from(&config).timeout_config(bounds).build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let chance = std::sync::Arc::new(polygate_shared::identity::SystemChance::default());
    let store = DynamoStore::new(client, TABLE, chance);
    let began = std::time::Instant::now();
    let cause = assert_unavailable(store.account(id(1)).await, 1);
    assert!(cause.contains("timeout"), "{cause}");
    // Of a read and of a write, which nobody knows to have taken place.
    assert_unavailable(store.end_session(id(1), session_id(1)).await, 1);
    assert!(began.elapsed() < 10 * call, "{:?}", began.elapsed());
}
