//! The server under load: a process of its own, looked at through /proc.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, bail};

/// What a run leaves in its folder.
const DATA: &str = "data";
const LOG: &str = "server.log";

/// A running development server on a data directory of its own.
pub(crate) struct Server {
    binary: PathBuf,
    folder: PathBuf,
    child: Child,
    process: Process,
    pub(crate) base: String,
}

/// Its process.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Process(u32);

/// What the system tells of the process.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// MiB that are in memory.
    pub(crate) memory: f64,
    /// Seconds of processors, since it started.
    pub(crate) processor: f64,
    /// Open files, connections among them.
    pub(crate) files: usize,
}

impl Process {
    pub(crate) fn usage(self) -> Usage {
        let read = |name: &str| std::fs::read_to_string(format!("/proc/{}/{name}", self.0)).unwrap_or_default();
        let resident = |line: &str| line.strip_prefix("VmRSS:")?.trim().trim_end_matches(" kB").parse::<f64>().ok();
        let memory = read("status").lines().find_map(resident).unwrap_or_default() / 1024.0;
        // Behind the name, which may hold anything, the 12th and 13th number are ticks of a hundredth of a second.
        let stat = read("stat");
        let ticks = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        let processor = ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0;
        let files = std::fs::read_dir(format!("/proc/{}/fd", self.0)).map_or(0, Iterator::count);
        Usage { memory, processor, files }
    }
}

impl Server {
    /// Starts it in an empty folder, with its log in a file there.
    pub(crate) fn start(binary: &Path, folder: &Path, mail: &str) -> anyhow::Result<Self> {
        std::fs::create_dir_all(folder).context("no folder for the data")?;
        let mut child = Command::new(binary)
            .args(["--port", "0", "--data"])
            .arg(folder.join(DATA))
            .env("AWS_ENDPOINT_URL_SES", mail)
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(log(folder))?)
            .spawn()
            .with_context(|| format!("{} doesn't start", binary.display()))?;
        let (process, output) = (Process(child.id()), child.stdout.take().context("no output")?);
        let mut server =
            Self { binary: binary.to_owned(), folder: folder.to_owned(), child, process, base: String::new() };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        // The address is in what it says when it is ready.
        let base = lines.find_map(|line| Some(line.split_whitespace().nth(1)?.strip_suffix("/kite")?.to_owned()));
        server.base = base.with_context(|| format!("it says no address; see {}", log(folder).display()))?;
        // The rest is read too, so that it never waits for a reader.
        std::thread::spawn(move || lines.count());
        Ok(server)
    }

    pub(crate) fn process(&self) -> Process {
        self.process
    }

    /// How many requests the log tells of.
    pub(crate) fn requests_logged(&self) -> anyhow::Result<usize> {
        let lines = BufReader::new(File::open(log(&self.folder))?).lines();
        Ok(lines.map_while(Result::ok).filter(|line| line.contains(" request request_id=")).count())
    }

    /// The administrator token of its data.
    pub(crate) fn admin_token(&self) -> anyhow::Result<String> {
        let token = std::fs::read_to_string(self.folder.join("data/admin-token")).context("no admin token")?;
        Ok(token.trim().to_owned())
    }

    /// Stops it and has its whole table checked; what is wrong with it.
    pub(crate) fn stop(mut self) -> anyhow::Result<Option<String>> {
        Command::new("kill").args(["-TERM", &self.process.0.to_string()]).status()?;
        let status = self.child.wait()?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        let check = Command::new(&self.binary).args(["check", "--data"]).arg(self.folder.join("data")).output()?;
        let told = String::from_utf8_lossy(&check.stdout).into_owned() + &String::from_utf8_lossy(&check.stderr);
        println!("polygate check: {}", told.trim());
        Ok((!check.status.success()).then(|| "polygate check finds the table unsound".to_owned()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already, unless the run is broken off.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log(folder: &Path) -> PathBuf {
    folder.join(LOG)
}

/// Removes what an earlier run left in a folder; one that has anything else is left as it is.
pub(crate) fn clear(folder: &Path) -> anyhow::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).with_context(|| format!("{} can't be looked into", folder.display()))? {
        let name = entry?.file_name();
        if name != DATA && name != LOG {
            let (folder, name) = (folder.display(), name.display());
            bail!("{folder} has {name}, which is no earlier run's: name a new or an empty folder");
        }
    }
    let (data, log) = (folder.join(DATA), log(folder));
    if data.exists() && !data.join("table.db").exists() && std::fs::read_dir(&data)?.next().is_some() {
        bail!("{} is no earlier run's: name a new or an empty folder", data.display());
    }
    if data.exists() {
        std::fs::remove_dir_all(&data).with_context(|| format!("{} can't be removed", data.display()))?;
    }
    if log.exists() {
        std::fs::remove_file(&log).with_context(|| format!("{} can't be removed", log.display()))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_removed_but_what_a_run_left() {
        let folder = std::env::temp_dir().join(format!("polygate-load-{}", std::process::id()));
        clear(&folder).expect("a new folder");
        let data = folder.join(DATA);
        std::fs::create_dir_all(&data).expect("made");
        clear(&folder).expect("an empty one");
        std::fs::create_dir_all(&data).expect("made");
        std::fs::write(data.join("photo.jpg"), "x").expect("written");
        assert!(clear(&folder).is_err(), "data of something else");
        std::fs::write(data.join("table.db"), "x").expect("written");
        std::fs::write(folder.join(LOG), "x").expect("written");
        std::fs::write(folder.join("letter.txt"), "x").expect("written");
        assert!(clear(&folder).is_err(), "something else beside it");
        assert!(data.join("table.db").exists() && folder.join(LOG).exists(), "nothing was removed");
        std::fs::remove_file(folder.join("letter.txt")).expect("removed");
        clear(&folder).expect("an earlier run's");
        assert!(!data.exists() && !folder.join(LOG).exists());
        std::fs::remove_dir(&folder).expect("nothing else was there");
    }
}
