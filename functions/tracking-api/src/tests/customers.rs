//! Customers, their own orders and those of others.

use super::*;

/// Who asks for what, and what is answered: Ana's order, a guest's, one that nobody made.
const MATRIX: [(Who, [u16; 3]); 4] = [
    (Who::Nobody, [401, 401, 401]),
    (ANA, [200, 404, 404]),
    (LUIS, [404, 404, 404]),
    (Who::Admin, [200, 200, 404]),
];

#[tokio::test]
async fn who_may_read_which_order() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    for (who, expected) in MATRIX {
        for (order, status) in [ANAS, GUESTS, NOBODYS].into_iter().zip(expected) {
            for part in ["status", "timeline"] {
                let answer = shop.get(who, &format!("/orders/{order}/{part}")).await;
                assert_eq!(answer.status.as_u16(), status, "{who:?} {order} {part}");
            }
        }
    }
}

#[tokio::test]
async fn an_order_of_another_looks_to_the_byte_like_none_and_costs_the_same() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    for part in ["status", "timeline"] {
        let mut answers = Vec::new();
        for order in [ANAS, GUESTS, NOBODYS] {
            let answer = shop.get(LUIS, &format!("/orders/{order}/{part}")).await;
            assert_eq!(shop.0.store.take_reads(), ["order"], "{order} {part}");
            answers.push(answer);
        }
        assert_eq!((&answers[0], &answers[1]), (&answers[2], &answers[2]), "{part}");
    }
}

#[tokio::test]
async fn an_owner_sees_where_the_order_stands_with_each_parcel() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let answer = shop.get(ANA, &format!("/orders/{ANAS}/status")).await;
    let mut shown = answer.json();
    let link = shown.as_object_mut().unwrap().remove("trackingLink").unwrap();
    assert!(link.as_str().unwrap().starts_with("https://shop.example.com/track/"));
    let expected = json!({
        "orderId": ANAS, "status": "delayed", "since": at(NOW - 1_000).to_string(), "updatedAt": at(NOW - 1_000).to_string(),
        "parcels": [
            {
                "trackingNumber": UPS, "carrier": "UPS", "trackingPage": carriers::tracking_page(Some("UPS"), UPS),
                "status": "delayed", "since": at(NOW - 1_000).to_string(),
            },
            {"trackingNumber": SECOND, "carrier": "Canary Courier", "status": "delayed", "since": at(NOW - 1_000).to_string()},
        ],
    });
    assert_eq!(shown, expected);
    assert_eq!(shop.0.store.take_reads(), ["order"]);
}

#[tokio::test]
async fn whether_somebody_should_have_a_look_is_for_admins() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let path = format!("/orders/{ANAS}/status");
    assert_eq!(shop.get(ANA, &path).await.json().get("needsReview"), None);
    assert_eq!(shop.get(Who::Admin, &path).await.json()["needsReview"], json!(true));
}

#[tokio::test]
async fn a_shop_without_pages_has_no_links() {
    let mut shop = Shop::empty(PublicTracking::PostalCode);
    Arc::get_mut(&mut shop.0).unwrap().settings.pages = None;
    shop.tell(guests(), None).await;
    let shown = shop.get(Who::Admin, &format!("/orders/{GUESTS}/status")).await.json();
    assert_eq!((&shown["status"], shown.get("trackingLink")), (&json!("pending"), None));
}

#[tokio::test]
async fn active_orders_are_ones_own_that_go_on_the_newest_change_first() {
    let shop = Shop::empty(PublicTracking::PostalCode);
    for (nth, (status, id)) in (0..).zip([
        (OrderStatus::Shipped, "first"),
        (OrderStatus::Delivered, "over"),
        (OrderStatus::Exception, "second"),
        (OrderStatus::Cancelled, "off"),
        (OrderStatus::Returned, "back"),
    ]) {
        shop.tell(registration(id, Some("canary-ana"), "", Vec::new()), None)
            .await;
        shop.by_hand(id, status, NOW - 100 + nth).await;
    }
    shop.tell(registration("another", Some("luis"), "", Vec::new()), None)
        .await;
    shop.tell(guests(), None).await;
    shop.0.store.take_reads();
    let shown = shop.get(ANA, "/orders/active").await.json();
    let orders = shown["orders"].as_array().unwrap();
    let ids: Vec<&str> = orders.iter().map(|order| order["orderId"].as_str().unwrap()).collect();
    assert_eq!(ids, ["second", "first"]);
    assert_eq!(shop.0.store.take_reads(), ["latest"]);
    assert_eq!(
        shop.get(Who::Nobody, "/orders/active").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn no_more_than_fifty_active_orders_are_shown() {
    let shop = Shop::empty(PublicTracking::PostalCode);
    for nth in 0..60 {
        shop.tell(registration(&format!("o-{nth}"), Some("luis"), "", Vec::new()), None)
            .await;
    }
    let shown = shop.get(LUIS, "/orders/active").await.json();
    assert_eq!(shown["orders"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn a_timeline_tells_everything_that_was_said_the_newest_first() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    shop.hear(event(Carrier::Fedex, UPS, OrderStatus::Delivered, NOW - 10))
        .await;
    shop.0.store.take_reads();
    let shown = shop.get(ANA, &format!("/orders/{ANAS}/timeline")).await.json();
    let carriers = |name: &str, status: &str, second: i64, effect: &str| {
        json!({
            "at": at(second).to_string(), "heardAt": at(second).to_string(), "by": "carrier", "effect": effect,
            "trackingNumber": UPS, "status": status, "expected": "2027-01-20", "carrier": name,
            "code": format!("code-{status}"), "text": format!("words for {status}"), "place": "Madrid, ES",
        })
    };
    let mut failed = carriers("UPS", "exception", NOW - DAY, "applied");
    failed["detail"] = json!("attempt_failed");
    let expected = json!({"orderId": ANAS, "isMore": false, "timeline": [
        carriers("FedEx", "delivered", NOW - 10, "other_carrier"),
        {"at": at(NOW - 1_000).to_string(), "heardAt": at(NOW - 1_000).to_string(), "by": "hand", "effect": "applied", "status": "delayed"},
        failed,
        carriers("UPS", "shipped", NOW - 2 * DAY, "applied"),
        {
            "at": at(NOW - 3 * DAY).to_string(), "heardAt": at(NOW - 3 * DAY).to_string(), "by": "pipeline", "effect": "applied",
            "status": "confirmed", "reason": "canary pipeline",
        },
    ]});
    assert_eq!(shown, expected);
    assert_eq!(shop.0.store.take_reads(), ["order", "parcel", "parcel"]);
}

#[tokio::test]
async fn who_changed_it_by_hand_and_why_is_for_admins() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let path = format!("/orders/{ANAS}/timeline");
    let by_hand = |shown: Value| shown["timeline"][0].clone();
    let to_admins = by_hand(shop.get(Who::Admin, &path).await.json());
    assert_eq!(
        (&to_admins["reason"], &to_admins["who"]),
        (&json!("canary reason"), &json!("canary-admin"))
    );
    let to_ana = by_hand(shop.get(ANA, &path).await.json());
    assert_eq!((to_ana.get("reason"), to_ana.get("who")), (None, None));
}

#[tokio::test]
async fn what_the_caller_has_is_not_sent_again_and_no_cache_may_share_it() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let link = shop.get(ANA, &format!("/orders/{ANAS}/status")).await.json()["trackingLink"].clone();
    let link = link
        .as_str()
        .unwrap()
        .strip_prefix("https://shop.example.com")
        .unwrap()
        .to_owned();
    for (who, path, reads) in [
        (ANA, "/orders/active".to_owned(), 1),
        (ANA, format!("/orders/{ANAS}/status"), 1),
        (ANA, format!("/orders/{ANAS}/timeline"), 3),
        (Who::Nobody, format!("/orders/track/{UPS}?postalCode=28013"), 4),
        (Who::Nobody, link, 3),
    ] {
        let first = shop.get(who, &path).await;
        assert_eq!(first.status, StatusCode::OK, "{path}");
        assert_eq!(first.header("cache-control"), Some("private, no-cache"));
        shop.0.store.take_reads();
        let tag = first.header("etag").unwrap();
        let again = shop.ask(who, "GET", &path, &[("if-none-match", tag)], "").await;
        assert_eq!(
            (again.status, again.body.len()),
            (StatusCode::NOT_MODIFIED, 0),
            "{path}"
        );
        assert_eq!(again.header("etag"), Some(tag));
        assert_eq!(again.header("cache-control"), Some("private, no-cache"));
        assert_eq!(shop.0.store.take_reads().len(), reads, "{path}");
        shop.hear(event(Carrier::Ups, UPS, OrderStatus::OutForDelivery, NOW - 10))
            .await;
        let other = shop.ask(who, "GET", &path, &[("if-none-match", "\"other\"")], "").await;
        assert_eq!(other.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn a_change_is_seen_by_whoever_has_the_answer_before() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let path = format!("/orders/{ANAS}/status");
    let first = shop.get(ANA, &path).await;
    shop.hear(event(Carrier::Ups, UPS, OrderStatus::OutForDelivery, NOW - 10))
        .await;
    let tag = first.header("etag").unwrap();
    let second = shop.ask(ANA, "GET", &path, &[("if-none-match", tag)], "").await;
    assert_eq!(second.status, StatusCode::OK);
    assert_eq!(second.json()["parcels"][0]["status"], json!("out_for_delivery"));
}
