//! FedEx: Advanced Integrated Visibility calls us, the Track API is asked; both tell in the same shape
//! (developer.fedex.com, Track API v1).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{Carrier, OrderStatus, TrackingDetail, TrackingEvent, TrackingNumber};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::borrow::Cow;

use crate::{
    AccessToken, Account, Call, Delivery, Keys, Limits, Poll, PollError, Request, Sighting, Signed, Unproven,
    Unreadable, Unsigned, Webhook, Window, archive,
    code_table::{Meaning, Row, meaning},
    moment::{self, Moment},
    oauth, parse,
    parse::{at, each, text_at},
    poll::with_missing,
    proof::{fits_any, from_base64, hmac_sha256},
    sighting::MOST_PARCELS,
    words::{place, words},
};

/// FedEx. A key is the security token of the webhook, 26 to 100 characters, which we chose.
pub(crate) struct Fedex;

/// Base64 of HMAC-SHA256 over the body, under the security token.
const SIGNATURE: &str = "fdx-signature";

/// Where calls go.
const HOST: &str = "https://apis.fedex.com";

/// Of a project in ten seconds, and FedEx' example of an organisation's day.
const LIMITS: Limits = Limits {
    parcels_per_call: 30,
    windows: &[
        Window {
            calls: 1_400,
            per: SignedDuration::from_secs(10),
        },
        Window {
            calls: 500_000,
            per: SignedDuration::from_hours(24),
        },
    ],
};

/// FedEx' tracking status codes, of scans and of the latest status.
const CODES: &[Row] = &[
    Row(Meaning::of(OrderStatus::Processing), &["OC", "EP", "AP", "DS", "OX"]),
    Row(
        Meaning::of(OrderStatus::Shipped),
        &[
            "PU", "PX", "AA", "AC", "AF", "AR", "AX", "AO", "AE", "CC", "CH", "CP", "DP", "EA", "ED", "EO", "FD", "IT",
            "IX", "LO", "OF", "OW", "PF", "PL", "PM", "SF", "SP", "TR",
        ],
    ),
    Row(Meaning::of(OrderStatus::OutForDelivery), &[ON_VEHICLE, AT_DELIVERY]),
    Row(Meaning::READY_FOR_PICKUP, &["HL", "HP"]),
    Row(Meaning::of(OrderStatus::Delivered), &[DELIVERED]),
    Row(Meaning::of(OrderStatus::Delayed), &["DY", "DD", "CD", "PD"]),
    Row(Meaning::of(OrderStatus::Exception), &["DE", "SE"]),
    Row(Meaning::of(OrderStatus::Returned), &[RETURN_TO_SHIPPER]),
    Row(Meaning::of(OrderStatus::Cancelled), &["CA"]),
    // Requests of the receiver, and what becomes of return labels.
    Row(Meaning::NO_CHANGE, &["RR", "RM", "RC", "RP", "LP", "RG", "RD", "DR"]),
];

const ON_VEHICLE: &str = "OD";
const AT_DELIVERY: &str = "AD";
const DELIVERED: &str = "DL";
const RETURN_TO_SHIPPER: &str = "RS";

/// The derived code of whatever is late.
const LATE: &str = "RL";

/// Families of reason codes (`060G` is of family 60): going back to the shipper.
const GOING_BACK: u16 = 60;

/// Nobody in, or the business closed.
const NOBODY_IN: [u16; 3] = [7, 8, 15];

/// What must not be kept: people, and where they live.
const PERSONAL: [&str; 7] = [
    "personName",
    "phoneNumber",
    "companyName",
    "streetLines",
    "receivedByName",
    "signedByName",
    "authorizationName",
];

impl Webhook for Fedex {
    fn prove(&self, request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
        let claimed = from_base64(request.header(SIGNATURE).ok_or(Unproven::Missing)?)?;
        fits_any(keys.iter(), &claimed, |key| {
            hmac_sha256(key.as_bytes(), &[request.body]).to_vec()
        })
    }

    fn read(&self, request: &Request<'_>) -> Result<Delivery, Unreadable> {
        Ok(Delivery {
            sightings: sightings(&parse::json(request.body)?, request.now)?,
            handshake: None,
        })
    }

    fn archived<'r>(&self, request: &Request<'r>) -> Cow<'r, [u8]> {
        archive::without(request.body, &PERSONAL)
    }

    fn sign(&self, unsigned: &Unsigned<'_>, key: &str) -> Signed {
        let signature = STANDARD.encode(hmac_sha256(key.as_bytes(), &[unsigned.body]));
        Signed {
            headers: vec![(SIGNATURE.to_owned(), signature)],
            ..Signed::default()
        }
    }
}

impl Poll for Fedex {
    fn limits(&self) -> Limits {
        LIMITS
    }

    fn token_call(&self, account: &Account) -> Option<Call> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &account.client_id)
            .append_pair("client_secret", &account.client_secret)
            .finish();
        Some(Call {
            method: "POST",
            url: format!("{}/oauth/token", account.host(HOST)),
            headers: vec![("content-type", "application/x-www-form-urlencoded".to_owned())],
            body: Some(form),
        })
    }

    fn read_token(&self, status: u16, body: &[u8]) -> Result<AccessToken, PollError> {
        oauth::read_token(status, body)
    }

    fn call(&self, account: &Account, token: Option<&str>, numbers: &[TrackingNumber]) -> Call {
        let parcels: Vec<Value> = numbers
            .iter()
            .map(|number| json!({ "trackingNumberInfo": { "trackingNumber": number.as_str() } }))
            .collect();
        let body = json!({ "includeDetailedScans": true, "trackingInfo": parcels });
        Call {
            method: "POST",
            url: format!("{}/track/v1/trackingnumbers", account.host(HOST)),
            headers: vec![
                oauth::bearer(token),
                ("content-type", "application/json".to_owned()),
                ("x-locale", "en_US".to_owned()),
            ],
            body: Some(body.to_string()),
        }
    }

    fn read(
        &self,
        status: u16,
        body: &[u8],
        asked: &[TrackingNumber],
        now: Timestamp,
    ) -> Result<Vec<Sighting>, PollError> {
        if !(200..300).contains(&status) {
            return Err(PollError::of_status(status));
        }
        let told = parse::json(body)
            .and_then(|body| sightings(&body, now))
            .map_err(PollError::Unreadable)?;
        Ok(with_missing(told, asked))
    }
}

/// What is told of one number: one result, or one of each shipment that ever bore it.
struct Parcel<'v> {
    number: TrackingNumber,
    results: Vec<&'v Value>,
}

/// Every parcel of the body. Beside the documented shape, the flat `trackResults` that some senders use.
fn sightings(body: &Value, now: Timestamp) -> Result<Vec<Sighting>, Unreadable> {
    let output = Some(at(body, "output"))
        .filter(|output| output.is_object())
        .unwrap_or(body);
    let (complete, flat) = (at(output, "completeTrackResults"), at(output, "trackResults"));
    if !complete.is_array() && !flat.is_array() {
        return Err(Unreadable::new("a list output.completeTrackResults"));
    }
    let mut parcels: Vec<Parcel<'_>> = Vec::new();
    let mut has_any = false;
    let named = each(complete).flat_map(|parcel| {
        let number = parse::number(at(parcel, "trackingNumber"));
        each(at(parcel, "trackResults")).map(move |result| (number.clone(), result))
    });
    for (number, result) in named.chain(each(flat).map(|result| (None, result))) {
        has_any = true;
        let own = || parse::number(at(result, "trackingNumberInfo.trackingNumber"));
        let Some(number) = number.or_else(own) else { continue };
        if let Some(known) = parcels.iter_mut().find(|parcel| parcel.number == number) {
            known.results.push(result);
        } else if parcels.len() < MOST_PARCELS {
            parcels.push(Parcel {
                number,
                results: vec![result],
            });
        }
    }
    let told: Vec<Sighting> = parcels.into_iter().filter_map(|parcel| sighting(parcel, now)).collect();
    match told.is_empty() && has_any {
        true => Err(Unreadable::new(
            "a number and scanEvents, latestStatusDetail or error in a track result",
        )),
        false => Ok(told),
    }
}

/// What is told of one parcel. FedEx uses numbers again: of several shipments, the one that moved last is ours.
fn sighting(parcel: Parcel<'_>, now: Timestamp) -> Option<Sighting> {
    let Parcel { number, results } = parcel;
    let newest = results
        .iter()
        .filter_map(|result| Sighting::of(number.clone(), events(result, &number, now)))
        .max_by_key(|sighting| match &sighting.told {
            crate::Told::Events(events) => events.last().map(|event| event.at),
            crate::Told::NotFound => None,
        });
    let is_error = || results.iter().any(|result| at(result, "error").is_object());
    newest.or_else(|| is_error().then(|| Sighting::not_found(number)))
}

/// A scan, or the latest status, before its neighbours are looked at.
struct Scan {
    code: String,
    is_latest_status: bool,
    moment: Moment,
    reasons: Vec<u16>,
    is_late: bool,
    text: Option<String>,
    place: Option<String>,
}

fn events(result: &Value, number: &TrackingNumber, now: Timestamp) -> Vec<TrackingEvent> {
    let mut scans = scans(result, now);
    let newest = scans.last().map_or(now, |newest| newest.moment.at);
    if let Some(latest) = latest(result, Moment::arrival(newest)) {
        if let Some(newest) = scans.last_mut() {
            newest.is_late |= latest.is_late;
            newest.reasons.extend(&latest.reasons);
        }
        // FedEx sends some statuses without a scan. Such a one is as new as the newest scan.
        if !scans.iter().any(|scan| scan.code == latest.code) {
            scans.push(latest);
            scans.sort_by_key(|scan| scan.moment.at);
        }
    }
    let meanings = statuses(&scans);
    let status = |meaning: &Option<Meaning>| meaning.and_then(|meaning| meaning.status);
    let mut scanned = scans.iter().zip(&meanings).filter(|(scan, _)| !scan.is_latest_status);
    let scanned = scanned.next_back().map(|(_, meaning)| status(meaning));
    // What the latest status repeats, or what nobody can read, the newest scan tells better.
    let is_news = |meaning: &Option<Meaning>| {
        scanned.is_none_or(|scanned| status(meaning).is_some() && status(meaning) != scanned)
    };
    let told: Vec<(&Scan, &Option<Meaning>)> = scans
        .iter()
        .zip(&meanings)
        .filter(|(scan, meaning)| !scan.is_latest_status || is_news(meaning))
        .collect();
    let mut events: Vec<TrackingEvent> = told
        .iter()
        .map(|(scan, meaning)| event(scan, **meaning, number))
        .collect();
    // An unknown code decides nothing, not even a date: it has to be seen as unread.
    if let (Some(newest), Some((_, Some(_)))) = (events.last_mut(), told.last())
        && !is_final(newest.status)
    {
        newest.expected = expected(result);
    }
    events
}

fn is_final(status: Option<OrderStatus>) -> bool {
    status.is_some_and(|status| {
        matches!(
            status,
            OrderStatus::Delivered | OrderStatus::Cancelled | OrderStatus::Returned
        )
    })
}

fn event(scan: &Scan, meaning: Option<Meaning>, number: &TrackingNumber) -> TrackingEvent {
    let mut event = TrackingEvent::new(Carrier::Fedex, number.clone(), scan.moment.at);
    event.is_time_assumed = scan.moment.is_assumed;
    event.status = meaning.and_then(|meaning| meaning.status);
    event.detail = meaning.and_then(|meaning| meaning.detail);
    event.is_code_known = meaning.is_some();
    event.code = TrackingEvent::words(&scan.code);
    event.text = scan.text.clone();
    event.place = scan.place.clone();
    event
}

/// The scans, the oldest first; FedEx lists the newest first.
fn scans(result: &Value, now: Timestamp) -> Vec<Scan> {
    let listed: Vec<(&Value, String)> = each(at(result, "scanEvents"))
        .filter_map(|scan| Some((scan, text_at(scan, "eventType")?)))
        .collect();
    let moments = listed
        .iter()
        .rev()
        .map(|(scan, _)| {
            let country = text_at(scan, "scanLocation.countryCode");
            Moment::iso(&text_at(scan, "date")?, country.as_deref())
        })
        .collect();
    let mut scans: Vec<Scan> = listed
        .into_iter()
        .rev()
        .zip(moment::in_order(moments, now))
        .map(|((scan, code), moment)| Scan {
            code,
            is_latest_status: false,
            moment,
            reasons: text_at(scan, "exceptionCode")
                .and_then(|code| family(&code))
                .into_iter()
                .collect(),
            is_late: is_late(scan),
            text: told(text_at(scan, "eventDescription"), text_at(scan, "exceptionDescription")),
            place: place_of(scan),
        })
        .collect();
    scans.sort_by_key(|scan| scan.moment.at);
    scans
}

/// The latest status as a scan of its own, of this moment where it has none.
fn latest(result: &Value, otherwise: Moment) -> Option<Scan> {
    let latest = at(result, "latestStatusDetail");
    let code = text_at(latest, "code").or_else(|| text_at(latest, "derivedCode"))?;
    let kind = match code.as_str() {
        DELIVERED => "ACTUAL_DELIVERY",
        "PU" => "ACTUAL_PICKUP",
        _ => "",
    };
    let country = text_at(latest, "scanLocation.countryCode");
    let moment = date_and_time(result, kind).and_then(|text| Moment::iso(&text, country.as_deref()));
    let ancillary = || each(at(latest, "ancillaryDetails"));
    Some(Scan {
        code,
        is_latest_status: true,
        moment: moment.unwrap_or(otherwise),
        reasons: ancillary()
            .filter_map(|detail| family(&text_at(detail, "reason")?))
            .collect(),
        is_late: is_late(latest) || text_at(latest, "derivedCode").is_some_and(|derived| derived == LATE),
        text: told(
            text_at(latest, "description"),
            ancillary().find_map(|detail| text_at(detail, "reasonDescription")),
        ),
        place: place_of(latest),
    })
}

fn is_late(value: &Value) -> bool {
    text_at(value, "delayDetail.status").is_some_and(|status| status.eq_ignore_ascii_case("DELAYED"))
}

/// The digits at the beginning of a reason code: `060G` and `60` are one family.
fn family(reason: &str) -> Option<u16> {
    let digits: String = reason.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn told(what: Option<String>, why: Option<String>) -> Option<String> {
    match (what, why) {
        (Some(what), Some(why)) if what != why => words(&format!("{what}: {why}")),
        (what, why) => words(&what.or(why)?),
    }
}

fn place_of(value: &Value) -> Option<String> {
    let country = text_at(value, "scanLocation.countryName").or_else(|| text_at(value, "scanLocation.countryCode"));
    place(text_at(value, "scanLocation.city"), country)
}

fn date_and_time(result: &Value, kind: &str) -> Option<String> {
    each(at(result, "dateAndTimes"))
        .find(|date| text_at(date, "type").is_some_and(|other| other == kind))
        .and_then(|date| text_at(date, "dateTime"))
}

fn expected(result: &Value) -> Option<jiff::civil::Date> {
    let window = || text_at(result, "estimatedDeliveryTimeWindow.window.ends");
    moment::iso_day(&date_and_time(result, "ESTIMATED_DELIVERY").or_else(window)?)
}

/// What each of these scans, the oldest first, makes of the parcel; nothing where no table has its code.
///
/// A scan on the way back looks like any other: FedEx delivers back to the shipper with `DL`. A return reason holds from there on, a
/// return scan alone until the parcel is on a vehicle again. At one moment the return comes first.
fn statuses(scans: &[Scan]) -> Vec<Option<Meaning>> {
    let last_return = scans
        .iter()
        .filter(|scan| scan.code.eq_ignore_ascii_case(RETURN_TO_SHIPPER))
        .map(|scan| scan.moment.at)
        .max();
    let (mut has_reason, mut is_scanned_back) = (false, false);
    scans
        .iter()
        .map(|scan| {
            let code = scan.code.to_ascii_uppercase();
            has_reason |= scan.reasons.contains(&GOING_BACK);
            match code.as_str() {
                RETURN_TO_SHIPPER => is_scanned_back = true,
                ON_VEHICLE | AT_DELIVERY => is_scanned_back = false,
                _ => {}
            }
            let returns_later = code == DELIVERED && last_return >= Some(scan.moment.at);
            let found = meaning(CODES, &code);
            let status = found.and_then(|found| found.status);
            let is_going_back = has_reason || is_scanned_back || returns_later;
            match status {
                Some(_) if is_going_back => Some(Meaning::of(OrderStatus::Returned)),
                Some(OrderStatus::Exception) if scan.reasons.iter().any(|reason| NOBODY_IN.contains(reason)) => {
                    Some(Meaning {
                        status,
                        detail: Some(TrackingDetail::AttemptFailed),
                    })
                }
                Some(OrderStatus::Exception) => found,
                _ if is_final(status) => found,
                _ if scan.is_late => Some(Meaning::of(OrderStatus::Delayed)),
                _ => found,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Told, code_table::doubled};

    const NUMBER: &str = "794600000011";

    fn now() -> Timestamp {
        "2026-11-20T10:00:00Z".parse().unwrap()
    }

    /// A scan at this hour of one day.
    fn scan(hour: u8, code: &str, reason: &str) -> Value {
        json!({ "date": format!("2026-11-03T{hour:02}:00:00Z"), "eventType": code, "exceptionCode": reason })
    }

    fn told(result: Value) -> Vec<TrackingEvent> {
        let mut result = result;
        result["trackingNumberInfo"] = json!({ "trackingNumber": NUMBER });
        let mut told = sightings(&json!({ "trackResults": [result] }), now()).unwrap();
        match told.remove(0).told {
            Told::Events(events) => events,
            Told::NotFound => Vec::new(),
        }
    }

    /// The statuses of these scans, the oldest first.
    fn statuses_of(scans: &[Value]) -> Vec<Option<OrderStatus>> {
        told(json!({ "scanEvents": scans }))
            .iter()
            .map(|event| event.status)
            .collect()
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

    #[test]
    fn no_code_stands_in_two_rows() {
        assert_eq!(doubled(CODES), Vec::<&str>::new());
    }

    #[test]
    fn what_follows_a_return_reason_is_on_its_way_back() {
        let scans = [
            scan(8, "DE", "060G"),
            scan(9, "AR", ""),
            scan(10, "OD", ""),
            scan(11, "DL", ""),
        ];
        assert_eq!(statuses_of(&scans), [Some(OrderStatus::Returned); 4]);
    }

    #[test]
    fn a_return_scan_holds_until_the_parcel_is_on_a_vehicle_again() {
        let scans = [
            scan(8, "RS", ""),
            scan(9, "AR", ""),
            scan(10, "OD", ""),
            scan(11, "DL", ""),
        ];
        assert_eq!(
            statuses_of(&scans),
            [
                Some(OrderStatus::Returned),
                Some(OrderStatus::Returned),
                Some(OrderStatus::OutForDelivery),
                Some(OrderStatus::Delivered)
            ]
        );
    }

    #[test]
    fn a_delivery_of_the_moment_of_a_return_scan_is_a_return() {
        for scans in [
            [scan(8, "DL", ""), scan(8, "RS", "")],
            [scan(8, "RS", ""), scan(8, "DL", "")],
        ] {
            assert_eq!(statuses_of(&scans), [Some(OrderStatus::Returned); 2]);
        }
    }

    #[test]
    fn a_scan_before_the_return_stays_what_it_was() {
        let scans = [scan(8, "OD", ""), scan(9, "RS", "")];
        assert_eq!(
            statuses_of(&scans),
            [Some(OrderStatus::OutForDelivery), Some(OrderStatus::Returned)]
        );
    }

    #[test]
    fn a_late_parcel_is_delayed_unless_it_is_there_or_somebody_has_to_act() {
        let late = |code: &str| {
            let mut scan = scan(8, code, "");
            scan["delayDetail"] = json!({ "status": "DELAYED" });
            statuses_of(&[scan]).remove(0)
        };
        for code in ["AR", "OD", "OC"] {
            assert_eq!(late(code), Some(OrderStatus::Delayed), "{code}");
        }
        assert_eq!(late("DL"), Some(OrderStatus::Delivered));
        assert_eq!(late("DE"), Some(OrderStatus::Exception));
        assert_eq!(late("CA"), Some(OrderStatus::Cancelled));
    }

    #[test]
    fn the_derived_code_counts_only_where_it_says_late() {
        let newest = |derived: &str| {
            let latest = json!({ "code": "FD", "derivedCode": derived });
            told(json!({ "scanEvents": [scan(8, "FD", "")], "latestStatusDetail": latest }))
                .remove(0)
                .status
        };
        assert_eq!(newest("RL"), Some(OrderStatus::Delayed));
        assert_eq!(newest("DL"), Some(OrderStatus::Shipped));
    }

    #[test]
    fn a_status_without_any_scan_is_of_the_moment_it_came() {
        let events = told(json!({ "latestStatusDetail": { "code": "OD" } }));
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].at, events[0].is_time_assumed), (now(), true));
        assert_eq!(events[0].status, Some(OrderStatus::OutForDelivery));
    }

    #[test]
    fn a_status_that_no_scan_tells_comes_after_the_newest_scan() {
        let latest = json!({ "code": "HL", "description": "Ready for pickup" });
        let events = told(json!({ "scanEvents": [scan(8, "AR", "")], "latestStatusDetail": latest }));
        assert_eq!(events[1].detail, Some(TrackingDetail::ReadyForPickup));
        assert_eq!((events[1].at, events[1].is_time_assumed), (events[0].at, true));
    }

    #[test]
    fn the_expected_day_stands_with_the_newest_news_unless_that_is_final_or_unknown() {
        let expected = |code: &str| {
            let dates = json!([{ "type": "ESTIMATED_DELIVERY", "dateTime": "2026-11-05T20:00:00-06:00" }]);
            let events = told(json!({ "scanEvents": [scan(8, code, ""), scan(7, "PU", "")], "dateAndTimes": dates }));
            assert_eq!(events[0].expected, None);
            events[1].expected.map(|day| day.to_string())
        };
        assert_eq!(expected("AR").as_deref(), Some("2026-11-05"));
        assert_eq!(expected("DL"), None);
        assert_eq!(expected("ZQ"), None);
    }

    #[test]
    fn a_parcel_that_cannot_be_read_does_not_lose_its_neighbours() {
        let good = json!({ "trackingNumber": NUMBER, "trackResults": [{ "scanEvents": [scan(8, "PU", "")] }] });
        let bad = json!({ "trackingNumber": "№", "trackResults": [{ "scanEvents": 7 }] });
        let body = |parcels: Value| json!({ "output": { "completeTrackResults": parcels } });
        assert_eq!(sightings(&body(json!([bad, good])), now()).unwrap().len(), 1);
        assert!(sightings(&body(json!([bad])), now()).is_err());
        assert_eq!(sightings(&body(json!([])), now()), Ok(Vec::new()));
        assert!(sightings(&json!({ "output": {} }), now()).is_err());
    }

    #[test]
    fn the_place_is_town_and_country_and_the_words_are_fedex_own() {
        let scan = json!({
            "date": "2026-11-03T08:00:00Z",
            "eventType": "DE",
            "eventDescription": "Delivery exception",
            "exceptionDescription": "Customer not available",
            "scanLocation": { "streetLines": ["Calle Mayor 1"], "city": "MADRID", "countryCode": "ES" },
        });
        let event = told(json!({ "scanEvents": [scan] })).remove(0);
        assert_eq!(event.place.as_deref(), Some("MADRID, ES"));
        assert_eq!(
            event.text.as_deref(),
            Some("Delivery exception: Customer not available")
        );
    }

    #[test]
    fn nobody_is_named_in_the_archive() {
        let body = br#"{"trackResults":[{"deliveryDetails":{"receivedByName":"Ana","signedByName":"Ana"}}]}"#;
        let archived = Fedex.archived(&request(body)).into_owned();
        assert!(!String::from_utf8(archived).unwrap().contains("Ana"));
    }

    #[test]
    fn a_call_asks_for_all_its_parcels_at_the_accounts_host() {
        let account = Account {
            client_id: "id&".to_owned(),
            client_secret: "s+".to_owned(),
            base_url: Some("https://apis-sandbox.fedex.com/".to_owned()),
            ..Account::default()
        };
        let token = Fedex.token_call(&account).unwrap();
        assert_eq!(token.url, "https://apis-sandbox.fedex.com/oauth/token");
        assert_eq!(
            token.body.as_deref(),
            Some("grant_type=client_credentials&client_id=id%26&client_secret=s%2B")
        );
        let numbers = [NUMBER, "794600000022"].map(|number| TrackingNumber::try_from(number).unwrap());
        let call = Fedex.call(&Account::default(), Some("t"), &numbers);
        assert_eq!(call.url, "https://apis.fedex.com/track/v1/trackingnumbers");
        assert!(call.headers.contains(&("authorization", "Bearer t".to_owned())));
        let body: Value = serde_json::from_str(&call.body.unwrap()).unwrap();
        assert_eq!(
            body["trackingInfo"][1]["trackingNumberInfo"]["trackingNumber"],
            "794600000022"
        );
        assert_eq!(body["includeDetailedScans"], true);
    }

    #[test]
    fn an_answer_without_a_parcel_that_was_asked_for_does_not_know_it() {
        let asked = [TrackingNumber::try_from(NUMBER).unwrap()];
        let body = br#"{"output":{"completeTrackResults":[]}}"#;
        assert_eq!(
            Poll::read(&Fedex, 200, body, &asked, now()),
            Ok(vec![Sighting::not_found(asked[0].clone())])
        );
        assert_eq!(Poll::read(&Fedex, 429, b"", &asked, now()), Err(PollError::Throttled));
        assert_eq!(
            Poll::read(&Fedex, 401, b"", &asked, now()),
            Err(PollError::Unauthorised)
        );
        assert!(matches!(
            Poll::read(&Fedex, 200, b"<html>", &asked, now()),
            Err(PollError::Unreadable(_))
        ));
    }
}
