//! A pool that is exported and imported elsewhere.

use std::fs;

use polygate_shared::identity::{Change, Picture};
use reqwest::StatusCode;

use super::{polygate, text, world};
use crate::restart::Scratch;

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

/// More than the megabyte that one page has.
#[tokio::test]
async fn an_export_that_was_broken_off_goes_on_where_it_stopped() {
    let (scratch, files) = (Scratch::new(), Scratch::new());
    fs::create_dir(&files.0).expect("a folder");
    let world = world(&scratch).await;
    for number in 100..124 {
        let bytes: Vec<u8> = (0..149_000_u32).map(|byte| (byte % 251) as u8).collect();
        let change = Change::KeepPicture { number, picture: Picture::from_stored(&bytes) };
        world.server.store().commit(&[change]).await.expect("an outcome").expect("kept");
    }
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
    assert!(export(&resumed, &["--without-keys"]).failed().contains("is no export of this table: remove it first"));
}
