//! Values of the core, as a store would have read them.

use polygate_shared::identity::{
    Account, AccountId, ApiToken, Challenge, ChallengeKey, Claim, ClaimKind, Hashed, MailLog, PendingSignIn, Purpose,
    RefreshChain, Session, SessionId,
};
use serde_json::json;
use time::OffsetDateTime;
use time::macros::{date, datetime};
use uuid::Uuid;

pub(crate) const NOON: OffsetDateTime = datetime!(2026-01-01 12:00:00.125 UTC);

pub(crate) fn id(number: u64) -> AccountId {
    AccountId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(number)))
}

/// An account with something in every field that can be empty, null, nested or large.
pub(crate) fn account(number: u64) -> Account {
    let mut account: Account = serde_json::from_value(json!({
        "id": id(number).0,
        "number": number,
        "name": format!("person{number}"),
        "email": null,
        "secondary_emails": [],
        "role": "user",
        "active": true,
        "password": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA",
        "must_change_password": false,
        "session_generation": 0,
        "profile": {
            "display_name": "", "avatar_url": "", "bio": "", "gender": "unknown", "birthday": null, "phone": "",
        },
        "level": i64::MIN,
        "coins": -1,
        "storage_limit": 10_737_418_240_i64,
        "storage_used": i64::MAX,
        "usage": { "photos": u64::MAX, "albums": 0, "favorites": 1, "likes": 2 },
        "created_at": 1_767_268_800_125_i64,
        "updated_at": 1_767_268_800_125_i64,
    }))
    .expect("an account");
    if number.is_multiple_of(2) {
        account.email = Some(
            serde_json::from_value(json!({ "address": format!("P{number}@Example.com"), "verified": true }))
                .expect("an e-mail claim"),
        );
        account.secondary_emails = vec![serde_json::from_value(json!("second@example.com")).expect("an address")];
        account.profile.birthday = Some(date!(2000 - 02 - 29));
        account.profile.display_name = "萌芽用户 🌱".to_owned();
    }
    account
}

pub(crate) fn session_id(number: u64) -> SessionId {
    SessionId(Uuid::from_u128(0x4000_8000_0000_0000_0000 + u128::from(number)))
}

pub(crate) fn session(account: AccountId, number: u64) -> Session {
    serde_json::from_value(json!({
        "id": session_id(number).0,
        "account": account.0,
        "generation": 3,
        "access_seconds": 900,
        "opened_at": NOON.unix_timestamp(),
        "seen_at": NOON.unix_timestamp(),
        "ends_at": NOON.unix_timestamp() + 86_400 * 90,
        "refresh": chain("first"),
        "source": "",
        "agent": "a browser",
        "interface": "kite",
    }))
    .expect("a session")
}

pub(crate) fn bare_session(account: AccountId, number: u64) -> Session {
    Session { refresh: None, ..session(account, number) }
}

/// A refresh chain whose live token is this text.
pub(crate) fn chain(token: &str) -> RefreshChain {
    serde_json::from_value(json!({
        "family": "ZmFtaWx5",
        "current": Hashed::of(token.as_bytes()),
        "exchanged": [{"token": Hashed::of(b"earlier"), "salt": "", "at": 1_767_268_800_125_i64}],
        "idle_seconds": 86_400,
        "idle_until": NOON.unix_timestamp() + 86_400,
    }))
    .expect("a refresh chain")
}

pub(crate) fn challenge_key() -> ChallengeKey {
    ChallengeKey { purpose: Purpose::Register, subject: "alice".to_owned() }
}

pub(crate) fn challenge(address: &str, code: &str) -> Challenge {
    serde_json::from_value(json!({
        "purpose": "register",
        "subject": "alice",
        "address": address,
        "salt": "c2FsdA",
        "code": Hashed::of(code.as_bytes()),
        "guesses": 0,
        "expires_at": NOON.unix_timestamp() + 600,
        "used_by": null,
        "pending": { "name": "Alice", "password": "$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "display_name": "" },
    }))
    .expect("a challenge")
}

pub(crate) fn log(version: u64, mails: u64) -> MailLog {
    let mail = |nth| json!({ "purpose": "register", "at": 1_767_268_800_125_i64 + 60_000 * nth });
    let entries: Vec<_> = (0..i64::try_from(mails).expect("a few mails")).map(mail).collect();
    serde_json::from_value(json!({ "address_key": "a@b.co", "entries": entries, "version": version })).expect("a log")
}

pub(crate) fn name(key: &str, account: AccountId) -> Claim {
    Claim { kind: ClaimKind::Name, key: key.to_owned(), account, verified: true }
}

pub(crate) fn email(key: &str, account: AccountId, verified: bool) -> Claim {
    Claim { kind: ClaimKind::Email, key: key.to_owned(), account, verified }
}

pub(crate) fn pending(account: AccountId) -> PendingSignIn {
    serde_json::from_value(json!({
        "id": session_id(7).0,
        "account": account.0,
        "secret": Hashed::of(b"secret"),
        "generation": 3,
        "identifier": "alice",
        "terms": { "access": { "secs": 7200, "nanos": 0 }, "refresh": null },
        "expires_at": NOON.unix_timestamp() + 300,
    }))
    .expect("a sign-in that waits")
}

/// A token without an end.
pub(crate) fn api_token(account: AccountId, number: u128) -> ApiToken {
    serde_json::from_value(json!({
        "id": Uuid::from_u128(number),
        "account": account.0,
        "name": "backup",
        "secret": Hashed::of(b"secret"),
        "generation": 0,
        "created_at": NOON.unix_timestamp(),
        "expires_at": null,
        "last_used": null,
    }))
    .expect("a token")
}
