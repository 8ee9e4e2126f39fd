//! What the command says of itself.

use super::{polygate, run};
use crate::restart::Scratch;

#[test]
fn help_has_examples() {
    let commands: [&[&str]; 11] = [
        &[],
        &["serve"],
        &["check"],
        &["export"],
        &["import"],
        &["keys"],
        &["keys", "rotate"],
        &["admin"],
        &["admin", "reset-password"],
        &["doctor"],
        &["completions"],
    ];
    let told: Vec<_> = commands
        .iter()
        .map(|command| {
            let help = polygate(&[command, &["--help"] as &[_]].concat()).well();
            format!("$ {} --help\n{help}", [&["polygate"], *command].concat().join(" "))
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn shells_are_told_what_can_be_completed() {
    for (shell, part) in
        [("bash", "complete -F _polygate"), ("zsh", "#compdef polygate"), ("fish", "complete -c polygate")]
    {
        let script = polygate(&["completions", shell]).well();
        assert!(script.contains(part) && script.contains("reset-password"), "{script}");
    }
}

#[test]
fn a_wrong_command_line_is_told_from_a_failure() {
    for arguments in [&["chekc"] as &[&str], &["check", "--data"], &["export"], &["admin", "reset-password"]] {
        assert_eq!(polygate(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn what_is_missing_is_said_with_the_mend() {
    let scratch = Scratch::new();
    let data = super::text(&scratch.0);
    let table = ["check", "--table", "polygate-prod"];
    let keys = [("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y")];
    let told =
        [polygate(&["check", "--data", data]).failed(), polygate(&table).failed(), run(&table, &keys, "").failed()];
    insta::assert_snapshot!(told.concat().replace(data, "DIR"));
    assert!(!scratch.0.exists(), "looking makes nothing");
    let told = polygate(&["import", "-", "--data", data]).failed();
    assert_eq!(told, "polygate: import reads its file twice, and can't read standard input: save it in a file first\n");
}

#[tokio::test]
async fn a_file_that_can_not_be_made_is_named() {
    let scratch = Scratch::new();
    super::world(&scratch).await.server.shutdown().await;
    let file = format!("{}/none/x.jsonl", super::text(&scratch.0));
    let told = polygate(&["export", &file, "--data", super::text(&scratch.0)]).failed();
    assert!(told.starts_with(&format!("polygate: {file}.part can't be made: ")), "{told}");
}
