//! Who may call as UPS: Track Alert v2 fetches a token from us and shows it with every call, v1 shows a secret.
//!
//! A key is `client_id:client_secret`, as entered in UPS' portal. A token needs no table: it is its own expiry and a signature over it.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use serde_json::json;

use crate::{
    Answer, Keys, Request, Unproven,
    proof::{fits_any, hmac_sha256, is_same},
};

/// What the signature is for, so that it serves for nothing else.
const PURPOSE: &[u8] = b"e-com67 ups webhook token:";

/// How long a token is good, in seconds.
const LIVES_FOR: i64 = 3600;

/// A client that may call.
#[derive(Clone, Copy)]
pub(super) struct Client<'k> {
    id: &'k str,
    secret: &'k str,
}

impl<'k> Client<'k> {
    /// The id goes up to the first colon, which it cannot hold itself (RFC 7617, section 2).
    pub(super) fn of(key: &'k str) -> Option<Self> {
        let (id, secret) = key.split_once(':')?;
        (!id.is_empty() && !secret.is_empty()).then_some(Self { id, secret })
    }

    fn mac(self, expiry: &str) -> [u8; 32] {
        hmac_sha256(
            self.secret.as_bytes(),
            &[PURPOSE, self.id.as_bytes(), b":", expiry.as_bytes()],
        )
    }

    /// A token for this client: `base64url(expiry).base64url(HMAC-SHA256)`, the expiry in seconds since 1970, in decimal digits.
    pub(super) fn token(self, now: Timestamp) -> String {
        let expiry = now.as_second().saturating_add(LIVES_FOR).to_string();
        let mac = URL_SAFE_NO_PAD.encode(self.mac(&expiry));
        format!("{}.{mac}", URL_SAFE_NO_PAD.encode(expiry))
    }
}

fn clients(keys: &Keys) -> impl Iterator<Item = Client<'_>> {
    keys.iter().filter_map(Client::of)
}

/// Answers UPS' request for a token (RFC 6749, section 4.4): a POST of `grant_type=client_credentials` with the client's id and secret as
/// HTTP Basic.
#[must_use]
pub fn issue_token(request: &Request<'_>, keys: &Keys) -> Answer {
    if request.method != "POST" {
        return answer(400, &json!({ "error": "invalid_request" }));
    }
    let Some(client) = client(request, keys) else {
        return answer(401, &json!({ "error": "invalid_client" }));
    };
    let mut grants = form_urlencoded::parse(request.body).filter(|(name, _)| name == "grant_type");
    match (grants.next(), grants.next()) {
        (Some((_, grant)), None) if grant == "client_credentials" => {}
        _ => return answer(400, &json!({ "error": "unsupported_grant_type" })),
    }
    let token = json!({
        "access_token": client.token(request.now),
        "token_type": "Bearer",
        "expires_in": LIVES_FOR,
    });
    answer(200, &token)
}

fn answer(status: u16, body: &serde_json::Value) -> Answer {
    Answer {
        status,
        content_type: Some("application/json"),
        body: body.to_string(),
    }
}

/// The client that the request is from. All keys are tried, so that the time tells nothing of which.
fn client<'k>(request: &Request<'_>, keys: &'k Keys) -> Option<Client<'k>> {
    let claimed = request.header("authorization")?.strip_prefix("Basic ")?;
    let claimed = STANDARD.decode(claimed).ok()?;
    let mut found = None;
    for client in clients(keys) {
        if is_same(&claimed, format!("{}:{}", client.id, client.secret).as_bytes()) {
            found = Some(client);
        }
    }
    found
}

/// Proves a call by its token, its `credential`, or both where it has both.
pub(super) fn prove(request: &Request<'_>, keys: &Keys) -> Result<(), Unproven> {
    let authorization = request.header("authorization");
    let credential = request.header("credential");
    if authorization.is_none() && credential.is_none() {
        return Err(Unproven::Missing);
    }
    authorization.map_or(Ok(()), |value| prove_token(value, request.now, keys))?;
    credential.map_or(Ok(()), |value| {
        fits_any(clients(keys), value.as_bytes(), |client| {
            client.secret.as_bytes().to_vec()
        })
    })
}

fn prove_token(authorization: &str, now: Timestamp, keys: &Keys) -> Result<(), Unproven> {
    let token = authorization.strip_prefix("Bearer ").ok_or(Unproven::Malformed)?;
    let (expiry, mac) = token.split_once('.').ok_or(Unproven::Malformed)?;
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    let mac = bytes(mac).ok_or(Unproven::Malformed)?;
    let expiry = bytes(expiry)
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or(Unproven::Malformed)?;
    fits_any(clients(keys), &mac, |client| client.mac(&expiry).to_vec())?;
    // Signed by us, it is a number.
    let until: i64 = expiry.parse().map_err(|_no_number| Unproven::Malformed)?;
    match now.as_second() < until {
        true => Ok(()),
        false => Err(Unproven::Expired),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "shop:s3cret-of-the-shop";

    fn keys(keys: &[&str]) -> Keys {
        Keys::new(keys.iter().map(|key| (*key).to_owned()).collect())
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn basic(pair: &str) -> (String, String) {
        ("Authorization".to_owned(), format!("Basic {}", STANDARD.encode(pair)))
    }

    fn asked(headers: &[(String, String)], body: &str) -> Answer {
        let request = Request {
            method: "POST",
            key: None,
            query: "",
            headers,
            body: body.as_bytes(),
            now: at(1_800_000_000),
        };
        issue_token(&request, &keys(&["other:one", KEY]))
    }

    fn proven(headers: &[(&str, &str)], second: i64, live: &[&str]) -> Result<(), Unproven> {
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let request = Request {
            method: "POST",
            key: None,
            query: "",
            headers: &headers,
            body: b"{}",
            now: at(second),
        };
        prove(&request, &keys(live))
    }

    fn bearer(key: &str) -> String {
        format!("Bearer {}", Client::of(key).unwrap().token(at(1_800_000_000)))
    }

    #[test]
    fn a_known_client_gets_a_token_that_proves_its_calls() {
        let answer = asked(&[basic(KEY)], "grant_type=client_credentials");
        assert_eq!((answer.status, answer.content_type), (200, Some("application/json")));
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(
            (&body["token_type"], &body["expires_in"]),
            (&json!("Bearer"), &json!(3600))
        );
        let bearer = format!("Bearer {}", body["access_token"].as_str().unwrap());
        assert_eq!(proven(&[("authorization", &bearer)], 1_800_000_000, &[KEY]), Ok(()));
    }

    #[test]
    fn an_unknown_client_gets_none() {
        let refused = [
            vec![],
            vec![basic("shop:wrong")],
            vec![basic("s3cret-of-the-shop")],
            vec![basic(KEY), basic(KEY)],
            vec![("Authorization".to_owned(), "Basic ???".to_owned())],
            vec![("Authorization".to_owned(), format!("Bearer {}", STANDARD.encode(KEY)))],
        ];
        for headers in refused {
            let answer = asked(&headers, "grant_type=client_credentials");
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (401, r#"{"error":"invalid_client"}"#)
            );
        }
    }

    #[test]
    fn no_other_grant_gets_one() {
        for body in [
            "",
            "grant_type=password",
            "grant_type=client_credentials&grant_type=client_credentials",
        ] {
            let answer = asked(&[basic(KEY)], body);
            assert_eq!(
                (answer.status, answer.body.as_str()),
                (400, r#"{"error":"unsupported_grant_type"}"#)
            );
        }
    }

    #[test]
    fn a_token_is_good_for_an_hour() {
        let bearer = bearer(KEY);
        let headers = [("authorization", bearer.as_str())];
        assert_eq!(proven(&headers, 1_800_003_599, &[KEY]), Ok(()));
        assert_eq!(proven(&headers, 1_800_003_600, &[KEY]), Err(Unproven::Expired));
    }

    #[test]
    fn a_token_proves_nothing_under_another_client_or_secret() {
        let bearer = bearer(KEY);
        for other in ["shop2:s3cret-of-the-shop", "shop:other"] {
            assert_eq!(
                proven(&[("authorization", &bearer)], 1_800_000_000, &[other]),
                Err(Unproven::Mismatch)
            );
        }
        assert_eq!(
            proven(&[("authorization", &bearer)], 1_800_000_000, &["no-colon"]),
            Err(Unproven::NoKey)
        );
    }

    #[test]
    fn a_token_in_another_spelling_is_refused() {
        let good = bearer(KEY);
        let longer = format!("{good}=");
        let small = good.replace("Bearer", "bearer");
        let spaced = good.replace(' ', "  ");
        let (head, expiry_and_mac) = good.split_at(7);
        let (_, mac) = expiry_and_mac.split_once('.').unwrap();
        let later = format!("{head}{}.{mac}", URL_SAFE_NO_PAD.encode("1900000000"));
        let plus = format!("{head}{}.{mac}", URL_SAFE_NO_PAD.encode("+1800003600"));
        for bad in [
            longer,
            small,
            spaced,
            later,
            plus,
            "Bearer .".to_owned(),
            "Bearer ".to_owned(),
        ] {
            assert!(
                proven(&[("authorization", &bad)], 1_800_000_000, &[KEY]).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_credential_of_v1_is_a_clients_secret() {
        assert_eq!(
            proven(&[("credential", "s3cret-of-the-shop")], 0, &["a:b", KEY]),
            Ok(())
        );
        for bad in ["S3cret-of-the-shop", "shop", "", KEY] {
            assert_eq!(
                proven(&[("credential", bad)], 0, &[KEY]),
                Err(Unproven::Mismatch),
                "{bad}"
            );
        }
        assert_eq!(
            proven(&[("user-agent", "UPSPubSubTrackingService")], 0, &[KEY]),
            Err(Unproven::Missing)
        );
    }

    #[test]
    fn of_a_token_and_a_credential_both_have_to_be_good() {
        let bearer = bearer(KEY);
        let both = |secret| [("authorization", bearer.clone()), ("credential", secret)];
        let prove = |pair: [(&str, String); 2]| {
            let pair: Vec<(&str, &str)> = pair.iter().map(|(name, value)| (*name, value.as_str())).collect();
            proven(&pair, 1_800_000_000, &[KEY])
        };
        assert_eq!(prove(both("s3cret-of-the-shop".to_owned())), Ok(()));
        assert_eq!(prove(both("wrong".to_owned())), Err(Unproven::Mismatch));
    }
}
