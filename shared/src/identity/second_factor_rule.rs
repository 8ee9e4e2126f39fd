//! Who must have a second factor, and how little is open to them while they have none.

use super::{Account, Error, Gate, Identity, Result};

/// Who must have a second factor whatever administrators demand of single accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecondFactorRule {
    /// Nobody: everybody decides for themselves.
    #[default]
    Nobody,
    /// Those whose role is administrator.
    Administrators,
    /// Everybody.
    Everyone,
}

impl SecondFactorRule {
    /// Whether the account must have one.
    fn binds(self, account: &Account) -> bool {
        match self {
            Self::Nobody => account.second_factor_required,
            Self::Administrators => account.second_factor_required || account.is_admin(),
            Self::Everyone => true,
        }
    }
}

impl Identity {
    /// Whether the account must have a second factor and has none yet.
    pub fn lacks_second_factor(&self, account: &Account) -> bool {
        !account.has_second_factor() && self.policy.second_factor.binds(account)
    }

    /// Refuses to leave an account without a second factor that must have one.
    pub(super) fn check_may_do_without(&self, account: &Account) -> Result<()> {
        if self.policy.second_factor.binds(account) { Err(Error::SecondFactorRequired) } else { Ok(()) }
    }

    /// Refuses accounts that have to see to something first, as far as the gate is closed to them. The password comes
    /// before the second factor: only who chose it should set one up.
    pub(super) fn check_ready(&self, account: &Account, gate: Gate) -> Result<()> {
        let (password, factor) = match gate {
            Gate::Closed => (true, true),
            Gate::SettingUp => (true, false),
            Gate::Open => (false, false),
        };
        if password && account.must_change_password {
            return Err(Error::PasswordChangeRequired);
        }
        if factor && self.lacks_second_factor(account) {
            return Err(Error::SecondFactorRequired);
        }
        Ok(())
    }
}
