//! `ops explain`: what became of a message, and why, channel by channel.

use anyhow::Result;
use aws::DynamoCustomers;
use clap::Args;
use domain::ports::{Customers, CustomersLoad, LedgerLoad, TrafficShare};
use domain::{Breaker, Channel, Contact, Notification, NotificationId, UserId};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::choice::Choice;
use crate::ledger;
use crate::letters::{self, Letter};
use crate::operator::notification_id;
use crate::output::{Report, duration, moment, show};
use crate::preferences::{ChangeLine, changes_of};

mod delivery;

use delivery::Told;

/// The arguments.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops explain --notification 579b5034-7f1a-85f1-b8fb-eb0077b4314d
  ops explain --order 1001
  ops explain --customer user-ana --limit 5 --json

Answers with 1 when nothing is found, or when something of it waits for a person.")]
pub(crate) struct Explain {
    #[command(flatten)]
    which: Which,
    /// At most so many notifications, the newest first
    #[arg(long, default_value_t = 20)]
    limit: usize,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// One notification, by its id
    #[arg(long, value_name = "ID", value_parser = notification_id)]
    notification: Option<NotificationId>,
    /// All notifications about an order
    #[arg(long, value_name = "ID")]
    order: Option<String>,
    /// All notifications to a customer
    #[arg(long, value_name = "USER_ID")]
    customer: Option<String>,
}

/// What was found.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explained {
    notifications: Vec<Explanation>,
    /// Ids that an index names and that cannot be read in the ledger.
    unreadable: Vec<String>,
    /// Who changed what these customers hear of, the newest change first.
    consents: Vec<Consents>,
    notes: Vec<String>,
    #[serde(skip)]
    now: Timestamp,
}

/// The latest changes of one customer's preferences.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Consents {
    user_id: String,
    changes: Vec<ChangeLine>,
}

/// One notification.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Explanation {
    notification_id: String,
    notification_type: &'static str,
    status: Option<&'static str>,
    order_id: Option<String>,
    parcel: Option<String>,
    user_id: Option<String>,
    happened_at: Timestamp,
    recorded_at: Timestamp,
    recorded_by: String,
    /// What makes two events this one fact.
    identity: &'static str,
    fingerprint: Option<String>,
    channels: Vec<ChannelExplanation>,
    dead_letters: Vec<LetterNote>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChannelExplanation {
    channel: Channel,
    #[serde(flatten)]
    told: Told,
    preference: Option<Choice>,
    /// What speaks now against the address in the customer's preferences.
    suppression: Option<String>,
    /// The note in the customer's inbox; none by other channels, and none any more once it has expired.
    note: Option<NoteFound>,
}

/// A note that was found in an inbox.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
struct NoteFound {
    created_at: Timestamp,
    read_at: Option<Timestamp>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LetterNote {
    queue: String,
    kind: &'static str,
    reason: Option<String>,
    age_seconds: Option<i64>,
}

impl Explain {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let ids = self.ids(account).await?;
        let mut known = account.ledger().load(&ids).await?;
        let unreadable = ids
            .iter()
            .filter(|id| !known.contains_key(id))
            .map(ToString::to_string)
            .collect();
        let notifications: Vec<Notification> = ids.iter().filter_map(|id| known.remove(id)).collect();
        let mut notes = Vec::new();
        let surroundings = Surroundings::read(account, &notifications, &mut notes).await?;
        let explained = Explained {
            notifications: notifications
                .iter()
                .map(|notification| surroundings.explain(notification))
                .collect(),
            unreadable,
            consents: consents(account, &notifications).await?,
            notes,
            now: surroundings.now,
        };
        show(&explained, as_json)
    }

    async fn ids(&self, account: &Account) -> Result<Vec<NotificationId>> {
        match (&self.which.notification, &self.which.order, &self.which.customer) {
            (Some(id), _, _) => Ok(vec![*id]),
            (_, Some(order), _) => ledger::ids_of_order(account, order, self.limit).await,
            (_, _, Some(user)) => ledger::ids_of_customer(account, user, self.limit).await,
            (None, None, None) => Ok(Vec::new()),
        }
    }
}

/// What else there is to know when a notification is explained.
struct Surroundings {
    now: Timestamp,
    breakers: HashMap<Channel, Breaker>,
    customers: Customers,
    letters: Vec<Letter>,
    notes: HashMap<NotificationId, NoteFound>,
    names: crate::names::Names,
}

impl Surroundings {
    async fn read(account: &Account, notifications: &[Notification], notes: &mut Vec<String>) -> Result<Self> {
        let traffic = account.traffic();
        let mut breakers = HashMap::new();
        for channel in Channel::METERED {
            breakers.insert(channel, traffic.look(channel).await?.breaker);
        }
        let letters = if notifications.is_empty() {
            Vec::new()
        } else {
            let (letters, cut) = letters::look_everywhere(account).await?;
            let more = cut.iter().map(|queue| account.names.dead_letters(queue));
            notes.extend(more.map(|queue| format!("{queue} holds more letters than were looked at")));
            letters
        };
        Ok(Self {
            now: account.now(),
            breakers,
            customers: customers(account, notifications, notes).await?,
            letters,
            notes: notes_of(account, notifications).await?,
            names: account.names.clone(),
        })
    }

    fn explain(&self, notification: &Notification) -> Explanation {
        let letters = self.letters.iter().filter(|letter| letter.is_about(notification.id));
        let letters = letters.map(|letter| LetterNote {
            queue: self.names.dead_letters(letter.queue),
            kind: letter.kind.name(),
            reason: letter.reason.clone(),
            age_seconds: letter.sent_at.map(|at| self.now.duration_since(at).as_secs()),
        });
        Explanation {
            notification_id: notification.id.to_string(),
            notification_type: notification.notification_type.name(),
            status: notification.status.map(domain::OrderStatus::name),
            order_id: notification.order.clone().map(String::from),
            parcel: notification.parcel.as_ref().map(|mark| mark.as_str().to_owned()),
            user_id: notification.user.clone().map(String::from),
            happened_at: notification.at,
            recorded_at: notification.recorded_at,
            recorded_by: notification.recorded_by.clone(),
            identity: match notification.fingerprint {
                Some(_) => "the publisher's idempotencyKey; the same key with another content is refused",
                None => "the recipient and the fact itself; a repetition of the event changes nothing",
            },
            fingerprint: notification.fingerprint.as_ref().map(|print| print.as_str().to_owned()),
            channels: self.channels(notification),
            dead_letters: letters.collect(),
        }
    }

    fn channels(&self, notification: &Notification) -> Vec<ChannelExplanation> {
        let preferences = notification
            .user
            .as_ref()
            .map(|user| self.customers.preferences.get(user).cloned().unwrap_or_default());
        let deliveries = notification.deliveries.iter();
        let channels = deliveries.map(|(channel, delivery)| {
            let address = preferences.as_ref().and_then(|preferences| match channel {
                Channel::Email => Contact::read(Channel::Email, preferences.email.as_deref()?),
                Channel::Sms => Contact::read(Channel::Sms, preferences.phone.as_deref()?),
                Channel::Push | Channel::InApp => None,
            });
            let suppression = address.and_then(|address| self.customers.suppressions.get(&address));
            let hold = suppression.and_then(|suppression| suppression.in_force(self.now));
            ChannelExplanation {
                channel: *channel,
                told: Told::of(*channel, delivery, self.breakers.get(channel), self.now),
                preference: preferences.as_ref().and_then(|preferences| {
                    Choice::of(
                        preferences,
                        *channel,
                        notification.notification_type,
                        notification.status,
                    )
                }),
                suppression: hold.map(|hold| format!("{} since {}", hold.reason.name(), moment(hold.since))),
                note: self
                    .notes
                    .get(&notification.id)
                    .copied()
                    .filter(|_| *channel == Channel::InApp),
            }
        });
        channels.collect()
    }
}

/// Who changed what these customers hear of.
async fn consents(account: &Account, notifications: &[Notification]) -> Result<Vec<Consents>> {
    let mut consents = Vec::new();
    for user in users_of(notifications) {
        let changes = changes_of(account, &user).await?;
        if !changes.is_empty() {
            consents.push(Consents {
                user_id: String::from(user),
                changes,
            });
        }
    }
    Ok(consents)
}

fn users_of(notifications: &[Notification]) -> Vec<UserId> {
    let mut users: Vec<UserId> = notifications
        .iter()
        .filter_map(|notification| notification.user.clone())
        .collect();
    users.sort_unstable();
    users.dedup();
    users
}

/// The notes that are in their customers' inboxes now.
async fn notes_of(account: &Account, notifications: &[Notification]) -> Result<HashMap<NotificationId, NoteFound>> {
    let inbox = account.inbox();
    let mut notes = HashMap::new();
    for notification in notifications {
        let delivery = notification.deliveries.get(&Channel::InApp);
        let was_offered = delivery.is_some_and(|delivery| delivery.attempt > 0);
        let Some(user) = notification.user.as_ref().filter(|_| was_offered) else {
            continue;
        };
        if let Some(note) = inbox.look_up(user, notification.id).await? {
            let found = NoteFound {
                created_at: note.created_at,
                read_at: note.read_at,
            };
            notes.insert(notification.id, found);
        }
    }
    Ok(notes)
}

/// What the customers want now, and what speaks against the addresses that they stored.
async fn customers(account: &Account, notifications: &[Notification], notes: &mut Vec<String>) -> Result<Customers> {
    let users = users_of(notifications);
    if users.is_empty() {
        return Ok(Customers::default());
    }
    let key = match account.contact_key().await {
        Ok(key) => key,
        Err(error) => {
            notes.push(format!("present preferences and suppressions are not told: {error:#}"));
            return Ok(Customers::default());
        }
    };
    let table = DynamoCustomers::new(
        account.dynamodb.clone(),
        account.names.preferences(),
        account.names.suppressions(),
        key,
    );
    let mut known = table.load(&users, &[]).await?;
    let addresses = known.preferences.values().flat_map(|preferences| {
        let email = preferences
            .email
            .as_deref()
            .and_then(|email| Contact::read(Channel::Email, email));
        let phone = preferences
            .phone
            .as_deref()
            .and_then(|phone| Contact::read(Channel::Sms, phone));
        email.into_iter().chain(phone)
    });
    let addresses: Vec<Contact> = addresses.collect();
    known.suppressions = table.load(&[], &addresses).await?.suppressions;
    Ok(known)
}

impl Report for Explained {
    fn needs_a_person(&self) -> bool {
        let waits = |found: &Explanation| {
            !found.dead_letters.is_empty() || found.channels.iter().any(|channel| channel.told.needs_a_person)
        };
        self.notifications.is_empty() || !self.unreadable.is_empty() || self.notifications.iter().any(waits)
    }
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.notifications.is_empty() && self.unreadable.is_empty() {
            writeln!(
                f,
                "nothing is in the ledger under that. It may be older than the ledger keeps, not decided upon yet, or refused: see \
                 ops dead-letters list. Guests are found by order or notification, erased customers by notification only."
            )?;
        }
        for notification in &self.notifications {
            notification.write(f, self.now)?;
        }
        for id in &self.unreadable {
            writeln!(f, "{id}: not in the ledger, or its item cannot be read")?;
        }
        for Consents { user_id, changes } in &self.consents {
            writeln!(f, "what {user_id} hears of was changed:")?;
            for change in changes {
                writeln!(f, "  {change}")?;
            }
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        Ok(())
    }
}

impl Explanation {
    fn write(&self, f: &mut fmt::Formatter<'_>, now: Timestamp) -> fmt::Result {
        write!(f, "{}  {}", self.notification_id, self.notification_type)?;
        if let Some(status) = self.status {
            write!(f, " ({status})")?;
        }
        if let Some(order) = &self.order_id {
            write!(f, ", order {order}")?;
        }
        if let Some(parcel) = &self.parcel {
            write!(f, ", parcel {parcel}")?;
        }
        match &self.user_id {
            Some(user) => writeln!(f, ", customer {user}")?,
            None => writeln!(f, ", no customer id (a guest, an administrator, or erased)")?,
        }
        writeln!(f, "  happened  {}", moment(self.happened_at))?;
        writeln!(
            f,
            "  recorded  {} by invocation {}",
            moment(self.recorded_at),
            self.recorded_by
        )?;
        write!(f, "  the same  {}", self.identity)?;
        match &self.fingerprint {
            Some(print) => writeln!(f, " (fingerprint {print})")?,
            None => writeln!(f)?,
        }
        for channel in &self.channels {
            writeln!(f, "\n  {}: {}", channel.channel, channel.told.headline())?;
            channel.told.write(f, now)?;
            if let Some(choice) = channel.preference {
                let wanted = if choice.is_wanted { "on" } else { "off" };
                let source = if choice.is_stored {
                    "the customer's choice"
                } else {
                    "by default"
                };
                writeln!(f, "    preference now  {wanted}, {source}")?;
            }
            if let Some(note) = &channel.note {
                let read = note.read_at.map(|at| format!("read {}", moment(at)));
                let read = read.unwrap_or_else(|| "unread".to_owned());
                writeln!(f, "    in the inbox    since {}, {read}", moment(note.created_at))?;
            }
            if let Some(suppression) = &channel.suppression {
                writeln!(f, "    suppressed now  the address in the preferences: {suppression}")?;
            }
        }
        for letter in &self.dead_letters {
            let reason = letter
                .reason
                .as_deref()
                .unwrap_or("no reason: put there by SQS, SNS or Lambda");
            let age = letter
                .age_seconds
                .map(|seconds| duration(jiff::SignedDuration::from_secs(seconds)));
            let age = age.unwrap_or_else(|| "some time".to_owned());
            writeln!(
                f,
                "\n  dead letter in {} ({}, {age} old): {reason}",
                letter.queue, letter.kind
            )?;
        }
        writeln!(f)
    }
}
