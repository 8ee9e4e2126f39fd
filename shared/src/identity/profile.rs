//! What a signed-in person does to their own account.

use super::audit::{Action, Origin};
use super::ownership::changed_ownership;
use super::register::FIRST_ADMINISTRATOR;
use super::{
    Account, AttemptKey, Change, EmailAddress, Error, Identity, Name, Opened, Password, ProfileChanges, Result, Scope,
    SessionId, SessionTerms, SignedIn, Visitor, Vouched,
};

/// What the first administrator chooses in place of what it was made with.
#[derive(Debug)]
pub struct FirstLoginReset {
    /// Login name.
    pub name: Name,
    /// E-mail address, unproved.
    pub email: EmailAddress,
    /// Password.
    pub password: Password,
}

impl Identity {
    /// Changes what the person says of themselves.
    pub async fn update_profile(&self, vouched: Vouched, changes: ProfileChanges) -> Result<Account> {
        vouched.by.check(Scope::ProfileWrite)?;
        if changes.is_empty() {
            return Ok(vouched.account.account);
        }
        self.amend(vouched, |account| {
            changes.clone().apply(&mut account.profile);
            Ok(Vec::new())
        })
        .await
    }

    /// The same, and the password along with it. This session goes on, all others end.
    pub async fn update_profile_and_password(
        &self,
        signed_in: SignedIn,
        changes: ProfileChanges,
        new_password: &Password,
    ) -> Result<Account> {
        let hash = self.hasher.hash(new_password, &*self.chance).await?;
        let session = signed_in.session.id;
        self.amend(signed_in.into(), |account| {
            changes.clone().apply(&mut account.profile);
            account.password = hash.clone();
            Ok(vec![end_other_sessions(account, session)])
        })
        .await
    }

    /// Changes the password of a person who knows the present one, at which somebody with a stolen session has as many
    /// guesses as at any sign-in. This session goes on, all others end.
    pub async fn change_password(&self, signed_in: SignedIn, current: &Password, new: &Password) -> Result<()> {
        let (origin, subject) = (Origin::from(&signed_in), signed_in.account.account.clone());
        let changed = self.try_to_change_password(signed_in, current, new).await;
        self.note_refusal(&origin, Some(&subject), Action::PasswordChanged, changed).await
    }

    async fn try_to_change_password(&self, signed_in: SignedIn, current: &Password, new: &Password) -> Result<()> {
        let attempts = AttemptKey::CurrentPassword(signed_in.account.account.id);
        self.reserve_attempt(&attempts).await?;
        let right = self.hasher.verify(current, Some(&signed_in.account.account.password)).await;
        if !self.counted_if_looked_at(std::slice::from_ref(&attempts), right).await? {
            return Err(Error::CurrentPasswordWrong);
        }
        let known = signed_in.account.account.password.clone();
        let hash = self.hasher.hash(new, &*self.chance).await?;
        let session = signed_in.session.id;
        self.amend(signed_in.into(), |account| {
            // Somebody changed it since: the password that was checked is no longer the current one.
            if account.password != known {
                return Err(Error::CurrentPasswordWrong);
            }
            account.password = hash.clone();
            Ok(vec![end_other_sessions(account, session)])
        })
        .await?;
        self.forget_attempts(&attempts).await;
        Ok(())
    }

    /// Gives the first administrator a name, an address and a password of its own, and a new session in place
    /// of all earlier ones.
    pub async fn first_login_reset(
        &self,
        signed_in: SignedIn,
        reset: FirstLoginReset,
        terms: &SessionTerms,
        visitor: &Visitor,
    ) -> Result<Opened> {
        let FirstLoginReset { name, email, password } = reset;
        let own = signed_in.account.account.name.key();
        if name.key() == FIRST_ADMINISTRATOR && own != name.key() {
            return Err(Error::NameTaken);
        }
        let hash = self.hasher.hash(&password, &*self.chance).await?;
        let mut account = signed_in.account.account.clone();
        if !account.must_change_password {
            return Err(Error::PasswordAlreadyChosen);
        }
        account.name = name;
        account.set_email(Some(email), false);
        account.password = hash;
        account.must_change_password = false;
        account.session_generation += 1;
        account.updated_at = self.now();
        let (session, refresh) = self.new_session(&account, terms, visitor)?;
        let mut changes = vec![Change::UpdateAccount { account: &account, was: signed_in.account.version }];
        changes.push(Change::OpenSession(&session));
        changes.extend(changed_ownership(&signed_in.account.account, &account));
        let origin = Origin::of(&account, visitor);
        changes.extend(self.record_differences(&origin, &signed_in.account.account, &account)?);
        // Stale: the same reset came through a moment ago.
        if !self.commit(&changes).await? {
            return Err(Error::PasswordAlreadyChosen);
        }
        self.hand_out(account, &session, refresh).await
    }
}

/// Raises the account's generation and takes only this session along.
pub(super) fn end_other_sessions(account: &mut Account, session: SessionId) -> Change<'static> {
    let from = account.session_generation;
    account.session_generation += 1;
    Change::KeepSession { account: account.id, session, from, generation: account.session_generation }
}
