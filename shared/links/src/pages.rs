//! Where links lead: `…/unsubscribe/{token}`, `…/preferences/{token}` and `…/track/{token}`.

use crate::keys::LinkKeys;
use crate::token::{OrderToken, Purpose, Token};

/// The longest link then still fits into a header of SES, which takes 870 characters (SES v2 API reference, `MessageHeader`).
const LONGEST_BASE: usize = 100;

/// The address under which a customer's own pages answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pages {
    /// Without a slash at its end.
    base: String,
}

/// An address under which no pages can answer.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "expected an address such as https://notifications.example.com, with or without a path, of at most {LONGEST_BASE} characters; http for localhost only"
)]
pub struct InvalidPublicUrl;

impl Pages {
    /// Pages under an address with https; with http only on this machine, where the emulator answers.
    ///
    /// # Errors
    ///
    /// [`InvalidPublicUrl`] for anything else, also with user, query or fragment.
    pub fn new(base_url: &str) -> Result<Self, InvalidPublicUrl> {
        let base = base_url.trim_end_matches('/');
        let (rest, is_secure) = match (base.strip_prefix("https://"), base.strip_prefix("http://")) {
            (Some(rest), _) => (rest, true),
            (None, Some(rest)) => (rest, false),
            (None, None) => return Err(InvalidPublicUrl),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let is_label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let is_well_formed = base.len() <= LONGEST_BASE
            && host.split('.').all(is_label)
            && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
            && path
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '.' | '_' | '~'));
        if is_well_formed && (is_secure || is_local(host)) {
            Ok(Self { base: base.to_owned() })
        } else {
            Err(InvalidPublicUrl)
        }
    }

    /// The signed address of the page that the token opens: printable ASCII without blanks, 868 characters at most.
    #[must_use]
    pub fn address_of(&self, token: &Token, keys: &LinkKeys) -> String {
        let route = match token.purpose {
            Purpose::Unsubscribe { .. } => "unsubscribe",
            Purpose::Preferences => "preferences",
        };
        format!("{}/{route}/{}", self.base, keys.sign(token))
    }

    /// The signed address under which the way of an order is shown: the same letters, no longer.
    #[must_use]
    pub fn address_of_order(&self, token: &OrderToken, keys: &LinkKeys) -> String {
        format!("{}/track/{}", self.base, keys.sign_order(token))
    }
}

fn is_local(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    host == "localhost" || host == "127.0.0.1" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Channel, NotificationType, UserId};
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn keys() -> LinkKeys {
        LinkKeys::read("k1234567=0123456789abcdefghijklmnopqrstuv").unwrap()
    }

    fn token(purpose: Purpose, user: &str) -> Token {
        Token::for_fact(purpose, UserId::try_from(user).unwrap(), Timestamp::UNIX_EPOCH)
    }

    const UNSUBSCRIBE: Purpose = Purpose::Unsubscribe {
        channel: Channel::Email,
        notification_type: NotificationType::OrderStatusUpdate,
    };

    #[test]
    fn each_purpose_has_its_page() {
        let pages = Pages::new("https://shop.example.com/v1/").unwrap();
        for (purpose, page) in [(UNSUBSCRIBE, "unsubscribe"), (Purpose::Preferences, "preferences")] {
            let token = token(purpose, "user-ana");
            let expected = format!("https://shop.example.com/v1/{page}/{}", keys().sign(&token));
            assert_eq!(pages.address_of(&token, &keys()), expected);
        }
    }

    #[test]
    fn the_longest_address_fits_into_a_header_in_its_angle_brackets() {
        let base = format!("https://{}", "a".repeat(LONGEST_BASE - 8));
        let pages = Pages::new(&base).unwrap();
        let address = pages.address_of(&token(UNSUBSCRIBE, &"\u{1f4e6}".repeat(128)), &keys());
        assert!(address.len() + 2 <= 870, "{} characters", address.len());
    }

    #[test]
    fn https_anywhere_and_http_on_this_machine() {
        for base in [
            "https://notifications.example.com",
            "https://abc123.execute-api.eu-west-1.amazonaws.com/prod",
            "https://example.com:8443/",
            "http://localhost:4566",
            "http://127.0.0.1:4566/_aws/execute-api",
            "http://abc123.execute-api.localhost:4566",
        ] {
            assert!(Pages::new(base).is_ok(), "{base}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let long = format!("https://{}", "a".repeat(LONGEST_BASE - 7));
        for base in [
            "",
            "https://",
            "https:///path",
            "notifications.example.com",
            "http://notifications.example.com",
            "http://localhost.example.com",
            "http://notlocalhost",
            "http://localhost@example.com",
            "https://user@example.com",
            "https://example.com?a=b",
            "https://example.com/#a",
            "https://example.com:0",
            "https://example.com:port",
            "https://example..com",
            "https://example.com/a b",
            "https://example.com/\r\nBcc: x",
            "https://ejemplo.españa",
            "ftp://example.com",
            "javascript:alert(1)",
            &long,
        ] {
            assert_eq!(Pages::new(base), Err(InvalidPublicUrl), "{base:?}");
        }
    }

    proptest! {
        #[test]
        fn no_base_makes_an_address_that_could_leave_its_header(base in "(https://|http://localhost)?.{0,40}") {
            if let Ok(pages) = Pages::new(&base) {
                let address = pages.address_of(&token(UNSUBSCRIBE, "user-ana"), &keys());
                prop_assert!(address.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',')), "{}", address);
            }
        }
    }
}
