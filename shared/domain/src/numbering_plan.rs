//! Which digits are a phone number, and of which country: a walk over the rows that `build.rs` compiles from Google's
//! libphonenumber, by way of the crate `phonenumber`.

include!(concat!(env!("OUT_DIR"), "/numbering_plans.rs"));

/// A country that has phone numbers, by its code of two capital letters in ISO 3166-1, and XK for Kosovo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Country([u8; 2]);

/// Who owns a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The numbering plan of this country knows it.
    Country(Country),
    /// It belongs to no country, as those of satellite networks do.
    Nobody,
}

impl Country {
    /// The country of this code; none where the code is no country's, or not in capital letters.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        let code = code.as_bytes().try_into().ok()?;
        COUNTRIES.contains(&code).then_some(Self(code))
    }
}

/// Who owns the number of these ASCII digits, which begin with a calling code; none where no numbering plan knows it.
pub(crate) fn owner(digits: &str) -> Option<Owner> {
    let mut row = FIRST;
    for digit in digits.bytes() {
        let next = ROWS.get(usize::from(row))?;
        row = *next.get(usize::from(digit.checked_sub(b'0')?))?;
    }
    match usize::from(*OWNERS.get(usize::from(row))?) {
        0 => None,
        1 => Some(Owner::Nobody),
        owner => COUNTRIES.get(owner - 2).map(|&code| Owner::Country(Country(code))),
    }
}

/// The digits without the trunk prefix after their calling code, which is dialled only inside a country: `44 0 7400 123456`. None
/// where there is no such prefix.
pub(crate) fn without_trunk_prefix(digits: &str) -> Option<String> {
    TRUNKS.iter().find_map(|(code, prefix)| {
        let national = digits.strip_prefix(code)?.strip_prefix(prefix)?;
        Some(format!("{code}{national}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use phonenumber::metadata::{DATABASE, Descriptor, Metadata};
    use proptest::prelude::*;

    /// Whether the library knows this number as it stands.
    fn is_known_to_the_library(digits: &str) -> bool {
        let number = format!("+{digits}");
        phonenumber::parse(None, &number)
            .is_ok_and(|known| known.is_valid() && known.format().mode(phonenumber::Mode::E164).to_string() == number)
    }

    /// That where the library says a country, it is the one that owns the number. It says none for numbers that begin with zeros.
    fn agrees_with_the_library(digits: &str, owner: Owner) -> bool {
        let theirs = phonenumber::parse(None, format!("+{digits}"))
            .ok()
            .and_then(|number| number.country().id());
        match (owner, theirs) {
            (_, None) => true,
            (Owner::Country(country), Some(id)) => Country::of_code(id.as_ref()) == Some(country),
            (Owner::Nobody, Some(_)) => false,
        }
    }

    fn kinds(plan: &Metadata) -> impl Iterator<Item = &Descriptor> {
        let all = plan.descriptors();
        [
            all.premium_rate(),
            all.toll_free(),
            all.shared_cost(),
            all.voip(),
            all.personal_number(),
            all.pager(),
            all.uan(),
            all.voicemail(),
            all.fixed_line(),
            all.mobile(),
        ]
        .into_iter()
        .flatten()
    }

    fn plans() -> Vec<&'static Metadata> {
        (1..1_000)
            .filter_map(|code: u16| DATABASE.by_code(&code))
            .flatten()
            .collect()
    }

    fn examples() -> Vec<String> {
        let of_plan = |plan: &'static Metadata| {
            let code = plan.country_code();
            let numbers = kinds(plan).filter_map(Descriptor::example);
            numbers.map(move |number| format!("{code}{number}")).collect::<Vec<_>>()
        };
        plans().into_iter().flat_map(of_plan).collect()
    }

    #[test]
    fn the_example_of_every_kind_in_every_plan_is_known_with_its_country() {
        let examples = examples();
        assert!(examples.len() > 1_000, "{}", examples.len());
        for digits in examples {
            let owner = owner(&digits).unwrap_or_else(|| panic!("+{digits}"));
            assert!(
                !is_known_to_the_library(&digits) || agrees_with_the_library(&digits, owner),
                "+{digits}: {owner:?}"
            );
        }
    }

    #[test]
    fn a_zero_that_belongs_to_a_number_takes_its_country_away_from_nobody() {
        assert_eq!(owner("390236618300"), Country::of_code("IT").map(Owner::Country));
        assert_eq!(owner("80012340000"), Some(Owner::Nobody));
    }

    #[test]
    fn the_countries_are_those_of_the_library() {
        let mut count = 0;
        for first in 'A'..='Z' {
            for second in 'A'..='Z' {
                let code = format!("{first}{second}");
                let is_theirs = code.parse::<phonenumber::country::Id>().is_ok();
                assert_eq!(Country::of_code(&code).is_some(), is_theirs, "{code}");
                count += usize::from(is_theirs);
            }
        }
        assert_eq!(count, COUNTRIES.len());
        assert_eq!(Country::of_code("es"), None);
    }

    #[test]
    fn a_trunk_prefix_is_that_of_its_calling_code() {
        let cases = [
            ("4407400123456", Some("447400123456")),
            ("447400123456", None),
            // Italy has none: its zero belongs to the number.
            ("390236618300", None),
            ("", None),
        ];
        for (digits, expected) in cases {
            assert_eq!(without_trunk_prefix(digits).as_deref(), expected, "{digits}");
        }
    }

    /// Digits that are a number, or nearly: an example with some of its digits changed, one more or one less.
    fn near_numbers() -> impl Strategy<Value = String> {
        let examples = examples();
        let place = any::<proptest::sample::Index>;
        let changes = proptest::collection::vec((place(), 0_u8..10), 0..4);
        (place(), changes, 0..4_u8).prop_map(move |(example, changes, length)| {
            let mut digits = example.get(&examples).clone().into_bytes();
            for (place, digit) in changes {
                let place = place.index(digits.len());
                digits[place] = b'0' + digit;
            }
            match length {
                0 => digits.push(b'7'),
                1 => drop(digits.pop()),
                _ => {}
            }
            String::from_utf8(digits).unwrap()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        /// The library takes a number also where only its first digits are right, if some number of its plan has that length; so
        /// that of two answers ours may be the stricter.
        #[test]
        fn what_is_known_here_is_known_to_the_library_with_the_same_country(digits in near_numbers()) {
            let (ours, is_theirs) = (owner(&digits), is_known_to_the_library(&digits));
            if let (Some(ours), true) = (ours, is_theirs) {
                prop_assert!(agrees_with_the_library(&digits, ours), "+{}: {:?}", digits, ours);
            }
            if ours.is_some() != is_theirs {
                prop_assert!(explained(&digits, ours.is_some()), "+{}: {:?}", digits, ours);
            }
        }

        #[test]
        fn no_digits_panic(digits in "[0-9]{0,40}", text in any::<String>()) {
            let _ = owner(&digits);
            let _ = owner(&text);
            let _ = without_trunk_prefix(&text);
        }
    }

    /// Whether a difference is one that is known.
    fn explained(digits: &str, is_ours: bool) -> bool {
        let plans = plans()
            .into_iter()
            .filter(|plan| digits.starts_with(&plan.country_code().to_string()));
        let mut plans = plans.map(|plan| (plan, digits.split_at(plan.country_code().to_string().len()).1));
        if is_ours {
            // The library takes away what looks like a trunk prefix.
            return plans.any(|(plan, national)| {
                let prefix = plan.national_prefix();
                let begins = plan
                    .national_prefix_for_parsing()
                    .and_then(|pattern| pattern.find(national));
                prefix.is_some_and(|prefix| national.starts_with(prefix))
                    || begins.is_some_and(|found| found.start() == 0)
            });
        }
        // The library is content with a beginning, and with sixteen digits.
        digits.len() > 15
            || plans.any(|(plan, national)| {
                kinds(plan).chain([plan.descriptors().general()]).any(|kind| {
                    let found = kind.national_number().find(national);
                    found.is_some_and(|found| found.start() == 0 && found.end() < national.len())
                })
            })
    }
}
