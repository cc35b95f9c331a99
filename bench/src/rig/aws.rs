//! The endpoints of AWS that functions call: DynamoDB, SQS and SES behind one port, told apart as AWS tells them apart.

use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::dynamo::Dynamo;
use super::http::{Answer, Request, Response};

/// How often an operation was called, and with how many bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Calls {
    /// Requests.
    pub requests: u64,
    /// Bytes of their heads and bodies, without what TLS adds.
    pub bytes: u64,
}

/// What AWS holds and has counted.
#[derive(Debug, Default)]
pub struct World {
    /// The tables.
    pub dynamo: Dynamo,
    /// The messages of queues whose messages are kept, by the queue's name.
    pub queues: HashMap<String, Vec<String>>,
    /// How many e-mails SES took, by recipient.
    pub emails: HashMap<String, u32>,
    /// How many e-mails SES took.
    pub email_count: u64,
    /// Calls by operation: `dynamodb:GetItem`.
    pub calls: BTreeMap<String, Calls>,
    /// Refused calls that are no failed condition, by operation and reason: nobody should make any.
    pub refusals: BTreeMap<String, u64>,
    message_ids: u64,
}

/// How long the endpoints take to answer, beyond what answering costs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Delays {
    /// DynamoDB and SQS.
    pub usual: Duration,
    /// SES.
    pub ses: Duration,
}

/// The endpoints.
#[derive(Debug, Clone)]
pub struct Endpoints {
    world: Arc<Mutex<World>>,
    delays: Delays,
}

impl Endpoints {
    /// Endpoints over nothing yet.
    #[must_use]
    pub fn new(delays: Delays) -> Self {
        Self {
            world: Arc::default(),
            delays,
        }
    }

    /// What they hold and have counted.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer for Endpoints {
    async fn answer(&self, request: Request<'_>) -> Response {
        let response = self.world().answer(&request);
        let delay = if request.target.is_some() {
            self.delays.usual
        } else {
            self.delays.ses
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        response
    }
}

impl World {
    fn answer(&mut self, request: &Request<'_>) -> Response {
        let operation = operation_of(request);
        let bytes = u64::try_from(request.bytes).unwrap_or(u64::MAX);
        match self.calls.get_mut(&*operation) {
            Some(calls) => {
                calls.requests += 1;
                calls.bytes += bytes;
            }
            None => {
                let operation = operation.clone().into_owned();
                self.calls.insert(operation, Calls { requests: 1, bytes });
            }
        }
        let answer = match operation.split_once(':') {
            Some(("dynamodb", name)) => match self.dynamo.answer(name, request.body) {
                Ok(body) => Ok(body),
                Err(refusal) => {
                    if !refusal.is_failed_condition() {
                        self.note_refusal(&operation, &refusal.to_string());
                    }
                    return Response {
                        content_type: "application/x-amz-json-1.0",
                        ..Response::json(400, refusal.body())
                    };
                }
            },
            Some(("sqs", name)) => self.queue(name, request.body),
            Some(("ses", "SendEmail")) => self.send_email(request.body),
            Some(("ses", "SendBulkEmail")) => self.send_bulk_email(request.body),
            _ => Err("no such operation".to_owned()),
        };
        match answer {
            Ok(body) => Response::json(200, body),
            Err(reason) => {
                self.note_refusal(&operation, &reason);
                let body = json!({ "__type": "ValidationException", "message": reason });
                Response::json(400, body.to_string().into_bytes())
            }
        }
    }

    fn note_refusal(&mut self, operation: &str, reason: &str) {
        *self.refusals.entry(format!("{operation}: {reason}")).or_default() += 1;
    }

    fn message_id(&mut self) -> String {
        self.message_ids += 1;
        format!("00000000-0000-4000-8000-{:012x}", self.message_ids)
    }

    fn queue(&mut self, operation: &str, body: &[u8]) -> Result<Vec<u8>, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Call<'a> {
            #[serde(borrow, default)]
            queue_url: Cow<'a, str>,
            #[serde(borrow, default)]
            message_body: Option<Cow<'a, str>>,
            #[serde(borrow, default)]
            entries: Vec<Entry<'a>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Entry<'a> {
            #[serde(borrow)]
            id: Cow<'a, str>,
            #[serde(borrow, default)]
            message_body: Cow<'a, str>,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Accepted<'a> {
            id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            message_id: Option<String>,
            #[serde(rename = "MD5OfMessageBody", skip_serializing_if = "Option::is_none")]
            md5: Option<String>,
        }
        let call: Call<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        let queue = call.queue_url.rsplit('/').next().unwrap_or_default();
        let mut keep = |text: &str| {
            if let Some(messages) = self.queues.get_mut(queue) {
                messages.push(text.to_owned());
            }
        };
        match operation {
            "SendMessage" => {
                let text = call.message_body.unwrap_or_default();
                keep(&text);
                let answer = json!({ "MessageId": self.message_id(), "MD5OfMessageBody": md5_of(&text) });
                Ok(answer.to_string().into_bytes())
            }
            "SendMessageBatch" | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
                let is_sent = operation == "SendMessageBatch";
                if is_sent {
                    call.entries.iter().for_each(|entry| keep(&entry.message_body));
                }
                let accepted: Vec<Accepted<'_>> = call
                    .entries
                    .iter()
                    .map(|entry| Accepted {
                        id: &entry.id,
                        message_id: is_sent.then(|| self.message_id()),
                        md5: is_sent.then(|| md5_of(&entry.message_body)),
                    })
                    .collect();
                serde_json::to_vec(&json!({ "Successful": accepted, "Failed": [] })).map_err(|error| error.to_string())
            }
            "DeleteMessage" | "ChangeMessageVisibility" => Ok(b"{}".to_vec()),
            _ => Err("no such operation".to_owned()),
        }
    }

    fn send_email(&mut self, body: &[u8]) -> Result<Vec<u8>, String> {
        let recipients = recipients_of(body);
        let [recipient] = recipients.as_slice() else {
            return Err(format!("an e-mail has one recipient, not {}", recipients.len()));
        };
        self.count_email(recipient);
        Ok(format!("{{\"MessageId\":\"{}\"}}", self.message_id()).into_bytes())
    }

    fn send_bulk_email(&mut self, body: &[u8]) -> Result<Vec<u8>, String> {
        let recipients = recipients_of(body);
        let mut results = Vec::with_capacity(recipients.len());
        for recipient in &recipients {
            self.count_email(recipient);
            results.push(json!({ "Status": "SUCCESS", "MessageId": self.message_id() }));
        }
        Ok(json!({ "BulkEmailEntryResults": results }).to_string().into_bytes())
    }

    fn count_email(&mut self, recipient: &str) {
        self.email_count += 1;
        match self.emails.get_mut(recipient) {
            Some(count) => *count += 1,
            None => {
                self.emails.insert(recipient.to_owned(), 1);
            }
        }
    }
}

fn operation_of<'r>(request: &Request<'r>) -> Cow<'r, str> {
    match (request.target, request.path) {
        (Some(target), _) => match target.split_once('.') {
            Some(("DynamoDB_20120810", name)) => {
                known(name).map_or_else(|| format!("dynamodb:{name}").into(), Cow::Borrowed)
            }
            Some(("AmazonSQS", name)) => format!("sqs:{name}").into(),
            _ => target.into(),
        },
        (None, "/v2/email/outbound-emails") => "ses:SendEmail".into(),
        (None, "/v2/email/outbound-bulk-emails") => "ses:SendBulkEmail".into(),
        (None, path) => format!("{} {path}", request.method).into(),
    }
}

/// The operations of which there are many need no new text each time.
fn known(name: &str) -> Option<&'static str> {
    [
        "dynamodb:BatchExecuteStatement",
        "dynamodb:BatchGetItem",
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "dynamodb:UpdateItem",
    ]
    .into_iter()
    .find(|known| known.strip_prefix("dynamodb:") == Some(name))
}

/// The first recipient of each e-mail in a body. A body is 20 kB of HTML: it is searched and not parsed. What is found is the
/// field, because a quotation mark inside of a text is escaped.
fn recipients_of(body: &[u8]) -> Vec<String> {
    const FIELD: &[u8] = b"\"ToAddresses\"";
    let addresses = |from: usize| -> Option<String> {
        let rest = body.get(from + FIELD.len()..)?.trim_ascii_start().strip_prefix(b":")?;
        let rest = rest.trim_ascii_start().strip_prefix(b"[")?.trim_ascii_start();
        let mut texts = serde_json::Deserializer::from_slice(rest).into_iter::<String>();
        texts.next()?.ok()
    };
    memchr::memmem::find_iter(body, FIELD).filter_map(addresses).collect()
}

fn md5_of(text: &str) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(32);
    for byte in Md5::digest(text) {
        // Writing into a text does not fail.
        let _never_fails = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn called(world: &mut World, target: Option<&str>, path: &str, body: &str) -> (u16, Value) {
        let response = world.answer(&Request {
            method: "POST",
            path,
            target,
            body: body.as_bytes(),
            bytes: body.len() + 100,
        });
        (response.status, serde_json::from_slice(&response.body).unwrap())
    }

    #[test]
    fn an_email_is_counted_by_its_recipient_wherever_that_stands() {
        let mut world = World::default();
        for body in [
            r#"{"Destination":{"ToAddresses":["ana@example.com"]},"Content":{}}"#,
            r#"{"Content": {"Simple": {"Body": "\"ToAddresses\": [\"x\"]"}}, "Destination": {"ToAddresses": [ "ana@example.com" ]}}"#,
        ] {
            let (status, answer) = called(&mut world, None, "/v2/email/outbound-emails", body);
            assert_eq!(status, 200);
            assert!(answer["MessageId"].is_string());
        }
        assert_eq!(world.emails, HashMap::from([("ana@example.com".to_owned(), 2)]));
        assert_eq!(world.calls["ses:SendEmail"].requests, 2);
    }

    #[test]
    fn a_queue_whose_messages_are_kept_keeps_them() {
        let mut world = World::default();
        world.queues.insert("email".to_owned(), Vec::new());
        let body = r#"{"QueueUrl":"http://h/0/email","Entries":[{"Id":"0","MessageBody":"a\"b"},{"Id":"1","MessageBody":"c"}]}"#;
        let (_, answer) = called(&mut world, Some("AmazonSQS.SendMessageBatch"), "/", body);
        assert_eq!(world.queues["email"], ["a\"b", "c"]);
        assert_eq!(
            answer["Successful"][1]["MD5OfMessageBody"],
            "4a8a08f09d37b73795649038408b5f33"
        );
    }

    #[test]
    fn what_nobody_should_call_is_refused_and_noted() {
        let mut world = World::default();
        for target in ["DynamoDB_20120810.Scan", "AmazonSQS.PurgeQueue", "Other.Thing"] {
            assert_eq!(called(&mut world, Some(target), "/", "{}").0, 400);
        }
        assert_eq!(world.refusals.len(), 3);
        assert_eq!(
            world.calls["dynamodb:Scan"],
            Calls {
                requests: 1,
                bytes: 102
            }
        );
    }
}
