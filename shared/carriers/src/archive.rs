//! What is archived of a message: its bytes, unless they tell of people or hold a secret.

use serde_json::Value;
use std::borrow::Cow;

/// The body without the values under these names, wherever they stand; to the byte where there are none, or where it is no JSON.
pub(crate) fn without<'b>(body: &'b [u8], names: &[&str]) -> Cow<'b, [u8]> {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return Cow::Borrowed(body);
    };
    match redact(&mut value, names) {
        true => Cow::Owned(value.to_string().into_bytes()),
        false => Cow::Borrowed(body),
    }
}

/// Whether anything was taken out. The parser's bound on nesting, 128, bounds this too.
fn redact(value: &mut Value, names: &[&str]) -> bool {
    let mut any = false;
    if let Value::Array(elements) = value {
        for element in elements {
            any |= redact(element, names);
        }
    } else if let Value::Object(fields) = value {
        for (name, field) in fields {
            if !names.contains(&name.as_str()) {
                any |= redact(field, names);
            } else if says_anything(field) {
                *field = Value::Null;
                any = true;
            }
        }
    }
    any
}

fn says_anything(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => elements.iter().any(says_anything),
        Value::Object(fields) => fields.values().any(says_anything),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_out_wherever_they_stand() {
        // One field after the other by name, because fields may come back in that order.
        let body = br#"{"a":[{"code":1234567890123456789012,"signedBy":"Ana"}]}"#;
        let kept = without(body, &["signedBy"]);
        assert_eq!(&*kept, br#"{"a":[{"code":1234567890123456789012,"signedBy":null}]}"#);
    }

    #[test]
    fn a_body_that_names_nobody_stays_as_it_is_to_the_byte() {
        for body in [
            &b"{ \"signedBy\": \"\", \"x\": [ \"\" ] }"[..],
            b"no JSON: Ana",
            b"[1.0]",
        ] {
            assert!(matches!(without(body, &["signedBy", "x"]), Cow::Borrowed(kept) if kept == body));
        }
    }
}
