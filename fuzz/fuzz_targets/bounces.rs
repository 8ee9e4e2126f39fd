//! What SES tells by SNS: whole events, and messages within one. They are taken in, dropped, or handed over again.
#![no_main]

use lambda_runtime::{Context, LambdaEvent};
use polygate_fuzz::POOL;
use polygate_shared::aws::bounces::{SnsEvent, handle};
use polygate_shared::identity::Error;
use serde_json::json;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let event = serde_json::from_slice::<SnsEvent>(input).ok();
    let text = std::str::from_utf8(input).ok();
    let wrapped = text.map(|text| json!({"Records": [{"Sns": {"MessageId": "m", "Message": text}}]}));
    let wrapped = wrapped.map(|event| serde_json::from_value(event).expect("an event"));
    for event in event.into_iter().chain(wrapped) {
        match POOL.wait(handle(&POOL.identity, &POOL.log, LambdaEvent::new(event, Context::default()))) {
            Ok(()) | Err(Error::Unavailable { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
});
