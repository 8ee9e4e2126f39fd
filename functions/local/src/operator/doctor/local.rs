//! The data directory, and what a server on it needs.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use polygate_shared::aws::client;

use super::{Doctor, Findings, Pool, fine, note, wrong};
use crate::error::StartError;
use crate::folder::Folder;
use crate::operator::place::{data_directory, engine_beside};
use crate::server::TABLE_FILE;

/// Looks at the data directory; the pool in it, where there is one that can be looked at.
pub(super) fn local(how: &Doctor, found: &mut Findings) -> Option<Pool> {
    let path = data_directory(&how.place);
    let shown = path.display();
    if !path.exists() {
        found.push(note(format!("{shown} isn't there yet: the server makes it when it starts")));
        port(how.port, found);
        return None;
    }
    private(&path, found);
    match Folder::open(&path) {
        Ok(folder) => {
            found.push(fine(format!("{shown} can be written, and no server holds it")));
            port(how.port, found);
            if !folder.file(TABLE_FILE).exists() {
                found.push(note(format!("{shown} has no accounts: a server with --memory keeps none")));
                return None;
            }
            drop(folder);
            opened(Pool::local(&path), found)
        }
        Err(StartError::DataInUse { process, .. }) => {
            let process = process.map(|process| format!(" (process {process})")).unwrap_or_default();
            found.push(fine(format!("{shown} is held by a running server{process}")));
            let Some(url) = engine_beside(&path) else {
                found.push(wrong(format!(
                    "{shown} has no lambda.env that names the server's store engine: start it anew"
                )));
                return None;
            };
            found.push(fine(format!("its store engine is looked at through {url}")));
            opened(client::connect_local(url).map(|config| Pool::beside(&config)).map_err(Into::into), found)
        }
        Err(failed) => {
            found.push(wrong(failed.to_string()));
            None
        }
    }
}

fn opened(pool: crate::operator::Done<Pool>, found: &mut Findings) -> Option<Pool> {
    match pool {
        Ok(pool) => Some(pool),
        Err(failed) => {
            found.push(wrong(failed.to_string()));
            None
        }
    }
}

/// The directory has signing keys and the administrator token in it.
fn private(path: &Path, found: &mut Findings) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let open = std::fs::metadata(path).is_ok_and(|known| known.permissions().mode() & 0o077 != 0);
        if open {
            let path = path.display();
            found.push(note(format!("others on this machine can look into {path}: chmod 700 {path}")));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, found);
}

fn port(port: u16, found: &mut Findings) {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => found.push(fine(format!("port {port} is free"))),
        Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => {
            found.push(wrong(StartError::PortTaken(port).to_string()));
        }
        Err(cause) => found.push(wrong(StartError::Port(port, cause).to_string())),
    }
}
