//! The words of the pages in every language, as the build found them.

use domain::Language;
use std::collections::{BTreeMap, HashMap};

include!(concat!(env!("OUT_DIR"), "/words.rs"));

/// The words of one language.
#[derive(Debug)]
pub(crate) struct Words {
    texts: HashMap<(&'static str, &'static str), &'static str>,
}

impl Words {
    /// Those of this language.
    pub(crate) fn of(language: Language) -> Self {
        let of_it = WORDS.iter().filter(|(code, ..)| *code == language.code());
        Self {
            texts: of_it.map(|(_, section, key, text)| ((*section, *key), *text)).collect(),
        }
    }

    /// A word. That every one that is asked for is there, a test says.
    pub(crate) fn word(&self, section: &str, key: &str) -> &'static str {
        self.texts.get(&(section, key)).copied().unwrap_or_default()
    }

    /// A word of the pages themselves.
    pub(crate) fn page(&self, key: &str) -> &'static str {
        self.word("page", key)
    }

    /// All words of the pages themselves, as templates name them.
    pub(crate) fn pages(&self) -> BTreeMap<&'static str, &'static str> {
        let of_pages = self.texts.iter().filter(|((section, _), _)| *section == "page");
        of_pages.map(|((_, key), text)| (*key, *text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::groups::{self, ALWAYS, GROUPS};
    use crate::zones;
    use domain::{Channel, NotificationType, Zone};

    #[test]
    fn everything_that_a_page_can_name_has_words_in_every_language() {
        let madrid = Zone::try_from("Europe/Madrid").unwrap();
        for language in Language::ALL {
            let words = Words::of(language);
            let mut asked: Vec<(&str, String)> = Vec::new();
            for channel in Channel::ALL {
                asked.push(("ways", channel.name().to_owned()));
                asked.extend(["ask", "done", "already", "again"].map(|stage| ("page", format!("{stage}_{channel}"))));
            }
            for topic in groups::all() {
                asked.extend(["name", "hint"].map(|part| ("topics", format!("{topic}.{part}"))));
            }
            for of_type in NotificationType::ALL
                .into_iter()
                .filter(|of_type| of_type.can_be_chosen())
            {
                asked.extend(["name", "hint"].map(|part| ("topics", format!("{of_type}.{part}"))));
            }
            for group in GROUPS {
                asked.extend(["name", "hint"].map(|part| ("groups", format!("{}.{part}", group.name))));
            }
            asked.extend(zones::regions(&madrid).map(|(region, _)| ("regions", region.to_owned())));
            asked.extend(Language::ALL.map(|other| ("languages", other.code().to_owned())));
            for (section, key) in asked {
                assert!(!words.word(section, &key).is_empty(), "{language} [{section}] {key}");
            }
            assert_eq!(ALWAYS.len(), 2);
        }
    }
}
