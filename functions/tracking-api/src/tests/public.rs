//! Strangers: what opens, what it shows, and that nothing else tells them anything.

use super::*;
use jiff::ToSpan;
use links::{OrderToken, Purpose, Token};

fn link(order: &str, expires_at: Timestamp) -> String {
    let token = OrderToken {
        order: order_id(order),
        expires_at,
    };
    format!("/track/{}", LinkKeys::read(KEYS).unwrap().sign_order(&token))
}

fn events(shown: &Value) -> Vec<&str> {
    let events = shown["events"].as_array().unwrap();
    events
        .iter()
        .map(|event| event["status"].as_str().unwrap_or(""))
        .collect()
}

#[tokio::test]
async fn a_number_with_its_postal_code_shows_the_way_of_its_parcel() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let answer = shop
        .get(
            Who::Nobody,
            &format!("/orders/track/{UPS}?postalCode=28013&utm_source=x"),
        )
        .await;
    let event = |status: &str, second: i64| json!({"at": at(second).to_string(), "status": status, "place": "Madrid, ES", "text": format!("words for {status}")});
    let mut failed = event("exception", NOW - DAY);
    failed["detail"] = json!("attempt_failed");
    let expected = json!({
        "status": "delayed", "since": at(NOW - 1_000).to_string(), "carrier": "UPS", "trackingPage": carriers::tracking_page(Some("UPS"), UPS),
        "events": [
            {"at": at(NOW - 1_000).to_string(), "status": "delayed"},
            failed,
            event("shipped", NOW - 2 * DAY),
            {"at": at(NOW - 3 * DAY).to_string(), "status": "confirmed"},
        ],
    });
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
}

#[tokio::test]
async fn a_number_and_a_code_count_however_they_are_written() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    for path in [
        "/orders/track/1z204w4r0308071865?postalCode=28013",
        "/orders/track/1Z%20204W4R0308071865?postalCode=%2028-013",
        "/orders/track/09980525883208?postalCode=sw1a1aa",
        "/orders/track/09980525883208?postalCode=SW1A+1AA",
    ] {
        assert_eq!(shop.get(Who::Nobody, path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn whatever_does_not_open_is_the_same_to_the_byte_after_the_same_reads() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    // Claimed for an order that is not there yet; and a word that stands for many.
    shop.0
        .store
        .claim(&number("CLAIMED"), &order_id(NOBODYS), None, at(NOW))
        .await
        .unwrap();
    for nth in 0..4 {
        let parcels = vec![parcel("PENDING", "UPS")];
        shop.tell(registration(&format!("p-{nth}"), None, "28013 Madrid", parcels), None)
            .await;
    }
    shop.0.store.take_reads();
    let paths = [
        "UNKNOWN?postalCode=28013".to_owned(),
        "UNKNOWN".to_owned(),
        UPS.to_owned(),
        format!("{UPS}?postalCode="),
        format!("{UPS}?postalCode=28014"),
        format!("{UPS}?postalCode=2801"),
        format!("{UPS}?postalCode=12"),
        format!("{UPS}?postalCode=Canary"),
        format!("{UPS}?postalCode=SW1A1AA"),
        format!("{UPS}?postalcode=28013"),
        format!("{UPS}?postalCode=28014&postalCode=28013"),
        format!("{UPS}?postalCode={}", "28013".repeat(1_000)),
        format!("{UPS}?postalCode=%FF%00"),
        "CLAIMED?postalCode=28013".to_owned(),
        "PENDING?postalCode=28013".to_owned(),
        "a%23b?postalCode=28013".to_owned(),
        "%FF?postalCode=28013".to_owned(),
        "%00".to_owned(),
        "%2F".to_owned(),
        "1".repeat(2_000),
        format!("{ANAS}?postalCode=28013"),
    ];
    let mut answers = Vec::new();
    for path in &paths {
        let answer = shop.get(Who::Nobody, &format!("/orders/track/{path}")).await;
        let reads = shop.0.store.take_reads();
        assert_eq!(reads, ["parcel", "order", "order", "order"], "{path}");
        answers.push(answer);
    }
    assert_eq!(answers[0].status, StatusCode::NOT_FOUND);
    for (path, answer) in paths.iter().zip(&answers) {
        assert_eq!(answer, &answers[0], "{path}");
    }
    let opened = shop
        .get(Who::Nobody, &format!("/orders/track/{UPS}?postalCode=28013"))
        .await;
    assert_eq!(opened.status, StatusCode::OK);
    assert_eq!(shop.0.store.take_reads(), ["parcel", "order", "order", "order"]);
}

#[tokio::test]
async fn who_is_logged_in_is_a_stranger_here_too() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    for who in [ANA, LUIS, Who::Admin] {
        assert_eq!(
            shop.get(who, &format!("/orders/track/{UPS}")).await.status,
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn a_shop_may_show_parcels_by_their_number_alone_or_not_at_all() {
    let number = Shop::filled(PublicTracking::Number).await;
    let known = number.get(Who::Nobody, &format!("/orders/track/{UPS}")).await;
    assert_eq!(known.status, StatusCode::OK);
    number.0.store.take_reads();
    let unknown = number.get(Who::Nobody, "/orders/track/UNKNOWN").await;
    assert_eq!(number.0.store.take_reads(), ["parcel", "order", "order", "order"]);
    let off = Shop::filled(PublicTracking::Off).await;
    let shut = off
        .get(Who::Nobody, &format!("/orders/track/{UPS}?postalCode=28013"))
        .await;
    assert_eq!((unknown.status, &shut), (StatusCode::NOT_FOUND, &unknown));
    assert_eq!(off.0.store.take_reads(), [""; 0]);
    assert_eq!(
        off.get(Who::Nobody, &link(ANAS, at(NOW + 1))).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_parcel_of_two_orders_opens_with_the_code_of_either() {
    let shop = Shop::empty(PublicTracking::PostalCode);
    for (id, address) in [("one", "28013 Madrid"), ("two", "08001 Barcelona")] {
        shop.tell(registration(id, None, address, vec![parcel(UPS, "UPS")]), None)
            .await;
    }
    for (code, status) in [("28013", 200), ("08001", 200), ("41001", 404)] {
        let answer = shop
            .get(Who::Nobody, &format!("/orders/track/{UPS}?postalCode={code}"))
            .await;
        assert_eq!(answer.status.as_u16(), status, "{code}");
    }
}

#[tokio::test]
async fn a_link_shows_every_parcel_of_its_order_a_guests_too() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let answer = shop.get(Who::Nobody, &link(ANAS, at(NOW + 1))).await;
    let shown = answer.json();
    assert_eq!((answer.status, &shown["status"]), (StatusCode::OK, &json!("delayed")));
    assert_eq!(events(&shown), ["delayed", "confirmed"]);
    assert_eq!(events(&shown["parcels"][0]), ["exception", "shipped"]);
    assert_eq!(shown["parcels"][0]["carrier"], json!("UPS"));
    assert_eq!(shown["parcels"][1]["events"], json!([]));
    let guests = shop.get(Who::Admin, &format!("/orders/{GUESTS}/status")).await.json();
    let address = guests["trackingLink"].as_str().unwrap();
    let path = address.strip_prefix("https://shop.example.com").unwrap();
    let shown = shop.get(Who::Nobody, path).await.json();
    assert_eq!(shown["parcels"][0]["carrier"], json!("DPD"));
}

#[tokio::test]
async fn a_link_to_pass_on_is_good_for_ninety_days() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let shown = shop.get(ANA, &format!("/orders/{ANAS}/status")).await.json();
    let token = shown["trackingLink"]
        .as_str()
        .unwrap()
        .strip_prefix("https://shop.example.com/track/")
        .unwrap();
    let token = LinkKeys::read(KEYS).unwrap().verify_order(token, at(NOW)).unwrap();
    let days = (token.expires_at - at(NOW)).get_seconds() / DAY;
    assert_eq!((token.order.as_str(), days), (ANAS, 90));
}

#[tokio::test]
async fn a_link_that_does_not_open_is_the_same_to_the_byte_and_costs_no_read() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let later = at(NOW) + 1.hour();
    let keys = LinkKeys::read(KEYS).unwrap();
    let page = keys.sign(&Token {
        purpose: Purpose::Preferences,
        user: UserId::try_from(ANAS).unwrap(),
        expires_at: later,
    });
    let others = LinkKeys::read("k2=ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123").unwrap();
    let forgers = LinkKeys::read("k1=ABCDEFGHIJKLMNOPQRSTUVWXYZ-_0123").unwrap();
    let token = OrderToken {
        order: order_id(ANAS),
        expires_at: later,
    };
    let good = link(ANAS, later);
    let paths = [
        "/track/abc".to_owned(),
        "/track/%FF".to_owned(),
        format!("/track/{}", "A".repeat(4_000)),
        good[..good.len() - 1].to_owned(),
        format!("{good}A"),
        link(ANAS, at(NOW)),
        format!("/track/{page}"),
        format!("/track/{}", others.sign_order(&token)),
        format!("/track/{}", forgers.sign_order(&token)),
        format!("/track/{ANAS}"),
    ];
    let gone = shop.get(Who::Nobody, &link(NOBODYS, later)).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    shop.0.store.take_reads();
    for path in &paths {
        assert_eq!(shop.get(Who::Nobody, path).await, gone, "{path}");
    }
    assert_eq!(shop.0.store.take_reads(), [""; 0]);
    assert_eq!(shop.get(Who::Nobody, &good).await.status, StatusCode::OK);
}

#[tokio::test]
async fn strangers_are_told_nothing_of_whose_it_is() {
    for public in [PublicTracking::PostalCode, PublicTracking::Number] {
        let shop = Shop::filled(public).await;
        shop.post(
            ANA,
            &format!("/orders/{ANAS}/delivery-preferences"),
            &json!({"safePlace": "canary shed"}),
        )
        .await;
        for path in [format!("/orders/track/{UPS}?postalCode=28013"), link(ANAS, at(NOW + 1))] {
            let answer = shop.get(Who::Nobody, &path).await;
            assert_eq!(answer.status, StatusCode::OK);
            let told = format!("{:?} {}", answer.headers, String::from_utf8(answer.body).unwrap()).to_lowercase();
            for canary in ["canary", "77123", "600777", "28013", "eur", "1002"] {
                assert!(!told.contains(canary), "{canary} in {told}");
            }
        }
    }
}

#[tokio::test]
async fn what_did_not_count_is_not_shown_to_strangers() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    shop.hear(event(Carrier::Fedex, UPS, OrderStatus::Delivered, NOW - 10))
        .await;
    let mut scan = event(Carrier::Ups, UPS, OrderStatus::Shipped, NOW - 5);
    scan.status = None;
    shop.hear(scan).await;
    let shown = shop
        .get(Who::Nobody, &format!("/orders/track/{UPS}?postalCode=28013"))
        .await
        .json();
    assert_eq!(events(&shown), ["", "delayed", "exception", "shipped", "confirmed"]);
    assert_eq!(shown["events"][0]["text"], json!("words for shipped"));
}
