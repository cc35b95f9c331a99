//! How a suppression lies in its item. What cannot be read speaks against the address, never for it.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Hold, Removal, SoftBounce, Suppression, SuppressionReason};
use jiff::{SignedDuration, Timestamp};

use crate::item::{Item, maps_of, moment, moment_of, number, number_of, text, text_of};

/// What no longer holds is kept for so long after the last thing in it.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(24 * 90);

/// The source of a hold that stands in for one that cannot be read.
const UNREADABLE: &str = "unreadable";

/// The item of a contact, by the key under which it stands.
pub(crate) fn suppression_item(contact: String, suppression: &Suppression) -> Item {
    let mut item = Item::from([
        ("contact".to_owned(), text(contact)),
        ("version".to_owned(), number(suppression.version)),
    ]);
    let mut add = |name: &str, value: Option<AttributeValue>| item.extend(value.map(|value| (name.to_owned(), value)));
    if let Some(hold) = &suppression.hold {
        add("reason", Some(text(hold.reason.name())));
        add("since", Some(moment(hold.since)));
        add("until", hold.until.map(moment));
        add("source", Some(text(hold.source.as_str())));
    }
    if let Some(removal) = &suppression.removal {
        add("removedAt", Some(moment(removal.at)));
        add("removedBy", Some(text(removal.by.as_str())));
        add("removedWhy", Some(text(removal.why.as_str())));
    }
    let bounces = suppression.soft_bounces.iter().map(bounce_item).collect();
    add(
        "softBounces",
        (!suppression.soft_bounces.is_empty()).then_some(AttributeValue::L(bounces)),
    );
    add("expiresAt", expires_at(suppression).map(|at| number(at.as_second())));
    item
}

/// The suppression in an item.
///
/// Callers may write items by hand. One that says nothing, or whose hold cannot be read, is held for ever, as if an operator
/// had said so; an operator can lift that.
pub(crate) fn suppression_of(item: &Item) -> Suppression {
    let removal = moment_of(item, "removedAt").map(|at| Removal {
        at,
        by: text_of(item, "removedBy").unwrap_or_default().to_owned(),
        why: text_of(item, "removedWhy").unwrap_or_default().to_owned(),
    });
    let soft_bounces: Vec<SoftBounce> = maps_of(item, "softBounces").filter_map(bounce_of).collect();
    let says_hold = ["reason", "since", "until", "source"]
        .iter()
        .any(|name| item.contains_key(*name));
    let says_nothing = removal.is_none() && soft_bounces.is_empty();
    let hold = (says_hold || says_nothing).then(|| {
        hold_of(item).unwrap_or_else(|| Hold {
            reason: SuppressionReason::Operator,
            // After any removal, which may have lifted something else.
            since: removal.as_ref().map_or(Timestamp::UNIX_EPOCH, |removal| {
                let next = removal.at.saturating_add(SignedDuration::from_millis(1));
                next.unwrap_or(removal.at)
            }),
            until: None,
            source: UNREADABLE.to_owned(),
        })
    });
    Suppression {
        hold,
        removal,
        soft_bounces,
        version: number_of(item, "version").unwrap_or(0),
    }
}

fn hold_of(item: &Item) -> Option<Hold> {
    let until = match item.contains_key("until") {
        true => Some(moment_of(item, "until")?),
        false => None,
    };
    Some(Hold {
        reason: SuppressionReason::from_name(text_of(item, "reason")?)?,
        since: moment_of(item, "since")?,
        until,
        source: text_of(item, "source").unwrap_or_default().to_owned(),
    })
}

fn bounce_item(bounce: &SoftBounce) -> AttributeValue {
    AttributeValue::M(Item::from([
        ("at".to_owned(), moment(bounce.at)),
        ("messageId".to_owned(), text(bounce.message_id.as_str())),
    ]))
}

fn bounce_of(item: &Item) -> Option<SoftBounce> {
    Some(SoftBounce {
        at: moment_of(item, "at")?,
        message_id: text_of(item, "messageId")?.to_owned(),
    })
}

/// When the table may forget it; never while a hold without an end is in force.
fn expires_at(suppression: &Suppression) -> Option<Timestamp> {
    let removed_at = suppression.removal.as_ref().map(|removal| removal.at);
    let mut moments: Vec<Timestamp> = suppression.soft_bounces.iter().map(|bounce| bounce.at).collect();
    moments.extend(removed_at);
    if let Some(hold) = &suppression.hold {
        let is_lifted = removed_at.is_some_and(|at| at >= hold.since);
        if hold.until.is_none() && !is_lifted {
            return None;
        }
        moments.push(hold.until.unwrap_or(hold.since));
    }
    moments.into_iter().max()?.saturating_add(KEPT_FOR).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use testkit::at;

    fn held(reason: SuppressionReason, until: Option<Timestamp>) -> Suppression {
        Suppression {
            hold: Some(Hold {
                reason,
                since: at(1_000),
                until,
                source: "m-1".to_owned(),
            }),
            version: 1,
            ..Suppression::default()
        }
    }

    fn item_of(suppression: &Suppression) -> Item {
        suppression_item("email#1".to_owned(), suppression)
    }

    fn expiry(suppression: &Suppression) -> Option<i64> {
        number_of(&item_of(suppression), "expiresAt")
    }

    #[test]
    fn a_lasting_hold_never_expires_until_it_is_lifted() {
        let lasting = held(SuppressionReason::HardBounce, None);
        assert_eq!(expiry(&lasting), None);
        assert_eq!(
            expiry(&lasting.lifted("ana", "a typo", at(2_000))),
            Some(2_000 + 90 * 86_400)
        );
    }

    #[test]
    fn a_hold_that_ends_by_itself_is_kept_for_ninety_days_after_its_end() {
        let passing = held(SuppressionReason::SoftBounces, Some(at(5_000)));
        assert_eq!(expiry(&passing), Some(5_000 + 90 * 86_400));
    }

    #[test]
    fn soft_bounces_alone_are_kept_for_ninety_days_after_the_last_and_hold_nothing() {
        let suppression = Suppression {
            soft_bounces: vec![SoftBounce {
                at: at(3_000),
                message_id: "m-1".to_owned(),
            }],
            version: 1,
            ..Suppression::default()
        };
        assert_eq!(expiry(&suppression), Some(3_000 + 90 * 86_400));
        assert_eq!(suppression_of(&item_of(&suppression)).in_force(at(3_001)), None);
    }

    #[test]
    fn a_hold_that_cannot_be_read_is_held_by_an_operator_for_ever() {
        let unreadable = [
            ("reason", text("a reason of tomorrow")),
            ("reason", number(1)),
            ("since", text("yesterday")),
            ("until", text("tomorrow")),
        ];
        for (name, value) in unreadable {
            let mut item = item_of(&held(SuppressionReason::Complaint, None).lifted("ana", "a typo", at(2_000)));
            item.insert(name.to_owned(), value);
            let known = suppression_of(&item);
            let hold = known.in_force(at(9_999_999)).unwrap();
            assert_eq!(
                (hold.reason, hold.until, hold.source.as_str()),
                (SuppressionReason::Operator, None, "unreadable"),
                "{name}"
            );
        }
    }

    #[test]
    fn an_item_that_says_nothing_is_held_and_can_be_lifted() {
        let known = suppression_of(&Item::from([("contact".to_owned(), text("email#1"))]));
        assert!(known.in_force(at(9_999_999)).is_some());
        let lifted = suppression_of(&item_of(&known.lifted("ana", "written by hand", at(10_000_000))));
        assert_eq!(lifted.in_force(at(10_000_001)), None);
    }

    fn moments() -> impl Strategy<Value = Timestamp> {
        (0_i64..4_000_000_000_000).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
    }

    fn holds() -> impl Strategy<Value = Hold> {
        let reasons = prop::sample::select(SuppressionReason::ALL.to_vec());
        (reasons, moments(), prop::option::of(moments()), "[ -~]{1,40}").prop_map(|(reason, since, until, source)| {
            Hold {
                reason,
                since,
                until,
                source,
            }
        })
    }

    proptest! {
        #[test]
        fn every_suppression_reads_back_as_it_was_written(
            hold in holds(),
            is_held in any::<bool>(),
            removal in prop::option::of((moments(), "[a-z]{1,9}", "[ -~]{1,40}")),
            bounces in prop::collection::vec((moments(), "[a-z0-9-]{1,40}"), 1..4),
            version in any::<u32>(),
        ) {
            let suppression = Suppression {
                hold: is_held.then_some(hold),
                removal: removal.map(|(at, by, why)| Removal { at, by, why }),
                soft_bounces: bounces.into_iter().map(|(at, message_id)| SoftBounce { at, message_id }).collect(),
                version,
            };
            prop_assert_eq!(suppression_of(&item_of(&suppression)), suppression);
        }
    }
}
