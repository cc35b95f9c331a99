//! The operator's tool on the running stack: the binary itself, as an operator would call it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::ports::InboxMark as _;
use fault_proxy::{Fault, Rule, StatusCode};
use serde_json::{Value, json};
use std::process::Stdio;
use tokio::process::Command;

use super::harness::{Item, Stack, eventually, outcomes, text};
use super::in_app::inbox;
use super::local_tools::binaries;

/// What the tool answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) errors: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

/// Calls the tool as an operator of this stack.
pub(super) async fn ops(arguments: &[&str]) -> Answer {
    run(Command::new(binaries().join("ops")).args(arguments)).await
}

async fn run(command: &mut Command) -> Answer {
    let output = command.env("USER", "olga").stdin(Stdio::null()).output().await.unwrap();
    Answer {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        errors: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The same, in JSON.
pub(super) async fn ops_json(arguments: &[&str]) -> (i32, Value) {
    let answer = ops(&[arguments, &["--json"]].concat()).await;
    (answer.code, answer.json())
}

/// One customer, one order.
struct Journey {
    stack: Stack,
    user: String,
    order: String,
    email: String,
    phone: String,
}

impl Journey {
    async fn start() -> Self {
        let stack = Stack::connect().await;
        Self {
            user: stack.unique("user"),
            order: stack.unique("order"),
            email: stack.address("olga"),
            phone: stack.phone(),
            stack,
        }
    }

    fn event(&self, status: &str, channels: &[&str]) -> Value {
        json!({"userId": self.user, "type": "order_status_update", "recipientEmail": self.email, "recipientPhone": self.phone,
            "channels": channels, "language": "en", "orderData": {"orderId": self.order, "status": status}})
    }

    /// The next calls of a provider for this customer fail.
    async fn fault(&self, operation: &str, times: u64, fault: Fault) {
        let whose = if operation == "Publish" {
            self.phone.trim_start_matches('+')
        } else {
            self.email.as_str()
        };
        let rule = Rule::on(operation, fault).containing(whose).times(times);
        self.stack.proxy.add_rule(&rule).await.unwrap();
    }

    async fn ship(&self, channels: &[&str]) -> Item {
        self.stack.publish(&self.event("shipped", channels)).await;
        self.stack.settled(&self.order).await
    }

    /// What the tool tells of the order's one notification, by one channel.
    async fn explained(&self, channel: &str) -> Value {
        let (_, answer) = ops_json(&["explain", "--order", &self.order]).await;
        let notifications = answer.get("notifications").and_then(Value::as_array);
        assert_eq!(notifications.map(Vec::len), Some(1), "{answer}");
        let channels = answer
            .pointer("/notifications/0/channels")
            .and_then(Value::as_array)
            .unwrap();
        let told = channels
            .iter()
            .find(|told| told.get("channel").and_then(Value::as_str) == Some(channel));
        told.unwrap().clone()
    }

    /// Parks the order's e-mail; its id.
    async fn park(&self) -> String {
        self.fault("SendEmail", 4, refusal("ConflictException", "try again"))
            .await;
        let item = self.ship(&["email"]).await;
        assert_eq!(outcomes(&item).get("email").map(String::as_str), Some("parked"));
        let id = text(&item, "notificationId").to_owned();
        eventually("the dead letter", async || {
            (!self.stack.dead_letters("email", &id).await.is_empty()).then_some(())
        })
        .await;
        id
    }

    /// Every item of every table, and every message that can be seen in a queue, that names the customer.
    async fn traces(&self) -> Vec<String> {
        let mut traces = Vec::new();
        for table in [
            "notification-preferences",
            "notification-analytics",
            "suppressions",
            "system-state",
            "provider-messages",
            "inbox",
        ] {
            let items = self
                .stack
                .dynamodb
                .scan()
                .table_name(self.stack.name(table))
                .consistent_read(true)
                .into_paginator()
                .items();
            let items = items.send().collect::<Result<Vec<Item>, _>>().await.unwrap();
            let texts = items.iter().map(|item| format!("{item:?}"));
            traces.extend(
                texts
                    .filter(|text| self.is_named_in(text))
                    .map(|text| format!("{table}: {text}")),
            );
        }
        for queue in [
            "notifications",
            "notifications-urgent",
            "email",
            "email-urgent",
            "sms",
            "sms-urgent",
            "in-app",
            "in-app-urgent",
            "delivery-events",
            "subscriptions",
        ] {
            let letters = self.stack.dead_letters(queue, "").await;
            let bodies = letters.iter().filter_map(|(letter, _)| letter.body());
            traces.extend(
                bodies
                    .filter(|body| self.is_named_in(body))
                    .map(|body| format!("{queue}: {body}")),
            );
        }
        traces
    }

    fn is_named_in(&self, text: &str) -> bool {
        [&self.user, &self.order, &self.email, &self.phone]
            .iter()
            .any(|name| text.contains(name.as_str()))
    }
}

fn refusal(code: &str, message: &str) -> Fault {
    Fault::answer(StatusCode::from_u16(400).unwrap(), code, message)
}

fn is_accepted(told: &Value) -> bool {
    matches!(told.get("state").and_then(Value::as_str), Some("sent" | "delivered"))
}

#[tokio::test]
async fn a_sent_message_is_explained_with_its_id_and_its_rule() {
    let journey = Journey::start().await;
    let item = journey.ship(&["email", "sms"]).await;
    for channel in ["email", "sms"] {
        let told = journey.explained(channel).await;
        assert!(is_accepted(&told) && told["messageId"].is_string(), "{told}");
        assert_eq!(
            (told["decision"].as_str(), told["attempts"].as_u64()),
            (Some("to send it"), Some(1))
        );
        assert_eq!(told["preference"], json!({"isWanted": true, "isStored": false}));
    }
    let id = text(&item, "notificationId");
    let page = ops(&["explain", "--notification", id]).await;
    assert_eq!(page.code, 0, "{page:?}");
    assert!(
        page.out.contains(id) && page.out.contains("order_status_update (shipped)"),
        "{}",
        page.out
    );
    assert!(
        !page.out.contains(&journey.email) && !page.out.contains(&journey.phone),
        "{}",
        page.out
    );
}

#[tokio::test]
async fn a_customers_notifications_are_explained_newest_first() {
    let journey = Journey::start().await;
    for (order, hour) in [("a", 10), ("b", 11)] {
        let order = format!("{}-{order}", journey.order);
        let event = json!({"userId": journey.user, "type": "order_status_update", "recipientEmail": journey.email, "channels": ["email"],
            "orderData": {"orderId": order, "status": "shipped", "timestamp": format!("2026-11-01T{hour}:00:00Z")}});
        journey.stack.publish(&event).await;
        journey.stack.settled(&order).await;
    }
    let (_, all) = ops_json(&["explain", "--customer", &journey.user]).await;
    let orders: Vec<&str> = all["notifications"]
        .as_array()
        .unwrap()
        .iter()
        .map(|told| told["orderId"].as_str().unwrap())
        .collect();
    assert!(orders.len() == 2 && orders[0].ends_with("-b"), "{orders:?}");
    let (_, one) = ops_json(&["explain", "--customer", &journey.user, "--limit", "1"]).await;
    assert_eq!(one["notifications"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_opt_out_is_explained_as_the_customers_choice() {
    let journey = Journey::start().await;
    let choices = json!({"userId": journey.user, "preferences": {"sms": {"order_status_update": {"shipped": false}}}});
    journey.stack.store_preferences(&choices).await;
    journey.ship(&["email", "sms"]).await;
    let told = journey.explained("sms").await;
    assert_eq!(
        (told["state"].as_str(), told["decision"].as_str()),
        (Some("skipped"), Some("not to send it"))
    );
    assert!(
        told["rule"]
            .as_str()
            .unwrap()
            .contains("does not want this type or status"),
        "{told}"
    );
    assert_eq!(told["preference"], json!({"isWanted": false, "isStored": true}));
}

#[tokio::test]
async fn what_was_not_asked_for_or_has_no_address_is_explained_as_such() {
    let journey = Journey::start().await;
    let event = json!({"userId": journey.user, "type": "order_status_update", "channels": ["email", "push"],
        "orderData": {"orderId": journey.order, "status": "shipped"}});
    journey.stack.publish(&event).await;
    journey.stack.settled(&journey.order).await;
    for (channel, reason) in [
        ("email", "no_address"),
        ("sms", "not_asked_for"),
        ("push", "channel_not_offered"),
    ] {
        let told = journey.explained(channel).await;
        assert_eq!(
            (told["state"].as_str(), told["reason"].as_str()),
            (Some("skipped"), Some(reason)),
            "{told}"
        );
        assert!(told["why"].is_string());
    }
}

#[tokio::test]
async fn news_from_long_ago_are_explained_as_too_old() {
    let journey = Journey::start().await;
    let mut event = journey.event("shipped", &["email"]);
    event["orderData"]["timestamp"] = json!("2026-01-02T03:04:05Z");
    journey.stack.publish(&event).await;
    journey.stack.settled(&journey.order).await;
    let told = journey.explained("email").await;
    assert_eq!(
        (told["state"].as_str(), told["reason"].as_str()),
        (Some("expired"), Some("too_old"))
    );
    assert!(told["why"].as_str().unwrap().contains("60 days"));
}

#[tokio::test]
async fn news_overtaken_while_they_waited_are_explained_as_superseded() {
    let journey = Journey::start().await;
    let moment = |seconds| {
        jiff::Timestamp::now()
            .saturating_add(jiff::SignedDuration::from_secs(seconds))
            .unwrap()
    };
    let mut shipped = journey.event("shipped", &["email"]);
    shipped["scheduledFor"] = json!(moment(5).to_string());
    shipped["orderData"]["timestamp"] = json!(moment(-60).to_string());
    journey.stack.publish(&shipped).await;
    let mut delivered = journey.event("delivered", &["email"]);
    delivered["orderData"]["timestamp"] = json!(moment(-30).to_string());
    journey.stack.publish(&delivered).await;
    let told = eventually("the older news superseded", async || {
        let (_, answer) = ops_json(&["explain", "--order", &journey.order]).await;
        let notifications = answer["notifications"].as_array()?.clone();
        let older = notifications.iter().find(|told| told["status"] == "shipped")?.clone();
        let told = older["channels"][0].clone();
        (told["state"] == "superseded").then_some(told)
    })
    .await;
    assert!(told["why"].as_str().unwrap().contains("Newer news"), "{told}");
}

#[tokio::test]
async fn a_bad_message_is_explained_by_what_the_provider_answered() {
    let journey = Journey::start().await;
    journey
        .fault("SendEmail", 1, refusal("BadRequestException", "no"))
        .await;
    journey.ship(&["email"]).await;
    let told = journey.explained("email").await;
    assert_eq!(
        (told["state"].as_str(), told["reason"].as_str()),
        (Some("failed"), Some("BadRequestException"))
    );
    assert!(told["why"].as_str().unwrap().contains("not valid"), "{told}");
}

#[tokio::test]
async fn how_a_message_was_written_is_explained() {
    let journey = Journey::start().await;
    let event = json!({"userId": journey.user, "type": "payment_failed", "recipientEmail": journey.email, "channels": ["email"],
        "language": "ro", "orderData": {"orderId": journey.order}});
    journey.stack.publish(&event).await;
    journey.stack.settled(&journey.order).await;
    let told = journey.explained("email").await;
    assert_eq!(
        (told["state"].as_str(), told["written"]["language"].as_str()),
        (Some("sent"), Some("ro"))
    );
    let template = told["written"]["template"].as_str().unwrap();
    assert!(template.starts_with("built-in-"), "{told}");
}

#[tokio::test]
async fn a_text_message_in_doubt_is_explained_before_and_after_the_deadline() {
    let journey = Journey::start().await;
    journey.fault("Publish", 1, Fault::DropAfter).await;
    journey.stack.publish(&journey.event("shipped", &["sms"])).await;
    let in_doubt = eventually("the doubt", async || {
        let items = journey.stack.items_about(&journey.order).await;
        let sms = items.first()?.get("sms")?.as_m().ok()?.clone();
        (text(&sms, "state") == "in_doubt").then_some(())
    });
    in_doubt.await;
    let told = journey.explained("sms").await;
    assert_eq!(told["state"], "in_doubt");
    assert!(told["next"].as_str().unwrap().contains("InDoubtSeconds"), "{told}");
    journey.stack.settled(&journey.order).await;
    let told = journey.explained("sms").await;
    assert_eq!(
        (told["state"].as_str(), told["reason"].as_str()),
        (Some("failed"), Some("in_doubt"))
    );
    let steps: Vec<&str> = told["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["state"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["in_doubt", "failed"]);
}

#[tokio::test]
async fn what_is_nowhere_is_explained_as_nothing_found() {
    let journey = Journey::start().await;
    let answer = ops(&["explain", "--order", &journey.order]).await;
    assert_eq!(answer.code, 1);
    assert!(answer.out.contains("nothing is in the ledger under that"), "{answer:?}");
}

#[tokio::test]
async fn a_parked_delivery_is_explained_listed_and_sent_once_however_often_it_is_redriven() {
    let journey = Journey::start().await;
    let id = journey.park().await;
    let answer = ops(&["explain", "--notification", &id]).await;
    assert_eq!(answer.code, 1);
    assert!(
        answer.out.contains("ops dead-letters redrive") && answer.out.contains("dead letter in"),
        "{}",
        answer.out
    );
    let (code, listed) = ops_json(&["dead-letters", "list", "--queue", "email"]).await;
    let letters = listed["letters"].as_array().unwrap();
    let letter = letters
        .iter()
        .find(|letter| letter["notificationId"] == id.as_str())
        .unwrap();
    assert_eq!(
        (code, letter["kind"].as_str(), letter["reason"].as_str()),
        (1, Some("delivery"), Some("ConflictException"))
    );
    // A second copy, as a lost reply leaves one.
    let copy = journey.stack.dead_letters("email", &id).await[0]
        .0
        .body()
        .unwrap()
        .to_owned();
    journey.stack.put_on_queue("email-dead-letters", &[copy]).await;

    let redrive = [
        "dead-letters",
        "redrive",
        "--notification",
        &id,
        "--why",
        "the quota was raised",
    ];
    let (_, foreseen) = ops_json(&[redrive.as_slice(), &["--dry-run"]].concat()).await;
    assert_eq!(foreseen["sum"]["sentAgain"], 2, "{foreseen}");
    assert_eq!(journey.explained("email").await["state"], "parked");
    let (code, done) = ops_json(&redrive).await;
    assert_eq!((code, done["letters"].as_array().unwrap().len()), (0, 2), "{done}");
    journey.stack.drained().await;
    let (code, nothing) = ops_json(&redrive).await;
    assert_eq!(
        (code, nothing["letters"].as_array().unwrap().len()),
        (0, 0),
        "{nothing}"
    );

    let told = journey.explained("email").await;
    assert!(is_accepted(&told) && told["generation"] == 1, "{told}");
    let steps = told["steps"].as_array().unwrap();
    assert!(
        steps
            .iter()
            .any(|step| step["reason"] == "redriven by olga: the quota was raised"),
        "{told}"
    );
    assert_eq!(journey.stack.emails_to(&journey.email).await.len(), 1);
}

#[tokio::test]
async fn an_event_among_the_dead_letters_is_taken_in_again_wherever_it_lay() {
    for queue in ["notifications-urgent", "subscriptions"] {
        let journey = Journey::start().await;
        let event = journey.event("shipped", &["email"]).to_string();
        journey
            .stack
            .put_on_queue(&format!("{queue}-dead-letters"), &[event])
            .await;
        let (_, done) = ops_json(&[
            "dead-letters",
            "redrive",
            "--queue",
            queue,
            "--why",
            "the table is back",
        ])
        .await;
        assert_eq!(done["sum"]["sentAgain"], 1, "{done}");
        journey.stack.settled(&journey.order).await;
        assert!(is_accepted(&journey.explained("email").await));
        assert!(journey.stack.dead_letters(queue, &journey.order).await.is_empty());
    }
}

#[tokio::test]
async fn lambdas_report_about_the_email_function_is_decided_for_email_alone() {
    let journey = Journey::start().await;
    let mut event = journey.event("shipped", &[]);
    event.as_object_mut().unwrap().remove("channels");
    let report =
        json!({"version": "1.0", "requestContext": {"condition": "RetriesExhausted"}, "requestPayload": event});
    journey
        .stack
        .put_on_queue("email-urgent-dead-letters", &[report.to_string()])
        .await;
    let (_, done) = ops_json(&[
        "dead-letters",
        "redrive",
        "--queue",
        "email-urgent",
        "--why",
        "it works again",
    ])
    .await;
    assert_eq!(done["letters"][0]["kind"], "lambda_report", "{done}");
    let outcomes = outcomes(&journey.stack.settled(&journey.order).await);
    assert_eq!(outcomes["sms"], "skipped", "{outcomes:?}");
    assert_eq!(journey.stack.emails_to(&journey.email).await.len(), 1);
}

#[tokio::test]
async fn a_report_of_ses_among_the_dead_letters_reaches_the_ledger() {
    let journey = Journey::start().await;
    let item = journey.ship(&["email"]).await;
    let message_id = journey.explained("email").await["messageId"]
        .as_str()
        .unwrap()
        .to_owned();
    let bounce = json!({"eventType": "Bounce",
        "mail": {"messageId": message_id, "timestamp": "2026-11-20T10:00:00Z", "tags": {"notification-id": [text(&item, "notificationId")]}},
        "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-11-20T10:00:00Z",
            "bouncedRecipients": [{"emailAddress": journey.email}]}});
    journey
        .stack
        .put_on_queue("subscriptions-dead-letters", &[bounce.to_string()])
        .await;
    ops_json(&[
        "dead-letters",
        "redrive",
        "--queue",
        "subscriptions",
        "--why",
        "the policy is mended",
    ])
    .await;
    eventually("the bounce in the ledger", async || {
        (outcomes(&journey.stack.items_about(&journey.order).await[0])["email"] == "bounced").then_some(())
    })
    .await;
    let told = journey.explained("email").await;
    assert_eq!(told["reason"], "hard_bounce: General");
    assert!(told["why"].as_str().unwrap().contains("came back for good"), "{told}");
}

#[tokio::test]
async fn a_letter_that_was_refused_stays_and_needs_a_person() {
    let journey = Journey::start().await;
    let poison = json!({"userId": journey.user, "type": "order_status_update"});
    journey.stack.publish(&poison).await;
    eventually("the dead letter", async || {
        (!journey
            .stack
            .dead_letters("notifications", &journey.user)
            .await
            .is_empty())
        .then_some(())
    })
    .await;
    let (code, done) = ops_json(&["dead-letters", "redrive", "--queue", "notifications", "--why", "trying"]).await;
    assert_eq!(code, 1);
    let lines = done["letters"].as_array().unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line["outcome"] == "stays" && line["detail"].as_str().unwrap().contains("orderData.orderId")),
        "{done}"
    );
    assert_eq!(
        journey.stack.dead_letters("notifications", &journey.user).await.len(),
        1
    );
}

#[tokio::test]
async fn the_books_balance_and_what_is_out_of_order_is_named() {
    let journey = Journey::start().await;
    journey.ship(&["email", "sms"]).await;
    journey.stack.drained().await;
    let (code, balance) = ops_json(&["reconcile"]).await;
    assert_eq!(
        (code, &balance["addsUp"], &balance["mismatches"]),
        (0, &json!(true), &json!([])),
        "{balance}"
    );
    let sum = balance["channels"]
        .as_array()
        .unwrap()
        .iter()
        .find(|sum| sum["channel"] == "email")
        .unwrap();
    assert!(sum["received"].as_u64() > Some(0) && sum["addsUp"] == true, "{sum}");

    // A doubt of three days ago that nobody settled, and whose message is in no queue.
    let long_ago = (jiff::Timestamp::now().as_millisecond() - 3 * 86_400_000).to_string();
    let id = "00000000-0000-8000-8000-00000000a001";
    let number = |text: &str| AttributeValue::N(text.to_owned());
    let word = |text: &str| AttributeValue::S(text.to_owned());
    let sms = [
        ("state", word("in_doubt")),
        ("attempt", number("1")),
        ("changedAt", number(&long_ago)),
        ("claimableAt", number("9999999999999")),
    ];
    let put = journey.stack.dynamodb.put_item().table_name(journey.stack.ledger());
    put.item("notificationId", word(id))
        .item("notificationType", word("order_status_update"))
        .item("timestamp", number("1795000000"))
        .item("recordedAt", number(&long_ago))
        .item(
            "sms",
            AttributeValue::M(sms.map(|(name, value)| (name.to_owned(), value)).into()),
        )
        .send()
        .await
        .unwrap();
    let (code, balance) = ops_json(&["reconcile"]).await;
    let delete = journey.stack.dynamodb.delete_item().table_name(journey.stack.ledger());
    delete.key("notificationId", word(id)).send().await.unwrap();
    let named: Vec<&str> = balance["mismatches"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|mismatch| mismatch["notificationIds"] == json!([id]))
        .map(|mismatch| mismatch["what"].as_str().unwrap())
        .collect();
    assert_eq!((code, named.len()), (1, 2), "{balance}");
    assert!(
        named[0].starts_with("open by sms beyond") && named[1].starts_with("in doubt for more than a day"),
        "{named:?}"
    );
}

#[tokio::test]
async fn a_suppressed_address_gets_nothing_until_it_is_lifted() {
    let journey = Journey::start().await;
    let whom = ["--email", journey.email.as_str()];
    let (_, added) = ops_json(&[&["suppression", "add"], whom.as_slice(), &["--why", "asked for it"]].concat()).await;
    assert_eq!(
        (&added["isInForce"], &added["reason"]),
        (&json!(true), &json!("suppressed_by_operator")),
        "{added}"
    );
    journey.ship(&["email"]).await;
    let told = journey.explained("email").await;
    assert_eq!(
        (told["state"].as_str(), told["reason"].as_str()),
        (Some("suppressed"), Some("suppressed_by_operator"))
    );
    assert!(journey.stack.emails_to(&journey.email).await.is_empty());

    let list = ops(&["suppression", "list"]).await;
    assert!(
        list.out.contains("email#") && list.out.contains("olga: asked for it"),
        "{}",
        list.out
    );
    assert!(!list.out.contains(&journey.email), "{}", list.out);
    ops(&[
        &["suppression", "remove"],
        whom.as_slice(),
        &["--why", "asked again", "--by", "pavel"],
    ]
    .concat())
    .await;
    let (_, known) = ops_json(&[&["suppression", "show"], whom.as_slice()].concat()).await;
    assert_eq!(
        (&known["isInForce"], &known["removedBy"], &known["removedWhy"]),
        (&json!(false), &json!("pavel"), &json!("asked again"))
    );
    let after = format!("{}-after", journey.order);
    let mut event = journey.event("shipped", &["email"]);
    event["orderData"]["orderId"] = json!(after);
    journey.stack.publish(&event).await;
    journey.stack.settled(&after).await;
    assert_eq!(journey.stack.emails_to(&journey.email).await.len(), 1);
}

#[tokio::test]
async fn the_doctor_finds_a_preference_item_that_cannot_be_read() {
    let journey = Journey::start().await;
    let item = json!({"userId": journey.user, "email": journey.email, "timezone": "Mars/Olympus",
        "preferences": {"email": {"shopping": true}, "telegram": {"promotional": true}}});
    journey.stack.store_preferences(&item).await;
    let (code, diagnosis) = ops_json(&["doctor"]).await;
    let table = journey.stack.name("notification-preferences");
    let key = AttributeValue::S(journey.user.clone());
    journey
        .stack
        .dynamodb
        .delete_item()
        .table_name(table)
        .key("userId", key)
        .send()
        .await
        .unwrap();
    let findings = diagnosis["findings"].as_array().unwrap();
    let ours = findings
        .iter()
        .find(|finding| finding["what"].as_str().unwrap().contains(&journey.user))
        .unwrap();
    let what = ours["what"].as_str().unwrap();
    assert_eq!((code, ours["level"].as_str()), (1, Some("problem")));
    for field in ["timezone", "preferences.email.shopping", "preferences.telegram"] {
        assert!(what.contains(field), "{what}");
    }
    assert!(!diagnosis.to_string().contains(&journey.email));
    // Whatever a queue calls is called, and what only a schedule wakes is not missed.
    let mappings = findings.iter().filter(|finding| finding["check"] == "mappings");
    let troubles: Vec<_> = mappings.filter(|finding| finding["level"] == "problem").collect();
    assert_eq!(troubles, Vec::<&Value>::new());
    for check in [
        "e-mail account",
        "sender",
        "SMS account",
        "breakers",
        "mappings",
        "queues",
        "in doubt",
        "templates",
    ] {
        assert!(
            findings.iter().any(|finding| finding["check"] == check),
            "{check}: {diagnosis}"
        );
    }
}

#[tokio::test]
async fn a_note_is_explained_with_whether_it_was_read() {
    let journey = Journey::start().await;
    journey.ship(&["in_app"]).await;
    let told = journey.explained("in_app").await;
    assert!(is_accepted(&told), "{told}");
    let note = &told["note"];
    assert!(note["createdAt"].is_string() && note["readAt"].is_null(), "{told}");
    let page = ops(&["explain", "--order", &journey.order]).await;
    assert!(
        page.out.contains("in the inbox    since") && page.out.contains("unread"),
        "{page:?}"
    );

    let user = domain::UserId::try_from(journey.user.as_str()).unwrap();
    let now = jiff::Timestamp::now();
    let done = inbox(&journey.stack).mark_all(&user, now).await.unwrap();
    assert_eq!(done.count, 1);
    assert!(journey.explained("in_app").await["note"]["readAt"].is_string());
}

#[tokio::test]
async fn an_erased_customer_is_nowhere_and_gets_nothing_more() {
    let journey = Journey::start().await;
    journey
        .stack
        .store_preferences(&json!({"userId": journey.user, "email": journey.email, "phoneNumber": journey.phone}))
        .await;
    journey.park().await;
    journey.stack.publish(&journey.event("processing", &["in_app"])).await;
    eventually("the note", async || {
        journey
            .traces()
            .await
            .iter()
            .any(|trace| trace.starts_with("inbox"))
            .then_some(())
    })
    .await;
    journey.stack.drained().await;
    let later = jiff::Timestamp::now()
        .saturating_add(jiff::SignedDuration::from_secs(25))
        .unwrap();
    let mut deferred = journey.event("delivered", &["email", "sms"]);
    deferred["scheduledFor"] = json!(later.to_string());
    journey.stack.publish(&deferred).await;
    eventually("the deferred news", async || {
        (journey.stack.items_about(&journey.order).await.len() == 3).then_some(())
    })
    .await;
    let sent_before = journey.stack.emails_to(&journey.email).await.len();

    let erase = ["erase", "--customer", &journey.user, "--why", "request 2026-117"];
    let (_, foreseen) = ops_json(&[erase.as_slice(), &["--dry-run"]].concat()).await;
    assert_eq!(
        (
            &foreseen["deliveriesClosed"],
            &foreseen["deadLettersRemoved"],
            &foreseen["notesRemoved"]
        ),
        (&json!(2), &json!(1), &json!(1)),
        "{foreseen}"
    );
    assert!(!journey.traces().await.is_empty());
    let (code, erased) = ops_json(&erase).await;
    assert_eq!(
        (code, &erased["underWay"], &erased["notificationsCleared"]),
        (0, &json!([]), &json!(3)),
        "{erased}"
    );
    assert_eq!(journey.traces().await, Vec::<String>::new());
    journey.stack.drained().await;
    assert_eq!(journey.traces().await, Vec::<String>::new());
    assert_eq!(journey.stack.emails_to(&journey.email).await.len(), sent_before);
    assert!(journey.stack.texts_to(&journey.phone).await.is_empty());
    let (code, again) = ops_json(&erase).await;
    assert_eq!((code, &again["notificationsFound"]), (0, &json!(0)), "{again}");
}

#[tokio::test]
async fn a_breaker_that_is_closed_by_hand_lets_the_waiting_message_go() {
    let journey = Journey::start().await;
    journey
        .fault("SendEmail", 1, refusal("SendingPausedException", "paused"))
        .await;
    journey.stack.publish(&journey.event("shipped", &["email"])).await;
    let held = eventually("the open breaker", async || {
        let (code, status) = ops_json(&["breaker", "status"]).await;
        (code == 1 && status["channels"][0]["isOpen"] == true).then_some(status)
    })
    .await;
    assert_eq!(held["channels"][0]["reason"], "SendingPausedException");
    let told = journey.explained("email").await;
    assert!(told["breaker"]["reason"].is_string(), "{told}");
    let answer = ops(&["breaker", "close", "--channel", "email", "--why", "sending is on again"]).await;
    assert!(answer.out.contains("olga: sending is on again"), "{answer:?}");
    journey.stack.settled(&journey.order).await;
    assert!(is_accepted(&journey.explained("email").await));
    assert_eq!(journey.stack.emails_to(&journey.email).await.len(), 1);
}

#[tokio::test]
async fn a_wrong_prefix_and_missing_credentials_are_named_with_their_remedy() {
    let elsewhere = ops(&["explain", "--order", "1", "--prefix", "no-such-shop"]).await;
    assert_eq!(elsewhere.code, 2);
    assert!(elsewhere.errors.contains("is no-such-shop the prefix"), "{elsewhere:?}");
    let nobody = run(Command::new(binaries().join("ops"))
        .args(["reconcile"])
        .env_remove("AWS_ACCESS_KEY_ID"))
    .await;
    assert_eq!(nobody.code, 2);
    assert!(nobody.errors.contains("aws configure export-credentials"), "{nobody:?}");
    let usage = ops(&["explain"]).await;
    assert_eq!(usage.code, 2);
}
