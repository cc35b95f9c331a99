//! Every variable that the e-mail sender reads.

use aws::{ChannelQueues, ContactKey, Sender};
use domain::RetryPolicy;
use lambda::{InvalidVariable, Variables};
use links::{LinkKeys, Pages};
use messages::Shop;

use crate::customer_links::CustomerLinks;

/// What the e-mail sender needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// `PREFERENCES_TABLE`.
    pub(crate) preferences_table: String,
    /// `SUPPRESSIONS_TABLE`.
    pub(crate) suppressions_table: String,
    /// `CONTACT_HASH_KEY`.
    pub(crate) contact_key: ContactKey,
    /// `SYSTEM_STATE_TABLE`.
    pub(crate) system_state_table: String,
    /// `TEMPLATES_TABLE`.
    pub(crate) templates_table: String,
    /// `ACCOUNT_TROUBLE_QUEUE_URL`.
    pub(crate) account_trouble_queue: String,
    /// `LEDGER_TABLE`.
    pub(crate) ledger_table: String,
    /// `LEDGER_RETENTION_DAYS`.
    pub(crate) retention_days: i64,
    /// `DEFERRED_DELIVERIES_TABLE`.
    pub(crate) deferred_deliveries_table: String,
    /// `EMAIL_QUEUE_URL`, `EMAIL_URGENT_QUEUE_URL`.
    pub(crate) lanes: ChannelQueues,
    /// `SENDER_EMAIL`, `SENDER_NAME`, `SUPPORT_EMAIL`.
    pub(crate) sender: Sender,
    /// `SHOP_NAME`, `SHOP_URL`, `SUPPORT_EMAIL`, `SHOP_LOGO_URL`, `SHOP_COLOUR`, `SHOP_ADDRESS`.
    pub(crate) shop: Shop,
    /// `LINK_KEYS`, `PUBLIC_URL`.
    pub(crate) links: CustomerLinks,
    /// `DEFAULT_LANGUAGE`, `DEFAULT_TIME_ZONE`, `DEFAULT_CURRENCY`, `DEFAULT_QUIET_HOURS`,
    /// `ADMIN_TOPIC_ARN`, `ADMIN_EMAIL`.
    pub(crate) reading: pipeline::Reading,
    /// `CONFIGURATION_SET`; without one SES tells nothing about its messages.
    pub(crate) configuration_set: Option<String>,
    /// `RETRY_BASE_SECONDS`, `IN_DOUBT_SECONDS`, `IN_DOUBT_POLICY`.
    pub(crate) policy: RetryPolicy,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(variables: &Variables) -> Result<Self, InvalidVariable> {
        Ok(Self {
            preferences_table: variables.text("PREFERENCES_TABLE")?,
            suppressions_table: variables.text("SUPPRESSIONS_TABLE")?,
            contact_key: variables.contact_key()?,
            system_state_table: variables.text("SYSTEM_STATE_TABLE")?,
            templates_table: variables.text("TEMPLATES_TABLE")?,
            account_trouble_queue: variables.text("ACCOUNT_TROUBLE_QUEUE_URL")?,
            ledger_table: variables.text("LEDGER_TABLE")?,
            retention_days: variables.number("LEDGER_RETENTION_DAYS", 90)?,
            deferred_deliveries_table: variables.text("DEFERRED_DELIVERIES_TABLE")?,
            lanes: variables.lanes("EMAIL_QUEUE_URL", "EMAIL_URGENT_QUEUE_URL")?,
            sender: Sender {
                email: variables.text("SENDER_EMAIL")?,
                name: variables.optional("SENDER_NAME").unwrap_or_default(),
                reply_to: variables.text("SUPPORT_EMAIL")?,
            },
            shop: variables.shop()?,
            links: CustomerLinks {
                keys: variables.checked("LINK_KEYS", LinkKeys::read)?,
                pages: variables.optional_checked("PUBLIC_URL", Pages::new)?,
            },
            reading: variables.reading()?,
            configuration_set: variables.optional("CONFIGURATION_SET"),
            policy: variables.retry_policy()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the template always gives, and one variable more.
    fn config(name: &'static str, value: &'static str) -> Result<Config, String> {
        let given = [
            ("PREFERENCES_TABLE", "preferences"),
            ("SUPPRESSIONS_TABLE", "suppressions"),
            ("CONTACT_HASH_KEY", "0123456789abcdef"),
            ("SYSTEM_STATE_TABLE", "state"),
            ("TEMPLATES_TABLE", "templates"),
            ("ACCOUNT_TROUBLE_QUEUE_URL", "http://localhost/trouble"),
            ("LEDGER_TABLE", "ledger"),
            ("EMAIL_QUEUE_URL", "http://localhost/email"),
            ("EMAIL_URGENT_QUEUE_URL", "http://localhost/email-urgent"),
            ("SENDER_EMAIL", "shop@example.com"),
            ("SUPPORT_EMAIL", "help@example.com"),
            ("SHOP_NAME", "Shop"),
            ("LINK_KEYS", "0123456789abcdefghijklmnopqrstuv"),
            ("DEFAULT_LANGUAGE", "es"),
            ("DEFAULT_TIME_ZONE", "Europe/Madrid"),
            ("DEFAULT_CURRENCY", "EUR"),
            ("DEFAULT_QUIET_HOURS", "22:00-08:00"),
            ("DEFERRED_DELIVERIES_TABLE", "deferred"),
        ];
        let given: Vec<_> = given
            .into_iter()
            .filter(|(other, _)| *other != name)
            .chain([(name, value)])
            .collect();
        Config::read(&Variables::given(&given)).map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_shop_may_have_neither_logo_nor_colour_nor_address_nor_pages() {
        let config = config("SHOP_LOGO_URL", "").unwrap();
        assert_eq!(
            (config.shop.logo_url, config.shop.colour, config.shop.address),
            (None, None, None)
        );
        assert!(config.links.pages.is_none());
    }

    #[test]
    fn a_shops_logo_colour_and_address_are_read_as_they_are() {
        let logo = config("SHOP_LOGO_URL", "https://example.com/logo.png").unwrap();
        assert_eq!(logo.shop.logo_url.as_deref(), Some("https://example.com/logo.png"));
        let colour = config("SHOP_COLOUR", "#0B6e4f").unwrap();
        assert_eq!(colour.shop.colour.as_deref(), Some("#0B6e4f"));
        let address = config("SHOP_ADDRESS", "Gran Vía 1, 28013 Madrid, España").unwrap();
        assert_eq!(
            address.shop.address.as_deref(),
            Some("Gran Vía 1, 28013 Madrid, España")
        );
    }

    #[test]
    fn pages_are_where_the_public_url_says() {
        let config = config("PUBLIC_URL", "https://shop.example.com/").unwrap();
        assert_eq!(config.links.pages, Pages::new("https://shop.example.com").ok());
    }

    #[test]
    fn a_wrong_value_is_named_with_what_was_expected_and_never_quoted() {
        let logo = "environment variable SHOP_LOGO_URL: expected the address of an image that begins with https://";
        let colour = "environment variable SHOP_COLOUR: expected a colour such as #0b6e4f";
        let address =
            "environment variable SHOP_ADDRESS: expected a postal address in one line of at most 200 characters";
        for (name, value, expected) in [
            ("SHOP_LOGO_URL", "http://example.com/logo.png", logo),
            ("SHOP_LOGO_URL", "https://", logo),
            ("SHOP_LOGO_URL", "https://example.com/\" onerror=\"x", logo),
            ("SHOP_COLOUR", "green", colour),
            ("SHOP_COLOUR", "#0b6e4", colour),
            ("SHOP_COLOUR", "#0b6e4f;x", colour),
            ("SHOP_COLOUR", "#0b6é4", colour),
            ("SHOP_ADDRESS", "Gran Vía 1\n28013 Madrid", address),
            (
                "LINK_KEYS",
                "",
                "environment variable LINK_KEYS: expected a value, got nothing",
            ),
            (
                "LINK_KEYS",
                "k1=secret",
                "environment variable LINK_KEYS: key 1: expected a secret of at least 32 characters, got 6",
            ),
        ] {
            assert_eq!(config(name, value).unwrap_err(), expected, "{value:?}");
        }
        let problem = config("PUBLIC_URL", "http://shop.example.com").unwrap_err();
        assert!(
            problem.starts_with("environment variable PUBLIC_URL: expected an address such as https://"),
            "{problem}"
        );
    }
}
