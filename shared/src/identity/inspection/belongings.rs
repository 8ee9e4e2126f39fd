//! An account with all that is its own, read together, and what is wrong with it.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::finding::{Finding, Pass};
use super::{Standing, is_open_pending, is_open_session, is_open_token};
use crate::identity::ownership::claims_of;
use crate::identity::{
    Account, AccountId, Action, ApiToken, AuditEvent, Avatar, Challenge, Claim, ClaimKind, MOST_GUESSES, PendingSignIn,
    PictureVersion, Session, Version, Versioned,
};

/// An account, or what is left of one, with all that is its own.
#[derive(Debug)]
pub struct Belongings {
    /// Which.
    pub id: AccountId,
    /// The account, if it is there.
    pub account: Option<Versioned>,
    /// Who has its name and addresses, and the claims besides that say they are its own.
    pub claims: Vec<Claim>,
    /// Its sessions.
    pub sessions: Vec<Session>,
    /// Its API tokens.
    pub tokens: Vec<ApiToken>,
    /// Its sign-ins that wait for their second factor.
    pub pending: Vec<PendingSignIn>,
    /// What happened to it.
    pub events: Vec<AuditEvent>,
    /// The picture under its number, if one is there.
    pub picture: Option<PictureVersion>,
    /// The active administrators, as the store lists them.
    pub administrators: BTreeSet<AccountId>,
}

impl Belongings {
    /// The names and addresses that the account should have.
    pub fn wanted(account: &Account) -> Vec<(ClaimKind, String)> {
        claims_of(account).into_iter().map(|claim| (claim.kind, claim.key)).collect()
    }

    /// Whether the account is known to have been deleted.
    pub fn was_deleted(&self) -> bool {
        self.events.iter().any(|event| event.action == Action::AccountDeleted)
    }

    fn version(&self) -> Option<Version> {
        self.account.as_ref().map(|read| read.version)
    }

    /// All that is wrong.
    pub fn findings(&self, now: OffsetDateTime) -> Vec<Finding> {
        let mut found = self.claims_found();
        found.extend(self.passes_found(now));
        let listed = self.administrators.contains(&self.id);
        let administers = self.account.as_ref().is_some_and(|read| read.account.active && read.account.is_admin());
        match (self.version(), administers, listed) {
            (Some(version), true, false) => found.push(Finding::AdministratorUnlisted { account: self.id, version }),
            (version, false, true) => found.push(Finding::AdministratorListed { account: self.id, version }),
            (Some(_) | None, true, true) | (None, true, false) | (Some(_) | None, false, false) => {}
        }
        if let Some(Versioned { account, .. }) = &self.account {
            if let Avatar::Uploaded(version) = &account.profile.avatar
                && self.picture.as_ref() != Some(version)
            {
                found.push(Finding::PictureMissing { account: self.id });
            }
            if !account.is_hashed() {
                found.push(self.unhashed("the account"));
            }
        }
        found.extend(self.sessions.iter().find(|one| !one.is_hashed()).map(|_| self.unhashed("a session")));
        found.extend(self.tokens.iter().find(|one| !one.secret.is_hash()).map(|_| self.unhashed("an API token")));
        let pending = self.pending.iter().find(|one| !one.secret.is_hash());
        found.extend(pending.map(|_| self.unhashed("a waiting sign-in")));
        found
    }

    fn unhashed(&self, what: &'static str) -> Finding {
        Finding::Unhashed { what, account: Some(self.id) }
    }

    fn claims_found(&self) -> Vec<Finding> {
        let wanted = self.account.as_ref().map(|read| claims_of(&read.account)).unwrap_or_default();
        let same = |one: &Claim, other: &Claim| (one.kind, &one.key) == (other.kind, &other.key);
        let mut found = Vec::new();
        for claim in &wanted {
            let Some(version) = self.version() else { continue };
            match self.claims.iter().find(|held| same(held, claim)) {
                None => found.push(Finding::ClaimMissing { claim: claim.clone(), version }),
                Some(held) if held.account != self.id => {
                    found.push(Finding::ClaimElsewhere { claim: claim.clone(), holder: held.account });
                }
                Some(held) if held.verified != claim.verified => {
                    found.push(Finding::ClaimProof { claim: claim.clone(), version });
                }
                Some(_) => {}
            }
        }
        let unowned = self.claims.iter().filter(|held| held.account == self.id);
        let unowned = unowned.filter(|held| !wanted.iter().any(|claim| same(held, claim)));
        found.extend(unowned.map(|claim| Finding::ClaimUnowned { claim: claim.clone(), version: self.version() }));
        found
    }

    fn passes_found(&self, now: OffsetDateTime) -> Vec<Finding> {
        let standing = self.account.as_ref().map(|read| Standing::from(&read.account));
        let sessions = self.sessions.iter().filter(|one| is_open_session(one, standing, now));
        let tokens = self.tokens.iter().filter(|one| is_open_token(one, standing, now));
        let pending = self.pending.iter().filter(|one| is_open_pending(one, standing, now));
        let passes = sessions.map(|one| Pass::Session(one.id));
        let passes = passes.chain(tokens.map(|one| Pass::ApiToken(one.id)));
        let passes = passes.chain(pending.map(|one| Pass::Pending(one.id)));
        let (account, version, was_deleted) = (self.id, self.version(), self.was_deleted());
        passes.map(|pass| Finding::PassOfNobody { pass, account, version, was_deleted }).collect()
    }
}

/// What is wrong with a mailed code, given whether the account that came of it is there or was deleted.
impl Challenge {
    /// All that is wrong with it.
    pub fn findings(&self, its_account_was_made: bool) -> Vec<Finding> {
        let mut found = Vec::new();
        if self.guesses > MOST_GUESSES {
            found.push(Finding::CodeOverguessed { purpose: self.key.purpose });
        }
        if let Some(account) = self.used_by.filter(|_| !its_account_was_made) {
            found.push(Finding::CodeOfNobody { purpose: self.key.purpose, account });
        }
        if !self.is_hashed() {
            found.push(Finding::Unhashed { what: "a mailed code", account: None });
        }
        found
    }
}
