//! Consent: who changed what a customer hears of, when and how.

use jiff::Timestamp;
use std::fmt;

use crate::{Channel, NotificationType, Preferences, StatusChoice, Topic};

/// One change of what a customer asked for, as it is kept. Holds no address and no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// When it was changed, to the millisecond.
    pub at: Timestamp,
    /// By whom, and in which way.
    pub by: ConsentSource,
    /// What was changed; never empty.
    pub changes: Vec<ConsentChange>,
}

/// The way in which a customer's preferences were changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentSource {
    /// The customer, logged in, through the preferences API.
    Api,
    /// Whoever held the link of an e-mail to the customer's preferences, on the page behind it.
    Page,
    /// Whoever held the link of an e-mail to stop its like, by the mail program's own button (RFC 8058) or on the page.
    OneClick,
    /// The customer, logged in, by the code that a text message brought.
    PhoneConfirmation,
    /// An operator, under this name.
    Operator(String),
}

/// One thing that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentChange {
    /// What: `email.order_confirmation`, `sms.order_status_update.shipped`, `language`, `timezone`, `quietHours`, `phoneNumber`
    /// or `phoneVerified`.
    pub what: String,
    /// What it was: `on`, `off`, a language, a time zone, quiet hours; `default` where nothing was stored. Of a phone number only
    /// that there was one.
    pub from: String,
    /// What it became, in the same words.
    pub to: String,
}

const DEFAULT: &str = "default";

impl ConsentSource {
    /// The name in the log: `api`, `page`, `one_click`, `phone_confirmation` or `operator`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Page => "page",
            Self::OneClick => "one_click",
            Self::PhoneConfirmation => "phone_confirmation",
            Self::Operator(_) => "operator",
        }
    }

    /// The source of that name; the operator's own name comes with it.
    #[must_use]
    pub fn from_name(name: &str, operator: Option<&str>) -> Option<Self> {
        match name {
            "api" => Some(Self::Api),
            "page" => Some(Self::Page),
            "one_click" => Some(Self::OneClick),
            "phone_confirmation" => Some(Self::PhoneConfirmation),
            "operator" => Some(Self::Operator(operator.unwrap_or_default().to_owned())),
            _ => None,
        }
    }
}

impl fmt::Display for ConsentSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(name) => write!(f, "operator {name}"),
            Self::Api | Self::Page | Self::OneClick | Self::PhoneConfirmation => f.write_str(self.name()),
        }
    }
}

impl ConsentChange {
    /// What differs between two preferences, in the order in which it is chosen.
    #[must_use]
    pub fn between(from: &Preferences, to: &Preferences) -> Vec<Self> {
        let mut changes = Vec::new();
        for channel in Channel::ALL {
            let statuses = Self::of_statuses(channel, from, to);
            for topic in Topic::all() {
                let is_told_as_one = matches!(topic, Topic::Status(_)) && statuses.is_some();
                if !is_told_as_one {
                    let (from, to) = (from.choice(channel, topic), to.choice(channel, topic));
                    changes.extend(Self::of(&format!("{channel}.{topic}"), word(from), word(to)));
                }
            }
            changes.extend(statuses);
        }
        let text = |value: Option<String>| value.unwrap_or_else(|| DEFAULT.to_owned());
        let language = |of: &Preferences| text(of.language.map(|language| language.to_string()));
        let zone = |of: &Preferences| text(of.zone.as_ref().map(|zone| zone.clone().into()));
        let quiet_hours = |of: &Preferences| text(of.quiet_hours.map(|hours| hours.to_string()));
        changes.extend(Self::of("language", language(from), language(to)));
        changes.extend(Self::of("timezone", zone(from), zone(to)));
        changes.extend(Self::of("quietHours", quiet_hours(from), quiet_hours(to)));
        if from.phone != to.phone {
            let known = |phone: &Option<String>| phone.as_ref().map_or("none", |_number| "a number").to_owned();
            changes.push(Self {
                what: "phoneNumber".to_owned(),
                from: known(&from.phone),
                to: match to.phone {
                    Some(_) if from.phone.is_some() => "another number".to_owned(),
                    _ => known(&to.phone),
                },
            });
        }
        let verified = |of: &Preferences| if of.phone_verified { "on" } else { "off" }.to_owned();
        changes.extend(Self::of("phoneVerified", verified(from), verified(to)));
        changes
    }

    /// All statuses switched at once are one change.
    fn of_statuses(channel: Channel, from: &Preferences, to: &Preferences) -> Option<Self> {
        let (before, after) = (from.status_choices.get(&channel), to.status_choices.get(&channel));
        let Some(StatusChoice::All(choice)) = after else {
            return None;
        };
        let before = match before {
            None => word(None),
            Some(StatusChoice::All(choice)) => word(Some(*choice)),
            Some(StatusChoice::PerStatus(_)) => "by status".to_owned(),
        };
        let what = format!("{channel}.{}", NotificationType::OrderStatusUpdate);
        Self::of(&what, before, word(Some(*choice)))
    }

    fn of(what: &str, from: String, to: String) -> Option<Self> {
        (from != to).then(|| Self {
            what: what.to_owned(),
            from,
            to,
        })
    }
}

fn word(choice: Option<bool>) -> String {
    match choice {
        Some(true) => "on",
        Some(false) => "off",
        None => DEFAULT,
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Language, OrderStatus, QuietHours};

    fn told(from: &Preferences, to: &Preferences) -> Vec<String> {
        ConsentChange::between(from, to)
            .into_iter()
            .map(|change| format!("{}: {} -> {}", change.what, change.from, change.to))
            .collect()
    }

    #[test]
    fn every_change_is_told_with_what_it_was() {
        let before = Preferences::default();
        let mut after = before.clone();
        after.choose(Channel::Email, Topic::Type(NotificationType::Promotional), Some(true));
        after.choose(Channel::Sms, Topic::Status(OrderStatus::Shipped), Some(false));
        after.language = Some(Language::Ro);
        after.quiet_hours = Some(QuietHours::USUAL);
        let expected = [
            "email.promotional: default -> on",
            "sms.order_status_update.shipped: default -> off",
            "language: default -> ro",
            "quietHours: default -> 22:00 to 08:00",
        ];
        assert_eq!(told(&before, &after), expected);
        let mut last = after.clone();
        last.choose(Channel::Email, Topic::Type(NotificationType::Promotional), None);
        assert_eq!(told(&after, &last), ["email.promotional: on -> default"]);
    }

    #[test]
    fn all_statuses_at_once_are_one_change() {
        let mut before = Preferences::default();
        before.choose(Channel::Email, Topic::Status(OrderStatus::Packed), Some(true));
        let mut after = before.clone();
        after.stop(Channel::Email, NotificationType::OrderStatusUpdate);
        assert_eq!(told(&before, &after), ["email.order_status_update: by status -> off"]);
        assert!(told(&after, &after).is_empty());
        let mut one = after.clone();
        one.choose(Channel::Email, Topic::Status(OrderStatus::Shipped), Some(true));
        assert_eq!(told(&after, &one), ["email.order_status_update.shipped: off -> on"]);
        assert!(!one.allow(Channel::Email, Topic::Status(OrderStatus::Delayed)));
    }

    #[test]
    fn a_number_is_never_written_down() {
        let of = |phone: Option<&str>| Preferences {
            phone: phone.map(str::to_owned),
            ..Preferences::default()
        };
        for (from, to, expected) in [
            (None, Some("+34600000001"), "phoneNumber: none -> a number"),
            (
                Some("+34600000001"),
                Some("+34600000002"),
                "phoneNumber: a number -> another number",
            ),
            (Some("+34600000001"), None, "phoneNumber: a number -> none"),
        ] {
            assert_eq!(told(&of(from), &of(to)), [expected]);
        }
    }
}
