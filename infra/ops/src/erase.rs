//! `ops erase`: removes a customer from every store. Done in an order in which it can be broken off and repeated.

use anyhow::Result;
use aws_sdk_dynamodb::types::AttributeValue;
use clap::Args;
use domain::ports::{Advanced, CustomersLoad, LedgerAdvance, LedgerLoad, Step};
use domain::{Channel, Contact, Delivery, Guard, Notification, NotificationId, Preferences, Reason, State, UserId};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::process::ExitCode;

use crate::account::{Account, failed};
use crate::ledger;
use crate::letters::LetterBox;
use crate::names::with_dead_letters;
use crate::operator::{Deed, user_id};
use crate::output::{Progress, Report, counted, show};
use crate::waiting_room;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops erase --customer user-ana --why 'request 2026-117' --dry-run
  ops erase --customer user-ana --why 'request 2026-117'

What waits is closed, what names the customer is removed; counts, types and results stay. It may be repeated, and \
has to be while it says that something is still under way. Answers with 1 until nothing of the customer is left.")]
pub(crate) struct Erase {
    /// Whom
    #[arg(long, value_name = "USER_ID", value_parser = user_id)]
    customer: UserId,
    /// Also forget that the customer's addresses are suppressed
    #[arg(long)]
    suppressions: bool,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    deed: Deed,
}

/// What of a ledger item leads to the customer.
const PERSONAL: [&str; 4] = ["userId", "orderId", "fingerprint", "parcel"];

/// So long may ten letters take before others see them again.
const WORK_SECONDS: i32 = 120;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Erased {
    is_dry_run: bool,
    by: String,
    preferences_removed: bool,
    notifications_found: usize,
    notifications_cleared: usize,
    deliveries_closed: usize,
    deferred_removed: usize,
    dead_letters_removed: usize,
    notes_removed: usize,
    consents_removed: usize,
    orders_removed: usize,
    suppressions_removed: usize,
    suppressions_kept: usize,
    /// Notifications that are under way: erase again later.
    under_way: Vec<String>,
    out_of_reach: Vec<&'static str>,
}

const OUT_OF_REACH: [&str; 6] = [
    "messages still in queues hold the address until their turn comes; they end as skipped, because their deliveries are closed",
    "an event of this customer that waits in a queue is decided upon as new: erase again when the queues are empty",
    "logs hold no address, name or user id of customers",
    "the delivery logs that SNS itself writes hold phone numbers until their retention is over",
    "what carriers sent is archived until its retention is over (CarrierArchiveDays); some of it may name receivers",
    "backups of the tables (point-in-time recovery) forget after 35 days",
];

impl Erase {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let preferences = self.preferences(account).await?;
        let addresses: Vec<String> = [preferences.email.clone(), preferences.phone.clone()]
            .into_iter()
            .flatten()
            .collect();
        let ids = ledger::ids_of_customer(account, self.customer.as_str(), usize::MAX).await?;
        let mut erased = Erased {
            is_dry_run: self.dry_run,
            by: self.deed.remark(),
            preferences_removed: false,
            notifications_found: ids.len(),
            notifications_cleared: 0,
            deliveries_closed: 0,
            deferred_removed: 0,
            dead_letters_removed: 0,
            notes_removed: 0,
            consents_removed: 0,
            orders_removed: 0,
            suppressions_removed: 0,
            suppressions_kept: 0,
            under_way: Vec::new(),
            out_of_reach: OUT_OF_REACH.to_vec(),
        };
        // First what waits, so that nothing is sent meanwhile; what leads to the customer last, so that a repetition finds it.
        let known = account.ledger().load(&ids).await?;
        let mut progress = Progress::new("closing what waits");
        for (count, notification) in known.values().enumerate() {
            self.close(account, notification, &mut erased).await?;
            progress.tick(format!("{count} of {} notifications", known.len()));
        }
        erased.deferred_removed = waiting_room::forget(account, &self.customer, self.dry_run).await?;
        let names = Names::of(&self.customer, &ids, &addresses);
        erased.dead_letters_removed = self.remove_letters(account, &names).await?;
        self.forget_suppressions(account, &preferences, &mut erased).await?;
        erased.notes_removed = self
            .empty(account, &account.names.inbox(), "notificationId", "note")
            .await?;
        let log = account.names.consent_log();
        erased.consents_removed = self.empty(account, &log, "changedAt", "change").await?;
        self.forget_phone(account).await?;
        erased.orders_removed = account
            .tracking()
            .forget_orders_of(&self.customer, self.dry_run)
            .await?;
        let mut progress = Progress::new("clearing the ledger");
        for id in &ids {
            let id_text = id.to_string();
            if !erased.under_way.contains(&id_text) {
                self.clear(account, &id_text).await?;
                erased.notifications_cleared += 1;
            }
            progress.tick(format!(
                "{} of {} notifications",
                erased.notifications_cleared,
                ids.len()
            ));
        }
        erased.preferences_removed = self.remove_preferences(account).await?;
        show(&erased, as_json)
    }

    /// Read without the key of the hashes: no address is looked up.
    async fn preferences(&self, account: &Account) -> Result<Preferences> {
        let key = account.contact_key().await?;
        let table = aws::DynamoCustomers::new(
            account.dynamodb.clone(),
            account.names.preferences(),
            account.names.suppressions(),
            key,
        );
        let mut known = table.load(std::slice::from_ref(&self.customer), &[]).await?;
        Ok(known.preferences.remove(&self.customer).unwrap_or_default())
    }

    /// Closes what waits; what somebody is busy with is left for later.
    async fn close(&self, account: &Account, notification: &Notification, erased: &mut Erased) -> Result<()> {
        for (channel, delivery) in &notification.deliveries {
            let is_left = match lot(delivery) {
                Lot::Stays => false,
                Lot::Later => true,
                Lot::Closes if self.dry_run => {
                    erased.deliveries_closed += 1;
                    false
                }
                Lot::Closes => {
                    let is_closed = close_one(account, notification.id, *channel, delivery).await?;
                    erased.deliveries_closed += usize::from(is_closed);
                    !is_closed
                }
            };
            let id = notification.id.to_string();
            if is_left && !erased.under_way.contains(&id) {
                erased.under_way.push(id);
            }
        }
        Ok(())
    }

    async fn remove_letters(&self, account: &Account, names: &Names) -> Result<usize> {
        let mut removed = 0;
        let mut progress = Progress::new("looking through the dead letters");
        for queue in with_dead_letters() {
            let mut letter_box = LetterBox::open(account, queue, WORK_SECONDS).await?;
            let mut stay = Vec::new();
            let ended = loop {
                let letters = match letter_box.take().await {
                    Ok(letters) if letters.is_empty() => break Ok(()),
                    Ok(letters) => letters,
                    Err(error) => break Err(error),
                };
                let mut problem = None;
                for letter in letters {
                    let is_theirs = letter.id.is_some_and(|id| names.ids.contains(&id)) || names.are_in(&letter.body);
                    if is_theirs {
                        removed += 1;
                    }
                    if !is_theirs || self.dry_run {
                        stay.push(letter);
                    } else if let Err(error) = letter_box.discard(&letter).await {
                        problem = Some(error);
                    }
                }
                progress.tick(format!("{} found", counted(removed, "letter")));
                if let Some(error) = problem {
                    break Err(error);
                }
            };
            letter_box.release(&stay).await;
            ended?;
        }
        Ok(removed)
    }

    async fn forget_suppressions(
        &self,
        account: &Account,
        preferences: &Preferences,
        erased: &mut Erased,
    ) -> Result<()> {
        let email = preferences
            .email
            .as_deref()
            .and_then(|email| Contact::read(Channel::Email, email));
        let phone = preferences
            .phone
            .as_deref()
            .and_then(|phone| Contact::read(Channel::Sms, phone));
        let key = account.contact_key().await?;
        let table = account.names.suppressions();
        for contact in email.into_iter().chain(phone) {
            let contact = AttributeValue::S(key.of(&contact));
            let found = account
                .dynamodb
                .get_item()
                .table_name(&table)
                .key("contact", contact.clone())
                .send()
                .await;
            let found = found.map_err(|error| failed(&format!("look into {table}"), &error))?;
            if found.item().is_none() {
                continue;
            }
            if !self.suppressions {
                erased.suppressions_kept += 1;
                continue;
            }
            erased.suppressions_removed += 1;
            if !self.dry_run {
                let removed = account
                    .dynamodb
                    .delete_item()
                    .table_name(&table)
                    .key("contact", contact)
                    .send()
                    .await;
                removed.map_err(|error| failed(&format!("remove a suppression from {table}"), &error))?;
            }
        }
        Ok(())
    }

    /// Removes everything of the customer from a table whose items have such a sort key.
    async fn empty(&self, account: &Account, table: &str, sort: &str, what: &'static str) -> Result<usize> {
        let mut keys = account
            .dynamodb
            .query()
            .table_name(table)
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", AttributeValue::S(self.customer.as_str().to_owned()))
            .projection_expression("userId, #sort")
            .expression_attribute_names("#sort", sort)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut removed = 0;
        let mut progress = Progress::new(format!("emptying {table}"));
        while let Some(key) = keys.next().await {
            let key = key.map_err(|error| failed(&format!("look into {table}"), &error))?;
            if !self.dry_run {
                let deleted = account.dynamodb.delete_item().table_name(table).set_key(Some(key));
                let deleted = deleted.send().await;
                deleted.map_err(|error| failed(&format!("remove a {what} from {table}"), &error))?;
            }
            removed += 1;
            progress.tick(counted(removed, what));
        }
        Ok(removed)
    }

    /// Removes the number that waits for its code, if there is one.
    async fn forget_phone(&self, account: &Account) -> Result<()> {
        let table = account.names.phone_verifications();
        if self.dry_run {
            return Ok(());
        }
        let key = AttributeValue::S(self.customer.as_str().to_owned());
        let removed = account
            .dynamodb
            .delete_item()
            .table_name(&table)
            .key("userId", key)
            .send()
            .await;
        removed.map_err(|error| failed(&format!("remove the customer from {table}"), &error))?;
        Ok(())
    }

    /// Removes from an item whatever leads to the customer. Its index entries go with it.
    async fn clear(&self, account: &Account, id: &str) -> Result<()> {
        if self.dry_run {
            return Ok(());
        }
        let table = account.names.ledger();
        let mut update = account
            .dynamodb
            .update_item()
            .table_name(&table)
            .key("notificationId", AttributeValue::S(id.to_owned()))
            .condition_expression("attribute_exists(#id)")
            .expression_attribute_names("#id", "notificationId");
        for (n, name) in PERSONAL.iter().enumerate() {
            update = update.expression_attribute_names(format!("#n{n}"), *name);
        }
        let removed = (0..PERSONAL.len())
            .map(|n| format!("#n{n}"))
            .collect::<Vec<_>>()
            .join(", ");
        match update.update_expression(format!("REMOVE {removed}")).send().await {
            Ok(_) => Ok(()),
            // The table itself has forgotten it meanwhile.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(&format!("clear an item of {table}"), &error)),
        }
    }

    /// Whether there was something to remove.
    async fn remove_preferences(&self, account: &Account) -> Result<bool> {
        let table = account.names.preferences();
        let key = AttributeValue::S(self.customer.as_str().to_owned());
        let found = account
            .dynamodb
            .get_item()
            .table_name(&table)
            .key("userId", key.clone())
            .send()
            .await;
        let is_there = found
            .map_err(|error| failed(&format!("look into {table}"), &error))?
            .item()
            .is_some();
        if is_there && !self.dry_run {
            let removed = account
                .dynamodb
                .delete_item()
                .table_name(&table)
                .key("userId", key)
                .send()
                .await;
            removed.map_err(|error| failed(&format!("remove the customer from {table}"), &error))?;
        }
        Ok(is_there)
    }
}

/// What erasing means for a delivery.
#[derive(Debug, PartialEq, Eq)]
enum Lot {
    /// Nothing will come of it any more.
    Stays,
    /// It waits, and is closed.
    Closes,
    /// A sender is busy with it, or is still to bury its message: later.
    Later,
}

const fn lot(delivery: &Delivery) -> Lot {
    match delivery.state {
        State::Deferred | State::Queued => Lot::Closes,
        State::Sending | State::InDoubt => Lot::Later,
        // Its message, with the address, would come among the dead letters after they were looked through.
        State::Parked if !delivery.is_dead_lettered => Lot::Later,
        State::Parked
        | State::Sent
        | State::Delivered
        | State::Bounced
        | State::Complained
        | State::Skipped
        | State::Suppressed
        | State::Superseded
        | State::Expired
        | State::Failed => Lot::Stays,
    }
}

/// Closes a delivery that waits; whether that came before a sender.
async fn close_one(account: &Account, id: NotificationId, channel: Channel, delivery: &Delivery) -> Result<bool> {
    let step = Step {
        id,
        channel,
        guard: Guard::In {
            attempt: delivery.attempt,
            states: &[State::Queued, State::Deferred],
        },
        from: delivery.clone(),
        next: delivery.close(State::Skipped, Reason::Erased.code(), account.now()),
        channels: None,
    };
    match account.ledger().advance(&[step]).await.pop() {
        Some(Ok(Advanced::Done)) => Ok(true),
        Some(Ok(Advanced::Refused(current))) => Ok(lot(&current) == Lot::Stays),
        Some(Ok(Advanced::Unknown)) => Ok(true),
        Some(Err(error)) => Err(error.into()),
        None => Ok(false),
    }
}

/// By what a letter is known to be about the customer.
struct Names {
    ids: Vec<NotificationId>,
    words: Vec<String>,
}

impl Names {
    fn of(customer: &UserId, ids: &[NotificationId], addresses: &[String]) -> Self {
        let words = ids.iter().map(ToString::to_string).chain(addresses.iter().cloned());
        Self {
            ids: ids.to_vec(),
            words: words.chain([customer.as_str().to_owned()]).collect(),
        }
    }

    /// Whether a text names the customer: as a whole value where it is JSON, else as a whole word.
    fn are_in(&self, text: &str) -> bool {
        match serde_json::from_str::<Value>(text) {
            Ok(value) => self.are_in_value(&value),
            Err(_not_json) => self.words.iter().any(|word| is_in_words(word, text)),
        }
    }

    fn are_in_value(&self, value: &Value) -> bool {
        match value {
            Value::String(text) => {
                self.words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()))
                    || (text.trim_start().starts_with(['{', '[']) && self.are_in(text))
            }
            // A customer's number that somebody wrote without quotes.
            Value::Number(number) => self.words.contains(&number.to_string()),
            Value::Array(values) => values.iter().any(|value| self.are_in_value(value)),
            Value::Object(fields) => fields.values().any(|value| self.are_in_value(value)),
            Value::Null | Value::Bool(_) => false,
        }
    }
}

fn is_in_words(word: &str, text: &str) -> bool {
    let is_edge =
        |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric() && !"-_@.+".contains(letter));
    text.match_indices(word).any(|(at, found)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|after| after.chars().next());
        is_edge(before) && is_edge(after)
    })
}

impl Report for Erased {
    fn needs_a_person(&self) -> bool {
        !self.under_way.is_empty()
    }
}

impl fmt::Display for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_dry_run {
            writeln!(f, "nothing was changed; this is what would be done")?;
        }
        let preferences = if self.preferences_removed {
            "removed"
        } else {
            "there were none"
        };
        writeln!(f, "preferences     {preferences}")?;
        writeln!(
            f,
            "ledger          {} found, {} cleared of customer, order, parcel and fingerprint; {} closed as skipped (erased)",
            counted(self.notifications_found, "notification"),
            self.notifications_cleared,
            counted(self.deliveries_closed, "waiting delivery").replace("deliverys", "deliveries"),
        )?;
        writeln!(f, "waiting room    {} removed", self.deferred_removed)?;
        writeln!(f, "dead letters    {} removed", self.dead_letters_removed)?;
        writeln!(f, "inbox           {} removed", counted(self.notes_removed, "note"))?;
        writeln!(
            f,
            "log of consent  {} removed",
            counted(self.consents_removed, "change")
        )?;
        writeln!(f, "orders          {} removed", counted(self.orders_removed, "order"))?;
        match (self.suppressions_removed, self.suppressions_kept) {
            (0, 0) => writeln!(f, "suppressions    the stored addresses have none")?,
            (removed, 0) => writeln!(f, "suppressions    {removed} removed")?,
            (_, kept) => writeln!(
                f,
                "suppressions    {kept} kept: they hold keyed hashes only, and keep messages from this person; --suppressions removes them"
            )?,
        }
        writeln!(f, "out of reach:")?;
        for what in &self.out_of_reach {
            writeln!(f, "  {what}")?;
        }
        if self.under_way.is_empty() {
            return writeln!(f, "done ({})", self.by);
        }
        writeln!(f, "still under way, and not cleared: erase again in some minutes")?;
        for id in &self.under_way {
            writeln!(f, "  {id}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names() -> Names {
        let customer = UserId::try_from("17").unwrap();
        Names::of(&customer, &[], &["Ana@example.com".to_owned()])
    }

    #[test]
    fn a_letter_of_the_customer_is_known_by_id_address_or_envelope() {
        let event = json!({"userId": "17", "orderData": {"orderId": "1"}}).to_string();
        let bounce = json!({"mail": {"destination": ["ana@example.com"]}}).to_string();
        let envelope = json!({"Message": event}).to_string();
        for text in [
            event.as_str(),
            bounce.as_str(),
            envelope.as_str(),
            "userId=17;",
            r#"{"userId": 17}"#,
        ] {
            assert!(names().are_in(text), "{text}");
        }
    }

    #[test]
    fn a_letter_of_somebody_else_is_not_taken_for_the_customers() {
        let event =
            json!({"userId": "170", "orderData": {"orderId": "order 17", "shippingAddress": "Calle 17"}}).to_string();
        for text in [event.as_str(), "userId=170;", "user-17", "a17"] {
            assert!(!names().are_in(text), "{text}");
        }
    }

    #[test]
    fn what_a_sender_is_busy_with_is_left_for_later() {
        let now = jiff::Timestamp::UNIX_EPOCH;
        let queued = Delivery::queued(now);
        assert_eq!(lot(&queued), Lot::Closes);
        assert_eq!(lot(&queued.doubt("no answer in time", now)), Lot::Later);
        let parked = queued.park("no connection", now);
        assert_eq!((lot(&parked), lot(&parked.dead_lettered())), (Lot::Later, Lot::Stays));
    }
}
