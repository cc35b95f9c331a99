//! Queues: handing deliveries over, burying what cannot be worked on, and holding a message back for a while.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::change_message_visibility_batch::builders::ChangeMessageVisibilityBatchInputBuilder;
use aws_sdk_sqs::operation::send_message_batch::builders::SendMessageBatchInputBuilder;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue, SendMessageBatchRequestEntry,
};
use domain::ports::{Bury, DeadLetter, Enqueue, HandOver, HoldBack, Unavailable};
use domain::{Channel, DeliveryRequest, LONGEST_DELAY, TraceContext};
use jiff::SignedDuration;
use std::collections::HashMap;

use crate::answer::in_few_words;
use crate::calls::Sqs;

/// A batch of SQS holds no more entries than this.
const MAX_ENTRIES: usize = 10;

/// Kept below the limit of a whole batch (256 KiB where a queue was made before that limit grew), attributes included.
const MAX_BATCH_BYTES: usize = 240 * 1024;

/// A message may be hidden for 12 hours in all, counted from when it was received: what would end later is refused
/// (SQS Developer Guide, "Amazon SQS visibility timeout"). This leaves ten minutes for the work that came before.
const MAX_VISIBILITY_SECONDS: i64 = 43_200 - 600;

const HANDING_OVER: &str = "hand over a delivery";
const ENQUEUING: &str = "put a message on its queue";
const BURYING: &str = "put a message into the dead letter queue";

/// The address of the queue that gets what another queue cannot work on: the same name with `-dead-letters`.
#[must_use]
pub fn dead_letters_of(queue_url: &str) -> String {
    format!("{queue_url}-dead-letters")
}

/// The two lanes of a channel.
#[derive(Debug, Clone)]
pub struct ChannelQueues {
    /// Where deliveries usually wait.
    pub normal: String,
    /// Where urgent ones wait.
    pub urgent: String,
}

/// The senders' queues.
#[derive(Debug, Clone)]
pub struct SqsQueues<S = Client> {
    client: S,
    queues: HashMap<Channel, ChannelQueues>,
}

/// The dead letter queues of two lanes.
#[derive(Debug, Clone)]
pub struct SqsDeadLetters<S = Client> {
    client: S,
    lanes: ChannelQueues,
}

/// One queue.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
    queue_url: String,
}

/// Holds messages back.
#[derive(Debug, Clone)]
pub struct SqsVisibility<S = Client> {
    client: S,
}

/// One message on its way: where it goes, and what it is.
struct Outgoing {
    queue_url: String,
    body: String,
    delay_seconds: Option<i32>,
    attributes: Vec<(&'static str, String)>,
    trace: Option<TraceContext>,
}

impl<S> SqsQueues<S> {
    /// The senders' queues by channel.
    #[must_use]
    pub const fn new(client: S, queues: HashMap<Channel, ChannelQueues>) -> Self {
        Self { client, queues }
    }
}

impl<S: Sqs> HandOver for SqsQueues<S> {
    async fn hand_over(&self, requests: &[(DeliveryRequest, SignedDuration)]) -> Vec<Result<(), Unavailable>> {
        let outgoing = requests
            .iter()
            .map(|(request, delay)| {
                let lanes = self.queues.get(&request.channel)?;
                Some(Outgoing {
                    queue_url: if request.is_urgent {
                        lanes.urgent.clone()
                    } else {
                        lanes.normal.clone()
                    },
                    body: request.to_wire(),
                    delay_seconds: whole_seconds(*delay),
                    attributes: Vec::new(),
                    trace: request.trace,
                })
            })
            .collect();
        send_all(&self.client, outgoing, HANDING_OVER).await
    }
}

impl<S> SqsDeadLetters<S> {
    /// The dead letter queues of these two lanes.
    #[must_use]
    pub const fn new(client: S, lanes: ChannelQueues) -> Self {
        Self { client, lanes }
    }
}

impl<S: Sqs> Bury for SqsDeadLetters<S> {
    async fn bury(&self, letters: &[DeadLetter]) -> Vec<Result<(), Unavailable>> {
        let outgoing = letters
            .iter()
            .map(|letter| {
                let mut attributes = vec![("reason", stated(&letter.reason))];
                attributes.extend(letter.id.map(|id| ("notificationId", id.to_string())));
                let body = domain::clean_block(&letter.body);
                if body.len() > MAX_BATCH_BYTES - 4_096 {
                    attributes.push(("shortenedFrom", format!("{} bytes", body.len())));
                }
                let body = shortened(&body, MAX_BATCH_BYTES - 4_096);
                Some(Outgoing {
                    queue_url: dead_letters_of(if letter.is_urgent {
                        &self.lanes.urgent
                    } else {
                        &self.lanes.normal
                    }),
                    body: if body.is_empty() { "(empty)".to_owned() } else { body },
                    delay_seconds: None,
                    attributes,
                    trace: None,
                })
            })
            .collect();
        send_all(&self.client, outgoing, BURYING).await
    }
}

impl<S> SqsVisibility<S> {
    /// Visibility over this client.
    #[must_use]
    pub const fn new(client: S) -> Self {
        Self { client }
    }
}

impl<S: Sqs> HoldBack for SqsVisibility<S> {
    async fn hold_back(&self, queue_url: &str, waits: &[(String, i64)]) {
        for chunk in waits.chunks(MAX_ENTRIES) {
            let entries: Vec<ChangeMessageVisibilityBatchRequestEntry> = chunk
                .iter()
                .enumerate()
                .filter_map(|(index, (receipt_handle, seconds))| {
                    let seconds = i32::try_from((*seconds).clamp(0, MAX_VISIBILITY_SECONDS)).ok()?;
                    ChangeMessageVisibilityBatchRequestEntry::builder()
                        .id(index.to_string())
                        .receipt_handle(receipt_handle)
                        .visibility_timeout(seconds)
                        .build()
                        .ok()
                })
                .collect();
            let request = ChangeMessageVisibilityBatchInputBuilder::default()
                .queue_url(queue_url)
                .set_entries(Some(entries));
            let answer = self.client.change_message_visibility_batch(request).await;
            // A batch answers 200 with failures of single entries.
            let (count, error) = match answer {
                Ok(output) => match output.failed().first() {
                    None => continue,
                    Some(failed) => (output.failed().len(), failed.code().to_owned()),
                },
                Err(error) => (chunk.len(), in_few_words(&error)),
            };
            tracing::warn!(error = %error, "could not hide {count} messages; they come back at their queue's own time");
        }
    }
}

impl SqsQueue {
    /// The queue at this address.
    #[must_use]
    pub const fn new(client: Client, queue_url: String) -> Self {
        Self { client, queue_url }
    }
}

impl Enqueue for SqsQueue {
    async fn enqueue(&self, texts: &[String]) -> Vec<Result<(), Unavailable>> {
        self.put_all(texts).await
    }
}

impl SqsQueue {
    /// Puts each text there, for callers that run on more than one thread.
    pub async fn put_all(&self, texts: &[String]) -> Vec<Result<(), Unavailable>> {
        let outgoing = texts.iter().map(|text| {
            Some(Outgoing {
                queue_url: self.queue_url.clone(),
                body: text.clone(),
                delay_seconds: None,
                attributes: Vec::new(),
                trace: None,
            })
        });
        send_all(&self.client, outgoing.collect(), ENQUEUING).await
    }
}

/// Sends messages in as few batches as their queues and sizes allow. A batch answers 200 with failures of single entries.
async fn send_all(
    client: &impl Sqs,
    outgoing: Vec<Option<Outgoing>>,
    doing: &'static str,
) -> Vec<Result<(), Unavailable>> {
    let mut results: Vec<Result<(), Unavailable>> = outgoing
        .iter()
        .map(|_| Err(Unavailable::new(doing, "no queue is configured for it")))
        .collect();
    for batch in batches(outgoing) {
        let Some(queue_url) = batch.first().map(|(_, outgoing)| outgoing.queue_url.clone()) else {
            continue;
        };
        let entries: Vec<SendMessageBatchRequestEntry> = batch
            .iter()
            .filter_map(|(index, outgoing)| entry(*index, outgoing))
            .collect();
        let request = SendMessageBatchInputBuilder::default()
            .queue_url(queue_url)
            .set_entries(Some(entries));
        let answer = client.send_message_batch(request).await;
        let accepted: Result<Vec<String>, String> = match answer {
            Ok(output) => {
                for failed in output.failed() {
                    if let Some(result) = failed.id().parse().ok().and_then(|index: usize| results.get_mut(index)) {
                        *result = Err(Unavailable::new(doing, failed.code().to_owned()));
                    }
                }
                Ok(output.successful().iter().map(|entry| entry.id().to_owned()).collect())
            }
            Err(error) => Err(in_few_words(&error)),
        };
        match accepted {
            Ok(ids) => ids.iter().filter_map(|id| id.parse::<usize>().ok()).for_each(|index| {
                if let Some(result) = results.get_mut(index) {
                    *result = Ok(());
                }
            }),
            Err(why) => batch.iter().for_each(|(index, _)| {
                if let Some(result) = results.get_mut(*index) {
                    *result = Err(Unavailable::new(doing, why.clone()));
                }
            }),
        }
    }
    results
}

/// Groups messages by queue, at most ten and at most the batch's bytes together; each with its place in the answer.
fn batches(outgoing: Vec<Option<Outgoing>>) -> Vec<Vec<(usize, Outgoing)>> {
    let mut batches: Vec<(usize, Vec<(usize, Outgoing)>)> = Vec::new();
    for (index, outgoing) in outgoing
        .into_iter()
        .enumerate()
        .filter_map(|(index, outgoing)| Some((index, outgoing?)))
    {
        let size = outgoing.body.len()
            + outgoing
                .attributes
                .iter()
                .map(|(name, value)| name.len() + value.len() + 16)
                .sum::<usize>();
        let open = batches.iter_mut().find(|(bytes, batch)| {
            batch.len() < MAX_ENTRIES
                && bytes + size <= MAX_BATCH_BYTES
                && batch
                    .first()
                    .is_some_and(|(_, first)| first.queue_url == outgoing.queue_url)
        });
        match open {
            Some((bytes, batch)) => {
                *bytes += size;
                batch.push((index, outgoing));
            }
            None => batches.push((size, vec![(index, outgoing)])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

fn entry(index: usize, outgoing: &Outgoing) -> Option<SendMessageBatchRequestEntry> {
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(&outgoing.body)
        .set_delay_seconds(outgoing.delay_seconds);
    for (name, value) in &outgoing.attributes {
        let value = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(value)
            .build()
            .ok()?;
        entry = entry.message_attributes(*name, value);
    }
    if let Some(trace) = outgoing.trace {
        let value = MessageSystemAttributeValue::builder()
            .data_type("String")
            .string_value(trace.to_string())
            .build()
            .ok()?;
        entry = entry.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
    }
    entry.build().ok()
}

/// A delay as SQS takes it, never too short; nothing where there is none.
fn whole_seconds(delay: SignedDuration) -> Option<i32> {
    let milliseconds = delay.clamp(SignedDuration::ZERO, LONGEST_DELAY).as_millis();
    i32::try_from((milliseconds + 999) / 1_000)
        .ok()
        .filter(|seconds| *seconds > 0)
}

/// A reason as SQS takes it: one line, not too long, and never empty.
fn stated(reason: &str) -> String {
    let reason = shortened(&domain::clean_line(reason), 2_000);
    if reason.is_empty() {
        "no reason was given".to_owned()
    } else {
        reason
    }
}

/// The text, cut at a letter's edge to at most so many bytes.
fn shortened(text: &str, max_bytes: usize) -> String {
    text.get(..text.floor_char_boundary(max_bytes))
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
    use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchResultEntry};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use testkit::{at, confirmation, email_request, shipped};

    fn outgoing(queue: &str, bytes: usize) -> Option<Outgoing> {
        Some(Outgoing {
            queue_url: queue.to_owned(),
            body: "x".repeat(bytes),
            delay_seconds: None,
            attributes: Vec::new(),
            trace: None,
        })
    }

    #[test]
    fn messages_are_grouped_by_queue_count_and_bytes() {
        let small = (0..12).map(|n| outgoing(if n % 2 == 0 { "a" } else { "b" }, 10));
        let large = (0..3).map(|_| outgoing("a", 100 * 1024));
        let sizes: Vec<usize> = batches(small.chain(large).collect()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [8, 6, 1]);
    }

    #[tokio::test]
    async fn an_entry_that_failed_alone_fails_alone() {
        let rule = mock!(Client::send_message_batch).then_output(|| {
            let sent = SendMessageBatchResultEntry::builder()
                .id("0")
                .message_id("m")
                .md5_of_message_body("")
                .build()
                .unwrap();
            let failed = BatchResultErrorEntry::builder()
                .id("1")
                .code("InternalError")
                .sender_fault(false)
                .build()
                .unwrap();
            SendMessageBatchOutput::builder()
                .successful(sent)
                .failed(failed)
                .build()
                .unwrap()
        });
        let client = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [&rule]);
        let lanes = ChannelQueues {
            normal: "https://sqs/normal".to_owned(),
            urgent: "https://sqs/urgent".to_owned(),
        };
        let queues = SqsQueues::new(client, HashMap::from([(Channel::Email, lanes)]));
        let requests = ["1", "2"].map(|order| (email_request(&shipped("a", order, at(1))), SignedDuration::ZERO));
        let handed = queues.hand_over(&requests).await;
        assert!(handed[0].is_ok() && handed[1].is_err());
    }

    #[tokio::test]
    async fn an_urgent_delivery_takes_the_urgent_lane() {
        let rule = mock!(Client::send_message_batch)
            .match_requests(|request| request.queue_url() == Some("https://sqs/urgent"))
            .then_output(|| {
                let sent = SendMessageBatchResultEntry::builder()
                    .id("0")
                    .message_id("m")
                    .md5_of_message_body("")
                    .build()
                    .unwrap();
                SendMessageBatchOutput::builder()
                    .successful(sent)
                    .set_failed(Some(Vec::new()))
                    .build()
                    .unwrap()
            });
        let client = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [&rule]);
        let lanes = ChannelQueues {
            normal: "https://sqs/normal".to_owned(),
            urgent: "https://sqs/urgent".to_owned(),
        };
        let queues = SqsQueues::new(client, HashMap::from([(Channel::Email, lanes)]));
        let request = email_request(&confirmation("a", "1", at(1)));
        assert!(queues.hand_over(&[(request, SignedDuration::ZERO)]).await[0].is_ok());
    }

    #[test]
    fn a_traced_delivery_carries_its_trace_beside_its_body() {
        let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        let traced = Outgoing {
            trace: TraceContext::of_header(header),
            ..outgoing("a", 1).unwrap()
        };
        let entry = entry(0, &traced).unwrap();
        let carried = entry.message_system_attributes().unwrap();
        let value = &carried[&MessageSystemAttributeNameForSends::AwsTraceHeader];
        assert_eq!((value.data_type(), value.string_value()), ("String", Some(header)));
    }

    #[test]
    fn a_delivery_that_is_not_traced_carries_nothing_more() {
        assert_eq!(
            entry(0, &outgoing("a", 1).unwrap())
                .unwrap()
                .message_system_attributes(),
            None
        );
    }

    #[test]
    fn a_delay_is_whole_seconds_and_never_too_short_or_longer_than_sqs_takes() {
        let seconds = |milliseconds| whole_seconds(SignedDuration::from_millis(milliseconds));
        assert_eq!(
            [-5, 0, 1, 1_000, 1_001].map(seconds),
            [None, None, Some(1), Some(1), Some(2)]
        );
        assert_eq!([900_000, 900_001].map(seconds), [Some(900), Some(900)]);
    }

    #[tokio::test]
    async fn a_letter_carries_its_reason_and_never_an_empty_body() {
        let rule = mock!(Client::send_message_batch)
            .match_requests(|request| {
                let entry = &request.entries()[0];
                let reason = entry
                    .message_attributes()
                    .and_then(|all| all.get("reason"))
                    .and_then(MessageAttributeValue::string_value);
                request.queue_url() == Some("https://sqs/normal-dead-letters")
                    && entry.message_body() == "(empty)"
                    && reason == Some("why not")
            })
            .then_output(|| {
                let sent = SendMessageBatchResultEntry::builder()
                    .id("0")
                    .message_id("m")
                    .md5_of_message_body("")
                    .build()
                    .unwrap();
                SendMessageBatchOutput::builder()
                    .successful(sent)
                    .set_failed(Some(Vec::new()))
                    .build()
                    .unwrap()
            });
        let client = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [&rule]);
        let lanes = ChannelQueues {
            normal: "https://sqs/normal".to_owned(),
            urgent: "https://sqs/urgent".to_owned(),
        };
        let letter = DeadLetter {
            body: "\u{FFFE}".to_owned(),
            reason: "why\nnot".to_owned(),
            id: None,
            is_urgent: false,
        };
        assert!(SqsDeadLetters::new(client, lanes).bury(&[letter]).await[0].is_ok());
    }
}
