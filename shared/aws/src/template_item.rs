//! How a version of a template's words, and what is in force, lie in their items. What cannot be read is not there: then the
//! built-in words are.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Channel, InForce, Language, LiveVersion, Published, TemplateVersion, VersionState};

use crate::item::{Item, map_of, moment, moment_of, number, number_of, text, text_of};

/// The key of the item that says what is in force: no template is called so, and no version has this number.
pub(crate) const INDEX: (&str, u32) = ("live", 0);

/// The key of a version.
pub(crate) fn key(template: &str, version: u32) -> Item {
    Item::from([
        ("template".to_owned(), text(template)),
        ("version".to_owned(), number(version)),
    ])
}

/// The item of a version.
pub(crate) fn version_item(version: &TemplateVersion) -> Item {
    let words = version
        .words
        .iter()
        .map(|(key, words)| (key.clone(), text(words.as_str())));
    let variables = version.variables.iter().map(|name| text(name.as_str())).collect();
    let mut item = key(&version.template, version.version);
    let mut add = |name: &str, value: Option<AttributeValue>| item.extend(value.map(|value| (name.to_owned(), value)));
    add("state", Some(text(version.state.name())));
    add("channel", Some(text(version.channel.name())));
    add("language", Some(text(version.language.code())));
    add("words", Some(AttributeValue::M(words.collect())));
    add("variables", Some(AttributeValue::L(variables)));
    add("note", version.note.as_deref().map(text));
    add("by", Some(text(version.by.as_str())));
    add("createdAt", Some(moment(version.created_at)));
    if let Some(published) = &version.published {
        add("publishedAt", Some(moment(published.at)));
        add("publishedBy", Some(text(published.by.as_str())));
    }
    item
}

/// The version in an item; none in the item of what is in force, nor where something essential cannot be read.
pub(crate) fn version_of(item: &Item) -> Option<TemplateVersion> {
    let words = map_of(item, "words")?.iter();
    let words = words.map(|(key, words)| Some((key.clone(), words.as_s().ok()?.clone())));
    let variables = item.get("variables").and_then(|list| list.as_l().ok());
    let variables = variables.into_iter().flatten();
    Some(TemplateVersion {
        template: text_of(item, "template")?.to_owned(),
        version: number_of(item, "version").filter(|version| *version > 0)?,
        state: VersionState::from_name(text_of(item, "state")?)?,
        channel: Channel::from_name(text_of(item, "channel")?)?,
        language: Language::try_from(text_of(item, "language")?).ok()?,
        words: words.collect::<Option<_>>()?,
        variables: variables.filter_map(|name| name.as_s().ok().cloned()).collect(),
        note: text_of(item, "note").map(str::to_owned),
        by: text_of(item, "by").unwrap_or_default().to_owned(),
        created_at: moment_of(item, "createdAt").unwrap_or_default(),
        published: moment_of(item, "publishedAt").map(|at| Published {
            at,
            by: text_of(item, "publishedBy").unwrap_or_default().to_owned(),
        }),
    })
}

/// The item of what is in force.
pub(crate) fn in_force_item(in_force: &InForce) -> Item {
    let live = in_force.live.iter().map(|(template, live)| {
        let before = live.before.iter().map(number).collect();
        let live = Item::from([
            ("version".to_owned(), number(live.version)),
            ("before".to_owned(), AttributeValue::L(before)),
        ]);
        (template.clone(), AttributeValue::M(live))
    });
    let (template, version) = INDEX;
    let mut item = key(template, version);
    item.insert("live".to_owned(), AttributeValue::M(live.collect()));
    item.insert("revision".to_owned(), number(in_force.revision));
    item
}

/// What an item says is in force. A template whose entry cannot be read has its built-in words.
pub(crate) fn in_force_of(item: &Item) -> InForce {
    let live = map_of(item, "live").into_iter().flatten();
    let live = live.filter_map(|(template, entry)| {
        let entry = entry.as_m().ok()?;
        let before = entry.get("before").and_then(|list| list.as_l().ok());
        let before = before.into_iter().flatten();
        let live = LiveVersion {
            version: number_of(entry, "version")?,
            before: before.filter_map(|number| number.as_n().ok()?.parse().ok()).collect(),
        };
        Some((template.clone(), live))
    });
    InForce {
        live: live.collect(),
        revision: number_of(item, "revision").unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use testkit::at;

    fn version() -> TemplateVersion {
        TemplateVersion {
            template: "payment_failed/sms/en".to_owned(),
            version: 3,
            state: VersionState::Retired,
            channel: Channel::Sms,
            language: Language::En,
            words: BTreeMap::from([("sms".to_owned(), "Please look at {{ order.id }}".to_owned())]),
            variables: vec!["order.id".to_owned()],
            note: Some("kinder".to_owned()),
            by: "olga".to_owned(),
            created_at: at(1),
            published: Some(Published {
                at: at(2),
                by: "pau".to_owned(),
            }),
        }
    }

    #[test]
    fn a_version_reads_as_it_was_written() {
        assert_eq!(version_of(&version_item(&version())), Some(version()));
        let draft = TemplateVersion {
            state: VersionState::Draft,
            note: None,
            published: None,
            ..version()
        };
        assert_eq!(version_of(&version_item(&draft)), Some(draft));
    }

    #[test]
    fn a_version_with_words_that_are_no_text_is_none() {
        for (name, value) in [
            ("words", text("not a map")),
            ("words", AttributeValue::M(Item::from([("sms".to_owned(), number(1))]))),
            ("state", text("published")),
            ("channel", text("fax")),
            ("version", number(0)),
        ] {
            let mut item = version_item(&version());
            item.insert(name.to_owned(), value);
            assert_eq!(version_of(&item), None, "{name}");
        }
    }

    #[test]
    fn what_is_in_force_reads_as_it_was_written() {
        let in_force = InForce::default()
            .with("payment_failed/sms/en", 1)
            .with("payment_failed/sms/en", 3);
        let item = in_force_item(&in_force);
        assert_eq!(in_force_of(&item), in_force);
        assert_eq!(version_of(&item), None);
    }

    #[test]
    fn an_entry_that_cannot_be_read_leaves_the_built_in_words_in_force() {
        let live = Item::from([
            ("a/sms/en".to_owned(), text("1")),
            (
                "b/sms/en".to_owned(),
                AttributeValue::M(Item::from([("version".to_owned(), number(2))])),
            ),
        ]);
        let item = Item::from([("live".to_owned(), AttributeValue::M(live))]);
        let in_force = in_force_of(&item);
        assert_eq!(
            (in_force.version_of("a/sms/en"), in_force.version_of("b/sms/en")),
            (None, Some(2))
        );
    }
}
