//! What is in the table that somebody has to look after: administrators, keys, the issuer.

use polygate_shared::identity::{AccountId, Clock as _, KeyState, Result, Store as _, SystemClock};
use polygate_shared::settings::Settings;
use time::Duration;

use super::{Findings, Pool, fine, note, wrong};

/// A key that should have been replaced so long ago is worth a note: it takes its turn when somebody signs in.
const OVERDUE: Duration = Duration::days(7);

/// Looks at the pool; the ids of the keys that it publishes.
pub(super) async fn look(pool: &Pool, settings: Option<&Settings>, found: &mut Findings) -> Option<Vec<String>> {
    if let Err(failed) = administrators(pool, found).await {
        found.push(wrong(format!("the table can't be read: {failed}")));
        return None;
    }
    match keys(pool, settings, found).await {
        Ok(published) => published,
        Err(failed) => {
            found.push(wrong(format!("the signing keys can't be read: {failed}")));
            None
        }
    }
}

async fn administrators(pool: &Pool, found: &mut Findings) -> Result<()> {
    let ids: Vec<AccountId> = pool.store.administrators().await?.into_iter().collect();
    let accounts = pool.store.accounts(&ids).await?;
    let active = accounts.iter().filter(|read| read.account.active && read.account.is_admin()).count();
    let is_deployed = pool.config.is_some();
    if active == 0 && is_deployed && !pool.store.first_administrator_was_made().await? {
        found.push(note(
            "the first administrator is made when somebody first signs in as admin, by the password that the stack's output \
             NextStep prints",
        ));
    } else if active == 0 {
        found.push(wrong("there is no active administrator: polygate admin reset-password admin --reinstate"));
    } else {
        found.push(fine(format!(
            "{} accounts, {active} of them active administrators",
            pool.store.count_accounts().await?
        )));
    }
    let due = accounts.iter().filter(|read| read.account.must_change_password).map(|read| read.account.name.as_str());
    for name in due {
        let text = format!("{name} has not done its first-login reset, and still has a password that others may know");
        found.push(note(text));
    }
    // A deployment's is in Secrets Manager.
    if !is_deployed && pool.store.admin_token().await?.is_none() {
        found.push(note("there is no administrator token: programs can't administer"));
    }
    Ok(())
}

async fn keys(pool: &Pool, settings: Option<&Settings>, found: &mut Findings) -> Result<Option<Vec<String>>> {
    let record = pool.store.signing_record().await?;
    if record.keys.is_empty() {
        found.push(note("there is no signing key yet: the first is made when somebody signs in"));
        return Ok(None);
    }
    if record.issuer.is_none() && settings.is_none_or(|settings| settings.issuer.is_none()) {
        found.push(note("no issuer is fixed in the table: the functions' ISSUER says it"));
    }
    let Ok(identity) = pool.identity().await else { return Ok(None) };
    let keys = identity.list_keys().await?;
    let now = SystemClock.now();
    let days = |age: Duration| age.whole_days();
    let waits = keys.iter().any(|key| key.state == KeyState::Waiting);
    for key in keys.iter().filter(|key| key.state == KeyState::Signing) {
        let age = now - key.signs_from;
        let most = settings.and_then(|settings| settings.key_max_age).and_then(|most| Duration::try_from(most).ok());
        match most {
            Some(most) if !waits && age > most + OVERDUE => found.push(note(format!(
                "the signing key is {} days old, and should be replaced after {}: polygate keys rotate",
                days(age),
                days(most)
            ))),
            Some(_) | None => found.push(fine(format!("the signing key is {} days old", days(age)))),
        }
        if age < Duration::ZERO {
            found.push(wrong(
                "the signing key signs from a later moment on than now: set the clock, or rotate the keys",
            ));
        }
    }
    Ok(Some(keys.into_iter().map(|key| key.public.kid).collect()))
}
