//! What a customer asked for, as the item in the table of preferences tells it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Channel, Language, NotificationType, OrderStatus, Preferences, QuietHours, StatusChoice, Zone};

use crate::item::{Item, bool_of, map_of, text_of};

/// Reads what is there; what is missing or senseless is left to the defaults.
pub(super) fn preferences_of(item: &Item) -> Preferences {
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
            let Some(notification_type) = NotificationType::from_name(name) else {
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
    use crate::item::text;

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
