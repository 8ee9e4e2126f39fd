//! The operator's commands: what is done to a pool beside the service, and the server as one of them.

mod admin;
mod backup;
mod check;
mod doctor;
mod export;
mod foreign;
mod import;
mod keys;
mod place;
mod serve;

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::CommandFactory as _;
use tracing::Level;

use crate::cli::start_log;
use crate::command::{Admin, Arguments, Command, Keys};
use crate::error::StartError;

/// Does what the command line asks for. The exit code is 0 where all is well, and 1 where it failed or found something.
pub async fn run(arguments: Arguments) -> ExitCode {
    let command = arguments.command.unwrap_or(Command::Serve(arguments.serve));
    if !matches!(command, Command::Serve(_)) {
        start_log(Level::WARN);
    }
    let done = match command {
        Command::Serve(how) => serve::serve(how.options()).await,
        Command::Check(how) => check::check(how).await,
        Command::Export(how) => export::export(how).await,
        Command::Import(how) => import::import(how).await,
        Command::Keys(Keys::Rotate(how)) => keys::rotate(how).await,
        Command::Admin(Admin::ResetPassword(how)) => admin::reset_password(how).await,
        Command::Doctor(how) => doctor::doctor(how).await,
        Command::Completions { shell } => completions(shell),
    };
    match done {
        Ok(Outcome::Well) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::FAILURE,
        Err(failed) => {
            eprintln!("polygate: {failed}");
            ExitCode::FAILURE
        }
    }
}

/// What a command that did its work leaves to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// All is well.
    Well,
    /// It found something that isn't, and has said so.
    Found,
}

/// Why a command could not do its work: one line, with the mend where there is one.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{0}")]
    Told(String),
    #[error("{0:#}")]
    Other(#[from] anyhow::Error),
    #[error(transparent)]
    Core(#[from] polygate_shared::identity::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A failure that says what to do.
fn told(text: impl Into<String>) -> Failed {
    Failed::Told(text.into())
}

type Done<T = Outcome> = Result<T, Failed>;

fn completions(shell: clap_complete::Shell) -> Done {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "polygate", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Writes to standard output. Whoever reads it may have had enough.
fn print(text: &str) -> Done {
    match io::stdout().write_all(text.as_bytes()) {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => Err(cause.into()),
        Ok(()) | Err(_) => Ok(Outcome::Well),
    }
}
