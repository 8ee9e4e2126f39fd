//! API Gateway's HTTP API, as far as the functions can tell: requests become events of format 2.0, answers become responses.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::{Deployment, listen};
use crate::events::fits;

/// What the gateway itself says of a function that failed.
const FAILED: &str = r#"{"message":"Internal Server Error"}"#;

pub(super) async fn serve(deployment: Arc<Deployment>) -> (String, AbortHandle) {
    let (listener, address) = listen().await;
    let router = Router::new()
        .fallback(answer)
        .layer(axum::extract::DefaultBodyLimit::max(10 * 1024 * 1024))
        .with_state(deployment);
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let serving = tokio::spawn(async move { axum::serve(listener, service).await });
    (format!("http://{address}"), serving.abort_handle())
}

async fn answer(
    State(deployment): State<Arc<Deployment>>,
    ConnectInfo(source): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if uri.path().starts_with("/_local/") {
        return deployment.ask_the_server(&method, &uri, headers, body).await;
    }
    let number = deployment.events.fetch_add(1, Ordering::SeqCst);
    let path = percent_decode_str(uri.path()).decode_utf8_lossy().into_owned();
    let (route, group) = deployment.route(&path);
    let event = event(number, (&method, route, &path, uri.query()), source, &headers, &body);
    match deployment.functions[group].invoke(&event).await {
        Ok(answer) => response(&answer),
        Err(failure) => {
            tracing::error!(failure, "a function failed");
            (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "application/json")], FAILED).into_response()
        }
    }
}

impl Deployment {
    /// The route and the function of a path.
    fn route(&self, path: &str) -> (&str, &str) {
        let routes = &self.stack.routes;
        // A route without parameters comes before one with them.
        let mut fitting: Vec<_> = routes.iter().filter(|(route, _)| fits(route, path)).collect();
        fitting.sort_by_key(|(route, _)| route.matches('{').count());
        let (route, group) =
            fitting.first().copied().unwrap_or_else(|| routes.get_key_value("$default").expect("a default route"));
        (route, group)
    }

    /// What the development server has for tests: the mailbox.
    async fn ask_the_server(&self, method: &Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Response {
        let request = self.client.request(method.clone(), format!("{}{uri}", self.server_url)).headers(headers);
        let answer = request.body(body).send().await.expect("the development server's answer");
        (answer.status(), answer.headers().clone(), answer.bytes().await.expect("a body")).into_response()
    }
}

fn event(
    number: u64,
    (method, route, path, query): (&Method, &str, &str, Option<&str>),
    source: SocketAddr,
    headers: &HeaderMap,
    body: &Bytes,
) -> Value {
    let mut told = BTreeMap::<String, String>::new();
    let mut cookies = Vec::new();
    for (name, value) in headers {
        // What is no ASCII the gateway hands over as it understands it.
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        if *name == header::COOKIE {
            cookies.extend(value.split("; ").map(str::to_owned));
            continue;
        }
        let joined = told.entry(name.to_string()).or_default();
        *joined = if joined.is_empty() { value } else { format!("{joined},{value}") };
    }
    let agent = told.get("user-agent").cloned().unwrap_or_default();
    let host = told.get("host").cloned().unwrap_or_default();
    let port = host.rsplit(':').next().unwrap_or_default().to_owned();
    for (name, value) in [
        ("x-forwarded-for", source.ip().to_string()),
        ("x-forwarded-proto", "http".to_owned()),
        ("x-forwarded-port", port),
    ] {
        let before = told.get(name).filter(|_| name == "x-forwarded-for").map(|before| format!("{before}, "));
        told.insert(name.to_owned(), before.unwrap_or_default() + &value);
    }
    let mut queried = BTreeMap::<String, String>::new();
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let joined = queried.entry(name.into_owned()).or_default();
        *joined = if joined.is_empty() { value.into_owned() } else { format!("{joined},{value}") };
    }
    let textual = told.get("content-type").is_none_or(|kind| {
        kind.starts_with("text/")
            || ["application/json", "application/javascript", "application/xml"]
                .iter()
                .any(|text| kind.starts_with(text))
    });
    let text = std::str::from_utf8(body).ok().filter(|_| textual);
    let route_key = if route == "$default" { route.to_owned() } else { format!("ANY {route}") };
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query.unwrap_or_default(),
        "headers": told,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": host,
            "domainPrefix": "a1b2c3d4e5",
            "http": {"method": method.as_str(), "path": path, "protocol": "HTTP/1.1", "sourceIp": source.ip().to_string(), "userAgent": agent},
            "requestId": format!("{number:016x}"),
            "routeKey": route_key,
            "stage": "$default",
            "time": "01/Jan/2040:00:00:00 +0000",
            "timeEpoch": 2_208_988_800_000_u64,
        },
        "isBase64Encoded": !body.is_empty() && text.is_none(),
    });
    if !cookies.is_empty() {
        event["cookies"] = cookies.into();
    }
    if !queried.is_empty() {
        event["queryStringParameters"] = json!(queried);
    }
    if !body.is_empty() {
        event["body"] = text.map_or_else(|| STANDARD.encode(body), str::to_owned).into();
    }
    event
}

/// Of what a function answers, what a client gets to see.
fn response(answer: &Value) -> Response {
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    let status = status.and_then(|status| StatusCode::from_u16(status).ok()).expect("a status");
    let text = answer["body"].as_str().unwrap_or_default();
    let body = match answer["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(text).expect("base64"),
        Some(false) | None => text.as_bytes().to_vec(),
    };
    let mut headers = HeaderMap::new();
    let mut add = |name: &str, value: &str| {
        let name: HeaderName = name.parse().expect("a header's name");
        // The gateway counts itself.
        if name != header::CONTENT_LENGTH {
            headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header's value"));
        }
    };
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        add(name, value.as_str().expect("text"));
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        add("set-cookie", cookie.as_str().expect("text"));
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}
