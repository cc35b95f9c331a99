//! The files in which words are written: `[section]`, lines `key = text`, comments that begin with `#`.
//!
//! The build reads the built-in words with this, and the operator's tool reads overrides.

use std::collections::BTreeMap;

/// The texts of a file by section and key. What stands before the first section belongs to the section without a name.
pub type Texts = BTreeMap<(String, String), String>;

/// Reads a file. An indented line goes on with the text above it.
///
/// # Errors
///
/// The first line that cannot be read, by its number, and what was expected there.
pub fn read(text: &str) -> Result<Texts, String> {
    let mut texts = Texts::new();
    let mut section = String::new();
    let mut last: Option<(String, String)> = None;
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let told = |what: &str| format!("line {number}: {what}");
        if line.trim().is_empty() || line.starts_with('#') {
            last = None;
        } else if line.starts_with([' ', '\t']) {
            let text = last
                .as_ref()
                .and_then(|key| texts.get_mut(key))
                .ok_or_else(|| told("an indented line goes on with a text, and there is none above"))?;
            go_on(text, line.trim());
        } else if let Some(name) = line.trim().strip_prefix('[') {
            name.strip_suffix(']')
                .ok_or_else(|| told("expected [section]"))?
                .clone_into(&mut section);
            last = None;
        } else {
            let (key, text) = line.split_once('=').ok_or_else(|| told("expected key = text"))?;
            if key.trim().is_empty() {
                return Err(told("expected a key before ="));
            }
            let key = (section.clone(), key.trim().to_owned());
            if texts.insert(key.clone(), text.trim().to_owned()).is_some() {
                return Err(told(&format!("{} is there already", key.1)));
            }
            last = Some(key);
        }
    }
    Ok(texts)
}

/// What ends a condition belongs to the word before; everything else is another word.
fn go_on(text: &mut String, more: &str) {
    let ends_a_condition = ["{% elif", "{% else", "{% endif"]
        .iter()
        .any(|tag| more.starts_with(tag));
    if !text.is_empty() && !ends_a_condition {
        text.push(' ');
    }
    text.push_str(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_on_in_indented_lines() {
        let texts = read("# why\nsubject = {% if day %}Today\n    {% else %}Soon\n    {% endif %}\n    or later\n\n[a]\nlead=b = c\nnext =\n").unwrap();
        let expected = [
            (("", "subject"), "{% if day %}Today{% else %}Soon{% endif %} or later"),
            (("a", "lead"), "b = c"),
            (("a", "next"), ""),
        ];
        assert!(
            texts
                .iter()
                .map(|((section, key), text)| ((section.as_str(), key.as_str()), text.as_str()))
                .eq(expected),
            "{texts:?}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_line() {
        for (text, problem) in [
            ("a = 1\nb", "line 2: expected key = text"),
            ("  a", "line 1: an indented line"),
            ("[a", "line 1: expected [section]"),
            ("a = 1\na = 2", "line 2: a is there already"),
            (" = 1", "line 1: an indented line"),
            ("= 1", "line 1: expected a key before ="),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(problem), "{told}");
        }
    }
}
