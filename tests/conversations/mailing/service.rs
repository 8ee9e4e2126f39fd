//! A mail service that does to each mail what a test says: it takes it, refuses it, keeps silent, breaks off, or isn't there.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::support::World;

/// How long the service waits for an answer here, in real time.
const TIME_OUT: Duration = Duration::from_millis(500);
const WITHOUT_END: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What becomes of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives.
    Arrives,
    /// It is refused with this status, code and message of SES.
    Refused(u16, &'static str, &'static str),
    /// It arrives, and no answer comes in time.
    ArrivesUnanswered,
    /// It gets lost, and no answer comes in time.
    LostUnanswered,
    /// It arrives, and the connection ends without an answer.
    ArrivesCutOff,
    /// There is nobody to connect to.
    NobodyThere,
    /// It waits until another fate is decided.
    Waits,
}

/// Fates after which it is certain that nothing arrived.
pub(crate) const NOT_SENT: [Fate; 5] = [
    Fate::Refused(400, "Throttling", "Maximum sending rate exceeded."),
    Fate::Refused(400, "MessageRejected", "Email address is not verified."),
    Fate::Refused(400, "MessageRejected", "Address is on the suppression list."),
    Fate::Refused(400, "AccountSendingPausedException", "Sending is paused."),
    Fate::NobodyThere,
];

/// Fates after which nobody knows.
pub(crate) const UNKNOWN: [Fate; 4] = [
    Fate::ArrivesUnanswered,
    Fate::LostUnanswered,
    Fate::ArrivesCutOff,
    Fate::Refused(500, "InternalFailure", "Something is wrong."),
];

struct State {
    client: reqwest::Client,
    fate: Mutex<Option<Fate>>,
    calls: Mutex<usize>,
    mailbox: Mutex<String>,
}

/// The service, until it is dropped.
pub(crate) struct MailService {
    state: Arc<State>,
    endpoint: String,
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl MailService {
    /// A world whose mails go through such a service into the development server's mailbox.
    pub(crate) async fn with_world() -> (Self, World) {
        Self::with_world_waiting(TIME_OUT).await
    }

    /// The same where the service waits for so long.
    pub(crate) async fn with_world_waiting(mail_time_out: Duration) -> (Self, World) {
        Self::with_world_of(|options| polygate::Options { mail_time_out, ..options }).await
    }

    /// The same with a world of one's own.
    pub(crate) async fn with_world_of(change: impl FnOnce(polygate::Options) -> polygate::Options) -> (Self, World) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let endpoint = listener.local_addr().expect("an address").to_string();
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let state = State { client, fate: Mutex::default(), calls: Mutex::default(), mailbox: Mutex::default() };
        let service = Self { state: Arc::new(state), endpoint, serving: Mutex::default() };
        service.serve(listener);
        let url = format!("http://{}", service.endpoint);
        let world = World::with(|options| {
            change(options.with("AWS_ENDPOINT_URL_SES", &url).with("ISSUER", "https://id.example.com"))
        })
        .await;
        *service.state.mailbox.lock().expect("not poisoned") = format!("{}/_local/ses/", world.server.base_url());
        (service, world)
    }

    /// What becomes of the mails from now on.
    pub(crate) async fn let_it_be(&self, fate: Fate) {
        *self.state.fate.lock().expect("not poisoned") = Some(fate);
        if fate == Fate::NobodyThere {
            let serving = self.serving.lock().expect("not poisoned").take();
            if let Some(serving) = serving {
                serving.abort();
                // Only then is the port closed.
                serving.await.ok();
            }
        } else if self.serving.lock().expect("not poisoned").is_none() {
            self.serve(TcpListener::bind(&self.endpoint).await.expect("the port again"));
        }
    }

    /// How many mails were handed over, whatever became of them.
    pub(crate) fn calls(&self) -> usize {
        *self.state.calls.lock().expect("not poisoned")
    }

    fn serve(&self, listener: TcpListener) {
        let state = Arc::clone(&self.state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(Arc::clone(&state), stream));
            }
        });
        *self.serving.lock().expect("not poisoned") = Some(serving);
    }
}

async fn answer(state: Arc<State>, mut stream: TcpStream) {
    let Some(form) = read_form(&mut stream).await else { return };
    *state.calls.lock().expect("not poisoned") += 1;
    let fate = loop {
        let fate = state.fate.lock().expect("not poisoned").unwrap_or(Fate::Arrives);
        if fate != Fate::Waits {
            break fate;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    let arrives = matches!(fate, Fate::Arrives | Fate::ArrivesUnanswered | Fate::ArrivesCutOff);
    let taken = match arrives {
        true => pass_on(&state, form).await,
        false => (200, String::new()),
    };
    let (status, body) = match fate {
        Fate::Arrives => taken,
        Fate::Refused(status, code, message) => {
            let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
            (status, format!("<ErrorResponse>{error}<RequestId>r-1</RequestId></ErrorResponse>"))
        }
        Fate::ArrivesUnanswered | Fate::LostUnanswered => return tokio::time::sleep(WITHOUT_END).await,
        Fate::ArrivesCutOff | Fate::NobodyThere | Fate::Waits => return,
    };
    let head = format!("HTTP/1.1 {status} told\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).await.ok();
}

/// The body of one request.
async fn read_form(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut read = Vec::new();
    loop {
        let mut some = [0; 8192];
        let count = stream.read(&mut some).await.ok().filter(|count| *count > 0)?;
        read.extend_from_slice(&some[..count]);
        let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
        let length =
            head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok())?;
        if read.len() >= end + 4 + length {
            return Some(read.split_off(end + 4));
        }
    }
}

async fn pass_on(state: &State, form: Vec<u8>) -> (u16, String) {
    let mailbox = state.mailbox.lock().expect("not poisoned").clone();
    let request = state.client.post(mailbox).header("content-type", "application/x-www-form-urlencoded").body(form);
    let answer = request.send().await.expect("the mailbox");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}
