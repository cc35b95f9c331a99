//! Whatever comes in: no panic, and no answer that should not be.

use super::*;
use proptest::prelude::*;
use web::Front;

use crate::LARGEST_BODY;

/// Every route, and a body that it takes.
const ROUTES: [(&str, &str, &str); 7] = [
    ("GET", "/orders/active", ""),
    ("GET", "/orders/canary-1001/status", ""),
    ("GET", "/orders/canary-1001/timeline", ""),
    (
        "POST",
        "/orders/canary-1001/delivery-preferences",
        r#"{"neighbour": true}"#,
    ),
    (
        "POST",
        "/admin/orders/canary-1001/status",
        r#"{"status": "delivered", "reason": "r"}"#,
    ),
    ("GET", "/orders/track/1Z204W4R0308071865?postalCode=28013", ""),
    ("GET", "/track/", ""),
];

#[tokio::test]
async fn a_table_out_of_reach_is_neither_an_empty_answer_nor_a_missing_order() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    for (method, path, body) in ROUTES.into_iter().take(6) {
        shop.0.store.twin.fail(20);
        let who = if path.starts_with("/admin") { Who::Admin } else { ANA };
        let answer = shop.ask(who, method, path, &[], body).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(!String::from_utf8(answer.body).unwrap().contains("told to fail"));
    }
    for nth in 1..=3 {
        shop.0.store.twin.fail(0);
        shop.0.store.twin.fail_at(nth, testkit::Fault::Fails);
        let answer = shop.get(ANA, &format!("/orders/{ANAS}/timeline")).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "read {nth}");
    }
}

#[tokio::test]
async fn a_lost_reply_may_be_followed_by_the_same_again() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let path = format!("/orders/{ANAS}/delivery-preferences");
    shop.0.store.twin.fail_at(2, testkit::Fault::LosesReply);
    let first = shop.post(ANA, &path, &json!({"neighbour": true})).await;
    assert_eq!(first.status, StatusCode::SERVICE_UNAVAILABLE);
    let version = shop.version_of(ANAS);
    let second = shop.post(ANA, &path, &json!({"neighbour": true})).await;
    assert_eq!((second.status, shop.version_of(ANAS)), (StatusCode::OK, version));
}

#[tokio::test]
async fn a_body_that_is_none_of_ours_is_refused_and_nothing_is_written() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let before = shop.version_of(ANAS);
    let deep = "[".repeat(8_000);
    let bodies = [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"text\"",
        "{\"a\":1e999999}",
        "\u{0}",
        "{\"\\u0000\": \"\\u0000\"}",
        "{\"status\": {}}",
        &deep,
    ];
    for body in bodies {
        for (who, path) in [
            (ANA, format!("/orders/{ANAS}/delivery-preferences")),
            (Who::Admin, format!("/admin/orders/{ANAS}/status")),
        ] {
            let answer = shop.ask(who, "POST", &path, &[], body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path} {body:.40}");
        }
    }
    assert_eq!(shop.version_of(ANAS), before);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let front = Front::new(router(shop.0.clone()), LARGEST_BODY).for_customers(identity());
    let path = format!("/orders/{ANAS}/delivery-preferences");
    let call = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "",
        "headers": {"host": "api.example.com", "content-type": "application/json"},
        "requestContext": {
            "apiId": "a", "stage": "$default", "domainName": "api.example.com", "requestId": "r", "accountId": "1", "time": "t", "timeEpoch": 0,
            "http": {"method": "POST", "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "u"}
        },
        "body": "x".repeat(LARGEST_BODY + 1), "isBase64Encoded": false
    });
    let reply = front.handle(&call.to_string()).await;
    assert_eq!(reply.value.unwrap()["statusCode"], json!(413));
    assert_eq!(shop.0.store.take_reads(), [""; 0]);
}

fn encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02X}")).collect()
}

/// A word of a path: any bytes, or something that looks right.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 1..40).prop_map(|bytes| encoded(&bytes)),
        "[A-Za-z0-9._~-]{1,60}",
        Just("CANARY-PARCEL-2".to_owned()),
    ]
}

/// A query: any bytes, or parameters of ours with any value.
fn query() -> impl Strategy<Value = String> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        bytes().prop_map(|bytes| encoded(&bytes)),
        bytes().prop_map(|bytes| format!("postalCode={}", encoded(&bytes))),
        "[!-\"$-~]{0,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_path_and_no_query_panics_or_opens_anything(
        word in word(),
        query in query(),
        form in proptest::sample::select(vec![
            "/orders/track/@", "/track/@", "/orders/@/status", "/orders/@/timeline", "/orders/@/delivery-preferences", "/admin/orders/@/status",
        ]),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let shop = Shop::filled(PublicTracking::PostalCode).await;
            let path = format!("{}?{query}", form.replace('@', &word));
            prop_assume!(path.parse::<axum::http::Uri>().is_ok());
            let (who, method, body) = match form {
                "/admin/orders/@/status" => (Who::Admin, "POST", r#"{"status": "delivered", "reason": "r"}"#),
                "/orders/@/delivery-preferences" => (LUIS, "POST", "{}"),
                "/orders/track/@" | "/track/@" => (Who::Nobody, "GET", ""),
                _ => (LUIS, "GET", ""),
            };
            let answer = shop.ask(who, method, &path, &[], body).await;
            prop_assert!(matches!(answer.status.as_u16(), 400 | 404), "{} {}", answer.status, path);
            Ok(())
        })?;
    }

    #[test]
    fn no_body_panics(body in any::<String>(), value in any::<String>(), field in "safePlace|neighbour|day|instructions|status|reason|trackingNumber") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let shop = Shop::filled(PublicTracking::PostalCode).await;
            let mut object = serde_json::Map::new();
            object.insert(field, Value::String(value));
            for body in [body, Value::Object(object).to_string()] {
                for (who, path) in [
                    (ANA, format!("/orders/{ANAS}/delivery-preferences")),
                    (Who::Admin, format!("/admin/orders/{ANAS}/status")),
                ] {
                    let answer = shop.ask(who, "POST", &path, &[], &body).await;
                    prop_assert!(matches!(answer.status.as_u16(), 200 | 400 | 422), "{} {}", answer.status, path);
                }
            }
            Ok(())
        })?;
    }
}
