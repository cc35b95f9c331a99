//! What a customer chose, as the page shows it and as its form says it.

use domain::{Channel, Language, NotificationType, Preferences, QuietHours, StatusChoice, Topic, Zone};
use std::collections::BTreeMap;

use crate::{Defaults, groups};

/// What the page shows: what is in force, whether it was ever chosen or not.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Choices {
    /// Every box of the page.
    pub(crate) boxes: BTreeMap<(Channel, Topic), bool>,
    /// What is asked for a whole channel at once; a channel that is missing follows its boxes.
    pub(crate) at_once: BTreeMap<Channel, bool>,
    pub(crate) language: Language,
    pub(crate) zone: Zone,
    pub(crate) quiet: Quiet,
}

/// Quiet hours as they are written into a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Quiet {
    pub(crate) is_on: bool,
    /// What was typed, `HH:MM` if it is a time.
    pub(crate) start: String,
    /// The same.
    pub(crate) end: String,
}

/// What is wrong with quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WrongHours {
    /// The beginning is no time of day.
    Start,
    /// The end is none.
    End,
    /// They are the same.
    Same,
}

/// Quiet hours for whoever wants none.
const NONE: &str = "00:00";

impl Quiet {
    fn of(hours: QuietHours) -> Self {
        let shown = match hours.are_none() {
            true => QuietHours::USUAL,
            false => hours,
        };
        let text = |time: jiff::civil::Time| format!("{:02}:{:02}", time.hour(), time.minute());
        Self {
            is_on: !hours.are_none(),
            start: text(shown.start()),
            end: text(shown.end()),
        }
    }

    /// The hours that these words mean.
    pub(crate) fn hours(&self) -> Result<QuietHours, WrongHours> {
        if !self.is_on {
            return QuietHours::between(NONE, NONE).map_err(|_cannot_be| WrongHours::Same);
        }
        QuietHours::between(&self.start, NONE).map_err(|_no_time| WrongHours::Start)?;
        let hours = QuietHours::between(&self.start, &self.end).map_err(|_no_time| WrongHours::End)?;
        match hours.are_none() {
            true => Err(WrongHours::Same),
            false => Ok(hours),
        }
    }
}

impl Choices {
    /// What is in force for a customer who stored this.
    pub(crate) fn of(preferences: &Preferences, defaults: &Defaults) -> Self {
        let boxes = Channel::OFFERED
            .into_iter()
            .flat_map(|channel| groups::choosable().map(move |topic| (channel, topic)));
        Self {
            boxes: boxes
                .map(|(channel, topic)| ((channel, topic), preferences.allow(channel, topic)))
                .collect(),
            at_once: BTreeMap::new(),
            language: preferences.language.unwrap_or(defaults.language),
            zone: preferences.zone.clone().unwrap_or_else(|| defaults.night.zone.clone()),
            quiet: Quiet::of(preferences.quiet_hours.unwrap_or(defaults.night.hours)),
        }
    }

    /// These preferences with what is chosen here. What is in force already stays as it is stored, or as it is not stored: saving a page that
    /// nobody touched changes nothing. What must be sent is not among the boxes and stays in any case.
    pub(crate) fn onto(&self, stored: &Preferences, defaults: &Defaults) -> Preferences {
        let now = Self::of(stored, defaults);
        let mut next = stored.clone();
        for channel in Channel::OFFERED {
            let wanted = |topic| {
                let by_box = self.boxes.get(&(channel, topic)).copied();
                self.at_once.get(&channel).copied().or(by_box)
            };
            // All statuses at once are one choice, also for those that there may be some day.
            if let Some(choice) = self.at_once.get(&channel) {
                let is_status = |topic: &Topic| topic.notification_type() == NotificationType::OrderStatusUpdate;
                if groups::choosable()
                    .filter(is_status)
                    .any(|topic| stored.allow(channel, topic) != *choice)
                {
                    next.status_choices.insert(channel, StatusChoice::All(*choice));
                }
            }
            for topic in groups::choosable() {
                if let Some(choice) = wanted(topic).filter(|choice| *choice != next.allow(channel, topic)) {
                    next.choose(channel, topic, Some(choice));
                }
            }
        }
        if self.language != now.language {
            next.language = Some(self.language);
        }
        if self.zone != now.zone {
            next.zone = Some(self.zone.clone());
        }
        if let Ok(hours) = self.quiet.hours()
            && now.quiet.hours() != Ok(hours)
        {
            next.quiet_hours = Some(hours);
        }
        next
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use domain::OrderStatus;
    use proptest::prelude::*;
    use proptest::sample::select;

    pub(crate) fn defaults() -> Defaults {
        Defaults {
            language: Language::Es,
            night: domain::Night {
                hours: QuietHours::USUAL,
                zone: Zone::try_from("Europe/Madrid").unwrap(),
            },
        }
    }

    /// Whatever a customer may have stored.
    pub(crate) fn any_preferences() -> impl Strategy<Value = Preferences> {
        let key = (select(Channel::ALL.to_vec()), select(Topic::all().collect::<Vec<_>>()));
        let chosen = proptest::collection::vec((key, any::<bool>()), 0..20);
        let stopped = proptest::collection::vec((select(Channel::ALL.to_vec()), any::<bool>()), 0..3);
        let time = (0_u8..24, 0_u8..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
        let hours = proptest::option::of((time.clone(), time));
        let zone = proptest::option::of(select(vec![
            "Europe/Madrid",
            "Europe/Bucharest",
            "America/Indiana/Knox",
            "UTC",
        ]));
        let language = proptest::option::of(select(Language::ALL.to_vec()));
        (stopped, chosen, hours, zone, language).prop_map(|(stopped, chosen, hours, zone, language)| {
            let mut preferences = Preferences::default();
            for (channel, choice) in stopped {
                preferences.status_choices.insert(channel, StatusChoice::All(choice));
            }
            for ((channel, topic), choice) in chosen {
                preferences.choose(channel, topic, Some(choice));
            }
            preferences.quiet_hours = hours.map(|(start, end)| QuietHours::between(&start, &end).unwrap());
            preferences.zone = zone.map(|name| Zone::try_from(name).unwrap());
            preferences.language = language;
            preferences
        })
    }

    proptest! {
        #[test]
        fn a_page_that_nobody_touched_changes_nothing(stored in any_preferences()) {
            prop_assert_eq!(Choices::of(&stored, &defaults()).onto(&stored, &defaults()), stored);
        }

        #[test]
        fn what_is_chosen_is_what_is_shown_next_and_what_must_be_sent_stays(
            stored in any_preferences(),
            wanted in any_preferences(),
            at_once in proptest::collection::btree_map(select(Channel::OFFERED.to_vec()), any::<bool>(), 0..2),
        ) {
            let mut chosen = Choices::of(&wanted, &defaults());
            chosen.at_once = at_once.clone();
            let next = chosen.onto(&stored, &defaults());
            for channel in Channel::ALL {
                for topic in groups::ALWAYS {
                    prop_assert_eq!(next.choice(channel, topic), stored.choice(channel, topic));
                }
            }
            prop_assert_eq!(next.status_choices.get(&Channel::Push), stored.status_choices.get(&Channel::Push));
            let mut expected = Choices::of(&wanted, &defaults());
            for ((channel, _), is_on) in &mut expected.boxes {
                *is_on = at_once.get(channel).copied().unwrap_or(*is_on);
            }
            prop_assert_eq!(Choices::of(&next, &defaults()), expected);
        }
    }

    #[test]
    fn nothing_at_once_also_holds_for_statuses_that_there_may_be_some_day() {
        let mut chosen = Choices::of(&Preferences::default(), &defaults());
        chosen.at_once.insert(Channel::Sms, false);
        let next = chosen.onto(&Preferences::default(), &defaults());
        assert_eq!(next.status_choices.get(&Channel::Sms), Some(&StatusChoice::All(false)));
        // What was off by default is not written down.
        assert!(next.choices.is_empty());
        assert!(next.allow(Channel::Email, Topic::Status(OrderStatus::Shipped)));
    }

    #[test]
    fn quiet_hours_that_are_no_hours_are_told_apart() {
        let quiet = |start: &str, end: &str| Quiet {
            is_on: true,
            start: start.to_owned(),
            end: end.to_owned(),
        };
        assert_eq!(quiet("25:00", "x").hours(), Err(WrongHours::Start));
        assert_eq!(quiet("22:00", "").hours(), Err(WrongHours::End));
        assert_eq!(quiet("22:00", "22:00").hours(), Err(WrongHours::Same));
        assert_eq!(quiet("22:00", "08:00").hours(), Ok(QuietHours::USUAL));
    }
}
