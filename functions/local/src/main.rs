//! Polygate's development server.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use polygate::{Arguments, Server, start_log, stop_signal};

#[tokio::main]
async fn main() -> ExitCode {
    let options = Arguments::parse().options();
    start_log();
    let server = match Server::start(options).await {
        Ok(server) => server,
        Err(error) => {
            eprintln!("polygate: {error}");
            return ExitCode::FAILURE;
        }
    };
    // Whoever reads it may be gone; the server still serves.
    let _ = write!(std::io::stdout(), "{}", server.guide().await);
    stop_signal().await;
    // A second signal doesn't wait for requests that are under way.
    tokio::select! {
        () = server.shutdown() => {}
        () = stop_signal() => {}
    }
    ExitCode::SUCCESS
}
