//! The first look at every record, which keeps of each no more than it must.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher as _};

use time::OffsetDateTime;

use super::{Standing, is_open_pending, is_open_session, is_open_token};
use crate::identity::ownership::claims_of;
use crate::identity::{
    Account, AccountId, ApiToken, Avatar, Challenge, Claim, ClaimKind, MOST_GUESSES, PendingSignIn, PictureVersion,
    Session,
};

/// A record of the store that the rules are about.
#[derive(Debug)]
pub enum Record {
    /// An account.
    Account(Box<Account>),
    /// Who has a name or address.
    Claim(Claim),
    /// A session.
    Session(Box<Session>),
    /// An API token.
    ApiToken(Box<ApiToken>),
    /// A sign-in that waits for its second factor.
    Pending(Box<PendingSignIn>),
    /// A mailed code.
    Challenge(Box<Challenge>),
    /// An uploaded picture.
    Picture {
        /// The account's number.
        number: u64,
        /// By its contents.
        version: PictureVersion,
    },
    /// The active administrators.
    Administrators(BTreeSet<AccountId>),
}

/// What is to be looked at again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suspect {
    /// An account and all that is its own.
    Account(AccountId),
    /// A name or address, in its canonical form.
    Claim(ClaimKind, String),
    /// A number that several accounts have.
    Number(u64, BTreeSet<AccountId>),
    /// A picture under a number.
    Picture(u64),
}

/// One side of what must stand on two.
enum Half {
    /// An account says that it has the claim.
    Owned(AccountId),
    /// The claim says that the account has it.
    Held(ClaimKind, String),
}

/// Sifts out what is suspect. An account must be shown before what is its own; everything else comes in any order.
pub struct Sieve {
    now: OffsetDateTime,
    present: Option<(AccountId, Standing)>,
    accounts: HashSet<AccountId>,
    numbers: HashMap<u64, AccountId>,
    /// Claims of which one side was seen, by a hash of all that both sides must agree on.
    claims: HashMap<u64, Half>,
    /// The same for pictures, with the number.
    pictures: HashMap<u64, u64>,
    administrators: BTreeSet<AccountId>,
    listed: BTreeSet<AccountId>,
    makers: HashMap<AccountId, Box<Challenge>>,
    suspects: BTreeSet<Suspect>,
    codes: Vec<Challenge>,
}

impl Sieve {
    /// Begins, at this instant.
    pub fn new(now: OffsetDateTime) -> Self {
        Self {
            now,
            present: None,
            accounts: HashSet::new(),
            numbers: HashMap::new(),
            claims: HashMap::new(),
            pictures: HashMap::new(),
            administrators: BTreeSet::new(),
            listed: BTreeSet::new(),
            makers: HashMap::new(),
            suspects: BTreeSet::new(),
            codes: Vec::new(),
        }
    }

    /// Looks at one record.
    pub fn note(&mut self, record: Record) {
        match record {
            Record::Account(account) => self.account(&account),
            Record::Claim(claim) => self.pair(&claim, Half::Held(claim.kind, claim.key.clone())),
            Record::Session(session) => {
                let open = is_open_session(&session, self.standing_of(session.account), self.now);
                self.suspect_if(open || !session.is_hashed(), session.account);
            }
            Record::ApiToken(token) => {
                let open = is_open_token(&token, self.standing_of(token.account), self.now);
                self.suspect_if(open || !token.secret.is_hash(), token.account);
            }
            Record::Pending(pending) => {
                let open = is_open_pending(&pending, self.standing_of(pending.account), self.now);
                self.suspect_if(open || !pending.secret.is_hash(), pending.account);
            }
            Record::Challenge(challenge) => self.challenge(challenge),
            Record::Picture { number, version } => self.picture(number, &version),
            Record::Administrators(listed) => self.listed = listed,
        }
    }

    fn account(&mut self, account: &Account) {
        let id = account.id;
        self.present = Some((id, account.into()));
        self.accounts.insert(id);
        match self.numbers.entry(account.number) {
            Entry::Vacant(free) => {
                free.insert(id);
            }
            Entry::Occupied(other) => {
                self.suspects.insert(Suspect::Number(account.number, BTreeSet::from([*other.get(), id])));
            }
        }
        for claim in claims_of(account) {
            self.pair(&claim, Half::Owned(id));
        }
        if let Avatar::Uploaded(version) = &account.profile.avatar {
            self.picture(account.number, version);
        }
        if account.active && account.is_admin() {
            self.administrators.insert(id);
        }
        self.suspect_if(!account.is_hashed(), id);
    }

    fn challenge(&mut self, challenge: Box<Challenge>) {
        if challenge.guesses > MOST_GUESSES || !challenge.is_hashed() {
            self.codes.push(*challenge);
        } else if let Some(made) = challenge.used_by {
            self.makers.insert(made, challenge);
        }
    }

    fn picture(&mut self, number: u64, version: &PictureVersion) {
        let both = hash(&(number, version.as_str()));
        if self.pictures.remove(&both).is_none() {
            self.pictures.insert(both, number);
        }
    }

    fn pair(&mut self, claim: &Claim, half: Half) {
        let Claim { kind, key, account, verified } = claim;
        let both = hash(&(*kind == ClaimKind::Email, key, account, verified));
        if self.claims.remove(&both).is_none() {
            self.claims.insert(both, half);
        }
    }

    fn standing_of(&self, account: AccountId) -> Option<Standing> {
        self.present.filter(|(id, _)| *id == account).map(|(_, standing)| standing)
    }

    fn suspect_if(&mut self, suspect: bool, account: AccountId) {
        if suspect {
            self.suspects.insert(Suspect::Account(account));
        }
    }

    /// How many accounts were shown.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// The highest number of an account, 0 without any.
    pub fn highest_number(&self) -> u64 {
        self.numbers.keys().copied().max().unwrap_or_default()
    }

    /// All that is suspect, and the codes that are.
    pub fn finish(self) -> (BTreeSet<Suspect>, Vec<Challenge>) {
        let Self { mut suspects, mut codes, accounts, .. } = self;
        suspects.extend(self.claims.into_values().map(|half| match half {
            Half::Owned(account) => Suspect::Account(account),
            Half::Held(kind, key) => Suspect::Claim(kind, key),
        }));
        suspects.extend(self.pictures.into_values().map(Suspect::Picture));
        suspects.extend(self.administrators.symmetric_difference(&self.listed).copied().map(Suspect::Account));
        let unmade = self.makers.into_iter().filter(|(account, _)| !accounts.contains(account));
        codes.extend(unmade.map(|(_, challenge)| *challenge));
        (suspects, codes)
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
