//! What a customer wishes for a delivery.

use super::*;

fn path() -> String {
    format!("/orders/{ANAS}/delivery-preferences")
}

#[tokio::test]
async fn who_may_wish_something_for_which_order() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    for (who, expected) in [
        (Who::Nobody, [401, 401, 401]),
        (ANA, [200, 404, 404]),
        (LUIS, [404, 404, 404]),
        (Who::Admin, [403, 403, 404]),
    ] {
        for (order, status) in [ANAS, GUESTS, NOBODYS].into_iter().zip(expected) {
            let path = format!("/orders/{order}/delivery-preferences");
            let answer = shop.post(who, &path, &json!({"neighbour": true})).await;
            assert_eq!(answer.status.as_u16(), status, "{who:?} {order}");
        }
    }
}

#[tokio::test]
async fn for_an_order_of_another_everything_is_as_for_none() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    for body in [json!({"neighbour": true}), json!({"day": 7})] {
        let mut answers = Vec::new();
        for order in [ANAS, NOBODYS] {
            let answer = shop
                .post(LUIS, &format!("/orders/{order}/delivery-preferences"), &body)
                .await;
            answers.push((answer, shop.0.store.take_reads()));
        }
        assert_eq!(answers[0], answers[1]);
    }
}

#[tokio::test]
async fn what_is_left_out_stays_and_nothing_takes_it_away() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let told = json!({"safePlace": "  the\u{7}\n shed ", "neighbour": true, "day": "2027-01-16"});
    let answer = shop.post(ANA, &path(), &told).await;
    let kept = json!({"safePlace": "the shed", "neighbour": true, "day": "2027-01-16", "toldAt": at(NOW).to_string()});
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, kept));
    let told = json!({"safePlace": " \u{0} ", "neighbour": false, "instructions": "knock"});
    let answer = shop.post(ANA, &path(), &told).await;
    let kept = json!({"neighbour": false, "day": "2027-01-16", "instructions": "knock", "toldAt": at(NOW).to_string()});
    assert_eq!(answer.json(), kept);
    let answer = shop.post(ANA, &path(), &json!({"day": null})).await;
    let kept = json!({"neighbour": false, "instructions": "knock", "toldAt": at(NOW).to_string()});
    assert_eq!(answer.json(), kept);
    let shown = shop.get(ANA, &format!("/orders/{ANAS}/status")).await.json();
    assert_eq!(shown["deliveryPreferences"], kept);
    assert_eq!(shown["status"], json!("delayed"));
}

#[tokio::test]
async fn the_same_again_writes_nothing() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let first = shop.post(ANA, &path(), &json!({"neighbour": true})).await;
    let version = shop.version_of(ANAS);
    for body in [json!({"neighbour": true}), json!({})] {
        assert_eq!(shop.post(ANA, &path(), &body).await, first);
    }
    assert_eq!(shop.version_of(ANAS), version);
}

#[tokio::test]
async fn nothing_told_is_shown_as_nothing() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let answer = shop.post(ANA, &path(), &json!({})).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({})));
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named_and_nothing_is_written() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let body = json!({
        "safePlace": "x".repeat(101), "neighbour": "yes", "day": "20270116", "instructions": 7, "colour": "green", "a/b": 1,
    });
    let answer = shop.post(ANA, &path(), &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let expected = ["/safePlace", "/neighbour", "/day", "/instructions", "/a~1b", "/colour"];
    assert_eq!(answer.wrong(), expected);
    assert_eq!(shop.0.store.twin.order(&order_id(ANAS)).unwrap().wishes, None);
}

#[tokio::test]
async fn a_day_is_from_today_to_sixty_days_ahead_in_one_spelling() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    for (day, status) in [
        (json!("2027-01-15"), 200),
        (json!("2027-03-16"), 200),
        (json!("2027-03-17"), 422),
        (json!("2027-01-14"), 422),
        (json!("20270116"), 400),
        (json!("2027-01-16T00:00:00"), 400),
        (json!("0001-01-01"), 422),
        (json!("9999-12-31"), 422),
        (json!("-2027-01-16"), 400),
        (json!("2027-02-30"), 400),
        (json!(20_270_116), 400),
        (json!(""), 400),
    ] {
        let answer = shop.post(ANA, &path(), &json!({"day": day})).await;
        assert_eq!(answer.status.as_u16(), status, "{day}");
    }
}

#[tokio::test]
async fn the_day_begins_where_the_shop_is() {
    let mut shop = Shop::empty(PublicTracking::PostalCode);
    let zone = domain::Zone::try_from("Pacific/Kiritimati").unwrap();
    Arc::get_mut(&mut shop.0).unwrap().settings.zone = zone;
    shop.tell(anas(), None).await;
    for (day, status) in [("2027-01-15", 200), ("2027-01-14", 422)] {
        let answer = shop.post(ANA, &path(), &json!({"day": day})).await;
        assert_eq!(answer.status.as_u16(), status, "{day}");
    }
    let zone = domain::Zone::try_from("Pacific/Pago_Pago").unwrap();
    Arc::get_mut(&mut shop.0).unwrap().settings.zone = zone;
    let answer = shop.post(ANA, &path(), &json!({"day": "2027-01-14"})).await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn it_is_too_late_once_the_order_is_on_its_last_way_or_over() {
    for (status, expected) in [
        (OrderStatus::OutForDelivery, 409),
        (OrderStatus::Delivered, 409),
        (OrderStatus::Cancelled, 409),
        (OrderStatus::Returned, 409),
        (OrderStatus::Exception, 200),
        (OrderStatus::Shipped, 200),
    ] {
        let shop = Shop::filled(PublicTracking::PostalCode).await;
        shop.by_hand(ANAS, status, NOW - 10).await;
        let answer = shop.post(ANA, &path(), &json!({"neighbour": true})).await;
        assert_eq!(answer.status.as_u16(), expected, "{status}");
    }
}

#[tokio::test]
async fn who_names_an_older_version_is_told() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let shown = shop.get(ANA, &format!("/orders/{ANAS}/status")).await;
    let tag = shown.header("etag").unwrap();
    let tell = async |tag: &str, body: Value| {
        shop.ask(ANA, "POST", &path(), &[("if-match", tag)], &body.to_string())
            .await
    };
    let first = tell(tag, json!({"neighbour": true})).await;
    assert_eq!(first.status, StatusCode::OK);
    let second = tell(tag, json!({"neighbour": false})).await;
    assert_eq!(second.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(second.json()["type"], json!("urn:e-com67:problem:stale"));
    let third = tell(first.header("etag").unwrap(), json!({"neighbour": false})).await;
    assert_eq!(
        (third.status, third.json()["neighbour"].clone()),
        (StatusCode::OK, json!(false))
    );
    assert_eq!(tell("*", json!({"neighbour": true})).await.status, StatusCode::OK);
    for other in ["\"\"", "\"x\"", "W/\"1\"", ""] {
        assert_eq!(
            tell(other, json!({})).await.status,
            StatusCode::PRECONDITION_FAILED,
            "{other}"
        );
    }
}

/// Somebody else changes the order just before it is written.
fn let_another_in(shop: &Shop) {
    shop.0.store.twin.before_the_next_write(|twin| {
        let record = twin.order(&order_id(ANAS)).unwrap();
        let wishes = DeliveryWishes {
            instructions: Some("in between".to_owned()),
            ..DeliveryWishes::default()
        };
        let wish = twin.wish(&record, &wishes);
        let mut wish = std::pin::pin!(wish);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        while wish.as_mut().poll(&mut context).is_pending() {}
    });
}

#[tokio::test]
async fn of_two_at_once_none_is_lost() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let_another_in(&shop);
    let answer = shop.post(ANA, &path(), &json!({"neighbour": true})).await;
    assert_eq!(answer.status, StatusCode::OK);
    let kept = answer.json();
    assert_eq!(
        (&kept["neighbour"], &kept["instructions"]),
        (&json!(true), &json!("in between"))
    );
}

#[tokio::test]
async fn of_two_at_once_who_named_a_version_is_told() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let shown = shop.get(ANA, &format!("/orders/{ANAS}/status")).await;
    let tag = shown.header("etag").unwrap();
    let_another_in(&shop);
    let answer = shop
        .ask(ANA, "POST", &path(), &[("if-match", tag)], r#"{"neighbour": true}"#)
        .await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED);
}
