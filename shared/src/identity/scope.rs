//! What an API token may do: no more than its scopes say, and no more than its owner may.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Account, Error, Result};

/// One thing that an API token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// Look at the owner's profile, and tell others who that is.
    #[serde(rename = "profile:read")]
    ProfileRead,
    /// Change what the owner's profile says, the avatar included.
    #[serde(rename = "profile:write")]
    ProfileWrite,
    /// Look at the usage of accounts.
    #[serde(rename = "usage:read")]
    UsageRead,
    /// Report the usage of accounts.
    #[serde(rename = "usage:write")]
    UsageWrite,
    /// Look at everything that administrators see.
    #[serde(rename = "admin:read")]
    AdminRead,
    /// Do everything that administrators do.
    #[serde(rename = "admin:write")]
    AdminWrite,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::ProfileRead, Self::ProfileWrite, Self::UsageRead, Self::UsageWrite, Self::AdminRead, Self::AdminWrite];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ProfileRead => "profile:read",
            Self::ProfileWrite => "profile:write",
            Self::UsageRead => "usage:read",
            Self::UsageWrite => "usage:write",
            Self::AdminRead => "admin:read",
            Self::AdminWrite => "admin:write",
        }
    }

    /// Finds one by its name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Whether it takes an administrator to have it.
    fn is_for_administrators(self) -> bool {
        match self {
            Self::ProfileRead | Self::ProfileWrite => false,
            Self::UsageRead | Self::UsageWrite | Self::AdminRead | Self::AdminWrite => true,
        }
    }

    /// What it allows: who may change may look.
    fn includes(self) -> &'static [Self] {
        match self {
            Self::ProfileRead => &[Self::ProfileRead],
            Self::ProfileWrite => &[Self::ProfileRead, Self::ProfileWrite],
            Self::UsageRead => &[Self::UsageRead],
            Self::UsageWrite => &[Self::UsageRead, Self::UsageWrite],
            Self::AdminRead => &[Self::UsageRead, Self::AdminRead],
            Self::AdminWrite => &[Self::UsageRead, Self::UsageWrite, Self::AdminRead, Self::AdminWrite],
        }
    }
}

/// The scopes of one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

/// What a token has that was made without naming any, and every token from before there were scopes: nothing that only
/// administrators may.
impl Default for Scopes {
    fn default() -> Self {
        Self(Scope::ALL.into_iter().filter(|scope| !scope.is_for_administrators()).collect())
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<T: IntoIterator<Item = Scope>>(scopes: T) -> Self {
        Self(scopes.into_iter().collect())
    }
}

impl Scopes {
    /// In order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    pub(super) fn check(&self, needed: Scope) -> Result<()> {
        let allowed = self.iter().any(|scope| scope.includes().contains(&needed));
        if allowed { Ok(()) } else { Err(Error::ScopeMissing) }
    }

    /// Refuses to give out what the account itself doesn't have.
    pub(super) fn check_owner(&self, account: &Account) -> Result<()> {
        let beyond = self.iter().any(Scope::is_for_administrators) && !account.is_admin();
        if beyond { Err(Error::NotAdministrator) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_are_stored() {
        for scope in Scope::ALL {
            assert_eq!(serde_json::to_value(scope).expect("JSON"), scope.name());
            assert_eq!(Scope::named(scope.name()), Some(scope));
        }
        assert_eq!(Scope::named("admin"), None);
    }

    #[test]
    fn changing_includes_looking_and_nothing_else_is_included() {
        let allowed = |own: &[Scope]| {
            let own: Scopes = own.iter().copied().collect();
            Scope::ALL.into_iter().filter(|scope| own.check(*scope).is_ok()).map(Scope::name).collect::<Vec<_>>()
        };
        assert_eq!(allowed(&[]), [""; 0]);
        assert_eq!(allowed(&[Scope::ProfileRead]), ["profile:read"]);
        assert_eq!(allowed(&[Scope::ProfileWrite]), ["profile:read", "profile:write"]);
        assert_eq!(allowed(&[Scope::UsageWrite]), ["usage:read", "usage:write"]);
        assert_eq!(allowed(&[Scope::AdminRead]), ["usage:read", "admin:read"]);
        assert_eq!(allowed(&[Scope::AdminWrite]), ["usage:read", "usage:write", "admin:read", "admin:write"]);
    }
}
