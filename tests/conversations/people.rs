//! People as tests about something else need them, in a step each.

use std::time::Duration;

use polygate_shared::identity::Clock;
use serde_json::json;
use time::OffsetDateTime;
use totp_rs::{Builder, Secret, Totp};

use crate::support::World;

impl World {
    /// The token of the first administrator, called `boss`, once it has chosen its password.
    pub(crate) async fn boss(&mut self) -> String {
        let token = self.sign_in("admin", "admin").await;
        let reset = json!({"username": "boss", "email": "boss@example.com", "password": "strong-new-password"});
        let answer = self.post("/api/v1/auth/first-login-reset", reset).bearer(&token).quietly().await;
        answer.text("/data/access_token")
    }

    /// An API token of whoever signed in.
    pub(crate) async fn api_token(&mut self, session: &str) -> String {
        let made = self.post("/api/v1/tokens", json!({"name": "backup"})).bearer(session).quietly().await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.text("/data/token")
    }

    /// Adds a further address to an account, proved by the code mailed there.
    pub(crate) async fn add_email(&mut self, session: &str, email: &str) {
        let asked = json!({"email": email});
        self.post("/sproutgate/api/auth/secondary-email/request", asked).bearer(session).quietly().await;
        let proof = json!({"email": email, "code": self.code_for(email)});
        let answer = self.post("/sproutgate/api/auth/secondary-email/verify", proof).bearer(session).quietly().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
}

/// What computes a person's codes from the secret that the service told.
pub(crate) struct Authenticator(Totp);

impl Authenticator {
    pub(crate) fn of(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).expect("base32");
        Self(Builder::new().with_secret(secret).build().expect("a secret of 160 bits"))
    }

    /// The code of an instant.
    pub(crate) fn code_at(&self, instant: OffsetDateTime) -> String {
        self.0.generate(u64::try_from(instant.unix_timestamp()).expect("a time")).to_string()
    }

    /// The code of the next time step: none of it was taken yet.
    pub(crate) fn next_code(&self, world: &World) -> String {
        world.clock.advance(Duration::from_secs(30));
        self.code_at(world.clock.now())
    }
}

impl World {
    /// Gives whoever signed in a second factor; its authenticator and its recovery codes.
    pub(crate) async fn add_second_factor(&mut self, session: &str) -> (Authenticator, Vec<String>) {
        let prepared = self.post("/api/v1/auth/2fa/setup", json!({})).bearer(session).quietly().await;
        let authenticator = Authenticator::of(&prepared.text("/data/secret"));
        let code = authenticator.next_code(self);
        let on = self.post("/api/v1/auth/2fa/enable", json!({"code": code})).bearer(session).quietly().await;
        assert_eq!(on.status, 200, "{}", on.body);
        let codes = serde_json::from_value(on.json()["data"]["recovery_codes"].clone()).expect("codes");
        (authenticator, codes)
    }
}
