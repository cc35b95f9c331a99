//! Patrols in virtual time.

mod beat;

use domain::{Carrier, OrderStatus as S, TrackingNumber};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use tracking::ports::{Kept, PatrolLog};
use tracking::{Pace, PatrolPolicy, Spent};

use beat::{Ask, Beat, Kind, minutes};

use crate::world::{NUMBER, hour, number};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

async fn with_ups_parcel() -> Beat {
    let mut beat = Beat::new();
    beat.policy = PatrolPolicy::default();
    beat.register("1", NUMBER, "UPS").await;
    beat
}

/// When the parcel's subscription ends, and that it has not until now.
fn subscribed_until(beat: &Beat) -> Timestamp {
    let watched = beat.store.watched(&number(NUMBER)).expect("somebody looks after it");
    let until = watched.watching.subscribed_until.expect("it is subscribed to");
    assert!(until > beat.now(), "the subscription ended");
    until
}

#[tokio::test]
async fn a_ups_parcel_is_subscribed_to_at_every_moment_of_90_days_and_then_given_up() {
    let beat = with_ups_parcel().await;
    let (mut seen_on_15, mut seen_on_89, mut given_up) = (false, false, 0);
    for minute in 0..92 * 24 * 6 {
        beat.clock.set(hour(0) + SignedDuration::from_mins(10 * minute));
        given_up += beat.round(Carrier::Ups).await.given_up;
        let day = minute / (24 * 6);
        if day < 90 {
            subscribed_until(&beat);
            // What we note is what the carrier granted.
            assert!(beat.granted_until(NUMBER) > beat.now());
        }
        seen_on_15 |= day == 15;
        seen_on_89 |= day == 89;
    }
    assert!(seen_on_15 && seen_on_89);
    assert_eq!(given_up, 1);
    assert_eq!(beat.store.watched(&number(NUMBER)), None);
    let last = beat.asked().last().unwrap().at;
    assert!(last < hour(0) + days(91), "asked for after it was given up");
}

#[tokio::test]
async fn two_days_of_trouble_let_no_subscription_lapse() {
    let beat = with_ups_parcel().await;
    for minute in minutes(days(16)) {
        beat.clock.set(minute);
        let since = minute.duration_since(hour(0));
        beat.answer_with(if since > days(11) && since < days(13) {
            Some(500)
        } else {
            Some(200)
        });
        beat.round(Carrier::Ups).await;
        subscribed_until(&beat);
    }
    let tries = beat.asked().iter().filter(|ask| ask.kind == Kind::Subscribe).count();
    assert!(tries > 8, "{tries} tries");
}

#[tokio::test]
async fn a_carrier_that_does_not_subscribe_us_is_asked_nevertheless() {
    let beat = Beat::new();
    for nth in 0..250 {
        beat.register(&format!("o{nth}"), &format!("PARCEL{nth}"), "UPS").await;
    }
    beat.refuse_subscriptions(403);
    for minute in minutes(days(3)) {
        beat.clock.set(minute);
        beat.round(Carrier::Ups).await;
    }
    let ages = beat.worst_ages(Carrier::Ups, hour(0) + days(3));
    assert_eq!(ages.len(), 250);
    assert!(
        ages.values().all(|age| *age <= SignedDuration::from_hours(30)),
        "{:?}",
        ages.values().max()
    );
}

/// How many parcels of each carrier, and the longest that one of them may have to wait: the time that asking for all of them takes
/// within the carrier's limits, with a sixth to spare, and the day of which a carrier that calls may be silent.
const FLEET: [(Carrier, &str, usize, SignedDuration); 5] = [
    (Carrier::Correos, "Correos", 3_900, SignedDuration::from_hours(26)),
    // 30 calls, of which 25 in 12 hours.
    (Carrier::RoyalMail, "Royal Mail", 900, SignedDuration::from_hours(17)),
    // 300 calls, of which 250 in 24 hours.
    (Carrier::Dhl, "DHL", 300, SignedDuration::from_hours(34 + 24)),
    (Carrier::Fedex, "FedEx", 3_900, SignedDuration::from_hours(26)),
    (Carrier::Ups, "UPS", 1_000, SignedDuration::from_hours(26)),
];

#[tokio::test]
async fn of_ten_thousand_parcels_none_starves_and_no_limit_is_broken() {
    const DAYS: i64 = 4;
    let mut beat = Beat::new();
    beat.policy = PatrolPolicy::default();
    for (_, name, parcels, _) in FLEET {
        for nth in 0..parcels {
            let short: String = name.split_whitespace().collect();
            beat.register_quietly(&format!("{short}{nth}"), name).await;
        }
    }
    for minute in minutes(days(DAYS)) {
        for (carrier, ..) in FLEET {
            beat.clock.set(minute);
            let done = beat.round(carrier).await;
            assert_eq!(done.failures, 0);
        }
    }
    for (carrier, name, parcels, longest) in FLEET {
        beat.assert_limits(carrier);
        let ages = beat.worst_ages(carrier, hour(0) + days(DAYS));
        assert_eq!(ages.len(), parcels, "{name}: some were never asked for");
        let worst = ages.values().max().unwrap();
        assert!(*worst <= longest, "{name}: one waited for {worst:#}");
    }
}

/// When calls were made while the carrier answered so for a day, and how long after that until the first that it answered.
async fn trouble(status: Option<u16>) -> (Vec<SignedDuration>, SignedDuration) {
    let beat = Beat::new();
    for nth in 0..200 {
        beat.register_quietly(&format!("PARCEL{nth}"), "DPD").await;
    }
    let mended = hour(0) + days(1);
    for minute in minutes(days(1) + SignedDuration::from_hours(3)) {
        beat.clock.set(minute);
        beat.answer_with(if minute < mended { status } else { Some(200) });
        beat.round(Carrier::Dpd).await;
    }
    let asked = beat.asked();
    let at: Vec<Timestamp> = asked.iter().map(|ask| ask.at).filter(|at| *at < mended).collect();
    let gaps = at.windows(2).map(|pair| pair[1].duration_since(pair[0])).collect();
    let first = asked.iter().find(|ask| ask.at >= mended).unwrap().at;
    (gaps, first.duration_since(mended))
}

#[tokio::test]
async fn a_carrier_in_trouble_is_left_alone_longer_each_time_and_asked_again_afterwards() {
    for status in [Some(500), Some(503), Some(429), None] {
        let (gaps, until_asked) = trouble(status).await;
        assert!(gaps.is_sorted(), "{status:?}: {gaps:?}");
        assert!(gaps.len() < 40, "{status:?}: {} calls in a day of trouble", gaps.len());
        let longest = SignedDuration::from_mins(61);
        assert!(*gaps.last().unwrap() <= longest && until_asked <= longest);
    }
}

#[tokio::test]
async fn what_a_carrier_refuses_of_one_parcel_is_no_trouble_of_its_own() {
    let beat = Beat::new();
    for nth in 0..3 {
        beat.register_quietly(&format!("PARCEL{nth}"), "DPD").await;
    }
    beat.answer_with(Some(400));
    let done = beat.round(Carrier::Dpd).await;
    assert_eq!((done.calls, done.failures, done.is_resting), (3, 3, false));
}

#[tokio::test]
async fn with_wrong_credentials_nothing_is_asked_until_they_are_mended() {
    let beat = Beat::new();
    for nth in 0..100 {
        beat.register_quietly(&format!("PARCEL{nth}"), "FedEx").await;
    }
    beat.refuse_tokens(true);
    for minute in minutes(days(2)) {
        beat.clock.set(minute);
        if minute == hour(24) {
            beat.refuse_tokens(false);
        }
        beat.round(Carrier::Fedex).await;
        let has_asked = beat.asked().iter().any(|ask| ask.kind == Kind::Ask);
        assert!(minute >= hour(24) || !has_asked);
    }
    let tokens = beat
        .asked()
        .iter()
        .filter(|ask| ask.kind == Kind::Token && ask.at < hour(24))
        .count();
    assert!((5..40).contains(&tokens), "{tokens} tokens asked for in a day");
    let ages = beat.worst_ages(Carrier::Fedex, hour(48));
    assert_eq!(ages.len(), 100);
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_a_round_is_fetched_anew() {
    let beat = Beat::new();
    beat.tokens_live_for(SignedDuration::from_secs(20));
    for nth in 0..30 {
        beat.register_quietly(&format!("PARCEL{nth}"), "Correos Express").await;
    }
    let mut failures = 0;
    for minute in minutes(SignedDuration::from_mins(30)) {
        beat.clock.set(minute);
        failures += beat.round(Carrier::CorreosExpress).await.failures;
    }
    assert_eq!(failures, 0);
    assert_eq!(beat.worst_ages(Carrier::CorreosExpress, hour(0)).len(), 30);
    beat.assert_limits(Carrier::CorreosExpress);
}

#[tokio::test]
async fn a_token_that_the_carrier_forgot_is_fetched_anew() {
    let beat = Beat::new();
    beat.register_quietly("PARCEL1", "FedEx").await;
    beat.round(Carrier::Fedex).await;
    beat.forget_tokens();
    let mut answered = 0;
    for minute in minutes(days(2)) {
        beat.clock.set(minute + MINUTE);
        answered += beat.round(Carrier::Fedex).await.answered;
    }
    assert!(answered > 0);
    assert!(beat.asked().iter().filter(|ask| ask.kind == Kind::Token).count() >= 2);
}

#[tokio::test]
async fn whoever_dies_between_counting_and_asking_has_asked_too_little_never_too_much() {
    let beat = Beat::new();
    for nth in 0..900 {
        beat.register_quietly(&format!("PARCEL{nth}"), "Royal Mail").await;
    }
    let pace = Pace(beat::limits(Carrier::RoyalMail));
    let mut lost = 0;
    for minute in minutes(days(2)) {
        beat.clock.set(minute);
        if minute.as_second() % 7_200 == 0 {
            let before = beat.store.spent(Carrier::RoyalMail).await.unwrap();
            let (granted, spent) = pace.grant(&before, 1, minute);
            let kept = beat.store.spend(Carrier::RoyalMail, &before, &spent).await.unwrap();
            assert_eq!(kept, Kept::Done);
            lost += granted;
        }
        beat.round(Carrier::RoyalMail).await;
    }
    assert!(lost > 0);
    beat.assert_limits(Carrier::RoyalMail);
    let asked = u32::try_from(beat.asked().len()).unwrap();
    assert!(asked + lost <= 25 * 5 && asked > 40, "{asked} asked, {lost} lost");
}

#[tokio::test]
async fn patrols_at_once_never_break_a_limit() {
    let beat = Beat::new();
    for nth in 0..300 {
        beat.register_quietly(&format!("DHL{nth}"), "DHL").await;
        beat.register_quietly(&format!("RM{nth}"), "Royal Mail").await;
    }
    for minute in minutes(days(2)) {
        beat.clock.set(minute);
        let rounds = [Carrier::Dhl, Carrier::RoyalMail, Carrier::Dhl, Carrier::RoyalMail];
        futures_util::future::join_all(rounds.map(|carrier| beat.round(carrier))).await;
    }
    for carrier in [Carrier::Dhl, Carrier::RoyalMail] {
        beat.assert_limits(carrier);
        assert!(beat.asked().iter().filter(|ask| ask.carrier == carrier).count() > 40);
    }
}

#[tokio::test]
async fn a_round_with_a_slow_carrier_ends_before_the_next_may_begin() {
    let beat = Beat::new();
    for nth in 0..100 {
        beat.register_quietly(&format!("PARCEL{nth}"), "Correos Express").await;
    }
    beat.take_for_each_answer(SignedDuration::from_secs(7));
    let pace = Pace(beat::limits(Carrier::CorreosExpress));
    let (granted, spent) = pace.grant(&Spent::default(), 101, hour(0));
    let done = beat.round(Carrier::CorreosExpress).await;
    assert!(
        done.calls > 1 && done.calls < u64::from(granted),
        "{} calls",
        done.calls
    );
    let last = beat.asked().last().unwrap().at;
    assert!(last + pace.pause() <= spent.busy_until.unwrap());
    assert!(beat.round(Carrier::CorreosExpress).await.calls > 1);
    beat.assert_limits(Carrier::CorreosExpress);
}

#[tokio::test]
async fn whoever_was_overtaken_while_counting_asks_nothing() {
    let beat = Beat::new();
    beat.register_quietly("PARCEL1", "DPD").await;
    beat.store.before_the_next_write(|store| {
        let (before, after) = (
            Spent::default(),
            Spent {
                version: 1,
                ..Spent::default()
            },
        );
        let spent = store.spend(Carrier::Dpd, &before, &after);
        assert!(beat::at_once(spent).is_ok());
    });
    assert_eq!(beat.round(Carrier::Dpd).await.calls, 0);
    assert_eq!(beat.round(Carrier::Dpd).await.calls, 1);
}

/// The alerts and the events of so many days in which the carrier knows nothing, as the desk hears of them.
async fn silence(policy: PatrolPolicy, days_of_it: i64) -> (Beat, u64) {
    let mut beat = Beat::new();
    beat.policy = policy;
    beat.register("1", NUMBER, "DPD").await;
    let mut silent = 0;
    for minute in minutes(days(days_of_it)).step_by(10) {
        beat.clock.set(minute);
        silent += beat.round(Carrier::Dpd).await.silent;
        beat.deliver().await;
    }
    (beat, silent)
}

#[tokio::test]
async fn a_week_of_silence_is_one_alert_however_long_it_lasts() {
    assert_eq!(silence(PatrolPolicy::default(), 7).await.1, 0);
    let (beat, silent) = silence(PatrolPolicy::default(), 40).await;
    assert_eq!(silent, 1);
    assert_eq!(beat.told(), [""; 0]);
}

#[tokio::test]
async fn customers_are_told_of_silence_once_where_the_shop_wants_it() {
    let policy = PatrolPolicy {
        tells_customers_of_silence: true,
        ..PatrolPolicy::default()
    };
    let (beat, silent) = silence(policy, 40).await;
    assert_eq!(silent, 1);
    assert_eq!(beat.told(), ["delayed"]);
    assert_eq!(beat.events(), 1);
}

#[tokio::test]
async fn a_new_silence_is_a_new_alert() {
    let (beat, _) = silence(PatrolPolicy::default(), 10).await;
    beat.will_say(NUMBER, S::Shipped, beat.now());
    let mut silent = 0;
    for minute in minutes(days(30)).step_by(10) {
        beat.clock.set(minute + days(10));
        silent += beat.round(Carrier::Dpd).await.silent;
        beat.deliver().await;
    }
    assert_eq!(beat.told(), ["shipped"]);
    assert_eq!(silent, 1);
}

#[tokio::test]
async fn what_a_carrier_says_reaches_the_desk_and_after_the_end_nobody_asks() {
    let beat = Beat::new();
    beat.register("1", NUMBER, "DPD").await;
    beat.will_say(NUMBER, S::Delivered, hour(0));
    let done = beat.round(Carrier::Dpd).await;
    assert_eq!((done.answered, done.events), (1, 1));
    beat.deliver().await;
    assert_eq!(beat.told(), ["delivered"]);
    beat.clock.advance(days(2));
    assert_eq!(beat.round(Carrier::Dpd).await.due, 0);
}

#[tokio::test]
async fn what_the_queue_did_not_take_is_asked_for_again() {
    let beat = Beat::new();
    beat.register("1", NUMBER, "DPD").await;
    beat.will_say(NUMBER, S::Delivered, hour(0));
    beat.queue.refuse(1);
    assert!(beat.try_round(Carrier::Dpd).await.is_err());
    for minute in minutes(SignedDuration::from_mins(5)) {
        beat.clock.set(minute + MINUTE);
        beat.round(Carrier::Dpd).await;
    }
    beat.deliver().await;
    assert_eq!(beat.told(), ["delivered"]);
}

#[tokio::test]
async fn without_an_account_nobody_is_asked_and_nothing_is_written_every_minute() {
    let mut beat = Beat::new();
    beat.accounts = HashMap::new();
    beat.register_quietly("PARCEL1", "DPD").await;
    beat.round(Carrier::Dpd).await;
    assert_eq!(beat.asked(), [] as [Ask; 0]);
    let watched = beat
        .store
        .watched(&TrackingNumber::try_from("PARCEL1").unwrap())
        .unwrap();
    assert!(watched.watching.due_at.unwrap() >= hour(6));
}

/// Every call of a round on our own tables fails once, before and after its effect: the parcel is asked for all the same, and soon.
#[tokio::test]
async fn whichever_of_our_own_calls_fails_the_parcel_is_asked_for_again_soon() {
    for nth in 1..=5 {
        for fault in [testkit::Fault::Fails, testkit::Fault::LosesReply] {
            let beat = Beat::new();
            beat.register("1", NUMBER, "DPD").await;
            beat.will_say(NUMBER, S::Delivered, hour(0));
            beat.store.fail_at(nth, fault);
            let mut failed = 0;
            for minute in minutes(SignedDuration::from_mins(10)) {
                beat.clock.set(minute);
                failed += u32::from(beat.try_round(Carrier::Dpd).await.is_err());
            }
            beat.deliver().await;
            assert_eq!(failed, 1, "call {nth}");
            assert_eq!(beat.told(), ["delivered"], "call {nth} {fault:?}");
        }
    }
}
