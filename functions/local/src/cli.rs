//! The command line: what can be said on it, the log, and the signals that stop the server.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use clap::Parser;
use polygate_shared::settings::environment;
use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::options::{DataDir, Options, SETTINGS};

const DEFAULT_DATA: &str = ".polygate";

const MORE: &str = "\
Examples:
  polygate                          port 9000, data kept in .polygate
  polygate --memory --port 9100     a second one beside it that keeps nothing
  ROOT_CONTRACT=kite polygate       paths without a contract's name speak kite

Settings, as environment variables, the same as for the deployed functions:
  ROOT_CONTRACT       kite, zeaya, sproutgate (default) or mcphub
  CONTRACT_HOSTS      contracts by host, e.g. photos.localhost=zeaya,hub.localhost=mcphub
  ALLOW_REGISTRATION  true (default) or false
  PASSWORD_POLICY     contract (default: by length) or strict
  SIGNING_ALGORITHM   ES256 (default) or RS256
  KEY_MAX_AGE_DAYS    until another signing key takes over, default 90, 0 for never
  ALLOWED_ORIGINS     pages that may send cookies, e.g. http://localhost:5173
  TIME_ZONE           of times that are shown without one, default +08:00
  ISSUER              of tokens, default the first address that the data was served at
  MAIL_FROM           sender of mail
  MAIL_REPLY_TO       where answers to mails go
  MAIL_TEMPLATES      directory of templates in place of built-in ones
  BRAND_NAME          in mails, default Polygate
  BRAND_COLOR         of the bar on top of mails, as in #2f5bd7
  SUPPORT_EMAIL, SUPPORT_URL  where mails say that help is
  RUST_LOG            what is logged, e.g. warn, or info,polygate_shared=debug";

/// Polygate's development server: one pool of accounts behind four wire contracts, with its own store and
/// mails, on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(name = "polygate", version, after_help = MORE)]
pub struct Arguments {
    /// Port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Directory that keeps the data [default: .polygate]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep no accounts: all are gone when the server stops
    #[arg(long)]
    memory: bool,
}

impl Arguments {
    /// The options that these arguments and the environment ask for.
    pub fn options(self) -> Options {
        let data = match (self.memory, self.data) {
            (true, None) => DataDir::Memory,
            (true, Some(folder)) => DataDir::MemoryBeside(folder),
            (false, folder) => DataDir::Folder(folder.unwrap_or_else(|| DEFAULT_DATA.into())),
        };
        let lookup = environment();
        let settings = SETTINGS.iter().filter_map(|name| Some(((*name).to_owned(), lookup(name)?))).collect();
        Options { port: self.port, data, settings, ..Options::default() }
    }
}

/// Writes the log to standard error, a line for each request.
pub fn start_log() {
    let wanted = environment()("RUST_LOG").and_then(|text| text.parse::<Targets>().ok());
    let targets = wanted.unwrap_or_else(|| Targets::new().with_default(Level::INFO));
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
pub async fn stop_signal() {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn data(arguments: &[&str]) -> DataDir {
        Arguments::try_parse_from([&["polygate"], arguments].concat()).expect("good usage").options().data
    }

    #[test]
    fn where_the_data_goes() {
        assert_eq!(data(&[]), DataDir::Folder(".polygate".into()));
        assert_eq!(data(&["--data", "x"]), DataDir::Folder("x".into()));
        assert_eq!(data(&["--memory"]), DataDir::Memory);
        assert_eq!(data(&["--memory", "--data", "x"]), DataDir::MemoryBeside("x".into()));
    }

    #[test]
    fn bad_usage_is_told() {
        for arguments in [["--port", "70000"], ["--port", "x"], ["--prot", "1"]] {
            assert!(Arguments::try_parse_from([&["polygate"], arguments.as_slice()].concat()).is_err());
        }
    }
}
