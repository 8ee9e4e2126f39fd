use serde_json::{Value, json};

use crate::contracts::{CONTRACTS, log_in, log_out, register, token_of, who};
use crate::support::World;

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
    // Each at a name of its own, since too many at one wait.
    let mut names = (0..).map(|nth| format!("nobody{nth}"));
    let mut wrong = || {
        let name = names.next().expect("no end of names");
        json!({"username": name, "account": name, "password": "wrong-password"})
    };
    world.note("the root contract, a mount, a host, a host's mount");
    world.post("/api/auth/login", wrong()).await;
    world.post("/zeaya/api/auth/login", wrong()).await;
    world.post("/api/auth/login", wrong()).header("host", "photos.example.com").await;
    world.post("/api/auth/login", wrong()).header("host", "HUB.example.com:443").await;
    world.post("/sproutgate/api/auth/login", wrong()).header("host", "hub.example.com").await;
    world.note("the native contract, and where a host overrides it");
    world.post("/api/v1/auth/login", wrong()).await;
    world.post("/api/v1/auth/login", wrong()).header("host", "photos.example.com").await;
    world.note("the service's own paths, on any host");
    assert_eq!(world.get("/.well-known/jwks.json").header("host", "hub.example.com").quietly().await.status, 200);
    world.get("/.well-known/nothing").await;
    insta::assert_snapshot!(world.transcript());

    let mut world = World::with(|options| options.with("ROOT_CONTRACT", "mcphub")).await;
    let refused: Value = world.post("/api/auth/login", wrong()).await.json();
    assert_eq!(refused["success"], json!(false));
}
