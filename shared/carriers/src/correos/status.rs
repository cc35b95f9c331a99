//! What an event of Correos makes of a parcel: its code, or else its phase and its words.

use domain::OrderStatus;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::codes::{ATTEMPTS_OR_RETURNS, CODES, DOUBTFUL};
use crate::code_table::{Meaning, meaning};

const RETURNED: Meaning = Meaning::of(OrderStatus::Returned);

/// Words that say what they say in whatever phase they stand, the weightier first: a return to the sender is told in phase ENTREGADO.
const WORDS: [(&str, Meaning); 5] = [
    ("devuelto", RETURNED),
    ("en devolucion", RETURNED),
    ("anulado", Meaning::of(OrderStatus::Cancelled)),
    ("intento de entrega", Meaning::ATTEMPT_FAILED),
    ("a disposicion del destinatario", Meaning::READY_FOR_PICKUP),
];

/// What the event makes of the parcel.
pub(super) fn read(code: Option<&str>, phase: Option<&str>, text: Option<&str>) -> Option<Meaning> {
    let code = code.unwrap_or_default().to_ascii_uppercase();
    let (phase, text) = (plain(phase), plain(text));
    if let Some(known) = meaning(CODES, &code) {
        return Some(known);
    }
    if ATTEMPTS_OR_RETURNS.contains(&code.as_str()) {
        let by_words = by_words(&text).filter(|said| *said == RETURNED);
        return by_words.or(Some(Meaning::ATTEMPT_FAILED));
    }
    let said = by_words(&text).or_else(|| by_phase(&phase, &text));
    // On what sources disagree, a phase alone is no second witness.
    said.filter(|_| !DOUBTFUL.contains(&code.as_str()) || !text.is_empty())
}

fn by_words(text: &str) -> Option<Meaning> {
    let (_, meaning) = WORDS.iter().find(|(words, _)| text.contains(words))?;
    Some(*meaning)
}

fn by_phase(phase: &str, text: &str) -> Option<Meaning> {
    let status = match phase {
        "en camino" => OrderStatus::Shipped,
        // The push names no phase.
        "en entrega" | "" if text.starts_with("en reparto") => OrderStatus::OutForDelivery,
        "entregado" if text.starts_with("entregado") => OrderStatus::Delivered,
        _ => return None,
    };
    Some(Meaning::of(status))
}

/// Small letters without accents.
fn plain(text: Option<&str>) -> String {
    let letters = text.unwrap_or_default().nfd().filter(|c| !is_combining_mark(*c));
    letters.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::TrackingDetail;

    fn status(code: &str, phase: &str, text: &str) -> Option<OrderStatus> {
        read(Some(code), Some(phase), Some(text)).and_then(|meaning| meaning.status)
    }

    #[test]
    fn a_known_code_counts_more_than_the_phase() {
        assert_eq!(
            status("I020000V", "ENTREGADO", "Devuelto al remitente"),
            Some(OrderStatus::Returned)
        );
        assert_eq!(status("i010000v", "", ""), Some(OrderStatus::Delivered));
    }

    #[test]
    fn an_unknown_code_is_read_by_its_phase_and_words() {
        assert_eq!(
            status("Z777777V", "EN CAMINO", "Clasificado"),
            Some(OrderStatus::Shipped)
        );
        assert_eq!(
            status("Z777777V", "EN ENTREGA", "En reparto"),
            Some(OrderStatus::OutForDelivery)
        );
        assert_eq!(
            status("Z777777V", "ENTREGADO", "Entregado"),
            Some(OrderStatus::Delivered)
        );
        assert_eq!(
            status("Z777777V", "ENTREGADO", "Devuelto al remitente"),
            Some(OrderStatus::Returned)
        );
        assert_eq!(status("Z777777V", "EN ENTREGA", "En oficina"), None);
        assert_eq!(status("Z777777V", "", ""), None);
    }

    #[test]
    fn what_waits_at_the_office_is_ready_for_pickup_with_or_without_accents() {
        for text in [
            "A disposición del destinatario",
            "A DISPOSICIO\u{301}N DEL DESTINATARIO en la oficina",
        ] {
            let meaning = read(None, Some("EN ENTREGA"), Some(text)).unwrap();
            assert_eq!(meaning.detail, Some(TrackingDetail::ReadyForPickup), "{text}");
        }
    }

    #[test]
    fn a_doubtful_code_never_ends_an_order_alone() {
        for code in DOUBTFUL {
            assert_eq!(status(code, "", ""), None, "{code}");
            assert_eq!(status(code, "ENTREGADO", ""), None, "{code}");
        }
        assert_eq!(
            status("ADV0000V", "ENTREGADO", "Devuelto al remitente"),
            Some(OrderStatus::Returned)
        );
        assert_eq!(status("A170000V", "PRE-ADMISIÓN", "Prerregistrado"), None);
    }

    #[test]
    fn an_attempt_is_a_return_where_the_words_say_so() {
        assert_eq!(
            status("X090100R", "EN ENTREGA", "Ausente"),
            Some(OrderStatus::Exception)
        );
        assert_eq!(status("X090060R", "", "En devolución"), Some(OrderStatus::Returned));
    }
}
