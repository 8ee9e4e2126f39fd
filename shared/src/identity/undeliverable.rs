//! Addresses that mail can't go to: marked when a mail comes back or is complained about, and mailed no more.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::audit::Origin;
use super::context::{MOST_ATTEMPTS, contended};
use super::{
    Account, Action, Administrator, Change, ClaimKind, EmailAddress, Errand, Error, Identity, MailLog, Purpose, Result,
    Versioned, Visitor,
};

/// How long a mark holds after a mail that came back: a mailbox may come into being again. A complaint's holds until
/// an administrator lifts it.
pub const BOUNCE_HOLDS: Duration = Duration::from_secs(30 * 86_400);

/// Why no mail goes to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undeliverable {
    /// A mail came back for good: the mailbox doesn't exist, or takes none from us.
    Bounced,
    /// Who reads it has told their provider that our mail is unwanted.
    Complained,
}

impl Undeliverable {
    /// A stable word for logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bounced => "bounced",
            Self::Complained => "complained",
        }
    }
}

/// The mark on an address that mail can't go to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailMark {
    /// The address's canonical form.
    pub address_key: String,
    /// Why.
    pub reason: Undeliverable,
    /// When the mail came back or was complained about.
    #[serde(with = "super::millis")]
    pub at: OffsetDateTime,
}

impl MailMark {
    /// When it ends by itself; `None`: never.
    pub fn ends_at(&self) -> Option<OffsetDateTime> {
        match self.reason {
            Undeliverable::Bounced => Some(self.at + BOUNCE_HOLDS),
            Undeliverable::Complained => None,
        }
    }

    /// Whether it keeps mail away right now.
    pub fn holds(&self, now: OffsetDateTime) -> bool {
        self.ends_at().is_none_or(|end| now < end)
    }
}

/// What is known of an address before it is mailed.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// What was mailed there of late.
    pub log: MailLog,
    /// The mark that it has, possibly one that holds no more.
    pub mark: Option<MailMark>,
}

impl Mailbox {
    /// The log of an address that mail may go to. A repetition of a request that was mailed for before the mark came is
    /// no other request: its answer is in the log.
    pub(crate) fn open(self, purpose: Purpose, errand: &Errand, now: OffsetDateTime) -> Result<MailLog> {
        let repeated = errand.request.as_ref().is_some_and(|request| self.log.mail_for(purpose, request).is_some());
        match self.mark {
            Some(mark) if mark.holds(now) && !repeated => Err(Error::Undeliverable),
            Some(_) | None => Ok(self.log),
        }
    }
}

impl Account {
    /// The account's own addresses that mail can't go to right now, and why: what a person should know who signs in.
    pub fn undeliverable(&self, now: OffsetDateTime) -> Vec<(&EmailAddress, Undeliverable)> {
        let held = self.mail_marks.iter().filter(|mark| mark.holds(now));
        held.filter_map(|mark| Some((self.address(&mark.address_key)?, mark.reason))).collect()
    }

    /// Whether nothing had to change so that the account has this mark, and of its address no other.
    fn take_mark(&mut self, mark: &MailMark, now: OffsetDateTime) -> bool {
        if !self.has_address(&mark.address_key) || self.mail_marks.contains(mark) {
            return true;
        }
        let before = std::mem::take(&mut self.mail_marks);
        let kept = before.into_iter().filter(|one| one.holds(now) && one.address_key != mark.address_key);
        self.mail_marks = kept.filter(|one| self.has_address(&one.address_key)).chain([mark.clone()]).collect();
        false
    }

    /// Forgets what was wrong with an address that has shown to be right.
    pub(super) fn drop_mark(&mut self, address_key: &str) -> Option<Change<'static>> {
        let before = self.mail_marks.len();
        self.mail_marks.retain(|mark| mark.address_key != address_key);
        let marked = self.mail_marks.len() < before;
        marked.then(|| Change::LiftMailMark { address_key: address_key.to_owned() })
    }
}

impl Identity {
    /// Marks an address to which a mail could not be delivered, and tells the account that has it. No mail goes there
    /// from now on. The same report again changes nothing, and neither does an older one or, once there was a
    /// complaint, one of a mail that came back. Whether it is marked by this, and wasn't before.
    pub async fn mark_undeliverable(
        &self,
        address: &EmailAddress,
        reason: Undeliverable,
        at: OffsetDateTime,
    ) -> Result<bool> {
        let now = self.now();
        let mark = MailMark { address_key: address.key(), reason, at: at.min(now) };
        if !mark.holds(now) {
            return Ok(false);
        }
        let is_new = self.commit(&[Change::MarkMail(&mark)]).await?;
        // What is stored now, be it this report's or a stronger one.
        let stored = self.store.mailbox(&mark.address_key).await?.mark;
        let Some(mark) = stored.filter(|stored| stored.holds(now)) else { return Ok(is_new) };
        let origin = Origin::service(Visitor::default());
        for attempt in 0..MOST_ATTEMPTS {
            let owner = self.owner_of_address(&mark.address_key).await?;
            let Some(Versioned { mut account, version }) = owner else { return Ok(is_new) };
            if account.take_mark(&mark, now) {
                return Ok(is_new);
            }
            // When the account was changed by people stays as it is.
            let mut changes = vec![Change::UpdateAccount { account: &account, was: version }];
            let stopped = (Action::MailStopped, mark.reason.as_str().to_owned());
            changes.extend(self.record(&origin, Some(&account), [stopped])?);
            if self.commit(&changes).await? {
                return Ok(is_new);
            }
            self.step_aside(attempt).await?;
        }
        Err(contended())
    }

    /// Lets mail go to an address again. Refused where nothing keeps it away.
    pub async fn lift_mail_mark(&self, by: &Administrator, address: &EmailAddress) -> Result<()> {
        let address_key = address.key();
        for attempt in 0..MOST_ATTEMPTS {
            if self.store.mailbox(&address_key).await?.mark.is_none() {
                return Err(Error::NotFound);
            }
            let mut owner = self.owner_of_address(&address_key).await?;
            let marked = owner.as_mut().and_then(|read| read.account.drop_mark(&address_key)).is_some();
            let mut changes = vec![Change::LiftMailMark { address_key: address_key.clone() }];
            let changed = owner.as_ref().filter(|_| marked);
            changes.extend(changed.map(|read| Change::UpdateAccount { account: &read.account, was: read.version }));
            let subject = owner.as_ref().map(|read| &read.account);
            changes.extend(self.record(&Origin::from(by), subject, [(Action::MailResumed, String::new())])?);
            if self.commit(&changes).await? {
                return Ok(());
            }
            self.step_aside(attempt).await?;
            self.check_still_administers(by).await?;
        }
        Err(contended())
    }

    /// The account that has an address, proved or not.
    async fn owner_of_address(&self, address_key: &str) -> Result<Option<Versioned>> {
        let claims = self.store.claims(&[(ClaimKind::Email, address_key.to_owned())]).await?;
        let Some(claim) = claims.first() else { return Ok(None) };
        self.store.account(claim.account).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::Hashed;
    use super::super::mail_log::Posting;
    use super::*;
    use crate::identity::Language;
    use time::macros::datetime;

    const NOON: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

    fn mark(reason: Undeliverable) -> MailMark {
        MailMark { address_key: "a@b.co".to_owned(), reason, at: NOON }
    }

    #[test]
    fn what_came_back_holds_for_thirty_days_and_a_complaint_for_ever() {
        let (bounced, complained) = (mark(Undeliverable::Bounced), mark(Undeliverable::Complained));
        let last = NOON + BOUNCE_HOLDS - Duration::from_millis(1);
        assert!(bounced.holds(NOON) && bounced.holds(last) && !bounced.holds(NOON + BOUNCE_HOLDS));
        assert!(complained.holds(NOON) && complained.holds(NOON + 100 * BOUNCE_HOLDS));
    }

    #[test]
    fn a_mailbox_is_open_unless_a_mark_holds_or_its_mail_went_out_before() {
        let (first, other) = (Errand::new(Language::English, "first"), Errand::new(Language::English, "other"));
        let open = |mailbox: &Mailbox, errand, now| mailbox.clone().open(Purpose::Register, errand, now);
        let mut mailbox = Mailbox { log: MailLog::empty("a@b.co"), mark: None };
        assert!(open(&mailbox, &first, NOON).is_ok());
        mailbox.mark = Some(mark(Undeliverable::Bounced));
        assert!(matches!(open(&mailbox, &first, NOON), Err(Error::Undeliverable)));
        assert!(open(&mailbox, &first, NOON + BOUNCE_HOLDS).is_ok());
        let request = first.request.clone().expect("an id");
        let posting = Posting { purpose: Purpose::Register, request, about: Hashed::of(b"anna") };
        mailbox.log = mailbox.log.with_mail(&posting, NOON).expect("a first mail");
        assert!(open(&mailbox, &first, NOON).is_ok(), "the same request again");
        assert!(matches!(open(&mailbox, &other, NOON), Err(Error::Undeliverable)));
        assert!(matches!(mailbox.open(Purpose::ResetPassword, &first, NOON), Err(Error::Undeliverable)));
    }
}
