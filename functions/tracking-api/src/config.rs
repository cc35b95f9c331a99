//! Every variable that the tracking API reads.

use domain::Zone;
use lambda::{InvalidVariable, Variables};
use links::{LinkKeys, Pages};
use web::Identity;

/// What the tracking API needs to know.
#[derive(Debug)]
pub struct Config {
    /// `JWT_ISSUER`, `JWT_AUDIENCE`, `JWT_USER_CLAIM`, `JWT_ROLES_CLAIM`, `ADMIN_ROLE`.
    pub identity: Identity,
    /// `ORDER_STATUS_TABLE`.
    pub table: String,
    /// `ORDER_RETENTION_DAYS`.
    pub retention_days: i64,
    /// `LINK_KEYS`, `PUBLIC_URL`, `PUBLIC_TRACKING`, `DEFAULT_TIME_ZONE`.
    pub settings: Settings,
}

/// What the answers depend on besides what is stored.
#[derive(Debug)]
pub struct Settings {
    /// What signs links.
    pub keys: LinkKeys,
    /// Where links lead; none where no pages answer: then there are no links either.
    pub pages: Option<Pages>,
    /// What a parcel's number opens to everybody.
    pub public: PublicTracking,
    /// Where a day begins.
    pub zone: Zone,
}

/// What opens a parcel to somebody who is not logged in and holds no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PublicTracking {
    /// Its number with the postal code to which it goes: numbers can be guessed, and count up.
    PostalCode,
    /// Its number.
    Number,
    /// Nothing.
    Off,
}

impl TryFrom<&str> for PublicTracking {
    type Error = &'static str;

    fn try_from(text: &str) -> Result<Self, &'static str> {
        match text {
            "postal-code" => Ok(Self::PostalCode),
            "number" => Ok(Self::Number),
            "off" => Ok(Self::Off),
            _ => Err("expected postal-code, number or off"),
        }
    }
}

impl Config {
    /// Reads them.
    ///
    /// # Errors
    ///
    /// [`InvalidVariable`] for the first that is wrong.
    pub fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        let public = variables.optional_checked("PUBLIC_TRACKING", |text| PublicTracking::try_from(text))?;
        Ok(Self {
            identity: Identity::read(variables)?,
            table: variables.text("ORDER_STATUS_TABLE")?,
            retention_days: variables.number("ORDER_RETENTION_DAYS", 400)?,
            settings: Settings {
                keys: variables.checked("LINK_KEYS", LinkKeys::read)?,
                pages: variables.optional_checked("PUBLIC_URL", Pages::new)?,
                public: public.unwrap_or(PublicTracking::PostalCode),
                zone: variables.checked("DEFAULT_TIME_ZONE", |text| Zone::try_from(text))?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the template always gives, and one variable more.
    fn config(name: &'static str, value: &'static str) -> Result<Config, String> {
        let given = [
            ("JWT_ISSUER", "issuer"),
            ("JWT_AUDIENCE", "shop"),
            ("ORDER_STATUS_TABLE", "orders"),
            ("LINK_KEYS", "0123456789abcdefghijklmnopqrstuv"),
            ("DEFAULT_TIME_ZONE", "Europe/Madrid"),
            (name, value),
        ];
        Config::read(&Variables::given(&given)).map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_number_alone_opens_nothing_unless_the_shop_says_so() {
        for (value, expected) in [
            ("", PublicTracking::PostalCode),
            ("postal-code", PublicTracking::PostalCode),
            ("number", PublicTracking::Number),
            ("off", PublicTracking::Off),
        ] {
            assert_eq!(config("PUBLIC_TRACKING", value).unwrap().settings.public, expected);
        }
    }

    #[test]
    fn what_is_wrong_stops_the_start_and_is_named() {
        for (name, value, expected) in [
            (
                "PUBLIC_TRACKING",
                "yes",
                "environment variable PUBLIC_TRACKING: expected postal-code, number or off",
            ),
            (
                "LINK_KEYS",
                "",
                "environment variable LINK_KEYS: expected a value, got nothing",
            ),
            (
                "ORDER_STATUS_TABLE",
                "",
                "environment variable ORDER_STATUS_TABLE: expected a value, got nothing",
            ),
        ] {
            assert_eq!(config(name, value).unwrap_err(), expected);
        }
    }
}
