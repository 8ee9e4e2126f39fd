//! The deployment's settings: read from the environment once, at start, and checked there.

use time::UtcOffset;

use crate::http::{Contract, HostMap};

/// Everything that can be set, with the variable that sets it.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TABLE_NAME`: the table that holds everything. Default `polygate`.
    pub table: String,
    /// `MAIL_FROM`: sender of all mail; only functions that send any need it.
    pub mail_from: Option<String>,
    /// `ROOT_CONTRACT`: the contract of paths that name none. Default `sproutgate`.
    pub root_contract: Contract,
    /// `CONTRACT_HOSTS`: contracts by host name, e.g. `photos.example.com=zeaya,hub.example.com=mcphub`.
    pub contract_hosts: HostMap,
    /// `ALLOW_REGISTRATION`: whether anybody may make an account, `true` or `false`. Default `true`.
    pub allow_registration: bool,
    /// `ALLOWED_ORIGINS`: web origins that may send cookies, e.g. `https://app.example.com`, with commas between.
    pub allowed_origins: Vec<String>,
    /// `ISSUER`: the `iss` of all tokens. Where absent it is fixed at first use.
    pub issuer: Option<String>,
    /// `TIME_ZONE`: offset of the times that the zeaya contract shows without one, e.g. `+08:00` (the default).
    pub zone: UtcOffset,
}

/// A setting that can't be used: one line that says which, why, and how to mend it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{variable}={value} is not usable: {mend}")]
pub struct BadSetting {
    variable: &'static str,
    value: String,
    mend: String,
}

impl Settings {
    /// Reads the settings through `lookup`; variables that are absent or empty take their defaults.
    pub fn parse(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, BadSetting> {
        let get = |variable: &str| lookup(variable).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(Self {
            table: get("TABLE_NAME").unwrap_or_else(|| "polygate".to_owned()),
            mail_from: get("MAIL_FROM"),
            root_contract: optional(get("ROOT_CONTRACT"), "ROOT_CONTRACT", contract)?.unwrap_or(Contract::Sproutgate),
            contract_hosts: optional(get("CONTRACT_HOSTS"), "CONTRACT_HOSTS", hosts)?.unwrap_or_default(),
            allow_registration: optional(get("ALLOW_REGISTRATION"), "ALLOW_REGISTRATION", boolean)?.unwrap_or(true),
            allowed_origins: optional(get("ALLOWED_ORIGINS"), "ALLOWED_ORIGINS", origins)?.unwrap_or_default(),
            issuer: optional(get("ISSUER"), "ISSUER", issuer)?,
            zone: optional(get("TIME_ZONE"), "TIME_ZONE", zone)?.unwrap_or(DEFAULT_ZONE),
        })
    }
}

const DEFAULT_ZONE: UtcOffset = time::macros::offset!(+8);

/// Looks variables up in the process's environment.
pub fn environment() -> impl Fn(&str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    |variable: &str| std::env::var(variable).ok()
}

fn optional<T>(
    text: Option<String>,
    variable: &'static str,
    read: fn(&str) -> Result<T, String>,
) -> Result<Option<T>, BadSetting> {
    let Some(value) = text else { return Ok(None) };
    match read(&value) {
        Ok(read) => Ok(Some(read)),
        Err(mend) => Err(BadSetting { variable, value, mend }),
    }
}

fn contract(text: &str) -> Result<Contract, String> {
    Contract::named(text).ok_or_else(|| "name one of kite, zeaya, sproutgate, mcphub".to_owned())
}

fn hosts(text: &str) -> Result<HostMap, String> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(|entry| {
        let (host, name) = entry.split_once('=').ok_or_else(|| format!("write `{entry}` as host=contract"))?;
        Ok((host.trim().to_owned(), contract(name.trim())?))
    });
    entries.collect::<Result<Vec<_>, String>>().map(HostMap::new)
}

fn boolean(text: &str) -> Result<bool, String> {
    text.parse().map_err(|_| "write true or false".to_owned())
}

fn origins(text: &str) -> Result<Vec<String>, String> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(|entry| {
        let host = entry.strip_prefix("https://").or_else(|| entry.strip_prefix("http://"));
        let acceptable = host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '*', ' ', '?', '#']));
        if acceptable {
            Ok(entry.to_ascii_lowercase())
        } else {
            Err(format!("write `{entry}` as https://host[:port], without a path"))
        }
    });
    entries.collect()
}

fn issuer(text: &str) -> Result<String, String> {
    let acceptable =
        text.starts_with("https://") || text.starts_with("http://127.0.0.1") || text.starts_with("http://localhost");
    if acceptable && !text.contains(['?', '#', ' ']) {
        return Ok(text.trim_end_matches('/').to_owned());
    }
    Err("write an https:// address without query or fragment".to_owned())
}

fn zone(text: &str) -> Result<UtcOffset, String> {
    let format = time::macros::format_description!("[offset_hour sign:mandatory]:[offset_minute]");
    UtcOffset::parse(text, format).map_err(|_| "write an offset such as +08:00".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variable: &'static str, value: &'static str) -> Result<Settings, String> {
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
            ("ALLOWED_ORIGINS", "*", "write `*` as https://host[:port], without a path"),
            ("ISSUER", "ftp://x", "write an https:// address without query or fragment"),
            ("TIME_ZONE", "CST", "write an offset such as +08:00"),
        ] {
            assert_eq!(with(variable, value).expect_err(value), format!("{variable}={value} is not usable: {mend}"));
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
