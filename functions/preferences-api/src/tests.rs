//! The routes over memory twins: what is answered, and what is stored then.

use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use domain::ports::{HistoryLoad, PastNotification, PastResult, PhoneVerificationsKeep, PreferencesKeep, Unavailable};
use domain::{
    Channel, ConsentSource, Language, NotificationType, OrderStatus, PhoneNumber, Preferences, QuietHours, Reason,
    ShopDefaults, Topic, UserId,
};
use jiff::Timestamp;
use lambda_http::request::RequestContext;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use testkit::{MemoryHistory, MemoryPhoneVerifications, MemoryPreferences, at, shop_defaults};
use tower::ServiceExt;
use web::Identity;

use crate::ports::{CodeSend, EventPut, NotSent, Ports};
use crate::router;

const NOW: i64 = 1_800_000_000;

#[derive(Debug, Clone)]
struct Memory(Arc<Twins>);

#[derive(Debug)]
struct Twins {
    preferences: MemoryPreferences,
    verifications: MemoryPhoneVerifications,
    history: MemoryHistory,
    codes: Codes,
    events: Events,
    shop: ShopDefaults,
}

#[derive(Debug, Default)]
struct Codes {
    sent: Mutex<Vec<(String, Language)>>,
    refusal: Mutex<Option<Reason>>,
}

#[derive(Debug, Default)]
struct Events(Mutex<Vec<String>>);

impl Ports for Memory {
    fn preferences(&self) -> &(impl PreferencesKeep + Sync) {
        &self.0.preferences
    }
    fn verifications(&self) -> &(impl PhoneVerificationsKeep + Sync) {
        &self.0.verifications
    }
    fn history(&self) -> &(impl HistoryLoad + Sync) {
        &self.0.history
    }
    fn codes(&self) -> &(impl CodeSend + Sync) {
        &self.0.codes
    }
    fn events(&self) -> &(impl EventPut + Sync) {
        &self.0.events
    }
    fn shop(&self) -> &ShopDefaults {
        &self.0.shop
    }
}

impl CodeSend for Codes {
    fn draw(&self, _user: &UserId, _phone: &PhoneNumber) -> Result<(String, Vec<u8>), Unavailable> {
        Ok(("123456".to_owned(), b"123456".to_vec()))
    }
    fn is_code(&self, _user: &UserId, _phone: &PhoneNumber, code: &str, mac: &[u8]) -> bool {
        code.as_bytes() == mac
    }
    async fn send(&self, phone: &PhoneNumber, _code: &str, language: Language, _now: Timestamp) -> Result<(), NotSent> {
        if let Some(reason) = *self.refusal.lock().unwrap() {
            return Err(NotSent::Unwanted(reason));
        }
        self.sent.lock().unwrap().push((phone.as_str().to_owned(), language));
        Ok(())
    }
}

impl EventPut for Events {
    async fn put(&self, event: String) -> Result<(), Unavailable> {
        self.0.lock().unwrap().push(event);
        Ok(())
    }
}

/// An answer: status, `ETag`, body.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    tag: Option<String>,
    body: Value,
}

impl Memory {
    fn new() -> Self {
        Self(Arc::new(Twins {
            preferences: MemoryPreferences::default(),
            verifications: MemoryPhoneVerifications::default(),
            history: MemoryHistory::default(),
            codes: Codes::default(),
            events: Events::default(),
            shop: ShopDefaults {
                quiet_hours: QuietHours::USUAL,
                ..shop_defaults()
            },
        }))
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        self.ask_at(NOW, method, path, headers, body).await
    }

    async fn ask_at(
        &self,
        now: i64,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(at(now));
        request.extensions_mut().insert(context("ana", now + 60));
        let response = router(self.clone())
            .layer(Extension(Arc::new(identity())))
            .oneshot(request)
            .await
            .unwrap();
        let status = response.status();
        let tag = response
            .headers()
            .get("etag")
            .map(|tag| tag.to_str().unwrap().to_owned());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer {
            status,
            tag,
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        }
    }

    /// A change over what stands now.
    async fn change(&self, method: &str, body: Value) -> Answer {
        let shown = self.ask("GET", "/notifications/preferences", &[], None).await;
        let tag = shown.tag.unwrap();
        self.ask(method, "/notifications/preferences", &[("if-match", &tag)], Some(body))
            .await
    }

    fn stored(&self) -> Preferences {
        self.0.preferences.stored(&ana())
    }
}

fn ana() -> UserId {
    UserId::try_from("ana").unwrap()
}

fn identity() -> Identity {
    Identity {
        issuer: "issuer".to_owned(),
        audience: vec!["shop".to_owned()],
        user_claim: "sub".to_owned(),
        roles_claim: "roles".to_owned(),
        admin_role: "admin".to_owned(),
    }
}

/// What the gateway says of a token that it has checked.
fn context(user: &str, expires_at: i64) -> RequestContext {
    serde_json::from_value(json!({
        "http": {"method": "GET", "path": "/"},
        "authorizer": {"jwt": {"claims": {"iss": "issuer", "aud": "shop", "sub": user, "exp": expires_at.to_string()}}}
    }))
    .unwrap()
}

fn errors(answer: &Answer) -> Vec<(String, String)> {
    let text = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|error| (text(error, "pointer"), text(error, "detail")))
        .collect()
}

#[tokio::test]
async fn who_never_chose_sees_the_defaults() {
    let answer = Memory::new().ask("GET", "/notifications/preferences", &[], None).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["preferences"]["email"]["order_confirmation"], json!(true));
    assert_eq!(
        answer.body["preferences"]["sms"]["order_status_update"]["shipped"],
        json!(true)
    );
    assert_eq!(
        answer.body["preferences"]["sms"]["order_status_update"]["processing"],
        json!(false)
    );
    assert_eq!(answer.body["language"], json!("es"));
    assert_eq!(answer.body["quietHours"], json!({"start": "22:00", "end": "08:00"}));
    assert_eq!(answer.body["phoneVerified"], json!(false));
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_null_goes_back_to_the_default() {
    let memory = Memory::new();
    let body = json!({
        "preferences": {"email": {"promotional": true, "order_status_update": {"packed": true}}, "sms": {"order_status_update": false}},
        "language": "ro", "timezone": "America/Lima", "quietHours": {"start": "00:00", "end": "00:00"}
    });
    let answer = memory.change("PATCH", body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let stored = memory.stored();
    assert!(stored.allow(Channel::Email, Topic::Type(NotificationType::Promotional)));
    assert!(stored.allow(Channel::Email, Topic::Status(OrderStatus::Packed)));
    assert!(stored.allow(Channel::Email, Topic::Status(OrderStatus::Shipped)));
    assert!(!stored.allow(Channel::Sms, Topic::Status(OrderStatus::Shipped)));
    assert_eq!(
        (stored.language, stored.quiet_hours.map(|hours| hours.are_none())),
        (Some(Language::Ro), Some(true))
    );
    let back =
        json!({"preferences": {"email": {"promotional": null}, "sms": null}, "language": null, "quietHours": null});
    let answer = memory.change("PATCH", back).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let stored = memory.stored();
    assert_eq!(
        stored.choice(Channel::Email, Topic::Type(NotificationType::Promotional)),
        None
    );
    assert_eq!(
        stored.choice(Channel::Email, Topic::Status(OrderStatus::Packed)),
        Some(true)
    );
    assert!(!stored.status_choices.contains_key(&Channel::Sms));
    assert_eq!((stored.language, stored.quiet_hours), (None, None));
    assert_eq!(answer.body["timezone"], json!("America/Lima"));
}

#[tokio::test]
async fn what_was_shown_can_be_put_back_and_stores_nothing() {
    let memory = Memory::new();
    let shown = memory.ask("GET", "/notifications/preferences", &[], None).await;
    let answer = memory.change("PUT", shown.body.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let stored = memory.stored();
    assert!(stored.choices.is_empty() && stored.status_choices.is_empty());
    assert_eq!(answer.body["preferences"], shown.body["preferences"]);
}

#[tokio::test]
async fn what_a_put_leaves_out_goes_back_to_the_default() {
    let memory = Memory::new();
    memory
        .change(
            "PATCH",
            json!({"preferences": {"email": {"promotional": true}}, "language": "ru"}),
        )
        .await;
    let answer = memory
        .change("PUT", json!({"preferences": {"push": {"payment_failed": false}}}))
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    let stored = memory.stored();
    assert_eq!(stored.language, None);
    assert_eq!(
        stored.choices.into_iter().collect::<Vec<_>>(),
        [((Channel::Push, NotificationType::PaymentFailed), false)]
    );
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named_and_nothing_is_written() {
    let memory = Memory::new();
    let body = json!({
        "preferences": {
            "email": {"order_confirmation": "yes", "order_status_update": {"SHIPPED": true, "lost": 1}, "test": true},
            "pigeon": {}, "sms": 7
        },
        "language": "fr", "timezone": "Mars/Olympus", "quietHours": {"start": "24:00", "until": "08:00"},
        "phoneNumber": "600123456", "phoneVerified": true, "colour": "green"
    });
    let answer = memory.change("PATCH", body).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let named: Vec<String> = errors(&answer).into_iter().map(|(pointer, _)| pointer).collect();
    let mut expected = [
        "/preferences/email/order_confirmation",
        "/preferences/email/order_status_update/SHIPPED",
        "/preferences/email/order_status_update/lost",
        "/preferences/email/test",
        "/preferences/pigeon",
        "/preferences/sms",
        "/language",
        "/timezone",
        "/quietHours/start",
        "/quietHours/end",
        "/quietHours/until",
        "/phoneNumber",
        "/phoneVerified",
        "/colour",
    ];
    let mut named: Vec<&str> = named.iter().map(String::as_str).collect();
    named.sort_unstable();
    expected.sort_unstable();
    assert_eq!(named, expected);
    assert_eq!(memory.stored(), Preferences::default());
    assert!(memory.0.preferences.log().is_empty());
}

#[tokio::test]
async fn of_two_who_change_the_same_version_the_second_is_told() {
    let memory = Memory::new();
    let shown = memory.ask("GET", "/notifications/preferences", &[], None).await;
    let tag = shown.tag.unwrap();
    let change = async |language: &str| {
        let body = Some(json!({"language": language}));
        memory
            .ask("PATCH", "/notifications/preferences", &[("if-match", &tag)], body)
            .await
    };
    assert_eq!(change("en").await.status, StatusCode::OK);
    let second = change("ru").await;
    assert_eq!(second.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(second.body["type"], json!("urn:e-com67:problem:stale"));
    assert_eq!(memory.stored().language, Some(Language::En));
}

#[tokio::test]
async fn a_change_without_a_version_is_refused_and_a_star_is_content() {
    let memory = Memory::new();
    let body = || Some(json!({"language": "en"}));
    let answer = memory.ask("PATCH", "/notifications/preferences", &[], body()).await;
    assert_eq!(answer.status, StatusCode::PRECONDITION_REQUIRED);
    let answer = memory
        .ask("PATCH", "/notifications/preferences", &[("if-match", "*")], body())
        .await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn a_change_is_logged_with_its_way_and_one_that_changes_nothing_is_not() {
    let memory = Memory::new();
    memory.change("PATCH", json!({"language": "en"})).await;
    memory.change("PATCH", json!({"language": "en"})).await;
    let log = memory.0.preferences.log();
    let [(user, consent)] = log.as_slice() else {
        panic!("{log:?}")
    };
    assert_eq!((user, &consent.by, consent.at), (&ana(), &ConsentSource::Api, at(NOW)));
}

#[tokio::test]
async fn another_number_is_not_verified_any_more() {
    let memory = Memory::new();
    let verified = Preferences {
        phone: Some("+34600123456".to_owned()),
        phone_verified: true,
        ..Preferences::default()
    };
    memory.0.preferences.put(&ana(), verified);
    memory.change("PATCH", json!({"phoneNumber": "+34 600 123 456"})).await;
    assert!(memory.stored().phone_verified);
    let answer = memory.change("PATCH", json!({"phoneNumber": "+34600123457"})).await;
    assert_eq!(
        (answer.body["phoneNumber"].clone(), answer.body["phoneVerified"].clone()),
        (json!("+34600123457"), json!(false))
    );
    memory.change("PATCH", json!({"phoneNumber": null})).await;
    assert_eq!(memory.stored().phone, None);
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_no_fault_of_the_caller() {
    let memory = Memory::new();
    memory.0.preferences.is_out_of_reach.store(true, Ordering::Relaxed);
    let answer = memory.ask("GET", "/notifications/preferences", &[], None).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!answer.body.to_string().contains("table"));
}

#[tokio::test]
async fn a_number_is_ones_own_once_its_code_came_back() {
    let memory = Memory::new();
    let order = Some(json!({"phoneNumber": "+34 600 123 456"}));
    let answer = memory.ask("POST", "/notifications/verify-phone", &[], order).await;
    assert_eq!(
        (answer.status, answer.body),
        (
            StatusCode::ACCEPTED,
            json!({"expiresInSeconds": 600, "againInSeconds": 60})
        )
    );
    assert_eq!(
        *memory.0.codes.sent.lock().unwrap(),
        [("+34600123456".to_owned(), Language::Es)]
    );
    assert_eq!(memory.stored().phone, None);
    let answer = memory
        .ask(
            "POST",
            "/notifications/verify-phone/confirm",
            &[],
            Some(json!({"code": "123456"})),
        )
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.tag.is_some() && memory.stored().phone_verified);
    assert_eq!(memory.stored().phone.as_deref(), Some("+34600123456"));
    assert_eq!(memory.0.preferences.log()[0].1.by, ConsentSource::PhoneConfirmation);
    let again = memory
        .ask(
            "POST",
            "/notifications/verify-phone/confirm",
            &[],
            Some(json!({"code": "123456"})),
        )
        .await;
    assert_eq!(again.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn five_wrong_guesses_end_a_code() {
    let memory = Memory::new();
    memory
        .ask(
            "POST",
            "/notifications/verify-phone",
            &[],
            Some(json!({"phoneNumber": "+34600123456"})),
        )
        .await;
    let guess = async |code: &str| {
        memory
            .ask(
                "POST",
                "/notifications/verify-phone/confirm",
                &[],
                Some(json!({"code": code})),
            )
            .await
            .status
    };
    for _guess in 0..5 {
        assert_eq!(guess("000000").await, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(guess("123456").await, StatusCode::CONFLICT);
    assert!(!memory.stored().phone_verified);
}

#[tokio::test]
async fn a_code_is_good_for_ten_minutes_and_only_if_one_was_asked_for() {
    let memory = Memory::new();
    let confirm = async |now: i64| {
        let code = Some(json!({"code": "123456"}));
        memory
            .ask_at(now, "POST", "/notifications/verify-phone/confirm", &[], code)
            .await
            .status
    };
    assert_eq!(confirm(NOW).await, StatusCode::CONFLICT);
    memory
        .ask(
            "POST",
            "/notifications/verify-phone",
            &[],
            Some(json!({"phoneNumber": "+34600123456"})),
        )
        .await;
    assert_eq!(confirm(NOW + 600).await, StatusCode::CONFLICT);
    assert_eq!(confirm(NOW + 599).await, StatusCode::OK);
}

#[tokio::test]
async fn what_is_no_code_costs_no_guess() {
    let memory = Memory::new();
    memory
        .ask(
            "POST",
            "/notifications/verify-phone",
            &[],
            Some(json!({"phoneNumber": "+34600123456"})),
        )
        .await;
    for code in [
        json!("12345"),
        json!("1234567"),
        json!("12345a"),
        json!("１２３４５６"),
        json!(123_456),
        json!(null),
    ] {
        let body = Some(json!({"code": code}));
        let answer = memory
            .ask("POST", "/notifications/verify-phone/confirm", &[], body)
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{code}");
    }
    let kept = memory.0.verifications.look_up(&ana()).await.unwrap().unwrap();
    assert_eq!(kept.attempts, 0);
}

#[tokio::test]
async fn a_second_code_in_the_same_minute_is_refused_and_says_when_again() {
    let memory = Memory::new();
    let order = || Some(json!({"phoneNumber": "+34600123456"}));
    memory.ask("POST", "/notifications/verify-phone", &[], order()).await;
    let answer = memory.ask("POST", "/notifications/verify-phone", &[], order()).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let later = memory
        .ask_at(NOW + 60, "POST", "/notifications/verify-phone", &[], order())
        .await;
    assert_eq!(later.status, StatusCode::ACCEPTED);
    assert_eq!(memory.0.codes.sent.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_number_that_gets_no_text_messages_is_told_so() {
    let memory = Memory::new();
    for number in ["600123456", "hello", "+1234", ""] {
        let answer = memory
            .ask(
                "POST",
                "/notifications/verify-phone",
                &[],
                Some(json!({"phoneNumber": number})),
            )
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{number}");
    }
    for number in ["+1234567890", "+99999999999", "+.-.-.-.-"] {
        let answer = memory
            .ask(
                "POST",
                "/notifications/verify-phone",
                &[],
                Some(json!({"phoneNumber": number})),
            )
            .await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{number}");
    }
    *memory.0.codes.refusal.lock().unwrap() = Some(Reason::CountryNotServed);
    let answer = memory
        .ask(
            "POST",
            "/notifications/verify-phone",
            &[],
            Some(json!({"phoneNumber": "+34600123456"})),
        )
        .await;
    assert_eq!(
        errors(&answer),
        [(
            "/phoneNumber".to_owned(),
            "no text messages are sent to this country".to_owned()
        )]
    );
}

#[tokio::test]
async fn the_history_is_ones_own_and_goes_on_page_by_page() {
    let memory = Memory::new();
    let past = |id: &str, seconds: i64| PastNotification {
        id: id.to_owned(),
        notification_type: "order_confirmation".to_owned(),
        order: None,
        status: None,
        at: at(seconds),
        results: vec![PastResult {
            channel: "email".to_owned(),
            outcome: "sent".to_owned(),
            reason: None,
        }],
    };
    let others = UserId::try_from("ben").unwrap();
    memory.0.history.0.lock().unwrap().extend([
        (ana(), past("n-1", 1)),
        (others, past("n-2", 2)),
        (ana(), past("n-3", 3)),
        (ana(), past("n-4", 4)),
    ]);
    let first = memory.ask("GET", "/notifications/history?limit=2", &[], None).await;
    let ids = |answer: &Answer| -> Vec<String> {
        let told = answer.body["notifications"].as_array().unwrap();
        told.iter()
            .map(|past| past["notificationId"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&first), ["n-4", "n-3"]);
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let second = memory
        .ask(
            "GET",
            &format!("/notifications/history?limit=2&cursor={cursor}"),
            &[],
            None,
        )
        .await;
    assert_eq!(
        (ids(&second), second.body.get("nextCursor")),
        (vec!["n-1".to_owned()], None)
    );
    let wrong = memory
        .ask("GET", "/notifications/history?cursor=nonsense&limit=0", &[], None)
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_test_is_an_event_of_its_own_once_a_minute() {
    let memory = Memory::new();
    let ask = async |seconds: i64| {
        let body = Some(json!({"channel": "sms"}));
        memory
            .ask_at(NOW + seconds, "POST", "/notifications/test", &[], body)
            .await
    };
    let (first, second, third) = (ask(0).await, ask(1).await, ask(60).await);
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.body);
    assert_eq!(first.body["notificationId"], second.body["notificationId"]);
    assert_ne!(first.body["notificationId"], third.body["notificationId"]);
    let events = memory.0.events.0.lock().unwrap().clone();
    let event: Value = serde_json::from_str(&events[0]).unwrap();
    assert_eq!(
        (&event["userId"], &event["channels"], &event["priority"]),
        (&json!("ana"), &json!(["sms"]), &json!("urgent"))
    );
    let wrong = memory
        .ask("POST", "/notifications/test", &[], Some(json!({"channel": "push"})))
        .await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn nobody_is_believed_without_a_token_in_order() {
    let routes = [
        ("GET", "/notifications/preferences"),
        ("PUT", "/notifications/preferences"),
        ("PATCH", "/notifications/preferences"),
        ("POST", "/notifications/verify-phone"),
        ("POST", "/notifications/verify-phone/confirm"),
        ("GET", "/notifications/history"),
        ("POST", "/notifications/test"),
    ];
    let mut answers = Vec::new();
    for (method, path) in routes {
        for context in [None, Some(context("ana", NOW)), Some(context("", NOW + 60))] {
            let mut request = Request::builder()
                .method(method)
                .uri(path)
                .body(Body::from("{}"))
                .unwrap();
            request.extensions_mut().insert(at(NOW));
            if let Some(context) = context {
                request.extensions_mut().insert(context);
            }
            let router = router(Memory::new()).layer(Extension(Arc::new(identity())));
            let response = router.oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{method} {path}");
            answers.push(to_bytes(response.into_body(), usize::MAX).await.unwrap());
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn every_path_of_the_document_is_answered() {
    let document = serde_json::to_value(crate::document()).unwrap();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let answer = Memory::new().ask(&method.to_uppercase(), path, &[], None).await;
            assert!(
                !matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED),
                "{method} {path}"
            );
        }
    }
    assert_eq!(document["paths"].as_object().unwrap().len(), 5);
}
