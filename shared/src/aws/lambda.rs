//! The way in from Lambda: an API Gateway event (payload format 2.0) becomes a request to the front door.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use aws_config::SdkConfig;
use axum::body::Body;
pub use lambda_http::Error;
use lambda_http::http::{HeaderValue, header};
use lambda_http::request::{LambdaRequest, RequestContext};
use lambda_http::tower::Service;
use lambda_http::{Adapter, Context, IntoResponse, LambdaEvent, Request, Response, http, service_fn};
use lambda_runtime::Runtime;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::dynamodb::DynamoStore;
use super::secrets::SecretsVault;
use super::ses::SesMailer;
use super::{client, events};
use crate::http::{Arrival, Endpoints, Front};
use crate::identity::{
    Hasher, Identity, Limits, Mail, Mailer, NotSent, Policy, SendError, SystemChance, SystemClock, Vault,
};
use crate::log::Log;
use crate::mail_templates;
use crate::settings::{Settings, environment};

/// Runs a function that sends no mail until Lambda stops the process. Everything that can be done before the first
/// event is done before it: settings, clients, the connection to the table and the signing keys.
pub async fn run(endpoints: Endpoints) -> Result<(), Error> {
    start(endpoints, no_mail, no_vault).await
}

/// The same for a function that sends mail, from the address that `MAIL_FROM` names.
pub async fn run_with_mail(endpoints: Endpoints) -> Result<(), Error> {
    start(endpoints, ses_mailer, no_vault).await
}

/// The same for a function that reads what the deployment keeps in secret, too.
pub async fn run_with_mail_and_secrets(endpoints: Endpoints) -> Result<(), Error> {
    start(endpoints, ses_mailer, |config, settings| {
        let config = client::at_endpoint_of(config.clone(), "SECRETS_MANAGER", &environment());
        let vault = SecretsVault::new(config, settings)?;
        Ok(vault.map(|vault| Arc::new(vault) as Arc<dyn Vault>))
    })
    .await
}

fn ses_mailer(config: &SdkConfig, settings: &Settings) -> anyhow::Result<Arc<dyn Mailer>> {
    let from = settings.mail_from.as_deref().context("MAIL_FROM is not set: name the sender of mails")?;
    let config = client::at_endpoint_of(config.clone(), "SES", &environment());
    let mailer = SesMailer::new(&config, from);
    let mailer = mailer.reply_to(settings.mail_reply_to.as_deref());
    Ok(Arc::new(mailer.under(settings.mail_configuration_set.clone())))
}

/// Makes what mails go through. A function for each kind, so that one that sends none links no mail client.
pub(super) type MakeMailer = fn(&SdkConfig, &Settings) -> anyhow::Result<Arc<dyn Mailer>>;

/// Makes what secrets are read through, likewise.
pub(super) type MakeVault = fn(&SdkConfig, &Settings) -> anyhow::Result<Option<Arc<dyn Vault>>>;

async fn start(endpoints: Endpoints, mailer: MakeMailer, vault: MakeVault) -> Result<(), Error> {
    let lookup = environment();
    events::start(&lookup);
    let front = front(endpoints, mailer, vault).await?.logging_to(Arc::new(log(&lookup)));
    Runtime::new(lambda_runtime::service_fn(move |event| handle(front.clone(), event))).run().await
}

/// Where the line of each request goes. `STACK_NAME` names the stack whose metrics it carries.
pub(super) fn log(lookup: &dyn Fn(&str) -> Option<String>) -> Log {
    Log::json(std::io::stdout(), lookup("STACK_NAME").as_deref())
}

/// For functions that send none.
pub(super) fn no_mail(_: &SdkConfig, _: &Settings) -> anyhow::Result<Arc<dyn Mailer>> {
    Ok(Arc::new(NoMail))
}

/// For functions that read no secrets.
pub(super) fn no_vault(_: &SdkConfig, _: &Settings) -> anyhow::Result<Option<Arc<dyn Vault>>> {
    Ok(None)
}

async fn front(endpoints: Endpoints, mailer: MakeMailer, vault: MakeVault) -> anyhow::Result<Front> {
    let (identity, settings) = identity(mailer, vault)?;
    if let Err(failed) = identity.warm_up().await {
        // The first request tries again, and is answered with what is wrong if it still is.
        tracing::warn!(outcome = %failed, "keys were not loaded ahead");
    }
    Ok(Front::new(&[endpoints], Arc::new(identity), &settings))
}

/// The core on the table and the settings that the environment names.
pub(super) fn identity(mailer: MakeMailer, vault: MakeVault) -> anyhow::Result<(Identity, Settings)> {
    let lookup = environment();
    let settings = Settings::parse(&lookup)?;
    let config = client::connect(&lookup)?;
    let dynamodb = client::dynamodb(&client::at_endpoint_of(config.clone(), "DYNAMODB", &lookup));
    let chance = Arc::new(SystemChance::default());
    let store = DynamoStore::new(dynamodb, settings.table.clone(), chance.clone());
    let (mailer, vault) = (mailer(&config, &settings)?, vault(&config, &settings)?);
    let (stationery, bad) = mail_templates::stationery(&settings);
    for bad in bad {
        // The built-in ones take their place: a mistake in a template must not keep people out.
        tracing::error!(%bad, "a mail template is not used");
    }
    let policy = Policy {
        allow_registration: settings.allow_registration,
        issuer: settings.issuer.clone(),
        passwords: settings.password_policy,
        second_factor: settings.require_second_factor,
        signing: settings.signing(),
        limits: Limits::default().for_shared_sources(settings.source_limit_times),
        stationery: Arc::new(stationery),
        ..Policy::default()
    };
    // One request at a time, so one hash at a time.
    let hasher = Hasher::at_cost(settings.hash_cost, 1);
    let identity = Identity::new(Arc::new(store), mailer, Arc::new(SystemClock), chance, hasher, policy);
    Ok((identity.with_vault(vault), settings))
}

/// For functions that have no mail to send, and no permission to.
struct NoMail;

#[async_trait]
impl Mailer for NoMail {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let cause = anyhow::anyhow!("this function sends no mail, but was asked to: {}", mail.purpose.as_str());
        Err(SendError::NotSent { why: NotSent::Misconfigured, cause })
    }
}

/// Answers one event. Lambda's runtime and the tests call this very function.
pub async fn handle(
    front: Front,
    event: LambdaEvent<LambdaRequest>,
) -> Result<impl serde::Serialize + std::fmt::Debug, Error> {
    let LambdaEvent { payload, context } = event;
    let arrival = Arrival {
        request_id: context.request_id.clone(),
        trace: trace(&context),
        answer_by: answer_by(context.deadline, front.identity().now()),
        ..Arrival::default()
    };
    let mut payload = mend(payload);
    let host = take_host(&mut payload);
    let ask = move |mut request: Request| {
        request.headers_mut().remove(header::HOST);
        request.headers_mut().extend(host.clone().map(|host| (header::HOST, host)));
        answer(front.clone(), request, arrival.clone())
    };
    Adapter::from(service_fn(ask)).call(LambdaEvent::new(payload, context)).await
}

/// The id of the trace that an event belongs to, if it is recorded, e.g. `1-5759e988-bd862e3fe1be46a994272793`. Lambda
/// tells `Root=…;Parent=…;Sampled=1` of every event, and 0 where nobody records it.
pub(super) fn trace(context: &Context) -> Option<String> {
    let told = context.xray_trace_id.as_deref()?;
    let part = |name: &str| told.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    part("Sampled").filter(|sampled| *sampled == "1").and(part("Root")).map(str::to_owned)
}

/// What is left of a function's time once the request is broken off: for putting the answer together and handing it over.
pub const RESERVE: Duration = Duration::from_millis(500);

/// By how much this machine's clock may be ahead of the one that the end was told by.
const MOST_AHEAD: time::Duration = time::Duration::hours(1);

/// When to answer at the latest, given when Lambda stops the function (milliseconds since the epoch; 0 where nobody
/// told).
fn answer_by(deadline: u64, now: OffsetDateTime) -> Option<Instant> {
    // `cargo lambda watch` tells a span in place of an instant. No clock of Lambda's is wrong by that much.
    let told = OffsetDateTime::UNIX_EPOCH + Duration::from_millis(deadline);
    let end = Some(told).filter(|end| now - *end < MOST_AHEAD)?;
    // A clock that runs ahead must not refuse everything: the request gets a moment in any case.
    let left = Duration::try_from(end - now).unwrap_or_default().saturating_sub(RESERVE).max(RESERVE);
    Some(Instant::now() + left)
}

async fn answer(front: Front, request: Request, mut arrival: Arrival) -> Result<Whole, Error> {
    if let Some(RequestContext::ApiGatewayV2(gateway)) = request.extensions().get::<RequestContext>() {
        arrival.source = gateway.http.source_ip.clone().unwrap_or_default();
        arrival.request_id = gateway.request_id.clone().unwrap_or(arrival.request_id);
        let region = environment()("AWS_REGION");
        if let (Some(api), Some(region)) = (&gateway.apiid, region) {
            let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
            front.identity().propose_issuer(&format!("https://{api}.execute-api.{region}.{suffix}"));
        }
    }
    arrival.secure = request.uri().scheme() == Some(&http::uri::Scheme::HTTPS);
    let (mut parts, body) = request.into_parts();
    parts.extensions.insert(arrival);
    let body = match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(bytes),
        _ => Body::empty(),
    };
    let (parts, body) = front.answer(http::Request::from_parts(parts, body)).await.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await?;
    // What is no text travels in base64.
    let body = match String::from_utf8(body.into()) {
        Ok(text) => lambda_http::Body::from(text),
        Err(picture) => lambda_http::Body::from(picture.into_bytes()),
    };
    Ok(Whole(Response::from_parts(parts, body)))
}

/// An answer that is as the runtime wants it. From any other it would look up how the text is encoded, in tables of all the
/// world's encodings; ours are UTF-8.
struct Whole(Response<lambda_http::Body>);

impl IntoResponse for Whole {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<lambda_http::Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}

/// Characters that stand for themselves in no path: the gateway hands paths over decoded.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
/// Characters that stand for themselves in no query.
const IN_QUERY: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// Takes the stage out of the path, and escapes what `lambda_http` would panic over: it builds an address from
/// path, query and scheme and takes for granted that it is one.
fn mend(mut request: LambdaRequest) -> LambdaRequest {
    if let LambdaRequest::ApiGatewayV2(event) = &mut request {
        let stage = event.request_context.stage.replace("$default".to_owned()).unwrap_or_default();
        let raw = event.raw_path.take().unwrap_or_default();
        let path = raw.strip_prefix('/').and_then(|path| path.strip_prefix(stage.as_str()));
        let path = path.filter(|path| !stage.is_empty() && (path.is_empty() || path.starts_with('/'))).unwrap_or(&raw);
        let path = utf8_percent_encode(path, IN_PATH).to_string();
        event.raw_path = Some(if path.starts_with('/') { path } else { format!("/{path}") });
        event.raw_query_string =
            event.raw_query_string.take().map(|query| utf8_percent_encode(&query, IN_QUERY).to_string());
        let scheme = event.headers.get("x-forwarded-proto").and_then(|scheme| scheme.to_str().ok());
        if !matches!(scheme, Some("http" | "https")) {
            event.headers.remove("x-forwarded-proto");
        }
    }
    request
}

/// The host that was asked for, which is kept from `lambda_http`: it makes an address of it, and panics where that is none
/// (`Host: a]b`, `xn--a`). Whoever calls chooses that header, where no gateway looks at it first.
fn take_host(request: &mut LambdaRequest) -> Option<HeaderValue> {
    let LambdaRequest::ApiGatewayV2(event) = request else { return None };
    let told = event.headers.insert(header::HOST, HeaderValue::from_static("gateway.invalid"));
    told.or_else(|| event.request_context.domain_name.as_deref()?.try_into().ok())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[tokio::test]
    async fn an_end_is_an_instant_near_by_and_leaves_a_moment() {
        let now = datetime!(2026-01-01 12:00 UTC);
        let told = |end: OffsetDateTime| u64::try_from(end.unix_timestamp_nanos() / 1_000_000).expect("after 1970");
        for nothing in [0, 600_000, told(now - time::Duration::days(1))] {
            assert!(answer_by(nothing, now).is_none(), "{nothing}");
        }
        for (seconds, left) in [(10, 9_500), (1, 500), (-30, 500)] {
            let began = Instant::now();
            let by = answer_by(told(now + time::Duration::seconds(seconds)), now).expect("an end");
            let millis = (by - began).as_millis();
            assert!(millis >= left && by - Instant::now() <= Duration::from_millis(left as u64), "{seconds}: {millis}");
        }
    }
}
