use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use carriers::{Keys, Unsigned, webhook};
use domain::Carrier;
use domain::ports::Unavailable;
use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tower::ServiceExt;
use tracking::CarrierNews;

use crate::{Addresses, Archive, Desk, KeysLoad, Queue, router};

const KEY: &str = "a-token-of-twenty-six-characters";
const UPS_KEY: &str = "client-of-ups:secret-of-ups-0123456789";

const FEDEX: &str = r#"{"output":{"completeTrackResults":[{"trackingNumber":"123456789012","trackResults":[{
    "trackingNumberInfo":{"trackingNumber":"123456789012"},
    "latestStatusDetail":{"code":"OD","derivedCode":"IT","description":"On FedEx vehicle for delivery"},
    "scanEvents":[{"date":"2026-11-20T09:15:00+01:00","eventType":"OD","eventDescription":"On FedEx vehicle for delivery"}]}]}]}}"#;

fn now() -> Timestamp {
    "2026-11-20T10:00:00Z".parse().unwrap()
}

struct MemoryKeys;

impl KeysLoad for MemoryKeys {
    async fn keys(&self, carrier: Carrier, _now: Timestamp) -> Result<Keys, Unavailable> {
        if carrier == Carrier::Aftership {
            return Ok(Keys::default());
        }
        let key = if carrier == Carrier::Ups { UPS_KEY } else { KEY };
        Ok(Keys::new(vec![
            "an-older-key-that-still-lives".to_owned(),
            key.to_owned(),
        ]))
    }
}

#[derive(Default)]
struct MemoryArchive {
    kept: Mutex<Vec<(Carrier, Vec<u8>)>>,
    is_broken: AtomicBool,
}

impl Archive for Arc<MemoryArchive> {
    async fn keep(&self, carrier: Carrier, bytes: &[u8], _now: Timestamp) -> Result<(), Unavailable> {
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(Unavailable::new("archive", "it is told to break"));
        }
        self.kept.lock().unwrap().push((carrier, bytes.to_vec()));
        Ok(())
    }
}

#[derive(Default)]
struct MemoryQueue {
    messages: Mutex<Vec<String>>,
    is_broken: AtomicBool,
}

impl Queue for Arc<MemoryQueue> {
    async fn put(&self, messages: &[String]) -> Result<(), Unavailable> {
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(Unavailable::new("queue", "it is told to break"));
        }
        self.messages.lock().unwrap().extend_from_slice(messages);
        Ok(())
    }
}

#[derive(Default)]
struct House {
    archive: Arc<MemoryArchive>,
    events: Arc<MemoryQueue>,
    handshakes: Arc<MemoryQueue>,
}

impl House {
    fn router(&self, addresses: &str) -> Router {
        router(Arc::new(Desk {
            keys: MemoryKeys,
            archive: Arc::clone(&self.archive),
            events: Arc::clone(&self.events),
            handshakes: Arc::clone(&self.handshakes),
            addresses: Addresses::try_from(addresses).unwrap(),
        }))
    }

    async fn call(&self, request: Request<Body>) -> (StatusCode, String, HeaderMap) {
        read(self.router("").oneshot(request).await.unwrap()).await
    }

    fn told(&self) -> Vec<String> {
        let messages = self.events.messages.lock().unwrap();
        let told = messages.iter().flat_map(|message| {
            let CarrierNews::V1 { events, .. } = CarrierNews::read(message).unwrap();
            events
                .into_iter()
                .map(|event| format!("{} {} {:?}", event.carrier, event.number, event.status))
        });
        told.collect()
    }

    fn has_nothing(&self) -> bool {
        self.archive.kept.lock().unwrap().is_empty()
            && self.events.messages.lock().unwrap().is_empty()
            && self.handshakes.messages.lock().unwrap().is_empty()
    }
}

async fn read(response: Response<Body>) -> (StatusCode, String, HeaderMap) {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, String::from_utf8(body.to_vec()).unwrap(), parts.headers)
}

/// A call as the carrier would make it, at this moment.
fn signed_at(carrier: Carrier, key: &str, query: &str, body: &str, at: Timestamp) -> Request<Body> {
    let signature = webhook(carrier).unwrap().sign(
        &Unsigned {
            query,
            body: body.as_bytes(),
            now: at,
        },
        key,
    );
    let path = signature.key.map(|key| format!("/{key}")).unwrap_or_default();
    let query: Vec<String> = [query.to_owned()]
        .into_iter()
        .filter(|query| !query.is_empty())
        .chain(signature.query)
        .collect();
    let method = webhook(carrier).unwrap().methods()[0];
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/webhooks/carriers/{carrier}{path}?{}", query.join("&")))
        .extension(now());
    for (name, value) in signature.headers {
        request = request.header(name, value);
    }
    request.body(Body::from(body.to_owned())).unwrap()
}

fn signed(carrier: Carrier, key: &str, query: &str, body: &str) -> Request<Body> {
    signed_at(carrier, key, query, body, now())
}

#[tokio::test]
async fn a_proven_call_is_kept_as_it_came_queued_and_answered() {
    let house = House::default();
    let (status, body, _) = house.call(signed(Carrier::Fedex, KEY, "", FEDEX)).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
    assert_eq!(
        *house.archive.kept.lock().unwrap(),
        [(Carrier::Fedex, FEDEX.as_bytes().to_vec())]
    );
    assert_eq!(house.told(), ["fedex 123456789012 Some(OutForDelivery)"]);
}

#[tokio::test]
async fn whatever_is_wrong_with_a_proof_the_answer_is_the_same_and_nothing_is_kept() {
    let house = House::default();
    let good = signed(Carrier::Fedex, KEY, "", FEDEX);
    let signature = good.headers()["fdx-signature"].to_str().unwrap().to_owned();
    let with = |value: Option<&str>, body: &str, carrier: Carrier| {
        let mut request = Request::builder()
            .method("POST")
            .uri(format!("/webhooks/carriers/{carrier}"))
            .extension(now());
        if let Some(value) = value {
            request = request.header("fdx-signature", value);
        }
        request.body(Body::from(body.to_owned())).unwrap()
    };
    let mut answers = Vec::new();
    for request in [
        with(None, FEDEX, Carrier::Fedex),
        with(Some(""), FEDEX, Carrier::Fedex),
        with(Some(&signature[1..]), FEDEX, Carrier::Fedex),
        with(Some(&signature.to_uppercase()), FEDEX, Carrier::Fedex),
        with(Some(&signature.replace('=', "")), FEDEX, Carrier::Fedex),
        with(Some(&signature), &FEDEX.replace("OD", "DL"), Carrier::Fedex),
        with(Some(&signature), FEDEX, Carrier::Ups),
        with(Some(&signature), FEDEX, Carrier::Easypost),
        // No key is configured.
        with(Some(&signature), FEDEX, Carrier::Aftership),
        signed(Carrier::Fedex, "another-token-of-26-letters", "", FEDEX),
    ] {
        answers.push(house.call(request).await);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, StatusCode::UNAUTHORIZED);
    assert!(house.has_nothing());
}

#[tokio::test]
async fn a_carrier_that_calls_from_elsewhere_is_nobody() {
    let house = House::default();
    let request = signed(Carrier::Fedex, KEY, "", FEDEX);
    let response = house.router("fedex=20.65.16.22/31").oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert!(house.has_nothing());
}

#[tokio::test]
async fn a_replay_is_the_same_news_and_no_more() {
    let house = House::default();
    for hours in [0, 1, 77] {
        let at = now() - SignedDuration::from_hours(hours);
        house.call(signed_at(Carrier::Fedex, KEY, "", FEDEX, at)).await;
    }
    let told = house.told();
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|line| *line == told[0]));
}

#[tokio::test]
async fn ups_calls_with_a_token_of_ours_for_as_long_as_it_lives() {
    let house = House::default();
    let body = r#"{"trackingNumber":"1Z12345E0205271688","localActivityDate":"20261120","localActivityTime":"091500",
        "gmtActivityDate":"20261120","gmtActivityTime":"081500","activityStatus":{"type":"I","code":"OT","descriptionCode":"021"}}"#;
    let (status, ..) = house.call(signed(Carrier::Ups, UPS_KEY, "", body)).await;
    assert_eq!(status, StatusCode::OK);
    let old = signed_at(Carrier::Ups, UPS_KEY, "", body, now() - SignedDuration::from_hours(2));
    let (status, ..) = house.call(old).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(house.told(), ["ups 1Z12345E0205271688 Some(OutForDelivery)"]);
}

#[tokio::test]
async fn ups_gets_its_token_for_its_password_alone() {
    let ask = |authorization: &str| {
        Request::builder()
            .method("POST")
            .uri("/webhooks/carriers/ups/token")
            .header("authorization", authorization)
            .header("content-type", "application/x-www-form-urlencoded")
            .extension(now())
            .body(Body::from("grant_type=client_credentials"))
            .unwrap()
    };
    let house = House::default();
    // client-of-ups:secret-of-ups-0123456789
    let (status, body, headers) = house
        .call(ask("Basic Y2xpZW50LW9mLXVwczpzZWNyZXQtb2YtdXBzLTAxMjM0NTY3ODk="))
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert!(body.contains("\"access_token\""));
    assert_eq!(headers["content-type"], "application/json");
    let (status, body, _) = house.call(ask("Basic Y2xpZW50LW9mLXVwczpzZWNyZXQ=")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert!(!body.contains("access_token"));
}

#[tokio::test]
async fn dhl_is_confirmed_later_and_its_secret_is_not_archived() {
    let house = House::default();
    let body = r#"{"scope":"subscription.validate","self":"https://evil.example.com/push/v1/subscription/0123-abc","secret":"s3cr3t-of-dhl"}"#;
    let (status, ..) = house.call(signed(Carrier::Dhl, KEY, "", body)).await;
    assert_eq!(status, StatusCode::OK);
    let asked = house.handshakes.messages.lock().unwrap().clone();
    assert!(asked[0].contains("0123-abc") && asked[0].contains("s3cr3t-of-dhl") && !asked[0].contains("evil"));
    let kept = house.archive.kept.lock().unwrap();
    assert!(!String::from_utf8_lossy(&kept[0].1).contains("s3cr3t-of-dhl"));
}

#[tokio::test]
async fn dpd_calls_by_get_and_hears_its_own_id_also_of_what_nobody_knows() {
    let house = House::default();
    let query = "pushid=4711&pnr=01234567890123&status=delivery_teleport&statusdate=20112026091500&depot=0190";
    let (status, body, headers) = house.call(signed(Carrier::Dpd, KEY, query, "")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(body, "<push><pushid>4711</pushid><status>OK</status></push>");
    assert!(headers["content-type"].to_str().unwrap().contains("xml"));
    assert_eq!(house.told(), ["dpd 01234567890123 None"]);
    let without_key = Request::builder()
        .uri(format!("/webhooks/carriers/dpd?{query}"))
        .extension(now())
        .body(Body::empty())
        .unwrap();
    assert_eq!(house.call(without_key).await.0, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_nobody_can_read_is_kept_and_taken() {
    let house = House::default();
    for body in ["", "{", "[]", "null", r#"{"output": 7}"#] {
        let (status, ..) = house.call(signed(Carrier::Fedex, KEY, "", body)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }
    assert_eq!(house.archive.kept.lock().unwrap().len(), 5);
    assert!(house.told().is_empty());
}

#[tokio::test]
async fn where_the_queue_is_out_of_reach_the_carrier_is_asked_to_come_again() {
    let house = House::default();
    house.events.is_broken.store(true, Ordering::SeqCst);
    let (status, ..) = house.call(signed(Carrier::Fedex, KEY, "", FEDEX)).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    house.events.is_broken.store(false, Ordering::SeqCst);
    house.archive.is_broken.store(true, Ordering::SeqCst);
    let (status, ..) = house.call(signed(Carrier::Fedex, KEY, "", FEDEX)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(house.told().len(), 1);
}

#[tokio::test]
async fn who_never_calls_has_no_address_and_who_calls_does_so_by_its_own_method() {
    let house = House::default();
    for (method, path, expected) in [
        ("POST", "/webhooks/carriers/royal-mail", StatusCode::NOT_FOUND),
        ("POST", "/webhooks/carriers/acme", StatusCode::NOT_FOUND),
        ("GET", "/webhooks/carriers/fedex", StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/webhooks/carriers/dpd/key", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let request = Request::builder().method(method).uri(path).extension(now());
        let (status, ..) = house.call(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, expected, "{method} {path}");
    }
}
