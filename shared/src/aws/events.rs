//! What a function logs besides the line of each request: warnings and accidents, as JSON with their fields at the top.

use std::io;
use std::str::FromStr;

use lambda_runtime::tracing::subscriber::filter::LevelFilter;
use lambda_runtime::tracing::subscriber::fmt::{MakeWriter, SubscriberBuilder};
use lambda_runtime::tracing::subscriber::util::SubscriberInitExt;
use tracing::Subscriber;

/// Writes them to standard output, from the level on that `AWS_LAMBDA_LOG_LEVEL`, which the function's logging
/// configuration sets, or `RUST_LOG` names; from INFO on without.
pub(super) fn start(lookup: &dyn Fn(&str) -> Option<String>) {
    let level = lookup("AWS_LAMBDA_LOG_LEVEL").or_else(|| lookup("RUST_LOG"));
    let level = level.and_then(|level| LevelFilter::from_str(&level).ok()).unwrap_or(LevelFilter::INFO);
    // Below that the SDK tells of whole requests.
    let level = level.min(LevelFilter::INFO);
    // A second call, in tests, changes nothing.
    let _ = subscriber(level, io::stdout).try_init();
}

/// What turns events into lines. CloudWatch dates them; the request that each belongs to stands in its `span`.
pub fn subscriber(
    level: impl Into<LevelFilter>,
    writer: impl for<'a> MakeWriter<'a> + Send + Sync + 'static,
) -> impl Subscriber + Send + Sync {
    SubscriberBuilder::default()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .without_time()
        .with_max_level(level)
        .with_writer(writer)
        .finish()
}
