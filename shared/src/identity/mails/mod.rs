//! What mails say: codes and notices, in each language, on the deployment's own stationery.

mod brand;
mod built_in;
mod check;
mod notice;
mod shown;
mod stationery;
#[cfg(test)]
mod tests;

use serde::Serialize;
use time::{OffsetDateTime, UtcOffset};

pub use brand::{Brand, Colour};
pub use notice::Notice;
pub use stationery::{BadTemplate, Stationery, TemplateFile};

use shown::{device, shown};
use stationery::{Facts, Words};

use super::admission::network;
use super::{Account, CODE_LIFE, Code, EmailAddress, Language, Mail, Purpose, Visitor};

/// How much of a person's name a mail shows, in characters.
const MOST_PERSON: usize = 60;
/// How much of an address or a source.
const MOST_ADDRESS: usize = 100;

/// What the words of a mail with a code, or in place of one, may name.
#[derive(Debug, Serialize)]
struct CodeValues {
    /// How long the code is good.
    minutes: u64,
}

/// What the words of a notice may name.
#[derive(Debug, Serialize)]
struct NoticeValues<'a> {
    /// Login name.
    name: &'a str,
    /// The address that it is about, where it is about one.
    address: Option<&'a str>,
    /// Whether it goes to an address that isn't the account's primary one any more.
    former: bool,
    /// Whether somebody else did it.
    by_administrator: bool,
}

/// Something that happened to an account, as its person is told.
#[derive(Debug)]
pub(super) struct Happening<'a> {
    pub(super) notice: Notice,
    pub(super) account: &'a Account,
    pub(super) at: OffsetDateTime,
    /// From where the person themselves did it; absent where somebody else did.
    pub(super) from: Option<&'a Visitor>,
    /// The address that was added or removed.
    pub(super) address: Option<&'a EmailAddress>,
    /// Whether the mail goes to an address that isn't the primary one any more.
    pub(super) former: bool,
}

impl Stationery {
    /// The mail that carries a code, or (for an address that is another account's already) the notice in its place.
    /// Nothing in it was typed by whoever asked for it.
    pub(super) fn code_mail(
        &self,
        purpose: Purpose,
        to: &EmailAddress,
        code: &Code,
        language: Language,
    ) -> anyhow::Result<Mail> {
        let code = match purpose {
            Purpose::Register | Purpose::ResetPassword | Purpose::SecondaryEmail | Purpose::ChangeEmail => {
                Some(code.reveal())
            }
            Purpose::AlreadyRegistered | Purpose::AddressInUse | Purpose::Notice(_) => None,
        };
        let values = CodeValues { minutes: CODE_LIFE.as_secs() / 60 };
        self.write(&Words { to, purpose, language, code, person: None, facts: Facts::default(), values })
    }

    /// The mail that tells a person what happened to their account.
    pub(super) fn notice(&self, of: &Happening<'_>, to: &EmailAddress, language: Language) -> anyhow::Result<Mail> {
        let person = shown(of.account.display_name(), MOST_PERSON);
        let name = shown(of.account.name.as_str(), MOST_PERSON);
        let source = of.from.and_then(|visitor| network(&visitor.source)).unwrap_or_default();
        let source = shown(&source, MOST_ADDRESS);
        let address = of.address.map(|address| shown(address.as_str(), MOST_ADDRESS));
        let facts = Facts {
            when: Some(self.instant(of.at)),
            from: of.from.map(|visitor| (device(&visitor.agent), source.as_str())),
        };
        let values = NoticeValues {
            name: &name,
            address: address.as_deref(),
            former: of.former,
            by_administrator: of.from.is_none(),
        };
        let purpose = Purpose::Notice(of.notice);
        // A name of nothing but invisible characters is no name.
        let person = Some(person.as_str()).filter(|person| !person.is_empty()).unwrap_or(&name);
        self.write(&Words { to, purpose, language, code: None, person: Some(person), facts, values })
    }

    /// An instant to the minute, in the deployment's time and in UTC.
    fn instant(&self, at: OffsetDateTime) -> String {
        let utc = at.to_offset(UtcOffset::UTC);
        let Some(zone) = self.zone else { return format!("{} {} UTC", utc.date(), clock(utc)) };
        let here = at.to_offset(zone);
        let (hours, minutes, _) = zone.as_hms();
        let sign = if zone.is_negative() { '-' } else { '+' };
        let (hours, minutes) = (hours.unsigned_abs(), minutes.unsigned_abs());
        let day = if here.date() == utc.date() { String::new() } else { format!("{} ", utc.date()) };
        format!("{} {} UTC{sign}{hours:02}:{minutes:02} ({day}{} UTC)", here.date(), clock(here), clock(utc))
    }
}

fn clock(at: OffsetDateTime) -> String {
    format!("{:02}:{:02}", at.hour(), at.minute())
}
