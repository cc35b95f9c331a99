//! What customers do with their own notifications, logged in: through the gateway, with real tokens.

use emulator::{Answer, Api};
use serde_json::{Value, json};

use super::harness::{Stack, eventually};
use super::tokens::UserPool;

/// A customer who is logged in.
pub(crate) struct Customer {
    api: Api,
    token: String,
}

/// The API of the stack.
pub(crate) fn api() -> Api {
    let address =
        std::env::var("E_COM67_API").expect("E_COM67_API: run `make test`, which starts a stack for these tests");
    Api::at(&address).unwrap()
}

pub(crate) fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("no JSON: {answer:?}"))
}

impl Customer {
    /// Logs in at the user pool.
    pub(crate) async fn log_in(user: &str) -> Self {
        Self::log_in_as(user, "").await
    }

    /// Logs in as a member of a group.
    pub(crate) async fn log_in_as(user: &str, group: &str) -> Self {
        Self {
            api: api(),
            token: UserPool::connect().await.log_in(user, group).await,
        }
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        let bearer = format!("Bearer {}", self.token);
        let mut all = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
        all.extend(headers);
        let body = body.map(Value::to_string).unwrap_or_default();
        self.api.ask(method, path, &all, &body).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, &[], None).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        json_of(&answer)
    }

    /// The version of the preferences that stand now.
    pub(crate) async fn tag(&self) -> String {
        let answer = self.ask("GET", "/notifications/preferences", &[], None).await;
        answer.headers["etag"].to_str().unwrap().to_owned()
    }

    pub(crate) async fn change(&self, tag: &str, change: &Value) -> Answer {
        self.ask(
            "PATCH",
            "/notifications/preferences",
            &[("if-match", tag)],
            Some(change),
        )
        .await
    }
}

#[tokio::test]
async fn what_a_customer_chooses_is_obeyed_and_logged() {
    let stack = Stack::connect().await;
    let user = stack.unique("user");
    let customer = Customer::log_in(&user).await;
    let change = json!({"preferences": {"email": {"order_status_update": {"shipped": false}}}, "language": "en"});
    let answer = customer.change(&customer.tag().await, &change).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(
        json_of(&answer)["preferences"]["email"]["order_status_update"]["shipped"],
        json!(false)
    );
    let order = stack.unique("order");
    stack
        .publish(&json!({
            "userId": user, "notificationType": "order_status_update", "recipientEmail": stack.address("ana"),
            "channels": ["email"], "orderData": {"orderId": order, "status": "shipped"},
        }))
        .await;
    let item = stack.settled(&order).await;
    assert_eq!(
        super::harness::results(&item)["email"],
        ("skipped".to_owned(), "opted_out".to_owned())
    );
    let log = stack.items_of("consent-log", &user).await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0]["by"].as_s().unwrap(), "api");
    assert_eq!(log[0]["changes"].as_l().unwrap().len(), 2);
}

#[tokio::test]
async fn of_two_clients_who_change_the_same_version_one_is_told() {
    let stack = Stack::connect().await;
    let customer = Customer::log_in(&stack.unique("user")).await;
    let tag = customer.tag().await;
    let (on, off) = (
        json!({"preferences": {"email": {"promotional": true}}}),
        json!({"language": "ro"}),
    );
    let (first, second) = tokio::join!(customer.change(&tag, &on), customer.change(&tag, &off));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 412]);
    let stands = customer.get("/notifications/preferences").await;
    let is_on = stands["preferences"]["email"]["promotional"] == json!(true);
    let is_romanian = stands["language"] == json!("ro");
    assert!(is_on != is_romanian, "{stands}");
    assert_eq!((first.status == 200, second.status == 200), (is_on, is_romanian));
}

#[tokio::test]
async fn what_another_program_writes_into_the_table_makes_a_version_stale() {
    let stack = Stack::connect().await;
    let user = stack.unique("user");
    let customer = Customer::log_in(&user).await;
    let tag = customer.tag().await;
    stack
        .store_preferences(
            &json!({"userId": user, "preferences": {"sms": {"payment_failed": false}}, "loyaltyLevel": "gold"}),
        )
        .await;
    assert_eq!(customer.change(&tag, &json!({"language": "ru"})).await.status, 412);
    let answer = customer.change(&customer.tag().await, &json!({"language": "ru"})).await;
    assert_eq!(answer.status, 200);
    let item = stack.items_of("notification-preferences", &user).await.remove(0);
    assert_eq!(item["loyaltyLevel"].as_s().unwrap(), "gold");
    assert_eq!(
        item["preferences"].as_m().unwrap()["sms"].as_m().unwrap()["payment_failed"].as_bool(),
        Ok(&false)
    );
    assert_eq!(item["language"].as_s().unwrap(), "ru");
}

#[tokio::test]
async fn a_phone_is_verified_by_the_code_that_it_gets() {
    let stack = Stack::connect().await;
    let phone = stack.phone();
    let customer = Customer::log_in(&stack.unique("user")).await;
    let order = json!({"phoneNumber": phone});
    let answer = customer
        .ask("POST", "/notifications/verify-phone", &[], Some(&order))
        .await;
    assert_eq!(answer.status, 202, "{answer:?}");
    let text = eventually("a code", async || stack.texts_to(&phone).await.pop())
        .await
        .text;
    let digits: String = text
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    assert_eq!(digits.len(), 6, "{text}");
    let wrong = if digits == "000000" { "000001" } else { "000000" };
    let confirm = async |code: &str| {
        let body = json!({"code": code});
        customer
            .ask("POST", "/notifications/verify-phone/confirm", &[], Some(&body))
            .await
    };
    assert_eq!(confirm(wrong).await.status, 422);
    let answer = confirm(&digits).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let shown = json_of(&answer);
    assert_eq!(
        (&shown["phoneNumber"], &shown["phoneVerified"]),
        (&json!(phone), &json!(true))
    );
    assert_eq!(confirm(&digits).await.status, 409);
    let again = customer
        .ask("POST", "/notifications/verify-phone", &[], Some(&order))
        .await;
    assert_eq!(again.status, 429);
    assert!(again.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_number_of_a_country_that_is_not_served_gets_no_code() {
    let stack = Stack::connect().await;
    let customer = Customer::log_in(&stack.unique("user")).await;
    let body = json!({"phoneNumber": "+819012345678"});
    let answer = customer
        .ask("POST", "/notifications/verify-phone", &[], Some(&body))
        .await;
    assert_eq!(answer.status, 422, "{answer:?}");
    assert!(stack.texts_to("+819012345678").await.is_empty());
}

#[tokio::test]
async fn a_test_message_stands_in_the_history_with_how_it_fared() {
    let stack = Stack::connect().await;
    let user = stack.unique("user");
    let address = stack.address("ana");
    stack
        .store_preferences(&json!({"userId": user, "email": address, "language": "en"}))
        .await;
    let customer = Customer::log_in(&user).await;
    let send = async |channel: &str| {
        let body = json!({"channel": channel});
        let answer = customer.ask("POST", "/notifications/test", &[], Some(&body)).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        json_of(&answer)["notificationId"].as_str().unwrap().to_owned()
    };
    let (by_email, by_sms) = (send("email").await, send("sms").await);
    let emails = eventually("a test e-mail", async || {
        let emails = stack.emails_to(&address).await;
        (!emails.is_empty()).then_some(emails)
    })
    .await;
    assert_eq!(emails.len(), 1);
    let told = eventually("both tests in the history", async || {
        let history = customer.get("/notifications/history?limit=10").await;
        let told = history["notifications"].as_array().unwrap().clone();
        let outcome = |id: &str, channel: &str| {
            let past = told.iter().find(|past| past["notificationId"] == json!(id))?;
            let results = past["results"].as_array()?;
            let result = results.iter().find(|result| result["channel"] == json!(channel))?;
            Some(format!("{} {}", result["outcome"], result["reason"]))
        };
        let (email, sms) = (outcome(&by_email, "email")?, outcome(&by_sms, "sms")?);
        (!email.contains("queued") && !email.contains("sending")).then_some((email, sms))
    })
    .await;
    assert!(told.0.contains("sent") || told.0.contains("delivered"), "{told:?}");
    assert_eq!(told.1, "\"skipped\" \"no_address\"");
}

#[tokio::test]
async fn the_history_goes_on_page_by_page_and_shows_nobody_elses() {
    let stack = Stack::connect().await;
    let user = stack.unique("user");
    let orders: Vec<String> = ["a", "b", "c"].map(|word| stack.unique(word)).into();
    for (nth, order) in orders.iter().enumerate() {
        for whose in [&user, &stack.unique("another")] {
            stack
                .publish(&json!({
                    "userId": whose, "notificationType": "order_confirmation", "recipientEmail": stack.address("ana"), "channels": ["email"],
                    "orderData": {"orderId": format!("{order}-{whose}"), "timestamp": format!("2026-01-0{}T10:00:00Z", nth + 1), "totalAmount": 1},
                }))
                .await;
        }
    }
    for order in &orders {
        stack.settled(&format!("{order}-{user}")).await;
    }
    let customer = Customer::log_in(&user).await;
    let mut told = Vec::new();
    let mut path = "/notifications/history?limit=2".to_owned();
    loop {
        let page = customer.get(&path).await;
        for past in page["notifications"].as_array().unwrap() {
            told.push(past["orderId"].as_str().unwrap().to_owned());
        }
        match page["nextCursor"].as_str() {
            Some(cursor) => path = format!("/notifications/history?limit=2&cursor={cursor}"),
            None => break,
        }
    }
    let expected: Vec<String> = orders.iter().rev().map(|order| format!("{order}-{user}")).collect();
    assert_eq!(told, expected);
}

#[tokio::test]
async fn the_document_is_the_one_that_is_checked_in() {
    let answer = api().ask("GET", "/openapi.json", &[], "").await.unwrap();
    assert_eq!(
        (answer.status, answer.headers["content-type"].to_str().unwrap()),
        (200, "application/json")
    );
    assert_eq!(json_of(&answer), crate::open_api::checked_in());
}
