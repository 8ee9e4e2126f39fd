//! The mails that the service sent, kept in memory for a person or a test to read.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use time::OffsetDateTime;

/// How many mails are kept; the oldest go first.
const MOST: usize = 200;

/// One mail, as `/_local/mail.json` tells it. A program that takes the first six digits it finds gets the code
/// from the subject: nothing before the subject is that long a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocalMail {
    /// Counts the mails from 1.
    pub id: u32,
    /// The recipients.
    pub to: Vec<String>,
    /// The sender.
    pub from: String,
    /// Subject line.
    pub subject: String,
    /// Plain-text part; empty if there is none.
    pub text: String,
    /// HTML part; empty if there is none.
    pub html: String,
    /// When it was handed in, in whole seconds.
    #[serde(with = "time::serde::rfc3339")]
    pub sent_at: OffsetDateTime,
}

/// A mail on its way into the mailbox.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) to: Vec<String>,
    pub(crate) from: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// The mails of one server; clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mailbox(Arc<Mutex<Mails>>);

#[derive(Debug, Default)]
struct Mails {
    last_id: u32,
    /// Newest first.
    kept: VecDeque<LocalMail>,
}

impl Mailbox {
    /// Keeps a mail and gives it its number.
    pub(crate) fn keep(&self, draft: Draft, now: OffsetDateTime) -> u32 {
        let mut mails = self.lock();
        // Six digits would look like a code.
        mails.last_id = mails.last_id % 99_999 + 1;
        let id = mails.last_id;
        let Draft { to, from, subject, text, html } = draft;
        let sent_at = now.replace_nanosecond(0).unwrap_or(now);
        mails.kept.push_front(LocalMail { id, to, from, subject, text, html, sent_at });
        mails.kept.truncate(MOST);
        id
    }

    /// All mails that are kept, newest first.
    pub(crate) fn newest_first(&self) -> Vec<LocalMail> {
        self.lock().kept.iter().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Mails> {
        // Nothing is half done if a holder panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newest_first_and_no_more_than_are_kept() {
        let mailbox = Mailbox::default();
        for number in 1..=MOST + 5 {
            let subject = format!("mail {number}");
            mailbox.keep(Draft { subject, ..Draft::default() }, OffsetDateTime::UNIX_EPOCH);
        }
        let mails = mailbox.newest_first();
        assert_eq!(mails.len(), MOST);
        assert_eq!((mails[0].id, mails[0].subject.as_str()), (205, "mail 205"));
        assert_eq!(mails[MOST - 1].id, 6);
    }

    #[test]
    fn the_json_has_its_keys_in_order_and_whole_seconds() {
        let mailbox = Mailbox::default();
        let now = OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_123_456_789).expect("in range");
        let draft = Draft {
            to: vec!["a@example.com".into()],
            from: "no-reply@example.com".into(),
            subject: "123456 is your code".into(),
            ..Draft::default()
        };
        mailbox.keep(draft, now);
        assert_eq!(
            serde_json::to_string(&mailbox.newest_first()).expect("serializes"),
            r#"[{"id":1,"to":["a@example.com"],"from":"no-reply@example.com","subject":"123456 is your code","text":"","html":"","sent_at":"2023-11-14T22:13:20Z"}]"#
        );
    }
}
