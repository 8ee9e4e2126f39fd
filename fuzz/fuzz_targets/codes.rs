//! Codes as people type them: mailed ones, those of an authenticator, and recovery codes. The first letter says where.
#![no_main]

use axum::body::Body;
use polygate_fuzz::POOL;
use serde_json::json;

libfuzzer_sys::fuzz_target!(|input: &str| {
    let mut letters = input.chars();
    let Some(place) = letters.next() else { return };
    let code = String::from_utf8(POOL.fill(letters.as_str().as_bytes())).expect("as it was");
    let (path, body) = match u32::from(place) % 6 {
        0 => ("/kite/api/v1/auth/2fa/enable", json!({"code": code})),
        1 => ("/kite/api/v1/auth/2fa/verify", json!({"challenge_token": code, "code": code})),
        2 => ("/sproutgate/api/auth/verify-email", json!({"account": "berta", "code": code})),
        3 => ("/kite/api/v1/emails/verify", json!({"email": "anna@example.com", "code": code})),
        4 => ("/kite/api/v1/auth/login", json!({"username": "anna", "password": "x", "code": code})),
        _ => {
            let body = json!({"identifier": "anna", "code": code, "new_password": "strong-password"});
            ("/kite/api/v1/auth/password-reset/confirm", body)
        }
    };
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .header("authorization", POOL.fill(b"Bearer {anna}").as_slice());
    POOL.ask(request.body(Body::from(body.to_string())).expect("a request"));
});
