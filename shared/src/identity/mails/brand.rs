//! Whose mails these are: name, colour, and where people find help.

use serde::{Serialize, Serializer};

use super::shown;
use crate::identity::EmailAddress;

/// A colour, red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    /// Reads `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How long a brand's name may be, in characters.
const MOST_NAME: usize = 60;

/// Whose mails these are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Brand {
    /// What people call the service.
    pub(super) name: String,
    /// Of the bar on top of a mail. Never of text or behind it, so that any colour will do.
    pub(super) colour: Colour,
    /// Who answers questions.
    #[serde(serialize_with = "text")]
    pub(super) support_email: Option<EmailAddress>,
    /// Where questions are answered.
    pub(super) support_url: Option<String>,
}

fn text<S: Serializer>(address: &Option<EmailAddress>, serializer: S) -> Result<S::Ok, S::Error> {
    address.as_ref().map(EmailAddress::as_str).serialize(serializer)
}

impl Default for Brand {
    fn default() -> Self {
        Self { name: "Polygate".to_owned(), colour: Colour([0x2f, 0x5b, 0xd7]), support_email: None, support_url: None }
    }
}

impl Brand {
    /// The same under another name, of which control characters and everything beyond 60 characters is left out.
    #[must_use]
    pub fn named(self, name: &str) -> Self {
        Self { name: shown(name, MOST_NAME), ..self }
    }

    /// The same in another colour.
    #[must_use]
    pub fn coloured(self, colour: Colour) -> Self {
        Self { colour, ..self }
    }

    /// The same with where people find help: an address to write to, and an `https://` address to read.
    #[must_use]
    pub fn helped_by(self, support_email: Option<EmailAddress>, support_url: Option<String>) -> Self {
        Self { support_email, support_url, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_six_digits_behind_a_cross() {
        assert_eq!(Colour::parse("#2F5bd7").map(|colour| colour.to_string()).as_deref(), Some("#2f5bd7"));
        for wrong in ["", "2f5bd7", "#2f5bd", "#2f5bd7a", "#2f5bdg", "#+f5bd7", "red", "#é2f5b", "#fff;a:b"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }
}
