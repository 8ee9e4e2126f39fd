//! The settings of how mails look.

use std::path::PathBuf;

use super::{BadSetting, Lookup, host_of, optional, text};
use crate::identity::{Brand, Colour, EmailAddress};

/// How long a brand's name may be, in characters.
const MOST_NAME: usize = 60;

pub(super) fn brand(lookup: Lookup<'_>) -> Result<Brand, BadSetting> {
    let mut brand = Brand::default();
    if let Some(given) = optional(lookup, "BRAND_NAME", name)? {
        brand = brand.named(&given);
    }
    if let Some(given) = optional(lookup, "BRAND_COLOR", colour)? {
        brand = brand.coloured(given);
    }
    let email = optional(lookup, "SUPPORT_EMAIL", email)?;
    Ok(brand.helped_by(email, optional(lookup, "SUPPORT_URL", url)?))
}

pub(super) fn templates(lookup: Lookup<'_>) -> Result<Option<PathBuf>, BadSetting> {
    Ok(optional(lookup, "MAIL_TEMPLATES", text)?.map(PathBuf::from))
}

fn name(text: &str) -> Result<String, String> {
    let plain = text.chars().count() <= MOST_NAME && !text.chars().any(char::is_control);
    if plain { Ok(text.to_owned()) } else { Err("write one line of at most 60 characters".to_owned()) }
}

fn colour(text: &str) -> Result<Colour, String> {
    Colour::parse(text).ok_or_else(|| "write a colour as in #2f5bd7".to_owned())
}

fn email(text: &str) -> Result<EmailAddress, String> {
    EmailAddress::parse(text).map_err(|_| "write one e-mail address".to_owned())
}

fn url(text: &str) -> Result<String, String> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte));
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if plain && host_of(authority).is_some() {
        return Ok(text.to_owned());
    }
    Err("write an https:// address, such as https://example.com/help".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn bad_ones_say_how_to_mend_them() {
        for (variable, value, mend) in [
            ("BRAND_NAME", "a\nb", "write one line of at most 60 characters"),
            ("BRAND_NAME", &"x".repeat(61), "write one line of at most 60 characters"),
            ("BRAND_COLOR", "red", "write a colour as in #2f5bd7"),
            ("BRAND_COLOR", "#fff;background:url(x)", "write a colour as in #2f5bd7"),
            ("SUPPORT_EMAIL", "help", "write one e-mail address"),
            ("SUPPORT_EMAIL", "a@example.com,b@example.com", "write one e-mail address"),
            ("SUPPORT_URL", "http://example.com", HTTPS),
            ("SUPPORT_URL", "javascript:alert(1)", HTTPS),
            ("SUPPORT_URL", "https://", HTTPS),
            ("SUPPORT_URL", "https://me@example.com", HTTPS),
            ("SUPPORT_URL", "https://example.com/\"onclick=x", HTTPS),
        ] {
            let settings = Settings::parse(&|asked| (asked == variable).then(|| value.to_owned()));
            let told = settings.expect_err(value).to_string();
            assert_eq!(told, format!("{variable}={value} is not usable: {mend}"));
        }
    }

    const HTTPS: &str = "write an https:// address, such as https://example.com/help";

    #[test]
    fn good_ones_are_kept() {
        let given = [
            ("BRAND_NAME", "Photos & Co"),
            ("BRAND_COLOR", "#FF8800"),
            ("SUPPORT_EMAIL", "help@example.com"),
            ("SUPPORT_URL", "https://example.com:8443/help?from=mail#top"),
            ("MAIL_TEMPLATES", "/opt/mails"),
        ];
        let lookup = |asked: &str| given.iter().find(|(name, _)| *name == asked).map(|(_, value)| (*value).to_owned());
        let settings = Settings::parse(&lookup).expect("good settings");
        let expected =
            Brand::default().named("Photos & Co").coloured(Colour::parse("#ff8800").expect("a colour")).helped_by(
                Some(EmailAddress::parse("help@example.com").expect("an address")),
                Some("https://example.com:8443/help?from=mail#top".to_owned()),
            );
        assert_eq!(settings.brand, expected);
        assert_eq!(settings.mail_templates, Some(PathBuf::from("/opt/mails")));
    }
}
