//! The operator's commands: the real binary on data that a real server made.

mod backup;
mod doctor;
mod foreign;
mod rescue;
mod soundness;
mod usage;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use polygate::{DataDir, Options};
use polygate_shared::identity::SystemClock;

use crate::restart::Scratch;
use crate::support::World;

/// What a command left behind.
struct Left {
    code: i32,
    out: String,
    err: String,
}

/// Runs the binary, without any settings or credentials of the machine.
fn polygate(arguments: &[&str]) -> Left {
    run(arguments, &[], "")
}

fn run(arguments: &[&str], settings: &[(&str, &str)], typed: &str) -> Left {
    let mut command = Command::new(env!("CARGO_BIN_EXE_polygate"));
    command.args(arguments).env_clear().envs(settings.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = command.spawn().expect("the binary runs");
    running.stdin.take().expect("its input").write_all(typed.as_bytes()).expect("typed");
    let left = running.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Left { code: left.status.code().expect("a code"), out: text(left.stdout), err: text(left.stderr) }
}

impl Left {
    #[track_caller]
    fn well(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// What it says went wrong.
    #[track_caller]
    fn failed(self) -> String {
        assert_eq!(self.code, 1, "{}{}", self.out, self.err);
        format!("{}{}", self.out, self.err)
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A server on a directory, by the clock of the machine, which is the commands' too.
async fn world(scratch: &Scratch) -> World {
    let data = DataDir::Folder(scratch.0.clone());
    World::with(|options| Options { data, clock: Arc::new(SystemClock), ..options }).await
}
