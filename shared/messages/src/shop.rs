//! The shop in whose name a message is sent: name, addresses, logo and colour.

use serde::Serialize;

use crate::{
    facts::line,
    html::{mailbox, web_address},
};

/// Longer names and addresses of shops are cut.
const LONGEST: usize = 200;

/// Our own colour, where the shop names none.
const COLOUR: Colour = Colour([0x0b, 0x5c, 0xad]);

/// What black and white text need for contrast (WCAG 2.2, success criterion 1.4.3, level AA).
const READABLE: f64 = 4.5;

/// The shop in whose name the message is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shop {
    /// What customers call it.
    pub name: String,
    /// Its page, when it has one: http or https.
    pub url: Option<String>,
    /// Where customers write to.
    pub support_email: String,
    /// Its logo, when it has one: the address of an image, https.
    pub logo_url: Option<String>,
    /// Its colour, for buttons and rules: `#rrggbb`; none for ours.
    pub colour: Option<String>,
    /// Its postal address, which many countries ask for in advertising. One line.
    pub address: Option<String>,
}

/// The shop as templates show it: cleaned, cut, and nothing in it that is no address or no colour.
#[derive(Debug, Clone, Serialize)]
pub struct ShopFacts {
    /// What customers call it, in one line.
    pub name: String,
    /// Its page, if it has one.
    pub url: Option<String>,
    /// Where customers write to, in one line.
    pub email: String,
    /// The address of its logo, if it has one.
    pub logo: Option<String>,
    /// Its postal address in one line, if it has one.
    pub address: Option<String>,
    /// Of buttons and rules: `#rrggbb`.
    pub colour: String,
    /// Of letters upon that colour: `#rrggbb`.
    pub on_colour: &'static str,
    /// Of links upon white: `#rrggbb`.
    pub link_colour: String,
}

impl ShopFacts {
    /// Where customers write to, as it stands behind `mailto:`.
    #[must_use]
    pub fn mailbox(&self) -> String {
        mailbox(&self.email)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Colour([u8; 3]);

impl Shop {
    /// What templates know of the shop.
    #[must_use]
    pub fn facts(&self) -> ShopFacts {
        let colour = self.colour.as_deref().and_then(Colour::read).unwrap_or(COLOUR);
        let links = if colour.contrast_to(1.0) >= READABLE {
            colour
        } else {
            COLOUR
        };
        ShopFacts {
            name: line(&self.name, LONGEST).unwrap_or_default(),
            url: self.url.as_deref().and_then(web_address),
            email: line(&self.support_email, LONGEST).unwrap_or_default(),
            logo: self.logo_url.as_deref().and_then(web_address),
            address: self.address.as_deref().and_then(|address| line(address, LONGEST)),
            colour: colour.code(),
            on_colour: if colour.contrast_to(1.0) >= colour.contrast_to(0.0) {
                "#ffffff"
            } else {
                "#000000"
            },
            link_colour: links.code(),
        }
    }
}

impl Colour {
    /// Reads `#rrggbb`.
    fn read(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let part = |from: usize| u8::from_str_radix(digits.get(from..from + 2)?, 16).ok();
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    fn code(self) -> String {
        let Self([red, green, blue]) = self;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// The contrast to a grey of that luminance, 0 for black and 1 for white (WCAG 2.2, "contrast ratio").
    fn contrast_to(self, luminance: f64) -> f64 {
        let [red, green, blue] = self.0.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        });
        let ours = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
        (ours.max(luminance) + 0.05) / (ours.min(luminance) + 0.05)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(colour: &str) -> ShopFacts {
        let shop = Shop {
            name: "Shop".to_owned(),
            url: None,
            support_email: "help@shop.example".to_owned(),
            logo_url: Some("javascript:alert(1)".to_owned()),
            colour: Some(colour.to_owned()),
            address: None,
        };
        shop.facts()
    }

    #[test]
    fn letters_on_the_shops_colour_can_be_read() {
        assert_eq!(facts("#1A7F37").on_colour, "#ffffff");
        assert_eq!(facts("#ffd400").on_colour, "#000000");
    }

    #[test]
    fn links_are_in_the_shops_colour_if_that_can_be_read_on_white() {
        assert_eq!(facts("#1A7F37").link_colour, "#1a7f37");
        assert_eq!(facts("#ffd400").link_colour, COLOUR.code());
    }

    #[test]
    fn what_is_no_colour_and_what_is_no_image_is_left_out() {
        let facts = facts("red;}");
        assert_eq!((facts.colour, facts.logo), (COLOUR.code(), None));
    }

    #[test]
    fn our_own_colour_can_be_read() {
        assert!(COLOUR.contrast_to(1.0) >= READABLE);
    }
}
