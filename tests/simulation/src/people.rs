//! Customers: what they asked for, and what speaks against their addresses.

use domain::ports::Customers;
use domain::{Channel, Contact, NotificationType, Preferences, StatusChoice, Suppression, UserId};
use invariants::What;

use crate::world::{State, Who, timestamp};

pub(crate) fn load(state: &mut State, who: &Who, users: &[UserId], contacts: &[Contact]) -> Customers {
    if who.is_sender {
        let by_user = users.iter().filter_map(|user| state.user_numbers.get(user));
        let by_contact = contacts.iter().filter_map(|contact| state.contact_numbers.get(contact));
        let mut seen: Vec<u32> = by_user.chain(by_contact).copied().collect();
        seen.sort_unstable();
        seen.dedup();
        for customer in seen {
            state.let_go(customer);
            state.tell(What::Looked {
                customer,
                by: who.owner,
            });
        }
    }
    Customers {
        preferences: users
            .iter()
            .filter_map(|user| Some((user.clone(), state.preferences.get(user)?.clone())))
            .collect(),
        suppressions: contacts
            .iter()
            .filter_map(|contact| Some((contact.clone(), state.suppressions.get(contact)?.clone())))
            .collect(),
    }
}

/// Writes the next value if the one before it stands.
pub(crate) fn suppress(state: &mut State, _who: &Who, (contact, next): &(Contact, Suppression)) -> bool {
    let version = state.suppressions.get(contact).map_or(0, |known| known.version);
    if version.checked_add(1) != Some(next.version) {
        return false;
    }
    state.suppressions.insert(contact.clone(), next.clone());
    let now = timestamp(state.now);
    let (Some(hold), Some(customer)) = (next.in_force(now), state.contact_numbers.get(contact).copied()) else {
        return true;
    };
    let channel = contact.channel().name();
    let until = hold.until.map_or(i64::MAX, |until| until.as_millisecond());
    state.held_until.insert((customer, channel), until);
    state.tell(What::OptedOut { customer, channel });
    true
}

impl State {
    /// A suppression that has run out counts no more. Clocks differ by ten minutes at most, hence it may count a little less.
    fn let_go(&mut self, customer: u32) {
        for channel in Channel::OFFERED.map(Channel::name) {
            let is_over = self
                .held_until
                .get(&(customer, channel))
                .is_some_and(|until| *until < self.now + 1_200_000);
            if is_over {
                self.held_until.remove(&(customer, channel));
                self.tell(What::OptedIn { customer, channel });
            }
        }
    }

    /// A customer wants nothing any more by this channel, and is told that this is so.
    pub(crate) fn opt_out(&mut self, user: &UserId, channel: Channel) {
        let preferences = self.preferences.entry(user.clone()).or_default();
        refuse_all(preferences, channel);
        if let Some(customer) = self.user_numbers.get(user).copied() {
            // For ever, whatever becomes of a suppression.
            self.held_until.remove(&(customer, channel.name()));
            self.tell(What::OptedOut {
                customer,
                channel: channel.name(),
            });
        }
    }
}

fn refuse_all(preferences: &mut Preferences, channel: Channel) {
    for notification_type in NotificationType::ALL {
        preferences.choices.insert((channel, notification_type), false);
    }
    preferences.status_choices.insert(channel, StatusChoice::All(false));
}
