//! A deployment's mail: whether SES knows the sender, and whether it is on trial.

use aws_sdk_ses::Client;
use aws_sdk_ses::error::ProvideErrorMetadata;
use aws_sdk_ses::types::VerificationStatus;
use polygate_shared::aws::client;
use polygate_shared::settings::Settings;

use super::{Findings, Pool, fine, note, wrong};

/// Mails a day that SES lets an account on trial send.
const ON_TRIAL: f64 = 200.0;

pub(super) async fn look(pool: &Pool, settings: Option<&Settings>, found: &mut Findings) {
    let Some(config) = &pool.config else { return };
    let Some(from) = settings.and_then(|settings| settings.mail_from.as_deref()) else {
        return found.push(note("MAIL_FROM isn't set here, so the sender of mail was not looked at"));
    };
    let client = client::ses(config);
    trial(&client, found).await;
    sender(&client, from, found).await;
}

async fn trial(client: &Client, found: &mut Findings) {
    match client.get_account_sending_enabled().send().await {
        Ok(answer) if !answer.enabled() => {
            return found.push(wrong("SES has paused this account's mail: see the reputation page of its console"));
        }
        Ok(_) => {}
        Err(error) => return found.push(unseen(error.code())),
    }
    match client.get_send_quota().send().await {
        Ok(quota) if quota.max24_hour_send() <= ON_TRIAL => found.push(wrong(
            "SES is on trial here, and mails verified addresses only: ask for production access in its console",
        )),
        Ok(quota) => found.push(fine(format!(
            "SES takes {} mails a day, of which {} were sent",
            quota.max24_hour_send(),
            quota.sent_last24_hours()
        ))),
        Err(error) => found.push(unseen(error.code())),
    }
}

/// Either the address or its domain has to be verified.
async fn sender(client: &Client, from: &str, found: &mut Findings) {
    let address = from.rsplit_once('<').map_or(from, |(_, address)| address.trim_end_matches('>')).trim();
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    let asked = client.get_identity_verification_attributes().identities(address).identities(domain).send().await;
    let known = match asked {
        Ok(answer) => answer.verification_attributes,
        Err(error) => return found.push(unseen(error.code())),
    };
    let verified = known.values().any(|one| one.verification_status() == &VerificationStatus::Success);
    found.push(match verified {
        true => fine(format!("SES may send mail from {address}")),
        false => wrong(format!(
            "SES doesn't know {address}, nor {domain}: verify one of them in its console, in this region"
        )),
    });
}

fn unseen(code: Option<&str>) -> super::Finding {
    note(format!("SES can't be looked at ({}): these credentials may not", code.unwrap_or("no answer")))
}
