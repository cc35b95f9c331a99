//! What the ledger asks of DynamoDB, and what it makes of each answer.

use super::*;
use aws_sdk_dynamodb::operation::batch_execute_statement::BatchExecuteStatementOutput;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
use aws_sdk_dynamodb::types::BatchStatementError;
use aws_sdk_dynamodb::types::error::InternalServerError;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::{Delivery, Language, Lease, ParcelMark, Past, Preferences, SmsEncoding, SmsSize, State, Written, decide};
use proptest::prelude::*;
use testkit::{at, shipped, shop_defaults};

/// An invocation as the senders name it.
const OWNER: &str = "579b5034-7f1a-85f1-b8fb-eb0077b4314d/0a1b2c3d/0";

fn notification() -> Notification {
    let event = shipped("ana", "456", at(1_795_168_800));
    let plan = decide(&event, &Preferences::default(), &shop_defaults(), at(1_795_168_801));
    Notification::planned(&event, &plan, &shop_defaults(), "me", at(1_795_168_801))
}

fn as_item(notification: &Notification) -> Item {
    insert_values(notification, 90)
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn failing(code: BatchStatementErrorCodeEnum, item: Option<Item>) -> Rule {
    mock!(Client::batch_execute_statement).then_output(move || {
        let error = BatchStatementError::builder()
            .code(code.clone())
            .set_item(item.clone())
            .build();
        BatchExecuteStatementOutput::builder()
            .responses(BatchStatementResponse::builder().error(error).build())
            .build()
    })
}

fn ledger(rules: &[&Rule]) -> DynamoLedger {
    DynamoLedger::new(
        mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules, |config| {
            config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
        }),
        "ledger".to_owned(),
        90,
    )
}

fn claim() -> Step {
    let from = Delivery::queued(at(1));
    let (guard, next) = from.claim(
        Lease {
            owner: "me".to_owned(),
            until: at(90),
        },
        at(2),
    );
    Step {
        id: notification().id,
        channel: Channel::Email,
        guard,
        from,
        next,
        channels: None,
    }
}

#[test]
fn a_new_notification_fits_into_one_write_unit() {
    let mut notification = notification();
    notification.user = domain::UserId::try_from("8f14e45f-ceea-467f-a0e6-6b2d6f9b8a55").ok();
    notification.parcel = Some(ParcelMark::of("1Z999AA10123456784"));
    let size = size_in_table(&notification);
    assert!(
        size < 900,
        "{size} bytes leave no room for owner and message id below 1 KB"
    );
}

#[test]
fn a_notification_that_was_sent_by_every_channel_takes_two_write_units_at_most() {
    let mut notification = notification();
    notification.recorded_by = OWNER.to_owned();
    notification.user = domain::UserId::try_from("8f14e45f-ceea-467f-a0e6-6b2d6f9b8a55").ok();
    notification.parcel = Some(ParcelMark::of("1Z999AA10123456784"));
    let size = SmsSize {
        encoding: SmsEncoding::Gsm7,
        segments: 2,
    };
    for (channel, delivery) in &mut notification.deliveries {
        let (_, claimed) = delivery.claim(
            Lease {
                owner: OWNER.to_owned(),
                until: at(1_795_168_890),
            },
            at(1_795_168_802),
        );
        let (written, message_id) = match channel {
            Channel::Email => (
                Written::email(Language::Es, "built-in-1a2b3c4d"),
                "010201936ad1f2a8-5c0b7a5e-0a0e-4d7e-8d3f-3a1f6a4b9c2d-000000",
            ),
            Channel::Sms | Channel::Push => (
                Written::sms(Language::Es, "built-in-1a2b3c4d", size),
                "5c0b7a5e-0a0e-5d7e-8d3f-3a1f6a4b9c2d",
            ),
            Channel::InApp => (Written::email(Language::Es, "built-in-1a2b3c4d"), "inbox"),
        };
        *delivery = Delivery {
            message_id: Some(message_id.to_owned()),
            ..claimed.offered(Some(written)).close(State::Sent, "", at(1_795_168_803))
        };
        delivery.reason = None;
    }
    let size = size_in_table(&notification);
    assert!(size < 1_300, "{size} bytes");
}

#[test]
fn what_cannot_be_read_of_how_it_was_written_is_not_there() {
    let read = |text_of_written: Option<&str>| {
        let mut delivery = delivery_item(&Delivery::queued(at(1)));
        delivery.extend(text_of_written.map(|words| ("written".to_owned(), text(words))));
        let item = Item::from([("sms".to_owned(), AttributeValue::M(delivery))]);
        delivery_of(&item, Channel::Sms).map(|delivery| delivery.written)
    };
    for words in [
        "",
        "es",
        "es -",
        "xx - built-in",
        "es gsm8/1 built-in",
        "es gsm7/many built-in",
    ] {
        assert_eq!(read(Some(words)), Some(None), "{words}");
    }
    assert_eq!(read(None), Some(None));
    assert_eq!(read(Some("es - a b")), Some(Some(Written::email(Language::Es, "a b"))));
}

fn size_in_table(notification: &Notification) -> usize {
    let values = insert_values(notification, 90);
    values.iter().map(|(name, value)| name.len() + size_of(value)).sum()
}

/// Sizes by the Developer Guide, "DynamoDB item sizes and formats".
fn size_of(value: &AttributeValue) -> usize {
    if let Ok(list) = value.as_l() {
        return 3 + list.iter().map(|value| 1 + size_of(value)).sum::<usize>();
    }
    if let Ok(map) = value.as_m() {
        return 3 + map
            .iter()
            .map(|(name, value)| 1 + name.len() + size_of(value))
            .sum::<usize>();
    }
    value.as_s().map_or_else(
        |_not_text| value.as_n().map_or(1, |number| number.len() / 2 + 2),
        String::len,
    )
}

#[test]
fn a_notification_reads_back_as_it_was_written() {
    assert_eq!(notification_of(&as_item(&notification())), Some(notification()));
}

#[test]
fn the_news_of_one_parcel_read_back_as_such() {
    let of_a_parcel = Notification {
        parcel: Some(ParcelMark::of("1Z999AA10123456784")),
        ..notification()
    };
    assert_eq!(notification_of(&as_item(&of_a_parcel)), Some(of_a_parcel));
}

#[test]
fn a_delivery_that_went_straight_pays_for_no_past() {
    let item = delivery_item(&Delivery::queued(at(1)));
    for name in ["openedAt", "clickedAt", "trail"] {
        assert!(!item.contains_key(name), "{name}");
    }
}

#[test]
fn a_claim_is_one_comparison_of_claim_time_and_attempt_and_tells_no_result() {
    let request = ledger(&[]).update(&claim()).unwrap();
    assert_eq!(
        request.statement(),
        "UPDATE \"ledger\" SET \"email\"=? WHERE \"notificationId\"=? AND \"email\".\"claimableAt\"<=? AND \"email\".\"attempt\"=?"
    );
}

#[test]
fn an_acceptance_is_told_and_counted() {
    let claimed = claim().next;
    let accepted = domain::ports::SendAnswer::Accepted {
        message_id: "m".to_owned(),
    };
    let next = claimed.settle(&accepted, &domain::RetryPolicy::default(), 0.5, at(3));
    let step = Step {
        guard: claimed.owners_guard(),
        from: claimed,
        next,
        ..claim()
    };
    let request = ledger(&[]).update(&step).unwrap();
    assert!(
        request
            .statement()
            .contains("SET \"results\"[0]=? SET \"successfulChannels\"=\"successfulChannels\"+?")
    );
    assert!(
        request.statement().ends_with("\"email\".\"state\" IN [?,?]"),
        "{}",
        request.statement()
    );
}

#[test]
fn what_was_not_asked_for_is_reopened_on_that_reason_alone() {
    let reason = domain::Reason::NotAskedFor;
    let step = Step {
        guard: domain::Guard::SkippedFor { reason },
        from: Delivery::never_sent(domain::State::Skipped, reason, at(1)),
        next: Delivery::queued(at(2)),
        ..claim()
    };
    let request = ledger(&[]).update(&step).unwrap();
    assert!(
        request
            .statement()
            .ends_with("\"email\".\"attempt\"=? AND \"email\".\"state\"=? AND \"email\".\"reason\"=?"),
        "{}",
        request.statement()
    );
}

#[tokio::test]
async fn a_failed_condition_shows_what_stands_there() {
    let rule = failing(
        BatchStatementErrorCodeEnum::ConditionalCheckFailed,
        Some(as_item(&notification())),
    );
    let answers = ledger(&[&rule]).advance(&[claim()]).await;
    assert!(
        matches!(&answers[0], Ok(Advanced::Refused(current)) if current.state == State::Queued),
        "{answers:?}"
    );
}

#[tokio::test]
async fn a_failed_condition_without_an_item_means_that_nothing_is_there() {
    let rule = failing(BatchStatementErrorCodeEnum::ConditionalCheckFailed, None);
    assert!(matches!(
        ledger(&[&rule]).advance(&[claim()]).await[0],
        Ok(Advanced::Unknown)
    ));
}

#[tokio::test]
async fn a_throttled_statement_fails_alone() {
    let rule = failing(BatchStatementErrorCodeEnum::ThrottlingError, None);
    assert!(ledger(&[&rule]).advance(&[claim()]).await[0].is_err());
}

#[tokio::test]
async fn a_duplicate_is_looked_up() {
    let duplicate = failing(BatchStatementErrorCodeEnum::DuplicateItem, None);
    let found = mock!(Client::batch_get_item)
        .match_requests(|request| {
            request
                .request_items()
                .and_then(|tables| tables.get("ledger"))
                .is_some_and(|keys| keys.consistent_read() == Some(true))
        })
        .then_output(|| {
            BatchGetItemOutput::builder()
                .responses("ledger", vec![as_item(&notification())])
                .build()
        });
    let recorded = ledger(&[&duplicate, &found]).record(&[notification()]).await;
    assert!(matches!(&recorded[0], Ok(Recorded::AlreadyThere(existing)) if **existing == notification()));
}

fn found(orders: &'static [&'static str]) -> Rule {
    mock!(Client::batch_get_item).then_output(|| {
        let items = orders.iter().map(|order| as_item(&news_of(order))).collect();
        BatchGetItemOutput::builder().responses("ledger", items).build()
    })
}

fn news_of(order: &str) -> Notification {
    let event = shipped("ana", order, at(1_795_168_800));
    let plan = decide(&event, &Preferences::default(), &shop_defaults(), at(1_795_168_801));
    Notification::planned(&event, &plan, &shop_defaults(), "me", at(1_795_168_801))
}

fn indexed(order: &'static str) -> Rule {
    mock!(Client::query)
        .match_requests(move |request| {
            let value = |name: &str| {
                request
                    .expression_attribute_values()
                    .and_then(|values| values.get(name))
            };
            request.index_name() == Some("orderId-timestamp-index")
                && request.scan_index_forward() == Some(false)
                && value(":order") == Some(&text(order))
                && value(":since") == Some(&number(1_795_168_800))
        })
        .then_output(move || {
            let id = text(news_of(order).id.to_string());
            let item = Item::from([("notificationId".to_owned(), id)]);
            QueryOutput::builder().items(item).build()
        })
}

fn asking(rules: &[&Rule]) -> DynamoLedger {
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules, |config| {
        config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
    });
    DynamoLedger::new(client, "ledger".to_owned(), 90)
}

fn order_of(order: &str) -> (OrderId, Timestamp) {
    (OrderId::try_from(order).unwrap(), at(1_795_168_800))
}

#[tokio::test]
async fn what_the_ledger_does_not_know_is_missing() {
    let rule = found(&["456"]);
    let unknown = NotificationId::from_digest([9; 16]);
    let loaded = ledger(&[&rule]).load(&[news_of("456").id, unknown]).await.unwrap();
    assert_eq!(loaded, HashMap::from([(news_of("456").id, news_of("456"))]));
}

#[tokio::test]
async fn the_news_of_all_orders_are_read_in_one_request() {
    let (one, other, read) = (indexed("456"), indexed("789"), found(&["456", "789"]));
    let news = asking(&[&one, &other, &read])
        .since(&[order_of("456"), order_of("789")])
        .await
        .unwrap();
    for order in ["456", "789"] {
        assert_eq!(news[&order_of(order).0], [News::from(&news_of(order))]);
    }
    assert_eq!((one.num_calls(), other.num_calls(), read.num_calls()), (1, 1, 1));
}

#[tokio::test]
async fn an_order_without_news_is_missing() {
    let rule = mock!(Client::query).then_output(|| QueryOutput::builder().build());
    assert_eq!(
        asking(&[&rule]).since(&[order_of("456")]).await.unwrap(),
        HashMap::new()
    );
}

#[tokio::test]
async fn one_order_that_cannot_be_asked_about_is_no_answer_for_all() {
    let one = indexed("456");
    let other =
        mock!(Client::query).then_error(|| QueryError::InternalServerError(InternalServerError::builder().build()));
    let news = asking(&[&one, &other]).since(&[order_of("456"), order_of("789")]).await;
    assert!(news.is_err());
}

fn moments() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000_000).prop_map(|ms| Timestamp::from_millisecond(ms).unwrap())
}

fn trails() -> impl Strategy<Value = Vec<Past>> {
    let past = (
        prop::sample::select(State::ALL.to_vec()),
        prop::option::of("[ -~]{1,60}"),
        any::<u32>(),
        moments(),
        1_u32..9,
    );
    let past = past.prop_map(|(state, reason, attempt, at, times)| Past {
        state,
        reason,
        attempt,
        at,
        times,
    });
    prop::collection::vec(past, 0..13)
}

fn writings() -> impl Strategy<Value = Written> {
    let encodings = prop::sample::select(vec![SmsEncoding::Gsm7, SmsEncoding::Ucs2]);
    let size = (encodings, any::<u8>()).prop_map(|(encoding, segments)| SmsSize { encoding, segments });
    let languages = prop::sample::select(Language::ALL.to_vec());
    (languages, "[ -~]{1,64}", prop::option::of(size)).prop_map(|(language, template, sms)| Written {
        language,
        template,
        sms,
    })
}

fn deliveries() -> impl Strategy<Value = Delivery> {
    let standing = (
        prop::sample::select(State::ALL.to_vec()),
        prop::option::of(moments()),
        any::<u32>(),
        0_u32..9,
        0_u32..9,
        prop::option::of("[ -~]{1,60}"),
        moments(),
        any::<bool>(),
    );
    let known = (
        prop::option::of(("[a-z0-9-]{1,40}", moments())),
        prop::option::of("[a-z0-9-]{1,60}"),
        prop::option::of(moments()),
        prop::option::of(moments()),
        trails(),
        prop::option::of(writings()),
    );
    (standing, known).prop_map(
        |(
            (state, claimable_at, attempt, failures, generation, reason, changed_at, is_dead_lettered),
            (lease, message_id, opened_at, clicked_at, trail, written),
        )| Delivery {
            state,
            claimable_at,
            attempt,
            failures,
            generation,
            lease: lease.map(|(owner, until)| Lease { owner, until }),
            message_id,
            written,
            reason,
            changed_at,
            is_dead_lettered,
            opened_at,
            clicked_at,
            trail,
        },
    )
}

proptest! {
    #[test]
    fn every_delivery_reads_back_as_it_was_written(delivery in deliveries()) {
        let item = Item::from([("sms".to_owned(), AttributeValue::M(delivery_item(&delivery)))]);
        prop_assert_eq!(delivery_of(&item, Channel::Sms), Some(delivery));
    }
}
