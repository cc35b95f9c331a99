//! The choices of a customer as the API writes and reads them: `{channel: {type: bool, order_status_update: {status: bool}}}`.

use domain::{Channel, NotificationType, OrderStatus, Preferences, StatusChoice, Topic};
use serde_json::{Map, Value};
use web::{Fields, pointer_part};

/// How a body is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// All of it: what it leaves out goes back to the default.
    Whole,
    /// Only what it names (RFC 7396): `null` goes back to the default, the rest stays.
    Merge,
}

/// Everything that can be chosen with what holds: as chosen, else as by default.
pub(crate) fn written(preferences: &Preferences) -> Map<String, Value> {
    let by_channel = Channel::ALL.into_iter().map(|channel| {
        let mut types: Map<String, Value> = Map::new();
        let mut statuses: Map<String, Value> = Map::new();
        for topic in Topic::all() {
            let choice = Value::Bool(preferences.allow(channel, topic));
            match topic {
                Topic::Type(notification_type) => types.insert(notification_type.name().to_owned(), choice),
                Topic::Status(status) => statuses.insert(status.name().to_owned(), choice),
            };
        }
        types.insert(
            NotificationType::OrderStatusUpdate.name().to_owned(),
            Value::Object(statuses),
        );
        (channel.name().to_owned(), Value::Object(types))
    });
    by_channel.collect()
}

/// Reads the choices of a body into these preferences; what is wrong is noted in the fields.
pub(crate) fn read(
    value: Option<Value>,
    meaning: Meaning,
    from: &Preferences,
    to: &mut Preferences,
    fields: &mut Fields,
) {
    if meaning == Meaning::Whole {
        to.choices.clear();
        to.status_choices.clear();
    }
    let channels = match value {
        None => return,
        Some(Value::Null) => {
            to.choices.clear();
            to.status_choices.clear();
            return;
        }
        Some(Value::Object(channels)) => channels,
        Some(_) => return fields.wrong("/preferences", "expected an object of channels"),
    };
    for (name, value) in channels {
        let pointer = format!("/preferences/{}", pointer_part(&name));
        let Some(channel) = Channel::ALL.into_iter().find(|channel| channel.name() == name) else {
            fields.wrong(
                pointer,
                format!("expected one of {}", Channel::ALL.map(Channel::name).join(", ")),
            );
            continue;
        };
        let mut of_channel = OfChannel {
            channel,
            meaning,
            from,
            to,
            fields,
        };
        of_channel.read(&pointer, value);
    }
}

/// The choices of one channel.
struct OfChannel<'a> {
    channel: Channel,
    meaning: Meaning,
    from: &'a Preferences,
    to: &'a mut Preferences,
    fields: &'a mut Fields,
}

impl OfChannel<'_> {
    fn read(&mut self, pointer: &str, value: Value) {
        let types = match value {
            Value::Null => {
                let channel = self.channel;
                self.to.choices.retain(|(of, _), _| *of != channel);
                self.to.status_choices.remove(&channel);
                return;
            }
            Value::Object(types) => types,
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                return self.fields.wrong(pointer, "expected an object of types");
            }
        };
        for (name, value) in types {
            let pointer = format!("{pointer}/{}", pointer_part(&name));
            if name == NotificationType::OrderStatusUpdate.name() {
                self.read_statuses(&pointer, value);
                continue;
            }
            match Topic::from_name(&name) {
                Some(topic @ Topic::Type(_)) => self.read_choice(&pointer, topic, &value),
                Some(Topic::Status(_)) | None => {
                    self.fields.wrong(pointer, format!("expected one of {}", type_names()))
                }
            }
        }
    }

    fn read_statuses(&mut self, pointer: &str, value: Value) {
        match value {
            Value::Null => {
                self.to.status_choices.remove(&self.channel);
            }
            Value::Bool(choice) => {
                let is_said_already = self.meaning == Meaning::Whole
                    && !self.from.status_choices.contains_key(&self.channel)
                    && OrderStatus::ALL
                        .into_iter()
                        .all(|status| self.from.allow(self.channel, Topic::Status(status)) == choice);
                if !is_said_already {
                    self.to.status_choices.insert(self.channel, StatusChoice::All(choice));
                }
            }
            Value::Object(statuses) => {
                for (name, value) in statuses {
                    let pointer = format!("{pointer}/{}", pointer_part(&name));
                    match OrderStatus::ALL.into_iter().find(|status| status.name() == name) {
                        Some(status) => self.read_choice(&pointer, Topic::Status(status), &value),
                        None => {
                            let names = OrderStatus::ALL.map(OrderStatus::name).join(", ");
                            self.fields.wrong(pointer, format!("expected one of {names}"));
                        }
                    }
                }
            }
            Value::Number(_) | Value::String(_) | Value::Array(_) => self
                .fields
                .wrong(pointer, "expected true, false, null, or an object of statuses"),
        }
    }

    fn read_choice(&mut self, pointer: &str, topic: Topic, value: &Value) {
        let choice = match value {
            Value::Bool(choice) => Some(*choice),
            Value::Null => None,
            Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                return self.fields.wrong(pointer, "expected true, false or null");
            }
        };
        // Who sends back what was shown has not chosen what was only shown.
        let is_only_shown = self.meaning == Meaning::Whole
            && self.from.choice(self.channel, topic).is_none()
            && choice == Some(self.from.allow(self.channel, topic));
        if !is_only_shown {
            self.to.choose(self.channel, topic, choice);
        }
    }
}

fn type_names() -> String {
    NotificationType::ALL
        .into_iter()
        .filter(|notification_type| {
            *notification_type == NotificationType::OrderStatusUpdate
                || Topic::from_name(notification_type.name()).is_some()
        })
        .map(NotificationType::name)
        .collect::<Vec<_>>()
        .join(", ")
}
