//! Whether an item is what this version of the service writes: at its place, with its attributes and no others.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::DeserializeOwned;

use super::{
    AccountItem, AdminTokenItem, ApiTokenItem, AttemptsItem, ChallengeItem, ClaimItem, CodeKeyItem, CounterItem,
    EventItem, IssuerItem, Item, Key, MailLogItem, MailMarkItem, PendingItem, PictureItem, ReportItem, SessionItem,
    SettingsItem, SigningKeyItem, read, write,
};
use crate::identity::{AccountId, Claim, CodeKey, Picture, Record, Versioned};

/// What an item is.
pub(in super::super) enum Seen {
    /// A record that the rules of the pool are about.
    Record(Record),
    /// The number of accounts in a shard.
    Total(String, u64),
    /// The last account number.
    Number(u64),
    /// An import is under way, or was broken off.
    Import,
    /// Another item of ours.
    Other,
}

/// What is wrong with an item by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// Nothing that this version reads; holds the reason.
    Unreadable(String),
    /// It stands elsewhere than what it holds.
    Misplaced,
    /// An attribute isn't what it should be by what the item holds.
    Differs(String),
    /// An attribute that this version doesn't know.
    Stray(String),
}

type Looked = anyhow::Result<(Seen, Vec<Wrong>)>;

/// What an item is, and what is wrong with it.
pub(in super::super) fn look(item: &Item) -> (Option<Seen>, Vec<Wrong>) {
    match recognise(item) {
        Some(Ok((seen, wrong))) => (Some(seen), wrong),
        Some(Err(cause)) => (None, vec![Wrong::Unreadable(format!("{cause:#}"))]),
        None => (None, vec![Wrong::Unreadable("nothing that stands under such a key".to_owned())]),
    }
}

/// `None`: no kind of item has such a key.
fn recognise(item: &Item) -> Option<Looked> {
    let (pk, sk) = (text(item, "pk")?, text(item, "sk")?);
    let kind = |key: &str| key.split('#').next().unwrap_or_default().to_owned();
    Some(match (kind(pk).as_str(), kind(sk).as_str()) {
        ("account", "account") => account(item),
        ("account", "session") => whole::<SessionItem<'_>>(item, |kept| {
            let again = write(&SessionItem::new(&kept.session))?;
            Ok((Seen::Record(Record::Session(Box::new(kept.session.into_owned()))), again))
        }),
        ("account", "token") => whole::<ApiTokenItem<'_>>(item, |kept| {
            let again = write(&ApiTokenItem::new(&kept.token))?;
            Ok((Seen::Record(Record::ApiToken(Box::new(kept.token.into_owned()))), again))
        }),
        ("account", "pending") => whole::<PendingItem<'_>>(item, |kept| {
            let again = write(&PendingItem::new(&kept.pending))?;
            Ok((Seen::Record(Record::Pending(Box::new(kept.pending.into_owned()))), again))
        }),
        ("account" | "nobody", "event") => {
            whole::<EventItem<'_>>(item, |kept| Ok((Seen::Other, write(&EventItem::new(&kept.event))?)))
        }
        // Where earlier versions put those about nobody, until they expire.
        ("setting", "event") => whole::<EventItem<'_>>(item, |kept| {
            let mut again = write(&EventItem::new(&kept.event))?;
            if kept.event.subject.is_none() {
                again.extend(copied(item, &["pk"]));
            }
            Ok((Seen::Other, again))
        }),
        ("name" | "email", "claim") => whole::<ClaimItem>(item, |kept| {
            let claim = Claim::from(kept);
            let again = write(&ClaimItem::from(&claim))?;
            Ok((Seen::Record(Record::Claim(claim)), again))
        }),
        ("code", _) => whole::<ChallengeItem<'_>>(item, |kept| {
            let again = write(&ChallengeItem::new(&kept.challenge))?;
            Ok((Seen::Record(Record::Challenge(Box::new(kept.challenge.into_owned()))), again))
        }),
        ("avatar", "picture") => picture(item, pk),
        ("mail", "log") => whole::<MailLogItem>(item, |kept| {
            let mut again = write(&kept.log)?;
            again = Item::from([("log".to_owned(), AttributeValue::M(again))]);
            again.extend(Key::mail_log(&kept.log.address_key).attributes());
            // It keeps the end and the mark that it has.
            again.extend(copied(item, &["expires_at", "written"]));
            Ok((Seen::Other, again))
        }),
        ("mail", "undeliverable") => {
            whole::<MailMarkItem<'_>>(item, |kept| Ok((Seen::Other, write(&MailMarkItem::new(&kept.mark))?)))
        }
        ("attempts", "counter" | "device") => attempts(item),
        ("report", "report") => whole::<ReportItem>(item, |kept| Ok((Seen::Other, write(&kept)?))),
        ("total", "counter") => counter(item).map(|(count, wrong)| (Seen::Total(pk.to_owned(), count), wrong)),
        ("counter", "counter") => counter(item).map(|(count, wrong)| (Seen::Number(count), wrong)),
        ("signing", "issuer") => {
            whole::<IssuerItem<'_>>(item, |kept| Ok((Seen::Other, write(&IssuerItem::new(&kept.issuer))?)))
        }
        ("signing", "key") => {
            whole::<SigningKeyItem<'_>>(item, |kept| Ok((Seen::Other, write(&SigningKeyItem::new(&kept.key))?)))
        }
        ("signing", "code_key") => {
            whole::<CodeKeyItem<'_>>(item, |kept| Ok((Seen::Other, write(&CodeKeyItem::new(&CodeKey::from(kept)))?)))
        }
        ("setting", "admin_token") => admin_token(item),
        ("setting", "runtime") => whole::<SettingsItem<'_>>(item, |kept| {
            Ok((Seen::Other, write(&SettingsItem::new(&kept.settings, &kept.written))?))
        }),
        ("setting", "first_administrator") => {
            whole::<Key>(item, |_| Ok((Seen::Other, write(&Key::first_administrator())?)))
        }
        ("setting", "administrators") => administrators(item),
        ("setting", "import") => Ok((Seen::Import, compare(item, &copied(item, &["pk", "sk", "sha256"])))),
        _ => return None,
    })
}

fn account(item: &Item) -> Looked {
    whole::<AccountItem<'_>>(item, |kept| {
        let version = crate::identity::Version(kept.version);
        let again = write(&AccountItem::new(&kept.account, version, &kept.written))?;
        Ok((Seen::Record(Record::Account(Box::new(Versioned::from(kept).account))), again))
    })
}

fn picture(item: &Item, pk: &str) -> Looked {
    let number = pk.rsplit('#').next().and_then(|number| number.parse().ok());
    let Some(number) = number else { anyhow::bail!("no number in its key") };
    whole::<PictureItem>(item, |kept| {
        let picture = Picture::from(kept);
        let again = write(&PictureItem::new(number, &picture))?;
        Ok((Seen::Record(Record::Picture { number, version: picture.version().clone() }), again))
    })
}

fn attempts(item: &Item) -> Looked {
    read::<AttemptsItem>(item.clone())?;
    let known = copied(item, &["pk", "sk", "count", "last_at", "known_until", "expires_at"]);
    Ok((Seen::Other, compare(item, &known)))
}

fn counter(item: &Item) -> anyhow::Result<(u64, Vec<Wrong>)> {
    let count = read::<CounterItem>(item.clone())?.count;
    let mut again = copied(item, &["pk", "sk"]);
    again.insert("count".to_owned(), AttributeValue::N(count.to_string()));
    Ok((count, compare(item, &again)))
}

fn admin_token(item: &Item) -> Looked {
    let (seen, mut wrong) =
        whole::<AdminTokenItem<'_>>(item, |kept| Ok((Seen::Other, write(&AdminTokenItem::new(&kept.hashed))?)))?;
    if !read::<AdminTokenItem<'_>>(item.clone())?.hashed.is_hash() {
        wrong.push(Wrong::Differs("hashed".to_owned()));
    }
    Ok((seen, wrong))
}

fn administrators(item: &Item) -> Looked {
    let empty = Vec::new();
    let listed = item.get("accounts").and_then(|set| set.as_ss().ok()).unwrap_or(&empty);
    let ids: Option<BTreeSet<_>> = listed.iter().map(|id| AccountId::parse(id)).collect();
    let Some(ids) = ids else { anyhow::bail!("what it lists are no ids") };
    let wrong = compare(item, &copied(item, &["pk", "sk", "accounts"]));
    Ok((Seen::Record(Record::Administrators(ids)), wrong))
}

/// Reads an item as a shape, and compares it with what is written of that.
fn whole<T: DeserializeOwned>(item: &Item, again: impl FnOnce(T) -> anyhow::Result<(Seen, Item)>) -> Looked {
    let (seen, again) = again(read(item.clone())?)?;
    Ok((seen, compare(item, &again)))
}

fn compare(item: &Item, again: &Item) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    if ["pk", "sk"].iter().any(|key| item.get(*key) != again.get(*key)) {
        wrong.push(Wrong::Misplaced);
    }
    for (name, value) in item {
        match again.get(name) {
            None => wrong.push(Wrong::Stray(name.clone())),
            Some(known) => wrong.extend(stray_within(name, value, known).map(Wrong::Stray)),
        }
    }
    // What stands within a value may have come with a later version of it.
    let plain =
        |(name, value): &(&String, &AttributeValue)| !value.is_m() && name.as_str() != "pk" && name.as_str() != "sk";
    let differing = again.iter().filter(plain).filter(|(name, value)| item.get(*name) != Some(value));
    wrong.extend(differing.map(|(name, _)| Wrong::Differs(name.clone())));
    wrong
}

/// The path of a field that isn't known.
fn stray_within(path: &str, stored: &AttributeValue, known: &AttributeValue) -> Option<String> {
    let (AttributeValue::M(stored), AttributeValue::M(known)) = (stored, known) else { return None };
    stored.iter().find_map(|(name, value)| {
        let path = format!("{path}.{name}");
        match known.get(name) {
            None if value.is_null() => None,
            None => Some(path),
            Some(known) => stray_within(&path, value, known),
        }
    })
}

fn copied(item: &Item, names: &[&str]) -> Item {
    names.iter().filter_map(|name| Some(((*name).to_owned(), item.get(*name)?.clone()))).collect()
}

fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}
