//! What a deployment was given in secret and keeps elsewhere: read when it is needed, and no earlier.

use std::sync::Arc;

use async_trait::async_trait;
use time::{Duration, OffsetDateTime};
use tokio::sync::{Mutex, OnceCell};

use super::register::FIRST_ADMINISTRATOR;
use super::{AdminToken, Error, Hashed, Identifier, Identity, Password, Result, Versioned};

/// How long an administrator token is taken for the one that is kept: so long another one may take to be known.
const TOKEN_KNOWN_FOR: Duration = Duration::minutes(5);
/// The token is compared by a plain hash, so it must not be one that can be guessed.
const SHORTEST_TOKEN: usize = 32;

/// Where a deployment keeps what only its owners may read.
#[async_trait]
pub trait Vault: Send + Sync {
    /// The password of the first administrator, until it is changed.
    async fn first_password(&self) -> Result<Password>;

    /// The administrator token.
    async fn admin_token(&self) -> Result<AdminToken>;
}

/// A vault, and what is known of it already.
pub(super) struct KnownVault {
    vault: Arc<dyn Vault>,
    token: Mutex<Option<(Hashed, OffsetDateTime)>>,
    /// The first administrator is there, or was.
    settled: OnceCell<()>,
}

impl KnownVault {
    async fn admin_token(&self, now: OffsetDateTime) -> Result<Hashed> {
        // Held while it is read, so that requests at the same time make one read.
        let mut known = self.token.lock().await;
        if let Some((token, at)) = &*known
            && now - *at < TOKEN_KNOWN_FOR
        {
            return Ok(token.clone());
        }
        let token = self.vault.admin_token().await?;
        if token.reveal().len() < SHORTEST_TOKEN {
            return Err(anyhow::anyhow!("the administrator token is shorter than {SHORTEST_TOKEN} characters").into());
        }
        let hashed = Hashed::of(token.reveal().as_bytes());
        *known = Some((hashed.clone(), now));
        Ok(hashed)
    }
}

impl Identity {
    /// The same with a vault, which is asked for the administrator token in place of the store, and for the password
    /// of the first administrator when somebody first signs in by that name.
    #[must_use]
    pub fn with_vault(self, vault: Option<Arc<dyn Vault>>) -> Self {
        let vault = vault.map(|vault| KnownVault { vault, token: Mutex::default(), settled: OnceCell::new() });
        Self { vault, ..self }
    }

    /// The hash of the deployment's administrator token, where it has one.
    pub(super) async fn kept_admin_token(&self) -> Result<Option<Hashed>> {
        match &self.vault {
            Some(vault) => vault.admin_token(self.now()).await.map(Some),
            None => self.store.admin_token().await,
        }
    }

    /// The first administrator, who is made when somebody signs in by that name and nobody had it yet. It makes no
    /// difference who that is: what opens the account is the password in the vault.
    pub(super) async fn first_administrator(&self, identifier: &Identifier) -> Result<Option<Versioned>> {
        let Some(vault) = &self.vault else { return Ok(None) };
        if identifier.key() != FIRST_ADMINISTRATOR || vault.settled.initialized() {
            return Ok(None);
        }
        let made_before = self.store.first_administrator_was_made().await?;
        if !made_before {
            self.ensure_first_administrator(vault.vault.first_password().await?).await?;
        }
        // Somebody else may have set it meanwhile, to the same.
        let _ = vault.settled.set(());
        match self.account_named(FIRST_ADMINISTRATOR).await {
            Ok(account) => Ok(Some(account)),
            // By another name since, or deleted.
            Err(Error::NotFound) => Ok(None),
            Err(other) => Err(other),
        }
    }
}
