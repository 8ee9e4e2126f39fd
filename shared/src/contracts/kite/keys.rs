//! `GET /api/v1/admin/keys`, `POST /api/v1/admin/keys/rotate`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admin::By;
use super::{Told, success};
use crate::contracts::{ToRead, rfc3339};
use crate::http::{App, Checks, Field, Json, Listing, about};
use crate::identity::{KeyState, KeyStatus, Kind};

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .get("/api/v1/admin/keys", list, about("The keys that access tokens are signed with").beyond_the_document())
        .post(
            "/api/v1/admin/keys/rotate",
            rotate,
            about("Have another key take over; at_once also has all earlier ones refused").beyond_the_document(),
        )
}

#[derive(Serialize, JsonSchema)]
struct KeysShown {
    items: Vec<KeyShown>,
}

#[derive(Serialize, JsonSchema)]
struct KeyShown {
    /// The key's id, as the key set and the tokens have it.
    kid: String,
    algorithm: &'static str,
    state: StateName,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    /// From when on it signs.
    #[schemars(extend("format" = "date-time"))]
    signs_from: String,
    /// When what it signed is refused; null while no other key is to take over.
    #[schemars(extend("format" = "date-time"))]
    retires_at: Option<String>,
}

/// Published and not yet signing; signing; taken over from, what it signed still being good.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum StateName {
    Waiting,
    Signing,
    Verifying,
}

impl KeyShown {
    fn of(key: &KeyStatus) -> Self {
        Self {
            kid: key.public.kid.clone(),
            algorithm: key.public.alg,
            state: match key.state {
                KeyState::Waiting => StateName::Waiting,
                KeyState::Signing => StateName::Signing,
                KeyState::Verifying => StateName::Verifying,
            },
            created_at: rfc3339(key.created_at),
            signs_from: rfc3339(key.signs_from),
            retires_at: key.retires_at.map(rfc3339),
        }
    }
}

fn shown(keys: &[KeyStatus]) -> Told<KeysShown> {
    success(KeysShown { items: keys.iter().map(KeyShown::of).collect() })
}

async fn list(State(app): State<App>, _: By<ToRead>) -> Told<KeysShown> {
    shown(&app.identity.list_keys().await?)
}

#[derive(Deserialize, JsonSchema)]
struct RotateRequest {
    /// For a key that somebody else may have: every access token so far is refused. Else the next key signs in three hours,
    /// when every verifier knows it.
    #[serde(default)]
    at_once: Field<bool>,
}

async fn rotate(State(app): State<App>, By(by, _): By, Json(body): Json<RotateRequest>) -> Told<KeysShown> {
    let mut checks = Checks::new();
    let at_once = checks.optional("at_once", body.at_once, Kind::Boolean).unwrap_or(false);
    checks.finish()?;
    shown(&app.identity.rotate_keys(&by, at_once).await?)
}
