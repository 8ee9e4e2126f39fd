//! `polygate keys`: the keys that sign access tokens.

use std::fmt::Write as _;

use polygate_shared::identity::{Error, KeyState, KeyStatus};
use time::format_description::well_known::Rfc3339;

use super::place::Pool;
use super::{Done, print, told};
use crate::command::Rotate;

pub(super) async fn rotate(how: Rotate) -> Done {
    let pool = Pool::open(&how.place).await?;
    let rotated = pool.identity().await?.rotate_keys_by_store(how.at_once).await;
    pool.close().await;
    match rotated {
        Ok(keys) => print(&listed(&keys)),
        Err(Error::NotFound) => Err(told("there are no keys yet: the first is made when somebody signs in")),
        Err(other) => Err(other.into()),
    }
}

fn listed(keys: &[KeyStatus]) -> String {
    keys.iter().fold(String::new(), |mut text, key| {
        let state = match key.state {
            KeyState::Waiting => "waiting",
            KeyState::Signing => "signing",
            KeyState::Verifying => "verifying",
        };
        let at = |instant: time::OffsetDateTime| instant.format(&Rfc3339).unwrap_or_default();
        let retires = key.retires_at.map(|end| format!(", retires {}", at(end))).unwrap_or_default();
        // Writing into a string can't fail.
        let _ = writeln!(text, "{}  {state}, signs from {}{retires}", key.public.kid, at(key.signs_from));
        text
    })
}
