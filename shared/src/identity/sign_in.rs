//! Signing in, being signed in, and signing out.

use time::OffsetDateTime;

use super::api_token::PresentedApiToken;
use super::{
    AccessToken, Account, AccountId, ApiTokenId, ChallengeToken, Change, ClaimKind, Code, Error, Identifier, Identity,
    Password, PendingSignIn, RefreshToken, Result, Role, Session, SessionTerms, Versioned, Visitor,
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
}

/// What vouches for a request.
#[derive(Debug, Clone)]
pub enum Voucher {
    /// A session: the person signed in.
    Session(Box<Session>),
    /// An API token: a program that the person trusts with everything but the account's keys.
    ApiToken(ApiTokenId),
}

impl Vouched {
    /// The signed-in person, unless an API token vouches.
    pub fn signed_in(self) -> Result<SignedIn> {
        match self.by {
            Voucher::Session(session) => Ok(SignedIn { account: self.account, session: *session }),
            Voucher::ApiToken(_) => Err(Error::ScopeMissing),
        }
    }

    /// The account as the bearer may act for it: see [`Voucher::narrow`].
    pub fn acting(&self) -> Account {
        self.by.narrow(self.account.account.clone())
    }
}

impl From<SignedIn> for Vouched {
    fn from(signed_in: SignedIn) -> Self {
        Self { account: signed_in.account, by: Voucher::Session(Box::new(signed_in.session)) }
    }
}

impl Voucher {
    /// An account as its bearer may act for it: through an API token an administrator is an ordinary person,
    /// also to other services that ask who this is. For showing, never for storing.
    pub fn narrow(&self, account: Account) -> Account {
        match self {
            Self::Session(_) => account,
            Self::ApiToken(_) => Account { role: Role::User, ..account },
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
}

/// How much of the service an account may reach that has yet to choose its own password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Nothing: the rule.
    Closed,
    /// This one thing: looking at its profile, choosing the password, signing out.
    Open,
}

impl Identity {
    /// Signs in with a name or e-mail, a password and, where the account has a second factor, a code of it.
    pub async fn log_in(&self, attempt: SignIn) -> Result<Opened> {
        let read = self.recognise(&attempt).await?;
        if read.account.has_second_factor() && attempt.code.is_none() {
            return Err(Error::SecondFactorNeeded);
        }
        self.enter(read, &attempt).await
    }

    /// The same in two steps: without a code of the second factor the sign-in waits for one.
    pub async fn begin_log_in(&self, attempt: SignIn) -> Result<Entrance> {
        let read = self.recognise(&attempt).await?;
        if !read.account.has_second_factor() || attempt.code.is_some() {
            return Ok(Entrance::Opened(Box::new(self.enter(read, &attempt).await?)));
        }
        let (pending, token) = PendingSignIn::begin(&read.account, attempt.terms, self.now(), &*self.chance)?;
        self.commit(&[Change::OpenPending(&pending)]).await?;
        Ok(Entrance::Waiting { token, expires_at: pending.expires_at })
    }

    /// The account that name and password belong to. Unknown names cost the same work as wrong passwords and
    /// get the same refusal; that an account is disabled is told only to who knows its password.
    async fn recognise(&self, attempt: &SignIn) -> Result<Versioned> {
        let found = self.find(&attempt.identifier).await?;
        let hash = found.as_ref().map(|read| &read.account.password);
        let right = self.hasher.verify(&attempt.password, hash).await?;
        let Some(read) = found.filter(|_| right) else { return Err(Error::WrongCredentials) };
        if !read.account.active {
            return Err(Error::AccountDisabled);
        }
        Ok(read)
    }

    /// Opens a session for the account that the password was right for.
    async fn enter(&self, read: Versioned, attempt: &SignIn) -> Result<Opened> {
        if let (true, Some(code)) = (read.account.has_second_factor(), &attempt.code) {
            return self.open_by_second_factor(read, None, code, &attempt.terms, &attempt.visitor).await;
        }
        let (session, refresh) = self.new_session(&read.account, &attempt.terms, &attempt.visitor)?;
        // Needs no condition: a session opened under a generation that has passed meanwhile is dead at birth.
        self.commit(&[Change::OpenSession(&session)]).await?;
        self.hand_out(read.account, &session, refresh).await
    }

    /// Finds whom a token stands for, if it, its session and its account are all good. API tokens count.
    pub async fn authenticate(&self, token: Option<&AccessToken>, gate: Gate) -> Result<Vouched> {
        let Some(token) = token else { return Err(Error::TokenMissing) };
        if PresentedApiToken::is_meant(token) {
            return self.vouched_by_api_token(token).await;
        }
        let subject = self.check_access_token(token).await?;
        let (account, session) = self.store.account_and_session(subject.account, subject.session).await?;
        let (Some(account), Some(session)) = (account, session) else { return Err(Error::SessionEnded) };
        self.check_live(&account.account, &session)?;
        if account.account.must_change_password && gate == Gate::Closed {
            return Err(Error::PasswordChangeRequired);
        }
        Ok(Vouched { account, by: Voucher::Session(Box::new(session)) })
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

    /// The account that an identifier names.
    async fn find(&self, identifier: &Identifier) -> Result<Option<Versioned>> {
        // Where nobody is found an account is read all the same, so that the time doesn't tell.
        let id = self.owner_of(identifier).await?.unwrap_or(AccountId(uuid::Uuid::nil()));
        self.store.account(id).await
    }

    /// Who has a name or address. What looks like an address is looked for among addresses first: a name of that form
    /// may be left with somebody who never proved the address.
    pub(super) async fn owner_of(&self, identifier: &Identifier) -> Result<Option<AccountId>> {
        let address = identifier.address_key().map(|key| (ClaimKind::Email, key.to_owned()));
        let name = Some((ClaimKind::Name, identifier.name_key().to_owned())).filter(|(_, key)| !key.is_empty());
        let keys: Vec<_> = address.into_iter().chain(name).collect();
        let claims = self.store.claims(&keys).await?;
        let owner = keys.iter().find_map(|(kind, _)| claims.iter().find(|claim| claim.kind == *kind));
        Ok(owner.map(|claim| claim.account))
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
