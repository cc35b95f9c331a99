//! Environment variables, read once at the start; every one that is wrong is named.

use std::collections::HashMap;
use std::str::FromStr;

/// A variable without which a function cannot start.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("environment variable {name}: {expected}")]
pub struct InvalidVariable {
    /// The variable.
    pub name: &'static str,
    /// What was expected there.
    pub expected: String,
}

/// The variables of a process.
#[derive(Debug, Clone, Default)]
pub struct Variables(HashMap<String, String>);

impl Variables {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
        )
    }

    /// Those given, for tests.
    #[must_use]
    pub fn given(variables: &[(&str, &str)]) -> Self {
        Self(
            variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    /// A variable that may be missing; an empty one counts as missing.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        self.0
            .get(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    /// A text that must be there.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] when it is missing or empty.
    pub fn text(&self, name: &'static str) -> Result<String, InvalidVariable> {
        self.optional(name).ok_or_else(|| InvalidVariable {
            name,
            expected: "expected a value, got nothing".to_owned(),
        })
    }

    /// A number, or its default where there is none.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] when it is no number.
    pub fn number<N: FromStr>(&self, name: &'static str, default: N) -> Result<N, InvalidVariable> {
        match self.optional(name) {
            None => Ok(default),
            Some(text) => text.parse().map_err(|_not_a_number| InvalidVariable {
                name,
                expected: "expected a whole number".to_owned(),
            }),
        }
    }

    /// A value of a type that checks itself.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] when it is missing, or what the type says of it.
    pub fn checked<T, E: std::fmt::Display>(
        &self,
        name: &'static str,
        check: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, InvalidVariable> {
        check(&self.text(name)?).map_err(|problem| InvalidVariable {
            name,
            expected: problem.to_string(),
        })
    }

    /// A value of a type that checks itself, where there is one.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] with what the type says of it.
    pub fn optional_checked<T, E: std::fmt::Display>(
        &self,
        name: &'static str,
        check: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, InvalidVariable> {
        let Some(text) = self.optional(name) else {
            return Ok(None);
        };
        check(&text).map(Some).map_err(|problem| InvalidVariable {
            name,
            expected: problem.to_string(),
        })
    }

    /// The shop as customers see it: `SHOP_NAME`, `SHOP_URL`, `SUPPORT_EMAIL`, `SHOP_LOGO_URL`, `SHOP_COLOUR`, `SHOP_ADDRESS`.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is missing or wrong.
    pub fn shop(&self) -> Result<messages::Shop, InvalidVariable> {
        Ok(messages::Shop {
            name: self.text("SHOP_NAME")?,
            url: self.optional("SHOP_URL"),
            support_email: self.text("SUPPORT_EMAIL")?,
            logo_url: self.optional_checked("SHOP_LOGO_URL", logo_url)?,
            colour: self.optional_checked("SHOP_COLOUR", colour)?,
            address: self.optional_checked("SHOP_ADDRESS", address)?,
        })
    }

    /// The shop's assumptions: `DEFAULT_LANGUAGE`, `DEFAULT_TIME_ZONE`, `DEFAULT_CURRENCY`, `DEFAULT_QUIET_HOURS`. Every country gets text messages;
    /// who decides about them reads [`Variables::sms_countries`].
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is wrong.
    pub fn shop_defaults(&self) -> Result<domain::ShopDefaults, InvalidVariable> {
        Ok(domain::ShopDefaults {
            language: self.checked("DEFAULT_LANGUAGE", |text| domain::Language::try_from(text))?,
            zone: self.checked("DEFAULT_TIME_ZONE", |text| domain::Zone::try_from(text))?,
            currency: self.checked("DEFAULT_CURRENCY", |text| domain::Currency::try_from(text))?,
            sms_countries: domain::Countries::default(),
            quiet_hours: self.checked("DEFAULT_QUIET_HOURS", domain::QuietHours::from_range)?,
        })
    }

    /// The night of customers who chose nothing: `DEFAULT_QUIET_HOURS`, `DEFAULT_TIME_ZONE`.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is wrong.
    pub fn night(&self) -> Result<domain::Night, InvalidVariable> {
        Ok(domain::Night {
            hours: self.checked("DEFAULT_QUIET_HOURS", domain::QuietHours::from_range)?,
            zone: self.checked("DEFAULT_TIME_ZONE", |text| domain::Zone::try_from(text))?,
        })
    }

    /// The countries to whose numbers text messages are sent: `SMS_COUNTRIES`; nothing there means every country.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] when one of them is no country's code.
    pub fn sms_countries(&self) -> Result<domain::Countries, InvalidVariable> {
        let countries = self.optional_checked("SMS_COUNTRIES", |text| domain::Countries::try_from(text))?;
        Ok(countries.unwrap_or_default())
    }

    /// What text messages are held to: `SMS_COUNTRIES`, `SMS_PER_NUMBER_PER_DAY`, `SMS_MONTHLY_SEGMENTS`.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is wrong.
    pub fn sms_limits(&self) -> Result<domain::SmsLimits, InvalidVariable> {
        Ok(domain::SmsLimits {
            countries: self.sms_countries()?,
            per_number_per_day: self.number("SMS_PER_NUMBER_PER_DAY", 10)?,
            monthly_segments: self.number("SMS_MONTHLY_SEGMENTS", 10_000)?,
        })
    }

    /// How events are read: the shop's assumptions, `ADMIN_TOPIC_ARN` and `ADMIN_EMAIL`.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is wrong.
    pub fn reading(&self) -> Result<pipeline::Reading, InvalidVariable> {
        Ok(pipeline::Reading {
            shop: self.shop_defaults()?,
            admin_topic: self.optional("ADMIN_TOPIC_ARN"),
            admin_email: self.optional("ADMIN_EMAIL"),
        })
    }

    /// When to try again: `RETRY_BASE_SECONDS`, `IN_DOUBT_SECONDS`, `IN_DOUBT_POLICY`.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is wrong.
    pub fn retry_policy(&self) -> Result<domain::RetryPolicy, InvalidVariable> {
        let usual = domain::RetryPolicy::default();
        Ok(domain::RetryPolicy {
            base: jiff::SignedDuration::from_secs(self.number("RETRY_BASE_SECONDS", usual.base.as_secs())?),
            in_doubt_for: jiff::SignedDuration::from_secs(
                self.number("IN_DOUBT_SECONDS", usual.in_doubt_for.as_secs())?,
            ),
            after_doubt: match self.optional("IN_DOUBT_POLICY").as_deref() {
                None | Some("resend") => domain::AfterDoubt::Resend,
                Some("hold") => domain::AfterDoubt::Hold,
                Some(_) => {
                    return Err(InvalidVariable {
                        name: "IN_DOUBT_POLICY",
                        expected: "expected resend or hold".to_owned(),
                    });
                }
            },
            ..usual
        })
    }

    /// The key of the hashes under which addresses are kept: `CONTACT_HASH_KEY`.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] when it is missing or too short.
    pub fn contact_key(&self) -> Result<aws::ContactKey, InvalidVariable> {
        self.checked("CONTACT_HASH_KEY", |secret| aws::ContactKey::try_from(secret))
    }

    /// The two lanes of a queue, by the names of their variables.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is missing.
    pub fn lanes(&self, normal: &'static str, urgent: &'static str) -> Result<aws::ChannelQueues, InvalidVariable> {
        Ok(aws::ChannelQueues {
            normal: self.text(normal)?,
            urgent: self.text(urgent)?,
        })
    }
}

/// Mail programs show no image that comes by http.
fn logo_url(text: &str) -> Result<String, &'static str> {
    let rest = text.strip_prefix("https://").unwrap_or_default();
    let is_safe = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\'' | '<' | '>' | '\\');
    if !rest.is_empty() && rest.chars().all(is_safe) {
        Ok(text.to_owned())
    } else {
        Err("expected the address of an image that begins with https://")
    }
}

fn colour(text: &str) -> Result<String, &'static str> {
    match text.strip_prefix('#') {
        Some(digits) if digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit()) => Ok(text.to_owned()),
        _ => Err("expected a colour such as #0b6e4f"),
    }
}

fn address(text: &str) -> Result<String, &'static str> {
    let is_a_line = !text.chars().any(char::is_control);
    if is_a_line && text.chars().count() <= 200 {
        Ok(domain::clean_line(text))
    } else {
        Err("expected a postal address in one line of at most 200 characters")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_named() {
        let problem = Variables::given(&[("A", " ")]).text("A").unwrap_err();
        assert_eq!(
            problem.to_string(),
            "environment variable A: expected a value, got nothing"
        );
    }

    #[test]
    fn a_value_that_may_be_missing_is_checked_where_there_is_one() {
        let variables = Variables::given(&[("A", ""), ("B", "Mars"), ("C", "UTC")]);
        let zone = |name| variables.optional_checked(name, |text| domain::Zone::try_from(text));
        assert_eq!(zone("A"), Ok(None));
        assert_eq!(zone("B").unwrap_err().name, "B");
        assert!(zone("C").unwrap().is_some());
    }

    #[test]
    fn a_wrong_time_zone_says_what_was_expected() {
        let variables = Variables::given(&[
            ("DEFAULT_LANGUAGE", "es"),
            ("DEFAULT_TIME_ZONE", "Mars"),
            ("DEFAULT_CURRENCY", "EUR"),
        ]);
        let problem = variables.shop_defaults().unwrap_err();
        assert_eq!(
            problem.to_string(),
            "environment variable DEFAULT_TIME_ZONE: expected an IANA time zone such as Europe/Madrid"
        );
    }

    #[test]
    fn the_shops_quiet_hours_are_a_range_or_none() {
        let night = |hours| Variables::given(&[("DEFAULT_QUIET_HOURS", hours), ("DEFAULT_TIME_ZONE", "UTC")]).night();
        assert_eq!(night("22:00-08:00").unwrap().hours, domain::QuietHours::USUAL);
        assert!(night("none").unwrap().hours.are_none());
        assert_eq!(night("all day").unwrap_err().name, "DEFAULT_QUIET_HOURS");
    }

    #[test]
    fn a_wrong_country_is_named_with_its_variable_and_none_means_every_country() {
        let problem = Variables::given(&[("SMS_COUNTRIES", "ES,UK")])
            .sms_countries()
            .unwrap_err();
        assert_eq!(
            problem.to_string(),
            "environment variable SMS_COUNTRIES: expected ISO 3166 codes of two letters with commas between them, such as ES,RO, \
             or nothing for every country, got \"UK\""
        );
        assert_eq!(Variables::default().sms_countries(), Ok(domain::Countries::default()));
    }

    #[test]
    fn the_retry_policy_has_defaults() {
        assert_eq!(Variables::default().retry_policy(), Ok(domain::RetryPolicy::default()));
    }
}
