//! The sample events are what they say they are.

use domain::{Channel, Content, DeliveryRequest, NotificationType, OrderStatus};
use lambda::Invocation;
use pipeline::{Reading, Refusal, read_event};
use std::path::PathBuf;

fn reading() -> Reading {
    Reading {
        shop: testkit::shop_defaults(),
        admin_topic: Some("arn:aws:sns:eu-west-1:000000000000:e-com67-admin-notifications".to_owned()),
        admin_email: Some("admin@example.com".to_owned()),
    }
}

/// The files of one folder of `events/`, with their texts.
fn files(folder: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../events").join(folder);
    let mut files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                std::fs::read_to_string(path).unwrap(),
            )
        })
        .collect();
    files.sort();
    files
}

fn file(folder: &str, name: &str) -> String {
    files(folder)
        .into_iter()
        .find(|(known, _)| known == name)
        .unwrap_or_else(|| panic!("no events/{folder}/{name}"))
        .1
}

fn read(text: &str) -> Result<domain::Event, Refusal> {
    read_event(text, "2026-11-20T10:00:00Z".parse().unwrap(), &reading())
}

#[test]
fn every_event_of_the_demo_can_be_read() {
    for (name, text) in files("demo") {
        if !text.contains("\"webhook\"") {
            assert!(read(&text).is_ok(), "{name}: {:?}", read(&text));
        }
    }
}

#[test]
fn what_a_carrier_tells_in_the_demo_says_what_its_chapter_expects() {
    let text = file("demo", "17-fedex-tells-that-it-is-out-for-delivery.json");
    let chapter: serde_json::Value = serde_json::from_str(&text).unwrap();
    let body = chapter["webhook"].to_string();
    let request = carriers::Request {
        method: "POST",
        key: None,
        query: "",
        headers: &[],
        body: body.as_bytes(),
        now: "2026-11-20T10:00:00Z".parse().unwrap(),
    };
    let delivery = carriers::webhook(domain::Carrier::Fedex)
        .unwrap()
        .read(&request)
        .unwrap();
    let carriers::Told::Events(events) = &delivery.sightings[0].told else {
        panic!("events were expected")
    };
    let told = events.last().unwrap().status.unwrap();
    assert_eq!(chapter["orderData"]["status"].as_str(), Some(told.name()));
    // The chapter before registers the parcel.
    let before = file("demo", "16-shipped-by-fedex.json");
    assert!(before.contains(delivery.sightings[0].number.as_str()));
}

#[test]
fn every_sample_for_the_orchestrator_can_be_read_but_the_poison() {
    let mut refused = Vec::new();
    for (name, text) in files("notification-orchestrator") {
        let texts: Vec<String> = match Invocation::read(&text) {
            Invocation::Queue(messages) | Invocation::Trial(messages) => {
                messages.into_iter().map(|message| message.text).collect()
            }
            Invocation::Topic(messages) => messages.into_iter().map(|message| message.envelope).collect(),
            Invocation::Direct(text) => vec![text],
        };
        let bad = texts.iter().filter(|text| read(text).is_err()).count();
        refused.extend(std::iter::repeat_n(name, bad));
    }
    assert_eq!(refused, ["sqs-ten-records-one-poison.json"]);
}

#[test]
fn every_type_is_shown() {
    let shown: Vec<NotificationType> = files("notification-orchestrator")
        .iter()
        .filter(|(name, _)| !name.starts_with("sqs") && !name.starts_with("sns"))
        .map(|(_, text)| read(text).unwrap().content.notification_type())
        .collect();
    for kind in NotificationType::ALL {
        assert!(shown.contains(&kind), "{kind}");
    }
}

#[test]
fn the_ten_statuses_are_each_shown() {
    let shown: Vec<OrderStatus> = files("notification-orchestrator")
        .iter()
        .filter(|(name, _)| name.starts_with("status-"))
        .filter_map(|(_, text)| read(text).unwrap().content.status())
        .collect();
    let fulfilment = [OrderStatus::Paid, OrderStatus::Picking, OrderStatus::Packed];
    for status in OrderStatus::ALL {
        assert_eq!(shown.contains(&status), !fulfilment.contains(&status), "{status}");
    }
}

#[test]
fn the_poison_is_one_of_ten() {
    let Invocation::Queue(messages) =
        Invocation::read(&file("notification-orchestrator", "sqs-ten-records-one-poison.json"))
    else {
        panic!("not a batch of a queue")
    };
    assert_eq!(messages.len(), 10);
}

#[test]
fn amounts_are_the_same_as_numbers_and_as_texts() {
    let event = read(&file("notification-orchestrator", "amounts-as-text.json")).unwrap();
    let Content::OrderConfirmation(order) = event.content else {
        panic!("not a confirmation")
    };
    assert!(order.total.is_some() && order.items.iter().all(|item| item.price.is_some()));
}

#[test]
fn the_requests_for_the_senders_read_back_as_they_were_written() {
    for (folder, channel) in [
        ("email-sender", Channel::Email),
        ("sms-sender", Channel::Sms),
        ("in-app-sender", Channel::InApp),
    ] {
        let Invocation::Queue(messages) = Invocation::read(&file(folder, "sqs.json")) else {
            panic!("not a batch of a queue")
        };
        for message in messages {
            let request = DeliveryRequest::from_wire(&message.text).unwrap();
            assert_eq!(request.channel, channel);
            assert_eq!(DeliveryRequest::from_wire(&request.to_wire()), Ok(request));
        }
    }
}

#[tokio::test]
async fn every_report_of_the_samples_can_be_read() {
    let (ledger, messages) = (testkit::MemoryLedger::default(), testkit::MemoryMessages::default());
    let (customers, dead_letters) = (
        testkit::MemoryCustomers::default(),
        testkit::MemoryDeadLetters::default(),
    );
    let feedback = pipeline::Feedback {
        ledger: &ledger,
        messages: &messages,
        suppressions: &customers,
        dead_letters: &dead_letters,
        clock: &testkit::HandClock::at(testkit::at(1_795_172_400)),
        policy: &domain::RetryPolicy::default(),
        suppression_policy: domain::SuppressionPolicy::default(),
    };
    for (name, text) in files("delivery-events") {
        let texts = match (Invocation::read(&text), pipeline::entries_of(&text)) {
            (Invocation::Queue(messages), None) => messages.into_iter().map(|message| message.text).collect(),
            (Invocation::Direct(_), Some(entries)) => entries.unwrap(),
            (invocation, _) => panic!("{name}: {invocation:?}"),
        };
        let batch: Vec<pipeline::Reported> = texts
            .into_iter()
            .map(|text| pipeline::Reported { text, receive_count: 1 })
            .collect();
        let report = feedback.work(&batch).await;
        // The ledger of this test knows none of them.
        assert_eq!(
            (report.counts.refused, report.counts.unmatched),
            (0, batch.len() as u64),
            "{name}"
        );
    }
    // Emma complained, nobody's mailbox is there, and a number opted out; Luis' mailbox was full once.
    assert_eq!(customers.suppressions.borrow().len(), 4);
}
