//! How often an address is mailed, and what came of each mail.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{Error, Hashed, Purpose, Result};

const HOUR: Duration = Duration::from_secs(3600);
pub(super) const GAP: Duration = Duration::from_secs(60);
const MOST_PER_PURPOSE: u32 = 5;
const MOST_IN_ALL: u32 = 10;
/// How many mails that did not leave are remembered. They count for nothing; a repetition of their request is told the same.
const MOST_NOT_SENT: usize = 10;

/// How far a mail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// It is being handed over, or whoever did so never came back.
    Sending,
    /// The mail service took it.
    #[default]
    Sent,
    /// It did not leave.
    NotSent,
    /// It may have left.
    Unknown,
}

/// One mail that went to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailEntry {
    /// What for.
    pub purpose: Purpose,
    /// When.
    #[serde(with = "super::millis")]
    pub at: OffsetDateTime,
    /// Hash of the request's id. Entries from before there was one have none.
    #[serde(default)]
    pub request: Option<Hashed>,
    /// Hash of the account or name that its code is about.
    #[serde(default)]
    pub about: Option<Hashed>,
    /// How far it is.
    #[serde(default)]
    pub state: MailState,
}

/// What a mail is written down as.
#[derive(Debug, Clone)]
pub(crate) struct Posting {
    pub(crate) purpose: Purpose,
    pub(crate) request: Hashed,
    pub(crate) about: Hashed,
}

impl MailEntry {
    /// Whether it takes a place: what certainly did not leave takes none.
    fn counts(&self) -> bool {
        match self.state {
            MailState::Sending | MailState::Sent | MailState::Unknown => true,
            MailState::NotSent => false,
        }
    }
}

/// The last hour's mails to one address: one a minute and five an hour for each purpose, ten an hour in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailLog {
    /// The address's canonical form.
    pub address_key: String,
    /// Mails, oldest first.
    pub entries: Vec<MailEntry>,
    /// Counts the writes.
    pub version: u64,
}

impl MailLog {
    /// An address that was never mailed.
    pub fn empty(address_key: &str) -> Self {
        Self { address_key: address_key.to_owned(), entries: Vec::new(), version: 0 }
    }

    /// How long to wait before one more mail may be sent, if it may not be now.
    pub(crate) fn check(&self, purpose: Purpose, now: OffsetDateTime) -> Result<()> {
        let counted: Vec<_> = self.entries.iter().filter(|entry| now < entry.at + HOUR && entry.counts()).collect();
        let same: Vec<_> = counted.iter().copied().filter(|entry| entry.purpose == purpose).collect();
        let oldest_of = |most: u32, mails: &[&MailEntry]| {
            let nth = mails.len().checked_sub(most as usize)?;
            mails.get(nth).map(|entry| (entry.at + HOUR, most))
        };
        let waits = [
            same.last().map(|last| (last.at + GAP, 1)),
            oldest_of(MOST_PER_PURPOSE, &same),
            oldest_of(MOST_IN_ALL, &counted),
        ];
        match waits.into_iter().flatten().max().filter(|(free, _)| *free > now) {
            Some((free, limit)) => Err(Error::TooManyRequests { retry_after: (free - now).unsigned_abs(), limit }),
            None => Ok(()),
        }
    }

    /// The log with one more mail in it, about to be sent, or how long to wait before it may be.
    pub(crate) fn with_mail(&self, posting: &Posting, now: OffsetDateTime) -> Result<Self> {
        let Posting { purpose, request, about } = posting.clone();
        self.check(purpose, now)?;
        let mut entries: Vec<_> = self.entries.iter().filter(|entry| now < entry.at + HOUR).cloned().collect();
        let mut surplus = entries.iter().filter(|entry| !entry.counts()).count().saturating_sub(MOST_NOT_SENT);
        entries.retain(|entry| {
            let goes = surplus > 0 && !entry.counts();
            surplus -= usize::from(goes);
            !goes
        });
        entries.push(MailEntry {
            purpose,
            at: now,
            request: Some(request),
            about: Some(about),
            state: MailState::Sending,
        });
        Ok(Self { address_key: self.address_key.clone(), entries, version: self.version + 1 })
    }

    /// The mail that was sent for a request, if one was.
    pub(crate) fn mail_for(&self, purpose: Purpose, request: &Hashed) -> Option<&MailEntry> {
        self.entries.iter().find(|entry| entry.purpose == purpose && entry.request.as_ref() == Some(request))
    }

    /// Whether the newest mail for a purpose, about this account or name, may have arrived without anybody knowing.
    pub(crate) fn is_in_doubt(&self, purpose: Purpose, subject: &str) -> bool {
        let about = Hashed::of(subject.as_bytes());
        let same = |entry: &&MailEntry| entry.purpose == purpose && entry.about.as_ref() == Some(&about);
        let newest = self.entries.iter().rev().filter(same).find(|entry| entry.counts());
        newest.is_some_and(|entry| match entry.state {
            MailState::Sending | MailState::Unknown => true,
            MailState::Sent | MailState::NotSent => false,
        })
    }

    /// The log with what came of a request's mail; `None` where it has no such mail any more.
    pub(crate) fn settled(mut self, purpose: Purpose, request: &Hashed, state: MailState) -> Option<Self> {
        let mut mails = self.entries.iter_mut();
        let mail = mails.find(|entry| entry.purpose == purpose && entry.request.as_ref() == Some(request))?;
        mail.state = state;
        self.version += 1;
        Some(self)
    }

    /// When nothing in it matters any more.
    pub fn expires_at(&self) -> Option<OffsetDateTime> {
        self.entries.last().map(|last| last.at + HOUR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn request(number: u32) -> Hashed {
        Hashed::of(&number.to_be_bytes())
    }

    fn posting(purpose: Purpose, number: u32) -> Posting {
        Posting { purpose, request: request(number), about: Hashed::of(b"anna") }
    }

    fn wait(log: &MailLog, purpose: Purpose, now: OffsetDateTime) -> Option<u64> {
        match log.with_mail(&posting(purpose, 1000), now) {
            Err(Error::TooManyRequests { retry_after, .. }) => Some(retry_after.as_secs()),
            other => {
                other.expect("only a wait refuses a mail");
                None
            }
        }
    }

    #[test]
    fn one_a_minute_and_five_an_hour() {
        let mut log = MailLog::empty("a@b.co");
        for minute in 0..5 {
            let now = NOON + GAP * minute;
            log = log.with_mail(&posting(Purpose::Register, minute), now).expect("a mail a minute");
            assert_eq!(
                wait(&log, Purpose::Register, now + Duration::from_secs(20)),
                Some(if minute < 4 { 40 } else { 3340 })
            );
        }
        assert_eq!(wait(&log, Purpose::Register, NOON + GAP * 5), Some(3300));
        assert_eq!(wait(&log, Purpose::ResetPassword, NOON + GAP * 5), None, "another purpose has its own five");
        assert_eq!(wait(&log, Purpose::Register, NOON + HOUR), None);
    }

    #[test]
    fn ten_an_hour_in_all() {
        let mut log = MailLog::empty("a@b.co");
        for minute in 0..10 {
            let purpose = if minute % 2 == 0 { Purpose::Register } else { Purpose::ResetPassword };
            log = log.with_mail(&posting(purpose, minute), NOON + GAP * minute).expect("five of each");
        }
        assert_eq!(wait(&log, Purpose::AlreadyRegistered, NOON + GAP * 10), Some(3000));
        let freed = log.settled(Purpose::ResetPassword, &request(9), MailState::NotSent).expect("a mail");
        assert_eq!(wait(&freed, Purpose::AlreadyRegistered, NOON + GAP * 10), None);
    }

    #[test]
    fn only_what_certainly_did_not_leave_gives_its_place_back() {
        for (state, waits, in_doubt) in [
            (MailState::Sending, Some(59), true),
            (MailState::Sent, Some(59), false),
            (MailState::Unknown, Some(59), true),
            (MailState::NotSent, None, false),
        ] {
            let log = MailLog::empty("a@b.co").with_mail(&posting(Purpose::Register, 1), NOON).expect("a mail");
            let log = log.settled(Purpose::Register, &request(1), state).expect("the mail");
            assert_eq!(log.version, 2);
            assert_eq!(wait(&log, Purpose::Register, NOON + Duration::from_secs(1)), waits, "{state:?}");
            assert_eq!(log.is_in_doubt(Purpose::Register, "anna"), in_doubt, "{state:?}");
            assert!(!log.is_in_doubt(Purpose::ResetPassword, "anna") && !log.is_in_doubt(Purpose::Register, "ben"));
            assert_eq!(log.mail_for(Purpose::Register, &request(1)).map(|mail| mail.state), Some(state));
            assert_eq!(log.mail_for(Purpose::ResetPassword, &request(1)), None);
            assert_eq!(log.mail_for(Purpose::Register, &request(2)), None);
        }
    }

    #[test]
    fn a_mail_that_did_not_leave_clears_up_no_doubt() {
        let log = MailLog::empty("a@b.co").with_mail(&posting(Purpose::Register, 1), NOON).expect("a mail");
        let log = log.settled(Purpose::Register, &request(1), MailState::Unknown).expect("the mail");
        let log = log.with_mail(&posting(Purpose::Register, 2), NOON + GAP).expect("a minute later");
        let log = log.settled(Purpose::Register, &request(2), MailState::NotSent).expect("the mail");
        assert!(log.is_in_doubt(Purpose::Register, "anna"));
    }

    #[test]
    fn mails_that_do_not_leave_fill_no_log() {
        let mut log = MailLog::empty("a@b.co");
        for number in 0..100 {
            log = log.with_mail(&posting(Purpose::Register, number), NOON).expect("nothing in its way");
            log = log.settled(Purpose::Register, &request(number), MailState::NotSent).expect("the mail");
        }
        assert_eq!(log.entries.len(), MOST_NOT_SENT + 1);
        assert!(log.mail_for(Purpose::Register, &request(99)).is_some(), "the newest ones stay");
    }

    #[test]
    fn entries_from_before_were_sent() {
        let old = serde_json::json!({"purpose": "register", "at": 1_767_268_800_000_i64});
        let entry: MailEntry = serde_json::from_value(old).expect("an entry");
        assert_eq!((entry.state, entry.request), (MailState::Sent, None));
    }
}
