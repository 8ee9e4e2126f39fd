//! Accounts found by how their names and addresses begin.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TableStatus,
};
use polygate_shared::aws::dynamodb::create_table;
use polygate_shared::identity::{Change, Claim, ClaimKind, Store};

use crate::engine::{Engine, TABLE};
use crate::values::*;

async fn commit(engine: &Engine, change: Change<'_>) {
    engine.store.commit(&[change]).await.expect("an outcome").expect("no refusal");
}

/// Asserts that those whose name or address begins so have these numbers; `None`: they are more than `most`.
async fn finds(engine: &Engine, kind: ClaimKind, beginning: &str, most: usize, expected: Option<&[u64]>) {
    find(engine, &[(kind, beginning.to_owned())], most, expected).await;
}

async fn find(engine: &Engine, beginnings: &[(ClaimKind, String)], most: usize, expected: Option<&[u64]>) {
    let expected = expected.map(|numbers| numbers.iter().copied().map(id).collect::<BTreeSet<_>>());
    let ask = async || engine.store.owners_of_beginnings(beginnings, most).await.expect("an answer");
    engine.comes_to(expected, ask).await;
}

#[tokio::test]
async fn by_name_and_address_each_account_once() {
    let engine = Engine::start().await;
    let claims = [
        name("alice", id(1)),
        name("alicia", id(2)),
        name("ali", id(3)),
        name("bob", id(4)),
        name("芽芽", id(5)),
        email("alice@example.com", id(1), true),
        email("alf@example.com", id(4), false),
    ];
    for claim in claims {
        commit(&engine, Change::TakeClaim(claim)).await;
    }
    finds(&engine, ClaimKind::Name, "ali", 9, Some(&[1, 2, 3])).await;
    finds(&engine, ClaimKind::Name, "alic", 9, Some(&[1, 2])).await;
    finds(&engine, ClaimKind::Name, "alice", 9, Some(&[1])).await;
    finds(&engine, ClaimKind::Name, "alice@", 9, Some(&[])).await;
    finds(&engine, ClaimKind::Name, "芽", 9, Some(&[5])).await;
    finds(&engine, ClaimKind::Email, "al", 9, Some(&[1, 4])).await;
    let both = [(ClaimKind::Name, "ali".to_owned()), (ClaimKind::Email, "ali".to_owned())];
    find(&engine, &both, 9, Some(&[1, 2, 3])).await;
    find(&engine, &[], 9, Some(&[])).await;
    // Exactly as many as are looked through, and one more.
    finds(&engine, ClaimKind::Name, "ali", 3, Some(&[1, 2, 3])).await;
    finds(&engine, ClaimKind::Name, "ali", 2, None).await;
}

#[tokio::test]
async fn what_changes_hands_or_is_given_up_is_found_where_it_is() {
    let engine = Engine::start().await;
    commit(&engine, Change::TakeClaim(email("a@b.co", id(1), false))).await;
    commit(&engine, Change::TakeOverClaim { claim: email("a@b.co", id(2), true), from: id(1) }).await;
    finds(&engine, ClaimKind::Email, "a@", 9, Some(&[2])).await;
    commit(&engine, Change::ReleaseClaim(email("a@b.co", id(2), true))).await;
    finds(&engine, ClaimKind::Email, "a@", 9, Some(&[])).await;
}

#[tokio::test]
async fn what_is_too_long_for_a_key_is_found_by_its_first_900_bytes() {
    let engine = Engine::start().await;
    // Each of the characters has three bytes, and 900 lies within one of them once there is one byte more in front.
    for (nth, front) in ["", "x"].into_iter().enumerate() {
        let long = format!("{front}{}", "صلى".repeat(5000));
        let owner = id(nth as u64);
        commit(&engine, Change::TakeClaim(name(&long, owner))).await;
        for beginning in [long.as_str(), &long[..long.floor_char_boundary(40)]] {
            finds(&engine, ClaimKind::Name, beginning, 9, Some(&[nth as u64])).await;
        }
    }
}

/// A table as it was made before there was the index, with these claims.
async fn older_table(engine: &Engine, table: &str, claims: &[Claim]) {
    let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    let text = |name: &str, kind| AttributeDefinition::builder().attribute_name(name).attribute_type(kind).build();
    let listing = GlobalSecondaryIndex::builder()
        .index_name("listing")
        .key_schema(key("listing", KeyType::Hash).expect("a key"))
        .key_schema(key("number", KeyType::Range).expect("a key"))
        .projection(Projection::builder().projection_type(ProjectionType::All).build());
    let mut request = engine.client.create_table().table_name(table).billing_mode(BillingMode::PayPerRequest);
    for (name, kind) in [("pk", 'S'), ("sk", 'S'), ("listing", 'S'), ("number", 'N')] {
        let kind = if kind == 'S' { ScalarAttributeType::S } else { ScalarAttributeType::N };
        request = request.attribute_definitions(text(name, kind).expect("an attribute"));
    }
    let request = request
        .key_schema(key("pk", KeyType::Hash).expect("a key"))
        .key_schema(key("sk", KeyType::Range).expect("a key"))
        .global_secondary_indexes(listing.build().expect("an index"));
    request.send().await.expect("a table");
    loop {
        let answer = engine.client.describe_table().table_name(table).send().await.expect("a description");
        if answer.table.is_some_and(|described| described.table_status == Some(TableStatus::Active)) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for claim in claims {
        let attributes = [
            ("pk", AttributeValue::S(format!("name#{}", claim.key))),
            ("sk", AttributeValue::S("claim".to_owned())),
            ("kind", AttributeValue::S("name".to_owned())),
            ("key", AttributeValue::S(claim.key.clone())),
            ("account", AttributeValue::S(claim.account.to_string())),
            ("verified", AttributeValue::Bool(true)),
        ];
        let item = attributes.map(|(name, value)| (name.to_owned(), value)).into();
        engine.client.put_item().table_name(table).set_item(Some(item)).send().await.expect("put");
    }
}

#[tokio::test]
async fn a_table_from_before_the_index_gets_it_with_what_it_has() {
    let engine = Engine::start().await;
    engine.client.delete_table().table_name(TABLE).send().await.expect("deleted");
    let claims = [name("alice", id(1)), name("alicia", id(2)), name("bob", id(3))];
    older_table(&engine, TABLE, &claims).await;
    for _ in 0..2 {
        create_table(&engine.client, TABLE).await.expect("the index");
        finds(&engine, ClaimKind::Name, "ali", 9, Some(&[1, 2])).await;
    }
    let keys: Vec<_> = claims.iter().map(|claim| (claim.kind, claim.key.clone())).collect();
    let mut kept = engine.store.claims(&keys).await.expect("claims");
    kept.sort_by_key(|claim| claim.account);
    assert_eq!(kept, claims);
    commit(&engine, Change::TakeClaim(name("alina", id(4)))).await;
    finds(&engine, ClaimKind::Name, "ali", 9, Some(&[1, 2, 4])).await;
}
