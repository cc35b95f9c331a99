//! Every shape is read by the readers of the carriers, and limits are kept.

use carriers::{Account, Poll, Request, Told, poll, webhook};
use domain::{Carrier, OrderStatus, TrackingEvent, TrackingNumber};
use jiff::{SignedDuration, Timestamp};

use crate::{CALLERS, Call, Laboratory, Milestone, Push, Reply, Step, Trace, numbers, push, tells_histories};

/// Carriers that are asked.
const ASKED: [Carrier; 7] = [
    Carrier::Fedex,
    Carrier::Ups,
    Carrier::Dhl,
    Carrier::Correos,
    Carrier::CorreosExpress,
    Carrier::RoyalMail,
    Carrier::Dpd,
];

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

fn parcel(carrier: Carrier) -> TrackingNumber {
    let number = numbers::number(carrier, &mut fastrand::Rng::with_seed(7));
    TrackingNumber::try_from(number).unwrap()
}

fn read(carrier: Carrier, push: &Push) -> Vec<TrackingEvent> {
    let request = Request {
        method: push.method,
        key: None,
        query: &push.query,
        headers: &[],
        body: push.body.as_bytes(),
        now: now(),
    };
    let mut sightings = webhook(carrier).unwrap().read(&request).unwrap().sightings;
    assert_eq!(sightings.len(), 1, "{carrier}");
    let sighting = sightings.remove(0);
    assert_eq!(sighting.number, parcel(carrier));
    events(sighting.told)
}

fn events(told: Told) -> Vec<TrackingEvent> {
    match told {
        Told::Events(events) => events,
        Told::NotFound => Vec::new(),
    }
}

/// What the carrier's own call is answered.
fn ask(laboratory: &Laboratory, call: &carriers::Call, at: Timestamp) -> Reply {
    let (_, rest) = call.url.split_once("://").unwrap();
    let (_, rest) = rest.split_once('/').unwrap();
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let headers: Vec<(String, String)> = call
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    let call = Call {
        method: call.method,
        path: &format!("/{path}"),
        query,
        headers: &headers,
        body: call.body.as_deref().unwrap_or_default().as_bytes(),
    };
    laboratory.reply(&call, at)
}

fn account() -> Account {
    let account = r#"{"clientId": "laboratory", "clientSecret": "laboratory", "baseUrl": "http://127.0.0.1:4599"}"#;
    serde_json::from_str(account).unwrap()
}

fn token(laboratory: &Laboratory, poll: &dyn Poll) -> Option<String> {
    let reply = ask(laboratory, &poll.token_call(&account())?, now());
    Some(poll.read_token(reply.status, reply.body.as_bytes()).unwrap().value)
}

/// What the laboratory tells the carrier's reader of these parcels.
fn told(laboratory: &Laboratory, carrier: Carrier, asked: &[TrackingNumber]) -> Vec<carriers::Sighting> {
    let poll = poll(carrier).unwrap();
    let token = token(laboratory, poll);
    let reply = ask(laboratory, &poll.call(&account(), token.as_deref(), asked), now());
    let read = poll.read(reply.status, reply.body.as_bytes(), asked, now());
    read.unwrap_or_else(|error| panic!("{carrier}: {error}: {}", reply.body))
}

/// What a carrier that is asked makes of a milestone: Correos Express tells a failed attempt beside the state, which stays what it was.
fn expected(carrier: Carrier, milestone: Milestone) -> OrderStatus {
    match (carrier, milestone) {
        (Carrier::CorreosExpress, Milestone::AttemptFailed) => OrderStatus::OutForDelivery,
        (_, milestone) => milestone.status(),
    }
}

#[test]
fn every_milestone_of_every_caller_is_read_as_what_it_is() {
    for carrier in CALLERS {
        for milestone in Milestone::ALL {
            let at = now() - SignedDuration::from_hours(5);
            let push = push(carrier, parcel(carrier).as_str(), &[Step { milestone, at }]).unwrap();
            let events = read(carrier, &push);
            assert_eq!(events.len(), 1, "{carrier} {milestone:?}");
            assert_eq!(
                (events[0].status, events[0].at, events[0].is_time_assumed),
                (Some(milestone.status()), at, false),
                "{carrier} {milestone:?}"
            );
        }
    }
}

#[test]
fn a_whole_history_is_the_same_events_as_its_parts() {
    for carrier in CALLERS.into_iter().filter(|carrier| tells_histories(*carrier)) {
        let steps = Trace::Delivered.steps(now());
        let number = parcel(carrier);
        let id = |event: TrackingEvent| domain::Saying::of_carrier(event, now()).id();
        let tell = |steps: &[Step]| read(carrier, &push(carrier, number.as_str(), steps).unwrap());
        let whole: Vec<_> = tell(&steps).into_iter().map(id).collect();
        let parts: Vec<_> = steps.iter().flat_map(|step| tell(&[*step])).map(id).collect();
        assert_eq!(whole, parts, "{carrier}");
    }
}

#[test]
fn what_is_archived_is_read_like_what_came() {
    for carrier in CALLERS {
        let steps = Trace::Delivered.steps(now());
        let push = push(carrier, parcel(carrier).as_str(), &steps).unwrap();
        let request = Request {
            method: push.method,
            key: None,
            query: &push.query,
            headers: &[],
            body: push.body.as_bytes(),
            now: now(),
        };
        let webhook = webhook(carrier).unwrap();
        let archived = webhook.archived(&request);
        assert_eq!(
            webhook.read_archived(&archived, now()),
            webhook.read(&request),
            "{carrier}"
        );
    }
}

#[test]
fn those_that_are_only_asked_never_call() {
    let step = Trace::Delivered.steps(now());
    for carrier in [Carrier::CorreosExpress, Carrier::RoyalMail] {
        assert_eq!(push(carrier, "1", &step), None);
    }
}

#[test]
fn every_step_that_the_laboratory_serves_is_read_as_what_it_is() {
    for carrier in ASKED {
        for trace in [Trace::Delivered, Trace::Attempts, Trace::Returned] {
            let steps = trace.steps(now());
            for last in 1..=steps.len() {
                let laboratory = Laboratory::default();
                laboratory.know(carrier, parcel(carrier), steps[..last].to_vec());
                let told = told(&laboratory, carrier, &[parcel(carrier)]).remove(0);
                let newest = events(told.told).pop().unwrap();
                let milestone = steps[last - 1].milestone;
                assert_eq!(
                    newest.status,
                    Some(expected(carrier, milestone)),
                    "{carrier} {milestone:?}"
                );
            }
        }
    }
}

#[test]
fn a_parcel_that_nobody_told_the_laboratory_of_is_not_found() {
    for carrier in ASKED {
        let told = told(&Laboratory::default(), carrier, &[parcel(carrier)]);
        assert_eq!(told.len(), 1, "{carrier}");
        assert_eq!(told[0].told, Told::NotFound, "{carrier}");
    }
}

#[test]
fn a_step_of_the_future_is_told_when_its_time_has_come() {
    let laboratory = Laboratory::default();
    let steps = [(-2, Milestone::OutForDelivery), (2, Milestone::Delivered)].map(|(hours, milestone)| Step {
        milestone,
        at: now() + SignedDuration::from_hours(hours),
    });
    laboratory.know(Carrier::Fedex, parcel(Carrier::Fedex), steps.to_vec());
    let told = told(&laboratory, Carrier::Fedex, &[parcel(Carrier::Fedex)]).remove(0);
    let events = events(told.told);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].status, Some(OrderStatus::OutForDelivery));
}

#[test]
fn several_parcels_are_answered_each_for_itself() {
    for carrier in [Carrier::Fedex, Carrier::Correos, Carrier::RoyalMail] {
        let laboratory = Laboratory::default();
        let unknown = TrackingNumber::try_from(numbers::number(carrier, &mut fastrand::Rng::with_seed(8))).unwrap();
        laboratory.know(carrier, parcel(carrier), Trace::Delivered.steps(now()));
        let told = told(&laboratory, carrier, &[parcel(carrier), unknown.clone()]);
        let of = |number: &TrackingNumber| told.iter().find(|told| told.number == *number).unwrap().told.clone();
        let newest = events(of(&parcel(carrier))).pop().unwrap();
        assert_eq!(newest.status, Some(OrderStatus::Delivered), "{carrier}");
        assert_eq!(of(&unknown), Told::NotFound, "{carrier}");
    }
}

#[test]
fn ups_subscribes_to_what_it_is_asked_to() {
    let laboratory = Laboratory::default();
    let (poll, asked) = (poll(Carrier::Ups).unwrap(), [parcel(Carrier::Ups)]);
    let token = token(&laboratory, poll);
    let call = poll.subscribe_call(&account(), token.as_deref(), &asked).unwrap();
    let reply = ask(&laboratory, &call, now());
    assert_eq!(
        poll.read_subscribed(reply.status, reply.body.as_bytes(), &asked),
        Ok(asked.to_vec())
    );
}

#[test]
fn a_call_without_its_token_is_refused() {
    for carrier in [Carrier::Fedex, Carrier::Ups, Carrier::Correos] {
        let call = poll(carrier)
            .unwrap()
            .call(&account(), Some("another"), &[parcel(carrier)]);
        assert_eq!(ask(&Laboratory::default(), &call, now()).status, 401, "{carrier}");
    }
}

/// How many of so many calls of one moment are answered.
fn answered(laboratory: &Laboratory, carrier: Carrier, calls: u32, at: Timestamp) -> usize {
    let token = format!("laboratory-token-of-{carrier}");
    let call = poll(carrier)
        .unwrap()
        .call(&account(), Some(&token), &[parcel(carrier)]);
    (0..calls).filter(|_| ask(laboratory, &call, at).status != 429).count()
}

#[test]
fn a_strict_laboratory_keeps_every_window_of_every_carrier() {
    for carrier in ASKED {
        let window = poll(carrier).unwrap().limits().windows[0];
        let laboratory = Laboratory::new(true);
        let most = usize::try_from(window.calls).unwrap();
        assert_eq!(
            answered(&laboratory, carrier, window.calls + 3, now()),
            most,
            "{carrier}"
        );
        assert_eq!(answered(&laboratory, carrier, 1, now() + window.per), 1, "{carrier}");
    }
}

#[test]
fn an_easy_laboratory_answers_as_often_as_it_is_asked() {
    assert_eq!(answered(&Laboratory::new(false), Carrier::Dhl, 300, now()), 300);
}

#[test]
fn more_parcels_than_a_call_may_ask_for_are_refused() {
    let mut chance = fastrand::Rng::with_seed(9);
    let numbers: Vec<TrackingNumber> = (0..31)
        .map(|_| TrackingNumber::try_from(numbers::number(Carrier::RoyalMail, &mut chance)).unwrap())
        .collect();
    let call = poll(Carrier::RoyalMail).unwrap().call(&account(), None, &numbers);
    assert_eq!(ask(&Laboratory::default(), &call, now()).status, 400);
}

#[test]
fn parcels_are_told_to_the_laboratory_by_http() {
    let laboratory = Laboratory::default();
    let (carrier, number) = (Carrier::Dpd, parcel(Carrier::Dpd));
    let body = format!(
        r#"{{"carrier": "dpd", "number": "{number}", "steps": [{{"milestone": "out-for-delivery", "at": "2026-11-20T08:00:00Z"}}]}}"#
    );
    let tell = |body: &str| {
        let call = Call {
            method: "POST",
            path: "/laboratory/parcels",
            query: "",
            headers: &[],
            body: body.as_bytes(),
        };
        laboratory.reply(&call, now()).status
    };
    assert_eq!((tell(&body), tell("{}")), (201, 400));
    let told = told(&laboratory, carrier, &[number]).remove(0);
    assert_eq!(
        events(told.told).pop().unwrap().status,
        Some(OrderStatus::OutForDelivery)
    );
}
