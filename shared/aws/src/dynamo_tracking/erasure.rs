//! Forgetting a customer's orders.

use domain::UserId;
use domain::ports::Unavailable;
use tracking::OrderRecord;

use super::{DynamoTracking, about_order, about_parcel, orders};
use crate::answer::in_few_words;
use crate::item::{Item, text, text_of};

const ERASING: &str = "forget a customer's orders";

impl DynamoTracking {
    /// Removes the orders of this customer with everything that was said of them, and that parcels belong to them; how many there were.
    /// What carriers said of the parcels names nobody and stays.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when some of it may still be there; asked again, it goes on.
    pub async fn forget_orders_of(&self, user: &UserId, is_dry_run: bool) -> Result<usize, Unavailable> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .index_name(orders::BY_USER)
            .key_condition_expression("userId = :user")
            .expression_attribute_values(":user", text(user.as_str()))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| Unavailable::new(ERASING, in_few_words(&error)))?;
            found.push(orders::record_of(&item, ERASING)?);
        }
        if !is_dry_run {
            for record in &found {
                self.forget_order(record).await?;
            }
        }
        Ok(found.len())
    }

    /// Removes this order with everything that was said of it, and that parcels belong to it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] when some of it may still be there; asked again, it goes on.
    pub async fn forget_order(&self, record: &OrderRecord) -> Result<(), Unavailable> {
        let about = about_order(record.registration.id());
        // The record, by which a repetition finds the order, goes last.
        for parcel in &record.registration.parcels {
            self.delete(&about_parcel(&parcel.number), &about).await?;
        }
        let items = self.all_about(&about, ERASING).await?;
        let key_of = |item: &Item| text_of(item, "item").map(str::to_owned);
        for key in items.iter().filter_map(key_of).filter(|key| key != orders::RECORD) {
            self.delete(&about, &key).await?;
        }
        self.delete(&about, orders::RECORD).await
    }

    pub(super) async fn delete(&self, about: &str, item: &str) -> Result<(), Unavailable> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("about", text(about))
            .key("item", text(item))
            .send()
            .await;
        answer
            .map(|_gone| ())
            .map_err(|error| Unavailable::new(ERASING, in_few_words(&error)))
    }
}
