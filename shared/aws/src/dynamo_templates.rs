//! Overriding words in DynamoDB: one item says what is in force, versions are read by their keys, and a change of both is one
//! transaction.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::get_item::builders::GetItemInputBuilder;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem, Update};
use domain::ports::{TemplatesLoad, Unavailable};
use domain::{InForce, StateMove, Switch, TemplateVersion, VersionState};

use crate::answer::{in_few_words, was_written};
use crate::batch_get::{Key, SortKey, batch_get};
use crate::calls::DynamoDb;
use crate::item::{moment, number, text};
use crate::template_item::{INDEX, in_force_item, in_force_of, key, version_item, version_of};

const LOOKING: &str = "look up which words are overridden";
const LOADING: &str = "read overriding words";
const LISTING: &str = "list the overriding words";
const STORING: &str = "write a version of a template";
const SWITCHING: &str = "change which words are in force";

/// The table of overriding words.
#[derive(Debug, Clone)]
pub struct DynamoTemplates<D = Client> {
    client: D,
    table: String,
}

impl<D> DynamoTemplates<D> {
    /// The table of that name.
    #[must_use]
    pub const fn new(client: D, table: String) -> Self {
        Self { client, table }
    }
}

impl DynamoTemplates {
    /// Every version of one template, oldest first.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when they cannot be read to the last one.
    pub async fn versions_of(&self, template: &str) -> Result<Vec<TemplateVersion>, Unavailable> {
        let mut items = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#template = :template")
            .expression_attribute_names("#template", "template")
            .expression_attribute_values(":template", text(template))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut versions = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| Unavailable::new(LISTING, in_few_words(&error)))?;
            versions.extend(version_of(&item));
        }
        Ok(versions)
    }

    /// Every version of every template, in no order: a scan of the whole table, for an operator's tool.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when the table cannot be read to its end.
    pub async fn all(&self) -> Result<Vec<TemplateVersion>, Unavailable> {
        let mut items = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .into_paginator()
            .items()
            .send();
        let mut versions = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| Unavailable::new(LISTING, in_few_words(&error)))?;
            versions.extend(version_of(&item));
        }
        Ok(versions)
    }

    /// Writes a new version, unless its number is taken; whether it was free.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been written.
    pub async fn store(&self, version: &TemplateVersion) -> Result<bool, Unavailable> {
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(version_item(version)))
            .condition_expression("attribute_not_exists(#template)")
            .expression_attribute_names("#template", "template")
            .send()
            .await;
        was_written(answer, PutItemError::is_conditional_check_failed_exception, STORING)
    }

    /// Makes a change, as a whole, if everything still stands as it was seen; whether it did. The SDK may repeat the call: it
    /// carries a token by which DynamoDB knows it again.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when it may or may not have been made.
    pub async fn switch(&self, switch: &Switch) -> Result<bool, Unavailable> {
        let writes = self
            .writes_of(switch)
            .map_err(|incomplete| Unavailable::new(SWITCHING, incomplete))?;
        let answer = self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(was_overtaken) => Ok(false),
            Err(error) => Err(Unavailable::new(SWITCHING, in_few_words(&error))),
        }
    }

    fn writes_of(&self, switch: &Switch) -> Result<Vec<TransactWriteItem>, BuildError> {
        let mut writes = Vec::new();
        for step in &switch.moves {
            let update = self.update_of(step, switch)?;
            writes.push(TransactWriteItem::builder().update(update).build());
        }
        if let Some(in_force) = &switch.in_force {
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(in_force_item(in_force)))
                .expression_attribute_names("#revision", "revision");
            let seen = in_force.revision.saturating_sub(1);
            let put = if seen == 0 {
                put.condition_expression("attribute_not_exists(#revision)")
            } else {
                put.condition_expression("#revision = :seen")
                    .expression_attribute_values(":seen", number(seen))
            };
            writes.push(TransactWriteItem::builder().put(put.build()?).build());
        }
        Ok(writes)
    }

    fn update_of(&self, step: &StateMove, switch: &Switch) -> Result<Update, BuildError> {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key(&step.template, step.version)))
            .condition_expression("#state = :from")
            .expression_attribute_names("#state", "state")
            .expression_attribute_values(":from", text(step.from.name()))
            .expression_attribute_values(":to", text(step.to.name()));
        let update = if step.to == VersionState::Live {
            update
                .update_expression("SET #state = :to, #at = :at, #by = :by")
                .expression_attribute_names("#at", "publishedAt")
                .expression_attribute_names("#by", "publishedBy")
                .expression_attribute_values(":at", moment(switch.at))
                .expression_attribute_values(":by", text(switch.by.as_str()))
        } else {
            update.update_expression("SET #state = :to")
        };
        update.build()
    }
}

/// Whether somebody else was faster: something did not stand as it was seen, or was being changed at the same moment.
fn was_overtaken(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return false;
    };
    let codes: Vec<&str> = cancelled
        .cancellation_reasons()
        .iter()
        .filter_map(|reason| reason.code())
        .filter(|code| *code != "None")
        .collect();
    !codes.is_empty()
        && codes
            .iter()
            .all(|code| matches!(*code, "ConditionalCheckFailed" | "TransactionConflict"))
}

impl<D: DynamoDb> TemplatesLoad for DynamoTemplates<D> {
    async fn in_force(&self) -> Result<InForce, Unavailable> {
        let (template, version) = INDEX;
        let request = GetItemInputBuilder::default()
            .table_name(&self.table)
            .set_key(Some(key(template, version)))
            .consistent_read(true);
        match self.client.get_item(request).await {
            Ok(output) => Ok(output.item().map(in_force_of).unwrap_or_default()),
            Err(error) => Err(Unavailable::new(LOOKING, in_few_words(&error))),
        }
    }

    async fn load(&self, versions: &[(String, u32)]) -> Result<Vec<TemplateVersion>, Unavailable> {
        let keys = versions.iter().map(|(template, version)| Key {
            table: self.table.clone(),
            attribute: "template",
            value: template.clone(),
            sort: Some(SortKey::Number("version", *version)),
        });
        let mut found = batch_get(&self.client, keys.collect())
            .await
            .map_err(|why| Unavailable::new(LOADING, why))?;
        let items = found.remove(&self.table).unwrap_or_default();
        Ok(items.iter().filter_map(version_of).collect())
    }
}

#[cfg(test)]
mod tests;
