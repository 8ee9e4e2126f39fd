//! Query strings: of listings, of the trail, and the token that mcphub takes there.
#![no_main]

use axum::body::Body;
use polygate_fuzz::POOL;

const ASKED: [&str; 5] = [
    "/kite/api/v1/admin/users",
    "/kite/api/v1/admin/audit",
    "/kite/api/v1/audit",
    "/sproutgate/api/admin/users",
    "/mcphub/api/auth/user",
];

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((which, query)) = input.split_first() else { return };
    let uri = [ASKED[usize::from(*which) % ASKED.len()].as_bytes(), b"?", &POOL.fill(query)].concat();
    let request = http::Request::get(uri.as_slice()).header("authorization", POOL.fill(b"Bearer {boss}").as_slice());
    if let Ok(request) = request.body(Body::empty()) {
        POOL.ask(request);
    }
});
