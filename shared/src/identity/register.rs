//! Making accounts: at once, or after the code that was mailed has come back.

use futures_util::future::{try_join, try_join4};
use time::OffsetDateTime;

use super::admission::network;
use super::audit::{Action, Origin};
use super::challenge::Subject;
use super::code_mail::CodeMail;
use super::context::contended;
use super::differences;
use super::ownership::first_ownership;
use super::{
    Account, AccountId, AttemptKey, Challenge, ChallengeKey, Change, Claim, ClaimKind, Code, DEFAULT_STORAGE_LIMIT,
    EmailAddress, EmailClaim, Errand, Error, Identity, Name, Opened, Password, PasswordHash, PendingAccount, Profile,
    Purpose, Result, Role, RuntimeSettings, SessionTerms, Usage, Visitor, chance,
};

/// The name of the first administrator, which nobody else can take.
pub const FIRST_ADMINISTRATOR: &str = "admin";

/// How many requests for one name may wait for their codes.
const MOST_PENDING: u32 = 10;

/// An account as somebody asks for it.
#[derive(Debug)]
pub struct Registration {
    /// Login name.
    pub name: Name,
    /// E-mail address, unproved.
    pub email: Option<EmailAddress>,
    /// Password.
    pub password: Password,
    /// Display name, "" for none.
    pub display_name: String,
    /// From where it is asked for.
    pub visitor: Visitor,
    /// Role; anything but [`Role::User`] takes an administrator to grant.
    pub role: Role,
}

impl Identity {
    /// Makes an account at once. `by` is the signed-in account that asks for it, if any: an administrator may
    /// do it while registration is closed, and may grant a role; from anyone else the role is ignored.
    pub async fn register(&self, registration: Registration, by: Option<&Account>) -> Result<Account> {
        let visitor = registration.visitor.clone();
        let account = self.prepare(registration, by).await?;
        self.create(&account, &Origin::of(by.unwrap_or(&account), &visitor), Vec::new()).await?;
        Ok(account)
    }

    /// Makes an account and signs it in, in one transaction.
    pub async fn register_and_log_in(
        &self,
        registration: Registration,
        by: Option<&Account>,
        terms: &SessionTerms,
    ) -> Result<Opened> {
        let visitor = registration.visitor.clone();
        let account = self.prepare(registration, by).await?;
        // Without keys there would be an account and no token, and asking again would find the name taken.
        self.key_ring().await?;
        let (session, refresh) = self.new_session(&account, terms, &visitor)?;
        let origin = Origin::of(by.unwrap_or(&account), &visitor);
        self.create(&account, &origin, vec![Change::OpenSession(&session)]).await?;
        self.hand_out(account, &session, refresh).await
    }

    /// Mails a code with which the account can be made; nothing exists before it comes back. That the address
    /// belongs to an account already is told to its owner, by mail, and to nobody else.
    pub async fn request_registration(&self, pending: Registration, errand: &Errand) -> Result<OffsetDateTime> {
        let Registration { name, email, password, display_name, visitor, role: _ } = pending;
        let Some(email) = email else { return Err(Error::Internal(anyhow::anyhow!("a mailed code needs an address"))) };
        let keys = [(ClaimKind::Name, name.key()), (ClaimKind::Email, email.key())];
        let pending_key = ChallengeKey { purpose: Purpose::Register, subject: name.key() };
        let ((claims, settings), mailbox, pending, ()) = try_join4(
            self.store.claims_and_settings(&keys),
            self.store.mailbox(&keys[1].1),
            self.store.challenges(&pending_key),
            self.count_registration(&visitor.source, None),
        )
        .await?;
        let repeated = errand.request.as_ref().and_then(|request| mailbox.log.mail_for(Purpose::Register, request));
        if let Some(first) = repeated {
            return self.answer_as_first(first.clone(), &keys[1].1).await;
        }
        self.check_open(&settings, None)?;
        check_name(&name, &claims)?;
        let log = mailbox.open(Purpose::Register, errand, self.now())?;
        log.check(Purpose::Register, self.now())?;
        let owned = claims.iter().any(|claim| claim.kind == ClaimKind::Email && claim.verified);
        // For an address that has an owner the same work is done and the same answer given; only the mail differs.
        let purpose = if owned { Purpose::AlreadyRegistered } else { Purpose::Register };
        let in_doubt = !owned && log.is_in_doubt(Purpose::Register, &pending_key.subject);
        let again = pending.iter().filter(|code| in_doubt && code.may_be_mailed_again(self.now()));
        let again = again.filter(|code| code.asks_for(&name, &email, &display_name));
        let doubtful = self.asked_with(&password, again.max_by_key(|code| code.expires_at)).await?;
        let waiting = match doubtful.as_ref().and_then(|code| code.pending.clone()) {
            Some(waiting) => waiting,
            None => {
                self.check_crowd(&pending)?;
                let password = self.hasher.hash(&password, &*self.chance).await?;
                PendingAccount { name, password, display_name, language: visitor.asked_language }
            }
        };
        let subject = Subject::Registration(purpose, Box::new(waiting));
        self.mail_code(CodeMail { subject, address: email, counts_as: Purpose::Register, doubtful }, log, errand).await
    }

    /// The code, if it was asked for with this password: whoever knows only the rest of a request must not have its code
    /// prolonged. Costs what a hash costs, which is then not made.
    async fn asked_with(&self, password: &Password, code: Option<&Challenge>) -> Result<Option<Challenge>> {
        let Some((code, pending)) = code.and_then(|code| Some((code, code.pending.as_ref()?))) else { return Ok(None) };
        let same = self.hasher.verify(password, Some(&pending.password)).await?;
        Ok(same.then(|| code.clone()))
    }

    /// Each guess at a name's codes is counted at all of them, so there must not be too many.
    fn check_crowd(&self, pending: &[Challenge]) -> Result<()> {
        let now = self.now();
        let mut ends: Vec<_> = pending.iter().filter(|one| one.is_open(now)).map(|one| one.expires_at).collect();
        ends.sort();
        match ends.first() {
            Some(first) if ends.len() >= MOST_PENDING as usize => {
                Err(Error::TooManyRequests { retry_after: (*first - now).unsigned_abs(), limit: MOST_PENDING })
            }
            _ => Ok(()),
        }
    }

    /// Makes the account whose code came back, with its address proved. The same request again, after its answer
    /// was lost or while it is still under way, gets the same account.
    pub async fn verify_email(&self, name: &str, code: &Code, visitor: &Visitor) -> Result<Account> {
        let key = ChallengeKey { purpose: Purpose::Register, subject: super::canonical(name) };
        let Some(challenge) = self.guess_at(&key, code, visitor, |_| true).await? else {
            let refused = Err(Error::CodeWrong);
            return self.note_refusal(&Origin::stranger(visitor), None, Action::AccountCreated, refused).await;
        };
        match self.make_proved(&challenge, visitor).await {
            Err(refusal) if !refusal.is_accident() => self.made_meanwhile(&key, &challenge).await?.ok_or(refusal),
            outcome => outcome,
        }
    }

    /// The account that came of a code, if another request has just used it.
    async fn made_meanwhile(&self, key: &ChallengeKey, challenge: &Challenge) -> Result<Option<Account>> {
        let stored = self.store.challenges(key).await?;
        let used = stored.iter().find(|one| one.code == challenge.code).and_then(|one| one.used_by);
        let Some(made) = used else { return Ok(None) };
        Ok(self.store.account(made).await?.map(|read| read.account))
    }

    async fn make_proved(&self, challenge: &Challenge, visitor: &Visitor) -> Result<Account> {
        let Some(pending) = challenge.pending.clone() else { return Err(Error::CodeWrong) };
        if challenge.used_by.is_some() {
            return Err(Error::CodeWrong);
        }
        let keys = [(ClaimKind::Name, pending.name.key()), (ClaimKind::Email, challenge.address.key())];
        let (claims, settings) = self.store.claims_and_settings(&keys).await?;
        check_name(&pending.name, &claims)?;
        let email = Some(EmailClaim { address: challenge.address.clone(), verified: true });
        let mut account =
            self.new_account(pending.name, email, pending.password, pending.display_name, Role::User).await?;
        account.profile.language = pending.language.or(visitor.asked_language);
        let account = Account { storage_limit: settings.storage_limit(), ..account };
        let used = Change::UseChallenge { challenge, account: account.id };
        let origin = Origin::of(&account, visitor);
        match claims.iter().find(|claim| claim.kind == ClaimKind::Email) {
            Some(claim) if claim.verified => Err(Error::EmailTaken),
            Some(claim) => self.create_over(&account, &origin, claim.account, used).await.map(|()| account),
            None => self.create(&account, &origin, vec![used]).await.map(|()| account),
        }
    }

    /// Makes the administrator of an empty pool, once, with a password that must be changed before anything else.
    pub async fn ensure_first_administrator(&self, password: Password) -> Result<()> {
        let name = Name::parse(FIRST_ADMINISTRATOR, &(1..=32))
            .map_err(|problem| anyhow::anyhow!("the first administrator's name: {problem:?}"))?;
        let claims = self.store.claims(&[(ClaimKind::Name, name.key())]).await?;
        if !claims.is_empty() {
            return Ok(());
        }
        let hash = self.hasher.hash(&password, &*self.chance).await?;
        let mut account = self.new_account(name, None, hash, String::new(), Role::Admin).await?;
        account.must_change_password = true;
        let mut changes = vec![Change::MarkFirstAdministrator, Change::CreateAccount(&account)];
        changes.extend(first_ownership(&account));
        changes.extend(self.record_creation(&Origin::service(Visitor::default()), &account)?);
        // Stale: it was made before, and goes by another name now. Taken: another process makes it right now.
        match self.commit(&changes).await {
            Ok(_) | Err(Error::NameTaken) => Ok(()),
            Err(other) => Err(other),
        }
    }

    fn check_open(&self, settings: &RuntimeSettings, by: Option<&Account>) -> Result<()> {
        let open = self.allows_registration(settings) || by.is_some_and(Account::is_admin);
        if open { Ok(()) } else { Err(Error::RegistrationClosed) }
    }

    /// Counts a registration from a network, if it isn't an administrator's.
    async fn count_registration(&self, source: &str, by: Option<&Account>) -> Result<()> {
        match network(source) {
            Some(network) if !by.is_some_and(Account::is_admin) => {
                self.reserve_attempt(&AttemptKey::RegistrationsFrom(network)).await
            }
            Some(_) | None => Ok(()),
        }
    }

    async fn prepare(&self, registration: Registration, by: Option<&Account>) -> Result<Account> {
        let Registration { name, email, password, display_name, visitor, role } = registration;
        let role = if by.is_some_and(Account::is_admin) { role } else { Role::User };
        let mut keys = vec![(ClaimKind::Name, name.key())];
        keys.extend(email.iter().map(|email| (ClaimKind::Email, email.key())));
        let counted = self.count_registration(&visitor.source, by);
        let read = self.with_fresh_keys(self.store.claims_and_settings(&keys));
        let ((claims, settings), ()) = try_join(read, counted).await?;
        self.check_open(&settings, by)?;
        check_name(&name, &claims)?;
        if claims.iter().any(|claim| claim.kind == ClaimKind::Email) {
            return Err(Error::EmailTaken);
        }
        let hash = self.hasher.hash(&password, &*self.chance).await?;
        let email = email.map(|address| EmailClaim { address, verified: false });
        let mut account = self.new_account(name, email, hash, display_name, role).await?;
        account.profile.language = visitor.asked_language;
        Ok(Account { storage_limit: settings.storage_limit(), ..account })
    }

    pub(super) async fn new_account(
        &self,
        name: Name,
        email: Option<EmailClaim>,
        password: PasswordHash,
        display_name: String,
        role: Role,
    ) -> Result<Account> {
        let now = self.now();
        let millis = u64::try_from(now.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &chance::bytes(&*self.chance)?).into_uuid();
        Ok(Account {
            id: AccountId(id),
            number: self.store.next_account_number().await?,
            name,
            email,
            secondary_emails: Vec::new(),
            role,
            active: true,
            password,
            must_change_password: false,
            second_factor_required: false,
            session_generation: 0,
            token_generation: 0,
            second_factor: None,
            mail_marks: Vec::new(),
            profile: Profile { display_name, ..Profile::default() },
            level: 0,
            coins: 0,
            storage_limit: DEFAULT_STORAGE_LIMIT,
            storage_used: 0,
            usage: Usage::default(),
            created_at: now,
            updated_at: now,
        })
    }

    pub(super) async fn create(&self, account: &Account, origin: &Origin, others: Vec<Change<'_>>) -> Result<()> {
        let mut changes = vec![Change::CreateAccount(account)];
        changes.extend(first_ownership(account));
        changes.extend(self.record_creation(origin, account)?);
        changes.extend(others);
        // Only a code can be stale here: it was used in the same instant.
        if !self.commit(&changes).await? {
            return Err(Error::CodeWrong);
        }
        origin.visitor.notes.of_account(account.id);
        Ok(())
    }

    /// Makes an account whose proved address another one claimed without proof: that one loses the address
    /// and every session, so that nothing set up beforehand outlives the proof.
    async fn create_over(&self, account: &Account, origin: &Origin, holder: AccountId, used: Change<'_>) -> Result<()> {
        let loser = self.dispossessed(holder).await?.ok_or_else(contended)?;
        let claim = email_claim(account).ok_or_else(|| anyhow::anyhow!("an address to take over"))?;
        let mut changes = vec![
            Change::CreateAccount(account),
            Change::TakeClaim(name_claim(account)),
            Change::TakeOverClaim { claim, from: holder },
            Change::UpdateAccount { account: &loser.account, was: loser.version },
            used,
        ];
        changes.extend(self.record_creation(origin, account)?);
        changes.extend(self.record_loss(&loser.account)?);
        if !self.commit(&changes).await? {
            return Err(contended());
        }
        origin.visitor.notes.of_account(account.id);
        Ok(())
    }

    pub(super) fn record_creation(&self, origin: &Origin, account: &Account) -> Result<Vec<Change<'static>>> {
        self.record(origin, Some(account), [differences::creation(account)])
    }
}

pub(super) fn check_name(name: &Name, claims: &[Claim]) -> Result<()> {
    let taken = claims.iter().any(|claim| claim.kind == ClaimKind::Name);
    let reserved = name.key() == FIRST_ADMINISTRATOR;
    if taken || reserved { Err(Error::NameTaken) } else { Ok(()) }
}

fn name_claim(account: &Account) -> Claim {
    Claim { kind: ClaimKind::Name, key: account.name.key(), account: account.id, verified: true }
}

pub(super) fn email_claim(account: &Account) -> Option<Claim> {
    let EmailClaim { address, verified } = account.email.as_ref()?;
    Some(Claim { kind: ClaimKind::Email, key: address.key(), account: account.id, verified: *verified })
}
