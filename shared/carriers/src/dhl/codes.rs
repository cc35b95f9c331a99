//! What DHL's codes and words mean.

use domain::OrderStatus;

use crate::code_table::{Meaning, Row, meaning};

/// `statusCode` of the unified API.
const STATUS_CODES: &[Row] = &[
    Row(Meaning::of(OrderStatus::Processing), &["pre-transit"]),
    Row(Meaning::of(OrderStatus::Shipped), &["transit"]),
    Row(Meaning::of(OrderStatus::Delivered), &["delivered"]),
    Row(Meaning::of(OrderStatus::Exception), &["failure"]),
    Row(Meaning::NO_CHANGE, &["unknown"]),
];

/// Two-letter checkpoints of DHL Express, finer than the `statusCode` beside them.
const CHECKPOINTS: &[Row] = &[
    Row(
        Meaning::of(OrderStatus::Shipped),
        &[
            "PU", "SA", "AF", "AR", "DF", "PL", "AD", "BN", "BR", "CI", "CR", "CU", "FD", "IC", "SC", "SD", "TP", "TR",
        ],
    ),
    Row(Meaning::of(OrderStatus::OutForDelivery), &["WC"]),
    Row(Meaning::READY_FOR_PICKUP, &["CC"]),
    Row(Meaning::of(OrderStatus::Delivered), &["OK"]),
    Row(Meaning::of(OrderStatus::Delayed), &["CD", "UD", "OH", "MC", "MS", "MD"]),
    // Nobody home.
    Row(Meaning::ATTEMPT_FAILED, &["NH"]),
    Row(
        Meaning::of(OrderStatus::Exception),
        &["BA", "CA", "CM", "DM", "DS", "HP", "ND", "PD", "RD", "SS", "DD"],
    ),
    Row(Meaning::of(OrderStatus::Returned), &["RT"]),
    Row(Meaning::NO_CHANGE, &["CS", "RR"]),
];

/// Words about a way back, of any status.
const GOING_BACK: [&str; 11] = [
    "return to sender",
    "returned to sender",
    "returning to sender",
    "return to shipper",
    "returned to shipper",
    "return to consignor",
    "returned to consignor",
    "back to sender",
    "will be returned",
    "is being returned",
    "has been returned",
];

/// Words that make more of `transit`, the first that fits.
const ON_THE_WAY: &[Row] = &[
    Row(Meaning::of(OrderStatus::Delayed), &["on hold", "delay"]),
    Row(
        Meaning::READY_FOR_PICKUP,
        &[
            "awaiting consignee collection",
            "awaiting collection",
            "ready for pick-up",
            "ready for pickup",
            "ready for collection",
        ],
    ),
    Row(
        Meaning::of(OrderStatus::OutForDelivery),
        &[
            "out for delivery",
            "with delivering courier",
            "with delivery courier",
            "loaded onto delivery vehicle",
        ],
    ),
];

/// What a status of the unified API says.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// `statusCode`, in small letters.
    pub(super) status_code: Option<String>,
    /// The checkpoint of DHL Express, where `status` is one.
    pub(super) checkpoint: Option<String>,
    /// What happened, in DHL's words: `status`, `description` and `remark`, never `nextSteps`, which speaks of the future.
    pub(super) words: String,
}

impl Said {
    /// What it makes of the parcel; nothing where no table has its code.
    pub(super) fn meaning(&self) -> Option<Meaning> {
        if let Some(checkpoint) = &self.checkpoint {
            return meaning(CHECKPOINTS, checkpoint);
        }
        let code = self.status_code.as_deref()?;
        let plain = meaning(STATUS_CODES, code)?;
        let words = self.words.to_lowercase().replace("the ", "");
        let has = |mark: &&str| words.contains(*mark);
        Some(match plain.status {
            Some(OrderStatus::Delivered | OrderStatus::Exception) if GOING_BACK.iter().any(has) => {
                Meaning::of(OrderStatus::Returned)
            }
            Some(OrderStatus::Shipped) => ON_THE_WAY
                .iter()
                .find(|Row(_, marks)| marks.iter().any(has))
                .map_or(plain, |Row(finer, _)| *finer),
            _ => plain,
        })
    }

    /// The checkpoint, or else the `statusCode`.
    pub(super) fn code(&self) -> Option<&str> {
        self.checkpoint.as_deref().or(self.status_code.as_deref())
    }
}

/// Whether a `status` is a checkpoint of DHL Express: two capital letters, and no other division beside it.
pub(super) fn is_checkpoint(status: &str, service: Option<&str>) -> bool {
    let is_express = service.is_none_or(|service| service.to_ascii_lowercase().contains("express"));
    is_express && status.len() == 2 && status.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code_table::doubled;

    fn status(code: &str, checkpoint: Option<&str>, words: &str) -> Option<OrderStatus> {
        let said = Said {
            status_code: Some(code.to_owned()),
            checkpoint: checkpoint.map(str::to_owned),
            words: words.to_owned(),
        };
        said.meaning().and_then(|meaning| meaning.status)
    }

    #[test]
    fn no_code_stands_in_two_rows() {
        for table in [STATUS_CODES, CHECKPOINTS, ON_THE_WAY] {
            assert_eq!(doubled(table), Vec::<&str>::new());
        }
    }

    #[test]
    fn a_checkpoint_is_finer_than_the_status_code() {
        assert_eq!(status("transit", Some("WC"), ""), Some(OrderStatus::OutForDelivery));
        assert_eq!(status("transit", Some("CD"), ""), Some(OrderStatus::Delayed));
        assert_eq!(status("transit", Some("CS"), ""), None);
        assert_eq!(status("transit", Some("QQ"), ""), None);
    }

    #[test]
    fn words_tell_a_return_from_a_failure_and_from_a_delivery() {
        for words in [
            "RETURNED TO CONSIGNOR",
            "The shipment will be returned",
            "Delivered back to the sender",
        ] {
            assert_eq!(status("failure", None, words), Some(OrderStatus::Returned), "{words}");
            assert_eq!(status("delivered", None, words), Some(OrderStatus::Returned), "{words}");
        }
        assert_eq!(status("failure", None, "Refused"), Some(OrderStatus::Exception));
        assert_eq!(status("delivered", None, "Delivered"), Some(OrderStatus::Delivered));
    }

    #[test]
    fn words_make_more_of_transit() {
        for (words, expected) in [
            ("Out for Delivery", OrderStatus::OutForDelivery),
            (
                "The shipment has been loaded onto the delivery vehicle",
                OrderStatus::OutForDelivery,
            ),
            ("Ready for pick-up at the branch", OrderStatus::OutForDelivery),
            ("Shipment on hold", OrderStatus::Delayed),
            ("Delayed by weather", OrderStatus::Delayed),
            ("Processed", OrderStatus::Shipped),
        ] {
            assert_eq!(status("transit", None, words), Some(expected), "{words}");
        }
    }

    #[test]
    fn words_never_make_more_of_pre_transit_or_unknown() {
        assert_eq!(status("pre-transit", None, "DELIVERED"), Some(OrderStatus::Processing));
        assert_eq!(status("unknown", None, "Out for delivery"), None);
        assert_eq!(status("teleported", None, "Delivered"), None);
    }

    #[test]
    fn two_letters_are_a_checkpoint_of_express_alone() {
        assert!(is_checkpoint("WC", Some("express")) && is_checkpoint("WC", None));
        assert!(!is_checkpoint("ZU", Some("parcel-de")) && !is_checkpoint("Ok", None) && !is_checkpoint("OKK", None));
    }
}
