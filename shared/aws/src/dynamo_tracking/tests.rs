use super::*;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsError, TransactWriteItemsInput, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::CancellationReason;
use aws_sdk_dynamodb::types::error::{
    ConditionalCheckFailedException, InternalServerError, TransactionCanceledException,
};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::{Carrier, OrderStatus, OrderType, Standing, TrackingEvent};
use testkit::{at, order};
use tracking::ports::{Kept, OrdersKeep, OutgoingNews, ParcelNote, ParcelsKeep, Watch};
use tracking::{OrderRecord, Registration, WatchedParcel, Watching};

fn number() -> TrackingNumber {
    TrackingNumber::try_from("1Z12345E0205271688").unwrap()
}

fn table(rules: &[&Rule]) -> DynamoTracking {
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules, |config| {
        config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
    });
    DynamoTracking::new(client, "table".to_owned(), 400)
}

fn record() -> OrderRecord {
    OrderRecord {
        registration: Registration {
            user: None,
            email: None,
            phone: None,
            language: None,
            order_type: OrderType::Standard,
            order: order("456"),
            parcels: Vec::new(),
            told_at: at(1),
        },
        standing: Standing::default(),
        parcels: Vec::new(),
        needs_review: false,
        reviewed_at: None,
        wishes: None,
        created_at: at(1),
        updated_at: at(2),
        version: 3,
    }
}

fn saying(status: Option<OrderStatus>) -> Saying {
    let mut event = TrackingEvent::new(Carrier::Ups, number(), at(1));
    event.status = status;
    event.code = Some("OT/021".to_owned());
    Saying::of_carrier(event, at(2))
}

fn news() -> OutgoingNews {
    OutgoingNews {
        key: "k".to_owned(),
        event: "{}".to_owned(),
    }
}

fn cancelled(codes: &[&str]) -> TransactWriteItemsError {
    let reasons = codes
        .iter()
        .map(|code| CancellationReason::builder().code(*code).build())
        .collect();
    TransactWriteItemsError::TransactionCanceledException(
        TransactionCanceledException::builder()
            .set_cancellation_reasons(Some(reasons))
            .build(),
    )
}

#[tokio::test]
async fn an_order_and_its_news_are_written_together_over_the_version_that_was_read() {
    let is_right = |request: &TransactWriteItemsInput| {
        let puts: Vec<_> = request.transact_items().iter().filter_map(|item| item.put()).collect();
        let values = puts[0].expression_attribute_values().unwrap();
        puts.len() == 2
            && puts[0].condition_expression() == Some("version = :version")
            && values[":version"] == number_of_version(3)
            && puts[1].item()["waiting"] == text("news")
    };
    let rule = mock!(Client::transact_write_items)
        .match_requests(is_right)
        .then_output(|| TransactWriteItemsOutput::builder().build());
    let after = OrderRecord { version: 4, ..record() };
    let kept = table(&[&rule]).keep(Some(&record()), &after, &[news()]).await;
    assert_eq!(kept.unwrap(), Kept::Done);
}

fn number_of_version(version: u64) -> AttributeValue {
    crate::item::number(version)
}

#[tokio::test]
async fn what_another_has_written_or_is_writing_is_read_again_and_silence_is_told() {
    for codes in [["ConditionalCheckFailed", "None"], ["TransactionConflict", "None"]] {
        let rule = mock!(Client::transact_write_items).then_error(move || cancelled(&codes));
        let kept = table(&[&rule]).keep(None, &record(), &[]).await;
        assert_eq!(kept.unwrap(), Kept::Stale, "{codes:?}");
    }
    let throttled = mock!(Client::transact_write_items).then_error(|| cancelled(&["ThrottlingError"]));
    assert!(table(&[&throttled]).keep(None, &record(), &[]).await.is_err());
}

#[tokio::test]
async fn what_was_said_is_written_once_and_again_only_when_it_could_not_be_read_before() {
    for (status, condition) in [
        (None, "attribute_not_exists(about)"),
        (
            Some(OrderStatus::Shipped),
            "attribute_not_exists(about) OR attribute_exists(unread)",
        ),
    ] {
        let rule = mock!(Client::put_item)
            .match_requests(move |request| {
                request.condition_expression() == Some(condition)
                    && request
                        .item()
                        .is_some_and(|item| item.contains_key("unread") == status.is_none())
            })
            .then_output(|| PutItemOutput::builder().build());
        table(&[&rule]).hear(&number(), &[saying(status)]).await.unwrap();
    }
    let known = mock!(Client::put_item).then_error(|| {
        PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
    });
    table(&[&known]).hear(&number(), &[saying(None)]).await.unwrap();
    let silent = mock!(Client::put_item)
        .then_error(|| PutItemError::InternalServerError(InternalServerError::builder().build()));
    assert!(table(&[&silent]).hear(&number(), &[saying(None)]).await.is_err());
}

#[tokio::test]
async fn a_parcel_is_read_with_all_that_was_said_and_the_orders_that_it_belongs_to() {
    let said = saying(Some(OrderStatus::Shipped));
    let json = serde_json::to_string(&said).unwrap();
    let rule = mock!(Client::query)
        .match_requests(|request| request.consistent_read() == Some(true))
        .then_output(move || {
            let item = |pairs: &[(&str, AttributeValue)]| -> Item {
                pairs
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), value.clone()))
                    .collect()
            };
            QueryOutput::builder()
                .items(item(&[("item", text("order#456"))]))
                .items(item(&[
                    ("item", text("parcel")),
                    ("carrier", text("ups")),
                    ("registeredAt", crate::item::moment(at(1))),
                ]))
                .items(item(&[("item", text("said#x")), ("saying", text(json.clone()))]))
                .build()
        });
    let file = table(&[&rule]).read_parcel(&number()).await.unwrap();
    assert_eq!(file.orders, [OrderId::try_from("456").unwrap()]);
    assert_eq!(file.sayings, [said]);
    assert_eq!(file.record.unwrap().carrier, Some(Carrier::Ups));
}

#[tokio::test]
async fn what_is_kept_in_another_shape_is_never_passed_over() {
    let rule = mock!(Client::query).then_output(|| {
        let item: Item = [("item", "said#x"), ("saying", "{}")]
            .map(|(name, value)| (name.to_owned(), text(value)))
            .into();
        QueryOutput::builder().items(item).build()
    });
    let error = table(&[&rule]).read_parcel(&number()).await.unwrap_err();
    assert!(domain::chain(&error).contains("is not what is kept there"));
}

fn updating(is_right: fn(&UpdateItemInput) -> bool) -> Rule {
    mock!(Client::update_item)
        .match_requests(is_right)
        .then_output(|| UpdateItemOutput::builder().build())
}

#[tokio::test]
async fn a_parcel_whose_way_is_over_leaves_the_watch_and_comes_back_when_it_goes_on() {
    let over = updating(|request| {
        request.update_expression() == Some("SET lastHeardAt = :heard REMOVE watch, dueAt")
            && request.condition_expression() == Some("attribute_exists(carrier)")
    });
    let note = ParcelNote {
        last_heard_at: Some(at(3)),
        has_ended: true,
    };
    table(&[&over]).note(&number(), &note).await.unwrap();
    let goes_on = updating(|request| {
        request.update_expression()
            == Some("SET watch = if_not_exists(watch, carrier), dueAt = if_not_exists(dueAt, :now)")
    });
    let note = ParcelNote {
        last_heard_at: None,
        has_ended: false,
    };
    table(&[&goes_on]).note(&number(), &note).await.unwrap();
}

#[tokio::test]
async fn whoever_looked_after_a_parcel_meanwhile_is_not_overruled() {
    let parcel = WatchedParcel {
        number: number(),
        carrier: Carrier::Ups,
        registered_at: at(1),
        last_heard_at: None,
        watching: Watching {
            due_at: Some(at(2)),
            ..Watching::default()
        },
    };
    let ours = updating(|request| {
        request.condition_expression() == Some("dueAt = :before")
            && request.update_expression() == Some("SET failures = :failures REMOVE watch, dueAt")
    });
    table(&[&ours]).reschedule(&parcel, &Watching::default()).await.unwrap();
    let theirs = mock!(Client::update_item).then_error(|| {
        UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
    });
    table(&[&theirs])
        .reschedule(&parcel, &Watching::default())
        .await
        .unwrap();
}
