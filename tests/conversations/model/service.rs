//! The service that the model is compared with: handlers, core and store engine of the real one, its time in our hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::{Method, Request};
use polygate_shared::http::{Arrival, Front};
use polygate_shared::identity::{Limits, Policy, SigningPolicy};
use serde_json::{Value, json};

use super::steps::Contract;
use crate::histories::{front, never};
use crate::support::World;

/// Something that is asked of the service, with all that it takes.
#[derive(Debug, Clone)]
pub(super) enum Act {
    SignIn { through: Contract, password: String },
    Refresh { token: String },
    LogOut { access: String, through: Contract },
    ChangePassword { access: String, through: Contract, old: String, new: String },
    SetPassword { new: String },
    EndSession { access: String, id: String },
    EndOtherSessions { access: String },
    Look { access: String, through: Contract },
    RotateKeys { at_once: bool },
    ListKeys,
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

pub(super) struct Service {
    pub(super) world: World,
    front: Arc<Front>,
    accounts: AtomicUsize,
}

impl Service {
    pub(super) async fn start() -> Self {
        let world = World::start().await;
        let limits = Limits {
            identifier: never(),
            device: never(),
            sign_ins_from: never(),
            registrations_from: never(),
            current_password: never(),
            ..Limits::default()
        };
        let policy = Policy {
            allow_registration: true,
            // Keys hand on when a step says so.
            signing: SigningPolicy { max_age: None, ..SigningPolicy::default() },
            limits,
            ..Policy::default()
        };
        let front = front(&world, "http://127.0.0.1:1", policy);
        Self { world, front: Arc::new(front), accounts: AtomicUsize::new(0) }
    }

    /// Makes an account; its name.
    pub(super) async fn register(&self, password: &str) -> String {
        let name = format!("person{}", self.accounts.fetch_add(1, Ordering::Relaxed));
        let body = json!({"username": name, "email": format!("{name}@example.com"), "password": password});
        let seen = answer(&self.front, Method::POST, "/kite/api/v1/auth/register", None, body).await;
        assert_eq!(seen.status, 201, "{}", seen.body);
        name
    }

    /// Does one thing for the account of this name, in a task of its own.
    pub(super) async fn perform(&self, name: &str, act: &Act) -> Seen {
        let (method, path, token, body) = self.request(name, act);
        let front = Arc::clone(&self.front);
        let task = tokio::spawn(async move { answer(&front, method, &path, token.as_deref(), body).await });
        task.await.expect("an answer")
    }

    fn request(&self, name: &str, act: &Act) -> (Method, String, Option<String>, Value) {
        let admin = || Some(self.world.server.admin_token().reveal().to_owned());
        let (method, path, token, body) = match act {
            Act::SignIn { through, password } => {
                let path = match through {
                    Contract::Kite => "/kite/api/v1/auth/login",
                    Contract::Zeaya => "/zeaya/api/auth/login",
                    Contract::Sproutgate => "/sproutgate/api/auth/login",
                    Contract::Mcphub => "/mcphub/api/auth/login",
                };
                (Method::POST, path, None, json!({"username": name, "account": name, "password": password}))
            }
            Act::Refresh { token } => {
                (Method::POST, "/kite/api/v1/auth/refresh", None, json!({"refresh_token": token}))
            }
            Act::LogOut { access, through } => {
                let path = match through {
                    Contract::Zeaya | Contract::Mcphub => "/zeaya/api/auth/logout",
                    Contract::Kite | Contract::Sproutgate => "/kite/api/v1/auth/logout",
                };
                (Method::POST, path, Some(access.clone()), json!({}))
            }
            Act::ChangePassword { access, through, old, new } => {
                let (method, path, body) = match through {
                    Contract::Kite => (
                        Method::POST,
                        "/kite/api/v1/auth/change-password",
                        json!({"old_password": old, "new_password": new}),
                    ),
                    Contract::Zeaya => {
                        (Method::PUT, "/zeaya/api/auth/password", json!({"old_password": old, "new_password": new}))
                    }
                    Contract::Sproutgate => (Method::PUT, "/sproutgate/api/auth/profile", json!({"password": new})),
                    Contract::Mcphub => (
                        Method::POST,
                        "/mcphub/api/auth/change-password",
                        json!({"currentPassword": old, "newPassword": new}),
                    ),
                };
                (method, path, Some(access.clone()), body)
            }
            Act::SetPassword { new } => {
                let path = format!("/sproutgate/api/admin/users/{name}");
                return (Method::PUT, path, admin(), json!({"password": new}));
            }
            Act::EndSession { access, id } => {
                return (Method::DELETE, format!("/kite/api/v1/sessions/{id}"), Some(access.clone()), json!({}));
            }
            Act::EndOtherSessions { access } => {
                (Method::DELETE, "/kite/api/v1/sessions", Some(access.clone()), json!({}))
            }
            Act::Look { access, through } => {
                let path = match through {
                    Contract::Kite => "/kite/api/v1/profile",
                    Contract::Zeaya => "/zeaya/api/auth/user",
                    Contract::Sproutgate => "/sproutgate/api/auth/me",
                    Contract::Mcphub => "/mcphub/api/auth/user",
                };
                (Method::GET, path, Some(access.clone()), Value::Null)
            }
            Act::ListKeys => (Method::GET, "/kite/api/v1/admin/keys", admin(), Value::Null),
            Act::RotateKeys { at_once } => {
                (Method::POST, "/kite/api/v1/admin/keys/rotate", admin(), json!({"at_once": at_once}))
            }
        };
        (method, path.to_owned(), token, body)
    }
}

async fn answer(front: &Front, method: Method, path: &str, token: Option<&str>, body: Value) -> Seen {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let mut request = request.body(body).expect("a request");
    let arrival = Arrival { source: "203.0.113.7".to_owned(), request_id: "model".to_owned(), ..Arrival::default() };
    request.extensions_mut().insert(arrival);
    let (parts, body) = front.answer(request).await.into_parts();
    let bytes = axum::body::to_bytes(body, 1_000_000).await.expect("a body");
    Seen { status: parts.status.as_u16(), body: serde_json::from_slice(&bytes).unwrap_or(Value::Null) }
}
