//! What surrounds a command: the log, and the signals that stop the server.

use std::io::{self, IsTerminal as _};

use polygate_shared::settings::environment;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Writes the log to standard error, from this level on unless `RUST_LOG` says otherwise.
pub(crate) fn start_log(from: Level) {
    let wanted = environment()("RUST_LOG").and_then(|text| text.parse::<Targets>().ok());
    let targets = wanted.unwrap_or_else(|| Targets::new().with_default(from));
    // The engine warns of every condition that isn't met, which is how names are found taken; it prints whole
    // items at its lowest levels.
    let targets = targets.with_target("dynoxide", Level::ERROR);
    let lines = tracing_subscriber::fmt::layer()
        .compact()
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    // A second call, in tests, changes nothing.
    let _ = tracing_subscriber::registry().with(targets).with(lines).try_init();
}

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn stop_signal() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    if let Ok(mut terminate) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = interrupt => {}
            _ = terminate.recv() => {}
        }
        return;
    }
    let _ = interrupt.await;
}
