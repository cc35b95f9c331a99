use super::*;
use OrderStatus as S;
use proptest::prelude::*;

fn at(hour: i64) -> Timestamp {
    Timestamp::from_second(1_795_168_800 + hour * 3_600).unwrap()
}

fn parcel() -> TrackingNumber {
    TrackingNumber::try_from("1Z204W4R0308071865").unwrap()
}

fn carrier(hour: i64, status: S) -> Saying {
    let mut event = TrackingEvent::new(Carrier::Ups, parcel(), at(hour));
    event.status = Some(status);
    event.code = Some(format!("{status}"));
    Saying::of_carrier(event, at(hour))
}

fn pipeline(hour: i64, status: S) -> Saying {
    Saying {
        parcel: None,
        by: Teller::Pipeline { reason: None },
        ..carrier(hour, status)
    }
}

fn hand(hour: i64, status: S) -> Saying {
    Saying {
        parcel: None,
        by: Teller::Hand {
            who: "admin-1".to_owned(),
            reason: "the customer called".to_owned(),
        },
        ..carrier(hour, status)
    }
}

fn status_of(sayings: &[Saying]) -> Option<S> {
    Standing::after(sayings, OrderType::Standard, Some(Carrier::Ups))
        .0
        .status
}

fn effects_of(sayings: &[Saying]) -> Vec<Effect> {
    let (_, effects) = Standing::after(sayings, OrderType::Standard, Some(Carrier::Ups));
    effects.into_iter().map(|(_, effect)| effect).collect()
}

#[test]
fn the_latest_in_time_decides_not_the_latest_to_arrive() {
    let sayings = [carrier(3, S::OutForDelivery), carrier(1, S::Shipped)];
    assert_eq!(status_of(&sayings), Some(S::OutForDelivery));
}

#[test]
fn nothing_comes_after_the_end_but_the_way_back() {
    let mut sayings = vec![
        carrier(1, S::Shipped),
        carrier(2, S::Delivered),
        carrier(3, S::Exception),
    ];
    assert_eq!(status_of(&sayings), Some(S::Delivered));
    assert_eq!(effects_of(&sayings)[2], Effect::AfterTheEnd);
    sayings.push(carrier(4, S::Returned));
    assert_eq!(status_of(&sayings), Some(S::Returned));
}

#[test]
fn a_label_that_the_carrier_hears_of_later_takes_no_parcel_back() {
    let sayings = [pipeline(1, S::Shipped), carrier(2, S::Processing)];
    assert_eq!(status_of(&sayings), Some(S::Shipped));
    assert_eq!(effects_of(&sayings)[1], Effect::AlreadyFurther);
    assert_eq!(status_of(&[carrier(1, S::Processing)]), Some(S::Processing));
}

#[test]
fn a_change_by_hand_wins_over_its_past_and_not_over_its_future() {
    let late = Saying {
        heard_at: at(9),
        ..carrier(4, S::Exception)
    };
    let sayings = [carrier(1, S::Shipped), hand(5, S::OutForDelivery), late];
    assert_eq!(status_of(&sayings), Some(S::OutForDelivery));
    assert_eq!(
        effects_of(&sayings),
        [Effect::Applied, Effect::OverruledByHand, Effect::Applied]
    );
    let later = [hand(5, S::OutForDelivery), carrier(6, S::Delivered)];
    assert_eq!(status_of(&later), Some(S::Delivered));
}

#[test]
fn by_hand_even_an_end_is_undone() {
    let sayings = [
        carrier(1, S::Delivered),
        hand(2, S::Shipped),
        carrier(3, S::OutForDelivery),
    ];
    assert_eq!(status_of(&sayings), Some(S::OutForDelivery));
}

#[test]
fn at_the_same_moment_the_graver_wins_and_the_hand_over_both() {
    assert_eq!(
        status_of(&[carrier(1, S::Returned), carrier(1, S::Shipped)]),
        Some(S::Returned)
    );
    assert_eq!(
        status_of(&[hand(1, S::Delayed), carrier(1, S::Returned)]),
        Some(S::Delayed)
    );
}

#[test]
fn the_shop_does_not_take_a_parcel_back_to_the_warehouse() {
    let sayings = [carrier(1, S::Shipped), pipeline(2, S::Processing)];
    assert_eq!(status_of(&sayings), Some(S::Shipped));
    assert_eq!(effects_of(&sayings)[1], Effect::NotPermitted);
}

#[test]
fn another_carrier_says_nothing_of_this_parcel_and_a_gatherer_does() {
    let mut other = carrier(2, S::Delivered);
    let Teller::Carrier { carrier: teller, .. } = &mut other.by else {
        panic!("a carrier's")
    };
    *teller = Carrier::Fedex;
    let sayings = [carrier(1, S::Shipped), other.clone()];
    assert_eq!(status_of(&sayings), Some(S::Shipped));
    assert_eq!(effects_of(&sayings)[1], Effect::OtherCarrier);
    let Teller::Carrier { carrier: teller, .. } = &mut other.by else {
        panic!("a carrier's")
    };
    *teller = Carrier::Easypost;
    assert_eq!(status_of(&[carrier(1, S::Shipped), other]), Some(S::Delivered));
}

#[test]
fn what_is_said_to_happen_in_the_future_decides_nothing() {
    let wrong_year = Saying {
        heard_at: at(2),
        ..carrier(24 * 365, S::Delivered)
    };
    let sayings = [carrier(1, S::Shipped), wrong_year, carrier(3, S::OutForDelivery)];
    assert_eq!(status_of(&sayings), Some(S::OutForDelivery));
}

#[test]
fn an_unread_code_keeps_the_status_and_a_new_date_is_kept() {
    let day = jiff::civil::date(2026, 11, 25);
    let update = Saying {
        status: None,
        expected: Some(day),
        ..carrier(2, S::Shipped)
    };
    let sayings = [carrier(1, S::Shipped), update];
    let (standing, effects) = Standing::after(&sayings, OrderType::Standard, None);
    assert_eq!((standing.status, standing.expected), (Some(S::Shipped), Some(day)));
    assert_eq!(effects[1].1, Effect::Silent);
}

#[test]
fn the_order_shows_what_asks_for_somebody_then_the_least_advanced_parcel() {
    let stands = |status| Standing {
        status: Some(status),
        ..Standing::default()
    };
    let own = stands(S::Processing);
    let of = |parcels: &[S]| {
        let parcels: Vec<Standing> = parcels.iter().map(|status| stands(*status)).collect();
        roll_up(&own, &parcels).status.unwrap()
    };
    assert_eq!(of(&[]), S::Processing);
    assert_eq!(of(&[S::Delivered, S::Shipped]), S::Shipped);
    assert_eq!(of(&[S::Delivered, S::Returned]), S::Returned);
    assert_eq!(of(&[S::Returned, S::Exception]), S::Exception);
    assert_eq!(of(&[S::Delivered, S::Cancelled]), S::Delivered);
    assert_eq!(of(&[S::Cancelled]), S::Cancelled);
}

fn any_saying() -> impl Strategy<Value = Saying> {
    let status = prop::sample::select(OrderStatus::ALL.to_vec());
    (0_i64..12, prop::option::weighted(0.9, status), 0_u8..8, 0_i64..12).prop_map(|(hour, status, by, heard)| {
        let mut saying = match by {
            0 => hand(hour, S::Shipped),
            1 | 2 => pipeline(hour, S::Shipped),
            _ => carrier(hour, S::Shipped),
        };
        saying.status = status;
        if let Teller::Carrier { code, .. } = &mut saying.by {
            *code = status.map(|status| status.name().to_owned());
        }
        saying.heard_at = at(heard);
        saying
    })
}

proptest! {
    /// Any order of arrival, any repetition: one state, and the same effects.
    #[test]
    fn neither_order_nor_repetition_matters(
        sayings in prop::collection::vec(any_saying(), 0..12),
        shuffle in any::<prop::sample::Index>(),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let expected = Standing::after(&sayings, OrderType::Standard, None);
        let mut shuffled = sayings.clone();
        if !sayings.is_empty() {
            shuffled.rotate_left(shuffle.index(sayings.len()));
            shuffled.extend(again.iter().map(|index| sayings[index.index(sayings.len())].clone()));
            shuffled.reverse();
        }
        prop_assert_eq!(Standing::after(&shuffled, OrderType::Standard, None), expected);
    }
}
