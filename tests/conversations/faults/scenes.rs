//! One scene for each endpoint: what there is before, the request, and how to see that it did what it should.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::proof::{Holds, Proof};
use super::stage::Request;
use crate::support::World;

/// A request to be played, in the world that was made for it.
pub(super) struct Play {
    pub(super) request: Request,
    /// How a repetition is refused where the act took place although its answer was lost for good: then the proofs show
    /// that it did.
    pub(super) done: &'static [u16],
    /// In their order: what was done, and what then must be refused.
    pub(super) proofs: Vec<Proof>,
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
        Self { request, done: &[], proofs: Vec::new(), secrets, cold: false, silent: None }
    }

    pub(super) fn or_done(self, done: &'static [u16]) -> Self {
        Self { done, ..self }
    }

    /// Shown by a request whose answer is fine and has a field that holds this.
    pub(super) fn shown_by(self, proof: Request, field: &'static str, holds: Holds) -> Self {
        self.proved(Proof::shows(proof, 200, field, holds))
    }

    /// Shown by a sign-in.
    pub(super) fn lets_in(self, name: &str, password: &str) -> Self {
        self.shown_by(login(name, password), "/data/access_token", Holds::Text)
    }

    /// Shown by a sign-in that is refused.
    pub(super) fn keeps_out(self, name: &str, password: &str) -> Self {
        self.proved(Proof::shows(login(name, password), 401, "/code", Holds::Exactly(json!(40100))))
    }

    /// Shown by the account's profile, which a session of it reads.
    pub(super) fn seen_in_profile(self, session: &str, field: &'static str, value: impl Into<Value>) -> Self {
        self.shown_by(get(PROFILE).bearer(session), field, Holds::Exactly(value.into()))
    }

    /// Shown by a session that is over.
    pub(super) fn ends(self, session: &str) -> Self {
        self.proved(Proof::shows(get(PROFILE).bearer(session), 401, "/data", Holds::Exactly(Value::Null)))
    }

    /// Shown by a session that the answer's token opens.
    pub(super) fn opens(self, token: &'static str) -> Self {
        let profile = |token: &str| get(PROFILE).bearer(token);
        self.proved(Proof::with_told(token, profile, (200, "/data/username", Holds::Text)))
    }

    pub(super) fn proved(mut self, proof: Proof) -> Self {
        self.proofs.push(proof);
        self
    }

    /// Must be refused then, as it uses what was used: the same code for something else.
    pub(super) fn but_not(self, spent: Request) -> Self {
        self.proved(Proof::refuses(move |_| spent.clone()))
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

/// What a session shows of its account.
pub(super) const PROFILE: &str = "/kite/api/v1/profile";

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

/// The further scenes of endpoints that have more than one: contract, method, path, and what is different.
pub(super) const VARIATIONS: [(&str, &str, &str, &str); 2] = [
    ("kite", "POST", "/api/v1/auth/login", " with a code"),
    ("kite", "POST", "/api/v1/auth/2fa/verify", " by a recovery code"),
];

/// The scene of an endpoint.
pub(super) async fn scene(world: &mut World, contract: &str, method: &str, path: &str, variation: &str) -> Play {
    let act = format!("{method} {path}{variation}");
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
    let play = found.unwrap_or_else(|| panic!("{contract} {act}: an endpoint without a scene"));
    // Whether it was done must be visible also where a repetition was refused as done already.
    let shown = play.proofs.iter().any(|proof| proof.is_of_effect() && (proof.always || play.done.is_empty()));
    assert!(shown || method == "GET", "{contract} {act}: a scene that may write, and nothing shows that it did");
    play
}
