//! Dead letters: taken without being consumed, told apart, and put back or discarded.

use anyhow::Result;
use aws::SqsVisibility;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use domain::ports::HoldBack;
use domain::{DeliveryRequest, NotificationId};
use futures_util::future::try_join_all;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::HashSet;

use crate::account::{Account, failed};
use crate::names::{
    ACCOUNT_TROUBLE, CARRIER_EVENTS, CARRIER_HANDSHAKES, DELIVERY_EVENTS, ORDER_EVENTS, SUBSCRIPTIONS,
    with_dead_letters,
};
use crate::output::Progress;

/// A dead letter.
pub(crate) struct Letter {
    /// The queue whose dead letters it is among.
    pub(crate) queue: &'static str,
    pub(crate) message_id: String,
    pub(crate) body: String,
    /// Why a function of ours put it there; nothing when SQS, SNS or Lambda did.
    pub(crate) reason: Option<String>,
    pub(crate) id: Option<NotificationId>,
    pub(crate) kind: Kind,
    /// When it was first put on a queue.
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) receives: u32,
    receipt: String,
}

/// What a letter is.
pub(crate) enum Kind {
    /// A decided delivery on its way to a sender.
    Delivery(Box<DeliveryRequest>),
    /// An event that is to be decided upon, or that cannot be read.
    Event,
    /// Lambda's report of an asynchronous call that failed, with what the function was called with.
    LambdaReport(Value),
    /// A provider's report of what became of a message.
    Feedback,
    /// A sender's call for the account monitor.
    Bell,
    /// What was said of an order or a parcel, or a carrier wants confirmed.
    Said,
}

impl Kind {
    /// The name in lists.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Delivery(_) => "delivery",
            Self::Event => "event",
            Self::LambdaReport(_) => "lambda_report",
            Self::Feedback => "feedback",
            Self::Bell => "account_trouble",
            Self::Said => "said_of_an_order",
        }
    }

    fn of(queue: &str, body: &str) -> Self {
        if let Ok(request) = DeliveryRequest::from_wire(body) {
            return Self::Delivery(Box::new(request));
        }
        let value: Option<Value> = serde_json::from_str(body).ok();
        let payload = value
            .as_ref()
            .filter(|value| value.get("requestContext").is_some())
            .and_then(|value| value.get("requestPayload"));
        if let Some(payload) = payload {
            return Self::LambdaReport(payload.clone());
        }
        match queue {
            DELIVERY_EVENTS => Self::Feedback,
            ACCOUNT_TROUBLE => Self::Bell,
            ORDER_EVENTS | CARRIER_EVENTS | CARRIER_HANDSHAKES => Self::Said,
            SUBSCRIPTIONS if value.as_ref().is_some_and(is_of_ses) => Self::Feedback,
            _ => Self::Event,
        }
    }
}

/// Whether SES wrote this, bare or in the envelope of SNS.
fn is_of_ses(value: &Value) -> bool {
    let inner = value.get("Message").and_then(Value::as_str);
    let inner: Option<Value> = inner.and_then(|text| serde_json::from_str(text).ok());
    let bare = inner.as_ref().unwrap_or(value);
    bare.get("mail").is_some() && (bare.get("eventType").is_some() || bare.get("notificationType").is_some())
}

impl Letter {
    fn read(queue: &'static str, message: Message) -> Option<Self> {
        let attribute = |name: &str| {
            let attributes = message.message_attributes.as_ref()?;
            attributes.get(name)?.string_value.clone()
        };
        let system = |name: MessageSystemAttributeName| message.attributes.as_ref()?.get(&name).cloned();
        let sent_at = system(MessageSystemAttributeName::SentTimestamp).and_then(|ms| ms.parse().ok());
        let receives = system(MessageSystemAttributeName::ApproximateReceiveCount).and_then(|count| count.parse().ok());
        let body = message.body.clone().unwrap_or_default();
        let kind = Kind::of(queue, &body);
        let named = attribute("notificationId").and_then(|id| NotificationId::try_from(id.as_str()).ok());
        let id = match &kind {
            Kind::Delivery(request) => Some(request.id),
            Kind::Event | Kind::LambdaReport(_) | Kind::Feedback | Kind::Bell | Kind::Said => named,
        };
        Some(Self {
            queue,
            message_id: message.message_id.clone().unwrap_or_default(),
            reason: attribute("reason"),
            id,
            kind,
            sent_at: sent_at.and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            receives: receives.unwrap_or(0),
            receipt: message.receipt_handle.clone()?,
            body,
        })
    }

    /// Whether it is about this notification.
    pub(crate) fn is_about(&self, id: NotificationId) -> bool {
        self.id == Some(id) || self.body.contains(&id.to_string())
    }
}

/// The dead letters of one queue, taken ten at a time. Each letter is seen once.
pub(crate) struct LetterBox<'a> {
    account: &'a Account,
    queue: &'static str,
    url: String,
    hidden_for: i32,
    seen: HashSet<String>,
}

impl<'a> LetterBox<'a> {
    /// Letters that are taken stay hidden from others for so many seconds, unless they are released before.
    pub(crate) async fn open(account: &'a Account, queue: &'static str, hidden_for: i32) -> Result<Self> {
        let url = account.queue_url(&account.names.dead_letters(queue)).await?;
        Ok(Self {
            account,
            queue,
            url,
            hidden_for,
            seen: HashSet::new(),
        })
    }

    /// The next letters; none when there are no more.
    pub(crate) async fn take(&mut self) -> Result<Vec<Letter>> {
        let answer = self
            .account
            .sqs
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(10)
            .visibility_timeout(self.hidden_for)
            // Without a wait SQS asks only some of its servers, and may miss what the others have.
            .wait_time_seconds(1)
            .message_attribute_names("All")
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .send()
            .await;
        let name = self.account.names.dead_letters(self.queue);
        let answer = answer.map_err(|error| failed(&format!("look into {name}"), &error))?;
        let messages = answer.messages.unwrap_or_default();
        let letters = messages
            .into_iter()
            .filter_map(|message| Letter::read(self.queue, message));
        Ok(letters
            .filter(|letter| self.seen.insert(letter.message_id.clone()))
            .collect())
    }

    /// Lets everybody see these again.
    pub(crate) async fn release(&self, letters: &[Letter]) {
        let waits: Vec<(String, i64)> = letters.iter().map(|letter| (letter.receipt.clone(), 0)).collect();
        SqsVisibility::new(self.account.sqs.clone())
            .hold_back(&self.url, &waits)
            .await;
    }

    /// Removes a letter.
    pub(crate) async fn discard(&self, letter: &Letter) -> Result<()> {
        let answer = self
            .account
            .sqs
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(&letter.receipt)
            .send()
            .await;
        let name = self.account.names.dead_letters(self.queue);
        answer
            .map(|_gone| ())
            .map_err(|error| failed(&format!("remove a letter from {name}"), &error))
    }
}

/// Looked at for so long at most before it is seen again; then a look was interrupted.
const LOOK_SECONDS: i32 = 120;

/// All letters of these queues, up to a limit each; they stay where they are. Says also where there are more.
pub(crate) async fn look(
    account: &Account,
    queues: impl IntoIterator<Item = &'static str>,
    limit: usize,
) -> Result<(Vec<Letter>, Vec<&'static str>)> {
    let looked = try_join_all(queues.into_iter().map(|queue| look_into(account, queue, limit))).await?;
    let mut letters = Vec::new();
    let mut cut = Vec::new();
    for (queue, found, is_cut) in looked {
        letters.extend(found);
        cut.extend(is_cut.then_some(queue));
    }
    Ok((letters, cut))
}

/// The letters of every queue.
pub(crate) async fn look_everywhere(account: &Account) -> Result<(Vec<Letter>, Vec<&'static str>)> {
    look(account, with_dead_letters(), 1_000).await
}

async fn look_into(account: &Account, queue: &'static str, limit: usize) -> Result<(&'static str, Vec<Letter>, bool)> {
    let mut letter_box = LetterBox::open(account, queue, LOOK_SECONDS).await?;
    let mut progress = Progress::new(format!("looking into {}", account.names.dead_letters(queue)));
    let mut found = Vec::new();
    let taken = loop {
        match letter_box.take().await {
            Ok(letters) if letters.is_empty() => break Ok(false),
            Ok(letters) => found.extend(letters),
            Err(error) => break Err(error),
        }
        progress.tick(format!("{} letters", found.len()));
        if found.len() >= limit {
            break Ok(true);
        }
    };
    letter_box.release(&found).await;
    taken.map(|is_cut| (queue, found, is_cut))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(queue: &str, body: &str) -> &'static str {
        Kind::of(queue, body).name()
    }

    #[test]
    fn a_letter_is_told_apart_by_its_queue_and_its_body() {
        let report =
            r#"{"version":"1.0","requestContext":{"condition":"RetriesExhausted"},"requestPayload":{"userId":"u"}}"#;
        let ses = r#"{"eventType":"Bounce","mail":{"messageId":"m"}}"#;
        let enveloped = r#"{"Type":"Notification","Message":"{\"notificationType\":\"Bounce\",\"mail\":{}}"}"#;
        let order = r#"{"notificationType":"order_confirmation","userId":"u"}"#;
        assert_eq!(kind("notifications", order), "event");
        assert_eq!(kind("notifications", "not JSON"), "event");
        assert_eq!(kind("email", report), "lambda_report");
        assert_eq!(kind("delivery-events", ses), "feedback");
        assert_eq!(kind("subscriptions", ses), "feedback");
        assert_eq!(kind("subscriptions", enveloped), "feedback");
        assert_eq!(kind("subscriptions", order), "event");
        assert_eq!(
            kind("account-trouble", r#"{"trouble/1":{"channel":"email"}}"#),
            "account_trouble"
        );
    }
}
