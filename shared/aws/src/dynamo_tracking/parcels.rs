//! Parcels in DynamoDB: what carriers said of them, whose they are, and when to look after them.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::ports::Unavailable;
use domain::{Carrier, OrderId, Saying, TrackingNumber};
use jiff::Timestamp;
use tracking::ports::{ParcelFile, ParcelNote, ParcelsKeep, Watch};
use tracking::{ParcelRecord, WatchedParcel, Watching};

use super::{DynamoTracking, about_order, about_parcel, claimed_order, sayings_of};
use crate::answer::{in_few_words, was_written};
use crate::item::{Item, moment, moment_of, number, number_of, text, text_of};

const READING: &str = "read a parcel";
const HEARING: &str = "write what was said of a parcel";
const CLAIMING: &str = "register a parcel";
const NOTING: &str = "note where a parcel stands";
const LOOKING: &str = "look for parcels whose time has come";
const RESCHEDULING: &str = "note when to look after a parcel";

/// The item that holds who carries a parcel and when to look after it.
const RECORD: &str = "parcel";
/// Finds parcels whose time has come.
const BY_DUE: &str = "watch-dueAt-index";

impl ParcelsKeep for DynamoTracking {
    async fn read_parcel(&self, number: &TrackingNumber) -> Result<ParcelFile, Unavailable> {
        let items = self.all_about(&about_parcel(number), READING).await?;
        let record = items.iter().find(|item| text_of(item, "item") == Some(RECORD));
        Ok(ParcelFile {
            record: record.and_then(|item| {
                Some(ParcelRecord {
                    carrier: carrier_of(item),
                    registered_at: moment_of(item, "registeredAt")?,
                })
            }),
            orders: items.iter().filter_map(claimed_order).collect(),
            sayings: sayings_of(&items, READING)?,
        })
    }

    async fn hear(&self, number: &TrackingNumber, sayings: &[Saying]) -> Result<(), Unavailable> {
        self.say(&about_parcel(number), sayings, HEARING).await
    }

    async fn claim(
        &self,
        parcel: &TrackingNumber,
        order: &OrderId,
        carrier: Option<Carrier>,
        now: Timestamp,
    ) -> Result<(), Unavailable> {
        self.client
            .put_item()
            .table_name(&self.table)
            .item("about", text(about_parcel(parcel)))
            .item("item", text(about_order(order)))
            .item("expiresAt", self.expires_at(now))
            .send()
            .await
            .map_err(|error| Unavailable::new(CLAIMING, in_few_words(&error)))?;
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("about", text(about_parcel(parcel)))
            .key("item", text(RECORD))
            .expression_attribute_values(":now", moment(now))
            .expression_attribute_values(":expiresAt", self.expires_at(now));
        let update = match carrier {
            None => update
                .update_expression("SET registeredAt = if_not_exists(registeredAt, :now), expiresAt = :expiresAt")
                .condition_expression("attribute_not_exists(registeredAt)"),
            // Whoever names the carrier later has it followed from then on.
            Some(carrier) => update
                .update_expression(
                    "SET registeredAt = if_not_exists(registeredAt, :now), expiresAt = :expiresAt, carrier = :carrier, watch = \
                     :carrier, dueAt = :now",
                )
                .condition_expression("attribute_not_exists(carrier)")
                .expression_attribute_values(":carrier", text(carrier.name())),
        };
        let answer = update.send().await;
        was_written(answer, UpdateItemError::is_conditional_check_failed_exception, CLAIMING).map(|_was_new| ())
    }

    async fn note(&self, parcel: &TrackingNumber, note: &ParcelNote) -> Result<(), Unavailable> {
        // Whose way goes on after all, because somebody said so by hand, is looked after again.
        let heard = note.last_heard_at.map(|_| "lastHeardAt = :heard");
        let expression = match (note.has_ended, heard) {
            (true, None) => "REMOVE watch, dueAt".to_owned(),
            (true, Some(heard)) => format!("SET {heard} REMOVE watch, dueAt"),
            (false, heard) => {
                let watch = [
                    "watch = if_not_exists(watch, carrier)",
                    "dueAt = if_not_exists(dueAt, :now)",
                ];
                let set: Vec<&str> = watch.into_iter().chain(heard).collect();
                format!("SET {}", set.join(", "))
            }
        };
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("about", text(about_parcel(parcel)))
            .key("item", text(RECORD))
            // Nobody is asked of a parcel whose carrier is not known.
            .condition_expression("attribute_exists(carrier)")
            .update_expression(expression);
        let update = match note.last_heard_at {
            Some(at) => update.expression_attribute_values(":heard", moment(at)),
            None => update,
        };
        let update = match note.has_ended {
            true => update,
            false => update.expression_attribute_values(":now", moment(Timestamp::UNIX_EPOCH)),
        };
        let answer = update.send().await;
        was_written(answer, UpdateItemError::is_conditional_check_failed_exception, NOTING).map(|_is_there| ())
    }
}

impl Watch for DynamoTracking {
    async fn due(&self, carrier: Carrier, now: Timestamp, most: usize) -> Result<Vec<WatchedParcel>, Unavailable> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(BY_DUE)
            .key_condition_expression("watch = :carrier AND dueAt <= :now")
            .expression_attribute_values(":carrier", text(carrier.name()))
            .expression_attribute_values(":now", moment(now))
            .into_paginator()
            .items()
            .send();
        let mut due = Vec::new();
        while due.len() < most
            && let Some(item) = pages.next().await
        {
            let item = item.map_err(|error| Unavailable::new(LOOKING, in_few_words(&error)))?;
            due.extend(watched_of(&item));
        }
        Ok(due)
    }

    async fn reschedule(&self, parcel: &WatchedParcel, next: &Watching) -> Result<(), Unavailable> {
        let mut set = vec!["failures = :failures"];
        let mut remove = Vec::new();
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("about", text(about_parcel(&parcel.number)))
            .key("item", text(RECORD))
            .expression_attribute_values(":failures", number(next.failures));
        let moments = [
            ("dueAt = :due", ":due", next.due_at),
            ("askedAt = :asked", ":asked", next.asked_at),
            ("subscribedUntil = :subscribed", ":subscribed", next.subscribed_until),
            ("alertedAt = :alerted", ":alerted", next.alerted_at),
        ];
        for (assignment, name, at) in moments {
            if let Some(at) = at {
                set.push(assignment);
                update = update.expression_attribute_values(name, moment(at));
            }
        }
        if next.due_at.is_none() {
            remove.extend(["watch", "dueAt"]);
        }
        // Whose way has ended meanwhile stays out of the watch; whom another round has looked after is left to it.
        let condition = match parcel.watching.due_at {
            Some(due_at) => {
                update = update.expression_attribute_values(":before", moment(due_at));
                "dueAt = :before"
            }
            None => "attribute_exists(dueAt)",
        };
        let mut expression = format!("SET {}", set.join(", "));
        if !remove.is_empty() {
            expression = format!("{expression} REMOVE {}", remove.join(", "));
        }
        let answer = update
            .update_expression(expression)
            .condition_expression(condition)
            .send()
            .await;
        was_written(
            answer,
            UpdateItemError::is_conditional_check_failed_exception,
            RESCHEDULING,
        )
        .map(|_was_ours| ())
    }
}

fn carrier_of(item: &Item) -> Option<Carrier> {
    Carrier::from_name(text_of(item, "carrier")?)
}

fn watched_of(item: &Item) -> Option<WatchedParcel> {
    let number = text_of(item, "about")?.strip_prefix("parcel#")?;
    Some(WatchedParcel {
        number: TrackingNumber::try_from(number).ok()?,
        carrier: carrier_of(item)?,
        registered_at: moment_of(item, "registeredAt")?,
        last_heard_at: moment_of(item, "lastHeardAt"),
        watching: Watching {
            due_at: moment_of(item, "dueAt"),
            asked_at: moment_of(item, "askedAt"),
            failures: number_of(item, "failures").unwrap_or_default(),
            subscribed_until: moment_of(item, "subscribedUntil"),
            alerted_at: moment_of(item, "alertedAt"),
        },
    })
}
