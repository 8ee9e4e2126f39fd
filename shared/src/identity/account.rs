//! Accounts: who a person is to every application behind the account centre.

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime};
use uuid::Uuid;

use super::{Avatar, EmailAddress, Hashed, Language, MailMark, Name, PasswordHash, SecondFactor};

// Written as text whatever the time library's features are, so that every build reads what another wrote.
time::serde::format_description!(calendar_date, Date, "[year]-[month]-[day]");

/// An account's permanent identifier, the `sub` of its access tokens: a UUIDv7, or that of the system it was imported from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub Uuid);

impl std::fmt::Display for AccountId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl AccountId {
    /// Reads an id as it is shown; `None` where it can't be one.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(Self)
    }
}

/// What an account may do on the administrator's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// An ordinary person.
    User,
    /// May administer every account.
    Admin,
}

/// A person's gender as they stated it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gender {
    /// Not stated.
    #[default]
    Unknown,
    /// Male.
    Male,
    /// Female.
    Female,
}

/// What applications count per account; whole things, never negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    /// Photographs kept.
    pub photos: u64,
    /// Albums kept.
    pub albums: u64,
    /// Things marked as favourite.
    pub favorites: u64,
    /// Likes received.
    pub likes: u64,
}

/// What a person writes about themselves. Text that is not set is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Profile {
    /// Free text shown instead of the name.
    pub display_name: String,
    /// A picture of them.
    #[serde(flatten)]
    pub avatar: Avatar,
    /// Text, possibly Markdown; never rendered by this service.
    pub bio: String,
    /// Stated gender.
    pub gender: Gender,
    /// Stated date of birth.
    #[serde(with = "calendar_date::option")]
    pub birthday: Option<Date>,
    /// A telephone number, as typed.
    pub phone: String,
    /// The language that mails to them are in; that of the request which causes one where they never said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// The account's primary e-mail address and whether its holder has proved it by a mailed code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailClaim {
    /// The address.
    pub address: EmailAddress,
    /// False while nobody has shown that mail to it reaches them; such a claim yields to whoever proves it.
    pub verified: bool,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Permanent identifier.
    pub id: AccountId,
    /// Counts from 1 in order of creation, with gaps.
    pub number: u64,
    /// Login name, shown as typed.
    pub name: Name,
    /// Primary e-mail, if any.
    pub email: Option<EmailClaim>,
    /// Further verified addresses.
    pub secondary_emails: Vec<EmailAddress>,
    /// What the account may administer.
    pub role: Role,
    /// False when an administrator has disabled it.
    pub active: bool,
    /// The argon2id hash of the password.
    pub password: PasswordHash,
    /// True until the password that somebody else chose is replaced.
    pub must_change_password: bool,
    /// Sessions opened under an earlier generation are over; raised by whatever must end them all.
    pub session_generation: u64,
    /// API tokens made under an earlier generation are over; raised by whatever must end them all.
    #[serde(default)]
    pub token_generation: u64,
    /// What signing in takes besides the password, once it is turned on.
    #[serde(default)]
    pub second_factor: Option<SecondFactor>,
    /// Whether an administrator demands one of this account.
    #[serde(default)]
    pub second_factor_required: bool,
    /// Addresses that mail could not be delivered to. Some may be the account's no more: see
    /// [`Account::undeliverable`].
    #[serde(default)]
    pub mail_marks: Vec<MailMark>,
    /// What the person says of themselves.
    pub profile: Profile,
    /// A level that applications grant.
    pub level: i64,
    /// A balance that applications keep.
    pub coins: i64,
    /// Bytes the account may store; -1 is unlimited.
    pub storage_limit: i64,
    /// Bytes the account stores.
    pub storage_used: i64,
    /// Usage counters.
    pub usage: Usage,
    /// When it was made.
    #[serde(with = "super::millis")]
    pub created_at: OffsetDateTime,
    /// When the person or an administrator last changed it.
    #[serde(with = "super::millis")]
    pub updated_at: OffsetDateTime,
}

/// Bytes a new account may store: 10 GiB.
pub const DEFAULT_STORAGE_LIMIT: i64 = 10_737_418_240;

impl Account {
    /// Whether it keeps neither its password nor a recovery code.
    pub(super) fn is_hashed(&self) -> bool {
        self.password.is_hash() && self.recovery_codes().iter().all(Hashed::is_hash)
    }

    /// The name to show: the display name, or the login name where none is set.
    pub fn display_name(&self) -> &str {
        match self.profile.display_name.as_str() {
            "" => self.name.as_str(),
            shown => shown,
        }
    }

    /// The primary address as text, "" where there is none.
    pub fn email_text(&self) -> &str {
        self.email.as_ref().map_or("", |claim| claim.address.as_str())
    }

    /// Whether this canonical address is one of those besides the primary.
    pub fn has_secondary(&self, key: &str) -> bool {
        self.secondary_emails.iter().any(|own| own.key() == key)
    }

    /// The account's address of this canonical form, proved or not.
    pub fn address(&self, key: &str) -> Option<&EmailAddress> {
        let primary = self.email.as_ref().map(|claim| &claim.address);
        primary.into_iter().chain(&self.secondary_emails).find(|own| own.key() == key)
    }

    /// Whether this canonical address is the account's, proved or not.
    pub fn has_address(&self, key: &str) -> bool {
        self.address(key).is_some()
    }

    /// Whether this canonical address is the account's and proved.
    pub fn has_proved(&self, key: &str) -> bool {
        let primary = self.email.as_ref().is_some_and(|claim| claim.verified && claim.address.key() == key);
        primary || self.has_secondary(key)
    }

    /// Whether the account may use the administrator's side.
    pub fn is_admin(&self) -> bool {
        self.role == Role::Admin
    }
}

/// Changes a person makes to their own profile; `None` leaves a field as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProfileChanges {
    /// New display name; "" clears it.
    pub display_name: Option<String>,
    /// New address of the avatar; "" clears it, and either takes an uploaded picture away.
    pub avatar_url: Option<String>,
    /// New text about the person.
    pub bio: Option<String>,
    /// New gender.
    pub gender: Option<Gender>,
    /// New date of birth; `Some(None)` clears it.
    pub birthday: Option<Option<Date>>,
    /// New telephone number.
    pub phone: Option<String>,
    /// New language of mails; `Some(None)` clears it.
    pub language: Option<Option<Language>>,
}

impl ProfileChanges {
    /// Whether nothing is to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Applies the changes to a profile.
    pub fn apply(self, profile: &mut Profile) {
        let Self { display_name, avatar_url, bio, gender, birthday, phone, language } = self;
        profile.display_name = display_name.unwrap_or_else(|| std::mem::take(&mut profile.display_name));
        profile.avatar = avatar_url.map_or_else(|| std::mem::take(&mut profile.avatar), Avatar::at);
        profile.bio = bio.unwrap_or_else(|| std::mem::take(&mut profile.bio));
        profile.gender = gender.unwrap_or(profile.gender);
        profile.birthday = birthday.unwrap_or(profile.birthday);
        profile.phone = phone.unwrap_or_else(|| std::mem::take(&mut profile.phone));
        profile.language = language.unwrap_or(profile.language);
    }
}
