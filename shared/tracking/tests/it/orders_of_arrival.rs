//! What carriers tell may come in any order, in any company, and more than once.

use domain::{Carrier, OrderStatus as S, OrderType, Saying, Standing, TrackingDetail, TrackingEvent};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::future::Future;

use crate::world::{World, hour, order, parcel, status_of, told, ups, with_detail};

fn trace() -> Vec<TrackingEvent> {
    vec![
        ups(1, "label", Some(S::Processing)),
        ups(2, "picked-up", Some(S::Shipped)),
        ups(10, "in-transit", Some(S::Shipped)),
        ups(20, "customs", Some(S::Shipped)),
        ups(22, "in-code", Some(S::OutForDelivery)),
        with_detail(ups(26, "attempt", Some(S::Exception)), TrackingDetail::AttemptFailed),
        ups(40, "nobody-knows", None),
        ups(46, "out-again", Some(S::OutForDelivery)),
        ups(50, "delivered", Some(S::Delivered)),
    ]
}

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// What comes to the desk.
#[derive(Debug, Clone)]
enum Step {
    Carrier(TrackingEvent),
    Pipeline(Value),
}

/// The pipeline registers the parcel for two orders, and says of one of them that it was shipped.
fn all_steps() -> Vec<Step> {
    let pipeline = [
        told(0, "1", "processing", parcel()),
        told(3, "1", "shipped", parcel()),
        told(0, "2", "processing", parcel()),
    ];
    let carrier = trace().into_iter().map(Step::Carrier);
    carrier.chain(pipeline.into_iter().map(Step::Pipeline)).collect()
}

/// Takes all steps, those of the carrier in batches of these sizes, and holds every news against what the desk knew by then.
async fn take(steps: &[Step], sizes: &[usize]) -> World {
    let world = World::new();
    world.clock.set(hour(60));
    let mut sizes = sizes.iter().copied().cycle();
    let mut rest = steps;
    let mut latest: [Option<Timestamp>; 2] = [None, None];
    while let Some((first, others)) = rest.split_first() {
        let written = world.store.news().len();
        rest = match first {
            Step::Pipeline(event) => {
                world.tell(event).await;
                others
            }
            Step::Carrier(_) => {
                let size = sizes.next().unwrap_or(1);
                let batch: Vec<TrackingEvent> = rest
                    .iter()
                    .map_while(|step| match step {
                        Step::Carrier(event) => Some(event.clone()),
                        Step::Pipeline(_) => None,
                    })
                    .take(size)
                    .collect();
                world.hear(&batch).await;
                &rest[batch.len()..]
            }
        };
        for (id, news) in &world.store.news()[written..] {
            let event: Value = serde_json::from_str(&news.event).unwrap();
            let record = world.store.order(id).unwrap();
            let now = record.parcels[0].standing.status.unwrap().name();
            assert_eq!(status_of(&event), now, "news of what no longer is");
            let latest = &mut latest[usize::from(id.as_str() == "2")];
            let happened: Timestamp = event["timestamp"].as_str().unwrap().parse().unwrap();
            assert!(latest.is_none_or(|latest| latest < happened), "news went back");
            *latest = Some(happened);
        }
        world.clock.advance(jiff::SignedDuration::from_mins(1));
    }
    world
}

fn same_ends(one: &World, other: &World) {
    for id in ["1", "2"] {
        let (one, other) = (one.order(id), other.order(id));
        assert_eq!(one.standing, other.standing);
        assert_eq!(one.parcels, other.parcels);
        assert_eq!(one.needs_review, other.needs_review);
    }
}

#[test]
fn all_orders_of_nine_sayings_lead_to_one_standing() {
    let mut sayings: Vec<Saying> = trace()
        .into_iter()
        .map(|event| Saying::of_carrier(event, hour(60)))
        .collect();
    let (expected, _) = Standing::after(&sayings, OrderType::Standard, Some(Carrier::Ups));
    assert_eq!(expected.status, Some(S::Delivered));
    let mut tried = 0_u32;
    permute(&mut sayings, 0, &mut |sayings| {
        let (standing, _) = Standing::after(sayings, OrderType::Standard, Some(Carrier::Ups));
        assert_eq!(standing, expected);
        tried += 1;
    });
    assert_eq!(tried, 362_880);
}

fn permute(sayings: &mut [Saying], from: usize, visit: &mut impl FnMut(&[Saying])) {
    if from == sayings.len() {
        visit(sayings);
        return;
    }
    for index in from..sayings.len() {
        sayings.swap(from, index);
        permute(sayings, from + 1, visit);
        sayings.swap(from, index);
    }
}

#[tokio::test]
async fn in_order_each_step_that_the_customer_notices_is_told_once() {
    let world = World::with_a_parcel().await;
    world.hear_in_time(&trace()).await;
    assert_eq!(
        world.told(),
        [
            "shipped",
            "out_for_delivery",
            "exception",
            "out_for_delivery",
            "delivered"
        ]
    );
}

#[tokio::test]
async fn backwards_only_the_end_is_told() {
    let world = World::with_a_parcel().await;
    world.clock.set(hour(60));
    for event in trace().iter().rev() {
        world.hear(std::slice::from_ref(event)).await;
    }
    assert_eq!(world.told(), ["delivered"]);
}

#[tokio::test]
async fn all_at_once_only_the_end_is_told() {
    let world = World::with_a_parcel().await;
    world.clock.set(hour(60));
    world.hear(&trace()).await;
    assert_eq!(world.told(), ["delivered"]);
}

#[tokio::test]
async fn of_orders_that_share_a_parcel_each_customer_is_told() {
    let world = World::with_a_parcel().await;
    let mut other = told(-1, "2", "processing", parcel());
    other["userId"] = json!("ben");
    world.tell(&other).await;
    world.hear(&[ups(0, "picked-up", Some(S::Shipped))]).await;
    let users: Vec<Value> = world.events().iter().map(|event| event["userId"].clone()).collect();
    assert_eq!(users, ["ana", "ben"]);
    assert_eq!(world.store.order(&order("2")).unwrap().status(), S::Shipped);
}

/// All steps, each up to three times, in any order.
fn shuffled() -> impl Strategy<Value = Vec<Step>> {
    let steps = all_steps();
    prop::collection::vec(1_usize..=3, steps.len())
        .prop_map(move |times| {
            let repeated = steps.iter().zip(times);
            repeated
                .flat_map(|(step, times)| std::iter::repeat_n(step.clone(), times))
                .collect::<Vec<Step>>()
        })
        .prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// One final record, and no message about what no longer is.
    #[test]
    fn any_order_any_repetition_any_batch(steps in shuffled(), sizes in prop::collection::vec(1_usize..6, 1..8)) {
        let world = run(take(&steps, &sizes));
        let in_order = run(take(&all_steps(), &[1]));
        same_ends(&world, &in_order);
        prop_assert_eq!(world.order("1").status(), S::Delivered);
    }
}
