//! Which permissions a request needs: the IAM actions behind its operation, and what each of them is done to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use hyper::http::request::Parts;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::operation::{Body, Seen};

/// A permission, as AWS asks for it in an account (Service Authorization Reference).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Access {
    /// `dynamodb:Query`.
    pub action: String,
    /// The end of the ARN, without partition, region and account: `table/NAME/index/INDEX`, `identity/ADDRESS`, the name of a queue
    /// or of a topic. `*` where the action is on nothing that has a name.
    pub resource: String,
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} on {}", self.action, self.resource)
    }
}

/// What was done with the same credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exercised {
    /// The processes that were seen with them: functions by their names, others by their programs'.
    pub callers: BTreeSet<String>,
    /// The permissions that their requests needed, granted or not.
    pub accesses: BTreeSet<Access>,
}

/// What was done, by the id of the access key with which it was signed.
pub type ByKey = BTreeMap<String, Exercised>;

/// A signed request: with which key, and what it needs.
#[derive(Debug)]
pub(crate) struct Signed {
    pub(crate) key: String,
    pub(crate) accesses: Vec<Access>,
}

impl Signed {
    /// Reads the scope of the signature (AWS, "Signature Version 4"); a request without one needs no permission.
    pub(crate) fn read(head: &Parts, seen: &Seen) -> Option<Self> {
        let header = head.headers.get("authorization")?.to_str().ok()?;
        let (_, scope) = header.split_once("Credential=")?;
        let mut scope = scope.split(',').next()?.split('/');
        let (key, _date, _region, service) = (scope.next()?, scope.next()?, scope.next()?, scope.next()?);
        Some(Self {
            key: key.to_owned(),
            accesses: needed(service, head, seen),
        })
    }
}

fn needed(service: &str, head: &Parts, seen: &Seen) -> Vec<Access> {
    match service {
        "dynamodb" => of_dynamodb(seen),
        "sqs" => vec![of_sqs(seen)],
        "sns" => vec![on("sns", &seen.operation, last_part(seen.body.field("TopicArn")))],
        "ses" => of_ses(head, seen),
        "lambda" => vec![of_lambda(head, seen)],
        "s3" => vec![of_s3(head, seen)],
        "secretsmanager" => vec![of_secrets_manager(seen)],
        other => vec![on(other, &seen.operation, None)],
    }
}

fn on(service: &str, operation: &str, resource: Option<String>) -> Access {
    Access {
        action: format!("{service}:{operation}"),
        resource: resource.unwrap_or_else(|| "*".to_owned()),
    }
}

/// The batch and transaction calls need what they hold; a statement in PartiQL needs an action of its own kind.
fn of_dynamodb(seen: &Seen) -> Vec<Access> {
    let on_table = |operation: &str, table: &str| on("dynamodb", operation, Some(format!("table/{table}")));
    let body = &seen.body;
    match seen.operation.as_str() {
        operation @ ("BatchGetItem" | "BatchWriteItem") => match body.at("/RequestItems") {
            Some(Value::Object(tables)) => tables.keys().map(|table| on_table(operation, table)).collect(),
            _ => vec![on("dynamodb", operation, None)],
        },
        "TransactWriteItems" => items(body, "/TransactItems")
            .filter_map(Value::as_object)
            .flatten()
            .filter_map(|(kind, item)| {
                let action = match kind.as_str() {
                    "ConditionCheck" => "ConditionCheckItem".to_owned(),
                    other => format!("{other}Item"),
                };
                Some(on_table(&action, item.get("TableName")?.as_str()?))
            })
            .collect(),
        "BatchExecuteStatement" => items(body, "/Statements")
            .filter_map(|entry| entry.get("Statement")?.as_str())
            .map(of_statement)
            .collect(),
        operation => match (body.field("TableName"), body.field("IndexName")) {
            (Some(table), Some(index)) => vec![on_table(operation, &format!("{table}/index/{index}"))],
            (Some(table), None) => vec![on_table(operation, table)],
            (None, _) => vec![on("dynamodb", operation, None)],
        },
    }
}

/// `UPDATE "table" SET …` needs `dynamodb:PartiQLUpdate` on the table.
fn of_statement(statement: &str) -> Access {
    let verb = statement.split_whitespace().next().unwrap_or_default();
    let action = match verb.to_ascii_uppercase().as_str() {
        "INSERT" => "PartiQLInsert",
        "UPDATE" => "PartiQLUpdate",
        "DELETE" => "PartiQLDelete",
        _ => "PartiQLSelect",
    };
    let table = statement.split('"').nth(1).map(|table| format!("table/{table}"));
    on("dynamodb", action, table)
}

/// The batch forms go with the single ones.
fn of_sqs(seen: &Seen) -> Access {
    let operation = seen.operation.strip_suffix("Batch").unwrap_or(&seen.operation);
    on("sqs", operation, last_part(seen.body.field("QueueUrl")))
}

/// An e-mail is sent as an identity and with a configuration set.
fn of_ses(head: &Parts, seen: &Seen) -> Vec<Access> {
    if seen.operation == "SendEmail" {
        let address = |from: &str| {
            let bare = from.rsplit_once('<').map_or(from, |(_, bare)| bare);
            format!("identity/{}", bare.trim_end_matches('>'))
        };
        let identity = seen.body.field("FromEmailAddress").map(address);
        let set = seen.body.field("ConfigurationSetName");
        let set = set.map(|name| on("ses", "SendEmail", Some(format!("configuration-set/{name}"))));
        return std::iter::once(on("ses", "SendEmail", identity)).chain(set).collect();
    }
    let identity = head.uri.path().strip_prefix("/v2/email/identities/");
    vec![match (head.method.as_str(), identity) {
        ("GET", Some(identity)) => on(
            "ses",
            "GetEmailIdentity",
            Some(format!("identity/{}", decoded(identity))),
        ),
        _ => on("ses", &seen.operation, None),
    }]
}

fn of_lambda(head: &Parts, seen: &Seen) -> Access {
    let path = decoded(head.uri.path());
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match (head.method.as_str(), parts.as_slice()) {
        ("POST", [_, "functions", name, "invocations"]) => {
            // A name, or an ARN; either may end with an alias.
            let name = name.rsplit_once("function:").map_or(*name, |(_, name)| name);
            let name = name.split(':').next().map(|name| format!("function:{name}"));
            on("lambda", "InvokeFunction", name)
        }
        (method @ ("GET" | "PUT"), [_, "event-source-mappings", id]) => {
            let operation = match method {
                "GET" => "GetEventSourceMapping",
                _ => "UpdateEventSourceMapping",
            };
            on("lambda", operation, Some(format!("event-source-mapping:{id}")))
        }
        _ => on("lambda", &seen.operation, None),
    }
}

/// Objects of a bucket are named by their bucket alone: which of them is nobody's business.
fn of_s3(head: &Parts, seen: &Seen) -> Access {
    let path = head.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let objects = format!("{bucket}/*");
    match (head.method.as_str(), key) {
        // `HeadBucket` asks for the right to list.
        ("HEAD", "") => on("s3", "ListBucket", Some(bucket.to_owned())),
        ("PUT", key) if !key.is_empty() => on("s3", "PutObject", Some(objects)),
        ("GET", key) if !key.is_empty() => on("s3", "GetObject", Some(objects)),
        _ => on("s3", &seen.operation, None),
    }
}

/// A secret's ARN ends with its name, a hyphen and six characters that AWS chose.
fn of_secrets_manager(seen: &Seen) -> Access {
    let name = last_part(seen.body.field("SecretId")).map(|name| match name.rsplit_once('-') {
        Some((bare, chosen)) if chosen.len() == 6 => format!("secret:{bare}"),
        _ => format!("secret:{name}"),
    });
    on("secretsmanager", &seen.operation, name)
}

fn items<'a>(body: &'a Body, pointer: &str) -> impl Iterator<Item = &'a Value> {
    body.at(pointer).and_then(Value::as_array).into_iter().flatten()
}

/// The name at the end of an ARN or of a queue's address. The name of a secret holds slashes.
fn last_part(name: Option<&str>) -> Option<String> {
    let name = name?;
    let last = match name.strip_prefix("http") {
        Some(_) => name.rsplit('/').next(),
        None => name.rsplit(':').next(),
    };
    last.map(str::to_owned)
}

/// A part of a path, without percent signs.
fn decoded(text: &str) -> String {
    // A plus sign means itself in a path.
    let text = text.replace('+', "%2B");
    form_urlencoded::parse(format!("={text}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;
    use serde_json::json;

    /// `action resource` of each permission.
    fn needs(service: &str, request: hyper::http::request::Builder, body: &str) -> Vec<String> {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=ASIA1/20261121/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let (head, body) = request.header("authorization", scope).body(body).unwrap().into_parts();
        let seen = Seen::read(&head, body.as_bytes());
        let signed = Signed::read(&head, &seen).unwrap();
        assert_eq!(signed.key, "ASIA1");
        signed
            .accesses
            .iter()
            .map(|Access { action, resource }| format!("{action} {resource}"))
            .collect()
    }

    fn dynamodb(operation: &str, body: &Value) -> Vec<String> {
        let target = format!("DynamoDB_20120810.{operation}");
        needs(
            "dynamodb",
            Request::post("/").header("x-amz-target", target),
            &body.to_string(),
        )
    }

    #[test]
    fn a_statement_needs_the_action_of_its_verb() {
        let statements = json!({"Statements": [
            {"Statement": "INSERT INTO \"ledger\" VALUE {'id': ?}"},
            {"Statement": "UPDATE \"ledger\" SET a = ? WHERE id = ?"},
        ]});
        assert_eq!(
            dynamodb("BatchExecuteStatement", &statements),
            [
                "dynamodb:PartiQLInsert table/ledger",
                "dynamodb:PartiQLUpdate table/ledger"
            ]
        );
    }

    #[test]
    fn a_transaction_needs_what_it_holds() {
        let transaction = json!({"TransactItems": [
            {"Put": {"TableName": "log"}}, {"Update": {"TableName": "orders"}}, {"ConditionCheck": {"TableName": "orders"}},
        ]});
        assert_eq!(
            dynamodb("TransactWriteItems", &transaction),
            [
                "dynamodb:PutItem table/log",
                "dynamodb:UpdateItem table/orders",
                "dynamodb:ConditionCheckItem table/orders"
            ]
        );
    }

    #[test]
    fn a_batch_needs_its_own_action_on_every_table() {
        assert_eq!(
            dynamodb("BatchGetItem", &json!({"RequestItems": {"a": {}, "b": {}}})),
            ["dynamodb:BatchGetItem table/a", "dynamodb:BatchGetItem table/b"]
        );
    }

    #[test]
    fn a_query_of_an_index_is_one_of_the_index_alone() {
        assert_eq!(
            dynamodb("Query", &json!({"TableName": "ledger", "IndexName": "by-user"})),
            ["dynamodb:Query table/ledger/index/by-user"]
        );
    }

    #[test]
    fn a_batch_of_messages_needs_what_one_message_needs() {
        let request = Request::post("/").header("x-amz-target", "AmazonSQS.SendMessageBatch");
        let body = r#"{"QueueUrl":"http://127.0.0.1:4566/000000000000/shop-email"}"#;
        assert_eq!(needs("sqs", request, body), ["sqs:SendMessage shop-email"]);
    }

    #[test]
    fn an_email_needs_its_identity_and_its_configuration_set() {
        let body = json!({"FromEmailAddress": "\"Shop\" <a@example.com>", "ConfigurationSetName": "set"});
        assert_eq!(
            needs("ses", Request::post("/v2/email/outbound-emails"), &body.to_string()),
            [
                "ses:SendEmail identity/a@example.com",
                "ses:SendEmail configuration-set/set"
            ]
        );
    }

    #[test]
    fn an_identity_is_asked_for_by_its_path() {
        assert_eq!(
            needs("ses", Request::get("/v2/email/identities/a%40example.com"), ""),
            ["ses:GetEmailIdentity identity/a@example.com"]
        );
    }

    #[test]
    fn a_text_message_is_published_to_nothing_that_has_a_name() {
        let form = |body| {
            let request = Request::post("/").header("content-type", "application/x-www-form-urlencoded");
            needs("sns", request, body)
        };
        assert_eq!(form("Action=Publish&PhoneNumber=%2B34600123456"), ["sns:Publish *"]);
        assert_eq!(
            form("Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A000000000000%3Aorders"),
            ["sns:Publish orders"]
        );
    }

    #[test]
    fn lambda_is_told_by_method_and_path() {
        let cases = [
            (
                Request::post("/2015-03-31/functions/shop-email/invocations"),
                "lambda:InvokeFunction function:shop-email",
            ),
            (
                Request::get("/2015-03-31/event-source-mappings/1f2e"),
                "lambda:GetEventSourceMapping event-source-mapping:1f2e",
            ),
            (
                Request::put("/2015-03-31/event-source-mappings/1f2e"),
                "lambda:UpdateEventSourceMapping event-source-mapping:1f2e",
            ),
        ];
        for (request, expected) in cases {
            assert_eq!(needs("lambda", request, ""), [expected]);
        }
    }

    #[test]
    fn an_object_is_named_by_its_bucket() {
        let request = Request::put("/archive/fedex/2026/11/21/1.json?x-id=PutObject");
        assert_eq!(needs("s3", request, "{}"), ["s3:PutObject archive/*"]);
    }

    #[test]
    fn whether_a_bucket_is_there_is_told_to_those_who_may_list_it() {
        for path in ["/archive", "/archive/"] {
            assert_eq!(needs("s3", Request::head(path), ""), ["s3:ListBucket archive"]);
        }
    }

    #[test]
    fn a_secret_is_known_by_its_name() {
        let request = Request::post("/").header("x-amz-target", "secretsmanager.GetSecretValue");
        let body = r#"{"SecretId":"arn:aws:secretsmanager:eu-west-1:000000000000:secret:shop/carriers-a1B2c3"}"#;
        assert_eq!(
            needs("secretsmanager", request, body),
            ["secretsmanager:GetSecretValue secret:shop/carriers"]
        );
    }

    #[test]
    fn an_unknown_service_is_not_overlooked() {
        let request = Request::post("/").header("x-amz-target", "TrentService.Decrypt");
        assert_eq!(needs("kms", request, "{}"), ["kms:Decrypt *"]);
    }

    #[test]
    fn a_request_without_a_signature_needs_nothing() {
        let (head, ()) = Request::get("/").body(()).unwrap().into_parts();
        assert!(Signed::read(&head, &Seen::read(&head, b"")).is_none());
    }
}
