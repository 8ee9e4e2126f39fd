//! Every change under its condition, once as it holds and once as it fails.

use std::time::Duration;

use polygate_shared::identity::{Account, Change, Claim, ClaimKind, Refused, RuntimeSettings, Store, Version};

use crate::engine::Engine;
use crate::values::*;

/// `Ok`, or the name of the refusal.
async fn commit(engine: &Engine, changes: &[Change<'_>]) -> Result<(), String> {
    let outcome = engine.store.commit(changes).await.expect("an outcome");
    outcome.map_err(|refused: Refused| format!("{refused:?}"))
}

fn stale() -> Result<(), String> {
    Err("Stale".to_owned())
}

async fn owner(engine: &Engine, kind: ClaimKind, key: &str) -> Option<Claim> {
    engine.store.claims(&[(kind, key.to_owned())]).await.expect("claims").pop()
}

#[tokio::test]
async fn nothing_to_do_is_done() {
    let engine = Engine::start().await;
    assert_eq!(commit(&engine, &[]).await, Ok(()));
}

#[tokio::test]
async fn an_account_is_created_once_and_counted_once() {
    let engine = Engine::start().await;
    let account = account(1);
    assert_eq!(commit(&engine, &[Change::CreateAccount(&account)]).await, Ok(()));
    assert_eq!(commit(&engine, &[Change::CreateAccount(&account)]).await, stale());
    assert_eq!(engine.store.count_accounts().await.expect("a count"), 1);
    let stored = engine.store.account(account.id).await.expect("an answer").expect("an account");
    assert_eq!((stored.account, stored.version), (account, Version(1)));
}

#[tokio::test]
async fn an_account_is_updated_only_as_it_was_read() {
    let engine = Engine::start().await;
    let account = account(2);
    commit(&engine, &[Change::CreateAccount(&account)]).await.expect("an account");
    let richer = Account { coins: 7, ..account.clone() };
    assert_eq!(commit(&engine, &[Change::UpdateAccount { account: &richer, was: Version(1) }]).await, Ok(()));
    assert_eq!(commit(&engine, &[Change::UpdateAccount { account: &account, was: Version(1) }]).await, stale());
    assert_eq!(commit(&engine, &[Change::UpdateAccount { account: &account, was: Version(3) }]).await, stale());
    let stored = engine.store.account(account.id).await.expect("an answer").expect("an account");
    assert_eq!((stored.account, stored.version), (richer, Version(2)));
    let nobody = Account { id: id(99), ..account };
    assert_eq!(commit(&engine, &[Change::UpdateAccount { account: &nobody, was: Version(1) }]).await, stale());
}

#[tokio::test]
async fn an_account_is_deleted_only_as_it_was_read() {
    let engine = Engine::start().await;
    let (gone, stays) = (account(1), account(17));
    let delete = |was| Change::DeleteAccount { account: gone.id, was: Version(was) };
    assert_eq!(commit(&engine, &[delete(1)]).await, stale(), "it was never there");
    commit(&engine, &[Change::CreateAccount(&gone)]).await.expect("an account");
    commit(&engine, &[Change::CreateAccount(&stays)]).await.expect("an account of the same shard");
    assert_eq!(commit(&engine, &[delete(2)]).await, stale());
    assert_eq!(engine.store.count_accounts().await.expect("a count"), 2);
    assert_eq!(commit(&engine, &[delete(1)]).await, Ok(()));
    assert!(engine.store.account(gone.id).await.expect("an answer").is_none());
    assert_eq!(engine.store.count_accounts().await.expect("a count"), 1);
    engine.comes_to(vec![stays], async || engine.store.list_accounts(0, 9).await.expect("a list")).await;
    assert_eq!(commit(&engine, &[delete(1)]).await, stale(), "once");
    assert_eq!(commit(&engine, &[Change::UpdateAccount { account: &gone, was: Version(1) }]).await, stale());
}

#[tokio::test]
async fn the_last_administrator_does_not_leave() {
    let engine = Engine::start().await;
    let last = Err("LastAdministrator".to_owned());
    let (join, leave) = (|nth| Change::JoinAdministrators(id(nth)), |nth| Change::LeaveAdministrators(id(nth)));
    assert_eq!(commit(&engine, &[leave(1)]).await, last, "there is none at all");
    assert_eq!(commit(&engine, &[join(1)]).await, Ok(()));
    assert_eq!(commit(&engine, &[join(1)]).await, Ok(()), "twice is once");
    assert_eq!(commit(&engine, &[leave(1)]).await, last);
    assert_eq!(commit(&engine, &[join(2)]).await, Ok(()));
    assert_eq!(commit(&engine, &[leave(1)]).await, Ok(()));
    assert_eq!(commit(&engine, &[leave(2)]).await, last);
    let nobody = account(9);
    let stale_too = [Change::UpdateAccount { account: &nobody, was: Version(1) }, leave(2)];
    assert_eq!(commit(&engine, &stale_too).await, stale(), "another decision may be another");
}

#[tokio::test]
async fn a_name_or_address_has_one_owner() {
    let engine = Engine::start().await;
    assert_eq!(commit(&engine, &[Change::TakeClaim(name("alice", id(1)))]).await, Ok(()));
    assert_eq!(commit(&engine, &[Change::TakeClaim(name("alice", id(1)))]).await, Ok(()), "it is the same account's");
    assert_eq!(commit(&engine, &[Change::TakeClaim(name("alice", id(2)))]).await, Err("NameTaken".to_owned()));
    assert_eq!(owner(&engine, ClaimKind::Name, "alice").await, Some(name("alice", id(1))));
    // A name is no address.
    assert_eq!(commit(&engine, &[Change::TakeClaim(email("alice", id(2), false))]).await, Ok(()));
    assert_eq!(commit(&engine, &[Change::TakeClaim(email("alice", id(1), true))]).await, Err("EmailTaken".to_owned()));
    assert_eq!(owner(&engine, ClaimKind::Email, "alice").await, Some(email("alice", id(2), false)));
}

#[tokio::test]
async fn what_was_proved_stays_proved() {
    let engine = Engine::start().await;
    for (verified, after) in [(false, false), (true, true), (false, true)] {
        commit(&engine, &[Change::TakeClaim(email("a@b.co", id(1), verified))]).await.expect("the same account");
        assert_eq!(owner(&engine, ClaimKind::Email, "a@b.co").await, Some(email("a@b.co", id(1), after)));
    }
}

#[tokio::test]
async fn an_unproved_address_yields_to_its_prover() {
    let engine = Engine::start().await;
    let take_over = |to, from| Change::TakeOverClaim { claim: email("a@b.co", id(to), true), from: id(from) };
    assert_eq!(commit(&engine, &[take_over(2, 1)]).await, stale(), "there is nothing to take over");
    commit(&engine, &[Change::TakeClaim(email("a@b.co", id(1), false))]).await.expect("a free address");
    assert_eq!(commit(&engine, &[take_over(2, 3)]).await, stale(), "somebody else has it");
    assert_eq!(commit(&engine, &[take_over(2, 1)]).await, Ok(()));
    assert_eq!(owner(&engine, ClaimKind::Email, "a@b.co").await, Some(email("a@b.co", id(2), true)));
    assert_eq!(commit(&engine, &[take_over(3, 2)]).await, stale(), "it is proved");
}

#[tokio::test]
async fn only_the_owner_gives_a_claim_free() {
    let engine = Engine::start().await;
    commit(&engine, &[Change::TakeClaim(name("alice", id(1)))]).await.expect("a free name");
    assert_eq!(commit(&engine, &[Change::ReleaseClaim(name("alice", id(2)))]).await, stale());
    assert_eq!(commit(&engine, &[Change::ReleaseClaim(name("alice", id(1)))]).await, Ok(()));
    assert_eq!(owner(&engine, ClaimKind::Name, "alice").await, None);
    assert_eq!(commit(&engine, &[Change::ReleaseClaim(name("alice", id(1)))]).await, stale());
}

#[tokio::test]
async fn a_session_is_kept_while_it_exists_and_is_of_the_old_generation() {
    let engine = Engine::start().await;
    let session = session(id(1), 1);
    let keep = Change::KeepSession { account: id(1), session: session.id, from: session.generation, generation: 9 };
    assert_eq!(commit(&engine, std::slice::from_ref(&keep)).await, stale());
    assert_eq!(commit(&engine, &[Change::OpenSession(&session)]).await, Ok(()));
    assert_eq!(commit(&engine, std::slice::from_ref(&keep)).await, Ok(()));
    let (_, kept) = engine.store.account_and_session(id(1), session.id).await.expect("an answer");
    assert_eq!(kept.expect("a session").generation, 9);
    assert_eq!(commit(&engine, std::slice::from_ref(&keep)).await, stale(), "it is of the new one already");
    engine.store.end_session(id(1), session.id).await.expect("ended");
    engine.store.end_session(id(1), session.id).await.expect("ending it twice is no error");
    assert_eq!(commit(&engine, &[keep]).await, stale());
}

#[tokio::test]
async fn a_code_is_used_once_and_only_while_it_is_the_one() {
    let engine = Engine::start().await;
    let first = challenge("a@b.co", "111111");
    let second = challenge("A@B.co", "222222");
    let using = |challenge| Change::UseChallenge { challenge, account: id(1) };
    assert_eq!(commit(&engine, &[using(&first)]).await, stale(), "it was never issued");
    commit(&engine, &[Change::IssueChallenge(&first)]).await.expect("issued");
    commit(&engine, &[Change::IssueChallenge(&second)]).await.expect("issued in its place");
    assert_eq!(commit(&engine, &[using(&first)]).await, stale(), "another one took its place");
    assert_eq!(commit(&engine, &[using(&second)]).await, Ok(()));
    assert_eq!(commit(&engine, &[using(&second)]).await, stale(), "it is used up");
    let stored = engine.store.challenges(&challenge_key()).await.expect("codes");
    assert_eq!(stored.iter().map(|code| code.used_by).collect::<Vec<_>>(), [Some(id(1))]);
}

#[tokio::test]
async fn a_code_is_prolonged_and_dropped_only_while_it_is_the_one() {
    let engine = Engine::start().await;
    let (first, second) = (challenge("a@b.co", "111111"), challenge("a@b.co", "222222"));
    let (mut first_later, mut second_later) = (first.clone(), second.clone());
    first_later.expires_at += Duration::from_secs(60);
    second_later.expires_at += Duration::from_secs(60);
    let kept = async || engine.store.challenges(&challenge_key()).await.expect("codes");
    assert_eq!(commit(&engine, &[Change::ProlongChallenge(&first_later)]).await, stale(), "it was never issued");
    assert_eq!(commit(&engine, &[Change::DropChallenge(&first)]).await, stale());
    commit(&engine, &[Change::IssueChallenge(&second)]).await.expect("issued");
    assert_eq!(commit(&engine, &[Change::ProlongChallenge(&first_later)]).await, stale(), "another is in its place");
    assert_eq!(commit(&engine, &[Change::DropChallenge(&first)]).await, stale());
    assert_eq!(kept().await, std::slice::from_ref(&second));

    assert!(engine.store.reserve_guess(&second, 5).await.expect("an outcome"));
    assert_eq!(commit(&engine, &[Change::ProlongChallenge(&second_later)]).await, Ok(()));
    let mut guessed = second_later.clone();
    guessed.guesses = 1;
    assert_eq!(kept().await, [guessed], "the guess still counts");
    let expiry = engine.expiry("code#register#alice".to_owned(), "a@b.co".to_owned()).await;
    assert_eq!(expiry, second_later.expires_at.unix_timestamp() + 3600);
    for _ in 0..4 {
        assert!(engine.store.reserve_guess(&second, 5).await.expect("an outcome"));
    }
    assert_eq!(commit(&engine, &[Change::ProlongChallenge(&second_later)]).await, stale(), "no guess is left");
    assert_eq!(commit(&engine, &[Change::DropChallenge(&second)]).await, Ok(()));
    assert_eq!(kept().await, []);

    commit(&engine, &[Change::IssueChallenge(&first)]).await.expect("issued");
    commit(&engine, &[Change::UseChallenge { challenge: &first, account: id(1) }]).await.expect("used");
    assert_eq!(commit(&engine, &[Change::ProlongChallenge(&first_later)]).await, stale(), "it is used up");
}

#[tokio::test]
async fn mails_are_recorded_one_after_the_other() {
    let engine = Engine::start().await;
    let (one, two) = (log(1, 1), log(2, 2));
    assert_eq!(commit(&engine, &[Change::RecordMail { log: &two, was: 1 }]).await, stale(), "there is none yet");
    assert_eq!(commit(&engine, &[Change::RecordMail { log: &one, was: 0 }]).await, Ok(()));
    assert_eq!(commit(&engine, &[Change::RecordMail { log: &one, was: 0 }]).await, stale());
    assert_eq!(commit(&engine, &[Change::RecordMail { log: &two, was: 1 }]).await, Ok(()));
    assert_eq!(commit(&engine, &[Change::RecordMail { log: &two, was: 1 }]).await, stale());
    assert_eq!(engine.store.mail_log("a@b.co").await.expect("a log"), two);
    let expiry = engine.expiry("mail#a@b.co".to_owned(), "log".to_owned()).await;
    assert_eq!(expiry, NOON.unix_timestamp() + 60 + 2 * 3600);
    // The last mail could not be sent after all, and the log still goes some day.
    let none = log(3, 0);
    assert_eq!(commit(&engine, &[Change::RecordMail { log: &none, was: 2 }]).await, Ok(()));
    assert_eq!(engine.store.mail_log("a@b.co").await.expect("a log"), none);
    assert_eq!(engine.expiry("mail#a@b.co".to_owned(), "log".to_owned()).await, expiry);
}

#[tokio::test]
async fn settings_are_changed_only_as_they_were_read() {
    let engine = Engine::start().await;
    let nothing = RuntimeSettings::default();
    let wanted = [(ClaimKind::Name, "alice".to_owned()), (ClaimKind::Name, "nobody".to_owned())];
    assert_eq!(engine.store.runtime_settings().await.expect("an answer"), nothing);
    assert_eq!(engine.store.claims_and_settings(&wanted).await.expect("an answer"), (Vec::new(), nothing));
    commit(&engine, &[Change::TakeClaim(name("alice", id(1)))]).await.expect("a free name");
    let first = RuntimeSettings { allow_registration: Some(false), default_storage_limit: None, version: 1 };
    let second = RuntimeSettings { allow_registration: None, default_storage_limit: Some(-1), version: 2 };
    let change = |settings, was| Change::ChangeSettings { settings, was };
    assert_eq!(commit(&engine, &[change(&second, 1)]).await, stale(), "nothing was set yet");
    assert_eq!(commit(&engine, &[change(&first, 0)]).await, Ok(()));
    assert_eq!(commit(&engine, &[change(&first, 0)]).await, stale());
    assert_eq!(commit(&engine, &[change(&second, 1)]).await, Ok(()));
    assert_eq!(commit(&engine, &[change(&second, 1)]).await, stale());
    assert_eq!(engine.store.runtime_settings().await.expect("an answer"), second);
    let both = engine.store.claims_and_settings(&wanted).await.expect("an answer");
    assert_eq!(both, (vec![name("alice", id(1))], second));
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let engine = Engine::start().await;
    assert_eq!(commit(&engine, &[Change::MarkFirstAdministrator]).await, Ok(()));
    assert_eq!(commit(&engine, &[Change::MarkFirstAdministrator]).await, stale());
}

#[tokio::test]
async fn all_changes_or_none_and_the_plainest_reason() {
    let engine = Engine::start().await;
    commit(&engine, &[Change::TakeClaim(name("alice", id(1))), Change::TakeClaim(email("a@b.co", id(1), true))])
        .await
        .expect("free");
    commit(&engine, &[Change::MarkFirstAdministrator]).await.expect("never marked");
    let newcomer = account(2);
    let all = || {
        vec![
            Change::MarkFirstAdministrator,
            Change::TakeClaim(email("a@b.co", id(2), true)),
            Change::TakeClaim(name("alice", id(2))),
            Change::CreateAccount(&newcomer),
        ]
    };
    assert_eq!(commit(&engine, &all()).await, Err("NameTaken".to_owned()));
    let mut without_name = all();
    without_name.remove(2);
    assert_eq!(commit(&engine, &without_name).await, Err("EmailTaken".to_owned()));
    without_name.remove(1);
    assert_eq!(commit(&engine, &without_name).await, stale());
    assert!(engine.store.account(id(2)).await.expect("an answer").is_none());
    assert_eq!(engine.store.count_accounts().await.expect("a count"), 0);
}
