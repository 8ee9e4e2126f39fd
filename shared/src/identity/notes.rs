//! What a request turns out to be while it is answered, for the log: whose it is, and whether somebody tries to sign in.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::hmac;

use super::admission::network;
use super::{AccountId, Identity};

/// Notes of one request. Clones share what is noted.
#[derive(Debug, Clone, Default)]
pub struct Notes(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    account: Option<AccountId>,
    signing_in: bool,
}

impl Notes {
    /// The account that acts; else one that was made, or that somebody tries to sign in to.
    pub fn account(&self) -> Option<AccountId> {
        self.lock().account
    }

    /// Whether it is an attempt to sign in.
    pub fn is_sign_in(&self) -> bool {
        self.lock().signing_in
    }

    /// The first that is noted stays: who acts is found out before whom it is done to.
    pub(super) fn of_account(&self, account: AccountId) {
        self.lock().account.get_or_insert(account);
    }

    pub(super) fn of_sign_in(&self) {
        self.lock().signing_in = true;
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Identity {
    /// What stands in the log for the network that a request came from, 16 characters: equal for equal networks of one
    /// deployment, so that attempts can be told to belong together, and without the deployment's key not to be turned
    /// back by trying all addresses. `None` where the source is unknown or the key was not read yet.
    pub fn source_mark(&self, source: &str) -> Option<String> {
        let (key, network) = (self.code_key.get()?, network(source)?);
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes());
        // What codes are derived from begins with a length of eight bytes, so no code's text is this one.
        let tag = hmac::sign(&key, format!("source in the log\0{network}").as_bytes());
        Some(tag.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }
}
