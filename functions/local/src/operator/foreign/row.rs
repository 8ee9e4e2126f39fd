//! An account as it stands in another system's data, and as the core takes it.

use polygate_shared::http::is_web_address;
use polygate_shared::identity::{
    AccountId, Avatar, EmailAddress, EmailClaim, ForeignAccount, Gender, MOST_SECONDARY_EMAILS, Name, PasswordHash,
    Profile, Role, SecondFactor, TotpSecret,
};
use time::{Date, OffsetDateTime};

use crate::command::System;

/// Names of whatever length any contract takes.
const NAME_LENGTHS: std::ops::RangeInclusive<usize> = 1..=64;
/// What the contracts take of the rest, in characters.
const DISPLAY_NAME: usize = 64;
const BIO: usize = 4096;
const PHONE: usize = 32;
const AVATAR_URL: usize = 512;

/// An account that was read, not yet checked.
#[derive(Default)]
pub(super) struct Row {
    /// What identifies it there.
    pub(super) key: String,
    /// Its id here, where it was a UUID there.
    pub(super) id: Option<AccountId>,
    pub(super) name: String,
    pub(super) email: String,
    /// Whether mail had shown that the addresses are theirs.
    pub(super) addresses_are_proved: bool,
    pub(super) secondary_emails: Vec<String>,
    /// "" where nobody signed in by a password.
    pub(super) password_hash: String,
    pub(super) must_change_password: bool,
    /// In base32, of a second factor that is on.
    pub(super) totp_secret: Option<String>,
    pub(super) is_administrator: bool,
    pub(super) is_disabled: bool,
    pub(super) display_name: String,
    pub(super) avatar: String,
    pub(super) bio: String,
    pub(super) gender: Gender,
    pub(super) birthday: Option<Date>,
    pub(super) phone: String,
    pub(super) level: i64,
    pub(super) coins: i64,
    pub(super) storage_limit: Option<i64>,
    pub(super) storage_used: i64,
    pub(super) created_at: Option<OffsetDateTime>,
    pub(super) updated_at: Option<OffsetDateTime>,
    /// What of it has no place here.
    pub(super) left_behind: Vec<&'static str>,
}

/// An account whose data can't be understood.
pub(super) struct Unreadable {
    pub(super) key: String,
    pub(super) name: String,
    pub(super) why: String,
}

/// What a reader makes of one account.
pub(super) type Read = Result<Row, Unreadable>;

/// An account that can be imported, if nobody has its name and addresses.
pub(super) struct Candidate {
    pub(super) account: ForeignAccount,
    pub(super) left_behind: Vec<&'static str>,
}

impl Row {
    /// Whether nobody ever chose this administrator's password: it is in that system's documents.
    fn has_first_password(&self) -> bool {
        self.is_administrator && self.must_change_password
    }

    /// The same again only if all that tells accounts apart is the same: another installation of that system has the same
    /// numbers, and possibly the same names, for other people.
    fn derived_id(&self, system: System) -> AccountId {
        let parts = [&self.key, &self.name, &self.email, &self.password_hash].map(|part| part.trim());
        AccountId::of_foreign(system.name(), &parts.join("\n"))
    }

    /// What the core takes, or why it can't.
    pub(super) fn check(self, system: System, administrators: bool) -> Result<Candidate, String> {
        if self.has_first_password() {
            return Err("its first password was never replaced; \
                        `polygate admin reset-password NAME --reinstate` makes an administrator"
                .to_owned());
        }
        let name = Name::parse(&self.name, &NAME_LENGTHS).map_err(|_| "its name can't be a login name here")?;
        let email = some(&self.email).map(address).transpose()?;
        if !name.fits(email.as_ref()) {
            return Err("its name has an @ in it and isn't its address".to_owned());
        }
        let secondary_emails = self.secondary_emails.iter().map(|text| address(text)).collect::<Result<Vec<_>, _>>()?;
        if secondary_emails.len() > MOST_SECONDARY_EMAILS {
            return Err(format!("it has more than {MOST_SECONDARY_EMAILS} further addresses"));
        }
        if self.storage_used < 0 || self.storage_limit.is_some_and(|limit| limit < -1) {
            return Err("its storage is below nothing".to_owned());
        }
        if self.level < 0 || self.coins < 0 {
            return Err("its level or its balance is below nothing".to_owned());
        }
        let id = self.id.unwrap_or_else(|| self.derived_id(system));
        let password = some(&self.password_hash).map(password).transpose()?;
        let second_factor = self.totp_secret.as_deref().map(second_factor).transpose()?;
        let mut left_behind = self.left_behind;
        let mut keep = |text: String, most: usize, what: &'static str| {
            let is_fine = text.chars().count() <= most && !text.chars().any(is_unprintable);
            left_behind.extend((!is_fine).then_some(what));
            if is_fine { text } else { String::new() }
        };
        let display_name = keep(self.display_name, DISPLAY_NAME, "display name, too long or with control characters");
        let bio = keep(self.bio, BIO, "text about the person, too long or with control characters");
        let phone = keep(self.phone, PHONE, "telephone number, too long or with control characters");
        let avatar = keep(self.avatar, AVATAR_URL, "picture's address, too long or with control characters");
        let (avatar, stays) = avatar_at(avatar);
        left_behind.extend(stays);
        let has_way_in = password.is_some() || email.is_some();
        left_behind.extend((!has_way_in).then_some("a way in: there is neither a password nor an address"));
        let is_administrator = self.is_administrator && administrators;
        left_behind.extend((self.is_administrator && !administrators).then_some("rights of an administrator"));
        let account = ForeignAccount {
            id,
            name,
            email: email.map(|address| EmailClaim { address, verified: self.addresses_are_proved }),
            secondary_emails,
            password,
            must_change_password: self.must_change_password,
            second_factor,
            role: if is_administrator { Role::Admin } else { Role::User },
            active: !self.is_disabled,
            profile: Profile {
                display_name,
                avatar,
                bio,
                gender: self.gender,
                birthday: self.birthday,
                phone,
                language: None,
            },
            level: self.level,
            coins: self.coins,
            storage_limit: self.storage_limit,
            storage_used: self.storage_used,
            created_at: self.created_at,
            updated_at: self.updated_at,
        };
        Ok(Candidate { account, left_behind })
    }
}

/// All control characters but those that make lines.
fn is_unprintable(character: char) -> bool {
    character.is_control() && !matches!(character, '\n' | '\r' | '\t')
}

fn some(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn address(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse(text).map_err(|_| format!("its address `{text}` is none that mail can be sent to"))
}

fn password(hash: &str) -> Result<PasswordHash, String> {
    PasswordHash::imported(hash)
        .ok_or_else(|| "its password isn't kept as a bcrypt hash of a cost from 4 to 14".to_owned())
}

fn second_factor(secret: &str) -> Result<SecondFactor, String> {
    let secret = TotpSecret::imported(secret).ok_or("its second factor's secret is no base32 of 80 bits or more")?;
    Ok(SecondFactor::imported(secret))
}

/// An address elsewhere; a picture that lies in the other system stays there.
fn avatar_at(address: String) -> (Avatar, Option<&'static str>) {
    let is_elsewhere = is_web_address(&address);
    match (address.is_empty(), is_elsewhere) {
        (true, _) => (Avatar::None, None),
        (false, true) => (Avatar::at(address), None),
        (false, false) => (Avatar::None, Some("picture, which lies in that system")),
    }
}
