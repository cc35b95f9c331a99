//! What is published about e-mails that were accepted.

use fault_proxy::{ControlError, Fault, Feedback, FeedbackEvent, Rule};
use hyper::StatusCode;
use serde_json::Value;

use super::stage::{MESSAGE_ID, Stage, publish, send_email, send_followed_email};

/// What each event is, and about whom.
fn told(events: &[Value]) -> Vec<(&str, &str)> {
    events
        .iter()
        .filter_map(|event| {
            let recipient = event.pointer("/mail/destination/0")?;
            Some((event.get("eventType")?.as_str()?, recipient.as_str()?))
        })
        .collect()
}

#[tokio::test]
async fn an_accepted_email_has_its_events_in_order() {
    let stage = Stage::with_ses().await;
    let standing = Feedback::of([FeedbackEvent::Send, FeedbackEvent::Delivery]);
    stage.control.set_feedback(&[standing]).await.unwrap();
    stage.call(&send_followed_email("ana@example.com")).await;
    let events = stage.events_once(2).await;
    assert_eq!(
        told(&events),
        [("Send", "ana@example.com"), ("Delivery", "ana@example.com")]
    );
}

#[tokio::test]
async fn an_event_names_the_message_as_the_answer_did() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .set_feedback(&[Feedback::of([FeedbackEvent::Send])])
        .await
        .unwrap();
    let answer = stage.call(&send_followed_email("ana@example.com")).await;
    let events = stage.events_once(1).await;
    assert_eq!(events[0]["mail"]["messageId"], MESSAGE_ID);
    assert_eq!(events[0]["mail"]["tags"]["notification-id"][0], "ord-1");
    assert!(
        answer.ends_with(&format!(r#"{{"MessageId":"{MESSAGE_ID}"}}"#)),
        "{answer}"
    );
}

#[tokio::test]
async fn one_recipient_has_another_fate() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .set_feedback(&[Feedback::of([FeedbackEvent::Delivery])])
        .await
        .unwrap();
    stage
        .control
        .add_feedback(&Feedback::of([FeedbackEvent::hard_bounce()]).containing("luis@"))
        .await
        .unwrap();
    stage.call(&send_followed_email("luis@example.com")).await;
    let events = stage.events_once(1).await;
    assert_eq!(told(&events), [("Bounce", "luis@example.com")]);
}

#[tokio::test]
async fn an_event_comes_twice_as_the_same_text() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .set_feedback(&[Feedback::of([FeedbackEvent::Complaint]).times(2)])
        .await
        .unwrap();
    stage.call(&send_followed_email("ana@example.com")).await;
    let events = stage.events_once(2).await;
    assert_eq!(events[0], events[1]);
}

#[tokio::test]
async fn an_event_that_comes_never_does_not_come() {
    let stage = Stage::with_ses().await;
    let never = Feedback::of([FeedbackEvent::Send]).containing("ana@").times(0);
    let usual = Feedback::of([FeedbackEvent::Delivery]);
    stage.control.set_feedback(&[never, usual]).await.unwrap();
    stage.call(&send_followed_email("ana@example.com")).await;
    stage.call(&send_followed_email("luis@example.com")).await;
    let events = stage.events_once(1).await;
    assert_eq!(told(&events), [("Delivery", "luis@example.com")]);
}

#[tokio::test]
async fn a_late_event_leaves_the_answer_alone() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .set_feedback(&[Feedback::of([FeedbackEvent::Send]).after_ms(60_000)])
        .await
        .unwrap();
    let answer = stage.call(&send_followed_email("ana@example.com")).await;
    assert!(answer.starts_with("HTTP/1.1 200 ") && stage.events().is_empty());
}

#[tokio::test]
async fn an_email_whose_reply_was_lost_has_its_events() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .set_feedback(&[Feedback::of([FeedbackEvent::Send])])
        .await
        .unwrap();
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::DropAfter))
        .await
        .unwrap();
    assert_eq!(stage.call(&send_followed_email("ana@example.com")).await, "");
    assert_eq!(told(&stage.events_once(1).await), [("Send", "ana@example.com")]);
}

#[tokio::test]
async fn an_email_without_a_configuration_set_has_none() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .set_feedback(&[Feedback::of([FeedbackEvent::Send])])
        .await
        .unwrap();
    stage.call(&send_email("ana@example.com")).await;
    stage.call(&send_followed_email("luis@example.com")).await;
    assert_eq!(told(&stage.events_once(1).await), [("Send", "luis@example.com")]);
}

#[tokio::test]
async fn an_identity_notifies_without_a_configuration_set() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .set_feedback(&[Feedback::of([FeedbackEvent::Delivery]).in_identity_form()])
        .await
        .unwrap();
    stage.call(&send_email("ana@example.com")).await;
    let events = stage.events_once(1).await;
    assert_eq!(events[0]["notificationType"], "Delivery");
}

#[tokio::test]
async fn an_event_is_told_of_an_email_that_was_accepted_before() {
    let stage = Stage::with_ses().await;
    stage.call(&send_followed_email("ana@example.com")).await;
    stage.control.emit("ord-1", &FeedbackEvent::Complaint, 1).await.unwrap();
    assert_eq!(told(&stage.events()), [("Complaint", "ana@example.com")]);
}

#[tokio::test]
async fn an_event_is_told_of_a_message_by_its_id() {
    let stage = Stage::with_ses().await;
    stage.call(&send_followed_email("ana@example.com")).await;
    let open = FeedbackEvent::Open { machine: true };
    stage.control.emit(MESSAGE_ID, &open, 2).await.unwrap();
    assert_eq!(stage.events().len(), 2);
}

#[tokio::test]
async fn nothing_is_told_of_an_email_that_nobody_sent() {
    let stage = Stage::with_ses().await;
    let error = stage.control.emit("ord-2", &FeedbackEvent::Click, 1).await.unwrap_err();
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
async fn nothing_is_told_without_a_topic() {
    let stage = Stage::with_ses().await;
    stage.control.set_events_topic(None).await.unwrap();
    stage.call(&send_followed_email("ana@example.com")).await;
    let error = stage.control.emit("ord-1", &FeedbackEvent::Click, 1).await.unwrap_err();
    assert!(
        matches!(
            error,
            ControlError::Refused {
                status: StatusCode::CONFLICT,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn nothing_is_told_once_feedback_is_cleared() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .set_feedback(&[Feedback::of([FeedbackEvent::Send])])
        .await
        .unwrap();
    stage.control.clear_feedback().await.unwrap();
    stage.call(&send_followed_email("ana@example.com")).await;
    stage.control.emit("ord-1", &FeedbackEvent::Click, 1).await.unwrap();
    assert_eq!(told(&stage.events()), [("Click", "ana@example.com")]);
}

#[tokio::test]
async fn events_are_counted_and_are_no_calls() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .add_rule(&Rule::on("*", Fault::Drop).skipping(1))
        .await
        .unwrap();
    stage.call(&send_followed_email("ana@example.com")).await;
    stage.control.emit("ord-1", &FeedbackEvent::Click, 2).await.unwrap();
    let report = stage.control.feedback().await.unwrap();
    assert_eq!((report.published["Click"], report.failed), (2, 0));
    let email = stage.control.calls("", "").await.unwrap()[0].email.clone().unwrap();
    assert_eq!(email.events["Click"], 2);
    assert_eq!(stage.control.counts().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_sms_has_no_events() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .set_feedback(&[Feedback::of([FeedbackEvent::Send])])
        .await
        .unwrap();
    stage.call(&publish("+34600123456")).await;
    stage.call(&send_followed_email("ana@example.com")).await;
    assert_eq!(told(&stage.events_once(1).await), [("Send", "ana@example.com")]);
}

#[tokio::test]
async fn feedback_that_ses_would_not_give_is_refused() {
    let stage = Stage::with_ses().await;
    let error = stage
        .control
        .set_feedback(&[Feedback::of([FeedbackEvent::Click]).in_identity_form()])
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            ControlError::Refused {
                status: StatusCode::BAD_REQUEST,
                ..
            }
        ),
        "{error}"
    );
}
