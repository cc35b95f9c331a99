//! What customers want to receive.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::get_item::GetItemError;
use aws_sdk_dynamodb::types::AttributeValue;

/// The table of preferences.
#[derive(Debug)]
pub(crate) struct Preferences {
    client: Client,
    table: String,
}

impl Preferences {
    pub(crate) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// Whether this customer wants e-mails of this type; a key that is missing means yes.
    pub(crate) async fn allow_email(&self, user_id: &str, kind: &str) -> Result<bool, SdkError<GetItemError>> {
        let output = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("userId", AttributeValue::S(user_id.to_owned()))
            .send()
            .await?;
        let stored = output.item.as_ref().and_then(|item| switch(item, kind));
        Ok(stored.unwrap_or(true))
    }
}

fn switch(item: &HashMap<String, AttributeValue>, kind: &str) -> Option<bool> {
    let channels = item.get("preferences")?.as_m().ok()?;
    let email = channels.get("email")?.as_m().ok()?;
    email.get(kind)?.as_bool().ok().copied()
}
