//! What DynamoDB's failures mean to the core, and how long a write waits for others to get out of its way.

use std::future::Future;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::identity::{Chance, Error};

/// How often something that only waits for others is tried.
pub(super) const ATTEMPTS: u32 = 8;
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Answers after which the same request may well succeed.
const PASSING: [&str; 9] = [
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
    "RequestTimeout",
];

/// The core's error for a failed request.
pub(super) fn fault<E>(operation: &'static str, error: SdkError<E>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let passing = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) => true,
        SdkError::ResponseError(answer) => answer.raw().status().is_server_error(),
        SdkError::ServiceError(answer) => {
            answer.raw().status().is_server_error() || answer.err().code().is_some_and(|code| PASSING.contains(&code))
        }
        _ => false,
    };
    let cause = anyhow::Error::new(error).context(operation);
    if passing { unavailable(cause) } else { Error::Internal(cause) }
}

/// The core's error for what helps itself.
pub(super) fn unavailable(cause: anyhow::Error) -> Error {
    Error::Unavailable { retry_after: RETRY_AFTER, cause }
}

/// Sends a write again while another transaction is in its way: the SDK retries what failed on the way there or
/// was throttled, but not this.
pub(super) async fn patiently<O, E, F>(
    chance: &dyn Chance,
    send: impl Fn() -> F + Send + Sync,
    in_the_way: impl Fn(&E) -> bool + Send + Sync,
) -> Result<O, SdkError<E>>
where
    F: Future<Output = Result<O, SdkError<E>>> + Send,
{
    let mut attempt = 1;
    loop {
        match send().await {
            Err(error) if attempt < ATTEMPTS && error.as_service_error().is_some_and(&in_the_way) => {
                pause(attempt, chance).await;
                attempt += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Waits before the next attempt: any time up to a bound that doubles from 20 ms to 320 ms, so that those who met
/// once don't meet again.
pub(super) async fn pause(attempt: u32, chance: &dyn Chance) {
    let bound = 10_000 << attempt.min(5);
    let mut bytes = [0; 8];
    // Without randomness the whole bound is waited for.
    let micros = chance.fill(&mut bytes).map_or(bound, |()| u64::from_be_bytes(bytes) % bound);
    tokio::time::sleep(Duration::from_micros(micros)).await;
}
