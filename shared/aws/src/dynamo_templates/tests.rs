//! What the templates ask of DynamoDB, and what they make of each answer.

use super::*;
use crate::item::Item;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemError, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::scan::ScanOutput;
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::types::CancellationReason;
use aws_sdk_dynamodb::types::error::{
    ConditionalCheckFailedException, InternalServerError, TransactionCanceledException,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::{Channel, Language, Published};
use std::collections::BTreeMap;
use testkit::at;

const SHIPPED: &str = "order_status_update.shipped/email/es";

fn version(number: u32, state: VersionState) -> TemplateVersion {
    TemplateVersion {
        template: SHIPPED.to_owned(),
        version: number,
        state,
        channel: Channel::Email,
        language: Language::Es,
        words: BTreeMap::from([("subject".to_owned(), "De camino".to_owned())]),
        variables: Vec::new(),
        note: None,
        by: "olga".to_owned(),
        created_at: at(1),
        published: None,
    }
}

fn table(rules: &[&Rule]) -> DynamoTemplates {
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules, |config| {
        config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
    });
    DynamoTemplates::new(client, "templates".to_owned())
}

/// Version 2 in the place of version 1.
fn switch() -> Switch {
    let versions = [version(1, VersionState::Live), version(2, VersionState::Draft)];
    let olga = Published {
        at: at(9),
        by: "olga".to_owned(),
    };
    Switch::publish(&InForce::default().with(SHIPPED, 1), &versions, (SHIPPED, 2), olga).unwrap()
}

fn cancelled(codes: &'static [&'static str]) -> Rule {
    mock!(Client::transact_write_items).then_error(|| {
        let reasons = codes
            .iter()
            .map(|code| CancellationReason::builder().code(*code).build());
        let cancelled = TransactionCanceledException::builder().set_cancellation_reasons(Some(reasons.collect()));
        TransactWriteItemsError::TransactionCanceledException(cancelled.build())
    })
}

/// The update of a transaction's member, as condition, key and values.
fn update(request: &TransactWriteItemsInput, nth: usize) -> Update {
    request.transact_items()[nth].update().unwrap().clone()
}

#[tokio::test]
async fn a_table_that_says_nothing_overrides_nothing() {
    let rule = mock!(Client::get_item)
        .match_requests(|request| request.key() == Some(&key("live", 0)) && request.consistent_read() == Some(true))
        .then_output(|| GetItemOutput::builder().build());
    assert_eq!(table(&[&rule]).in_force().await.unwrap(), InForce::default());
}

#[tokio::test]
async fn what_is_in_force_is_one_item() {
    let in_force = InForce::default().with(SHIPPED, 2);
    let item = in_force_item(&in_force);
    let rule =
        mock!(Client::get_item).then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build());
    assert_eq!(table(&[&rule]).in_force().await.unwrap(), in_force);
}

#[tokio::test]
async fn a_failed_look_is_no_answer() {
    let failing = || InternalServerError::builder().build();
    let get = mock!(Client::get_item).then_error(move || GetItemError::InternalServerError(failing()));
    assert!(table(&[&get]).in_force().await.is_err());
    let batch = mock!(Client::batch_get_item).then_error(move || BatchGetItemError::InternalServerError(failing()));
    assert!(table(&[&batch]).load(&[(SHIPPED.to_owned(), 1)]).await.is_err());
}

#[tokio::test]
async fn versions_are_read_by_template_and_number_and_broken_ones_are_missing() {
    let rule = mock!(Client::batch_get_item)
        .match_requests(|request| {
            let keys = request
                .request_items()
                .and_then(|tables| tables.get("templates"))
                .unwrap()
                .keys();
            keys == [key(SHIPPED, 1), key(SHIPPED, 2)]
        })
        .then_output(|| {
            let items = vec![key(SHIPPED, 1), version_item(&version(2, VersionState::Live))];
            BatchGetItemOutput::builder().responses("templates", items).build()
        });
    let asked = [(SHIPPED.to_owned(), 1), (SHIPPED.to_owned(), 2)];
    let found = table(&[&rule]).load(&asked).await.unwrap();
    assert_eq!(found, [version(2, VersionState::Live)]);
}

#[tokio::test]
async fn a_number_that_is_taken_is_not_written_over() {
    let free = mock!(Client::put_item)
        .match_requests(|request| request.condition_expression() == Some("attribute_not_exists(#template)"))
        .then_output(|| PutItemOutput::builder().build());
    let taken = mock!(Client::put_item).then_error(|| {
        PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
    });
    let draft = version(1, VersionState::Draft);
    let table = table(&[&free, &taken]);
    assert!(table.store(&draft).await.unwrap());
    assert!(!table.store(&draft).await.unwrap());
}

#[tokio::test]
async fn publishing_is_one_transaction_of_the_two_versions_and_what_is_in_force() {
    let rule = mock!(Client::transact_write_items)
        .match_requests(|request| {
            let (old, new) = (update(request, 0), update(request, 1));
            let value = |update: &Update, name: &str| update.expression_attribute_values().unwrap()[name].clone();
            let put = request.transact_items()[2].put().unwrap();
            *old.key() == key(SHIPPED, 1)
                && *new.key() == key(SHIPPED, 2)
                && old.condition_expression() == Some("#state = :from")
                && value(&old, ":from") == text("live")
                && value(&old, ":to") == text("retired")
                && value(&new, ":from") == text("draft")
                && value(&new, ":to") == text("live")
                && value(&new, ":by") == text("olga")
                && put.condition_expression() == Some("#revision = :seen")
                && put.expression_attribute_values().unwrap()[":seen"] == number(1)
                && in_force_of(put.item()).version_of(SHIPPED) == Some(2)
        })
        .then_output(|| TransactWriteItemsOutput::builder().build());
    assert!(table(&[&rule]).switch(&switch()).await.unwrap());
}

#[tokio::test]
async fn the_first_change_expects_that_nothing_was_ever_in_force() {
    let rule = mock!(Client::transact_write_items)
        .match_requests(|request| {
            let put = request.transact_items()[0].put().unwrap();
            put.condition_expression() == Some("attribute_not_exists(#revision)")
        })
        .then_output(|| TransactWriteItemsOutput::builder().build());
    let switch = Switch {
        in_force: Some(InForce::default().with(SHIPPED, 1)),
        moves: Vec::new(),
        by: "olga".to_owned(),
        at: at(9),
    };
    assert!(table(&[&rule]).switch(&switch).await.unwrap());
}

#[tokio::test]
async fn whoever_comes_second_is_told_so() {
    for codes in [
        &["None", "ConditionalCheckFailed"][..],
        &["TransactionConflict", "None"][..],
    ] {
        assert!(
            !table(&[&cancelled(codes)]).switch(&switch()).await.unwrap(),
            "{codes:?}"
        );
    }
}

#[tokio::test]
async fn a_change_that_failed_otherwise_says_so() {
    for codes in [
        &["None", "ThrottlingError"][..],
        &["ConditionalCheckFailed", "ThrottlingError"][..],
        &[][..],
    ] {
        assert!(
            table(&[&cancelled(codes)]).switch(&switch()).await.is_err(),
            "{codes:?}"
        );
    }
}

#[tokio::test]
async fn a_templates_versions_are_read_page_by_page() {
    let one = mock!(Client::query).then_output(|| {
        QueryOutput::builder()
            .items(version_item(&version(1, VersionState::Retired)))
            .set_last_evaluated_key(Some(key(SHIPPED, 1)))
            .build()
    });
    let two = mock!(Client::query)
        .match_requests(|request| request.exclusive_start_key() == Some(&key(SHIPPED, 1)))
        .then_output(|| {
            QueryOutput::builder()
                .items(version_item(&version(2, VersionState::Draft)))
                .build()
        });
    let versions = table(&[&one, &two]).versions_of(SHIPPED).await.unwrap();
    assert_eq!(
        versions,
        [version(1, VersionState::Retired), version(2, VersionState::Draft)]
    );
}

#[tokio::test]
async fn the_whole_table_is_listed_without_what_is_no_version() {
    let rule = mock!(Client::scan).then_output(|| {
        let items: Vec<Item> = vec![
            in_force_item(&InForce::default()),
            version_item(&version(1, VersionState::Draft)),
        ];
        ScanOutput::builder().set_items(Some(items)).build()
    });
    assert_eq!(table(&[&rule]).all().await.unwrap(), [version(1, VersionState::Draft)]);
}
