//! The public page on which a customer follows a parcel.

use domain::Carrier;

/// A carrier whose page we know.
struct Page {
    /// The carrier.
    carrier: Carrier,
    /// As customers know it.
    name: &'static str,
    /// The page's address up to the number.
    page: &'static str,
    /// How publishers write the name, in small letters and digits alone.
    spellings: &'static [&'static str],
}

const FEDEX: Page = Page {
    carrier: Carrier::Fedex,
    name: "FedEx",
    page: "https://www.fedex.com/fedextrack/?trknbr=",
    spellings: &[
        "fedex",
        "federalexpress",
        "fedexexpress",
        "fedexground",
        "fedexhomedelivery",
    ],
};

const UPS: Page = Page {
    carrier: Carrier::Ups,
    name: "UPS",
    page: "https://www.ups.com/track?loc=en_US&tracknum=",
    spellings: &["ups", "unitedparcelservice", "upsstandard", "upsexpress"],
};

const DHL: Page = Page {
    carrier: Carrier::Dhl,
    name: "DHL",
    page: "https://www.dhl.com/global-en/home/tracking/tracking-parcel.html?submit=1&tracking-id=",
    spellings: &[
        "dhl",
        "dhlexpress",
        "dhlecommerce",
        "dhlpaket",
        "dhlparcel",
        "deutschepostdhl",
    ],
};

const CORREOS: Page = Page {
    carrier: Carrier::Correos,
    name: "Correos",
    page: "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number=",
    spellings: &[
        "correos",
        "correosespana",
        "correosespaña",
        "correosdeespana",
        "correosdeespaña",
    ],
};

const CORREOS_EXPRESS: Page = Page {
    carrier: Carrier::CorreosExpress,
    name: "Correos Express",
    page: "https://s.correosexpress.com/c?n=",
    spellings: &["correosexpress", "correosexpres", "cex"],
};

const ROYAL_MAIL: Page = Page {
    carrier: Carrier::RoyalMail,
    name: "Royal Mail",
    page: "https://www.royalmail.com/track-your-item#/tracking-results/",
    spellings: &["royalmail", "royalmailgroup"],
};

const DPD: Page = Page {
    carrier: Carrier::Dpd,
    name: "DPD",
    page: "https://tracking.dpd.de/status/en_US/parcel/",
    spellings: &["dpd", "dpdde", "dpdgermany", "dpdgroup"],
};

const PAGES: [&Page; 7] = [&FEDEX, &UPS, &DHL, &CORREOS, &CORREOS_EXPRESS, &ROYAL_MAIL, &DPD];

/// The https address of the carrier's public page for this number.
///
/// The carrier's name may be in any case and common spelling; blanks in the number do not count. Without a carrier
/// the number itself must tell it beyond doubt: a UPS number (`1Z…`) or a postal one of Spain or the United Kingdom
/// (UPU S10), each with its check digit right. Everything else has no page.
///
/// ```
/// assert_eq!(
///     carriers::tracking_page(Some("dpd"), "0998 0525 8832 08").as_deref(),
///     Some("https://tracking.dpd.de/status/en_US/parcel/09980525883208"),
/// );
/// ```
#[must_use]
pub fn tracking_page(carrier: Option<&str>, tracking_number: &str) -> Option<String> {
    let number: String = tracking_number.chars().filter(|c| !c.is_whitespace()).collect();
    if number.is_empty() {
        return None;
    }
    let page = page_of(carrier, &number)?;
    Some(format!("{}{}", page.page, percent_encoded(&number)))
}

/// The name that customers know, for a carrier's name in any case and common spelling.
#[must_use]
pub fn carrier_name(carrier: &str) -> Option<&'static str> {
    named(carrier).map(|carrier| carrier.name)
}

/// The carrier of that name in any case and common spelling, or else the one whose number this is beyond doubt.
#[must_use]
pub fn carrier_of(carrier: Option<&str>, tracking_number: &str) -> Option<Carrier> {
    page_of(carrier, tracking_number).map(|page| page.carrier)
}

fn page_of(carrier: Option<&str>, tracking_number: &str) -> Option<&'static Page> {
    match carrier.map(str::trim).filter(|name| !name.is_empty()) {
        Some(name) => named(name),
        None => told_by(tracking_number),
    }
}

fn named(name: &str) -> Option<&'static Page> {
    let spelling: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    PAGES
        .into_iter()
        .find(|carrier| carrier.spellings.contains(&spelling.as_str()))
}

/// The carrier whose number this is beyond doubt.
fn told_by(number: &str) -> Option<&'static Page> {
    let number = number.to_ascii_uppercase();
    if is_ups(&number) {
        return Some(&UPS);
    }
    match s10_country(&number)? {
        "ES" => Some(&CORREOS),
        "GB" => Some(&ROYAL_MAIL),
        _ => None,
    }
}

/// `1Z`, fifteen letters or digits, and a digit that brings the weighted sum to a multiple of ten. A letter counts as
/// its place in the alphabet plus one, modulo ten; every second character counts twice.
fn is_ups(number: &str) -> bool {
    let Some([body @ .., check]) = number.strip_prefix("1Z").map(str::as_bytes) else {
        return false;
    };
    if body.len() != 15 || !body.iter().all(u8::is_ascii_alphanumeric) || !check.is_ascii_digit() {
        return false;
    }
    let sum: u32 = body
        .iter()
        .zip([1, 2].into_iter().cycle())
        .map(|(c, weight)| {
            let value = if c.is_ascii_digit() { c - b'0' } else { (c - 63) % 10 };
            u32::from(value) * weight
        })
        .sum();
    (sum + u32::from(check - b'0')).is_multiple_of(10)
}

/// The country at the end of a postal number: two letters, eight digits, a check digit modulo eleven, two letters
/// (UPU standard S10).
fn s10_country(number: &str) -> Option<&str> {
    let bytes = number.as_bytes();
    let (service, rest) = bytes.split_at_checked(2)?;
    let (serial, rest) = rest.split_at_checked(8)?;
    let [check, a, b] = rest else { return None };
    let letters = service.iter().chain([a, b]).all(u8::is_ascii_uppercase);
    if !letters || !check.is_ascii_digit() || !serial.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let sum: u32 = serial
        .iter()
        .zip([8, 6, 4, 2, 3, 5, 9, 7])
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    let expected = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        other => other,
    };
    (expected == u32::from(check - b'0')).then(|| number.get(11..))?
}

/// Letters, digits and `-._~` as they are, every other byte as `%XX` (RFC 3986, section 2.3).
pub(crate) fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(carrier: &str, number: &str) -> String {
        tracking_page(Some(carrier), number).unwrap_or_default()
    }

    #[test]
    fn every_carrier_has_its_page() {
        assert_eq!(
            page("fedex", "986578788855"),
            "https://www.fedex.com/fedextrack/?trknbr=986578788855"
        );
        assert_eq!(
            page("ups", "1Z5R89390357567127"),
            "https://www.ups.com/track?loc=en_US&tracknum=1Z5R89390357567127"
        );
        assert_eq!(
            page("dhl", "3318810025"),
            "https://www.dhl.com/global-en/home/tracking/tracking-parcel.html?submit=1&tracking-id=3318810025"
        );
        assert_eq!(
            page("correos", "RR123456785ES"),
            "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number=RR123456785ES"
        );
        assert_eq!(
            page("correosexpress", "3230000000000001"),
            "https://s.correosexpress.com/c?n=3230000000000001"
        );
        assert_eq!(
            page("royalmail", "RB123456785GB"),
            "https://www.royalmail.com/track-your-item#/tracking-results/RB123456785GB"
        );
        assert_eq!(
            page("dpd", "09980525883208"),
            "https://tracking.dpd.de/status/en_US/parcel/09980525883208"
        );
    }

    #[test]
    fn a_carrier_is_known_in_any_case_and_spelling() {
        for (spelling, name) in [
            ("FEDEX", "FedEx"),
            ("Fed-Ex", "FedEx"),
            (" UPS ", "UPS"),
            ("DHL Express", "DHL"),
            ("Correos", "Correos"),
            ("correos_express", "Correos Express"),
            ("Royal Mail", "Royal Mail"),
            ("DPD", "DPD"),
        ] {
            assert_eq!(carrier_name(spelling), Some(name), "{spelling}");
        }
        assert_eq!(carrier_name("Seur"), None);
    }

    #[test]
    fn blanks_in_a_number_do_not_count() {
        assert_eq!(
            page("UPS", " 1Z5R 8939 0357 567127 "),
            page("UPS", "1Z5R89390357567127")
        );
    }

    #[test]
    fn a_number_cannot_leave_its_place_in_the_address() {
        assert_eq!(
            page("dpd", "../?x=\"><script>&#"),
            "https://tracking.dpd.de/status/en_US/parcel/..%2F%3Fx%3D%22%3E%3Cscript%3E%26%23"
        );
    }

    #[test]
    fn an_unknown_carrier_has_no_page_even_for_a_number_that_looks_like_ups() {
        assert_eq!(tracking_page(Some("Seur"), "1Z5R89390357567127"), None);
    }

    #[test]
    fn a_blank_number_has_no_page() {
        assert_eq!(tracking_page(Some("UPS"), " \t "), None);
    }

    #[test]
    fn without_a_carrier_a_ups_number_is_known_by_its_check_digit() {
        assert_eq!(
            tracking_page(None, "1z5r89390357567127").as_deref(),
            Some("https://www.ups.com/track?loc=en_US&tracknum=1z5r89390357567127")
        );
        assert_eq!(tracking_page(None, "1Z5R89390357567128"), None);
    }

    #[test]
    fn without_a_carrier_a_postal_number_is_known_by_its_country_and_check_digit() {
        assert_eq!(
            tracking_page(Some(" "), "RB123456785GB").as_deref(),
            Some("https://www.royalmail.com/track-your-item#/tracking-results/RB123456785GB")
        );
        assert!(tracking_page(None, "RR123456785ES").is_some_and(|page| page.contains("correos.es")));
        assert_eq!(tracking_page(None, "RB123456784GB"), None);
        assert_eq!(tracking_page(None, "RB123456785US"), None);
    }

    #[test]
    fn without_a_carrier_a_plain_number_has_no_page() {
        for number in ["986578788855", "3318810025", "1Z", "é1Z", "RB12345678", "RB1234567é5GB"] {
            assert_eq!(tracking_page(None, number), None, "{number}");
        }
    }
}
