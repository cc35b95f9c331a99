//! Notes for inboxes: no pace, no breaker, and no doubt that is worth waiting for.

use domain::ports::SendAnswer;
use domain::{Channel, Delivery, DeliveryRequest, Lease, State};
use jiff::SignedDuration;
use testkit::{ScriptedCourier, at, shipped};

use super::{House, NOW, text_of};
use crate::{SendVerdict, SenderMemory, Sending, SendingReport, Unpaced, Waiting};

/// A note for an inbox, decided and queued.
async fn queued(house: &House) -> DeliveryRequest {
    let mut event = shipped("ana", "1", at(NOW));
    event.channels = Some(vec![Channel::InApp]);
    house.take(&[&text_of(&event)]).await;
    house.queues.requests.borrow()[0].clone()
}

async fn put(house: &House, owner: &str, courier: &ScriptedCourier, requests: &[DeliveryRequest]) -> SendingReport {
    let sending = Sending {
        customers: &house.customers,
        ledger: &house.ledger,
        traffic: &Unpaced,
        room: &house.room,
        night: &house.night,
        dead_letters: &house.dead_letters,
        clock: &house.clock,
        courier,
        policy: &house.policy,
        owner,
        deadline: at(NOW + 100_000),
        call_time_out: SignedDuration::from_secs(10),
        memory: &SenderMemory::default(),
        is_trial: false,
    };
    let waiting = |request: &DeliveryRequest| Waiting {
        text: request.to_wire(),
        is_urgent: false,
        receive_count: 1,
    };
    sending.work(&requests.iter().map(waiting).collect::<Vec<_>>()).await
}

fn note(house: &House, request: &DeliveryRequest) -> Delivery {
    house.ledger.delivery(request.id, Channel::InApp).unwrap()
}

#[tokio::test]
async fn an_inbox_goes_by_the_customers_id_and_is_looked_up_among_no_suppressions() {
    let house = House::new();
    let request = queued(&house).await;
    assert_eq!((request.to.as_str(), request.contact()), ("ana", None));
    let courier = ScriptedCourier::new(Channel::InApp, []);
    let report = put(&house, "a", &courier, std::slice::from_ref(&request)).await;
    assert_eq!((report.counts.accepted, note(&house, &request).state), (1, State::Sent));
}

#[tokio::test]
async fn a_lost_reply_is_tried_again_after_a_wait_and_uses_up_no_try() {
    let house = House::new();
    let request = queued(&house).await;
    let lost = SendAnswer::Repeatable {
        reason: "no answer in time".to_owned(),
    };
    let courier = ScriptedCourier::new(Channel::InApp, [lost]);
    let report = put(&house, "a", &courier, std::slice::from_ref(&request)).await;
    let waits = note(&house, &request);
    assert_eq!(
        (waits.state, waits.failures, report.counts.in_doubt),
        (State::Queued, 0, 0)
    );
    assert!(waits.claimable_at.is_some_and(|then| then > at(NOW)), "{waits:?}");
    house.clock.set(at(NOW + 60));
    put(&house, "b", &courier, std::slice::from_ref(&request)).await;
    assert_eq!(note(&house, &request).state, State::Sent);
    assert_eq!(courier.offered.borrow().len(), 2);
}

#[tokio::test]
async fn what_a_killed_sender_held_is_tried_again_as_soon_as_its_lease_is_over() {
    let house = House::new();
    let request = queued(&house).await;
    let lease = Lease {
        owner: "killed".to_owned(),
        until: at(NOW + 90),
    };
    let held = Delivery::queued(at(NOW)).claim(lease, at(NOW)).1;
    house.ledger.put(request.id, Channel::InApp, held);
    house.clock.set(at(NOW + 90));
    let courier = ScriptedCourier::new(Channel::InApp, []);
    let first = put(&house, "b", &courier, std::slice::from_ref(&request)).await;
    assert!(matches!(first.verdicts[0], SendVerdict::Again(_, then, _) if then == at(NOW + 90)));
    let second = put(&house, "c", &courier, std::slice::from_ref(&request)).await;
    let sent = note(&house, &request);
    assert_eq!((sent.state, sent.failures), (State::Sent, 1));
    assert_eq!((second.counts.resent_in_doubt, courier.offered.borrow().len()), (1, 1));
}

#[tokio::test]
async fn nothing_sets_a_pace() {
    let house = House::new();
    let mut requests = Vec::new();
    for order in 0..500 {
        let mut event = shipped("ana", &order.to_string(), at(NOW));
        event.channels = Some(vec![Channel::InApp]);
        house.take(&[&text_of(&event)]).await;
    }
    requests.extend(house.queues.requests.borrow().iter().cloned());
    let courier = ScriptedCourier::new(Channel::InApp, []);
    let report = put(&house, "a", &courier, &requests).await;
    assert_eq!((report.counts.accepted, report.counts.held_back), (500, 0));
}
