//! Every variable that the pages read.

use lambda::{InvalidVariable, Variables};
use links::LinkKeys;
use pages::{Defaults, Settings};

/// What the pages need to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `PREFERENCES_TABLE`.
    pub(crate) preferences_table: String,
    /// `CONSENT_LOG_TABLE`.
    pub(crate) consent_table: String,
    /// `CONSENT_RETENTION_DAYS`.
    pub(crate) consent_days: i32,
    /// `DEFERRED_DELIVERIES_TABLE`.
    pub(crate) deferred_deliveries_table: String,
    /// `LINK_KEYS`; `SHOP_NAME`, `SHOP_URL`, `SUPPORT_EMAIL`, `SHOP_LOGO_URL`, `SHOP_COLOUR`, `SHOP_ADDRESS`; `DEFAULT_LANGUAGE`,
    /// `DEFAULT_TIME_ZONE`, `DEFAULT_QUIET_HOURS`.
    pub(crate) settings: Settings,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            preferences_table: variables.text("PREFERENCES_TABLE")?,
            consent_table: variables.text("CONSENT_LOG_TABLE")?,
            consent_days: variables.number("CONSENT_RETENTION_DAYS", 1_826)?,
            deferred_deliveries_table: variables.text("DEFERRED_DELIVERIES_TABLE")?,
            settings: Settings {
                shop: variables.shop()?,
                keys: variables.checked("LINK_KEYS", LinkKeys::read)?,
                defaults: Defaults {
                    language: variables.checked("DEFAULT_LANGUAGE", |text| domain::Language::try_from(text))?,
                    night: variables.night()?,
                },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_key_stops_the_start_and_is_named() {
        let given = [
            ("PREFERENCES_TABLE", "preferences"),
            ("CONSENT_LOG_TABLE", "consent"),
            ("DEFERRED_DELIVERIES_TABLE", "room"),
            ("SHOP_NAME", "Shop"),
            ("SUPPORT_EMAIL", "help@example.com"),
        ];
        let problem = Config::read(&Variables::given(&given)).map_err(|problem| problem.to_string());
        assert_eq!(
            problem.err().as_deref(),
            Some("environment variable LINK_KEYS: expected a value, got nothing")
        );
    }
}
