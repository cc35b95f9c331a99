//! What is to be done about an event, channel by channel, and why: a pure function of event, preferences and time.

use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;

use crate::{
    Channel, Contact, Countries, Currency, Delivery, EmailAddress, Event, Language, Night, PhoneNumber, Preferences,
    QuietHours, State, Suppression, Zone, rings,
};

/// What the shop assumes where neither event nor customer says otherwise, and where it sends text messages.
#[derive(Debug, Clone, PartialEq)]
pub struct ShopDefaults {
    /// The language of customers who chose none.
    pub language: Language,
    /// The time zone of customers who chose none, and the one in which facts count by the day.
    pub zone: Zone,
    /// The currency of amounts that name none.
    pub currency: Currency,
    /// The countries to whose numbers it sends text messages.
    pub sms_countries: Countries,
    /// The quiet hours of customers who chose none.
    pub quiet_hours: QuietHours,
}

impl ShopDefaults {
    /// The night of customers who chose nothing.
    #[must_use]
    pub fn night(&self) -> Night {
        Night {
            hours: self.quiet_hours,
            zone: self.zone.clone(),
        }
    }
}

/// What is to be done about one event.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The language to write in.
    pub language: Language,
    /// The customer's time zone.
    pub zone: Zone,
    /// One decision per channel, in the order of [`Channel::ALL`].
    pub decisions: Vec<(Channel, Decision)>,
}

/// What is to be done by one channel.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Send it there, at once or not before a moment.
    Send {
        /// The e-mail address, the phone number in E.164, or the id of the customer whose inbox it is.
        to: String,
        /// Not before this moment.
        wait: Option<Wait>,
    },
    /// Do not send it, for this reason.
    Skip(Reason),
}

/// For what a delivery waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// Until when.
    pub until: Timestamp,
    /// Whether that is where quiet hours end; else it is the event's `scheduledFor`.
    pub is_for_quiet_hours: bool,
}

/// Why a delivery stands where it stands, as a code that dashboards can count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The customer does not want this type, or this status, by this channel.
    OptedOut,
    /// The event names channels, and this is none of them; or it is a test and names none.
    NotAskedFor,
    /// No address is known.
    NoAddress,
    /// The address is not one that can be delivered to.
    InvalidAddress,
    /// Advertising and tests by SMS need a verified phone.
    PhoneNotVerified,
    /// The number belongs to a country to which no text messages are sent.
    CountryNotServed,
    /// The number has had its text messages of the day.
    SmsNumberLimit,
    /// The month's segments are used up, as far as they are for messages of this kind.
    SmsBudgetUsedUp,
    /// No sender for this channel exists.
    NotOffered,
    /// The event is too old for anyone to want it.
    TooOld,
    /// It could not be sent for too long.
    HeldTooLong,
    /// Nobody knows whether the provider took it.
    InDoubt,
    /// The mailbox does not exist.
    HardBounce,
    /// The recipient called a message of ours unwanted.
    Complaint,
    /// Several messages came back from there.
    SoftBounces,
    /// The number answered STOP, or its carrier blocks us.
    SmsOptedOut,
    /// An operator suppressed the address.
    SuppressedByOperator,
    /// Newer news of the same order or parcel came first.
    Superseded,
    /// The customer was erased before it was sent.
    Erased,
    /// It waits for the end of the customer's quiet hours.
    QuietHours,
}

impl Reason {
    /// The code in ledger, logs and dead letters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OptedOut => "opted_out",
            Self::NotAskedFor => "not_asked_for",
            Self::NoAddress => "no_address",
            Self::InvalidAddress => "invalid_address",
            Self::PhoneNotVerified => "phone_not_verified",
            Self::CountryNotServed => "country_not_served",
            Self::SmsNumberLimit => "sms_number_limit",
            Self::SmsBudgetUsedUp => "sms_budget_used_up",
            Self::NotOffered => "channel_not_offered",
            Self::TooOld => "too_old",
            Self::HeldTooLong => "held_too_long",
            Self::InDoubt => "in_doubt",
            Self::HardBounce => "hard_bounce",
            Self::Complaint => "complaint",
            Self::SoftBounces => "soft_bounces",
            Self::SmsOptedOut => "sms_opted_out",
            Self::SuppressedByOperator => "suppressed_by_operator",
            Self::Superseded => "superseded",
            Self::Erased => "erased",
            Self::QuietHours => "quiet_hours",
        }
    }

    /// The state of a delivery that was decided against for this reason.
    #[must_use]
    pub const fn state(self) -> State {
        match self {
            Self::TooOld => State::Expired,
            Self::QuietHours => State::Deferred,
            Self::HardBounce | Self::Complaint | Self::SoftBounces | Self::SmsOptedOut | Self::SuppressedByOperator => {
                State::Suppressed
            }
            Self::Superseded => State::Superseded,
            Self::OptedOut
            | Self::NotAskedFor
            | Self::NoAddress
            | Self::InvalidAddress
            | Self::PhoneNotVerified
            | Self::CountryNotServed
            | Self::SmsNumberLimit
            | Self::SmsBudgetUsedUp
            | Self::NotOffered
            | Self::HeldTooLong
            | Self::InDoubt
            | Self::Erased => State::Skipped,
        }
    }
}

/// News older than this is refused: the ledger remembers for 90 days, so that nothing this young can come twice.
pub(crate) const HORIZON: SignedDuration = SignedDuration::from_hours(24 * 60);

/// Decides what is to be done about an event, now.
#[must_use]
pub fn decide(event: &Event, preferences: &Preferences, shop: &ShopDefaults, now: Timestamp) -> Plan {
    let decisions = Channel::ALL
        .into_iter()
        .filter(|channel| {
            Channel::OFFERED.contains(channel) || event.channels.as_ref().is_some_and(|named| named.contains(channel))
        })
        .map(|channel| {
            let decision = match event.asks_for(channel) {
                true => decide_channel(channel, event, preferences, shop, now),
                false => Decision::Skip(Reason::NotAskedFor),
            };
            (channel, decision)
        })
        .collect();
    Plan {
        language: event.language.or(preferences.language).unwrap_or(shop.language),
        zone: preferences.zone.clone().unwrap_or_else(|| shop.zone.clone()),
        decisions,
    }
}

fn decide_channel(
    channel: Channel,
    event: &Event,
    preferences: &Preferences,
    shop: &ShopDefaults,
    now: Timestamp,
) -> Decision {
    if !Channel::OFFERED.contains(&channel) {
        return Decision::Skip(Reason::NotOffered);
    }
    if is_too_old(event.at, now) {
        return Decision::Skip(Reason::TooOld);
    }
    if !preferences.wants(channel, &event.content) {
        return Decision::Skip(Reason::OptedOut);
    }
    let to = match address(channel, event, preferences, &shop.sms_countries) {
        Ok(to) => to,
        Err(reason) => return Decision::Skip(reason),
    };
    let needs_verified_phone = event.content.notification_type().needs_verified_phone();
    if channel == Channel::Sms && needs_verified_phone && !preferences.phone_verified {
        return Decision::Skip(Reason::PhoneNotVerified);
    }
    let night = preferences.night(&shop.night());
    let scheduled = event.scheduled_for.filter(|at| *at > now);
    let earliest = scheduled.unwrap_or(now);
    let until = match event.passes_quiet_hours() || !rings(channel, event.content.notification_type()) {
        true => earliest,
        false => night.ends_after(earliest),
    };
    Decision::Send {
        to,
        wait: (until > now).then_some(Wait {
            until,
            is_for_quiet_hours: until > earliest,
        }),
    }
}

/// Whether news of that moment is too old to send now.
#[must_use]
pub(crate) fn is_too_old(at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(at) > HORIZON
}

/// The address of a channel: the event's own wins over the customer's.
fn address(
    channel: Channel,
    event: &Event,
    preferences: &Preferences,
    sms_countries: &Countries,
) -> Result<String, Reason> {
    let invalid = |_why| Reason::InvalidAddress;
    match channel {
        Channel::Email => {
            let text = event
                .recipient
                .email
                .as_ref()
                .or(preferences.email.as_ref())
                .ok_or(Reason::NoAddress)?;
            EmailAddress::try_from(text.as_str()).map(String::from).map_err(invalid)
        }
        Channel::Sms => {
            let text = event
                .recipient
                .phone
                .as_ref()
                .or(preferences.phone.as_ref())
                .ok_or(Reason::NoAddress)?;
            let number = PhoneNumber::try_from(text.as_str()).map_err(invalid)?;
            match sms_countries.serve(&number) {
                true => Ok(String::from(number)),
                false => Err(Reason::CountryNotServed),
            }
        }
        Channel::InApp => {
            let user = event.recipient.user.as_ref().ok_or(Reason::NoAddress)?;
            Ok(String::from(user.clone()))
        }
        Channel::Push => Err(Reason::NotOffered),
    }
}

impl Plan {
    /// The addresses to which this plan would send, those against which something may be known.
    pub fn contacts(&self) -> impl Iterator<Item = Contact> + '_ {
        self.decisions.iter().filter_map(|(channel, decision)| match decision {
            Decision::Send { to, .. } => Contact::behind(*channel, to),
            Decision::Skip(_) => None,
        })
    }

    /// Decides against everything that would go to a suppressed address, whatever its type.
    pub fn suppress(&mut self, known: &HashMap<Contact, Suppression>, now: Timestamp) {
        for (channel, decision) in &mut self.decisions {
            let hold = match decision {
                Decision::Send { to, .. } => Contact::behind(*channel, to).and_then(|contact| known.get(&contact)),
                Decision::Skip(_) => None,
            };
            if let Some(hold) = hold.and_then(|suppression| suppression.in_force(now)) {
                *decision = Decision::Skip(hold.reason.as_reason());
            }
        }
    }
}

impl Decision {
    /// The delivery with which the ledger opens for this decision.
    #[must_use]
    pub fn delivery(&self, now: Timestamp) -> Delivery {
        match self {
            Self::Send { wait: Some(wait), .. } => Delivery::deferred(*wait, now),
            Self::Send { wait: None, .. } => Delivery::queued(now),
            Self::Skip(reason) => Delivery::never_sent(reason.state(), *reason, now),
        }
    }
}
