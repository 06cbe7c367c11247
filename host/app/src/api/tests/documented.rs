//! The description of the API: as it is committed, as the routes are, as the pages tell.

use super::super::openapi;
use super::Served;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// All that the API has.
const ROUTES: [&str; 24] = [
    "GET /api/v1/bookmarks",
    "GET /api/v1/events",
    "GET /api/v1/plugins",
    "GET /api/v1/openapi.json",
    "GET /api/v1/pipelines",
    "GET /api/v1/pipelines/{name}",
    "GET /api/v1/pipelines/{name}/schedule",
    "GET /api/v1/quarantine",
    "GET /api/v1/quarantine/{run}",
    "GET /api/v1/runs",
    "GET /api/v1/runs/{id}",
    "GET /api/v1/runs/{id}/events",
    "GET /api/v1/runs/{id}/logs",
    "GET /healthz",
    "GET /metrics",
    "GET /readyz",
    "POST /api/v1/bookmarks",
    "POST /api/v1/pipelines/{name}/pause",
    "POST /api/v1/pipelines/{name}/resume",
    "POST /api/v1/pipelines/{name}/runs",
    "POST /api/v1/runs/{id}/cancel",
    "POST /api/v1/runs/{id}/quarantine/replay",
    "POST /api/v1/runs/{id}/rerun",
    "POST /api/v1/runs/{id}/resolve",
];

fn described() -> Value {
    serde_json::from_str(&openapi()).unwrap()
}

fn docs(name: &str) -> PathBuf {
    // As cargo says it now: clones that share a target folder share this program.
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../../docs").join(name)
}

/// The routes of the description.
fn routes() -> BTreeSet<String> {
    let described = described();
    let paths = described["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let methods: Vec<String> = item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        methods.into_iter().map(|method| format!("{method} {path}")).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// `docs/openapi.json` is what the program says of itself. Written anew with `INSTA_UPDATE=always`.
#[test]
fn the_committed_description_is_that_of_the_program() {
    let (path, now) = (docs("openapi.json"), openapi());
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == now, "docs/openapi.json is not what the program says; write it anew with INSTA_UPDATE=always");
}

#[test]
fn every_route_is_described_and_told_of() {
    assert_eq!(routes(), ROUTES.iter().map(|route| (*route).to_owned()).collect());
    let page = std::fs::read_to_string(docs("api.md")).unwrap();
    for route in ROUTES {
        assert!(page.contains(&format!("`{route}`")), "docs/api.md does not tell of `{route}`");
    }
    for line in page.lines().filter_map(|line| line.strip_prefix("| `")) {
        let told = line.split('`').next().unwrap();
        if told.starts_with("GET ") || told.starts_with("POST ") {
            assert!(ROUTES.contains(&told), "docs/api.md tells of `{told}`");
        }
    }
}

#[test]
fn every_described_route_is_there_and_no_other_method() {
    let served = Served::new();
    for route in routes() {
        let (method, path) = route.split_once(' ').unwrap();
        let path = path.replace("{name}", "flights").replace("{id}", "last").replace("{run}", "last");
        let bearer = served.bearer();
        let answer = served.send(method, &path, &[&bearer], "");
        assert!(!answer.body.contains("nothing at this path") && answer.status != 405, "{route}: {answer:?}");
        let other = if method == "GET" { "POST" } else { "GET" };
        if !routes().contains(&route.replace(method, other)) {
            assert_eq!(served.send(other, &path, &[&bearer], "").status, 405, "{route}");
        }
    }
    assert_eq!(served.get("/api/v1/openapi.json").json(), described());
}

/// Clients are made from it, with a function for each.
#[test]
fn every_operation_has_a_name_of_its_own() {
    let described = described();
    let operations =
        described["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
    let names: Vec<&str> = operations.map(|operation| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn what_changes_something_is_said_to_need_the_token() {
    for (path, item) in described()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert_eq!(method == "post", operation["security"][0]["token"].is_array(), "{method} {path}");
            assert_eq!(method == "post", operation["responses"]["401"].is_object(), "{method} {path}");
        }
    }
}

/// Fails unless an answer is as it is described: no key more, none fewer.
pub(super) fn conforms(method: &str, path: &str, status: u16, answer: &Value) {
    let described = described();
    let response = &described["paths"][path][method]["responses"][status.to_string()];
    let schema = &response["content"]["application/json"]["schema"];
    assert!(schema.is_object(), "{method} {path} {status} is not described");
    let mut whole = json!({ "allOf": [schema], "components": described["components"] });
    close(&mut whole);
    let validator = jsonschema::validator_for(&whole).unwrap();
    let wrong: Vec<String> =
        validator.iter_errors(answer).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{method} {path}: {wrong:#?}\n{answer:#}");
}

/// Lets no object have keys that are not described.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") && !object.contains_key("additionalProperties") {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            object.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}
