//! The thin client against the SDK's: the same requests on the wire, the same answers, the same errors.

use super::*;
use crate::answer::in_few_words;
use crate::calls::{DynamoDb, Ses, Sqs};
use crate::item::{Item, text};
use crate::{
    ChannelQueues, Connection, ContactKey, DynamoCustomers, DynamoLedger, DynamoTemplates, DynamoTraffic,
    DynamoWaitingRoom, Letter, Sender, SesMailer, SqsDeadLetters, SqsQueues, SqsTroubleBell, SqsVisibility,
};
use aws_sdk_dynamodb::operation::get_item::builders::GetItemInputBuilder;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemInputBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::ports::{
    Bury, CustomersLoad, DeadLetter, Defer, HandOver, HoldBack, LedgerAdvance, LedgerLoad, LedgerRecord, OrderNews,
    SendAnswer, Step, TemplatesLoad, TrafficKeep, TrafficShare,
};
use domain::{
    Breaker, Channel, Contact, Guard, Lease, Notification, NotificationId, OrderId, Preferences, RetryPolicy, Slowed,
    State, UserId, decide,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use testkit::{at, confirmation, email_request, shipped, shop_defaults};

const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// A request as it came over the wire.
#[derive(Debug, Clone, PartialEq)]
struct Seen {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Seen {
    /// What has to be the same, whoever sends it.
    fn meaning(&self) -> Value {
        let header = |name: &str| self.headers.get(name);
        json!({
            "line": format!("{} {}", self.method, self.path),
            "content-type": header("content-type"),
            "target": header("x-amz-target"),
            "query mode": header("x-amzn-query-mode"),
            "body": serde_json::from_slice::<Value>(&self.body).unwrap(),
        })
    }
}

/// A reply: status, headers, body. None closes the connection.
type Reply = Option<(u16, Vec<(&'static str, String)>, String)>;

/// An AWS that answers what it is told to, and keeps what it was asked.
struct Aws {
    endpoint: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Aws {
    fn answering(answer: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (all, answer) = (Arc::clone(&seen), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &all, &*answer));
            }
        });
        Self { endpoint, seen }
    }

    fn sdk(&self) -> Connection {
        Connection::to(&self.endpoint, "eu-west-1", credentials())
    }

    fn thin(&self) -> ThinConnection {
        ThinConnection {
            pool: Pool::new(None),
            region: "eu-west-1".to_owned(),
            credentials: credentials(),
            endpoint: Some(self.endpoint.clone()),
        }
    }

    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", SECRET, Some("token/of=session".to_owned()), None, "test")
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Seen>>, answer: &(dyn Fn(&Seen) -> Reply + Send + Sync)) {
    while let Some(request) = read(&mut stream) {
        let reply = answer(&request);
        seen.lock().unwrap().push(request);
        let Some((status, headers, body)) = reply else { return };
        let mut head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n", body.len());
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    }
}

fn read(stream: &mut TcpStream) -> Option<Seen> {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.extend(byte);
    }
    let head = String::from_utf8(bytes).unwrap();
    let mut lines = head.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers.get("content-length")?.parse().unwrap()];
    stream.read_exact(&mut body).ok()?;
    Some(Seen {
        method,
        path,
        headers,
        body,
    })
}

/// Accepts everything, in as few words as each operation allows.
fn contented(request: &Seen) -> Reply {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let target = request.headers.get("x-amz-target").map(String::as_str);
    let answer = match target {
        Some("DynamoDB_20120810.BatchExecuteStatement") => {
            let count = body["Statements"].as_array().unwrap().len();
            json!({"Responses": vec![json!({}); count]})
        }
        Some("DynamoDB_20120810.BatchGetItem") => json!({"Responses": {}, "UnprocessedKeys": {}}),
        Some("DynamoDB_20120810.Query") => json!({"Items": [{"notificationId": {"S": id(9).to_string()}}]}),
        Some("DynamoDB_20120810.BatchWriteItem") => json!({"UnprocessedItems": {}}),
        Some("AmazonSQS.SendMessageBatch" | "AmazonSQS.ChangeMessageVisibilityBatch") => {
            let entries = body["Entries"].as_array().unwrap().iter();
            let done: Vec<Value> = entries
                .map(|entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "d"}))
                .collect();
            json!({"Successful": done, "Failed": []})
        }
        Some("AmazonSQS.SendMessage") | None => json!({"MessageId": "m-1"}),
        Some(_) => json!({}),
    };
    Some((
        200,
        vec![("content-type", "application/x-amz-json-1.0".to_owned())],
        answer.to_string(),
    ))
}

fn id(nth: u8) -> NotificationId {
    NotificationId::from_digest([nth; 16])
}

/// The whole hot path over these clients: every request that an adapter can make of them.
async fn walk(dynamodb: impl DynamoDb, sqs: impl Sqs, ses: impl Ses) {
    let lanes = || ChannelQueues {
        normal: "https://sqs.eu-west-1.amazonaws.com/1/email".to_owned(),
        urgent: "https://sqs.eu-west-1.amazonaws.com/1/email-urgent".to_owned(),
    };
    let ana = UserId::try_from("ana").unwrap();

    let key = ContactKey::try_from("a key of many letters").unwrap();
    let customers = DynamoCustomers::new(
        dynamodb.clone(),
        "preferences".to_owned(),
        "suppressions".to_owned(),
        key,
    );
    let contact = Contact::of(Channel::Email, "ana@example.com");
    customers.load(&[ana], &[contact]).await.unwrap();

    let ledger = DynamoLedger::new(dynamodb.clone(), "ledger".to_owned(), 90);
    let event = shipped("ana", "456", at(1_795_168_800));
    let plan = decide(&event, &Preferences::default(), &shop_defaults(), at(1_795_168_801));
    let planned = Notification::planned(&event, &plan, &shop_defaults(), "me", at(1_795_168_801));
    ledger.record(std::slice::from_ref(&planned)).await;
    let request = email_request(&event);
    let from = request.opening_delivery();
    let lease = Lease {
        owner: "me".to_owned(),
        until: at(90),
    };
    let (guard, claimed) = from.claim(lease, at(2));
    let sent = claimed.settle(
        &SendAnswer::Accepted {
            message_id: "m-1".to_owned(),
        },
        &RetryPolicy::default(),
        0.5,
        at(3),
    );
    let settle = Guard::In {
        attempt: 1,
        states: &[State::Sending],
    };
    let steps = [
        Step::of(&request, guard, from, claimed.clone()),
        Step::of(&request, settle, claimed, sent),
    ];
    ledger.advance(&steps).await;
    ledger.load(&[id(1), id(2)]).await.unwrap();
    let order = OrderId::try_from("456").unwrap();
    ledger.since(&[(order, at(1_795_168_800))]).await.unwrap();

    let templates = DynamoTemplates::new(dynamodb.clone(), "templates".to_owned());
    templates.in_force().await.unwrap();
    templates.load(&[("order_confirmation".to_owned(), 3)]).await.unwrap();

    let mut waiting = email_request(&confirmation("ana", "457", at(1_795_168_800)));
    waiting.not_before = Some(at(1_795_200_000));
    let room = DynamoWaitingRoom::new(dynamodb.clone(), "room".to_owned());
    room.defer(std::slice::from_ref(&waiting)).await;

    let bell = SqsTroubleBell::new(sqs.clone(), "https://sqs.eu-west-1.amazonaws.com/1/trouble".to_owned());
    let traffic = DynamoTraffic::for_sender(dynamodb, "system-state".to_owned(), testkit::StillClock(at(5)), bell);
    traffic.look(Channel::Email).await.unwrap();
    let window = domain::Traffic::usual(Channel::Email).window(at(1_795_168_800));
    traffic.ask(Channel::Email, &window, false, 10).await.unwrap();
    traffic
        .slow_down(Channel::Email, Slowed { to: 7.0, at: at(6) })
        .await
        .unwrap();
    let open = Breaker::Open {
        since: at(7),
        reason: "AccountSuspendedException".to_owned(),
        troubles: 2,
        probe_at: at(67),
    };
    traffic.set_breaker(Channel::Email, &open).await.unwrap();
    traffic.set_breaker(Channel::Email, &Breaker::Closed).await.unwrap();
    traffic.set_limit(Channel::Email, 14.0).await.unwrap();

    let queues = SqsQueues::new(sqs.clone(), HashMap::from([(Channel::Email, lanes())]));
    let requests = [
        (request.clone(), SignedDuration::ZERO),
        (waiting, SignedDuration::from_secs(30)),
    ];
    queues.hand_over(&requests).await;
    let letter = DeadLetter {
        body: "no\u{7}event \"of\" ours é".to_owned(),
        reason: "message: expected an event".to_owned(),
        id: Some(id(3)),
        is_urgent: true,
    };
    SqsDeadLetters::new(sqs.clone(), lanes()).bury(&[letter]).await;
    let waits = [("receipt-1".to_owned(), 30), ("receipt-2".to_owned(), 0)];
    SqsVisibility::new(sqs).hold_back(&lanes().normal, &waits).await;

    let mailer = mailer(ses);
    for unsubscribe in [None, Some("https://pages.example.com/unsubscribe/a.b_c-d")] {
        mailer.send(id(4), "ana@example.com", letter_with(unsubscribe)).await;
    }
}

fn mailer<S: Ses>(ses: S) -> SesMailer<S> {
    let sender = Sender {
        email: "shop@example.com".to_owned(),
        name: "Café \"Sol\"".to_owned(),
        reply_to: "help@example.com".to_owned(),
    };
    SesMailer::new(ses, &sender, Some("set".to_owned()))
}

fn letter_with(unsubscribe: Option<&'static str>) -> Letter<'static> {
    Letter {
        subject: "Ваш заказ № 456 \u{1F4E6}",
        html: "<p title=\"a\\b\">h\u{2028}\u{7f}\n\t</p>",
        text: "t\r\n\u{1}",
        unsubscribe,
    }
}

#[tokio::test]
async fn every_request_of_the_hot_path_is_the_one_that_the_sdk_makes() {
    let aws = Aws::answering(contented);
    let sdk = aws.sdk();
    walk(sdk.dynamodb(), sdk.sqs(), sdk.ses()).await;
    let expected = aws.take();
    let thin = aws.thin();
    walk(thin.dynamodb(), thin.sqs(), thin.ses()).await;
    let ours = aws.take();

    let meanings = |all: &[Seen]| all.iter().map(Seen::meaning).collect::<Vec<_>>();
    assert_eq!(meanings(&ours), meanings(&expected));
    let operations: std::collections::BTreeSet<_> =
        ours.iter().map(|request| request.headers.get("x-amz-target")).collect();
    assert_eq!(operations.len(), 10, "an operation is not walked: {operations:?}");
    for request in expected.iter().chain(&ours) {
        assert_eq!(signature_of(request), told_signature_of(request), "{request:?}");
    }
}

/// The signature that a request should bear (AWS Signature Version 4), from what came over the wire.
fn signature_of(request: &Seen) -> String {
    let authorization = &request.headers["authorization"];
    let part = |name: &str| {
        let rest = authorization.split_once(name).unwrap().1;
        rest.split(',').next().unwrap().to_owned()
    };
    let scope = part("Credential=AKIDEXAMPLE/");
    let signed = part("SignedHeaders=");
    let mut canonical = format!("{}\n{}\n\n", request.method, request.path);
    for name in signed.split(';') {
        canonical += &format!("{name}:{}\n", request.headers[name].trim());
    }
    canonical += &format!("\n{signed}\n{}", hex(&Sha256::digest(&request.body)));
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        request.headers["x-amz-date"],
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let hmac = |key: &[u8], data: &str| {
        let mut hmac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        hmac.update(data.as_bytes());
        hmac.finalize().into_bytes().to_vec()
    };
    let key = scope
        .split('/')
        .fold(format!("AWS4{SECRET}").into_bytes(), |key, part| hmac(&key, part));
    assert!(signed.contains("host") && signed.contains("x-amz-security-token") && signed.contains("content-type"));
    hex(&hmac(&key, &to_sign))
}

fn told_signature_of(request: &Seen) -> String {
    request.headers["authorization"]
        .split_once("Signature=")
        .unwrap()
        .1
        .to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute() -> impl Strategy<Value = AttributeValue> {
    let leaf = prop_oneof![
        any::<String>().prop_map(AttributeValue::S),
        any::<i64>().prop_map(|number| AttributeValue::N(number.to_string())),
        any::<bool>().prop_map(AttributeValue::Bool),
        Just(AttributeValue::Null(true)),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| AttributeValue::B(Blob::new(bytes))),
        proptest::collection::vec(any::<String>(), 0..3).prop_map(AttributeValue::Ss),
        proptest::collection::vec(any::<i32>().prop_map(|number| number.to_string()), 0..3)
            .prop_map(AttributeValue::Ns),
        proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9).prop_map(Blob::new), 0..3)
            .prop_map(AttributeValue::Bs),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
            proptest::collection::hash_map(any::<String>(), inner, 0..4).prop_map(AttributeValue::M),
        ]
    })
}

#[test]
fn any_item_is_written_and_read_as_the_sdk_does() {
    // Gives back as item what it was asked for as key.
    let aws = Aws::answering(|request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        Some((
            200,
            Vec::new(),
            json!({"Item": body["Key"], "ConsumedCapacity": null}).to_string(),
        ))
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (sdk, thin) = (aws.sdk().dynamodb(), aws.thin().dynamodb());
    proptest!(|(item in proptest::collection::hash_map(any::<String>(), attribute(), 0..5))| {
        let request = || GetItemInputBuilder::default().table_name("t").set_key(Some(item.clone()));
        let (theirs, ours) = runtime.block_on(async {
            (DynamoDb::get_item(&sdk, request()).await.unwrap(), thin.get_item(request()).await.unwrap())
        });
        prop_assert_eq!(&theirs, &ours);
        prop_assert_eq!(ours.item, Some(item));
        let seen = aws.take();
        prop_assert_eq!(seen[0].meaning(), seen[1].meaning());
    });
}

/// Replies that are no success, as services, load balancers and broken lines give them.
fn refusals() -> Vec<Reply> {
    let json_10 = |status, body: &str| Some((status, Vec::new(), body.to_owned()));
    let with =
        |status, header, value: &str, body: &str| Some((status, vec![(header, value.to_owned())], body.to_owned()));
    vec![
        json_10(
            400,
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException","message":"no"}"#,
        ),
        json_10(400, r#"{"__type":"ValidationException","Message":"bad"}"#),
        json_10(
            403,
            r#"{"__type":"AccessDeniedException","message":"User: x is not authorized"}"#,
        ),
        with(
            400,
            "x-amzn-errortype",
            "MessageRejected:http://internal.amazon.com/coral/",
            r#"{"message":"Email address is not verified."}"#,
        ),
        with(
            400,
            "x-amzn-query-error",
            "AWS.SimpleQueueService.NonExistentQueue;Sender",
            r#"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"gone"}"#,
        ),
        with(
            429,
            "x-amzn-errortype",
            "TooManyRequestsException",
            r#"{"message":"Maximum sending rate exceeded."}"#,
        ),
        json_10(404, "{}"),
        json_10(413, ""),
        json_10(501, r#"{"code":"NotImplemented"}"#),
        json_10(403, "<html>forbidden</html>"),
        json_10(200, "<html>a captive portal</html>"),
        json_10(200, r#"{"MessageId":7}"#),
        None,
    ]
}

#[tokio::test]
async fn every_refusal_of_ses_means_what_it_means_by_the_sdk_and_is_met_once() {
    for reply in refusals().into_iter().chain([
        Some((500, Vec::new(), "{}".to_owned())),
        Some((503, Vec::new(), String::new())),
    ]) {
        let told = format!("{reply:?}");
        let aws = Aws::answering(move |_| reply.clone());
        let theirs = mailer(aws.sdk().ses())
            .send(id(1), "ana@example.com", letter_with(None))
            .await;
        assert_eq!(aws.take().len(), 1);
        let ours = mailer(aws.thin().ses())
            .send(id(1), "ana@example.com", letter_with(None))
            .await;
        assert_eq!(ours, theirs, "after {told}");
        assert_eq!(aws.take().len(), 1, "requests after {told}");
    }
}

#[tokio::test]
async fn every_refusal_of_dynamodb_is_told_in_the_words_of_the_sdk() {
    for reply in refusals() {
        let told = format!("{reply:?}");
        // A broken line is repeated: that is the test after this one.
        if reply.is_none() || told.contains("429") {
            continue;
        }
        let aws = Aws::answering(move |_| reply.clone());
        let request = || UpdateItemInputBuilder::default().table_name("t").key("k", text("v"));
        let theirs = DynamoDb::update_item(&aws.sdk().dynamodb(), request()).await;
        let ours = aws.thin().dynamodb().update_item(request()).await;
        let words = |answer: &Result<_, _>| answer.as_ref().map(|_| ()).map_err(in_few_words::<UpdateItemError>);
        assert_eq!(words(&ours), words(&theirs), "after {told}");
        assert_eq!(
            ours.err()
                .map(|error| error.into_service_error().is_conditional_check_failed_exception()),
            theirs
                .err()
                .map(|error| error.into_service_error().is_conditional_check_failed_exception()),
            "after {told}"
        );
        let seen = aws.take();
        assert_eq!(seen.len(), 2, "requests after {told}");
    }
}

#[tokio::test]
async fn what_may_be_repeated_is_repeated_as_often_as_by_the_sdk() {
    let throttled =
        r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#;
    for reply in [
        None,
        Some((503, Vec::new(), String::new())),
        Some((400, Vec::new(), throttled.to_owned())),
    ] {
        let told = format!("{reply:?}");
        let aws = Aws::answering(move |_| reply.clone());
        let request = || GetItemInputBuilder::default().table_name("t").key("k", text("v"));
        let theirs = DynamoDb::get_item(&aws.sdk().dynamodb(), request()).await.unwrap_err();
        let calls = aws.take().len();
        let ours = aws.thin().dynamodb().get_item(request()).await.unwrap_err();
        assert_eq!((aws.take().len(), calls), (3, 3), "after {told}");
        assert_eq!(
            std::mem::discriminant(&ours),
            std::mem::discriminant(&theirs),
            "after {told}"
        );
    }
}

#[tokio::test]
async fn what_goes_wrong_once_goes_well_when_it_is_repeated() {
    let calls = Arc::new(Mutex::new(0));
    let aws = Aws::answering(move |_| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        (*calls > 1).then(|| (200, Vec::new(), r#"{"Item":{"k":{"S":"v"}}}"#.to_owned()))
    });
    let request = GetItemInputBuilder::default().table_name("t").key("k", text("v"));
    let item = aws.thin().dynamodb().get_item(request).await.unwrap().item;
    assert_eq!(item, Some(Item::from([("k".to_owned(), text("v"))])));
}

#[tokio::test]
async fn a_connection_that_was_never_made_took_nothing() {
    // A port that was free a moment ago and has nobody behind it.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for scheme in ["http", "https"] {
        let connection = ThinConnection {
            pool: Pool::new(None),
            region: "eu-west-1".to_owned(),
            credentials: credentials(),
            endpoint: Some(format!("{scheme}://{port}")),
        };
        let answer = mailer(connection.ses())
            .send(id(1), "ana@example.com", letter_with(None))
            .await;
        let not_taken = SendAnswer::NotTaken {
            reason: "no connection".to_owned(),
        };
        assert_eq!(answer, not_taken);
    }
}

#[tokio::test]
async fn nothing_is_said_to_somebody_whose_certificate_nobody_vouches_for() {
    // Speaks HTTP where TLS is expected: the handshake fails, and no byte of the request is written.
    let aws = Aws::answering(contented);
    let mut connection = aws.thin();
    connection.endpoint = Some(aws.endpoint.replace("http:", "https:"));
    let answer = mailer(connection.ses())
        .send(id(1), "ana@example.com", letter_with(None))
        .await;
    assert!(matches!(answer, SendAnswer::NotTaken { .. }), "{answer:?}");
    assert!(aws.take().is_empty());
}

#[test]
fn what_lambda_sets_is_required_by_name() {
    let all = HashMap::from([
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_REGION", "eu-west-1"),
    ]);
    let with = |without: &str| {
        let variable = |name: &str| {
            all.get(name)
                .filter(|_| name != without)
                .map(|value| (*value).to_owned())
        };
        ThinConnection::from_variables(variable).map(|_| ())
    };
    assert_eq!(with(""), Ok(()));
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
        assert_eq!(
            with(name).unwrap_err().to_string(),
            format!("{name}: expected a value, got nothing")
        );
    }
}

#[test]
fn services_are_found_by_their_region() {
    let origin = |service: Service, region: &str| service.origin(region);
    assert_eq!(
        origin(Service::SES, "eu-west-1"),
        "https://email.eu-west-1.amazonaws.com"
    );
    assert_eq!(
        origin(Service::DYNAMODB, "cn-north-1"),
        "https://dynamodb.cn-north-1.amazonaws.com.cn"
    );
}
