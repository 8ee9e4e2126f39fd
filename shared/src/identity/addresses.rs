//! Addresses of an account that exists: asked for with a mailed code, and taken, proved, once it comes back.

use futures_util::future::try_join;
use time::OffsetDateTime;

use super::audit::{Action, Origin};
use super::challenge::Subject;
use super::code_mail::CodeMail;
use super::context::{MOST_ATTEMPTS, contended};
use super::ownership::check_keeps_name;
use super::register::email_claim;
use super::{
    Account, AccountId, AttemptKey, Challenge, ChallengeKey, Change, Claim, ClaimKind, Code, EmailAddress, EmailClaim,
    Errand, Error, Identity, Purpose, Refused, Result, SignedIn, Versioned, Visitor, Vouched,
};

/// How many addresses an account may have besides its primary one.
pub const MOST_SECONDARY_EMAILS: usize = 10;

/// What an account's address becomes when it is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// One of those besides the primary, or the primary that nobody had proved.
    Secondary,
    /// The primary one, in place of the present one.
    Primary,
}

/// What came of asking for another primary address.
#[derive(Debug)]
pub enum EmailChange {
    /// The account has it.
    Done(SignedIn),
    /// The account has it once the code comes back that was mailed there.
    Pending(SignedIn),
}

impl Place {
    fn purpose(self) -> Purpose {
        match self {
            Self::Secondary => Purpose::SecondaryEmail,
            Self::Primary => Purpose::ChangeEmail,
        }
    }

    /// What filling it is called in the audit trail.
    fn action(self) -> Action {
        match self {
            Self::Secondary => Action::EmailAdded,
            Self::Primary => Action::EmailChanged,
        }
    }

    /// The account with a proved address, and the claim that it gives up for it.
    fn filled(self, before: &Account, address: &EmailAddress) -> Result<(Account, Option<Claim>)> {
        let mut account = before.clone();
        let released = self.fill(&mut account, address)?;
        check_keeps_name(before, &account)?;
        Ok((account, released))
    }

    fn fill(self, account: &mut Account, address: &EmailAddress) -> Result<Option<Claim>> {
        let key = address.key();
        match self {
            Self::Secondary => {
                let primary = account.email.as_mut().filter(|claim| claim.address.key() == key);
                if let Some(primary) = primary {
                    primary.verified = true;
                } else if !account.has_secondary(&key) {
                    check_room(account)?;
                    account.secondary_emails.push(address.clone());
                }
                Ok(None)
            }
            Self::Primary => Ok(replace_primary(account, EmailClaim { address: address.clone(), verified: true })),
        }
    }

    /// Whether the account has the address in this place already.
    fn is_filled(self, account: &Account, key: &str) -> bool {
        match self {
            Self::Secondary => account.has_proved(key),
            Self::Primary => account.email.as_ref().is_some_and(|claim| claim.verified && claim.address.key() == key),
        }
    }
}

/// Sets the primary address, which then is none of the others; returns the claim on the one before. The same
/// address in other letters keeps its claim.
fn replace_primary(account: &mut Account, primary: EmailClaim) -> Option<Claim> {
    let key = primary.address.key();
    let before = email_claim(account).filter(|before| before.key != key);
    account.secondary_emails.retain(|own| own.key() != key);
    account.email = Some(primary);
    before
}

fn check_room(account: &Account) -> Result<()> {
    if account.secondary_emails.len() < MOST_SECONDARY_EMAILS { Ok(()) } else { Err(Error::LimitReached) }
}

impl Identity {
    /// Mails a code with which the account can add an address. An address that it has already is mailed too:
    /// the code proves a primary one that nobody has proved, and does no harm to others.
    pub async fn request_secondary_email(
        &self,
        signed_in: &SignedIn,
        address: EmailAddress,
        errand: &Errand,
    ) -> Result<OffsetDateTime> {
        self.mail_proof(&signed_in.account.account, Place::Secondary, address, errand).await
    }

    /// Adds the address whose code came back. The same request again, should its answer have been lost, succeeds
    /// again.
    pub async fn verify_secondary_email(
        &self,
        signed_in: SignedIn,
        address: &EmailAddress,
        code: &Code,
    ) -> Result<Account> {
        self.prove(signed_in, Place::Secondary, address, code).await
    }

    /// Mails a code with which the account can make this its primary address.
    pub async fn request_email_change(
        &self,
        signed_in: &SignedIn,
        address: EmailAddress,
        errand: &Errand,
    ) -> Result<OffsetDateTime> {
        self.mail_proof(&signed_in.account.account, Place::Primary, address, errand).await
    }

    /// Makes the address primary whose code came back, and gives the one before free. The same request again,
    /// should its answer have been lost, succeeds again.
    pub async fn confirm_email_change(
        &self,
        signed_in: SignedIn,
        address: &EmailAddress,
        code: &Code,
    ) -> Result<Account> {
        self.prove(signed_in, Place::Primary, address, code).await
    }

    /// Changes the primary address: at once where nobody has proved the present one or only letters change,
    /// else by a mailed code. The same address again changes nothing.
    pub async fn change_email(
        &self,
        mut signed_in: SignedIn,
        address: &EmailAddress,
        errand: &Errand,
    ) -> Result<EmailChange> {
        for attempt in 0..MOST_ATTEMPTS {
            match &signed_in.account.account.email {
                Some(claim) if claim.address == *address => return Ok(EmailChange::Done(signed_in)),
                Some(claim) if claim.verified && claim.address.key() != address.key() => {
                    self.request_email_change(&signed_in, address.clone(), errand).await?;
                    return Ok(EmailChange::Pending(signed_in));
                }
                Some(_) | None => {}
            }
            if let Some(account) = self.replace_unproved(&signed_in, address).await? {
                return Ok(EmailChange::Done(SignedIn { account, ..signed_in }));
            }
            self.step_aside(attempt).await?;
            let Vouched { account, by, visitor } = Vouched::from(signed_in);
            let account = self.reread(account.account.id, &by).await?;
            signed_in = Vouched { account, by, visitor }.signed_in()?;
        }
        Err(contended())
    }

    /// `None` where the account changed in between.
    async fn replace_unproved(&self, signed_in: &SignedIn, address: &EmailAddress) -> Result<Option<Versioned>> {
        let read = &signed_in.account;
        let mut account = read.account.clone();
        let verified = account.has_proved(&address.key());
        let released = replace_primary(&mut account, EmailClaim { address: address.clone(), verified });
        check_keeps_name(&read.account, &account)?;
        account.updated_at = self.now();
        let mut changes = vec![Change::UpdateAccount { account: &account, was: read.version }];
        changes.extend(released.map(Change::ReleaseClaim));
        changes.extend(email_claim(&account).map(Change::TakeClaim));
        changes.extend(self.record_differences(&Origin::from(signed_in), &read.account, &account)?);
        if !self.commit(&changes).await? {
            return Ok(None);
        }
        self.tell(&Origin::from(signed_in), &read.account, &account, &changes).await;
        Ok(Some(Versioned { account, version: read.version.next() }))
    }

    /// Mails a code that proves an address. Where another account has proved it, its owner is told instead, and
    /// the one who asked gets the same answer: that somebody has an address is nobody else's business.
    async fn mail_proof(
        &self,
        account: &Account,
        place: Place,
        address: EmailAddress,
        errand: &Errand,
    ) -> Result<OffsetDateTime> {
        // What the code couldn't do is refused before it is mailed.
        place.filled(account, &address)?;
        let claimed = [(ClaimKind::Email, address.key())];
        let (claims, mailbox) = try_join(self.store.claims(&claimed), self.store.mailbox(&claimed[0].1)).await?;
        let log = mailbox.open(place.purpose(), errand, self.now())?;
        let owned = claims.iter().any(|claim| claim.verified && claim.account != account.id);
        let purpose = if owned { Purpose::AddressInUse } else { place.purpose() };
        let generation = account.session_generation;
        let key = ChallengeKey { purpose, subject: account.id.to_string() };
        let codes = self.doubtful_codes(&log, &key).await?;
        let doubtful = codes.into_iter().find(|code| code.address == address && code.generation == Some(generation));
        let subject = Subject::Account { purpose, account: account.id, generation };
        let errand = &errand.in_language_of(account);
        let mail = CodeMail { subject, address, counts_as: place.purpose(), doubtful };
        if account.has_address(&claimed[0].1) {
            return self.mail_code(mail, log, errand).await;
        }
        let strangers = AttemptKey::AddressesMailedBy(account.id);
        self.reserve_attempt(&strangers).await?;
        let mailed = self.mail_code(mail, log, errand).await;
        // Refused: no mail went out, and none of others may be held up for it.
        if mailed.as_ref().is_err_and(|refusal| !refusal.is_accident()) {
            self.take_attempt_back(&strangers).await;
        }
        mailed
    }

    async fn prove(&self, signed_in: SignedIn, place: Place, address: &EmailAddress, code: &Code) -> Result<Account> {
        let origin = Origin::from(&signed_in);
        let Vouched { account: mut read, by, visitor: _ } = Vouched::from(signed_in);
        let id = read.account.id;
        let key = ChallengeKey { purpose: place.purpose(), subject: id.to_string() };
        let meant = |challenge: &Challenge| challenge.address.key() == address.key();
        let Some(mut challenge) = self.guess_at(&key, code, &origin.visitor, meant).await? else {
            let refused = Err(Error::CodeWrong);
            return self.note_refusal(&origin, Some(&read.account), place.action(), refused).await;
        };
        for attempt in 0..MOST_ATTEMPTS {
            if challenge.used_by.is_some() {
                return self.repeat_proof(id, place, &challenge).await;
            }
            if let Some(account) = self.take_proved(&origin, &read, place, &challenge).await? {
                return Ok(account);
            }
            self.step_aside(attempt).await?;
            // The code first: whoever reads that it is used then reads what came of it.
            let stored = self.store.challenges(&key).await?;
            let same = stored.into_iter().find(|other| other.code.equals(&challenge.code));
            challenge = same.ok_or(Error::CodeWrong)?;
            read = self.reread(id, &by).await?;
        }
        Err(contended())
    }

    /// A used code whose address the account still has is a lost answer asked for again; else it is a replay.
    async fn repeat_proof(&self, id: AccountId, place: Place, challenge: &Challenge) -> Result<Account> {
        let read = self.store.account(id).await?.ok_or(Error::SessionEnded)?;
        let filled = place.is_filled(&read.account, &challenge.address.key());
        if filled { Ok(read.account) } else { Err(Error::CodeWrong) }
    }

    /// One reading and one transaction; `None` where something changed in between. An account that claims the
    /// address without proof loses it, one that has proved it keeps it.
    async fn take_proved(
        &self,
        origin: &Origin,
        read: &Versioned,
        place: Place,
        challenge: &Challenge,
    ) -> Result<Option<Account>> {
        let address = &challenge.address;
        let claims = self.store.claims(&[(ClaimKind::Email, address.key())]).await?;
        let (mut account, released) = place.filled(&read.account, address)?;
        account.updated_at = self.now();
        let lifted = account.drop_mark(&address.key());
        let claim = Claim { kind: ClaimKind::Email, key: address.key(), account: account.id, verified: true };
        let mut changes = vec![
            Change::UpdateAccount { account: &account, was: read.version },
            Change::UseChallenge { challenge, account: account.id },
        ];
        changes.extend(released.map(Change::ReleaseClaim));
        changes.extend(self.record_differences(origin, &read.account, &account)?);
        changes.extend(lifted);
        let loser;
        match claims.first().filter(|holder| holder.account != account.id) {
            None => changes.push(Change::TakeClaim(claim)),
            Some(holder) if holder.verified => return Err(Error::EmailTaken),
            Some(holder) => {
                let Some(dispossessed) = self.dispossessed(holder.account).await? else { return Ok(None) };
                loser = dispossessed;
                changes.push(Change::TakeOverClaim { claim, from: holder.account });
                changes.push(Change::UpdateAccount { account: &loser.account, was: loser.version });
                changes.extend(self.record_loss(&loser.account)?);
            }
        }
        match self.store.commit(&changes).await? {
            Ok(()) => {
                self.tell(origin, &read.account, &account, &changes).await;
                Ok(Some(account))
            }
            // Whoever took the address meanwhile may not have proved it.
            Err(Refused::EmailTaken | Refused::NameTaken | Refused::LastAdministrator | Refused::Stale) => Ok(None),
        }
    }

    /// The account without the primary address that it never proved, and with every session and API token ended, so that
    /// nothing set up beforehand outlives somebody else's proof.
    pub(super) async fn dispossessed(&self, holder: AccountId) -> Result<Option<Versioned>> {
        let Some(mut loser) = self.store.account(holder).await? else { return Ok(None) };
        loser.account.email = None;
        loser.account.session_generation += 1;
        loser.account.token_generation += 1;
        loser.account.updated_at = self.now();
        Ok(Some(loser))
    }

    /// Tells of an account that lost its unproved address. Who has it now, and from where, is nobody else's business.
    pub(super) fn record_loss(&self, loser: &Account) -> Result<Vec<Change<'static>>> {
        self.record(&Origin::service(Visitor::default()), Some(loser), [(Action::EmailLost, String::new())])
    }
}
