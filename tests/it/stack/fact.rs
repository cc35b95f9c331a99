//! One business fact for one customer, from its event to what became of it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::Event;
use fault_proxy::{Call, Fault, Feedback, Rule, RuleId};
use futures_util::future::join_all;
use jiff::Timestamp;
use pipeline::{Reading, read_event};
use serde_json::{Value, json};

use super::harness::{Item, Stack, eventually, number, text};

/// Where functions die, an owner that holds a delivery for longer than this is dead: nothing makes a living one wait.
const DEAD_AFTER_MS: i64 = 1_500;

/// One business fact, for one customer. Its id is known before it is published, so that rules can name it.
pub(crate) struct Fact<'s> {
    stack: &'s Stack,
    pub(crate) event: Value,
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) order: String,
    pub(crate) email: String,
    pub(crate) phone: String,
}

impl<'s> Fact<'s> {
    /// News of an order, by e-mail. No other test knows the customer.
    pub(crate) fn new(stack: &'s Stack, name: &str) -> Self {
        Self::by(stack, name, &["email"])
    }

    /// News of an order, by these channels.
    pub(crate) fn by(stack: &'s Stack, name: &str, channels: &[&str]) -> Self {
        let (user, order, email) = (
            stack.unique(&format!("user-{name}")),
            stack.unique(&format!("order-{name}")),
            stack.address(name),
        );
        let phone = format!("+346{:08}", order.bytes().fold(7_u64, mixed) % 100_000_000);
        let event = json!({"userId": user, "type": "order_status_update", "recipientEmail": email, "recipientPhone": phone,
            "channels": channels, "orderData": {"orderId": order, "status": "shipped"}});
        Self {
            stack,
            id: id_of(&event),
            event,
            user,
            order,
            email,
            phone,
        }
    }

    /// The same customer and order, with these fields changed.
    pub(crate) fn with(&self, changes: &Value) -> Self {
        let mut event = self.event.clone();
        merge(&mut event, changes);
        Self {
            stack: self.stack,
            id: id_of(&event),
            event,
            user: self.user.clone(),
            order: self.order.clone(),
            email: self.email.clone(),
            phone: self.phone.clone(),
        }
    }

    /// The same order, at another status.
    pub(crate) fn at_status(&self, status: &str) -> Self {
        self.with(&json!({"orderData": {"status": status}}))
    }

    /// Makes this rule hold for what is about this fact alone.
    pub(crate) async fn fault(&self, rule: Rule) -> RuleId {
        let mark = match rule.operation.as_str() {
            "Publish" => self.phone.trim_start_matches('+'),
            "BatchGetItem" => &self.user,
            _ => &self.id,
        };
        self.stack.proxy.add_rule(&rule.containing(mark)).await.unwrap()
    }

    /// The same, for one call.
    pub(crate) async fn once(&self, operation: &str, fault: Fault) -> RuleId {
        self.fault(Rule::on(operation, fault).times(1)).await
    }

    /// What SES says of the e-mail.
    pub(crate) async fn feedback(&self, feedback: Feedback) {
        let feedback = feedback.containing(&self.email);
        self.stack.proxy.add_feedback(&feedback).await.unwrap();
    }

    pub(crate) async fn publish(&self) {
        self.stack.publish(&self.event).await;
    }

    /// Waits until a rule was applied.
    pub(crate) async fn applied(&self, rule: RuleId) {
        self.stack.applied(rule).await;
    }

    /// What the message tells, as it travels to the sender.
    pub(crate) fn content(&self) -> Value {
        serde_json::to_value(read(&self.event).content).unwrap()
    }

    /// Takes these attributes out of the record.
    pub(crate) async fn forget(&self, attributes: &[&str]) {
        self.stack
            .dynamodb
            .update_item()
            .table_name(self.stack.ledger())
            .key("notificationId", AttributeValue::S(self.id.clone()))
            .update_expression(format!("REMOVE {}", attributes.join(", ")))
            .send()
            .await
            .unwrap();
    }

    /// The record of the notification, if there is one.
    pub(crate) async fn item(&self) -> Option<Item> {
        let output = self
            .stack
            .dynamodb
            .get_item()
            .table_name(self.stack.ledger())
            .key("notificationId", AttributeValue::S(self.id.clone()))
            .consistent_read(true)
            .send()
            .await;
        output.unwrap().item
    }

    /// The delivery by a channel, if it is recorded.
    pub(crate) async fn delivery(&self, channel: &str) -> Option<Item> {
        Some(self.item().await?.get(channel)?.as_m().unwrap().clone())
    }

    /// The delivery, once it is in this state.
    pub(crate) async fn until(&self, channel: &str, state: &str) -> Item {
        let what = format!("{} by {channel} to be {state}", self.order);
        eventually(&what, async || {
            let delivery = self.delivery(channel).await?;
            (text(&delivery, "state") == state).then_some(delivery)
        })
        .await
    }

    /// The delivery, once nobody has anything to do about it any more.
    pub(crate) async fn ended(&self, channel: &str) -> Item {
        let what = format!("{} by {channel} to end", self.order);
        eventually(&what, async || {
            self.delivery(channel).await.filter(|delivery| !is_open(delivery))
        })
        .await
    }

    /// The same, where functions die: a dead owner's lease is over at once, not a minute and a half later.
    pub(crate) async fn survives(&self, channel: &str) -> Item {
        let what = format!("{} by {channel} to survive", self.order);
        eventually(&what, async || {
            let delivery = self.delivery(channel).await?;
            let held_for = Timestamp::now().as_millisecond() - number(&delivery, "changedAt");
            if held_for > DEAD_AFTER_MS {
                self.end_lease(channel, &delivery).await;
            }
            (!is_open(&delivery)).then_some(delivery)
        })
        .await
    }

    /// The owner of this delivery is dead: if it held a lease, that is over at once.
    pub(crate) async fn owner_died(&self, channel: &str) {
        if let Some(delivery) = self.delivery(channel).await {
            self.end_lease(channel, &delivery).await;
        }
    }

    async fn end_lease(&self, channel: &str, held: &Item) {
        if text(held, "state") != "sending" {
            return;
        }
        let update = self
            .stack
            .dynamodb
            .update_item()
            .table_name(self.stack.ledger())
            .key("notificationId", AttributeValue::S(self.id.clone()))
            .update_expression("SET #channel.#until = :over")
            .condition_expression("#channel.#state = :sending AND #channel.#attempt = :attempt")
            .expression_attribute_names("#channel", channel)
            .expression_attribute_names("#until", "leaseUntil")
            .expression_attribute_names("#state", "state")
            .expression_attribute_names("#attempt", "attempt")
            .expression_attribute_values(":over", AttributeValue::N("0".to_owned()))
            .expression_attribute_values(":sending", AttributeValue::S("sending".to_owned()))
            .expression_attribute_values(":attempt", held["attempt"].clone());
        if let Err(error) = update.send().await {
            let error = error.into_service_error();
            assert!(error.is_conditional_check_failed_exception(), "{error:?}");
        }
    }

    /// The calls that offered the e-mail to SES.
    pub(crate) async fn offers(&self) -> Vec<Call> {
        self.stack.proxy.calls("SendEmail", &self.id).await.unwrap()
    }

    /// How many e-mails SES took.
    pub(crate) async fn emails(&self) -> usize {
        accepted(&self.offers().await)
    }

    /// How many text messages SNS took.
    pub(crate) async fn texts(&self) -> usize {
        accepted(&self.stack.proxy.calls("Publish", &self.phone).await.unwrap())
    }
}

/// All of these, once nobody has anything to do about them any more, where functions die.
pub(crate) async fn all_survive(facts: &[Fact<'_>], channel: &str) -> Vec<Item> {
    join_all(facts.iter().map(|fact| fact.survives(channel))).await
}

/// How many e-mails SES took of each.
pub(crate) async fn emails_of(facts: &[Fact<'_>]) -> Vec<usize> {
    join_all(facts.iter().map(Fact::emails)).await
}

/// The calls that the emulator took.
pub(crate) fn accepted(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.upstream_status == Some(200)).count()
}

/// The state of a delivery and its reason.
pub(crate) fn outcome(delivery: &Item) -> (&str, &str) {
    (text(delivery, "state"), text(delivery, "reason"))
}

/// A number of a delivery; one that is zero is not written.
pub(crate) fn count(delivery: &Item, name: &str) -> i64 {
    if delivery.contains_key(name) {
        number(delivery, name)
    } else {
        0
    }
}

fn is_open(delivery: &Item) -> bool {
    matches!(text(delivery, "state"), "queued" | "sending" | "in_doubt" | "deferred")
}

fn id_of(event: &Value) -> String {
    read(event).notification_id(&testkit::shop_defaults().zone).to_string()
}

/// The event as the orchestrator reads it.
fn read(event: &Value) -> Event {
    let reading = Reading {
        shop: testkit::shop_defaults(),
        admin_topic: None,
        admin_email: None,
    };
    read_event(&event.to_string(), Timestamp::now(), &reading).unwrap()
}

fn merge(into: &mut Value, changes: &Value) {
    for (name, change) in changes.as_object().unwrap() {
        match into.get_mut(name) {
            Some(place) if place.is_object() && change.is_object() => merge(place, change),
            _ => into[name] = change.clone(),
        }
    }
}

fn mixed(hash: u64, byte: u8) -> u64 {
    hash.wrapping_mul(31).wrapping_add(u64::from(byte))
}
