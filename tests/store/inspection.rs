//! Whether a table is sound: each rule by a violation that is planted, found, and mended where that is safe.

use aws_sdk_dynamodb::types::AttributeValue;
use polygate_shared::aws::dynamodb::{Ground, Inspection, Mended, Put, Report};
use polygate_shared::identity::{
    Account, AccountId, AttemptKey, AuditEvent, Avatar, Change, Claim, ClaimKind, CountedOn, Counting, Finding, Hashed,
    Name, Picture, Role, Store, Version,
};
use serde_json::{Value, json};

use crate::engine::{Engine, TABLE};
use crate::values::*;

async fn commit(engine: &Engine, changes: &[Change<'_>]) {
    engine.store.commit(changes).await.expect("an outcome").expect("no refusal");
}

async fn inspect(engine: &Engine, repair: bool) -> Report {
    Inspection { repair, now: NOON }.of(&engine.store, &mut |_| {}).await.expect("a report")
}

fn told(report: &Report) -> Vec<String> {
    let mended = |mended| match mended {
        Mended::Not => "",
        Mended::Yes => " [mended]",
        Mended::Moved => " [moved]",
    };
    report.found.iter().map(|one| format!("{}{}", one.defect, mended(one.mended))).collect()
}

fn claim(kind: ClaimKind, key: &str, account: AccountId) -> Claim {
    Claim { kind, key: key.to_owned(), account, verified: true }
}

fn claims(account: &Account) -> Vec<Change<'static>> {
    let name = claim(ClaimKind::Name, &account.name.key(), account.id);
    let email = account.email.iter().map(|email| claim(ClaimKind::Email, &email.address.key(), account.id));
    let others = account.secondary_emails.iter().map(|address| claim(ClaimKind::Email, &address.key(), account.id));
    std::iter::once(name).chain(email).chain(others).map(Change::TakeClaim).collect()
}

/// A pool of an administrator (1) and a person with two addresses, a session and an API token (2).
async fn pool() -> Engine {
    let engine = Engine::start().await;
    let administrator = Account { role: Role::Admin, ..account(1) };
    let mut changes = vec![Change::CreateAccount(&administrator), Change::JoinAdministrators(administrator.id)];
    changes.extend(claims(&administrator));
    commit(&engine, &changes).await;
    let person = account(2);
    let (session, token) = (session(person.id, 1), api_token(person.id, 1));
    let mut changes = vec![Change::CreateAccount(&person), Change::OpenSession(&session), Change::AddApiToken(&token)];
    changes.extend(claims(&person));
    commit(&engine, &changes).await;
    for _ in 0..2 {
        engine.store.next_account_number().await.expect("a number");
    }
    let report = inspect(&engine, true).await;
    assert_eq!((told(&report), report.accounts), (Vec::new(), 2));
    engine
}

/// Found, then mended or not, and found again where it is not.
async fn assert_found(engine: &Engine, expected: &[&str], safe: bool) {
    let found = inspect(engine, false).await;
    assert_eq!(told(&found), expected);
    let mended = inspect(engine, true).await;
    let end = if safe { " [mended]" } else { "" };
    let with_end: Vec<_> = expected.iter().map(|text| format!("{text}{end}")).collect();
    assert_eq!(told(&mended), with_end);
    let again = inspect(engine, false).await;
    assert_eq!(told(&again), if safe { &[] } else { expected });
    assert_eq!(again.is_sound(), safe);
}

async fn set(engine: &Engine, pk: &str, sk: &str, expression: &str, value: AttributeValue) {
    let request = engine.client.update_item().table_name(TABLE).update_expression(expression);
    let request = request.key("pk", AttributeValue::S(pk.to_owned())).key("sk", AttributeValue::S(sk.to_owned()));
    let names = [
        "account",
        "count",
        "verified",
        "listing",
        "initial",
        "session",
        "guesses",
        "challenge",
        "password",
        "refresh",
        "current",
    ];
    let names = names.into_iter().filter(|name| expression.contains(&format!("#{name}")));
    let request = names.fold(request, |request, name| request.expression_attribute_names(format!("#{name}"), name));
    request.expression_attribute_values(":value", value).send().await.expect("written");
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

#[tokio::test]
async fn an_account_without_its_claim() {
    let engine = pool().await;
    commit(&engine, &[Change::ReleaseClaim(claim(ClaimKind::Name, "person2", id(2)))]).await;
    let expected = format!("account {} has the name \"person2\", which nobody holds", id(2));
    assert_found(&engine, &[&expected], true).await;
}

#[tokio::test]
async fn a_claim_without_its_account() {
    let engine = pool().await;
    commit(&engine, &[Change::TakeClaim(claim(ClaimKind::Name, "nobody", id(9)))]).await;
    commit(&engine, &[Change::TakeClaim(claim(ClaimKind::Email, "former@example.com", id(1)))]).await;
    let expected = [
        format!("the name \"nobody\" is held by account {}, which isn't there", id(9)),
        format!("the address \"former@example.com\" is held by account {}, which hasn't got it", id(1)),
    ];
    assert_found(&engine, &[&expected[0], &expected[1]], true).await;
}

#[tokio::test]
async fn two_accounts_with_one_address() {
    let engine = pool().await;
    let mut other = account(1);
    other.email = account(2).email;
    let other = Account { role: Role::Admin, ..other };
    commit(&engine, &[Change::UpdateAccount { account: &other, was: Version(1) }]).await;
    let expected = format!("account {} has the address \"p2@example.com\", which is held by account {}", id(1), id(2));
    assert_found(&engine, &[&expected], false).await;
}

#[tokio::test]
async fn an_address_whose_proof_is_in_doubt() {
    let engine = pool().await;
    set(&engine, "email#p2@example.com", "claim", "SET #verified = :value", AttributeValue::Bool(false)).await;
    let expected =
        format!("account {} has the address \"p2@example.com\" as proved, but its claim says otherwise", id(2));
    assert_found(&engine, &[&expected], true).await;
}

#[tokio::test]
async fn administrators_who_are_not_listed_or_wrongly() {
    let engine = pool().await;
    commit(&engine, &[Change::JoinAdministrators(id(2))]).await;
    commit(&engine, &[Change::LeaveAdministrators(id(1))]).await;
    let expected = [
        format!("account {} is an active administrator, and isn't listed as one", id(1)),
        format!("account {} is listed as an active administrator, and is none", id(2)),
    ];
    assert_found(&engine, &[&expected[0], &expected[1]], true).await;
}

#[tokio::test]
async fn what_is_open_to_accounts_that_are_gone_or_disabled() {
    let engine = pool().await;
    commit(&engine, &[Change::OpenSession(&session(id(9), 5)), Change::AddApiToken(&api_token(id(9), 6))]).await;
    commit(&engine, &[Change::OpenPending(&pending(id(9)))]).await;
    let disabled = Account { active: false, session_generation: 3, ..account(2) };
    commit(&engine, &[Change::UpdateAccount { account: &disabled, was: Version(1) }]).await;
    let expected = [
        format!("session {} is open to account {}, which is disabled", session_id(1), id(2)),
        format!("API token {} is open to account {}, which is disabled", api_token(id(2), 1).id, id(2)),
        format!("session {} is open to account {}, which isn't there", session_id(5), id(9)),
        format!("API token {} is open to account {}, which isn't there", api_token(id(9), 6).id, id(9)),
        format!("waiting sign-in {} is open to account {}, which isn't there", pending(id(9)).id, id(9)),
    ];
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    assert_found(&engine, &expected, true).await;
}

#[tokio::test]
async fn what_a_deleted_account_leaves_is_no_harm() {
    let engine = pool().await;
    let event: AuditEvent = serde_json::from_value(json!({
        "id": "019b7a3c-0000-7000-8000-000000000001", "at": 1_767_268_800_125_i64, "action": "account_deleted",
        "detail": "", "actor": "service", "subject": {"id": id(9).0, "name": "gone"}, "source": "", "agent": "",
        "interface": "",
    }))
    .expect("an event");
    let session = session(id(9), 5);
    commit(&engine, &[Change::OpenSession(&session), Change::RecordEvent(Box::new(event))]).await;
    let report = inspect(&engine, false).await;
    let expected = format!("session {} is open to account {}, which was deleted", session_id(5), id(9));
    assert_eq!((told(&report), report.is_sound()), (vec![expected], true));
}

#[tokio::test]
async fn counters_that_disagree() {
    let engine = pool().await;
    let shard = format!("total#{}", id(2).0.as_bytes()[15] % 16);
    set(&engine, &shard, "counter", "SET #count = :value", number(7)).await;
    set(&engine, "counter#number", "counter", "SET #count = :value", number(1)).await;
    let expected = [
        "the last account number is kept as 1, but an account has 2".to_owned(),
        format!("{shard} counts 7 accounts where there are 1"),
    ];
    assert_found(&engine, &[&expected[0], &expected[1]], true).await;
}

#[tokio::test]
async fn one_number_twice() {
    let engine = pool().await;
    let twin = Account { number: 2, ..account(3) };
    let mut changes = vec![Change::CreateAccount(&twin)];
    changes.extend(claims(&twin));
    commit(&engine, &changes).await;
    let expected = format!("number 2 is had by accounts {} and {}", id(2), id(3));
    assert_found(&engine, &[&expected], false).await;
}

#[tokio::test]
async fn codes_that_were_used_for_nothing_or_guessed_at_too_often() {
    let engine = pool().await;
    let challenge = challenge("a@example.com", "123456");
    commit(&engine, &[Change::IssueChallenge(&challenge)]).await;
    assert!(inspect(&engine, false).await.found.is_empty());
    commit(&engine, &[Change::UseChallenge { challenge: &challenge, account: id(9) }]).await;
    let purpose = challenge.key.purpose.as_str();
    let expected = format!("a code for {purpose} was used for account {}, which isn't there", id(9));
    assert_found(&engine, &[&expected], false).await;
    commit(&engine, &[Change::DropChallenge(&challenge)]).await;
    commit(&engine, &[Change::IssueChallenge(&challenge)]).await;
    set(&engine, "code#register#alice", "a@example.com", "SET #challenge.#guesses = :value", number(6)).await;
    let expected = format!("a code for {purpose} was guessed at more often than it bears");
    assert_found(&engine, &[&expected], false).await;
}

#[tokio::test]
async fn pictures_that_are_missing_or_nobodys() {
    let engine = pool().await;
    let picture = Picture::from_stored(b"jpeg");
    commit(&engine, &[Change::KeepPicture { number: 2, picture: picture.clone() }]).await;
    commit(&engine, &[Change::KeepPicture { number: 77, picture: picture.clone() }]).await;
    let report = inspect(&engine, true).await;
    let unowned = |number| format!("the picture under number {number} is no account's [mended]");
    assert_eq!((told(&report), report.is_sound()), (vec![unowned(2), unowned(77)], true));
    let mut person = account(2);
    person.profile.avatar = Avatar::Uploaded(picture.version().clone());
    commit(&engine, &[Change::UpdateAccount { account: &person, was: Version(1) }]).await;
    assert_found(&engine, &[&format!("the picture of account {} isn't there", id(2))], false).await;
    commit(&engine, &[Change::KeepPicture { number: 2, picture }]).await;
    assert!(inspect(&engine, false).await.found.is_empty());
}

#[tokio::test]
async fn secrets_in_clear_and_strange_items() {
    let engine = pool().await;
    let account_key = format!("account#{}", id(2));
    set(&engine, &account_key, "account", "SET #account.#password = :value", text("hunter2")).await;
    let unhashed = format!("the account of account {} keeps a secret that isn't hashed", id(2));
    assert_found(&engine, &[&unhashed], false).await;
    set(
        &engine,
        &account_key,
        "account",
        "SET #account.#password = :value",
        text("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"),
    )
    .await;
    let session_key = format!("session#{}", session_id(1));
    set(&engine, &account_key, &session_key, "SET #session.#refresh.#current = :value", text("a token")).await;
    let unhashed = format!("a session of account {} keeps a secret that isn't hashed", id(2));
    assert_found(&engine, &[&unhashed], false).await;
    commit(&engine, &[Change::EndSession { account: id(2), session: session_id(1) }]).await;
    set(&engine, &account_key, "account", "SET #password = :value", text("hunter2")).await;
    set(&engine, "name#person1", "claim", "SET #listing = :value", text("x")).await;
    set(&engine, "what#ever", "thing", "SET #count = :value", number(1)).await;
    let (identifier, device) = ("anna".to_owned(), Hashed::of(b"a phone"));
    let counters =
        [AttemptKey::Identifier(identifier.clone()), AttemptKey::Device { identifier, device: device.clone() }];
    let counting = Counting { now: NOON, on: CountedOn::Few { free: 5, since: NOON }, forgotten_at: NOON };
    for counter in &counters {
        engine.store.count_attempt(counter, &counting).await.expect("an outcome").expect("counted");
        engine.store.remember_device(counter, NOON, NOON).await.expect("remembered");
    }
    assert!(engine.store.begin_import("hash").await.expect("an answer"));
    let device = format!("device#{}", device.as_str());
    for (pk, sk) in
        [("attempts#identifier#anna", "counter"), ("attempts#identifier#anna", &device), ("setting", "import")]
    {
        set(&engine, pk, sk, "SET #password = :value", text("hunter2")).await;
    }
    let mut found = told(&inspect(&engine, true).await);
    found.sort();
    let stray = |at: &str| format!("the item {at} has password, which this version doesn't know");
    let expected = [
        "an import was begun and not brought to its end: import the file again".to_owned(),
        stray(&format!("{account_key} / account")),
        stray("attempts#identifier#anna / counter"),
        stray(&format!("attempts#identifier#anna / {device}")),
        "the item name#person1 / claim has listing, which this version doesn't know".to_owned(),
        stray("setting / import"),
        "the item what#ever / thing can't be read (nothing that stands under such a key)".to_owned(),
    ];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn places_in_indexes_that_are_wrong() {
    let engine = pool().await;
    set(&engine, "name#person1", "claim", "SET #initial = :value", text("name#z")).await;
    set(&engine, &format!("account#{}", id(2)), "account", "SET #listing = :value", text("accounts#5")).await;
    let mut found = told(&inspect(&engine, true).await);
    found.sort();
    let expected = [
        format!("the item account#{} / account has a wrong listing for what it holds [mended]", id(2)),
        "the item name#person1 / claim has a wrong initial for what it holds [mended]".to_owned(),
    ];
    assert_eq!(found, expected);
    assert!(inspect(&engine, false).await.found.is_empty());
}

#[tokio::test]
async fn an_import_that_was_broken_off_is_found_and_gone_on_with() {
    let (from, to) = (pool().await, Engine::start().await);
    let page = from.store.page(None, true).await.expect("a page");
    assert!(page.after.is_none() && page.lines.len() > 8, "{page:?}");
    let lines: Vec<Value> = page.lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(to.store.ground("hash").await.expect("an answer"), Ground::Empty);
    assert!(to.store.begin_import("hash").await.expect("an answer"));
    for line in &lines[..5] {
        assert_eq!(to.store.put(line).await.expect("an answer"), Put::Written);
    }
    let half = told(&inspect(&to, true).await);
    assert!(half[0].starts_with("an import was begun and not brought to its end"), "{half:?}");
    assert_eq!(to.store.ground("hash").await.expect("an answer"), Ground::Begun);
    assert_eq!(to.store.ground("other").await.expect("an answer"), Ground::Used);
    assert!(!to.store.begin_import("other").await.expect("an answer"), "one at a time");
    assert!(to.store.begin_import("hash").await.expect("an answer"), "it goes on");
    for (nth, line) in lines.iter().enumerate() {
        let expected = if nth < 5 { Put::Same } else { Put::Written };
        assert_eq!(to.store.put(line).await.expect("an answer"), expected);
    }
    to.store.end_import().await.expect("an answer");
    assert_eq!(to.store.page(None, true).await.expect("a page").lines.len(), lines.len());
    let report = inspect(&to, false).await;
    assert_eq!((told(&report), report.accounts), (Vec::new(), 2));
}

/// Somebody writes between the reading and the mending: nothing is mended by what is no longer so.
#[tokio::test]
async fn nothing_is_mended_that_has_changed() {
    let engine = pool().await;
    commit(&engine, &[Change::TakeClaim(claim(ClaimKind::Name, "later", id(3)))]).await;
    let finding = Finding::ClaimUnowned { claim: claim(ClaimKind::Name, "later", id(3)), version: None };
    let mend = finding.mend().expect("safe");
    engine.store.next_account_number().await.expect("a number");
    let account = Account { name: Name::parse("later", &(1..=32)).expect("a name"), ..account(3) };
    commit(&engine, &[Change::CreateAccount(&account)]).await;
    assert!(engine.store.commit(&mend).await.expect("an outcome").is_err(), "its account is there by now");
    assert!(told(&inspect(&engine, false).await).is_empty());
}
