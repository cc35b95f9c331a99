//! What callers and the emulator see of the proxy, over loopback.

#[cfg(target_os = "linux")]
mod callers;
mod feedback;
mod stage;

use std::time::Duration;

use fault_proxy::{ControlError, Fault, Rule};
use hyper::StatusCode;
use serde_json::json;
use stage::{Stage, publish, send_email, update_item};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};

fn throttled() -> Fault {
    Fault::answer(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequestsException",
        "Maximum sending rate exceeded.",
    )
}

#[tokio::test]
async fn a_request_arrives_byte_for_byte() {
    let stage = Stage::set().await;
    let request = "GET /a%20b//c?x=1&y=%2B HTTP/1.1\r\nHost: sqs.eu-west-1.amazonaws.com\r\nX-Amz-Date: 20261101T090000Z\r\n\
                   authorization: AWS4-HMAC-SHA256 Credential=test\r\nConnection: close\r\n\r\n";
    stage.call(request).await;
    assert_eq!(stage.received(), [request]);
}

#[tokio::test]
async fn a_body_arrives_byte_for_byte() {
    let stage = Stage::set().await;
    stage.call(&publish("+34600123456")).await;
    assert_eq!(stage.received(), [publish("+34600123456")]);
}

#[tokio::test]
async fn the_answer_comes_back_with_its_headers() {
    let stage = Stage::set().await;
    let answer = stage.call(&send_email("ana@example.com")).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\nX-Emulator: yes\r\n") && answer.ends_with("\r\n\r\naccepted"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_error_is_answered_and_nothing_forwarded() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", throttled()))
        .await
        .unwrap();
    let answer = stage.call(&send_email("ana@example.com")).await;
    assert!(answer.starts_with("HTTP/1.1 429 "), "{answer}");
    assert!(
        answer.contains("x-amzn-errortype: TooManyRequestsException\r\n"),
        "{answer}"
    );
    assert!(
        answer.ends_with(r#"{"__type":"TooManyRequestsException","message":"Maximum sending rate exceeded."}"#),
        "{answer}"
    );
    assert!(stage.received().is_empty());
}

#[tokio::test]
async fn an_sms_error_is_answered_in_xml() {
    let stage = Stage::set().await;
    let fault = Fault::answer(StatusCode::BAD_REQUEST, "Throttling", "Rate exceeded");
    stage
        .control
        .add_rule(&Rule::on("Publish", fault).containing("+34600123456"))
        .await
        .unwrap();
    let answer = stage.call(&publish("+34600123456")).await;
    assert!(
        answer.contains("<Code>Throttling</Code><Message>Rate exceeded</Message>"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_error_after_acceptance_is_still_forwarded() {
    let stage = Stage::set().await;
    let fault = Fault::answer_after(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "");
    stage.control.add_rule(&Rule::on("SendEmail", fault)).await.unwrap();
    let answer = stage.call(&send_email("ana@example.com")).await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert_eq!(stage.received().len(), 1);
}

#[tokio::test]
async fn a_made_up_body_is_answered() {
    let stage = Stage::set().await;
    let fault = Fault::AnswerWith {
        status: StatusCode::OK,
        body: json!({"Failed": [{"Id": "1"}]}),
    };
    stage.control.add_rule(&Rule::on("UpdateItem", fault)).await.unwrap();
    let answer = stage.call(&update_item()).await;
    assert!(answer.ends_with(r#"{"Failed":[{"Id":"1"}]}"#), "{answer}");
}

#[tokio::test]
async fn a_dropped_request_gets_no_answer_and_is_not_forwarded() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Drop))
        .await
        .unwrap();
    assert_eq!(stage.call(&send_email("ana@example.com")).await, "");
    assert!(stage.received().is_empty());
}

#[tokio::test]
async fn a_lost_reply_was_accepted() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::DropAfter))
        .await
        .unwrap();
    assert_eq!(stage.call(&send_email("ana@example.com")).await, "");
    assert_eq!(stage.received().len(), 1);
}

#[tokio::test]
async fn a_delayed_request_arrives_later() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::DelayMs(80)))
        .await
        .unwrap();
    let start = Instant::now();
    let answer = stage.call(&send_email("ana@example.com")).await;
    assert!(answer.ends_with("accepted") && start.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn a_slow_reply_was_accepted_at_once() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::DelayAfterMs(60_000)))
        .await
        .unwrap();
    let mut caller = stage.send(&send_email("ana@example.com")).await;
    assert!(
        timeout(Duration::from_millis(300), caller.read_u8()).await.is_err(),
        "the reply came too early"
    );
    assert_eq!(stage.received().len(), 1);
}

#[tokio::test]
async fn a_caller_that_is_killed_does_not_take_its_request_back() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::DelayMs(50)).times(1))
        .await
        .unwrap();
    let caller = stage.send(&send_email("killed@example.com")).await;
    let arrived = async {
        while stage.control.calls("SendEmail", "").await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        drop(caller);
        while stage.received().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    assert!(
        timeout(Duration::from_secs(5), arrived).await.is_ok(),
        "nothing arrived"
    );
}

#[tokio::test]
async fn a_rule_leaves_other_recipients_alone() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Drop).containing("luis@example.com"))
        .await
        .unwrap();
    assert!(stage.call(&send_email("ana@example.com")).await.ends_with("accepted"));
}

#[tokio::test]
async fn a_rule_ends_after_as_many_requests_as_it_says() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Drop).times(1))
        .await
        .unwrap();
    assert_eq!(stage.call(&send_email("ana@example.com")).await, "");
    assert!(stage.call(&send_email("ana@example.com")).await.ends_with("accepted"));
}

#[tokio::test]
async fn a_removed_rule_does_nothing() {
    let stage = Stage::set().await;
    let id = stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Drop))
        .await
        .unwrap();
    stage.control.remove_rule(id).await.unwrap();
    assert!(stage.call(&send_email("ana@example.com")).await.ends_with("accepted"));
}

#[tokio::test]
async fn all_rules_are_removed_at_once() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Drop))
        .await
        .unwrap();
    stage.control.add_rule(&Rule::on("Publish", Fault::Drop)).await.unwrap();
    stage.control.remove_all_rules().await.unwrap();
    assert!(stage.control.rules().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_standing_rule_tells_how_often_it_was_used() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", throttled()).times(3))
        .await
        .unwrap();
    stage.call(&send_email("ana@example.com")).await;
    let rules = stage.control.rules().await.unwrap();
    assert_eq!((rules[0].used, rules[0].rule.times), (1, Some(2)));
}

#[tokio::test]
async fn an_unknown_rule_cannot_be_removed() {
    let stage = Stage::set().await;
    let id = stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Drop))
        .await
        .unwrap();
    stage.control.remove_rule(id).await.unwrap();
    let error = stage.control.remove_rule(id).await.unwrap_err();
    assert!(
        matches!(
            error,
            ControlError::Refused {
                status: StatusCode::NOT_FOUND,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_call_remembers_recipient_tags_and_both_answers() {
    let stage = Stage::set().await;
    let id = stage
        .control
        .add_rule(&Rule::on(
            "SendEmail",
            Fault::answer_after(StatusCode::BAD_GATEWAY, "X", ""),
        ))
        .await
        .unwrap();
    stage.call(&send_email("ana@example.com")).await;
    let calls = stage.control.calls("SendEmail", "ana@example.com").await.unwrap();
    let email = calls[0].email.as_ref().unwrap();
    assert_eq!(
        (email.to.as_slice(), email.tags["channel"].as_str()),
        (["ana@example.com".to_owned()].as_slice(), "email")
    );
    assert_eq!(
        (calls[0].status, calls[0].upstream_status, calls[0].rule),
        (Some(502), Some(200), Some(id))
    );
}

#[tokio::test]
async fn a_lost_reply_leaves_a_call_without_a_status() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::DropAfter))
        .await
        .unwrap();
    stage.call(&send_email("ana@example.com")).await;
    let calls = stage.control.calls("SendEmail", "").await.unwrap();
    assert_eq!((calls[0].status, calls[0].upstream_status), (None, Some(200)));
}

#[tokio::test]
async fn calls_are_found_by_a_number_with_a_plus() {
    let stage = Stage::set().await;
    stage.call(&publish("+34600123456")).await;
    stage.call(&publish("+34600999999")).await;
    let calls = stage.control.calls("Publish", "+34600123456").await.unwrap();
    assert_eq!(calls.len(), 1);
}

#[tokio::test]
async fn calls_are_counted_by_operation() {
    let stage = Stage::set().await;
    stage.call(&send_email("ana@example.com")).await;
    stage.call(&update_item()).await;
    stage.call(&update_item()).await;
    let counts = stage.control.counts().await.unwrap();
    assert_eq!((counts["SendEmail"], counts["UpdateItem"]), (1, 2));
}

#[tokio::test]
async fn control_requests_are_neither_forwarded_nor_counted() {
    let stage = Stage::set().await;
    stage.control.health().await.unwrap();
    assert!(stage.received().is_empty() && stage.control.counts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_rule_that_cannot_be_read_is_refused_with_a_reason() {
    let stage = Stage::set().await;
    let body = r#"{"operation":"SendEmail","fault":"explode"}"#;
    let request = format!(
        "POST /_fault/rules HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = stage.call(&request).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("unknown variant `explode`"),
        "{answer}"
    );
}

#[tokio::test]
async fn an_emulator_that_is_away_is_a_bad_gateway() {
    let stage = Stage::without_emulator().await;
    let answer = stage.call(&send_email("ana@example.com")).await;
    assert!(
        answer.starts_with("HTTP/1.1 502 ") && answer.contains("could not connect to 127.0.0.1:"),
        "{answer}"
    );
}
