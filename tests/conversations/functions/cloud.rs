//! DynamoDB, SES and Secrets Manager as the functions reach them: each call is written down with the action and the resource
//! that IAM would be asked for, and handed on to the development server's engine and mailbox.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use super::{Place, Stack, listen};

pub(super) struct Cloud {
    url: String,
}

struct Services {
    dynamodb: String,
    ses: String,
    secrets: Option<String>,
    /// What the development server's first password and token are, by the names that the template gives their secrets.
    kept: BTreeMap<String, String>,
    notes: PathBuf,
    /// What was written down.
    noted: Mutex<BTreeSet<(String, String)>>,
    client: reqwest::Client,
}

impl Cloud {
    pub(super) async fn start(place: &Place<'_>, stack: &Stack) -> (Self, AbortHandle) {
        let (listener, address) = listen().await;
        let given = |variable: &str| stack.environment["admin"][variable].clone();
        let services = Services {
            dynamodb: place.server.dynamodb_url(),
            ses: format!("{}/_local/ses", place.server.base_url()),
            secrets: place.secrets.map(str::to_owned),
            kept: BTreeMap::from([
                (given("ADMIN_PASSWORD_SECRET"), "admin".to_owned()),
                (given("ADMIN_TOKEN_SECRET"), place.server.admin_token().reveal().to_owned()),
            ]),
            notes: stack.notes.clone(),
            noted: Mutex::default(),
            client: reqwest::Client::builder().no_proxy().build().expect("a client"),
        };
        let router = Router::new()
            .route("/{group}/{service}", post(answer))
            .route("/{group}/{service}/", post(answer))
            .layer(axum::extract::DefaultBodyLimit::disable())
            .with_state(Arc::new(services));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        (Self { url: format!("http://{address}") }, serving.abort_handle())
    }

    /// Where a function finds the services, and its table.
    pub(super) fn environment_of(&self, group: &str, place: &Place<'_>) -> BTreeMap<String, String> {
        let url = &self.url;
        // A test that puts a mail service of its own in the way wants to be asked itself.
        let ses = place.settings.get("AWS_ENDPOINT_URL_SES").cloned().unwrap_or_else(|| format!("{url}/{group}/ses"));
        BTreeMap::from([
            ("TABLE_NAME".to_owned(), place.table.to_owned()),
            ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), format!("{url}/{group}/dynamodb")),
            ("AWS_ENDPOINT_URL_SES".to_owned(), ses),
            ("AWS_ENDPOINT_URL_SECRETS_MANAGER".to_owned(), format!("{url}/{group}/secrets")),
        ])
    }
}

async fn answer(
    State(services): State<Arc<Services>>,
    Path((group, service)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let calls = match service.as_str() {
        "dynamodb" => table_calls(target(&headers), &parsed(&body)),
        "ses" => mail_calls(&body),
        "secrets" => vec![secret_call(target(&headers), &parsed(&body))],
        other => panic!("no service is called {other}"),
    };
    services.note(&group, calls);
    match (service.as_str(), &services.secrets) {
        ("dynamodb", _) => services.hand_on(&services.dynamodb, headers, body).await,
        ("ses", _) => services.hand_on(&services.ses, headers, body).await,
        (_, Some(secrets)) => services.hand_on(secrets, headers, body).await,
        (_, None) => {
            let name = parsed(&body)["SecretId"].as_str().expect("a name").to_owned();
            axum::Json(json!({"ARN": name, "Name": name, "SecretString": services.kept[&name]})).into_response()
        }
    }
}

impl Services {
    fn note(&self, group: &str, calls: Vec<(String, String)>) {
        for (action, resource) in calls {
            let line = json!({"function": group, "action": action, "resource": resource}).to_string();
            if self.noted.lock().expect("not poisoned").insert((group.to_owned(), line.clone())) {
                let file = OpenOptions::new().create(true).append(true).open(self.notes.join("calls"));
                // In one piece: tests beside this one write there too.
                file.expect("a file for notes").write_all(format!("{line}\n").as_bytes()).expect("a note");
            }
        }
    }

    async fn hand_on(&self, to: &str, mut headers: HeaderMap, body: Bytes) -> Response {
        headers.remove("host");
        headers.remove("content-length");
        let answer = self.client.post(format!("{to}/")).headers(headers).body(body).send().await;
        // As a service that can't be reached: the function sees a fault that passes.
        let Ok(answer) = answer else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        headers.remove("transfer-encoding");
        headers.remove("content-length");
        match answer.bytes().await {
            Ok(bytes) => (status, headers, bytes).into_response(),
            Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        }
    }
}

fn target(headers: &HeaderMap) -> &str {
    let target = headers.get("x-amz-target").expect("a target").to_str().expect("text");
    target.rsplit('.').next().expect("an operation")
}

fn parsed(body: &Bytes) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

/// What a call asks IAM for: an index is a resource of its own, and so is each part of a transaction an action.
fn table_calls(operation: &str, body: &Value) -> Vec<(String, String)> {
    let action = |name: &str, resource: String| (format!("dynamodb:{name}"), resource);
    let parts = body["TransactItems"].as_array().map(Vec::as_slice).unwrap_or_default();
    match operation {
        "TransactWriteItems" => parts
            .iter()
            .map(|part| match part.as_object().and_then(|part| part.keys().next()).expect("a part").as_str() {
                "Put" => action("PutItem", "table".to_owned()),
                "Update" => action("UpdateItem", "table".to_owned()),
                "Delete" => action("DeleteItem", "table".to_owned()),
                "ConditionCheck" => action("ConditionCheckItem", "table".to_owned()),
                other => panic!("no part of a transaction is called {other}"),
            })
            .collect(),
        "TransactGetItems" => vec![action("GetItem", "table".to_owned())],
        "Query" | "Scan" => {
            let index = body["IndexName"].as_str().map(|index| format!("table/index/{index}"));
            vec![action(operation, index.unwrap_or_else(|| "table".to_owned()))]
        }
        _ => vec![action(operation, "table".to_owned())],
    }
}

fn mail_calls(body: &[u8]) -> Vec<(String, String)> {
    let form: BTreeMap<_, _> = form_urlencoded::parse(body).into_owned().collect();
    let action = format!("ses:{}", form["Action"]);
    let set = form.get("ConfigurationSetName").map(|set| (action.clone(), format!("configuration-set/{set}")));
    // IAM compares the address alone, without a name before it.
    let sender = form["Source"].rsplit('<').next().unwrap_or_default().trim_end_matches('>');
    [(action.clone(), format!("identity of {sender}"))].into_iter().chain(set).collect()
}

fn secret_call(operation: &str, body: &Value) -> (String, String) {
    (format!("secretsmanager:{operation}"), body["SecretId"].as_str().expect("a name").to_owned())
}
