//! Numbers of parcels, in the form of each carrier, all made up.

use domain::Carrier;

/// A number of that carrier's form.
#[must_use]
pub fn number(carrier: Carrier, chance: &mut fastrand::Rng) -> String {
    let mut digits = |count: usize| -> String { (0..count).map(|_| char::from(b'0' + chance.u8(0..10))).collect() };
    match carrier {
        Carrier::Fedex => format!("7946{}", digits(8)),
        Carrier::Ups => with_ups_check(&format!("1Z999AA1{}", digits(9))),
        Carrier::Dhl => format!("98{}", digits(8)),
        Carrier::Correos => format!("PQ7SHOP4{}", digits(13)),
        Carrier::CorreosExpress => format!("323000{}", digits(10)),
        Carrier::RoyalMail => with_postal_check("QK", &digits(8), "GB"),
        Carrier::Dpd => format!("0944{}", digits(10)),
        Carrier::Easypost => format!("EZ{}", digits(10)),
        Carrier::Aftership => format!("77{}", digits(10)),
        Carrier::Shippo => format!("920559{}", digits(20)),
    }
}

/// `1Z`, fifteen characters, and the digit that brings the weighted sum to a multiple of ten.
fn with_ups_check(number: &str) -> String {
    let body = number.strip_prefix("1Z").unwrap_or(number);
    let sum: u32 = body
        .bytes()
        .zip([1, 2].into_iter().cycle())
        .map(|(c, weight)| {
            let value = if c.is_ascii_digit() { c - b'0' } else { (c - 63) % 10 };
            u32::from(value) * weight
        })
        .sum();
    format!("{number}{}", (10 - sum % 10) % 10)
}

/// UPU standard S10: eight digits and their check digit modulo eleven.
fn with_postal_check(service: &str, serial: &str, country: &str) -> String {
    let sum: u32 = serial
        .bytes()
        .zip([8, 6, 4, 2, 3, 5, 9, 7])
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    let check = match 11 - sum % 11 {
        10 => 0,
        11 => 5,
        other => other,
    };
    format!("{service}{serial}{check}{country}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_tells_its_carrier_tells_the_right_one() {
        let mut chance = fastrand::Rng::with_seed(1);
        for carrier in [Carrier::Ups, Carrier::RoyalMail] {
            for _ in 0..50 {
                assert_eq!(carriers::carrier_of(None, &number(carrier, &mut chance)), Some(carrier));
            }
        }
    }

    #[test]
    fn every_number_is_one() {
        let mut chance = fastrand::Rng::with_seed(2);
        for carrier in Carrier::ALL {
            let number = number(carrier, &mut chance);
            assert!(domain::TrackingNumber::try_from(number.as_str()).is_ok(), "{number}");
        }
    }
}
