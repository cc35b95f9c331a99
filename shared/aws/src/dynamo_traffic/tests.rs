//! What the shared traffic asks of DynamoDB, and what it makes of each answer.

use super::*;
use aws_sdk_dynamodb::operation::get_item::{GetItemError, GetItemOutput};
use aws_sdk_dynamodb::operation::update_item::{UpdateItemInput, UpdateItemOutput};
use aws_sdk_dynamodb::types::error::{ConditionalCheckFailedException, InternalServerError};
use aws_sdk_sqs::operation::send_message::{SendMessageError, SendMessageOutput};
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use testkit::{HandClock, at};

fn client(rules: &[&Rule]) -> Client {
    mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules, |config| {
        config.retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled())
    })
}

fn traffic(rules: &[&Rule], ring: &Rule) -> DynamoTraffic<HandClock> {
    DynamoTraffic::for_sender(client(rules), "state".to_owned(), HandClock::at(at(1_000)), bell(ring))
}

fn keepers(rules: &[&Rule]) -> DynamoTraffic<HandClock> {
    DynamoTraffic::for_keeper(client(rules), "state".to_owned(), HandClock::at(at(1_000)))
}

fn bell(rule: &Rule) -> SqsTroubleBell {
    let client = mock_client!(aws_sdk_sqs, RuleMode::MatchAny, [rule], |config| {
        config.retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
    });
    SqsTroubleBell::new(client, "https://sqs/account-trouble".to_owned())
}

fn ringing() -> Rule {
    mock!(aws_sdk_sqs::Client::send_message)
        .match_requests(|request| request.message_body() == Some("{\"trouble/1\":{\"channel\":\"email\"}}"))
        .then_output(|| SendMessageOutput::builder().message_id("m").build())
}

fn reading(item: Option<Item>) -> Rule {
    mock!(Client::get_item)
        .match_requests(|request| request.consistent_read() == Some(true))
        .then_output(move || GetItemOutput::builder().set_item(item.clone()).build())
}

fn writing(matches: fn(&UpdateItemInput) -> bool) -> Rule {
    mock!(Client::update_item)
        .match_requests(matches)
        .then_output(|| UpdateItemOutput::builder().build())
}

fn open() -> Breaker {
    Breaker::Open {
        since: at(900),
        reason: "SendingPausedException".to_owned(),
        troubles: 2,
        probe_at: at(1_020),
    }
}

fn slowed() -> Slowed {
    Slowed { to: 7.0, at: at(1_000) }
}

fn item() -> Item {
    Item::from([
        ("name".to_owned(), text("traffic#email")),
        ("limit".to_owned(), number(50.5)),
        ("slowedTo".to_owned(), number(7.0)),
        ("slowedAt".to_owned(), moment(at(1_000))),
        ("breaker".to_owned(), AttributeValue::M(breaker_item(&open()).unwrap())),
    ])
}

#[tokio::test]
async fn an_item_tells_limit_pace_and_breaker() {
    let seen = traffic(&[&reading(Some(item()))], &ringing())
        .look(Channel::Email)
        .await
        .unwrap();
    assert_eq!(
        seen,
        Traffic {
            limit: 50.5,
            slowed: Some(slowed()),
            breaker: open()
        }
    );
}

#[tokio::test]
async fn without_an_item_the_usual_holds_or_what_was_configured() {
    let traffic = traffic(&[&reading(None)], &ringing()).with_sms_limit(3.0);
    assert_eq!(
        traffic.look(Channel::Email).await.unwrap(),
        Traffic::usual(Channel::Email)
    );
    assert!((traffic.look(Channel::Sms).await.unwrap().limit - 3.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_breaker_that_cannot_be_read_is_open() {
    let mut item = item();
    item.insert("breaker".to_owned(), AttributeValue::M(Item::new()));
    let seen = traffic(&[&reading(Some(item))], &ringing())
        .look(Channel::Email)
        .await
        .unwrap();
    assert!(seen.breaker.is_open());
}

#[tokio::test]
async fn a_failed_look_is_no_answer() {
    let rule = mock!(Client::get_item)
        .then_error(|| GetItemError::InternalServerError(InternalServerError::builder().build()));
    assert!(traffic(&[&rule], &ringing()).look(Channel::Email).await.is_err());
}

#[tokio::test]
async fn an_answer_is_remembered_for_ten_seconds() {
    let rule = reading(None);
    let traffic = traffic(&[&rule], &ringing());
    for (seconds, reads) in [(0, 1), (9, 1), (10, 2)] {
        traffic.clock.set(at(1_000 + seconds));
        assert!(traffic.look(Channel::Email).await.is_ok());
        assert_eq!(rule.num_calls(), reads, "after {seconds} seconds");
    }
}

#[tokio::test]
async fn an_open_breaker_is_not_remembered() {
    let rule = reading(Some(item()));
    let traffic = traffic(&[&rule], &ringing());
    for reads in [1, 2] {
        assert!(traffic.look(Channel::Email).await.unwrap().breaker.is_open());
        assert_eq!(rule.num_calls(), reads);
    }
}

#[tokio::test]
async fn the_keeper_remembers_nothing() {
    let rule = reading(None);
    let traffic = keepers(&[&rule]);
    assert!(traffic.look(Channel::Email).await.is_ok());
    assert!(traffic.look(Channel::Email).await.is_ok());
    assert_eq!(rule.num_calls(), 2);
}

#[tokio::test]
async fn an_answer_is_never_older_than_what_this_process_wrote() {
    let (read, write) = (reading(None), writing(|_| true));
    let traffic = traffic(&[&read, &write], &ringing());
    assert!(traffic.look(Channel::Email).await.is_ok());
    traffic.slow_down(Channel::Email, slowed()).await.unwrap();
    assert!(traffic.look(Channel::Email).await.is_ok());
    traffic.set_breaker(Channel::Email, &open()).await.unwrap();
    assert!(traffic.look(Channel::Email).await.is_ok());
    traffic.set_limit(Channel::Email, 1.0).await.unwrap();
    assert!(traffic.look(Channel::Email).await.is_ok());
    assert_eq!(read.num_calls(), 4);
}

#[tokio::test]
async fn permits_are_counted_by_lane_in_one_write() {
    let rule = mock!(Client::update_item)
        .match_requests(|request| {
            let name = request.key().and_then(|key| key.get("name"));
            let lane = request
                .expression_attribute_names()
                .and_then(|names| names.get("#lane"));
            name.and_then(|name| name.as_s().ok())
                .is_some_and(|name| name.starts_with("window#email#"))
                && lane.is_some_and(|lane| lane == "urgent")
                && request.return_values() == Some(&ReturnValue::AllNew)
        })
        .then_output(|| {
            UpdateItemOutput::builder()
                .attributes("normal", number(12))
                .attributes("urgent", number(3))
                .build()
        });
    let window = Traffic::usual(Channel::Email).window(at(1_000));
    let asked = traffic(&[&rule], &ringing())
        .ask(Channel::Email, &window, true, 3)
        .await
        .unwrap();
    assert_eq!(asked, Asked { normal: 12, urgent: 3 });
}

#[tokio::test]
async fn permits_that_may_be_uncounted_are_not_granted() {
    let rule = mock!(Client::update_item)
        .then_error(|| UpdateItemError::InternalServerError(InternalServerError::builder().build()));
    let window = Traffic::usual(Channel::Email).window(at(1_000));
    assert!(
        traffic(&[&rule], &ringing())
            .ask(Channel::Email, &window, false, 1)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn patience_that_somebody_else_asked_for_is_no_failure_and_is_looked_at() {
    let read = reading(None);
    let write = mock!(Client::update_item)
        .match_requests(|request| {
            request.condition_expression() == Some("attribute_not_exists(#at) OR #at <= :before")
                && request
                    .expression_attribute_values()
                    .and_then(|values| values.get(":before"))
                    == Some(&moment(at(999)))
        })
        .then_error(|| {
            UpdateItemError::ConditionalCheckFailedException(ConditionalCheckFailedException::builder().build())
        });
    let traffic = traffic(&[&read, &write], &ringing());
    assert!(traffic.look(Channel::Email).await.is_ok());
    assert!(traffic.slow_down(Channel::Email, slowed()).await.is_ok());
    assert!(traffic.look(Channel::Email).await.is_ok());
    assert_eq!(read.num_calls(), 2);
}

#[tokio::test]
async fn a_breaker_that_opens_rings_the_bell() {
    let (write, ring) = (
        writing(|request| request.update_expression() == Some("SET #breaker = :open")),
        ringing(),
    );
    let traffic = traffic(&[&write], &ring);
    traffic.set_breaker(Channel::Email, &open()).await.unwrap();
    assert_eq!((write.num_calls(), ring.num_calls()), (1, 1));
}

#[tokio::test]
async fn a_breaker_that_closes_rings_nothing() {
    let (write, ring) = (
        writing(|request| request.update_expression() == Some("REMOVE #breaker")),
        ringing(),
    );
    let traffic = traffic(&[&write], &ring);
    traffic.set_breaker(Channel::Email, &Breaker::Closed).await.unwrap();
    assert_eq!((write.num_calls(), ring.num_calls()), (1, 0));
}

#[tokio::test]
async fn the_keeper_rings_no_bell_for_itself() {
    let write = writing(|_| true);
    assert!(keepers(&[&write]).set_breaker(Channel::Email, &open()).await.is_ok());
    assert_eq!(write.num_calls(), 1);
}

#[tokio::test]
async fn a_breaker_that_was_not_written_rings_nothing() {
    let ring = ringing();
    let write = mock!(Client::update_item)
        .then_error(|| UpdateItemError::InternalServerError(InternalServerError::builder().build()));
    let traffic = traffic(&[&write], &ring);
    assert!(traffic.set_breaker(Channel::Email, &open()).await.is_err());
    assert_eq!(ring.num_calls(), 0);
}

#[tokio::test]
async fn a_bell_that_cannot_be_rung_leaves_the_breaker_open() {
    let write = writing(|_| true);
    let ring = mock!(aws_sdk_sqs::Client::send_message)
        .then_error(|| SendMessageError::generic(aws_sdk_sqs::error::ErrorMetadata::builder().build()));
    let traffic = traffic(&[&write], &ring);
    assert!(traffic.set_breaker(Channel::Email, &open()).await.is_ok());
    assert_eq!(ring.num_calls(), 1);
}

#[tokio::test]
async fn a_measured_limit_is_written_down() {
    let rule = writing(|request| {
        request
            .expression_attribute_values()
            .and_then(|values| values.get(":limit"))
            == Some(&number(14.0))
    });
    assert!(
        traffic(&[&rule], &ringing())
            .set_limit(Channel::Email, 14.0)
            .await
            .is_ok()
    );
}
