//! A deployment from outside: whether it answers, with the table's keys, by the same clock.

use polygate_shared::aws::fetch::{Fetched, fetch};
use serde_json::Value;
use time::format_description::well_known::Rfc2822;
use time::{Duration, OffsetDateTime};

use super::{Findings, fine, wrong};

/// Clocks that are further apart refuse good tokens and codes of a second factor.
const MOST_APART: Duration = Duration::seconds(30);

pub(super) async fn look(url: &str, expected: Option<&[String]>, now: OffsetDateTime, found: &mut Findings) {
    let address = format!("{}/.well-known/jwks.json", url.trim_end_matches('/'));
    let Fetched { status, date, body } = match fetch(&address).await {
        Ok(fetched) => fetched,
        Err(cause) => {
            return found.push(wrong(format!(
                "{address} doesn't answer ({cause:#}): is the address right, and its DNS and certificate?"
            )));
        }
    };
    if status != 200 {
        return found.push(wrong(format!("{address} answers {status}: look at the logs of the function refresh")));
    }
    let Ok(set) = serde_json::from_slice::<Value>(&body) else {
        return found.push(wrong(format!("{address} answers with no keys: the address is another service's")));
    };
    let keys = set["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let published: Vec<_> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
    let missing = expected.unwrap_or_default().iter().any(|kid| !published.contains(&kid.as_str()));
    found.push(match (missing, published.len()) {
        (true, _) => wrong(format!(
            "{address} lacks a key of this table: it serves another table, or has not read the keys in the last minutes"
        )),
        (false, count) => fine(format!("{address} answers with {count} keys")),
    });
    // `Date` is written as mail has it, but for the name of its zone.
    let theirs = date.and_then(|date| OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok());
    if let Some(theirs) = theirs.filter(|theirs| (now - *theirs).abs() > MOST_APART) {
        let apart = (now - theirs).whole_seconds();
        found.push(wrong(format!("the clocks here and there are {apart} s apart: set the clock of this machine")));
    }
}
