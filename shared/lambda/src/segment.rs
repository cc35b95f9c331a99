//! Segment documents (X-Ray Developer Guide, "X-Ray segment documents"), and the way to the daemon that takes them ("Sending
//! segment documents to the X-Ray daemon").

use domain::TraceContext;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::net::{SocketAddr, UdpSocket};

/// What precedes a document in its datagram.
const HEADER: &str = "{\"format\": \"json\", \"version\": 1}\n";

/// A document may have 64 kB, and a datagram over IPv4 65,507 bytes, header included.
const MAX_DATAGRAM_BYTES: usize = 64_000;

/// A name may have so many characters.
const MAX_NAME: usize = 200;

/// An annotation may have so many.
const MAX_ANNOTATION: usize = 1_000;

/// More calls of one record are not told: the document has to fit into a datagram.
pub(crate) const MAX_CALLS: usize = 60;

/// A stretch of time in a trace: a segment.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// Where in the trace it belongs: behind this.
    pub(crate) behind: TraceContext,
    /// Its id.
    pub(crate) id: u64,
    /// Who did it, as the map of services names them.
    pub(crate) name: String,
    /// What kind of a resource that is.
    pub(crate) origin: &'static str,
    /// From when.
    pub(crate) begun: Timestamp,
    /// Until when.
    pub(crate) ended: Timestamp,
    /// What traces are looked up by: no personal data.
    pub(crate) annotations: Vec<(&'static str, Value)>,
    /// Whether it came to a bad end.
    pub(crate) end: End,
    /// The calls that were made meanwhile.
    pub(crate) calls: Vec<Call>,
}

/// A call of a service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    /// The service, as X-Ray names it.
    pub(crate) service: &'static str,
    /// What for.
    pub(crate) deed: &'static str,
    /// From when.
    pub(crate) begun: Timestamp,
    /// Until when.
    pub(crate) ended: Timestamp,
}

/// How a segment ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Well.
    Well,
    /// What came was wrong.
    Error,
    /// What was done failed.
    Fault,
}

impl Segment {
    /// The document.
    pub(crate) fn document(&self) -> Value {
        let calls: Vec<Value> = self.calls.iter().take(MAX_CALLS).map(Call::document).collect();
        let annotations = self
            .annotations
            .iter()
            .map(|(key, value)| ((*key).to_owned(), annotation(value)));
        let mut document = json!({
            "name": name(&self.name),
            "id": format!("{:016x}", self.id),
            "trace_id": self.behind.trace_id(),
            "start_time": seconds(self.begun),
            "end_time": seconds(self.ended.max(self.begun)),
            "origin": self.origin,
            "annotations": annotations.collect::<serde_json::Map<_, _>>(),
        });
        if let Value::Object(fields) = &mut document {
            if let Some(parent) = self.behind.parent_id() {
                fields.insert("parent_id".to_owned(), parent.into());
            }
            match self.end {
                End::Well => {}
                End::Error => _ = fields.insert("error".to_owned(), true.into()),
                End::Fault => _ = fields.insert("fault".to_owned(), true.into()),
            }
            if !calls.is_empty() {
                fields.insert("subsegments".to_owned(), calls.into());
            }
        }
        document
    }
}

impl Call {
    fn document(&self) -> Value {
        json!({
            "name": name(self.service),
            "id": format!("{:016x}", new_id()),
            "start_time": seconds(self.begun),
            "end_time": seconds(self.ended.max(self.begun)),
            "namespace": "aws",
            "annotations": {"deed": self.deed},
        })
    }
}

/// An id that is none of the others of its trace.
pub(crate) fn new_id() -> u64 {
    fastrand::u64(1..)
}

/// The document as the daemon takes it; nothing where it would not fit.
pub(crate) fn datagram(document: &Value) -> Option<String> {
    let datagram = format!("{HEADER}{document}");
    (datagram.len() <= MAX_DATAGRAM_BYTES).then_some(datagram)
}

/// The daemon's door. Nobody waits for it, and nobody is told when it is shut: a trace is not worth a message.
#[derive(Debug)]
pub(crate) struct Daemon {
    socket: UdpSocket,
}

impl Daemon {
    /// The daemon at this address, `HOST:PORT` or `tcp:HOST:PORT udp:HOST:PORT`; nothing where it can never be reached.
    pub(crate) fn at(address: &str) -> Option<Self> {
        let address = address.split(' ').find(|part| !part.starts_with("tcp:"))?;
        let address: SocketAddr = address.trim_start_matches("udp:").parse().ok()?;
        let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(own).ok()?;
        socket.set_nonblocking(true).ok()?;
        socket.connect(address).ok()?;
        Some(Self { socket })
    }

    /// Sends a document.
    pub(crate) fn tell(&self, document: &Value) {
        if let Some(datagram) = datagram(document) {
            let _whether_it_was_sent = self.socket.send(datagram.as_bytes());
        }
    }
}

/// A moment as X-Ray takes it: seconds, with a fraction.
fn seconds(at: Timestamp) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are far below 2^53")]
    let seconds = at.as_millisecond() as f64 / 1_000.0;
    seconds.into()
}

/// A name in the letters that X-Ray allows.
fn name(text: &str) -> String {
    let allowed = |c: &char| c.is_alphanumeric() || c.is_whitespace() || "_.:/%&#=+\\-@".contains(*c);
    let name: String = text.chars().filter(allowed).take(MAX_NAME).collect();
    if name.is_empty() { "unnamed".to_owned() } else { name }
}

fn annotation(value: &Value) -> Value {
    match value {
        Value::String(text) => text.chars().take(MAX_ANNOTATION).collect::<String>().into(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER_OF_A_RECORD: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    /// As large and as odd as a segment can be.
    fn hostile() -> Segment {
        let call = Call {
            service: "DynamoDB",
            deed: "advance the ledger",
            begun: at(1_795_171_682_100),
            ended: at(1_795_171_682_000),
        };
        Segment {
            behind: TraceContext::of_header(HEADER_OF_A_RECORD).unwrap(),
            id: 1,
            name: "é<>\"'".repeat(300),
            origin: "AWS::Lambda::Function",
            begun: at(1_795_171_682_015),
            ended: at(1_795_171_682_001),
            annotations: ["notification", "channel", "outcome", "queue_wait_ms", "invocation"]
                .map(|key| (key, "\u{1F600}".repeat(2_000).into()))
                .to_vec(),
            end: End::Fault,
            calls: vec![call; 200],
        }
    }

    fn is_hex(value: &Value, digits: usize) -> bool {
        let text = value.as_str().unwrap();
        text.len() == digits && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }

    /// The rules of "X-Ray segment documents", "Required segment fields" and "Optional segment fields".
    fn assert_valid(document: &Value, is_segment: bool) {
        let name = document["name"].as_str().unwrap();
        let letters = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/%&#=+\\-@".contains(c);
        assert!(
            (1..=200).contains(&name.chars().count()) && name.chars().all(letters),
            "{name}"
        );
        assert!(is_hex(&document["id"], 16), "{document}");
        if is_segment {
            let trace = document["trace_id"].as_str().unwrap();
            let parts: Vec<&str> = trace.split('-').collect();
            assert_eq!((parts.len(), parts[0], trace.len()), (3, "1", 35));
            assert!(is_hex(&parts[1].into(), 8) && is_hex(&parts[2].into(), 24));
            assert!(is_hex(&document["parent_id"], 16));
        }
        let (start, end) = (document["start_time"].as_f64(), document["end_time"].as_f64());
        assert!(start.unwrap() <= end.unwrap(), "{document}");
        let annotations = document["annotations"].as_object().unwrap();
        assert!(annotations.len() <= 50);
        for (key, value) in annotations {
            assert!(key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'), "{key}");
            assert!(value.as_str().is_none_or(|text| text.chars().count() <= 1_000));
            assert!(value.is_string() || value.is_number() || value.is_boolean(), "{key}");
        }
    }

    #[test]
    fn the_largest_document_keeps_to_the_rules_and_fits_into_one_datagram() {
        let document = hostile().document();
        assert_valid(&document, true);
        let calls = document["subsegments"].as_array().unwrap();
        calls.iter().for_each(|call| assert_valid(call, false));
        assert_eq!(calls.len(), MAX_CALLS);
        let datagram = datagram(&document).unwrap();
        assert!(datagram.len() < 64 * 1024, "{} bytes", datagram.len());
        let (header, body) = datagram.split_once('\n').unwrap();
        assert_eq!(header, r#"{"format": "json", "version": 1}"#);
        assert_eq!(serde_json::from_str::<Value>(body).unwrap(), document);
    }

    #[test]
    fn a_moment_is_seconds_with_a_fraction() {
        assert_eq!(seconds(at(1_795_171_682_015)).to_string(), "1795171682.015");
    }

    #[test]
    fn a_document_reaches_the_daemon_in_one_datagram() {
        let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = daemon.local_addr().unwrap();
        for form in [address.to_string(), format!("tcp:127.0.0.1:1 udp:{address}")] {
            Daemon::at(&form).unwrap().tell(&hostile().document());
            let mut bytes = vec![0; 65_536];
            let count = daemon.recv(&mut bytes).unwrap();
            assert!(bytes[..count].starts_with(HEADER.as_bytes()));
        }
    }

    #[test]
    fn a_daemon_that_is_not_there_is_no_trouble() {
        let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let daemon = Daemon::at(&gone.to_string()).unwrap();
        daemon.tell(&hostile().document());
        daemon.tell(&hostile().document());
        assert!(Daemon::at("").is_none() && Daemon::at("somewhere:2000").is_none());
    }
}
