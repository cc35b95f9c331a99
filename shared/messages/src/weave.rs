//! Weaving: the words of a language are put into a structure once, before it is compiled, so that a message is one template.
//!
//! A structure says `{{ words.lead }}`; the words say `Hello {{ name }},`. Woven, the structure says `Hello {{ name }},`.
//! Words are plain text: what is markup in them is escaped here, and what they take from the facts is escaped when it is
//! rendered. Words that stand inside an expression (`words.lead|wrapped`) become a variable that is set before.

use crate::{
    html,
    phrase::{check_expression, check_tag, check_words},
};

/// Words may use other words, but not without end.
const DEEPEST: usize = 8;

/// All words of a message together, each as often as it is used: words that use others many times grow without end, too.
const MOST_BYTES: usize = 64 * 1024;

/// What the woven text will be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// HTML, in which literal words are escaped.
    Html,
    /// Plain text.
    Text,
}

/// A piece of a template.
enum Piece<'t> {
    Text(&'t str),
    /// `{{ … }}`
    Value(&'t str),
    /// `{% … %}`
    Tag(&'t str),
}

/// Where an expression stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Value,
    Tag,
}

/// Looks up the source of words by key.
pub(crate) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The structure with its words in it.
///
/// # Errors
///
/// What is wrong with structure or words: a tag that is not closed, a key that nobody wrote, words that use each other in a circle.
pub(crate) fn woven(structure: &str, form: Form, words: Lookup<'_>) -> Result<String, String> {
    let mut weaver = Weaver {
        form,
        words,
        set: Vec::new(),
        before: String::new(),
        used: 0,
    };
    let body = weaver.structure(structure)?;
    Ok(weaver.before + &body)
}

/// One phrase on its own, with the words that it uses in it.
///
/// # Errors
///
/// As for [`woven`].
pub(crate) fn woven_phrase(phrase: &str, words: Lookup<'_>) -> Result<String, String> {
    let mut weaver = Weaver {
        form: Form::Text,
        words,
        set: Vec::new(),
        before: String::new(),
        used: 0,
    };
    let body = weaver.phrase(phrase, 0)?;
    Ok(weaver.before + &body)
}

struct Weaver<'a> {
    form: Form,
    words: Lookup<'a>,
    /// The keys whose variables are set before everything else.
    set: Vec<String>,
    before: String,
    /// How many bytes of words were used until now.
    used: usize,
}

impl Weaver<'_> {
    fn structure(&mut self, structure: &str) -> Result<String, String> {
        let mut out = String::with_capacity(structure.len());
        for piece in pieces(structure)? {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value(code) => match sole_key(code) {
                    Some(key) if self.is_inlined(key)? => {
                        let source = self.source(key)?;
                        out.push_str(&self.phrase(&source, 0)?);
                    }
                    Some(_) | None => {
                        let code = self.expression(code, Place::Value, 0)?;
                        out.push_str(&format!("{{{{{code}}}}}"));
                    }
                },
                Piece::Tag(code) => {
                    let code = self.expression(code, Place::Tag, 0)?;
                    out.push_str(&format!("{{%{code}%}}"));
                }
            }
        }
        Ok(out)
    }

    /// Whether these words stand in the text themselves. In plain text only literal ones do: the line breaks after a tag would go.
    fn is_inlined(&self, key: &str) -> Result<bool, String> {
        let is_set = self.set.iter().any(|known| known == key);
        Ok(!is_set && (self.form == Form::Html || is_literal(&self.source(key)?)))
    }

    /// Words as they stand in the woven text.
    fn phrase(&mut self, source: &str, depth: usize) -> Result<String, String> {
        if depth > DEEPEST {
            return Err("words use each other in a circle".to_owned());
        }
        check_words(source)?;
        self.use_up(source)?;
        let mut out = String::with_capacity(source.len());
        for piece in pieces(source)? {
            match piece {
                Piece::Text(text) => out.push_str(&self.literal(text)),
                Piece::Value(code) => match sole_key(code) {
                    Some(key) => {
                        let source = self.source(key)?;
                        out.push_str(&self.phrase(&source, depth + 1)?);
                    }
                    // What words took from an event is escaped already; a filter would let it be escaped once more.
                    None if code.contains("words.") && code.contains('|') => {
                        return Err("expected no filter on other words".to_owned());
                    }
                    None => {
                        check_expression(code)?;
                        let code = self.expression(code, Place::Value, depth)?;
                        out.push_str(&format!("{{{{{code}}}}}"));
                    }
                },
                Piece::Tag(code) => {
                    check_tag(code)?;
                    let code = self.expression(code, Place::Tag, depth)?;
                    out.push_str(&format!("{{%{code}%}}"));
                }
            }
        }
        Ok(out)
    }

    /// Text that stays text: neither markup, nor, together with what stands beside it, the beginning of a tag.
    fn literal(&self, text: &str) -> String {
        match self.form {
            Form::Html => html::escaped(text).replace('{', "&#123;"),
            Form::Text => text.replace('{', "{{ \"{\" }}"),
        }
    }

    /// An expression in which every `words.key` is a literal or a variable.
    fn expression(&mut self, code: &str, place: Place, depth: usize) -> Result<String, String> {
        let mut out = String::with_capacity(code.len());
        let mut rest = code;
        while let Some((before, after)) = rest.split_once("words.") {
            let end = after.find(|c: char| !is_name(c)).unwrap_or(after.len());
            let (key, after) = after.split_at(end);
            out.push_str(before);
            let source = self.source(key)?;
            if is_literal(&source) {
                check_words(&source)?;
                self.use_up(&source)?;
                let quoted = source.replace('\\', "\\\\").replace('"', "\\\"");
                out.push_str(&format!("\"{quoted}\""));
            } else {
                self.set(key, &source, depth)?;
                out.push_str(&format!("words_{key}"));
                // Words that are only blanks are no words. A value of HTML that went through a filter would be escaped once more.
                if place == Place::Tag || self.form == Form::Text {
                    out.push_str("|trim");
                }
            }
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn set(&mut self, key: &str, source: &str, depth: usize) -> Result<(), String> {
        if !self.set.iter().any(|known| known == key) {
            let text = self.phrase(source, depth + 1)?;
            self.set.push(key.to_owned());
            self.before
                .push_str(&format!("{{% set words_{key} %}}{text}{{% endset %}}"));
        }
        Ok(())
    }

    fn use_up(&mut self, source: &str) -> Result<(), String> {
        self.used += source.len() + 1;
        match self.used <= MOST_BYTES {
            true => Ok(()),
            false => Err(format!("expected at most {MOST_BYTES} bytes of words in a message")),
        }
    }

    fn source(&self, key: &str) -> Result<String, String> {
        (self.words)(key).ok_or_else(|| format!("there are no words {key}"))
    }
}

/// The key, where an expression is nothing but words.
fn sole_key(code: &str) -> Option<&str> {
    let key = code.trim().strip_prefix("words.")?;
    key.chars().all(is_name).then_some(key)
}

const fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn is_literal(source: &str) -> bool {
    !source.contains("{{") && !source.contains("{%") && !source.contains("{#")
}

fn pieces(source: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = source;
    while let Some(start) = rest.find('{') {
        let opening = rest.get(start..start + 2).unwrap_or_default();
        let (closing, is_value) = match opening {
            "{{" => ("}}", true),
            "{%" => ("%}", false),
            "{#" => return Err("expected no comments between words".to_owned()),
            _ => {
                let (text, after) = rest.split_at(start + 1);
                pieces.push(Piece::Text(text));
                rest = after;
                continue;
            }
        };
        let (text, after) = rest.split_at(start);
        let inside = after.get(2..).unwrap_or_default();
        let (code, after) = inside
            .split_once(closing)
            .ok_or_else(|| format!("expected {closing} after {opening}"))?;
        pieces.push(Piece::Text(text));
        pieces.push(if is_value { Piece::Value(code) } else { Piece::Tag(code) });
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(key: &str) -> Option<String> {
        let known = [
            ("hello", "Tom & {{ name }}"),
            ("label", "Say \"hi\""),
            ("nested", "{% if order %}{{ words.hello }}{% endif %}!"),
            ("circle", "{{ words.circle }}"),
            ("open", "{{ name"),
            ("half", "{"),
            ("loop", "{% for x in order.items %}x{% endfor %}"),
            ("million", "{{ words.thousand }}"),
            ("thousand", "{{ words.hundred }}{{ words.hundred }}"),
        ];
        if key == "hundred" {
            return Some("many words ".repeat(300));
        }
        known
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, text)| (*text).to_owned())
    }

    fn weave(structure: &str, form: Form) -> Result<String, String> {
        woven(structure, form, &words)
    }

    #[test]
    fn words_take_the_place_of_their_key() {
        assert_eq!(
            weave("<p>{{ words.hello }}</p>", Form::Html).unwrap(),
            "<p>Tom &amp; {{ name }}</p>"
        );
        assert_eq!(
            weave("{{ words.nested }}", Form::Html).unwrap(),
            "{% if order %}Tom &amp; {{ name }}{% endif %}!"
        );
    }

    #[test]
    fn words_inside_an_expression_are_set_before() {
        assert_eq!(
            weave("{{ words.hello|wrapped }} {% if words.hello %}x{% endif %}", Form::Text).unwrap(),
            "{% set words_hello %}Tom & {{ name }}{% endset %}{{ words_hello|trim|wrapped }} {% if words_hello|trim %}x{% endif %}"
        );
        assert_eq!(
            weave("{{ words.label|row(x) }}", Form::Text).unwrap(),
            "{{ \"Say \\\"hi\\\"\"|row(x) }}"
        );
    }

    #[test]
    fn a_brace_alone_is_text() {
        assert_eq!(weave("a { color } b", Form::Html).unwrap(), "a { color } b");
    }

    #[test]
    fn a_brace_in_words_begins_no_tag_with_what_stands_beside_it() {
        assert_eq!(
            weave("{{ words.half }}% if x %}", Form::Html).unwrap(),
            "&#123;% if x %}"
        );
        let text = weave("{{ words.half }}{{ words.half }}% if x %}", Form::Text).unwrap();
        assert_eq!(
            minijinja::Environment::new().render_str(&text, ()).unwrap(),
            "{{% if x %}"
        );
    }

    #[test]
    fn what_cannot_be_woven_says_why() {
        for (structure, why) in [
            ("{{ words.nobody }}", "there are no words nobody"),
            ("{{ words.circle }}", "circle"),
            ("{{ words.open }}", "expected }}"),
            ("{{ words.loop }}", "found for"),
            (&"{{ words.million }}".repeat(20), "bytes of words"),
        ] {
            assert!(weave(structure, Form::Html).unwrap_err().contains(why), "{structure}");
        }
    }
}
