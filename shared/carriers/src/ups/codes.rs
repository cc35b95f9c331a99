//! What UPS' codes mean: description codes first, then the two letters under a type, then the type alone.

use domain::OrderStatus;

use crate::code_table::{Meaning, Row, meaning};

/// Status and description codes, of three digits (UPS, Tracking API, appendix).
const DESCRIPTIONS: &[Row] = &[
    Row(
        Meaning::of(OrderStatus::Processing),
        &[
            "003", "044", "045", "065", "077", "079", "080", "131", "135", "157", "166",
        ],
    ),
    Row(
        Meaning::of(OrderStatus::Shipped),
        &[
            "005", "010", "012", "014", "016", "025", "038", "039", "041", "042", "047", "057", "070", "071", "073",
            "074", "075", "084", "087", "092", "093", "094", "134", "137", "138", "158", "159", "160", "164", "165",
            "167", "168", "169",
        ],
    ),
    Row(
        Meaning::of(OrderStatus::OutForDelivery),
        &["006", "021", "037", "072", "078", "089", "091", "146", "162"],
    ),
    Row(
        Meaning::READY_FOR_PICKUP,
        &["017", "040", "100", "106", "108", "143", "144", "161"],
    ),
    Row(Meaning::of(OrderStatus::Delivered), &["011", "026"]),
    Row(
        Meaning::of(OrderStatus::Delayed),
        &[
            "019", "032", "046", "048", "051", "052", "053", "055", "083", "086", "090", "115", "123", "126", "132",
            "136",
        ],
    ),
    Row(
        Meaning::ATTEMPT_FAILED,
        &["022", "023", "024", "060", "061", "062", "066", "145"],
    ),
    Row(
        Meaning::of(OrderStatus::Exception),
        &[
            "013", "029", "030", "049", "050", "058", "059", "064", "068", "069", "076", "085", "124", "125", "139",
            "141", "147", "149",
        ],
    ),
    Row(
        Meaning::of(OrderStatus::Returned),
        &["034", "035", "036", "067", "081", "118"],
    ),
    Row(Meaning::of(OrderStatus::Cancelled), &["007"]),
    // Requests, claims, updates, and what says nothing.
    Row(
        Meaning::NO_CHANGE,
        &[
            "000", "018", "020", "027", "028", "033", "043", "054", "056", "063", "082", "088", "095", "096", "097",
            "098", "099", "101", "102", "103", "104", "105", "107", "109", "110", "111", "112", "113", "114", "116",
            "117", "119", "120", "121", "122", "127", "128", "129", "130", "133", "140", "142", "148", "153", "154",
            "155", "156", "163",
        ],
    ),
];

/// Two-letter codes under type X. `DL` is a return here, not a delivery.
const EXCEPTIONS: &[Row] = &[
    Row(
        Meaning::of(OrderStatus::Delayed),
        &[
            "DJ", "3", "4", "6", "7", "8", "15", "16", "17", "18", "19", "22", "23", "31", "34", "68", "87", "1B",
            "1E", "1K", "1L", "1O", "HA", "HH", "EX",
        ],
    ),
    Row(Meaning::ATTEMPT_FAILED, &["48", "49", "51", "52", "55"]),
    Row(
        Meaning::of(OrderStatus::Exception),
        &["47", "45", "67", "HE", "29", "40", "43", "71"],
    ),
    Row(
        Meaning::of(OrderStatus::Returned),
        &["DL", "3N", "4R", "4S", "8H", "90", "H8", "65", "CS"],
    ),
    Row(Meaning::of(OrderStatus::Cancelled), &["30", "VP"]),
    // On the way to where it will be held, and released by customs: type X can be good news.
    Row(
        Meaning::of(OrderStatus::Shipped),
        &["39", "54", "89", "SR", "1M", "37", "63", "76", "77", "78", "79"],
    ),
];

/// Types, where no code decides. Type D is more than a table.
const TYPES: &[Row] = &[
    Row(Meaning::of(OrderStatus::Processing), &["M"]),
    Row(Meaning::of(OrderStatus::Cancelled), &["MV"]),
    Row(Meaning::of(OrderStatus::Shipped), &["P", "I", "DO", "DD"]),
    Row(Meaning::of(OrderStatus::OutForDelivery), &["O"]),
    Row(Meaning::of(OrderStatus::Exception), &["X"]),
    Row(Meaning::of(OrderStatus::Returned), &["RS"]),
    Row(Meaning::NO_CHANGE, &["U", "UP", "UT", "PX", "W", "NA"]),
];

/// What an activity says of itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Said {
    /// Its type: one or two letters.
    pub(super) kind: Option<String>,
    /// Two letters or digits.
    pub(super) code: Option<String>,
    /// Three digits, with their leading zeros.
    pub(super) description: Option<String>,
    /// UPS' words.
    pub(super) words: Option<String>,
    /// Whether the day of delivery stands beside it.
    pub(super) has_delivery_date: bool,
}

impl Said {
    /// What it makes of the parcel; nothing where neither its codes nor its type are known.
    pub(super) fn meaning(&self) -> Option<Meaning> {
        let by_description = self.description.as_deref().and_then(|code| meaning(DESCRIPTIONS, code));
        by_description.or_else(|| match self.kind.as_deref()? {
            "X" => self.code.as_deref().and_then(exception).or_else(|| meaning(TYPES, "X")),
            "D" => Some(self.delivery()),
            kind => meaning(TYPES, kind),
        })
    }

    /// Type D is said of loaded, out for delivery and delivered parcels alike.
    fn delivery(&self) -> Meaning {
        let words = self.words.as_deref().unwrap_or_default().to_ascii_lowercase();
        match words.starts_with("delivered") && self.has_delivery_date {
            true => Meaning::of(OrderStatus::Delivered),
            false => Meaning::of(OrderStatus::OutForDelivery),
        }
    }

    /// `OT/021`, or the part of it that there is.
    pub(super) fn code(&self) -> Option<String> {
        match (&self.code, &self.description) {
            (Some(code), Some(description)) => Some(format!("{code}/{description}")),
            (code, description) => code.as_ref().or(description.as_ref()).or(self.kind.as_ref()).cloned(),
        }
    }
}

fn exception(code: &str) -> Option<Meaning> {
    let code = code.to_ascii_uppercase();
    let digits = code.trim_start_matches('0');
    meaning(EXCEPTIONS, &code).or_else(|| meaning(EXCEPTIONS, digits))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code_table::doubled;
    use domain::TrackingDetail;

    fn status(kind: &str, code: &str, description: &str, words: &str) -> Option<OrderStatus> {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let said = Said {
            kind: some(kind),
            code: some(code),
            description: some(description),
            words: some(words),
            has_delivery_date: true,
        };
        said.meaning().and_then(|meaning| meaning.status)
    }

    #[test]
    fn no_code_stands_in_two_rows() {
        for table in [DESCRIPTIONS, EXCEPTIONS, TYPES] {
            assert_eq!(doubled(table), Vec::<&str>::new());
        }
    }

    #[test]
    fn the_description_code_decides_before_letters_and_type() {
        assert_eq!(status("X", "DL", "021", ""), Some(OrderStatus::OutForDelivery));
        assert_eq!(status("I", "OT", "021", ""), Some(OrderStatus::OutForDelivery));
    }

    #[test]
    fn letters_decide_under_type_x_alone() {
        assert_eq!(status("X", "DL", "", ""), Some(OrderStatus::Returned));
        assert_eq!(status("X", "SR", "777", ""), Some(OrderStatus::Shipped));
        assert_eq!(status("X", "03", "", ""), Some(OrderStatus::Delayed));
        assert_eq!(status("X", "ZZ", "", ""), Some(OrderStatus::Exception));
        assert_eq!(status("I", "DL", "", ""), Some(OrderStatus::Shipped));
    }

    #[test]
    fn type_d_without_its_code_is_delivered_only_where_the_words_say_so() {
        assert_eq!(status("D", "FS", "", "DELIVERED"), Some(OrderStatus::Delivered));
        assert_eq!(
            status("D", "", "", "Loaded on Delivery Vehicle"),
            Some(OrderStatus::OutForDelivery)
        );
        assert_eq!(
            status("D", "", "", "Not yet delivered"),
            Some(OrderStatus::OutForDelivery)
        );
    }

    #[test]
    fn an_attempt_says_that_somebody_was_at_the_door() {
        let said = Said {
            description: Some("022".to_owned()),
            ..Said::default()
        };
        assert_eq!(
            said.meaning().and_then(|meaning| meaning.detail),
            Some(TrackingDetail::AttemptFailed)
        );
    }

    #[test]
    fn an_unknown_type_with_unknown_codes_means_nothing() {
        assert_eq!(status("ZZ", "Q9", "777", ""), None);
        assert_eq!(status("", "", "", ""), None);
    }
}
