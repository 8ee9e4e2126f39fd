//! Polygate's development server and operator's command.

use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    polygate::run(polygate::Arguments::parse()).await
}
