//! The last gate of a text message: countries, the day of a number, and the month's segments.

use domain::ports::{Clock as _, NotWritten};
use domain::{
    Channel, Countries, DeliveryRequest, NotificationId, PhoneNumber, Reason, SmsEncoding, SmsLimits, SmsSize,
};
use jiff::SignedDuration;
use testkit::{HandClock, MemoryAllowance, at, email_request, shipped};

use super::NOW;
use crate::{SmsGate, SmsGateCounts, SmsRequest};

const TWO: SmsSize = SmsSize {
    encoding: SmsEncoding::Ucs2,
    segments: 2,
};

/// A gate for Spanish numbers, three a day, and ten segments a month.
fn gate() -> SmsGate<MemoryAllowance, HandClock> {
    let limits = SmsLimits {
        countries: Countries::try_from("ES").unwrap(),
        per_number_per_day: 3,
        monthly_segments: 10,
    };
    SmsGate::new(MemoryAllowance::default(), limits, HandClock::at(at(NOW)))
}

/// A text about this order to this number.
fn text(order: &str, to: &str) -> DeliveryRequest {
    DeliveryRequest {
        channel: Channel::Sms,
        to: to.to_owned(),
        ..email_request(&shipped("ana", order, at(NOW)))
    }
}

fn urgent(order: &str, to: &str) -> DeliveryRequest {
    DeliveryRequest {
        is_urgent: true,
        ..text(order, to)
    }
}

/// Lets an ordinary text message of two segments through that belongs to no delivery.
async fn admit_text(gate: &SmsGate<MemoryAllowance, HandClock>, id: u8, to: &str) -> Result<(), NotWritten> {
    let number = PhoneNumber::try_from(to).unwrap();
    let request = SmsRequest {
        number: &number,
        id: NotificationId::from_digest([id; 16]),
        is_urgent: false,
        size: TWO,
    };
    gate.admit_text(request).await
}

const ANA: &str = "+34600123456";

fn unwanted(reason: Reason) -> Result<(), NotWritten> {
    Err(NotWritten::Unwanted(reason))
}

#[tokio::test]
async fn a_country_that_is_no_longer_served_is_skipped_and_counted_nowhere() {
    let gate = gate();
    let answer = gate.admit(&text("1", "+40712345678"), TWO).await;
    assert_eq!(answer, unwanted(Reason::CountryNotServed));
    assert_eq!(gate.allowance.used(at(NOW)), 0);
}

#[tokio::test]
async fn what_is_no_number_any_more_is_an_invalid_address() {
    let answer = gate().admit(&text("1", "+1234567890"), TWO).await;
    assert_eq!(answer, unwanted(Reason::InvalidAddress));
}

#[tokio::test]
async fn a_full_day_of_a_number_refuses_the_next_message_but_not_a_retry_nor_another_number() {
    let gate = gate();
    for order in ["1", "2", "3", "3", "1"] {
        assert_eq!(gate.admit(&text(order, ANA), TWO).await, Ok(()), "{order}");
    }
    assert_eq!(gate.admit(&text("4", ANA), TWO).await, unwanted(Reason::SmsNumberLimit));
    assert_eq!(gate.admit(&text("5", "+34600123457"), TWO).await, Ok(()));
    // The refused one took nothing, and no retry took anything again.
    assert_eq!(gate.allowance.used(at(NOW)), 8);
}

#[tokio::test]
async fn an_urgent_message_goes_out_when_the_day_is_full_until_there_are_twice_as_many() {
    let mut gate = gate();
    gate.limits.monthly_segments = 1_000;
    for order in ["1", "2", "3"] {
        assert_eq!(gate.admit(&text(order, ANA), TWO).await, Ok(()));
    }
    for order in ["4", "5", "6"] {
        assert_eq!(gate.admit(&urgent(order, ANA), TWO).await, Ok(()));
    }
    let seventh = gate.admit(&urgent("7", ANA), TWO).await;
    assert_eq!(seventh, unwanted(Reason::SmsNumberLimit));
}

#[tokio::test]
async fn a_text_that_is_no_delivery_is_counted_with_the_deliveries_to_its_number() {
    let gate = gate();
    for order in ["1", "2"] {
        assert_eq!(gate.admit(&text(order, ANA), TWO).await, Ok(()));
    }
    assert_eq!(admit_text(&gate, 1, ANA).await, Ok(()));
    assert_eq!(admit_text(&gate, 1, ANA).await, Ok(()));
    assert_eq!(gate.allowance.used(at(NOW)), 6);
    assert_eq!(admit_text(&gate, 2, ANA).await, unwanted(Reason::SmsNumberLimit));
    assert_eq!(gate.admit(&text("3", ANA), TWO).await, unwanted(Reason::SmsNumberLimit));
}

#[tokio::test]
async fn a_text_that_is_no_delivery_goes_to_served_countries_only_and_waits_for_its_counters() {
    let gate = gate();
    let abroad = admit_text(&gate, 1, "+40712345678").await;
    assert_eq!(abroad, unwanted(Reason::CountryNotServed));
    gate.allowance.is_out_of_reach.set(true);
    let why = "could not count a text message: the table is told to be out of reach".to_owned();
    assert_eq!(admit_text(&gate, 1, ANA).await, Err(NotWritten::NotNow(why)));
}

#[tokio::test]
async fn a_new_day_begins_at_midnight_in_utc() {
    let gate = gate();
    for order in ["1", "2", "3"] {
        assert_eq!(gate.admit(&text(order, ANA), TWO).await, Ok(()));
    }
    gate.clock.advance(SignedDuration::from_hours(24));
    assert_eq!(gate.admit(&text("4", ANA), TWO).await, Ok(()));
}

#[tokio::test]
async fn four_fifths_of_the_month_are_for_everything_and_the_rest_for_what_is_urgent() {
    let gate = gate();
    let number = |nth: u32| format!("+3460012345{nth}");
    for nth in 0..4 {
        assert_eq!(gate.admit(&text(&nth.to_string(), &number(nth)), TWO).await, Ok(()));
    }
    let ordinary = gate.admit(&text("5", &number(5)), TWO).await;
    assert_eq!(ordinary, unwanted(Reason::SmsBudgetUsedUp));
    assert_eq!(gate.admit(&urgent("6", &number(6)), TWO).await, Ok(()));
    let last = gate.admit(&urgent("7", &number(7)), TWO).await;
    assert_eq!(last, unwanted(Reason::SmsBudgetUsedUp));
    assert_eq!(gate.allowance.used(at(NOW)), 10);
    // What was granted before the month was full is tried again all the same.
    assert_eq!(gate.admit(&text("0", &number(0)), TWO).await, Ok(()));
}

#[tokio::test]
async fn how_much_is_used_is_told_once_and_a_refusal_tells_at_least_its_share() {
    let mut gate = gate();
    gate.limits.monthly_segments = 9;
    for (order, percent) in [("1", 23), ("2", 45), ("3", 67)] {
        assert_eq!(gate.admit(&text(order, ANA), TWO).await, Ok(()));
        assert_eq!(gate.take_counts().used_percent, Some(percent));
    }
    // Six are used, seven are for everything: two more are one too many.
    let refused = gate.admit(&text("4", "+34600123457"), TWO).await;
    assert_eq!(refused, unwanted(Reason::SmsBudgetUsedUp));
    assert_eq!(gate.take_counts().used_percent, Some(80));
    assert_eq!(gate.take_counts(), SmsGateCounts::default());
}

#[tokio::test]
async fn without_counters_urgent_messages_go_out_and_others_come_again() {
    let gate = gate();
    gate.allowance.is_out_of_reach.set(true);
    assert_eq!(gate.admit(&urgent("1", ANA), TWO).await, Ok(()));
    let why = "could not count a text message: the table is told to be out of reach".to_owned();
    assert_eq!(gate.admit(&text("2", ANA), TWO).await, Err(NotWritten::NotNow(why)));
    assert_eq!(gate.take_counts().uncounted, 2);
}

#[tokio::test]
async fn counters_that_never_answer_are_not_waited_for() {
    let gate = gate();
    gate.allowance.is_silent.set(true);
    let why = "could not count a text message: no answer in time".to_owned();
    assert_eq!(gate.admit(&text("1", ANA), TWO).await, Err(NotWritten::NotNow(why)));
    assert_eq!(gate.admit(&urgent("2", ANA), TWO).await, Ok(()));
}

#[tokio::test]
async fn counters_that_were_silent_are_not_asked_again_for_each_message_but_soon() {
    let gate = gate();
    gate.allowance.is_silent.set(true);
    gate.admit(&text("1", ANA), TWO).await.unwrap_err();
    let waited_until = gate.clock.now();
    let why = "could not count a text message: no answer a moment ago".to_owned();
    assert_eq!(gate.admit(&text("2", ANA), TWO).await, Err(NotWritten::NotNow(why)));
    assert_eq!(gate.clock.now(), waited_until);
    gate.allowance.is_silent.set(false);
    gate.clock.advance(SignedDuration::from_secs(10));
    assert_eq!(gate.admit(&text("2", ANA), TWO).await, Ok(()));
}
