//! What a text message takes, for people.

use messages::RenderedSms;

/// How a text message travels: `GSM-7 · 1 segment · 112 of 160`.
pub(crate) fn size(sms: &RenderedSms) -> String {
    let plural = if sms.segments == 1 { "" } else { "s" };
    let (taken, room) = (sms.encoding.units(&sms.text), sms.encoding.room(sms.segments));
    let cut = if sms.is_cut { " · its end is cut off" } else { "" };
    format!(
        "{} · {} segment{plural} · {taken} of {room}{cut}",
        sms.encoding, sms.segments
    )
}

#[cfg(test)]
pub(crate) fn text_message(text: &str) -> RenderedSms {
    let encoding = domain::SmsEncoding::of(text);
    let origin = messages::Origin {
        language: domain::Language::En,
        template: "1".to_owned(),
        broken: None,
    };
    RenderedSms {
        text: text.to_owned(),
        encoding,
        segments: encoding.segments(text),
        is_cut: false,
        origin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_text_message_counts_what_it_takes() {
        assert_eq!(size(&text_message("5 €")), "GSM-7 · 1 segment · 4 of 160");
        assert_eq!(size(&text_message("Привет")), "UCS-2 · 1 segment · 6 of 70");
        assert_eq!(size(&text_message(&"a".repeat(161))), "GSM-7 · 2 segments · 161 of 306");
    }

    #[test]
    fn a_text_message_that_is_cut_says_so() {
        let sms = RenderedSms {
            is_cut: true,
            ..text_message("Hello...")
        };
        assert_eq!(size(&sms), "GSM-7 · 1 segment · 8 of 160 · its end is cut off");
    }
}
