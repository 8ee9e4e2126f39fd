//! Fetches a page over the same HTTP client as everything else, but under the machine's own roots: for looking at a
//! deployment from outside.

use std::time::Duration;

use anyhow::Context;
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::byte_stream::ByteStream;

/// Waiting longer tells no more.
const TIME_OUT: Duration = Duration::from_secs(10);

/// What an address answered.
#[derive(Debug)]
pub struct Fetched {
    /// The HTTP status.
    pub status: u16,
    /// Its `Date`, where it has one.
    pub date: Option<String>,
    /// Its body.
    pub body: Vec<u8>,
}

/// Fetches what is at an address, `http://` or `https://`, without following to another.
pub async fn fetch(url: &str) -> anyhow::Result<Fetched> {
    let connector = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring)).build();
    let request = HttpRequest::get(url).context("no address")?;
    let fetched = async {
        let answer = connector.call(request).await?;
        let (status, date) = (answer.status().as_u16(), answer.headers().get("date").map(str::to_owned));
        let body = ByteStream::new(answer.into_body()).collect().await?.to_vec();
        Ok(Fetched { status, date, body })
    };
    tokio::time::timeout(TIME_OUT, fetched).await.context("no answer in time")?
}
