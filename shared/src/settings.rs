//! The deployment's settings: read from the environment once, at start, and checked there.

mod bad;
mod brand;
mod choices;
mod hosts;
mod mail;

use std::path::PathBuf;
use std::time::Duration;

use time::UtcOffset;

pub use bad::BadSetting;

use self::hosts::{host_of, hosts, is_here};
use crate::http::{Contract, HostMap};
use crate::identity::{Brand, HashCost, PasswordPolicy, SecondFactorRule, SigningAlgorithm, SigningPolicy};

/// Everything that can be set, with the variable that sets it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE_NAME`: the table that holds everything. Default `polygate`.
    pub table: String,
    /// `MAIL_FROM`: sender of all mail, `a@example.com` or `Name <a@example.com>`; only functions that send any need it.
    pub mail_from: Option<String>,
    /// `MAIL_REPLY_TO`: where answers to mails go, in the same form. Where absent: to the sender.
    pub mail_reply_to: Option<String>,
    /// `MAIL_CONFIGURATION_SET`: the configuration set of SES that mails are sent under, if any.
    pub mail_configuration_set: Option<String>,
    /// `ADMIN_PASSWORD_SECRET`: the secret of AWS Secrets Manager with the first administrator's password, by ARN or name.
    pub admin_password_secret: Option<String>,
    /// `ADMIN_TOKEN_SECRET`: the one with the administrator token.
    pub admin_token_secret: Option<String>,
    /// `ROOT_CONTRACT`: the contract of paths that name none. Default `sproutgate`.
    pub root_contract: Contract,
    /// `CONTRACT_HOSTS`: contracts by host name, e.g. `photos.example.com=zeaya,hub.example.com=mcphub`.
    pub contract_hosts: HostMap,
    /// `ALLOW_REGISTRATION`: whether anybody may make an account, `true` or `false`. Default `true`.
    pub allow_registration: bool,
    /// `PASSWORD_POLICY`: which passwords may be chosen, `contract` (each contract's own length) or `strict`. Default `contract`.
    pub password_policy: PasswordPolicy,
    /// `HASH_COST`: what a new password's argon2id hash costs, `m=19456,t=2` (the default) or more: KiB of memory, at most 262144,
    /// and passes, at most 20. Weaker hashes are made anew when their password is next given.
    pub hash_cost: HashCost,
    /// `REQUIRE_SECOND_FACTOR`: who must have a second factor, `nobody` (the default), `administrators` or `everyone`.
    pub require_second_factor: SecondFactorRule,
    /// `SIGNING_ALGORITHM`: what access tokens are signed with, `ES256` (the default) or `RS256`.
    pub signing_algorithm: SigningAlgorithm,
    /// `KEY_MAX_AGE_DAYS`: after how many days another signing key takes over, 1 to 3650; 0 for never. Default 90.
    pub key_max_age: Option<Duration>,
    /// `SOURCE_LIMIT_TIMES`: how many times as often one address may try as by default, 1 to 1000, where many people
    /// share one. Default 1.
    pub source_limit_times: u32,
    /// `ALLOWED_ORIGINS`: web origins that may send cookies, e.g. `https://app.example.com`, with commas between.
    pub allowed_origins: Vec<String>,
    /// `ISSUER`: the `iss` of all tokens. Where absent it is fixed at first use.
    pub issuer: Option<String>,
    /// `TIME_ZONE`: offset of the times that the zeaya contract shows without one, e.g. `+08:00` (the default). Mails show
    /// it besides UTC.
    pub zone: UtcOffset,
    /// `BRAND_NAME`, `BRAND_COLOR`, `SUPPORT_EMAIL`, `SUPPORT_URL`: whose mails these are, and who helps.
    pub brand: Brand,
    /// `MAIL_TEMPLATES`: a directory with templates that replace built-in ones.
    pub mail_templates: Option<PathBuf>,
}

/// Looks a variable up.
type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Settings {
    /// With what tokens are signed.
    pub fn signing(&self) -> SigningPolicy {
        SigningPolicy { algorithm: self.signing_algorithm, max_age: self.key_max_age }
    }

    /// Reads the settings through `lookup`; variables that are absent or empty take their defaults.
    pub fn parse(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, BadSetting> {
        Ok(Self {
            table: optional(lookup, "TABLE_NAME", text)?.unwrap_or_else(|| "polygate".to_owned()),
            mail_from: optional(lookup, "MAIL_FROM", mail::sender)?,
            mail_reply_to: optional(lookup, "MAIL_REPLY_TO", mail::sender)?,
            mail_configuration_set: optional(lookup, "MAIL_CONFIGURATION_SET", mail::configuration_set)?,
            admin_password_secret: optional(lookup, "ADMIN_PASSWORD_SECRET", text)?,
            admin_token_secret: optional(lookup, "ADMIN_TOKEN_SECRET", text)?,
            root_contract: optional(lookup, "ROOT_CONTRACT", contract)?.unwrap_or(Contract::Sproutgate),
            contract_hosts: optional(lookup, "CONTRACT_HOSTS", hosts)?.unwrap_or_default(),
            allow_registration: optional(lookup, "ALLOW_REGISTRATION", choices::boolean)?.unwrap_or(true),
            password_policy: optional(lookup, "PASSWORD_POLICY", choices::password_policy)?.unwrap_or_default(),
            hash_cost: optional(lookup, "HASH_COST", choices::hash_cost)?.unwrap_or_default(),
            require_second_factor: optional(lookup, "REQUIRE_SECOND_FACTOR", choices::second_factor)?
                .unwrap_or_default(),
            signing_algorithm: optional(lookup, "SIGNING_ALGORITHM", choices::signing_algorithm)?.unwrap_or_default(),
            key_max_age: optional(lookup, "KEY_MAX_AGE_DAYS", choices::days)?
                .unwrap_or(SigningPolicy::default().max_age),
            source_limit_times: optional(lookup, "SOURCE_LIMIT_TIMES", choices::times)?.unwrap_or(1),
            allowed_origins: optional(lookup, "ALLOWED_ORIGINS", origins)?.unwrap_or_default(),
            issuer: optional(lookup, "ISSUER", issuer)?,
            zone: optional(lookup, "TIME_ZONE", zone)?.unwrap_or(DEFAULT_ZONE),
            brand: brand::brand(lookup)?,
            mail_templates: brand::templates(lookup)?,
        })
    }
}

const DEFAULT_ZONE: UtcOffset = time::macros::offset!(+8);
/// The offsets that are in use anywhere, in whole seconds.
const ZONES: std::ops::RangeInclusive<i32> = -12 * 3600..=14 * 3600;

/// Looks variables up in the process's environment. What is no UTF-8 is there too, with U+FFFD for each bad part: as
/// if it were absent, a setting that somebody made would be passed over in silence.
pub fn environment() -> impl Fn(&str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    |variable: &str| std::env::var_os(variable).map(|value| value.to_string_lossy().into_owned())
}

fn optional<T>(
    lookup: &dyn Fn(&str) -> Option<String>,
    variable: &'static str,
    read: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, BadSetting> {
    let Some(given) = lookup(variable) else { return Ok(None) };
    let value = given.trim();
    if value.is_empty() {
        return Ok(None);
    }
    let bad = |mend| BadSetting { variable, value: value.to_owned(), mend };
    if value.contains(char::REPLACEMENT_CHARACTER) {
        return Err(bad("it is not UTF-8, write it anew".to_owned()));
    }
    read(value).map(Some).map_err(bad)
}

fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn contract(text: &str) -> Result<Contract, String> {
    Contract::named(text).ok_or_else(|| "name one of kite, zeaya, sproutgate, mcphub".to_owned())
}

fn origins(text: &str) -> Result<Vec<String>, String> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(|entry| {
        let authority = entry.strip_prefix("https://").or_else(|| entry.strip_prefix("http://"));
        if authority.and_then(host_of).is_some() {
            Ok(entry.to_ascii_lowercase())
        } else {
            Err(format!("write `{entry}` as https://host[:port], nothing else"))
        }
    });
    entries.collect()
}

fn issuer(text: &str) -> Result<String, String> {
    let acceptable = text.split_once("://").is_some_and(|(scheme, rest)| {
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let plain_path = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#\\".contains(&byte));
        plain_path && host_of(authority).is_some_and(|host| scheme == "https" || (scheme == "http" && is_here(host)))
    });
    if acceptable {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Err("write an https:// address without query or fragment (http:// only on 127.0.0.1, localhost or [::1])"
        .to_owned())
}

fn zone(text: &str) -> Result<UtcOffset, String> {
    let format = time::macros::format_description!("[offset_hour sign:mandatory]:[offset_minute]");
    let offset = UtcOffset::parse(text, format).ok().filter(|offset| ZONES.contains(&offset.whole_seconds()));
    offset.ok_or_else(|| "write an offset from -12:00 to +14:00, such as +08:00".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH_COST_MEND: &str = "write m=KIB,t=PASSES, from m=19456,t=2 up to m=262144,t=20";

    fn with(variable: &str, value: &str) -> Result<Settings, String> {
        Settings::parse(&|asked| (asked == variable).then(|| value.to_owned())).map_err(|bad| bad.to_string())
    }

    #[test]
    fn nothing_set_is_fine() {
        let settings = Settings::parse(&|_| None).expect("defaults");
        assert_eq!(settings.root_contract, Contract::Sproutgate);
        assert!(settings.allow_registration);
        assert_eq!(settings.zone.whole_hours(), 8);
    }

    #[test]
    fn bad_settings_say_how_to_mend_them_in_one_line() {
        for (variable, value, mend) in [
            ("ROOT_CONTRACT", "kitty", "name one of kite, zeaya, sproutgate, mcphub"),
            ("CONTRACT_HOSTS", "photos.example.com", "write `photos.example.com` as host=contract"),
            ("CONTRACT_HOSTS", "a.example=zeyea", "name one of kite, zeaya, sproutgate, mcphub"),
            ("ALLOW_REGISTRATION", "yes", "write true or false"),
            ("PASSWORD_POLICY", "weak", "write contract or strict"),
            ("REQUIRE_SECOND_FACTOR", "true", "write nobody, administrators or everyone"),
            ("SIGNING_ALGORITHM", "HS256", "write ES256 or RS256"),
            ("HASH_COST", "m=19455,t=2", HASH_COST_MEND),
            ("HASH_COST", "m=19456,t=1", HASH_COST_MEND),
            ("HASH_COST", "m=262145,t=2", HASH_COST_MEND),
            ("HASH_COST", "t=2,m=19456", HASH_COST_MEND),
            ("KEY_MAX_AGE_DAYS", "3651", "write a number of days from 1 to 3650, or 0 for never"),
            ("ALLOWED_ORIGINS", "*", "write `*` as https://host[:port], nothing else"),
            ("ISSUER", "ftp://x", NOT_AN_ISSUER),
            ("TIME_ZONE", "CST", "write an offset from -12:00 to +14:00, such as +08:00"),
        ] {
            assert_eq!(with(variable, value).expect_err(value), format!("{variable}={value} is not usable: {mend}"));
        }
    }

    const NOT_AN_ISSUER: &str =
        "write an https:// address without query or fragment (http:// only on 127.0.0.1, localhost or [::1])";

    #[test]
    fn what_no_host_is_called_is_refused() {
        let names =
            "a.example:443|a b.example|a..example|.example|a.example.|*.example|-a.example|a.example/b|照片.example";
        let others = "|http://a.example|me@a.example|[::1|[nothing]|[::1]:443";
        for host in names.split('|').chain(others.split('|')) {
            let value = format!("photos.example.com=zeaya,{host}=kite");
            let told = with("CONTRACT_HOSTS", &value).expect_err(host);
            let mend =
                format!("write `{host}=kite` as host=contract, the host as in photos.example.com, without a port");
            assert_eq!(told, format!("CONTRACT_HOSTS={value} is not usable: {mend}"));
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_alone() {
        let wrong = "https://a:b:c@d https://me@a.example https:// https://a.example/ https://a.example?b a.example null \
                     https://a.example: https://a.example:0 https://a.example:65536 https://a.example:+80 \
                     ftp://a.example https://*.example https://[::1 https://::1";
        for origin in wrong.split_whitespace() {
            let told = with("ALLOWED_ORIGINS", origin).expect_err(origin);
            assert!(told.ends_with(&format!("write `{origin}` as https://host[:port], nothing else")), "{told}");
        }
        let given = "http://localhost:5173, https://App.example.com,http://[::1]:80,https://192.0.2.1";
        let settings = with("ALLOWED_ORIGINS", given).expect("origins");
        let expected = ["http://localhost:5173", "https://app.example.com", "http://[::1]:80", "https://192.0.2.1"];
        assert_eq!(settings.allowed_origins, expected);
    }

    #[test]
    fn an_issuer_is_a_safe_address() {
        let wrong = "https://|https:///path|http://127.0.0.1.evil.com|http://localhost.evil.com|http://a.example|\
                     http://127.0.0.1@evil.com|https://me@a.example|https://a.example?b|https://a.example/#b|\
                     https://a.example/b c|https://a.example:https|https:a.example|https|http://[::2]";
        for issuer in wrong.split('|') {
            let told = with("ISSUER", issuer).expect_err(issuer);
            assert_eq!(told, format!("ISSUER={issuer} is not usable: {NOT_AN_ISSUER}"));
        }
        let right = "https://id.example.com:8443/tenant http://127.0.0.1:9000 http://localhost http://[::1]:1";
        for issuer in right.split_whitespace() {
            assert_eq!(with("ISSUER", issuer).expect(issuer).issuer.as_deref(), Some(issuer));
        }
    }

    #[test]
    fn an_offset_is_one_that_some_place_has() {
        for offset in ["+25:00", "+14:01", "-12:01", "+08:60", "08:00", "+8"] {
            let told = with("TIME_ZONE", offset).expect_err(offset);
            assert!(told.ends_with("write an offset from -12:00 to +14:00, such as +08:00"), "{told}");
        }
        for offset in ["+14:00", "-12:00", "+05:45", "+00:00"] {
            assert!(with("TIME_ZONE", offset).is_ok(), "{offset}");
        }
    }

    #[test]
    fn what_is_not_utf_8_is_bad_and_not_absent() {
        // As the environment is read.
        let value = String::from_utf8_lossy(b"fals\xe9").into_owned();
        for variable in ["ALLOW_REGISTRATION", "TABLE_NAME", "MAIL_FROM", "ISSUER"] {
            let told = with(variable, &value).expect_err(variable);
            assert_eq!(told, format!("{variable}={value} is not usable: it is not UTF-8, write it anew"));
        }
    }

    #[test]
    fn good_settings() {
        assert_eq!(with("TIME_ZONE", "-03:30").expect("an offset").zone.as_hms(), (-3, -30, 0));
        assert_eq!(
            with("ISSUER", "https://id.example.com/").expect("an issuer").issuer.as_deref(),
            Some("https://id.example.com")
        );
        let settings = with("CONTRACT_HOSTS", "Photos.example.com=zeaya, hub.example.com=mcphub").expect("a map");
        assert_eq!(settings.contract_hosts.find("photos.example.com:443"), Some(Contract::Zeaya));
    }
}
