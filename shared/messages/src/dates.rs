//! Days and times as the customer's language writes them.

use domain::Language;
use icu::calendar::{Date, Gregorian};
use icu::datetime::{
    FixedCalendarDateTimeFormatter, NoCalendarFormatter,
    fieldsets::{MDE, MDET, T, YM, YMD, zone::LocalizedOffsetShort},
    input::{DateTime, Time, UtcOffset},
};
use jiff::{Zoned, civil};

use crate::locale::{PerLanguage, locale_of};

thread_local! {
    static DAY: PerLanguage<FixedCalendarDateTimeFormatter<Gregorian, MDE>> = PerLanguage::default();
    static SHORT_DAY: PerLanguage<FixedCalendarDateTimeFormatter<Gregorian, MDE>> = PerLanguage::default();
    static DATE: PerLanguage<FixedCalendarDateTimeFormatter<Gregorian, YMD>> = PerLanguage::default();
    static MONTH: PerLanguage<FixedCalendarDateTimeFormatter<Gregorian, YM>> = PerLanguage::default();
    static MOMENT: PerLanguage<FixedCalendarDateTimeFormatter<Gregorian, MDET>> = PerLanguage::default();
    static SHORT_MOMENT: PerLanguage<FixedCalendarDateTimeFormatter<Gregorian, MDET>> = PerLanguage::default();
    static TIME: PerLanguage<NoCalendarFormatter<T>> = PerLanguage::default();
    static OFFSET: PerLanguage<NoCalendarFormatter<LocalizedOffsetShort>> = PerLanguage::default();
}

/// "Friday 27 November".
pub(crate) fn day(language: Language, date: civil::Date) -> String {
    in_words(date, |day| {
        PerLanguage::with(
            &DAY,
            language,
            || FixedCalendarDateTimeFormatter::try_new(locale_of(language).into(), MDE::long()).ok(),
            |words| words.format(&day).to_string(),
        )
    })
}

/// "Fri 27 Nov", for where every letter counts.
pub(crate) fn short_day(language: Language, date: civil::Date) -> String {
    in_words(date, |day| {
        PerLanguage::with(
            &SHORT_DAY,
            language,
            || FixedCalendarDateTimeFormatter::try_new(locale_of(language).into(), MDE::medium()).ok(),
            |words| words.format(&day).to_string(),
        )
    })
}

/// "27 November 2026".
pub(crate) fn date(language: Language, date: civil::Date) -> String {
    in_words(date, |day| {
        PerLanguage::with(
            &DATE,
            language,
            || FixedCalendarDateTimeFormatter::try_new(locale_of(language).into(), YMD::long()).ok(),
            |words| words.format(&day).to_string(),
        )
    })
}

/// "November 2026" for `2026-11`; nothing for any other text.
pub(crate) fn month(language: Language, text: &str) -> Option<String> {
    let (year, month) = text.trim().split_once('-')?;
    if year.len() != 4 || month.len() != 2 {
        return None;
    }
    let first = civil::Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok()?;
    PerLanguage::with(
        &MONTH,
        language,
        || FixedCalendarDateTimeFormatter::try_new(locale_of(language).into(), YM::long()).ok(),
        |words| Some(words.format(&gregorian(first)?).to_string()),
    )?
}

/// "Friday 27 November at 22:00".
pub(crate) fn moment(language: Language, at: &Zoned) -> String {
    let words = local(at).and_then(|local| {
        PerLanguage::with(
            &MOMENT,
            language,
            || FixedCalendarDateTimeFormatter::try_new(locale_of(language).into(), MDE::long().with_time_hm()).ok(),
            |words| words.format(&local).to_string(),
        )
    });
    words.unwrap_or_else(|| at.datetime().to_string())
}

/// "Fri 27 Nov, 22:00", for where every letter counts.
pub(crate) fn short_moment(language: Language, at: &Zoned) -> String {
    let words = local(at).and_then(|local| {
        PerLanguage::with(
            &SHORT_MOMENT,
            language,
            || FixedCalendarDateTimeFormatter::try_new(locale_of(language).into(), MDE::medium().with_time_hm()).ok(),
            |words| words.format(&local).to_string(),
        )
    });
    words.unwrap_or_else(|| at.datetime().to_string())
}

/// "22:00".
pub(crate) fn time(language: Language, at: &Zoned) -> String {
    let words = local(at).and_then(|local| {
        PerLanguage::with(
            &TIME,
            language,
            || NoCalendarFormatter::try_new(locale_of(language).into(), T::hm()).ok(),
            |words| words.format(&local.time).to_string(),
        )
    });
    words.unwrap_or_else(|| at.time().to_string())
}

/// "GMT+1".
pub(crate) fn offset(language: Language, at: &Zoned) -> String {
    let words = UtcOffset::try_from_seconds(at.offset().seconds())
        .ok()
        .and_then(|offset| {
            PerLanguage::with(
                &OFFSET,
                language,
                || NoCalendarFormatter::try_new(locale_of(language).into(), LocalizedOffsetShort).ok(),
                |words| words.format(&offset).to_string(),
            )
        });
    words.unwrap_or_else(|| at.offset().to_string())
}

fn in_words(date: civil::Date, words: impl FnOnce(Date<Gregorian>) -> Option<String>) -> String {
    gregorian(date).and_then(words).unwrap_or_else(|| date.to_string())
}

fn gregorian(date: civil::Date) -> Option<Date<Gregorian>> {
    let month = u8::try_from(date.month()).ok()?;
    let day = u8::try_from(date.day()).ok()?;
    Date::try_new_gregorian(i32::from(date.year()), month, day).ok()
}

fn local(at: &Zoned) -> Option<DateTime<Gregorian>> {
    let part = |part: i8| u8::try_from(part).ok();
    Some(DateTime {
        date: gregorian(at.date())?,
        time: Time::try_new(part(at.hour())?, part(at.minute())?, part(at.second())?, 0).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Language; 4] = [Language::En, Language::Es, Language::Ro, Language::Ru];

    #[test]
    fn a_day_is_written_in_words() {
        let friday = civil::date(2026, 11, 27);
        assert_eq!(
            ALL.map(|language| day(language, friday)),
            [
                "Friday 27 November",
                "viernes, 27 de noviembre",
                "vineri, 27 noiembrie",
                "пятница, 27 ноября"
            ]
        );
        assert_eq!(
            ALL.map(|language| short_day(language, friday)),
            ["Fri 27 Nov", "vie, 27 nov", "vin., 27 nov.", "пт, 27 нояб."]
        );
        assert_eq!(
            ALL.map(|language| date(language, friday)),
            [
                "27 November 2026",
                "27 de noviembre de 2026",
                "27 noiembrie 2026",
                "27 ноября 2026\u{202f}г."
            ]
        );
    }

    #[test]
    fn a_moment_is_written_in_the_customers_zone() {
        let at: jiff::Timestamp = "2026-11-27T21:30:00Z".parse().unwrap();
        let at = at.in_tz("Europe/Bucharest").unwrap();
        assert_eq!(
            ALL.map(|language| moment(language, &at)),
            [
                "Friday 27 November at 23:30",
                "viernes, 27 de noviembre a las 23:30",
                "vineri, 27 noiembrie la 23:30",
                "пятница, 27 ноября в 23:30"
            ]
        );
        assert_eq!(short_moment(Language::En, &at), "Fri 27 Nov, 23:30");
        assert_eq!(time(Language::Ru, &at), "23:30");
        assert_eq!(ALL.map(|language| offset(language, &at)), ["GMT+2"; 4]);
    }

    #[test]
    fn a_month_is_written_in_words_and_anything_else_is_left_alone() {
        assert_eq!(month(Language::Ru, "2026-11").unwrap(), "ноябрь 2026\u{202f}г.");
        assert_eq!(month(Language::Es, "2026-11").unwrap(), "noviembre de 2026");
        for text in ["2026-13", "last week", "2026-11-27", "11-2026"] {
            assert_eq!(month(Language::En, text), None, "{text}");
        }
    }
}
