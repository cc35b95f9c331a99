//! One order's trace through both doors, as the daemon gets it.

use domain::TraceContext;
use serde_json::Value;
use std::net::UdpSocket;

use super::{call, confirmations, handed_over, orchestrator, sender};
use crate::Traces;

const ORDER: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
const INVOCATION: &str = "Root=1-5759e989-000000000000000000000001;Parent=0000000000000002;Sampled=1";

/// What stands in for the daemon.
struct Daemon(UdpSocket);

impl Daemon {
    fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    fn traces(&self, function: &str, invocation: Option<&str>) -> Traces {
        let address = self.0.local_addr().unwrap().to_string();
        Traces::told_to(&address, function, invocation.and_then(TraceContext::of_header))
    }

    /// Every document that was sent: on this machine it is there once the sender has sent it.
    fn documents(&self) -> Vec<Value> {
        let mut bytes = vec![0; 65_536];
        std::iter::from_fn(|| self.0.recv(&mut bytes).ok().map(|count| bytes[..count].to_vec()))
            .map(|datagram| {
                let text = String::from_utf8(datagram).unwrap();
                serde_json::from_str(text.split_once('\n').unwrap().1).unwrap()
            })
            .collect()
    }
}

fn deeds(document: &Value) -> Vec<&str> {
    let calls = document["subsegments"].as_array().unwrap();
    calls
        .iter()
        .map(|call| call["annotations"]["deed"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn an_order_keeps_its_trace_from_its_event_to_its_e_mail() {
    let daemon = Daemon::new();
    let orchestrator = orchestrator();
    let mut messages = confirmations(2);
    messages[0].trace = TraceContext::of_header(ORDER);
    let traces = daemon.traces("e-com67-notification-orchestrator", Some(INVOCATION));
    orchestrator.take_queue(messages, &call(traces)).await;
    let emails = handed_over(&orchestrator);
    let traces = daemon.traces("e-com67-email-notification", Some(INVOCATION));
    sender(orchestrator).work(emails, &call(traces)).await;

    let documents = daemon.documents();
    let of_order: Vec<&Value> = documents
        .iter()
        .filter(|document| document["trace_id"] == "1-5759e988-bd862e3fe1be46a994272793")
        .collect();
    let names: Vec<&str> = of_order
        .iter()
        .map(|document| document["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "e-com67-notifications",
            "e-com67-notification-orchestrator",
            "e-com67-email",
            "e-com67-email-notification"
        ]
    );
    // Each behind the one before.
    assert_eq!(of_order[0]["parent_id"], "53995c3f42cd8ad8");
    for pair in of_order.windows(2) {
        assert_eq!(pair[1]["parent_id"], pair[0]["id"], "{}", pair[1]["name"]);
    }
    assert_eq!(
        (
            of_order[0]["origin"].as_str(),
            of_order[0]["annotations"]["received"].as_u64()
        ),
        (Some("AWS::SQS::Queue"), Some(1))
    );
    let waited = of_order[0]["end_time"].as_f64().unwrap() - of_order[0]["start_time"].as_f64().unwrap();
    assert!((waited - 0.1).abs() < 0.001, "{waited}");
    assert_eq!(
        deeds(of_order[1]),
        ["read preferences", "record the decision", "hand over"]
    );
    assert!(deeds(of_order[3]).contains(&"send the e-mail"));
    let told = &of_order[3]["annotations"];
    assert_eq!(
        (
            told["outcome"].as_str(),
            told["channel"].as_str(),
            told["invocation"].as_str()
        ),
        (Some("sent"), Some("email"), Some("1-5759e989-000000000000000000000001"))
    );
    assert_eq!(told["notification"], of_order[1]["annotations"]["notification"]);
}

#[tokio::test]
async fn records_without_a_trace_begin_one_each_where_the_invocation_is_traced() {
    let daemon = Daemon::new();
    let traces = daemon.traces("orchestrator", Some(INVOCATION));
    orchestrator().take_queue(confirmations(3), &call(traces)).await;
    let documents = daemon.documents();
    let mut ids: Vec<&str> = documents
        .iter()
        .map(|document| document["trace_id"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((documents.len(), ids.len()), (6, 3));
}

#[tokio::test]
async fn nothing_is_sent_where_nothing_is_traced() {
    let daemon = Daemon::new();
    let orchestrator = orchestrator();
    let traces = daemon.traces("orchestrator", None);
    orchestrator.take_queue(confirmations(2), &call(traces)).await;
    assert!(daemon.documents().is_empty());
    assert!(handed_over(&orchestrator).iter().all(|message| message.trace.is_none()));
}

#[tokio::test]
async fn a_trace_goes_on_where_nobody_listens() {
    let orchestrator = orchestrator();
    let mut messages = confirmations(1);
    messages[0].trace = TraceContext::of_header(ORDER);
    orchestrator.take_queue(messages, &call(Traces::default())).await;
    let trace = handed_over(&orchestrator)[0].trace.unwrap();
    assert_eq!(trace.to_string(), ORDER);
}

#[tokio::test]
async fn no_document_holds_an_address_a_number_or_a_customer() {
    let daemon = Daemon::new();
    let orchestrator = orchestrator();
    let traces = daemon.traces("orchestrator", Some(INVOCATION));
    orchestrator.take_queue(confirmations(1), &call(traces.clone())).await;
    let emails = handed_over(&orchestrator);
    sender(orchestrator).work(emails, &call(traces)).await;
    let told: String = daemon.documents().iter().map(Value::to_string).collect();
    for personal in ["example.com", "600123456", "user-0", "order-0"] {
        assert!(!told.contains(personal), "{personal}");
    }
}
