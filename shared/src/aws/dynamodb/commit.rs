//! The core's changes as writes, and a transaction of them.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason};

use super::fault::{fault, patiently, unavailable};
use super::items::{
    AccountItem, ApiTokenItem, ChallengeItem, ClaimItem, EventItem, Item, Key, MailMarkItem, PendingItem, PictureItem,
    SessionItem, SettingsItem, SigningKeyItem, challenge_expiry, found_at, mail_log_expiry, millis,
};
use super::write::{Write, mark};
use super::{DynamoStore, usage};
use crate::identity::{
    Account, AccountId, Chance, Change, Claim, ClaimKind, MOST_GUESSES, MailLog, MailMark, Refused, Result,
    RuntimeSettings, Undeliverable, Version,
};

const ABSENT: &str = "attribute_not_exists(#pk)";
const FAILED: &str = "ConditionalCheckFailed";
/// Reasons that pass: nothing was written, and nothing speaks against writing it.
const PASSING: [&str; 3] = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

pub(super) async fn commit(store: &DynamoStore, changes: &[Change<'_>]) -> Result<Result<(), Refused>> {
    let mut writes = Vec::with_capacity(changes.len() + 1);
    for change in changes {
        add(&mut writes, change, &*store.chance)?;
    }
    match writes.pop() {
        None => Ok(Ok(())),
        Some(only) if writes.is_empty() && only.may_be_alone() => alone(store, only).await,
        Some(last) => {
            writes.push(last);
            together(store, writes).await
        }
    }
}

fn add(writes: &mut Vec<Write>, change: &Change<'_>, chance: &dyn Chance) -> anyhow::Result<()> {
    let write = match change {
        Change::CreateAccount(account) => {
            writes.push(create(account, chance)?);
            Write::update(Key::total_of(account.id), "ADD #count :one").value(":one", &1)?
        }
        Change::UpdateAccount { account, was } => update(account, *was, chance)?,
        Change::DeleteAccount { account, was } => {
            writes.push(Write::delete(Key::account(*account)).when("#version = :was").value(":was", &was.0)?);
            Write::update(Key::total_of(*account), "ADD #count :less").value(":less", &-1)?
        }
        Change::JoinAdministrators(account) => {
            Write::update(Key::administrators(), "ADD #accounts :me").values(only(*account))
        }
        Change::LeaveAdministrators(account) => Write::update(Key::administrators(), "DELETE #accounts :me")
            .when("size(#accounts) > :one")
            .or(Refused::LastAdministrator)
            .values(only(*account))
            .value(":one", &1)?,
        Change::TakeClaim(claim) => take(claim)?,
        Change::TakeOverClaim { claim, from } => Write::put(&ClaimItem::from(claim))?
            .when("#account = :from AND #verified = :no")
            .value(":from", from)?
            .value(":no", &false)?,
        Change::ReleaseClaim(claim) => {
            Write::delete(Key::claim(claim.kind, &claim.key)).when("#account = :me").value(":me", &claim.account)?
        }
        Change::OpenSession(session) => Write::put(&SessionItem::new(session))?,
        Change::OpenPending(pending) => Write::put(&PendingItem::new(pending))?,
        Change::UsePending { account, pending } => {
            Write::delete(Key::pending(*account, *pending)).when("attribute_exists(#pk)")
        }
        Change::KeepSession { account, session, from, generation } => {
            Write::update(Key::session(*account, *session), "SET #session.#generation = :generation")
                .when("#session.#generation = :from")
                .value(":from", from)?
                .value(":generation", generation)?
        }
        Change::EndSession { account, session } => Write::delete(Key::session(*account, *session)),
        Change::AddApiToken(token) => Write::put(&ApiTokenItem::new(token))?,
        Change::DropApiToken { account, token } => Write::delete(Key::api_token(*account, *token)),
        Change::IssueChallenge(challenge) => Write::put(&ChallengeItem::new(challenge))?,
        Change::ProlongChallenge(challenge) => {
            let expression = "SET #challenge.#expires_at = :until, #expires_at = :dropped_at";
            Write::update(Key::challenge(challenge), expression)
                .when(
                    "#challenge.#code = :code AND attribute_type(#challenge.#used_by, :null) \
                     AND #challenge.#guesses < :most",
                )
                .value(":until", &challenge.expires_at.unix_timestamp())?
                .value(":dropped_at", &challenge_expiry(challenge))?
                .value(":code", &challenge.code)?
                .value(":null", &"NULL")?
                .value(":most", &MOST_GUESSES)?
        }
        Change::DropChallenge(challenge) => {
            Write::delete(Key::challenge(challenge)).when("#challenge.#code = :code").value(":code", &challenge.code)?
        }
        Change::UseChallenge { challenge, account } => {
            Write::update(Key::challenge(challenge), "SET #challenge.#used_by = :account")
                .when("#challenge.#code = :code AND attribute_type(#challenge.#used_by, :null)")
                .value(":account", account)?
                .value(":code", &challenge.code)?
                .value(":null", &"NULL")?
        }
        Change::RecordMail { log, was } => record(log, *was, chance)?,
        Change::MarkMail(mark) => mark_mail(mark)?,
        Change::LiftMailMark { address_key } => Write::delete(Key::mail_mark(address_key)),
        Change::KeepPicture { number, picture } => Write::put(&PictureItem::new(*number, picture))?,
        Change::DropPicture { number } => Write::delete(Key::picture(*number)),
        Change::Count { account, counts } => usage::count(*account, counts)?,
        Change::KeepReport { report, now } => usage::keep(report, *now)?,
        Change::ChangeSettings { settings, was } => set(settings, *was, chance)?,
        Change::AddSigningKey(key) => Write::put(&SigningKeyItem::new(key))?.when(ABSENT),
        Change::DropSigningKey(sequence) => Write::delete(Key::signing_key(*sequence)),
        Change::RecordEvent(event) => Write::put(&EventItem::new(event))?,
        Change::Witness { account, was: None } => Write::check(Key::account(*account)).when(ABSENT),
        Change::Witness { account, was: Some(was) } => {
            Write::check(Key::account(*account)).when("#version = :was").value(":was", &was.0)?
        }
        Change::MarkFirstAdministrator => Write::put(&Key::first_administrator())?.when(ABSENT),
    };
    writes.push(write);
    Ok(())
}

fn create(account: &Account, chance: &dyn Chance) -> anyhow::Result<Write> {
    Ok(Write::put(&AccountItem::new(account, Version(1), &mark(chance)?))?.when(ABSENT))
}

fn update(account: &Account, was: Version, chance: &dyn Chance) -> anyhow::Result<Write> {
    let mark = mark(chance)?;
    Ok(Write::put(&AccountItem::new(account, Version(was.0 + 1), &mark))?
        .when("#version = :was")
        .value(":was", &was.0)?
        .marked(mark))
}

/// The set with this one account in it, as `:me`: text, which is what the table has sets of.
fn only(account: AccountId) -> Item {
    Item::from([("me".to_owned(), AttributeValue::Ss(vec![account.to_string()]))])
}

/// What the account has proved stays proved, so an unproved claim only sets `verified` where nothing is set.
fn take(claim: &Claim) -> anyhow::Result<Write> {
    let expression = match claim.verified {
        true => {
            "SET #kind = :kind, #key = :key, #account = :me, #initial = :initial, #start = :start, \
             #verified = :verified"
        }
        false => {
            "SET #kind = :kind, #key = :key, #account = :me, #initial = :initial, #start = :start, \
             #verified = if_not_exists(#verified, :verified)"
        }
    };
    let (initial, start) = found_at(claim.kind, &claim.key);
    let (kind, refused) = match claim.kind {
        ClaimKind::Name => ("name", Refused::NameTaken),
        ClaimKind::Email => ("email", Refused::EmailTaken),
    };
    Write::update(Key::claim(claim.kind, &claim.key), expression)
        .when("attribute_not_exists(#pk) OR #account = :me")
        .or(refused)
        .value(":kind", &kind)?
        .value(":key", &claim.key)?
        .value(":initial", &initial)?
        .value(":start", &start)?
        .value(":me", &claim.account)?
        .value(":verified", &claim.verified)
}

fn set(settings: &RuntimeSettings, was: u64, chance: &dyn Chance) -> anyhow::Result<Write> {
    let mark = mark(chance)?;
    let write = Write::put(&SettingsItem::new(settings, &mark))?;
    let write = match was {
        0 => write.when(ABSENT),
        _ => write.when("#settings.#version = :was").value(":was", &was)?,
    };
    Ok(write.marked(mark))
}

/// An update, since an emptied log has to keep the `expires_at` that it has.
fn record(log: &MailLog, was: u64, chance: &dyn Chance) -> anyhow::Result<Write> {
    let expiry = mail_log_expiry(log);
    let expression = match expiry {
        Some(_) => "SET #log = :log, #written = :written, #expires_at = :expires_at",
        None => "SET #log = :log, #written = :written",
    };
    let mark = mark(chance)?;
    let write =
        Write::update(Key::mail_log(&log.address_key), expression).value(":log", log)?.value(":written", &mark)?;
    let write = match expiry {
        Some(expiry) => write.value(":expires_at", &expiry)?,
        None => write,
    };
    let write = match was {
        0 => write.when(ABSENT),
        _ => write.when("#log.#version = :was").value(":was", &was)?,
    };
    Ok(write.marked(mark))
}

/// A complaint counts for more than a mail that came back, and of the same kind the later one.
fn mark_mail(mark: &MailMark) -> anyhow::Result<Write> {
    let write = Write::put(&MailMarkItem::new(mark))?.value(":at", &millis(mark.at))?;
    match mark.reason {
        Undeliverable::Bounced => write
            .when("attribute_not_exists(#pk) OR (#mark.#reason = :bounced AND #mark.#at < :at)")
            .value(":bounced", &Undeliverable::Bounced),
        Undeliverable::Complained => write
            .when("attribute_not_exists(#pk) OR #mark.#reason = :bounced OR #mark.#at < :at")
            .value(":bounced", &Undeliverable::Bounced),
    }
}

async fn alone(store: &DynamoStore, mut write: Write) -> Result<Result<(), Refused>> {
    let refused = std::mem::replace(&mut write.refused, Refused::Stale);
    Ok(if store.write(write).await? { Ok(()) } else { Err(refused) })
}

/// The SDK gives each of these requests a token, so that its own repetitions take effect once.
async fn together(store: &DynamoStore, writes: Vec<Write>) -> Result<Result<(), Refused>> {
    let parts = writes.iter().map(|write| write.part(&store.table)).collect::<anyhow::Result<Vec<_>>>()?;
    let request = store.client.transact_write_items().set_transact_items(Some(parts));
    let sent = patiently(&*store.chance, || request.clone().send(), |error| passes(reasons(error))).await;
    let error = match sent {
        Ok(_) => return Ok(Ok(())),
        Err(error) => error,
    };
    let reasons = error.as_service_error().map(reasons).unwrap_or_default();
    let failed = writes.into_iter().zip(reasons).filter(|(_, reason)| reason.code() == Some(FAILED));
    if let Some(refused) = failed.map(|(write, _)| write.refused).min_by_key(rank) {
        return Ok(Err(refused));
    }
    Err(match passes(reasons) {
        true => unavailable(anyhow::Error::new(error).context("TransactWriteItems")),
        false => fault("TransactWriteItems", error),
    })
}

/// A taken name is told before a taken address, and either before what may be decided again. The last
/// administrator comes after that: another decision may find that the account is none any more.
fn rank(refused: &Refused) -> u8 {
    match refused {
        Refused::NameTaken => 0,
        Refused::EmailTaken => 1,
        Refused::Stale => 2,
        Refused::LastAdministrator => 3,
    }
}

fn reasons(error: &TransactWriteItemsError) -> &[CancellationReason] {
    match error {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled.cancellation_reasons(),
        _ => &[],
    }
}

/// Whether a transaction was cancelled for reasons that pass, and for no other.
fn passes(reasons: &[CancellationReason]) -> bool {
    let mut codes = reasons.iter().filter_map(CancellationReason::code).filter(|code| *code != "None").peekable();
    codes.peek().is_some() && codes.all(|code| PASSING.contains(&code))
}
