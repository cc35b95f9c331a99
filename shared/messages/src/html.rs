//! Words as they stand in HTML, and addresses that may stand in a link.

use std::borrow::Cow;

/// A text without the characters that reorder what follows them (Unicode Standard Annex 9, sections 2.1 to 2.4).
pub(crate) fn without_bidi_controls(text: &str) -> Cow<'_, str> {
    let reorders = |c: char| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    match text.contains(reorders) {
        true => text.replace(reorders, "").into(),
        false => text.into(),
    }
}

/// A text with letters that run from right to left keeps its own direction inside a sentence of another one.
pub(crate) fn isolated_where_needed(text: String) -> String {
    match text.chars().any(runs_from_right) {
        true => format!("\u{2068}{text}\u{2069}"),
        false => text,
    }
}

/// The blocks of the scripts that are written from right to left (Unicode Standard, `DerivedBidiClass.txt`, classes R and AL).
const fn runs_from_right(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8FF}' | '\u{200F}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

/// Escaped for HTML, for text and for attributes in quotes; what was isolated stands in `<bdi>`.
///
/// A slash stays a slash, since link trackers read addresses as they are written.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    let written: Result<(), std::convert::Infallible> = escape_into(text, |part| {
        html.push_str(part);
        Ok(())
    });
    match written {
        Ok(()) => html,
    }
}

/// The same, part by part: most texts have nothing to escape and are written as they are.
pub(crate) fn escape_into<E>(text: &str, mut write: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    let mut rest = text;
    while let Some((place, c)) = rest.char_indices().find(|(_, c)| instead_of(*c).is_some()) {
        let (before, after) = rest.split_at(place);
        write(before)?;
        write(instead_of(c).unwrap_or_default())?;
        rest = after.get(c.len_utf8()..).unwrap_or_default();
    }
    write(rest)
}

const fn instead_of(c: char) -> Option<&'static str> {
    match c {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        '"' => Some("&quot;"),
        '\'' => Some("&#39;"),
        '\u{2068}' => Some("<bdi>"),
        '\u{2069}' => Some("</bdi>"),
        _ => None,
    }
}

/// Longer addresses are no links: mail programs cut them, and they would fill the message.
const LONGEST_ADDRESS: usize = 2_000;

/// The address when it is one that a browser opens as a page: http or https, a host without a user before it, and nothing in it
/// that browsers drop or read otherwise than it looks. Letters beyond ASCII, quotes and angle brackets behind the host are
/// percent-encoded, as browsers send them (RFC 3987, section 3.1), so that no channel changes or cuts them.
pub(crate) fn web_address(url: &str) -> Option<String> {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let is_host = host.starts_with(|c: char| c.is_alphanumeric() || c == '[')
        && host
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']'));
    let is_clean = |c: char| !c.is_whitespace() && !c.is_control() && c != '\\';
    if !is_web || !is_host || !path.chars().all(is_clean) {
        return None;
    }
    let address = format!(
        "{scheme}://{host}{}",
        percent_encoded(path, |c| c.is_ascii() && !matches!(c, '"' | '<' | '>' | '`'))
    );
    (address.len() <= LONGEST_ADDRESS).then_some(address)
}

/// The address of a mailbox as it stands behind `mailto:` (RFC 6068): nothing in it can add another recipient or a subject.
pub(crate) fn mailbox(address: &str) -> String {
    let stays = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+' | '~');
    percent_encoded(&without_bidi_controls(address), stays)
}

fn percent_encoded(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        if stays(c) {
            encoded.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_isolated_keeps_its_direction_in_html() {
        let name = isolated_where_needed("<שרה>".to_owned());
        assert_eq!(escaped(&format!("Hello, {name}!")), "Hello, <bdi>&lt;שרה&gt;</bdi>!");
    }

    #[test]
    fn a_link_leads_to_a_web_page_or_nowhere() {
        assert!(web_address(" https://shop.example/a?b=c ").is_some());
        for url in [
            "javascript://%0aalert(1)",
            "javascript:alert(1)",
            "data:text/html,x",
            "shop.example",
            "https://",
            "https://a b",
            "https:///evil.example",
            "https://shop.example@evil.example/",
            "https://shop.example\\@evil.example/",
            "https://shop.example\"><b>",
            "https://shop\u{202E}.example/",
            "https://shop\u{200B}.example/",
        ] {
            assert_eq!(web_address(url), None, "{url}");
        }
        assert_eq!(
            web_address(&format!("https://shop.example/{}", "a".repeat(LONGEST_ADDRESS))),
            None
        );
    }

    #[test]
    fn what_cannot_be_seen_in_an_address_is_encoded() {
        assert_eq!(
            web_address("https://tienda.example/otoño\u{202E}\u{2068}").as_deref(),
            Some("https://tienda.example/oto%C3%B1o%E2%80%AE%E2%81%A8")
        );
        assert_eq!(
            web_address("https://shop.example/\"><b>").as_deref(),
            Some("https://shop.example/%22%3E%3Cb%3E")
        );
    }

    #[test]
    fn a_mailbox_is_nothing_but_a_mailbox() {
        assert_eq!(mailbox("help+es@shop.example"), "help+es@shop.example");
        assert_eq!(
            mailbox("a@b.example?bcc=c@d.example&x"),
            "a@b.example%3Fbcc%3Dc@d.example%26x"
        );
        assert_eq!(mailbox("\u{2068}ש@shop.example\u{2069}"), "%D7%A9@shop.example");
    }
}
