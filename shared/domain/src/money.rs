//! Money: a decimal amount and its own currency, never a float.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount of money in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// The amount, in units of the currency (12.50 means twelve and a half).
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

/// A currency by its ISO 4217 code: three ASCII capitals.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// An amount or a currency that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidMoney {
    /// Not a decimal number within reason.
    #[error(
        "expected an amount such as 89.99, as a number or a string, below a thousand billion and with at most 6 decimals"
    )]
    Amount,
    /// Not an ISO 4217 code.
    #[error("expected an ISO 4217 code of three letters such as EUR")]
    Currency,
}

impl Money {
    /// Amounts from here on are refused: no order costs a thousand billion, and a number of a million digits is an attack.
    const LIMIT: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

    /// Reads an amount as the publisher wrote it: `89.99`, `"89.99"`, `1e2`. Equal amounts read equal: `3.50` as `3.5`.
    ///
    /// # Errors
    ///
    /// [`InvalidMoney::Amount`] when it is no number, is out of range, or has more than 6 decimals.
    pub fn read_amount(text: &str) -> Result<Decimal, InvalidMoney> {
        let text = text.trim();
        // The parser would take 1_000 as well, which publishers do not mean.
        if text.len() > 40 || text.contains('_') {
            return Err(InvalidMoney::Amount);
        }
        let amount = Decimal::from_str_exact(text)
            .or_else(|_not_plain| Decimal::from_scientific(text))
            .map_err(|_not_a_number| InvalidMoney::Amount)?
            .normalize();
        if amount.abs() >= Self::LIMIT || amount.scale() > 6 {
            return Err(InvalidMoney::Amount);
        }
        Ok(amount)
    }
}

impl Currency {
    /// The ISO 4217 code.
    #[must_use]
    pub fn code(&self) -> &str {
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl TryFrom<&str> for Currency {
    type Error = InvalidMoney;

    fn try_from(text: &str) -> Result<Self, InvalidMoney> {
        match text.trim().as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|letter| letter.is_ascii_alphabetic()) => Ok(Self([
                a.to_ascii_uppercase(),
                b.to_ascii_uppercase(),
                c.to_ascii_uppercase(),
            ])),
            _ => Err(InvalidMoney::Currency),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = InvalidMoney;

    fn try_from(text: String) -> Result<Self, InvalidMoney> {
        Self::try_from(text.as_str())
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_amount_keeps_every_cent() {
        assert_eq!(
            Money::read_amount("0.1").unwrap() + Money::read_amount("0.2").unwrap(),
            Money::read_amount("0.3").unwrap()
        );
        assert_eq!(Money::read_amount("89.90").unwrap().to_string(), "89.9");
        assert_eq!(Money::read_amount("1e2").unwrap(), Decimal::ONE_HUNDRED);
    }

    #[test]
    fn a_huge_or_senseless_amount_is_refused() {
        for text in [
            "",
            "ten",
            "1e400",
            "999999999999999999999999999999",
            "1000000000000",
            "0.12345678",
            "NaN",
            "0x10",
            "1_000",
        ] {
            assert_eq!(Money::read_amount(text), Err(InvalidMoney::Amount), "{text}");
        }
        assert!(Money::read_amount("999999999999.99").is_ok());
    }

    #[test]
    fn a_currency_is_three_letters() {
        assert_eq!(Currency::try_from("eur").unwrap().code(), "EUR");
        assert_eq!(Currency::try_from("€"), Err(InvalidMoney::Currency));
    }

    proptest! {
        #[test]
        fn cents_survive_reading(cents in 0_i64..100_000_000_000_000) {
            let text = format!("{}.{:02}", cents / 100, cents % 100);
            prop_assert_eq!(Money::read_amount(&text), Ok(Decimal::new(cents, 2).normalize()));
        }
    }
}
