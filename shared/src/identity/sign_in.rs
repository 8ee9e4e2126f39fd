//! Signing in, being signed in, and signing out.

use std::sync::{Mutex, PoisonError};

use futures_util::future::{join, try_join};
use time::OffsetDateTime;

use super::admission::{Admitted, Counters};
use super::api_token::PresentedApiToken;
use super::audit::{Action, Origin};
use super::second_factor::Door;
use super::{
    AccessToken, Account, AccountId, ApiTokenId, ChallengeToken, Change, Claim, ClaimKind, Code, Error, Identifier,
    Identity, Password, PendingSignIn, RefreshToken, Result, Role, Scope, Scopes, Session, SessionTerms, Versioned,
    Visitor,
};

/// An attempt to sign in.
#[derive(Debug)]
pub struct SignIn {
    /// Name or e-mail address.
    pub identifier: Identifier,
    /// The password, as typed.
    pub password: Password,
    /// A code of the second factor, where one was given.
    pub code: Option<Code>,
    /// What a success hands out.
    pub terms: SessionTerms,
    /// From where.
    pub visitor: Visitor,
}

/// What a client holds after signing in or refreshing.
#[derive(Debug)]
pub struct Tokens {
    /// The access token.
    pub access: AccessToken,
    /// When it expires.
    pub access_expires_at: OffsetDateTime,
    /// The refresh token and its expiry, where the session has one.
    pub refresh: Option<(RefreshToken, OffsetDateTime)>,
}

/// A session with its account and the tokens for it.
#[derive(Debug)]
pub struct Opened {
    /// Whose.
    pub account: Account,
    /// The tokens.
    pub tokens: Tokens,
}

/// How far an attempt to sign in got.
#[derive(Debug)]
pub enum Entrance {
    /// All the way.
    Opened(Box<Opened>),
    /// The password was right; a code of the second factor opens the rest.
    Waiting {
        /// Stands for this sign-in until then.
        token: ChallengeToken,
        /// When it stops waiting.
        expires_at: OffsetDateTime,
    },
}

/// Whom a good token stands for, and what vouches for it. Verbs that need the person themselves take a
/// [`SignedIn`], which only a session makes of this.
#[derive(Debug, Clone)]
pub struct Vouched {
    /// The account as it was read for this request.
    pub account: Versioned,
    /// What vouches.
    pub by: Voucher,
    /// From where the request came.
    pub visitor: Visitor,
}

/// What vouches for a request.
#[derive(Debug, Clone)]
pub enum Voucher {
    /// A session: the person signed in.
    Session(Box<Session>),
    /// An API token: a program that the person trusts with some things, and never with the account's keys.
    ApiToken(ApiTokenId, Scopes),
}

impl Vouched {
    /// The signed-in person, unless an API token vouches.
    pub fn signed_in(self) -> Result<SignedIn> {
        match self.by {
            Voucher::Session(session) => {
                Ok(SignedIn { account: self.account, session: *session, visitor: self.visitor })
            }
            Voucher::ApiToken(..) => Err(Error::ScopeMissing),
        }
    }

    /// The account as the bearer may look at it: see [`Voucher::narrow`].
    pub fn acting(&self) -> Result<Account> {
        self.by.check(Scope::ProfileRead)?;
        Ok(self.by.narrow(self.account.account.clone()))
    }
}

impl From<SignedIn> for Vouched {
    fn from(signed_in: SignedIn) -> Self {
        let SignedIn { account, session, visitor } = signed_in;
        Self { account, by: Voucher::Session(Box::new(session)), visitor }
    }
}

impl Voucher {
    /// Refuses what an API token may not do.
    pub(super) fn check(&self, needed: Scope) -> Result<()> {
        match self {
            Self::Session(_) => Ok(()),
            Self::ApiToken(_, scopes) => scopes.check(needed),
        }
    }

    /// An account as its bearer may act for it: through an API token an administrator is an ordinary person,
    /// also to other services that ask who this is. For showing, never for storing.
    pub fn narrow(&self, account: Account) -> Account {
        match self {
            Self::Session(_) => account,
            Self::ApiToken(..) => Account { role: Role::User, ..account },
        }
    }
}

/// A person whose access token and session are good right now.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The account as it was read for this request.
    pub account: Versioned,
    /// The session that the token belongs to.
    pub session: Session,
    /// From where the request came.
    pub visitor: Visitor,
}

/// How much of the service an account may reach that has yet to choose its own password, or to set up the second factor
/// that it must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Nothing: the rule.
    Closed,
    /// This one thing, once the password is chosen: setting up the second factor, changing the password.
    SettingUp,
    /// This one thing: looking at its profile, choosing the password, signing out.
    Open,
}

impl Identity {
    /// Signs in with a name or e-mail, a password and, where the account has a second factor, a code of it.
    pub async fn log_in(&self, attempt: SignIn) -> Result<Opened> {
        let (read, admitted) = self.recognise(&attempt).await?;
        if read.account.has_second_factor() && attempt.code.is_none() {
            self.take_back(&admitted).await;
            return Err(Error::SecondFactorNeeded);
        }
        self.enter(read, &attempt, &admitted).await
    }

    /// The same in two steps: without a code of the second factor the sign-in waits for one.
    pub async fn begin_log_in(&self, attempt: SignIn) -> Result<Entrance> {
        let (read, admitted) = self.recognise(&attempt).await?;
        if !read.account.has_second_factor() || attempt.code.is_some() {
            return Ok(Entrance::Opened(Box::new(self.enter(read, &attempt, &admitted).await?)));
        }
        let identifier = attempt.identifier.key().to_owned();
        let (pending, token) = PendingSignIn::begin(
            &read.account,
            identifier,
            admitted.is_known(),
            attempt.terms,
            self.now(),
            &*self.chance,
        )?;
        let change = [Change::OpenPending(&pending)];
        let (stored, ()) = join(self.commit(&change), self.take_back(&admitted)).await;
        stored?;
        Ok(Entrance::Waiting { token, expires_at: pending.expires_at })
    }

    /// The account that name and password belong to. Unknown names cost the same work as wrong passwords and
    /// get the same refusal; that an account is disabled is told only to who knows its password.
    /// The attempt is counted before the password is looked at.
    async fn recognise(&self, attempt: &SignIn) -> Result<(Versioned, Admitted)> {
        let SignIn { identifier, visitor, .. } = attempt;
        visitor.notes.of_sign_in();
        let names = identifier.claims();
        let counters = Counters::of(identifier, visitor);
        let keys = counters.keys();
        let (claims, seen) = self.with_fresh_keys(self.store.claims_and_attempts(&names, &keys)).await?;
        let owner = owner_among(&names, &claims);
        // Where nobody is found another account is read all the same, so that the time doesn't tell.
        let id = owner.unwrap_or_else(|| self.stand_in.get());
        let (read, admitted) = try_join(self.store.account(id), self.admit(counters, seen)).await?;
        if read.is_some() {
            self.stand_in.put(id);
        }
        let found = match read.filter(|_| owner.is_some()) {
            Some(read) => Some(read),
            None => self.first_administrator(identifier).await?,
        };
        if let Some(read) = &found {
            visitor.notes.of_account(read.account.id);
        }
        let hash = found.as_ref().map(|read| &read.account.password);
        let right = self.hasher.verify(&attempt.password, hash).await;
        let right = self.counted_if_looked_at(admitted.counted(), right).await?;
        let Some(read) = found.as_ref().filter(|_| right).cloned() else {
            let subject = found.as_ref().map(|read| &read.account);
            let (stranger, refused) = (Origin::stranger(visitor), Err(Error::WrongCredentials));
            return self.note_refusal(&stranger, subject, Action::SignedIn, refused).await;
        };
        if !read.account.active {
            self.take_back(&admitted).await;
            return Err(Error::AccountDisabled);
        }
        Ok((self.renew_hash(read, &attempt.password).await, admitted))
    }

    /// Opens a session for the account that the password was right for.
    async fn enter(&self, read: Versioned, attempt: &SignIn, admitted: &Admitted) -> Result<Opened> {
        if let (true, Some(code)) = (read.account.has_second_factor(), &attempt.code) {
            self.take_back(admitted).await;
            let door = Door { waited: None, known_device: admitted.is_known(), terms: attempt.terms };
            let opened = self.open_by_second_factor(read, door, code, &attempt.visitor).await?;
            self.remember_device(admitted.device()).await;
            return Ok(opened);
        }
        let (session, refresh) = self.new_session(&read.account, &attempt.terms, &attempt.visitor)?;
        // Needs no condition: a session opened under a generation that has passed meanwhile is dead at birth.
        let mut changes = vec![Change::OpenSession(&session)];
        changes.extend(self.record_arrival(&read.account, &session, admitted.is_known(), &attempt.visitor)?);
        let (stored, ()) = join(self.commit(&changes), self.welcome(admitted)).await;
        stored?;
        let account = &read.account;
        let origin = Origin::of(account, &attempt.visitor);
        let told = self.tell(&origin, account, account, &changes);
        join(self.hand_out(account.clone(), &session, refresh), told).await.0
    }

    /// What tells of a sign-in on a device that was not known.
    pub(super) fn record_arrival(
        &self,
        account: &Account,
        session: &Session,
        known_device: bool,
        visitor: &Visitor,
    ) -> Result<Vec<Change<'static>>> {
        let act = (Action::SignedInOnNewDevice, session.id.to_string());
        self.record(&Origin::of(account, visitor), Some(account), Some(act).filter(|_| !known_device))
    }

    /// Finds whom a token stands for, if it, its session and its account are all good. API tokens count.
    pub async fn authenticate(&self, token: Option<&AccessToken>, gate: Gate, visitor: &Visitor) -> Result<Vouched> {
        let Some(token) = token else { return Err(Error::TokenMissing) };
        if PresentedApiToken::is_meant(token) {
            return self.vouched_by_api_token(token, visitor).await;
        }
        let subject = self.check_access_token(token).await?;
        visitor.notes.of_account(subject.account);
        let read = self.store.account_and_session(subject.account, subject.session);
        let (account, session) = self.with_fresh_keys(read).await?;
        if !self.has_key(&subject.kid).await {
            return Err(Error::TokenInvalid);
        }
        let (Some(account), Some(session)) = (account, session) else { return Err(Error::SessionEnded) };
        self.check_live(&account.account, &session)?;
        self.check_ready(&account.account, gate)?;
        Ok(Vouched { account, by: Voucher::Session(Box::new(session)), visitor: visitor.clone() })
    }

    /// Ends the session: its tokens are refused from the next request on.
    pub async fn log_out(&self, signed_in: &SignedIn) -> Result<()> {
        self.store.end_session(signed_in.session.account, signed_in.session.id).await
    }

    /// Refuses a session that is over, that its account outlived, or whose account is disabled.
    pub(super) fn check_live(&self, account: &Account, session: &Session) -> Result<()> {
        if self.is_live(account, session) { Ok(()) } else { Err(Error::SessionEnded) }
    }

    /// Whether a session of the account is good for a request right now.
    pub(super) fn is_live(&self, account: &Account, session: &Session) -> bool {
        account.active && session.generation == account.session_generation && !session.is_over(self.now())
    }

    /// Who has a name or address.
    pub(super) async fn owner_of(&self, identifier: &Identifier) -> Result<Option<AccountId>> {
        let names = identifier.claims();
        Ok(owner_among(&names, &self.store.claims(&names).await?))
    }

    /// A session of the account's present generation, not yet stored.
    pub(super) fn new_session(
        &self,
        account: &Account,
        terms: &SessionTerms,
        visitor: &Visitor,
    ) -> Result<(Session, Option<RefreshToken>)> {
        let opened = Session::open(account.id, account.session_generation, terms, visitor, self.now(), &*self.chance)?;
        Ok(opened)
    }

    /// Signs the access token for a stored session.
    pub(super) async fn hand_out(
        &self,
        account: Account,
        session: &Session,
        refresh: Option<RefreshToken>,
    ) -> Result<Opened> {
        let (access, access_expires_at) = self.issue_access_token(session).await?;
        let refresh = refresh.map(|token| (token, session.last_moment()));
        Ok(Opened { account, tokens: Tokens { access, access_expires_at, refresh } })
    }
}

/// The account that was read last. It is read in place of one that nobody has: an account that is there takes longer
/// to read than one that isn't.
pub(super) struct StandIn(Mutex<AccountId>);

impl StandIn {
    /// Before anybody was: nobody.
    pub(super) fn nobody() -> Self {
        Self(Mutex::new(AccountId(uuid::Uuid::nil())))
    }

    fn get(&self) -> AccountId {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, account: AccountId) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = account;
    }
}

/// The owner of the first of these names that anybody has.
fn owner_among(names: &[(ClaimKind, String)], claims: &[Claim]) -> Option<AccountId> {
    let owner = names.iter().find_map(|(kind, _)| claims.iter().find(|claim| claim.kind == *kind));
    owner.map(|claim| claim.account)
}
