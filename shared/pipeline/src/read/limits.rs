//! Limits that hold before a parser sees a byte.

use crate::read::Refusal;

/// SNS takes no larger message (Amazon SNS quotas), so that none of ours is larger.
pub(crate) const MAX_BYTES: usize = 256 * 1024;

/// Inside an envelope a message is a string of JSON, in which a character may take twice its room, and more.
pub(crate) const MAX_ENVELOPE_BYTES: usize = 1024 * 1024;

/// No event that we know nests deeper than five; what nests deeper than this was made to hurt a parser.
pub(crate) const MAX_DEPTH: usize = 32;

/// Refuses a text that is larger than this many bytes, or nests too deep, to be an event.
pub(crate) fn check(text: &str, max_bytes: usize) -> Result<(), Refusal> {
    if text.len() > max_bytes {
        return Err(Refusal::one(
            "message",
            format!("expected at most {max_bytes} bytes, got {}", text.len()),
        ));
    }
    if depth(text) > MAX_DEPTH {
        return Err(Refusal::one(
            "message",
            format!("expected at most {MAX_DEPTH} levels of nesting"),
        ));
    }
    Ok(())
}

/// How deep brackets nest outside of strings.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_inside_strings_do_not_nest() {
        assert_eq!(depth(r#"{"a":"[[[\"[[","b":[1]}"#), 2);
    }

    #[test]
    fn a_tower_of_brackets_is_refused_before_parsing() {
        let refusal = check(&"[".repeat(200_000), MAX_BYTES).unwrap_err();
        assert_eq!(refusal.to_string(), "message: expected at most 32 levels of nesting");
    }

    #[test]
    fn a_message_that_sns_would_not_take_is_refused() {
        assert!(check(&" ".repeat(MAX_BYTES + 1), MAX_BYTES).is_err());
    }
}
