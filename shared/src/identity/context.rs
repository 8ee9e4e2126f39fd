//! The core's verbs hang on [`Identity`]; what they need from outside is handed to it once.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::{OnceCell, RwLock, Semaphore};

use super::audit::Origin;
use super::key_ring::{KeyRing, SigningPolicy};
use super::ownership::{changed_ownership, check_keeps_name};
use super::sign_in::StandIn;
use super::vault::KnownVault;
use super::{
    Account, AccountId, AnswerTime, Chance, Change, Clock, CodeKey, Error, Hasher, Limits, Mailer, PasswordPolicy,
    Refused, Result, SecondFactorRule, Stationery, Store, Version, Versioned, Vouched, Voucher, chance,
};

/// Rules of the deployment that the core applies.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Whether anybody may make an account, where no administrator has set it.
    pub allow_registration: bool,
    /// The `iss` of tokens; where absent it is fixed at first use from what the deployment proposes.
    pub issuer: Option<String>,
    /// Which passwords may be chosen.
    pub passwords: PasswordPolicy,
    /// Who must have a second factor.
    pub second_factor: SecondFactorRule,
    /// With what tokens are signed.
    pub signing: SigningPolicy,
    /// How many attempts at secrets are let through.
    pub limits: Limits,
    /// How long an answer takes that must not tell what there was to do.
    pub answer_time: AnswerTime,
    /// What mails are written on.
    pub stationery: Arc<Stationery>,
}

/// The pool of accounts and everything that can be done with it.
pub struct Identity {
    pub(super) store: Arc<dyn Store>,
    pub(super) mailer: Arc<dyn Mailer>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) chance: Arc<dyn Chance>,
    pub(super) hasher: Hasher,
    pub(super) policy: Policy,
    /// Who holds its permit draws a picture.
    pub(super) drawing: Arc<Semaphore>,
    pub(super) proposed_issuer: OnceLock<String>,
    pub(super) keys: RwLock<Option<LoadedKeys>>,
    pub(super) code_key: OnceCell<CodeKey>,
    pub(super) vault: Option<KnownVault>,
    pub(super) stand_in: StandIn,
}

/// The keys this process knows, and since when.
#[derive(Clone)]
pub(super) struct LoadedKeys {
    pub(super) ring: Arc<KeyRing>,
    pub(super) at: OffsetDateTime,
}

impl Identity {
    /// Puts the core together.
    pub fn new(
        store: Arc<dyn Store>,
        mailer: Arc<dyn Mailer>,
        clock: Arc<dyn Clock>,
        chance: Arc<dyn Chance>,
        hasher: Hasher,
        policy: Policy,
    ) -> Self {
        super::signature::install();
        Self {
            store,
            mailer,
            clock,
            chance,
            hasher,
            policy,
            drawing: Arc::new(Semaphore::new(1)),
            proposed_issuer: OnceLock::new(),
            keys: RwLock::new(None),
            code_key: OnceCell::new(),
            vault: None,
            stand_in: StandIn::nobody(),
        }
    }

    /// Which passwords may be chosen.
    pub fn password_policy(&self) -> PasswordPolicy {
        self.policy.passwords
    }

    /// The present instant by the core's clock.
    pub fn now(&self) -> OffsetDateTime {
        self.clock.now()
    }

    /// Commits changes. What names, addresses and administrators forbid is an error of its own.
    /// `Ok(false)`: something changed since it was read, so decide again.
    pub(super) async fn commit(&self, changes: &[Change<'_>]) -> Result<bool> {
        match self.store.commit(changes).await? {
            Ok(()) => Ok(true),
            Err(Refused::NameTaken) => Err(Error::NameTaken),
            Err(Refused::EmailTaken) => Err(Error::EmailTaken),
            Err(Refused::LastAdministrator) => Err(Error::LastAdministrator),
            Err(Refused::Stale) => Ok(false),
        }
    }

    /// Changes the account that somebody vouches for under the condition that nobody else did meanwhile. Where somebody
    /// did, it is decided again on what is there now, the session's or API token's own right to it included: what ended that
    /// must not be undone by a request that was under way. `change` says what else belongs to the transaction.
    pub(super) async fn amend<F>(&self, vouched: Vouched, change: F) -> Result<Account>
    where
        F: Fn(&mut Account) -> Result<Vec<Change<'static>>>,
    {
        let origin = Origin::from(&vouched);
        let Vouched { account: mut read, by, visitor: _ } = vouched;
        for attempt in 0..MOST_ATTEMPTS {
            if let Some(account) = self.try_to_amend(&origin, &read, &change).await? {
                return Ok(account);
            }
            self.step_aside(attempt).await?;
            read = self.reread(read.account.id, &by).await?;
        }
        Err(contended())
    }

    /// Changes an account as it was read, and with it what it owns and what the audit trail tells of it. Where nothing differs nothing is written;
    /// `None`: somebody else changed it meanwhile.
    pub(super) async fn try_to_amend<F>(&self, origin: &Origin, read: &Versioned, change: &F) -> Result<Option<Account>>
    where
        F: Fn(&mut Account) -> Result<Vec<Change<'static>>>,
    {
        let mut account = read.account.clone();
        let others = change(&mut account)?;
        if others.is_empty() && account == read.account {
            return Ok(Some(account));
        }
        check_keeps_name(&read.account, &account)?;
        account.updated_at = self.now();
        let mut changes = vec![Change::UpdateAccount { account: &account, was: read.version }];
        changes.extend(changed_ownership(&read.account, &account));
        if !account.profile.avatar.is_uploaded() {
            changes.extend(read.account.without_picture());
        }
        changes.extend(others);
        changes.extend(self.record_differences(origin, &read.account, &account)?);
        if !self.commit(&changes).await? {
            return Ok(None);
        }
        self.tell(origin, &read.account, &account, &changes).await;
        Ok(Some(account))
    }

    /// The account as it is now, if what vouched for it still does.
    pub(super) async fn reread(&self, account: AccountId, by: &Voucher) -> Result<Versioned> {
        match by {
            Voucher::Session(session) => {
                let (account, session) = self.store.account_and_session(account, session.id).await?;
                let (Some(account), Some(session)) = (account, session) else { return Err(Error::SessionEnded) };
                self.check_live(&account.account, &session)?;
                Ok(account)
            }
            Voucher::ApiToken(token, _) => {
                let (account, token) = self.store.account_and_api_token(account, *token).await?;
                let (Some(account), Some(token)) = (account, token) else { return Err(Error::SessionEnded) };
                self.check_live_token(&account.account, &token)?;
                Ok(account)
            }
        }
    }

    /// Waits any time up to a bound that doubles from 5 ms to 160 ms, so that those who met once don't meet again.
    pub(super) async fn step_aside(&self, attempt: u32) -> Result<()> {
        let bound = 5_000 << attempt.min(5);
        let micros = u64::from_be_bytes(chance::bytes(&*self.chance)?) % bound;
        tokio::time::sleep(Duration::from_micros(micros)).await;
        Ok(())
    }
}

/// How often a decision is taken anew when others keep changing what it was based on.
pub(super) const MOST_ATTEMPTS: u32 = 16;

/// Too many others were changing the same thing.
pub(super) fn contended() -> Error {
    Error::Unavailable {
        retry_after: Duration::from_secs(1),
        cause: anyhow::anyhow!("others kept changing the same account"),
    }
}

impl Version {
    /// The version that the next write stores.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}
