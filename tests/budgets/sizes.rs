//! How large items are.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use polygate_shared::aws::client;

/// How large an item of each kind is on average, in bytes as DynamoDB counts them, to the next ten.
pub(crate) async fn sizes(engine: &str, table: &str) -> BTreeMap<String, usize> {
    let client = client::dynamodb(&client::connect_local(engine).expect("a configuration"));
    let items = client.scan().table_name(table).into_paginator().items().send();
    let mut sizes = BTreeMap::<String, Vec<usize>>::new();
    for item in items.collect::<Result<Vec<_>, _>>().await.expect("the whole table") {
        let part = |name: &str| item[name].as_s().expect("a text").split('#').next().unwrap_or_default().to_owned();
        // Keys of a kind that isn't one of many don't grow with the accounts.
        if !matches!(part("pk").as_str(), "signing" | "setting" | "counter" | "total") {
            let size = item.iter().map(|(name, value)| name.len() + size(value)).sum();
            // A code stands under its address.
            let sk = if part("pk") == "code" { "code".to_owned() } else { part("sk") };
            sizes.entry(format!("{} {sk}", part("pk"))).or_default().push(size);
        }
    }
    let average = |sizes: Vec<usize>| (sizes.iter().sum::<usize>() / sizes.len()).next_multiple_of(10);
    sizes.into_iter().map(|(kind, sizes)| (kind, average(sizes))).collect()
}

fn size(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::N(number) => number.len().div_ceil(2) + 1,
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
        AttributeValue::L(list) => 3 + list.iter().map(|value| 1 + size(value)).sum::<usize>(),
        AttributeValue::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + size(value)).sum::<usize>(),
        // A truth or nothing.
        _ => 1,
    }
}
