//! A person's sessions, as the person sees and ends them.

use super::audit::{Action, Origin};
use super::profile::end_other_sessions;
use super::{Change, Error, Identity, Result, Session, SessionId, SignedIn};

/// How many sessions a list has at most: the newest. A program that signs in for each of its requests leaves
/// thousands, which end together.
pub const MOST_LISTED_SESSIONS: usize = 200;

impl Identity {
    /// The account's sessions that are live, newest first.
    pub async fn list_sessions(&self, signed_in: &SignedIn) -> Result<Vec<Session>> {
        let account = &signed_in.account.account;
        let mut sessions = self.store.sessions(account.id).await?;
        sessions.retain(|session| self.is_live(account, session));
        sessions.sort_by_key(|session| std::cmp::Reverse((session.opened_at, session.id.0)));
        sessions.truncate(MOST_LISTED_SESSIONS);
        Ok(sessions)
    }

    /// Ends one of the account's live sessions, possibly the one that asks: its tokens are refused from the next
    /// request on.
    pub async fn end_session(&self, signed_in: &SignedIn, session: SessionId) -> Result<()> {
        let account = &signed_in.account.account;
        // Beside the account as it is now: a password change in this very instant may have taken the session along.
        let (now, found) = self.store.account_and_session(account.id, session).await?;
        if !now.zip(found).is_some_and(|(now, session)| self.is_live(&now.account, &session)) {
            return Err(Error::NotFound);
        }
        // Needs no condition: that it is gone is what was asked for, and nothing writes a session that isn't there.
        let mut changes = vec![Change::EndSession { account: account.id, session }];
        let ended = (Action::SessionEnded, session.to_string());
        changes.extend(self.record(&Origin::from(signed_in), Some(account), [ended])?);
        self.commit(&changes).await?;
        Ok(())
    }

    /// Ends every session of the account but the one that asks.
    pub async fn end_other_sessions(&self, signed_in: SignedIn) -> Result<()> {
        let session = signed_in.session.id;
        self.amend(signed_in.into(), |account| Ok(vec![end_other_sessions(account, session)])).await?;
        Ok(())
    }
}
