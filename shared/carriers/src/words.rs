//! A carrier's own words, without what they say of people.

use domain::TrackingEvent;

/// What a name follows, wherever it stands.
const BEFORE_NAMES: [&str; 7] = [
    "signed for by",
    "signed by",
    "left with",
    "recipient:",
    "receiver:",
    "received by:",
    "signature:",
];

/// What a name follows in words about a delivery; elsewhere it is the carrier's own (`Shipment received by DHL`).
const BEFORE_NAMES_AT_THE_DOOR: [&str; 3] = ["received by", "accepted by", "collected by"];

/// A carrier's words for what happened, cut off where a person is named.
pub(crate) fn words(text: &str) -> Option<String> {
    let small = text.to_ascii_lowercase();
    let delivered = small.find("deliver");
    let anywhere = BEFORE_NAMES.iter().filter_map(|mark| small.find(mark));
    let at_the_door = BEFORE_NAMES_AT_THE_DOOR
        .iter()
        .filter_map(|mark| small.find(mark))
        .filter(|found| delivered.is_some_and(|delivered| delivered < *found));
    // Small letters of ASCII take the same bytes, so that the place is the same in the text itself.
    let nameless = match anywhere.chain(at_the_door).min() {
        Some(end) => text.get(..end).unwrap_or_default(),
        None => text,
    };
    TrackingEvent::words(nameless.trim_end_matches([' ', '-', '–', ':', ',', ';', '(']))
}

/// Town and country in one line, of those that are known.
pub(crate) fn place(town: Option<String>, country: Option<String>) -> Option<String> {
    let known: Vec<String> = town.into_iter().chain(country).collect();
    TrackingEvent::words(&known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receivers_name_is_cut_off() {
        for text in [
            "Delivered - Signed for by: J SAMPLE",
            "DELIVERED, LEFT WITH SAMPLE AT NO 4",
            "Delivered (received by Ana)",
        ] {
            let words = words(text).unwrap();
            assert!(words.eq_ignore_ascii_case("delivered"), "{words}");
        }
    }

    #[test]
    fn a_carrier_that_received_a_parcel_is_nobodys_name() {
        assert_eq!(
            words("Shipment received by DHL").as_deref(),
            Some("Shipment received by DHL")
        );
    }

    #[test]
    fn words_that_say_nothing_are_none() {
        assert_eq!(words(" - "), None);
        assert_eq!(place(None, None), None);
    }
}
