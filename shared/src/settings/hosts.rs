//! Settings about hosts: which speak which contract, and what a host is.

use std::net::Ipv6Addr;

use super::contract;
use crate::http::HostMap;

pub(super) fn hosts(text: &str) -> Result<HostMap, String> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(|entry| {
        let (host, name) = entry.split_once('=').ok_or_else(|| format!("write `{entry}` as host=contract"))?;
        let host = host.trim();
        if !is_host(host) {
            return Err(format!("write `{entry}` as host=contract, the host as in photos.example.com, without a port"));
        }
        Ok((host.to_owned(), contract(name.trim())?))
    });
    entries.collect::<Result<Vec<_>, String>>().map(HostMap::new)
}

/// Whether this is a host as it stands in an address: a name, an IPv4 address, or an IPv6 address in brackets.
fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[') {
        return address.strip_suffix(']').is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    // Names with an underscore are in use, though no registry would give them.
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// The host of `host[:port]`, if it is that and nothing else.
pub(super) fn host_of(authority: &str) -> Option<&str> {
    let host = match authority.rsplit_once(':') {
        // The colon of an address in brackets.
        Some((_, end)) if end.ends_with(']') => authority,
        Some((host, port)) => {
            let numeric = port.bytes().all(|byte| byte.is_ascii_digit());
            port.parse::<u16>().ok().filter(|port| numeric && *port != 0)?;
            host
        }
        None => authority,
    };
    is_host(host).then_some(host)
}

/// Whether a host is this very machine, where nobody listens in.
pub(super) fn is_here(host: &str) -> bool {
    matches!(host, "127.0.0.1" | "localhost" | "[::1]")
}
