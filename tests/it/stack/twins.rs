//! The memory twins are held to what the stack answers.

use aws::{
    ContactKey, DynamoAllowance, DynamoCustomers, DynamoInbox, DynamoLedger, DynamoSuppressions, DynamoTraffic,
    DynamoWaitingRoom, ProviderMessages,
};
use domain::ports::{
    Customers, CustomersLoad, InboxLoad, InboxMark, MessageLookUp, SendAnswer, SuppressionsKeep, Unavailable,
};
use domain::{Channel, Contact, InboxPage, InboxPlace, MarkedAll, NotificationId, Suppression, Unread, UserId};
use jiff::Timestamp;
use lambda::SystemClock;
use std::collections::HashMap;
use std::path::PathBuf;
use testkit::recorded::{ANSWERS, Note, Put, Script, run_of};

use super::harness::Stack;

/// Both sides of the table of suppressions.
struct Addresses(DynamoCustomers, DynamoSuppressions);

impl CustomersLoad for Addresses {
    async fn load(&self, users: &[UserId], contacts: &[Contact]) -> Result<Customers, Unavailable> {
        self.0.load(users, contacts).await
    }
}

impl SuppressionsKeep for Addresses {
    async fn look_up(&self, contact: &Contact) -> Result<Option<Suppression>, Unavailable> {
        self.1.look_up(contact).await
    }

    async fn keep(&self, contact: &Contact, next: &Suppression) -> Result<bool, Unavailable> {
        self.1.keep(contact, next).await
    }
}

struct Messages(ProviderMessages);

impl MessageLookUp for Messages {
    async fn find(&self, message_ids: &[String]) -> Result<HashMap<String, (NotificationId, Channel)>, Unavailable> {
        self.0.find(message_ids).await
    }
}

impl Note for Messages {
    async fn note(&self, message_id: &str, id: NotificationId, channel: Channel) {
        self.0
            .keep(message_id, id, channel, jiff::Timestamp::now())
            .await
            .unwrap();
    }
}

struct Inboxes(DynamoInbox);

impl Put for Inboxes {
    async fn put(&self, user: &UserId, note: &domain::Note) {
        let answer = self.0.put(user, note, 1).await;
        assert!(matches!(answer, SendAnswer::Accepted { .. }), "{answer:?}");
    }
}

impl InboxLoad for Inboxes {
    async fn page(
        &self,
        user: &UserId,
        from: Option<InboxPlace>,
        limit: u32,
        unread_only: bool,
    ) -> Result<InboxPage, Unavailable> {
        self.0.page(user, from, limit, unread_only).await
    }

    async fn unread(&self, user: &UserId) -> Result<Unread, Unavailable> {
        self.0.unread(user).await
    }
}

impl InboxMark for Inboxes {
    async fn mark(&self, user: &UserId, id: NotificationId, now: Timestamp) -> Result<bool, Unavailable> {
        self.0.mark(user, id, now).await
    }

    async fn mark_all(&self, user: &UserId, now: Timestamp) -> Result<MarkedAll, Unavailable> {
        self.0.mark_all(user, now).await
    }
}

#[tokio::test]
async fn the_stack_answers_as_recorded() {
    let stack = Stack::connect().await;
    let key = || ContactKey::try_from("a key for this test alone").unwrap();
    let (dynamodb, suppressions) = (&stack.dynamodb, stack.name("suppressions"));
    let script = Script {
        ledger: &DynamoLedger::new(dynamodb.clone(), stack.ledger(), 90),
        customers: &Addresses(
            DynamoCustomers::new(
                dynamodb.clone(),
                stack.name("notification-preferences"),
                suppressions.clone(),
                key(),
            ),
            DynamoSuppressions::new(dynamodb.clone(), suppressions, key()),
        ),
        messages: &Messages(ProviderMessages::new(dynamodb.clone(), stack.name("provider-messages"))),
        traffic: &DynamoTraffic::for_keeper(dynamodb.clone(), stack.name("system-state"), SystemClock),
        allowance: &DynamoAllowance::new(dynamodb.clone(), stack.name("system-state"), key()),
        inbox: &Inboxes(DynamoInbox::new(dynamodb.clone(), stack.name("inbox"))),
        room: &DynamoWaitingRoom::new(dynamodb.clone(), stack.name("deferred-deliveries")),
        run: run_of(jiff::Timestamp::now()),
    };
    let told = script.play().await;
    // Nobody will ever send these: left there, they would look like messages that were lost.
    for id in script.left_behind() {
        let key = aws_sdk_dynamodb::types::AttributeValue::S(id.to_string());
        let delete = stack.dynamodb.delete_item().table_name(stack.ledger());
        delete.key("notificationId", key).send().await.unwrap();
    }
    if std::env::var_os("UPDATE_RECORDINGS").is_some() {
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/testkit/recorded/answers.txt");
        std::fs::write(file, &told).unwrap();
        return;
    }
    for (now, then) in told.lines().zip(ANSWERS.lines()) {
        assert_eq!(now, then);
    }
    assert_eq!(told.lines().count(), ANSWERS.lines().count());
}
