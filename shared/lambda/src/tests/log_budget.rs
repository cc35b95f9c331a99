//! What the way of an e-mail writes into logs, which are billed by the byte: captured, and counted.

use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;

use super::{call, confirmations, handed_over, now, orchestrator, sender, worked};
use crate::runtime::lines;
use crate::{Reply, Traces};

/// As many messages as a batch brings.
const BATCH: usize = 10;

/// So many bytes may be written for one e-mail, by the orchestrator and the sender together.
const BUDGET: usize = 300;

/// CloudWatch Logs bills 26 bytes more for each line than it has.
const BILLED_WITH_EACH_LINE: usize = 26;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a function writes while it works on a batch: its log, and its metrics line.
fn written(function: &str, work: impl Future<Output = Reply>) -> String {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::registry().with(lines(LevelFilter::INFO, move || writer.clone()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let reply = tracing::subscriber::with_default(subscriber, || runtime.block_on(work));
    assert!(worked(&reply));
    let log = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    format!("{log}{}\n", reply.metrics.line(function, now()))
}

/// What orchestrator and sender write about a batch.
fn both() -> (String, String) {
    let orchestrator = orchestrator();
    let call = call(Traces::default());
    let first = written(
        "notification-orchestrator",
        orchestrator.take_queue(confirmations(BATCH), &call),
    );
    let emails = handed_over(&orchestrator);
    assert_eq!(emails.len(), BATCH);
    let second = written("email-sender", sender(orchestrator).work(emails, &call));
    (first, second)
}

#[test]
fn a_batch_of_ten_writes_no_more_than_its_budget_for_each_e_mail() {
    let (first, second) = both();
    let lines = first.lines().count() + second.lines().count();
    assert_eq!(lines, 4, "{first}{second}");
    let billed = first.len() + second.len() + lines * BILLED_WITH_EACH_LINE;
    println!("{} + {} bytes, billed as {billed}", first.len(), second.len());
    assert!(billed <= BATCH * BUDGET, "{billed} bytes:\n{first}{second}");
}

#[test]
fn every_notification_and_what_became_of_it_is_still_told() {
    let (first, second) = both();
    let told = |lines: &str| {
        let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        line["outcomes"].as_str().unwrap().to_owned()
    };
    let (decided, sent) = (told(&first), told(&second));
    let (what, ids) = decided.split_once(": ").unwrap();
    assert_eq!(what, "email queued, sms skipped (opted_out), in_app queued");
    assert_eq!(ids.split(',').count(), BATCH);
    let (what, sent) = sent.split_once(": ").unwrap();
    assert_eq!((what, sent), ("sent", ids));
}

#[test]
fn a_line_is_json_with_its_level_and_a_sentence() {
    let (_, second) = both();
    let line: serde_json::Value = serde_json::from_str(second.lines().next().unwrap()).unwrap();
    assert_eq!(
        (line["level"].as_str(), line["message"].as_str()),
        (Some("INFO"), Some("worked on 10 email deliveries"))
    );
}
