//! What a link may do to its customer's preferences.

use domain::ports::{Changed, Clock, Kept, PreferencesKeep, Unavailable};
use domain::{Channel, ConsentSource, NotificationType, OrderStatus, Preferences, StatusChoice, Topic, UserId};
use std::collections::BTreeMap;

use crate::choices::Choices;
use crate::form::{Fields, Form};
use crate::{CustomerPages, Defaults};

/// How often a change is tried that is right whatever the preferences are; more rivals than this there are not.
const TRIES: u32 = 5;

/// What became of a form of preferences.
#[derive(Debug)]
pub(crate) struct Answered {
    /// What stands now.
    pub(crate) kept: Kept,
    pub(crate) form: Form,
    pub(crate) verdict: Verdict,
}

/// What became of it in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Saved,
    /// It asks for what stands already.
    Unchanged,
    /// The preferences are no longer those that its page showed; nothing was written.
    Stale,
    /// It cannot be read; nothing was written.
    Wrong,
}

/// What stood before a change that is right whatever stands.
#[derive(Debug)]
pub(crate) struct Before {
    pub(crate) preferences: Preferences,
    /// Whether there was anything to change.
    pub(crate) is_changed: bool,
}

impl Before {
    /// What was chosen for a type then, to put it back.
    pub(crate) fn remembered(&self, channel: Channel, notification_type: NotificationType) -> String {
        remembered(&self.preferences, channel, notification_type)
    }
}

/// A change that could not be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unchangeable {
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    #[error("could not change preferences {TRIES} times, because somebody else did each time")]
    Contended,
}

impl<K: PreferencesKeep, C: Clock> CustomerPages<K, C> {
    /// Stops messages of one type by one channel, whatever was chosen.
    pub(crate) async fn stop(
        &self,
        user: &UserId,
        channel: Channel,
        notification_type: NotificationType,
    ) -> Result<Before, Unchangeable> {
        self.change_whatever_stands(user, |preferences| preferences.stop(channel, notification_type))
            .await
    }

    /// Has messages of one type come again by one channel, as they did before they were stopped ([`Before::remembered`]); if they are
    /// stopped no longer, nothing is changed.
    pub(crate) async fn put_back(
        &self,
        user: &UserId,
        channel: Channel,
        notification_type: NotificationType,
        was: &str,
    ) -> Result<Before, Unchangeable> {
        let change = |preferences: &mut Preferences| {
            if is_stopped(preferences, channel, notification_type) {
                put_back(preferences, channel, notification_type, was);
            }
        };
        self.change_whatever_stands(user, change).await
    }

    /// What the link itself asks for is right whatever stands: a rival's change is looked at, and this one made upon it.
    async fn change_whatever_stands(
        &self,
        user: &UserId,
        change: impl Fn(&mut Preferences),
    ) -> Result<Before, Unchangeable> {
        for _ in 0..TRIES {
            let kept = self.keep.look_up(user).await?;
            let mut next = kept.preferences.clone();
            change(&mut next);
            let is_changed = next != kept.preferences;
            if is_changed && self.write(user, &kept, &next, &ConsentSource::OneClick).await? == Changed::Stale {
                continue;
            }
            return Ok(Before {
                preferences: kept.preferences,
                is_changed,
            });
        }
        Err(Unchangeable::Contended)
    }

    /// Answers a form of preferences: all of it or nothing.
    pub(crate) async fn answer(&self, user: &UserId, fields: &Fields) -> Result<Answered, Unchangeable> {
        let kept = self.keep.look_up(user).await?;
        let form = Form::read(fields, &Choices::of(&kept.preferences, &self.defaults));
        let next = form.choices.onto(&kept.preferences, &self.defaults);
        let is_of_this_state = form.revision.as_deref() == Some(kept.revision.as_str());
        if !form.problems.is_empty() || next == kept.preferences || !is_of_this_state {
            let verdict = match (form.problems.is_empty(), next == kept.preferences) {
                (false, _) => Verdict::Wrong,
                // Sent twice, or asked for elsewhere meanwhile: it is as it was to be.
                (true, true) => Verdict::Unchanged,
                (true, false) => Verdict::Stale,
            };
            return Ok(Answered { kept, form, verdict });
        }
        match self.write(user, &kept, &next, &ConsentSource::Page).await? {
            Changed::Done(kept) => Ok(Answered {
                kept,
                form,
                verdict: Verdict::Saved,
            }),
            Changed::Stale => {
                let kept = self.keep.look_up(user).await?;
                Ok(Answered {
                    kept,
                    form,
                    verdict: Verdict::Stale,
                })
            }
        }
    }

    /// The one place at which these pages change anything.
    async fn write(
        &self,
        user: &UserId,
        from: &Kept,
        to: &Preferences,
        by: &ConsentSource,
    ) -> Result<Changed, Unavailable> {
        self.keep.change(user, from, to, by, self.clock.now()).await
    }

    /// What holds for customers who chose nothing.
    pub(crate) const fn defaults(&self) -> &Defaults {
        &self.defaults
    }
}

/// Whether nothing of this type comes by this channel, whatever it tells.
pub(crate) fn is_stopped(preferences: &Preferences, channel: Channel, notification_type: NotificationType) -> bool {
    Topic::all()
        .filter(|topic| topic.notification_type() == notification_type)
        .all(|topic| !preferences.allow(channel, topic))
}

/// What was chosen for a type, in a word: `default`, `on`, `off`, or status by status such as `shipped.on,delayed.off`.
fn remembered(preferences: &Preferences, channel: Channel, notification_type: NotificationType) -> String {
    let word = |choice: bool| if choice { "on" } else { "off" };
    if notification_type != NotificationType::OrderStatusUpdate {
        return preferences
            .choice(channel, Topic::Type(notification_type))
            .map_or("default", word)
            .to_owned();
    }
    match preferences.status_choices.get(&channel) {
        None => "default".to_owned(),
        Some(StatusChoice::All(choice)) => word(*choice).to_owned(),
        Some(StatusChoice::PerStatus(choices)) => {
            let each = choices
                .iter()
                .map(|(status, choice)| format!("{status}.{}", word(*choice)));
            each.collect::<Vec<String>>().join(",")
        }
    }
}

/// Puts back what was remembered, if messages come by it; else the default, if they come by that; else they are switched on.
fn put_back(preferences: &mut Preferences, channel: Channel, notification_type: NotificationType, was: &str) {
    let stopped = preferences.clone();
    let choice = |word: &str| match word {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    };
    let each: BTreeMap<OrderStatus, bool> = was
        .split(',')
        .filter_map(|part| {
            let (status, word) = part.split_once('.')?;
            let status = OrderStatus::ALL.into_iter().find(|known| known.name() == status)?;
            Some((status, choice(word)?))
        })
        .collect();
    let is_by_status = notification_type == NotificationType::OrderStatusUpdate;
    let attempts = [
        match (is_by_status, each.is_empty()) {
            (true, false) => Back::Statuses(StatusChoice::PerStatus(each)),
            _ => Back::All(choice(was)),
        },
        Back::All(None),
        Back::All(Some(true)),
    ];
    for attempt in attempts {
        match (attempt, is_by_status) {
            (Back::Statuses(choices), _) => {
                preferences.status_choices.insert(channel, choices);
            }
            (Back::All(None), true) => {
                preferences.status_choices.remove(&channel);
            }
            (Back::All(Some(choice)), true) => {
                preferences.status_choices.insert(channel, StatusChoice::All(choice));
            }
            (Back::All(choice), false) => preferences.choose(channel, Topic::Type(notification_type), choice),
        }
        if !is_stopped(preferences, channel, notification_type) {
            return;
        }
        preferences.clone_from(&stopped);
    }
}

enum Back {
    Statuses(StatusChoice),
    All(Option<bool>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::tests::any_preferences;
    use proptest::prelude::*;
    use proptest::sample::select;

    fn choosable() -> Vec<NotificationType> {
        let all = NotificationType::ALL.into_iter();
        all.filter(|of_type| of_type.can_be_chosen()).collect()
    }

    proptest! {
        #[test]
        fn what_is_undone_is_as_it_was_if_anything_came_at_all(
            before in any_preferences(),
            channel in select(Channel::OFFERED.to_vec()),
            of_type in select(choosable()),
        ) {
            let was = remembered(&before, channel, of_type);
            let mut after = before.clone();
            after.stop(channel, of_type);
            put_back(&mut after, channel, of_type, &was);
            prop_assert!(!is_stopped(&after, channel, of_type));
            if !is_stopped(&before, channel, of_type) {
                prop_assert_eq!(after, before);
            }
        }

        #[test]
        fn whatever_is_to_be_put_back_messages_come_and_nothing_else_is_touched(
            was in ".{0,30}",
            channel in select(Channel::OFFERED.to_vec()),
            of_type in select(choosable()),
        ) {
            let mut after = Preferences::default();
            after.stop(channel, of_type);
            put_back(&mut after, channel, of_type, &was);
            prop_assert!(!is_stopped(&after, channel, of_type));
            for other in Topic::all().filter(|topic| topic.notification_type() != of_type) {
                prop_assert_eq!(after.choice(channel, other), None);
            }
        }
    }
}
