//! Words of a shop's own as a careless or a hostile operator writes them: refused with key and cause, or harmless; and where
//! they were adopted unchecked, the built-in words take over.
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::time::{Duration, Instant};

use domain::Channel;
use messages::{TemplateName, Templates, Wording, samples};

fn wording(name: &str, words: &[(&str, &str)]) -> Wording {
    Wording {
        name: TemplateName::try_from(name).unwrap(),
        version: 1,
        words: words
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect(),
    }
}

const SHIPPED: &str = "order_status_update.shipped/email/en";

fn problems(name: &str, words: &[(&str, &str)]) -> Vec<String> {
    Templates::check(&wording(name, words)).unwrap_err()
}

/// What every sample becomes when this wording was adopted without a check: for each, what was broken.
fn adopted(wording: &Wording) -> Vec<Option<String>> {
    let templates = Templates::new();
    templates.adopt(vec![wording.clone()]);
    let (name, shop) = (wording.name, samples::shop());
    let reader = samples::reader(name.language);
    let origins = samples::of(name.kind, name.status)
        .into_iter()
        .map(|content| match name.channel {
            Channel::Email => templates.email(&content, &reader, &shop).unwrap().origin,
            Channel::Sms => templates.sms(&content, &reader, &shop).unwrap().origin,
            Channel::Push => templates.push(&content, &reader, &shop).unwrap().origin,
            Channel::InApp => templates.in_app(&content, &reader, &shop).unwrap().origin,
        });
    origins
        .map(|origin| {
            assert_eq!(origin.broken.is_some(), origin.template.starts_with("built-in-"));
            origin.broken
        })
        .collect()
}

/// Refused with its key and this cause, and broken for every sample where it was adopted all the same.
fn is_refused(phrase: &str, why: &str) {
    for (name, key) in [(SHIPPED, "lead"), ("order_status_update.shipped/sms/en", "sms")] {
        let began = Instant::now();
        let problems = problems(name, &[(key, phrase)]);
        let shown: String = phrase.chars().take(60).collect();
        assert!(
            problems.iter().all(|problem| problem.starts_with(&format!("{key}: "))),
            "{shown}: {problems:?}"
        );
        assert!(
            problems.iter().any(|problem| problem.contains(why)),
            "{shown}: {problems:?}"
        );
        for broken in adopted(&wording(name, &[(key, phrase)])) {
            assert!(
                broken.as_ref().is_some_and(|broken| broken.contains(name)),
                "{shown}: {broken:?}"
            );
        }
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{shown} took {:?}",
            began.elapsed()
        );
    }
}

#[test]
fn markup_in_words_is_text() {
    let words = wording(
        SHIPPED,
        &[(
            "lead",
            "<script>alert(1)</script> & <b>{{ order.id }}</b> \" ' <!-- {{ '<i>' }}",
        )],
    );
    assert!(Templates::check(&words).is_ok());
    let templates = Templates::new();
    templates.adopt(vec![words.clone()]);
    let content = samples::full(words.name.kind, words.name.status).unwrap();
    let email = templates
        .email(&content, &samples::reader(words.name.language), &samples::shop())
        .unwrap();
    assert_eq!(email.origin.broken, None);
    for escaped in [
        "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;ORD",
        "&lt;!-- &lt;i&gt;",
    ] {
        assert!(email.html.contains(escaped), "{}", email.html);
    }
    assert_eq!(
        email.html.matches("<script").count(),
        1,
        "the data for mail programs alone"
    );
    assert!(email.text.contains("<script>alert(1)</script>"), "{}", email.text);
}

#[test]
fn tags_that_could_loop_load_or_unescape_are_refused() {
    for (phrase, tag) in [
        ("{% for i in order.items %}x{% endfor %}", "for"),
        ("{%- for a in [1] -%}x{%- endfor -%}", "for"),
        ("{% set x = 1 %}{{ x }}", "set"),
        (
            "{% autoescape false %}<b>{{ name }}</b>{% endautoescape %}",
            "autoescape",
        ),
        ("{% include \"payout_failed/email/en/lead\" %}", "include"),
        ("{% import \"x\" as y %}", "import"),
        ("{% extends \"x\" %}", "extends"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "macro"),
        ("{% call m() %}x{% endcall %}", "call"),
        ("{% filter upper %}x{% endfilter %}", "filter"),
        ("{% block b %}x{% endblock %}{{ self.b() }}", "block"),
        ("{% raw %}{{ x }}{% endraw %}", "raw"),
        ("{% with x = 1 %}{{ x }}{% endwith %}", "with"),
        ("{% do debug() %}", "do"),
        (
            "{% if name %}{% for i in range(100000) %}x{% endfor %}{% endif %}",
            "for",
        ),
    ] {
        is_refused(
            phrase,
            &format!("expected no tags but if, elif, else, endif, found {tag}"),
        );
    }
}

#[test]
fn expressions_that_could_grow_or_call_are_refused() {
    for (phrase, why) in [
        ("{{ \"x\" * 1000000000 }}", "expected no *"),
        ("{{ \"x\"*100000|upper }}", "expected no *"),
        ("{{ 9 ** 99999 }}", "expected no *"),
        ("{{ range(10**9) }}", "found range()"),
        ("{{ range(100000)|join }}", "found range()"),
        ("{{ debug() }}", "found debug()"),
        ("{{ self.lead() }}", "found lead()"),
        ("{{ lipsum(100) }}", "found lipsum()"),
        ("{{ namespace() }}", "found namespace()"),
        ("{{ (debug)() }}", "no functions"),
        ("{{ [debug][0]() }}", "no functions"),
        ("{{ name|safe }}", "expected no filters but"),
        ("{{ name|e|safe }}", "expected no filters but"),
        ("{{ order.items|tojson }}", "expected no filters but"),
        ("{{ order|pprint }}", "expected no filters but"),
        ("{{ \"x\"|replace(\"x\", \"yyyyyyyy\") }}", "expected no filters but"),
        ("{% if false %}{{ name|nobody }}{% endif %}", "found nobody"),
        ("{% if name|length > 2 %}x{% endif %}", "found length"),
        ("{{ name ~ name }}", "expected no ~"),
        ("{{ {\"a\": 1} }}", "expected no {"),
        ("{{ name[::-1] }}", "expected no :"),
        ("{{ \"\\u2068\" }}", "expected no \\"),
        ("a\u{202E}b", "expected no characters that reorder"),
        ("{# a comment #}", "expected no comments"),
        ("{{ name", "expected }}"),
        ("{% if name %}x", "unexpected end"),
        ("{{ }}", "unexpected end"),
        ("{{ name| }}", "unexpected"),
    ] {
        is_refused(phrase, why);
    }
}

#[test]
fn words_without_end_are_refused() {
    let long = [
        ("a".repeat(1_000_000), "expected at most 4000 letters"),
        ("{% if name %}".repeat(300), "expected at most 100 tags"),
        (
            format!("{{{{ {} name }}}}", "not ".repeat(900)),
            "expected at most 100 parts",
        ),
        (
            format!("{{{{ {}name{} }}}}", "(".repeat(1_500), ")".repeat(1_500)),
            "expected at most 100 parts",
        ),
        (
            format!("{{{{ name{} }}}}", "|upper".repeat(600)),
            "expected at most 100 parts",
        ),
        (
            format!("{{{{ name{} }}}}", " and name".repeat(400)),
            "expected at most 100 parts",
        ),
        (
            format!("{{{{ a{} }}}}", ".a".repeat(1_500)),
            "expected at most 100 parts",
        ),
    ];
    for (phrase, why) in long {
        is_refused(&phrase, why);
    }
}

#[test]
fn words_that_use_each_other_without_end_are_refused() {
    let circle = [
        ("lead", "{{ words.heading }} {{ order.id }}"),
        ("heading", "{{ words.lead }}"),
    ];
    let grown: Vec<(&str, String)> = ["subject", "preheader", "heading", "lead"]
        .into_iter()
        .zip(["preheader", "heading", "lead", "next"])
        .map(|(key, next)| {
            (
                key,
                format!("{{{{ order.id }}}}{}", format!("{{{{ words.{next} }}}}").repeat(200)),
            )
        })
        .collect();
    let grown: Vec<(&str, &str)> = grown.iter().map(|(key, text)| (*key, text.as_str())).collect();
    let own = [("lead", "{{ order.id }}{{ words.lead }}{{ words.lead }}{{ words.lead }}")];
    let branch = [("lead", "{% if words.lead %}{{ order.id }}{% endif %}")];
    for (words, why) in [
        (&circle[..], "circle"),
        (&own, "circle"),
        (&branch, "circle"),
        (&grown, "bytes of words"),
    ] {
        let began = Instant::now();
        let problems = problems(SHIPPED, words);
        assert!(problems.iter().any(|problem| problem.contains(why)), "{problems:?}");
        assert!(adopted(&wording(SHIPPED, words)).iter().all(Option::is_some));
        assert!(
            began.elapsed() < Duration::from_secs(5),
            "{why} took {:?}",
            began.elapsed()
        );
    }
}

#[test]
fn words_that_some_samples_break_are_refused() {
    for phrase in [
        "{{ order.id }} with {{ parcel.carrier }}",
        "{{ order.id }} with {{ parcel.carrier|upper }}",
        "{{ order.id }}: {{ parcel.count|plural(one=\"parcel\", other=\"parcels\") }}",
        "{{ order.id }}: {{ order.address }}",
        "{{ order }}{{ order.id }}",
        "{{ order.id }} {{ parcel.is_part }}",
    ] {
        let problems = problems(SHIPPED, &[("lead", phrase)]);
        assert!(
            problems.iter().all(|problem| problem.starts_with("lead: ")),
            "{phrase}: {problems:?}"
        );
        let broken = adopted(&wording(SHIPPED, &[("lead", phrase)]));
        assert!(broken.iter().any(Option::is_some), "{phrase}: {broken:?}");
    }
    let asked = "{{ order.id }}{% if parcel.carrier %} with {{ parcel.carrier|upper }}{% endif %}, or {{ parcel.carrier or \"somebody\" }}";
    assert!(Templates::check(&wording(SHIPPED, &[("lead", asked)])).is_ok());
}

#[test]
fn an_unknown_variable_is_told_with_its_key() {
    for phrase in [
        "{{ order.id }} {{ order.nobody }}",
        "{{ order.id }}{{ self }}",
        "{{ order.id }}{{ loop }}",
        "{{ order.id }}{{ range }}",
    ] {
        let problems = problems(SHIPPED, &[("lead", phrase)]);
        assert!(
            problems[0].starts_with("lead: ")
                && ["no such variable", "undefined value"]
                    .iter()
                    .any(|why| problems[0].contains(why)),
            "{phrase}: {problems:?}"
        );
    }
}

#[test]
fn an_email_that_mail_programs_cut_is_refused() {
    let loud = format!("{{{{ order.id }}}}{}", "\"".repeat(3_900));
    let words: Vec<(&str, &str)> = ["lead", "next", "preheader", "heading"]
        .into_iter()
        .map(|key| (key, loud.as_str()))
        .collect();
    let problems = problems(SHIPPED, &words);
    assert!(problems.iter().any(|problem| problem.contains("bytes")), "{problems:?}");
}

#[test]
fn the_words_of_every_built_in_template_pass_the_check() {
    let refused: Vec<String> = TemplateName::all()
        .filter_map(|name| {
            let words = Wording {
                name,
                version: 1,
                words: Templates::built_in(&name),
            };
            let problems = Templates::check(&words).err()?;
            Some(format!("{name}: {}", problems.join(", ")))
        })
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn words_that_nobody_checked_never_stop_a_message() {
    let pieces = [
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "if",
        " name ",
        "words.lead",
        "\"",
        "|",
        "(",
        "endif",
        "-",
        "else",
        "<b>",
        "\u{2068}",
    ];
    for seed in 0..600_usize {
        let phrase: String = (0..8)
            .map(|place| pieces[(seed * 7 + place * (seed % 13 + 1) + seed / 16) % pieces.len()])
            .collect();
        for (name, key) in [(SHIPPED, "lead"), ("payment_failed/push/es", "push")] {
            adopted(&wording(name, &[(key, &phrase)]));
        }
    }
}

#[test]
fn words_that_begin_a_tag_together_are_text_together() {
    let halves = [
        ("heading", "{"),
        (
            "lead",
            "{{ words.heading }}% autoescape false %}{{ order.id }}{{ words.heading }}% endautoescape %}",
        ),
    ];
    let wording = wording(SHIPPED, &halves);
    let templates = Templates::new();
    templates.adopt(vec![wording]);
    for content in samples::of(
        domain::NotificationType::OrderStatusUpdate,
        Some(domain::OrderStatus::Shipped),
    ) {
        let email = templates
            .email(&content, &samples::reader(domain::Language::En), &samples::shop())
            .unwrap();
        assert_eq!(email.origin.broken, None);
        assert!(email.text.contains("{% autoescape false %}"), "{}", email.text);
    }
}

#[test]
fn words_inside_a_text_are_no_words() {
    is_refused("{{ \"words.heading\" }} {{ order.id }}", "no words. in a text");
}

#[test]
fn other_words_go_through_no_filter() {
    let found = problems(SHIPPED, &[("lead", "{{ words.greeting|upper }} {{ order.id }}")]);
    assert!(
        found.iter().any(|problem| problem.contains("no filter on other words")),
        "{found:?}"
    );
}

#[test]
fn words_that_say_nothing_for_some_orders_are_refused() {
    for (name, key) in [
        ("order_status_update.shipped/sms/en", "sms"),
        (SHIPPED, "subject"),
        ("order_status_update.shipped/push/en", "title"),
        ("order_status_update.shipped/in_app/en", "in_app"),
    ] {
        let found = problems(name, &[(key, "{% if name %}{{ name }}: {{ order.id }}{% endif %}")]);
        assert!(
            found.iter().any(|problem| problem.contains("says nothing")),
            "{name}: {found:?}"
        );
    }
}
