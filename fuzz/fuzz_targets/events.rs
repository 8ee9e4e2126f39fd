//! Events as API Gateway hands them to a function, through the code that Lambda runs.
#![no_main]

use lambda_http::request::LambdaRequest;
use lambda_runtime::{Context, LambdaEvent};
use polygate_fuzz::POOL;
use polygate_shared::aws::lambda;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(event) = serde_json::from_slice::<LambdaRequest>(&POOL.fill(input)) else { return };
    if !matches!(event, LambdaRequest::ApiGatewayV2(_)) {
        return;
    }
    let work = lambda::handle(POOL.front.clone(), LambdaEvent::new(event, Context::default()));
    let Some(answered) = POOL.wait_for_answer(&String::from_utf8_lossy(input), work) else { return };
    let answer = serde_json::to_value(answered.expect("an answer")).expect("JSON");
    let status = answer["statusCode"].as_u64().expect("a status");
    assert!(status < 500 || status == 503, "{answer}\n{}", polygate_fuzz::log::last());
});
