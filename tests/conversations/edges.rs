//! Names, addresses and passwords at the edges of what is allowed, each tried through all four contracts.

use reqwest::Method;
use serde_json::json;

use crate::contracts::{CONTRACTS, log_in, register, registering, token_of, who};
use crate::support::World;

const PASSWORD: &str = "Passw0rd!23";

/// A text as one segment of a path.
fn segment(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// In which contracts an identifier and a password open the account of this name, as each tells it.
async fn opens(world: &mut World, identifier: &str, password: &str, name: &str) -> Vec<&'static str> {
    let mut opened = Vec::new();
    for contract in CONTRACTS {
        let answer = log_in(world, contract, identifier, password).await;
        if answer.status.is_success() {
            let token = token_of(contract, &answer);
            assert_eq!(who(world, contract, &token).await.as_deref(), Ok(name), "{identifier} through {contract}");
            opened.push(contract);
        }
    }
    opened
}

/// The status of registering this name, with an address of its own, through each contract.
async fn refused_registrations(world: &mut World, name: &str) -> Vec<u16> {
    let mut statuses = Vec::new();
    for contract in CONTRACTS {
        let (path, body) = registering(contract, name, &format!("fresh-{contract}@example.com"), PASSWORD);
        statuses.push(world.post(path, body).quietly().await.status.as_u16());
    }
    statuses
}

/// Names as typed, other spellings of the same, and names that only look alike.
const NAMES: [(&str, &[&str], &[&str]); 8] = [
    ("萌芽用户", &[" 萌芽用户 "], &["萌芽"]),
    ("Jos\u{e9}", &["jos\u{e9}", "JOSE\u{301}", "ｊｏｓé"], &["Jose"]),
    ("ＡＬＩＣＥ", &["alice", "Alice", "ａｌｉｃｅ"], &["аlice"]),
    ("Dıyar", &["DıYAR", "dıyar"], &["Diyar", "DIYAR"]),
    ("İpek", &["i\u{307}pek", "İPEK"], &["ipek", "IPEK"]),
    ("Straße", &["STRAẞE", "ｓtraße"], &["Strasse", "STRASSE"]),
    ("Σίσυφος", &["ΣΊΣΥΦΟΣ", "σίσυφος"], &["Σισυφος"]),
    ("ﬁona", &["fiona", "FIONA"], &["f1ona"]),
];

#[tokio::test]
async fn names_in_any_script_are_one_however_typed_and_shown_as_typed() {
    for made in CONTRACTS {
        let mut world = World::start().await;
        for (nth, (name, same, other)) in NAMES.into_iter().enumerate() {
            let email = format!("person{nth}@example.com");
            let (path, body) = registering(made, name, &email, PASSWORD);
            let answer = world.post(path, body).quietly().await;
            assert!(answer.status.is_success(), "{name} through {made}: {}", answer.body);
            if made == "sproutgate" {
                let proof = json!({"account": name, "code": world.code_for(&email)});
                assert_eq!(
                    world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.status,
                    200,
                    "{name}"
                );
            }
            assert_eq!(opens(&mut world, name, PASSWORD, name).await, CONTRACTS, "{name}");
            let taken = same.first().expect("another spelling").trim();
            assert_eq!(refused_registrations(&mut world, taken).await, [409, 409, 409, 400], "{taken}");
            for spelling in same {
                let token = token_of(made, &log_in(&mut world, made, spelling, PASSWORD).await);
                assert_eq!(who(&mut world, made, &token).await.as_deref(), Ok(name), "{spelling}");
            }
            for other in other {
                assert_eq!(log_in(&mut world, made, other, PASSWORD).await.status, 401, "{other} is not {name}");
            }
        }
    }
}

/// Names that only mcphub gives, and what a path or a page could take for something else.
const ODD: [&str; 10] = ["小", "ab", "a b", "100%", "?q=1#f", "a+b", "<b>&\"'", "{account}", "null", "naïve 😀 user"];

#[tokio::test]
async fn names_that_are_legal_in_one_contract_only_are_good_in_all() {
    let long = "x".repeat(60);
    are_good_in_all(ODD.into_iter().chain([long.as_str()])).await;
}

#[tokio::test]
async fn a_name_that_is_another_once_its_path_is_decoded_is_good_in_all() {
    are_good_in_all(["a/b", "%41"].into_iter()).await;
}

async fn are_good_in_all(names: impl Iterator<Item = &str>) {
    let mut world = World::start().await;
    let boss = world.boss().await;
    let password = "🔑🔑🔑 pässword ";
    for name in names {
        let body = json!({"username": name, "password": password});
        let made = world.post("/mcphub/api/auth/register", body).quietly().await;
        assert_eq!(made.status, 200, "{name}: {}", made.body);
        assert_eq!(opens(&mut world, name, password, name).await, CONTRACTS, "{name}");
        assert_eq!(opens(&mut world, name, "🔑🔑🔑 pässword", name).await, [""; 0], "passwords are taken verbatim");
        // What it can change of itself, where names of this length could not be chosen.
        let token = made.text("/token");
        for (path, body) in [
            ("/kite/api/v1/profile", json!({"nickname": "Al"})),
            ("/zeaya/api/auth/profile", json!({"bio": "hello"})),
            ("/sproutgate/api/auth/profile", json!({"phone": "138"})),
        ] {
            let answer = world.put(path, body).bearer(&token).quietly().await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        }
        // What administrators do to it: by its name in sproutgate, by its id in kite, with the form sent back whole.
        let path = format!("/sproutgate/api/admin/users/{}", segment(name));
        let changed = world.put(&path, json!({"level": 3})).bearer(&boss).quietly().await;
        assert_eq!((changed.text("/user/account"), &changed.json()["user"]["level"]), (name.to_owned(), &json!(3)));
        let profile = world.get("/kite/api/v1/profile").bearer(&token).quietly().await.json()["data"].clone();
        let by_id = format!("/kite/api/v1/admin/users/{}", profile["id"].as_str().expect("an id"));
        let form = json!({"username": name, "nickname": "Al", "role": "user", "is_active": true});
        let sent_back = world.put(&by_id, form).bearer(&boss).quietly().await;
        assert_eq!(sent_back.text("/data/username"), name, "{}", sent_back.body);
        let gone = world.ask(Method::DELETE, &path).bearer(&boss).quietly().await;
        assert_eq!(gone.status, 200, "{name}: {}", gone.body);
        assert_eq!(who(&mut world, "mcphub", &token).await, Err(401), "{name}");
    }
}

#[tokio::test]
async fn names_that_no_path_can_carry_or_nobody_can_see_are_refused_everywhere() {
    let mut world = World::start().await;
    for name in ["..", "．．", " abc", "abc\t", "a\u{202e}bc", "\u{3164}\u{3164}\u{3164}", "adm\u{ad}in"] {
        assert_eq!(refused_registrations(&mut world, name).await, [400; 4], "{name:?}");
    }
    for reserved in ["admin", "ADMIN", "ａｄｍｉｎ"] {
        assert_eq!(refused_registrations(&mut world, reserved).await, [409, 409, 409, 400], "{reserved}");
    }
}

#[tokio::test]
async fn addresses_with_tags_and_in_mixed_case_are_one_address() {
    for made in ["kite", "zeaya", "sproutgate"] {
        let mut world = World::start().await;
        let typed = "First.Last+Tag@Example.COM";
        let (path, body) = registering(made, "anna", typed, PASSWORD);
        assert!(world.post(path, body).quietly().await.status.is_success());
        if made == "sproutgate" {
            let proof = json!({"account": "anna", "code": world.code_for("First.Last+Tag@example.com")});
            assert_eq!(world.post("/sproutgate/api/auth/verify-email", proof).quietly().await.status, 200);
        }
        for same in
            [typed, "first.last+tag@example.com", "FIRST.LAST+TAG@EXAMPLE.COM", "ｆｉｒｓｔ.last+tag＠example.com"]
        {
            assert_eq!(opens(&mut world, same, PASSWORD, "anna").await, CONTRACTS, "{same}");
        }
        // The tag and the dots are the mail server's business.
        for other in ["first.last@example.com", "firstlast+tag@example.com"] {
            assert_eq!(opens(&mut world, other, PASSWORD, "anna").await, [""; 0], "{other}");
        }
        for contract in ["kite", "zeaya"] {
            let (path, body) = registering(contract, "berta", "FIRST.last+TAG@example.com", PASSWORD);
            assert_eq!(world.post(path, body).quietly().await.status, 409, "{contract}");
        }
        world.clock.advance(std::time::Duration::from_secs(60));
        let forgot = json!({"account": "ANNA", "email": "FIRST.LAST+TAG@example.com"});
        world.post("/sproutgate/api/auth/forgot-password", forgot).quietly().await;
        let mail = world.server.mails().into_iter().next().expect("a mail");
        assert_eq!(mail.to, ["First.Last+Tag@example.com"], "as the account has it, not as somebody typed it");
        let (path, body) = registering("kite", "carla", "first.last@example.com", PASSWORD);
        assert_eq!(world.post(path, body).quietly().await.status, 201);
        let token = world.sign_in("anna", PASSWORD).await;
        let shown = world.get("/kite/api/v1/profile").bearer(&token).quietly().await;
        assert_eq!(shown.text("/data/email"), typed);
    }
}

#[tokio::test]
async fn passwords_are_taken_whole_and_verbatim() {
    let emoji = "🔐".repeat(64);
    let decomposed = format!("{}e\u{301}", "é".repeat(20));
    let beyond_bcrypt = format!("{}end", "0123456789abcdef".repeat(5)).chars().take(64).collect::<String>();
    let long_bytes = format!("{}b", "密".repeat(60));
    let blanks = "  \u{a0} 六 chars\u{3000} \n".to_owned();
    let nul = "secret\0behind it".to_owned();
    for (nth, password) in [emoji, decomposed, beyond_bcrypt, long_bytes, blanks, nul].iter().enumerate() {
        let mut world = World::start().await;
        for made in CONTRACTS {
            let name = format!("{made}{nth}");
            register(&mut world, made, &name, password).await;
            assert_eq!(opens(&mut world, &name, password, &name).await, CONTRACTS, "{password:?} of {made}");
        }
        let mut cut: String = password.clone();
        let last = cut.pop().expect("a character");
        for wrong in [cut.clone(), format!("{cut}?"), format!("{password} "), format!(" {password}")] {
            let name = format!("kite{nth}");
            assert_eq!(
                log_in(&mut world, "kite", &name, &wrong).await.status,
                401,
                "{wrong:?} for {password:?} ({last:?})"
            );
        }
    }
    // Composed and decomposed letters are different passwords.
    let mut world = World::start().await;
    register(&mut world, "kite", "anna", "pa\u{e9}sswort").await;
    assert_eq!(opens(&mut world, "anna", "pae\u{301}sswort", "anna").await, [""; 0]);
    // Where a document sets no bound: as long as a body can be.
    let long = "p".repeat(50_000);
    register(&mut world, "mcphub", "berta", &long).await;
    assert_eq!(opens(&mut world, "berta", &long, "berta").await, CONTRACTS);
    assert_eq!(opens(&mut world, "berta", &long[1..], "berta").await, [""; 0]);
}

#[tokio::test]
async fn a_name_that_is_anothers_address_is_refused_everywhere() {
    let mut world = World::start().await;
    world.register_proved("owner").await;
    let boss = world.boss().await;
    world.register("eve", PASSWORD).await;
    let eve = world.sign_in("eve", PASSWORD).await;
    let id = world.get("/kite/api/v1/profile").bearer(&eve).quietly().await.text("/data/id");
    for name in ["owner@example.com", "OWNER@example.com", "owner＠example.com", "free@example.com", "@", "a@b"] {
        let statuses = refused_registrations(&mut world, name).await;
        assert_eq!(statuses, [400; 4], "{name}");
        for (path, body) in [
            ("/kite/api/v1/admin/users", json!({"username": name, "email": "new@example.com", "password": PASSWORD})),
            ("/sproutgate/api/admin/users", json!({"account": name, "email": "new@example.com", "password": PASSWORD})),
        ] {
            assert_eq!(world.post(path, body).bearer(&boss).quietly().await.status, 400, "{name} at {path}");
        }
        let renamed = world.put(&format!("/kite/api/v1/admin/users/{id}"), json!({"username": name}));
        assert_eq!(renamed.bearer(&boss).quietly().await.status, 400, "{name}");
    }
    assert_eq!(opens(&mut world, "owner@example.com", "demo123", "owner").await, CONTRACTS);
}

#[tokio::test]
async fn a_name_that_was_ones_own_unproved_address_is_harmless_to_who_proves_it() {
    let mut world = World::start().await;
    let squatting =
        json!({"username": "victim@example.com", "email": "victim@example.com", "password": "squatter-pass"});
    assert_eq!(world.post("/kite/api/v1/auth/register", squatting).quietly().await.status, 201);
    world.register_proved("victim").await;
    assert_eq!(opens(&mut world, "victim@example.com", "demo123", "victim").await, CONTRACTS);
    assert_eq!(opens(&mut world, "victim@example.com", "squatter-pass", "victim@example.com").await, [""; 0]);
    world.clock.advance(std::time::Duration::from_secs(60));
    let asked = json!({"identifier": "victim@example.com"});
    world.post("/kite/api/v1/auth/password-reset/request", asked).quietly().await.is(200, 0);
    let proof = json!({
        "identifier": "victim@example.com", "code": world.code_for("victim@example.com"), "new_password": "victims-own",
    });
    world.post("/kite/api/v1/auth/password-reset/confirm", proof).quietly().await.is(200, 0);
    assert_eq!(opens(&mut world, "victim", "victims-own", "victim").await, CONTRACTS);
}
