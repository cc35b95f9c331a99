//! What the operator's tool says of the account: here of the emulator's.

use serde_json::Value;

use super::harness::Stack;
use super::operator::ops_json;

/// The levels of what was found under this name.
fn levels<'a>(diagnosis: &'a Value, check: &str) -> Vec<&'a str> {
    let findings = diagnosis["findings"].as_array().unwrap().iter();
    findings
        .filter(|finding| finding["check"] == check)
        .map(|finding| finding["level"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_account_from_which_messages_go_out_is_well_whatever_the_emulator_does_not_know() {
    let _stack = Stack::connect().await;
    let (code, diagnosis) = ops_json(&["account"]).await;
    assert_eq!((code, &diagnosis["problems"]), (0, &Value::from(0)), "{diagnosis}");
    for known in [
        "topics",
        "configuration",
        "mappings",
        "concurrency",
        "tables",
        "secrets",
    ] {
        let levels = levels(&diagnosis, known);
        assert!(
            !levels.is_empty() && levels.iter().all(|level| *level == "ok"),
            "{known}: {diagnosis}"
        );
    }
    for unknown in ["SMS account", "issuer", "alarms"] {
        assert!(levels(&diagnosis, unknown).contains(&"note"), "{unknown}: {diagnosis}");
    }
}

#[tokio::test]
async fn an_account_without_the_stack_and_with_a_strange_sender_is_told_what_it_lacks() {
    let _stack = Stack::connect().await;
    let (code, diagnosis) = ops_json(&["--prefix", "nobody", "account", "--sender", "a@nobody.example"]).await;
    assert_eq!(code, 1, "{diagnosis}");
    assert_eq!(levels(&diagnosis, "stack"), ["problem"]);
    assert_eq!(levels(&diagnosis, "sender"), ["problem"]);
    assert_eq!(levels(&diagnosis, "topics"), Vec::<&str>::new());
}
