//! What can be wrong with a pool, and what of it can be mended without a person's judgement.

use std::fmt;

use crate::identity::{AccountId, ApiTokenId, Change, Claim, ClaimKind, PendingId, Purpose, SessionId, Version};

/// What lets somebody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// A session.
    Session(SessionId),
    /// An API token.
    ApiToken(ApiTokenId),
    /// A sign-in that waits for its second factor.
    Pending(PendingId),
}

/// Something that should not be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The account has a name or address that nobody holds.
    ClaimMissing {
        /// As it should be.
        claim: Claim,
        /// The account's, as it was read.
        version: Version,
    },
    /// Two accounts have one name or address.
    ClaimElsewhere {
        /// As it should be by the first account.
        claim: Claim,
        /// The other account.
        holder: AccountId,
    },
    /// Account and claim disagree on whether the address is proved.
    ClaimProof {
        /// As it should be by the account.
        claim: Claim,
        /// The account's, as it was read.
        version: Version,
    },
    /// A name or address is held by an account that is gone, or has given it up.
    ClaimUnowned {
        /// As it stands.
        claim: Claim,
        /// The account's, as it was read.
        version: Option<Version>,
    },
    /// An active administrator isn't listed as one.
    AdministratorUnlisted {
        /// Who.
        account: AccountId,
        /// The account's, as it was read.
        version: Version,
    },
    /// Somebody is listed as an active administrator who is none.
    AdministratorListed {
        /// Who.
        account: AccountId,
        /// The account's, as it was read.
        version: Option<Version>,
    },
    /// Something lets in whose account is gone or disabled.
    PassOfNobody {
        /// What.
        pass: Pass,
        /// Whose.
        account: AccountId,
        /// The account's, as it was read.
        version: Option<Version>,
        /// Where the account was deleted it is refused, and goes with its time.
        was_deleted: bool,
    },
    /// Two accounts have one number.
    NumberShared {
        /// Which.
        number: u64,
        /// Whose.
        accounts: Vec<AccountId>,
    },
    /// The account's picture isn't there.
    PictureMissing {
        /// Whose.
        account: AccountId,
    },
    /// A picture that no account names.
    PictureUnowned {
        /// Under which number.
        number: u64,
        /// The account of that number, as it was read.
        account: Option<(AccountId, Version)>,
    },
    /// A mailed code was guessed at more often than it bears.
    CodeOverguessed {
        /// What it is for.
        purpose: Purpose,
    },
    /// A mailed code was used, and what it was used for never came about.
    CodeOfNobody {
        /// What it is for.
        purpose: Purpose,
        /// The account that isn't there.
        account: AccountId,
    },
    /// A secret isn't hashed that should be.
    Unhashed {
        /// In what.
        what: &'static str,
        /// Whose.
        account: Option<AccountId>,
    },
}

impl Finding {
    /// Whether it harms nobody, and goes by itself or only takes room.
    pub fn is_leftover(&self) -> bool {
        match self {
            Self::PassOfNobody { was_deleted, .. } => *was_deleted,
            Self::PictureUnowned { .. } => true,
            Self::ClaimMissing { .. }
            | Self::ClaimElsewhere { .. }
            | Self::ClaimProof { .. }
            | Self::ClaimUnowned { .. }
            | Self::AdministratorUnlisted { .. }
            | Self::AdministratorListed { .. }
            | Self::NumberShared { .. }
            | Self::PictureMissing { .. }
            | Self::CodeOverguessed { .. }
            | Self::CodeOfNobody { .. }
            | Self::Unhashed { .. } => false,
        }
    }

    /// What mends it, where that needs nobody's judgement: only while the account is as it was read.
    pub fn mend(&self) -> Option<Vec<Change<'static>>> {
        let witness = |account: AccountId, was: Option<Version>| Change::Witness { account, was };
        match self {
            Self::ClaimMissing { claim, version } => {
                Some(vec![Change::TakeClaim(claim.clone()), witness(claim.account, Some(*version))])
            }
            // The other way round somebody's proof would be taken from them.
            Self::ClaimProof { claim, version } => {
                claim.verified.then(|| vec![Change::TakeClaim(claim.clone()), witness(claim.account, Some(*version))])
            }
            Self::ClaimUnowned { claim, version } => {
                Some(vec![Change::ReleaseClaim(claim.clone()), witness(claim.account, *version)])
            }
            Self::AdministratorUnlisted { account, version } => {
                Some(vec![Change::JoinAdministrators(*account), witness(*account, Some(*version))])
            }
            Self::AdministratorListed { account, version } => {
                Some(vec![Change::LeaveAdministrators(*account), witness(*account, *version)])
            }
            Self::PassOfNobody { pass, account, version, was_deleted: _ } => {
                let account = *account;
                let end = match *pass {
                    Pass::Session(session) => Change::EndSession { account, session },
                    Pass::ApiToken(token) => Change::DropApiToken { account, token },
                    Pass::Pending(pending) => Change::UsePending { account, pending },
                };
                Some(vec![end, witness(account, *version)])
            }
            Self::PictureUnowned { number, account } => {
                let witness = account.map(|(account, version)| witness(account, Some(version)));
                Some(std::iter::once(Change::DropPicture { number: *number }).chain(witness).collect())
            }
            Self::ClaimElsewhere { .. }
            | Self::NumberShared { .. }
            | Self::PictureMissing { .. }
            | Self::CodeOverguessed { .. }
            | Self::CodeOfNobody { .. }
            | Self::Unhashed { .. } => None,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClaimMissing { claim, .. } => {
                write!(f, "account {} has {}, which nobody holds", claim.account, Held(claim))
            }
            Self::ClaimElsewhere { claim, holder } => {
                write!(f, "account {} has {}, which is held by account {holder}", claim.account, Held(claim))
            }
            Self::ClaimProof { claim, .. } => {
                let proved = if claim.verified { "proved" } else { "not proved" };
                write!(f, "account {} has {} as {proved}, but its claim says otherwise", claim.account, Held(claim))
            }
            Self::ClaimUnowned { claim, version } => {
                let why = if version.is_some() { "hasn't got it" } else { "isn't there" };
                write!(f, "{} is held by account {}, which {why}", Held(claim), claim.account)
            }
            Self::AdministratorUnlisted { account, .. } => {
                write!(f, "account {account} is an active administrator, and isn't listed as one")
            }
            Self::AdministratorListed { account, .. } => {
                write!(f, "account {account} is listed as an active administrator, and is none")
            }
            Self::PassOfNobody { pass, account, version, was_deleted } => {
                let why = match (version, was_deleted) {
                    (Some(_), _) => "is disabled",
                    (None, true) => "was deleted",
                    (None, false) => "isn't there",
                };
                write!(f, "{pass} is open to account {account}, which {why}")
            }
            Self::NumberShared { number, accounts } => {
                let accounts: Vec<_> = accounts.iter().map(AccountId::to_string).collect();
                write!(f, "number {number} is had by accounts {}", accounts.join(" and "))
            }
            Self::PictureMissing { account } => write!(f, "the picture of account {account} isn't there"),
            Self::PictureUnowned { number, .. } => write!(f, "the picture under number {number} is no account's"),
            Self::CodeOverguessed { purpose } => {
                write!(f, "a code for {} was guessed at more often than it bears", purpose.as_str())
            }
            Self::CodeOfNobody { purpose, account } => {
                write!(f, "a code for {} was used for account {account}, which isn't there", purpose.as_str())
            }
            Self::Unhashed { what, account: Some(account) } => {
                write!(f, "{what} of account {account} keeps a secret that isn't hashed")
            }
            Self::Unhashed { what, account: None } => write!(f, "{what} keeps a secret that isn't hashed"),
        }
    }
}

/// A name or address, for people.
struct Held<'a>(&'a Claim);

impl fmt::Display for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0.kind {
            ClaimKind::Name => "name",
            ClaimKind::Email => "address",
        };
        write!(f, "the {kind} {:?}", self.0.key)
    }
}

impl fmt::Display for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(id) => write!(f, "session {id}"),
            Self::ApiToken(id) => write!(f, "API token {id}"),
            Self::Pending(id) => write!(f, "waiting sign-in {id}"),
        }
    }
}
