//! More at a time than the server takes on: the rest is refused at once, in its contract's words, and served once there is
//! room again.

use std::time::Duration;

use polygate::{Bounds, Options};
use polygate_shared::identity::Hasher;
use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::mailing::service::{Fate, MailService};
use crate::source_limits::Deployment;
use crate::support::World;

const WITHOUT_END: Duration = Duration::from_secs(600);

fn within(bounds: Bounds) -> impl FnOnce(Options) -> Options {
    move |options| Options { bounds, mail_time_out: WITHOUT_END, ..options }
}

/// The bound on requests, and none on time.
fn at_a_time(requests: usize) -> Bounds {
    Bounds { requests, request_time: WITHOUT_END, idle_time: WITHOUT_END }
}

async fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.server.base_url().trim_start_matches("http://")).await.expect("a connection")
}

/// What the server says until it closes the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("a text");
    text
}

fn closes(answer: &str) -> bool {
    answer.to_lowercase().contains("\r\nconnection: close\r\n")
}

/// A request for a path that says nothing more.
async fn ask_on(stream: &mut TcpStream, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut read = vec![0; 4096];
    let count = stream.read(&mut read).await.expect("an answer");
    String::from_utf8_lossy(&read[..count]).into_owned()
}

#[tokio::test]
async fn a_request_too_many_is_refused_in_its_contracts_words_and_served_later() {
    let (service, mut world) = MailService::with_world_of(within(at_a_time(2))).await;
    world.register("anna", "secret123").await;
    service.let_it_be(Fate::Waits).await;
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let held = ["bea", "cleo"].map(|name| {
        let body = json!({"account": name, "password": "secret123", "email": format!("{name}@example.com")});
        let request = client.post(format!("{}/sproutgate/api/auth/register", world.server.base_url())).json(&body);
        tokio::spawn(async move { request.send().await.expect("an answer").status().as_u16() })
    });
    while service.calls() < held.len() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    world.note("two requests wait for the mail service, and two is what the server takes on");
    let sign_in = json!({"username": "anna", "account": "anna", "password": "secret123"});
    let paths =
        ["/kite/api/v1/auth/login", "/zeaya/api/auth/login", "/sproutgate/api/auth/login", "/mcphub/api/auth/login"];
    for path in paths {
        world.post(path, sign_in.clone()).await;
    }
    world.get("/kite/api/v1/nothing").header("accept-language", "en").await;
    world.note("whether the service answers is told all the same, and so is what a page may send");
    world.get("/kite/api/v1/health").await;
    let preflight = world.ask(Method::OPTIONS, "/kite/api/v1/auth/login").header("origin", "http://localhost:5173");
    preflight.header("access-control-request-method", "POST").await;
    service.let_it_be(Fate::Arrives).await;
    for held in held {
        assert_eq!(held.await.expect("no panic"), 200);
    }
    world.note("the mails are out");
    for path in paths {
        world.post(path, sign_in.clone()).await;
    }
    insta::assert_snapshot!(world.transcript());
}

#[tokio::test]
async fn slow_bodies_take_nobodys_place_and_are_refused_when_their_time_is_over() {
    let bounds = Bounds { request_time: Duration::from_secs(2), ..at_a_time(2) };
    let mut world = World::with(within(bounds)).await;
    let mut slow = Vec::new();
    for path in ["/kite/api/v1/auth/login", "/zeaya/api/auth/avatar"] {
        let mut stream = connect(&world).await;
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 500000\r\n\r\n{{"
        );
        let head = if path.contains("login") { head.replace("500000", "500") } else { head };
        stream.write_all(head.as_bytes()).await.expect("sent");
        slow.push(stream);
    }
    let answer = world.get("/sproutgate/api/auth/me").await;
    assert_eq!(answer.status, 401, "others are served meanwhile: {}", answer.body);
    for stream in slow {
        let answer = rest(stream).await;
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        assert!(answer.to_lowercase().contains("\r\nretry-after: 1\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_that_is_silent_is_closed() {
    let bounds = Bounds { idle_time: Duration::from_millis(300), ..at_a_time(2) };
    let world = World::with(within(bounds)).await;
    let silent = connect(&world).await;
    let mut halting = connect(&world).await;
    halting.write_all(b"GET /kite/api/v1/health HTTP/1.1\r\nhost: local").await.expect("sent");
    let mut kept = connect(&world).await;
    assert!(ask_on(&mut kept, "/kite/api/v1/health").await.starts_with("HTTP/1.1 200 "));
    for stream in [silent, kept] {
        assert_eq!(rest(stream).await, "");
    }
    let answer = rest(halting).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[tokio::test]
async fn a_connection_too_many_is_answered_once_and_another_is_kept_where_a_place_is_free_again() {
    // Four connections are kept.
    let world = World::with(within(at_a_time(1))).await;
    let mut kept = Vec::new();
    for _ in 0..4 {
        let mut stream = connect(&world).await;
        assert!(ask_on(&mut stream, "/kite/api/v1/health").await.starts_with("HTTP/1.1 200 "));
        kept.push(stream);
    }
    let mut fifth = connect(&world).await;
    let answer = ask_on(&mut fifth, "/sproutgate/api/auth/me").await;
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(closes(&answer), "{answer}");
    assert_eq!(rest(fifth).await, "", "and the connection ends");
    let answer = ask_on(&mut kept[0], "/sproutgate/api/auth/me").await;
    assert!(answer.starts_with("HTTP/1.1 401 ") && !closes(&answer), "those kept go on: {answer}");
    drop(kept.pop());
    // The server takes a moment to see that it is gone.
    loop {
        let mut stream = connect(&world).await;
        if !closes(&ask_on(&mut stream, "/sproutgate/api/auth/me").await) {
            break;
        }
    }
}

#[tokio::test]
async fn a_password_too_many_to_be_hashed_is_refused_and_counts_against_nobody() {
    // One hash at a time, and fifteen that wait.
    let deployment = Deployment::hashing_by(Hasher::new(1)).await;
    let tried = |nth: usize| (format!("203.0.113.{nth}"), format!("person{nth}"));
    let guess = async |nth| {
        let (source, name) = tried(nth);
        deployment.log_in(&source, "phone", &name, "guess").await
    };
    let statuses = futures_util::future::join_all((0..80).map(guess)).await;
    let of = |status: u16| statuses.iter().position(|told| *told == status);
    let (looked_at, refused) = (of(401).expect("one was hashed"), of(503).expect("one was refused"));
    assert!(statuses.iter().all(|status| [401, 503].contains(status)), "{statuses:?}");
    // Five guesses at a name wait for nothing: those that were looked at count, and those that were refused don't.
    for (nth, counted) in [(looked_at, 1), (refused, 0)] {
        for _ in counted..5 {
            assert_eq!(guess(nth).await, 401, "{statuses:?}");
        }
        assert_eq!(guess(nth).await, 429, "{statuses:?}");
    }
}
