//! Which contract a request speaks, decided from its address alone.

/// One of the four wire contracts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contract {
    /// The image host's, and the native one: `/api/v1/*`.
    Kite,
    /// The photo gallery's.
    Zeaya,
    /// The account centre's.
    Sproutgate,
    /// The MCP hub's.
    Mcphub,
}

impl Contract {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Kite, Self::Zeaya, Self::Sproutgate, Self::Mcphub];

    /// The name by which settings and mounts call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kite => "kite",
            Self::Zeaya => "zeaya",
            Self::Sproutgate => "sproutgate",
            Self::Mcphub => "mcphub",
        }
    }

    /// The contract of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|contract| contract.name() == name)
    }
}

/// Contracts by host name.
#[derive(Debug, Clone, Default)]
pub struct HostMap(Vec<(String, Contract)>);

impl HostMap {
    /// Takes pairs of host (any case, no port) and contract.
    pub fn new(entries: Vec<(String, Contract)>) -> Self {
        Self(entries.into_iter().map(|(host, contract)| (host.to_ascii_lowercase(), contract)).collect())
    }

    /// The contract of a `Host` header's value; its port and case don't matter.
    pub fn find(&self, host: &str) -> Option<Contract> {
        let name = host.rsplit_once(':').map_or(host, |(name, port)| {
            let numeric = port.bytes().all(|digit| digit.is_ascii_digit());
            if numeric { name } else { host }
        });
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.0.iter().find(|(known, _)| *known == name).map(|(_, contract)| *contract)
    }
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// To a contract; `mounted` tells that the path named it.
    Contract {
        /// Which.
        contract: Contract,
        /// Whether the first path segment was its name.
        mounted: bool,
    },
    /// To what belongs to the service as a whole. Its refusals are spelled in the root contract.
    Service,
}

/// Chooses by mount, then service path, then host, then `/api/v1`, then the root contract. Returns the place and
/// the path without the mount.
pub fn choose<'a>(host: Option<&str>, path: &'a str, hosts: &HostMap, root: Contract) -> (Place, &'a str) {
    let (first, rest) = first_segment(path);
    if let Some(contract) = Contract::named(first) {
        return (Place::Contract { contract, mounted: true }, rest);
    }
    if first == ".well-known" || first == "storage" {
        return (Place::Service, path);
    }
    let by_host = host.and_then(|host| hosts.find(host));
    let native = path == "/api/v1" || path.starts_with("/api/v1/");
    let contract = by_host.unwrap_or(if native { Contract::Kite } else { root });
    (Place::Contract { contract, mounted: false }, path)
}

/// The first segment, and what follows it (`/` at least).
fn first_segment(path: &str) -> (&str, &str) {
    let inner = path.strip_prefix('/').unwrap_or(path);
    match inner.find('/') {
        Some(end) => inner.split_at(end),
        None => (inner, "/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_addresses() {
        let hosts = HostMap::new(vec![
            ("photos.example.com".to_owned(), Contract::Zeaya),
            ("Hub.example.com".to_owned(), Contract::Mcphub),
        ]);
        let mounted = |contract| Place::Contract { contract, mounted: true };
        let bare = |contract| Place::Contract { contract, mounted: false };
        use Contract::{Kite, Mcphub, Sproutgate, Zeaya};
        for (host, path, place, rest) in [
            ("x.example.com", "/zeaya/api/auth/login", mounted(Zeaya), "/api/auth/login"),
            ("photos.example.com", "/mcphub/api/auth/login", mounted(Mcphub), "/api/auth/login"),
            ("photos.example.com", "/.well-known/jwks.json", Place::Service, "/.well-known/jwks.json"),
            ("photos.example.com", "/storage/avatars/1.jpg", Place::Service, "/storage/avatars/1.jpg"),
            ("photos.example.com", "/api/auth/login", bare(Zeaya), "/api/auth/login"),
            ("PHOTOS.example.com:8443", "/api/auth/login", bare(Zeaya), "/api/auth/login"),
            ("hub.example.com", "/api/v1/profile", bare(Mcphub), "/api/v1/profile"),
            ("x.example.com", "/api/v1/profile", bare(Kite), "/api/v1/profile"),
            ("x.example.com", "/api/v1", bare(Kite), "/api/v1"),
            ("x.example.com", "/api/v10/profile", bare(Sproutgate), "/api/v10/profile"),
            ("x.example.com", "/api/auth/login", bare(Sproutgate), "/api/auth/login"),
            ("x.example.com", "/", bare(Sproutgate), "/"),
            ("x.example.com", "", bare(Sproutgate), ""),
            ("x.example.com", "/kite", mounted(Kite), "/"),
            ("x.example.com", "/kite/", mounted(Kite), "/"),
            ("x.example.com", "/kites/api/v1/profile", bare(Sproutgate), "/kites/api/v1/profile"),
            ("x.example.com", "//kite/api", bare(Sproutgate), "//kite/api"),
        ] {
            assert_eq!(choose(Some(host), path, &hosts, Sproutgate), (place, rest), "{host}{path}");
        }
        assert_eq!(choose(None, "/api/auth/login", &hosts, Mcphub).0, bare(Mcphub));
    }
}
