//! The line that a mail program shows behind the subject, read back from the HTML in which it is hidden.

/// The text of the first hidden element; none where there is no such element.
pub(crate) fn preheader(html: &str) -> Option<String> {
    let (_, body) = html.split_once("<body")?;
    let (_, hidden) = body.split_once("<div style=\"display:none")?;
    let (_, text) = hidden.split_once('>')?;
    let (text, _) = text.split_once("</div>")?;
    Some(plain(text.trim()))
}

/// What stands there once the references that the templates write are read. `&amp;` comes last, so that nothing is read twice.
fn plain(text: &str) -> String {
    const REFERENCES: [(&str, &str); 7] = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&nbsp;", "\u{a0}"),
        ("&amp;", "&"),
    ];
    let mut plain = text.to_owned();
    for (reference, letter) in REFERENCES {
        plain = plain.replace(reference, letter);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preheader_is_the_hidden_text() {
        let html =
            "<html><body class=\"x\"><div style=\"display:none;font-size:1px\">Tom &amp;lt; Ana&#x27;s</div><p>no</p>";
        assert_eq!(preheader(html).as_deref(), Some("Tom &lt; Ana's"));
    }

    #[test]
    fn an_email_without_one_has_none() {
        assert_eq!(preheader("<html><body><p>Hello</p>"), None);
    }
}
