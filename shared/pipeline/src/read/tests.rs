//! What the front door lets in, and what it says to the rest.

use super::*;
use domain::{Channel, Content, Currency, NotificationType, OrderStatus};
use proptest::prelude::*;

fn reading() -> Reading {
    Reading {
        shop: testkit::shop_defaults(),
        admin_topic: Some("arn:aws:sns:eu-west-1:000000000000:admin".to_owned()),
        admin_email: Some("admin@example.com".to_owned()),
    }
}

fn read(text: &str) -> Result<Event, Refusal> {
    read_event(text, testkit::at(1_763_630_000), &reading())
}

fn refused(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_earlier_systems_confirmation_is_read() {
    let event = read(
        r#"{"userId":"user-1","notificationType":"order_confirmation","recipientEmail":"ana@example.com",
            "orderData":{"orderId":"456","customerName":"Ana","totalAmount":89.99,"items":[{"name":"Mug","quantity":2,"price":"10.50"}]}}"#,
    )
    .unwrap();
    let Content::OrderConfirmation(order) = &event.content else {
        panic!("{event:?}")
    };
    assert_eq!(order.total.unwrap().amount.to_string(), "89.99");
    assert_eq!(order.items[0].price.unwrap().amount.to_string(), "10.5");
    assert_eq!(order.total.unwrap().currency, Currency::try_from("EUR").unwrap());
    assert!(event.is_urgent());
}

#[test]
fn the_older_flat_form_and_the_older_name_of_the_type_are_read() {
    let event = read(r#"{"userId":"u","type":"ORDER_CONFIRMATION","orderId":456,"totalAmount":"12.00","recipientEmail":"a@example.com"}"#).unwrap();
    let Content::OrderConfirmation(order) = &event.content else {
        panic!("{event:?}")
    };
    assert_eq!(
        (order.id.as_str(), order.total.unwrap().amount.to_string().as_str()),
        ("456", "12")
    );
}

#[test]
fn a_line_of_a_thousand_characters_is_read_and_a_longer_one_is_refused_by_its_field() {
    let event = |length: usize| {
        let name = "ñ".repeat(length);
        format!(
            r#"{{"userId":"u","notificationType":"order_confirmation","recipientEmail":"a@example.com",
                "orderData":{{"orderId":"1","customerName":"{name}"}}}}"#
        )
    };
    assert!(read(&event(1_000)).is_ok());
    for length in [1_001, 10_000] {
        let problem = refused(&event(length));
        let told = format!("orderData.customerName: expected at most 1000 characters, got {length}");
        assert!(problem.contains(&told) && !problem.contains('ñ'), "{problem}");
    }
}

#[test]
fn cancelled_and_delayed_are_read_as_status_updates() {
    let status = |name: &str| {
        read(&format!(
            r#"{{"userId":"u","notificationType":"{name}","orderData":{{"orderId":"1"}}}}"#
        ))
        .unwrap()
        .content
        .status()
    };
    assert_eq!(status("order_cancelled"), Some(OrderStatus::Cancelled));
    assert_eq!(status("delivery_delayed"), Some(OrderStatus::Delayed));
}

#[test]
fn an_amount_keeps_its_digits_as_number_and_as_string() {
    for amount in ["0.1", "\"0.1\"", "1234567.89", "\"1234567.89\""] {
        let event = read(&format!(
            r#"{{"userId":"u","type":"order_confirmation","orderId":"1","totalAmount":{amount}}}"#
        ))
        .unwrap();
        assert_eq!(
            event.content.order().unwrap().total.unwrap().amount.to_string(),
            amount.trim_matches('"')
        );
    }
}

#[test]
fn every_wrong_field_is_named_at_once() {
    let text = refused(
        r#"{"notificationType":"order_status_update","priority":"asap","language":"not a language","channels":["fax"],"recipientEmail":5,
            "orderData":{"status":"teleported","totalAmount":"much","items":[{"quantity":-1},7],"estimatedDelivery":"soon"}}"#,
    );
    for field in [
        "recipientEmail",
        "priority",
        "language",
        "channels",
        "orderData.status",
        "orderData.totalAmount",
        "orderData.items[0].name",
        "orderData.items[0].quantity",
        "orderData.items[1]",
        "orderData.estimatedDelivery",
        "orderData.orderId",
    ] {
        assert!(text.contains(&format!("{field}: ")), "{field} is not in: {text}");
    }
}

#[test]
fn a_refusal_never_repeats_a_value() {
    let text = refused(
        r#"{"userId":{"secret":"s3cr3t"},"type":"s3cr3t","language":"s3cr3t","orderData":"s3cr3t","priority":"s3cr3t"}"#,
    );
    assert!(!text.contains("s3cr3t"), "{text}");
}

#[test]
fn nobody_to_tell_is_a_problem_unless_the_admin_topic_says_so() {
    let alert = r#"{"type":"low_stock","product":{"sku":"M-1","stock":2}}"#;
    assert!(refused(alert).starts_with("userId: expected userId, or recipientEmail or recipientPhone"));
    let wrap = |topic: &str| {
        serde_json::json!({"Type":"Notification","TopicArn":topic,"Message":alert,"Timestamp":"2026-11-20T10:00:00.000Z"}).to_string()
    };
    let event = read(&wrap("arn:aws:sns:eu-west-1:000000000000:admin")).unwrap();
    assert_eq!(event.recipient.email.as_deref(), Some("admin@example.com"));
    assert_eq!(event.at, "2026-11-20T10:00:00Z".parse().unwrap());
    assert!(read(&wrap("arn:aws:sns:eu-west-1:000000000000:orders")).is_err());
}

#[test]
fn what_is_no_event_is_refused_with_the_place_and_without_the_text() {
    assert_eq!(
        refused("{\"a\": nonsense"),
        "message: expected JSON, which ends at line 1 column 8"
    );
    assert_eq!(refused("[1]"), "message: expected a JSON object");
    assert!(refused(&"{\"a\":".repeat(100)).contains("levels of nesting"));
    assert!(refused(&format!("{{\"a\":\"{}\"}}", "x".repeat(300_000))).contains("262144 bytes"));
}

#[test]
fn hostile_names_become_clean_lines_and_nothing_more() {
    let event = read(r#"{"userId":"u","type":"order_confirmation","orderId":"1","orderData":{"customerName":"Ana\r\nBcc: x@example.com\uFFFE"}}"#).unwrap();
    assert_eq!(
        event.content.order().unwrap().customer_name.as_deref(),
        Some("Ana Bcc: x@example.com")
    );
}

#[test]
fn a_moment_is_read_in_every_usual_form() {
    for text in [
        "\"2026-11-20T10:00:00Z\"",
        "\"2026-11-20T11:00:00+01:00\"",
        "\"2026-11-20T10:00:00\"",
        "1795168800",
        "1795168800000",
        "1795168800.0",
    ] {
        let event = read(&format!(
            r#"{{"userId":"u","type":"order_confirmation","orderId":"1","timestamp":{text}}}"#
        ))
        .unwrap();
        assert_eq!(event.at, "2026-11-20T10:00:00Z".parse().unwrap(), "{text}");
    }
}

#[test]
fn every_type_says_which_field_it_lacks() {
    for notification_type in NotificationType::ALL {
        let text = refused(&format!(r#"{{"userId":"u","notificationType":"{notification_type}"}}"#));
        assert!(!text.contains("notificationType"), "{text}");
    }
}

#[test]
fn a_test_names_its_channels_and_tells_nothing_else() {
    let event =
        read(r#"{"userId":"u","notificationType":"test","channels":["sms"],"eventId":"t-1","priority":"urgent"}"#)
            .unwrap();
    assert_eq!(event.content, Content::Test);
    assert_eq!(
        (event.channels, event.event_id.as_deref()),
        (Some(vec![Channel::Sms]), Some("t-1"))
    );
    for channels in ["null", "[]"] {
        let text = refused(&format!(r#"{{"userId":"u","type":"test","channels":{channels}}}"#));
        assert!(text.starts_with("channels: expected "), "{text}");
    }
}

#[test]
fn a_link_that_is_no_web_page_is_refused() {
    let text = refused(
        r#"{"userId":"u","type":"payment_failed","orderId":"1","orderData":{"retryUrl":"javascript:alert(1)"}}"#,
    );
    assert!(text.starts_with("orderData.retryUrl: "), "{text}");
}

#[test]
fn what_is_blank_counts_as_missing_and_is_named_where_it_is_required() {
    for blank in ["", " ", "\u{0}", "\u{FFFE}"] {
        let event = |field: &str| {
            let mut event = serde_json::json!({"userId": "u", "notificationType": "order_status_update", "orderId": "1", "status": "shipped"});
            event[field] = blank.into();
            event.to_string()
        };
        assert!(
            refused(&event("status")).starts_with("status: expected the order's new status"),
            "{blank:?}"
        );
        assert!(
            refused(&event("notificationType")).starts_with("notificationType: expected one of"),
            "{blank:?}"
        );
    }
    let guest = r#"{"userId":"","recipientEmail":"a@example.com","type":"order_confirmation","orderId":"1"}"#;
    assert_eq!(read(guest).unwrap().recipient.user, None);
    assert!(
        refused(r#"{"userId":"u","type":"order_confirmation","orderId":" "}"#)
            .starts_with("orderId: expected the order's id")
    );
    assert!(
        refused(r#"{"userId":"u","type":"system_maintenance","maintenance":{"body":" "}}"#)
            .starts_with("maintenance.start: ")
    );
}

#[test]
fn a_user_is_looked_up_by_the_id_as_written() {
    let event = read(r#"{"userId":"ws  user","type":"order_confirmation","orderId":"1"}"#).unwrap();
    assert_eq!(event.recipient.user.unwrap().as_str(), "ws  user");
}

#[test]
fn a_day_needs_a_year_of_four_digits() {
    let text = |day: &str| {
        format!(
            r#"{{"userId":"u","type":"order_status_update","orderId":"1","status":"shipped","estimatedDelivery":"{day}"}}"#
        )
    };
    for day in ["25/11/26", "05-12-26", "0001-01-01", "9999-12-31", "soon"] {
        assert!(refused(&text(day)).starts_with("estimatedDelivery: "), "{day}");
    }
    for day in [
        "2026-11-25",
        "25/11/2026",
        "25.11.2026",
        "November 25, 2026",
        "2026-11-25T10:00:00Z",
    ] {
        let Content::OrderStatus(update) = read(&text(day)).unwrap().content else {
            panic!("not an update")
        };
        assert_eq!(update.estimated_delivery.unwrap().to_string(), "2026-11-25", "{day}");
    }
}

#[test]
fn equal_amounts_have_equal_fingerprints() {
    let print = |total: &str| {
        read(&format!(
            r#"{{"userId":"u","type":"order_confirmation","orderId":"1","totalAmount":{total}}}"#
        ))
        .unwrap()
        .fingerprint()
    };
    assert_eq!(print("3.5"), print("\"3.50\""));
    assert_ne!(print("3.5"), print("3.51"));
}

#[test]
fn the_size_limit_is_for_the_message_and_not_for_its_envelope() {
    let item = serde_json::json!({"name": "\"".repeat(200)});
    let message =
        serde_json::json!({"userId": "u", "type": "order_confirmation", "orderId": "1", "items": vec![item; 490]})
            .to_string();
    let envelope = serde_json::json!({"Type": "Notification", "TopicArn": "t", "Message": message}).to_string();
    assert!(message.len() < limits::MAX_BYTES && envelope.len() > limits::MAX_BYTES);
    assert!(read(&envelope).is_ok());
}

#[test]
fn a_lone_surrogate_is_no_event() {
    assert!(refused(r#"{"userId":"\uD800"}"#).starts_with("message: expected JSON"));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let names = prop_oneof![
            Just("orderData".to_owned()),
            Just("items".to_owned()),
            Just("type".to_owned()),
            Just("orderId".to_owned()),
            Just("timestamp".to_owned()),
            Just("shippingAddress".to_owned()),
            Just("status".to_owned()),
            Just("parcelItems".to_owned()),
            any::<String>()
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((names, inner), 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in any::<String>()) {
        let _read_or_refused = read(&text);
    }

    #[test]
    fn no_json_makes_reading_panic_and_every_refusal_names_a_field(value in json(), kind in 0..NotificationType::ALL.len()) {
        let mut value = value;
        if let Some(event) = value.as_object_mut() {
            event.insert("notificationType".to_owned(), NotificationType::ALL[kind].name().into());
            event.insert("userId".to_owned(), "u".into());
        }
        if let Err(refusal) = read(&value.to_string()) {
            prop_assert!(!refusal.problems.is_empty());
        }
    }
}

#[test]
fn an_event_in_a_language_that_we_do_not_write_leaves_the_choice_to_the_customer() {
    let language = |tag: &str| {
        read(&format!(
            r#"{{"userId":"u","type":"order_confirmation","orderId":"1","language":"{tag}"}}"#
        ))
        .unwrap()
        .language
    };
    assert_eq!(language("ca-ES"), Some(Language::Es));
    assert_eq!(language("fr"), None);
}
