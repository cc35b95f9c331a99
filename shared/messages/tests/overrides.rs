//! Overrides: what is in force, what takes over when one breaks, what is refused.

use domain::{Language, NotificationType};
use messages::{TemplateName, Templates, Wording, samples};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn an_override_is_in_force_until_another_or_none_is_adopted() {
    let templates = Templates::new();
    let name = TemplateName::try_from("order_confirmation/email/es").unwrap();
    let content = samples::full(NotificationType::OrderConfirmation, None).unwrap();
    let subject = |expected_template: &str| {
        let email = templates
            .email(&content, &samples::reader(Language::Es), &samples::shop())
            .unwrap();
        assert!(
            email.origin.template.starts_with(expected_template),
            "{:?}",
            email.origin
        );
        email.subject
    };
    let built_in = subject("built-in-");
    let wording = |version, text: &str| Wording {
        name,
        version,
        words: BTreeMap::from([("subject".to_owned(), text.to_owned())]),
    };
    templates.adopt(vec![wording(3, "¡Listo! Pedido {{ order.id }} <b>")]);
    assert_eq!(subject("3"), "¡Listo! Pedido ORD-2026-004217 <b>");
    templates.adopt(vec![wording(4, "Pedido {{ order.id }}")]);
    assert_eq!(subject("4"), "Pedido ORD-2026-004217");
    templates.adopt(Vec::new());
    assert_eq!(subject("built-in-"), built_in);
}

#[test]
fn an_override_that_breaks_gives_way_to_the_built_in_words_and_says_so() {
    let templates = Templates::new();
    let name = TemplateName::try_from("order_confirmation/sms/en").unwrap();
    let words = BTreeMap::from([("sms".to_owned(), "{{ nobody }}".to_owned())]);
    templates.adopt(vec![Wording {
        name,
        version: 2,
        words,
    }]);
    let content = samples::full(NotificationType::OrderConfirmation, None).unwrap();
    let sms = templates
        .sms(&content, &samples::reader(Language::En), &samples::shop())
        .unwrap();
    assert!(
        sms.text.starts_with("E-Com67: we have received your order"),
        "{}",
        sms.text
    );
    assert!(sms.origin.template.starts_with("built-in-"));
    let broken = sms.origin.broken.unwrap();
    assert!(broken.starts_with("order_confirmation/sms/en, version 2: "), "{broken}");
}

#[test]
fn an_override_is_refused_with_everything_that_speaks_against_it() {
    let check = |name: &str, key: &str, text: &str| {
        let name = TemplateName::try_from(name).unwrap();
        let words = BTreeMap::from([(key.to_owned(), text.to_owned())]);
        Templates::check(&Wording {
            name,
            version: 1,
            words,
        })
    };
    let long = "word ".repeat(80) + "{{ order.id }}";
    for (name, key, text, problem) in [
        (
            "payment_failed/sms/en",
            "sms",
            "Order {{ order.id }}, {{ nobody }}",
            "nobody: no such variable",
        ),
        (
            "payment_failed/sms/en",
            "sms",
            "Please pay again",
            "order.id: the message has to say it",
        ),
        ("payment_failed/sms/en", "sms", "{{ order.id", "sms: expected }}"),
        (
            "payment_failed/sms/en",
            "sms",
            "{% for x in order.items %}{% endfor %}",
            "found for",
        ),
        ("payment_failed/sms/en", "sms", &long, "more than two segments"),
        (
            "payment_failed/sms/en",
            "subject",
            "{{ order.id }}",
            "has no such words",
        ),
        (
            "payment_failed/email/en",
            "lead",
            "{{ order.items[0].name }} {{ order.id }}",
            "payment_failed/email/en, version 1",
        ),
        ("payment_failed/email/en", "lead", "{{ order.id|shout }}", "shout"),
    ] {
        let problems = check(name, key, text).unwrap_err();
        assert!(
            problems.iter().any(|found| found.contains(problem)),
            "{text}: {problems:?}"
        );
    }
    let used = check("payment_failed/sms/en", "sms", "{{ shop.name }}: {{ order.id }}?").unwrap();
    assert_eq!(used, BTreeSet::from(["order.id".to_owned(), "shop.name".to_owned()]));
}
