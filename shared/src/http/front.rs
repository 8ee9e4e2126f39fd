//! The front door: chooses the contract, routes, and says once in the log what came of it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, MatchedPath, Request};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderName, HeaderValue, Method, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use time::UtcOffset;
use tokio::time::Instant;
use tower::ServiceExt;
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument;

use super::body;
use super::context::{self, header_text};
use super::failure::{self, render_failures};
use super::{Arrival, Context, Contract, Endpoints, Failure, HostMap, Place, Render, Routes, choose, cors};
use crate::contracts;
use crate::identity::{self, Errand, Identity, MailOutcome, Notes};
use crate::log::{Line, Log, Metrics, Subject, Tally, millis};
use crate::settings::Settings;

/// What handlers share.
#[derive(Clone)]
pub struct App {
    /// The core.
    pub identity: Arc<Identity>,
    /// Offset of times that are shown without one.
    pub zone: UtcOffset,
    allowed_origins: Arc<[String]>,
}

impl App {
    /// Whether pages of this origin may send cookies.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }
}

/// Some or all endpoint groups of all contracts, behind one address.
#[derive(Clone)]
pub struct Front {
    inner: Arc<Inner>,
    log: Arc<Log>,
}

struct Inner {
    contracts: [(Contract, Made); 4],
    service: Made,
    hosts: HostMap,
    root: Contract,
    identity: Arc<Identity>,
}

/// Routes that are put together when somebody asks for them: most processes of a function are asked in one contract alone.
type Made = LazyLock<Router, Box<dyn FnOnce() -> Router + Send>>;

/// The route that an answer came from, for the log; the path itself may name a person.
#[derive(Clone)]
struct Endpoint(String);

impl Front {
    /// Serves the endpoints of these groups.
    pub fn new(endpoints: &[Endpoints], identity: Arc<Identity>, settings: &Settings) -> Self {
        let app = App {
            identity: Arc::clone(&identity),
            zone: settings.zone,
            allowed_origins: settings.allowed_origins.clone().into(),
        };
        let root = settings.root_contract;
        let endpoints: Arc<[Endpoints]> = endpoints.into();
        let contracts = Contract::ALL.map(|contract| {
            let (endpoints, app) = (Arc::clone(&endpoints), app.clone());
            let make = move || finish(endpoints.iter().map(|group| (group.of)(contract)), contract, &app);
            (contract, Made::new(Box::new(make)))
        });
        let make = move || finish(endpoints.iter().map(|group| (group.service)()), root, &app);
        let service = Made::new(Box::new(make));
        let inner = Inner { contracts, service, hosts: settings.contract_hosts.clone(), root, identity };
        Self { inner: Arc::new(inner), log: Arc::new(Log::readable()) }
    }

    /// The same, with its lines elsewhere than among the process's other events.
    #[must_use]
    pub fn logging_to(self, log: Arc<Log>) -> Self {
        Self { log, ..self }
    }

    /// The core behind it.
    pub fn identity(&self) -> &Arc<Identity> {
        &self.inner.identity
    }

    /// Answers one request. It should carry an [`Arrival`].
    pub async fn answer(&self, mut request: Request<Body>) -> Response {
        let started = Instant::now();
        let mut arrival = request.extensions_mut().remove::<Arrival>().unwrap_or_default();
        let host = arrival.host.take().or_else(|| host_of(&request));
        let (place, rest) = choose(host.as_deref(), request.uri().path(), &self.inner.hosts, self.inner.root);
        let uri = with_path(request.uri(), rest);
        arrival.host = host;
        let (contract, mounted, router) = self.at(place);
        let asked_language = context::asked_language(contract, request.uri().query(), request.headers());
        let language = asked_language.unwrap_or_else(|| context::usual_language(contract));
        let (errand, notes, tally) = (Errand::new(language, &arrival.request_id), Notes::default(), Tally::default());
        let context = Context {
            contract,
            mount: if mounted { contracts::mount(contract) } else { "" },
            language,
            asked_language,
            errand: errand.clone(),
            notes: notes.clone(),
            agent: header_text(request.headers(), &header::USER_AGENT).unwrap_or_default().to_owned(),
            arrival,
        };
        let arrival = context.arrival.clone();
        let method = request.method().clone();
        *request.uri_mut() = uri;
        request.extensions_mut().insert(context);
        let request = take_in_body(request).await;
        let span = tracing::info_span!("request", request_id = arrival.request_id);
        let answered = tally.during(router.oneshot(request).instrument(span)).await;
        let mut response = answered.unwrap_or_else(|never: Infallible| match never {});
        add_common_headers(&mut response, &arrival.request_id);
        let contract = if matches!(place, Place::Service) { "service" } else { contract.name() };
        let mail = errand.outcome();
        self.log(&Seen { method, contract, arrival, mail, notes, tally, started }, &response);
        response
    }

    /// Refuses a request before anything is done about it, in its contract's words and with its line in the log.
    pub async fn refuse(&self, mut request: Request<Body>, failure: Failure) -> Response {
        request.extensions_mut().insert(Refused(Arc::new(failure)));
        self.answer(request).await
    }

    fn at(&self, place: Place) -> (Contract, bool, Router) {
        let inner = &*self.inner;
        let (contract, mounted) = match place {
            Place::Service => return (inner.root, false, Router::clone(&inner.service)),
            Place::Contract { contract, mounted } => (contract, mounted),
        };
        let found = inner.contracts.iter().find(|(known, _)| *known == contract);
        (contract, mounted, Router::clone(found.map_or(&inner.service, |(_, router)| router)))
    }
}

/// The request with its body read. One that can't be read, or is too large for any endpoint, is refused further in,
/// where the contract's words are.
pub async fn take_in_body(request: Request<Body>) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    let body = body::take_in(body).await.unwrap_or_else(|failure| {
        parts.extensions.insert(Refused(Arc::new(failure)));
        Body::empty()
    });
    Request::from_parts(parts, body)
}

/// Why nothing is done about a request: its body was not taken in, or whoever received it has too much to do.
#[derive(Clone)]
struct Refused(Arc<Failure>);

async fn answer_refused(refused: Option<Extension<Refused>>, request: Request, next: Next) -> Response {
    match refused {
        Some(Extension(Refused(failure))) => failure::carry(failure),
        None => next.run(request).await,
    }
}

/// Breaks off what would not be answered before its process is stopped. What it did until then is whole, since every write
/// is, and asking again is safe.
async fn answer_in_time(Extension(context): Extension<Context>, request: Request, next: Next) -> Response {
    let Some(by) = context.arrival.answer_by else { return next.run(request).await };
    match tokio::time::timeout_at(by, next.run(request)).await {
        Ok(response) => response,
        Err(late) => {
            let cause = anyhow::Error::new(late).context("the request took too long");
            Failure::from(identity::Error::Unavailable { retry_after: ASK_AGAIN_AFTER, cause }).into_response()
        }
    }
}

/// When to ask again what could not be answered in time.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Puts a contract's routes behind its refusals, its CORS rules and the last resort for panics.
fn finish(routes: impl Iterator<Item = Routes>, contract: Contract, app: &App) -> Router {
    let merged = routes.fold(Router::new(), |all, routes| all.merge(routes.router));
    merged
        .fallback(async || Failure::UnknownPath)
        .method_not_allowed_fallback(async || Failure::MethodNotAllowed)
        .layer(middleware::from_fn(answer_refused))
        .layer(CatchPanicLayer::custom(|_| Failure::Panicked.into_response()))
        .layer(middleware::from_fn(answer_in_time))
        .layer(middleware::from_fn_with_state(contracts::render(contract) as Render, render_failures))
        .layer(middleware::from_fn(note_endpoint))
        .layer(cors::layer(contract, app))
        .layer(middleware::from_fn_with_state(contract, cors::fill_preflight))
        .with_state(app.clone())
}

async fn note_endpoint(path: Option<MatchedPath>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(path) = path {
        response.extensions_mut().insert(Endpoint(path.as_str().to_owned()));
    }
    response
}

fn host_of(request: &Request<Body>) -> Option<String> {
    let header = header_text(request.headers(), &header::HOST).map(str::to_owned);
    header.or_else(|| request.uri().authority().map(ToString::to_string))
}

/// The address without the mount; the query stays.
fn with_path(uri: &Uri, path: &str) -> Uri {
    let text = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    // Parts of a valid address are valid; should they not be, the unknown path "/" is a fair answer.
    PathAndQuery::try_from(text).map_or_else(|_| Uri::from_static("/"), Uri::from)
}

/// Set for every answer, unless a handler had a reason to say otherwise.
fn add_common_headers(response: &mut Response, request_id: &str) {
    let headers = response.headers_mut();
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}

/// What the one log line of a request tells besides its answer.
struct Seen {
    method: Method,
    contract: &'static str,
    arrival: Arrival,
    mail: Option<MailOutcome>,
    notes: Notes,
    tally: Tally,
    started: Instant,
}

impl Front {
    fn log(&self, seen: &Seen, response: &Response) {
        let Seen { method, contract, arrival, mail, notes, tally, started } = seen;
        let failure = response.extensions().get::<Arc<Failure>>();
        let source = self.identity().source_mark(&arrival.source);
        let detail = failure.and_then(|failure| failure.detail());
        let outcome = failure.map_or(Cow::Borrowed("ok"), |failure| failure.word());
        let refused = failure.is_some_and(|failure| failure.refuses_sign_in());
        let metrics = Metrics {
            requests: Some(1),
            faults: u32::from(response.status().is_server_error()),
            sign_in_failures: Some(u32::from(notes.is_sign_in() && refused)),
            mail_failures: Some(u32::from(mail.is_some_and(|mail| mail != MailOutcome::Sent))),
            duration_ms: millis(started.elapsed()),
            ..Metrics::default()
        };
        let line = Line {
            message: Subject::Request,
            request_id: &arrival.request_id,
            xray_trace_id: arrival.trace.as_deref(),
            contract,
            method: known(method),
            endpoint: response.extensions().get::<Endpoint>().map_or("", |endpoint| &endpoint.0),
            status: Some(response.status().as_u16()),
            outcome: &outcome,
            detail: detail.as_deref(),
            account: notes.account(),
            source: source.as_deref(),
            mail: mail.map(MailOutcome::as_str),
            marked: None,
            cold: self.log.is_cold(),
            metrics: metrics.with(tally.taken()),
        };
        self.log.write(&line, self.identity().now());
    }
}

/// A method that has a name; another one is whatever a client thought of.
fn known(method: &Method) -> &str {
    const KNOWN: [Method; 7] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];
    if KNOWN.contains(method) { method.as_str() } else { "other" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{client, dynamodb::DynamoStore, ses::SesMailer};
    use crate::http::{Answer, Listing, about};
    use crate::identity::{Hasher, Policy, SystemChance, SystemClock};

    /// Handlers that never reach the core need no store behind it.
    fn app() -> App {
        let nowhere = client::connect_local("http://127.0.0.1:1").expect("a configuration");
        let chance = Arc::new(SystemChance::default());
        let identity = Identity::new(
            Arc::new(DynamoStore::new(client::dynamodb(&nowhere), "polygate", chance.clone())),
            Arc::new(SesMailer::new(&nowhere, "no-reply@example.com")),
            Arc::new(SystemClock),
            chance,
            Hasher::new(1),
            Policy::default(),
        );
        App { identity: Arc::new(identity), zone: UtcOffset::UTC, allowed_origins: Arc::new([]) }
    }

    async fn boom() -> Result<Answer<()>, Failure> {
        panic!("a bug")
    }

    #[tokio::test]
    async fn a_panic_is_a_fault_of_ours_in_the_contracts_words() {
        let app = app();
        for contract in Contract::ALL {
            let router = finish([Routes::new().get("/boom", boom, about("Panics"))].into_iter(), contract, &app);
            let mut request = Request::get("/boom").body(Body::empty()).expect("a request");
            request.extensions_mut().insert(Context {
                contract,
                mount: "",
                language: crate::identity::Language::English,
                asked_language: None,
                arrival: Arrival::default(),
                agent: String::new(),
                errand: Errand::new(crate::identity::Language::English, ""),
                notes: Notes::default(),
            });
            let response = router.oneshot(request).await.expect("an answer");
            assert_eq!(response.status(), 500);
            let body = axum::body::to_bytes(response.into_body(), 10_000).await.expect("a body");
            let (_, expected) = contracts::render(contract)(&Failure::Panicked, crate::identity::Language::English);
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&body).expect("JSON"), expected);
        }
    }
}
