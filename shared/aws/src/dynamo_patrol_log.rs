//! What carriers were asked so far, in the table of what the account can do just now: an item per carrier, `patrol#NAME`.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use domain::Carrier;
use domain::ports::Unavailable;
use tracking::Spent;
use tracking::ports::{Kept, PatrolLog};

use crate::answer::{in_few_words, was_written};
use crate::item::{number, text, text_of};

const READING: &str = "read what a carrier was asked";
const WRITING: &str = "write what a carrier is asked";

/// What carriers were asked so far.
#[derive(Debug, Clone)]
pub struct DynamoPatrolLog {
    client: Client,
    table: String,
}

impl DynamoPatrolLog {
    /// The table of that name.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }
}

impl PatrolLog for DynamoPatrolLog {
    async fn spent(&self, carrier: Carrier) -> Result<Spent, Unavailable> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("name", text(name_of(carrier)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Unavailable::new(READING, in_few_words(&error)))?;
        let spent = output.item().and_then(|item| text_of(item, "spent"));
        match spent {
            None => Ok(Spent::default()),
            Some(json) => serde_json::from_str(json)
                .map_err(|_other_shape| Unavailable::new(READING, "it is not in the shape that is kept there")),
        }
    }

    async fn spend(&self, carrier: Carrier, before: &Spent, after: &Spent) -> Result<Kept, Unavailable> {
        let json = serde_json::to_string(after).map_err(|error| Unavailable::new(WRITING, error))?;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("name", text(name_of(carrier)))
            .item("version", number(after.version))
            .item("spent", text(json))
            // Words that DynamoDB keeps for itself.
            .expression_attribute_names("#name", "name");
        let put = match before.version {
            0 => put.condition_expression("attribute_not_exists(#name)"),
            version => put
                .condition_expression("attribute_exists(#name) AND version = :before")
                .expression_attribute_values(":before", number(version)),
        };
        let answer = put.send().await;
        match was_written(answer, PutItemError::is_conditional_check_failed_exception, WRITING)? {
            true => Ok(Kept::Done),
            false => Ok(Kept::Stale),
        }
    }
}

fn name_of(carrier: Carrier) -> String {
    format!("patrol#{carrier}")
}
