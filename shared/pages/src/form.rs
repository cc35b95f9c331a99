//! What a browser sends: the fields of a form, and what they say of choices.

use domain::{Channel, Language, Zone};

use crate::choices::{Choices, WrongHours};

/// Fields in the order in which they came; a name may come more than once.
pub(crate) type Fields = Vec<(String, String)>;

/// A form of preferences, read onto what was in force when it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Form {
    /// Which state of the preferences its page showed.
    pub(crate) revision: Option<String>,
    /// What is chosen. A field that did not come stays as it was, so that a form that was cut off switches nothing off.
    pub(crate) choices: Choices,
    /// What cannot be read, in the order of the page.
    pub(crate) problems: Vec<Problem>,
}

/// A field that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The id of the field on the page.
    pub(crate) id: String,
    /// The key of what is to be said of it.
    pub(crate) word: &'static str,
}

/// Longer texts in a field are cut before they are shown again.
const LONGEST_SHOWN: usize = 20;

/// The fields of a body, in either of the two forms that browsers and mail providers use (RFC 8058, section 3.1); what has neither is taken
/// as the first.
pub(crate) fn fields(content_type: &str, body: &[u8]) -> Fields {
    match boundary_of(content_type) {
        Some(boundary) => parts(&boundary, body),
        None => form_urlencoded::parse(body).into_owned().collect(),
    }
}

/// The last of the values that came under a name.
pub(crate) fn value<'f>(fields: &'f Fields, name: &str) -> Option<&'f str> {
    let of_name = |(found, _): &&(String, String)| found.eq_ignore_ascii_case(name);
    fields.iter().rev().find(of_name).map(|(_, value)| value.as_str())
}

fn boundary_of(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    let is_multipart = kind.trim().eq_ignore_ascii_case("multipart/form-data");
    let boundary = parameter(parameters, "boundary")?;
    (is_multipart && !boundary.is_empty()).then_some(boundary)
}

/// The value of `name=value` or `name="value"` among parameters.
fn parameter(parameters: &str, name: &str) -> Option<String> {
    parameters.split(';').find_map(|parameter| {
        let (found, value) = parameter.split_once('=')?;
        let is_it = found.trim().eq_ignore_ascii_case(name);
        is_it.then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The fields of a body in parts (RFC 7578). A part that is none is left out.
fn parts(boundary: &str, body: &[u8]) -> Fields {
    let text = String::from_utf8_lossy(body);
    let delimiter = format!("--{boundary}");
    let part = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n").or_else(|| part.split_once("\n\n"))?;
        let disposition = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_it = name.trim().eq_ignore_ascii_case("content-disposition");
            is_it.then_some(value)
        })?;
        let value = value.strip_suffix('\n').unwrap_or(value);
        let value = value.strip_suffix('\r').unwrap_or(value);
        Some((parameter(disposition, "name")?, value.to_owned()))
    };
    text.split(&delimiter).skip(1).filter_map(part).collect()
}

impl Form {
    /// What these fields say, where this was in force. Fields of which the page knows nothing say nothing.
    pub(crate) fn read(fields: &Fields, in_force: &Choices) -> Self {
        let mut form = Self {
            revision: value(fields, "revision").map(str::to_owned),
            choices: in_force.clone(),
            problems: Vec::new(),
        };
        for channel in Channel::OFFERED {
            match value(fields, &format!("all.{channel}")) {
                None | Some("each") => {}
                Some("all") => form.put_at_once(channel, true),
                Some("none") => form.put_at_once(channel, false),
                Some(_) => form.problem(format!("all-{channel}"), "wrong_box"),
            }
        }
        let mut wrong_rows = Vec::new();
        for ((channel, topic), is_on) in &mut form.choices.boxes {
            match value(fields, &format!("{channel}.{topic}")) {
                None => {}
                Some("on") => *is_on = true,
                Some("off") => *is_on = false,
                Some(_) => wrong_rows.push(*topic),
            }
        }
        for topic in crate::groups::choosable().filter(|topic| wrong_rows.contains(topic)) {
            form.problem(id_of(&topic.to_string()), "wrong_box");
        }
        match value(fields, "language").map(|code| Language::ALL.into_iter().find(|known| known.code() == code)) {
            None => {}
            Some(Some(language)) => form.choices.language = language,
            Some(None) => form.problem("language".to_owned(), "wrong_language"),
        }
        match value(fields, "timezone").map(Zone::try_from) {
            None => {}
            Some(Ok(zone)) => form.choices.zone = zone,
            Some(Err(_unknown)) => form.problem("timezone".to_owned(), "wrong_zone"),
        }
        form.read_quiet_hours(fields);
        form
    }

    fn read_quiet_hours(&mut self, fields: &Fields) {
        let typed = |name| value(fields, name).map(|text| text.chars().take(LONGEST_SHOWN).collect::<String>());
        let quiet = &mut self.choices.quiet;
        let is_on = value(fields, "quiet");
        let (start, end) = (typed("quiet-start"), typed("quiet-end"));
        quiet.is_on = match is_on {
            None => quiet.is_on,
            Some(word) => word == "on",
        };
        if quiet.is_on {
            quiet.start = start.unwrap_or_else(|| quiet.start.clone());
            quiet.end = end.unwrap_or_else(|| quiet.end.clone());
        }
        let wrong = quiet.hours().err();
        if is_on.is_some_and(|word| !matches!(word, "on" | "off")) {
            self.problem("quiet".to_owned(), "wrong_box");
        }
        match wrong {
            None => {}
            Some(WrongHours::Start) => {
                self.problem("quiet-start".to_owned(), "wrong_time");
                if domain::QuietHours::between("00:00", &self.choices.quiet.end).is_err() {
                    self.problem("quiet-end".to_owned(), "wrong_time");
                }
            }
            Some(WrongHours::End) => self.problem("quiet-end".to_owned(), "wrong_time"),
            Some(WrongHours::Same) => self.problem("quiet-end".to_owned(), "wrong_same_times"),
        }
    }

    fn put_at_once(&mut self, channel: Channel, choice: bool) {
        self.choices.at_once.insert(channel, choice);
    }

    fn problem(&mut self, id: String, word: &'static str) {
        self.problems.push(Problem { id, word });
    }
}

/// The id of an element from the name of a field.
pub(crate) fn id_of(name: &str) -> String {
    name.replace(['.', '_'], "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choices::tests::{any_preferences, defaults};
    use domain::{Preferences, Topic};
    use proptest::prelude::*;

    fn owned(fields: &[(&str, &str)]) -> Fields {
        fields
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn in_force() -> Choices {
        Choices::of(&Preferences::default(), &defaults())
    }

    #[test]
    fn one_click_is_read_in_both_forms_that_the_standard_names() {
        let expected = owned(&[("List-Unsubscribe", "One-Click")]);
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(fields(form, b"List-Unsubscribe=One-Click"), expected);
        assert_eq!(fields("", b"List-Unsubscribe=One-Click"), expected);
        let parts = b"--FormBoundaryjWmhtjORrn\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--FormBoundaryjWmhtjORrn--\r\n";
        for content_type in [
            "multipart/form-data; boundary=FormBoundaryjWmhtjORrn",
            "Multipart/Form-Data;charset=utf-8; BOUNDARY=\"FormBoundaryjWmhtjORrn\"",
        ] {
            assert_eq!(fields(content_type, parts), expected, "{content_type}");
        }
    }

    #[test]
    fn a_form_that_was_cut_off_switches_nothing_off() {
        let form = Form::read(&owned(&[("revision", "1")]), &in_force());
        assert_eq!((form.choices, form.problems), (in_force(), vec![]));
    }

    #[test]
    fn what_cannot_be_read_is_told_by_its_field_and_the_rest_is_kept() {
        let form = Form::read(
            &owned(&[
                ("email.promotional", "on"),
                ("sms.promotional", "perhaps"),
                ("all.sms", "some"),
                ("language", "fr"),
                ("timezone", "Mars/Olympus"),
                ("quiet", "on"),
                ("quiet-start", "quarter past ten in the evening"),
                ("quiet-end", "24:00"),
            ]),
            &in_force(),
        );
        let told: Vec<(&str, &str)> = form.problems.iter().map(|one| (one.id.as_str(), one.word)).collect();
        let expected = [
            ("all-sms", "wrong_box"),
            ("promotional", "wrong_box"),
            ("language", "wrong_language"),
            ("timezone", "wrong_zone"),
            ("quiet-start", "wrong_time"),
            ("quiet-end", "wrong_time"),
        ];
        assert_eq!(told, expected);
        assert!(form.choices.boxes[&(Channel::Email, Topic::from_name("promotional").unwrap())]);
        assert_eq!(form.choices.quiet.start, "quarter past ten in ");
    }

    #[test]
    fn what_must_be_sent_is_no_field() {
        let off = owned(&[("email.order_confirmation", "off"), ("push.promotional", "on")]);
        assert_eq!(Form::read(&off, &in_force()).choices, in_force());
    }

    #[test]
    fn times_that_nobody_wants_need_not_be_times() {
        let form = Form::read(&owned(&[("quiet", "off"), ("quiet-start", "x")]), &in_force());
        assert_eq!(form.problems, []);
        assert!(!form.choices.quiet.is_on);
    }

    /// Bodies that look like forms, and some that do not.
    fn any_body() -> impl Strategy<Value = Vec<u8>> {
        let name = prop_oneof![
            proptest::sample::select(vec![
                "email.promotional",
                "sms.order_status_update.shipped",
                "email.order_confirmation",
                "all.sms",
                "all.email",
                "language",
                "timezone",
                "quiet",
                "quiet-start",
                "quiet-end",
                "revision",
                "undo",
                "List-Unsubscribe",
            ])
            .prop_map(str::to_owned),
            ".{0,12}",
        ];
        let value = prop_oneof![
            proptest::sample::select(vec![
                "on", "off", "all", "none", "each", "ru", "UTC", "22:00", "1:2:3", "default"
            ])
            .prop_map(str::to_owned),
            ".{0,20}",
        ];
        let form = proptest::collection::vec((name, value), 0..12).prop_map(|pairs| {
            let mut text = form_urlencoded::Serializer::new(String::new());
            text.extend_pairs(pairs);
            text.finish().into_bytes()
        });
        prop_oneof![4 => form, 1 => proptest::collection::vec(any::<u8>(), 0..300)]
    }

    proptest! {
        #[test]
        fn no_body_panics_or_writes_what_must_be_sent_or_a_half(
            stored in any_preferences(),
            body in any_body(),
            content_type in prop_oneof!["multipart/form-data; ?boundary=.{0,3}", Just(String::new())],
        ) {
            let form = Form::read(&fields(&content_type, &body), &Choices::of(&stored, &defaults()));
            let next = form.choices.onto(&stored, &defaults());
            for topic in crate::groups::ALWAYS {
                for channel in Channel::ALL {
                    prop_assert_eq!(next.choice(channel, topic), stored.choice(channel, topic));
                }
            }
            prop_assert_eq!((next.email, next.phone, next.phone_verified), (stored.email, stored.phone, stored.phone_verified));
        }
    }
}
