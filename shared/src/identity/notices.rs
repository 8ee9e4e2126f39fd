//! Telling people by mail what happened to their accounts, once it is done.

use std::time::Duration;

use futures_util::future::join_all;

use super::audit::{Action, Origin, Outcome};
use super::mails::Happening;
use super::{Account, AttemptKey, Change, EmailAddress, EmailClaim, Identity, Language, Notice};

/// So long at most does a request wait for its notices. Nobody may be kept from their account by the mail service.
const WITHIN: Duration = Duration::from_secs(3);
/// Whoever has just made an account need not be told of the device that they go on with.
const JUST_MADE: Duration = Duration::from_secs(600);

impl Identity {
    /// Tells the person what the audit trail says of their account among changes that were committed: at the primary
    /// address, where it is proved, and when that changes also at the one before. What can't be mailed is logged; the
    /// act itself is done.
    pub(super) async fn tell(&self, origin: &Origin, before: &Account, after: &Account, committed: &[Change<'_>]) {
        let (was, is) = (self.told_at(before), self.told_at(after));
        let by_other = origin.is_other_than(after);
        let mut mails = Vec::new();
        for notice in committed.iter().filter_map(|change| self.notice_of(change, after, by_other)) {
            let happening = |former| Happening {
                notice,
                account: after,
                at: self.now(),
                from: (!by_other).then_some(&origin.visitor),
                address: moved_address(notice, before, after),
                former,
            };
            mails.extend(is.iter().map(|to| (happening(false), &to.address)));
            let former = was.iter().filter(|_| notice == Notice::EmailChanged).filter(|was| !is_same(was, is.as_ref()));
            mails.extend(former.map(|to| (happening(true), &to.address)));
        }
        let language = after.profile.language.unwrap_or(origin.visitor.language);
        let sent = join_all(mails.iter().map(|(happening, to)| self.send_notice(happening, to, language)));
        if tokio::time::timeout(WITHIN, sent).await.is_err() {
            tracing::warn!("notices took too long to be sent");
        }
    }

    /// The address at which the person is told things: the primary one, if it is proved and mail reaches it.
    fn told_at(&self, account: &Account) -> Option<EmailClaim> {
        let lost = account.undeliverable(self.now());
        let reached = |claim: &EmailClaim| claim.verified && lost.iter().all(|(address, _)| **address != claim.address);
        account.email.clone().filter(reached)
    }

    /// What the person is told of a change, if anything.
    fn notice_of(&self, change: &Change<'_>, after: &Account, by_other: bool) -> Option<Notice> {
        let Change::RecordEvent(event) = change else { return None };
        match event.outcome {
            Outcome::Done => {}
            Outcome::Refused => return None,
        }
        if event.subject.as_ref().map(|subject| subject.id) != Some(after.id) {
            return None;
        }
        match event.action {
            Action::SignedInOnNewDevice => {
                Some(Notice::NewDevice).filter(|_| self.now() >= after.created_at + JUST_MADE)
            }
            Action::NameChanged => Some(Notice::NameChanged),
            Action::PasswordChanged if by_other => Some(Notice::PasswordSet),
            Action::PasswordChanged => Some(Notice::PasswordChanged),
            Action::PasswordReset => Some(Notice::PasswordReset),
            Action::EmailChanged => Some(Notice::EmailChanged),
            Action::EmailAdded => Some(Notice::EmailAdded),
            Action::EmailRemoved => Some(Notice::EmailRemoved),
            Action::SecondFactorOn => Some(Notice::SecondFactorOn),
            Action::SecondFactorOff => Some(Notice::SecondFactorOff),
            Action::RecoveryCodesRenewed => Some(Notice::RecoveryCodesRenewed),
            Action::ApiTokenCreated => Some(Notice::ApiTokenCreated),
            Action::AccountCreated
            | Action::SignedIn
            | Action::AccountChanged
            | Action::AccountDisabled
            | Action::AccountEnabled
            | Action::AccountDeleted
            | Action::RoleChanged
            | Action::EmailProved
            | Action::EmailLost
            | Action::MailStopped
            | Action::MailResumed
            | Action::SecondFactorDemanded
            | Action::SecondFactorNotDemanded
            | Action::RecoveryCodeUsed
            | Action::SessionEnded
            | Action::SessionsEnded
            | Action::RefreshTokenReused
            | Action::ApiTokenRevoked
            | Action::SettingsChanged
            | Action::KeysRotated => None,
        }
    }

    async fn send_notice(&self, happening: &Happening<'_>, to: &EmailAddress, language: Language) {
        let notice = happening.notice.as_str();
        if let Err(refusal) = self.reserve_attempt(&AttemptKey::NoticesTo(to.key())).await {
            tracing::warn!(notice, outcome = %refusal, "a notice was not sent");
            return;
        }
        let sent = match self.policy.stationery.notice(happening, to, language) {
            Ok(mail) => self.mailer.send(&mail).await.map_err(anyhow::Error::from),
            Err(failed) => Err(failed),
        };
        if let Err(failed) = sent {
            tracing::warn!(notice, outcome = %failed, "a notice was not sent");
        }
    }
}

fn is_same(was: &EmailClaim, is: Option<&EmailClaim>) -> bool {
    is.is_some_and(|is| is.address.key() == was.address.key())
}

/// The address that a notice is about besides the primary one: the first that only one of both has.
fn moved_address<'a>(notice: Notice, before: &'a Account, after: &'a Account) -> Option<&'a EmailAddress> {
    let missing = |has: &'a Account, lacks: &Account| {
        has.secondary_emails.iter().find(|address| !lacks.has_address(&address.key()))
    };
    match notice {
        Notice::EmailAdded => missing(after, before),
        Notice::EmailRemoved => missing(before, after),
        Notice::NewDevice
        | Notice::NameChanged
        | Notice::PasswordChanged
        | Notice::PasswordReset
        | Notice::PasswordSet
        | Notice::EmailChanged
        | Notice::SecondFactorOn
        | Notice::SecondFactorOff
        | Notice::RecoveryCodesRenewed
        | Notice::ApiTokenCreated => None,
    }
}
