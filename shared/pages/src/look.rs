//! How the pages look, and what a browser is told that they may do: nothing but show themselves and send their own form.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use messages::ShopFacts;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page/style.css");

/// The style in the colours of a shop, and the policy that lets it in.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) style: String,
    /// The value of `Content-Security-Policy`.
    pub(crate) policy: String,
}

impl Look {
    /// The look of this shop.
    pub(crate) fn of(shop: &ShopFacts) -> Self {
        let style = STYLE
            .replace("ON_BRAND", shop.on_colour)
            .replace("BRAND", &shop.colour)
            .replace("LINK", &shop.link_colour);
        let hash = STANDARD.encode(Sha256::digest(&style));
        let images = shop.logo.as_deref().and_then(origin).unwrap_or("'none'".to_owned());
        Self {
            policy: format!(
                "default-src 'none'; style-src 'sha256-{hash}'; img-src {images}; form-action 'self'; base-uri 'none'; \
                 frame-ancestors 'none'"
            ),
            style,
        }
    }
}

/// Scheme and host of an address, as a policy names them.
fn origin(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    // A policy is one header, in which these have a meaning.
    let is_host = host
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']'));
    is_host.then(|| format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(logo: Option<&str>, colour: &str) -> Look {
        let shop = messages::Shop {
            logo_url: logo.map(str::to_owned),
            colour: Some(colour.to_owned()),
            ..messages::samples::shop()
        };
        Look::of(&shop.facts())
    }

    #[test]
    fn the_style_is_let_in_by_its_hash_and_the_logo_by_its_host() {
        let look = look(Some("https://img.shop.example/a/logo.png?x"), "#1a7f37");
        assert!(
            look.style.contains("--brand:#1a7f37;--on-brand:#ffffff"),
            "{}",
            look.style
        );
        assert!(!look.style.contains("BRAND") && !look.style.contains("LINK"));
        assert!(
            look.policy.contains("img-src https://img.shop.example;"),
            "{}",
            look.policy
        );
        assert!(look.policy.starts_with("default-src 'none'; style-src 'sha256-"));
    }

    #[test]
    fn without_a_logo_there_is_no_image() {
        assert!(look(None, "#1a7f37").policy.contains("img-src 'none';"));
        assert!(
            look(Some("https://tienda.españa/logo.png"), "#1a7f37")
                .policy
                .contains("img-src 'none';")
        );
    }
}
