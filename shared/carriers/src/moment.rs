//! When something happened, as carriers write it.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::{Offset, TimeZone},
};

/// 2000-01-01 and 2100-01-01, in seconds: no parcel travels before or after, and a date out of them is a fault.
const READABLE: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// A moment, and whether it was partly guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The moment.
    pub(crate) at: Timestamp,
    /// Whether the carrier named no zone, or no readable time at all.
    pub(crate) is_assumed: bool,
}

impl Moment {
    /// When the message came, for what has no readable time.
    pub(crate) const fn arrival(now: Timestamp) -> Self {
        Self {
            at: now,
            is_assumed: true,
        }
    }

    fn new(at: Timestamp, is_assumed: bool) -> Option<Self> {
        READABLE.contains(&at.as_second()).then_some(Self { at, is_assumed })
    }

    /// ISO 8601. Without an offset, the clock on the wall of that country.
    pub(crate) fn iso(text: &str, country: Option<&str>) -> Option<Self> {
        match text.parse::<Timestamp>() {
            Ok(at) => Self::new(at, false),
            Err(_no_offset) => Self::on_a_wall(text.parse().ok()?, country),
        }
    }

    /// A time without a zone: that of the country, or UTC where it is unknown.
    pub(crate) fn on_a_wall(clock: DateTime, country: Option<&str>) -> Option<Self> {
        let zone = country
            .and_then(zone_of)
            .and_then(|name| TimeZone::get(name).ok())
            .unwrap_or(TimeZone::UTC);
        Self::new(clock.to_zoned(zone).ok()?.timestamp(), true)
    }

    /// A time of a zone that the carrier is known to use (a name of the IANA database).
    pub(crate) fn in_zone(clock: DateTime, zone: &str) -> Option<Self> {
        let zone = TimeZone::get(zone).ok()?;
        Self::new(clock.to_zoned(zone).ok()?.timestamp(), false)
    }

    /// A time with its distance from UTC.
    pub(crate) fn at_offset(clock: DateTime, offset: Offset) -> Option<Self> {
        Self::new(offset.to_timestamp(clock).ok()?, false)
    }
}

/// The moments of a history, the oldest first. One that cannot be read gets its older neighbour's, or else its newer one's: were it
/// taken for now, a line of the past would be the newest news.
pub(crate) fn in_order(moments: Vec<Option<Moment>>, now: Timestamp) -> Vec<Moment> {
    let oldest = moments.iter().flatten().next().map_or(now, |moment| moment.at);
    let mut last = Moment::arrival(oldest);
    moments
        .into_iter()
        .map(|moment| {
            let moment = moment.unwrap_or(Moment::arrival(last.at));
            last = moment;
            moment
        })
        .collect()
}

/// `YYYYMMDD` and `HHMMSS`, whose leading zeros may be lost.
pub(crate) fn compact(date: &str, time: &str) -> Option<DateTime> {
    let time = match (1..=6).contains(&time.len()) && time.bytes().all(|byte| byte.is_ascii_digit()) {
        true => format!("{time:0>6}"),
        false => return None,
    };
    let part = |from: usize| time.get(from..from + 2)?.parse::<i8>().ok();
    let (hour, minute, second) = (part(0)?, part(2)?, part(4)?);
    let clock = jiff::civil::Time::new(hour, minute, second, 0).ok()?;
    Some(compact_day(date)?.to_datetime(clock))
}

/// `YYYYMMDD`.
pub(crate) fn compact_day(text: &str) -> Option<Date> {
    if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let year = text.get(..4)?.parse().ok()?;
    let month = text.get(4..6)?.parse().ok()?;
    let day = text.get(6..)?.parse().ok()?;
    Date::new(year, month, day).ok()
}

/// The day of an ISO date or time, as it stands on the wall there.
pub(crate) fn iso_day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

/// `-04:00`, `-04.00` (UPS) or `-0400`.
pub(crate) fn offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits: String = rest.chars().filter(|c| !matches!(c, ':' | '.')).collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..)?.parse().ok()?;
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

/// The zone in which most people of a country live.
fn zone_of(country: &str) -> Option<&'static str> {
    let country = country.trim();
    ZONES
        .iter()
        .find(|(code, name, _)| country.eq_ignore_ascii_case(code) || country.eq_ignore_ascii_case(name))
        .map(|(_, _, zone)| *zone)
}

/// Countries to which parcels go most, by their codes (ISO 3166) and names.
const ZONES: [(&str, &str, &str); 60] = [
    ("AE", "United Arab Emirates", "Asia/Dubai"),
    ("AR", "Argentina", "America/Argentina/Buenos_Aires"),
    ("AT", "Austria", "Europe/Vienna"),
    ("AU", "Australia", "Australia/Sydney"),
    ("BE", "Belgium", "Europe/Brussels"),
    ("BG", "Bulgaria", "Europe/Sofia"),
    ("BR", "Brazil", "America/Sao_Paulo"),
    ("CA", "Canada", "America/Toronto"),
    ("CH", "Switzerland", "Europe/Zurich"),
    ("CL", "Chile", "America/Santiago"),
    ("CN", "China", "Asia/Shanghai"),
    ("CO", "Colombia", "America/Bogota"),
    ("CY", "Cyprus", "Asia/Nicosia"),
    ("CZ", "Czech Republic", "Europe/Prague"),
    ("DE", "Germany", "Europe/Berlin"),
    ("DK", "Denmark", "Europe/Copenhagen"),
    ("EE", "Estonia", "Europe/Tallinn"),
    ("EG", "Egypt", "Africa/Cairo"),
    ("ES", "Spain", "Europe/Madrid"),
    ("FI", "Finland", "Europe/Helsinki"),
    ("FR", "France", "Europe/Paris"),
    ("GB", "United Kingdom", "Europe/London"),
    ("GR", "Greece", "Europe/Athens"),
    ("HK", "Hong Kong", "Asia/Hong_Kong"),
    ("HR", "Croatia", "Europe/Zagreb"),
    ("HU", "Hungary", "Europe/Budapest"),
    ("ID", "Indonesia", "Asia/Jakarta"),
    ("IE", "Ireland", "Europe/Dublin"),
    ("IL", "Israel", "Asia/Jerusalem"),
    ("IN", "India", "Asia/Kolkata"),
    ("IS", "Iceland", "Atlantic/Reykjavik"),
    ("IT", "Italy", "Europe/Rome"),
    ("JP", "Japan", "Asia/Tokyo"),
    ("KR", "South Korea", "Asia/Seoul"),
    ("LT", "Lithuania", "Europe/Vilnius"),
    ("LU", "Luxembourg", "Europe/Luxembourg"),
    ("LV", "Latvia", "Europe/Riga"),
    ("MA", "Morocco", "Africa/Casablanca"),
    ("MD", "Moldova", "Europe/Chisinau"),
    ("MT", "Malta", "Europe/Malta"),
    ("MX", "Mexico", "America/Mexico_City"),
    ("MY", "Malaysia", "Asia/Kuala_Lumpur"),
    ("NL", "Netherlands", "Europe/Amsterdam"),
    ("NO", "Norway", "Europe/Oslo"),
    ("NZ", "New Zealand", "Pacific/Auckland"),
    ("PE", "Peru", "America/Lima"),
    ("PH", "Philippines", "Asia/Manila"),
    ("PL", "Poland", "Europe/Warsaw"),
    ("PT", "Portugal", "Europe/Lisbon"),
    ("RO", "Romania", "Europe/Bucharest"),
    ("SA", "Saudi Arabia", "Asia/Riyadh"),
    ("SE", "Sweden", "Europe/Stockholm"),
    ("SG", "Singapore", "Asia/Singapore"),
    ("SI", "Slovenia", "Europe/Ljubljana"),
    ("SK", "Slovakia", "Europe/Bratislava"),
    ("TH", "Thailand", "Asia/Bangkok"),
    ("TR", "Turkey", "Europe/Istanbul"),
    ("TW", "Taiwan", "Asia/Taipei"),
    ("US", "United States", "America/New_York"),
    ("ZA", "South Africa", "Africa/Johannesburg"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str) -> Moment {
        Moment {
            at: text.parse().unwrap(),
            is_assumed: false,
        }
    }

    fn assumed(text: &str) -> Moment {
        Moment::arrival(text.parse().unwrap())
    }

    #[test]
    fn an_offset_is_believed() {
        assert_eq!(
            Moment::iso("2026-07-02T08:05:00+02:00", Some("US")),
            Some(known("2026-07-02T06:05:00Z"))
        );
    }

    #[test]
    fn a_time_without_an_offset_is_that_of_the_place_and_says_so() {
        assert_eq!(
            Moment::iso("2026-07-02T08:05:00", Some("ES")),
            Some(assumed("2026-07-02T06:05:00Z"))
        );
        assert_eq!(
            Moment::iso("2026-07-02T08:05:00", Some("Nowhere")),
            Some(assumed("2026-07-02T08:05:00Z"))
        );
    }

    #[test]
    fn a_date_that_no_parcel_can_have_is_not_read() {
        for text in [
            "",
            "soon",
            "0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59Z",
            "2026-02-30T00:00:00Z",
        ] {
            assert_eq!(Moment::iso(text, None), None, "{text}");
        }
    }

    #[test]
    fn a_lost_zero_is_put_back() {
        let clock = compact("20260518", "74700").unwrap();
        assert_eq!(clock.to_string(), "2026-05-18T07:47:00");
        assert_eq!(compact("20260518", "246000"), None);
        assert_eq!(compact("20261301", "074700"), None);
        assert_eq!(compact("20260518", ""), None);
    }

    #[test]
    fn an_offset_may_have_a_dot() {
        for text in ["-04.00", "-04:00", "-0400"] {
            assert_eq!(offset(text).map(Offset::seconds), Some(-14_400), "{text}");
        }
        assert_eq!(offset("+05:30").map(Offset::seconds), Some(19_800));
        for text in ["", "-4", "99:99", "ab:cd", "-04:00:00"] {
            assert_eq!(offset(text), None, "{text}");
        }
    }

    #[test]
    fn a_line_of_the_past_without_a_time_is_not_the_newest_news() {
        let (first, last) = (known("2026-05-01T00:00:00Z"), known("2026-05-03T00:00:00Z"));
        let now = "2026-05-20T00:00:00Z".parse().unwrap();
        let moments = in_order(vec![None, Some(first), None, Some(last)], now);
        assert_eq!(
            moments.iter().map(|moment| moment.at).collect::<Vec<_>>(),
            [first.at, first.at, first.at, last.at]
        );
        assert_eq!(in_order(vec![None], now), [Moment::arrival(now)]);
    }

    #[test]
    fn every_zone_of_the_table_exists() {
        for (_, country, zone) in ZONES {
            assert!(TimeZone::get(zone).is_ok(), "{country}");
        }
    }
}
