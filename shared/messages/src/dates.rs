//! Days as the customer's language writes them.

use domain::Language;
use icu::calendar::{Date, Gregorian};
use icu::datetime::{
    FixedCalendarDateTimeFormatter,
    fieldsets::{MDE, YMD},
};
use jiff::civil;

use crate::locale::locale_of;

/// "Friday, 27 November".
pub(crate) fn day(language: Language, date: civil::Date) -> String {
    gregorian(date)
        .and_then(|day| {
            let words = FixedCalendarDateTimeFormatter::try_new(locale_of(language).into(), MDE::long());
            Some(words.ok()?.format(&day).to_string())
        })
        .unwrap_or_else(|| date.to_string())
}

/// "Fri, 27 Nov", for where every letter counts.
pub(crate) fn short_day(language: Language, date: civil::Date) -> String {
    gregorian(date)
        .and_then(|day| {
            let words = FixedCalendarDateTimeFormatter::try_new(locale_of(language).into(), MDE::medium());
            Some(words.ok()?.format(&day).to_string())
        })
        .unwrap_or_else(|| date.to_string())
}

/// "27 November 2026".
pub(crate) fn date(language: Language, date: civil::Date) -> String {
    gregorian(date)
        .and_then(|day| {
            let words = FixedCalendarDateTimeFormatter::try_new(locale_of(language).into(), YMD::long());
            Some(words.ok()?.format(&day).to_string())
        })
        .unwrap_or_else(|| date.to_string())
}

fn gregorian(date: civil::Date) -> Option<Date<Gregorian>> {
    let month = u8::try_from(date.month()).ok()?;
    let day = u8::try_from(date.day()).ok()?;
    Date::try_new_gregorian(i32::from(date.year()), month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_written_in_words() {
        let friday = civil::date(2026, 11, 27);
        assert_eq!(day(Language::En, friday), "Friday 27 November");
        assert_eq!(day(Language::Es, friday), "viernes, 27 de noviembre");
        assert_eq!(short_day(Language::En, friday), "Fri 27 Nov");
        assert_eq!(short_day(Language::Es, friday), "vie, 27 nov");
        assert_eq!(date(Language::En, friday), "27 November 2026");
        assert_eq!(date(Language::Es, friday), "27 de noviembre de 2026");
    }
}
