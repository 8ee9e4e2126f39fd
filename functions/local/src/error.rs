//! Why the development server could not start: one line each, with the mend.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why the server could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is bad; the text names it and the mend.
    BadSetting(String),
    /// Something else listens on the port.
    PortTaken(u16),
    /// The port may not be listened on, for another reason.
    Port(u16, io::Error),
    /// Another server uses the data directory.
    DataInUse {
        /// The directory.
        folder: PathBuf,
        /// The other server's process, where it said so.
        process: Option<u32>,
    },
    /// Something in the data directory can't be read or written.
    Data(PathBuf, io::Error),
    /// The table's file can't be used.
    TableBroken(PathBuf, String),
    /// Anything else: a fault of the program.
    Other(anyhow::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadSetting(text) => f.write_str(&one_line(text)),
            Self::PortTaken(port) => {
                write!(f, "port {port} is taken: stop what runs there, or name another with --port")
            }
            Self::Port(port, cause) => {
                write!(f, "port {port} can't be listened on ({}): name another with --port", brief(cause))
            }
            Self::DataInUse { folder, process } => {
                let folder = folder.display();
                write!(f, "the data directory {folder} is in use by another polygate")?;
                if let Some(process) = process {
                    write!(f, " (process {process})")?;
                }
                f.write_str(": stop that one, or give this one its own with --data and --port")
            }
            Self::Data(path, cause) => {
                let path = path.display();
                write!(f, "{path} can't be used ({}): make it writable, or name a directory with --data", brief(cause))
            }
            Self::TableBroken(path, cause) => {
                let (path, cause) = (path.display(), one_line(cause));
                // What follows is advice for programs that embed the engine.
                let cause = cause.split(". ").next().unwrap_or_default();
                write!(f, "the table file {path} is broken ({cause}): move it away, or name a directory with --data")
            }
            Self::Other(cause) => f.write_str(&one_line(&format!("could not start: {cause:#}"))),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Port(_, cause) | Self::Data(_, cause) => Some(cause),
            Self::Other(cause) => Some(cause.as_ref()),
            Self::BadSetting(_) | Self::PortTaken(_) | Self::DataInUse { .. } | Self::TableBroken(..) => None,
        }
    }
}

impl From<anyhow::Error> for StartError {
    fn from(cause: anyhow::Error) -> Self {
        Self::Other(cause)
    }
}

/// An error of the system without its number.
fn brief(cause: &io::Error) -> String {
    let text = one_line(&cause.to_string()).to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_one_line_with_the_mend() {
        let denied = || io::Error::from_raw_os_error(13);
        for (error, text) in [
            (StartError::PortTaken(9000), "port 9000 is taken: stop what runs there, or name another with --port"),
            (
                StartError::Port(80, denied()),
                "port 80 can't be listened on (permission denied): name another with --port",
            ),
            (
                StartError::DataInUse { folder: ".polygate".into(), process: Some(7) },
                "the data directory .polygate is in use by another polygate (process 7): stop that one, or give this \
                 one its own with --data and --port",
            ),
            (
                StartError::Data("/x".into(), denied()),
                "/x can't be used (permission denied): make it writable, or name a directory with --data",
            ),
            (
                StartError::TableBroken("/x/table.db".into(), "file is not\na database. Do this".into()),
                "the table file /x/table.db is broken (file is not a database): move it away, or name a directory with \
                 --data",
            ),
            (StartError::Other(anyhow::anyhow!("b\nc").context("a")), "could not start: a: b c"),
        ] {
            assert_eq!(error.to_string(), text);
        }
    }
}
