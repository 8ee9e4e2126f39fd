//! Sessions of an account: kept beside it, and listed without what else stands there.

use polygate_shared::identity::{Change, Store};

use crate::engine::Engine;
use crate::values::*;

#[tokio::test]
async fn are_listed_without_their_account_and_its_tokens() {
    let engine = Engine::start().await;
    let account = account(1);
    let mine: Vec<_> = (1..=60).map(|number| session(account.id, number)).collect();
    let theirs = session(id(2), 99);
    let mut changes = vec![Change::CreateAccount(&account), Change::OpenSession(&theirs)];
    changes.extend(mine.iter().map(Change::OpenSession));
    engine.store.commit(&changes).await.expect("an outcome").expect("no condition");
    let mut listed = engine.store.sessions(account.id).await.expect("sessions");
    listed.sort_by_key(|session| session.id.0);
    assert_eq!(listed, mine);
    engine.store.end_session(account.id, mine[0].id).await.expect("an answer");
    assert_eq!(engine.store.sessions(account.id).await.expect("sessions").len(), 59);
    assert_eq!(engine.store.sessions(id(3)).await.expect("sessions"), []);
}
