//! What an account owns in the pool: its name, its addresses, and its place among the active administrators.
//! Every write to an account takes and gives up along with it whatever differs.

use std::collections::HashSet;

use super::{Account, Change, Claim, ClaimKind, EmailAddress, EmailClaim, Error, Result};

impl Account {
    /// Makes this the primary address, or leaves the account without one. An address that the account has
    /// already keeps its proof, or the lack of one; `proved` is for any other.
    pub(super) fn set_email(&mut self, address: Option<EmailAddress>, proved: bool) {
        let claims = addresses(self);
        self.email = address.map(|address| {
            let key = address.key();
            let known = claims.into_iter().find(|claim| claim.key == key);
            EmailClaim { address, verified: known.map_or(proved, |claim| claim.verified) }
        });
        let others = std::mem::take(&mut self.secondary_emails);
        self.set_secondary_emails(others);
    }

    /// Makes these the further addresses; the primary one, and one that is there twice, are left out.
    pub(super) fn set_secondary_emails(&mut self, addresses: Vec<EmailAddress>) {
        let mut seen: HashSet<_> = self.email.iter().map(|claim| claim.address.key()).collect();
        self.secondary_emails = addresses.into_iter().filter(|address| seen.insert(address.key())).collect();
    }
}

/// Refuses to give up the address that is the account's login name as well: whoever had it next would be signed in
/// by it instead, and the account by nothing.
pub(super) fn check_keeps_name(before: &Account, after: &Account) -> Result<()> {
    let own = |account: &Account| {
        let primary = account.email.as_ref().map(|claim| &claim.address);
        primary.into_iter().chain(&account.secondary_emails).any(|address| after.name.is_address(address))
    };
    let lost = after.name.looks_like_an_address() && own(before) && !own(after);
    if lost { Err(Error::AddressIsName) } else { Ok(()) }
}

/// The claims that an account has: no two of them have one key.
pub(super) fn claims_of(account: &Account) -> Vec<Claim> {
    let name = Claim { kind: ClaimKind::Name, key: account.name.key(), account: account.id, verified: true };
    std::iter::once(name).chain(addresses(account)).collect()
}

fn addresses(account: &Account) -> Vec<Claim> {
    let claim = |address: &EmailAddress, verified| Claim {
        kind: ClaimKind::Email,
        key: address.key(),
        account: account.id,
        verified,
    };
    let primary = account.email.iter().map(|email| claim(&email.address, email.verified));
    primary.chain(account.secondary_emails.iter().map(|address| claim(address, true))).collect()
}

/// What to take and to give up along with writing `after` in place of `before`. No claim is in it twice, since
/// a transaction can't have one item twice.
pub(super) fn changed_ownership(before: &Account, after: &Account) -> Vec<Change<'static>> {
    let (had, has) = (claims_of(before), claims_of(after));
    let among =
        |claims: &[Claim], one: &Claim| claims.iter().any(|other| (other.kind, &other.key) == (one.kind, &one.key));
    let released = had.iter().filter(|claim| !among(&has, claim)).cloned().map(Change::ReleaseClaim);
    let taken = has.iter().filter(|claim| !had.contains(claim)).cloned().map(Change::TakeClaim);
    released.chain(taken).chain(administrators(Some(before), Some(after))).collect()
}

/// What to take along with making an account.
pub(super) fn first_ownership(account: &Account) -> Vec<Change<'static>> {
    let taken = claims_of(account).into_iter().map(Change::TakeClaim);
    taken.chain(administrators(None, Some(account))).collect()
}

/// What to give up along with deleting an account.
pub(super) fn whole_ownership(account: &Account) -> Vec<Change<'static>> {
    let released = claims_of(account).into_iter().map(Change::ReleaseClaim);
    released.chain(administrators(Some(account), None)).collect()
}

fn administrators(before: Option<&Account>, after: Option<&Account>) -> Option<Change<'static>> {
    let acts = |account: &&Account| account.active && account.is_admin();
    match (before.filter(acts), after.filter(acts)) {
        (None, Some(account)) => Some(Change::JoinAdministrators(account.id)),
        (Some(account), None) => Some(Change::LeaveAdministrators(account.id)),
        (None, None) | (Some(_), Some(_)) => None,
    }
}
