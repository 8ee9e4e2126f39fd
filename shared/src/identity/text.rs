//! Names and e-mail addresses: shown as typed, compared after NFKC, lower case and trimming.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::ClaimKind;

/// Why a piece of input is not acceptable. Contracts put it into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The field is required and absent (or null).
    Missing,
    /// The field has another JSON type; holds the expected one.
    WrongType(Kind),
    /// Fewer characters than this.
    TooShort(usize),
    /// A password that many people have.
    TooCommon,
    /// More characters than this.
    TooLong(usize),
    /// A list with more entries than this.
    TooMany(usize),
    /// Not an e-mail address.
    NotAnEmail,
    /// Has characters that a name can't have (control characters, `@`, surrounding blanks …).
    NotAName,
    /// Not an absolute web address.
    NotAUrl,
    /// Not a calendar date `YYYY-MM-DD`.
    NotADate,
    /// Not what an earlier answer gave for going on after it.
    NotACursor,
    /// Not one of the allowed values; holds them as text, e.g. `0, 1, 2`.
    NotOneOf(&'static str),
    /// Below or above what is allowed.
    OutOfRange(i64, i64),
}

/// What kind of value a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
    /// Several texts.
    Texts,
    /// Fields with names.
    Object,
    /// Several of those.
    Objects,
}

/// The form under which a name or address is unique: NFKC, lower case, trimmed. The one small letter that has two
/// forms, sigma, has one here: its capital doesn't tell which was meant.
pub fn canonical(text: &str) -> String {
    lower(text).chars().map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

fn lower(text: &str) -> String {
    text.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect::<String>().trim().to_owned()
}

/// Checks a length in characters (Unicode scalar values).
pub fn check_length(text: &str, allowed: &RangeInclusive<usize>) -> Result<(), Problem> {
    let length = text.chars().count();
    if length < *allowed.start() {
        return Err(Problem::TooShort(*allowed.start()));
    }
    if length > *allowed.end() {
        return Err(Problem::TooLong(*allowed.end()));
    }
    Ok(())
}

/// A login name, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Name(String);

impl Name {
    /// Accepts a name of the allowed length without control characters, line separators or
    /// surrounding blanks, and that is more than one or two dots. Whether it may contain `@` depends on the account's e-mail:
    /// [`Name::fits`].
    pub fn parse(text: &str, allowed: &RangeInclusive<usize>) -> Result<Self, Problem> {
        check_length(text, allowed)?;
        let canonical = canonical(text);
        let unseen = |c: char| c.is_control() || is_invisible(c);
        // Clients resolve these in a path, however they are escaped.
        let dots = matches!(canonical.as_str(), "." | "..");
        if text.trim() != text || canonical.is_empty() || dots || text.chars().any(unseen) {
            return Err(Problem::NotAName);
        }
        Ok(Self(text.to_owned()))
    }

    /// A name with `@` in it could pass for somebody's address, so it must be the account's own.
    pub fn fits(&self, email: Option<&EmailAddress>) -> bool {
        !self.looks_like_an_address() || email.is_some_and(|email| self.is_address(email))
    }

    /// Whether it has an `@` in it, in whichever width.
    pub fn looks_like_an_address(&self) -> bool {
        self.0.nfkc().any(|c| c == '@')
    }

    /// Whether it is this address.
    pub fn is_address(&self, email: &EmailAddress) -> bool {
        address_key(&self.0) == email.key()
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is unique in the pool.
    pub fn key(&self) -> String {
        canonical(&self.0)
    }
}

/// Characters that nobody sees: what Unicode calls default ignorable (soft hyphens, joiners, bidirectional controls,
/// fillers, variation selectors, tags), line separators, and the empty Braille pattern.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// An e-mail address, as typed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailAddress(String);

/// Bytes of an address (RFC 5321).
const LONGEST_ADDRESS: usize = 254;

impl EmailAddress {
    /// Accepts what mail can be delivered to: a dot-atom local part of at most 64 ASCII characters, one `@`, and a
    /// domain name with a dot, in any script (RFC 5321 lengths; quoted local parts and address literals are refused).
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim();
        let Some((local, domain)) = text.rsplit_once('@') else { return Err(Problem::NotAnEmail) };
        // As typed, and as mail servers know it: in ASCII a domain of another script is longer.
        let short = |text: &str| text.len() <= LONGEST_ADDRESS;
        let acceptable = short(text) && short(&address_key(text)) && is_local_part(local) && is_domain(domain);
        if !acceptable {
            return Err(Problem::NotAnEmail);
        }
        Ok(Self(text.to_owned()))
    }

    /// As typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that is unique in the pool: the domain as mail servers know it, in ASCII (RFC 5891).
    pub fn key(&self) -> String {
        address_key(&self.0)
    }
}

/// Not by the canonical form: domains that differ in the form of a sigma are different domains.
fn address_key(text: &str) -> String {
    let lower = lower(text);
    let ascii = lower.rsplit_once('@').and_then(|(local, domain)| {
        let domain = idna::domain_to_ascii(domain).ok()?;
        Some(format!("{local}@{domain}"))
    });
    ascii.unwrap_or(lower)
}

fn is_local_part(local: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    (1..=64).contains(&local.len())
        && local.chars().all(allowed)
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
}

fn is_domain(domain: &str) -> bool {
    idna::domain_to_ascii(domain).is_ok_and(|ascii| is_ascii_domain(&ascii))
}

fn is_ascii_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    domain.contains('.') && domain.split('.').all(label)
}

/// What a person typed to say who they are: a name or an e-mail address, in the form that is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    name: String,
    address: Option<String>,
}

impl Identifier {
    /// Takes any text; what matches no account is simply wrong.
    pub fn new(text: &str) -> Self {
        let name = canonical(text);
        let address = name.contains('@').then(|| address_key(text));
        Self { name, address }
    }

    /// What it is as a name.
    pub fn name_key(&self) -> &str {
        &self.name
    }

    /// What may be owned under it, in the order in which owners are looked for. What looks like an address is looked for
    /// among addresses first: a name of that form may be left with somebody who never proved the address.
    pub fn claims(&self) -> Vec<(ClaimKind, String)> {
        let address = self.address_key().map(|key| (ClaimKind::Email, key.to_owned()));
        let name = Some((ClaimKind::Name, self.name.clone())).filter(|(_, key)| !key.is_empty());
        address.into_iter().chain(name).collect()
    }

    /// The one form under which attempts with it are counted, however it is typed.
    pub fn key(&self) -> &str {
        self.address_key().unwrap_or(self.name_key())
    }

    /// What it is as an address, if it looks like one.
    pub fn address_key(&self) -> Option<&str> {
        self.address.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_person_however_typed() {
        for (typed, same) in
            [("Alice", "alice"), ("ＡＬＩＣＥ", "alice"), (" alice ", "ALICE"), ("ﬁn", "FIN"), ("Σίσυφος", "ΣΊΣΥΦΟΣ")]
        {
            assert_eq!(canonical(typed), canonical(same), "{typed} and {same}");
        }
        assert_ne!(canonical("alice"), canonical("al1ce"));
    }

    #[test]
    fn names_are_refused_for_what_nobody_can_see() {
        let allowed = 3..=32;
        for bad in [
            "al\u{202e}ice",
            "alice\n",
            " alice",
            "a\u{200b}lice",
            "\u{2000}\u{2000}\u{2000}",
            "adm\u{ad}in",
            "\u{3164}\u{3164}\u{3164}",
            "a\u{e0041}bc",
        ] {
            assert_eq!(Name::parse(bad, &allowed), Err(Problem::NotAName), "{bad:?}");
        }
        assert_eq!(Name::parse("al", &allowed), Err(Problem::TooShort(3)));
        assert_eq!(Name::parse(&"é".repeat(33), &allowed), Err(Problem::TooLong(32)));
        assert!(Name::parse("萌芽用户", &allowed).is_ok());
    }

    #[test]
    fn a_name_may_be_the_accounts_own_address_and_no_other() {
        let name = Name::parse("Bob@Example.com", &(3..=32)).expect("a legal length");
        let own = EmailAddress::parse("bob@example.com").expect("an address");
        let other = EmailAddress::parse("eve@example.com").expect("an address");
        assert!(name.fits(Some(&own)));
        assert!(!name.fits(Some(&other)));
        assert!(!name.fits(None));
        let wide = Name::parse("bob＠example.com", &(3..=32)).expect("a legal length");
        assert!(!wide.fits(None), "a full-width @ becomes a plain one when compared");
        let unicode = Name::parse("bob@例子.中国", &(3..=32)).expect("a legal length");
        let ascii = EmailAddress::parse("Bob@xn--fsqu00a.xn--fiqs8s").expect("an address");
        assert!(unicode.fits(Some(&ascii)), "one domain in two scripts");
    }

    #[test]
    fn addresses_that_mail_can_reach() {
        for good in ["a@b.co", "first.last+tag@sub.example.com", "o'neil@example.ie", "user@例子.中国"] {
            assert!(EmailAddress::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a",
            "a@b",
            "@b.co",
            "a@",
            "a b@c.de",
            "a@b..co",
            ".a@b.co",
            "a@-b.co",
            "a@b.co\r\nBcc: x@y.z",
            "<a@b.co>",
            "用户@b.co",
            "a@٠.com",
            "a@1ב.com",
            "a@xn--a.com",
        ] {
            assert_eq!(EmailAddress::parse(bad), Err(Problem::NotAnEmail), "{bad:?}");
        }
    }

    #[test]
    fn a_domain_is_one_domain_in_any_script() {
        let unicode = EmailAddress::parse("User@例子.中国").expect("an address");
        let ascii = EmailAddress::parse("user@xn--fsqu00a.xn--fiqs8s").expect("an address");
        assert_eq!(unicode.key(), ascii.key());
        assert_eq!(Identifier::new("USER@例子.中国").address_key(), Some(ascii.key().as_str()));
        let (one, other) = ("user@βόλος.example.com", "user@βόλοσ.example.com");
        let keys = [one, other].map(|text| EmailAddress::parse(text).expect("an address").key());
        assert_ne!(keys[0], keys[1], "two domains, perhaps of two owners");
        let long = |labels: usize| EmailAddress::parse(&format!("user@{}com", "例子.".repeat(labels)));
        assert!(long(20).is_ok() && long(21) == Err(Problem::NotAnEmail), "longer in ASCII than as typed");
    }

    proptest! {
        #[test]
        fn canonical_is_stable(text in "\\PC{0,40}") {
            let once = canonical(&text);
            prop_assert_eq!(canonical(&once), once);
        }

        #[test]
        fn parsing_never_panics(text in any::<String>()) {
            let _ = Name::parse(&text, &(3..=32));
            let _ = EmailAddress::parse(&text);
        }
    }
}
