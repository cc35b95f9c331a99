//! Fields of an event, read one by one; whatever is wrong is noted and reading goes on, so that all of it can be named.

use domain::{Currency, Money, ShopDefaults, UserId, clean_block, clean_line};
use jiff::{Timestamp, civil};
use rust_decimal::Decimal;
use serde_json::{Map, Value};
use std::fmt::Display;

use crate::read::Problem;

/// More than this is no help to anybody.
const MAX_PROBLEMS: usize = 25;

/// One line of text in an event is at most this long, in characters.
const MAX_LINE: usize = 1_000;

/// A text of several lines is at most this long, in characters.
const MAX_BLOCK: usize = 20_000;

/// The object in which a field is looked up: the path to it, for messages, and the object itself.
#[derive(Clone, Copy)]
pub(crate) struct Within<'a> {
    pub(crate) path: &'a str,
    pub(crate) object: Option<&'a Map<String, Value>>,
}

/// The fields of one event, and what is wrong with them so far.
pub(crate) struct Fields<'a> {
    event: &'a Map<String, Value>,
    shop: &'a ShopDefaults,
    problems: Vec<Problem>,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(event: &'a Map<String, Value>, shop: &'a ShopDefaults) -> Self {
        let mut fields = Self {
            event,
            shop,
            problems: Vec::new(),
        };
        for name in ["orderData", "payout", "product", "campaign", "maintenance", "account"] {
            fields.object(name);
        }
        fields
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Notes that a field is wrong.
    pub(crate) fn refuse(&mut self, field: impl Into<String>, problem: impl Display) {
        let field = field.into();
        let is_known = self.problems.iter().any(|known| known.field == field);
        if !is_known && self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                field,
                problem: problem.to_string(),
            });
        }
    }

    pub(crate) fn has_problem_with(&self, names: &[&str]) -> bool {
        self.problems
            .iter()
            .any(|problem| names.contains(&problem.field.as_str()))
    }

    /// The value, or a note of why there is none.
    pub(crate) fn checked<T, E: Display>(&mut self, field: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|problem| self.refuse(field, problem)).ok()
    }

    /// The value, or a note of what was expected.
    pub(crate) fn known<T>(&mut self, field: &str, value: Option<T>, expected: &str) -> Option<T> {
        if value.is_none() {
            self.refuse(field, expected);
        }
        value
    }

    pub(crate) const fn top(&self) -> Within<'a> {
        Within {
            path: "",
            object: Some(self.event),
        }
    }

    /// The object under that name; a null counts as missing.
    pub(crate) fn object(&mut self, name: &'a str) -> Within<'a> {
        let object = match self.event.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::Object(object)) => Some(object),
            Some(other) => {
                self.refuse(name, format!("expected an object, got {}", kind_of(other)));
                None
            }
        };
        Within { path: name, object }
    }

    /// Where a field of the order stands: under `orderData`, or flat beside it. With the name to use in messages.
    pub(crate) fn of_order(&self, name: &str) -> (String, Option<&'a Value>) {
        let nested = self
            .event
            .get("orderData")
            .and_then(Value::as_object)
            .and_then(|order| present(order.get(name)));
        match (nested, present(self.event.get(name))) {
            (None, Some(flat)) => (name.to_owned(), Some(flat)),
            (nested, _) => (format!("orderData.{name}"), nested),
        }
    }

    pub(crate) fn within(&self, place: Within<'a>, name: &str) -> (String, Option<&'a Value>) {
        let field = if place.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", place.path)
        };
        (field, place.object.and_then(|object| present(object.get(name))))
    }

    pub(crate) fn top_text(&mut self, name: &str) -> Option<String> {
        let (field, value) = self.within(self.top(), name);
        self.line(&field, value)
    }

    /// A text or a number that names something, to the letter; a blank one counts as missing.
    pub(crate) fn top_id(&mut self, name: &str) -> Option<String> {
        let (field, value) = self.within(self.top(), name);
        self.id(&field, value)
    }

    pub(crate) fn id(&mut self, field: &str, value: Option<&Value>) -> Option<String> {
        let text = match value? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other @ (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                self.refuse(field, format!("expected a text, got {}", kind_of(other)));
                return None;
            }
        };
        if text.trim().is_empty() {
            return None;
        }
        self.checked(field, UserId::try_from(text)).map(String::from)
    }

    /// One clean line; an empty one counts as missing.
    pub(crate) fn line(&mut self, field: &str, value: Option<&Value>) -> Option<String> {
        self.text(field, value, MAX_LINE, clean_line)
    }

    /// A clean text of several lines; an empty one counts as missing.
    pub(crate) fn block(&mut self, field: &str, value: Option<&Value>) -> Option<String> {
        self.text(field, value, MAX_BLOCK, clean_block)
    }

    fn text(&mut self, field: &str, value: Option<&Value>, max: usize, clean: fn(&str) -> String) -> Option<String> {
        let text = match value? {
            Value::String(text) => clean(text),
            other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                self.refuse(field, format!("expected a text, got {}", kind_of(other)));
                return None;
            }
        };
        let length = text.chars().count();
        if length > max {
            self.refuse(field, format!("expected at most {max} characters, got {length}"));
            return None;
        }
        Some(text).filter(|text| !text.is_empty())
    }

    /// A link that may stand in a message: `http` or `https`.
    pub(crate) fn url(&mut self, field: &str, value: Option<&Value>) -> Option<String> {
        let text = self.line(field, value)?;
        let is_web = ["https://", "http://"].iter().any(|scheme| {
            text.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
                && text.len() > scheme.len()
        });
        if !is_web || text.contains([' ', '"', '<', '>']) {
            self.refuse(field, "expected a link that starts with https://");
            return None;
        }
        Some(text)
    }

    /// A number, written as a number or as a string.
    pub(crate) fn decimal(&mut self, field: &str, value: Option<&Value>) -> Option<Decimal> {
        let text = match value? {
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.clone(),
            other @ (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                self.refuse(field, format!("expected a number, got {}", kind_of(other)));
                return None;
            }
        };
        self.checked(field, Money::read_amount(&text))
    }

    /// A count from 1 on.
    pub(crate) fn count(&mut self, field: &str, value: Option<&Value>) -> Option<u32> {
        let number = self.decimal(field, value)?;
        let count = u32::try_from(number)
            .ok()
            .filter(|count| *count > 0 && Decimal::from(*count) == number);
        self.known(field, count, "expected a whole number from 1 on")
    }

    /// The currency of the order's amounts: its own, else the shop's.
    pub(crate) fn currency(&mut self, field: &str, value: Option<&Value>) -> Currency {
        self.line(field, value)
            .and_then(|text| self.checked(field, Currency::try_from(text.as_str())))
            .unwrap_or(self.shop.currency)
    }

    pub(crate) fn money(&mut self, field: &str, value: Option<&Value>, currency: Currency) -> Option<Money> {
        self.decimal(field, value).map(|amount| Money { amount, currency })
    }

    /// A moment, under its own name at the top or in the order.
    pub(crate) fn timestamp(&mut self, name: &str) -> Option<Timestamp> {
        let (field, value) = self.of_order(name);
        self.moment(&field, value)
    }

    /// A moment: RFC 3339, a date and time without zone (UTC), a date, or seconds or milliseconds since 1970.
    pub(crate) fn moment(&mut self, field: &str, value: Option<&Value>) -> Option<Timestamp> {
        let moment = match value? {
            Value::String(text) => moment_from_text(text.trim()),
            Value::Number(number) => moment_from_number(&number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        // What cannot be told from a typing error by a century helps nobody, and no table keeps it.
        let sensible = moment.filter(|at| (0..4_102_444_800).contains(&at.as_second()));
        self.known(field, sensible, "expected a moment such as 2026-11-20T09:30:00Z")
    }

    /// A day of this century, in the shop's zone where a moment is given.
    pub(crate) fn day(&mut self, field: &str, value: Option<&Value>) -> Option<civil::Date> {
        if let Some(Value::String(text)) = value {
            let text = text.trim();
            let written = ["%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%d.%m.%Y", "%B %d, %Y", "%d %B %Y"];
            let day = written
                .iter()
                .find_map(|format| civil::Date::strptime(format, text).ok());
            // A year of two digits is taken for one of the first century, and day for year besides.
            if let Some(day) = day {
                let sensible = Some(day).filter(|day| (2000..2100).contains(&day.year()));
                return self.known(
                    field,
                    sensible,
                    "expected a day such as 2026-11-25, the year with four digits",
                );
            }
        }
        let zone = self.shop.zone.tz().clone();
        self.moment(field, value).map(|at| at.to_zoned(zone).date())
    }

    /// The channels that the publisher allows: a list of names, or one name.
    pub(crate) fn channels<C>(&mut self, from_name: fn(&str) -> Option<C>) -> Option<Vec<C>> {
        let (field, value) = self.within(self.top(), "channels");
        let one = value?;
        let names: Vec<&Value> = one.as_array().map_or_else(|| vec![one], |names| names.iter().collect());
        let channels: Vec<C> = names
            .iter()
            .filter_map(|name| name.as_str().and_then(|name| from_name(name.trim())))
            .collect();
        let all_known = channels.len() == names.len() && !channels.is_empty();
        self.known(
            &field,
            Some(channels).filter(|_| all_known),
            "expected a list out of email, sms, push, in_app",
        )
    }
}

/// A null counts as missing.
fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

/// What came, without its content.
pub(crate) const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn moment_from_text(text: &str) -> Option<Timestamp> {
    text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text.parse::<civil::DateTime>().ok()?;
        civil
            .to_zoned(jiff::tz::TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    })
}

fn moment_from_number(text: &str) -> Option<Timestamp> {
    let number = Decimal::from_str_exact(text)
        .or_else(|_not_plain| Decimal::from_scientific(text))
        .ok()?;
    // Seconds reach this number in the year 5138, milliseconds reached it in 1973.
    let is_milliseconds = number.abs() >= Decimal::from(100_000_000_000_i64);
    let milliseconds = if is_milliseconds {
        number
    } else {
        number * Decimal::ONE_THOUSAND
    };
    i64::try_from(milliseconds.round())
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
}
