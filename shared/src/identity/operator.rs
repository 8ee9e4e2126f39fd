//! What whoever runs the deployment does by its store when nobody can sign in to do it.

use super::context::contended;
use super::ownership::first_ownership;
use super::register::FIRST_ADMINISTRATOR;
use super::{
    Account, Administrator, AttemptKey, Change, Error, Identity, KeyStatus, Name, Password, Result, Role, Versioned,
    canonical,
};

/// How far an administrator's access is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restoration {
    /// Makes an active administrator of an account that is none, and the account of the reserved name where nobody has
    /// it: that one must choose a name, an address and a password of its own before anything else.
    pub reinstate: bool,
    /// Takes the second factor away.
    pub drop_second_factor: bool,
}

impl Identity {
    /// Sets the password of an administrator who can't sign in any more: all sessions and API tokens of the account end,
    /// and nobody waits for attempts that were counted before. An account that is no active administrator is refused,
    /// unless it is to be made one.
    pub async fn restore_administrator(&self, name: &str, new: &Password, how: Restoration) -> Result<Account> {
        let account = match self.account_named(name).await {
            Ok(read) => self.restore(read, new, how).await?,
            Err(Error::NotFound) if how.reinstate && canonical(name) == FIRST_ADMINISTRATOR => {
                self.make_reserved_administrator(new).await?
            }
            Err(other) => return Err(other),
        };
        let address = account.email.as_ref().map(|claim| claim.address.key());
        for identifier in [Some(account.name.key()), address].into_iter().flatten() {
            self.forget_attempts(&AttemptKey::Identifier(identifier)).await;
        }
        self.forget_attempts(&AttemptKey::SecondFactor(account.id)).await;
        Ok(account)
    }

    async fn restore(&self, read: Versioned, new: &Password, how: Restoration) -> Result<Account> {
        let hash = self.hasher.hash(new, &*self.chance).await?;
        self.change_as_administrator(&Administrator::Operator, read, |account| {
            if how.reinstate {
                account.role = Role::Admin;
                account.active = true;
            }
            if !(account.active && account.is_admin()) {
                return Err(Error::NotAdministrator);
            }
            if how.drop_second_factor {
                account.drop_second_factor();
            }
            account.password = hash.clone();
            account.session_generation += 1;
            account.token_generation += 1;
            Ok(Vec::new())
        })
        .await
    }

    async fn make_reserved_administrator(&self, password: &Password) -> Result<Account> {
        let name = Name::parse(FIRST_ADMINISTRATOR, &(1..=32))
            .map_err(|problem| anyhow::anyhow!("the reserved name: {problem:?}"))?;
        let hash = self.hasher.hash(password, &*self.chance).await?;
        let mut account = self.new_account(name, None, hash, String::new(), Role::Admin).await?;
        account.must_change_password = true;
        // Where no administrator was ever made this is the first, and no other may follow by that name.
        for is_first in [true, false] {
            let mut changes = vec![Change::CreateAccount(&account)];
            changes.extend(is_first.then_some(Change::MarkFirstAdministrator));
            changes.extend(first_ownership(&account));
            changes.extend(self.record_creation(&(&Administrator::Operator).into(), &account)?);
            if self.commit(&changes).await? {
                return Ok(account);
            }
        }
        Err(contended())
    }

    /// [`Identity::rotate_keys`] for whoever runs the deployment. A deployment that never signed a token has no keys, and
    /// nothing to rotate.
    pub async fn rotate_keys_by_store(&self, at_once: bool) -> Result<Vec<KeyStatus>> {
        if self.store.signing_record().await?.keys.is_empty() {
            return Err(Error::NotFound);
        }
        self.rotate_keys(&Administrator::Operator, at_once).await
    }
}
