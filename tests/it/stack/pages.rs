//! The pages behind the links of an e-mail, from the e-mail to the next event.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Channel, NotificationType, UserId};
use emulator::Answer;
use jiff::{SignedDuration, Timestamp};
use links::{LinkKeys, Purpose, Token};
use serde_json::{Value, json};

use super::api::api;
use super::harness::{Item, Stack, results};

/// The form that browsers and mail providers send.
const FORM: [(&str, &str); 1] = [("content-type", "application/x-www-form-urlencoded")];

pub(super) async fn get(path: &str) -> Answer {
    api().ask("GET", path, &[], "").await.unwrap()
}

pub(super) async fn post(path: &str, form: &str) -> Answer {
    api().ask("POST", path, &FORM, form).await.unwrap()
}

/// What a mail provider does when its reader presses its button (RFC 8058).
async fn one_click(path: &str) -> Answer {
    post(path, "List-Unsubscribe=One-Click").await
}

fn shipped(user: &str, order: &str, email: &str) -> Value {
    json!({
        "userId": user, "notificationType": "order_status_update", "recipientEmail": email,
        "orderData": {"orderId": order, "status": "SHIPPED"},
    })
}

/// The path of the link that the one e-mail about an order gives to mail programs.
async fn path_of(stack: &Stack, order: &str) -> String {
    let calls = stack.proxy.calls("SendEmail", order).await.unwrap();
    let email = calls.into_iter().find_map(|call| call.email).unwrap();
    let (_, token) = email.headers["List-Unsubscribe"].rsplit_once('/').unwrap();
    format!("/unsubscribe/{}", token.trim_end_matches('>'))
}

/// Everything that the table of preferences and the log of consent hold of a customer.
async fn kept_of(stack: &Stack, user: &str) -> (Option<Item>, Vec<Item>) {
    let user = AttributeValue::S(user.to_owned());
    let stored = stack
        .dynamodb
        .get_item()
        .table_name(stack.name("notification-preferences"))
        .key("userId", user.clone())
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    let log = stack
        .dynamodb
        .query()
        .table_name(stack.name("consent-log"))
        .key_condition_expression("userId = :user")
        .expression_attribute_values(":user", user)
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    (stored.item, log.items.unwrap_or_default())
}

/// The keys with which the deployed functions sign.
pub(super) async fn keys(stack: &Stack) -> LinkKeys {
    let configuration = stack
        .lambda
        .get_function_configuration()
        .function_name(stack.name("preferences-page"))
        .send()
        .await
        .unwrap();
    let variables = configuration.environment.unwrap().variables.unwrap();
    LinkKeys::read(variables.get("LINK_KEYS").unwrap()).unwrap()
}

#[tokio::test]
async fn the_link_of_an_email_stops_its_like_by_one_click_and_looking_at_it_does_not() {
    let stack = Stack::connect().await;
    let (user, first, second) = (stack.unique("user"), stack.unique("first"), stack.unique("second"));
    let email = stack.address("ana");
    stack.publish(&shipped(&user, &first, &email)).await;
    stack.settled(&first).await;
    let link = path_of(&stack, &first).await;

    let before = kept_of(&stack, &user).await;
    for method in ["GET", "HEAD", "GET"] {
        let seen = api().ask(method, &link, &[], "").await.unwrap();
        assert_eq!(seen.status, 200, "{seen:?}");
        assert_eq!(seen.headers["referrer-policy"], "no-referrer");
        assert_eq!(seen.headers["cache-control"], "no-store");
    }
    assert_eq!(kept_of(&stack, &user).await, before);

    let done = one_click(&link).await;
    assert_eq!(done.status, 200, "{done:?}");
    assert!(!done.headers.contains_key("location") && !done.headers.contains_key("set-cookie"));
    stack.publish(&shipped(&user, &second, &email)).await;
    let outcome = results(&stack.settled(&second).await)["email"].clone();
    assert_eq!(outcome, ("skipped".to_owned(), "opted_out".to_owned()));
    let (_, log) = kept_of(&stack, &user).await;
    assert_eq!(log.len(), 1);
    assert!(format!("{:?}", log[0]).contains("one_click"), "{log:?}");

    let again = one_click(&link).await;
    assert_eq!(again.status, 200);
    assert_eq!(kept_of(&stack, &user).await.1.len(), 1);
}

#[tokio::test]
async fn a_link_that_is_guessed_altered_expired_or_for_another_page_is_refused_and_changes_nothing() {
    let stack = Stack::connect().await;
    let user = stack.unique("user");
    let keys = keys(&stack).await;
    let signed = |purpose, expires_at| {
        keys.sign(&Token {
            purpose,
            user: UserId::try_from(user.as_str()).unwrap(),
            expires_at,
        })
    };
    let stop = Purpose::Unsubscribe {
        channel: Channel::Email,
        notification_type: NotificationType::Promotional,
    };
    let now = Timestamp::now();
    let (later, earlier) = (now + SignedDuration::from_hours(1), now - SignedDuration::from_secs(1));
    let good = signed(stop, later);
    assert_eq!(get(&format!("/unsubscribe/{good}")).await.status, 200);
    let before = kept_of(&stack, &user).await;
    let altered = format!("{}{}", if good.starts_with('B') { 'A' } else { 'B' }, &good[1..]);
    let mut answers = Vec::new();
    for bad in [
        "guess".to_owned(),
        altered,
        signed(Purpose::Preferences, later),
        signed(stop, earlier),
    ] {
        let answer = one_click(&format!("/unsubscribe/{bad}")).await;
        assert_eq!(answer.status, 404, "{bad}");
        answers.push(answer.body);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    assert_eq!(kept_of(&stack, &user).await, before);
}

#[tokio::test]
async fn what_is_chosen_on_the_page_is_obeyed_by_the_next_message() {
    let stack = Stack::connect().await;
    let (user, order) = (stack.unique("user"), stack.unique("order"));
    let token = Token {
        purpose: Purpose::Preferences,
        user: UserId::try_from(user.as_str()).unwrap(),
        expires_at: Timestamp::now() + SignedDuration::from_hours(1),
    };
    let link = format!("/preferences/{}", keys(&stack).await.sign(&token));
    let page = get(&link).await;
    assert_eq!(page.status, 200, "{page:?}");
    let html = String::from_utf8(page.body.to_vec()).unwrap();
    let (_, rest) = html.split_once("name=\"revision\" value=\"").unwrap();
    let (revision, _) = rest.split_once('"').unwrap();
    let form = format!("revision={revision}&email.order_status_update.shipped=off&language=ro");
    let saved = post(&link, &form).await;
    assert_eq!(saved.status, 200, "{saved:?}");
    stack.publish(&shipped(&user, &order, &stack.address("ana"))).await;
    let outcome = results(&stack.settled(&order).await)["email"].clone();
    assert_eq!(outcome, ("skipped".to_owned(), "opted_out".to_owned()));
    // The same page, sent once more after that, is of a state that stands no more.
    let stale = post(&link, &format!("revision={revision}&email.promotional=on")).await;
    assert_eq!(stale.status, 409);
    assert_eq!(kept_of(&stack, &user).await.1.len(), 1);
}
