//! What is known of the customers of a batch: their preferences and their suppressions, from two tables in one request.

use aws_sdk_dynamodb::Client;
use domain::ports::{Customers, CustomersLoad, Unavailable};
use domain::{Contact, UserId};
use std::collections::HashMap;

use crate::ContactKey;
use crate::batch_get::{Key, batch_get};
use crate::calls::DynamoDb;
use crate::item::text_of;
use crate::preferences_item::preferences_of;
use crate::suppression_item::suppression_of;

const READING: &str = "read preferences and suppressions";

/// The tables of preferences and of suppressions.
#[derive(Debug, Clone)]
pub struct DynamoCustomers<D = Client> {
    client: D,
    preferences_table: String,
    suppressions: Option<Suppressions>,
}

/// The table of suppressions, and the key under which they were written.
#[derive(Debug, Clone)]
struct Suppressions {
    table: String,
    key: ContactKey,
}

impl<D> DynamoCustomers<D> {
    /// The tables of these names. The key is the one under which the suppressions were written.
    #[must_use]
    pub const fn new(client: D, preferences_table: String, suppressions_table: String, key: ContactKey) -> Self {
        Self {
            client,
            preferences_table,
            suppressions: Some(Suppressions {
                table: suppressions_table,
                key,
            }),
        }
    }

    /// The table of preferences alone, for whoever writes to no contact: nothing is known against any.
    #[must_use]
    pub const fn of_preferences(client: D, preferences_table: String) -> Self {
        Self {
            client,
            preferences_table,
            suppressions: None,
        }
    }
}

impl<D: DynamoDb> CustomersLoad for DynamoCustomers<D> {
    async fn load(&self, users: &[UserId], contacts: &[Contact]) -> Result<Customers, Unavailable> {
        let hashed = |suppressions: &Suppressions| -> HashMap<String, &Contact> {
            let hashes = contacts.iter().map(|contact| (suppressions.key.of(contact), contact));
            hashes.collect()
        };
        let suppressions_table = self
            .suppressions
            .as_ref()
            .map(|suppressions| suppressions.table.as_str());
        let suppressions_table = suppressions_table.unwrap_or_default();
        let contacts = self.suppressions.as_ref().map(hashed).unwrap_or_default();
        let of_users = users.iter().map(|user| Key {
            table: self.preferences_table.clone(),
            attribute: "userId",
            value: user.as_str().to_owned(),
            sort: None,
        });
        let of_contacts = contacts.keys().map(|contact| Key {
            table: suppressions_table.to_owned(),
            attribute: "contact",
            value: contact.clone(),
            sort: None,
        });
        let mut found = batch_get(&self.client, of_users.chain(of_contacts).collect())
            .await
            .map_err(|why| Unavailable::new(READING, why))?;
        let preferences = found.remove(&self.preferences_table).unwrap_or_default();
        let suppressions = found.remove(suppressions_table).unwrap_or_default();
        Ok(Customers {
            preferences: preferences
                .iter()
                .filter_map(|item| Some((UserId::try_from(text_of(item, "userId")?).ok()?, preferences_of(item))))
                .collect(),
            suppressions: suppressions
                .iter()
                .filter_map(|item| {
                    Some((
                        (*contacts.get(text_of(item, "contact")?)?).clone(),
                        suppression_of(item),
                    ))
                })
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{Item, moment, text};
    use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::{Channel, Language, SuppressionReason};
    use testkit::at;

    fn key() -> ContactKey {
        ContactKey::try_from("a key of many letters").unwrap()
    }

    fn contact() -> Contact {
        Contact::of(Channel::Email, "ana@example.com")
    }

    fn ana() -> UserId {
        UserId::try_from("ana").unwrap()
    }

    async fn answer_of(rule: &Rule) -> Result<Customers, Unavailable> {
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [rule]);
        DynamoCustomers::new(client, "preferences".to_owned(), "suppressions".to_owned(), key())
            .load(&[ana()], &[contact()])
            .await
    }

    #[tokio::test]
    async fn one_request_tells_of_preferences_and_suppressions() {
        let rule = mock!(Client::batch_get_item).then_output(|| {
            let wishes = Item::from([("userId".to_owned(), text("ana")), ("language".to_owned(), text("en"))]);
            let hold = Item::from([
                ("contact".to_owned(), text(key().of(&contact()))),
                ("reason".to_owned(), text("complaint")),
                ("since".to_owned(), moment(at(1))),
                ("source".to_owned(), text("m-1")),
            ]);
            BatchGetItemOutput::builder()
                .responses("preferences", vec![wishes])
                .responses("suppressions", vec![hold])
                .build()
        });
        let known = answer_of(&rule).await.unwrap();
        let hold = known.suppressions[&contact()].in_force(at(2)).unwrap();
        assert_eq!(known.preferences[&ana()].language, Some(Language::En));
        assert_eq!(hold.reason, SuppressionReason::Complaint);
        assert_eq!(rule.num_calls(), 1);
    }

    #[tokio::test]
    async fn whom_no_table_knows_is_missing() {
        let rule = mock!(Client::batch_get_item).then_output(|| BatchGetItemOutput::builder().build());
        assert_eq!(answer_of(&rule).await.unwrap(), Customers::default());
    }
}
