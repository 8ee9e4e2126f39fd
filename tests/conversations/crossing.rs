use serde_json::{Value, json};

use crate::support::{Answer, World};

const CONTRACTS: [&str; 4] = ["kite", "zeaya", "sproutgate", "mcphub"];

/// Makes an account through a contract, with everything that this takes there.
async fn register(world: &mut World, contract: &str, name: &str, password: &str) {
    let email = format!("{name}@example.com");
    let body = match contract {
        "sproutgate" => json!({"account": name, "password": password, "username": name, "email": email}),
        _ => json!({"username": name, "password": password, "email": email}),
    };
    let path = if contract == "kite" {
        "/kite/api/v1/auth/register".to_owned()
    } else {
        format!("/{contract}/api/auth/register")
    };
    let answer = world.post(&path, body).quietly().await;
    assert!(answer.status.is_success(), "{contract}: {}", answer.body);
    if contract == "sproutgate" {
        let code = world.code_for(&email);
        let body = json!({"account": name, "code": code});
        let answer = world.post("/sproutgate/api/auth/verify-email", body).quietly().await;
        assert!(answer.status.is_success(), "{}", answer.body);
    }
}

async fn log_in(world: &mut World, contract: &str, name: &str, password: &str) -> Answer {
    let (path, field) = match contract {
        "kite" => ("/kite/api/v1/auth/login", "username"),
        "zeaya" => ("/zeaya/api/auth/login", "username"),
        "sproutgate" => ("/sproutgate/api/auth/login", "account"),
        _ => ("/mcphub/api/auth/login", "username"),
    };
    world.post(path, json!({field: name, "password": password})).quietly().await
}

fn token_of(contract: &str, answer: &Answer) -> String {
    answer.text(match contract {
        "kite" => "/data/access_token",
        "zeaya" => "/data/token",
        _ => "/token",
    })
}

/// Asks who the token's bearer is; returns the name as that contract tells it.
async fn who(world: &mut World, contract: &str, token: &str) -> Result<String, u16> {
    let (path, pointer) = match contract {
        "kite" => ("/kite/api/v1/profile", "/data/username"),
        "zeaya" => ("/zeaya/api/auth/user", "/data/username"),
        "sproutgate" => ("/sproutgate/api/auth/me", "/user/account"),
        _ => ("/mcphub/api/auth/user", "/user/username"),
    };
    let answer = world.get(path).bearer(token).quietly().await;
    if answer.status.is_success() { Ok(answer.text(pointer)) } else { Err(answer.status.as_u16()) }
}

async fn log_out(world: &mut World, contract: &str, token: &str) {
    let path = if contract == "kite" { "/kite/api/v1/auth/logout" } else { "/zeaya/api/auth/logout" };
    let answer = world.ask(reqwest::Method::POST, path).bearer(token).quietly().await;
    assert!(answer.status.is_success(), "{}", answer.body);
}

#[tokio::test]
async fn an_account_made_anywhere_signs_in_everywhere_and_its_token_is_good_everywhere() {
    let mut world = World::start().await;
    let mut directions = 0;
    for made in CONTRACTS {
        let name = format!("Of-{made}");
        register(&mut world, made, &name, "Passw0rd!23").await;
        for signed_in in CONTRACTS {
            let answer = log_in(&mut world, signed_in, &name.to_lowercase(), "Passw0rd!23").await;
            assert!(answer.status.is_success(), "{made} to {signed_in}: {}", answer.body);
            let token = token_of(signed_in, &answer);
            for asked in CONTRACTS {
                assert_eq!(who(&mut world, asked, &token).await, Ok(name.clone()), "{made}, {signed_in}, {asked}");
            }
            directions += usize::from(made != signed_in);
        }
    }
    assert_eq!(directions, 12);
}

#[tokio::test]
async fn signing_out_anywhere_is_signing_out_everywhere() {
    let mut world = World::start().await;
    register(&mut world, "mcphub", "anna", "Passw0rd!23").await;
    for (signed_in, signed_out) in [("kite", "zeaya"), ("zeaya", "kite"), ("sproutgate", "zeaya"), ("mcphub", "kite")] {
        let token = token_of(signed_in, &log_in(&mut world, signed_in, "anna", "Passw0rd!23").await);
        log_out(&mut world, signed_out, &token).await;
        for asked in CONTRACTS {
            assert_eq!(who(&mut world, asked, &token).await, Err(401), "{signed_in}, {signed_out}, {asked}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_wrong_everywhere_and_looks_like_an_unknown_name() {
    let mut world = World::start().await;
    register(&mut world, "kite", "anna", "Passw0rd!23").await;
    for contract in CONTRACTS {
        let wrong = log_in(&mut world, contract, "anna", "passw0rd!23").await;
        let unknown = log_in(&mut world, contract, "nobody", "passw0rd!23").await;
        assert_eq!(wrong.status, 401, "{contract}");
        assert_eq!((wrong.status, &wrong.body), (unknown.status, &unknown.body), "{contract}");
    }
}

#[tokio::test]
async fn the_address_chooses_the_contract() {
    let hosts = "photos.example.com=zeaya,hub.example.com=mcphub";
    let mut world =
        World::with(|options| options.with("CONTRACT_HOSTS", hosts).with("ROOT_CONTRACT", "sproutgate")).await;
    let wrong = json!({"username": "nobody", "account": "nobody", "password": "wrong-password"});
    world.note("the root contract, a mount, a host, a host's mount");
    world.post("/api/auth/login", wrong.clone()).await;
    world.post("/zeaya/api/auth/login", wrong.clone()).await;
    world.post("/api/auth/login", wrong.clone()).header("host", "photos.example.com").await;
    world.post("/api/auth/login", wrong.clone()).header("host", "HUB.example.com:443").await;
    world.post("/sproutgate/api/auth/login", wrong.clone()).header("host", "hub.example.com").await;
    world.note("the native contract, and where a host overrides it");
    world.post("/api/v1/auth/login", wrong.clone()).await;
    world.post("/api/v1/auth/login", wrong.clone()).header("host", "photos.example.com").await;
    world.note("the service's own paths, on any host");
    assert_eq!(world.get("/.well-known/jwks.json").header("host", "hub.example.com").quietly().await.status, 200);
    world.get("/.well-known/nothing").await;
    insta::assert_snapshot!(world.transcript());

    let mut world = World::with(|options| options.with("ROOT_CONTRACT", "mcphub")).await;
    let refused: Value = world.post("/api/auth/login", wrong).await.json();
    assert_eq!(refused["success"], json!(false));
}

#[tokio::test]
async fn names_that_are_legal_in_one_contract_only_sign_in_through_all() {
    let mut world = World::start().await;
    let long = "x".repeat(60);
    for name in ["小", "ab", long.as_str()] {
        let body = json!({"username": name, "password": "🔑🔑🔑 pässword "});
        assert_eq!(world.post("/mcphub/api/auth/register", body).quietly().await.status, 200, "{name}");
        for contract in CONTRACTS {
            let answer = log_in(&mut world, contract, name, "🔑🔑🔑 pässword ").await;
            assert_eq!(answer.status, 200, "{name} through {contract}: {}", answer.body);
            let trimmed = log_in(&mut world, contract, name, "🔑🔑🔑 pässword").await;
            assert_eq!(trimmed.status, 401, "passwords are taken verbatim");
        }
    }
}
