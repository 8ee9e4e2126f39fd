//! What administrators set while the service runs, in place of what the deployment was started with.

use serde::{Deserialize, Serialize};

use super::audit::{Action, Origin};
use super::context::{MOST_ATTEMPTS, contended};
use super::{Administrator, Change, DEFAULT_STORAGE_LIMIT, Identity, Result};

/// The settings that can be changed at run time; what is `None` was never set, and is as the deployment has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeSettings {
    /// Whether anybody may make an account.
    pub allow_registration: Option<bool>,
    /// Bytes that a new account may store; -1 is unlimited.
    pub default_storage_limit: Option<i64>,
    /// Counts the writes; 0 before the first.
    pub version: u64,
}

/// What an administrator sets: the outer `None` leaves a setting as it is, the inner one makes it the deployment's own.
#[derive(Debug, Clone, Default)]
pub struct SettingsChanges {
    /// Whether anybody may make an account.
    pub allow_registration: Option<Option<bool>>,
    /// Bytes that a new account may store; -1 is unlimited.
    pub default_storage_limit: Option<Option<i64>>,
}

impl RuntimeSettings {
    /// Bytes that a new account may store.
    pub fn storage_limit(&self) -> i64 {
        self.default_storage_limit.unwrap_or(DEFAULT_STORAGE_LIMIT)
    }

    /// What differs, by name.
    fn names_of_changed(&self, other: &Self) -> String {
        let Self { allow_registration, default_storage_limit, version: _ } = self;
        let differing = [
            ("allow_registration", *allow_registration != other.allow_registration),
            ("default_storage_limit", *default_storage_limit != other.default_storage_limit),
        ];
        let names: Vec<_> = differing.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect();
        names.join(", ")
    }

    fn changed(&self, changes: &SettingsChanges) -> Self {
        Self {
            allow_registration: changes.allow_registration.unwrap_or(self.allow_registration),
            default_storage_limit: changes.default_storage_limit.unwrap_or(self.default_storage_limit),
            version: self.version,
        }
    }
}

impl Identity {
    /// What is set.
    pub async fn runtime_settings(&self) -> Result<RuntimeSettings> {
        self.store.runtime_settings().await
    }

    /// Whether anybody may make an account, these settings given.
    pub fn allows_registration(&self, settings: &RuntimeSettings) -> bool {
        settings.allow_registration.unwrap_or(self.policy.allow_registration)
    }

    /// Changes what is given and leaves the rest, also what another administrator sets in the same instant.
    pub async fn change_settings(&self, by: &Administrator, changes: &SettingsChanges) -> Result<RuntimeSettings> {
        for attempt in 0..MOST_ATTEMPTS {
            let read = self.store.runtime_settings().await?;
            let wanted = read.changed(changes);
            if wanted == read {
                return Ok(read);
            }
            let settings = RuntimeSettings { version: read.version + 1, ..wanted };
            let mut changes = vec![Change::ChangeSettings { settings: &settings, was: read.version }];
            let changed = (Action::SettingsChanged, read.names_of_changed(&settings));
            changes.extend(self.record(&Origin::from(by), None, [changed])?);
            if self.commit(&changes).await? {
                return Ok(settings);
            }
            self.step_aside(attempt).await?;
            self.check_still_administers(by).await?;
        }
        Err(contended())
    }
}
