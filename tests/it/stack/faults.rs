//! Faults between the functions and AWS, made by the proxy.

use fault_proxy::{Call, Fault, Rule, StatusCode};
use serde_json::{Value, json};

use super::harness::{Item, Stack, number, results};

/// One customer, one order, and what is about to happen to the calls made for them.
struct Journey {
    stack: Stack,
    order: String,
    email: String,
    phone: String,
}

impl Journey {
    async fn start() -> Self {
        let stack = Stack::connect().await;
        Self {
            order: stack.unique("order"),
            email: stack.address("ana"),
            phone: stack.phone(),
            stack,
        }
    }

    async fn fault(&self, operation: &str, containing: &str, times: u64, fault: Fault) {
        self.stack
            .proxy
            .add_rule(&Rule::on(operation, fault).containing(containing).times(times))
            .await
            .unwrap();
    }

    /// A text by which the proxy recognises the SMS: the number itself, without the sign that forms encode.
    fn digits(&self) -> &str {
        self.phone.trim_start_matches('+')
    }

    async fn ship(&self, channels: &[&str]) -> Item {
        let event: Value = json!({"userId": self.stack.unique("user"), "type": "order_status_update", "recipientEmail": self.email,
            "recipientPhone": self.phone, "channels": channels, "orderData": {"orderId": self.order, "status": "shipped"}});
        self.stack.publish(&event).await;
        self.stack.settled(&self.order).await
    }

    async fn calls(&self, operation: &str, containing: &str) -> Vec<Call> {
        self.stack.proxy.calls(operation, containing).await.unwrap()
    }
}

/// The calls that the emulator took.
fn accepted(calls: &[Call]) -> usize {
    calls.iter().filter(|call| call.upstream_status == Some(200)).count()
}

fn code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}

#[tokio::test]
async fn refused_for_a_while_is_retried_with_growing_waits_and_sent_once() {
    let journey = Journey::start().await;
    let refusal = Fault::answer(code(409), "ConflictException", "try again");
    journey.fault("SendEmail", &journey.email, 2, refusal).await;
    let item = journey.ship(&["email"]).await;
    assert_eq!(results(&item)["email"].0, "sent");
    let calls = journey.calls("SendEmail", &journey.email).await;
    assert_eq!((calls.len(), accepted(&calls)), (3, 1));
    let email = item["email"].as_m().unwrap();
    assert_eq!((number(email, "attempt"), number(email, "failures")), (3, 2));
    // Never at once: a wait of a second at least, drawn below a bound that grows.
    assert!(
        calls.windows(2).all(|pair| pair[1].at_ms - pair[0].at_ms >= 900),
        "{calls:?}"
    );
    assert_eq!(journey.stack.emails_to(&journey.email).await.len(), 1);
}

#[tokio::test]
async fn refused_for_good_is_parked_and_in_the_dead_letters_with_the_reason() {
    let journey = Journey::start().await;
    let refusal = Fault::answer(code(409), "ConflictException", "try again");
    journey.fault("SendEmail", &journey.email, 100, refusal).await;
    let item = journey.ship(&["email"]).await;
    assert_eq!(
        results(&item)["email"],
        ("parked".to_owned(), "ConflictException".to_owned())
    );
    assert_eq!(number(&item, "failedChannels"), 1);
    journey.stack.drained().await;
    assert_eq!(journey.calls("SendEmail", &journey.email).await.len(), 4);
    let letters = journey.stack.dead_letters("email", &journey.email).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].1, "ConflictException");
}

#[tokio::test]
async fn a_bad_message_fails_at_once_with_the_reason() {
    let journey = Journey::start().await;
    let refusal = Fault::answer(code(400), "MessageRejected", "Email contains a virus");
    journey.fault("SendEmail", &journey.email, 1, refusal).await;
    let item = journey.ship(&["email"]).await;
    assert_eq!(
        results(&item)["email"],
        ("failed".to_owned(), "MessageRejected".to_owned())
    );
    assert_eq!(journey.calls("SendEmail", &journey.email).await.len(), 1);
}

#[tokio::test]
async fn throttling_uses_up_no_try() {
    let journey = Journey::start().await;
    let throttle = Fault::answer(code(429), "TooManyRequestsException", "Maximum sending rate exceeded.");
    journey.fault("SendEmail", &journey.email, 3, throttle).await;
    let item = journey.ship(&["email"]).await;
    assert_eq!(results(&item)["email"].0, "sent");
    let email = item["email"].as_m().unwrap();
    assert_eq!(number(email, "attempt"), 4);
    assert!(!email.contains_key("failures"));
}

#[tokio::test]
async fn an_email_that_never_reached_ses_is_in_doubt_and_then_sent_once() {
    let journey = Journey::start().await;
    journey.fault("SendEmail", &journey.email, 1, Fault::Drop).await;
    let item = journey.ship(&["email"]).await;
    assert_eq!(results(&item)["email"].0, "sent");
    let calls = journey.calls("SendEmail", &journey.email).await;
    assert_eq!((calls.len(), accepted(&calls)), (2, 1));
    // The stack of the tests waits ten seconds for news of an attempt in doubt.
    assert!(calls[1].at_ms - calls[0].at_ms >= 9_500, "{calls:?}");
}

#[tokio::test]
async fn a_lost_reply_never_makes_the_sdk_send_again_by_itself() {
    let journey = Journey::start().await;
    let lost = Fault::answer_after(code(500), "InternalFailure", "try again");
    journey.fault("SendEmail", &journey.email, 1, lost).await;
    let item = journey.ship(&["email"]).await;
    let calls = journey.calls("SendEmail", &journey.email).await;
    // Exempt, expected number 2: the reply is lost, and this stack has no Send event that would settle the doubt.
    assert_eq!((results(&item)["email"].0.as_str(), accepted(&calls)), ("sent", 2));
    assert!(calls[1].at_ms - calls[0].at_ms >= 9_500, "{calls:?}");
}

#[tokio::test]
async fn an_sms_in_doubt_is_never_sent_again() {
    let journey = Journey::start().await;
    journey.fault("Publish", journey.digits(), 1, Fault::DropAfter).await;
    let item = journey.ship(&["sms"]).await;
    assert_eq!(results(&item)["sms"], ("failed".to_owned(), "in_doubt".to_owned()));
    let calls: Vec<Call> = journey.calls("Publish", journey.digits()).await;
    assert_eq!((calls.len(), accepted(&calls)), (1, 1));
    assert_eq!(journey.stack.texts_to(&journey.phone).await.len(), 1);
}

#[tokio::test]
async fn a_lost_reply_to_the_decision_changes_nothing() {
    let journey = Journey::start().await;
    journey
        .fault("BatchExecuteStatement", &journey.order, 1, Fault::DropAfter)
        .await;
    let item = journey.ship(&["email", "sms"]).await;
    journey.stack.drained().await;
    assert_eq!(
        (results(&item)["email"].0.as_str(), results(&item)["sms"].0.as_str()),
        ("sent", "sent")
    );
    assert_eq!(journey.stack.emails_to(&journey.email).await.len(), 1);
    assert_eq!(journey.stack.texts_to(&journey.phone).await.len(), 1);
}

#[tokio::test]
async fn a_lost_reply_to_the_hand_over_is_at_most_a_second_message_in_the_queue() {
    let journey = Journey::start().await;
    journey
        .fault("SendMessageBatch", &journey.order, 1, Fault::DropAfter)
        .await;
    let item = journey.ship(&["email"]).await;
    journey.stack.drained().await;
    assert_eq!(results(&item)["email"].0, "sent");
    assert_eq!(journey.stack.emails_to(&journey.email).await.len(), 1);
}

#[tokio::test]
async fn every_accepted_email_carries_the_tags_that_name_its_delivery() {
    let journey = Journey::start().await;
    let item = journey.ship(&["email"]).await;
    let calls = journey.calls("SendEmail", &journey.email).await;
    let tags = &calls[0].email.as_ref().unwrap().tags;
    assert_eq!(
        tags.get("notification-id").map(String::as_str),
        item["notificationId"].as_s().ok().map(String::as_str)
    );
    assert_eq!(tags.get("channel").map(String::as_str), Some("email"));
}
