//! DPD: it calls (Tracking Push Service) and is asked (the public life cycle in JSON; the contract's in SOAP is read as well).
//!
//! A push is a GET with everything in the query and no proof at all: the last segment of our own path has to be a live key. It wants an
//! XML answer that repeats its id, also for parcels and codes that nobody knows; otherwise DPD repeats it for two days.

mod life_cycle;
mod soap;

use domain::{Carrier, OrderStatus, TrackingNumber};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;

use crate::code_table::{Meaning, Row, meaning};
use crate::history::{Entry, answered, history, listed};
use crate::moment::Moment;
use crate::proof::fits_any;
use crate::{
    Account, Answer, Call, Delivery, Keys, Limits, Poll, PollError, Request, Sighting, Signed, Unproven, Unreadable,
    Unsigned, Webhook, Window,
};

/// How DPD calls us and is asked.
pub(crate) struct Dpd;

const HOST: &str = "https://tracking.dpd.de";

/// The page is made for people and now and then shuts servers out: no limit is public, this one is ours.
const WINDOWS: &[Window] = &[Window {
    calls: 1,
    per: SignedDuration::from_secs(1),
}];

/// Parameters that must not be kept: who took the parcel, and the proof of it.
const PERSONAL: [&str; 2] = ["receiver", "pod"];

const LONGEST_PUSH_ID: usize = 64;

/// The status of a push (quick start of 04/2023).
const PUSH_STATUSES: &[Row] = &[
    Row(Meaning::of(OrderStatus::Processing), &["start_order"]),
    Row(
        Meaning::of(OrderStatus::Shipped),
        &["pickup_driver", "pickup_depot", "delivery_depot"],
    ),
    Row(Meaning::of(OrderStatus::OutForDelivery), &["delivery_carload"]),
    // In the shop, not with the customer: `pickup_by_consignee` comes when it is fetched.
    Row(Meaning::READY_FOR_PICKUP, &["delivery_shop"]),
    Row(
        Meaning::of(OrderStatus::Delivered),
        &["delivery_customer", "pickup_by_consignee"],
    ),
    Row(
        Meaning::of(OrderStatus::Exception),
        // Of `delivery_nab` DPD only says that it is "a NAB scan".
        &["delivery_notification", "error_pickup", "delivery_nab"],
    ),
    Row(
        Meaning::of(OrderStatus::Returned),
        &["error_return", "no_pickup_by_consignee"],
    ),
];

impl Webhook for Dpd {
    fn methods(&self) -> &'static [&'static str] {
        &["GET"]
    }

    fn prove(&self, request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
        let key = request.key.ok_or(Unproven::Missing)?;
        fits_any(keys.iter(), key.as_bytes(), |key| key.as_bytes().to_vec())
    }

    fn read(&self, request: &Request<'_>) -> Result<Delivery, Unreadable> {
        let number = request
            .parameter("pnr")
            .and_then(|number| TrackingNumber::try_from(number.as_ref()).ok())
            .ok_or_else(|| Unreadable::new("one parcel number in pnr"))?;
        let code = request.parameter("status").filter(|code| !code.trim().is_empty());
        let code = code.ok_or_else(|| Unreadable::new("one status"))?.trim().to_owned();
        let shown = request.parameter("statusdate");
        let entry = Entry {
            // Without a readable date it is still news: it came just now.
            moment: shown
                .and_then(|shown| moment(&shown))
                .unwrap_or(Moment::arrival(request.now)),
            meaning: meaning(PUSH_STATUSES, &code),
            code: Some(code),
            text: None,
            place: request.parameter("depot").map(Cow::into_owned),
        };
        Ok(Delivery {
            sightings: history(Carrier::Dpd, number, vec![entry]).into_iter().collect(),
            handshake: None,
        })
    }

    fn answer(&self, request: &Request<'_>) -> Answer {
        let Some(push_id) = request.parameter("pushid").filter(|push_id| is_push_id(push_id)) else {
            return Answer::taken();
        };
        Answer {
            status: 200,
            content_type: Some("application/xml"),
            body: format!("<push><pushid>{push_id}</pushid><status>OK</status></push>"),
        }
    }

    fn archived<'r>(&self, request: &Request<'r>) -> Cow<'r, [u8]> {
        let is_personal = |pair: &&str| {
            form_urlencoded::parse(pair.as_bytes()).any(|(name, _)| {
                PERSONAL
                    .iter()
                    .any(|personal| name.trim().eq_ignore_ascii_case(personal))
            })
        };
        if !request.query.split('&').any(|pair| is_personal(&pair)) {
            return Cow::Borrowed(request.query.as_bytes());
        }
        let kept: Vec<&str> = request.query.split('&').filter(|pair| !is_personal(pair)).collect();
        Cow::Owned(kept.join("&").into_bytes())
    }

    fn read_archived(&self, archived: &[u8], now: Timestamp) -> Result<Delivery, Unreadable> {
        let query = std::str::from_utf8(archived).map_err(|_not_text| Unreadable::new("a query in UTF-8"))?;
        Webhook::read(
            self,
            &Request {
                method: "GET",
                key: None,
                query,
                headers: &[],
                body: &[],
                now,
            },
        )
    }

    fn sign(&self, _unsigned: &Unsigned<'_>, key: &str) -> Signed {
        Signed {
            key: Some(key.to_owned()),
            ..Signed::default()
        }
    }
}

/// What may stand in our answer as it came.
fn is_push_id(text: &str) -> bool {
    (1..=LONGEST_PUSH_ID).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// `ddMMyyyyHHmmss` by a German clock: the push is a service of DPD Germany.
fn moment(text: &str) -> Option<Moment> {
    let is_whole = text.len() == 14 && text.bytes().all(|byte| byte.is_ascii_digit());
    let shown = is_whole.then(|| DateTime::strptime("%d%m%Y%H%M%S", text).ok())??;
    Moment::in_zone(shown, "Europe/Berlin")
}

impl Poll for Dpd {
    fn limits(&self) -> Limits {
        Limits {
            parcels_per_call: 1,
            windows: WINDOWS,
        }
    }

    fn call(&self, account: &Account, _token: Option<&str>, numbers: &[TrackingNumber]) -> Call {
        Call {
            method: "GET",
            url: format!("{}/rest/plc/en_US/{}", account.host(HOST), listed(numbers)),
            headers: vec![("Accept", "application/json".to_owned())],
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
        if status != 200 {
            return Err(PollError::of_status(status));
        }
        let is_xml = body.trim_ascii_start().first() == Some(&b'<');
        let sighting = match is_xml {
            true => soap::parcel(body, asked, now),
            false => life_cycle::parcel(body, asked, now),
        };
        let sighting = sighting.map_err(PollError::Unreadable)?;
        Ok(answered(sighting.into_iter().collect(), asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Told;
    use crate::code_table::doubled;
    use domain::TrackingEvent;
    use proptest::prelude::*;

    const NOW: &str = "2026-11-20T10:00:00Z";
    const PUSH: &str = "pushid=700101&pnr=09440000567812&status=delivery_customer&statusdate=05112026171000";

    fn request<'r>(query: &'r str, key: Option<&'r str>) -> Request<'r> {
        Request {
            method: "GET",
            key,
            query,
            headers: &[],
            body: b"",
            now: NOW.parse().unwrap(),
        }
    }

    fn event(query: &str) -> TrackingEvent {
        let delivery = Webhook::read(&Dpd, &request(query, None)).unwrap();
        match &delivery.sightings[0].told {
            Told::Events(events) => events[0].clone(),
            Told::NotFound => panic!("{delivery:?}"),
        }
    }

    fn keys() -> Keys {
        Keys::new(vec![
            "old-secret-path-segment".to_owned(),
            "secret-path-segment".to_owned(),
        ])
    }

    #[test]
    fn a_live_key_in_the_path_proves() {
        assert_eq!(Dpd.prove(&request(PUSH, Some("secret-path-segment")), &keys()), Ok(()));
        assert_eq!(
            Dpd.prove(&request(PUSH, Some("old-secret-path-segment")), &keys()),
            Ok(())
        );
        assert_eq!(Dpd.prove(&request(PUSH, None), &keys()), Err(Unproven::Missing));
        for key in [
            "",
            "secret-path-segmen",
            "Secret-path-segment",
            "secret%2Dpath-segment",
            "secret-path-segment/",
        ] {
            assert_eq!(
                Dpd.prove(&request(PUSH, Some(key)), &keys()),
                Err(Unproven::Mismatch),
                "{key}"
            );
        }
    }

    #[test]
    fn without_a_key_nothing_is_proven() {
        let none = Keys::new(vec![String::new()]);
        assert_eq!(Dpd.prove(&request(PUSH, Some("")), &none), Err(Unproven::NoKey));
    }

    #[test]
    fn a_signed_call_is_proven() {
        let unsigned = Unsigned {
            query: PUSH,
            body: b"",
            now: NOW.parse().unwrap(),
        };
        let signed = Dpd.sign(&unsigned, "secret-path-segment");
        assert_eq!(Dpd.prove(&request(PUSH, signed.key.as_deref()), &keys()), Ok(()));
    }

    #[test]
    fn the_answer_repeats_the_id_whatever_else_the_call_says() {
        for query in [
            PUSH,
            "pushid=700101",
            "pushid=700101&pnr=%23&status=delivery_by_balloon",
        ] {
            let answer = Dpd.answer(&request(query, None));
            assert_eq!(
                answer.body, "<push><pushid>700101</pushid><status>OK</status></push>",
                "{query}"
            );
            assert_eq!((answer.status, answer.content_type), (200, Some("application/xml")));
        }
    }

    #[test]
    fn an_id_that_is_none_is_not_repeated() {
        let long = format!("pushid={}", "1".repeat(65));
        for query in [
            "",
            "pushid=",
            "pushid=%3Cx/%3E",
            "pushid=1&pushid=2",
            "pushid=1%202",
            &long,
        ] {
            assert_eq!(Dpd.answer(&request(query, None)), Answer::taken(), "{query}");
        }
    }

    #[test]
    fn what_has_no_readable_date_came_just_now() {
        for date in [
            "",
            "&statusdate=",
            "&statusdate=soon",
            "&statusdate=31022026171000",
            "&statusdate=5112026171000",
        ] {
            let event = event(&format!("pnr=09440000567812&status=delivery_customer{date}"));
            assert_eq!(event.at, NOW.parse().unwrap(), "{date}");
            assert!(event.is_time_assumed);
            assert_eq!(event.status, Some(OrderStatus::Delivered));
        }
    }

    #[test]
    fn a_date_is_german_time() {
        let event = event(PUSH);
        assert_eq!(event.at, "2026-11-05T16:10:00Z".parse().unwrap());
        assert!(!event.is_time_assumed);
    }

    #[test]
    fn a_call_about_no_parcel_is_unreadable() {
        for query in [
            "",
            "pnr=1",
            "status=delivery_customer",
            "pnr=%23&status=x",
            "pnr=1&pnr=2&status=x",
        ] {
            assert!(Webhook::read(&Dpd, &request(query, None)).is_err(), "{query}");
        }
    }

    #[test]
    fn who_took_it_and_the_proof_of_it_are_not_archived() {
        let query = format!("{PUSH}&receiver=Kim+Example&Receiver=Kim&%70od=POD77&ref=ORDER-2041");
        let request = request(&query, None);
        let archived = Dpd.archived(&request);
        assert_eq!(*archived, *format!("{PUSH}&ref=ORDER-2041").as_bytes());
        assert!(!format!("{:?}", Webhook::read(&Dpd, &request)).contains("Kim"));
        assert_eq!(Dpd.read_archived(&archived, request.now), Webhook::read(&Dpd, &request));
    }

    #[test]
    fn a_query_without_people_is_archived_as_it_came() {
        assert!(matches!(Dpd.archived(&request(PUSH, None)), Cow::Borrowed(kept) if kept == PUSH.as_bytes()));
    }

    #[test]
    fn one_parcel_is_asked_for_by_its_number() {
        let call = Dpd.call(
            &Account::default(),
            None,
            &[TrackingNumber::try_from("09440000567812").unwrap()],
        );
        assert_eq!(call.url, "https://tracking.dpd.de/rest/plc/en_US/09440000567812");
        assert_eq!(call.method, "GET");
    }

    #[test]
    fn a_page_for_people_is_no_answer() {
        let asked = [TrackingNumber::try_from("09440000567812").unwrap()];
        for body in [
            "",
            "<html><body>Please wait</body></html>",
            "{}",
            "[]",
            "<!DOCTYPE html><html/>",
        ] {
            let answer = Poll::read(&Dpd, 200, body.as_bytes(), &asked, NOW.parse().unwrap());
            assert!(matches!(answer, Err(PollError::Unreadable(_))), "{body}");
        }
        let answer = Poll::read(&Dpd, 403, b"", &asked, NOW.parse().unwrap());
        assert_eq!(answer, Err(PollError::Unauthorised));
    }

    #[test]
    fn each_code_has_one_meaning() {
        assert!(doubled(PUSH_STATUSES).is_empty());
    }

    proptest! {
        #[test]
        fn no_character_of_a_key_may_change(place in any::<prop::sample::Index>(), other in "[ -~]") {
            let ours = "secret-path-segment";
            let place = place.index(ours.len());
            let key = format!("{}{other}{}", &ours[..place], &ours[place + 1..]);
            prop_assert_eq!(Dpd.prove(&request(PUSH, Some(&key)), &keys()).is_ok(), key == ours);
        }

        #[test]
        fn what_is_answered_never_holds_anything_but_an_id(query in any::<String>()) {
            let answer = Dpd.answer(&request(&format!("pushid={query}"), None));
            let id = answer.body.strip_prefix("<push><pushid>").and_then(|rest| rest.split_once('<'));
            prop_assert!(answer.body.is_empty() || id.is_some_and(|(id, _)| is_push_id(id)));
        }
    }
}
