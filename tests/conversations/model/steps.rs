//! What a random sequence is made of.

use proptest::prelude::*;

use crate::histories::Step;

/// The four contracts, by how a person signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contract {
    Kite,
    Zeaya,
    Sproutgate,
    Mcphub,
}

/// Something that somebody does. Sessions are counted from the one opened last, tokens from the newest.
#[derive(Debug, Clone)]
pub(super) enum Wish {
    SignIn {
        through: Contract,
        with_former_password: bool,
    },
    Refresh {
        session: usize,
        token: usize,
    },
    LogOut {
        session: usize,
    },
    ChangePassword {
        session: usize,
        through: Contract,
        with_former_password: bool,
    },
    SetPasswordAsAdministrator,
    EndSession {
        by: usize,
        other: usize,
    },
    EndOtherSessions {
        by: usize,
    },
    Look {
        session: usize,
        token: usize,
        through: Contract,
    },
    RotateKeys {
        at_once: bool,
    },
    /// Reads them anew, for the requests that come after it too.
    ListKeys,
}

pub(super) fn step() -> impl Strategy<Value = Step<Wish>> {
    prop_oneof![
        6 => wish().prop_map(Step::One),
        3 => prop::collection::vec(wish(), 2..=4).prop_map(Step::Together),
        4 => seconds().prop_map(Step::Seconds),
    ]
}

/// On both sides of each span that the service knows: the grace of a repetition, lives of tokens and sessions, the lead
/// and the tail of a key.
fn seconds() -> impl Strategy<Value = u32> {
    const HOUR: u32 = 3600;
    const DAY: u32 = 24 * HOUR;
    prop_oneof![
        4 => prop::sample::select(vec![1, 4, 9, 10]),
        2 => prop::sample::select(vec![60, 2 * HOUR - 1, 2 * HOUR, 3 * HOUR - 1, 3 * HOUR]),
        1 => prop::sample::select(vec![DAY - 1, DAY, 7 * DAY - 1, 7 * DAY, 7 * DAY + 3 * HOUR, 90 * DAY]),
    ]
}

fn contract() -> impl Strategy<Value = Contract> {
    prop::sample::select(vec![Contract::Kite, Contract::Zeaya, Contract::Sproutgate, Contract::Mcphub])
}

/// The newest ones most of the time: something happens to them.
fn nth() -> impl Strategy<Value = usize> {
    prop_oneof![4 => Just(0_usize), 2 => Just(1), 1 => 2..6_usize]
}

/// Refreshing is most of it, for that is where most can go wrong.
fn wish() -> impl Strategy<Value = Wish> {
    let rarely = || prop::bool::weighted(0.2);
    prop_oneof![
        2 => Just(Wish::SignIn { through: Contract::Kite, with_former_password: false }),
        2 => (contract(), rarely())
            .prop_map(|(through, with_former_password)| Wish::SignIn { through, with_former_password }),
        10 => (nth(), nth()).prop_map(|(session, token)| Wish::Refresh { session, token }),
        2 => nth().prop_map(|session| Wish::LogOut { session }),
        2 => (nth(), contract(), rarely()).prop_map(|(session, through, with_former_password)| {
            Wish::ChangePassword { session, through, with_former_password }
        }),
        1 => Just(Wish::SetPasswordAsAdministrator),
        1 => (nth(), nth()).prop_map(|(by, other)| Wish::EndSession { by, other }),
        1 => nth().prop_map(|by| Wish::EndOtherSessions { by }),
        2 => (nth(), nth(), contract()).prop_map(|(session, token, through)| Wish::Look { session, token, through }),
        2 => prop::bool::weighted(0.3).prop_map(|at_once| Wish::RotateKeys { at_once }),
        1 => Just(Wish::ListKeys),
    ]
}
