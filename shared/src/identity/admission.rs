//! Who may try to sign in: by the identifier that is tried, by the device where that is known to it, and by the source.

use std::net::{IpAddr, Ipv6Addr};

use futures_util::future::{join, join_all};

use super::{AttemptKey, Attempts, Hashed, Identifier, Identity, Result, Visitor};

/// What an attempt to sign in may be counted by.
pub(super) struct Counters {
    identifier: AttemptKey,
    device: AttemptKey,
    source: Option<AttemptKey>,
}

/// An attempt that was counted.
pub(super) struct Admitted {
    counted: Vec<AttemptKey>,
    device: AttemptKey,
    known: bool,
}

impl Admitted {
    /// What it was counted by.
    pub(super) fn counted(&self) -> &[AttemptKey] {
        &self.counted
    }

    /// The device that it came from.
    pub(super) fn device(&self) -> &AttemptKey {
        &self.device
    }

    /// Whether somebody has signed in from that device before, not too long ago.
    pub(super) fn is_known(&self) -> bool {
        self.known
    }
}

impl Counters {
    pub(super) fn of(identifier: &Identifier, visitor: &Visitor) -> Self {
        Self {
            identifier: AttemptKey::Identifier(identifier.key().to_owned()),
            device: device(identifier.key(), visitor),
            source: network(&visitor.source).map(AttemptKey::SignInsFrom),
        }
    }

    /// In the order in which [`Identity::admit`] takes what was read of them.
    pub(super) fn keys(&self) -> Vec<AttemptKey> {
        [&self.identifier, &self.device].into_iter().chain(&self.source).cloned().collect()
    }
}

/// What a device is known by: the network that it is in and what it calls itself.
pub(super) fn device(identifier: &str, visitor: &Visitor) -> AttemptKey {
    let network = network(&visitor.source).unwrap_or_default();
    let device = Hashed::of(format!("{}\0{network}\0{}", network.len(), visitor.agent).as_bytes());
    AttemptKey::Device { identifier: identifier.to_owned(), device }
}

/// The network that a source address stands for: an IPv4 address itself, of an IPv6 address the 64 bits that one
/// customer has to choose the rest of. `None`: the source is unknown.
pub(super) fn network(source: &str) -> Option<String> {
    let address = match source.parse() {
        Ok(IpAddr::V6(address)) => address.to_canonical(),
        Ok(address) => address,
        // A proxy's own word for somewhere.
        Err(_) => return Some(source.to_owned()).filter(|source| !source.is_empty()),
    };
    Some(match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    })
}

impl Identity {
    /// Counts an attempt to sign in, or refuses it where it comes too soon, by what was read of its counters. A device
    /// that is known to the identifier is counted by itself alone, so that nobody else's guesses keep the person out.
    pub(super) async fn admit(&self, counters: Counters, seen: Vec<Option<Attempts>>) -> Result<Admitted> {
        let Counters { identifier, device, source } = counters;
        let now = self.now();
        let [by_identifier, by_device, by_source] = [0, 1, 2].map(|nth| seen.get(nth).copied().flatten());
        let known = by_device.and_then(|seen| seen.known_until).is_some_and(|until| now < until);
        let chosen = match known {
            true => vec![(device.clone(), by_device)],
            false => [(identifier, by_identifier)].into_iter().chain(source.map(|key| (key, by_source))).collect(),
        };
        // Too soon for one of them: none is counted.
        for (key, seen) in &chosen {
            let limit = self.policy.limits.of(key);
            if !limit.is_just_full(*seen) {
                limit.check(*seen, now)?;
            }
        }
        let outcomes = join_all(chosen.iter().map(|(key, seen)| self.reserve_patiently(key, *seen))).await;
        let counted: Vec<_> = chosen
            .iter()
            .zip(&outcomes)
            .filter(|(_, outcome)| outcome.is_ok())
            .map(|((key, _), _)| key.clone())
            .collect();
        let admitted = Admitted { counted, device, known };
        match outcomes.into_iter().find_map(Result::err) {
            None => Ok(admitted),
            Some(refusal) => {
                self.take_back(&admitted).await;
                Err(refusal)
            }
        }
    }

    /// Takes back what was counted of an attempt that was none: the password was right.
    pub(super) async fn take_back(&self, admitted: &Admitted) {
        join_all(admitted.counted.iter().map(|key| self.take_attempt_back(key))).await;
    }

    /// Takes back what was counted of a sign-in that succeeded, and remembers the device.
    pub(super) async fn welcome(&self, admitted: &Admitted) {
        let others = admitted.counted.iter().filter(|key| **key != admitted.device);
        let taken_back = join_all(others.map(|key| self.take_attempt_back(key)));
        join(taken_back, self.remember_device(&admitted.device)).await;
    }

    /// Remembers a device from which somebody signed in, with nothing counted against it.
    pub(super) async fn remember_device(&self, device: &AttemptKey) {
        let until = self.now() + self.policy.limits.devices_known_for;
        if let Err(failed) = self.store.remember_device(device, self.now(), until).await {
            tracing::warn!(cause = %failed, "a device was not remembered");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_ipv4_address_or_an_ipv6_network() {
        for (source, expected) in [
            ("", None),
            ("203.0.113.7", Some("203.0.113.7")),
            ("::ffff:203.0.113.7", Some("203.0.113.7")),
            ("2001:db8:1:2:3:4:5:6", Some("2001:db8:1:2::/64")),
            ("2001:db8:1:2::1", Some("2001:db8:1:2::/64")),
            ("::1", Some("::/64")),
            ("unknown", Some("unknown")),
        ] {
            assert_eq!(network(source).as_deref(), expected, "{source}");
        }
    }

    #[test]
    fn a_device_is_its_network_and_its_name_for_one_identifier() {
        let visitor = |source: &str, agent: &str| Visitor {
            source: source.to_owned(),
            agent: agent.to_owned(),
            ..Visitor::default()
        };
        let known = device("alice", &visitor("2001:db8::1", "a browser"));
        assert_eq!(known, device("alice", &visitor("2001:db8::2", "a browser")));
        for other in [
            device("bob", &visitor("2001:db8::1", "a browser")),
            device("alice", &visitor("2001:db8:0:1::1", "a browser")),
            device("alice", &visitor("2001:db8::1", "another")),
            device("alice", &visitor("", "a browser")),
        ] {
            assert_ne!(known, other);
        }
    }
}
