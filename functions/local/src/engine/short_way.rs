//! The short way to the engine: what the SDK's client asks is handed to the engine's thread as it is.
//!
//! By HTTP each call costs a connection's reads and writes on both sides, a signature that the engine doesn't look at, and
//! the engine reads its JSON three times, so as to word refusals of requests that the SDK never makes as DynamoDB does.

use aws_config::SdkConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::{mpsc, oneshot};
use tokio::task::yield_now;

/// How the SDK names an operation in `x-amz-target`.
const TARGET: &str = "DynamoDB_20120810.";

/// Asks the engine what a request's JSON says; the answer's JSON.
type Ask = fn(&Database, &[u8]) -> dynoxide::Result<Vec<u8>>;

/// A call that waits for the engine.
#[derive(Debug)]
pub(super) struct Call {
    ask: Ask,
    request: HttpRequest,
    answer: oneshot::Sender<Result<HttpResponse, ConnectorError>>,
}

pub(super) type Calls = mpsc::UnboundedReceiver<Call>;

/// This configuration, its clients taking the short way; and where the engine finds their calls.
pub(super) fn shortened(config: SdkConfig) -> (SdkConfig, Calls) {
    let (calls, waiting) = mpsc::unbounded_channel();
    let client = http_client_fn(move |_, _| SharedHttpConnector::new(ShortWay { calls: calls.clone() }));
    // It sees no bytes go by, and would give up on whatever takes the engine more than some seconds.
    let unwatched = StalledStreamProtectionConfig::disabled();
    (config.into_builder().http_client(client).stalled_stream_protection(unwatched).build(), waiting)
}

/// Answers calls, one after the other, for as long as it is asked to.
pub(super) async fn answer(mut calls: Calls, database: Database) {
    while let Some(Call { ask, request, answer }) = calls.recv().await {
        // Who gave up has no more use for it.
        let _ = answer.send(carry_out(ask, &database, request.body().bytes().unwrap_or_default()));
    }
}

#[derive(Debug)]
struct ShortWay {
    calls: mpsc::UnboundedSender<Call>,
}

impl HttpConnector for ShortWay {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").and_then(|target| target.strip_prefix(TARGET));
        let Some(ask) = target.and_then(asked_for) else {
            let unknown = format!("no short way to the engine for {target:?}");
            return HttpConnectorFuture::ready(Err(ConnectorError::user(unknown.into())));
        };
        let (answer, answered) = oneshot::channel();
        // An engine that has stopped drops the call, and with it the other end of what is waited for.
        let _ = self.calls.send(Call { ask, request, answer });
        HttpConnectorFuture::new(async move {
            // Calls that are made side by side are all on their way before the first is answered, as over connections.
            yield_now().await;
            answered.await.unwrap_or_else(|_| Err(ConnectorError::io("the store engine has stopped".into())))
        })
    }
}

/// How the engine is asked for what the store does.
fn asked_for(operation: &str) -> Option<Ask> {
    match operation {
        "GetItem" => Some(|engine, body| by_json(body, |request| engine.get_item(request))),
        "BatchGetItem" => Some(|engine, body| by_json(body, |request| engine.batch_get_item(request))),
        "Query" => Some(|engine, body| by_json(body, |request| engine.query(request))),
        "Scan" => Some(|engine, body| by_json(body, |request| engine.scan(request))),
        "PutItem" => Some(|engine, body| by_json(body, |request| engine.put_item(request))),
        "UpdateItem" => Some(|engine, body| by_json(body, |request| engine.update_item(request))),
        "DeleteItem" => Some(|engine, body| by_json(body, |request| engine.delete_item(request))),
        "TransactWriteItems" => Some(|engine, body| by_json(body, |request| engine.transact_write_items(request))),
        "CreateTable" => Some(|engine, body| by_json(body, |request| engine.create_table(request))),
        "DescribeTable" => Some(|engine, body| by_json(body, |request| engine.describe_table(request))),
        "UpdateTable" => Some(|engine, body| by_json(body, |request| engine.update_table(request))),
        "DescribeTimeToLive" => Some(|engine, body| by_json(body, |request| engine.describe_time_to_live(request))),
        "UpdateTimeToLive" => Some(|engine, body| by_json(body, |request| engine.update_time_to_live(request))),
        _ => None,
    }
}

fn by_json<Q: DeserializeOwned, A: Serialize>(
    body: &[u8],
    ask: impl FnOnce(Q) -> dynoxide::Result<A>,
) -> dynoxide::Result<Vec<u8>> {
    let asked =
        serde_json::from_slice(body).map_err(|cause| DynoxideError::SerializationException(cause.to_string()))?;
    serde_json::to_vec(&ask(asked)?).map_err(|cause| DynoxideError::InternalServerError(cause.to_string()))
}

fn carry_out(ask: Ask, engine: &Database, body: &[u8]) -> Result<HttpResponse, ConnectorError> {
    let (status, text) = match ask(engine, body) {
        Ok(text) => (200, text),
        Err(refused) => (refused.status_code(), refused.to_json().into_bytes()),
    };
    let status = StatusCode::try_from(status).map_err(|cause| ConnectorError::other(cause.into(), None))?;
    Ok(HttpResponse::new(status, SdkBody::from(text)))
}
