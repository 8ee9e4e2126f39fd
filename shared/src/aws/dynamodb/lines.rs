//! Items as lines of JSON, in the form that DynamoDB's own exports have.

use anyhow::{Context, bail};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::items::Item;

/// An item as JSON, its attributes in order.
pub(super) fn to_json(item: &Item) -> anyhow::Result<Value> {
    let mut names: Vec<_> = item.keys().collect();
    names.sort_unstable();
    let fields = names.into_iter().filter_map(|name| Some((name, item.get(name)?)));
    fields
        .map(|(name, value)| Ok((name.clone(), value_to_json(value)?)))
        .collect::<anyhow::Result<_>>()
        .map(Value::Object)
}

fn value_to_json(value: &AttributeValue) -> anyhow::Result<Value> {
    let sorted = |set: &[String]| {
        let mut set = set.to_vec();
        set.sort_unstable();
        set
    };
    Ok(match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(bytes) => json!({ "B": STANDARD.encode(bytes) }),
        AttributeValue::Bool(truth) => json!({ "BOOL": truth }),
        AttributeValue::Null(is_null) => json!({ "NULL": is_null }),
        AttributeValue::L(list) => {
            json!({ "L": list.iter().map(value_to_json).collect::<anyhow::Result<Vec<_>>>()? })
        }
        AttributeValue::M(map) => json!({ "M": to_json(map)? }),
        AttributeValue::Ss(set) => json!({ "SS": sorted(set) }),
        AttributeValue::Ns(set) => json!({ "NS": sorted(set) }),
        _ => bail!("an attribute of a kind that the service never writes"),
    })
}

/// The item that a line's JSON is.
pub(super) fn from_json(json: &Value) -> anyhow::Result<Item> {
    let fields = json.as_object().context("no object")?;
    fields.iter().map(|(name, value)| Ok((name.clone(), value_from_json(value)?))).collect()
}

fn value_from_json(json: &Value) -> anyhow::Result<AttributeValue> {
    let (kind, value) = only_field(json.as_object().context("no typed value")?)?;
    let text = || value.as_str().map(str::to_owned).context("no text");
    let texts = || serde_json::from_value::<Vec<String>>(value.clone()).context("no set of texts");
    Ok(match kind {
        "S" => AttributeValue::S(text()?),
        "N" => AttributeValue::N(text()?),
        "B" => AttributeValue::B(Blob::new(STANDARD.decode(text()?).context("no base64")?)),
        "BOOL" => AttributeValue::Bool(value.as_bool().context("no truth value")?),
        "NULL" => AttributeValue::Null(value.as_bool().context("no truth value")?),
        "L" => {
            let list = value.as_array().context("no list")?;
            AttributeValue::L(list.iter().map(value_from_json).collect::<anyhow::Result<_>>()?)
        }
        "M" => AttributeValue::M(from_json(value)?),
        "SS" => AttributeValue::Ss(texts()?),
        "NS" => AttributeValue::Ns(texts()?),
        other => bail!("values of kind {other} are never written"),
    })
}

fn only_field(fields: &Map<String, Value>) -> anyhow::Result<(&str, &Value)> {
    let mut fields = fields.iter();
    match (fields.next(), fields.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        _ => bail!("a value with one type is wanted"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_back() {
        let line = r#"{"a":{"S":"ü \" \n"},"b":{"N":"-1.5"},"c":{"B":"AP8="},"d":{"BOOL":true},"e":{"NULL":true},"f":{"L":[{"M":{"x":{"S":""}}}]},"g":{"SS":["a","b"]},"h":{"NS":["1","2"]}}"#;
        let item = from_json(&serde_json::from_str(line).expect("JSON")).expect("an item");
        assert_eq!(to_json(&item).expect("JSON").to_string(), line);
    }

    #[test]
    fn what_is_no_item_is_refused() {
        for line in
            ["1", r#"{"a":1}"#, r#"{"a":{}}"#, r#"{"a":{"S":1}}"#, r#"{"a":{"S":"","N":"1"}}"#, r#"{"a":{"X":""}}"#]
        {
            assert!(from_json(&serde_json::from_str(line).expect("JSON")).is_err(), "{line}");
        }
    }
}
