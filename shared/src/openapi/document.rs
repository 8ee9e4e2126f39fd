//! The documents: the operations of a contract with its shapes, its refusals in its own words, and its credentials.

use std::collections::{BTreeMap, BTreeSet};

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::description::{Description, Listed};
use super::{Operation, Scheme};
use crate::contracts;
use crate::http::{Contract, Failure, Group, Verb};
use crate::identity::{Error, Language};

/// Every document by its name: one for each contract, and `service` for what belongs to the service as a whole.
pub fn documents() -> Vec<(&'static str, Value)> {
    let contracts = Contract::ALL.map(|contract| {
        let groups = Group::ALL.map(|group| (group, contracts::described(contract, group)));
        (contract.name(), document(contract, contract.name(), contracts::mount(contract), groups))
    });
    // Its refusals are spelled in the root contract's words, which is a setting; this is the default.
    let service = document(Contract::Sproutgate, "service", "", [(Group::Refresh, contracts::service())]);
    contracts.into_iter().chain([("service", service)]).collect()
}

/// A document as it is kept in a file.
pub fn text_of(document: &Value) -> String {
    // A value has nothing that can't be written.
    serde_json::to_string_pretty(document).unwrap_or_default() + "\n"
}

fn document(
    contract: Contract,
    name: &str,
    mount: &str,
    groups: impl IntoIterator<Item = (Group, Description)>,
) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut schemas = settings.into_generator();
    let mut refusals =
        Refusals { contract, shape: contracts::refusal_shape(contract, &mut schemas), examples: Map::new() };
    let (mut paths, mut tags, mut schemes) = (Map::new(), Vec::new(), BTreeMap::new());
    for (group, Description(endpoints)) in groups {
        if endpoints.is_empty() {
            continue;
        }
        tags.push(json!({"name": group.name(), "description": group.purpose()}));
        for endpoint in endpoints {
            let operation = endpoint.operation(&mut schemas);
            schemes.extend(operation.schemes.iter().map(|scheme| (scheme.name(), scheme.definition())));
            let entry = paths.entry(endpoint.path).or_insert_with(|| path_entry(endpoint.path));
            entry[method(endpoint.verb)] = spelled(group, &endpoint, operation, &mut refusals);
        }
    }
    let base = if mount.is_empty() { "/" } else { mount };
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("Polygate: {name}"),
            "version": env!("CARGO_PKG_VERSION"),
            "description": introduction(contract),
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": base, "description": "Under the mount; the same without it where host or setting choose the contract"}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "examples": refusals.examples,
            "securitySchemes": schemes,
        },
    })
}

fn introduction(contract: Contract) -> String {
    let language = match contract {
        Contract::Kite | Contract::Zeaya | Contract::Sproutgate => "`?lang`, then `Accept-Language`",
        Contract::Mcphub => "`?lang`, then `x-language`, then `Accept-Language`",
    };
    format!(
        "One pool of accounts, in the words of the contract `{}`. Messages are Chinese or English by {language}; \
         codes never change with the language. Every answer has an `x-request-id`; unknown paths answer 404 and wrong \
         methods 405 with `Allow`, in the shape of every refusal.",
        contract.name()
    )
}

/// The parameters that a path has in its own text.
fn path_entry(path: &str) -> Value {
    let named = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let parameter =
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}});
    let parameters: Vec<_> = named.map(parameter).collect();
    if parameters.is_empty() { json!({}) } else { json!({"parameters": parameters}) }
}

fn method(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get",
        Verb::Post => "post",
        Verb::Put => "put",
        Verb::Delete => "delete",
    }
}

fn spelled(group: Group, endpoint: &Listed, operation: Operation, told: &mut Refusals) -> Value {
    let Operation { parameters, body, schemes, anonymous, refusals, answers } = operation;
    let words = endpoint.path.split(['/', '-', '_', '.']).filter(|word| !word.is_empty());
    let id: Vec<_> = [method(endpoint.verb)].into_iter().chain(words).collect();
    let mut spelled = Map::from_iter([
        ("operationId".to_owned(), json!(id.join("_").replace(['{', '}'], ""))),
        ("tags".to_owned(), json!([group.name()])),
        ("summary".to_owned(), json!(endpoint.about.summary)),
    ]);
    if !endpoint.about.documented {
        spelled.insert("description".to_owned(), json!("Beyond the contract's own document."));
    }
    if !parameters.is_empty() {
        spelled.insert("parameters".to_owned(), Value::Array(parameters));
    }
    spelled.extend(body.map(|body| ("requestBody".to_owned(), body)));
    let own = (endpoint.about.refusals)().into_iter().map(Failure::Core);
    let common = [
        Failure::Core(Error::Internal(anyhow::anyhow!("a fault of ours"))),
        Failure::Core(Error::Unavailable { retry_after: std::time::Duration::ZERO, cause: anyhow::anyhow!("") }),
    ];
    let mut responses = told.by_status(refusals.into_iter().chain(own).chain(common));
    for (status, answer) in answers {
        match responses.get_mut(status.as_str()) {
            // Something else with the status of a refusal, such as a token that is told to be not valid.
            Some(kept) => either(kept, &answer),
            None => _ = responses.insert(status.as_str().to_owned(), answer),
        }
    }
    responses.sort_keys();
    spelled.insert("responses".to_owned(), Value::Object(responses));
    let mut security: Vec<_> = schemes.iter().map(|scheme: &Scheme| json!({scheme.name(): []})).collect();
    if anonymous && !security.is_empty() {
        security.insert(0, json!({}));
    }
    spelled.insert("security".to_owned(), Value::Array(security));
    Value::Object(spelled)
}

/// How a contract refuses.
struct Refusals {
    contract: Contract,
    shape: Value,
    /// Each refusal that was met, spelled once.
    examples: Map<String, Value>,
}

impl Refusals {
    /// The answers that refuse so, by their status.
    fn by_status(&mut self, failures: impl Iterator<Item = Failure>) -> Map<String, Value> {
        let mut by_status = BTreeMap::<u16, (BTreeSet<String>, Map<String, Value>)>::new();
        for failure in failures {
            let (status, body) = contracts::render(self.contract)(&failure, Language::English);
            let name = failure.word();
            let (names, headers) = by_status.entry(status.as_u16()).or_default();
            headers.extend(headers_of(&failure));
            self.examples.insert(key_of(&name), json!({"summary": name, "value": body}));
            names.insert(name.into_owned());
        }
        let told = by_status.into_iter();
        told.map(|(status, (names, headers))| (status.to_string(), self.answer(&names, headers))).collect()
    }

    fn answer(&self, names: &BTreeSet<String>, headers: Map<String, Value>) -> Value {
        let reference = |name| json!({"$ref": format!("#/components/examples/{}", key_of(name))});
        let examples: Map<_, _> = names.iter().map(|name| (key_of(name), reference(name))).collect();
        let content = json!({"application/json": {"schema": self.shape, "examples": examples}});
        let description = names.iter().map(String::as_str).collect::<Vec<_>>().join("; ");
        let mut answer = json!({"description": description, "content": content});
        if !headers.is_empty() {
            answer["headers"] = headers.into();
        }
        answer
    }
}

/// The headers by which a refusal tells when to try again.
fn headers_of(failure: &Failure) -> Vec<(String, Value)> {
    let header =
        |name: &str, description| (name.to_owned(), json!({"description": description, "schema": {"type": "integer"}}));
    let wait = failure.retry_after_seconds().map(|_| header("Retry-After", "Seconds"));
    let limit = failure.limit().map(|_| header("X-RateLimit-Limit", "How often it may be asked for without a wait"));
    let remaining = failure.limit().map(|_| header("X-RateLimit-Remaining", "0"));
    wait.into_iter().chain(limit).chain(remaining).collect()
}

/// A name as the documents' keys may be.
fn key_of(name: &str) -> String {
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}

/// Allows the shape of another answer beside that of an answer with the same status.
fn either(kept: &mut Value, other: &Value) {
    let schema = |answer: &Value| answer["content"]["application/json"]["schema"].clone();
    let both = json!({"anyOf": [schema(kept), schema(other)]});
    kept["content"]["application/json"]["schema"] = both;
    let description =
        format!("{}; {}", kept["description"].as_str().unwrap_or(""), other["description"].as_str().unwrap_or(""));
    kept["description"] = json!(description);
}

/// What a shape is called in the documents, or the shape itself.
pub(crate) fn shape_of<T: schemars::JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}
