//! Money and quantities as the customer's language writes them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use domain::{Currency, Language, Money};
use icu::decimal::{DecimalFormatter, input::Decimal as Digits};
use icu::experimental::dimension::currency::{CurrencyType, formatter::CurrencyFormatter};
use rust_decimal::Decimal;

use crate::locale::{PerLanguage, locale_of};

/// What formats amounts of one currency in one language; nothing where ICU has no such format.
type Format = Option<Rc<CurrencyFormatter<DecimalFormatter>>>;

/// A publisher can name 17,576 currencies; a shop uses few.
const MOST_FORMATS: usize = 64;

thread_local! {
    static FORMATS: RefCell<HashMap<(Language, Currency), Format>> = RefCell::default();
    static NUMBERS: PerLanguage<DecimalFormatter> = PerLanguage::default();
}

/// An amount with the symbol where the language puts it and the decimals that the currency has.
pub(crate) fn money(language: Language, money: Money) -> String {
    let formatted = digits(money.amount).and_then(|amount| {
        Some(
            format_of(language, money.currency)?
                .format_fixed_decimal(&amount)
                .to_string(),
        )
    });
    formatted.unwrap_or_else(|| format!("{} {}", money.amount, money.currency.code()))
}

fn format_of(language: Language, currency: Currency) -> Format {
    let make = || {
        let currency = CurrencyType::try_from_str(currency.code()).ok()?;
        CurrencyFormatter::try_new_symbol(locale_of(language).into(), currency, Default::default())
            .ok()
            .map(Rc::new)
    };
    FORMATS.with(|formats| {
        let mut formats = formats.borrow_mut();
        if formats.len() >= MOST_FORMATS {
            formats.clear();
        }
        formats.entry((language, currency)).or_insert_with(make).clone()
    })
}

/// A number of pieces, or a weight, without needless zeros.
pub(crate) fn quantity(language: Language, quantity: Decimal) -> String {
    let formatted = digits(quantity.normalize()).and_then(|number| {
        PerLanguage::with(
            &NUMBERS,
            language,
            || DecimalFormatter::try_new(locale_of(language).into(), Default::default()).ok(),
            |format| format.format_to_string(&number),
        )
    });
    formatted.unwrap_or_else(|| quantity.to_string())
}

fn digits(number: Decimal) -> Option<Digits> {
    Digits::try_from_str(&number.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(language: Language, amount: &str, currency: &str) -> String {
        money(
            language,
            Money {
                amount: amount.parse().unwrap(),
                currency: Currency::try_from(currency).unwrap(),
            },
        )
    }

    #[test]
    fn the_symbol_stands_where_the_language_puts_it() {
        assert_eq!(shown(Language::En, "86.5", "EUR"), "€86.50");
        assert_eq!(shown(Language::Es, "86.5", "EUR"), "86,50\u{a0}€");
        assert_eq!(shown(Language::Ro, "86.5", "RON"), "86,50\u{a0}RON");
        assert_eq!(shown(Language::Ru, "86.5", "RUB"), "86,50\u{a0}₽");
    }

    #[test]
    fn a_currency_has_its_own_decimals() {
        assert_eq!(shown(Language::En, "1200", "JPY"), "JP¥1,200");
        assert_eq!(shown(Language::En, "12.3456", "KWD"), "KWD\u{a0}12.346");
        assert_eq!(shown(Language::Es, "12345.6", "USD"), "12.345,60\u{a0}US$");
    }

    #[test]
    fn an_unknown_currency_shows_its_code() {
        assert_eq!(shown(Language::En, "5", "ZZZ"), "ZZZ\u{a0}5.00");
    }

    #[test]
    fn a_refund_keeps_its_sign() {
        assert_eq!(shown(Language::En, "-5", "GBP"), "-£5.00");
    }

    #[test]
    fn a_quantity_has_no_needless_zeros() {
        assert_eq!(quantity(Language::Es, "1.50".parse().unwrap()), "1,5");
        assert_eq!(quantity(Language::En, "2.000".parse().unwrap()), "2");
    }
}
