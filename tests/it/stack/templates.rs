//! The shop's own words on the running stack: saved, refused, published, rolled back, and broken behind the checks' back.

use aws_sdk_dynamodb::types::AttributeValue;
use fault_proxy::{Fault, Rule, StatusCode};
use serde_json::{Value, json};
use std::path::PathBuf;

use super::harness::{Item, Stack, eventually};
use super::logs::function_lines;
use super::operator::{ops, ops_json};

/// A message that no other journey sends in Spanish.
const RETURNED: &str = "order_status_update.returned/email/es";
const PENDING: &str = "order_status_update.pending/email/es";

/// Sends a new order's message; its subject, and which template wrote it, as the ledger says.
async fn sent(stack: &Stack, status: &str) -> (String, String) {
    let (user, order, address) = (stack.unique("user"), stack.unique("order"), stack.address("ana"));
    let wants = json!({"userId": user, "preferences": {"email": {"order_status_update": true}}});
    stack.store_preferences(&wants).await;
    let event = json!({"userId": user, "type": "order_status_update", "recipientEmail": address, "channels": ["email"],
        "language": "es", "priority": "urgent", "orderData": {"orderId": order, "status": status}});
    stack.publish(&event).await;
    let item = stack.settled(&order).await;
    let (_, explained) = ops_json(&["explain", "--order", &order]).await;
    let channels = explained.pointer("/notifications/0/channels").and_then(Value::as_array);
    let template = channels
        .into_iter()
        .flatten()
        .find_map(|channel| channel.pointer("/written/template")?.as_str());
    let template = template.unwrap_or_default().to_owned();
    let emails = stack.emails_to(&address).await;
    let [email] = emails.as_slice() else {
        panic!("{} e-mails: {item:?}", emails.len());
    };
    // The order's number is the message's own.
    (email.subject.replace(&order, "ORDER"), template)
}

/// Sends messages until one has this subject; which template wrote it.
async fn awaited(status: &str, subject: &str) -> String {
    eventually(&format!("a message with the subject {subject}"), async || {
        // Names are unique by connection.
        let (found, template) = sent(&Stack::connect().await, status).await;
        (found == subject).then_some(template)
    })
    .await
}

fn words(stack: &Stack, text: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("{}.ini", stack.unique("words")));
    std::fs::write(&path, text).unwrap();
    path
}

/// Saves words and returns the number of the new version.
pub(super) async fn saved(stack: &Stack, template: &str, text: &str) -> String {
    let path = words(stack, text);
    let from = path.to_str().unwrap();
    let (code, answer) = ops_json(&["templates", "save", template, "--from", from, "--note", "friendlier"]).await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!(code, 0, "{answer}");
    answer.get("version").unwrap().to_string()
}

pub(super) async fn done(arguments: &[&str]) {
    let answer = ops(&[&["templates"], arguments].concat()).await;
    assert_eq!(answer.code, 0, "{answer:?}");
}

#[tokio::test]
async fn words_of_the_shops_own_are_in_force_until_they_are_rolled_back() {
    let stack = Stack::connect().await;
    let (built_in, by) = sent(&stack, "returned").await;
    assert!(by.starts_with("built-in"), "{by}");

    let version = saved(&stack, RETURNED, "subject = Vuelve a casa:\n  {{ order.id }}\n").await;
    let (_, shown) = ops_json(&["templates", "show", RETURNED, "--version", &version]).await;
    assert_eq!(
        (&shown["state"], &shown["by"], &shown["variables"]),
        (&json!("draft"), &json!("olga"), &json!(["order.id"]))
    );
    let previewed = ops(&["templates", "preview", RETURNED, "--version", &version]).await;
    assert!(previewed.out.starts_with("Vuelve a casa: "), "{previewed:?}");

    done(&["publish", RETURNED, "--version", &version]).await;
    assert_eq!(awaited("returned", "Vuelve a casa: ORDER").await, version);
    let (_, listed) = ops_json(&[
        "templates",
        "list",
        "--versions",
        "--channel",
        "email",
        "--language",
        "es",
    ])
    .await;
    let is_live = |line: &Value| {
        line["template"] == RETURNED && line["live"].as_u64().is_some_and(|live| version == live.to_string())
    };
    assert!(listed["templates"].as_array().unwrap().iter().any(is_live), "{listed}");

    done(&["roll-back", RETURNED]).await;
    assert!(awaited("returned", &built_in).await.starts_with("built-in"));
}

#[tokio::test]
async fn words_that_break_the_message_are_refused_with_everything_that_is_wrong() {
    let stack = Stack::connect().await;
    let path = words(
        &stack,
        "subject = {{ order.colour }}\nlead = {% if day %}\nfarewell = Bye\n",
    );
    let from = path.to_str().unwrap();
    let refused = ops(&["templates", "save", "order_confirmation/email/es", "--from", from]).await;
    std::fs::remove_file(&path).unwrap();
    assert_eq!(refused.code, 2);
    for wrong in ["order.colour", "lead", "farewell"] {
        assert!(refused.errors.contains(wrong), "{refused:?}");
    }
    let (_, listed) = ops_json(&["templates", "list", "--versions", "--type", "order_confirmation"]).await;
    assert_eq!(listed["templates"], json!([]));
}

#[tokio::test]
async fn a_draft_can_be_discarded_and_only_once() {
    let stack = Stack::connect().await;
    let version = saved(
        &stack,
        "payment_failed/sms/es",
        "sms = {{ shop.name }}: el pago de {{ order.id }} ha fallado.\n",
    )
    .await;
    let discard = ["discard", "payment_failed/sms/es", "--version", &version];
    done(&discard).await;
    let again = ops(&[&["templates"], &discard[..]].concat()).await;
    assert!(again.code == 2 && again.errors.contains("only a draft"), "{again:?}");
    let nothing = ops(&["templates", "roll-back", "payment_failed/sms/es"]).await;
    assert!(nothing.errors.contains("built-in words are in force"), "{nothing:?}");
}

#[tokio::test]
async fn a_version_that_breaks_all_the_same_is_told_and_the_built_in_words_go_out() {
    let stack = Stack::connect().await;
    let (built_in, _) = sent(&stack, "pending").await;
    let version = saved(&stack, PENDING, "subject = Falta el pago: {{ order.id }}\n").await;
    done(&["publish", PENDING, "--version", &version]).await;
    // Somebody writes into the table what no check would have let pass, before any sender has read it.
    let words = Item::from([(
        "subject".to_owned(),
        AttributeValue::S("{{ order.nothing.here }}".to_owned()),
    )]);
    let output = stack
        .dynamodb
        .update_item()
        .table_name(stack.name("notification-templates"))
        .key("template", AttributeValue::S(PENDING.to_owned()))
        .key("version", AttributeValue::N(version.clone()))
        .update_expression("SET words = :words")
        .expression_attribute_values(":words", AttributeValue::M(words))
        .send()
        .await;
    output.unwrap();
    let told = format!("{PENDING}, version {version}");
    eventually("the broken version to be told", async || {
        let (subject, template) = sent(&Stack::connect().await, "pending").await;
        assert!(
            subject == built_in && template.starts_with("built-in"),
            "{subject}, {template}"
        );
        let lines = function_lines();
        let is_logged = lines.iter().any(|line| {
            line["level"] == "ERROR" && line["message"].as_str().is_some_and(|message| message.contains(&told))
        });
        let is_counted = lines.iter().any(|line| {
            line["function"] == "email-sender" && line["TemplateBroken"].as_u64().is_some_and(|count| count > 0)
        });
        (is_logged && is_counted).then_some(())
    })
    .await;
    done(&["roll-back", PENDING]).await;
}

#[tokio::test]
async fn messages_go_out_while_nobody_can_tell_which_words_are_in_force() {
    let stack = Stack::connect().await;
    let refusal = Fault::answer(StatusCode::FORBIDDEN, "AccessDeniedException", "not now");
    let rule = Rule::on("GetItem", refusal).containing("notification-templates");
    let rule = stack.proxy.add_rule(&rule).await.unwrap();
    eventually("a sender that could not look", async || {
        let (_, template) = sent(&Stack::connect().await, "returned").await;
        assert!(template.starts_with("built-in"), "{template}");
        let is_counted = |line: &Value| line["TemplatesUnavailable"].as_u64().is_some_and(|count| count > 0);
        function_lines().iter().any(is_counted).then_some(())
    })
    .await;
    stack.proxy.remove_rule(rule).await.unwrap();
}
