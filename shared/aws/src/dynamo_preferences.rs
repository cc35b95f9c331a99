//! Preferences in DynamoDB: read one at a time, and changed together with their entry in the log of consent.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Put, TransactWriteItem, Update};
use domain::ports::{Changed, ConsentsLoad, Kept, PreferencesKeep, Unavailable, WakeAll};
use domain::{Consent, ConsentChange, ConsentSource, Preferences, UserId};
use jiff::{SignedDuration, Timestamp};

use crate::DynamoWaitingRoom;
use crate::answer::in_few_words;
use crate::item::{Item, maps_of, moment, moment_of, number, text, text_of};
use crate::preferences_item::{ATTRIBUTES, preferences_of, revision_of, updated_at_of, written};

const LOOKING_UP: &str = "look up preferences";
const CHANGING: &str = "change preferences";
const READING_LOG: &str = "read the log of consent";

/// More tries than this mean that others are busy with the same customer.
const TRIES: usize = 4;

/// The tables of preferences and of consent.
#[derive(Debug, Clone)]
pub struct DynamoPreferences {
    client: Client,
    preferences_table: String,
    consent_table: String,
    retention: SignedDuration,
    room: DynamoWaitingRoom,
}

/// How one try to write a change ended.
enum Tried {
    Done,
    /// The item is another one by now.
    Overtaken,
    /// The log has an entry of this millisecond.
    MomentTaken,
    /// Another transaction holds the item.
    Busy,
}

impl DynamoPreferences {
    /// The tables of these names. Entries of the log are kept for so many days. In the room waits what a change of quiet hours or
    /// zone makes worth another look.
    #[must_use]
    pub fn new(
        client: Client,
        preferences_table: String,
        consent_table: String,
        retention_days: i32,
        room: DynamoWaitingRoom,
    ) -> Self {
        Self {
            client,
            preferences_table,
            consent_table,
            retention: SignedDuration::from_hours(24 * i64::from(retention_days)),
            room,
        }
    }

    /// Wakes what waits for the customer's morning, if that is another one now. What cannot be woken wakes at the time that was
    /// set, and its sender decides by what stands then.
    async fn wake(&self, user: &UserId, from: &Preferences, to: &Preferences, now: Timestamp) {
        if from.quiet_hours == to.quiet_hours && from.zone == to.zone {
            return;
        }
        if let Err(error) = self.room.wake_all_of(user, now).await {
            tracing::warn!(
                error = domain::chain(&error),
                "could not wake what waits for a customer whose night has changed"
            );
        }
    }

    async fn read(&self, user: &UserId, doing: &'static str) -> Result<Item, Unavailable> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.preferences_table)
            .key("userId", text(user.as_str()))
            .consistent_read(true)
            .send()
            .await;
        match answer {
            Ok(output) => Ok(output.item.unwrap_or_default()),
            Err(error) => Err(Unavailable::new(doing, in_few_words(&error))),
        }
    }

    /// The change of the item, under the condition that it is still what was read, attribute by attribute: who writes it by hand
    /// does not count versions.
    fn update(&self, user: &UserId, item: &Item, written: &[(&'static str, Option<AttributeValue>)]) -> Option<Update> {
        let mut update = Update::builder()
            .table_name(&self.preferences_table)
            .key("userId", text(user.as_str()));
        let mut conditions = Vec::with_capacity(ATTRIBUTES.len());
        for (nth, name) in ATTRIBUTES.into_iter().enumerate() {
            update = update.expression_attribute_names(format!("#a{nth}"), name);
            conditions.push(match item.get(name) {
                None => format!("attribute_not_exists(#a{nth})"),
                Some(value) => {
                    update = update.expression_attribute_values(format!(":b{nth}"), value.clone());
                    format!("#a{nth} = :b{nth}")
                }
            });
        }
        let (mut set, mut remove) = (Vec::new(), Vec::new());
        for (name, value) in written {
            let nth = ATTRIBUTES.iter().position(|known| known == name)?;
            match value {
                None => remove.push(format!("#a{nth}")),
                Some(value) => {
                    update = update.expression_attribute_values(format!(":n{nth}"), value.clone());
                    set.push(format!("#a{nth} = :n{nth}"));
                }
            }
        }
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression.push_str(&format!(" REMOVE {}", remove.join(", ")));
        }
        update
            .update_expression(expression)
            .condition_expression(conditions.join(" AND "))
            .build()
            .ok()
    }

    fn entry(&self, user: &UserId, consent: &Consent) -> Option<Put> {
        Put::builder()
            .table_name(&self.consent_table)
            .set_item(Some(consent_item(user, consent, self.retention)))
            .condition_expression("attribute_not_exists(userId)")
            .build()
            .ok()
    }

    async fn try_once(&self, update: Update, entry: Put) -> Result<Tried, Unavailable> {
        let answer = self
            .client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().update(update).build())
            .transact_items(TransactWriteItem::builder().put(entry).build())
            .send()
            .await;
        let error = match answer {
            Ok(_) => return Ok(Tried::Done),
            Err(error) => error,
        };
        if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() {
            let code = |nth: usize| {
                cancelled
                    .cancellation_reasons()
                    .get(nth)
                    .and_then(CancellationReason::code)
            };
            match (code(0), code(1)) {
                (Some("ConditionalCheckFailed"), _) => return Ok(Tried::Overtaken),
                (_, Some("ConditionalCheckFailed")) => return Ok(Tried::MomentTaken),
                (Some("TransactionConflict"), _) | (_, Some("TransactionConflict")) => return Ok(Tried::Busy),
                _ => {}
            }
        }
        Err(Unavailable::new(CHANGING, in_few_words(&error)))
    }
}

impl PreferencesKeep for DynamoPreferences {
    async fn look_up(&self, user: &UserId) -> Result<Kept, Unavailable> {
        self.read(user, LOOKING_UP).await.map(|item| kept(&item))
    }

    async fn change(
        &self,
        user: &UserId,
        from: &Kept,
        to: &Preferences,
        by: &ConsentSource,
        now: Timestamp,
    ) -> Result<Changed, Unavailable> {
        let item = self.read(user, CHANGING).await?;
        let stored = kept(&item);
        if stored.revision != from.revision {
            return Ok(Changed::Stale);
        }
        let changes = ConsentChange::between(&stored.preferences, to);
        if changes.is_empty() {
            return Ok(Changed::Done(stored));
        }
        let written = written(&item, &stored.preferences, to, now);
        let mut consent = Consent {
            at: now,
            by: by.clone(),
            changes,
        };
        for _try in 0..TRIES {
            let (Some(update), Some(entry)) = (self.update(user, &item, &written), self.entry(user, &consent)) else {
                return Err(Unavailable::new(CHANGING, "the request could not be built"));
            };
            match self.try_once(update, entry).await? {
                Tried::Done => {
                    self.wake(user, &stored.preferences, to, now).await;
                    return Ok(Changed::Done(kept(&after(item, written))));
                }
                Tried::Overtaken => return Ok(Changed::Stale),
                Tried::MomentTaken => {
                    let later = consent.at.checked_add(SignedDuration::from_millis(1));
                    consent.at = later.unwrap_or(consent.at);
                }
                Tried::Busy => {}
            }
        }
        Err(Unavailable::new(CHANGING, "others are busy with it"))
    }
}

impl ConsentsLoad for DynamoPreferences {
    async fn latest(&self, user: &UserId, most: u16) -> Result<Vec<Consent>, Unavailable> {
        let answer = self
            .client
            .query()
            .table_name(&self.consent_table)
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", text(user.as_str()))
            .scan_index_forward(false)
            .limit(i32::from(most))
            .send()
            .await;
        match answer {
            Ok(output) => Ok(output.items().iter().filter_map(consent_of).collect()),
            Err(error) => Err(Unavailable::new(READING_LOG, in_few_words(&error))),
        }
    }
}

fn kept(item: &Item) -> Kept {
    Kept {
        preferences: preferences_of(item),
        revision: revision_of(item),
        updated_at: updated_at_of(item),
    }
}

fn after(mut item: Item, written: Vec<(&'static str, Option<AttributeValue>)>) -> Item {
    for (name, value) in written {
        match value {
            Some(value) => item.insert(name.to_owned(), value),
            None => item.remove(name),
        };
    }
    item
}

fn consent_item(user: &UserId, consent: &Consent, retention: SignedDuration) -> Item {
    let changes = consent.changes.iter().map(|change| {
        AttributeValue::M(Item::from([
            ("what".to_owned(), text(change.what.as_str())),
            ("from".to_owned(), text(change.from.as_str())),
            ("to".to_owned(), text(change.to.as_str())),
        ]))
    });
    let expires_at = consent.at.saturating_add(retention).unwrap_or(Timestamp::MAX);
    let mut item = Item::from([
        ("userId".to_owned(), text(user.as_str())),
        ("changedAt".to_owned(), moment(consent.at)),
        ("by".to_owned(), text(consent.by.name())),
        ("changes".to_owned(), AttributeValue::L(changes.collect())),
        ("expiresAt".to_owned(), number(expires_at.as_second())),
    ]);
    if let ConsentSource::Operator(name) = &consent.by {
        item.insert("operator".to_owned(), text(name.as_str()));
    }
    item
}

fn consent_of(item: &Item) -> Option<Consent> {
    let part = |change: &Item, name| text_of(change, name).unwrap_or_default().to_owned();
    Some(Consent {
        at: moment_of(item, "changedAt")?,
        by: ConsentSource::from_name(text_of(item, "by")?, text_of(item, "operator"))?,
        changes: maps_of(item, "changes")
            .map(|change| ConsentChange {
                what: part(change, "what"),
                from: part(change, "from"),
                to: part(change, "to"),
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
    use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
    use aws_sdk_dynamodb::types::error::{InternalServerError, TransactionCanceledException};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::{Channel, Language, NotificationType, Topic};
    use testkit::at;

    fn ana() -> UserId {
        UserId::try_from("ana").unwrap()
    }

    fn stored() -> Item {
        Item::from([
            ("userId".to_owned(), text("ana")),
            ("language".to_owned(), text("en")),
            ("version".to_owned(), number(7)),
            ("favouriteColour".to_owned(), text("green")),
        ])
    }

    fn reading() -> Rule {
        mock!(Client::get_item)
            .match_requests(|request| request.consistent_read() == Some(true))
            .then_output(|| GetItemOutput::builder().set_item(Some(stored())).build())
    }

    fn writing(matches: fn(&TransactWriteItemsInput) -> bool) -> Rule {
        mock!(Client::transact_write_items)
            .match_requests(matches)
            .then_output(|| TransactWriteItemsOutput::builder().build())
    }

    fn cancelled(codes: [&'static str; 2]) -> Rule {
        mock!(Client::transact_write_items).then_error(move || {
            let reasons = codes.map(|code| CancellationReason::builder().code(code).build());
            TransactWriteItemsError::TransactionCanceledException(
                TransactionCanceledException::builder()
                    .set_cancellation_reasons(Some(reasons.into()))
                    .build(),
            )
        })
    }

    async fn change(rules: &[&Rule]) -> Result<Changed, Unavailable> {
        let tables = tables(rules);
        let from = tables.look_up(&ana()).await.unwrap();
        let mut to = from.preferences.clone();
        to.choose(Channel::Email, Topic::Type(NotificationType::Promotional), Some(true));
        to.language = None;
        tables
            .change(&ana(), &from, &to, &ConsentSource::Operator("olga".to_owned()), at(5))
            .await
    }

    fn tables(rules: &[&Rule]) -> DynamoPreferences {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules, |config| {
            config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        });
        let room = DynamoWaitingRoom::new(client.clone(), "room".to_owned());
        DynamoPreferences::new(client, "preferences".to_owned(), "consent".to_owned(), 10, room)
    }

    #[tokio::test]
    async fn a_change_and_its_entry_are_one_transaction_under_what_was_read() {
        let write = writing(|request| {
            let [first, second] = request.transact_items() else {
                return false;
            };
            let (update, put) = (first.update().unwrap(), second.put().unwrap());
            let names = update.expression_attribute_names().unwrap();
            assert!(names.values().all(|name| name != "favouriteColour"));
            let condition = update.condition_expression().unwrap();
            assert!(
                condition.contains("attribute_not_exists(#a0) AND #a1 = :b1"),
                "{condition}"
            );
            assert!(condition.contains("#a6 = :b6"), "{condition}");
            assert!(update.update_expression().ends_with(" REMOVE #a1"));
            let entry = consent_of(put.item()).unwrap();
            assert_eq!(
                (entry.by, entry.at),
                (ConsentSource::Operator("olga".to_owned()), at(5))
            );
            assert_eq!(entry.changes.len(), 2);
            assert_eq!(put.item().get("expiresAt"), Some(&number(10 * 86_400 + 5)));
            true
        });
        let Changed::Done(kept) = change(&[&reading(), &reading(), &write]).await.unwrap() else {
            panic!("not done")
        };
        assert_eq!(kept.preferences.language, None);
        assert!(
            kept.preferences
                .allow(Channel::Email, Topic::Type(NotificationType::Promotional))
        );
        assert_eq!(kept.updated_at, Some(at(5)));
    }

    #[tokio::test]
    async fn another_night_wakes_what_waits_and_what_cannot_be_woken_is_no_failure() {
        let (first, second, write) = (reading(), reading(), writing(|_| true));
        let looked = mock!(Client::query)
            .match_requests(|request| request.table_name() == Some("room"))
            .then_error(|| QueryError::InternalServerError(InternalServerError::builder().build()));
        let tables = tables(&[&first, &second, &write, &looked]);
        let from = tables.look_up(&ana()).await.unwrap();
        let to = Preferences {
            quiet_hours: Some(domain::QuietHours::USUAL),
            ..from.preferences.clone()
        };
        let changed = tables.change(&ana(), &from, &to, &ConsentSource::Page, at(5)).await;
        assert!(matches!(changed, Ok(Changed::Done(_))));
        assert_eq!(looked.num_calls(), 1);
    }

    #[tokio::test]
    async fn what_somebody_else_changed_is_not_overwritten() {
        let none = || "None";
        let overtaken = cancelled(["ConditionalCheckFailed", none()]);
        assert_eq!(
            change(&[&reading(), &reading(), &overtaken]).await.unwrap(),
            Changed::Stale
        );
        let other = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
        assert_eq!(change(&[&reading(), &other]).await.unwrap(), Changed::Stale);
    }

    #[tokio::test]
    async fn an_entry_of_the_same_millisecond_is_not_overwritten() {
        let taken = cancelled(["None", "ConditionalCheckFailed"]);
        let later = writing(|request| {
            let put = request.transact_items()[1].put().unwrap();
            consent_of(put.item()).unwrap().at.as_millisecond() == 5_001
        });
        let changed = change(&[&reading(), &reading(), &taken, &later]).await.unwrap();
        assert!(matches!(changed, Changed::Done(_)));
    }

    #[tokio::test]
    async fn a_conflict_of_transactions_is_tried_again_and_then_told() {
        let busy = [(); 4].map(|()| cancelled(["TransactionConflict", "None"]));
        let (first, second) = (reading(), reading());
        let [a, b, c, d] = &busy;
        let error = change(&[&first, &second, a, b, c, d]).await.unwrap_err();
        assert_eq!(
            domain::chain(&error),
            "could not change preferences: others are busy with it"
        );
        let once = cancelled(["TransactionConflict", "None"]);
        let changed = change(&[&reading(), &reading(), &once, &writing(|_| true)]).await;
        assert!(matches!(changed.unwrap(), Changed::Done(_)));
    }

    #[tokio::test]
    async fn where_nothing_changes_nothing_is_written() {
        let (first, second) = (reading(), reading());
        let tables = tables(&[&first, &second]);
        let from = tables.look_up(&ana()).await.unwrap();
        let same = tables
            .change(&ana(), &from, &from.preferences, &ConsentSource::Api, at(5))
            .await;
        assert_eq!(same.unwrap(), Changed::Done(from));
    }

    #[tokio::test]
    async fn a_table_that_does_not_answer_is_told() {
        let silent = mock!(Client::transact_write_items)
            .then_error(|| TransactWriteItemsError::InternalServerError(InternalServerError::builder().build()));
        assert!(change(&[&reading(), &reading(), &silent]).await.is_err());
    }

    #[tokio::test]
    async fn the_log_is_read_newest_first_and_what_is_no_entry_is_left_out() {
        let consent = Consent {
            at: at(9),
            by: ConsentSource::OneClick,
            changes: ConsentChange::between(
                &Preferences::default(),
                &Preferences {
                    language: Some(Language::Ru),
                    ..Preferences::default()
                },
            ),
        };
        let item = consent_item(&ana(), &consent, SignedDuration::ZERO);
        let rule = mock!(Client::query)
            .match_requests(|request| request.scan_index_forward() == Some(false) && request.limit() == Some(2))
            .then_output(move || QueryOutput::builder().items(item.clone()).items(Item::new()).build());
        assert_eq!(tables(&[&rule]).latest(&ana(), 2).await.unwrap(), [consent]);
    }
}
