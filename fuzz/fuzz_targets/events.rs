//! Events as API Gateway hands them to a function, through the code that Lambda runs.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use lambda_http::request::LambdaRequest;
use lambda_runtime::{Context, LambdaEvent};
use polygate_fuzz::{POOL, look_at};
use polygate_shared::aws::lambda;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(event) = serde_json::from_slice::<LambdaRequest>(&POOL.fill(input)) else { return };
    let LambdaRequest::ApiGatewayV2(of_gateway) = &event else { return };
    // The gateway itself puts bodies in base64, so none comes that says so and isn't; lambda_http panics over one.
    let body = of_gateway.body.as_deref().unwrap_or_default();
    if of_gateway.is_base64_encoded && STANDARD.decode(body).is_err() {
        return;
    }
    // It numbers requests itself, too: no credential stands there, whence it would get to the log.
    let number = of_gateway.request_context.request_id.as_deref().unwrap_or_default();
    if POOL.live.iter().any(|(_, live)| number.contains(live.as_str())) {
        return;
    }
    let work = lambda::handle(POOL.front.clone(), LambdaEvent::new(event, Context::default()));
    let Some(answered) = POOL.wait_for_answer(&String::from_utf8_lossy(input), work) else { return };
    let answer = serde_json::to_value(answered.expect("an answer")).expect("JSON");
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
    let headers = answer["headers"].as_object().expect("headers").iter().map(|(name, value)| {
        let value = value.as_str().expect("a text").parse().expect("a header");
        (name.parse().expect("a name"), value)
    });
    let headers = headers.collect::<HeaderMap>();
    let body = answer["body"].as_str().filter(|_| answer["isBase64Encoded"] == false).unwrap_or_default();
    look_at(status, &headers, body.as_bytes());
});
