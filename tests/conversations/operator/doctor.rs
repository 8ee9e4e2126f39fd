//! What is wrong with a setup, and how to mend it.

use aws_sdk_dynamodb::types::AttributeValue;
use polygate_shared::aws::client;
use polygate_shared::identity::Change;

use super::{polygate, run, text, world};
use crate::restart::Scratch;

/// A port that nothing listens on.
fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port().to_string()
}

#[tokio::test]
async fn a_sound_setup_has_nothing_to_mend_with_or_without_its_server() {
    let scratch = Scratch::new();
    let mut world = world(&scratch).await;
    world.register("anna", "secret123").await;
    world.sign_in("anna", "secret123").await;
    let (url, engine) = (world.server.base_url().to_owned(), world.server.dynamodb_url());
    let data = text(&scratch.0);
    // It answers while the command waits for it.
    let (at, there) = (url.clone(), data.to_owned());
    let beside = tokio::task::spawn_blocking(move || polygate(&["doctor", "--data", &there, "--url", &at]));
    let beside = beside.await.expect("it ends").well();
    world.server.shutdown().await;
    let port = free_port();
    let alone = polygate(&["doctor", "--data", data, "--port", &port]).well();
    let told = format!("beside its server\n{beside}\nwithout it\n{alone}");
    let told = told.replace(data, "DIR").replace(&url, "URL").replace(&engine, "ENGINE");
    insta::assert_snapshot!(told.replace(&std::process::id().to_string(), "PID").replace(&port, "PORT"));
}

#[tokio::test]
async fn what_is_wrong_is_told_with_the_mend() {
    let scratch = Scratch::new();
    let data = text(&scratch.0);
    let world = world(&scratch).await;
    let taken = world.server.base_url().rsplit(':').next().expect("a port").to_owned();
    let settings = [("TIME_ZONE", "CST"), ("ROOT_CONTRACT", "kitty"), ("MAIL_TEMPLATES", "/dev/null/none")];
    let told = run(&["doctor", "--data", &format!("{data}/none"), "--port", &taken], &settings, "").failed();
    insta::assert_snapshot!(told.replace(data, "DIR").replace(&taken, "PORT"));

    let engine = world.server.dynamodb_url();
    let config = client::connect_local(engine.as_str()).expect("a configuration");
    let administrators = world.server.identity().account_named("admin").await.expect("the administrator");
    let was = administrators.version;
    let disabled = polygate_shared::identity::Account { active: false, ..administrators.account };
    world
        .server
        .store()
        .commit(&[Change::UpdateAccount { account: &disabled, was }])
        .await
        .expect("an outcome")
        .expect("written");
    let told = polygate(&["doctor", "--endpoint", &engine]).failed();
    assert!(told.contains("WRONG  there is no active administrator: polygate admin reset-password admin"), "{told}");
    let told = polygate(&["doctor", "--endpoint", &engine, "--table", "other"]).failed();
    assert!(told.contains("WRONG  there is no table other"), "{told}");
    let table = client::dynamodb(&config);
    let broken = table.put_item().table_name("polygate").item("pk", AttributeValue::S("signing".to_owned()));
    let broken = broken.item("sk", AttributeValue::S("key#1".to_owned())).item("key", AttributeValue::Bool(true));
    broken.send().await.expect("written");
    let told = polygate(&["doctor", "--endpoint", &engine]).failed();
    assert!(told.contains("WRONG  the signing keys can't be read"), "{told}");
    let told = polygate(&["check", "--endpoint", &engine, "--table", "other"]).failed();
    assert!(told.contains(&format!("there is no table other at {engine}\n")), "{told}");
    let (own, there) = (world.server.base_url().to_owned(), data.to_owned());
    // It answers while the commands wait for it.
    let asked = tokio::task::spawn_blocking(move || {
        let file = format!("{there}/export.jsonl");
        ["http://127.0.0.1:1", &own].map(|wrong| polygate(&["export", &file, "--endpoint", wrong]).failed())
    });
    for told in asked.await.expect("it ends") {
        assert!(told.contains("doesn't answer as a store engine does: name the address that the"), "{told}");
    }
    let told = polygate(&["doctor", "--endpoint", "http://127.0.0.1:1"]).failed();
    assert!(told.contains("WRONG  the table polygate can't be looked at"), "{told}");
    let told = polygate(&["doctor", "--data", &format!("{data}/none"), "--url", "http://127.0.0.1:1"]).failed();
    assert!(told.contains("WRONG  http://127.0.0.1:1/.well-known/jwks.json doesn't answer"), "{told}");
}

#[tokio::test]
async fn a_broken_file_and_missing_credentials_are_told() {
    let scratch = Scratch::new();
    std::fs::create_dir(&scratch.0).expect("a folder");
    std::fs::write(scratch.0.join("table.db"), [b'x'; 5000]).expect("written");
    let told = polygate(&["doctor", "--data", text(&scratch.0), "--port", &free_port()]).failed();
    assert!(told.contains("WRONG  the table file") && told.contains("is broken"), "{told}");
    let told = polygate(&["doctor", "--table", "polygate-prod"]).failed();
    assert!(told.contains("WRONG  no AWS credentials in the environment"), "{told}");
}

/// The way to a deployment's table, here with the engine at its end.
#[tokio::test]
async fn a_deployments_table_is_reached_by_the_credentials_of_the_environment() {
    let scratch = Scratch::new();
    let mut world = world(&scratch).await;
    world.register("anna", "secret123").await;
    let engine = world.server.dynamodb_url();
    let settings = [
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "y"),
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ENDPOINT_URL_DYNAMODB", engine.as_str()),
        ("AWS_ENDPOINT_URL_SES", "http://127.0.0.1:1"),
        ("MAIL_FROM", "a@example.com"),
    ];
    let told = run(&["check", "--table", "polygate"], &settings, "").well();
    assert!(told.ends_with("2 accounts: sound\n"), "{told}");
    let told = run(&["check", "--table", "other"], &settings, "").failed();
    assert!(told.contains("there is no table other: name the one of the stack's output TableName, and its"), "{told}");
    let nowhere = settings.map(|(name, value)| (name, value.replace(engine.as_str(), "http://127.0.0.1:1")));
    let nowhere: Vec<_> = nowhere.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let told = run(&["check", "--table", "polygate"], &nowhere, "").failed();
    assert!(told.contains("the table polygate can't be reached: look at the region and at the way"), "{told}");
    let told = run(&["doctor", "--table", "polygate"], &settings, "");
    assert!(
        told.out.contains("note   SES can't be looked at") && told.out.contains("the table can be deleted by one call")
    );
    let told = run(&["doctor", "--table", "other"], &settings, "").failed();
    assert!(told.contains("WRONG  there is no table other: name the one of the stack's output TableName"), "{told}");
}
