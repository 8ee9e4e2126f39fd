//! Accounts found by how a name or an address of theirs begins.

use std::collections::HashMap;

use super::{Account, AccountId, ClaimKind, Error, Identifier, Identity, Result};

/// How many names, and how many addresses, a search looks through at most. What begins more of them is refused, so that
/// one request's work is bounded and the number of matches is always exact.
pub const MOST_MATCHES: usize = 10_000;

/// What is searched for: the beginning of a name or an address, in the form that is unique in the pool. An address's
/// domain is compared in its ASCII form, so its part before the dot has to be whole where it is not ASCII itself.
#[derive(Debug, Clone)]
pub struct Beginning(Identifier);

impl Beginning {
    /// `None` where there is nothing to look for.
    pub fn parse(text: &str) -> Option<Self> {
        let identifier = Identifier::new(text);
        (!identifier.name_key().is_empty()).then_some(Self(identifier))
    }

    fn keys(&self) -> [(ClaimKind, String); 2] {
        let name = self.0.name_key();
        let address = self.0.address_key().unwrap_or(name);
        [(ClaimKind::Name, name.to_owned()), (ClaimKind::Email, address.to_owned())]
    }
}

/// Some of the accounts that a search found.
#[derive(Debug)]
pub struct Matches {
    /// Accounts in order of their ids, which is that in which they were made.
    pub accounts: Vec<Account>,
    /// Exactly how many match.
    pub total: u64,
    /// The account after which the next ones start, where there are any.
    pub next: Option<AccountId>,
}

impl Identity {
    /// The accounts behind `after` with a login name, a primary or a further address that begins so, each once, at most
    /// `limit` of them. Pages keep their place while accounts come and go, since ids are never used again.
    pub async fn search_accounts(
        &self,
        beginning: &Beginning,
        after: Option<AccountId>,
        limit: u32,
    ) -> Result<Matches> {
        let found = self.matching(beginning).await?;
        let skipped = found.iter().take_while(|id| after.is_some_and(|after| **id <= after)).count();
        self.read_matches(&found, skipped, limit).await
    }

    /// A page by its place among the matches, counting from 1.
    pub async fn search_accounts_by_page(&self, beginning: &Beginning, page: u32, size: u32) -> Result<Matches> {
        let found = self.matching(beginning).await?;
        let skipped = u64::from(page.saturating_sub(1)) * u64::from(size);
        self.read_matches(&found, usize::try_from(skipped).unwrap_or(usize::MAX), size).await
    }

    async fn matching(&self, beginning: &Beginning) -> Result<Vec<AccountId>> {
        let found = self.store.owners_of_beginnings(&beginning.keys(), MOST_MATCHES).await?;
        Ok(found.ok_or(Error::TooManyMatches)?.into_iter().collect())
    }

    /// Accounts that were deleted in the same instant are left out.
    async fn read_matches(&self, found: &[AccountId], skipped: usize, limit: u32) -> Result<Matches> {
        let wanted = found.get(skipped..).unwrap_or_default();
        let more = wanted.len() > limit as usize;
        let wanted = &wanted[..wanted.len().min(limit as usize)];
        let read = self.store.accounts(wanted).await?;
        let mut read: HashMap<_, _> = read.into_iter().map(|read| (read.account.id, read.account)).collect();
        Ok(Matches {
            accounts: wanted.iter().filter_map(|id| read.remove(id)).collect(),
            total: found.len() as u64,
            next: wanted.last().copied().filter(|_| more),
        })
    }
}
