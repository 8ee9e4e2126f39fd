//! The administrator's side.

use futures_util::future::try_join;

use super::api_token::PresentedApiToken;
use super::{AccessToken, Account, AdminToken, Error, Gate, Hashed, Identity, Result, Scope, Visitor, Vouched};

/// Who asks as an administrator.
#[derive(Debug, Clone)]
pub enum Administrator {
    /// Whoever holds the deployment's administrator token, and from where they ask.
    TokenHolder(Visitor),
    /// Whoever runs the deployment and works on its store, without asking the service.
    Operator,
    /// An account whose role is administrator: signed in, or by an API token with the scope for it.
    Account(Box<Vouched>),
}

/// One page of accounts.
#[derive(Debug)]
pub struct AccountPage {
    /// Accounts in order of their number.
    pub accounts: Vec<Account>,
    /// Exactly how many there are.
    pub total: u64,
    /// The number after which the next page starts, where there is one.
    pub next: Option<u64>,
}

/// Accounts read at a time on the way to a page.
const MOST_SKIPPED: u32 = 500;

impl Identity {
    /// Admits an administrator by a token that is the deployment's administrator token, the access token of a signed-in
    /// administrator, or an API token of one that has the scope.
    pub async fn authorize_administrator(
        &self,
        token: Option<&str>,
        needed: Scope,
        visitor: &Visitor,
    ) -> Result<Administrator> {
        let Some(token) = token.filter(|token| !token.is_empty()) else { return Err(Error::TokenMissing) };
        let presented = AccessToken::new(token);
        if looks_like_jwt(token) || PresentedApiToken::is_meant(&presented) {
            return self.require_administrator(&presented, needed, visitor).await;
        }
        let kept = self.kept_admin_token().await?;
        let right = kept.is_some_and(|kept| kept.matches(token.as_bytes()));
        if right { Ok(Administrator::TokenHolder(visitor.clone())) } else { Err(Error::TokenInvalid) }
    }

    async fn require_administrator(
        &self,
        token: &AccessToken,
        needed: Scope,
        visitor: &Visitor,
    ) -> Result<Administrator> {
        let vouched = self.authenticate(Some(token), Gate::Closed, visitor).await?;
        vouched.by.check(needed)?;
        if !vouched.account.account.is_admin() {
            return Err(Error::NotAdministrator);
        }
        Ok(Administrator::Account(Box::new(vouched)))
    }

    /// The administrator whose access token this is, if it is one: for requests that anybody may make and
    /// that administrators get more from.
    pub async fn administrator_behind(
        &self,
        token: Option<&AccessToken>,
        visitor: &Visitor,
    ) -> Result<Option<Account>> {
        let vouched = match self.authenticate(token, Gate::Closed, visitor).await {
            Err(accident) if accident.is_accident() => return Err(accident),
            // A refusal leaves the person who they would be without a token.
            answer => answer.ok(),
        };
        // An API token makes nobody an administrator here, whatever its scopes: it may be any program's.
        let signed_in = vouched.map(Vouched::signed_in).transpose().unwrap_or_default();
        Ok(signed_in.map(|signed_in| signed_in.account.account).filter(Account::is_admin))
    }

    /// Sets the deployment's administrator token; only its hash is kept.
    pub async fn set_admin_token(&self, token: &AdminToken) -> Result<()> {
        self.store.set_admin_token(&Hashed::of(token.reveal().as_bytes())).await
    }

    /// The accounts with numbers above `after`, at most `limit` of them. Pages keep their place while accounts
    /// come and go, since numbers are never used again.
    pub async fn list_accounts(&self, after: u64, limit: u32) -> Result<AccountPage> {
        let (mut accounts, total) =
            try_join(self.store.list_accounts(after, limit.saturating_add(1)), self.store.count_accounts()).await?;
        let more = accounts.len() > limit as usize;
        accounts.truncate(limit as usize);
        let next = accounts.last().filter(|_| more).map(|last| last.number);
        Ok(AccountPage { accounts, total, next })
    }

    /// A page by its place in the list, counting from 1: walks to it, so far pages cost more than near ones.
    pub async fn list_accounts_by_page(&self, page: u32, size: u32) -> Result<AccountPage> {
        let mut skip = u64::from(page.saturating_sub(1)) * u64::from(size);
        let mut after = 0;
        while skip > 0 {
            let step = u32::try_from(skip).unwrap_or(u32::MAX).min(MOST_SKIPPED);
            let passed = self.store.list_accounts(after, step).await?;
            after = passed.last().map_or(u64::MAX, |last| last.number);
            if passed.len() < step as usize {
                break;
            }
            skip -= u64::from(step);
        }
        self.list_accounts(after, size).await
    }
}

/// Three parts with dots between them; the administrator token has none.
fn looks_like_jwt(token: &str) -> bool {
    token.split('.').count() == 3
}
