//! What a person does with the addresses that an account has: which of them is the primary one, and which stay.

use super::{Account, EmailAddress, EmailClaim, Error, Identity, Result, SignedIn};

impl Identity {
    /// Makes a further address the primary one. The one before stays as a further address if it was proved, else it
    /// is given free. What is primary already stays so.
    pub async fn promote_email(&self, signed_in: SignedIn, address: &EmailAddress) -> Result<Account> {
        let key = address.key();
        self.amend(signed_in.into(), |account| {
            promote(account, &key)?;
            Ok(Vec::new())
        })
        .await
    }

    /// Gives a further address free. It signs nobody in from the next request on, and codes that were mailed there
    /// are worth nothing.
    pub async fn remove_email(&self, signed_in: SignedIn, address: &EmailAddress) -> Result<Account> {
        let key = address.key();
        self.amend(signed_in.into(), |account| {
            if is_primary(account, &key) {
                return Err(Error::PrimaryAddress);
            }
            take_secondary(account, &key)?;
            Ok(Vec::new())
        })
        .await
    }
}

fn is_primary(account: &Account, key: &str) -> bool {
    account.email.as_ref().is_some_and(|claim| claim.address.key() == key)
}

fn promote(account: &mut Account, key: &str) -> Result<()> {
    if is_primary(account, key) {
        return Ok(());
    }
    let address = take_secondary(account, key)?;
    let former = account.email.replace(EmailClaim { address, verified: true });
    account.secondary_emails.extend(former.filter(|claim| claim.verified).map(|claim| claim.address));
    Ok(())
}

fn take_secondary(account: &mut Account, key: &str) -> Result<EmailAddress> {
    let place = account.secondary_emails.iter().position(|own| own.key() == key).ok_or(Error::NotFound)?;
    Ok(account.secondary_emails.remove(place))
}
