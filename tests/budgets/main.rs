//! What each kind of request costs at the table: capacity units by table and index, and the partitions that it touches.
//! They are kept in `docs/budgets.json`, which `scripts/growth.py` reckons with; `UPDATE_BUDGETS=1` writes them anew.

mod meter;
mod sizes;

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use meter::{Meter, Spent};
use polygate::{Options, Server};
use polygate_shared::aws::{client, dynamodb::DynamoStore, ses::SesMailer};
use polygate_shared::http::{Arrival, Endpoints, Front};
use polygate_shared::identity::{Hasher, Identity, Policy, SystemChance, SystemClock};
use polygate_shared::settings::{Settings, environment};
use serde_json::{Value, json};

/// The service, with a meter before its table.
struct Metered {
    server: Server,
    front: Front,
    meter: Meter,
}

impl Metered {
    async fn start() -> Self {
        let server = Server::start(Options::default()).await.expect("a server");
        let meter = Meter::start(server.dynamodb_url()).await;
        let front = Self::process(&server, &meter);
        Self { server, front, meter }
    }

    /// What one process of a function has, before its first request.
    fn process(server: &Server, meter: &Meter) -> Front {
        let table = client::dynamodb(&client::connect_local(meter.endpoint()).expect("a configuration"));
        let mails = client::connect_local(format!("{}/_local/ses", server.base_url())).expect("a configuration");
        let chance = Arc::new(SystemChance::default());
        let identity = Identity::new(
            Arc::new(DynamoStore::new(table, server.table(), chance.clone())),
            Arc::new(SesMailer::new(&mails, "no-reply@example.com")),
            Arc::new(SystemClock),
            chance,
            Hasher::new(1),
            Policy { allow_registration: true, issuer: Some("https://id.example.com".to_owned()), ..Policy::default() },
        );
        let settings = Settings::parse(&|_| None).expect("defaults");
        Front::new(&Endpoints::ALL, Arc::new(identity), &settings)
    }

    /// Another process answers from now on.
    fn begin_anew(&mut self) {
        self.front = Self::process(&self.server, &self.meter);
    }

    async fn ask(&self, method: Method, path: &str, by: &str, kind: &str, body: Vec<u8>) -> Value {
        let request = Request::builder().method(method).uri(path).header("user-agent", "budgets");
        let request = if by.is_empty() { request } else { request.header("authorization", format!("Bearer {by}")) };
        let request = if body.is_empty() { request } else { request.header("content-type", kind) };
        let mut request = request.body(Body::from(body)).expect("a request");
        let arrival = Arrival { source: "203.0.113.7".to_owned(), request_id: "x".to_owned(), ..Arrival::default() };
        request.extensions_mut().insert(arrival);
        let response = self.front.answer(request).await;
        let status = response.status();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        assert!(status.is_success() || status == 401, "{path}: {status} {body}");
        body
    }

    async fn post(&self, path: &str, by: &str, body: Value) -> Value {
        self.ask(Method::POST, path, by, "application/json", body.to_string().into_bytes()).await
    }

    async fn get(&self, path: &str, by: &str) -> Value {
        self.ask(Method::GET, path, by, "", Vec::new()).await
    }

    /// The newest mailed code.
    fn code(&self) -> String {
        let mails = self.server.mails();
        let subject = &mails.first().expect("a mail").subject;
        subject[subject.len() - 6..].to_owned()
    }
}

fn text(answer: &Value, at: &str) -> String {
    answer.pointer(at).and_then(Value::as_str).unwrap_or_else(|| panic!("no {at} in {answer}")).to_owned()
}

fn upload() -> Vec<u8> {
    let mut file = Vec::new();
    // Noise, so that the stored picture is as large as they get.
    let noise = |x: u32, y: u32| image::Rgb([(x * 7 + y * 13) as u8, (x * x + y) as u8, (x ^ y) as u8]);
    image::RgbImage::from_fn(512, 512, noise)
        .write_to(&mut Cursor::new(&mut file), image::ImageFormat::Png)
        .expect("a PNG");
    let head = b"--b\r\nContent-Disposition: form-data; name=\"avatar\"; filename=\"a\"\r\n\r\n";
    [head.as_slice(), &file, b"\r\n--b--\r\n"].concat()
}

/// Every kind of request, once, in the state in which it mostly comes.
async fn measure() -> Value {
    let mut metered = Metered::start().await;
    let mut spent = BTreeMap::<_, Spent>::new();
    let password = "strong-password";
    let credentials = |password: &str| json!({"username": "anna", "password": password});
    let (login, access) = ("/kite/api/v1/auth/login", "/data/access_token");
    let registration =
        |name: &str| json!({"username": name, "email": format!("{name}@example.com"), "password": password});
    // The keys of a deployment and the counters of its accounts are there long before.
    let mailed = |name: &str| {
        let email = format!("{name}@example.com");
        json!({"account": name, "password": password, "username": "", "email": email})
    };
    let by_mail = "/sproutgate/api/auth/register";
    metered.post("/kite/api/v1/auth/register", "", registration("first")).await;
    metered.post(login, "", json!({"username": "first", "password": password})).await;
    metered.post(by_mail, "", mailed("second")).await;
    metered.meter.read();

    metered.post("/kite/api/v1/auth/register", "", registration("anna")).await;
    spent.insert("register", metered.meter.read());
    metered.post(by_mail, "", mailed("berta")).await;
    spent.insert("register, a code mailed", metered.meter.read());
    metered.post("/sproutgate/api/auth/verify-email", "", json!({"account": "berta", "code": metered.code()})).await;
    spent.insert("register, the code proved", metered.meter.read());
    metered.post(login, "", credentials(password)).await;
    spent.insert("sign in, new device", metered.meter.read());
    let signed_in = metered.post(login, "", credentials(password)).await;
    spent.insert("sign in", metered.meter.read());
    let session = text(&signed_in, access);
    metered.post(login, "", credentials("wrong-password")).await;
    spent.insert("sign in, wrong password", metered.meter.read());
    metered.post(login, "", json!({"username": "nobody", "password": password})).await;
    spent.insert("sign in, unknown name", metered.meter.read());
    let refreshed = metered
        .post("/kite/api/v1/auth/refresh", "", json!({"refresh_token": text(&signed_in, "/data/refresh_token")}))
        .await;
    spent.insert("refresh", metered.meter.read());
    assert!(refreshed["data"].is_object(), "{refreshed}");
    metered.get("/kite/api/v1/profile", &session).await;
    spent.insert("read the profile", metered.meter.read());
    metered.get("/sproutgate/api/auth/verify", &session).await;
    spent.insert("verify a token", metered.meter.read());
    let bio = json!({"nickname": "Anna A."}).to_string().into_bytes();
    metered.ask(Method::PUT, "/kite/api/v1/profile", &session, "application/json", bio).await;
    spent.insert("change the profile", metered.meter.read());
    let made = metered.post("/kite/api/v1/tokens", &session, json!({"name": "backup"})).await;
    spent.insert("make an API token", metered.meter.read());
    let token = text(&made, "/data/token");
    metered.get("/kite/api/v1/profile", &token).await;
    // Its last use is noted once a minute, beside the answer.
    while metered.meter.read().write == 0.0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    metered.get("/kite/api/v1/profile", &token).await;
    spent.insert("read the profile by an API token", metered.meter.read());
    let avatar = "/zeaya/api/auth/avatar";
    let drawn = metered.ask(Method::POST, avatar, &session, "multipart/form-data; boundary=b", upload()).await;
    spent.insert("upload a picture", metered.meter.read());
    metered.get(&text(&drawn, "/data/avatar"), "").await;
    spent.insert("read a picture", metered.meter.read());
    let change = json!({"old_password": password, "new_password": "another-password"});
    metered.post("/kite/api/v1/auth/change-password", &session, change).await;
    spent.insert("change the password", metered.meter.read());
    let session = text(&metered.post(login, "", credentials("another-password")).await, access);
    metered.meter.read();
    metered.post("/kite/api/v1/auth/logout", &session, json!({})).await;
    spent.insert("sign out", metered.meter.read());
    metered.begin_anew();
    metered.get("/.well-known/jwks.json", "").await;
    spent.insert("read the signing keys, in a process that starts", metered.meter.read());
    let items = sizes::sizes(&metered.server.dynamodb_url(), metered.server.table()).await;
    metered.server.shutdown().await;
    json!({"requests": spent, "items": items})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_kept_budgets_are_what_requests_cost() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/budgets.json");
    let measured = measure().await;
    if environment()("UPDATE_BUDGETS").is_some() {
        let text = serde_json::to_string_pretty(&measured).expect("JSON");
        std::fs::write(&path, format!("{text}\n")).expect("written");
        return;
    }
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&path).expect("the budgets")).expect("JSON");
    assert_eq!(measured, kept, "UPDATE_BUDGETS=1 cargo test --test budgets keeps what is measured now");
}
