//! The documents are what the handlers' types say, and stand in `docs/openapi/`.

use std::path::PathBuf;

use polygate_shared::openapi::{documents, text_of};
use serde_json::Value;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/openapi")
}

#[test]
fn the_kept_documents_are_current() {
    #[expect(clippy::disallowed_methods, reason = "how the documents are written anew: `just openapi`")]
    let update = std::env::var_os("UPDATE_OPENAPI").is_some();
    let mut stale = Vec::new();
    for (name, document) in documents() {
        let file = folder().join(format!("{name}.json"));
        let text = text_of(&document);
        if update {
            std::fs::create_dir_all(folder()).expect("a folder");
            std::fs::write(&file, &text).expect("a file");
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        if kept != text {
            stale.push(name);
        }
    }
    assert!(stale.is_empty(), "not as the code says: {stale:?}. Run `just openapi` and look at what changed.");
    let kept = std::fs::read_dir(folder()).expect("a folder").count();
    assert_eq!(kept, documents().len(), "files in docs/openapi");
}

#[test]
fn every_operation_is_whole() {
    let mut ids = std::collections::BTreeSet::new();
    for (name, document) in documents() {
        assert_eq!(document["openapi"], "3.1.0");
        for (path, methods) in document["paths"].as_object().expect("paths") {
            let methods = methods.as_object().expect("methods").iter().filter(|(method, _)| *method != "parameters");
            for (method, operation) in methods {
                let told = format!("{name}: {method} {path}");
                assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{told}");
                assert!(ids.insert((name, operation["operationId"].to_string())), "{told}: a name that is there twice");
                let responses = operation["responses"].as_object().expect("responses");
                assert!(responses.keys().any(|status| status.starts_with('2')), "{told}: no success");
                assert!(responses.contains_key("503"), "{told}");
                let secured = !operation["security"].as_array().expect("security").is_empty();
                let anybody = operation["security"][0] == serde_json::json!({});
                assert_eq!(secured && !anybody, responses.contains_key("401") && secured && !anybody, "{told}");
            }
        }
        references_lead_somewhere(&document, &document);
    }
}

fn references_lead_somewhere(value: &Value, document: &Value) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target} leads nowhere");
            }
            fields.values().for_each(|field| references_lead_somewhere(field, document));
        }
        Value::Array(entries) => entries.iter().for_each(|entry| references_lead_somewhere(entry, document)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
