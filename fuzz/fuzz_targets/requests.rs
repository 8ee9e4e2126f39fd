//! Whole requests to any endpoint, with live credentials where the input names them: path, headers, query, body.
#![no_main]

use polygate_fuzz::POOL;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Some(request) = POOL.request(input) {
        POOL.ask(request);
    }
});
