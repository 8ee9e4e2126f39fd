//! Requests from many source addresses, each sent once, and what became of each.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio::time::timeout;

type Bytes = std::io::Cursor<Vec<u8>>;

/// Longer than the server takes over any request, so that whatever is lost is lost by the server.
const PATIENCE: Duration = Duration::from_secs(40);
/// Shorter than the server keeps a silent connection, so that no request meets one that is just being closed.
const KEPT_FOR: Duration = Duration::from_secs(10);

/// When to ask again where the server has too much to do, and how often.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
const ASKED_AGAIN: u32 = 20;

/// The contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contract {
    Kite,
    Zeaya,
    Sproutgate,
    Mcphub,
}

impl Contract {
    pub(crate) const ALL: [Self; 4] = [Self::Kite, Self::Zeaya, Self::Sproutgate, Self::Mcphub];

    fn mount(self) -> &'static str {
        match self {
            Self::Kite => "/kite",
            Self::Zeaya => "/zeaya",
            Self::Sproutgate => "/sproutgate",
            Self::Mcphub => "/mcphub",
        }
    }

    /// Whether this is how the contract words a refusal.
    fn words(self, status: StatusCode, body: &Value) -> bool {
        let text = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
        match self {
            Self::Kite => {
                body["code"].as_u64().is_some_and(|code| code / 100 == u64::from(status.as_u16())) && text("message")
            }
            Self::Zeaya => body["code"].as_u64().is_some_and(|code| code > 0) && text("message"),
            Self::Sproutgate => text("error") && text("message"),
            Self::Mcphub => body["success"] == false && text("message"),
        }
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) contract: Contract,
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) token: Option<String>,
    pub(crate) body: Option<Value>,
}

impl Ask {
    pub(crate) fn get(contract: Contract, path: &'static str) -> Self {
        Self { contract, method: Method::GET, path, token: None, body: None }
    }

    pub(crate) fn post(contract: Contract, path: &'static str, body: Value) -> Self {
        Self { contract, method: Method::POST, path, token: None, body: Some(body) }
    }

    pub(crate) fn put(contract: Contract, path: &'static str, body: Value) -> Self {
        Self { method: Method::PUT, ..Self::post(contract, path, body) }
    }

    pub(crate) fn bearing(self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self }
    }
}

/// What became of a request. Every one that is sent ends as exactly one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// 2xx.
    Done,
    /// 4xx, as the contract refuses.
    Refused,
    /// 429: this source, name or device asks too often.
    TooMany,
    /// 503: the server has too much to do.
    Shed,
    /// Another 5xx.
    Fault,
    /// There was no connection to be had.
    NotConnected,
    /// The connection ended without an answer.
    Broken,
    /// No answer in 40 seconds.
    TimedOut,
}

impl Outcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::TooMany => "429",
            Self::Shed => "503",
            Self::Fault => "other 5xx",
            Self::NotConnected => "not connected",
            Self::Broken => "broken off",
            Self::TimedOut => "timed out",
        }
    }

    /// Whether the server has answered it.
    pub(crate) fn is_answer(self) -> bool {
        !matches!(self, Self::NotConnected | Self::Broken | Self::TimedOut)
    }

    fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            429 => Self::TooMany,
            503 => Self::Shed,
            500.. => Self::Fault,
            400.. => Self::Refused,
            _ => Self::Done,
        }
    }
}

/// An answer, or what came in its place.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) outcome: Outcome,
    /// 0 without an answer.
    pub(crate) status: u16,
    /// Null without an answer, or where it isn't JSON.
    pub(crate) body: Value,
    /// What is wrong with the form of the answer.
    pub(crate) fault: Option<&'static str>,
}

impl Said {
    fn nothing(outcome: Outcome) -> Self {
        Self { outcome, status: 0, body: Value::Null, fault: None }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.outcome == Outcome::Done
    }

    /// Whether it was certainly not carried out.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.outcome, Outcome::Refused | Outcome::TooMany | Outcome::NotConnected)
    }

    pub(crate) fn text(&self, pointer: &str) -> Option<String> {
        Some(self.body.pointer(pointer)?.as_str()?.to_owned())
    }
}

/// A client at one source address.
#[derive(Clone)]
pub(crate) struct Source {
    base: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Source {
    /// Linux answers for all of 127.0.0.0/8, so that everybody can have an address of their own.
    pub(crate) fn at(base: &str, address: Ipv4Addr) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_local_address(Some(IpAddr::V4(address)));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_idle_timeout(KEPT_FOR).build(connector);
        Self { base: base.to_owned(), client }
    }

    /// Asks again where it is told to, as clients should: for what is no part of the load.
    pub(crate) async fn ask_patiently(&self, ask: &Ask) -> Said {
        for _ in 0..ASKED_AGAIN {
            let said = self.ask(ask).await;
            if said.outcome != Outcome::Shed {
                return said;
            }
            tokio::time::sleep(ASK_AGAIN_AFTER).await;
        }
        self.ask(ask).await
    }

    /// Sends it once and reads the whole answer.
    pub(crate) async fn ask(&self, ask: &Ask) -> Said {
        let uri = format!("{}{}{}", self.base, ask.contract.mount(), ask.path);
        let mut request = Request::builder().method(&ask.method).uri(uri).header(header::ACCEPT_LANGUAGE, "en");
        if let Some(token) = &ask.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = ask.body.as_ref().map(Value::to_string).unwrap_or_default();
        if ask.body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(Full::new(Bytes::new(body.into_bytes())));
        let Ok(request) = request else { return Said::nothing(Outcome::NotConnected) };
        let answered = async {
            let response = match self.client.request(request).await {
                Ok(response) => response,
                Err(failed) if failed.is_connect() => return Said::nothing(Outcome::NotConnected),
                Err(_broken) => return Said::nothing(Outcome::Broken),
            };
            let (parts, body) = response.into_parts();
            let Ok(body) = body.collect().await else { return Said::nothing(Outcome::Broken) };
            let body = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
            let outcome = Outcome::of(parts.status);
            let waits = matches!(outcome, Outcome::TooMany | Outcome::Shed);
            let fault = match outcome {
                Outcome::Done => None,
                _ if waits && !parts.headers.contains_key(header::RETRY_AFTER) => Some("no Retry-After"),
                _ if !ask.contract.words(parts.status, &body) => Some("not in the contract's words"),
                _ => None,
            };
            Said { outcome, status: parts.status.as_u16(), body, fault }
        };
        timeout(PATIENCE, answered).await.unwrap_or_else(|_late| Said::nothing(Outcome::TimedOut))
    }
}
