//! What the command line says of an import from another system.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(crate) struct Foreign {
    /// The file isn't an export: it is what another system keeps its accounts in
    #[arg(long, value_name = "SYSTEM")]
    pub(crate) from: Option<System>,
    /// Let that system's administrators administer the whole pool; else they come as ordinary people
    #[arg(long, requires = "from")]
    pub(crate) administrators: bool,
    /// Only read the file, and say what in it can't be imported anywhere
    #[arg(long, requires = "from")]
    pub(crate) dry_run: bool,
    /// Add a line of JSON for each account to a file: what it was there, and what it is here
    #[arg(long, value_name = "FILE", requires = "from", conflicts_with = "dry_run")]
    pub(crate) map: Option<PathBuf>,
}

/// Another system, and what it keeps its accounts in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum System {
    /// A SQLite database: kite.db
    Kite,
    /// A dump of the table of users by mysqldump: users.sql
    Zeaya,
    /// The data directory, with a file for each account in users: data
    Sproutgate,
    /// The settings: mcp_settings.json
    Mcphub,
}

impl System {
    /// As its contract is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kite => "kite",
            Self::Zeaya => "zeaya",
            Self::Sproutgate => "sproutgate",
            Self::Mcphub => "mcphub",
        }
    }
}
