//! What woke the function up: messages of a queue, messages of a topic, or a direct call.

use aws_lambda_events::sns::SnsRecord;
use aws_lambda_events::sqs::{SqsBatchResponse, SqsMessage};
use domain::TraceContext;
use domain::ports::Clock;
use jiff::Timestamp;
use lambda_runtime::Error;
use serde::Deserialize;
use serde_json::value::RawValue;

/// What woke the function up.
#[derive(Debug)]
pub enum Invocation {
    /// Messages of a queue.
    Queue(Vec<QueueMessage>),
    /// Messages of a queue that is held, brought by the keeper of the queues: whether they go through says whether all may.
    Trial(Vec<QueueMessage>),
    /// Messages of a topic that invokes the function itself.
    Topic(Vec<TopicMessage>),
    /// A direct call, with its payload.
    Direct(String),
}

/// One message of a queue.
#[derive(Clone)]
pub struct QueueMessage {
    /// Its id, by which a batch answer names it; a message without one cannot be named.
    pub id: Option<String>,
    /// Its handle, by which it is hidden.
    pub receipt_handle: Option<String>,
    /// The ARN of its queue.
    pub queue_arn: String,
    /// Its text.
    pub text: String,
    /// When it was put on the queue.
    pub sent_at: Option<Timestamp>,
    /// How often it was received, this time included.
    pub receive_count: u32,
    /// Where it says that it comes from: its attribute `origin`.
    pub origin: Option<String>,
    /// Its place in the trace that it belongs to, if that is kept.
    pub trace: Option<TraceContext>,
}

/// One message of a topic.
#[derive(Clone)]
pub struct TopicMessage {
    /// The message inside its envelope, so that it is read as any enveloped message.
    pub envelope: String,
}

/// Records of either kind, told apart by their own words.
#[derive(Deserialize)]
struct Records<'a> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'a RawValue>,
    #[serde(default, rename = "trial")]
    is_trial: bool,
}

impl Invocation {
    /// Tells what a payload is. Whatever has no readable records is a direct call.
    #[must_use]
    pub fn read(payload: &str) -> Self {
        let Ok(Records { records, is_trial }) = serde_json::from_str::<Records<'_>>(payload) else {
            return Self::Direct(payload.to_owned());
        };
        let messages: Vec<QueueMessage> = records
            .iter()
            .filter_map(|record| serde_json::from_str::<SqsMessage>(record.get()).ok())
            .filter(|message| message.event_source.as_deref() == Some("aws:sqs"))
            .map(QueueMessage::of)
            .collect();
        if !records.is_empty() && messages.len() == records.len() {
            return match is_trial {
                true => Self::Trial(messages),
                false => Self::Queue(messages),
            };
        }
        let messages: Vec<TopicMessage> = records
            .iter()
            .filter_map(|record| serde_json::from_str::<SnsRecord>(record.get()).ok())
            .map(|record| TopicMessage {
                envelope: serde_json::json!({
                    "Type": "Notification",
                    "TopicArn": record.sns.topic_arn,
                    "Message": record.sns.message,
                    "Timestamp": record.sns.timestamp.to_rfc3339(),
                })
                .to_string(),
            })
            .collect();
        if !records.is_empty() && messages.len() == records.len() {
            return Self::Topic(messages);
        }
        Self::Direct(payload.to_owned())
    }
}

impl QueueMessage {
    fn of(message: SqsMessage) -> Self {
        let number = |name: &str| message.attributes.get(name).and_then(|text| text.parse::<i64>().ok());
        Self {
            trace: trace_of(&message),
            sent_at: number("SentTimestamp").and_then(|ms| Timestamp::from_millisecond(ms).ok()),
            receive_count: number("ApproximateReceiveCount")
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or(1),
            origin: message
                .message_attributes
                .get("origin")
                .and_then(|origin| origin.string_value.clone()),
            id: message.message_id.filter(|id| !id.is_empty()),
            receipt_handle: message.receipt_handle,
            queue_arn: message.event_source_arn.unwrap_or_default(),
            text: message.body.unwrap_or_default(),
        }
    }

    /// The URL of the lane that it came from.
    #[must_use]
    pub fn lane_of<'l>(&self, lanes: &'l aws::ChannelQueues) -> Option<&'l str> {
        [&lanes.normal, &lanes.urgent]
            .into_iter()
            .map(String::as_str)
            .find(|url| self.is_from(url))
    }

    /// Whether it came from the queue with this URL: its ARN and its URL end with the same name.
    #[must_use]
    pub fn is_from(&self, queue_url: &str) -> bool {
        let name = self.queue_arn.rsplit(':').next().unwrap_or_default();
        !name.is_empty() && queue_url.rsplit('/').next() == Some(name)
    }
}

/// The trace that SNS and SQS carry beside the message; else the one that its publisher wrote into an attribute, in the words of
/// W3C's Trace Context; else the one that a request of our own keeps.
fn trace_of(message: &SqsMessage) -> Option<TraceContext> {
    if let Some(header) = message.attributes.get("AWSTraceHeader") {
        return TraceContext::of_header(header);
    }
    match message.message_attributes.get("traceparent") {
        Some(written) => TraceContext::of_traceparent(written.string_value.as_deref()?),
        None => kept_by(message.body.as_deref()?),
    }
}

/// The trace that a request of our own keeps, for when nothing came beside it: it was redriven, or carried by the emulator. It is
/// the last field, so that only the end is looked at.
fn kept_by(request: &str) -> Option<TraceContext> {
    let (before, header) = request.strip_suffix("\"}}")?.rsplit_once('"')?;
    before
        .ends_with(",\"trace\":")
        .then(|| TraceContext::of_header(header))
        .flatten()
}

/// The answer to a batch: the messages that have to come again.
#[derive(Debug, Default)]
pub(crate) struct BatchAnswer {
    response: SqsBatchResponse,
    has_nameless: bool,
}

impl BatchAnswer {
    /// This message has to come again.
    pub(crate) fn add(&mut self, message: &QueueMessage) {
        match &message.id {
            Some(id) => self.response.add_failure(id),
            None => self.has_nameless = true,
        }
    }

    /// The answer; an error where a message that has to come again cannot be named, so that the whole batch does.
    pub(crate) fn value(self) -> Result<serde_json::Value, Error> {
        match self.has_nameless {
            true => Err("a message without an id has to come again".into()),
            false => Ok(serde_json::to_value(self.response)?),
        }
    }
}

/// Splits a batch into rounds: fresh messages together, and each that came back by itself, the least often received first and
/// equals in any order. A message that kills the function kills its neighbours' turn as well, but not every time.
#[must_use]
pub(crate) fn rounds(messages: Vec<QueueMessage>, clock: &impl Clock) -> Vec<Vec<QueueMessage>> {
    let (fresh, returned): (Vec<_>, Vec<_>) = messages.into_iter().partition(|message| message.receive_count <= 1);
    let mut returned: Vec<(u32, f64, QueueMessage)> = returned
        .into_iter()
        .map(|message| (message.receive_count, clock.chance(), message))
        .collect();
    returned.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let rounds = returned.into_iter().map(|(_, _, message)| vec![message]);
    std::iter::once(fresh)
        .filter(|fresh| !fresh.is_empty())
        .chain(rounds)
        .collect()
}

impl std::fmt::Debug for QueueMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueueMessage")
            .field("id", &self.id)
            .field("receive_count", &self.receive_count)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TopicMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TopicMessage").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn queue_record(count: &str) -> String {
        format!(
            r#"{{"messageId":"m","receiptHandle":"r","body":"{{}}","attributes":{{"ApproximateReceiveCount":"{count}","SentTimestamp":"1795168800000"}},
               "messageAttributes":{{}},"md5OfBody":"","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:0:e-com67-email","awsRegion":"eu-west-1"}}"#
        )
    }

    #[test]
    fn messages_of_a_queue_are_recognised() {
        let payload = format!(r#"{{"Records":[{},{}]}}"#, queue_record("1"), queue_record("7"));
        let Invocation::Queue(messages) = Invocation::read(&payload) else {
            panic!("not a queue")
        };
        assert_eq!((messages.len(), messages[1].receive_count), (2, 7));
        assert!(messages[0].is_from("http://localhost:4566/000000000000/e-com67-email"));
        assert!(!messages[0].is_from("http://localhost:4566/000000000000/e-com67-email-urgent"));
    }

    #[test]
    fn the_trace_beside_a_message_goes_before_the_one_that_its_publisher_wrote() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let written = r#""messageAttributes":{"traceparent":{"dataType":"String","stringListValues":[],"binaryListValues":[],
            "stringValue":"00-11111111111111111111111111111111-2222222222222222-01"}}"#;
        let record = queue_record("1").replace(r#""messageAttributes":{}"#, written);
        let beside = record.replace(
            r#""attributes":{"#,
            &format!(r#""attributes":{{"AWSTraceHeader":"{header}","#),
        );
        let trace = |record: &str| match Invocation::read(&format!(r#"{{"Records":[{record}]}}"#)) {
            Invocation::Queue(messages) => messages[0].trace.map(|trace| trace.trace_id()),
            Invocation::Trial(_) | Invocation::Topic(_) | Invocation::Direct(_) => panic!("not a queue"),
        };
        assert_eq!(trace(&queue_record("1")), None);
        assert_eq!(trace(&record).as_deref(), Some("1-11111111-111111111111111111111111"));
        assert_eq!(trace(&beside).as_deref(), Some("1-5759e988-bd862e3fe1be46a994272793"));
    }

    #[test]
    fn a_request_with_nothing_beside_it_keeps_its_trace_itself() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let mut request = testkit::email_request(&testkit::shipped("a", "1", testkit::at(1)));
        assert_eq!(kept_by(&request.to_wire()), None);
        request.trace = TraceContext::of_header(header);
        assert_eq!(kept_by(&request.to_wire()), request.trace);
        assert_eq!(domain::DeliveryRequest::from_wire(&request.to_wire()), Ok(request));
    }

    #[test]
    fn a_trial_says_so_itself() {
        let payload = format!(r#"{{"trial":true,"Records":[{}]}}"#, queue_record("3"));
        assert!(matches!(Invocation::read(&payload), Invocation::Trial(messages) if messages.len() == 1));
    }

    #[test]
    fn messages_of_a_topic_are_put_back_into_their_envelope() {
        let payload = r#"{"Records":[{"EventSource":"aws:sns","EventVersion":"1.0","EventSubscriptionArn":"arn:s","Sns":{"Type":"Notification","MessageId":"1",
            "TopicArn":"arn:topic","Subject":null,"Message":"{\"a\":1}","Timestamp":"2026-11-20T10:00:00.000Z","SignatureVersion":"1","Signature":"s",
            "SigningCertUrl":"c","UnsubscribeUrl":"u","MessageAttributes":{}}}]}"#;
        let Invocation::Topic(messages) = Invocation::read(payload) else {
            panic!("not a topic")
        };
        assert!(messages[0].envelope.contains(r#""TopicArn":"arn:topic""#));
    }

    #[test]
    fn anything_else_is_a_direct_call() {
        for payload in [
            "{}",
            "[]",
            "null",
            r#"{"Records":[]}"#,
            r#"{"Records":[{"a":1}]}"#,
            r#"{"userId":"u"}"#,
        ] {
            assert!(matches!(Invocation::read(payload), Invocation::Direct(_)), "{payload}");
        }
    }

    #[test]
    fn what_came_back_is_worked_on_one_at_a_time() {
        let payload = format!(
            r#"{{"Records":[{},{},{},{}]}}"#,
            queue_record("9"),
            queue_record("1"),
            queue_record("2"),
            queue_record("1")
        );
        let Invocation::Queue(messages) = Invocation::read(&payload) else {
            panic!("not a queue")
        };
        let counts: Vec<Vec<u32>> = rounds(messages, &crate::SystemClock)
            .iter()
            .map(|round| round.iter().map(|message| message.receive_count).collect())
            .collect();
        assert_eq!(counts, [vec![1, 1], vec![2], vec![9]]);
    }

    proptest! {
        #[test]
        fn no_payload_makes_reading_panic(payload in any::<String>()) {
            let _invocation = Invocation::read(&payload);
        }
    }
}
