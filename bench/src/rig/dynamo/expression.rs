//! Conditions and updates: the grammar of DynamoDB's expressions, and of PartiQL as far as it is the same.

use std::cmp::Ordering;
use std::collections::HashMap;

use super::attribute::{Attribute, Item};

/// Why an expression cannot be read or applied; DynamoDB's `ValidationException`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(pub String);

/// One step into an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Into a map.
    Name(String),
    /// Into a list.
    Index(usize),
}

/// Where something stands in an item.
pub type Path = Vec<Part>;

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparator {
    /// `=`
    Equal,
    /// `<>`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// What is compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// What stands there.
    Path(Path),
    /// A value that was given.
    Value(Attribute),
    /// `size(path)`
    Size(Path),
}

/// A condition on an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Both hold.
    And(Box<Self>, Box<Self>),
    /// One holds.
    Or(Box<Self>, Box<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// Two values compare so.
    Compare(Operand, Comparator, Operand),
    /// One of these.
    In(Operand, Vec<Operand>),
    /// Not less than the first, not greater than the second.
    Between(Operand, Operand, Operand),
    /// `attribute_exists`
    Exists(Path),
    /// `attribute_type`
    OfType(Path, Operand),
    /// `begins_with`
    BeginsWith(Operand, Operand),
    /// `contains`
    Contains(Operand, Operand),
}

/// What an update puts in a place.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// A value, or what stands elsewhere.
    Operand(Operand),
    /// `if_not_exists(path, term)`
    Or(Path, Box<Self>),
    /// `list_append(term, term)`
    Append(Box<Self>, Box<Self>),
    /// The sum.
    Plus(Box<Self>, Box<Self>),
    /// The difference.
    Minus(Box<Self>, Box<Self>),
}

/// One change of an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Put this there.
    Set(Path, Term),
    /// Add this number to what is there.
    Add(Path, Operand),
    /// Take away what is there.
    Remove(Path),
}

/// Where an expression's values come from.
#[derive(Debug)]
pub enum Values<'v> {
    /// By name: `:value`.
    Named(&'v HashMap<String, Attribute>),
    /// One after the other: `?`.
    InOrder(std::slice::Iter<'v, Attribute>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    /// A name, a keyword, a placeholder or a number.
    Word(&'t str),
    /// `"name"`
    Quoted(&'t str),
    /// `'text'`
    Text(&'t str),
    /// Anything else, of one or two signs.
    Sign(&'t str),
}

/// Reads an expression from its front.
#[derive(Debug)]
pub struct Reader<'r> {
    tokens: Vec<Token<'r>>,
    next: usize,
    names: Option<&'r HashMap<String, String>>,
    values: Values<'r>,
}

impl<'r> Reader<'r> {
    /// A reader of this text.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when a quotation has no end.
    pub fn new(text: &'r str, names: Option<&'r HashMap<String, String>>, values: Values<'r>) -> Result<Self, Invalid> {
        Ok(Self {
            tokens: tokens_of(text)?,
            next: 0,
            names,
            values,
        })
    }

    fn peek(&self) -> Option<Token<'r>> {
        self.tokens.get(self.next).copied()
    }

    fn take(&mut self) -> Option<Token<'r>> {
        let token = self.peek()?;
        self.next += 1;
        Some(token)
    }

    /// Takes this sign if it is next.
    pub fn take_sign(&mut self, sign: &str) -> bool {
        let is_next = self.peek() == Some(Token::Sign(sign));
        self.next += usize::from(is_next);
        is_next
    }

    /// Takes this keyword if it is next, in whatever case.
    pub fn take_word(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Word(next)) if next.eq_ignore_ascii_case(word));
        self.next += usize::from(is_next);
        is_next
    }

    /// Takes this keyword.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when something else is next.
    pub fn word(&mut self, word: &str) -> Result<(), Invalid> {
        if self.take_word(word) {
            Ok(())
        } else {
            Err(self.unexpected(word))
        }
    }

    /// Takes this sign.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when something else is next.
    pub fn sign(&mut self, sign: &str) -> Result<(), Invalid> {
        if self.take_sign(sign) {
            Ok(())
        } else {
            Err(self.unexpected(sign))
        }
    }

    /// A name in whatever quotation: a table's, or an attribute's in a tuple.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when something else is next.
    pub fn name(&mut self) -> Result<&'r str, Invalid> {
        match self.peek() {
            Some(Token::Word(name) | Token::Quoted(name) | Token::Text(name)) => {
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    /// Nothing may follow.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when something does.
    pub fn end(&self) -> Result<(), Invalid> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.unexpected("the end")),
        }
    }

    fn unexpected(&self, expected: &str) -> Invalid {
        Invalid(format!("expected {expected}, got {:?}", self.peek()))
    }

    fn resolved(&self, name: &str) -> Result<String, Invalid> {
        if !name.starts_with('#') {
            return Ok(name.to_owned());
        }
        self.names
            .and_then(|names| names.get(name))
            .cloned()
            .ok_or_else(|| Invalid(format!("the name {name} is not given")))
    }

    /// Where something stands.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when it is no path.
    pub fn path(&mut self) -> Result<Path, Invalid> {
        let mut path = Vec::with_capacity(2);
        loop {
            match self.take() {
                // A dot may stand inside of what was quoted, and there alone.
                Some(Token::Quoted(name)) => path.push(Part::Name(name.to_owned())),
                Some(Token::Word(name)) => path.push(Part::Name(self.resolved(name)?)),
                _ => return Err(Invalid("expected a path".to_owned())),
            }
            while self.take_sign("[") {
                match self.take() {
                    Some(Token::Word(digits)) => match digits.parse() {
                        Ok(index) => path.push(Part::Index(index)),
                        Err(_no_number) => return Err(Invalid(format!("expected an index, got {digits}"))),
                    },
                    Some(Token::Text(name)) => path.push(Part::Name(name.to_owned())),
                    _ => return Err(self.unexpected("an index")),
                }
                self.sign("]")?;
            }
            if !self.take_sign(".") {
                return Ok(path);
            }
        }
    }

    /// A value that was given, if one is next.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when it was not given.
    pub fn value(&mut self) -> Result<Option<Attribute>, Invalid> {
        let value = match self.peek() {
            Some(Token::Sign("?")) => match &mut self.values {
                Values::InOrder(values) => values.next().cloned(),
                Values::Named(_) => None,
            },
            Some(Token::Word(name)) if name.starts_with(':') => match &self.values {
                Values::Named(values) => values.get(name).cloned(),
                Values::InOrder(_) => None,
            },
            Some(Token::Text(text)) => Some(Attribute::S(text.to_owned())),
            Some(Token::Word(digits)) if digits.starts_with(|c: char| c.is_ascii_digit()) => {
                Some(Attribute::N(digits.to_owned()))
            }
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("true") => Some(Attribute::Bool(true)),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("false") => Some(Attribute::Bool(false)),
            _ => return Ok(None),
        };
        let value = value.ok_or_else(|| self.unexpected("a value that is given"))?;
        self.next += 1;
        Ok(Some(value))
    }

    fn operand(&mut self) -> Result<Operand, Invalid> {
        if let Some(value) = self.value()? {
            return Ok(Operand::Value(value));
        }
        if self.takes_call("size") {
            let path = self.path()?;
            self.sign(")")?;
            return Ok(Operand::Size(path));
        }
        self.path().map(Operand::Path)
    }

    /// Takes `name(` if it is next.
    fn takes_call(&mut self, name: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Word(word)) if word.eq_ignore_ascii_case(name))
            && self.tokens.get(self.next + 1) == Some(&Token::Sign("("));
        self.next += if is_next { 2 } else { 0 };
        is_next
    }

    /// A condition, as far as it goes.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when it is none.
    pub fn condition(&mut self) -> Result<Condition, Invalid> {
        let mut condition = self.conjunction()?;
        while self.take_word("OR") {
            condition = Condition::Or(Box::new(condition), Box::new(self.conjunction()?));
        }
        Ok(condition)
    }

    fn conjunction(&mut self) -> Result<Condition, Invalid> {
        let mut condition = self.negation()?;
        while self.take_word("AND") {
            condition = Condition::And(Box::new(condition), Box::new(self.negation()?));
        }
        Ok(condition)
    }

    fn negation(&mut self) -> Result<Condition, Invalid> {
        if self.take_word("NOT") {
            return Ok(Condition::Not(Box::new(self.negation()?)));
        }
        if self.take_sign("(") {
            let condition = self.condition()?;
            self.sign(")")?;
            return Ok(condition);
        }
        self.predicate()
    }

    fn predicate(&mut self) -> Result<Condition, Invalid> {
        if self.takes_call("attribute_exists") {
            let path = self.path()?;
            self.sign(")")?;
            return Ok(Condition::Exists(path));
        }
        if self.takes_call("attribute_not_exists") {
            let path = self.path()?;
            self.sign(")")?;
            return Ok(Condition::Not(Box::new(Condition::Exists(path))));
        }
        if self.takes_call("attribute_type") {
            let path = self.path()?;
            self.sign(",")?;
            let name = self.operand()?;
            self.sign(")")?;
            return Ok(Condition::OfType(path, name));
        }
        for (name, condition) in [
            (
                "begins_with",
                Condition::BeginsWith as fn(Operand, Operand) -> Condition,
            ),
            ("contains", Condition::Contains),
        ] {
            if self.takes_call(name) {
                let whole = self.operand()?;
                self.sign(",")?;
                let part = self.operand()?;
                self.sign(")")?;
                return Ok(condition(whole, part));
            }
        }
        let left = self.operand()?;
        if self.take_word("IN") {
            return self.choices().map(|choices| Condition::In(left, choices));
        }
        if self.take_word("BETWEEN") {
            let low = self.operand()?;
            self.word("AND")?;
            return Ok(Condition::Between(left, low, self.operand()?));
        }
        if self.take_word("IS") {
            let is_negated = self.take_word("NOT");
            self.word("MISSING")?;
            let Operand::Path(path) = left else {
                return Err(Invalid("only an attribute is missing".to_owned()));
            };
            let exists = Condition::Exists(path);
            return Ok(if is_negated {
                exists
            } else {
                Condition::Not(Box::new(exists))
            });
        }
        let comparator = match self.take() {
            Some(Token::Sign("=")) => Comparator::Equal,
            Some(Token::Sign("<>")) => Comparator::Unequal,
            Some(Token::Sign("<")) => Comparator::Less,
            Some(Token::Sign("<=")) => Comparator::AtMost,
            Some(Token::Sign(">")) => Comparator::Greater,
            Some(Token::Sign(">=")) => Comparator::AtLeast,
            other => return Err(Invalid(format!("expected a comparison, got {other:?}"))),
        };
        Ok(Condition::Compare(left, comparator, self.operand()?))
    }

    /// `(a, b)`, or `[a, b]` as PartiQL has it.
    fn choices(&mut self) -> Result<Vec<Operand>, Invalid> {
        let close = if self.take_sign("[") {
            "]"
        } else {
            self.sign("(")?;
            ")"
        };
        let mut choices = vec![self.operand()?];
        while self.take_sign(",") {
            choices.push(self.operand()?);
        }
        self.sign(close)?;
        Ok(choices)
    }

    fn term(&mut self) -> Result<Term, Invalid> {
        let first = self.simple_term()?;
        if self.take_sign("+") {
            return Ok(Term::Plus(Box::new(first), Box::new(self.simple_term()?)));
        }
        if self.take_sign("-") {
            return Ok(Term::Minus(Box::new(first), Box::new(self.simple_term()?)));
        }
        Ok(first)
    }

    fn simple_term(&mut self) -> Result<Term, Invalid> {
        if self.takes_call("if_not_exists") {
            let path = self.path()?;
            self.sign(",")?;
            let term = self.term()?;
            self.sign(")")?;
            return Ok(Term::Or(path, Box::new(term)));
        }
        if self.takes_call("list_append") {
            let first = self.term()?;
            self.sign(",")?;
            let second = self.term()?;
            self.sign(")")?;
            return Ok(Term::Append(Box::new(first), Box::new(second)));
        }
        self.operand().map(Term::Operand)
    }

    /// `path = term`
    ///
    /// # Errors
    ///
    /// [`Invalid`] when it is none.
    pub fn assignment(&mut self) -> Result<Change, Invalid> {
        let path = self.path()?;
        self.sign("=")?;
        Ok(Change::Set(path, self.term()?))
    }

    /// A whole update expression: `SET …`, `ADD …` and `REMOVE …`, each with commas between its changes.
    ///
    /// # Errors
    ///
    /// [`Invalid`] when it is none, or deletes from a set.
    pub fn update(&mut self) -> Result<Vec<Change>, Invalid> {
        let mut changes = Vec::new();
        while self.peek().is_some() {
            let read: fn(&mut Self) -> Result<Change, Invalid> = if self.take_word("SET") {
                Self::assignment
            } else if self.take_word("ADD") {
                |reader| Ok(Change::Add(reader.path()?, reader.operand()?))
            } else if self.take_word("REMOVE") {
                |reader| reader.path().map(Change::Remove)
            } else {
                return Err(self.unexpected("SET, ADD or REMOVE"));
            };
            changes.push(read(self)?);
            while self.take_sign(",") {
                changes.push(read(self)?);
            }
        }
        Ok(changes)
    }
}

fn tokens_of(text: &str) -> Result<Vec<Token<'_>>, Invalid> {
    let mut tokens = Vec::with_capacity(32);
    let mut rest = text.trim_start();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        let length = match first {
            '"' | '\'' => {
                let Some(end) = after.find(first) else {
                    return Err(Invalid("a quotation has no end".to_owned()));
                };
                let inside = after.get(..end).unwrap_or_default();
                tokens.push(if first == '"' {
                    Token::Quoted(inside)
                } else {
                    Token::Text(inside)
                });
                end + 2
            }
            '#' | ':' if after.starts_with(is_word) => {
                let length = 1 + after.find(|c| !is_word(c)).unwrap_or(after.len());
                tokens.push(Token::Word(rest.get(..length).unwrap_or_default()));
                length
            }
            _ if is_word(first) => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                tokens.push(Token::Word(rest.get(..length).unwrap_or_default()));
                length
            }
            _ => {
                let is_double = matches!(rest.get(..2), Some("<>" | "<=" | ">="));
                let length = if is_double { 2 } else { first.len_utf8() };
                tokens.push(Token::Sign(rest.get(..length).unwrap_or_default()));
                length
            }
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

/// What stands at a path.
#[must_use]
pub fn at<'i>(item: &'i Item, path: &[Part]) -> Option<&'i Attribute> {
    let (first, rest) = path.split_first()?;
    let Part::Name(name) = first else { return None };
    rest.iter()
        .try_fold(item.get(name)?, |value, part| match (part, value) {
            (Part::Name(name), Attribute::M(fields)) => fields.get(name),
            (Part::Index(index), Attribute::L(values)) => values.get(*index),
            _ => None,
        })
}

impl Operand {
    fn in_item<'i>(&'i self, item: &'i Item) -> Option<std::borrow::Cow<'i, Attribute>> {
        use std::borrow::Cow;
        match self {
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Path(path) => at(item, path).map(Cow::Borrowed),
            Self::Size(path) => {
                let size = match at(item, path)? {
                    Attribute::S(text) => text.len(),
                    Attribute::L(values) => values.len(),
                    Attribute::M(fields) => fields.0.len(),
                    Attribute::N(_) | Attribute::Bool(_) | Attribute::Null | Attribute::Other(..) => return None,
                };
                Some(Cow::Owned(Attribute::N(size.to_string())))
            }
        }
    }
}

impl Comparator {
    fn holds(self, left: &Attribute, right: &Attribute) -> bool {
        let order = left.compare(right);
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::Unequal => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

impl Condition {
    /// Whether it holds of this item; of one that is not there nothing stands anywhere.
    #[must_use]
    pub fn holds(&self, item: &Item) -> bool {
        match self {
            Self::And(one, two) => one.holds(item) && two.holds(item),
            Self::Or(one, two) => one.holds(item) || two.holds(item),
            Self::Not(condition) => !condition.holds(item),
            Self::Exists(path) => at(item, path).is_some(),
            Self::Compare(left, comparator, right) => match (left.in_item(item), right.in_item(item)) {
                (Some(left), Some(right)) => comparator.holds(&left, &right),
                (left, right) => *comparator == Comparator::Unequal && (left.is_some() || right.is_some()),
            },
            Self::In(operand, choices) => operand.in_item(item).is_some_and(|value| {
                choices
                    .iter()
                    .filter_map(|choice| choice.in_item(item))
                    .any(|choice| Comparator::Equal.holds(&value, &choice))
            }),
            Self::Between(operand, low, high) => match (operand.in_item(item), low.in_item(item), high.in_item(item)) {
                (Some(value), Some(low), Some(high)) => {
                    Comparator::AtLeast.holds(&value, &low) && Comparator::AtMost.holds(&value, &high)
                }
                _ => false,
            },
            Self::OfType(path, name) => match (at(item, path), name.in_item(item)) {
                (Some(value), Some(name)) => name.key_text() == Some(value.type_name()),
                _ => false,
            },
            Self::BeginsWith(whole, part) => match (whole.in_item(item), part.in_item(item)) {
                (Some(whole), Some(part)) => match (&*whole, &*part) {
                    (Attribute::S(whole), Attribute::S(part)) => whole.starts_with(part.as_str()),
                    _ => false,
                },
                _ => false,
            },
            Self::Contains(whole, part) => match (whole.in_item(item), part.in_item(item)) {
                (Some(whole), Some(part)) => match (&*whole, &*part) {
                    (Attribute::S(whole), Attribute::S(part)) => whole.contains(part.as_str()),
                    (Attribute::L(values), part) => values.contains(part),
                    _ => false,
                },
                _ => false,
            },
        }
    }

    /// What an attribute must be equal to: the value in `name = value` among the conditions that must all hold.
    #[must_use]
    pub fn fixed(&self, name: &str) -> Option<&Attribute> {
        match self {
            Self::And(one, two) => one.fixed(name).or_else(|| two.fixed(name)),
            Self::Compare(Operand::Path(path), Comparator::Equal, Operand::Value(value)) => {
                matches!(path.as_slice(), [Part::Name(only)] if only == name).then_some(value)
            }
            Self::Or(..)
            | Self::Not(_)
            | Self::Compare(..)
            | Self::In(..)
            | Self::Between(..)
            | Self::Exists(_)
            | Self::OfType(..)
            | Self::BeginsWith(..)
            | Self::Contains(..) => None,
        }
    }
}

impl Term {
    fn value(&self, item: &Item) -> Result<Attribute, Invalid> {
        match self {
            Self::Operand(operand) => operand
                .in_item(item)
                .map(std::borrow::Cow::into_owned)
                .ok_or_else(|| Invalid("an attribute of the update is not in the item".to_owned())),
            Self::Or(path, term) => at(item, path).cloned().map_or_else(|| term.value(item), Ok),
            Self::Append(first, second) => match (first.value(item)?, second.value(item)?) {
                (Attribute::L(mut first), Attribute::L(second)) => {
                    first.extend(second);
                    Ok(Attribute::L(first))
                }
                _ => Err(Invalid("only lists are appended".to_owned())),
            },
            Self::Plus(first, second) => sum(&first.value(item)?, &second.value(item)?, 1.0),
            Self::Minus(first, second) => sum(&first.value(item)?, &second.value(item)?, -1.0),
        }
    }
}

fn sum(first: &Attribute, second: &Attribute, sign: f64) -> Result<Attribute, Invalid> {
    match (first.number(), second.number()) {
        (Some(first), Some(second)) => Ok(Attribute::N((first + sign * second).to_string())),
        _ => Err(Invalid("only numbers are added".to_owned())),
    }
}

/// Applies changes; every term is read from the item as it was.
///
/// # Errors
///
/// [`Invalid`] when a place is not there; then nothing has changed.
pub fn apply(changes: &[Change], item: &Item) -> Result<Item, Invalid> {
    let mut next = item.clone();
    for change in changes {
        match change {
            Change::Set(path, term) => put(&mut next, path, term.value(item)?)?,
            Change::Add(path, operand) => {
                let zero = Attribute::N("0".to_owned());
                let before = at(item, path).unwrap_or(&zero);
                let value = operand
                    .in_item(item)
                    .ok_or_else(|| Invalid("what is added is not there".to_owned()))?;
                put(&mut next, path, sum(before, &value, 1.0)?)?;
            }
            Change::Remove(path) => remove(&mut next, path),
        }
    }
    Ok(next)
}

fn put(item: &mut Item, path: &[Part], value: Attribute) -> Result<(), Invalid> {
    let nowhere = || Invalid("the document path of the update is not in the item".to_owned());
    match path.split_last() {
        Some((Part::Name(name), [])) => item.set(name, value),
        Some((last, parents)) => match (last, at_mut(item, parents).ok_or_else(nowhere)?) {
            (Part::Name(name), Attribute::M(fields)) => fields.set(name, value),
            (Part::Index(index), Attribute::L(values)) => match values.get_mut(*index) {
                Some(place) => *place = value,
                None => values.push(value),
            },
            _ => return Err(nowhere()),
        },
        None => return Err(nowhere()),
    }
    Ok(())
}

fn remove(item: &mut Item, path: &[Part]) {
    match path.split_last() {
        Some((Part::Name(name), [])) => item.remove(name),
        Some((last, parents)) => match (last, at_mut(item, parents)) {
            (Part::Name(name), Some(Attribute::M(fields))) => fields.remove(name),
            (Part::Index(index), Some(Attribute::L(values))) if *index < values.len() => {
                values.remove(*index);
            }
            _ => {}
        },
        None => {}
    }
}

fn at_mut<'i>(item: &'i mut Item, path: &[Part]) -> Option<&'i mut Attribute> {
    let (first, rest) = path.split_first()?;
    let Part::Name(name) = first else { return None };
    rest.iter()
        .try_fold(item.get_mut(name)?, |value, part| match (part, value) {
            (Part::Name(name), Attribute::M(fields)) => fields.get_mut(name),
            (Part::Index(index), Attribute::L(values)) => values.get_mut(*index),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        serde_json::from_str(
            r#"{"id":{"S":"a"},"status":{"S":"INPROGRESS"},"expiration":{"N":"100"},"in_progress_expiration":{"N":"5000"},
                "email":{"M":{"claimableAt":{"N":"900"},"attempt":{"N":"2"},"state":{"S":"accepted"}}},
                "results":{"L":[{"S":"x"}]},"count":{"N":"3"}}"#,
        )
        .unwrap()
    }

    fn holds(text: &str, item: &Item) -> bool {
        let names = [
            ("#id", "id"),
            ("#expiry", "expiration"),
            ("#status", "status"),
            ("#in_progress_expiry", "in_progress_expiration"),
        ]
        .map(|(name, attribute)| (name.to_owned(), attribute.to_owned()));
        let number = |text: &str| Attribute::N(text.to_owned());
        let values = [
            (":now", number("50")),
            (":later", number("200")),
            (":now_in_millis", number("6000")),
            (":inprogress", Attribute::S("INPROGRESS".to_owned())),
            (":a", Attribute::S("a".to_owned())),
            (":n", Attribute::S("N".to_owned())),
        ]
        .map(|(name, value)| (name.to_owned(), value));
        let (names, values) = (HashMap::from(names), HashMap::from(values));
        let mut reader = Reader::new(text, Some(&names), Values::Named(&values)).unwrap();
        let condition = reader.condition().unwrap();
        reader.end().unwrap();
        condition.holds(item)
    }

    const POWERTOOLS: &str = "attribute_not_exists(#id) OR #expiry < :now OR (#status = :inprogress AND \
        attribute_exists(#in_progress_expiry) AND #in_progress_expiry < :now_in_millis)";

    #[test]
    fn the_condition_of_an_idempotency_layer_refuses_a_second_claim_until_it_expires() {
        assert!(holds(POWERTOOLS, &Item::default()));
        assert!(holds(POWERTOOLS, &item()), "the claim ran out at 5000");
        let mut claimed = item();
        claimed.set("in_progress_expiration", Attribute::N("7000".to_owned()));
        assert!(!holds(POWERTOOLS, &claimed));
        claimed.set("expiration", Attribute::N("49".to_owned()));
        assert!(holds(POWERTOOLS, &claimed));
    }

    #[test]
    fn and_binds_more_than_or_and_not_more_than_and() {
        assert!(holds("#id = :a OR #id = :a AND #expiry < :now", &item()));
        assert!(!holds("(#id = :a OR #id = :a) AND #expiry < :now", &item()));
        assert!(holds("NOT #expiry < :now AND #id = :a", &item()));
        assert!(!holds("NOT (#expiry > :now AND #id = :a)", &item()));
    }

    #[test]
    fn every_predicate_is_known() {
        for text in [
            "#expiry BETWEEN :now AND :later",
            "#id IN (:inprogress, :a)",
            "begins_with(#status, :inprogress)",
            "contains(#status, :inprogress)",
            "attribute_type(#expiry, :n)",
            "size(results) < :now",
            "email.attempt < :now",
            "#id <> :inprogress",
            "missing <> :a",
            "results[0] <> :a",
        ] {
            assert!(holds(text, &item()), "{text}");
        }
        for text in ["missing = :a", "missing < :now", "#id < :now", "results[1] = :a"] {
            assert!(!holds(text, &item()), "{text}");
        }
    }

    #[test]
    fn what_is_not_given_is_refused() {
        let values = HashMap::new();
        for text in ["#x = :y", "a = :y", "a =", "a = 'b", "(a = 1", "a ~ 1"] {
            let condition = Reader::new(text, None, Values::Named(&values)).and_then(|mut reader| {
                let condition = reader.condition()?;
                reader.end().map(|()| condition)
            });
            assert!(condition.is_err(), "{text}");
        }
    }

    fn updated(text: &str) -> Result<Item, Invalid> {
        let values = HashMap::from([
            (":one".to_owned(), Attribute::N("1".to_owned())),
            (":list".to_owned(), Attribute::L(vec![Attribute::S("y".to_owned())])),
        ]);
        let changes = Reader::new(text, None, Values::Named(&values)).and_then(|mut reader| reader.update())?;
        apply(&changes, &item())
    }

    #[test]
    fn an_update_sets_adds_and_removes() {
        let text = "SET a = :one, b = if_not_exists(count, :one), c = count + :one, email.attempt = email.attempt - :one, \
            results = list_append(results, :list) ADD count :one, fresh :one REMOVE email.state, #status";
        let names = HashMap::from([("#status".to_owned(), "status".to_owned())]);
        let values = HashMap::from([
            (":one".to_owned(), Attribute::N("1".to_owned())),
            (":list".to_owned(), Attribute::L(vec![Attribute::S("y".to_owned())])),
        ]);
        let mut reader = Reader::new(text, Some(&names), Values::Named(&values)).unwrap();
        let next = apply(&reader.update().unwrap(), &item()).unwrap();
        let expected: Item = serde_json::from_str(
            r#"{"id":{"S":"a"},"expiration":{"N":"100"},"in_progress_expiration":{"N":"5000"},
                "email":{"M":{"claimableAt":{"N":"900"},"attempt":{"N":"1"}}},
                "results":{"L":[{"S":"x"},{"S":"y"}]},"count":{"N":"4"},"a":{"N":"1"},"b":{"N":"3"},"c":{"N":"4"},"fresh":{"N":"1"}}"#,
        )
        .unwrap();
        assert_eq!(next, expected);
    }

    #[test]
    fn an_update_of_a_place_that_is_not_there_is_refused() {
        for text in [
            "SET sms.state = :one",
            "SET a = missing",
            "SET id = id + :one",
            "DELETE a :one",
        ] {
            assert!(updated(text).is_err(), "{text}");
        }
    }
}
