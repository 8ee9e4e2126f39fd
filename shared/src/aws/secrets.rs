//! What the deployment keeps in AWS Secrets Manager: the first administrator's password and the administrator token.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueError;

use super::client;
use crate::identity::{AdminToken, Error, Password, Result, Vault};
use crate::settings::Settings;

const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The secrets that the settings name. They are read when the core asks for them, and never into the environment.
pub struct SecretsVault {
    config: SdkConfig,
    /// Made when something is read: most processes end before that.
    client: OnceLock<Client>,
    password: String,
    token: String,
}

impl SecretsVault {
    /// Reads through a client with this configuration. `None` where the settings name no secrets: then the store has
    /// the token, and the first administrator is made otherwise, as by the development server.
    pub fn new(config: SdkConfig, settings: &Settings) -> anyhow::Result<Option<Self>> {
        match (settings.admin_password_secret.clone(), settings.admin_token_secret.clone()) {
            (Some(password), Some(token)) => Ok(Some(Self { config, client: OnceLock::new(), password, token })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(anyhow!("ADMIN_TOKEN_SECRET is not set, and ADMIN_PASSWORD_SECRET is")),
            (None, Some(_)) => Err(anyhow!("ADMIN_PASSWORD_SECRET is not set, and ADMIN_TOKEN_SECRET is")),
        }
    }

    async fn read(&self, name: &str) -> Result<String> {
        let client = self.client.get_or_init(|| client::secrets(&self.config));
        let answer = client.get_secret_value().secret_id(name).send().await.map_err(fault)?;
        // Who set it by hand may have left a line end behind it.
        let text = answer.secret_string().context("a secret that is no text")?.trim();
        if text.is_empty() {
            return Err(anyhow!("a secret that is empty").into());
        }
        Ok(text.to_owned())
    }
}

#[async_trait]
impl Vault for SecretsVault {
    async fn first_password(&self) -> Result<Password> {
        self.read(&self.password).await.map(Password::new)
    }

    async fn admin_token(&self) -> Result<AdminToken> {
        self.read(&self.token).await.map(AdminToken::new)
    }
}

/// What is refused stays so until somebody mends the deployment; everything else may pass.
fn fault(error: SdkError<GetSecretValueError>) -> Error {
    let refused = match &error {
        SdkError::ServiceError(answer) => {
            answer.raw().status().is_client_error() && answer.err().code() != Some("ThrottlingException")
        }
        _ => false,
    };
    let cause = anyhow::Error::new(error).context("GetSecretValue");
    if refused { Error::Internal(cause) } else { Error::Unavailable { retry_after: RETRY_AFTER, cause } }
}
