//! What administrators do to accounts: make, change, disable and delete them.

use super::audit::{Action, Origin};
use super::context::{MOST_ATTEMPTS, contended};
use super::ownership::whole_ownership;
use super::register::{FIRST_ADMINISTRATOR, check_name};
use super::tokens::MOST_API_TOKENS;
use super::{
    Account, AccountId, Administrator, AttemptKey, Change, ClaimKind, EmailAddress, Error, Identity, Name, Password,
    ProfileChanges, Result, Role, Versioned, canonical,
};

/// What an administrator may set; `None` leaves a field as it is, or as new accounts have it.
#[derive(Debug, Clone, Default)]
pub struct AccountDetails {
    /// Primary address; `Some(None)` for none. The administrator's word is its proof.
    pub email: Option<Option<EmailAddress>>,
    /// All further addresses; the administrator's word is their proof.
    pub secondary_emails: Option<Vec<EmailAddress>>,
    /// What is said of the person.
    pub profile: ProfileChanges,
    /// Role.
    pub role: Option<Role>,
    /// False disables the account.
    pub active: Option<bool>,
    /// Whether the account must have a second factor, whatever the deployment's rule is.
    pub second_factor_required: Option<bool>,
    /// Level.
    pub level: Option<i64>,
    /// Balance.
    pub coins: Option<i64>,
    /// Bytes the account may store; -1 is unlimited.
    pub storage_limit: Option<i64>,
}

/// An account as an administrator makes it.
#[derive(Debug)]
pub struct NewAccount {
    /// Login name.
    pub name: Name,
    /// Password.
    pub password: Password,
    /// Everything else.
    pub details: AccountDetails,
}

/// What an administrator changes in an account.
#[derive(Debug, Default)]
pub struct AccountChanges {
    /// New login name.
    pub name: Option<Name>,
    /// New password.
    pub password: Option<Password>,
    /// Everything else.
    pub details: AccountDetails,
}

impl Identity {
    /// Finds an account by its id.
    pub async fn account(&self, id: AccountId) -> Result<Versioned> {
        self.store.account(id).await?.ok_or(Error::NotFound)
    }

    /// Finds an account by its name, however typed.
    pub async fn account_named(&self, name: &str) -> Result<Versioned> {
        let key = canonical(name);
        if key.is_empty() {
            return Err(Error::NotFound);
        }
        let claims = self.store.claims(&[(ClaimKind::Name, key)]).await?;
        let claim = claims.first().ok_or(Error::NotFound)?;
        self.account(claim.account).await
    }

    /// Makes an account, also while registration is closed.
    pub async fn create_account(&self, by: &Administrator, new: NewAccount) -> Result<Account> {
        let NewAccount { name, password, details } = new;
        let mut keys = vec![(ClaimKind::Name, name.key())];
        let primary = details.email.iter().flatten();
        let addresses = primary.chain(details.secondary_emails.iter().flatten());
        keys.extend(addresses.map(|address| (ClaimKind::Email, address.key())));
        // Only saves a hash: the claims' own conditions decide.
        let (claims, settings) = self.store.claims_and_settings(&keys).await?;
        check_name(&name, &claims)?;
        if claims.iter().any(|claim| claim.kind == ClaimKind::Email) {
            return Err(Error::EmailTaken);
        }
        let hash = self.hasher.hash(&password, &*self.chance).await?;
        let mut account = self.new_account(name, None, hash, String::new(), Role::User).await?;
        account.storage_limit = settings.storage_limit();
        details.apply(&mut account);
        self.create(&account, &by.into(), Vec::new()).await?;
        Ok(account)
    }

    /// Changes an account. Another password or role, and disabling it, ends all of its sessions; another password, and
    /// disabling it, its API tokens too. What is given
    /// as it is already changes nothing.
    pub async fn change_account(
        &self,
        by: &Administrator,
        read: Versioned,
        changes: AccountChanges,
    ) -> Result<Account> {
        let AccountChanges { name, password, details } = changes;
        let hash = match &password {
            Some(password) => Some(self.hasher.hash(password, &*self.chance).await?),
            None => None,
        };
        let change = |account: &mut Account| {
            let (role, active) = (account.role, account.active);
            if let Some(name) = &name {
                if name.key() == FIRST_ADMINISTRATOR && account.name.key() != name.key() {
                    return Err(Error::NameTaken);
                }
                account.name = name.clone();
            }
            details.clone().apply(account);
            if let Some(hash) = &hash {
                account.password = hash.clone();
            }
            let disabled = active && !account.active;
            if hash.is_some() || account.role != role || disabled {
                account.session_generation += 1;
            }
            // As a reset by mail does: an administrator steps in where nobody can say who else had the password.
            if hash.is_some() || disabled {
                account.token_generation += 1;
            }
            Ok(Vec::new())
        };
        self.change_as_administrator(by, read, change).await
    }

    pub(super) async fn change_as_administrator<F>(
        &self,
        by: &Administrator,
        mut read: Versioned,
        change: F,
    ) -> Result<Account>
    where
        F: Fn(&mut Account) -> Result<Vec<Change<'static>>>,
    {
        let origin = Origin::from(by);
        for attempt in 0..MOST_ATTEMPTS {
            if let Some(account) = self.try_to_amend(&origin, &read, &change).await? {
                return Ok(account);
            }
            self.step_aside(attempt).await?;
            read = self.reconsider(by, read.account.id).await?;
        }
        Err(contended())
    }

    /// Ends all sessions and API tokens of an account, where somebody else may have one of them. The password stays.
    pub async fn end_everything_of(&self, by: &Administrator, read: Versioned) -> Result<()> {
        self.change_as_administrator(by, read, |account| {
            account.session_generation += 1;
            account.token_generation += 1;
            Ok(Vec::new())
        })
        .await?;
        Ok(())
    }

    /// Takes the second factor from an account whose person has lost it, and ends all of its sessions.
    pub async fn reset_second_factor(&self, by: &Administrator, read: Versioned) -> Result<()> {
        let key = AttemptKey::SecondFactor(read.account.id);
        self.change_as_administrator(by, read, |account| {
            if account.second_factor.take().is_some() {
                account.session_generation += 1;
            }
            Ok(Vec::new())
        })
        .await?;
        self.forget_attempts(&key).await;
        Ok(())
    }

    /// Deletes an account: its name and its addresses are free again, and its tokens are refused from the next
    /// request on. Its API tokens go with it, since one without an end would stay for ever; sessions go by themselves.
    pub async fn delete_account(&self, by: &Administrator, mut read: Versioned) -> Result<()> {
        for attempt in 0..MOST_ATTEMPTS {
            let Versioned { account, version } = &read;
            let mut changes = vec![Change::DeleteAccount { account: account.id, was: *version }];
            changes.extend(whole_ownership(account));
            changes.extend(account.without_picture());
            // Read after the account: who adds one later than that makes its version stale. It has no more than these,
            // since each that is made clears away those that are over.
            let tokens = self.store.api_tokens(account.id).await?.into_iter().take(MOST_API_TOKENS);
            changes.extend(tokens.map(|token| Change::DropApiToken { account: token.account, token: token.id }));
            let deleted = (Action::AccountDeleted, String::new());
            changes.extend(self.record(&by.into(), Some(account), [deleted])?);
            if self.commit(&changes).await? {
                return Ok(());
            }
            self.step_aside(attempt).await?;
            read = self.reconsider(by, account.id).await?;
        }
        Err(contended())
    }

    /// Reads an account again for an administrator who may have ceased to be one meanwhile: who was demoted must not
    /// undo that by a request that was under way.
    async fn reconsider(&self, by: &Administrator, id: AccountId) -> Result<Versioned> {
        self.check_still_administers(by).await?;
        self.account(id).await
    }

    /// Refuses who has ceased to be an administrator since the request came in.
    pub(super) async fn check_still_administers(&self, by: &Administrator) -> Result<()> {
        match by {
            Administrator::TokenHolder(_) | Administrator::Operator => Ok(()),
            Administrator::Account(by) => {
                let own = self.reread(by.account.account.id, &by.by).await?;
                if own.account.is_admin() { Ok(()) } else { Err(Error::NotAdministrator) }
            }
        }
    }
}

impl AccountDetails {
    fn apply(self, account: &mut Account) {
        let Self {
            email,
            secondary_emails,
            profile,
            role,
            active,
            second_factor_required,
            level,
            coins,
            storage_limit,
        } = self;
        if let Some(address) = email {
            account.set_email(address, true);
        }
        if let Some(addresses) = secondary_emails {
            account.set_secondary_emails(addresses);
        }
        profile.apply(&mut account.profile);
        account.role = role.unwrap_or(account.role);
        account.active = active.unwrap_or(account.active);
        account.second_factor_required = second_factor_required.unwrap_or(account.second_factor_required);
        account.level = level.unwrap_or(account.level);
        account.coins = coins.unwrap_or(account.coins);
        account.storage_limit = storage_limit.unwrap_or(account.storage_limit);
    }
}
