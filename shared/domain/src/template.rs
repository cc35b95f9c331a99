//! Versions of the words that a shop puts in the place of a message's built-in ones: which are in force, and how that changes.

use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

use crate::{Channel, Language};

/// So many versions that were in force before are remembered for each template.
const REMEMBERED: usize = 20;

/// One version of a template's words. It never changes but for its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateVersion {
    /// The template: `order_status_update.shipped/email/es`.
    pub template: String,
    /// Counted from 1 for each template; a number is never used twice.
    pub version: u32,
    /// Where it stands.
    pub state: VersionState,
    /// The channel, for whoever reads the table.
    pub channel: Channel,
    /// The language, for whoever reads the table.
    pub language: Language,
    /// The words by key. What is missing is the built-in's.
    pub words: BTreeMap<String, String>,
    /// The variables that they use, sorted.
    pub variables: Vec<String>,
    /// What somebody wrote about it.
    pub note: Option<String>,
    /// Who wrote the words.
    pub by: String,
    /// When.
    pub created_at: Timestamp,
    /// When, and by whom, it was last put in force; none for a draft.
    pub published: Option<Published>,
}

/// How a version came to be in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: String,
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VersionState {
    /// Written, and not in force yet.
    Draft,
    /// In force.
    Live,
    /// In force once, or a draft that was discarded.
    Retired,
}

/// What is in force in the place of built-in words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InForce {
    /// Raised with every change, so that two writers cannot overwrite each other and a reader sees whether anything is new.
    pub revision: u64,
    /// By template.
    pub live: BTreeMap<String, LiveVersion>,
}

/// The version of one template that is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveVersion {
    /// Which.
    pub version: u32,
    /// What was in force before it, the last one last; before all of them, the built-in words.
    pub before: Vec<u32>,
}

/// A change of versions, written as a whole or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// What is in force afterwards, one revision above what was seen; none where that stays as it is.
    pub in_force: Option<InForce>,
    /// The versions that change their state.
    pub moves: Vec<StateMove>,
    /// Who does it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A version that changes its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateMove {
    /// The template.
    pub template: String,
    /// The version.
    pub version: u32,
    /// The state that was seen.
    pub from: VersionState,
    /// The state afterwards.
    pub to: VersionState,
}

/// Why a version cannot change its state as asked.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CannotSwitch {
    /// There is no such version.
    #[error("there is no version {version} of {template}")]
    Unknown {
        /// The template.
        template: String,
        /// The version.
        version: u32,
    },
    /// It is in force already.
    #[error("version {version} of {template} is live already")]
    LiveAlready {
        /// The template.
        template: String,
        /// The version.
        version: u32,
    },
    /// Nothing is in force but the built-in words.
    #[error("no version of {template} is live: the built-in words are in force")]
    NothingLive {
        /// The template.
        template: String,
    },
    /// It was discarded as a draft.
    #[error("version {version} of {template} was discarded, and was never in force: save its words anew")]
    Discarded {
        /// The template.
        template: String,
        /// The version.
        version: u32,
    },
    /// Only drafts are discarded.
    #[error("version {version} of {template} is {state}, and only a draft can be discarded")]
    NoDraft {
        /// The template.
        template: String,
        /// The version.
        version: u32,
        /// Its state.
        state: VersionState,
    },
}

impl VersionState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Draft, Self::Live, Self::Retired];

    /// The name in the table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Live => "live",
            Self::Retired => "retired",
        }
    }

    /// The state of that name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for VersionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl InForce {
    /// The version of this template that is in force; none where the built-in words are.
    #[must_use]
    pub fn version_of(&self, template: &str) -> Option<u32> {
        self.live.get(template).map(|live| live.version)
    }

    /// After this version of this template was put in force.
    #[must_use]
    pub fn with(&self, template: &str, version: u32) -> Self {
        let mut before = self.live.get(template).map_or_else(Vec::new, |live| {
            let mut before = live.before.clone();
            before.push(live.version);
            before
        });
        before.drain(..before.len().saturating_sub(REMEMBERED));
        self.changed(template, Some(LiveVersion { version, before }))
    }

    fn changed(&self, template: &str, live: Option<LiveVersion>) -> Self {
        let mut next = self.clone();
        next.revision = next.revision.saturating_add(1);
        match live {
            Some(live) => next.live.insert(template.to_owned(), live),
            None => next.live.remove(template),
        };
        next
    }
}

impl Switch {
    /// Puts a draft, or a version that was in force once, in force. `versions` are those of the template.
    ///
    /// # Errors
    ///
    /// [`CannotSwitch`] when there is no such version, or it is in force already.
    pub fn publish(
        seen: &InForce,
        versions: &[TemplateVersion],
        (template, version): (&str, u32),
        published: Published,
    ) -> Result<Self, CannotSwitch> {
        if seen.version_of(template) == Some(version) {
            return Err(CannotSwitch::LiveAlready {
                template: template.to_owned(),
                version,
            });
        }
        let chosen = find(versions, version).ok_or_else(|| CannotSwitch::Unknown {
            template: template.to_owned(),
            version,
        })?;
        if chosen.state == VersionState::Retired && chosen.published.is_none() {
            return Err(CannotSwitch::Discarded {
                template: template.to_owned(),
                version,
            });
        }
        Ok(Self {
            in_force: Some(seen.with(template, version)),
            moves: moves(seen.version_of(template), Some(chosen), versions),
            by: published.by,
            at: published.at,
        })
    }

    /// Puts in force what was before, which may be the built-in words. A version that is in the table no more is passed over.
    ///
    /// # Errors
    ///
    /// [`CannotSwitch::NothingLive`] when the built-in words are in force.
    pub fn roll_back(
        seen: &InForce,
        versions: &[TemplateVersion],
        template: &str,
        published: Published,
    ) -> Result<Self, CannotSwitch> {
        let live = seen.live.get(template).ok_or_else(|| CannotSwitch::NothingLive {
            template: template.to_owned(),
        })?;
        let is_there = |version: &u32| *version != live.version && find(versions, *version).is_some();
        let nth = live.before.iter().rposition(is_there);
        let chosen = nth
            .and_then(|nth| live.before.get(nth))
            .and_then(|version| find(versions, *version));
        let next = chosen.map(|chosen| LiveVersion {
            version: chosen.version,
            before: live.before.iter().take(nth.unwrap_or(0)).copied().collect(),
        });
        Ok(Self {
            in_force: Some(seen.changed(template, next)),
            moves: moves(Some(live.version), chosen, versions),
            by: published.by,
            at: published.at,
        })
    }

    /// Takes a draft out of the way. Its number stays used.
    ///
    /// # Errors
    ///
    /// [`CannotSwitch::NoDraft`] when it is none.
    pub fn discard(draft: &TemplateVersion, by: String, at: Timestamp) -> Result<Self, CannotSwitch> {
        if draft.state != VersionState::Draft {
            return Err(CannotSwitch::NoDraft {
                template: draft.template.clone(),
                version: draft.version,
                state: draft.state,
            });
        }
        Ok(Self {
            in_force: None,
            moves: vec![move_of(draft, VersionState::Retired)],
            by,
            at,
        })
    }
}

fn find(versions: &[TemplateVersion], version: u32) -> Option<&TemplateVersion> {
    versions.iter().find(|known| known.version == version)
}

/// What was in force retires, if it is still in the table; what was chosen goes live.
fn moves(old: Option<u32>, chosen: Option<&TemplateVersion>, versions: &[TemplateVersion]) -> Vec<StateMove> {
    let old = old.and_then(|old| find(versions, old));
    let retired = old.map(|old| move_of(old, VersionState::Retired));
    retired
        .into_iter()
        .chain(chosen.map(|chosen| move_of(chosen, VersionState::Live)))
        .collect()
}

fn move_of(version: &TemplateVersion, to: VersionState) -> StateMove {
    StateMove {
        template: version.template.clone(),
        version: version.version,
        from: version.state,
        to,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHIPPED: &str = "order_status_update.shipped/email/es";

    fn version(number: u32, state: VersionState) -> TemplateVersion {
        TemplateVersion {
            template: SHIPPED.to_owned(),
            version: number,
            state,
            channel: Channel::Email,
            language: Language::Es,
            words: BTreeMap::from([("subject".to_owned(), format!("asunto {number}"))]),
            variables: Vec::new(),
            note: None,
            by: "olga".to_owned(),
            created_at: Timestamp::UNIX_EPOCH,
            published: None,
        }
    }

    fn olga() -> Published {
        Published {
            at: Timestamp::UNIX_EPOCH,
            by: "olga".to_owned(),
        }
    }

    fn drafts() -> Vec<TemplateVersion> {
        (1..=4).map(|number| version(number, VersionState::Draft)).collect()
    }

    fn published(seen: &InForce, number: u32) -> InForce {
        let switch = Switch::publish(seen, &drafts(), (SHIPPED, number), olga()).unwrap();
        switch.in_force.unwrap()
    }

    fn rolled_back(seen: &InForce) -> Result<InForce, CannotSwitch> {
        let switch = Switch::roll_back(seen, &drafts(), SHIPPED, olga())?;
        Ok(switch.in_force.unwrap())
    }

    #[test]
    fn publishing_retires_what_was_live() {
        let seen = InForce::default().with(SHIPPED, 1);
        let versions = [version(1, VersionState::Live), version(2, VersionState::Draft)];
        let switch = Switch::publish(&seen, &versions, (SHIPPED, 2), olga()).unwrap();
        let moves: Vec<_> = switch.moves.iter().map(|m| (m.version, m.from, m.to)).collect();
        assert_eq!(
            moves,
            [
                (1, VersionState::Live, VersionState::Retired),
                (2, VersionState::Draft, VersionState::Live)
            ]
        );
        assert_eq!(switch.in_force.unwrap().revision, 2);
    }

    #[test]
    fn a_discarded_draft_is_not_published_and_a_version_that_was_live_once_is() {
        let seen = InForce::default();
        let discarded = [version(1, VersionState::Retired)];
        let refused = Switch::publish(&seen, &discarded, (SHIPPED, 1), olga());
        assert!(matches!(refused, Err(CannotSwitch::Discarded { version: 1, .. })));
        let once_live = [TemplateVersion {
            published: Some(olga()),
            ..version(1, VersionState::Retired)
        }];
        assert!(Switch::publish(&seen, &once_live, (SHIPPED, 1), olga()).is_ok());
    }

    #[test]
    fn what_is_live_or_unknown_is_not_published() {
        let seen = InForce::default().with(SHIPPED, 1);
        let live = Switch::publish(&seen, &drafts(), (SHIPPED, 1), olga()).unwrap_err();
        assert!(matches!(live, CannotSwitch::LiveAlready { version: 1, .. }), "{live}");
        let unknown = Switch::publish(&seen, &drafts(), (SHIPPED, 9), olga()).unwrap_err();
        assert!(matches!(unknown, CannotSwitch::Unknown { version: 9, .. }), "{unknown}");
    }

    #[test]
    fn rolling_back_goes_on_until_the_built_in_words() {
        let one = published(&InForce::default(), 1);
        let three = published(&published(&one, 2), 3);
        let two = rolled_back(&three).unwrap();
        assert_eq!(two.version_of(SHIPPED), Some(2));
        let one = rolled_back(&two).unwrap();
        assert_eq!(one.version_of(SHIPPED), Some(1));
        let built_in = rolled_back(&one).unwrap();
        assert_eq!((built_in.version_of(SHIPPED), built_in.revision), (None, 6));
        let nothing = rolled_back(&built_in).unwrap_err();
        assert!(matches!(nothing, CannotSwitch::NothingLive { .. }));
    }

    #[test]
    fn a_retired_version_can_be_published_again_and_rolled_back_again() {
        let two = published(&published(&InForce::default(), 1), 2);
        let again = published(&rolled_back(&two).unwrap(), 2);
        assert_eq!(again.version_of(SHIPPED), Some(2));
        assert_eq!(rolled_back(&again).unwrap().version_of(SHIPPED), Some(1));
    }

    #[test]
    fn a_version_that_is_gone_from_the_table_is_passed_over() {
        let three = published(&published(&published(&InForce::default(), 1), 2), 3);
        let left = [version(1, VersionState::Retired)];
        let switch = Switch::roll_back(&three, &left, SHIPPED, olga()).unwrap();
        assert_eq!(switch.in_force.unwrap().version_of(SHIPPED), Some(1));
        assert_eq!(switch.moves.len(), 1);
    }

    #[test]
    fn only_a_draft_is_discarded() {
        let discarded = Switch::discard(
            &version(1, VersionState::Draft),
            "olga".to_owned(),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(discarded.unwrap().in_force, None);
        let live = Switch::discard(
            &version(1, VersionState::Live),
            "olga".to_owned(),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(
            live.unwrap_err().to_string(),
            "version 1 of order_status_update.shipped/email/es is live, and only a draft can be discarded"
        );
    }

    #[test]
    fn every_state_is_known_by_its_name() {
        for state in VersionState::ALL {
            assert_eq!(VersionState::from_name(state.name()), Some(state));
        }
    }

    proptest! {
        /// Whatever was published, rolling back ends at the built-in words.
        #[test]
        fn no_history_keeps_rolling_back_from_the_built_in_words(numbers in prop::collection::vec(1_u32..=4, 0..60)) {
            let mut seen = InForce::default();
            for number in numbers {
                if seen.version_of(SHIPPED) != Some(number) {
                    seen = published(&seen, number);
                }
            }
            let mut steps = 0;
            while let Ok(before) = rolled_back(&seen) {
                prop_assert_ne!(before.version_of(SHIPPED), seen.version_of(SHIPPED));
                seen = before;
                steps += 1;
            }
            prop_assert!(steps <= REMEMBERED + 1);
            prop_assert!(seen.live.is_empty());
        }
    }
}
