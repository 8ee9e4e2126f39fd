//! `GET|PUT /api/v1/admin/settings`.

use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admin::By;
use super::{Told, success};
use crate::contracts::{LARGEST, ToRead};
use crate::http::{App, Checks, Json, Listing, Nullable, about};
use crate::identity::{Kind, RuntimeSettings, SettingsChanges};

pub(in crate::contracts) fn routes<L: Listing>() -> L {
    L::new()
        .get("/api/v1/admin/settings", show, about("What holds now, and what of it was set").beyond_the_document())
        .put(
            "/api/v1/admin/settings",
            change,
            about("Set what is sent; null goes back to the deployment's own").beyond_the_document(),
        )
}

#[derive(Serialize, JsonSchema)]
struct SettingsBody {
    /// Whether anybody may make an account, in all contracts.
    allow_registration: bool,
    /// Bytes that a new account may store; -1 is unlimited.
    default_storage_limit: i64,
    set: SetBody,
}

/// What administrators have set; null is the deployment's own.
#[derive(Serialize, JsonSchema)]
struct SetBody {
    allow_registration: Option<bool>,
    default_storage_limit: Option<i64>,
}

impl SettingsBody {
    fn of(settings: &RuntimeSettings, app: &App) -> Self {
        Self {
            allow_registration: app.identity.allows_registration(settings),
            default_storage_limit: settings.storage_limit(),
            set: SetBody {
                allow_registration: settings.allow_registration,
                default_storage_limit: settings.default_storage_limit,
            },
        }
    }
}

async fn show(State(app): State<App>, _: By<ToRead>) -> Told<SettingsBody> {
    let settings = app.identity.runtime_settings().await?;
    success(SettingsBody::of(&settings, &app))
}

#[derive(Deserialize, JsonSchema)]
struct SettingsRequest {
    #[serde(default)]
    allow_registration: Nullable<bool>,
    /// Bytes; -1 is unlimited. Accounts that exist keep theirs.
    #[serde(default)]
    #[schemars(range(min = -1, max = LARGEST))]
    default_storage_limit: Nullable<i64>,
}

async fn change(State(app): State<App>, By(by, _): By, Json(body): Json<SettingsRequest>) -> Told<SettingsBody> {
    let mut checks = Checks::new();
    let changes = SettingsChanges {
        allow_registration: checks.nullable(body.allow_registration, |checks, given| {
            checks.optional("allow_registration", given, Kind::Boolean)
        }),
        default_storage_limit: checks.nullable(body.default_storage_limit, |checks, given| {
            checks.optional_number("default_storage_limit", given, &(-1..=LARGEST))
        }),
    };
    checks.finish()?;
    let settings = app.identity.change_settings(&by, &changes).await?;
    success(SettingsBody::of(&settings, &app))
}
