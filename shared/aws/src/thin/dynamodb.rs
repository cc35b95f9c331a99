//! The calls of DynamoDB (DynamoDB API Reference, 2012-08-10), with the fields that the hot path sets. A test sends every request of
//! the hot path by the SDK as well and compares, so that a field which is set one day and not written here is noticed.

use aws_sdk_dynamodb::error::{BuildError, ErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::batch_execute_statement::builders::BatchExecuteStatementInputBuilder;
use aws_sdk_dynamodb::operation::batch_execute_statement::{BatchExecuteStatementError, BatchExecuteStatementOutput};
use aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemInputBuilder;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemError, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::builders::BatchWriteItemInputBuilder;
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemError, BatchWriteItemOutput};
use aws_sdk_dynamodb::operation::get_item::builders::GetItemInputBuilder;
use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
use aws_sdk_dynamodb::operation::query::builders::QueryInputBuilder;
use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemInputBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementError, BatchStatementRequest, BatchStatementResponse, DeleteRequest,
    KeysAndAttributes, PutRequest, WriteRequest,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

use super::attributes::{ItemIn, ItemOut, Out};
use super::line::{FromMetadata, Line, Target};
use crate::calls::{Answer, DynamoDb};
use crate::item::Item;

/// A thin client of DynamoDB.
#[derive(Debug, Clone)]
pub struct ThinDynamoDb(Line);

impl ThinDynamoDb {
    pub(super) const fn new(line: Line) -> Self {
        Self(line)
    }
}

impl DynamoDb for ThinDynamoDb {
    async fn batch_execute_statement(
        &self,
        request: BatchExecuteStatementInputBuilder,
    ) -> Answer<BatchExecuteStatementOutput, BatchExecuteStatementError> {
        let request = request.build().map_err(SdkError::construction_failure)?;
        let body = Statements {
            statements: request.statements().iter().map(Statement::of).collect(),
        };
        let target = Target::Operation("DynamoDB_20120810.BatchExecuteStatement");
        let answer: StatementsIn = self.0.call(target, &body).await?;
        let responses = answer
            .responses
            .map(|responses| responses.into_iter().map(BatchStatementResponse::from).collect());
        Ok(BatchExecuteStatementOutput::builder().set_responses(responses).build())
    }

    async fn batch_get_item(&self, request: BatchGetItemInputBuilder) -> Answer<BatchGetItemOutput, BatchGetItemError> {
        let request = request.build().map_err(SdkError::construction_failure)?;
        let tables = request.request_items().into_iter().flatten();
        let body = Tables {
            request_items: tables.map(|(table, keys)| (table, KeysOut::of(keys))).collect(),
        };
        let target = Target::Operation("DynamoDB_20120810.BatchGetItem");
        let answer: TablesIn = self.0.call(target, &body).await?;
        let unprocessed = answer.unprocessed_keys.map(|tables| {
            let tables = tables.into_iter().map(|(table, keys)| Ok((table, keys.into_keys()?)));
            tables.collect::<Result<HashMap<_, _>, BuildError>>()
        });
        Ok(BatchGetItemOutput::builder()
            .set_responses(answer.responses.map(|tables| {
                let tables = tables.into_iter();
                tables.map(|(table, items)| (table, plain_all(items))).collect()
            }))
            .set_unprocessed_keys(unprocessed.transpose().map_err(SdkError::construction_failure)?)
            .build())
    }

    async fn batch_write_item(
        &self,
        request: BatchWriteItemInputBuilder,
    ) -> Answer<BatchWriteItemOutput, BatchWriteItemError> {
        let request = request.build().map_err(SdkError::construction_failure)?;
        let tables = request.request_items().into_iter().flatten();
        let body = Tables {
            request_items: tables
                .map(|(table, writes)| (table, writes.iter().map(Write::of).collect::<Vec<_>>()))
                .collect(),
        };
        let target = Target::Operation("DynamoDB_20120810.BatchWriteItem");
        let answer: WritesIn = self.0.call(target, &body).await?;
        let unprocessed = answer.unprocessed_items.map(|tables| {
            let writes =
                |writes: Vec<WriteIn>| -> Result<Vec<_>, _> { writes.into_iter().map(WriteIn::into_write).collect() };
            let tables = tables.into_iter().map(|(table, all)| Ok((table, writes(all)?)));
            tables.collect::<Result<HashMap<_, _>, BuildError>>()
        });
        Ok(BatchWriteItemOutput::builder()
            .set_unprocessed_items(unprocessed.transpose().map_err(SdkError::construction_failure)?)
            .build())
    }

    async fn get_item(&self, request: GetItemInputBuilder) -> Answer<GetItemOutput, GetItemError> {
        let request = request.build().map_err(SdkError::construction_failure)?;
        let body = Get {
            table_name: request.table_name(),
            key: request.key().map(ItemOut),
            consistent_read: request.consistent_read(),
        };
        let answer: ItemAnswer = self
            .0
            .call(Target::Operation("DynamoDB_20120810.GetItem"), &body)
            .await?;
        Ok(GetItemOutput::builder().set_item(answer.item.map(plain)).build())
    }

    async fn query(&self, request: QueryInputBuilder) -> Answer<QueryOutput, QueryError> {
        let request = request.build().map_err(SdkError::construction_failure)?;
        let body = QueryOut {
            table_name: request.table_name(),
            index_name: request.index_name(),
            key_condition_expression: request.key_condition_expression(),
            expression_attribute_names: request.expression_attribute_names(),
            expression_attribute_values: request.expression_attribute_values().map(ItemOut),
            consistent_read: request.consistent_read(),
            scan_index_forward: request.scan_index_forward(),
            limit: request.limit(),
            exclusive_start_key: request.exclusive_start_key().map(ItemOut),
        };
        let answer: QueryIn = self.0.call(Target::Operation("DynamoDB_20120810.Query"), &body).await?;
        Ok(QueryOutput::builder()
            .set_items(answer.items.map(plain_all))
            .set_last_evaluated_key(answer.last_evaluated_key.map(plain))
            .build())
    }

    async fn update_item(&self, request: UpdateItemInputBuilder) -> Answer<UpdateItemOutput, UpdateItemError> {
        let request = request.build().map_err(SdkError::construction_failure)?;
        let body = Update {
            table_name: request.table_name(),
            key: request.key().map(ItemOut),
            update_expression: request.update_expression(),
            condition_expression: request.condition_expression(),
            expression_attribute_names: request.expression_attribute_names(),
            expression_attribute_values: request.expression_attribute_values().map(ItemOut),
            return_values: request.return_values().map(|values| values.as_str()),
        };
        let target = Target::Operation("DynamoDB_20120810.UpdateItem");
        let answer: UpdateIn = self.0.call(target, &body).await?;
        Ok(UpdateItemOutput::builder()
            .set_attributes(answer.attributes.map(plain))
            .build())
    }
}

macro_rules! errors {
    ($($error:ty),*) => {
        $(impl FromMetadata for $error {
            fn from_metadata(metadata: ErrorMetadata) -> Self {
                Self::generic(metadata)
            }
        })*
    };
}

errors!(
    BatchExecuteStatementError,
    BatchGetItemError,
    BatchWriteItemError,
    GetItemError,
    QueryError
);

impl FromMetadata for UpdateItemError {
    fn from_metadata(metadata: ErrorMetadata) -> Self {
        match metadata.code() {
            Some("ConditionalCheckFailedException") => Self::ConditionalCheckFailedException(
                ConditionalCheckFailedException::builder()
                    .set_message(metadata.message().map(str::to_owned))
                    .meta(metadata)
                    .build(),
            ),
            _ => Self::generic(metadata),
        }
    }
}

fn plain(item: ItemIn) -> Item {
    item.0
}

fn plain_all(items: Vec<ItemIn>) -> Vec<Item> {
    items.into_iter().map(plain).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statements<'a> {
    statements: Vec<Statement<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement<'a> {
    statement: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Vec<Out<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consistent_read: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_values_on_condition_check_failure: Option<&'a str>,
}

impl<'a> Statement<'a> {
    fn of(request: &'a BatchStatementRequest) -> Self {
        let parameters: Option<&Vec<AttributeValue>> = request.parameters.as_ref();
        Self {
            statement: request.statement(),
            parameters: parameters.map(|values| values.iter().map(Out).collect()),
            consistent_read: request.consistent_read(),
            return_values_on_condition_check_failure: request
                .return_values_on_condition_check_failure()
                .map(|values| values.as_str()),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StatementsIn {
    responses: Option<Vec<ResponseIn>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseIn {
    error: Option<ErrorIn>,
    table_name: Option<String>,
    item: Option<ItemIn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorIn {
    code: Option<String>,
    message: Option<String>,
    item: Option<ItemIn>,
}

impl From<ResponseIn> for BatchStatementResponse {
    fn from(response: ResponseIn) -> Self {
        let error = response.error.map(|error| {
            BatchStatementError::builder()
                .set_code(error.code.as_deref().map(Into::into))
                .set_message(error.message)
                .set_item(error.item.map(plain))
                .build()
        });
        Self::builder()
            .set_error(error)
            .set_table_name(response.table_name)
            .set_item(response.item.map(plain))
            .build()
    }
}

/// Anything by table.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tables<'a, T> {
    request_items: HashMap<&'a String, T>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeysOut<'a> {
    keys: Vec<ItemOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consistent_read: Option<bool>,
}

impl<'a> KeysOut<'a> {
    fn of(keys: &'a KeysAndAttributes) -> Self {
        Self {
            keys: keys.keys().iter().map(ItemOut).collect(),
            consistent_read: keys.consistent_read(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TablesIn {
    responses: Option<HashMap<String, Vec<ItemIn>>>,
    unprocessed_keys: Option<HashMap<String, KeysIn>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeysIn {
    keys: Vec<ItemIn>,
    consistent_read: Option<bool>,
}

impl KeysIn {
    fn into_keys(self) -> Result<KeysAndAttributes, BuildError> {
        KeysAndAttributes::builder()
            .set_keys(Some(plain_all(self.keys)))
            .set_consistent_read(self.consistent_read)
            .build()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Write<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    put_request: Option<Put<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delete_request: Option<Delete<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Put<'a> {
    item: ItemOut<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Delete<'a> {
    key: ItemOut<'a>,
}

impl<'a> Write<'a> {
    fn of(write: &'a WriteRequest) -> Self {
        Self {
            put_request: write.put_request().map(|put| Put {
                item: ItemOut(put.item()),
            }),
            delete_request: write.delete_request().map(|delete| Delete {
                key: ItemOut(delete.key()),
            }),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WritesIn {
    unprocessed_items: Option<HashMap<String, Vec<WriteIn>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WriteIn {
    put_request: Option<PutIn>,
    delete_request: Option<DeleteIn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutIn {
    item: ItemIn,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteIn {
    key: ItemIn,
}

impl WriteIn {
    fn into_write(self) -> Result<WriteRequest, BuildError> {
        let put = self
            .put_request
            .map(|put| PutRequest::builder().set_item(Some(put.item.0)).build());
        let delete = self
            .delete_request
            .map(|delete| DeleteRequest::builder().set_key(Some(delete.key.0)).build());
        Ok(WriteRequest::builder()
            .set_put_request(put.transpose()?)
            .set_delete_request(delete.transpose()?)
            .build())
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Get<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    table_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<ItemOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consistent_read: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ItemAnswer {
    item: Option<ItemIn>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct QueryOut<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    table_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_condition_expression: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression_attribute_names: Option<&'a HashMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression_attribute_values: Option<ItemOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consistent_read: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scan_index_forward: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusive_start_key: Option<ItemOut<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueryIn {
    items: Option<Vec<ItemIn>>,
    last_evaluated_key: Option<ItemIn>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Update<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    table_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<ItemOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    update_expression: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition_expression: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression_attribute_names: Option<&'a HashMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expression_attribute_values: Option<ItemOut<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_values: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateIn {
    attributes: Option<ItemIn>,
}
