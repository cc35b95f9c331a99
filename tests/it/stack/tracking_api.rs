//! Where orders stand: from the events of their pipeline and their carrier to what customers, strangers and admins are shown.

use domain::{Carrier, OrderStatus, TrackingEvent, TrackingNumber};
use serde_json::{Value, json};

use super::api::{Customer, api, json_of};
use super::harness::{Stack, eventually};
use super::operator::{ops, ops_json};

/// An order of a customer's, on its way.
struct Order {
    id: String,
    number: TrackingNumber,
    user: String,
}

impl Order {
    /// Publishes that an order was placed and shipped, and waits until it is known.
    async fn shipped(stack: &Stack, customer: &Customer, user: &str) -> Self {
        let order = Self {
            id: stack.unique("order"),
            number: TrackingNumber::try_from(stack.unique("parcel")).unwrap(),
            user: user.to_owned(),
        };
        order.publish(stack, "confirmed", 2).await;
        order.publish(stack, "shipped", 1).await;
        order.stands_at(customer, "shipped").await;
        order
    }

    /// Publishes what happened so many hours ago.
    async fn publish(&self, stack: &Stack, status: &str, hours_ago: i64) {
        let at = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(hours_ago);
        stack
            .publish(&json!({
                "userId": self.user, "notificationType": "order_status_update", "recipientEmail": stack.address("ana"), "channels": ["email"],
                "orderData": {
                    "orderId": self.id, "status": status, "timestamp": at.to_string(), "trackingNumber": self.number, "carrier": "UPS",
                    "customerName": "Ana Hidden", "shippingAddress": "Calle Mayor 1\n28013 Madrid",
                },
            }))
            .await;
    }

    async fn stands_at(&self, customer: &Customer, status: &str) -> Value {
        eventually(&format!("{} {status}", self.id), async || {
            let answer = customer.ask("GET", &self.path("status"), &[], None).await;
            (answer.status == 200)
                .then(|| json_of(&answer))
                .filter(|shown| shown["status"] == json!(status))
        })
        .await
    }

    fn path(&self, part: &str) -> String {
        format!("/orders/{}/{part}", self.id)
    }
}

#[tokio::test]
async fn an_order_is_followed_from_its_first_event_to_the_carriers_words() {
    let stack = Stack::connect().await;
    let user = stack.unique("user");
    let customer = Customer::log_in(&user).await;
    let order = Order::shipped(&stack, &customer, &user).await;
    let now = jiff::Timestamp::now();
    let mut event = TrackingEvent::new(Carrier::Ups, order.number.clone(), now);
    event.status = Some(OrderStatus::OutForDelivery);
    event.text = Some("On the vehicle".to_owned());
    let news = json!({"version": "1", "heardAt": now, "events": [event]});
    stack.put_on_queue("carrier-events", &[news.to_string()]).await;
    order.stands_at(&customer, "out_for_delivery").await;
    let timeline = customer.get(&order.path("timeline")).await;
    let said: Vec<&Value> = timeline["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["status"])
        .collect();
    assert_eq!(said, ["out_for_delivery", "shipped", "confirmed"]);
    let active = customer.get("/orders/active").await;
    assert_eq!(active["orders"][0]["orderId"], json!(order.id));
    let late = customer
        .ask(
            "POST",
            &order.path("delivery-preferences"),
            &[],
            Some(&json!({"neighbour": true})),
        )
        .await;
    assert_eq!(late.status, 409, "{late:?}");
}

#[tokio::test]
async fn strangers_see_the_way_of_a_parcel_and_nothing_of_whose_it_is() {
    let stack = Stack::connect().await;
    let user = stack.unique("user");
    let customer = Customer::log_in(&user).await;
    let order = Order::shipped(&stack, &customer, &user).await;
    let link = customer.get(&order.path("status")).await["trackingLink"].clone();
    let (_, token) = link.as_str().unwrap().rsplit_once('/').unwrap();
    let by_number = format!("/orders/track/{}", order.number);
    for path in [format!("{by_number}?postalCode=28013"), format!("/track/{token}")] {
        let answer = api().ask("GET", &path, &[], "").await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let told = String::from_utf8(answer.body.to_vec()).unwrap();
        for hidden in [order.id.as_str(), user.as_str(), "Hidden", "28013", "example.com"] {
            assert!(!told.contains(hidden), "{hidden} in {told}");
        }
    }
    let unknown = api()
        .ask("GET", "/orders/track/UNKNOWN?postalCode=28013", &[], "")
        .await
        .unwrap();
    for path in [
        by_number.clone(),
        format!("{by_number}?postalCode=28014"),
        format!("/track/{token}A"),
    ] {
        let answer = api().ask("GET", &path, &[], "").await.unwrap();
        assert_eq!((answer.status, &answer.body), (404, &unknown.body), "{path}");
    }
}

#[tokio::test]
async fn an_order_is_its_customers_and_admins_change_it_by_hand() {
    let stack = Stack::connect().await;
    let user = stack.unique("user");
    let customer = Customer::log_in(&user).await;
    let another = Customer::log_in(&stack.unique("another")).await;
    let admin = Customer::log_in_as(&stack.unique("admin"), "admin").await;
    let order = Order::shipped(&stack, &customer, &user).await;
    let wishes = json!({"safePlace": "the shed"});
    let told = customer
        .ask("POST", &order.path("delivery-preferences"), &[], Some(&wishes))
        .await;
    assert_eq!(
        (told.status, json_of(&told)["safePlace"].clone()),
        (200, json!("the shed"))
    );
    let path = format!("/admin/orders/{}/status", order.id);
    let change = json!({"status": "delivered", "reason": "the customer called"});
    assert_eq!(customer.ask("POST", &path, &[], Some(&change)).await.status, 403);
    assert_eq!(another.ask("GET", &order.path("status"), &[], None).await.status, 404);
    let changed = admin.ask("POST", &path, &[], Some(&change)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    let shown = order.stands_at(&customer, "delivered").await;
    assert_eq!(shown["deliveryPreferences"]["safePlace"], json!("the shed"));
    assert_eq!(customer.get("/orders/active").await["orders"], json!([]));

    // A carrier's scan from before the change comes afterwards: kept, without effect, and somebody is asked to look.
    let mut late = TrackingEvent::new(
        Carrier::Ups,
        order.number.clone(),
        jiff::Timestamp::now() - jiff::SignedDuration::from_mins(30),
    );
    late.status = Some(OrderStatus::Exception);
    let news = json!({"version": "1", "heardAt": jiff::Timestamp::now(), "events": [late]});
    stack.put_on_queue("carrier-events", &[news.to_string()]).await;
    let timeline = eventually(&format!("the late scan of {}", order.id), async || {
        let timeline = customer.get(&order.path("timeline")).await;
        let entries = timeline["timeline"].as_array().unwrap().clone();
        entries
            .iter()
            .any(|entry| entry["effect"] == json!("overruled_by_hand"))
            .then_some(entries)
    })
    .await;
    assert_eq!(timeline.len(), 4, "{timeline:?}");
    order.stands_at(&customer, "delivered").await;
    let (code, shown) = ops_json(&["order", "show", &order.id]).await;
    assert_eq!(
        (code, &shown["status"], &shown["needsReview"]),
        (0, &json!("delivered"), &json!(true))
    );
    let (code, listed) = ops_json(&["order", "review"]).await;
    let listed = listed["orders"].as_array().unwrap();
    assert_eq!(code, 1);
    assert!(listed.iter().any(|line| line["order"] == json!(order.id)));
    let (code, shown) = ops_json(&["order", "reviewed", &order.id]).await;
    assert_eq!((code, &shown["needsReview"]), (0, &json!(false)));
    let forget = ["order", "forget", order.id.as_str(), "--why", "a test"];
    let (code, foreseen) = ops_json(&[&forget[..], &["--dry-run"]].concat()).await;
    assert_eq!((code, &foreseen["parcels"]), (0, &json!(1)));
    assert_eq!(ops_json(&["order", "show", &order.id]).await.0, 0);
    assert_eq!(ops_json(&forget).await.0, 0);
    assert_eq!(ops(&["order", "show", &order.id]).await.code, 2);
    assert_eq!(customer.ask("GET", &order.path("status"), &[], None).await.status, 404);
}
