//! After the load: whether everything that was acknowledged is so.

use std::collections::HashSet;

use anyhow::{Context as _, bail};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::client::{Ask, Contract};
use crate::people::{Newcomer, Person};
use crate::schedule::at_once;
use crate::traffic::Crowd;

/// How many requests are under way at a time.
const AT_ONCE: usize = 4;
/// How many newcomers sign in; that the others' accounts are there is seen in the list of all.
const SIGN_IN: usize = 100;

/// What isn't as it was acknowledged, in words; how much was looked at.
pub(crate) async fn audit(crowd: &Crowd, admin_token: &str) -> anyhow::Result<(Vec<String>, usize)> {
    let mut wrong = Vec::new();
    let names = names(crowd, admin_token).await?;
    let newcomers = crowd.newcomers.all();
    let missing = newcomers.iter().filter(|one| !names.contains(&one.name));
    wrong.extend(missing.map(|one| format!("{} was registered and is gone", one.name)));
    let spread = newcomers.len().div_ceil(SIGN_IN).max(1);
    let chosen: Vec<_> = newcomers.iter().step_by(spread).collect();
    wrong.extend(at_once(AT_ONCE, chosen, |one| arrive(crowd, one)).await.into_iter().flatten());
    let found = at_once(AT_ONCE, crowd.people.iter().collect(), look_after).await;
    let looked_at = newcomers.len() + found.iter().map(|(_, looked_at)| looked_at).sum::<usize>();
    wrong.extend(found.into_iter().flat_map(|(wrong, _)| wrong));
    Ok((wrong, looked_at))
}

/// A newcomer signs in.
async fn arrive(crowd: &Crowd, newcomer: &Newcomer) -> Option<String> {
    let Newcomer { name, password } = newcomer;
    let ask = Ask::post(Contract::Zeaya, "/api/auth/login", json!({"username": name, "password": password}));
    // By an address that nobody has used yet, and that isn't kept waiting for what others did.
    let said = crowd.elsewhere().ask_patiently(&ask).await;
    (!said.is_done()).then(|| format!("{name} can't sign in: {} {}", said.status, said.body))
}

/// Everything that one person was told; with how much that is.
async fn look_after(person: &Person) -> (Vec<String>, usize) {
    let (mut wrong, mut looked_at) = (Vec::new(), 3);
    let mut state = person.state.lock().await;
    let said =
        person.source.ask_patiently(&Ask::get(Contract::Kite, "/api/v1/profile").bearing(&person.access())).await;
    let nickname = said.text("/data/nickname").unwrap_or_default();
    if !state.nicknames.contains(&nickname) {
        wrong.push(format!("{} is {nickname:?} and not {:?}: {}", person.name, state.nicknames, said.status));
    }
    let passwords = [Some(state.password.clone()), state.or_password.clone()];
    let mut signed_in = false;
    for password in passwords.into_iter().flatten() {
        signed_in =
            signed_in || person.source.ask_patiently(&person.sign_in(Contract::Zeaya, &password)).await.is_done();
    }
    if !signed_in {
        wrong.push(format!("{} can't sign in by the password that was acknowledged", person.name));
    }
    let ask = Ask::post(Contract::Kite, "/api/v1/auth/refresh", json!({"refresh_token": state.refresh}));
    let said = person.source.ask_patiently(&ask).await;
    if !said.is_done() && !state.refresh_in_doubt {
        wrong.push(format!("{} can't refresh: {} {}", person.name, said.status, said.body));
    }
    for (tokens, expected) in [(std::mem::take(&mut state.others), true), (std::mem::take(&mut state.ended), false)] {
        // Sessions add up over the minutes; the last ones of each person are enough.
        for token in tokens.iter().rev().take(5) {
            looked_at += 1;
            let valid = person
                .source
                .ask_patiently(&Ask::get(Contract::Sproutgate, "/api/auth/me").bearing(token))
                .await
                .is_done();
            if valid != expected {
                let told = if expected { "a session is gone" } else { "a session that was ended goes on" };
                wrong.push(format!("{}: {told}", person.name));
            }
        }
    }
    (wrong, looked_at)
}

/// The names of all accounts, by the administrators' list.
async fn names(crowd: &Crowd, admin_token: &str) -> anyhow::Result<HashSet<String>> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<&[u8]>>();
    let (mut names, mut cursor) = (HashSet::new(), String::new());
    loop {
        let uri = format!("{}/sproutgate/api/admin/users?limit=500{cursor}", crowd.base);
        let request = http::Request::get(uri).header("x-admin-token", admin_token).body(Empty::new())?;
        let (parts, body) = client.request(request).await?.into_parts();
        let page: Value = serde_json::from_slice(&body.collect().await?.to_bytes())?;
        let users = page["users"].as_array().with_context(|| format!("no list of accounts: {page}"))?;
        if !parts.status.is_success() {
            bail!("no list of accounts: {page}");
        }
        names.extend(users.iter().filter_map(|user| Some(user["account"].as_str()?.to_owned())));
        let Some(next) = page["nextCursor"].as_str() else { return Ok(names) };
        cursor = format!("&cursor={}", form_urlencoded::byte_serialize(next.as_bytes()).collect::<String>());
    }
}
