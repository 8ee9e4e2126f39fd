//! API tokens: made, listed and revoked by a signed-in person, and used in place of a session.

use std::time::Duration;

use super::api_token::PresentedApiToken;
use super::audit::{Action, Origin};
use super::context::{MOST_ATTEMPTS, contended};
use super::{
    AccessToken, Account, ApiToken, ApiTokenId, Change, Error, Gate, Identity, Refused, Result, Scopes, SignedIn,
    Visitor, Vouched, Voucher,
};

/// How many API tokens an account may have.
pub const MOST_API_TOKENS: usize = 50;
/// A token's last use is written down no more often than this.
const USE_GAP: Duration = Duration::from_secs(60);
/// Tokens that are no longer good are cleared away so many at a time: a transaction takes 100 writes.
const MOST_CLEARED: usize = 90;

impl Identity {
    /// Makes an API token; its secret is told this once. Scopes that take an administrator are an administrator's to give. `life` is how long it is good, for ever where absent.
    pub async fn create_api_token(
        &self,
        signed_in: SignedIn,
        name: String,
        scopes: Scopes,
        life: Option<Duration>,
    ) -> Result<(ApiToken, AccessToken)> {
        let origin = Origin::from(&signed_in);
        let Vouched { account: mut read, by, visitor: _ } = Vouched::from(signed_in);
        let now = self.now();
        for attempt in 0..MOST_ATTEMPTS {
            scopes.check_owner(&read.account)?;
            // The account was read before its tokens, and is written with the new one: who adds a token after this
            // count makes the account's version stale, so that parallel requests can't pass the limit.
            let kept = self.store.api_tokens(read.account.id).await?;
            let (live, dead): (Vec<_>, Vec<_>) = kept.into_iter().partition(|token| token.is_live(&read.account, now));
            if live.len() >= MOST_API_TOKENS {
                return Err(Error::LimitReached);
            }
            let (token, secret) = ApiToken::make(
                &read.account,
                name.clone(),
                scopes.clone(),
                life.map(|life| now + life),
                now,
                &*self.chance,
            )?;
            let mut changes =
                vec![Change::UpdateAccount { account: &read.account, was: read.version }, Change::AddApiToken(&token)];
            let cleared = dead.iter().take(MOST_CLEARED);
            changes.extend(cleared.map(|token| Change::DropApiToken { account: token.account, token: token.id }));
            let made = (Action::ApiTokenCreated, token.id.to_string());
            changes.extend(self.record(&origin, Some(&read.account), [made])?);
            match self.store.commit(&changes).await? {
                Ok(()) => {
                    self.tell(&origin, &read.account, &read.account, &changes).await;
                    return Ok((token, secret));
                }
                Err(Refused::NameTaken | Refused::EmailTaken | Refused::LastAdministrator | Refused::Stale) => {}
            }
            self.step_aside(attempt).await?;
            read = self.reread(read.account.id, &by).await?;
        }
        Err(contended())
    }

    /// The account's API tokens that are good, oldest first.
    pub async fn list_api_tokens(&self, signed_in: &SignedIn) -> Result<Vec<ApiToken>> {
        let account = &signed_in.account.account;
        let mut tokens = self.store.api_tokens(account.id).await?;
        tokens.retain(|token| token.is_live(account, self.now()));
        Ok(tokens)
    }

    /// Revokes an API token: it is refused from the next request on.
    pub async fn revoke_api_token(&self, signed_in: &SignedIn, token: ApiTokenId) -> Result<()> {
        let owner = &signed_in.account.account;
        let (_, kept) = self.store.account_and_api_token(owner.id, token).await?;
        if kept.is_none() {
            return Err(Error::NotFound);
        }
        let mut changes = vec![Change::DropApiToken { account: owner.id, token }];
        let revoked = (Action::ApiTokenRevoked, token.to_string());
        changes.extend(self.record(&Origin::from(signed_in), Some(owner), [revoked])?);
        // Needs no condition: that it is gone is what was asked for, whoever else asked too.
        match self.store.commit(&changes).await? {
            Ok(()) | Err(Refused::NameTaken | Refused::EmailTaken | Refused::LastAdministrator | Refused::Stale) => {
                Ok(())
            }
        }
    }

    /// Finds whom an API token stands for, if the token and its account are good. An account that has yet to
    /// choose its own password, or to set up a second factor, is open to its session alone: its tokens rest.
    pub(super) async fn vouched_by_api_token(&self, token: &AccessToken, visitor: &Visitor) -> Result<Vouched> {
        let Some(presented) = PresentedApiToken::parse(token) else { return Err(Error::TokenInvalid) };
        let (account, kept) = self.store.account_and_api_token(presented.account, presented.id).await?;
        let (Some(account), Some(kept)) = (account, kept) else { return Err(Error::SessionEnded) };
        if !kept.secret.matches(&presented.secret) {
            return Err(Error::TokenInvalid);
        }
        visitor.notes.of_account(account.account.id);
        self.check_live_token(&account.account, &kept)?;
        self.note_use(&kept).await;
        Ok(Vouched { account, by: Voucher::ApiToken(kept.id, kept.scopes), visitor: visitor.clone() })
    }

    /// Refuses a token that is past its time or ended with all others, or whose account is disabled or has
    /// to see to something first.
    pub(super) fn check_live_token(&self, account: &Account, token: &ApiToken) -> Result<()> {
        if token.is_over(self.now()) {
            return Err(Error::TokenInvalid);
        }
        if !account.active || !token.is_live(account, self.now()) {
            return Err(Error::SessionEnded);
        }
        self.check_ready(account, Gate::Closed)
    }

    /// Writes down that a token is used. Nobody waits for this to succeed: the request is good without.
    async fn note_use(&self, token: &ApiToken) {
        let now = self.now();
        let due = token.last_used.is_none_or(|last| now >= last + USE_GAP);
        if due && let Err(failed) = self.store.note_use(token, now).await {
            tracing::warn!(outcome = %failed, "the last use of an API token was not written");
        }
    }
}
