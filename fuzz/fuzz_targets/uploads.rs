//! Forms: a content type, an empty line, a body; sent as a picture of the signed-in person's.
#![no_main]

use axum::body::Body;
use polygate_fuzz::{POOL, is_left_out};

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let end = input.windows(2).position(|two| two == b"\n\n");
    let Some(end) = end else { return };
    let (kind, body) = (&input[..end], &input[end + 2..]);
    let file = body.windows(4).position(|four| four == b"\r\n\r\n").map(|end| &body[end + 4..]);
    if file.is_some_and(is_left_out) {
        return;
    }
    let request = http::Request::post("/zeaya/api/auth/avatar")
        .header("authorization", POOL.fill(b"Bearer {anna}").as_slice())
        .header("content-type", kind);
    if let Ok(request) = request.body(Body::from(body.to_vec())) {
        POOL.ask(request);
    }
});
