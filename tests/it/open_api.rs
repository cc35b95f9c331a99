//! The document of the API that is checked in is the one that the code makes.

use serde_json::Value;
use std::path::PathBuf;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json")
}

/// The document that is checked in.
pub(crate) fn checked_in() -> Value {
    serde_json::from_str(&std::fs::read_to_string(path()).unwrap()).unwrap()
}

/// The documents of all functions as one.
fn made() -> Value {
    let mut whole = preferences_api::document();
    whole.merge(inbox_api::document());
    whole.merge(tracking_api::document());
    serde_json::to_value(whole).unwrap()
}

#[test]
fn the_document_that_is_checked_in_is_the_one_that_the_code_makes() {
    let made = made();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        let text = serde_json::to_string_pretty(&made).unwrap();
        std::fs::write(path(), text + "\n").unwrap();
    }
    assert!(
        checked_in() == made,
        "docs/openapi.json is not what the code makes: run `make openapi`"
    );
    assert_eq!(
        made["openapi"].as_str().map(|version| version.starts_with("3.1")),
        Some(true)
    );
}

/// Where the routes begin that the document describes. The others are of pages, and of carriers.
const DESCRIBED: [&str; 4] = [" /notifications", " /orders/", " /track/", " /admin/"];

#[test]
fn every_route_is_in_the_document_and_the_other_way_round() {
    let template = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap();
    let mut routed: Vec<String> = template
        .lines()
        .filter_map(|line| line.trim().strip_prefix("RouteKey: "))
        .filter(|route| DESCRIBED.iter().any(|start| route.contains(start)))
        .map(str::to_owned)
        .collect();
    let mut described = Vec::new();
    for (path, methods) in made()["paths"].as_object().unwrap() {
        described.extend(
            methods
                .as_object()
                .unwrap()
                .keys()
                .map(|method| format!("{} {path}", method.to_uppercase())),
        );
    }
    routed.sort();
    described.sort();
    assert_eq!(routed, described);
}
