//! UPS: Track Alert calls us, one parcel per message; the Tracking API is asked
//! (UPS-API/api-documentation, `UPSTrackAlert.yaml` and `Tracking.yaml`).

mod codes;
mod token;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use codes::Said;
use domain::{Carrier, OrderStatus, TrackingEvent, TrackingNumber};
use jiff::{SignedDuration, Timestamp, civil::Date};
use serde_json::{Value, json};
use std::borrow::Cow;
use token::Client;

pub use token::issue_token;

use crate::{
    AccessToken, Account, Call, Delivery, Keys, Limits, Poll, PollError, Request, Sighting, Signed, Subscription,
    Unproven, Unreadable, Unsigned, Webhook, Window, archive,
    moment::{self, Moment},
    oauth, parse,
    parse::{at, each, text_at},
    poll::with_missing,
    sighting::MOST_PARCELS,
    tracking_page::percent_encoded,
    words::{place, words},
};

/// UPS. A key is `client_id:client_secret`.
pub(crate) struct Ups;

/// Where calls go.
const HOST: &str = "https://onlinetools.ups.com";

/// UPS publishes no limits. These are ours, and cautious.
const LIMITS: Limits = Limits {
    parcels_per_call: 1,
    windows: &[
        Window {
            calls: 10,
            per: SignedDuration::from_secs(1),
        },
        Window {
            calls: 100_000,
            per: SignedDuration::from_hours(24),
        },
    ],
};

/// As whom we call.
const SOURCE: &str = "e-com67";

/// What must not be kept: who took the parcel, and a picture of the door.
const PERSONAL: [&str; 3] = ["deliveryPhoto", "receivedBy", "signature"];

/// The names under which an activity tells what, when and where.
struct Names {
    status: &'static str,
    description: &'static str,
    gmt: (&'static str, &'static str),
    local: (&'static str, &'static str),
    offset: &'static str,
    town: &'static str,
    countries: [&'static str; 2],
}

const PUSHED: Names = Names {
    status: "activityStatus",
    description: "descriptionCode",
    gmt: ("gmtActivityDate", "gmtActivityTime"),
    local: ("localActivityDate", "localActivityTime"),
    offset: "gmtOffset",
    town: "activityLocation.city",
    countries: ["activityLocation.country", "activityLocation.countryCode"],
};

const PULLED: Names = Names {
    status: "status",
    description: "statusCode",
    gmt: ("gmtDate", "gmtTime"),
    local: ("date", "time"),
    offset: "gmtOffset",
    town: "location.address.city",
    countries: ["location.address.country", "location.address.countryCode"],
};

impl Webhook for Ups {
    fn prove(&self, request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
        token::prove(request, keys)
    }

    fn read(&self, request: &Request<'_>) -> Result<Delivery, Unreadable> {
        let body = parse::json(request.body)?;
        let sightings: Vec<Sighting> = each(&body)
            .take(MOST_PARCELS)
            .filter_map(|message| pushed(message, request.now))
            .collect();
        match sightings.is_empty() {
            true => Err(Unreadable::new("trackingNumber and activityStatus")),
            false => Ok(Delivery {
                sightings,
                handshake: None,
            }),
        }
    }

    fn archived<'r>(&self, request: &Request<'r>) -> Cow<'r, [u8]> {
        archive::without(request.body, &PERSONAL)
    }

    fn sign(&self, unsigned: &Unsigned<'_>, key: &str) -> Signed {
        let token = Client::of(key).map(|client| client.token(unsigned.now));
        Signed {
            headers: token
                .map(|token| ("Authorization".to_owned(), format!("Bearer {token}")))
                .into_iter()
                .collect(),
            ..Signed::default()
        }
    }
}

impl Poll for Ups {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn token_call(&self, account: &Account) -> Option<Call> {
        let pair = STANDARD.encode(format!("{}:{}", account.client_id, account.client_secret));
        Some(Call {
            method: "POST",
            url: format!("{}/security/v1/oauth/token", account.host(HOST)),
            headers: vec![
                ("authorization", format!("Basic {pair}")),
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
            ],
            body: Some("grant_type=client_credentials".to_owned()),
        })
    }

    fn read_token(&self, status: u16, body: &[u8]) -> Result<AccessToken, PollError> {
        oauth::read_token(status, body)
    }

    fn call(&self, account: &Account, token: Option<&str>, numbers: &[TrackingNumber]) -> Call {
        let number = numbers.first().map_or("", TrackingNumber::as_str);
        Call {
            method: "GET",
            url: format!(
                "{}/api/track/v1/details/{}?locale=en_US",
                account.host(HOST),
                percent_encoded(number)
            ),
            headers: vec![
                oauth::bearer(token),
                ("transid", number.to_owned()),
                ("transactionsrc", SOURCE.to_owned()),
            ],
            body: None,
        }
    }

    fn read(
        &self,
        status: u16,
        body: &[u8],
        asked: &[TrackingNumber],
        now: Timestamp,
    ) -> Result<Vec<Sighting>, PollError> {
        let answer = parse::json(body);
        let errors = || answer.iter().flat_map(|answer| each(at(answer, "response.errors")));
        let has_error = |codes: &[&str]| {
            errors().any(|error| text_at(error, "code").is_some_and(|code| codes.contains(&code.as_str())))
        };
        if has_error(&BAD_TOKEN) {
            return Err(PollError::Unauthorised);
        }
        if has_error(&UNKNOWN_NUMBER) {
            return Ok(with_missing(Vec::new(), asked));
        }
        if !(200..300).contains(&status) {
            return Err(PollError::of_status(status));
        }
        let told = answer
            .and_then(|answer| pulled(&answer, now))
            .map_err(PollError::Unreadable)?;
        Ok(with_missing(told, asked))
    }

    /// Track Alert forgets a parcel after two weeks.
    fn subscription(&self) -> Option<Subscription> {
        Some(Subscription {
            lives_for: SignedDuration::from_hours(14 * 24),
            parcels_per_call: 100,
        })
    }

    fn subscribe_call(&self, account: &Account, token: Option<&str>, numbers: &[TrackingNumber]) -> Option<Call> {
        let first = numbers.first()?;
        let list: Vec<&str> = numbers.iter().map(TrackingNumber::as_str).collect();
        let body = json!({ "locale": "en_US", "countryCode": "US", "trackingNumberList": list });
        Some(Call {
            method: "POST",
            url: format!("{}/api/track/v2/subscription/standard/package", account.host(HOST)),
            headers: vec![
                oauth::bearer(token),
                ("content-type", "application/json".to_owned()),
                ("transid", first.to_string()),
                ("transactionsrc", SOURCE.to_owned()),
            ],
            body: Some(body.to_string()),
        })
    }

    fn read_subscribed(
        &self,
        status: u16,
        body: &[u8],
        asked: &[TrackingNumber],
    ) -> Result<Vec<TrackingNumber>, PollError> {
        if !(200..300).contains(&status) {
            return Err(PollError::of_status(status));
        }
        let answer = parse::json(body).map_err(PollError::Unreadable)?;
        let valid = at(&answer, "validTrackingNumbers");
        let valid = valid
            .as_array()
            .ok_or_else(|| PollError::Unreadable(Unreadable::new("a list validTrackingNumbers")))?;
        Ok(valid
            .iter()
            .filter_map(parse::number)
            .filter(|number| asked.contains(number))
            .collect())
    }
}

/// Errors of an answer by which UPS says that it does not know our token.
const BAD_TOKEN: [&str; 2] = ["250002", "250003"];

/// Errors and warnings by which it says that it does not know the number.
const UNKNOWN_NUMBER: [&str; 2] = ["TW0001", "TV1002"];

fn pushed(message: &Value, now: Timestamp) -> Option<Sighting> {
    let number = parse::number(at(message, "trackingNumber"))?;
    let delivered_on = text_at(message, "actualDeliveryDate");
    let expected = text_at(message, "scheduledDeliveryDate").and_then(|text| moment::compact_day(&text));
    let said = said(message, &PUSHED, delivered_on.is_some())?;
    let moment = when(message, &PUSHED).unwrap_or(Moment::arrival(now));
    let event = event(message, &PUSHED, &said, moment, expected, &number);
    Sighting::of(number, vec![event])
}

fn pulled(answer: &Value, now: Timestamp) -> Result<Vec<Sighting>, Unreadable> {
    let shipments = at(answer, "trackResponse.shipment");
    if !shipments.is_array() && !shipments.is_object() {
        return Err(Unreadable::new("a list trackResponse.shipment"));
    }
    let packages = each(shipments)
        .flat_map(|shipment| each(at(shipment, "package")).map(move |package| (shipment, package)))
        .take(MOST_PARCELS);
    let mut has_any = false;
    let told: Vec<Sighting> = packages
        .inspect(|_| has_any = true)
        .filter_map(|(shipment, package)| {
            let number = parse::number(at(package, "trackingNumber"))
                .or_else(|| parse::number(at(shipment, "inquiryNumber")))?;
            Sighting::of(number.clone(), history(package, &number, now))
        })
        .collect();
    match told.is_empty() && has_any {
        true => Err(Unreadable::new("a trackingNumber and an activity in a package")),
        false => Ok(told),
    }
}

/// A package's activities, the oldest first; UPS lists the newest first. Without any, its current status.
fn history(package: &Value, number: &TrackingNumber, now: Timestamp) -> Vec<TrackingEvent> {
    let dates = at(package, "deliveryDate");
    let has_delivery_date = day(dates, "DEL").is_some();
    let expected = day(dates, "RDD").or_else(|| day(dates, "SDD"));
    let mut activities: Vec<(Said, &Value)> = each(at(package, "activity"))
        .filter_map(|activity| Some((said(activity, &PULLED, false)?, activity)))
        .collect();
    activities.reverse();
    if let Some((newest, _)) = activities.last_mut() {
        newest.has_delivery_date = has_delivery_date;
    }
    let moments = moment::in_order(
        activities.iter().map(|(_, activity)| when(activity, &PULLED)).collect(),
        now,
    );
    let newest = activities.len();
    let mut events: Vec<TrackingEvent> = (1..)
        .zip(activities.iter().zip(moments))
        .map(|(place, ((said, activity), moment))| {
            let expected = expected.filter(|_| place == newest);
            event(activity, &PULLED, said, moment, expected, number)
        })
        .collect();
    if events.is_empty() {
        let status = json!({ "status": at(package, "currentStatus") });
        let current = said(&status, &PULLED, has_delivery_date);
        events.extend(current.map(|said| event(&status, &PULLED, &said, Moment::arrival(now), expected, number)));
    }
    events
}

fn day(dates: &Value, kind: &str) -> Option<Date> {
    each(dates)
        .find(|date| text_at(date, "type").is_some_and(|other| other == kind))
        .and_then(|date| moment::compact_day(&text_at(date, "date")?))
}

/// What the activity says; nothing where it says nothing that has a code.
fn said(activity: &Value, names: &Names, has_delivery_date: bool) -> Option<Said> {
    let status = at(activity, names.status);
    let said = Said {
        kind: text_at(status, "type").map(|kind| kind.to_ascii_uppercase()),
        code: text_at(status, "code"),
        // Published lists and YAML lose leading zeros.
        description: text_at(status, names.description).map(|code| format!("{code:0>3}")),
        words: text_at(status, "description"),
        has_delivery_date,
    };
    said.code().is_some().then_some(said)
}

fn when(activity: &Value, names: &Names) -> Option<Moment> {
    let clock = |(date, time): (&str, &str)| moment::compact(&text_at(activity, date)?, &text_at(activity, time)?);
    if let Some(gmt) = clock(names.gmt) {
        return Moment::at_offset(gmt, jiff::tz::Offset::UTC);
    }
    let local = clock(names.local)?;
    match text_at(activity, names.offset).and_then(|text| moment::offset(&text)) {
        Some(offset) => Moment::at_offset(local, offset),
        None => Moment::on_a_wall(local, country(activity, names).as_deref()),
    }
}

fn country(activity: &Value, names: &Names) -> Option<String> {
    names.countries.iter().find_map(|name| text_at(activity, name))
}

fn event(
    activity: &Value,
    names: &Names,
    said: &Said,
    moment: Moment,
    expected: Option<Date>,
    number: &TrackingNumber,
) -> TrackingEvent {
    let meaning = said.meaning();
    let mut event = TrackingEvent::new(Carrier::Ups, number.clone(), moment.at);
    event.is_time_assumed = moment.is_assumed;
    event.status = meaning.and_then(|meaning| meaning.status);
    event.detail = meaning.and_then(|meaning| meaning.detail);
    event.is_code_known = meaning.is_some();
    event.code = said.code().as_deref().and_then(TrackingEvent::words);
    event.text = said.words.as_deref().and_then(words);
    event.place = place(text_at(activity, names.town), country(activity, names));
    // An unknown code decides nothing, not even a date: it has to be seen as unread.
    let may_still_come = meaning.is_some_and(|meaning| {
        !matches!(
            meaning.status,
            Some(OrderStatus::Delivered | OrderStatus::Returned | OrderStatus::Cancelled)
        )
    });
    event.expected = expected.filter(|_| may_still_come);
    event
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Told;

    const NUMBER: &str = "1Z999AA10123456784";

    fn now() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    fn number() -> TrackingNumber {
        TrackingNumber::try_from(NUMBER).unwrap()
    }

    fn request(body: &[u8]) -> Request<'_> {
        Request {
            method: "POST",
            key: None,
            query: "",
            headers: &[],
            body,
            now: now(),
        }
    }

    fn pushed_event(message: Value) -> TrackingEvent {
        let mut message = message;
        message["trackingNumber"] = json!(NUMBER);
        let Told::Events(mut events) = pushed(&message, now()).unwrap().told else {
            unreachable!("an event was sent")
        };
        events.remove(0)
    }

    #[test]
    fn an_update_changes_the_day_alone() {
        let status = json!({ "type": "U", "code": "UP", "descriptionCode": "154" });
        let event = pushed_event(json!({ "activityStatus": status, "scheduledDeliveryDate": "20261105" }));
        assert_eq!(event.status, None);
        assert_eq!(event.expected.map(|day| day.to_string()).as_deref(), Some("2026-11-05"));
        assert!(!event.is_unread());
    }

    #[test]
    fn a_code_that_nobody_knows_is_seen_as_unread() {
        let status = json!({ "type": "ZZ", "code": "Q9", "descriptionCode": "777" });
        let event = pushed_event(json!({ "activityStatus": status, "scheduledDeliveryDate": "20261105" }));
        assert!(event.is_unread());
    }

    #[test]
    fn gmt_comes_before_the_clock_on_the_wall() {
        let at = |fields: Value| {
            let mut message = fields;
            message["activityStatus"] = json!({ "type": "I" });
            let event = pushed_event(message);
            (event.at.to_string(), event.is_time_assumed)
        };
        let local = json!({ "localActivityDate": "20261103", "localActivityTime": "080500" });
        let with = |more: Value| {
            let mut fields = local.clone();
            for (name, value) in more.as_object().unwrap() {
                fields[name] = value.clone();
            }
            at(fields)
        };
        let gmt = json!({ "gmtActivityDate": "20261103", "gmtActivityTime": "60500" });
        assert_eq!(with(gmt), ("2026-11-03T06:05:00Z".to_owned(), false));
        assert_eq!(
            with(json!({ "gmtOffset": "-04.00" })),
            ("2026-11-03T12:05:00Z".to_owned(), false)
        );
        let spain = json!({ "gmtActivityTime": "", "activityLocation": { "country": "ES" } });
        assert_eq!(with(spain), ("2026-11-03T07:05:00Z".to_owned(), true));
        assert_eq!(at(json!({})), (now().to_string(), true));
    }

    #[test]
    fn a_message_without_a_number_or_a_status_is_not_read() {
        for body in [
            r#"{"activityStatus":{"type":"I"}}"#,
            r#"{"trackingNumber":"1Z999AA10123456784"}"#,
            r#"{"trackingNumber":"1Z999AA10123456784","activityStatus":{"type":"","code":""}}"#,
            "[]",
            "7",
        ] {
            assert!(Webhook::read(&Ups, &request(body.as_bytes())).is_err(), "{body}");
        }
    }

    #[test]
    fn a_package_without_activities_has_its_current_status() {
        let current = json!({ "type": "M", "code": "MP", "statusCode": "003" });
        let package = json!({ "trackingNumber": NUMBER, "activity": [], "currentStatus": current });
        let events = history(&package, &number(), now());
        assert_eq!(events[0].status, Some(OrderStatus::Processing));
        assert!(events[0].is_time_assumed);
    }

    #[test]
    fn the_rescheduled_day_comes_before_the_scheduled_one() {
        let package = json!({
            "deliveryDate": [{ "type": "SDD", "date": "20261103" }, { "type": "RDD", "date": "20261105" }],
            "activity": [{ "status": { "type": "I" }, "date": "20261102", "time": "080000" }],
        });
        let events = history(&package, &number(), now());
        assert_eq!(
            events[0].expected.map(|day| day.to_string()).as_deref(),
            Some("2026-11-05")
        );
    }

    #[test]
    fn neither_a_photo_nor_a_receiver_is_archived() {
        let body = br#"{"trackingNumber":"1Z999AA10123456784","deliveryPhoto":"aGk=","receivedBy":"ANA"}"#;
        let archived = String::from_utf8(Ups.archived(&request(body)).into_owned()).unwrap();
        assert!(!archived.contains("aGk=") && !archived.contains("ANA"), "{archived}");
    }

    #[test]
    fn an_answer_tells_a_bad_token_from_a_bad_number() {
        let answer = |code: &str| json!({ "response": { "errors": [{ "code": code }] } }).to_string();
        let read = |status, code| Poll::read(&Ups, status, answer(code).as_bytes(), &[number()], now());
        assert_eq!(read(400, "250002"), Err(PollError::Unauthorised));
        assert_eq!(read(400, "TV1002"), Ok(vec![Sighting::not_found(number())]));
        assert_eq!(read(400, "TV0001"), Err(PollError::Refused(400)));
        assert_eq!(read(503, ""), Err(PollError::Unavailable(503)));
        assert!(matches!(read(200, ""), Err(PollError::Unreadable(_))));
    }

    #[test]
    fn a_call_asks_for_one_parcel() {
        let odd = TrackingNumber::try_from("1Z/../X").unwrap();
        let call = Ups.call(&Account::default(), Some("t"), &[odd]);
        assert_eq!(
            call.url,
            "https://onlinetools.ups.com/api/track/v1/details/1Z%2F..%2FX?locale=en_US"
        );
        let account = Account {
            client_id: "id".to_owned(),
            client_secret: "secret".to_owned(),
            base_url: Some("https://wwwcie.ups.com".to_owned()),
            ..Account::default()
        };
        let token = Ups.token_call(&account).unwrap();
        assert_eq!(token.url, "https://wwwcie.ups.com/security/v1/oauth/token");
        assert!(
            token
                .headers
                .contains(&("authorization", "Basic aWQ6c2VjcmV0".to_owned()))
        );
    }

    #[test]
    fn a_subscription_is_of_those_numbers_that_ups_takes() {
        assert_eq!(Ups.subscription().unwrap().parcels_per_call, 100);
        let call = Ups.subscribe_call(&Account::default(), Some("t"), &[number()]).unwrap();
        assert_eq!(
            call.url,
            "https://onlinetools.ups.com/api/track/v2/subscription/standard/package"
        );
        let body: Value = serde_json::from_str(&call.body.unwrap()).unwrap();
        assert_eq!(body["trackingNumberList"], json!([NUMBER]));
        assert_eq!(Ups.subscribe_call(&Account::default(), None, &[]), None);
        let answer = format!(r#"{{"validTrackingNumbers":["{NUMBER}","1Z000"],"invalidTrackingNumbers":["1Z1"]}}"#);
        assert_eq!(
            Ups.read_subscribed(200, answer.as_bytes(), &[number()]),
            Ok(vec![number()])
        );
        assert_eq!(Ups.read_subscribed(429, b"", &[number()]), Err(PollError::Throttled));
        assert!(Ups.read_subscribed(200, b"{}", &[number()]).is_err());
    }
}
