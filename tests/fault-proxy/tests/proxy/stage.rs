//! A proxy on a free port, an emulator that accepts everything behind it, and callers that show what they were sent.
#![expect(clippy::unwrap_used, reason = "a stage that cannot be set up is a failed test")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fault_proxy::{Control, Settings};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Where the events of SES go.
pub(crate) const TOPIC: &str = "arn:aws:sns:eu-west-1:000000000000:ses-events";
/// The id of every e-mail that an emulator of SES accepts.
pub(crate) const MESSAGE_ID: &str = "0102-abc@email.amazonses.com";

/// What an emulator answers to everything that it has no other answer for.
const ACCEPTED: &str = "accepted";
const PUBLISHED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
                         <MessageId>94f20ce6</MessageId></PublishResult></PublishResponse>";

pub(crate) struct Stage {
    pub(crate) control: Control,
    pub(crate) address: String,
    received: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let emulator = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", emulator.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(accept_everything(
            emulator,
            |_| ACCEPTED.to_owned(),
            Arc::clone(&received),
        ));
        Self::before(&upstream, received, Settings::default()).await
    }

    /// An emulator that answers as SES and SNS do, and a topic for events.
    pub(crate) async fn with_ses() -> Self {
        let emulator = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", emulator.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(accept_everything(emulator, as_aws, Arc::clone(&received)));
        let settings = Settings {
            events_topic: Some(TOPIC.parse().unwrap()),
            ..Settings::default()
        };
        Self::before(&upstream, received, settings).await
    }

    pub(crate) async fn without_emulator() -> Self {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        Self::before(&format!("http://{gone}"), Arc::default(), Settings::default()).await
    }

    async fn before(upstream: &str, received: Arc<Mutex<Vec<String>>>, settings: Settings) -> Self {
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = proxy.local_addr().unwrap().to_string();
        tokio::spawn(fault_proxy::serve_with(proxy, upstream.parse().unwrap(), settings));
        Self {
            control: Control::new(&format!("http://{address}")).unwrap(),
            address,
            received,
        }
    }

    /// Sends `request` and returns all that comes back before the connection is closed.
    pub(crate) async fn call(&self, request: &str) -> String {
        let mut answer = String::new();
        self.send(request).await.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// Sends `request` and leaves the answer for the caller.
    pub(crate) async fn send(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    /// The requests that reached the emulator, byte for byte.
    pub(crate) fn received(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }

    /// The events of SES that reached the emulator.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.received().iter().filter_map(|request| event(request)).collect()
    }

    /// The events, once there are so many.
    pub(crate) async fn events_once(&self, count: usize) -> Vec<Value> {
        let arrived = async {
            while self.events().len() < count {
                tokio::task::yield_now().await;
            }
            self.events()
        };
        timeout(Duration::from_secs(10), arrived).await.unwrap()
    }
}

/// The message, where it is a publication to the topic.
fn event(request: &str) -> Option<Value> {
    let (_, body) = request.split_once("\r\n\r\n")?;
    let fields: HashMap<_, _> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let message = fields
        .get("Message")
        .filter(|_| fields.get("TopicArn").is_some_and(|topic| topic == TOPIC))?;
    Some(serde_json::from_str(message).unwrap())
}

pub(crate) fn send_email(address: &str) -> String {
    let body = format!(
        r#"{{"FromEmailAddress":"noreply@e-com67.com","Destination":{{"ToAddresses":["{address}"]}},"EmailTags":[{{"Name":"channel","Value":"email"}}]}}"#
    );
    post("/v2/email/outbound-emails", "Content-Type: application/json", &body)
}

/// One whose fate SES tells, because it names a configuration set.
pub(crate) fn send_followed_email(address: &str) -> String {
    let body = format!(
        r#"{{"FromEmailAddress":"noreply@e-com67.com","Destination":{{"ToAddresses":["{address}"]}},"Content":{{"Simple":{{"Subject":{{"Data":"Tu pedido"}}}}}},"EmailTags":[{{"Name":"notification-id","Value":"ord-1"}}],"ConfigurationSetName":"notifications"}}"#
    );
    post("/v2/email/outbound-emails", "Content-Type: application/json", &body)
}

pub(crate) fn publish(phone: &str) -> String {
    let body = format!(
        "Action=Publish&PhoneNumber=%2B{}&Message=Tu+pedido",
        phone.trim_start_matches('+')
    );
    post("/", "Content-Type: application/x-www-form-urlencoded", &body)
}

pub(crate) fn update_item() -> String {
    post(
        "/",
        "X-Amz-Target: DynamoDB_20120810.UpdateItem",
        r#"{"TableName":"e-com67-notification-analytics"}"#,
    )
}

fn post(path: &str, header: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: email.eu-west-1.amazonaws.com\r\n{header}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

async fn accept_everything(emulator: TcpListener, answer: fn(&str) -> String, received: Arc<Mutex<Vec<String>>>) {
    loop {
        let (mut stream, _) = emulator.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        let body = answer(&request);
        received.lock().unwrap().push(request);
        let length = body.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nX-Emulator: yes\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all((head + &body).as_bytes()).await.unwrap();
    }
}

fn as_aws(request: &str) -> String {
    if request.starts_with("POST /v2/email/outbound-emails ") {
        format!(r#"{{"MessageId":"{MESSAGE_ID}"}}"#)
    } else {
        PUBLISHED.to_owned()
    }
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        assert_ne!(
            stream.read_buf(&mut bytes).await.unwrap(),
            0,
            "the request ended too early"
        );
        let text = String::from_utf8(bytes.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, n)| n.parse().unwrap());
        if body.len() == length {
            return text;
        }
    }
}
