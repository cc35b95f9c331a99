//! I8.

use invariants::Invariant::I8;
use invariants::What;

use crate::run::{EMAIL, Run};

fn logged(text: &str) -> Run {
    let mut run = Run::sent(EMAIL);
    run.terms.personal = ["anna@example.com", "Müller", "+491701234567", "", "§"]
        .map(str::to_owned)
        .to_vec();
    run.tell(What::LogLine { text: text.to_owned() });
    run
}

#[test]
fn a_line_without_personal_data_is_right() {
    assert_eq!(logged("579b5034: sent to ann…@example.com, +49170").broken(), []);
    assert_eq!(logged("").broken(), []);
}

#[test]
fn an_address_is_found_wherever_it_stands() {
    assert_eq!(
        logged("anna@example.com").said(),
        "I8 does not hold at 9000 ms: a log line holds the personal text `anna@example.com`."
    );
    assert_eq!(logged("to ananna@example.com").broken(), [I8]);
    assert_eq!(logged("ANNA@Example.com is not verified").broken(), [I8]);
    assert_eq!(logged("text=+491701234567").broken(), [I8]);
}

#[test]
fn a_name_and_a_single_sign_are_found() {
    assert_eq!(logged("dear Frau Müller").broken(), [I8]);
    assert_eq!(logged("dear §").broken(), [I8]);
}

#[test]
fn each_personal_text_is_told_once_a_line() {
    let run = logged("Müller, Müller, anna@example.com");
    assert_eq!(run.verdict().violations.len(), 2);
}
