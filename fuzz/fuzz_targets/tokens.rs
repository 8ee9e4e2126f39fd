//! Access and API tokens: texts, and live ones with a part changed. Nothing but the very token is let in.
#![no_main]

use polygate_fuzz::POOL;
use polygate_shared::identity::{AccessToken, Gate, Language, Visitor};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let [how, at, gone, rest @ ..] = input else { return };
    let live: Vec<_> = POOL.live.iter().filter(|(name, _)| matches!(*name, "anna" | "program")).collect();
    let (_, live) = live[usize::from(*how) % live.len()];
    let token = match how / 2 % 3 {
        // As it is.
        0 => rest.to_vec(),
        // In the place of some bytes of a live one.
        1 => {
            let start = (usize::from(*at) * 4).min(live.len());
            let end = (start + usize::from(*gone)).min(live.len());
            [&live.as_bytes()[..start], rest, &live.as_bytes()[end..]].concat()
        }
        // In the place of a part of it, between the dots.
        _ => {
            let mut parts: Vec<&[u8]> = live.split('.').map(str::as_bytes).collect();
            let place = usize::from(*at) % parts.len();
            parts[place] = rest;
            parts.join(&b'.')
        }
    };
    let Ok(token) = String::from_utf8(token) else { return };
    let visitor = Visitor {
        source: "203.0.113.7".to_owned(),
        agent: "fuzz".to_owned(),
        interface: "kite".to_owned(),
        language: Language::English,
        ..Visitor::default()
    };
    let is_it = POOL.live.iter().any(|(_, live)| *live == token);
    let presented = AccessToken::new(token);
    let let_in = POOL.wait(POOL.identity.authenticate(Some(&presented), Gate::Closed, &visitor)).is_ok();
    assert!(!let_in || is_it, "another token was let in");
});
