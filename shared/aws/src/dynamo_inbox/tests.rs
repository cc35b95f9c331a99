//! What each answer of the table means, and which question leads to it.

use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemOutput;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::query::{QueryError, QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, InternalServerError};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use testkit::{at, note};

use super::*;

const NOW: i64 = 1_795_168_800;

fn inbox(rules: &[&Rule]) -> DynamoInbox {
    let client = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, rules, |config| {
        config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
    });
    DynamoInbox::new(client, "inbox".to_owned())
}

fn ana() -> UserId {
    UserId::try_from("ana").unwrap()
}

fn item(nth: u8) -> Item {
    note_item(&ana(), &note(nth, at(NOW - i64::from(nth))), at(NOW + 1))
}

fn out_of_reach() -> Rule {
    mock!(Client::query).then_error(|| QueryError::InternalServerError(InternalServerError::builder().build()))
}

fn finding(matches: fn(&QueryInput) -> bool, output: fn() -> QueryOutput) -> Rule {
    mock!(Client::query).match_requests(matches).then_output(output)
}

#[test]
fn a_note_reads_back_as_it_was_written_and_only_an_unread_one_stands_in_the_sparse_index() {
    let unread = note(1, at(NOW));
    let stored = note_item(&ana(), &unread, at(NOW + 1));
    assert!(stored.contains_key("unreadSince") && !stored.contains_key("readAt"));
    assert_eq!(note_of(&stored), Some(unread.clone()));
    let read = Note {
        link: Some("https://shop.example.com".to_owned()),
        status: Some(domain::OrderStatus::Shipped),
        read_at: Some(at(NOW + 5)),
        ..unread
    };
    let stored = note_item(&ana(), &read, at(NOW + 1));
    assert!(!stored.contains_key("unreadSince"));
    assert_eq!(note_of(&stored), Some(read));
}

#[tokio::test]
async fn a_note_is_put_once_and_kept_for_its_days() {
    let rule = mock!(Client::put_item)
        .match_requests(|request| {
            let expires_at = request.item().and_then(|item| item.get("expiresAt"));
            request.condition_expression() == Some("attribute_not_exists(notificationId)")
                && expires_at == Some(&crate::item::number(NOW + 90 * 86_400))
        })
        .then_output(|| PutItemOutput::builder().build());
    let answer = inbox(&[&rule]).put(&ana(), &note(1, at(NOW)), 90).await;
    assert!(matches!(answer, SendAnswer::Accepted { .. }), "{answer:?}");
}

async fn answer_to(refusal: fn() -> PutItemError) -> SendAnswer {
    let rule = mock!(Client::put_item).then_error(refusal);
    inbox(&[&rule]).put(&ana(), &note(1, at(NOW)), 90).await
}

#[tokio::test]
async fn a_note_that_is_there_already_is_accepted() {
    let there = || PutItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build());
    assert!(matches!(answer_to(there).await, SendAnswer::Accepted { .. }));
}

#[tokio::test]
async fn a_put_of_which_nobody_knows_may_be_repeated() {
    let rule = mock!(Client::put_item)
        .then_http_response(|| aws_sdk_dynamodb::config::http::HttpResponse::new(500.try_into().unwrap(), "{}".into()));
    let answer = inbox(&[&rule]).put(&ana(), &note(1, at(NOW)), 90).await;
    assert!(matches!(answer, SendAnswer::Repeatable { .. }), "{answer:?}");
}

#[test]
fn every_refusal_of_the_table_has_its_meaning() {
    let meant = |code: &str| meaning(code, "", 400);
    assert!(matches!(meant("ValidationException"), SendAnswer::Refused { .. }));
    assert!(matches!(
        meant("ProvisionedThroughputExceededException"),
        SendAnswer::Throttled { .. }
    ));
    assert!(matches!(meant("ThrottlingException"), SendAnswer::Throttled { .. }));
    assert!(matches!(meant("AccessDeniedException"), SendAnswer::Limited { .. }));
    assert!(matches!(meant("ResourceNotFoundException"), SendAnswer::Limited { .. }));
    assert!(matches!(meant("SomethingNew"), SendAnswer::Repeatable { .. }));
}

#[tokio::test]
async fn a_full_page_names_the_place_of_the_next() {
    let rule = finding(
        |request| {
            request.index_name() == Some(BY_TIME)
                && request.limit() == Some(3)
                && request.scan_index_forward() == Some(false)
                && request.exclusive_start_key().is_none()
        },
        || {
            QueryOutput::builder()
                .set_items(Some(vec![item(1), item(2), item(3)]))
                .build()
        },
    );
    let page = inbox(&[&rule]).page(&ana(), None, 2, false).await.unwrap();
    let second = note(2, at(NOW - 2));
    assert_eq!(page.next, Some(InboxPlace::from(&second)));
    assert_eq!(page.notes, [note(1, at(NOW - 1)), second]);
}

#[tokio::test]
async fn a_page_of_unread_notes_goes_on_in_the_callers_own_inbox_and_is_fetched_by_its_keys() {
    let rule = finding(
        |request| {
            let start = request.exclusive_start_key();
            let is_own = start.and_then(|start| start.get("userId")) == Some(&text("ana"));
            let since = start.and_then(|start| start.get("unreadSince"));
            request.index_name() == Some(UNREAD) && is_own && since == Some(&moment(at(NOW)))
        },
        || QueryOutput::builder().set_items(Some(vec![item(1), item(2)])).build(),
    );
    let fetched = mock!(Client::batch_get_item).then_output(|| {
        let mut read = note(2, at(NOW - 2));
        read.read_at = Some(at(NOW));
        let read = note_item(&ana(), &read, at(NOW + 1));
        BatchGetItemOutput::builder()
            .responses("inbox", vec![read, item(1)])
            .build()
    });
    let from = InboxPlace {
        created_at: at(NOW),
        id: note(9, at(NOW)).id,
    };
    let page = inbox(&[&rule, &fetched])
        .page(&ana(), Some(from), 10, true)
        .await
        .unwrap();
    // The second was read between the two questions.
    assert_eq!((page.notes, page.next), (vec![note(1, at(NOW - 1))], None));
}

#[tokio::test]
async fn a_page_that_the_table_cuts_short_is_filled_up() {
    let first = finding(
        |_| true,
        || {
            QueryOutput::builder()
                .set_items(Some(vec![item(1)]))
                .set_last_evaluated_key(Some(item(1)))
                .build()
        },
    );
    let second = finding(
        |request| request.limit() == Some(2) && request.exclusive_start_key().is_some(),
        || QueryOutput::builder().set_items(Some(vec![item(2)])).build(),
    );
    let page = inbox(&[&first, &second]).page(&ana(), None, 2, false).await.unwrap();
    assert_eq!((page.notes.len(), page.next), (2, None));
}

#[tokio::test]
async fn unread_notes_are_counted_up_to_a_thousand() {
    let rule = finding(
        |request| request.limit() == Some(1_000) && request.select() == Some(&Select::Count),
        || {
            QueryOutput::builder()
                .count(1_000)
                .set_last_evaluated_key(Some(item(1)))
                .build()
        },
    );
    let unread = inbox(&[&rule]).unread(&ana()).await.unwrap();
    let expected = Unread {
        count: 1_000,
        is_more: true,
    };
    assert_eq!(unread, expected);
    let rule = finding(|_| true, || QueryOutput::builder().count(3).build());
    let unread = inbox(&[&rule]).unread(&ana()).await.unwrap();
    assert_eq!((unread.count, unread.is_more), (3, false));
}

fn refusing_to_mark() -> Rule {
    mock!(Client::update_item).then_error(|| {
        UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
    })
}

#[tokio::test]
async fn an_unread_note_is_marked_and_leaves_the_sparse_index() {
    let rule = mock!(Client::update_item)
        .match_requests(|request| {
            let now = request
                .expression_attribute_values()
                .and_then(|values| values.get(":now"));
            request.update_expression() == Some("SET readAt = :now REMOVE unreadSince") && now == Some(&moment(at(NOW)))
        })
        .then_output(|| UpdateItemOutput::builder().build());
    let id = note(1, at(NOW)).id;
    assert!(inbox(&[&rule]).mark(&ana(), id, at(NOW)).await.unwrap());
}

#[tokio::test]
async fn a_note_that_was_read_before_is_known_and_that_of_another_is_not() {
    let id = note(1, at(NOW)).id;
    let found = mock!(Client::get_item).then_output(|| GetItemOutput::builder().set_item(Some(item(1))).build());
    let known = inbox(&[&refusing_to_mark(), &found]).mark(&ana(), id, at(NOW)).await;
    assert!(known.unwrap());
    let nothing = mock!(Client::get_item).then_output(|| GetItemOutput::builder().build());
    let known = inbox(&[&refusing_to_mark(), &nothing]).mark(&ana(), id, at(NOW)).await;
    assert!(!known.unwrap());
}

#[tokio::test]
async fn all_are_marked_step_by_step_until_none_is_left() {
    let first = finding(
        |request| request.limit() == Some(STEP) && request.exclusive_start_key().is_none(),
        || {
            QueryOutput::builder()
                .set_items(Some(vec![item(1), item(2)]))
                .set_last_evaluated_key(Some(item(2)))
                .build()
        },
    );
    let marked = || mock!(Client::update_item).then_output(|| UpdateItemOutput::builder().build());
    let second = finding(
        |request| request.exclusive_start_key().is_none(),
        || QueryOutput::builder().set_items(Some(vec![item(3)])).build(),
    );
    let rules = [&first, &marked(), &marked(), &second, &refusing_to_mark()];
    let done = inbox(&rules).mark_all(&ana(), at(NOW)).await.unwrap();
    // The third was read by somebody else meanwhile.
    let expected = MarkedAll {
        count: 2,
        is_more: false,
    };
    assert_eq!(done, expected);
}

#[tokio::test]
async fn a_table_out_of_reach_is_no_empty_inbox() {
    assert!(inbox(&[&out_of_reach()]).page(&ana(), None, 10, false).await.is_err());
    assert!(inbox(&[&out_of_reach()]).unread(&ana()).await.is_err());
    assert!(inbox(&[&out_of_reach()]).mark_all(&ana(), at(NOW)).await.is_err());
}
