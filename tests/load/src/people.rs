//! The people whose accounts are made beforehand, and what the server has acknowledged to each of them.

use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError, RwLock};

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::client::{Ask, Contract, Source};

/// How many households there are: people of one have their source address in common.
const HOUSEHOLDS: u8 = 64;

/// One person, with a session that lasts.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) source: Source,
    /// Changed by one request at a time.
    pub(crate) state: tokio::sync::Mutex<State>,
    access: RwLock<String>,
}

/// What a person knows of the account.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) password: String,
    /// Another one that may be the password now: whether it was changed was not told.
    pub(crate) or_password: Option<String>,
    pub(crate) refresh: String,
    /// Whether the server may have taken the refresh token without the answer having arrived.
    pub(crate) refresh_in_doubt: bool,
    /// What the profile says, and what it may say after changes of which no outcome was told.
    pub(crate) nicknames: Vec<String>,
    /// Tokens of other sessions, which may be ended.
    pub(crate) others: Vec<String>,
    /// Tokens of sessions that were ended.
    pub(crate) ended: Vec<String>,
}

/// Their sources.
pub(crate) fn households(base: &str) -> Vec<Source> {
    (1..=HOUSEHOLDS).map(|last| Source::at(base, Ipv4Addr::new(127, 0, 1, last))).collect()
}

impl Person {
    /// Registers and signs in, both through kite.
    pub(crate) async fn make(households: &[Source], number: u16) -> anyhow::Result<Self> {
        let source = households[usize::from(number) % households.len()].clone();
        let (name, password) = (format!("person{number}"), format!("first-password-{number}"));
        let email = format!("{name}@example.com");
        let body = json!({"username": name, "email": email, "password": password});
        let registered = source.ask_patiently(&Ask::post(Contract::Kite, "/api/v1/auth/register", body)).await;
        if !registered.is_done() {
            bail!("{name} can't register: {} {}", registered.status, registered.body);
        }
        let state = State { password, nicknames: vec![name.clone()], ..State::default() };
        let (state, access) = (tokio::sync::Mutex::new(state), RwLock::default());
        let person = Self { name, source, state, access };
        let mut state = person.state.lock().await;
        let said = person.source.ask_patiently(&person.sign_in(Contract::Kite, &state.password)).await;
        state.refresh = said.text("/data/refresh_token").with_context(|| format!("no session: {}", said.body))?;
        person.set_access(said.text("/data/access_token").unwrap_or_default());
        drop(state);
        Ok(person)
    }

    pub(crate) fn sign_in(&self, contract: Contract, password: &str) -> Ask {
        let path = if contract == Contract::Kite { "/api/v1/auth/login" } else { "/api/auth/login" };
        let name = if contract == Contract::Sproutgate { "account" } else { "username" };
        Ask::post(contract, path, json!({name: self.name, "password": password}))
    }

    /// The access token of the session that lasts.
    pub(crate) fn access(&self) -> String {
        self.access.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_access(&self, token: String) {
        *self.access.write().unwrap_or_else(PoisonError::into_inner) = token;
    }
}

/// The accounts that were made under load and acknowledged.
#[derive(Default)]
pub(crate) struct Newcomers(Mutex<Vec<Newcomer>>);

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Newcomer {
    pub(crate) name: String,
    pub(crate) password: String,
}

impl Newcomers {
    pub(crate) fn add(&self, name: String, password: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Newcomer { name, password });
    }

    pub(crate) fn all(&self) -> Vec<Newcomer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
