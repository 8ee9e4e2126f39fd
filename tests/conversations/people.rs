//! People as tests about something else need them, in a step each.

use serde_json::json;

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
