//! Tokens for calls (OAuth 2.0 client credentials, RFC 6749 section 4.4), as carriers hand them out.

use jiff::SignedDuration;

use crate::{
    AccessToken, PollError,
    parse::{json, text_at},
};

/// Taken off a token's life, so that none expires on its way.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// Reads `access_token` and `expires_in`, a number of seconds that UPS writes as a text.
pub(crate) fn read_token(status: u16, body: &[u8]) -> Result<AccessToken, PollError> {
    if !(200..300).contains(&status) {
        return Err(PollError::of_status(status));
    }
    let body = json(body).map_err(PollError::Unreadable)?;
    let unreadable = |name: &str| PollError::Unreadable(crate::Unreadable::new(format!("a token's {name}")));
    let value = text_at(&body, "access_token").ok_or_else(|| unreadable("access_token"))?;
    let seconds = text_at(&body, "expires_in").and_then(|text| text.parse::<u32>().ok());
    let lives_for = SignedDuration::from_secs(seconds.ok_or_else(|| unreadable("expires_in"))?.into());
    Ok(AccessToken {
        value,
        lives_for: lives_for.saturating_sub(MARGIN).max(SignedDuration::ZERO),
    })
}

/// The header of a call that carries this token.
pub(crate) fn bearer(token: Option<&str>) -> (&'static str, String) {
    ("authorization", format!("Bearer {}", token.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_a_minute_less_than_promised() {
        for body in [
            r#"{"access_token":"t","expires_in":3600}"#,
            r#"{"access_token":"t","expires_in":"3600"}"#,
        ] {
            let token = read_token(200, body.as_bytes()).unwrap();
            assert_eq!(token.value, "t");
            assert_eq!(token.lives_for, SignedDuration::from_secs(3540));
        }
    }

    #[test]
    fn a_token_of_a_minute_is_good_for_nothing() {
        let token = read_token(200, br#"{"access_token":"t","expires_in":30}"#).unwrap();
        assert_eq!(token.lives_for, SignedDuration::ZERO);
    }

    #[test]
    fn a_refused_token_says_why() {
        assert_eq!(read_token(401, b""), Err(PollError::Unauthorised));
        assert_eq!(read_token(429, b""), Err(PollError::Throttled));
        assert_eq!(read_token(503, b""), Err(PollError::Unavailable(503)));
        assert!(matches!(read_token(200, b"{}"), Err(PollError::Unreadable(_))));
    }
}
