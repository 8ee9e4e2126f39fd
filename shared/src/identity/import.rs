//! Accounts of other systems come into the pool, by whoever runs the deployment.

use ring::digest;
use time::OffsetDateTime;

use super::ownership::first_ownership;
use super::register::FIRST_ADMINISTRATOR;
use super::{
    Account, AccountId, Administrator, Change, EmailAddress, EmailClaim, Error, Identity, Name, Password, PasswordHash,
    Profile, Result, Role, SecondFactor, Trail,
};

/// An account as another system had it.
#[derive(Debug, Clone)]
pub struct ForeignAccount {
    /// Which account it becomes: see [`AccountId::of_foreign`].
    pub id: AccountId,
    /// Login name.
    pub name: Name,
    /// Primary e-mail, if any, and whether the other system had it proved.
    pub email: Option<EmailClaim>,
    /// Further addresses that the other system had proved.
    pub secondary_emails: Vec<EmailAddress>,
    /// The password's hash; `None` where nobody signed in by one. Then nobody can before a reset.
    pub password: Option<PasswordHash>,
    /// Whether somebody else chose the password.
    pub must_change_password: bool,
    /// What counts besides the password.
    pub second_factor: Option<SecondFactor>,
    /// Role.
    pub role: Role,
    /// Whether it could sign in.
    pub active: bool,
    /// What the person says of themselves.
    pub profile: Profile,
    /// A level that applications grant.
    pub level: i64,
    /// A balance that applications keep.
    pub coins: i64,
    /// Bytes the account may store; -1 is unlimited. `None`: what new accounts may.
    pub storage_limit: Option<i64>,
    /// Bytes the account stores.
    pub storage_used: i64,
    /// When it was made; `None`: nobody knows.
    pub created_at: Option<OffsetDateTime>,
    /// When it was last changed.
    pub updated_at: Option<OffsetDateTime>,
}

/// What came of an account that was to be imported.
#[derive(Debug, Clone)]
pub enum Imported {
    /// It is in the pool now.
    New(Account),
    /// It was imported before, and stays as it has become since.
    Known(Account),
    /// It was imported before and deleted since, as long as the audit trail knows; so it isn't imported again.
    Deleted,
}

impl AccountId {
    /// The id of an account that had another kind of identifier in another system: always the same one, so that an import
    /// can be run again (UUIDv8, RFC 9562).
    pub fn of_foreign(system: &str, key: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, format!("{system}\n{key}").as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_ref()[..16]);
        Self(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

impl Identity {
    /// Takes an account of another system into the pool, with all that it owns, or not at all. Names and addresses that
    /// others have are refused, as is the first administrator's name for whoever is none. Nobody is mailed.
    pub async fn import_account(&self, foreign: ForeignAccount) -> Result<Imported> {
        if foreign.name.key() == FIRST_ADMINISTRATOR && foreign.role != Role::Admin {
            return Err(Error::NameTaken);
        }
        let id = foreign.id;
        if let Some(read) = self.store.account(id).await? {
            return Ok(Imported::Known(read.account));
        }
        // What the trail tells of an account outlives it.
        if !self.store.events(Trail::About(id), None, 1).await?.is_empty() {
            return Ok(Imported::Deleted);
        }
        let account = self.with_foreign(foreign).await?;
        let mut changes = vec![Change::CreateAccount(&account)];
        changes.extend(first_ownership(&account));
        changes.extend(self.record_creation(&(&Administrator::Operator).into(), &account)?);
        if self.commit(&changes).await? {
            return Ok(Imported::New(account));
        }
        // Only its id can be stale here: somebody imports it at the same time.
        let read = self.store.account(id).await?.ok_or(Error::NotFound)?;
        Ok(Imported::Known(read.account))
    }

    async fn with_foreign(&self, foreign: ForeignAccount) -> Result<Account> {
        let ForeignAccount { name, email, role, profile, secondary_emails, .. } = foreign;
        let password = match foreign.password {
            Some(hash) => hash,
            None => self.hasher.hash(&Password::of_nobody(&*self.chance)?, &*self.chance).await?,
        };
        let storage_limit = match foreign.storage_limit {
            Some(limit) => limit,
            None => self.store.runtime_settings().await?.storage_limit(),
        };
        let new = self.new_account(name, email, password, String::new(), role).await?;
        let created_at = foreign.created_at.unwrap_or(new.created_at);
        let mut account = Account {
            id: foreign.id,
            active: foreign.active,
            must_change_password: foreign.must_change_password,
            second_factor: foreign.second_factor,
            profile,
            level: foreign.level,
            coins: foreign.coins,
            storage_limit,
            storage_used: foreign.storage_used,
            created_at,
            updated_at: foreign.updated_at.unwrap_or(created_at),
            ..new
        };
        account.set_secondary_emails(secondary_emails);
        Ok(account)
    }
}
