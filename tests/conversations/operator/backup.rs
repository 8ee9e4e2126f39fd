//! A pool that is exported and imported elsewhere.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use polygate_shared::identity::{Change, Picture};
use reqwest::StatusCode;

use super::{polygate, text, world};
use crate::restart::Scratch;
use crate::support::World;

#[tokio::test]
async fn people_find_all_that_is_theirs_in_the_pool_that_was_restored() {
    let (scratch, files) = (Scratch::new(), Scratch::new());
    fs::create_dir(&files.0).expect("a folder");
    let (file, restored) = (files.0.join("backup.jsonl"), files.0.join("restored"));
    let mut world = world(&scratch).await;
    world.register("anna", "secret123").await;
    let token = world.sign_in("anna", "secret123").await;
    let proved = world.register_proved("bert").await;
    world.server.shutdown().await;

    let export = ["export", text(&file), "--data", text(&scratch.0)];
    let left = polygate(&export);
    assert!(left.err.contains("The file is as secret as the table"), "{}", left.err);
    left.well();
    assert!(polygate(&export).failed().contains("is there already: name another file"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(&file).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "nobody else reads it");
    }

    let import = ["import", text(&file), "--data", text(&restored)];
    let out = polygate(&import).well();
    assert!(out.contains(" items imported\n") && out.ends_with("3 accounts: sound\n"), "{out}");
    assert!(polygate(&import).failed().contains("isn't empty"));
    polygate(&[&import[..], &["--merge"]].concat()).well();

    let there = Scratch(restored.clone());
    let mut world = super::world(&there).await;
    for token in [&token, &proved] {
        let me = world.get("/sproutgate/api/auth/me").bearer(token).quietly().await;
        assert_eq!(me.status, StatusCode::OK, "tokens made before are good: {}", me.body);
    }
    world.sign_in("anna", "secret123").await;
    world.sign_in("bert", "demo123").await;
    let taken = serde_json::json!({"username": "Anna", "email": "other@example.com", "password": "secret123"});
    let refused = world.post("/kite/api/v1/auth/register", taken).quietly().await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    world.server.shutdown().await;

    let differs = polygate(&[&import[..], &["--merge"]].concat());
    assert!(differs.err.contains("kept as it was, though the file has another: "), "{}", differs.err);
    differs.failed();
    assert!(polygate(&["check", "--data", text(&there.0)]).well().ends_with("sound\n"));
}

#[tokio::test]
async fn a_cut_or_changed_file_is_refused_before_anything_is_written() {
    let (scratch, files) = (Scratch::new(), Scratch::new());
    fs::create_dir(&files.0).expect("a folder");
    let (file, restored) = (files.0.join("backup.jsonl"), files.0.join("restored"));
    world(&scratch).await.server.shutdown().await;
    polygate(&["export", text(&file), "--data", text(&scratch.0)]).well();
    let whole = fs::read(&file).expect("a file");
    let import = ["import", text(&file), "--data", text(&restored)];
    let changed = String::from_utf8(whole.clone()).expect("UTF-8").replace("\"BOOL\":true", "\"BOOL\":false");
    let lines = |count: usize| whole.split_inclusive(|byte| *byte == b'\n').take(count).flatten().copied().collect();
    for (bytes, why) in [
        (changed.into_bytes(), "it was changed"),
        (whole[..whole.len() - 1].to_vec(), "it was cut after"),
        (lines(3), "it was cut after 2 items"),
        (Vec::new(), "it is empty"),
        (b"{}\n".to_vec(), "it is no export of polygate"),
    ] {
        fs::write(&file, &bytes).expect("written");
        let told = polygate(&import).failed();
        assert!(told.contains("is not imported") && told.contains(why), "{why}: {told}");
        assert!(!restored.exists(), "{why}");
    }
}

/// Large items, of 149 KB each.
async fn keep_pictures(world: &World, count: u64) {
    for number in 100..100 + count {
        let bytes: Vec<u8> = (0..149_000_u64).map(|byte| ((byte + number) % 251) as u8).collect();
        let change = Change::KeepPicture { number, picture: Picture::from_stored(&bytes) };
        world.server.store().commit(&[change]).await.expect("an outcome").expect("kept");
    }
}

/// More than the megabyte that one page has.
#[tokio::test]
async fn an_export_that_was_broken_off_goes_on_where_it_stopped() {
    let (scratch, files) = (Scratch::new(), Scratch::new());
    fs::create_dir(&files.0).expect("a folder");
    let world = world(&scratch).await;
    keep_pictures(&world, 24).await;
    world.server.shutdown().await;
    let (whole, resumed) = (files.0.join("whole.jsonl"), files.0.join("resumed.jsonl"));
    let part = files.0.join("resumed.jsonl.part");
    let export = |file, more: &[&str]| polygate(&[&["export", text(file), "--data", text(&scratch.0)], more].concat());
    export(&whole, &[]).well();
    let bytes = fs::read(&whole).expect("a file");
    for cut in [40, bytes.len() / 2, bytes.len() - 10] {
        fs::write(&part, &bytes[..cut]).expect("written");
        let left = export(&resumed, &[]);
        assert_eq!(left.err.contains("going on after "), cut > 40, "{}", left.err);
        left.well();
        assert!(fs::read(&resumed).expect("a file") == bytes && !part.exists(), "the same file, cut at {cut}");
        fs::remove_file(&resumed).expect("removed");
    }
    fs::write(&part, &bytes[..bytes.len() / 2]).expect("written");
    let other = "is no export of this pool that can be gone on with: remove it first";
    assert!(export(&resumed, &["--without-keys"]).failed().contains(other));

    // The table of every directory has the same name.
    let elsewhere = Scratch::new();
    super::world(&elsewhere).await.server.shutdown().await;
    let told = polygate(&["export", text(&resumed), "--data", text(&elsewhere.0)]).failed();
    assert!(told.contains(other), "{told}");
    assert!(!resumed.exists() && fs::read(&part).expect("a file") == bytes[..bytes.len() / 2], "it is left as it was");

    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for strange in ["strange\n", "{}\n", "{\"Item\":{}}\n"] {
        let changed = [lines[..3].concat(), strange.into(), lines[3..lines.len() - 1].concat()].concat();
        fs::write(&part, changed).expect("written");
        let told = export(&resumed, &[]).failed();
        assert!(told.contains("has a line after 2 items that no export wrote: remove it first"), "{strange}: {told}");
    }
}

/// An export of a pool of one person, in a file of this name.
async fn export_of(name: &str, person: &str, folder: &Scratch) -> (Scratch, PathBuf) {
    let (scratch, file) = (Scratch::new(), folder.0.join(name));
    let mut world = world(&scratch).await;
    world.register(person, "secret123").await;
    world.server.shutdown().await;
    polygate(&["export", text(&file), "--data", text(&scratch.0)]).well();
    (scratch, file)
}

#[tokio::test]
async fn two_pools_are_not_made_one() {
    let files = Scratch::new();
    fs::create_dir(&files.0).expect("a folder");
    let (here, of_here) = export_of("here.jsonl", "anna", &files).await;
    let (_there, of_there) = export_of("there.jsonl", "bert", &files).await;
    let merge = |file| polygate(&["import", text(file), "--merge", "--data", text(&here.0)]);
    let told = merge(&of_there).failed();
    assert!(told.contains("is of another pool than polygate") && told.contains("a new directory or table"), "{told}");
    let out = merge(&of_here).well();
    assert!(out.ends_with("2 accounts: sound\n"), "nothing was added: {out}");
}

#[tokio::test]
async fn a_file_of_an_earlier_version_is_imported_and_not_gone_on_with() {
    let files = Scratch::new();
    fs::create_dir(&files.0).expect("a folder");
    let (here, file) = export_of("now.jsonl", "anna", &files).await;
    let now = fs::read_to_string(&file).expect("a file");
    let (head, rest) = now.split_once('\n').expect("a first line");
    let mut head: serde_json::Value = serde_json::from_str(head).expect("JSON");
    assert!(head.as_object_mut().expect("an object").remove("pool").is_some(), "{head}");
    let (items, _) = rest.trim_end().rsplit_once('\n').expect("a last line");
    let before = format!("{head}\n{items}\n");
    let hash = ring::digest::digest(&ring::digest::SHA256, before.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let end = serde_json::json!({"End": {"items": items.lines().count(), "sha256": hash}});
    fs::write(files.0.join("before.jsonl"), format!("{before}{end}\n")).expect("written");
    let (earlier, restored) = (files.0.join("before.jsonl"), files.0.join("restored"));
    let out = polygate(&["import", text(&earlier), "--data", text(&restored)]).well();
    assert!(out.ends_with("2 accounts: sound\n"), "{out}");
    polygate(&["import", text(&earlier), "--merge", "--data", text(&here.0)]).well();

    let begun = files.0.join("begun.jsonl");
    fs::write(files.0.join("begun.jsonl.part"), before).expect("written");
    let told = polygate(&["export", text(&begun), "--data", text(&here.0)]).failed();
    assert!(told.contains("is no export of this pool that can be gone on with: remove it first"), "{told}");
}

#[tokio::test]
async fn a_pool_without_keys_is_told_from_others_too() {
    let files = Scratch::new();
    fs::create_dir(&files.0).expect("a folder");
    let (here, _) = export_of("whole.jsonl", "anna", &files).await;
    let (bare, restored) = (files.0.join("bare.jsonl"), files.0.join("restored"));
    polygate(&["export", text(&bare), "--without-keys", "--data", text(&here.0)]).well();
    polygate(&["import", text(&bare), "--data", text(&restored)]).well();
    let (_, other) = export_of("other.jsonl", "bert", &files).await;
    let part = files.0.join("again.jsonl.part");
    fs::copy(&other, &part).expect("copied");
    let again = files.0.join("again.jsonl");
    let export = ["export", text(&again), "--data", text(&restored)];
    assert!(polygate(&export).failed().contains("is no export of this pool that can be gone on with"));
    fs::remove_file(&part).expect("removed");
    polygate(&export).well();
    polygate(&["import", text(&bare), "--merge", "--data", text(&restored)]).well();
    let told = polygate(&["import", text(&other), "--merge", "--data", text(&restored)]).failed();
    assert!(told.contains("is of another pool than polygate"), "{told}");
}

/// The process ends without a word where it stands, twice: with what was under way written, and unwritten.
#[tokio::test]
async fn an_import_that_was_killed_goes_on_and_comes_to_the_same_pool() {
    let (scratch, files) = (Scratch::new(), Scratch::new());
    fs::create_dir(&files.0).expect("a folder");
    let (file, again) = (files.0.join("backup.jsonl"), files.0.join("again.jsonl"));
    let restored = Scratch(files.0.join("restored"));
    let world = world(&scratch).await;
    keep_pictures(&world, 60).await;
    world.server.shutdown().await;
    polygate(&["export", text(&file), "--data", text(&scratch.0)]).well();

    let import = ["import", text(&file), "--data", text(&restored.0)];
    for written in [1_500_000, 3_000_000] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_polygate"));
        command.args(import).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = command.spawn().expect("the binary runs");
        let log = restored.0.join("table.db-wal");
        while fs::metadata(&log).map_or(0, |file| file.len()) < written {
            assert!(running.try_wait().expect("asked").is_none(), "it ended before it had written {written} bytes");
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
        running.kill().expect("killed");
        assert_eq!(running.wait().expect("an end").code(), None, "killed, and not ended");
    }
    let check = polygate(&["check", "--data", text(&restored.0)]);
    assert!(check.out.contains("import"), "half a pool is told: {}{}", check.out, check.err);

    let out = polygate(&import).well();
    assert!(out.contains(" items imported\n"), "{out}");
    polygate(&["export", text(&again), "--data", text(&restored.0)]).well();
    assert!(fs::read(&again).expect("a file") == fs::read(&file).expect("a file"), "the same pool, byte for byte");
}
