//! Polygate's development server and operator's command.

use std::process::ExitCode;

use clap::Parser as _;
use mimalloc::MiMalloc;

// The engine and its client make some two thousand small pieces of memory for a request: with this it takes a quarter less
// instructions than with the system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    polygate::run(polygate::Arguments::parse()).await
}
