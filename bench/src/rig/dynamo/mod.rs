//! DynamoDB, as far as functions use it: tables in memory with conditions that are kept.
//!
//! What no function uses is refused as DynamoDB refuses nonsense, so that nobody is measured against an answer that was made up.

use serde::{Deserialize, Serialize};
use serde_json::json;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;

pub mod attribute;
pub mod expression;
pub mod partiql;

use attribute::{Attribute, Item};
use expression::{Change, Condition, Invalid, Reader, Values};
use partiql::{Returning, Statement};

/// Tables by name.
#[derive(Debug, Default)]
pub struct Dynamo {
    tables: HashMap<String, Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// The names of its key: one, or two.
    keys: Vec<String>,
    items: HashMap<String, Item>,
    /// By the name of an attribute that was asked for: the items' keys by its value.
    indexes: HashMap<String, HashMap<String, Vec<String>>>,
}

/// Why a call is refused: status 400 with a type, a message and, where it was asked for, the item in the way.
#[derive(Debug)]
pub struct Refusal {
    kind: &'static str,
    message: String,
    item: Option<Item>,
    reasons: Option<Vec<serde_json::Value>>,
}

impl Refusal {
    fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            item: None,
            reasons: None,
        }
    }

    /// Whether a condition did not hold, or an item was there already: what a caller reckons with.
    #[must_use]
    pub fn is_failed_condition(&self) -> bool {
        matches!(
            self.kind,
            "ConditionalCheckFailedException" | "TransactionCanceledException"
        )
    }

    /// The body that tells of it.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let mut body = json!({
            "__type": format!("com.amazonaws.dynamodb.v20120810#{}", self.kind),
            "message": self.message,
        });
        if let Some(fields) = body.as_object_mut() {
            fields.extend(self.item.as_ref().map(|item| ("Item".to_owned(), json!(item))));
            fields.extend(
                self.reasons
                    .as_ref()
                    .map(|reasons| ("CancellationReasons".to_owned(), json!(reasons))),
            );
        }
        body.to_string().into_bytes()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl From<Invalid> for Refusal {
    fn from(Invalid(message): Invalid) -> Self {
        Self::new("ValidationException", message)
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(error: serde_json::Error) -> Self {
        Self::new("SerializationException", error.to_string())
    }
}

const CONDITION_FAILED: &str = "The conditional request failed";

/// Where a write happens and when, and what it answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Write<'a> {
    #[serde(borrow)]
    table_name: Cow<'a, str>,
    #[serde(default)]
    item: Option<Item>,
    #[serde(default)]
    key: Option<Item>,
    #[serde(default)]
    update_expression: Option<String>,
    #[serde(default)]
    condition_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: HashMap<String, String>,
    #[serde(default)]
    expression_attribute_values: HashMap<String, Attribute>,
    #[serde(default)]
    return_values: Option<String>,
    #[serde(default)]
    return_values_on_condition_check_failure: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetItem<'a> {
    #[serde(borrow)]
    table_name: Cow<'a, str>,
    key: Item,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGetItem {
    request_items: HashMap<String, Keys>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Keys {
    keys: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchWriteItem {
    request_items: HashMap<String, Vec<WriteRequest>>,
}

#[derive(Debug, Deserialize)]
enum WriteRequest {
    PutRequest {
        #[serde(rename = "Item")]
        item: Item,
    },
    DeleteRequest {
        #[serde(rename = "Key")]
        key: Item,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Query<'a> {
    #[serde(borrow)]
    table_name: Cow<'a, str>,
    #[serde(default)]
    index_name: Option<String>,
    key_condition_expression: String,
    #[serde(default)]
    filter_expression: Option<String>,
    #[serde(default)]
    expression_attribute_names: HashMap<String, String>,
    #[serde(default)]
    expression_attribute_values: HashMap<String, Attribute>,
    #[serde(default)]
    scan_index_forward: Option<bool>,
    #[serde(default)]
    limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchExecuteStatement {
    statements: Vec<StatementRequest>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatementRequest {
    statement: String,
    #[serde(default)]
    parameters: Vec<Attribute>,
    #[serde(default)]
    return_values_on_condition_check_failure: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TransactWriteItems<'a> {
    #[serde(borrow)]
    transact_items: Vec<TransactItem<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(bound = "'de: 'a")]
enum TransactItem<'a> {
    Put(Write<'a>),
    Update(Write<'a>),
    Delete(Write<'a>),
    ConditionCheck(Write<'a>),
}

/// What a write leaves in its place.
#[derive(Debug)]
struct Outcome {
    table: String,
    primary: String,
    old: Option<Item>,
    new: Option<Item>,
}

impl Dynamo {
    /// An empty table with this key: one name, or two.
    pub fn create(&mut self, table: &str, keys: &[String]) {
        let keys = keys.to_vec();
        self.tables.insert(
            table.to_owned(),
            Table {
                keys,
                ..Table::default()
            },
        );
    }

    /// Empties a table.
    pub fn clear(&mut self, table: &str) {
        if let Some(table) = self.tables.get_mut(table) {
            table.items.clear();
            table.indexes.clear();
        }
    }

    /// Puts an item in, whatever was there; an item without its key is left out.
    pub fn put(&mut self, table: &str, item: Item) {
        if let Some(table) = self.tables.get_mut(table)
            && let Ok(primary) = table.primary(&item)
        {
            table.place(primary, Some(item));
        }
    }

    /// How many items a table holds.
    #[must_use]
    pub fn count(&self, table: &str) -> usize {
        self.tables.get(table).map_or(0, |table| table.items.len())
    }

    /// Answers a call.
    ///
    /// # Errors
    ///
    /// [`Refusal`] when the condition does not hold, or as DynamoDB refuses what it does not know.
    pub fn answer(&mut self, operation: &str, body: &[u8]) -> Result<Vec<u8>, Refusal> {
        match operation {
            "GetItem" => self.get_item(&serde_json::from_slice(body)?),
            "BatchGetItem" => self.batch_get_item(&serde_json::from_slice(body)?),
            "Query" => self.query(&serde_json::from_slice(body)?),
            "PutItem" => self.write(&serde_json::from_slice(body)?, Self::putting),
            "UpdateItem" => self.write(&serde_json::from_slice(body)?, Self::updating),
            "DeleteItem" => self.write(&serde_json::from_slice(body)?, Self::deleting),
            "BatchWriteItem" => self.batch_write_item(serde_json::from_slice(body)?),
            "BatchExecuteStatement" => self.batch_execute_statement(&serde_json::from_slice(body)?),
            "TransactWriteItems" => self.transact_write_items(&serde_json::from_slice(body)?),
            _ => Err(Refusal::new("UnknownOperationException", operation)),
        }
    }

    fn table(&self, name: &str) -> Result<&Table, Refusal> {
        self.tables
            .get(name)
            .ok_or_else(|| Refusal::new("ResourceNotFoundException", format!("there is no table {name}")))
    }

    fn get_item(&self, call: &GetItem<'_>) -> Result<Vec<u8>, Refusal> {
        #[derive(Serialize)]
        struct Answer<'a> {
            #[serde(rename = "Item", skip_serializing_if = "Option::is_none")]
            item: Option<&'a Item>,
        }
        let table = self.table(&call.table_name)?;
        let item = table.items.get(&table.primary(&call.key)?);
        Ok(serde_json::to_vec(&Answer { item })?)
    }

    fn batch_get_item(&self, call: &BatchGetItem) -> Result<Vec<u8>, Refusal> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer<'a> {
            responses: HashMap<&'a str, Vec<&'a Item>>,
            unprocessed_keys: HashMap<String, String>,
        }
        let mut responses = HashMap::with_capacity(call.request_items.len());
        for (name, keys) in &call.request_items {
            let table = self.table(name)?;
            let mut found = Vec::with_capacity(keys.keys.len());
            for key in &keys.keys {
                found.extend(table.items.get(&table.primary(key)?));
            }
            responses.insert(name.as_str(), found);
        }
        Ok(serde_json::to_vec(&Answer {
            responses,
            unprocessed_keys: HashMap::new(),
        })?)
    }

    fn query(&mut self, call: &Query<'_>) -> Result<Vec<u8>, Refusal> {
        let (names, values) = (&call.expression_attribute_names, &call.expression_attribute_values);
        let condition = condition_of(&call.key_condition_expression, names, values)?;
        let filter = call
            .filter_expression
            .as_ref()
            .map(|filter| condition_of(filter, names, values))
            .transpose()?;
        let table = self.tables.get_mut(&*call.table_name).ok_or_else(|| {
            Refusal::new(
                "ResourceNotFoundException",
                format!("there is no table {}", call.table_name),
            )
        })?;
        let mut compared = Vec::new();
        names_in(&condition, &mut compared);
        let partition = compared
            .iter()
            .find(|name| condition.fixed(name).is_some())
            .ok_or_else(|| Refusal::new("ValidationException", "a query fixes its partition"))?;
        let value = condition
            .fixed(partition)
            .and_then(Attribute::key_text)
            .unwrap_or_default();
        table.index(partition);
        let sort = compared
            .iter()
            .find(|name| *name != partition)
            .or_else(|| table.keys.get(1).filter(|_| call.index_name.is_none()));
        let keys = table.indexes.get(partition).and_then(|index| index.get(value));
        let mut found: Vec<&Item> = keys
            .into_iter()
            .flatten()
            .filter_map(|key| table.items.get(key))
            .filter(|item| condition.holds(item))
            .collect();
        if let Some(sort) = sort {
            found.sort_by(|one, two| match (one.get(sort), two.get(sort)) {
                (Some(one), Some(two)) => one.compare(two).unwrap_or(Ordering::Equal),
                _ => Ordering::Equal,
            });
        }
        if call.scan_index_forward == Some(false) {
            found.reverse();
        }
        found.truncate(call.limit.unwrap_or(usize::MAX));
        let scanned = found.len();
        found.retain(|item| filter.as_ref().is_none_or(|filter| filter.holds(item)));
        // An index answers with keys, as the ledger's does.
        let shown: Vec<Cow<'_, Item>> = match call.index_name {
            None => found.into_iter().map(Cow::Borrowed).collect(),
            Some(_) => found
                .into_iter()
                .map(|item| {
                    let names = table.keys.iter().chain(&compared);
                    let fields = names.filter_map(|name| Some((name.clone(), item.get(name)?.clone())));
                    Cow::Owned(Item(fields.collect()))
                })
                .collect(),
        };
        let items: Vec<&Item> = shown.iter().map(|item| &**item).collect();
        Ok(serde_json::to_vec(
            &json!({ "Items": items, "Count": items.len(), "ScannedCount": scanned }),
        )?)
    }

    fn putting(&self, write: &Write<'_>) -> Result<Outcome, Refusal> {
        let item = write
            .item
            .as_ref()
            .ok_or_else(|| Refusal::new("ValidationException", "there is no item"))?;
        self.conditional(write, item, |_| Ok(Some(item.clone())))
    }

    fn updating(&self, write: &Write<'_>) -> Result<Outcome, Refusal> {
        let key = key_of(write)?;
        let changes: Vec<Change> = match &write.update_expression {
            Some(expression) => {
                let values = Values::Named(&write.expression_attribute_values);
                Reader::new(expression, Some(&write.expression_attribute_names), values)?.update()?
            }
            None => Vec::new(),
        };
        self.conditional(write, key, |old| {
            let base = old.unwrap_or(key);
            Ok(Some(expression::apply(&changes, base)?))
        })
    }

    fn deleting(&self, write: &Write<'_>) -> Result<Outcome, Refusal> {
        self.conditional(write, key_of(write)?, |_| Ok(None))
    }

    fn checking(&self, write: &Write<'_>) -> Result<Outcome, Refusal> {
        self.conditional(write, key_of(write)?, |old| Ok(old.cloned()))
    }

    /// What a write would leave, if its condition holds.
    fn conditional(
        &self,
        write: &Write<'_>,
        key: &Item,
        next: impl FnOnce(Option<&Item>) -> Result<Option<Item>, Refusal>,
    ) -> Result<Outcome, Refusal> {
        let table = self.table(&write.table_name)?;
        let primary = table.primary(key)?;
        let old = table.items.get(&primary);
        if let Some(expression) = &write.condition_expression {
            let (names, values) = (&write.expression_attribute_names, &write.expression_attribute_values);
            let condition = condition_of(expression, names, values)?;
            let nothing = Item::default();
            if !condition.holds(old.unwrap_or(&nothing)) {
                let is_asked_for = write.return_values_on_condition_check_failure.as_deref() == Some("ALL_OLD");
                return Err(Refusal {
                    item: old.filter(|_| is_asked_for).cloned(),
                    ..Refusal::new("ConditionalCheckFailedException", CONDITION_FAILED)
                });
            }
        }
        Ok(Outcome {
            table: write.table_name.clone().into_owned(),
            primary,
            old: old.cloned(),
            new: next(old)?,
        })
    }

    fn settle(&mut self, outcome: Outcome) {
        if let Some(table) = self.tables.get_mut(&outcome.table) {
            table.place(outcome.primary, outcome.new);
        }
    }

    fn write(
        &mut self,
        write: &Write<'_>,
        outcome: fn(&Self, &Write<'_>) -> Result<Outcome, Refusal>,
    ) -> Result<Vec<u8>, Refusal> {
        let outcome = outcome(self, write)?;
        let shown = match write.return_values.as_deref() {
            Some("ALL_OLD" | "UPDATED_OLD") => outcome.old.as_ref(),
            Some("ALL_NEW" | "UPDATED_NEW") => outcome.new.as_ref(),
            _ => None,
        };
        let body = shown.map_or_else(
            || Ok(b"{}".to_vec()),
            |item| serde_json::to_vec(&json!({ "Attributes": item })),
        )?;
        self.settle(outcome);
        Ok(body)
    }

    fn batch_write_item(&mut self, call: BatchWriteItem) -> Result<Vec<u8>, Refusal> {
        for (name, requests) in call.request_items {
            self.table(&name)?;
            for request in requests {
                let Some(table) = self.tables.get_mut(&name) else { break };
                match request {
                    WriteRequest::PutRequest { item } => table.place(table.primary(&item)?, Some(item)),
                    WriteRequest::DeleteRequest { key } => table.place(table.primary(&key)?, None),
                }
            }
        }
        Ok(br#"{"UnprocessedItems":{}}"#.to_vec())
    }

    fn transact_write_items(&mut self, call: &TransactWriteItems<'_>) -> Result<Vec<u8>, Refusal> {
        let outcomes: Vec<Result<Outcome, Refusal>> = call
            .transact_items
            .iter()
            .map(|item| match item {
                TransactItem::Put(write) => self.putting(write),
                TransactItem::Update(write) => self.updating(write),
                TransactItem::Delete(write) => self.deleting(write),
                TransactItem::ConditionCheck(write) => self.checking(write),
            })
            .collect();
        if outcomes.iter().all(Result::is_ok) {
            outcomes.into_iter().flatten().for_each(|outcome| self.settle(outcome));
            return Ok(b"{}".to_vec());
        }
        let reasons = outcomes.iter().map(|outcome| match outcome {
            Ok(_) => json!({ "Code": "None" }),
            Err(refusal) if refusal.kind == "ConditionalCheckFailedException" => {
                let mut reason = json!({ "Code": "ConditionalCheckFailed", "Message": refusal.message });
                if let (Some(item), Some(fields)) = (&refusal.item, reason.as_object_mut()) {
                    fields.insert("Item".to_owned(), json!(item));
                }
                reason
            }
            Err(refusal) => json!({ "Code": "ValidationError", "Message": refusal.message }),
        });
        Err(Refusal {
            reasons: Some(reasons.collect()),
            ..Refusal::new(
                "TransactionCanceledException",
                "Transaction cancelled, please refer cancellation reasons for specific reasons",
            )
        })
    }

    fn batch_execute_statement(&mut self, call: &BatchExecuteStatement) -> Result<Vec<u8>, Refusal> {
        let responses: Vec<StatementResponse> = call
            .statements
            .iter()
            .map(|request| {
                let is_old_asked_for = request.return_values_on_condition_check_failure.as_deref() == Some("ALL_OLD");
                match Statement::read(&request.statement, &request.parameters)
                    .map_err(Refusal::from)
                    .and_then(|statement| self.execute(statement, is_old_asked_for))
                {
                    Ok((table_name, item)) => StatementResponse {
                        table_name: Some(table_name),
                        item,
                        error: None,
                    },
                    Err(refusal) => StatementResponse {
                        table_name: None,
                        item: None,
                        error: Some(StatementError {
                            code: match refusal.kind {
                                "ConditionalCheckFailedException" => "ConditionalCheckFailed",
                                "DuplicateItemException" => "DuplicateItem",
                                "ResourceNotFoundException" => "ResourceNotFound",
                                _ => "ValidationError",
                            },
                            message: refusal.message,
                            item: refusal.item,
                        }),
                    },
                }
            })
            .collect();
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Answer {
            responses: Vec<StatementResponse>,
        }
        Ok(serde_json::to_vec(&Answer { responses })?)
    }

    /// Runs one statement: the table, and the item that is answered.
    fn execute(&mut self, statement: Statement<'_>, is_old_asked_for: bool) -> Result<(String, Option<Item>), Refusal> {
        match statement {
            Statement::Insert { table: name, item } => {
                self.table(name)?;
                let table = self.tables.entry(name.to_owned()).or_default();
                let primary = table.primary(&item)?;
                if table.items.contains_key(&primary) {
                    return Err(Refusal::new(
                        "DuplicateItemException",
                        "Duplicate primary key exists in table",
                    ));
                }
                table.place(primary, Some(item));
                Ok((name.to_owned(), None))
            }
            Statement::Update {
                table: name,
                changes,
                condition,
                returning,
            } => {
                let (primary, old) = self.found(name, &condition, is_old_asked_for)?;
                let next = expression::apply(&changes, old)?;
                let shown = match returning {
                    Returning::Nothing => None,
                    Returning::Old => Some(old.clone()),
                    Returning::New => Some(next.clone()),
                };
                if let Some(table) = self.tables.get_mut(name) {
                    table.place(primary, Some(next));
                }
                Ok((name.to_owned(), shown))
            }
            Statement::Delete {
                table: name,
                condition,
                returning,
            } => {
                let (primary, old) = self.found(name, &condition, is_old_asked_for)?;
                let shown = (returning != Returning::Nothing).then(|| old.clone());
                if let Some(table) = self.tables.get_mut(name) {
                    table.place(primary, None);
                }
                Ok((name.to_owned(), shown))
            }
            Statement::Select { table: name, condition } => {
                let item = self.found(name, &condition, false).ok().map(|(_, item)| item.clone());
                Ok((name.to_owned(), item))
            }
        }
    }

    /// The item that a statement is about, if its condition holds.
    fn found(&self, name: &str, condition: &Condition, is_old_asked_for: bool) -> Result<(String, &Item), Refusal> {
        let table = self.table(name)?;
        let key: Option<Vec<(String, Attribute)>> = table
            .keys
            .iter()
            .map(|key| Some((key.clone(), condition.fixed(key)?.clone())))
            .collect();
        let key = key.ok_or_else(|| Refusal::new("ValidationException", "a statement names the whole key"))?;
        let primary = table.primary(&Item(key))?;
        let failed = || Refusal::new("ConditionalCheckFailedException", CONDITION_FAILED);
        let old = table.items.get(&primary).ok_or_else(failed)?;
        if condition.holds(old) {
            Ok((primary, old))
        } else {
            Err(Refusal {
                item: is_old_asked_for.then(|| old.clone()),
                ..failed()
            })
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatementResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    table_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Item>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<StatementError>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatementError {
    code: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<Item>,
}

impl Table {
    /// The key of an item in one text.
    fn primary(&self, item: &Item) -> Result<String, Refusal> {
        let mut primary = String::new();
        for name in &self.keys {
            let Some(text) = item.get(name).and_then(Attribute::key_text) else {
                return Err(Refusal::new(
                    "ValidationException",
                    format!("the key attribute {name} is missing"),
                ));
            };
            if !primary.is_empty() {
                primary.push('\0');
            }
            primary.push_str(text);
        }
        Ok(primary)
    }

    fn place(&mut self, primary: String, item: Option<Item>) {
        for (name, index) in &mut self.indexes {
            let value = |item: Option<&Item>| item?.get(name)?.key_text().map(str::to_owned);
            let (old, new) = (value(self.items.get(&primary)), value(item.as_ref()));
            if old == new {
                continue;
            }
            if let Some(keys) = old.and_then(|old| index.get_mut(&old)) {
                keys.retain(|key| *key != primary);
            }
            if let Some(new) = new {
                index.entry(new).or_default().push(primary.clone());
            }
        }
        match item {
            Some(item) => self.items.insert(primary, item),
            None => self.items.remove(&primary),
        };
    }

    /// Makes an index by this attribute, where there is none yet.
    fn index(&mut self, name: &str) {
        if self.indexes.contains_key(name) {
            return;
        }
        let mut index: HashMap<String, Vec<String>> = HashMap::new();
        for (primary, item) in &self.items {
            if let Some(value) = item.get(name).and_then(Attribute::key_text) {
                index.entry(value.to_owned()).or_default().push(primary.clone());
            }
        }
        self.indexes.insert(name.to_owned(), index);
    }
}

fn key_of<'w>(write: &'w Write<'_>) -> Result<&'w Item, Refusal> {
    write
        .key
        .as_ref()
        .ok_or_else(|| Refusal::new("ValidationException", "there is no key"))
}

fn condition_of(
    text: &str,
    names: &HashMap<String, String>,
    values: &HashMap<String, Attribute>,
) -> Result<Condition, Invalid> {
    let mut reader = Reader::new(text, Some(names), Values::Named(values))?;
    let condition = reader.condition()?;
    reader.end()?;
    Ok(condition)
}

/// The attributes that a key condition compares, in its order.
fn names_in(condition: &Condition, names: &mut Vec<String>) {
    use expression::{Operand, Part};
    let mut add = |operand: &Operand| {
        if let Operand::Path(path) = operand
            && let [Part::Name(name)] = path.as_slice()
        {
            names.push(name.clone());
        }
    };
    match condition {
        Condition::And(one, two) => {
            names_in(one, names);
            names_in(two, names);
        }
        Condition::Compare(operand, ..) | Condition::Between(operand, ..) | Condition::BeginsWith(operand, _) => {
            add(operand);
        }
        Condition::Or(..)
        | Condition::Not(_)
        | Condition::In(..)
        | Condition::Exists(_)
        | Condition::OfType(..)
        | Condition::Contains(..) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn dynamo() -> Dynamo {
        let mut dynamo = Dynamo::default();
        dynamo.create("ledger", &["notificationId".to_owned()]);
        dynamo.create("rows", &["pk".to_owned(), "sk".to_owned()]);
        dynamo
    }

    fn call(dynamo: &mut Dynamo, operation: &str, body: &Value) -> Value {
        let body = match dynamo.answer(operation, body.to_string().as_bytes()) {
            Ok(body) => body,
            Err(refusal) => refusal.body(),
        };
        serde_json::from_slice(&body).unwrap()
    }

    fn inserted(id: &str) -> Value {
        json!({ "Statements": [{
            "Statement": "INSERT INTO \"ledger\" VALUE {'notificationId': ?, 'orderId': ?, 'timestamp': ?, 'email': ?}",
            "Parameters": [
                { "S": id }, { "S": "order" }, { "N": id },
                { "M": { "claimableAt": { "N": "100" }, "attempt": { "N": "0" }, "state": { "S": "scheduled" } } },
            ],
        }] })
    }

    fn claimed(id: &str, by: &str) -> Value {
        json!({ "Statements": [{
            "Statement": "UPDATE \"ledger\" SET \"email\"=? WHERE \"notificationId\"=? AND \"email\".\"claimableAt\"<=? AND \"email\".\"attempt\"=?",
            "Parameters": [
                { "M": { "claimableAt": { "N": "900" }, "attempt": { "N": "1" } } }, { "S": id }, { "N": by }, { "N": "0" },
            ],
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }] })
    }

    #[test]
    fn what_is_inserted_twice_is_a_duplicate() {
        let mut dynamo = dynamo();
        let first = call(&mut dynamo, "BatchExecuteStatement", &inserted("1"));
        assert_eq!(first, json!({ "Responses": [{ "TableName": "ledger" }] }));
        let second = call(&mut dynamo, "BatchExecuteStatement", &inserted("1"));
        assert_eq!(second["Responses"][0]["Error"]["Code"], "DuplicateItem");
        assert_eq!(dynamo.count("ledger"), 1);
    }

    #[test]
    fn a_second_claim_is_refused_with_the_item_in_its_way() {
        let mut dynamo = dynamo();
        call(&mut dynamo, "BatchExecuteStatement", &inserted("1"));
        let early = call(&mut dynamo, "BatchExecuteStatement", &claimed("1", "99"));
        assert_eq!(early["Responses"][0]["Error"]["Code"], "ConditionalCheckFailed");
        let first = call(&mut dynamo, "BatchExecuteStatement", &claimed("1", "100"));
        assert_eq!(first["Responses"][0]["Error"], Value::Null);
        let second = call(&mut dynamo, "BatchExecuteStatement", &claimed("1", "1000"));
        let error = &second["Responses"][0]["Error"];
        assert_eq!(error["Code"], "ConditionalCheckFailed");
        assert_eq!(error["Item"]["email"]["M"]["attempt"]["N"], "1");
        let unknown = call(&mut dynamo, "BatchExecuteStatement", &claimed("2", "1000"));
        assert_eq!(unknown["Responses"][0]["Error"]["Code"], "ConditionalCheckFailed");
    }

    #[test]
    fn a_conditional_put_is_refused_with_the_item_when_that_is_asked_for() {
        let mut dynamo = dynamo();
        let put = json!({
            "TableName": "ledger", "Item": { "notificationId": { "S": "1" } },
            "ConditionExpression": "attribute_not_exists(#id)",
            "ExpressionAttributeNames": { "#id": "notificationId" },
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        });
        assert_eq!(call(&mut dynamo, "PutItem", &put), json!({}));
        let second = call(&mut dynamo, "PutItem", &put);
        assert_eq!(
            second["__type"],
            "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"
        );
        assert_eq!(second["Item"]["notificationId"]["S"], "1");
    }

    #[test]
    fn an_update_makes_its_item_and_answers_what_it_is_asked_for() {
        let mut dynamo = dynamo();
        let add = json!({
            "TableName": "ledger", "Key": { "notificationId": { "S": "w" } },
            "UpdateExpression": "SET #e = :e ADD #n :c",
            "ExpressionAttributeNames": { "#e": "expiresAt", "#n": "normal" },
            "ExpressionAttributeValues": { ":e": { "N": "9" }, ":c": { "N": "10" } },
            "ReturnValues": "ALL_NEW",
        });
        call(&mut dynamo, "UpdateItem", &add);
        let second = call(&mut dynamo, "UpdateItem", &add);
        assert_eq!(second["Attributes"]["normal"]["N"], "20");
        let deleted =
            json!({ "TableName": "ledger", "Key": { "notificationId": { "S": "w" } }, "ReturnValues": "ALL_OLD" });
        assert_eq!(
            call(&mut dynamo, "DeleteItem", &deleted)["Attributes"]["normal"]["N"],
            "20"
        );
        let read = json!({ "TableName": "ledger", "Key": { "notificationId": { "S": "w" } } });
        assert_eq!(call(&mut dynamo, "GetItem", &read), json!({}));
    }

    #[test]
    fn a_query_of_an_index_answers_keys_newest_first() {
        let mut dynamo = dynamo();
        for id in ["1", "3", "2"] {
            call(&mut dynamo, "BatchExecuteStatement", &inserted(id));
        }
        let query = json!({
            "TableName": "ledger", "IndexName": "orderId-timestamp-index",
            "KeyConditionExpression": "#order = :order AND #at >= :since",
            "ExpressionAttributeNames": { "#order": "orderId", "#at": "timestamp" },
            "ExpressionAttributeValues": { ":order": { "S": "order" }, ":since": { "N": "2" } },
            "ScanIndexForward": false, "Limit": 50,
        });
        let answer = call(&mut dynamo, "Query", &query);
        assert_eq!(answer["Count"], 2);
        assert_eq!(answer["Items"][0]["notificationId"]["S"], "3");
        assert_eq!(answer["Items"][0]["email"], Value::Null);
        call(&mut dynamo, "BatchExecuteStatement", &inserted("4"));
        assert_eq!(call(&mut dynamo, "Query", &query)["Count"], 3);
    }

    #[test]
    fn a_batch_reads_and_writes_items_of_two_keys() {
        let mut dynamo = dynamo();
        let row = |sk: &str| json!({ "pk": { "S": "a" }, "sk": { "N": sk } });
        let put = |sk| json!({ "PutRequest": { "Item": row(sk) } });
        let write =
            json!({ "RequestItems": { "rows": [put("1"), put("2"), { "DeleteRequest": { "Key": row("1") } }] } });
        call(&mut dynamo, "BatchWriteItem", &write);
        let read = json!({ "RequestItems": { "rows": { "Keys": [row("1"), row("2")] } } });
        let answer = call(&mut dynamo, "BatchGetItem", &read);
        assert_eq!(answer["Responses"]["rows"], json!([row("2")]));
    }

    #[test]
    fn of_a_transaction_all_happens_or_nothing() {
        let mut dynamo = dynamo();
        let put = |id: &str| {
            json!({ "Put": {
                "TableName": "ledger", "Item": { "notificationId": { "S": id } },
                "ConditionExpression": "attribute_not_exists(notificationId)",
            } })
        };
        let both = |one, two| json!({ "TransactItems": [put(one), put(two)] });
        assert_eq!(call(&mut dynamo, "TransactWriteItems", &both("1", "2")), json!({}));
        let refused = call(&mut dynamo, "TransactWriteItems", &both("3", "1"));
        assert_eq!(refused["CancellationReasons"][0]["Code"], "None");
        assert_eq!(refused["CancellationReasons"][1]["Code"], "ConditionalCheckFailed");
        assert_eq!(dynamo.count("ledger"), 2);
    }

    #[test]
    fn a_table_that_is_not_there_is_refused() {
        let read = json!({ "TableName": "elsewhere", "Key": {} });
        assert_eq!(
            call(&mut dynamo(), "GetItem", &read)["__type"],
            "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
        );
    }
}
