//! What is remembered of a call: the fields that tests ask about, never a whole body.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operation::{Body, Seen};
use crate::rule::RuleId;

/// One request that passed, or did not pass.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The AWS operation, or method and path where it is not known.
    pub operation: String,
    /// When the request had arrived, in milliseconds since 1970.
    pub at_ms: u64,
    /// The HTTP status that the caller was given; absent when it was given none, or none yet.
    pub status: Option<u16>,
    /// The HTTP status with which the emulator answered; absent when the request was not forwarded, or is not answered yet.
    pub upstream_status: Option<u16>,
    /// The rule that was applied.
    pub rule: Option<RuleId>,
    /// The size of the body.
    pub body_bytes: u64,
    /// The last part of the table's, queue's or topic's name, where the request names one.
    pub resource: Option<String>,
    /// Who called: the function's name, or its program's where it is no function; absent where it is not known.
    pub caller: Option<String>,
    /// What a rule did to the caller's process, such as `killed`, or why it did not.
    pub done_to_caller: Option<String>,
    /// What `SendEmail` asked for.
    pub email: Option<Email>,
    /// What `Publish` asked for.
    pub publication: Option<Publication>,
}

/// What `SendEmail` asked for, without the message itself, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Email {
    /// The sender, as written.
    pub from: Option<String>,
    /// The recipients.
    pub to: Vec<String>,
    /// The subject of a simple message.
    pub subject: Option<String>,
    /// Message tags.
    pub tags: BTreeMap<String, String>,
    /// Headers of a simple message.
    pub headers: BTreeMap<String, String>,
    /// The configuration set.
    pub configuration_set: Option<String>,
    /// The id that the emulator gave it, once it accepted it.
    pub message_id: Option<String>,
    /// How many events were published about it, by `eventType`.
    pub events: BTreeMap<String, u64>,
}

/// What `Publish` asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Publication {
    /// The number, when it is an SMS.
    pub phone: Option<String>,
    /// The text.
    pub message: String,
    /// Message attributes, such as `AWS.SNS.SMS.SMSType`.
    pub attributes: BTreeMap<String, String>,
}

impl Call {
    pub(crate) fn of(seen: &Seen, at_ms: u64, rule: Option<RuleId>) -> Self {
        Self {
            operation: seen.operation.clone(),
            at_ms,
            status: None,
            upstream_status: None,
            rule,
            body_bytes: seen.body_bytes as u64,
            resource: resource(&seen.body),
            caller: None,
            done_to_caller: None,
            email: (seen.operation == "SendEmail").then(|| email(&seen.body)),
            publication: (seen.operation == "Publish").then(|| publication(&seen.body)),
        }
    }

    /// Whether a field that is remembered contains `text`.
    pub fn mentions(&self, text: &str) -> bool {
        let has = |field: &String| field.contains(text);
        self.resource.as_ref().is_some_and(has)
            || self.email.as_ref().is_some_and(|email| {
                email.to.iter().any(has)
                    || email
                        .subject
                        .iter()
                        .chain(&email.from)
                        .chain(&email.configuration_set)
                        .chain(&email.message_id)
                        .any(has)
                    || email.tags.values().chain(email.headers.values()).any(has)
            })
            || self.publication.as_ref().is_some_and(|publication| {
                has(&publication.message) || publication.phone.iter().chain(publication.attributes.values()).any(has)
            })
    }
}

fn resource(body: &Body) -> Option<String> {
    let name = ["TableName", "QueueUrl", "TopicArn"]
        .iter()
        .find_map(|field| body.field(field))?;
    name.rsplit(['/', ':']).next().map(str::to_owned)
}

fn email(body: &Body) -> Email {
    let text = |pointer| body.at(pointer).and_then(Value::as_str).map(str::to_owned);
    Email {
        from: text("/FromEmailAddress"),
        to: body
            .at("/Destination/ToAddresses")
            .and_then(Value::as_array)
            .map(|addresses| addresses.iter().filter_map(Value::as_str).map(str::to_owned).collect())
            .unwrap_or_default(),
        subject: text("/Content/Simple/Subject/Data"),
        tags: pairs(body.at("/EmailTags")),
        headers: pairs(body.at("/Content/Simple/Headers")),
        configuration_set: text("/ConfigurationSetName"),
        message_id: None,
        events: BTreeMap::new(),
    }
}

/// `[{"Name": …, "Value": …}]` as a map.
fn pairs(list: Option<&Value>) -> BTreeMap<String, String> {
    let pair = |entry: &Value| {
        let name = entry.get("Name")?.as_str()?;
        Some((name.to_owned(), entry.get("Value")?.as_str()?.to_owned()))
    };
    list.and_then(Value::as_array)
        .map(|entries| entries.iter().filter_map(pair).collect())
        .unwrap_or_default()
}

fn publication(body: &Body) -> Publication {
    let field = |name: &str| body.field(name).map(str::to_owned);
    let attribute = |number: u32| {
        let name = field(&format!("MessageAttributes.entry.{number}.Name"))?;
        Some((
            name,
            field(&format!("MessageAttributes.entry.{number}.Value.StringValue")).unwrap_or_default(),
        ))
    };
    Publication {
        phone: field("PhoneNumber"),
        message: field("Message").unwrap_or_default(),
        attributes: (1..).map_while(attribute).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;
    use serde_json::json;

    fn send_email() -> Call {
        let body = json!({
            "FromEmailAddress": "\"E-Com67 Platform\" <noreply@e-com67.com>",
            "Destination": {"ToAddresses": ["ana@example.com"]},
            "Content": {"Simple": {
                "Subject": {"Data": "Tu pedido 1001"},
                "Body": {"Text": {"Data": "Hola"}},
                "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://example.com/u>"}],
            }},
            "EmailTags": [{"Name": "channel", "Value": "email"}],
            "ConfigurationSetName": "notifications",
        });
        let (head, ()) = Request::post("/v2/email/outbound-emails")
            .body(())
            .unwrap()
            .into_parts();
        Call::of(&Seen::read(&head, body.to_string().as_bytes()), 0, None)
    }

    fn publish() -> Call {
        let body = "Action=Publish&PhoneNumber=%2B34600123456&Message=Tu+pedido+va+en+camino\
            &MessageAttributes.entry.1.Name=AWS.SNS.SMS.SMSType&MessageAttributes.entry.1.Value.DataType=String\
            &MessageAttributes.entry.1.Value.StringValue=Transactional";
        let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let (head, ()) = request.body(()).unwrap().into_parts();
        Call::of(&Seen::read(&head, body.as_bytes()), 0, None)
    }

    #[test]
    fn tags_that_the_emulator_forgets_are_remembered() {
        assert_eq!(
            send_email().email.unwrap().tags,
            BTreeMap::from([("channel".to_owned(), "email".to_owned())])
        );
    }

    #[test]
    fn the_headers_of_an_email_are_remembered() {
        assert_eq!(
            send_email().email.unwrap().headers["List-Unsubscribe"],
            "<https://example.com/u>"
        );
    }

    #[test]
    fn an_sms_is_remembered_decoded() {
        let publication = publish().publication.unwrap();
        assert_eq!(publication.phone.as_deref(), Some("+34600123456"));
        assert_eq!(publication.message, "Tu pedido va en camino");
        assert_eq!(publication.attributes["AWS.SNS.SMS.SMSType"], "Transactional");
    }

    #[test]
    fn a_call_is_found_by_its_recipient() {
        assert!(send_email().mentions("ana@example.com"));
        assert!(publish().mentions("+34600123456"));
    }

    #[test]
    fn a_call_is_not_found_by_what_was_not_remembered() {
        assert!(!send_email().mentions("Hola"));
    }

    #[test]
    fn a_queue_is_known_by_its_name() {
        let (head, ()) = Request::post("/")
            .header("x-amz-target", "AmazonSQS.SendMessage")
            .body(())
            .unwrap()
            .into_parts();
        let body = br#"{"QueueUrl":"http://localhost:4566/000000000000/e-com67-email"}"#;
        assert_eq!(
            Call::of(&Seen::read(&head, body), 0, None).resource.as_deref(),
            Some("e-com67-email")
        );
    }
}
