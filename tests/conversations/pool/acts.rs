//! The service that the rules are compared with: handlers, core and store engine of the real one, its time in our hand.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::{Method, Request};
use polygate_shared::http::{Arrival, Front};
use polygate_shared::identity::{ClaimKind, Limits, Policy, Versioned};
use serde_json::{Value, json};

use super::rules::Kind;
use crate::histories::{front, never};
use crate::support::World;

/// Something that is asked of the service, with all that it takes. People are told by their number.
#[derive(Debug, Clone)]
pub(super) enum Act {
    SignIn { who: usize, name: String, password: String },
    Register { number: usize, name: String, email: String, password: String },
    AskToRegister { number: usize, name: String, email: String, password: String },
    ProveRegistration { name: String, code: String },
    AskForAddress { who: usize, token: String, email: String, place: Kind },
    ProveAddress { who: usize, token: String, email: String, place: Kind, code: String },
    ChangeAddress { who: usize, token: String, email: String },
    Promote { who: usize, token: String, email: String },
    Remove { who: usize, token: String, email: String },
    Forget { identifier: String },
    Reset { identifier: String, code: String, password: String },
    Rename { who: usize, id: String, name: String },
    SetAddress { who: usize, id: String, email: Option<String> },
    Activate { who: usize, id: String, active: bool },
    Delete { name: String },
}

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Seen {
    pub(super) fn text(&self, pointer: &str) -> Result<String, String> {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| format!("no text at {pointer} in {}", self.body))
    }
}

/// A mail with a code of a kind, or one that takes the place of such a mail.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Letter {
    pub(super) to: String,
    pub(super) kind: Option<Kind>,
    pub(super) code: String,
}

/// Who has which name or address, and whether it is proved.
pub(super) type Claims = BTreeMap<String, (String, bool)>;

pub(super) struct Service {
    pub(super) world: World,
    front: Arc<Front>,
    histories: AtomicUsize,
    requests: AtomicUsize,
    letters_read: AtomicU32,
    /// Mails with a code to reset a password: how many were due, and how many of them did not arrive.
    resets_due: AtomicUsize,
    resets_cut_off: AtomicUsize,
    /// How often what was answered how.
    answered: Mutex<BTreeMap<(String, u16), usize>>,
}

impl Service {
    pub(super) async fn start() -> Self {
        let world = World::start().await;
        let mails = format!("{}/_local/ses", world.server.base_url());
        let limits = Limits {
            identifier: never(),
            device: never(),
            sign_ins_from: never(),
            registrations_from: never(),
            mailed_code: never(),
            mailed_codes_from: never(),
            addresses_mailed_by: never(),
            ..Limits::default()
        };
        let policy = Policy { allow_registration: true, limits, ..Policy::default() };
        let front = front(&world, &mails, policy);
        Self {
            world,
            front: Arc::new(front),
            histories: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            letters_read: AtomicU32::new(0),
            resets_due: AtomicUsize::new(0),
            resets_cut_off: AtomicUsize::new(0),
            answered: Mutex::default(),
        }
    }

    /// What tells the names of this history from those before.
    pub(super) fn history(&self) -> usize {
        self.histories.fetch_add(1, Ordering::Relaxed)
    }

    /// Does one thing in a task of its own.
    pub(super) async fn perform(&self, act: &Act) -> Seen {
        let (method, path, token, body) = self.request(act);
        let id = format!("pool-{}", self.requests.fetch_add(1, Ordering::Relaxed));
        let front = Arc::clone(&self.front);
        let task = tokio::spawn(async move { answer(&front, method, &path, token, body, id).await });
        let seen = task.await.expect("an answer");
        let what = format!("{act:?}").split(' ').next().unwrap_or_default().to_owned();
        *self.answered.lock().expect("not poisoned").entry((what, seen.status)).or_default() += 1;
        seen
    }

    /// What was answered how often, for whoever wants to know what the histories were like.
    pub(super) fn tally(&self) -> String {
        let answered = self.answered.lock().expect("not poisoned");
        answered.iter().map(|((what, status), times)| format!("{times:6} {what} {status}\n")).collect()
    }

    /// How many requests were told to come again, and how many there were.
    pub(super) fn busy(&self) -> (usize, usize) {
        let answered = self.answered.lock().expect("not poisoned");
        let busy = answered.iter().filter(|((_, status), _)| *status == 503).map(|(_, times)| times);
        (busy.sum(), answered.values().sum())
    }

    /// How often something was answered so.
    pub(super) fn times(&self, what: &str, status: u16) -> usize {
        let answered = self.answered.lock().expect("not poisoned");
        answered.get(&(what.to_owned(), status)).copied().unwrap_or_default()
    }

    /// Takes in that a mail with a code to reset a password was due, and whether it arrived.
    pub(super) fn note_reset_mail(&self, arrived: bool) {
        self.resets_due.fetch_add(1, Ordering::Relaxed);
        self.resets_cut_off.fetch_add(usize::from(!arrived), Ordering::Relaxed);
    }

    /// How many of these mails didn't arrive, and how many were due.
    pub(super) fn resets_cut_off(&self) -> (usize, usize) {
        (self.resets_cut_off.load(Ordering::Relaxed), self.resets_due.load(Ordering::Relaxed))
    }

    /// The letters since it was asked last.
    pub(super) fn letters(&self) -> Vec<Letter> {
        let mails = self.world.server.mails();
        let before = self.letters_read.swap(mails.first().map_or(0, |newest| newest.id), Ordering::Relaxed);
        let new = mails.iter().filter(|mail| mail.id > before);
        new.filter_map(|mail| letter(&mail.to[0], &mail.subject)).collect()
    }

    /// Who has these names and addresses.
    pub(super) async fn claims(&self, names: &[String], addresses: &[String]) -> Claims {
        let keys = names.iter().map(|name| (ClaimKind::Name, name.to_ascii_lowercase()));
        let keys: Vec<_> = keys.chain(addresses.iter().map(|address| (ClaimKind::Email, address.clone()))).collect();
        let claims = self.world.server.store().claims(&keys).await.expect("claims").into_iter();
        claims.map(|claim| (claim.key, (claim.account.to_string(), claim.verified))).collect()
    }

    /// The account of an id, as it is stored.
    pub(super) async fn account(&self, id: &str) -> Option<Versioned> {
        let id = id.parse().map(polygate_shared::identity::AccountId).expect("an id");
        self.world.server.store().account(id).await.expect("an answer")
    }

    fn request(&self, act: &Act) -> (Method, String, String, Value) {
        let admin = || self.world.server.admin_token().reveal().to_owned();
        let (post, put) = (Method::POST, Method::PUT);
        let user = |id: &str| format!("/kite/api/v1/admin/users/{id}");
        let (method, path, token, body) = match act {
            Act::SignIn { name, password, .. } => {
                let body = json!({"account": name, "password": password});
                (post, "/sproutgate/api/auth/login", String::new(), body)
            }
            Act::Register { name, email, password, .. } => {
                let body = json!({"username": name, "email": email, "password": password});
                (post, "/kite/api/v1/auth/register", String::new(), body)
            }
            Act::AskToRegister { name, email, password, .. } => {
                let body = json!({"account": name, "email": email, "password": password, "username": ""});
                (post, "/sproutgate/api/auth/register", String::new(), body)
            }
            Act::ProveRegistration { name, code } => {
                let body = json!({"account": name, "code": code});
                (post, "/sproutgate/api/auth/verify-email", String::new(), body)
            }
            Act::AskForAddress { token, email, place, .. } => match place {
                Kind::Primary => {
                    (post, "/kite/api/v1/auth/email-change/request", token.clone(), json!({"new_email": email}))
                }
                Kind::Register | Kind::Reset | Kind::Further => {
                    (post, "/kite/api/v1/emails", token.clone(), json!({"email": email}))
                }
            },
            Act::ProveAddress { token, email, place, code, .. } => match place {
                Kind::Primary => {
                    let body = json!({"new_email": email, "code": code});
                    (post, "/kite/api/v1/auth/email-change/confirm", token.clone(), body)
                }
                Kind::Register | Kind::Reset | Kind::Further => {
                    (post, "/kite/api/v1/emails/verify", token.clone(), json!({"email": email, "code": code}))
                }
            },
            Act::ChangeAddress { token, email, .. } => {
                (put, "/kite/api/v1/profile", token.clone(), json!({"email": email}))
            }
            Act::Promote { token, email, .. } => {
                (post, "/kite/api/v1/emails/promote", token.clone(), json!({"email": email}))
            }
            Act::Remove { token, email, .. } => {
                (post, "/kite/api/v1/emails/remove", token.clone(), json!({"email": email}))
            }
            Act::Forget { identifier } => {
                let body = json!({"identifier": identifier});
                (post, "/kite/api/v1/auth/password-reset/request", String::new(), body)
            }
            Act::Reset { identifier, code, password } => {
                let body = json!({"identifier": identifier, "code": code, "new_password": password});
                (post, "/kite/api/v1/auth/password-reset/confirm", String::new(), body)
            }
            Act::Rename { id, name, .. } => return (put, user(id), admin(), json!({"username": name})),
            Act::SetAddress { id, email, .. } => {
                return (put, user(id), admin(), json!({"email": email.as_deref().unwrap_or("")}));
            }
            Act::Activate { id, active, .. } => return (put, user(id), admin(), json!({"is_active": active})),
            Act::Delete { name } => {
                return (Method::DELETE, format!("/sproutgate/api/admin/users/{name}"), admin(), json!({}));
            }
        };
        (method, path.to_owned(), token, body)
    }
}

/// Notices of what happened to an account are no such letters.
fn letter(to: &str, subject: &str) -> Option<Letter> {
    let kinds = [
        ("Your registration code: ", Some(Kind::Register)),
        ("Your password reset code: ", Some(Kind::Reset)),
        ("Your code to add this address: ", Some(Kind::Further)),
        ("Your code to change your address: ", Some(Kind::Primary)),
        ("You already have an account", None),
        ("Your address stays with your account", None),
    ];
    let of = |(words, kind): &(&str, Option<Kind>)| {
        let code = subject.strip_prefix(words)?.to_owned();
        Some(Letter { to: to.to_owned(), kind: *kind, code })
    };
    kinds.iter().find_map(of)
}

async fn answer(front: &Front, method: Method, path: &str, token: String, body: Value, id: String) -> Seen {
    let request = Request::builder().method(method).uri(path);
    let mut request = request.header("content-type", "application/json").header("accept-language", "en");
    if !token.is_empty() {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let mut request = request.body(Body::from(body.to_string())).expect("a request");
    let arrival = Arrival { source: "203.0.113.7".to_owned(), request_id: id, ..Arrival::default() };
    request.extensions_mut().insert(arrival);
    let (parts, body) = front.answer(request).await.into_parts();
    let bytes = axum::body::to_bytes(body, 1_000_000).await.expect("a body");
    Seen { status: parts.status.as_u16(), body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}
