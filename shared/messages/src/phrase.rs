//! What words may do besides speaking: ask whether something is there, and name it. Nothing else.
//!
//! Words can be a shop's own, written by whoever may write them. A loop, a product or a call could fill the memory of a function
//! or keep it busy until it is stopped, so that there are none: what is not named here is refused, whether it was checked or not.

/// What words may do besides speaking.
const TAGS: [&str; 4] = ["if", "elif", "else", "endif"];

/// What may be done to a value.
const FILTERS: [&str; 3] = ["plural", "upper", "lower"];

/// Words of the expressions themselves, behind which a bracket may open.
const OPERATORS: [&str; 9] = ["if", "elif", "else", "and", "or", "not", "in", "is", "none"];

/// Longer words are no message.
const LONGEST: usize = 4_000;

/// More conditions inside each other, or in a row, than anybody can read.
const MOST_TAGS: usize = 100;

/// One expression with more parts than this is none that a person wrote.
const MOST_PARTS: usize = 100;

/// Stops at words that are too long, and at characters that reorder what is written around them.
///
/// # Errors
///
/// What is wrong with them.
pub(crate) fn check_words(source: &str) -> Result<(), String> {
    if source.chars().count() > LONGEST {
        return Err(format!("expected at most {LONGEST} letters"));
    }
    if crate::html::without_bidi_controls(source) != source {
        return Err("expected no characters that reorder others".to_owned());
    }
    if source.matches("{%").count() > MOST_TAGS {
        return Err(format!("expected at most {MOST_TAGS} tags"));
    }
    Ok(())
}

/// Stops at a tag that words may not use.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn check_tag(code: &str) -> Result<(), String> {
    let code = trimmed(code);
    let name = code.split_whitespace().next().unwrap_or_default();
    match TAGS.contains(&name) {
        true => check_expression(code),
        false => Err(format!("expected no tags but {}, found {name}", TAGS.join(", "))),
    }
}

/// Stops at everything in an expression but names, texts, numbers, comparisons and our filters.
///
/// # Errors
///
/// What is wrong with it.
pub(crate) fn check_expression(code: &str) -> Result<(), String> {
    let mut rest = trimmed(code);
    let (mut last, mut parts) = ("", 0);
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' | '"' => text_length(rest, first)?,
            '(' if is_callable(last) => {
                return Err(format!("expected no functions, found {last}()"));
            }
            '.' | ',' | '=' | '<' | '>' | '[' | ']' | '(' | ')' | '|' => 1,
            '!' if rest.starts_with("!=") => 2,
            c if c.is_ascii_alphanumeric() || c == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                end.unwrap_or(rest.len())
            }
            other => return Err(format!("expected no {other} in an expression")),
        };
        let (part, after) = rest.split_at(length);
        if last == "|" && !FILTERS.contains(&part) {
            return Err(format!("expected no filters but {}, found {part}", FILTERS.join(", ")));
        }
        last = part;
        rest = after.trim_start();
        parts += 1;
        if parts > MOST_PARTS {
            return Err(format!("expected at most {MOST_PARTS} parts in an expression"));
        }
    }
    Ok(())
}

/// Without the blanks and dashes at the ends, which belong to the tag.
fn trimmed(code: &str) -> &str {
    let code = code.strip_prefix(['-', '+']).unwrap_or(code);
    code.strip_suffix(['-', '+']).unwrap_or(code).trim()
}

/// Whether a bracket behind this part calls it.
fn is_callable(part: &str) -> bool {
    let is_known = FILTERS.contains(&part) || OPERATORS.contains(&part);
    !is_known && part.ends_with(|c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ')' | ']' | '"' | '\''))
}

/// How long a text in quotes is, with its quotes.
fn text_length(code: &str, quote: char) -> Result<usize, String> {
    let inside = code.get(1..).unwrap_or_default();
    let end = inside
        .find(quote)
        .ok_or_else(|| format!("expected {quote} at the end of a text"))?;
    let text = inside.get(..end).unwrap_or_default();
    if text.contains('\\') {
        return Err("expected no \\ in a text".to_owned());
    }
    // Other words would be put into the text, with quotes of their own.
    if text.contains("words.") {
        return Err("expected no words. in a text".to_owned());
    }
    Ok(end + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_and_naming_are_allowed() {
        for code in [
            " order.id ",
            "- name -",
            "campaign.body[0]",
            "order.more|plural(one=\"line\", other='lines')",
            " parcel.carrier or \"the carrier\" ",
            "a if (b or c) and not (d) else e",
            "status in [\"shipped\", 'delayed']",
            "product.stock == \"1\"",
            "parcel.count >= 2 != false",
            "name is none",
        ] {
            assert_eq!(check_expression(code), Ok(()), "{code}");
        }
        assert_eq!(check_tag("- if name -"), Ok(()));
    }

    #[test]
    fn everything_else_is_refused() {
        for (code, why) in [
            ("\"x\" * 1000000000", "no * in an expression"),
            ("1 + 1", "no + in an expression"),
            ("a ~ b", "no ~ in an expression"),
            ("range(10)", "found range()"),
            ("debug ()", "found debug()"),
            ("self.body()", "found body()"),
            ("\"x\"(1)", "no functions"),
            ("name|safe", "found safe"),
            ("name | nobody", "found nobody"),
            ("name[1:]", "no : in an expression"),
            ("{\"a\"", "no { in an expression"),
            ("\"open", "expected \" at the end"),
            ("\"\\u2068\"", "no \\ in a text"),
            ("имя", "no и in an expression"),
        ] {
            let problem = check_expression(code);
            assert!(
                problem.as_ref().is_err_and(|problem| problem.contains(why)),
                "{code}: {problem:?}"
            );
        }
        for tag in [
            "for x in order.items",
            "set x = 1",
            "include \"x\"",
            "macro x()",
            "autoescape false",
            "",
            "raw",
        ] {
            assert!(check_tag(tag).is_err(), "{tag}");
        }
    }

    #[test]
    fn words_without_end_are_refused() {
        assert!(check_words(&"a".repeat(LONGEST + 1)).is_err());
        assert!(check_words(&"{% if a %}".repeat(MOST_TAGS + 1)).is_err());
        assert!(check_words("a\u{2068}b").is_err());
        assert!(check_expression(&"not ".repeat(MOST_PARTS + 1)).is_err());
    }
}
