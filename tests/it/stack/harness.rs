//! The running stack in the hands of a test.

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use emulator::{Email, Mailbox, Sms};
use fault_proxy::{Call, Control, RuleId};
use futures_util::FutureExt;
use serde_json::Value;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// An item of a table.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// The running stack.
pub(crate) struct Stack {
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) sqs: aws_sdk_sqs::Client,
    pub(crate) sns: aws_sdk_sns::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) proxy: Control,
    prefix: String,
    endpoint: String,
    mark: String,
}

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

impl Stack {
    /// Connects to the stack that `make test` started.
    pub(crate) async fn connect() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let variable = |name: &str| {
            std::env::var(name)
                .unwrap_or_else(|_| panic!("{name} is not set: run `make test`, which starts a stack for these tests"))
        };
        let endpoint = variable("AWS_ENDPOINT_URL");
        let proxy = Control::new(&variable("FAULT_PROXY_URL")).unwrap();
        let config: SdkConfig = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let now = jiff::Timestamp::now().as_nanosecond();
        Self {
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            sns: aws_sdk_sns::Client::new(&config),
            lambda: aws_sdk_lambda::Client::new(&config),
            proxy,
            prefix: std::env::var("E_COM67_PREFIX").unwrap_or_else(|_| "e-com67".to_owned()),
            endpoint,
            mark: format!("{:x}{}", now % 0xffff_ffff_ffff, COUNT.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// A word that no other test uses.
    pub(crate) fn unique(&self, word: &str) -> String {
        format!("{word}-{}", self.mark)
    }

    /// An address that no other test uses.
    pub(crate) fn address(&self, name: &str) -> String {
        format!("{}@example.com", self.unique(name))
    }

    /// A Spanish mobile number that, most likely, no other test uses.
    pub(crate) fn phone(&self) -> String {
        let number = self
            .mark
            .bytes()
            .fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        format!("+346{:08}", number % 100_000_000)
    }

    pub(crate) fn name(&self, resource: &str) -> String {
        format!("{}-{resource}", self.prefix)
    }

    pub(crate) fn ledger(&self) -> String {
        self.name("notification-analytics")
    }

    /// Publishes to a topic.
    pub(crate) async fn publish_to(&self, topic: &str, message: &str) {
        let arn = format!("arn:aws:sns:eu-west-1:000000000000:{}", self.name(topic));
        self.sns.publish().topic_arn(arn).message(message).send().await.unwrap();
    }

    /// Publishes an order event.
    pub(crate) async fn publish(&self, event: &Value) {
        self.publish_to("order-notifications", &event.to_string()).await;
    }

    pub(crate) async fn queue_url(&self, queue: &str) -> String {
        let output = self
            .sqs
            .get_queue_url()
            .queue_name(self.name(queue))
            .send()
            .await
            .unwrap();
        output.queue_url.unwrap()
    }

    /// Puts texts on a queue, in one batch.
    pub(crate) async fn put_on_queue(&self, queue: &str, texts: &[String]) {
        let entries = texts.iter().enumerate().map(|(index, text)| {
            aws_sdk_sqs::types::SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(text)
                .build()
                .unwrap()
        });
        let url = self.queue_url(queue).await;
        let output = self
            .sqs
            .send_message_batch()
            .queue_url(url)
            .set_entries(Some(entries.collect()))
            .send()
            .await
            .unwrap();
        assert!(output.failed().is_empty());
    }

    /// Stores a customer's preferences as callers do: straight into the table.
    pub(crate) async fn store_preferences(&self, item: &Value) {
        let table = self.name("notification-preferences");
        self.dynamodb
            .put_item()
            .table_name(table)
            .set_item(Some(to_item(item)))
            .send()
            .await
            .unwrap();
    }

    /// The ledger's items about one order.
    pub(crate) async fn items_about(&self, order: &str) -> Vec<Item> {
        let output = self
            .dynamodb
            .scan()
            .table_name(self.ledger())
            .filter_expression("orderId = :order")
            .expression_attribute_values(":order", AttributeValue::S(order.to_owned()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send()
            .collect::<Result<Vec<Item>, _>>()
            .await;
        output.unwrap()
    }

    /// What a table with customers as its key holds of one of them.
    pub(crate) async fn items_of(&self, table: &str, user: &str) -> Vec<Item> {
        let output = self
            .dynamodb
            .query()
            .table_name(self.name(table))
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", AttributeValue::S(user.to_owned()))
            .consistent_read(true)
            .send()
            .await;
        output.unwrap().items.unwrap_or_default()
    }

    /// The one item about an order, once every channel of it is settled.
    pub(crate) async fn settled(&self, order: &str) -> Item {
        let what = format!("order {order} settled");
        eventually(&what, async || {
            let items = self.items_about(order).await;
            assert!(items.len() <= 1, "{} items about {order}", items.len());
            items.into_iter().next().filter(|item| {
                outcomes(item)
                    .values()
                    .all(|outcome| !matches!(outcome.as_str(), "queued" | "sending" | "in_doubt" | "deferred"))
            })
        })
        .await
    }

    /// Everything that was ever sent, to anybody.
    async fn mail(&self) -> (Vec<Email>, Vec<Sms>) {
        Mailbox::all(&self.endpoint).await.unwrap()
    }

    /// The e-mails to one address.
    pub(crate) async fn emails_to(&self, address: &str) -> Vec<Email> {
        self.mail()
            .await
            .0
            .into_iter()
            .filter(|email| email.to.iter().any(|to| to == address))
            .collect()
    }

    /// The text messages to one number.
    pub(crate) async fn texts_to(&self, phone: &str) -> Vec<Sms> {
        self.mail().await.1.into_iter().filter(|sms| sms.to == phone).collect()
    }

    /// Waits until no queue that leads anywhere holds a message: nothing more will happen.
    pub(crate) async fn drained(&self) {
        for queue in [
            "notifications-urgent",
            "notifications",
            "email-urgent",
            "email",
            "sms-urgent",
            "sms",
        ] {
            let what = format!("{queue} empty");
            eventually(&what, async || (self.depth(queue).await == 0).then_some(())).await;
        }
    }

    /// Waits until every report of the providers is taken in.
    pub(crate) async fn reports_taken_in(&self) {
        eventually("delivery-events empty", async || {
            (self.depth("delivery-events").await == 0).then_some(())
        })
        .await;
    }

    /// The messages in a queue: visible, in flight and delayed.
    pub(crate) async fn depth(&self, queue: &str) -> i64 {
        let url = self.queue_url(queue).await;
        let output = self
            .sqs
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(QueueAttributeName::All)
            .send()
            .await
            .unwrap();
        let attributes = output.attributes.unwrap_or_default();
        [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ]
        .iter()
        .filter_map(|name| attributes.get(name)?.parse::<i64>().ok())
        .sum()
    }

    /// The messages in a dead letter queue that contain a text, each with its reason. They stay where they are.
    pub(crate) async fn dead_letters(&self, queue: &str, containing: &str) -> Vec<(Message, String)> {
        let url = self.queue_url(&format!("{queue}-dead-letters")).await;
        let depth = self.depth(&format!("{queue}-dead-letters")).await;
        let mut found: Vec<Message> = Vec::new();
        for _ in 0..=depth {
            let output = self
                .sqs
                .receive_message()
                .queue_url(&url)
                .max_number_of_messages(10)
                .visibility_timeout(5)
                .message_attribute_names("All")
                .message_system_attribute_names(MessageSystemAttributeName::All)
                .send()
                .await
                .unwrap();
            let messages = output.messages.unwrap_or_default();
            if messages.is_empty() {
                break;
            }
            found.extend(messages);
        }
        for message in &found {
            let receipt = message.receipt_handle.clone().unwrap();
            self.sqs
                .change_message_visibility()
                .queue_url(&url)
                .receipt_handle(receipt)
                .visibility_timeout(0)
                .send()
                .await
                .unwrap();
        }
        found
            .into_iter()
            .filter(|message| message.body().is_some_and(|body| body.contains(containing)))
            .map(|message| {
                let reason = message
                    .message_attributes()
                    .and_then(|all| all.get("reason"))
                    .and_then(|reason| reason.string_value());
                let reason = reason.unwrap_or_default().to_owned();
                (message, reason)
            })
            .collect()
    }

    /// All messages in all dead letter queues.
    pub(crate) async fn dead_letter_count(&self) -> i64 {
        let mut count = 0;
        for queue in [
            "notifications-urgent",
            "notifications",
            "email-urgent",
            "email",
            "sms-urgent",
            "sms",
        ] {
            count += self.depth(&format!("{queue}-dead-letters")).await;
        }
        count + self.depth("subscriptions-dead-letters").await
    }

    /// While this journey goes on, what a function took from these queues and died with comes back after so many seconds, not
    /// after three minutes.
    pub(crate) async fn impatient<T>(&self, seconds: u32, queues: &[&str], journey: impl Future<Output = T>) -> T {
        self.hide_for(seconds, queues).await;
        let end = AssertUnwindSafe(journey).catch_unwind().await;
        self.hide_for(180, queues).await;
        end.unwrap_or_else(|panic| resume_unwind(panic))
    }

    async fn hide_for(&self, seconds: u32, queues: &[&str]) {
        for queue in queues {
            let url = self.queue_url(queue).await;
            self.sqs
                .set_queue_attributes()
                .queue_url(url)
                .attributes(QueueAttributeName::VisibilityTimeout, seconds.to_string())
                .send()
                .await
                .unwrap();
        }
    }

    /// What the senders share about a channel's account, if there is anything to share.
    pub(crate) async fn traffic(&self, channel: &str) -> Option<Item> {
        let output = self
            .dynamodb
            .get_item()
            .table_name(self.name("system-state"))
            .key("name", AttributeValue::S(format!("traffic#{channel}")))
            .consistent_read(true)
            .send()
            .await;
        output.unwrap().item
    }

    /// The pace of e-mails as it would be minutes later. Senders that run go by the old one for ten seconds at most.
    pub(crate) async fn recover_pace(&self) {
        self.dynamodb
            .update_item()
            .table_name(self.name("system-state"))
            .key("name", AttributeValue::S("traffic#email".to_owned()))
            .update_expression("REMOVE slowedTo, slowedAt")
            .send()
            .await
            .unwrap();
    }

    /// What the schedule does once a minute.
    pub(crate) async fn minute(&self) {
        self.invoke("account-monitor", &serde_json::json!({"task": "minute"}))
            .await;
    }

    /// Waits until a rule was applied.
    pub(crate) async fn applied(&self, rule: RuleId) {
        eventually("a rule to be applied", async || {
            let standing = self.proxy.rules().await.unwrap();
            let is_used = standing.iter().any(|standing| standing.id == rule && standing.used > 0);
            is_used.then_some(())
        })
        .await;
    }

    /// The call that a rule was applied to, once the caller, or nobody any more, has its answer.
    pub(crate) async fn hit(&self, rule: RuleId, operation: &str) -> Call {
        self.applied(rule).await;
        eventually("a call to end", async || {
            let calls = self.proxy.calls(operation, "").await.unwrap();
            let is_done = |call: &Call| call.status.is_some() || call.done_to_caller.is_some();
            calls.into_iter().find(|call| call.rule == Some(rule) && is_done(call))
        })
        .await
    }

    /// Calls a function and waits for its answer.
    pub(crate) async fn invoke(&self, function: &str, payload: &Value) -> Value {
        let payload = aws_sdk_lambda::primitives::Blob::new(payload.to_string());
        let output = self
            .lambda
            .invoke()
            .function_name(self.name(function))
            .payload(payload)
            .send()
            .await
            .unwrap();
        assert!(output.function_error().is_none(), "{:?}", output.function_error());
        serde_json::from_slice(
            output
                .payload
                .unwrap_or_else(|| aws_sdk_lambda::primitives::Blob::new("null"))
                .as_ref(),
        )
        .unwrap()
    }
}

/// The answer, as soon as there is one.
pub(crate) async fn eventually<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let start = Instant::now();
    let mut tick = tokio::time::interval(Duration::from_millis(50));
    loop {
        tick.tick().await;
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "waited {PATIENCE:?} for {what}");
    }
}

/// The outcome of each channel.
pub(crate) fn outcomes(item: &Item) -> HashMap<String, String> {
    results(item)
        .into_iter()
        .map(|(channel, (outcome, _))| (channel, outcome))
        .collect()
}

/// The outcome and the reason of each channel.
pub(crate) fn results(item: &Item) -> HashMap<String, (String, String)> {
    let text = |map: &Item, name: &str| {
        map.get(name)
            .and_then(|value| value.as_s().ok())
            .cloned()
            .unwrap_or_default()
    };
    let results = item.get("results").and_then(|results| results.as_l().ok()).unwrap();
    results
        .iter()
        .filter_map(|result| result.as_m().ok())
        .map(|result| {
            (
                text(result, "channel"),
                (text(result, "outcome"), text(result, "reason")),
            )
        })
        .collect()
}

/// A number of an item.
pub(crate) fn number(item: &Item, name: &str) -> i64 {
    item.get(name)
        .and_then(|value| value.as_n().ok())
        .and_then(|number| number.parse().ok())
        .unwrap()
}

/// A text of an item.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .map_or("", String::as_str)
}

fn to_item(value: &Value) -> Item {
    value
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), to_attribute(value)))
        .collect()
}

fn to_attribute(value: &Value) -> AttributeValue {
    match value {
        Value::Null => AttributeValue::Null(true),
        Value::Bool(choice) => AttributeValue::Bool(*choice),
        Value::Number(number) => AttributeValue::N(number.to_string()),
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(list) => AttributeValue::L(list.iter().map(to_attribute).collect()),
        Value::Object(_) => AttributeValue::M(to_item(value)),
    }
}
