//! Taking in: what is decided, recorded, handed over and buried.

use domain::{Channel, State};
use testkit::{at, confirmation, shipped};

use super::{House, NOW, text_of};
use crate::{IntakeVerdict, Lane};

#[tokio::test]
async fn the_decision_is_recorded_with_its_reasons_and_handed_over() {
    let house = House::new();
    let mut event = shipped("ana", "456", at(NOW));
    event.channels = Some(vec![Channel::Email, Channel::Sms, Channel::InApp]);
    let report = house.take(&[&text_of(&event)]).await;
    let IntakeVerdict::Decided(decided) = &report.verdicts[0] else {
        panic!("{report:?}")
    };
    let outcomes: Vec<(Channel, State)> = decided
        .results
        .iter()
        .map(|result| (result.channel, result.outcome))
        .collect();
    assert_eq!(outcomes, Channel::OFFERED.map(|channel| (channel, State::Queued)));
    assert_eq!((report.counts.decided, report.counts.channels), (1, 3));
    assert_eq!(house.queues.requests.borrow().len(), 3);
}

#[tokio::test]
async fn opted_out_of_everything_is_a_recorded_reason_and_no_error() {
    let house = House::new();
    house.opt_out("ana", Channel::OFFERED);
    let mut event = shipped("ana", "456", at(NOW));
    event.channels = Some(Channel::OFFERED.to_vec());
    let report = house.take(&[&text_of(&event)]).await;
    let IntakeVerdict::Decided(decided) = &report.verdicts[0] else {
        panic!("{report:?}")
    };
    assert!(
        decided
            .results
            .iter()
            .all(|result| result.outcome == State::Skipped && result.reason.as_deref() == Some("opted_out"))
    );
    assert_eq!((report.counts.decided, report.counts.channels), (1, 0));
    assert!(house.dead_letters.letters.borrow().is_empty() && house.queues.requests.borrow().is_empty());
}

#[tokio::test]
async fn the_same_event_five_times_in_a_batch_is_handed_over_once_per_channel() {
    let house = House::new();
    let text = text_of(&shipped("ana", "456", at(NOW)));
    let report = house.take(&[text.as_str(); 5]).await;
    assert_eq!((report.counts.decided, report.counts.repeated), (1, 4));
    assert_eq!(house.queues.requests.borrow().len(), 2);
}

#[tokio::test]
async fn one_poison_record_goes_to_the_dead_letters_with_its_reason_and_nine_go_on() {
    let house = House::new();
    let good: Vec<String> = (0..9)
        .map(|n| text_of(&confirmation("ana", &n.to_string(), at(NOW))))
        .collect();
    let mut texts: Vec<&str> = good.iter().map(String::as_str).collect();
    texts.insert(4, r#"{"userId":"ana","notificationType":"order_confirmation"}"#);
    let report = house.take(&texts).await;
    assert_eq!((report.counts.decided, report.counts.refused), (9, 1));
    let letters = house.dead_letters.letters.borrow();
    assert_eq!(letters.len(), 1);
    assert_eq!(
        letters[0].reason,
        "orderData.orderId: expected the order's id, got nothing"
    );
}

#[tokio::test]
async fn the_urgent_lane_leaves_refusals_to_the_normal_lane() {
    let house = House::new();
    house.take_by(Lane::Urgent, "urgent", &["{"]).await;
    assert!(house.dead_letters.letters.borrow().is_empty());
    house.take_by(Lane::Normal, "normal", &["{"]).await;
    assert_eq!(house.dead_letters.letters.borrow().len(), 1);
}

#[tokio::test]
async fn a_refused_record_comes_again_while_the_dead_letters_are_out_of_reach() {
    let house = House::new();
    house.dead_letters.is_out_of_reach.set(true);
    let report = house.take(&["{"]).await;
    assert!(matches!(report.verdicts[0], IntakeVerdict::Retry(_)));
}

#[tokio::test]
async fn the_same_key_with_another_content_is_a_conflict_and_with_the_same_is_not() {
    let house = House::new();
    let text = |total: &str, moment: &str| {
        format!(
            r#"{{"userId":"u","type":"order_confirmation","orderId":"1","totalAmount":{total},"timestamp":"{moment}","idempotencyKey":"k"}}"#
        )
    };
    house.take(&[&text("5", "2026-11-20T10:00:00Z")]).await;
    let again = house
        .take_by(Lane::Normal, "second", &[&text("5", "2026-11-20T10:05:00Z")])
        .await;
    assert_eq!(again.counts.repeated, 1);
    let other = house
        .take_by(Lane::Normal, "third", &[&text("6", "2026-11-20T10:00:00Z")])
        .await;
    assert_eq!((other.counts.conflicts, house.ledger.all().len()), (1, 1));
    assert!(house.dead_letters.letters.borrow()[0].reason.contains("idempotencyKey"));
}

#[tokio::test]
async fn death_between_record_and_hand_over_is_made_up_for_by_the_repetition() {
    let house = House::new();
    house.queues.refusing.set(1);
    let text = text_of(&shipped("ana", "456", at(NOW)));
    let first = house.take(&[&text]).await;
    assert!(matches!(first.verdicts[0], IntakeVerdict::Retry(_)));
    let second = house.take_by(Lane::Normal, "second", &[&text]).await;
    assert!(matches!(&second.verdicts[0], IntakeVerdict::Decided(decided) if !decided.is_new));
    assert!(
        house
            .queues
            .requests
            .borrow()
            .iter()
            .any(|request| request.channel == Channel::Email)
    );
}

#[tokio::test]
async fn what_nobody_has_taken_up_and_nobody_wants_any_more_is_closed_with_its_reason() {
    let house = House::new();
    house.queues.refusing.set(2);
    let text = text_of(&shipped("ana", "456", at(NOW)));
    let first = house.take(&[&text]).await;
    assert_eq!(
        (first.counts.decided, first.counts.channels, first.counts.retried),
        (1, 2, 1)
    );
    house.opt_out("ana", [Channel::Email]);
    let second = house.take_by(Lane::Normal, "second", &[&text]).await;
    assert_eq!((second.counts.decided, second.counts.repeated), (0, 1));
    let notification = &house.ledger.all()[0];
    let email = &notification.deliveries[&Channel::Email];
    assert_eq!(
        (email.state, email.reason.as_deref()),
        (State::Skipped, Some("opted_out"))
    );
    let handed: Vec<Channel> = house
        .queues
        .requests
        .borrow()
        .iter()
        .map(|request| request.channel)
        .collect();
    assert_eq!(handed, [Channel::Sms]);
    assert_eq!(notification.channels(), [Channel::Sms]);
}

#[tokio::test]
async fn two_events_on_one_fact_in_one_batch_ask_for_the_channels_of_both() {
    let house = House::new();
    let text = |channel: &str| {
        format!(
            r#"{{"userId":"u","type":"order_status_update","recipientEmail":"a@example.com","recipientPhone":"+34600123456","orderId":"1","status":"shipped","channels":["{channel}"]}}"#
        )
    };
    house.take(&[&text("email"), &text("sms")]).await;
    assert_eq!(house.ledger.all()[0].channels(), [Channel::Email, Channel::Sms]);
}

#[tokio::test]
async fn of_two_contents_under_one_key_in_one_batch_the_one_that_the_ledger_knows_is_no_conflict() {
    let house = House::new();
    let text = |total: u32| {
        format!(
            r#"{{"userId":"u","type":"order_confirmation","orderId":"1","totalAmount":{total},"idempotencyKey":"k"}}"#
        )
    };
    house.take(&[&text(2)]).await;
    let report = house
        .take_by(Lane::Normal, "second", &[&text(1), &text(2), &text(1)])
        .await;
    assert_eq!((report.counts.conflicts, report.counts.repeated), (2, 1));
    assert_eq!(house.dead_letters.letters.borrow().len(), 2);
}

#[tokio::test]
async fn of_two_contents_under_a_new_key_in_one_batch_the_second_is_a_conflict() {
    let house = House::new();
    let text = |total: u32| {
        format!(
            r#"{{"userId":"u","type":"order_confirmation","recipientEmail":"a@example.com","orderId":"1","totalAmount":{total},"idempotencyKey":"k","channels":["email"]}}"#
        )
    };
    let report = house.take(&[&text(1), &text(2)]).await;
    assert_eq!((report.counts.decided, report.counts.conflicts), (1, 1));
    assert_eq!(house.queues.requests.borrow().len(), 1);
}

#[tokio::test]
async fn a_channel_that_was_not_asked_for_may_be_asked_for_later() {
    let house = House::new();
    let text = |channel: &str| {
        format!(
            r#"{{"userId":"u","type":"order_status_update","recipientEmail":"a@example.com","recipientPhone":"+34600123456","orderId":"1","status":"shipped","channels":["{channel}"]}}"#
        )
    };
    house.take(&[&text("email")]).await;
    house.take_by(Lane::Normal, "second", &[&text("sms")]).await;
    house.take_by(Lane::Normal, "third", &[&text("email")]).await;
    let channels: Vec<Channel> = house
        .queues
        .requests
        .borrow()
        .iter()
        .map(|request| request.channel)
        .collect();
    assert_eq!(channels[..2], [Channel::Email, Channel::Sms]);
    assert_eq!(house.ledger.all()[0].channels(), [Channel::Email, Channel::Sms]);
}

#[tokio::test]
async fn preferences_out_of_reach_send_everything_back() {
    let house = House::new();
    house.customers.is_out_of_reach.set(true);
    let report = house.take(&[&text_of(&confirmation("ana", "1", at(NOW)))]).await;
    assert_eq!(report.counts.retried, 1);
    assert!(house.ledger.all().is_empty());
}
