//! Cookies, with the origin that a page would send beside them: a byte that says what is asked, the value, and after a
//! line break the origin.
#![no_main]

use axum::body::Body;
use polygate_fuzz::POOL;

const ASKED: [(&str, &str); 4] = [
    ("GET", "/kite/api/v1/profile"),
    ("PUT", "/kite/api/v1/profile"),
    ("POST", "/kite/api/v1/auth/refresh"),
    ("POST", "/kite/api/v1/auth/logout"),
];

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Some((which, rest)) = input.split_first() else { return };
    let (method, path) = ASKED[usize::from(*which) % ASKED.len()];
    let filled = POOL.fill(rest);
    let mut lines = filled.splitn(2, |byte| *byte == b'\n');
    let cookie = lines.next().unwrap_or_default();
    let mut request =
        http::Request::builder().method(method).uri(path).header("host", "id.example.com").header("cookie", cookie);
    if let Some(origin) = lines.next() {
        request = request.header("origin", origin);
    }
    if let Ok(request) = request.body(Body::empty()) {
        POOL.ask(request);
    }
});
