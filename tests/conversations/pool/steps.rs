//! What a random history of a small pool is made of.

use proptest::prelude::*;

use super::rules::Kind;
use crate::histories::Step;

/// There are so many names and so many addresses, so that people get into each other's way.
pub(super) const NAMES: usize = 3;
pub(super) const ADDRESSES: usize = 4;

/// Something that somebody does. People and codes are counted from the newest.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    /// At once, with an address that nobody has proved.
    Register {
        name: usize,
        email: usize,
    },
    /// By a mailed code.
    AskToRegister {
        name: usize,
        email: usize,
    },
    ProveRegistration {
        code: usize,
        wrong: bool,
    },
    AskForAddress {
        who: usize,
        email: usize,
        place: Kind,
    },
    ProveAddress {
        code: usize,
        wrong: bool,
    },
    /// Of the profile: at once where nobody proved the one before.
    ChangeAddress {
        who: usize,
        email: usize,
    },
    Promote {
        who: usize,
        email: usize,
    },
    Remove {
        who: usize,
        email: usize,
    },
    Forget {
        who: usize,
    },
    Reset {
        code: usize,
        wrong: bool,
        again: bool,
    },
    /// An administrator does what follows.
    Rename {
        who: usize,
        name: usize,
    },
    SetAddress {
        who: usize,
        email: Option<usize>,
    },
    Activate {
        who: usize,
        active: bool,
    },
    Delete {
        name: usize,
    },
}

pub(super) fn step() -> impl Strategy<Value = Step<Wish>> {
    prop_oneof![
        6 => wish().prop_map(Step::One),
        4 => prop::collection::vec(wish(), 2..=4).prop_map(Step::Together),
        // The same thing several times at once: one name, one code.
        2 => (wish(), 2..=3_usize).prop_map(|(wish, times)| Step::Together(vec![wish; times])),
        3 => seconds().prop_map(Step::Seconds),
    ]
}

/// On both sides of what the service knows: the gap between two mails, the life of a code, the hour in which mails count.
fn seconds() -> impl Strategy<Value = u32> {
    prop_oneof![
        4 => prop::sample::select(vec![1, 59, 60]),
        1 => prop::sample::select(vec![539, 540, 599, 600, 3599]),
    ]
}

/// The newest ones most of the time.
fn nth() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0_usize), 2 => Just(1), 1 => 2..5_usize]
}

fn wish() -> impl Strategy<Value = Wish> {
    let (name, email, rarely) = (|| 0..NAMES, || 0..ADDRESSES, || prop::bool::weighted(0.25));
    let place = || prop::sample::select(vec![Kind::Further, Kind::Primary]);
    prop_oneof![
        4 => (name(), email()).prop_map(|(name, email)| Wish::Register { name, email }),
        4 => (name(), email()).prop_map(|(name, email)| Wish::AskToRegister { name, email }),
        6 => (nth(), rarely()).prop_map(|(code, wrong)| Wish::ProveRegistration { code, wrong }),
        4 => (nth(), email(), place()).prop_map(|(who, email, place)| Wish::AskForAddress { who, email, place }),
        6 => (nth(), rarely()).prop_map(|(code, wrong)| Wish::ProveAddress { code, wrong }),
        2 => (nth(), email()).prop_map(|(who, email)| Wish::ChangeAddress { who, email }),
        1 => (nth(), email()).prop_map(|(who, email)| Wish::Promote { who, email }),
        1 => (nth(), email()).prop_map(|(who, email)| Wish::Remove { who, email }),
        1 => nth().prop_map(|who| Wish::Forget { who }),
        4 => (nth(), rarely(), any::<bool>()).prop_map(|(code, wrong, again)| Wish::Reset { code, wrong, again }),
        2 => (nth(), name()).prop_map(|(who, name)| Wish::Rename { who, name }),
        2 => (nth(), prop::option::weighted(0.8, email())).prop_map(|(who, email)| Wish::SetAddress { who, email }),
        2 => (nth(), any::<bool>()).prop_map(|(who, active)| Wish::Activate { who, active }),
        2 => name().prop_map(|name| Wish::Delete { name }),
    ]
}
