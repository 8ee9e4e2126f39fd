//! Carrying a session on: every refresh token is good once, and a copy of a used one ends the session.

use super::audit::{Action, Origin, Outcome};
use super::context::{MOST_ATTEMPTS, contended};
use super::session::{Exchange, PresentedRefresh};
use super::{Account, Change, Error, Gate, Identity, Opened, RefreshToken, Result, Session, Visitor};

impl Identity {
    /// Exchanges a refresh token for a new pair. The same token again within
    /// [`REPEAT_GRACE`](super::REPEAT_GRACE) gets the same successor; later, and only while that successor
    /// was never presented, another one in its place; after that the session ends.
    pub async fn refresh(&self, token: &RefreshToken, visitor: &Visitor) -> Result<Opened> {
        let Some(presented) = PresentedRefresh::parse(token) else { return Err(Error::TokenInvalid) };
        for attempt in 0..MOST_ATTEMPTS {
            if let Some(opened) = self.try_exchange(&presented, visitor).await? {
                return Ok(opened);
            }
            self.step_aside(attempt).await?;
        }
        Err(contended())
    }

    /// One reading and one conditional write; `None` where somebody else moved the chain in between.
    async fn try_exchange(&self, presented: &PresentedRefresh, visitor: &Visitor) -> Result<Option<Opened>> {
        let read = self.store.account_and_session(presented.account, presented.session);
        let (account, session) = self.with_fresh_keys(read).await?;
        let (Some(account), Some(session)) = (account, session) else { return Err(Error::SessionEnded) };
        visitor.notes.of_account(account.account.id);
        let Some(chain) = &session.refresh else { return Err(Error::TokenInvalid) };
        self.check_live(&account.account, &session)?;
        let exchange = chain.exchange(presented, self.now(), &*self.chance)?;
        let ours = matches!(exchange, Exchange::Repeat(_) | Exchange::Rotate(..));
        if ours {
            self.check_ready(&account.account, Gate::Closed)?;
        }
        match exchange {
            Exchange::Unknown => Err(Error::TokenInvalid),
            Exchange::Reused => {
                self.end_copied(&account.account, &session, visitor).await?;
                Err(Error::SessionEnded)
            }
            Exchange::Repeat(token) => Ok(Some(self.hand_out(account.account, &session, Some(token)).await?)),
            Exchange::Rotate(next, token) => {
                if !self.store.rotate(&session, &chain.current, &next, self.now()).await? {
                    return Ok(None);
                }
                let session = Session { refresh: Some(next), ..session };
                Ok(Some(self.hand_out(account.account, &session, Some(token)).await?))
            }
        }
    }

    /// Ends a session of which somebody has a copy of a refresh token.
    async fn end_copied(&self, account: &Account, session: &Session, visitor: &Visitor) -> Result<()> {
        let mut changes = vec![Change::EndSession { account: account.id, session: session.id }];
        let reused = (Action::RefreshTokenReused, session.id.to_string());
        let origin = Origin::service(visitor.clone());
        changes.extend(self.record_as(Outcome::Refused, &origin, Some(account), [reused])?);
        self.commit(&changes).await?;
        Ok(())
    }
}
