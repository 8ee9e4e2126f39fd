use std::path::PathBuf;

use polygate::{DataDir, Options, Server};
use polygate_shared::identity::Chance;
use polygate_shared::identity::SystemChance;
use serde_json::json;

use crate::support::World;

/// A directory of this test's own, removed at its end.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        let mut name = [0; 8];
        SystemChance::default().fill(&mut name).expect("randomness");
        Self(std::env::temp_dir().join(format!("polygate-test-{:016x}", u64::from_be_bytes(name))))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn every_account_and_token_is_there_after_a_restart() {
    let scratch = Scratch::new();
    let folder = || DataDir::Folder(scratch.0.clone());
    let mut world = World::with(|options| Options { data: folder(), ..options }).await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    let admin_token = world.server.admin_token().reveal().to_owned();
    world.server.shutdown().await;

    let mut world = World::with(|options| Options { data: folder(), ..options }).await;
    assert_eq!(world.get("/sproutgate/api/auth/me").bearer(&token).quietly().await.text("/user/account"), "anna");
    world.sign_in("anna", "secret123").await;
    let listed = world.get("/sproutgate/api/admin/users").bearer(&admin_token).quietly().await.json();
    assert_eq!(listed["total"], json!(2), "the administrator was not made again");
}

#[tokio::test]
async fn what_keeps_it_from_starting_is_said_in_one_line_with_the_mend() {
    let scratch = Scratch::new();
    let folder = || DataDir::Folder(scratch.0.clone());
    let first = Server::start(Options { data: folder(), ..Options::default() }).await.expect("a server");
    let port: u16 = first.base_url().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");

    let mut said = Vec::new();
    let attempts = [
        Options { data: folder(), ..Options::default() },
        Options { port, ..Options::default() },
        Options::default().with("ROOT_CONTRACT", "kitty"),
        Options::default().with("TIME_ZONE", "CST"),
        Options { data: DataDir::Folder("/dev/null/polygate".into()), ..Options::default() },
    ];
    for options in attempts {
        let error = Server::start(options).await.map(|_| ()).expect_err("a reason not to start").to_string();
        assert_eq!(error.lines().count(), 1, "{error}");
        said.push(
            error
                .replace(&scratch.0.display().to_string(), "DIR")
                .replace(&port.to_string(), "PORT")
                .replace(&std::process::id().to_string(), "PID"),
        );
    }
    insta::assert_snapshot!(said.join("\n"));
}
