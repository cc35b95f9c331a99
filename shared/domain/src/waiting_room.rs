//! Where a delivery waits that is due later than a queue can wait for it.

use jiff::{SignedDuration, Timestamp};

use crate::{Channel, NotificationId};

/// The longest for which a queue hides a message that it was just given (SQS, `DelaySeconds`). What is due later waits in the room.
pub const LONGEST_DELAY: SignedDuration = SignedDuration::from_mins(15);

/// A place in the waiting room: the same delivery that waits for the same moment has the same one, however often it is put there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The part of the room, out of [`Place::shards`].
    pub shard: String,
    /// The moment in UTC, the notification and the channel, so that what is due earlier sorts before:
    /// `2026-11-21T07:00:00.000Z#0d5c…#sms`.
    pub wake: String,
}

impl Place {
    /// Every part of the room: one for each first digit of an id, which is a hash. A night's worth of deliveries is so written and read
    /// side by side.
    pub fn shards() -> impl Iterator<Item = String> {
        (0..16).map(|digit| format!("{digit:x}"))
    }

    /// The place of a delivery that waits until then.
    #[must_use]
    pub fn of(id: NotificationId, channel: Channel, until: Timestamp) -> Self {
        let id = id.to_string();
        Self {
            shard: id.chars().take(1).collect(),
            wake: format!("{}#{id}#{channel}", Self::moment(until)),
        }
    }

    /// The same delivery, which waits until then.
    #[must_use]
    pub fn waking_at(&self, then: Timestamp) -> Self {
        let whose = self.wake.split_once('#').map_or("", |(_, whose)| whose);
        Self {
            shard: self.shard.clone(),
            wake: format!("{}#{whose}", Self::moment(then)),
        }
    }

    /// Sorts after everything that is due by this moment, and before everything else.
    #[must_use]
    pub fn after_all_due_by(then: Timestamp) -> String {
        // After `#`.
        format!("{}~", Self::moment(then))
    }

    /// Until when the delivery waits, where the place says so.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.wake.split('#').next()?.parse().ok()
    }

    fn moment(at: Timestamp) -> String {
        format!("{at:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).unwrap()
    }

    fn place(ms: i64) -> Place {
        Place::of(NotificationId::from_digest([7; 16]), Channel::Sms, at(ms))
    }

    #[test]
    fn a_place_tells_the_moment_the_notification_and_the_channel() {
        let id = NotificationId::from_digest([7; 16]);
        assert_eq!(
            place(1_795_168_800_000).wake,
            format!("2026-11-20T10:00:00.000Z#{id}#sms")
        );
        assert_eq!(place(5).until(), Some(at(5)));
        assert_eq!(place(5).waking_at(at(9)), place(9));
    }

    #[test]
    fn the_notifications_spread_over_all_parts() {
        let shards: std::collections::BTreeSet<String> = (0..=255)
            .map(|byte| Place::of(NotificationId::from_digest([byte; 16]), Channel::Sms, at(0)).shard)
            .collect();
        assert!(shards.into_iter().eq(Place::shards()));
    }

    proptest! {
        #[test]
        fn places_sort_by_their_moments(one in 0_i64..4_000_000_000_000, other in 0_i64..4_000_000_000_000) {
            prop_assert_eq!(place(one).wake.cmp(&place(other).wake), one.cmp(&other));
            prop_assert_eq!(place(one).wake < Place::after_all_due_by(at(other)), one <= other);
        }
    }
}
