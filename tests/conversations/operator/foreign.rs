//! Accounts of the four other systems, imported from what those keep them in.

use std::fs;
use std::path::{Path, PathBuf};

use polygate_shared::identity::{Clock as _, SystemClock};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Left, polygate, text, world};
use crate::people::Authenticator;
use crate::restart::Scratch;
use crate::support::World;

const PASSWORD: &str = "tulip Grüße 7";
/// Of the same password, as Go, Node and PHP write it; the least work bcrypt has.
const BY_GO: &str = "$2a$04$YsyeVeEeZn8e9I7GqSyoGOh51/7mgTMKGwEL8fZ1IBsPGbbJSs1jq";
const BY_NODE: &str = "$2b$06$tV4gAPwQtbfvEMVMSaxNo.Wd1T3pK1PthHkvDIr3SGtjhk7C6Csre";
const BY_PHP: &str = "$2y$05$abcdefghijklmnopqrstuuIoi3ilE8UmfsxXWYvqC7TcpcNGIHk.u";

const ANNA: &str = "7b0d2c1e-8f1f-4b53-9a3e-0b5d6f0a0001";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

/// Files of other systems, and the pool that they are imported into.
struct Move {
    files: Scratch,
    pool: Scratch,
}

impl Move {
    fn new() -> Self {
        let (files, pool) = (Scratch::new(), Scratch::new());
        fs::create_dir(&files.0).expect("a folder");
        Self { files, pool }
    }

    fn file(&self, name: &str, contents: &str) -> PathBuf {
        let file = self.files.0.join(name);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(&file, contents).expect("written");
        file
    }

    fn import(&self, system: &str, file: &Path, more: &[&str]) -> Left {
        polygate(&[&["import", text(file), "--from", system, "--data", text(&self.pool.0)], more].concat())
    }

    fn kite(&self) -> PathBuf {
        let file = self.files.0.join("kite.db");
        let database = rusqlite::Connection::open(&file).expect("a database");
        database.execute_batch(&kite_tables()).expect("filled");
        file
    }
}

fn kite_tables() -> String {
    let columns = "id, username, nickname, email, avatar_url, password_hash, has_local_password, role, storage_limit, \
                   storage_used, is_active, password_must_change, totp_secret, totp_enabled, created_at, updated_at";
    let times = "'2026-04-26 15:15:56.123456789+08:00', '2026-04-26 15:15:56+08:00'";
    let user = |number: u8, name: &str, local: u8, role: &str, active: u8, must: u8, totp: &str| {
        format!(
            "INSERT INTO users VALUES ('7b0d2c1e-8f1f-4b53-9a3e-0b5d6f0a000{number}', '{name}', NULL, \
             '{name}@example.com', NULL, '{BY_GO}', {local}, '{role}', -1, 521308864, {active}, {must}, {totp}, {times});"
        )
    };
    [
        format!("CREATE TABLE users ({columns}); CREATE TABLE api_tokens (id, user_id);"),
        user(1, "anna", 1, "user", 1, 0, "NULL, 0"),
        user(2, "admin", 1, "admin", 1, 1, "NULL, 0"),
        user(3, "dora", 1, "user", 0, 0, "NULL, 0"),
        user(4, "oleg", 0, "user", 1, 0, "NULL, 0"),
        user(5, "tina", 1, "admin", 1, 0, &format!("'{SECRET}', 1")),
        format!("INSERT INTO api_tokens VALUES ('1', '{ANNA}');"),
    ]
    .concat()
}

async fn log_in(world: &mut World, path: &str, body: Value) -> (StatusCode, Value) {
    let answer = world.post(path, body).quietly().await;
    (answer.status, answer.json())
}

#[tokio::test]
async fn people_of_kite_sign_in_with_their_passwords_and_second_factors() {
    let made = Move::new();
    let left = made.import("kite", &made.kite(), &[]);
    insta::assert_snapshot!("kite_imported", format!("{}{}", left.err, left.out));
    assert_eq!(left.code, 1, "one was left out");

    let mut world = world(&made.pool).await;
    let by = |name: &str, password: &str| json!({"username": name, "password": password});
    let login = "/kite/api/v1/auth/login";
    assert_eq!(log_in(&mut world, login, by("anna", "tulip")).await.0, StatusCode::UNAUTHORIZED);
    let token = world.sign_in("anna", PASSWORD).await;
    let me = world.get("/kite/api/v1/profile").bearer(&token).quietly().await.json();
    assert_eq!(me["data"]["id"], ANNA, "it keeps its id");
    assert_eq!((&me["data"]["storage_limit"], &me["data"]["storage_used"]), (&json!(-1), &json!(521_308_864)));
    assert_eq!(me["data"]["created_at"], "2026-04-26T07:15:56Z", "{me}");
    let dora = json!({"account": "dora", "password": PASSWORD});
    assert_eq!(log_in(&mut world, "/sproutgate/api/auth/login", dora).await.0, StatusCode::FORBIDDEN, "disabled");
    assert_eq!(log_in(&mut world, login, by("oleg", PASSWORD)).await.0, StatusCode::UNAUTHORIZED, "had none");
    let (_, waiting) = log_in(&mut world, login, by("tina", PASSWORD)).await;
    assert_eq!(waiting["data"]["pending_2fa"], true, "{waiting}");
    let code = Authenticator::of(SECRET).code_at(SystemClock.now());
    let answer = json!({"challenge_token": waiting["data"]["challenge_token"], "code": code});
    let (status, opened) = log_in(&mut world, "/kite/api/v1/auth/2fa/verify", answer).await;
    assert_eq!((status, &opened["data"]["user"]["role"]), (StatusCode::OK, &json!("user")), "{opened}");
    // The password's hash is this service's own by now.
    world.sign_in("anna", PASSWORD).await;
    world.server.shutdown().await;
    let file = made.files.0.join("all.jsonl");
    polygate(&["export", text(&file), "--data", text(&made.pool.0)]).well();
    let lines = fs::read_to_string(&file).expect("a file");
    let hash_of = |name: &str| {
        let line = lines.lines().find(|line| line.contains(&format!("{{\"S\":\"{name}\"}}")) && line.contains("$"));
        line.unwrap_or_else(|| panic!("{name}")).to_owned()
    };
    assert!(hash_of("anna").contains("$argon2id$") && !hash_of("anna").contains("$2a$"), "made anew at the sign-in");
    assert!(hash_of("dora").contains(BY_GO), "nobody knows its password yet");
}

#[tokio::test]
async fn an_import_that_is_given_again_changes_nothing() {
    let made = Move::new();
    let (kite, map) = (made.kite(), made.files.0.join("map.jsonl"));
    let dry = made.import("kite", &kite, &["--dry-run", "--administrators"]);
    assert!(dry.out.starts_with("accounts of kite: 4 can be imported where nobody has"), "{}", dry.out);
    assert!(!made.pool.0.exists(), "nothing is written");
    let told = made.import("kite", &kite, &["--administrators"]).failed();
    assert!(told.contains("accounts of kite: 4 imported, 0 imported before, 1 left out\n"), "{told}");
    let mut world = world(&made.pool).await;
    world.sign_in("anna", PASSWORD).await;
    world.server.shutdown().await;
    let told = made.import("kite", &kite, &["--administrators", "--map", text(&map)]).failed();
    assert!(told.contains("accounts of kite: 0 imported, 4 imported before, 1 left out\n"), "{told}");
    assert!(told.contains("accounts: sound\n"), "{told}");
    let lines = fs::read_to_string(&map).expect("a map");
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((lines.len(), &lines[0]["was"], &lines[0]["id"]), (5, &json!(ANNA), &json!(ANNA)), "{lines:?}");
    made.import("kite", &kite, &["--map", text(&map)]).failed();
    assert_eq!(fs::read_to_string(&map).expect("a map").lines().count(), 10, "behind those of the first time");
}

#[tokio::test]
async fn who_was_deleted_here_is_not_imported_again() {
    let made = Move::new();
    let kite = made.kite();
    made.import("kite", &kite, &[]).failed();
    let mut world = world(&made.pool).await;
    let token = world.server.admin_token().reveal().to_owned();
    let deleted = world.ask(reqwest::Method::DELETE, "/sproutgate/api/admin/users/anna").bearer(&token).quietly().await;
    assert_eq!(deleted.status, StatusCode::OK, "{}", deleted.body);
    world.server.shutdown().await;
    let told = made.import("kite", &kite, &[]).failed();
    assert!(told.contains("left out: \"anna\": it was imported before, and deleted here since\n"), "{told}");
    assert!(told.contains("accounts of kite: 0 imported, 3 imported before, 2 left out\n"), "{told}");
}

/// The same numbers and names for other people, and rows that nobody would expect.
#[tokio::test]
async fn another_installation_brings_other_people_and_an_odd_row_is_one_that_is_left_out() {
    let made = Move::new();
    let user = |name: &str, hash: &str, email: &str| json!({"username": name, "password": hash, "email": email});
    let hub = |file: &str, users: &[Value]| made.file(file, &format!("\u{feff}{}", json!({ "users": users })));
    made.import("mcphub", &hub("a.json", &[user("carol", BY_NODE, "a@example.com")]), &[]).well();
    let odd = json!({"username": 7, "password": BY_GO});
    let no_flag = json!({"username": "nora", "password": BY_GO, "isAdmin": null});
    let no_way_in = json!({"username": "gus"});
    let others = [user("carol", BY_GO, "b@example.com"), odd, no_flag, no_way_in, user("carl", BY_GO, "a@example.com")];
    let mut left = made.import("mcphub", &hub("b.json", &others), &[]);

    let row =
        |id: &str, name: &str, rest: &str| format!("REPLACE INTO `User` VALUES ({id},'{name}','{BY_PHP}',{rest});");
    let long = format!("'\u{1b}','{}',0,0,'','0000-00-00 00:00:00'", "x".repeat(500_000));
    let dump = [
        "CREATE TABLE `User` (`ID` int, `Username` text, `Password` text, `Nickname` text, `Bio` text, `Gender` int, \
         `Delete_Time` int, `Birthday` date, `Create_Time` datetime);"
            .to_owned(),
        row("1", "long", &long),
        row("2", "gone", "'','',0,1700000000,NULL,NULL"),
        row("3", "late", "'','',9,NULL,'soon',1737172800"),
        row("NULL", "none", "'','',0,0,NULL,NULL"),
    ];
    let zeaya = made.import("zeaya", &made.file("users.sql", &dump.join("\n")), &[]);
    left.err.push_str(&zeaya.err);
    left.out.push_str(&zeaya.out);

    made.file(
        "data/users/both.json",
        &json!({"account": "both", "password": "", "passwordHash": BY_GO, "createdAt": ""}).to_string(),
    );
    made.file("data/users/half.json", "{");
    let sprout = made.import("sproutgate", &made.files.0.join("data"), &[]);
    left.err.push_str(&sprout.err);
    left.out.push_str(&sprout.out);
    insta::assert_snapshot!("odd_rows", format!("{}{}", left.err, left.out));
}

const ZEAYA: &str = "\
CREATE TABLE `user` (`id` int NOT NULL, `username` varchar(50), `email` varchar(100), `password` varchar(255),
  `nickname` varchar(50), `avatar` varchar(255), `bio` text, `gender` tinyint, `birthday` date, `mobile` varchar(20),
  `status` tinyint, `is_admin` tinyint, `create_time` datetime, `update_time` datetime) ENGINE=InnoDB;
INSERT INTO `user` VALUES
(7,'zoe','zoe@example.com','BY_PHP','Zoë; the \\'first\\'','/storage/avatars/7.jpg','likes fog',2,'1990-01-01','138',1,0,
 '2025-01-18 10:00:00','2025-01-18 10:00:00'),
(8,'zack','zack@example.com','plain text','','','',0,NULL,NULL,1,0,'2025-01-18 10:00:00','2025-01-18 10:00:00');
";

#[tokio::test]
async fn people_of_zeaya_keep_what_they_said_of_themselves() {
    let made = Move::new();
    let dump = made.file("users.sql", &ZEAYA.replace("BY_PHP", BY_PHP));
    let left = made.import("zeaya", &dump, &[]);
    insta::assert_snapshot!("zeaya_imported", format!("{}{}", left.err, left.out));
    let mut world = world(&made.pool).await;
    let body = json!({"username": "zoe", "password": PASSWORD});
    let (status, opened) = log_in(&mut world, "/zeaya/api/auth/login", body).await;
    assert_eq!(status, StatusCode::OK, "{opened}");
    let token = opened["data"]["token"].as_str().expect("a token").to_owned();
    let me = world.get("/zeaya/api/auth/user").bearer(&token).quietly().await.json();
    let said = ["nickname", "bio", "gender", "birthday", "create_time"].map(|field| me["data"][field].clone());
    let expected = json!(["Zoë; the 'first'", "likes fog", 2, "1990-01-01", "2025-01-18 10:00:00"]);
    assert_eq!(json!(said), expected, "{me}");
}

#[tokio::test]
async fn people_of_sproutgate_and_mcphub_join_one_pool() {
    let made = Move::new();
    let sprout = json!({"account": "demo", "passwordHash": BY_GO, "username": "Demo", "email": "demo@example.com",
        "level": 3, "sproutCoins": 10, "secondaryEmails": ["demo2@example.com"], "phone": "138", "bio": "### hi",
        "avatarUrl": "https://example.com/a.png", "createdAt": "2026-03-14T12:00:00Z", "updatedAt": "2026-03-14T12:00:00Z"});
    made.file("data/users/demo.json", &sprout.to_string());
    made.file("data/config/admin.json", "{}");
    let data = made.files.0.join("data");
    let out = made.import("sproutgate", &data, &[]).well();
    assert!(out.starts_with("accounts of sproutgate: 1 imported, 0 imported before, 0 left out\n"), "{out}");
    let hub = json!({"users": [
        {"username": "Demo", "password": BY_NODE, "isAdmin": false},
        {"username": "hugo", "password": BY_NODE, "isAdmin": true, "email": "demo2@example.com"},
        {"username": "root", "password": BY_NODE, "isAdmin": true},
        {"username": "admin", "password": BY_NODE, "isAdmin": false},
        {"username": "bad@name", "password": BY_NODE},
    ]});
    let left = made.import("mcphub", &made.file("mcp_settings.json", &hub.to_string()), &["--administrators"]);
    insta::assert_snapshot!("mcphub_imported", format!("{}{}", left.err, left.out));

    let mut world = world(&made.pool).await;
    let body = json!({"account": "demo", "password": PASSWORD});
    let (status, opened) = log_in(&mut world, "/sproutgate/api/auth/login", body).await;
    assert_eq!(status, StatusCode::OK, "{opened}");
    let user = &opened["user"];
    let kept = ["username", "level", "sproutCoins", "secondaryEmails", "createdAt"].map(|field| user[field].clone());
    let expected = json!(["Demo", 3, 10, ["demo2@example.com"], "2026-03-14T12:00:00Z"]);
    assert_eq!(json!(kept), expected, "{user}");
    let body = json!({"username": "root", "password": PASSWORD});
    let (status, opened) = log_in(&mut world, "/mcphub/api/auth/login", body).await;
    assert_eq!((status, &opened["user"]["isAdmin"]), (StatusCode::OK, &json!(true)), "{opened}");
}

#[tokio::test]
async fn a_file_that_is_none_is_told_before_anything_is_written() {
    let made = Move::new();
    let broken = made.file("data/users/x.txt", "{");
    let none = made.file("none.sql", "CREATE TABLE `fog` (`id` int); INSERT INTO `fog` VALUES (1);");
    for (system, file, why) in [
        ("kite", &none, "file is not a database"),
        ("kite", &made.files.0.join("missing.db"), "unable to open database file"),
        ("zeaya", &none, "no table in it has username and password"),
        ("sproutgate", &made.files.0.join("data"), "there is no .json in"),
        ("mcphub", &broken, "it is no mcp_settings.json with users"),
    ] {
        let told = made.import(system, file, &[]).failed();
        assert!(told.contains("is not imported: ") && told.contains(why), "{system}: {told}");
        assert!(!made.pool.0.exists(), "{system}");
    }
}
