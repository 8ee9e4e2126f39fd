//! The data directory: private to its owner, held by one server at a time, and whole after a kill.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use polygate_shared::identity::{AdminToken, Chance};

use crate::error::StartError;
use crate::text::hex;

const LOCK: &str = "polygate.lock";
const ADMIN_TOKEN: &str = "admin-token";

/// A data directory that this server holds.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    /// The system gives the lock back when this is closed, also after a kill.
    lock: File,
    temporary: bool,
}

impl Folder {
    /// Makes the directory where it isn't there yet, and takes it.
    pub(crate) fn open(path: &Path) -> Result<Self, StartError> {
        let failed = |cause| StartError::Data(path.to_owned(), cause);
        make_private_directory(path).map_err(failed)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut lock = private(&mut options).open(path.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // Only to be more helpful: without a number the answer is the same.
                let _ = lock.read_to_string(&mut holder);
                return Err(StartError::DataInUse { folder: path.to_owned(), process: holder.trim().parse().ok() });
            }
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        lock.set_len(0).and_then(|()| write!(lock, "{}", std::process::id())).map_err(failed)?;
        Ok(Self { path: path.to_owned(), lock, temporary: false })
    }

    /// A new directory that goes when the server stops.
    pub(crate) fn temporary(chance: &dyn Chance) -> Result<Self, StartError> {
        let mut name = [0; 8];
        chance.fill(&mut name)?;
        let mut folder = Self::open(&std::env::temp_dir().join(format!("polygate-{}", hex(&name))))?;
        folder.temporary = true;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file of this name lies.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Where a file of this name lies, which is made empty if it isn't there: whoever makes it decides who can
    /// read it, and the directory may be one that others can enter.
    pub(crate) fn private_file(&self, name: &str) -> Result<PathBuf, StartError> {
        let path = self.file(name);
        let opened = private(OpenOptions::new().append(true).create(true)).open(&path);
        opened.map_err(|cause| StartError::Data(path.clone(), cause))?;
        Ok(path)
    }

    /// Where the administrator token lies.
    pub(crate) fn admin_token_file(&self) -> PathBuf {
        self.file(ADMIN_TOKEN)
    }

    /// The administrator token of this directory, made the first time.
    pub(crate) fn admin_token(&self, chance: &dyn Chance) -> Result<AdminToken, StartError> {
        let path = self.admin_token_file();
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => return Ok(AdminToken::new(text.trim())),
            Ok(_) => {}
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(StartError::Data(path, cause)),
        }
        let token = AdminToken::generate(chance)?;
        self.write(ADMIN_TOKEN, &format!("{}\n", token.reveal()))?;
        Ok(token)
    }

    /// Writes a file that only its owner can read: whole or not at all.
    pub(crate) fn write(&self, name: &str, contents: &str) -> Result<(), StartError> {
        let (path, draft) = (self.file(name), self.file(&format!("{name}.new")));
        let write = || {
            // One that a kill left behind could have other rights.
            match fs::remove_file(&draft) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
            let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&draft)?;
            file.write_all(contents.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        };
        write().map_err(|cause| StartError::Data(path.clone(), cause))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Closing isn't enough: a program that is just being started elsewhere in this process has the file for a moment, too.
        let _ = self.lock.unlock();
        if self.temporary {
            // What can't be removed is the system's to clean up: it is in its temporary directory.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Makes a directory, and those above it, that only its owner can enter.
fn make_private_directory(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|cause| match cause.kind() {
        io::ErrorKind::AlreadyExists => io::ErrorKind::NotADirectory.into(),
        _ => cause,
    })
}

/// Opens files so that only their owner can read them.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

#[cfg(test)]
mod tests {
    use polygate_shared::identity::SystemChance;

    use super::*;

    #[test]
    fn one_server_at_a_time_and_nothing_stale() {
        let folder = Folder::temporary(&SystemChance::default()).expect("a folder");
        let path = folder.path().to_owned();
        match Folder::open(&path) {
            Err(StartError::DataInUse { process, .. }) => assert_eq!(process, Some(std::process::id())),
            other => panic!("{other:?}"),
        }
        drop(folder);
        assert!(!path.exists());
        let folder = Folder::open(&path).expect("free again");
        drop(folder);
        let mut folder = Folder::open(&path).expect("free again, with its files left behind");
        folder.temporary = true;
    }

    #[test]
    fn the_token_stays_and_is_private() {
        let chance = SystemChance::default();
        let folder = Folder::temporary(&chance).expect("a folder");
        fs::write(folder.file("admin-token.new"), "left by a kill").expect("writes");
        let token = folder.admin_token(&chance).expect("a token");
        assert_eq!(folder.admin_token(&chance).expect("a token").reveal(), token.reveal());
        assert!(token.reveal().len() > 40);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
            assert_eq!(mode(folder.path()), 0o700);
            assert_eq!(mode(&folder.admin_token_file()), 0o600);
        }
    }

    #[test]
    fn a_file_in_its_place_is_told() {
        let folder = Folder::temporary(&SystemChance::default()).expect("a folder");
        fs::write(folder.file("plain"), "").expect("writes");
        assert!(matches!(Folder::open(&folder.file("plain")), Err(StartError::Data(..))));
    }
}
