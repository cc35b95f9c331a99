//! The text message with the code that shows that a number is the customer's own.

use domain::{Language, SmsEncoding, SmsSize};
use std::fmt;

use crate::{facts::seen, sms::simplified};

/// A text message with a code, ready to be sent.
///
/// `Debug` shows no letter of it, so that no code can slip into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneCodeSms {
    /// The text.
    pub text: String,
    /// How large it is.
    pub size: SmsSize,
}

impl fmt::Debug for PhoneCodeSms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneCodeSms")
            .field("text", &"…")
            .field("size", &self.size)
            .finish()
    }
}

/// The message that tells a code of six digits, which is good for ten minutes.
///
/// It is one segment; two where only the shop's name needs letters that GSM-7 lacks, so that every letter of the message counts
/// double. The name is cut where it would take more than that, and nothing else ever is.
///
/// The code is the first word: telephones look for a run of 4 to 10 letters and digits with a digit in it (Android,
/// "SMS User Consent API"), and names of shops can have one as well. The line `@shop.example #123456` is left out on purpose: with
/// it, a code is offered on pages of that domain only (Apple, "Enhance SMS-delivered code security with domain-bound codes"), and
/// where customers type it is the shop's affair.
#[must_use]
pub fn phone_code_sms(language: Language, code: &str, shop_name: &str) -> PhoneCodeSms {
    let name = seen(shop_name).map(|name| simplified(&name)).unwrap_or_default();
    let nameless = written(language, code, "");
    let fits = |text: &str| {
        let encoding = SmsEncoding::of(text);
        encoding.segments(text) <= encoding.segments(&nameless)
    };
    let mut text = written(language, code, &name);
    // No letter takes less than a septet, so that no name of which more could be told is longer than a segment.
    let mut kept: String = name.chars().take(160).collect();
    while !fits(&text) && kept.pop().is_some() {
        text = written(language, code, &format!("{}...", kept.trim_end()));
    }
    PhoneCodeSms {
        size: size_of(&text),
        text,
    }
}

fn written(language: Language, code: &str, name: &str) -> String {
    // Names are never declined. What stands between code and name says what it is a code for.
    let (what, of, rest) = match language {
        Language::Es => (
            "es tu código de verificación",
            "de",
            "Caduca en 10 minutos. No se lo digas a nadie.",
        ),
        Language::En => (
            "is your verification code",
            "for",
            "It expires in 10 minutes. Do not tell it to anyone.",
        ),
        Language::Ro => (
            "este codul dumneavoastră de verificare",
            "pentru",
            "Expiră în 10 minute. Nu îl spuneți nimănui.",
        ),
        // Of 70 letters these leave 15 for the name.
        Language::Ru => ("- код", "", "Действует 10 минут. Никому не сообщайте."),
    };
    let named = match name {
        "" => String::new(),
        name => format!(" {of} {name}"),
    };
    let stop = if named.ends_with('.') { "" } else { "." };
    simplified(&format!("{code} {what}{named}{stop} {rest}"))
}

fn size_of(text: &str) -> SmsSize {
    let encoding = SmsEncoding::of(text);
    SmsSize {
        encoding,
        segments: encoding.segments(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sms(language: Language, name: &str) -> PhoneCodeSms {
        phone_code_sms(language, "048213", name)
    }

    #[test]
    fn the_message_reads_as_agreed_in_every_language() {
        for (language, expected) in [
            (
                Language::Es,
                "048213 es tu codigo de verificacion de E-Com67. Caduca en 10 minutos. No se lo digas a nadie.",
            ),
            (
                Language::En,
                "048213 is your verification code for E-Com67. It expires in 10 minutes. Do not tell it to anyone.",
            ),
            (
                Language::Ro,
                "048213 este codul dumneavoastra de verificare pentru E-Com67. Expira in 10 minute. Nu il spuneti nimanui.",
            ),
            (
                Language::Ru,
                "048213 - код E-Com67. Действует 10 минут. Никому не сообщайте.",
            ),
        ] {
            let sms = sms(language, "E-Com67");
            let encoding = match language {
                Language::Ru => SmsEncoding::Ucs2,
                Language::Es | Language::En | Language::Ro => SmsEncoding::Gsm7,
            };
            assert_eq!(sms.text, expected);
            assert_eq!(sms.size, SmsSize { encoding, segments: 1 }, "{language}");
        }
    }

    #[test]
    fn a_long_name_is_cut_and_the_rest_is_not() {
        let name =
            "Zapatería y Complementos Hijos de Fernández de Córdoba y Castilla-Mendoza, Sociedad Limitada Unipersonal";
        let en = sms(Language::En, name).text;
        assert_eq!(
            en,
            "048213 is your verification code for Zapateria y Complementos Hijos de Fernandez de Cordoba y Castilla-Me... \
             It expires in 10 minutes. Do not tell it to anyone."
        );
        let ru = sms(Language::Ru, name).text;
        assert_eq!(
            ru,
            "048213 - код Zapateria y C... Действует 10 минут. Никому не сообщайте."
        );
    }

    #[test]
    fn a_name_of_another_alphabet_is_told_for_a_second_segment() {
        let sms = sms(Language::Es, "Магазин у дома");
        assert!(sms.text.contains(" de Магазин у дома. Caduca"), "{}", sms.text);
        assert_eq!((sms.size.encoding, sms.size.segments), (SmsEncoding::Ucs2, 2));
    }

    #[test]
    fn a_foreign_letter_in_what_is_cut_off_costs_nothing() {
        let sms = sms(Language::En, &format!("{}ш", "a".repeat(300)));
        assert_eq!((sms.size.encoding, sms.size.segments), (SmsEncoding::Gsm7, 1));
    }

    #[test]
    fn a_name_that_ends_in_a_stop_is_followed_by_no_other() {
        let sms = sms(Language::Es, "E-Com67 S.L.");
        assert!(sms.text.contains("E-Com67 S.L. Caduca"), "{}", sms.text);
    }

    #[test]
    fn a_name_that_nobody_can_read_is_left_out() {
        for name in ["", " ", "\u{200B}", "🦊", "\u{202E}\r\n"] {
            let text = sms(Language::En, name).text;
            assert!(text.starts_with("048213 is your verification code. It"), "{text}");
        }
    }

    #[test]
    fn a_code_is_never_shown_to_a_log() {
        let shown = format!("{:?}", sms(Language::En, "E-Com67"));
        assert!(!shown.contains("048213"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_name_costs_the_code_or_the_warning(
            name in prop_oneof![any::<String>(), "[a-zA-Z€\\[ .]{0,300}", "[а-яё🦊a ]{0,300}"],
            language in prop::sample::select(Language::ALL.to_vec()),
        ) {
            let sms = sms(language, &name);
            let nameless = written(language, "048213", "");
            let (_, rest) = nameless.split_once(". ").unwrap();
            prop_assert!(sms.text.starts_with("048213 ") && sms.text.ends_with(rest), "{}", sms.text);
            prop_assert!(!sms.text.contains(char::is_control), "{}", sms.text);
            let most = if sms.size.encoding == SmsEncoding::Gsm7 || language == Language::Ru { 1 } else { 2 };
            prop_assert!(sms.size.segments <= most, "{}", sms.text);
            prop_assert_eq!(sms.size, size_of(&sms.text));
        }
    }
}
