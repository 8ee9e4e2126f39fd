//! How AWS is reached: one configuration from the environment, one HTTP client, bounded waiting.

use std::time::Duration;

use anyhow::Context;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::meter::Meter;

/// The roots under which every AWS endpoint stands (<https://www.amazontrust.com/repository/>). Reading these five
/// instead of the system's whole bundle saves a cold start about 2 ms.
const ROOTS: [&str; 5] = [
    include_str!("roots/amazon-root-ca-1.pem"),
    include_str!("roots/amazon-root-ca-2.pem"),
    include_str!("roots/amazon-root-ca-3.pem"),
    include_str!("roots/amazon-root-ca-4.pem"),
    include_str!("roots/starfield-services-root-ca-g2.pem"),
];

/// The configuration for a deployed function: region and credentials as Lambda puts them into the environment, which
/// `lookup` reads. The SDK's default chain (profiles, instance metadata, STS) would find nothing else there, and
/// linking it makes every function a quarter larger and slower to start.
pub fn connect(lookup: &dyn Fn(&str) -> Option<String>) -> anyhow::Result<SdkConfig> {
    let region = lookup("AWS_REGION").context("AWS_REGION is not set: name the region")?;
    let credentials = EnvironmentVariableCredentialsProvider::new();
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http_client()?)
        .retry_config(retries())
        .timeout_config(timeouts(1))
        .build())
}

/// The same for one service: `AWS_ENDPOINT_URL_<SERVICE>` names another endpoint, as with every AWS SDK.
pub fn at_endpoint_of(config: SdkConfig, service: &str, lookup: &dyn Fn(&str) -> Option<String>) -> SdkConfig {
    let endpoint = lookup(&format!("AWS_ENDPOINT_URL_{service}"));
    let mut builder = config.into_builder();
    builder.set_endpoint_url(endpoint);
    builder.build()
}

/// The configuration for a stand-in on this machine, which takes any credentials.
pub fn connect_local(endpoint: impl Into<String>) -> anyhow::Result<SdkConfig> {
    let credentials = Credentials::new("local", "local", None, None, "local");
    Ok(SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .http_client(http_client()?)
        .retry_config(retries())
        // This machine may be busy with something else, such as a build.
        .timeout_config(timeouts(5))
        .build())
}

/// The same for somebody who waits: with time for large answers over long ways.
pub fn unhurried(config: SdkConfig) -> SdkConfig {
    config.into_builder().timeout_config(timeouts(10)).build()
}

/// A client for the table, which counts what requests take there.
pub fn dynamodb(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::config::Builder::from(config).interceptor(Meter);
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// The same for an engine in this process, which looks at no signature: none is made, whatever credentials there are.
pub fn dynamodb_unsigned(config: &SdkConfig) -> aws_sdk_dynamodb::Client {
    let mut config = config.clone().into_builder();
    // The SDK signs where it can, and only else does without.
    config.set_credentials_provider(None);
    let config = aws_sdk_dynamodb::config::Builder::from(&config.build()).interceptor(Meter).allow_no_auth();
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

/// A client for mail. It never tries twice: an attempt without an answer may have sent the mail.
pub fn ses(config: &SdkConfig) -> aws_sdk_ses::Client {
    let config = aws_sdk_ses::config::Builder::from(config).retry_config(RetryConfig::disabled());
    aws_sdk_ses::Client::from_conf(config.build())
}

/// A client for what the deployment keeps in secret.
pub fn secrets(config: &SdkConfig) -> aws_sdk_secretsmanager::Client {
    aws_sdk_secretsmanager::Client::new(config)
}

/// HTTPS by rustls on ring, trusting Amazon's roots only; plain HTTP where an endpoint says so.
fn http_client() -> anyhow::Result<SharedHttpClient> {
    let trusted = ROOTS.iter().fold(TrustStore::empty(), |store, root| store.with_pem_certificate(*root));
    let context = TlsContext::builder().with_trust_store(trusted).build().context("no TLS context")?;
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https();
    Ok(SharedHttpClient::new(MadeWhenUsed(client)))
}

/// The HTTP client without its check beforehand, in which each service's client would read the certificates once more and
/// throw the outcome away. They are read with the first request, which a function makes while it starts.
#[derive(Debug)]
struct MadeWhenUsed(SharedHttpClient);

impl HttpClient for MadeWhenUsed {
    fn http_connector(&self, settings: &HttpConnectorSettings, parts: &RuntimeComponents) -> SharedHttpConnector {
        self.0.http_connector(settings, parts)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

/// A request to the table takes milliseconds; what takes longer than these is better given up, while the person
/// still waits and the function still runs.
fn timeouts(times: u32) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(times * Duration::from_secs(1))
        .operation_attempt_timeout(times * Duration::from_secs(2))
        .operation_timeout(times * Duration::from_secs(5))
        .build()
}

fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(4)
        .with_initial_backoff(Duration::from_millis(50))
        .with_max_backoff(Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_can_be_read() {
        // The SDK parses them while building and panics on one that it can't read.
        http_client().expect("five certificates");
        assert!(ROOTS.iter().all(|root| root.matches("BEGIN CERTIFICATE").count() == 1));
    }

    #[test]
    fn mail_is_never_tried_twice() {
        let config = connect_local("http://127.0.0.1:1").expect("a configuration");
        let retries = |config: Option<&RetryConfig>| config.map(RetryConfig::max_attempts);
        assert_eq!(retries(dynamodb(&config).config().retry_config()), Some(4));
        assert_eq!(retries(ses(&config).config().retry_config()), Some(1));
    }
}
