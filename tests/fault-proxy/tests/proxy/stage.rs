//! A proxy on a free port, an emulator that accepts everything behind it, and a caller that shows the bytes it was sent.
#![expect(clippy::unwrap_used, reason = "a stage that cannot be set up is a failed test")]

use std::sync::{Arc, Mutex};

use fault_proxy::Control;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What the emulator answers to everything.
const ACCEPTED: &str = "HTTP/1.1 200 OK\r\nX-Emulator: yes\r\nContent-Length: 8\r\nConnection: close\r\n\r\naccepted";

pub(crate) struct Stage {
    pub(crate) control: Control,
    address: String,
    received: Arc<Mutex<Vec<String>>>,
}

impl Stage {
    pub(crate) async fn set() -> Self {
        let emulator = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", emulator.local_addr().unwrap());
        let received = Arc::new(Mutex::new(Vec::new()));
        tokio::spawn(accept_everything(emulator, Arc::clone(&received)));
        Self::before(&upstream, received).await
    }

    pub(crate) async fn without_emulator() -> Self {
        let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        Self::before(&format!("http://{gone}"), Arc::default()).await
    }

    async fn before(upstream: &str, received: Arc<Mutex<Vec<String>>>) -> Self {
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = proxy.local_addr().unwrap().to_string();
        tokio::spawn(fault_proxy::serve(proxy, upstream.parse().unwrap()));
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
}

pub(crate) fn send_email(address: &str) -> String {
    let body = format!(
        r#"{{"FromEmailAddress":"noreply@e-com67.com","Destination":{{"ToAddresses":["{address}"]}},"EmailTags":[{{"Name":"channel","Value":"email"}}]}}"#
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

async fn accept_everything(emulator: TcpListener, received: Arc<Mutex<Vec<String>>>) {
    loop {
        let (mut stream, _) = emulator.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        received.lock().unwrap().push(request);
        stream.write_all(ACCEPTED.as_bytes()).await.unwrap();
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
            .find_map(|line| line.strip_prefix("Content-Length: "))
            .map_or(0, |n| n.parse().unwrap());
        if body.len() == length {
            return text;
        }
    }
}
