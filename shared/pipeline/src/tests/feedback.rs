//! Reports of providers: late, twice, in any order, about messages of ours and of others.

use base64::Engine as _;
use domain::ports::SendAnswer;
use domain::{Channel, Contact, DeliveryRequest, State};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::io::Write as _;
use testkit::{MemoryMessages, ScriptedCourier, at, confirmation, shipped};

use super::{House, NOW, text_of};
use crate::{Feedback, FeedbackReport, FeedbackVerdict, Happened, Reported, entries_of};

async fn report_with(house: &House, messages: &MemoryMessages, texts: &[String]) -> FeedbackReport {
    let feedback = Feedback {
        ledger: &house.ledger,
        messages,
        suppressions: &house.customers,
        dead_letters: &house.dead_letters,
        clock: &house.clock,
        policy: &house.policy,
        suppression_policy: domain::SuppressionPolicy::default(),
    };
    let batch: Vec<Reported> = texts
        .iter()
        .map(|text| Reported {
            text: text.clone(),
            receive_count: 1,
        })
        .collect();
    feedback.work(&batch).await
}

async fn report(house: &House, texts: &[String]) -> FeedbackReport {
    report_with(house, &MemoryMessages::default(), texts).await
}

/// An event of SES about the e-mail that this request asked for.
fn event(request: &DeliveryRequest, kind: &str, part: (&str, Value)) -> String {
    json!({
        "eventType": kind,
        "mail": {
            "timestamp": at(NOW).to_string(), "messageId": "m-1", "source": "shop@example.com", "destination": ["ana@example.com"],
            "tags": {"notification-id": [request.id.to_string()], "channel": ["email"], "ses:operation": ["SendEmail"]},
        },
        part.0: part.1,
    })
    .to_string()
}

fn sent(request: &DeliveryRequest) -> String {
    event(request, "Send", ("send", json!({})))
}

fn bounce(request: &DeliveryRequest, kind: &str, message: &str) -> String {
    let part = json!({
        "bounceType": kind, "bounceSubType": "General", "timestamp": at(NOW + 5).to_string(),
        "bouncedRecipients": [{"emailAddress": "Ana@example.com", "action": "failed", "status": "5.1.1"}],
    });
    event(request, "Bounce", ("bounce", part)).replace("m-1", message)
}

fn in_doubt() -> ScriptedCourier {
    let lost = SendAnswer::Unknown {
        reason: "no answer in time".to_owned(),
    };
    ScriptedCourier::new(Channel::Email, [lost])
}

async fn a_sent_email(house: &House) -> DeliveryRequest {
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = ScriptedCourier::new(Channel::Email, []);
    house.send("a", &courier, std::slice::from_ref(&request)).await;
    request
}

fn count(report: &FeedbackReport, happened: Happened) -> u64 {
    report
        .counts
        .happened
        .get(&(Channel::Email, happened))
        .copied()
        .unwrap_or_default()
}

#[tokio::test]
async fn a_send_event_settles_a_delivery_in_doubt_and_nothing_is_sent_again() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    let courier = in_doubt();
    house.send("a", &courier, std::slice::from_ref(&request)).await;
    let settled = report(&house, &[sent(&request)]).await;
    assert_eq!(house.email(&request).state, State::Sent);
    assert_eq!(
        (
            count(&settled, Happened::Success),
            count(&settled, Happened::SettledInDoubt)
        ),
        (1, 1)
    );
    house.clock.advance(SignedDuration::from_secs(3_600));
    house.send("b", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(courier.offered.borrow().len(), 1);
}

#[tokio::test]
async fn reports_that_come_twice_count_once() {
    let house = House::new();
    let request = a_sent_email(&house).await;
    let delivered = event(
        &request,
        "Delivery",
        ("delivery", json!({"timestamp": at(NOW + 2).to_string()})),
    );
    let once = report(&house, &[delivered.clone(), delivered.clone(), sent(&request)]).await;
    assert_eq!(
        (count(&once, Happened::Delivered), count(&once, Happened::Success)),
        (1, 0)
    );
    assert_eq!(house.email(&request).state, State::Delivered);
}

#[tokio::test]
async fn a_bounce_that_overtakes_our_own_record_is_kept() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    house.send("a", &in_doubt(), std::slice::from_ref(&request)).await;
    let report = report(&house, &[bounce(&request, "Permanent", "m-1"), sent(&request)]).await;
    let email = house.email(&request);
    assert_eq!(
        (email.state, email.reason.as_deref()),
        (State::Bounced, Some("hard_bounce: General"))
    );
    assert_eq!(
        (count(&report, Happened::Success), count(&report, Happened::Bounced)),
        (1, 1)
    );
}

#[tokio::test]
async fn a_hard_bounce_suppresses_the_address_for_everything() {
    let house = House::new();
    let request = a_sent_email(&house).await;
    let report = report(&house, &[bounce(&request, "Permanent", "m-1")]).await;
    assert_eq!(report.counts.suppressed, 1);
    house.take(&[&text_of(&confirmation("ana", "2", at(NOW)))]).await;
    let states: Vec<State> = house
        .ledger
        .all()
        .iter()
        .map(|notification| notification.deliveries[&Channel::Email].state)
        .collect();
    assert!(states.contains(&State::Suppressed), "{states:?}");
}

#[tokio::test]
async fn soft_bounces_add_up() {
    let house = House::new();
    let request = a_sent_email(&house).await;
    let bounces = ["m-1", "m-2", "m-3"].map(|message| bounce(&request, "Transient", message));
    assert_eq!(report(&house, &bounces[..2]).await.counts.suppressed, 0);
    assert_eq!(report(&house, &bounces).await.counts.suppressed, 1);
    let contact = Contact::of(Channel::Email, "ana@example.com");
    let hold = house.customers.suppressions.borrow()[&contact]
        .in_force(at(NOW + 10))
        .cloned()
        .unwrap();
    assert!(hold.until.is_some());
}

#[tokio::test]
async fn a_complaint_after_the_delivery_is_the_last_word() {
    let house = House::new();
    let request = a_sent_email(&house).await;
    let part =
        json!({"timestamp": at(NOW + 9).to_string(), "complainedRecipients": [{"emailAddress": "ana@example.com"}]});
    let complaint = event(&request, "Complaint", ("complaint", part));
    let delivered = event(
        &request,
        "Delivery",
        ("delivery", json!({"timestamp": at(NOW + 2).to_string()})),
    );
    let report = report(&house, &[complaint, delivered]).await;
    assert_eq!(
        (house.email(&request).state, report.counts.suppressed),
        (State::Complained, 1)
    );
}

#[tokio::test]
async fn the_notification_form_is_matched_by_our_header_and_suppresses_without_it() {
    let house = House::new();
    let request = a_sent_email(&house).await;
    let mut notification: Value = serde_json::from_str(&bounce(&request, "Permanent", "m-1")).unwrap();
    notification["notificationType"] = notification["eventType"].take();
    notification.as_object_mut().unwrap().remove("eventType");
    notification["mail"].as_object_mut().unwrap().remove("tags");
    let nameless = report(&house, &[notification.to_string()]).await;
    assert_eq!((nameless.counts.unmatched, nameless.counts.suppressed), (1, 1));
    notification["mail"]["headers"] = json!([{"name": "x-notification-id", "value": request.id.to_string()}]);
    report(&house, &[notification.to_string()]).await;
    assert_eq!(house.email(&request).state, State::Bounced);
}

#[tokio::test]
async fn reports_about_others_messages_change_nothing() {
    let house = House::new();
    let request = a_sent_email(&house).await;
    let foreign = sent(&request).replace(&request.id.to_string(), "3f1c2f1e-0000-8000-8000-000000000000");
    let malformed = sent(&request).replace(&request.id.to_string(), "somebody's");
    let report = report(&house, &[foreign, malformed]).await;
    assert_eq!(report.counts.unmatched, 2);
    assert!(
        report
            .verdicts
            .iter()
            .all(|verdict| *verdict == FeedbackVerdict::Done(None))
    );
}

#[tokio::test]
async fn what_is_no_report_is_buried_with_its_reason_and_its_neighbours_go_on() {
    let house = House::new();
    let request = house.queued(&confirmation("ana", "1", at(NOW))).await;
    house.send("a", &in_doubt(), std::slice::from_ref(&request)).await;
    let texts = [
        "{".to_owned(),
        r#"{"eventType":"Dance","mail":{"messageId":"m"}}"#.to_owned(),
        sent(&request),
    ];
    let report = report(&house, &texts).await;
    assert_eq!((report.counts.refused, house.email(&request).state), (2, State::Sent));
    let letters = house.dead_letters.letters.borrow();
    assert_eq!(
        letters[0].reason,
        "message: expected an event of SES, which ends at line 1 column 1"
    );
    assert_eq!(
        letters[1].reason,
        "eventType: expected the type of an SES event, got an unknown one"
    );
}

#[tokio::test]
async fn a_ledger_out_of_reach_brings_the_report_back() {
    let house = House::new();
    let request = a_sent_email(&house).await;
    house.ledger.fail(1);
    let report = report(&house, &[sent(&request)]).await;
    assert!(matches!(report.verdicts[0], FeedbackVerdict::Again(..)));
}

#[tokio::test]
async fn a_greeting_of_the_subscription_is_no_report() {
    let house = House::new();
    let greeting = "Successfully validated SNS topic for Amazon SES event publishing.".to_owned();
    assert_eq!(
        report(&house, &[greeting]).await.verdicts,
        [FeedbackVerdict::Done(None)]
    );
}

fn log_entry(status: &str, response: &str) -> String {
    json!({
        "notification": {"messageId": "sms-1", "timestamp": "2026-11-20 10:40:34.558"},
        "delivery": {"phoneCarrier": "A Carrier", "mnc": 1, "destination": "+34600123456", "priceInUSD": 0.07, "smsType": "Transactional",
                     "mcc": 214, "providerResponse": response, "dwellTimeMs": 599},
        "status": status,
    })
    .to_string()
}

/// A text message that was sent, and the look-up that finds it.
async fn a_sent_text(house: &House) -> (DeliveryRequest, MemoryMessages) {
    house.take(&[&text_of(&shipped("ana", "1", at(NOW)))]).await;
    let request = house.queues.requests.borrow()[1].clone();
    let courier = ScriptedCourier::new(Channel::Sms, []);
    house.send("a", &courier, std::slice::from_ref(&request)).await;
    let messages = MemoryMessages::default();
    messages
        .known
        .borrow_mut()
        .insert("sms-1".to_owned(), (request.id, Channel::Sms));
    (request, messages)
}

#[tokio::test]
async fn a_delivery_log_of_a_text_message_finds_its_delivery_by_the_message_id() {
    let house = House::new();
    let (request, messages) = a_sent_text(&house).await;
    report_with(
        &house,
        &messages,
        &[log_entry("SUCCESS", "Message has been accepted by phone carrier")],
    )
    .await;
    let sms = house.ledger.delivery(request.id, Channel::Sms).unwrap();
    assert_eq!(sms.state, State::Delivered);
}

#[tokio::test]
async fn a_number_that_opted_out_is_suppressed() {
    let house = House::new();
    let (request, messages) = a_sent_text(&house).await;
    let report = report_with(&house, &messages, &[log_entry("FAILURE", "Phone number is opted out")]).await;
    let sms = house.ledger.delivery(request.id, Channel::Sms).unwrap();
    assert_eq!(
        (sms.state, sms.reason.as_deref()),
        (State::Bounced, Some("sms_opted_out"))
    );
    assert_eq!(report.counts.suppressed, 1);
}

fn logs(entries: &[String], kind: &str) -> String {
    let events: Vec<Value> = entries
        .iter()
        .map(|entry| json!({"id": "1", "timestamp": 1, "message": entry}))
        .collect();
    let logs = json!({"messageType": kind, "owner": "1", "logGroup": "g", "logStream": "s", "logEvents": events});
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(logs.to_string().as_bytes()).unwrap();
    let data = base64::engine::general_purpose::STANDARD.encode(packed.finish().unwrap());
    json!({"awslogs": {"data": data}}).to_string()
}

#[test]
fn entries_are_unpacked_from_what_cloudwatch_logs_hands_over() {
    let entry = log_entry("SUCCESS", "ok");
    let unpacked = entries_of(&logs(std::slice::from_ref(&entry), "DATA_MESSAGE"));
    assert_eq!(unpacked.unwrap().unwrap(), [entry]);
    assert_eq!(
        entries_of(&logs(&[], "CONTROL_MESSAGE")).unwrap().unwrap(),
        Vec::<String>::new()
    );
    assert_eq!(entries_of("{}"), None);
    assert!(entries_of(r#"{"awslogs":{"data":"!"}}"#).unwrap().is_err());
    assert!(entries_of(r#"{"awslogs":{"data":"AAAA"}}"#).unwrap().is_err());
}
