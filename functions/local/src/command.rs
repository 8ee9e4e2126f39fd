//! The command line: what can be said on it.

mod examples;
mod foreign;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use polygate_shared::settings::environment;

use self::examples::{CHECK, COMPLETIONS, DOCTOR, EXPORT, IMPORT, MORE, RESET, ROTATE, WHERE};
pub(crate) use self::foreign::{Foreign, System};
use crate::options::{Bounds, DataDir, MOST_REQUESTS, Options, SETTINGS};

pub(crate) const DEFAULT_DATA: &str = ".polygate";

/// Polygate's development server and operator's command: one pool of accounts behind four wire contracts. Without a
/// command it serves, with its own store and mails, on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(name = "polygate", version, after_help = MORE, args_conflicts_with_subcommands = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the development server; so does no command at all
    #[command(after_help = MORE)]
    Serve(Serve),
    /// Read a whole table and tell whether it is sound
    ///
    /// Every item is read once, by strongly consistent reads; what looks wrong is read again before it is told, so that it
    /// can be done while the service runs. It takes some 150 MB of memory for a million accounts.
    #[command(after_help = format!("{CHECK}{WHERE}"))]
    Check(Check),
    /// Write the whole pool to a file
    ///
    /// The file is as secret as the table: it holds the hashes of all passwords, the secrets of second factors and the keys
    /// that sign tokens. One that was broken off goes on where it stopped when the same command is given again.
    #[command(after_help = format!("{EXPORT}{WHERE}"))]
    Export(Export),
    /// Fill an empty pool from a file that `polygate export` wrote, or add the accounts of another system to a pool
    ///
    /// A cut or changed file is refused. One import that was broken off goes on when the same command is given again: what
    /// is there already stays. At the end the whole table is checked.
    ///
    /// With --from, accounts keep their names, addresses and passwords. Who can't be taken, as where somebody else has the
    /// name, is listed with the reason, and the others are imported.
    #[command(after_help = format!("{IMPORT}{WHERE}"))]
    Import(Import),
    /// The keys that sign access tokens
    #[command(subcommand)]
    Keys(Keys),
    /// The administrators
    #[command(subcommand)]
    Admin(Admin),
    /// Look at a local setup or a deployment, and say what is wrong with it and how to mend it
    ///
    /// Changes nothing. Every line begins with ok, note or WRONG.
    #[command(after_help = format!("{DOCTOR}{WHERE}"))]
    Doctor(Doctor),
    /// Write the completions of a shell to standard output
    #[command(after_help = COMPLETIONS)]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// How to serve.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Directory that keeps the data [default: .polygate]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Keep no accounts: all are gone when the server stops
    #[arg(long)]
    memory: bool,
    /// How many requests may be under way; further ones are answered 503 at once
    #[arg(long, value_name = "N", default_value_t = MOST_REQUESTS, value_parser = clap::value_parser!(u16).range(1..))]
    most_requests: u16,
}

impl Serve {
    /// The options that these arguments and the environment ask for.
    pub(crate) fn options(self) -> Options {
        let data = match (self.memory, self.data) {
            (true, None) => DataDir::Memory,
            (true, Some(folder)) => DataDir::MemoryBeside(folder),
            (false, folder) => DataDir::Folder(folder.unwrap_or_else(|| DEFAULT_DATA.into())),
        };
        let lookup = environment();
        let settings = SETTINGS.iter().filter_map(|name| Some(((*name).to_owned(), lookup(name)?))).collect();
        let bounds = Bounds { requests: self.most_requests.into(), ..Bounds::default() };
        Options { port: self.port, data, settings, bounds, ..Options::default() }
    }
}

/// Which pool an operator's command is about.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where")]
pub(crate) struct Place {
    /// Directory that keeps the data [default: .polygate]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["endpoint", "table"])]
    pub(crate) data: Option<PathBuf>,
    /// Store engine of a running server, e.g. http://127.0.0.1:9001
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// Table of a deployment
    #[arg(long, value_name = "NAME")]
    pub(crate) table: Option<String>,
    /// Region of that table [default: AWS_REGION]
    #[arg(long, value_name = "REGION", requires = "table", conflicts_with = "endpoint")]
    pub(crate) region: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Mend what is safe to mend, each under the condition that nobody has changed it meanwhile
    #[arg(long)]
    pub(crate) repair: bool,
    /// Report as JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The file to write, which must not be there yet; - for standard output
    pub(crate) file: PathBuf,
    /// Leave out the keys that sign tokens and derive codes: after an import everybody has to sign in anew
    #[arg(long)]
    pub(crate) without_keys: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// The file to read
    pub(crate) file: PathBuf,
    /// Also into a pool that isn't empty: what stands there stays, what differs is listed
    #[arg(long, conflicts_with = "from")]
    pub(crate) merge: bool,
    #[command(flatten)]
    pub(crate) foreign: Foreign,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Port that the development server is to listen on
    #[arg(long, default_value_t = 9000)]
    pub(crate) port: u16,
    /// Address at which a deployment or a running server answers
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Have another key take over, and list the keys
    ///
    /// The new key is published at once and signs after three hours, when every verifier has it; what earlier keys signed
    /// stays good until it ends. Where a key waits already, that stays so.
    #[command(after_help = format!("{ROTATE}{WHERE}"))]
    Rotate(Rotate),
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// Refuse all earlier keys now, and every access token that they signed: for a key that somebody else may have
    #[arg(long)]
    pub(crate) at_once: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Admin {
    /// Give an administrator another password
    ///
    /// Prints a random one, this once. All sessions and API tokens of the account end.
    #[command(after_help = format!("{RESET}{WHERE}"))]
    ResetPassword(ResetPassword),
}

#[derive(Debug, Args)]
pub(crate) struct ResetPassword {
    /// The account's name
    pub(crate) name: String,
    /// Take the password from standard input instead of making one: its first line
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Take the account's second factor away
    #[arg(long)]
    pub(crate) drop_second_factor: bool,
    /// Make an active administrator of an account that is none; makes the account `admin` where nobody has that name
    #[arg(long)]
    pub(crate) reinstate: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::try_parse_from([&["polygate"], arguments].concat())
    }

    fn data(arguments: &[&str]) -> DataDir {
        let Arguments { command, serve } = parse(arguments).expect("good usage");
        match command {
            None => serve.options().data,
            Some(Command::Serve(serve)) => serve.options().data,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_definitions_hold_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn where_the_data_goes() {
        for verb in [&[] as &[&str], &["serve"]] {
            let data = |arguments: &[&str]| data(&[verb, arguments].concat());
            assert_eq!(data(&[]), DataDir::Folder(".polygate".into()));
            assert_eq!(data(&["--data", "x"]), DataDir::Folder("x".into()));
            assert_eq!(data(&["--memory"]), DataDir::Memory);
            assert_eq!(data(&["--memory", "--data", "x"]), DataDir::MemoryBeside("x".into()));
        }
    }

    #[test]
    fn bad_usage_is_told() {
        for arguments in [
            &["--port", "70000"] as &[&str],
            &["--port", "x"],
            &["--prot", "1"],
            &["--memory", "keys", "rotate"],
            &["keys"],
            &["keys", "rotate", "--data", "x", "--table", "y"],
            &["keys", "rotate", "--region", "eu-central-1"],
            &["admin", "reset-password"],
            &["completions", "csh"],
        ] {
            assert!(parse(arguments).is_err(), "{arguments:?}");
        }
    }
}
