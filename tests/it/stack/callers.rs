//! A caller of the earlier system, unchanged but for the endpoint.

use super::harness::{Stack, results};
use std::path::PathBuf;
use tokio::process::Command;

#[tokio::test]
async fn a_boto3_script_with_only_the_endpoint_changed_is_served() {
    let stack = Stack::connect().await;
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let (suffix, email, phone) = (stack.unique("py"), stack.address("john"), stack.phone());
    let output = Command::new(root.join(".tools/venv/bin/python"))
        .arg(root.join("tests/callers/publish_orders.py"))
        .args([&suffix, &email, &phone])
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let confirmed = results(&stack.settled(&format!("confirmed-{suffix}")).await);
    assert_eq!(
        (confirmed["email"].0.as_str(), confirmed["sms"].0.as_str()),
        ("sent", "skipped")
    );
    let shipped = results(&stack.settled(&format!("shipped-{suffix}")).await);
    assert_eq!(
        (shipped["email"].0.as_str(), shipped["sms"].0.as_str()),
        ("sent", "sent")
    );
    for kind in ["answered", "asynchronous"] {
        assert_eq!(
            results(&stack.settled(&format!("{kind}-{suffix}")).await)["email"].0,
            "sent",
            "{kind}"
        );
    }
    assert_eq!(stack.emails_to(&email).await.len(), 4);
    assert_eq!(stack.texts_to(&phone).await.len(), 1);
}
