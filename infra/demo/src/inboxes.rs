//! The notes in customers' inboxes, each shown once.

use std::collections::{HashMap, HashSet};

use anyhow::{Context, Result};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;

use crate::settings::Settings;

/// Shows each note once: those that are there when it is opened never, later ones when they are next asked for.
pub(crate) struct Inboxes {
    dynamodb: aws_sdk_dynamodb::Client,
    table: String,
    seen: HashSet<String>,
}

/// A note in a customer's inbox.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Note {
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) link: Option<String>,
}

impl Inboxes {
    pub(crate) async fn open(settings: &Settings, aws: &SdkConfig) -> Result<Self> {
        let mut inboxes = Self {
            dynamodb: aws_sdk_dynamodb::Client::new(aws),
            table: format!("{}-inbox", settings.prefix),
            seen: HashSet::new(),
        };
        inboxes.new_notes().await?;
        Ok(inboxes)
    }

    /// The notes that were not shown yet.
    pub(crate) async fn new_notes(&mut self) -> Result<Vec<Note>> {
        // A scan, because the demo shows what is stored, whoever it is for; the table of a local stack is small.
        let mut items = self
            .dynamodb
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut notes = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.with_context(|| format!("could not read {}", self.table))?;
            let id = text(&item, "notificationId").unwrap_or_default();
            if self.seen.insert(id) {
                notes.extend(note(&item));
            }
        }
        Ok(notes)
    }
}

fn note(item: &HashMap<String, AttributeValue>) -> Option<Note> {
    Some(Note {
        title: text(item, "title")?,
        body: text(item, "body")?,
        link: text(item, "link"),
    })
}

fn text(item: &HashMap<String, AttributeValue>, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_may_lead_nowhere() {
        let item = [("title", "On its way"), ("body", "It comes today.")];
        let item = item.map(|(name, value)| (name.to_owned(), AttributeValue::S(value.to_owned())));
        let note = note(&item.into()).unwrap();
        assert_eq!((note.title.as_str(), note.link), ("On its way", None));
    }
}
