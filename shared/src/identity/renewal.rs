//! Stored hashes are made anew, at the present cost, when the password is known.

use super::{Change, Identity, Password, Result, Versioned};

impl Identity {
    /// The account with a hash of the present cost. The sign-in doesn't depend on it: where the hash can't be replaced, or
    /// somebody else changes the account right now, it is left for the next time.
    pub(super) async fn renew_hash(&self, read: Versioned, password: &Password) -> Versioned {
        if self.hasher.is_current(&read.account.password) {
            return read;
        }
        match self.try_to_renew(&read, password).await {
            Ok(renewed) => renewed.unwrap_or(read),
            Err(failed) => {
                tracing::warn!(cause = %failed, "a password's hash was not made anew");
                read
            }
        }
    }

    /// It is the same password, so sessions go on and the audit trail has nothing to tell.
    async fn try_to_renew(&self, read: &Versioned, password: &Password) -> Result<Option<Versioned>> {
        let hash = self.hasher.hash(password, &*self.chance).await?;
        let mut account = read.account.clone();
        account.password = hash;
        let renewed = self.commit(&[Change::UpdateAccount { account: &account, was: read.version }]).await?;
        Ok(renewed.then(|| Versioned { account, version: read.version.next() }))
    }
}
