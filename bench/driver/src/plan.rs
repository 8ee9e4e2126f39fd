//! What to ask of whom: the plan that the bench writes for each service.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::Deserialize;

use crate::template::Template;

/// A closed loop over one service.
#[derive(Debug, Deserialize)]
pub(crate) struct Plan {
    /// Where the service is.
    pub(crate) address: SocketAddr,
    /// How many ask at a time, each over a connection and from a loopback address of its own.
    pub(crate) workers: u8,
    /// What each worker does once, before: operations by name.
    pub(crate) prepare: Vec<String>,
    /// What they do in the loop, and how often among all.
    pub(crate) mix: BTreeMap<String, u32>,
    /// How long they do it unmeasured.
    pub(crate) warm_seconds: f64,
    /// How long they do it.
    pub(crate) seconds: f64,
    /// What they know from the start.
    #[serde(default)]
    pub(crate) values: BTreeMap<String, String>,
    /// What can be done: requests one after the other.
    pub(crate) operations: BTreeMap<String, Vec<Step>>,
}

/// A request, and what is taken from its answer.
#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    pub(crate) method: String,
    pub(crate) path: Template,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, Template>,
    #[serde(default)]
    pub(crate) body: Option<Template>,
    /// The only status that is right.
    pub(crate) expect: u16,
    /// Values to be known from then on.
    #[serde(default)]
    pub(crate) take: BTreeMap<String, Take>,
    /// Whether the cookies that it sets are kept: as `%{cookies}`.
    #[serde(default)]
    pub(crate) keep_cookies: bool,
}

/// Where a value is in an answer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Take {
    /// A pointer into the JSON of its body.
    Body(String),
    /// A parameter in the address that it sends on to.
    Location(String),
}
