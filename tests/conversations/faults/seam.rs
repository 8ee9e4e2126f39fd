//! The seam where faults are put in: the HTTP connector under the SDK's own clients. It sees every attempt of every call,
//! to the table and to the mail service, and can spoil those of one call.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::http::{HttpRequest, HttpResponse};
use aws_sdk_dynamodb::config::{HttpClient, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// What can happen to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum How {
    /// There is nobody to connect to.
    Unreachable,
    /// It is answered with a fault of the service, which did nothing.
    Broken,
    /// It is answered that there are too many.
    Throttled,
    /// It waits for an answer in vain, and nothing is done.
    TimedOut,
    /// It takes effect, and the connection breaks before the answer.
    Lost,
    /// It takes effect, and the answer comes too late.
    Late,
    /// Another transaction is in its way.
    Conflict,
    /// It does nothing of what it was asked for, and says so.
    Unprocessed,
    /// It takes effect, and then nothing comes, for good: the SDK itself has to give up.
    Hangs,
    /// It has no effect, and is answered as if it had: the bug that the test of the test plants. No kind of call has it
    /// among its faults.
    Swallowed,
    /// Another client's same request is answered between the decision and this call.
    Overtaken,
}

/// What kind of call it is: that decides what can happen to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Batch,
    Write,
    Transaction,
    Mail,
}

impl Kind {
    /// What can happen to such a call.
    pub(crate) fn faults(self) -> &'static [How] {
        use How::{Broken, Conflict, Late, Lost, Overtaken, Throttled, TimedOut, Unprocessed, Unreachable};
        match self {
            Self::Read => &[Unreachable, Broken, Throttled, TimedOut, Overtaken],
            Self::Batch => &[Unreachable, Broken, Throttled, TimedOut, Unprocessed, Overtaken],
            Self::Write | Self::Transaction => {
                &[Unreachable, Broken, Throttled, TimedOut, Lost, Late, Conflict, Overtaken]
            }
            Self::Mail => &[Unreachable, Broken, Throttled, TimedOut, Lost, Late, Overtaken],
        }
    }

    pub(crate) fn is_write(self) -> bool {
        matches!(self, Self::Write | Self::Transaction)
    }
}

/// One call among those of a request: what it does, and the how manieth (from 0) of those that do the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) what: String,
    pub(crate) nth: usize,
}

/// What is to happen to which call: to its first attempt, or to all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) call: Name,
    pub(crate) how: How,
    pub(crate) lasts: bool,
}

type Meanwhile = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
struct State {
    fault: Option<Fault>,
    /// The calls so far, by the SDK's own name for each.
    calls: HashMap<String, Name>,
    kinds: Vec<(Name, Kind)>,
    counts: BTreeMap<String, usize>,
    /// Attempts that were spoiled, and what they asked for.
    hit: usize,
    asked: Option<Value>,
    meanwhile: Option<Meanwhile>,
    /// The write of transactions whose condition counts for nothing: the bug that the test of the test plants.
    unconditional: Option<&'static str>,
}

/// The seam of one service's clients.
#[derive(Clone, Default)]
pub(crate) struct Seam(Arc<Mutex<State>>);

impl Seam {
    /// Does this to the calls from now on, and forgets those of before.
    pub(crate) fn begin(&self, fault: Option<Fault>, unconditional: Option<&'static str>) {
        *self.state() = State { fault, unconditional, ..State::default() };
    }

    /// What is to take place where a call is overtaken.
    pub(crate) fn meanwhile(&self, what: Meanwhile) {
        self.state().meanwhile = Some(what);
    }

    /// The calls that were made, in their order.
    pub(crate) fn calls(&self) -> Vec<(Name, Kind)> {
        self.state().kinds.clone()
    }

    /// How many attempts were spoiled.
    pub(crate) fn hit(&self) -> usize {
        self.state().hit
    }

    /// The same HTTP client with this seam in it.
    pub(crate) fn into(&self, client: SharedHttpClient) -> SharedHttpClient {
        let seam = self.clone();
        http_client_fn(move |settings, components| {
            let inner = client.http_connector(settings, components);
            SharedHttpConnector::new(Connector { seam: seam.clone(), inner })
        })
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("not poisoned")
    }

    /// What happens to this attempt.
    fn notice(&self, request: &mut HttpRequest) -> (Kind, Option<(How, Option<Meanwhile>)>) {
        let mut state = self.state();
        let header = |name: &str| request.headers().get(name).unwrap_or_default().to_owned();
        let (target, id) = (header("x-amz-target"), header("amz-sdk-invocation-id"));
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let bytes = request.body().bytes().unwrap_or_default();
        let mut body: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let (kind, what) = match operation.as_str() {
            "" => (Kind::Mail, format!("SendEmail {}", purpose(bytes))),
            _ => (kind(&operation), format!("{operation} {}", targets(&operation, &body).join(" "))),
        };
        if state.unconditional.is_some_and(|write| lift_condition(&mut body, write)) {
            let text = body.to_string();
            request.headers_mut().insert("content-length", text.len().to_string());
            *request.body_mut() = SdkBody::from(text);
        }
        if let Some(fields) = body.as_object_mut() {
            fields.remove("ClientRequestToken");
        }
        let known = state.calls.get(&id).cloned();
        let again = state.fault.as_ref().filter(|fault| fault.how == How::Conflict && fault.lasts);
        let again = again.filter(|_| state.asked.as_ref() == Some(&body)).map(|fault| fault.call.clone());
        let name = known.or(again).unwrap_or_else(|| {
            let count = state.counts.entry(what.clone()).or_default();
            let name = Name { what, nth: *count };
            *count += 1;
            state.kinds.push((name.clone(), kind));
            name
        });
        state.calls.insert(id, name.clone());
        let fault = state.fault.clone().filter(|fault| fault.call == name && (fault.lasts || state.hit == 0));
        let Some(fault) = fault else { return (kind, None) };
        state.hit += 1;
        state.asked = Some(body);
        (kind, Some((fault.how, state.meanwhile.take())))
    }
}

struct Connector {
    seam: Seam,
    inner: SharedHttpConnector,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpConnector for Connector {
    fn call(&self, mut request: HttpRequest) -> HttpConnectorFuture {
        let (kind, fault) = self.seam.notice(&mut request);
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            let Some((how, meanwhile)) = fault else { return inner.call(request).await };
            match how {
                How::Unreachable => {
                    request.set_uri("http://127.0.0.1:1/").expect("an address");
                    inner.call(request).await
                }
                How::Broken | How::Throttled => Ok(refused(kind, how)),
                How::TimedOut => Err(ConnectorError::timeout("no answer in time".into())),
                How::Lost => {
                    inner.call(request).await?;
                    Err(ConnectorError::io("the connection broke".into()))
                }
                How::Late => {
                    inner.call(request).await?;
                    Err(ConnectorError::timeout("the answer came too late".into()))
                }
                How::Hangs => {
                    inner.call(request).await?;
                    std::future::pending().await
                }
                How::Swallowed => Ok(swallowed(kind)),
                How::Conflict => Ok(in_the_way(kind, &request)),
                How::Unprocessed => Ok(nothing_done(&request)),
                How::Overtaken => {
                    if let Some(meanwhile) = meanwhile {
                        meanwhile.await;
                    }
                    inner.call(request).await
                }
            }
        })
    }
}

fn kind(operation: &str) -> Kind {
    match operation {
        "GetItem" | "Query" | "Scan" => Kind::Read,
        "BatchGetItem" => Kind::Batch,
        "PutItem" | "UpdateItem" | "DeleteItem" => Kind::Write,
        "TransactWriteItems" => Kind::Transaction,
        other => panic!("{other} is no call that the store is known to make"),
    }
}

/// What a mail is for, out of the form that is sent.
fn purpose(form: &[u8]) -> String {
    let form = String::from_utf8_lossy(form);
    let value = form.split('&').find_map(|field| field.strip_prefix("Tags.member.1.Value="));
    value.unwrap_or("of no known purpose").to_owned()
}

/// What a call is about: the kinds of items, without whose they are.
fn targets(operation: &str, body: &Value) -> Vec<String> {
    let mut all = Vec::new();
    match operation {
        "PutItem" => all.push(place(&body["Item"])),
        "GetItem" | "UpdateItem" | "DeleteItem" => all.push(place(&body["Key"])),
        "BatchGetItem" => {
            for table in body["RequestItems"].as_object().into_iter().flat_map(|tables| tables.values()) {
                all.extend(table["Keys"].as_array().into_iter().flatten().map(place));
            }
        }
        "TransactWriteItems" => {
            for part in body["TransactItems"].as_array().into_iter().flatten() {
                for (act, write) in part.as_object().into_iter().flatten() {
                    let at = if act == "Put" { &write["Item"] } else { &write["Key"] };
                    all.push(format!("{act}:{}", place(at)));
                }
            }
        }
        _ => {
            all.extend(body["IndexName"].as_str().map(str::to_owned));
            let values = body["ExpressionAttributeValues"].as_object().into_iter().flat_map(|values| values.values());
            all.extend(values.filter_map(|value| value["S"].as_str()).map(|text| sort(text).to_owned()));
        }
    }
    all.sort();
    all.dedup();
    all
}

fn place(key: &Value) -> String {
    let text = |name: &str| key[name]["S"].as_str().unwrap_or_default();
    let partition: Vec<_> = text("pk").split('#').collect();
    let own = match partition[0] {
        "attempts" | "code" => partition[..2].join("#"),
        other => other.to_owned(),
    };
    match partition[0] {
        "account" | "setting" | "signing" | "mail" => format!("{own}/{}", sort(text("sk"))),
        "attempts" if text("sk").starts_with("device") => format!("{own}/device"),
        _ => own,
    }
}

fn sort(text: &str) -> &str {
    text.split('#').next().unwrap_or_default()
}

/// Lets one kind of write take place whatever its condition says; whether there is such a write.
fn lift_condition(body: &mut Value, of: &str) -> bool {
    let mut found = false;
    for part in body["TransactItems"].as_array_mut().into_iter().flatten() {
        for (act, write) in part.as_object_mut().into_iter().flatten() {
            let at = if act == "Put" { &write["Item"] } else { &write["Key"] };
            if format!("{act}:{}", place(at)) == of
                && let Some(condition) = write.get_mut("ConditionExpression")
            {
                // As good as none, while the names and values that it speaks of stay in use.
                let text = condition.as_str().unwrap_or_default();
                *condition = format!("({text}) OR attribute_not_exists(no_such_attribute)").into();
                found = true;
            }
        }
    }
    found
}

fn response(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body))
}

fn error_of_the_table(status: u16, code: &str) -> HttpResponse {
    let body = json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "as planned"});
    response(status, body.to_string())
}

fn refused(kind: Kind, how: How) -> HttpResponse {
    let throttled = how == How::Throttled;
    match (kind, throttled) {
        (Kind::Mail, _) => {
            let (status, code) = if throttled { (400, "Throttling") } else { (500, "InternalFailure") };
            let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>as planned</Message></Error>");
            response(status, format!("<ErrorResponse>{error}<RequestId>r-1</RequestId></ErrorResponse>"))
        }
        (Kind::Read | Kind::Batch | Kind::Write, true) => {
            error_of_the_table(400, "ProvisionedThroughputExceededException")
        }
        (Kind::Transaction, true) => error_of_the_table(400, "ThrottlingException"),
        (Kind::Read | Kind::Batch | Kind::Write | Kind::Transaction, false) => {
            error_of_the_table(500, "InternalServerError")
        }
    }
}

/// That all is well, though nothing was done.
fn swallowed(kind: Kind) -> HttpResponse {
    let told = match kind {
        Kind::Mail => {
            let result = "<SendEmailResult><MessageId>m-1</MessageId></SendEmailResult>";
            format!("<SendEmailResponse>{result}</SendEmailResponse>")
        }
        Kind::Read | Kind::Batch | Kind::Write | Kind::Transaction => "{}".to_owned(),
    };
    response(200, told)
}

fn in_the_way(kind: Kind, request: &HttpRequest) -> HttpResponse {
    if kind != Kind::Transaction {
        return error_of_the_table(400, "TransactionConflictException");
    }
    let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).expect("JSON");
    let parts = body["TransactItems"].as_array().map_or(1, Vec::len);
    let mut reasons = vec![json!({"Code": "None"}); parts];
    reasons[parts - 1] = json!({"Code": "TransactionConflict"});
    let told = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": reasons,
    });
    response(400, told.to_string())
}

fn nothing_done(request: &HttpRequest) -> HttpResponse {
    let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).expect("JSON");
    response(200, json!({"Responses": {}, "UnprocessedKeys": body["RequestItems"]}).to_string())
}
