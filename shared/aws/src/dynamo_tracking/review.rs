//! Orders that ask for somebody to have a look.

use domain::ports::Unavailable;
use tracking::OrderRecord;

use super::{DynamoTracking, orders};
use crate::answer::in_few_words;
use crate::item::text;

const LOOKING: &str = "look through the orders";

impl DynamoTracking {
    /// Every order that asks for somebody to have a look. Reads the whole table, and tells now and then how many orders it has seen.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when that cannot be told.
    pub async fn under_review(&self, mut seen: impl FnMut(usize)) -> Result<Vec<OrderRecord>, Unavailable> {
        let mut pages = self
            .client
            .scan()
            .table_name(&self.table)
            // A word that DynamoDB keeps for itself.
            .filter_expression("#item = :order")
            .expression_attribute_names("#item", "item")
            .expression_attribute_values(":order", text(orders::RECORD))
            .into_paginator()
            .items()
            .send();
        let mut count = 0;
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| Unavailable::new(LOOKING, in_few_words(&error)))?;
            let record = orders::record_of(&item, LOOKING)?;
            count += 1;
            seen(count);
            if record.needs_review {
                found.push(record);
            }
        }
        Ok(found)
    }
}
