//! Whether the keys of whoever makes the customers' tokens can be had (OpenID Connect Discovery 1.0, section 4).

use serde_json::Value;
use std::time::Duration;

use crate::account::{Account, variable};
use crate::doctor::Finding;

const ISSUER: &str = "issuer";
const TIME_OUT: Duration = Duration::from_secs(10);

pub(super) async fn look(account: &Account) -> Finding {
    let function = account.names.of("preferences-api");
    let issuer = match account.variables_of(&function).await {
        Ok(variables) => variables.get("JWT_ISSUER").cloned().unwrap_or_default(),
        Err(error) => return Finding::note(ISSUER, format!("{error:#}"), "deploy the stack again: make deploy"),
    };
    // There, tokens are made and believed by the emulator itself.
    if variable("AWS_ENDPOINT_URL").is_some() {
        return Finding::note(
            ISSUER,
            "not known by this endpoint: whether the issuer of tokens can be reached",
            "ask in the account itself",
        );
    }
    judge(&issuer, asked(&issuer).await)
}

/// The status and the body of the issuer's own description.
async fn asked(issuer: &str) -> Result<(u16, String), reqwest::Error> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIME_OUT)
        .build()?;
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let answer = client.get(url).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

fn judge(issuer: &str, answer: Result<(u16, String), reqwest::Error>) -> Finding {
    let mend = "correct the parameter JwtIssuer: make deploy PARAMETERS=\"JwtIssuer=https://… …\"";
    let (status, body) = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let what = format!(
                "{issuer} cannot be reached from here: {}",
                domain::chain(&error.without_url())
            );
            return Finding::note(ISSUER, what, "the gateway asks it by itself: try from another network");
        }
    };
    let described: Value = serde_json::from_str(&body).unwrap_or_default();
    let names_itself = described.get("issuer").and_then(Value::as_str);
    if status != 200 || !described.get("jwks_uri").is_some_and(Value::is_string) {
        let what = format!(
            "{issuer} does not describe itself as an issuer (status {status}): no customer's token is believed"
        );
        Finding::problem(ISSUER, what, mend)
    } else if names_itself != Some(issuer) {
        let what = format!("{issuer} calls itself by another name, which is the one in its tokens: none is believed");
        Finding::problem(ISSUER, what, mend)
    } else {
        Finding::ok(ISSUER, "the issuer of tokens can be reached")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    const NAME: &str = "https://id.example.com";

    fn level(status: u16, body: &str) -> Level {
        judge(NAME, Ok((status, body.to_owned()))).level
    }

    #[test]
    fn an_issuer_that_describes_itself_is_believed() {
        let body = r#"{"issuer":"https://id.example.com","jwks_uri":"https://id.example.com/keys"}"#;
        assert_eq!(level(200, body), Level::Ok);
    }

    #[test]
    fn a_slash_too_many_makes_another_issuer() {
        let body = r#"{"issuer":"https://id.example.com/","jwks_uri":"https://id.example.com/keys"}"#;
        assert_eq!(level(200, body), Level::Problem);
    }

    #[test]
    fn a_page_that_is_not_found_is_no_issuer() {
        assert_eq!(level(404, "<html>"), Level::Problem);
    }
}
