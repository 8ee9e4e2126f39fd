//! One scene for each endpoint: what there is before, the request, and how to see that it did what it should.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::stage::Request;
use crate::support::World;

/// A request whose answer must be fine, put together when it is asked: it may take a code that was mailed meanwhile.
pub(super) type Proof = Box<dyn Fn(&World) -> Request + Send + Sync>;

/// A request to be played, in the world that was made for it.
pub(super) struct Play {
    pub(super) request: Request,
    /// How a repetition is refused where the act took place although its answer was lost for good: then the proofs show
    /// that it did.
    pub(super) done: &'static [u16],
    pub(super) proofs: Vec<Proof>,
    /// What has to be refused once it is done: the same code for something else.
    pub(super) spent: Option<Request>,
    pub(super) secrets: BTreeSet<String>,
    /// In a process whose start failed.
    pub(super) cold: bool,
    /// Where it is answered alike, and after the same time, whether or not it came about, so that who waits in vain asks
    /// again: the last call that it makes.
    pub(super) silent: Option<&'static str>,
}

impl Play {
    pub(super) fn of(request: Request) -> Self {
        let secrets = BTreeSet::from([PASSWORD.to_owned(), NEW_PASSWORD.to_owned()]);
        Self { request, done: &[], proofs: Vec::new(), spent: None, secrets, cold: false, silent: None }
    }

    pub(super) fn or_done(self, done: &'static [u16]) -> Self {
        Self { done, ..self }
    }

    pub(super) fn shown_by(mut self, proof: Request) -> Self {
        self.proofs.push(Box::new(move |_| proof.clone()));
        self
    }

    pub(super) fn proved(mut self, proof: impl Fn(&World) -> Request + Send + Sync + 'static) -> Self {
        self.proofs.push(Box::new(proof));
        self
    }

    pub(super) fn but_not(self, spent: Request) -> Self {
        Self { spent: Some(spent), ..self }
    }

    pub(super) fn cold(self) -> Self {
        Self { cold: true, ..self }
    }

    pub(super) fn silent(self, last_call: &'static str) -> Self {
        Self { silent: Some(last_call), ..self }
    }
}

pub(super) const PASSWORD: &str = "secret-password-1";
pub(super) const NEW_PASSWORD: &str = "another-password-2";

pub(super) fn get(path: impl Into<String>) -> Request {
    Request::new("GET", path)
}

pub(super) fn post(path: impl Into<String>, body: Value) -> Request {
    Request::new("POST", path).json(body)
}

pub(super) fn put(path: impl Into<String>, body: Value) -> Request {
    Request::new("PUT", path).json(body)
}

pub(super) fn delete(path: impl Into<String>) -> Request {
    Request::new("DELETE", path)
}

/// A sign-in, as proof of a name and its password.
pub(super) fn login(name: &str, password: &str) -> Request {
    post("/kite/api/v1/auth/login", json!({"username": name, "password": password}))
}

/// Alice, whose address is proved, signed in.
pub(super) async fn alice(world: &mut World) -> String {
    let registration = json!({"account": "alice", "password": PASSWORD, "username": "", "email": "alice@example.com"});
    world.post("/sproutgate/api/auth/register", registration).quietly().await.has(200);
    let proof = json!({"account": "alice", "code": world.code_for("alice@example.com")});
    world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.has(200);
    // Mails about her are none that she would be told soon after registering, and none that would have to wait.
    world.clock.advance(std::time::Duration::from_secs(3600));
    world.sign_in("alice", PASSWORD).await
}

/// The scene of an endpoint.
pub(super) async fn scene(world: &mut World, contract: &str, method: &str, path: &str) -> Play {
    let act = format!("{method} {path}");
    let found = match contract {
        "kite" if path.contains("/admin/") => super::scenes_admin::kite(world, &act).await,
        "kite" => match super::scenes_kite::public(world, &act).await {
            None => super::scenes_kite::own(world, &act).await,
            found => found,
        },
        "sproutgate" if path.contains("/admin/") => super::scenes_admin::sproutgate(world, &act).await,
        "zeaya" => super::scenes_others::zeaya(world, &act).await,
        "sproutgate" => super::scenes_others::sproutgate(world, &act).await,
        "mcphub" => super::scenes_others::mcphub(world, &act).await,
        other => panic!("{other} is no contract"),
    };
    found.unwrap_or_else(|| panic!("{contract} {act}: an endpoint without a scene"))
}
