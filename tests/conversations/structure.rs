//! What holds of the repository as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use polygate_shared::http::{Group, paths};
use serde_yaml_ng::Value;

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub(crate) fn rust_files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("a folder") {
        let entry = entry.expect("an entry");
        let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(rust_files(&path));
        } else if path.ends_with(".rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn the_identity_core_names_no_http_no_aws_and_no_contract() {
    let forbidden = [
        "kite",
        "zeaya",
        "sproutgate",
        "mcphub",
        "axum",
        "hyper",
        "tower",
        "statuscode",
        "http::",
        "status_code",
        "aws_",
        "aws::",
        "dynamo",
        "lambda",
        "amazon",
        "serde_dynamo",
        "crate::contracts",
        "crate::http",
        "crate::aws",
        "crate::messages",
        "crate::settings",
    ];
    let files = rust_files("shared/src/identity");
    assert!(files.len() > 15, "{files:?}");
    for file in files {
        for (number, line) in read(&file).to_lowercase().lines().enumerate() {
            for word in forbidden {
                assert!(!line.contains(word), "{file}:{}: `{word}`: {line}", number + 1);
            }
        }
    }
}

/// Every route the gateway should have, with its function: each path as such and, unless it belongs to the
/// service as a whole, under a mount.
fn expected_routes() -> BTreeMap<String, String> {
    let mut routes = BTreeMap::new();
    for (path, groups) in paths() {
        assert_eq!(groups.len(), 1, "{path} belongs to {groups:?}, but the gateway routes by path alone");
        routes.insert(path.to_owned(), groups[0].name().to_owned());
        if !path.starts_with("/.well-known/") {
            routes.insert(format!("/{{mount}}{path}"), groups[0].name().to_owned());
        }
    }
    routes
}

/// The path parameters that a route of the template declares.
fn declared(method: &Value) -> Vec<String> {
    let parameters = method["parameters"].as_sequence().cloned().unwrap_or_default();
    let name = |parameter: &Value| {
        assert_eq!((&parameter["in"], &parameter["required"]), (&"path".into(), &true.into()), "{parameter:?}");
        parameter["name"].as_str().expect("a name").to_owned()
    };
    parameters.iter().map(name).collect()
}

/// The parameters that a path has, in order.
fn named_in(path: &str) -> Vec<String> {
    let segments = path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    segments.map(str::to_owned).collect()
}

#[test]
fn the_template_routes_what_the_routers_serve() {
    let template: Value = serde_yaml_ng::from_str(&read("template.yaml")).expect("YAML");
    let definition = &template["Resources"]["HttpApi"]["Properties"]["DefinitionBody"];
    let integrations = &definition["components"]["x-amazon-apigateway-integrations"];
    let mut routes = BTreeMap::new();
    for (path, methods) in definition["paths"].as_mapping().expect("paths") {
        let path = path.as_str().expect("a path").to_owned();
        let method = &methods["x-amazon-apigateway-any-method"];
        assert_eq!(declared(method), named_in(&path), "path parameters of {path}");
        let integration = &method["x-amazon-apigateway-integration"];
        let named = integration["$ref"].as_str().and_then(|name| name.rsplit('/').next()).expect("an integration");
        let function = Group::ALL.into_iter().find(|group| group.name() == named).expect("a group");
        let address = serde_yaml_ng::to_string(&integrations[named]["uri"]).expect("an address");
        let resource = format!("{}{}Function.Arn", named[..1].to_uppercase(), &named[1..]);
        assert!(address.contains(&resource), "{named} is integrated with {address}");
        let declared = methods["x-amazon-apigateway-any-method"]["parameters"].as_sequence();
        let declared: Vec<_> = declared.into_iter().flatten().map(parameter).collect();
        assert_eq!(declared, parameters(&path), "the parameters declared for {path}");
        routes.insert(path, function.name().to_owned());
    }
    assert_eq!(routes.remove("/$default").as_deref(), Some("refresh"));
    assert_eq!(routes, expected_routes());
}

/// What the template makes only where bounces are handled, and what it makes always.
#[test]
fn the_template_has_five_functions_and_a_sixth_where_bounces_are_handled() {
    let template: Value = serde_yaml_ng::from_str(&read("template.yaml")).expect("YAML");
    let parameter = &template["Parameters"]["HandleBounces"];
    assert_eq!(parameter["Default"], Value::from("false"), "off unless asked for");
    let (mut functions, mut conditional) = (Vec::new(), BTreeSet::new());
    for (name, resource) in template["Resources"].as_mapping().expect("resources") {
        let name = name.as_str().expect("a name");
        let condition = resource["Condition"].as_str().unwrap_or_default();
        if resource["Type"] == "AWS::Serverless::Function" {
            functions.push((name, condition));
        }
        if condition.contains("Bounces") {
            conditional.insert(name);
        }
    }
    functions.sort_unstable();
    let always = ["Admin", "Login", "Profile", "Refresh", "Register"].map(|group| format!("{group}Function"));
    let mut expected: Vec<_> = always.iter().map(|name| (name.as_str(), "")).collect();
    expected.insert(1, ("BouncesFunction", "HandlesBounces"));
    assert_eq!(functions, expected);
    let others = ["Destination", "ErrorsAlarm", "Function", "FunctionRole", "Logs", "Topic", "TopicPolicy"];
    let others: Vec<_> = others.iter().map(|other| format!("Bounces{other}")).collect();
    assert_eq!(conditional, others.iter().map(String::as_str).collect());
    let policy = &template["Resources"]["BouncesTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"][0];
    assert_eq!(policy["Principal"]["Service"], Value::from("ses.amazonaws.com"));
    assert!(policy["Condition"]["StringEquals"].get("AWS:SourceAccount").is_some(), "of this account only");
    let main = read("functions/bounces/src/main.rs");
    assert!(main.lines().count() <= 15, "it is as thin as the others");
}

/// The names in braces, in order.
fn parameters(path: &str) -> Vec<&str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}')).collect()
}

/// The name of a declared parameter that is what a path's parameter must be.
fn parameter(declared: &Value) -> &str {
    assert_eq!(declared["in"].as_str(), Some("path"), "{declared:?}");
    assert_eq!(declared["required"].as_bool(), Some(true), "{declared:?}");
    assert_eq!(declared["schema"]["type"].as_str(), Some("string"), "{declared:?}");
    declared["name"].as_str().expect("a name")
}

#[test]
fn cargo_lambda_watch_routes_what_the_gateway_routes() {
    let manifest = read("Cargo.toml");
    let table = manifest.split("[workspace.metadata.lambda.watch.router]").nth(1).expect("the router table");
    let table = table.split("\n[").next().expect("a table");
    let routes: BTreeMap<_, _> = table
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(path, group)| (path.trim().trim_matches('"').to_owned(), group.trim().trim_matches('"').to_owned()))
        .collect();
    assert_eq!(routes, expected_routes());
}

#[test]
fn functions_are_thin() {
    for group in Group::ALL {
        let main = read(&format!("functions/{}/src/main.rs", group.name()));
        assert!(main.lines().count() <= 15, "{}", group.name());
    }
}

#[test]
fn the_packages_of_the_design_are_in_use() {
    let sources: String =
        ["shared/src", "functions"].into_iter().flat_map(rust_files).map(|file| read(&file)).collect();
    for package in [
        "lambda_http",
        "lambda_runtime",
        "aws_sdk_dynamodb",
        "aws_sdk_ses",
        "aws_config",
        "serde",
        "jsonwebtoken",
        "argon2",
        "tokio",
    ] {
        assert!(begins_a_path(package, &sources), "{package} is nowhere used");
    }
    assert!(!begins_a_path("serde", "#[serde(with = \"time::serde::rfc3339\")]\n// serde::x\nuse my_serde::x;"));
}

/// Whether the code has a path that starts with this package. In the middle of one it is a module of the same name.
fn begins_a_path(package: &str, source: &str) -> bool {
    let start = format!("{package}::");
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let in_a_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut found =
        code.flat_map(|line| line.match_indices(&start).map(move |(at, _)| !line[..at].ends_with(in_a_path)));
    found.any(|begins| begins)
}

#[test]
fn files_stay_readable() {
    let mut long = BTreeSet::new();
    for (folder, most) in [("shared/src", 350), ("functions", 350), ("tests", 400)] {
        for file in rust_files(folder) {
            let lines = read(&file).lines().count();
            if lines > most {
                long.insert((file, lines));
            }
        }
    }
    assert!(long.is_empty(), "split by topic: {long:?}");
}
