//! Words as they stand in HTML, and addresses that may stand in a link.

/// A text without the characters that reorder what follows them (Unicode Standard Annex 9, sections 2.1 to 2.4).
pub(crate) fn without_bidi_controls(text: &str) -> String {
    text.chars()
        .filter(|c| !matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}'))
        .collect()
}

/// A text that keeps its own direction inside a sentence of another one.
pub(crate) fn isolated(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}

/// Escaped for HTML, for text and for attributes in quotes; what was isolated stands in `<bdi>`.
///
/// A slash stays a slash, since link trackers read addresses as they are written.
pub(crate) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\u{2068}' => html.push_str("<bdi>"),
            '\u{2069}' => html.push_str("</bdi>"),
            _ => html.push(c),
        }
    }
    html
}

/// The address when it is one that a browser opens as a page: http or https, and no blanks.
pub(crate) fn web_address(url: &str) -> Option<String> {
    let url = url.trim();
    let (scheme, rest) = url.split_once("://")?;
    let is_web = scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http");
    let is_clean = !rest.is_empty() && !rest.chars().any(|c| c.is_whitespace() || c.is_control());
    (is_web && is_clean).then(|| url.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_isolated_keeps_its_direction_in_html() {
        let name = isolated("<שרה>");
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
        ] {
            assert_eq!(web_address(url), None, "{url}");
        }
    }
}
