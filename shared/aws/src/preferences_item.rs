//! What a customer asked for, as the item in the table of preferences tells it, and how a change is written into it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Channel, Language, NotificationType, OrderStatus, Preferences, QuietHours, StatusChoice, Zone};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

use crate::item::{Item, bool_of, map_of, number, number_of, text, text_of};

/// Everything in an item that speaks of what its customer asked for. Callers write some of it by hand and leave `version` alone.
pub(crate) const ATTRIBUTES: [&str; 8] = [
    "preferences",
    "language",
    "timezone",
    "quietHours",
    "phoneNumber",
    "phoneVerified",
    "version",
    "updatedAt",
];

/// Reads what is there; what is missing or senseless is left to the defaults.
pub(crate) fn preferences_of(item: &Item) -> Preferences {
    let line = |name: &str| {
        text_of(item, name)
            .map(domain::clean_line)
            .filter(|text| !text.is_empty())
    };
    let mut preferences = Preferences {
        email: line("email"),
        phone: line("phoneNumber"),
        phone_verified: item.get("phoneVerified").and_then(bool_of).unwrap_or(false),
        language: text_of(item, "language").and_then(|code| Language::closest(code).ok().flatten()),
        zone: text_of(item, "timezone").and_then(|name| Zone::try_from(name).ok()),
        quiet_hours: map_of(item, "quietHours").and_then(quiet_hours_of),
        ..Preferences::default()
    };
    let Some(channels) = map_of(item, "preferences") else {
        return preferences;
    };
    for channel in Channel::ALL {
        for (name, value) in map_of(channels, channel.name()).into_iter().flatten() {
            let Some(notification_type) = NotificationType::from_name(name).filter(|known| known.can_be_chosen())
            else {
                continue;
            };
            if notification_type == NotificationType::OrderStatusUpdate {
                preferences
                    .status_choices
                    .extend(status_choice_of(value).map(|choice| (channel, choice)));
            } else if let Some(choice) = bool_of(value) {
                preferences.choices.insert((channel, notification_type), choice);
            }
        }
    }
    preferences
}

fn quiet_hours_of(hours: &Item) -> Option<QuietHours> {
    QuietHours::between(text_of(hours, "start")?, text_of(hours, "end")?).ok()
}

/// One answer for all statuses, or a map from status to answer.
fn status_choice_of(value: &AttributeValue) -> Option<StatusChoice> {
    let Ok(statuses) = value.as_m() else {
        return bool_of(value).map(StatusChoice::All);
    };
    let mut choices: Vec<(OrderStatus, Spelling, bool)> = statuses
        .iter()
        .filter_map(|(name, choice)| {
            let status = OrderStatus::read(name).ok()?;
            Some((status, Spelling::of(name, status), bool_of(choice)?))
        })
        .collect();
    // The last of each status wins: our own spelling before others, and of equals the answer no.
    choices.sort_by_key(|(status, spelling, choice)| (*status, *spelling, !*choice));
    Some(StatusChoice::PerStatus(
        choices
            .into_iter()
            .map(|(status, _, choice)| (status, choice))
            .collect(),
    ))
}

/// When it was last changed: as we write it, or in seconds or milliseconds since 1970.
pub(crate) fn updated_at_of(item: &Item) -> Option<Timestamp> {
    let written = || text_of(item, "updatedAt")?.parse().ok();
    let counted = || match number_of::<i64>(item, "updatedAt")? {
        milliseconds if milliseconds.abs() >= 100_000_000_000 => Timestamp::from_millisecond(milliseconds).ok(),
        seconds => Timestamp::from_second(seconds).ok(),
    };
    written().or_else(counted)
}

/// Tells what is stored from everything else that could be: 32 hexadecimal digits.
pub(crate) fn revision_of(item: &Item) -> String {
    let mut hash = Sha256::new();
    for name in ATTRIBUTES {
        hash.update(name);
        match item.get(name) {
            None => hash.update([0]),
            Some(value) => absorb(&mut hash, value),
        }
    }
    let digest = hash.finalize();
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Every value in one way, and no two in the same: each is led by its type and its length.
fn absorb(hash: &mut Sha256, value: &AttributeValue) {
    let mut put = |kind: u8, text: &[u8]| {
        hash.update([kind]);
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    };
    if let Ok(text) = value.as_s() {
        put(1, text.as_bytes());
    } else if let Ok(digits) = value.as_n() {
        put(2, digits.as_bytes());
    } else if let Ok(choice) = value.as_bool() {
        put(3, &[u8::from(*choice)]);
    } else if let Ok(fields) = value.as_m() {
        put(4, &fields.len().to_be_bytes());
        for (name, value) in fields.iter().collect::<BTreeMap<_, _>>() {
            hash.update(name.len().to_be_bytes());
            hash.update(name);
            absorb(hash, value);
        }
    } else {
        // Nobody stores a choice as one of the others; told apart by how they print.
        put(5, format!("{value:?}").as_bytes());
    }
}

/// What has to be written so that an item of one customer's preferences tells another's: attributes with their new values, and
/// `None` for those that go. What is stored under names that we do not know stays.
pub(crate) fn written(
    item: &Item,
    from: &Preferences,
    to: &Preferences,
    now: Timestamp,
) -> Vec<(&'static str, Option<AttributeValue>)> {
    let mut written = vec![
        ("preferences", Some(AttributeValue::M(choices(item, from, to)))),
        ("updatedAt", Some(text(now.to_string()))),
        (
            "version",
            Some(number(number_of::<u64>(item, "version").unwrap_or(0).saturating_add(1))),
        ),
    ];
    if from.language != to.language {
        written.push(("language", to.language.map(|language| text(language.code()))));
    }
    if from.zone != to.zone {
        written.push(("timezone", to.zone.clone().map(|zone| text(String::from(zone)))));
    }
    if from.quiet_hours != to.quiet_hours {
        written.push((
            "quietHours",
            to.quiet_hours.map(|hours| AttributeValue::M(hours_item(hours))),
        ));
    }
    if from.phone != to.phone {
        written.push(("phoneNumber", to.phone.clone().map(text)));
    }
    if from.phone_verified != to.phone_verified {
        written.push(("phoneVerified", Some(AttributeValue::Bool(to.phone_verified))));
    }
    written
}

fn hours_item(hours: QuietHours) -> Item {
    let of = |time: jiff::civil::Time| text(format!("{:02}:{:02}", time.hour(), time.minute()));
    Item::from([
        ("start".to_owned(), of(hours.start())),
        ("end".to_owned(), of(hours.end())),
    ])
}

/// The map of choices with what differs put in place of what is stored, however that is spelt.
fn choices(item: &Item, from: &Preferences, to: &Preferences) -> Item {
    let mut channels = map_of(item, "preferences").cloned().unwrap_or_default();
    for channel in Channel::ALL {
        let mut types = map_of(&channels, channel.name()).cloned().unwrap_or_default();
        for notification_type in NotificationType::ALL {
            let stored = |of: &Preferences| {
                let alone = of
                    .choices
                    .get(&(channel, notification_type))
                    .copied()
                    .map(AttributeValue::Bool);
                let is_by_status = notification_type == NotificationType::OrderStatusUpdate;
                let by_status = of
                    .status_choices
                    .get(&channel)
                    .filter(|_| is_by_status)
                    .map(status_choice_item);
                alone.or(by_status)
            };
            let next = stored(to);
            if stored(from) == next {
                continue;
            }
            types.retain(|name, _| NotificationType::from_name(name) != Some(notification_type));
            types.extend(next.map(|value| (notification_type.name().to_owned(), value)));
        }
        if !types.is_empty() || channels.contains_key(channel.name()) {
            channels.insert(channel.name().to_owned(), AttributeValue::M(types));
        }
    }
    channels
}

fn status_choice_item(choice: &StatusChoice) -> AttributeValue {
    match choice {
        StatusChoice::All(choice) => AttributeValue::Bool(*choice),
        StatusChoice::PerStatus(choices) => {
            let named = choices
                .iter()
                .map(|(status, choice)| (status.name().to_owned(), AttributeValue::Bool(*choice)));
            AttributeValue::M(named.collect())
        }
    }
}

/// How a stored status is spelt; of two spellings of one status the greater counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spelling {
    Neighbours,
    OursInAnotherCase,
    Ours,
}

impl Spelling {
    fn of(name: &str, status: OrderStatus) -> Self {
        if name == status.name() {
            Self::Ours
        } else if name.eq_ignore_ascii_case(status.name()) {
            Self::OursInAnotherCase
        } else {
            Self::Neighbours
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Topic;

    fn map(fields: impl IntoIterator<Item = (&'static str, AttributeValue)>) -> AttributeValue {
        AttributeValue::M(
            fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
        )
    }

    #[test]
    fn a_half_filled_item_leaves_the_rest_to_the_defaults() {
        let email = map([
            ("order_confirmation", AttributeValue::Bool(false)),
            ("nonsense", AttributeValue::Bool(true)),
            ("test", AttributeValue::Bool(false)),
        ]);
        let sms = map([(
            "order_status_update",
            map([
                ("SHIPPED", AttributeValue::Bool(false)),
                ("lost", AttributeValue::Bool(true)),
            ]),
        )]);
        let item = Item::from([
            ("userId".to_owned(), text("ana")),
            ("preferences".to_owned(), map([("email", email), ("sms", sms)])),
            ("timezone".to_owned(), text("Mars/Olympus")),
            ("quietHours".to_owned(), map([("start", text("21:00"))])),
        ]);
        let preferences = preferences_of(&item);
        assert_eq!(preferences.choices.len(), 1);
        assert_eq!(
            preferences.status_choices.get(&Channel::Sms),
            Some(&StatusChoice::PerStatus([(OrderStatus::Shipped, false)].into()))
        );
        assert_eq!(
            (preferences.language, preferences.zone, preferences.quiet_hours),
            (None, None, None)
        );
    }

    #[test]
    fn quiet_hours_are_a_map_of_two_times_of_day() {
        let hours = map([("start", text("21:30")), ("end", text("07:00"))]);
        let preferences = preferences_of(&Item::from([("quietHours".to_owned(), hours)]));
        assert_eq!(preferences.quiet_hours, QuietHours::between("21:30", "07:00").ok());
    }

    #[test]
    fn what_is_written_reads_as_what_was_wished_and_what_we_do_not_know_stays() {
        let email = map([
            ("ORDER_CONFIRMATION", AttributeValue::Bool(true)),
            ("carrier_pigeon", AttributeValue::Bool(true)),
            (
                "order_status_update",
                map([("DISPATCHED", AttributeValue::Bool(false))]),
            ),
        ]);
        let mut item = Item::from([
            ("userId".to_owned(), text("ana")),
            ("preferences".to_owned(), map([("email", email), ("telex", map([]))])),
            ("language".to_owned(), text("ro")),
        ]);
        let before = preferences_of(&item);
        let mut after = before.clone();
        let off = Some(false);
        after.choose(Channel::Email, Topic::Type(NotificationType::OrderConfirmation), off);
        after.choose(Channel::Email, Topic::Status(OrderStatus::Packed), Some(true));
        after.choose(Channel::Sms, Topic::Type(NotificationType::PaymentFailed), off);
        after.stop(Channel::InApp, NotificationType::OrderStatusUpdate);
        after.language = None;
        after.zone = Zone::try_from("America/Lima").ok();
        after.quiet_hours = Some(QuietHours::USUAL);
        after.phone = Some("+34600000001".to_owned());
        after.phone_verified = true;
        for (name, value) in written(&item, &before, &after, testkit::at(1_000)) {
            match value {
                Some(value) => item.insert(name.to_owned(), value),
                None => item.remove(name),
            };
        }
        assert_eq!(preferences_of(&item), after);
        assert_eq!(number_of::<u64>(&item, "version"), Some(1));
        assert_eq!(updated_at_of(&item), Some(testkit::at(1_000)));
        let channels = map_of(&item, "preferences").unwrap();
        let email = map_of(channels, "email").unwrap();
        assert!(email.contains_key("carrier_pigeon") && channels.contains_key("telex"));
        assert!(!email.contains_key("ORDER_CONFIRMATION"));
        assert!(!channels.contains_key("push"));
    }

    #[test]
    fn each_change_makes_another_revision_and_the_order_of_keys_does_not() {
        let hours = |start| map([("start", text(start)), ("end", text("08:00"))]);
        let item = |start, version| {
            Item::from([
                ("quietHours".to_owned(), hours(start)),
                ("version".to_owned(), number(version)),
            ])
        };
        let first = revision_of(&item("22:00", 1));
        for _ in 0..20 {
            assert_eq!(revision_of(&item("22:00", 1)), first);
        }
        for other in [item("23:00", 1), item("22:00", 2), Item::new()] {
            assert_ne!(revision_of(&other), first);
        }
        assert_eq!(first.len(), 32);
    }

    #[test]
    fn the_time_of_a_change_is_read_in_every_form_that_callers_write() {
        for value in [text("1970-01-02T00:00:00Z"), number(86_400)] {
            let item = Item::from([("updatedAt".to_owned(), value)]);
            assert_eq!(updated_at_of(&item), Some(testkit::at(86_400)));
        }
        let item = Item::from([("updatedAt".to_owned(), number(1_700_000_000_000_i64))]);
        assert_eq!(updated_at_of(&item), Some(testkit::at(1_700_000_000)));
    }

    #[test]
    fn of_two_spellings_of_a_status_ours_counts_and_of_equals_the_no() {
        let choice = |statuses: &[(&'static str, bool)]| {
            let statuses = map(statuses
                .iter()
                .map(|(name, choice)| (*name, AttributeValue::Bool(*choice))));
            match status_choice_of(&statuses) {
                Some(StatusChoice::PerStatus(choices)) => choices[&OrderStatus::Shipped],
                other => panic!("{other:?}"),
            }
        };
        for _ in 0..50 {
            assert!(!choice(&[
                ("shipped", false),
                ("SHIPPED", true),
                ("Dispatched", true),
                ("in_transit", true)
            ]));
            assert!(choice(&[("SHIPPED", true), ("IN_TRANSIT", false)]));
            assert!(!choice(&[("DISPATCHED", true), ("IN_TRANSIT", false)]));
        }
    }
}
