//! What is decided about an event, channel by channel, and why.

use domain::{
    Channel, Content, Countries, Decision, Event, Language, NotificationType, Preferences, Reason, Wait, decide,
};
use jiff::SignedDuration;
use testkit::{at, confirmation, shipped, shop_defaults};

use super::NOW;

fn decided(event: &Event, preferences: &Preferences) -> Vec<(Channel, Decision)> {
    decide(event, preferences, &shop_defaults(), at(NOW)).decisions
}

fn send(to: &str) -> Decision {
    Decision::Send {
        to: to.to_owned(),
        wait: None,
    }
}

#[test]
fn the_events_address_wins_over_the_customers_own() {
    let own = Preferences {
        email: Some("own@example.com".to_owned()),
        phone: Some("+34699999999".to_owned()),
        ..Preferences::default()
    };
    let mut event = shipped("ana", "1", at(NOW));
    assert_eq!(
        decided(&event, &own),
        [
            (Channel::Email, send("ana@example.com")),
            (Channel::Sms, send("+34600123456")),
            (Channel::InApp, send("ana"))
        ]
    );
    (event.recipient.email, event.recipient.phone) = (None, None);
    assert_eq!(
        decided(&event, &own),
        [
            (Channel::Email, send("own@example.com")),
            (Channel::Sms, send("+34699999999")),
            (Channel::InApp, send("ana"))
        ]
    );
}

#[test]
fn no_address_and_an_invalid_one_are_different_reasons() {
    let mut event = shipped("ana", "1", at(NOW));
    (event.recipient.email, event.recipient.phone) = (None, Some("+1234567890".to_owned()));
    let reasons = [
        Decision::Skip(Reason::NoAddress),
        Decision::Skip(Reason::InvalidAddress),
        send("ana"),
    ];
    assert_eq!(
        decided(&event, &Preferences::default())
            .into_iter()
            .map(|(_, decision)| decision)
            .collect::<Vec<_>>(),
        reasons
    );
}

#[test]
fn a_channel_that_the_event_does_not_name_is_not_asked_for_and_one_without_a_sender_is_not_offered() {
    let mut event = shipped("ana", "1", at(NOW));
    event.channels = Some(vec![Channel::Push, Channel::Sms]);
    let decisions = decided(&event, &Preferences::default());
    assert_eq!(decisions[0], (Channel::Email, Decision::Skip(Reason::NotAskedFor)));
    assert_eq!(decisions[1], (Channel::Sms, send("+34600123456")));
    assert_eq!(decisions[2], (Channel::InApp, Decision::Skip(Reason::NotAskedFor)));
    assert_eq!(decisions[3], (Channel::Push, Decision::Skip(Reason::NotOffered)));
}

#[test]
fn only_a_customer_has_an_inbox_and_an_address_of_an_event_is_none() {
    let mut event = shipped("ana", "1", at(NOW));
    event.recipient.user = None;
    let no_address = Decision::Skip(Reason::NoAddress);
    assert_eq!(
        decided(&event, &Preferences::default())[2],
        (Channel::InApp, no_address)
    );
}

#[test]
fn nothing_is_known_against_an_inbox() {
    let mut event = shipped("ana", "1", at(NOW));
    event.channels = Some(vec![Channel::InApp]);
    let plan = decide(&event, &Preferences::default(), &shop_defaults(), at(NOW));
    assert_eq!(plan.contacts().count(), 0);
}

#[test]
fn news_of_sixty_days_ago_is_sent_and_older_news_is_not() {
    let young = confirmation("ana", "1", at(NOW) - SignedDuration::from_hours(24 * 60));
    assert_eq!(decided(&young, &Preferences::default())[0].1, send("ana@example.com"));
    let old = confirmation(
        "ana",
        "1",
        at(NOW) - SignedDuration::from_hours(24 * 60) - SignedDuration::from_secs(1),
    );
    assert_eq!(
        decided(&old, &Preferences::default())[0].1,
        Decision::Skip(Reason::TooOld)
    );
}

#[test]
fn advertising_by_sms_needs_a_verified_phone() {
    let mut event = shipped("ana", "1", at(NOW));
    let campaign = domain::Campaign {
        id: None,
        title: "Sale".to_owned(),
        body: None,
        url: None,
    };
    event.content = Content::Promotional(campaign);
    let mut wants = Preferences {
        choices: [((Channel::Sms, NotificationType::Promotional), true)].into(),
        ..Preferences::default()
    };
    assert_eq!(decided(&event, &wants)[1].1, Decision::Skip(Reason::PhoneNotVerified));
    wants.phone_verified = true;
    assert_eq!(decided(&event, &wants)[1].1, send("+34600123456"));
}

/// A test of these channels.
fn test_of(channels: Option<Vec<Channel>>) -> Event {
    Event {
        content: Content::Test,
        channels,
        ..shipped("ana", "1", at(NOW))
    }
}

#[test]
fn a_test_goes_by_the_channels_that_it_names_whatever_the_customer_chose() {
    let choices = Channel::ALL.map(|channel| ((channel, NotificationType::Test), false));
    let nothing = Preferences {
        choices: choices.into(),
        ..Preferences::default()
    };
    assert_eq!(
        decided(&test_of(Some(vec![Channel::Email, Channel::Push])), &nothing),
        [
            (Channel::Email, send("ana@example.com")),
            (Channel::Sms, Decision::Skip(Reason::NotAskedFor)),
            (Channel::InApp, Decision::Skip(Reason::NotAskedFor)),
            (Channel::Push, Decision::Skip(Reason::NotOffered)),
        ]
    );
}

#[test]
fn a_test_that_names_no_channel_goes_nowhere() {
    let decisions = decided(&test_of(None), &Preferences::default());
    let nowhere = Channel::OFFERED.map(|channel| (channel, Decision::Skip(Reason::NotAskedFor)));
    assert_eq!(decisions, nowhere);
}

#[test]
fn a_test_by_sms_needs_a_verified_phone() {
    let event = test_of(Some(vec![Channel::Sms]));
    let mut own = Preferences::default();
    assert_eq!(decided(&event, &own)[1].1, Decision::Skip(Reason::PhoneNotVerified));
    own.phone_verified = true;
    assert_eq!(decided(&event, &own)[1].1, send("+34600123456"));
}

#[test]
fn the_language_is_the_events_then_the_customers_then_the_shops() {
    let mut event = confirmation("ana", "1", at(NOW));
    let own = Preferences {
        language: Some(Language::Ro),
        ..Preferences::default()
    };
    let language =
        |event: &Event, preferences: &Preferences| decide(event, preferences, &shop_defaults(), at(NOW)).language;
    assert_eq!(language(&event, &Preferences::default()), Language::Es);
    assert_eq!(language(&event, &own), Language::Ro);
    event.language = Some(Language::En);
    assert_eq!(language(&event, &own), Language::En);
}

#[test]
fn what_was_scheduled_for_a_moment_that_is_over_goes_at_once() {
    let mut event = confirmation("ana", "1", at(NOW));
    event.scheduled_for = Some(at(NOW));
    assert_eq!(decided(&event, &Preferences::default())[0].1, send("ana@example.com"));
    event.scheduled_for = Some(at(NOW + 1));
    let later = Decision::Send {
        to: "ana@example.com".to_owned(),
        wait: Some(Wait {
            until: at(NOW + 1),
            is_for_quiet_hours: false,
        }),
    };
    assert_eq!(decided(&event, &Preferences::default())[0].1, later);
}

#[test]
fn a_number_of_a_country_that_is_not_served_is_skipped_and_an_e_mail_is_not() {
    let shop = domain::ShopDefaults {
        sms_countries: Countries::try_from("ES,RO").unwrap(),
        ..shop_defaults()
    };
    let mut event = shipped("ana", "1", at(NOW));
    let mut decided = |phone: &str| {
        event.recipient.phone = Some(phone.to_owned());
        let plan = decide(&event, &Preferences::default(), &shop, at(NOW));
        plan.decisions
            .into_iter()
            .take(2)
            .map(|(_, decision)| decision)
            .collect::<Vec<_>>()
    };
    let email = send("ana@example.com");
    assert_eq!(
        decided("+491701234567"),
        [email.clone(), Decision::Skip(Reason::CountryNotServed)]
    );
    assert_eq!(decided("+40712345678"), [email.clone(), send("+40712345678")]);
    // No country is asked for what is no number.
    assert_eq!(decided("+1234567890"), [email, Decision::Skip(Reason::InvalidAddress)]);
}
