//! What a write to an account means, told from the account before and after it.

use std::collections::BTreeSet;

use super::audit::{Act, Action};
use super::{Account, Role};

/// All that the audit trail tells of the change, in no order that matters. Profile, level, balance and quotas are not
/// among it.
pub(super) fn between(before: &Account, after: &Account) -> Vec<Act> {
    let mut acts = Vec::new();
    let mut when = |happened: bool, action: Action| acts.extend(happened.then(|| (action, String::new())));
    when(before.name != after.name, Action::NameChanged);
    when(before.password != after.password, Action::PasswordChanged);
    when(before.active && !after.active, Action::AccountDisabled);
    when(!before.active && after.active, Action::AccountEnabled);
    emails(before, after, &mut when);
    second_factor(before, after, &mut when);
    if before.role != after.role {
        acts.push((Action::RoleChanged, role(after.role).to_owned()));
    }
    // Whatever else ended the sessions tells more.
    if acts.is_empty() && before.session_generation != after.session_generation {
        acts.push((Action::SessionsEnded, String::new()));
    }
    acts
}

/// That the account was made, and as an administrator's, where it is one.
pub(super) fn creation(account: &Account) -> Act {
    let detail = if account.is_admin() { role(account.role) } else { "" };
    (Action::AccountCreated, detail.to_owned())
}

fn role(role: Role) -> &'static str {
    match role {
        Role::User => "user",
        Role::Admin => "admin",
    }
}

fn emails(before: &Account, after: &Account, when: &mut impl FnMut(bool, Action)) {
    let primary = |account: &Account| account.email.as_ref().map(|claim| (claim.address.key(), claim.verified));
    let others = |account: &Account| account.secondary_emails.iter().map(|own| own.key()).collect::<BTreeSet<_>>();
    let (was, is) = (primary(before), primary(after));
    let key = |claim: &Option<(String, bool)>| claim.as_ref().map(|(key, _)| key.clone());
    let (was_key, is_key) = (key(&was), key(&is));
    when(was_key != is_key, Action::EmailChanged);
    when(was_key == is_key && !proved(&was) && proved(&is), Action::EmailProved);
    // An address that only moved between first and further ones is no new or lost one.
    let known: BTreeSet<_> = others(before).into_iter().chain(was_key).collect();
    let kept: BTreeSet<_> = others(after).into_iter().chain(is_key).collect();
    when(others(after).iter().any(|key| !known.contains(key)), Action::EmailAdded);
    when(others(before).iter().any(|key| !kept.contains(key)), Action::EmailRemoved);
}

fn proved(claim: &Option<(String, bool)>) -> bool {
    claim.as_ref().is_some_and(|(_, verified)| *verified)
}

fn second_factor(before: &Account, after: &Account, when: &mut impl FnMut(bool, Action)) {
    when(!before.has_second_factor() && after.has_second_factor(), Action::SecondFactorOn);
    when(before.has_second_factor() && !after.has_second_factor(), Action::SecondFactorOff);
    when(!before.second_factor_required && after.second_factor_required, Action::SecondFactorDemanded);
    when(before.second_factor_required && !after.second_factor_required, Action::SecondFactorNotDemanded);
    if !(before.has_second_factor() && after.has_second_factor()) {
        return;
    }
    let (was, is) = (before.recovery_codes(), after.recovery_codes());
    let left = is.iter().all(|code| was.contains(code));
    when(left && is.len() < was.len(), Action::RecoveryCodeUsed);
    when(!left, Action::RecoveryCodesRenewed);
}
