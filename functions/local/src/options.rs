//! How a development server is to be started.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use polygate_shared::identity::{Clock, SystemClock};
use polygate_shared::log::Log;

/// The settings that the development server takes from its environment, as a deployed function does. Where the
/// table is is its own affair; another mail service may be named in place of the mailbox.
pub const SETTINGS: [&str; 20] = [
    "ROOT_CONTRACT",
    "CONTRACT_HOSTS",
    "ALLOW_REGISTRATION",
    "PASSWORD_POLICY",
    "HASH_COST",
    "REQUIRE_SECOND_FACTOR",
    "SIGNING_ALGORITHM",
    "KEY_MAX_AGE_DAYS",
    "ALLOWED_ORIGINS",
    "TIME_ZONE",
    "ISSUER",
    "MAIL_FROM",
    "MAIL_TEMPLATES",
    "BRAND_NAME",
    "BRAND_COLOR",
    "SUPPORT_EMAIL",
    "SUPPORT_URL",
    "MAIL_REPLY_TO",
    "MAIL_CONFIGURATION_SET",
    "AWS_ENDPOINT_URL_SES",
];

/// Where the data is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataDir {
    /// Nowhere: all is forgotten when the server stops.
    Memory,
    /// Accounts nowhere, the administrator token and `lambda.env` in this directory.
    MemoryBeside(PathBuf),
    /// In this directory.
    Folder(PathBuf),
}

/// How to start a server. The default is what a test wants: any free port, nothing kept.
#[derive(Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub port: u16,
    /// Where the data is kept.
    pub data: DataDir,
    /// Tells the time to everything but the store engine.
    pub clock: Arc<dyn Clock>,
    /// Settings by the name of their environment variable, see [`SETTINGS`].
    pub settings: BTreeMap<String, String>,
    /// How long the mail service may take over one mail.
    pub mail_time_out: Duration,
    /// Where the line of each request goes.
    pub log: Arc<Log>,
    /// What the server takes on at a time.
    pub bounds: Bounds,
}

/// How much the server takes on at a time; beyond it a request is refused at once, so that those that are under way are
/// answered in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Requests under way. Four times as many connections are kept.
    pub requests: usize,
    /// How long one request may take, its body included.
    pub request_time: Duration,
    /// How long a connection may be silent between requests, and take over the head of one.
    pub idle_time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { requests: MOST_REQUESTS.into(), request_time: LONGEST_REQUEST, idle_time: LONGEST_IDLE }
    }
}

/// So many that some wait for a processor, and so few that the last of them is answered within a second or so.
pub(crate) const MOST_REQUESTS: u16 = 64;
/// As long as API Gateway waits.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);
const LONGEST_IDLE: Duration = Duration::from_secs(15);

/// This machine may be busy with something else, such as a build.
const MAIL_TIME_OUT: Duration = Duration::from_secs(20);

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            data: DataDir::Memory,
            clock: Arc::new(SystemClock),
            settings: BTreeMap::new(),
            mail_time_out: MAIL_TIME_OUT,
            log: Arc::new(Log::readable()),
            bounds: Bounds::default(),
        }
    }
}

impl Options {
    /// The same with one setting more.
    #[must_use]
    pub fn with(mut self, setting: &str, value: &str) -> Self {
        self.settings.insert(setting.to_owned(), value.to_owned());
        self
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("port", &self.port)
            .field("data", &self.data)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
