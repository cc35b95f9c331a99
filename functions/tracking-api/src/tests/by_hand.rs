//! Changes by hand.

use super::*;

fn path(order: &str) -> String {
    format!("/admin/orders/{order}/status")
}

fn delivered() -> Value {
    json!({"status": "delivered", "reason": "the customer called"})
}

#[tokio::test]
async fn who_runs_the_shop_changes_an_order_and_the_same_again_is_no_news() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let before = shop.0.store.twin.news().len();
    let answer = shop.post(Who::Admin, &path(ANAS), &delivered()).await;
    let expected = json!({"orderId": ANAS, "status": "delivered", "hasChanged": true});
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, expected));
    let told = shop.0.store.twin.news().len();
    assert!(told > before);
    let again = shop.post(Who::Admin, &path(ANAS), &delivered()).await;
    let expected = json!({"orderId": ANAS, "status": "delivered", "hasChanged": false});
    assert_eq!((again.status, again.json()), (StatusCode::OK, expected));
    let otherwise = json!({"status": "delivered", "reason": "and wrote as well"});
    assert_eq!(
        shop.post(Who::Admin, &path(ANAS), &otherwise).await.status,
        StatusCode::OK
    );
    assert_eq!(shop.0.store.twin.news().len(), told);
    let shown = shop.get(Who::Admin, &format!("/orders/{ANAS}/timeline")).await.json();
    assert_eq!(shown["timeline"][0]["who"], json!("an-admin"));
}

#[tokio::test]
async fn one_parcel_may_be_changed_alone() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let body = json!({"status": "DELIVERED", "reason": "found", "trackingNumber": SECOND.to_lowercase()});
    let answer = shop.post(Who::Admin, &path(ANAS), &body).await;
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (StatusCode::OK, &json!("delayed"))
    );
    let shown = shop.get(ANA, &format!("/orders/{ANAS}/status")).await.json();
    let statuses: Vec<&Value> = shown["parcels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parcel| &parcel["status"])
        .collect();
    assert_eq!(statuses, [&json!("delayed"), &json!("delivered")]);
}

#[tokio::test]
async fn everybody_else_is_refused_before_anything_is_looked_at() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let mut refusals = Vec::new();
    for order in [ANAS, GUESTS, NOBODYS, "%FF"] {
        for body in [delivered().to_string(), "{}".to_owned(), "no JSON".to_owned()] {
            for who in [ANA, LUIS] {
                refusals.push(shop.ask(who, "POST", &path(order), &[], &body).await);
            }
            let nobody = shop.ask(Who::Nobody, "POST", &path(order), &[], &body).await;
            assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
        }
    }
    assert_eq!(refusals[0].status, StatusCode::FORBIDDEN);
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0]));
    assert_eq!(shop.0.store.take_reads(), [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_changed_says_why() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let mut digital = registration("digital", None, "", Vec::new());
    digital.order_type = OrderType::Digital;
    shop.tell(digital, None).await;
    for order in [NOBODYS, "%00", "%FF", "%20"] {
        assert_eq!(
            shop.post(Who::Admin, &path(order), &delivered()).await.status,
            StatusCode::NOT_FOUND
        );
    }
    let strange = json!({"status": "delivered", "reason": "r", "trackingNumber": DPD});
    let answer = shop.post(Who::Admin, &path(ANAS), &strange).await;
    assert_eq!(
        (answer.status, answer.wrong()),
        (StatusCode::UNPROCESSABLE_ENTITY, vec!["/trackingNumber".to_owned()])
    );
    let shipped = json!({"status": "shipped", "reason": "r"});
    let answer = shop.post(Who::Admin, &path("digital"), &shipped).await;
    assert_eq!(
        (answer.status, answer.wrong()),
        (StatusCode::UNPROCESSABLE_ENTITY, vec!["/status".to_owned()])
    );
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named() {
    let shop = Shop::filled(PublicTracking::PostalCode).await;
    let body = json!({"status": "lost", "reason": "\u{0}", "trackingNumber": "a#b", "who": "me"});
    let answer = shop.post(Who::Admin, &path(ANAS), &body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert_eq!(answer.wrong(), ["/status", "/reason", "/trackingNumber", "/who"]);
    let answer = shop
        .post(Who::Admin, &path(ANAS), &json!({"reason": "x".repeat(501)}))
        .await;
    assert_eq!(answer.wrong(), ["/status", "/reason"]);
    assert_eq!(
        shop.get(ANA, &format!("/orders/{ANAS}/status")).await.json()["status"],
        json!("delayed")
    );
}
