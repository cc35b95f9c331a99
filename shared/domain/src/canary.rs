//! The canary: a message of our own that goes the way of every other, so that we and not a customer notice when none arrives.

use jiff::{SignedDuration, Timestamp};

use crate::{Channel, Delivery, Notification, NotificationId, State, ports::Unavailable};

/// What goes by the urgent lane is with its provider within this time, or something is wrong.
const IN_TIME: SignedDuration = SignedDuration::from_mins(2);

/// A canary on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flight {
    /// The run that let it fly: the moment for which it was planned. A run that is repeated is the same flight.
    pub slot: Timestamp,
    /// When it was published.
    pub published_at: Timestamp,
    /// The notification that it becomes.
    pub id: NotificationId,
}

/// What became of a canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Landing {
    /// The provider took it in time, so long after it was published.
    HandedOver(SignedDuration),
    /// It did not get there, or too late; why, in words without personal data.
    Lost(String),
}

impl Flight {
    /// What became of this canary, by its record in the ledger.
    #[must_use]
    pub fn landing(&self, record: Option<&Notification>) -> Landing {
        let Some(record) = record else {
            return Landing::Lost("the ledger has never heard of it".to_owned());
        };
        let Some(delivery) = record.deliveries.get(&Channel::Email) else {
            return Landing::Lost("it was decided upon without its e-mail".to_owned());
        };
        if !delivery.state.is_success() {
            let reason = delivery.reason.as_ref().map(|reason| format!(" ({reason})"));
            return Landing::Lost(format!(
                "its e-mail is {}{}",
                delivery.state,
                reason.unwrap_or_default()
            ));
        }
        // Two clocks, each right to some milliseconds: nothing arrives before it left.
        let after = accepted_at(delivery).duration_since(self.published_at);
        let after = after.max(SignedDuration::ZERO);
        if after <= IN_TIME {
            Landing::HandedOver(after)
        } else {
            Landing::Lost(format!("it took {} s", after.as_secs()))
        }
    }
}

/// When the provider took it, whatever it reported afterwards.
fn accepted_at(delivery: &Delivery) -> Timestamp {
    let accepted = delivery.trail.iter().find(|past| past.state == State::Sent);
    accepted.map_or(delivery.changed_at, |past| past.at)
}

/// Remembers which canary flew last.
pub trait FlightLog {
    /// The last one.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    fn last(&self) -> impl Future<Output = Result<Option<Flight>, Unavailable>>;

    /// Writes down that this one flies next, unless another than `before` was the last one; whether it was written.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    fn begin(&self, before: Option<&Flight>, next: &Flight) -> impl Future<Output = Result<bool, Unavailable>>;
}

/// Where the order pipeline publishes its events.
pub trait FrontDoor {
    /// Publishes an event, as JSON. Published twice, it is the same notification.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been taken.
    fn publish(&self, event: &str) -> impl Future<Output = Result<(), Unavailable>>;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NotificationType, Past, Reason};
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn flight() -> Flight {
        Flight {
            slot: at(1_000),
            published_at: at(1_001),
            id: NotificationId::from_digest([7; 16]),
        }
    }

    fn record(delivery: Delivery) -> Notification {
        Notification {
            id: flight().id,
            user: None,
            notification_type: NotificationType::Test,
            order: None,
            status: None,
            parcel: None,
            at: at(1_001),
            recorded_at: at(1_002),
            recorded_by: "request/1".to_owned(),
            fingerprint: None,
            deliveries: BTreeMap::from([(Channel::Email, delivery)]),
        }
    }

    fn standing(state: State, changed_at: Timestamp) -> Delivery {
        Delivery {
            state,
            changed_at,
            ..Delivery::queued(at(1_002))
        }
    }

    fn lost(record: Option<&Notification>) -> String {
        match flight().landing(record) {
            Landing::Lost(why) => why,
            Landing::HandedOver(after) => panic!("handed over after {after}"),
        }
    }

    #[test]
    fn a_canary_that_the_provider_took_in_time_was_handed_over() {
        let landing = flight().landing(Some(&record(standing(State::Sent, at(1_003)))));
        assert_eq!(landing, Landing::HandedOver(SignedDuration::from_secs(2)));
    }

    #[test]
    fn what_the_provider_reports_afterwards_does_not_make_it_later() {
        let mut delivered = standing(State::Delivered, at(5_000));
        delivered.trail = vec![Past {
            state: State::Sent,
            reason: None,
            attempt: 1,
            at: at(1_003),
            times: 1,
        }];
        let landing = flight().landing(Some(&record(delivered)));
        assert_eq!(landing, Landing::HandedOver(SignedDuration::from_secs(2)));
    }

    #[test]
    fn a_canary_that_came_late_is_lost() {
        assert_eq!(lost(Some(&record(standing(State::Sent, at(1_122))))), "it took 121 s");
        let in_time = record(standing(State::Sent, at(1_121)));
        assert!(matches!(flight().landing(Some(&in_time)), Landing::HandedOver(_)));
    }

    #[test]
    fn a_canary_that_never_reached_the_ledger_is_lost() {
        assert_eq!(lost(None), "the ledger has never heard of it");
    }

    #[test]
    fn a_canary_that_is_not_with_the_provider_is_lost_with_its_state_and_reason() {
        assert_eq!(lost(Some(&record(Delivery::queued(at(1_002))))), "its e-mail is queued");
        let suppressed = Delivery::never_sent(State::Suppressed, Reason::HardBounce, at(1_002));
        assert_eq!(
            lost(Some(&record(suppressed))),
            "its e-mail is suppressed (hard_bounce)"
        );
        assert_eq!(
            lost(Some(&record(standing(State::Bounced, at(1_003))))),
            "its e-mail is bounced"
        );
    }

    #[test]
    fn a_canary_without_its_e_mail_is_lost() {
        let mut record = record(standing(State::Sent, at(1_003)));
        record.deliveries.clear();
        assert_eq!(lost(Some(&record)), "it was decided upon without its e-mail");
    }

    fn moment() -> impl Strategy<Value = Timestamp> {
        let whole = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
        prop_oneof![
            Just(Timestamp::MIN),
            Just(Timestamp::MAX),
            whole.prop_map(|seconds| Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)),
        ]
    }

    prop_compose! {
        fn any_delivery()(
            state in proptest::sample::select(State::ALL.to_vec()),
            changed_at in moment(),
            reason in proptest::option::of(".*"),
            trail in proptest::collection::vec((proptest::sample::select(State::ALL.to_vec()), moment()), 0..4),
        ) -> Delivery {
            let trail = trail.into_iter().map(|(state, at)| Past { state, reason: None, attempt: 1, at, times: 1 });
            Delivery { reason, trail: trail.collect(), ..standing(state, changed_at) }
        }
    }

    proptest! {
        #[test]
        fn whatever_the_ledger_holds_there_is_a_landing(
            delivery in any_delivery(), published_at in moment(), channel in proptest::sample::select(Channel::ALL.to_vec()),
        ) {
            let mut record = record(delivery.clone());
            record.deliveries = BTreeMap::from([(channel, delivery.clone())]);
            let landing = Flight { published_at, ..flight() }.landing(Some(&record));
            let is_with_the_provider = channel == Channel::Email && delivery.state.is_success();
            if let Landing::HandedOver(after) = landing {
                prop_assert!(is_with_the_provider && after <= IN_TIME && after >= SignedDuration::ZERO);
            }
        }
    }
}
