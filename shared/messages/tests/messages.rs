//! Every message as its reader sees it.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "samples/mod.rs"]
mod samples;

use domain::{Content, Language, NotificationType, Order, OrderStatus, Payment, PaymentOutcome};
use messages::{RenderError, RenderedEmail, RenderedSms, Shop, SmsEncoding, Templates};
use proptest::prelude::*;
use samples::{STATUSES, all_contents, bare_order, bare_update, first_parcel, full_order, full_update, reader, shop};

const WRITTEN: [Language; 2] = [Language::En, Language::Es];

/// Names that somebody will type one day.
const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "{{7*7}} {% raw %} {# x #}",
    "Ana\r\nBcc: x@example.com",
    "Zoë 🦊 O'Brien & \"Söhne\"",
    "שרה כהן",
    "\u{202E}evil\u{2066}",
];

fn templates() -> Templates {
    Templates::load().unwrap()
}

fn email(content: &Content, language: Language) -> RenderedEmail {
    templates()
        .email(content, &reader(language), Language::En, &shop())
        .unwrap()
}

fn sms(content: &Content, language: Language) -> RenderedSms {
    templates()
        .sms(content, &reader(language), Language::En, &shop())
        .unwrap()
}

/// The words of an HTML document, a line for each block.
fn readable(html: &str) -> String {
    let body = html.split_once("<body").map_or("", |(_, body)| body);
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        let (tag, words) = part.split_once('>').unwrap_or((part, ""));
        if tag.starts_with("a href=") {
            text.push_str("[→] ");
        }
        if ["/div", "/h1", "/h2", "/tr"].contains(&tag) {
            text.push('\n');
        }
        if ["/th"].contains(&tag) {
            text.push_str(" | ");
        }
        if !tag.starts_with('!') {
            text.push_str(&words.split_whitespace().collect::<Vec<_>>().join(" "));
            if words.ends_with(' ') {
                text.push(' ');
            }
        }
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

fn shown(content: &Content, language: Language) -> String {
    let email = email(content, language);
    let sms = sms(content, language);
    format!(
        "SUBJECT\n{}\n\nHTML\n{}\n\nTEXT\n{}\nSMS ({:?}, {} segment, {} letters)\n{}\n",
        email.subject,
        readable(&email.html),
        email.text,
        sms.encoding,
        sms.segments,
        sms.text.chars().count(),
        sms.text,
    )
}

fn named(name: &str) -> Order {
    Order {
        customer_name: Some(name.to_owned()),
        ..full_order()
    }
}

/// An order in which everything that a person can type is this text.
fn filled_with(text: &str, status: OrderStatus) -> Content {
    let mut update = full_update(status);
    update.order = named(text);
    update.order.shipping_address = vec![text.to_owned()];
    update
        .order
        .items
        .iter_mut()
        .for_each(|item| item.name = text.to_owned());
    update.reason = Some(text.to_owned());
    let mut parcel = first_parcel();
    parcel.carrier = Some(text.to_owned());
    parcel.tracking_number = Some(text.to_owned());
    parcel.items.iter_mut().for_each(|item| item.name = text.to_owned());
    update.parcel = Some(parcel);
    Content::OrderStatus(update)
}

#[test]
fn an_order_confirmation_reads_well() {
    for language in WRITTEN {
        insta::assert_snapshot!(
            format!("order_confirmation_{language}"),
            shown(&Content::OrderConfirmation(full_order()), language)
        );
    }
}

#[test]
fn every_status_reads_well() {
    for status in STATUSES {
        for language in WRITTEN {
            insta::assert_snapshot!(
                format!("order_status_update_{status}_{language}"),
                shown(&Content::OrderStatus(full_update(status)), language)
            );
        }
    }
}

#[test]
fn every_status_reads_well_when_only_the_order_is_known() {
    for language in WRITTEN {
        let updates = STATUSES.map(|status| shown(&Content::OrderStatus(bare_update(status)), language));
        insta::assert_snapshot!(format!("bare_{language}"), updates.join("\n----\n\n"));
    }
}

#[test]
fn the_whole_html_of_each_message_is_as_agreed() {
    insta::assert_snapshot!(
        "html_order_confirmation",
        email(&Content::OrderConfirmation(full_order()), Language::En).html
    );
    insta::assert_snapshot!(
        "html_order_status_update",
        email(&Content::OrderStatus(full_update(OrderStatus::Shipped)), Language::Es).html
    );
}

#[test]
fn every_email_fits_and_names_its_language() {
    for content in all_contents() {
        for language in WRITTEN {
            let email = email(&content, language);
            assert!(email.html.len() < 102 * 1024, "{}", email.html.len());
            assert!(email.html.contains(&format!("<html lang=\"{language}\"")));
            assert!(
                email
                    .text
                    .lines()
                    .all(|line| line.chars().count() < 78 || line.contains("://"))
            );
            for broken in ["none", "undefined", "{{", "{%", "}}"] {
                assert!(!readable(&email.html).contains(broken), "{broken}: {}", email.html);
                assert!(!email.text.contains(broken), "{broken}: {}", email.text);
            }
        }
    }
}

#[test]
fn every_sms_of_usual_length_is_one_segment() {
    for content in all_contents() {
        for language in WRITTEN {
            let sms = sms(&content, language);
            assert_eq!((sms.encoding, sms.segments), (SmsEncoding::Gsm7, 1), "{}", sms.text);
        }
    }
}

#[test]
fn a_status_without_words_has_no_template() {
    for status in [OrderStatus::Paid, OrderStatus::Picking, OrderStatus::Packed] {
        let content = Content::OrderStatus(full_update(status));
        let problem = templates()
            .email(&content, &reader(Language::Es), Language::En, &shop())
            .unwrap_err();
        assert!(matches!(problem, RenderError::NoTemplate { .. }));
        assert_eq!(
            problem.to_string(),
            format!("no email template for order_status_update ({status})")
        );
    }
}

#[test]
fn a_type_without_words_has_no_template() {
    let content = Content::Payment(Payment {
        outcome: PaymentOutcome::Failed,
        order: full_order(),
        payment_id: None,
        method: None,
        retry_url: None,
        refund: None,
        reason: None,
    });
    let problem = templates()
        .sms(&content, &reader(Language::Es), Language::En, &shop())
        .unwrap_err();
    assert_eq!(problem.to_string(), "no sms template for payment_failed");
}

#[test]
fn a_language_without_words_falls_back_to_the_shop_and_then_to_english() {
    let content = Content::OrderConfirmation(bare_order());
    let in_language = |reader_language, fallback| {
        templates()
            .email(&content, &reader(reader_language), fallback, &shop())
            .unwrap()
            .language
    };
    assert_eq!(in_language(Language::Es, Language::En), Language::Es);
    assert_eq!(in_language(Language::Ru, Language::Es), Language::Es);
    assert_eq!(in_language(Language::Ru, Language::Ro), Language::En);
}

#[test]
fn the_languages_of_a_message_are_known() {
    assert_eq!(
        templates().languages_of(NotificationType::OrderStatusUpdate, Some(OrderStatus::Shipped)),
        [Language::Es, Language::En]
    );
    assert_eq!(templates().languages_of(NotificationType::LowStock, None), []);
}

#[test]
fn a_hostile_name_is_text_in_html() {
    let html = email(&Content::OrderConfirmation(named(HOSTILE[0])), Language::En).html;
    assert!(
        html.contains("<bdi>&lt;script&gt;alert(1)&lt;/script&gt;</bdi>"),
        "{html}"
    );
    let html = email(&Content::OrderConfirmation(named(HOSTILE[1])), Language::En).html;
    assert!(html.contains("{{7*7}} {% raw %} {# x #}"), "{html}");
    let html = email(&Content::OrderConfirmation(named(HOSTILE[3])), Language::En).html;
    assert!(html.contains("Zoë 🦊 O&#39;Brien &amp; &quot;Söhne&quot;"), "{html}");
    let html = email(&Content::OrderConfirmation(named(HOSTILE[4])), Language::En).html;
    assert!(html.contains("<bdi>שרה כהן</bdi>"), "{html}");
}

#[test]
fn a_hostile_name_is_verbatim_in_plain_text() {
    for (name, greeting) in [
        (HOSTILE[0], "Hello <script>alert(1)</script>,"),
        (HOSTILE[1], "Hello {{7*7}} {% raw %} {# x #},"),
        (HOSTILE[2], "Hello Ana Bcc: x@example.com,"),
        (HOSTILE[3], "Hello Zoë 🦊 O'Brien & \"Söhne\","),
        (HOSTILE[4], "Hello שרה כהן,"),
        (HOSTILE[5], "Hello evil,"),
    ] {
        let text = email(&Content::OrderConfirmation(named(name)), Language::En).text;
        assert!(text.lines().any(|line| line == greeting), "{text}");
    }
}

#[test]
fn a_hostile_text_anywhere_leaves_every_message_whole() {
    for text in HOSTILE {
        for status in STATUSES {
            let content = filled_with(text, status);
            let email = email(&content, Language::Es);
            assert!(!email.html.contains("<script"), "{}", email.html);
            assert!(!email.text.contains("49 {%"), "{}", email.text);
            assert!(!email.subject.contains(['\r', '\n']));
            assert!(!email.html.contains('\u{202E}') && !email.text.contains('\u{202E}'));
            assert!(sms(&content, Language::Es).segments <= 2);
        }
    }
}

#[test]
fn a_hostile_carrier_is_text_in_an_sms() {
    let sms = sms(&filled_with("<b>{{7*7}}</b>\r\n🦊", OrderStatus::Shipped), Language::En);
    assert!(
        sms.text.contains("Track: <b>{{7*7}}</b> <b>{{7*7}}</b>"),
        "{}",
        sms.text
    );
    assert_eq!(sms.encoding, SmsEncoding::Gsm7);
}

#[test]
fn a_link_to_the_shop_is_a_web_address_or_none() {
    let content = Content::OrderConfirmation(bare_order());
    let html = |url: &str| {
        let shop = Shop {
            url: Some(url.to_owned()),
            ..shop()
        };
        templates()
            .email(&content, &reader(Language::En), Language::En, &shop)
            .unwrap()
            .html
    };
    assert!(!html("javascript:alert(1)").contains("javascript"));
    assert!(html("https://shop.example/?a=1&b=\"x").contains("href=\"https://shop.example/?a=1&amp;b=&quot;x\""));
}

#[test]
fn a_known_number_links_to_its_carrier_and_an_unknown_one_is_plain() {
    let known = email(&Content::OrderStatus(full_update(OrderStatus::Shipped)), Language::En);
    assert!(known.html.contains("tracking-number=RR123456785ES\">RR123456785ES</a>"));
    let mut update = full_update(OrderStatus::Shipped);
    update.parcel.as_mut().unwrap().carrier = Some("Seur".to_owned());
    let unknown = email(&Content::OrderStatus(update), Language::En);
    assert!(unknown.html.contains("<td class=\"name\">RR123456785ES</td>"));
    assert!(!unknown.html.contains("Track your parcel"));
}

#[test]
fn the_last_of_several_parcels_says_so() {
    let mut update = full_update(OrderStatus::Shipped);
    update.parcel.as_mut().unwrap().number = Some(2);
    let text = email(&Content::OrderStatus(update), Language::En)
        .text
        .replace('\n', " ");
    assert!(
        text.contains("This parcel has 2 of the 5 items you ordered. It is the last of 2 parcels."),
        "{text}"
    );
}

#[test]
fn a_parcel_with_the_whole_order_says_so() {
    let mut update = full_update(OrderStatus::Shipped);
    let items = update.order.items.clone();
    let parcel = update.parcel.as_mut().unwrap();
    (parcel.number, parcel.count, parcel.items) = (None, None, items);
    let email = email(&Content::OrderStatus(update), Language::En);
    assert_eq!(email.subject, "On its way: order ORD-2026-004217");
    assert!(
        email.text.contains("Everything you ordered is in this parcel."),
        "{}",
        email.text
    );
}

#[test]
fn a_part_of_an_order_is_never_called_the_order() {
    let mut update = full_update(OrderStatus::Delivered);
    let parcel = update.parcel.as_mut().unwrap();
    (parcel.number, parcel.count) = (None, None);
    let email = email(&Content::OrderStatus(update), Language::En);
    assert_eq!(email.subject, "Delivered: a parcel of order ORD-2026-004217");
    assert!(!email.text.contains("Your order has been delivered"), "{}", email.text);
}

#[test]
fn a_long_order_number_is_cut_in_a_subject_and_costs_at_most_two_segments() {
    let mut order = full_order();
    order.id = domain::OrderId::try_from("9 ".repeat(60).as_str()).unwrap();
    let content = Content::OrderConfirmation(order);
    assert!(email(&content, Language::En).subject.chars().count() <= 121);
    assert_eq!(sms(&content, Language::En).segments, 1);
}

#[test]
fn a_short_number_leaves_room_for_the_carriers_page() {
    let mut update = bare_update(OrderStatus::Shipped);
    let mut parcel = first_parcel();
    parcel.carrier = Some("UPS".to_owned());
    parcel.tracking_number = Some("1Z5R89390357567127".to_owned());
    (parcel.number, parcel.count, parcel.items) = (None, None, Vec::new());
    update.parcel = Some(parcel);
    assert_eq!(
        sms(&Content::OrderStatus(update), Language::En).text,
        "E-Com67: order 1001 is on its way. Track: https://www.ups.com/track?loc=en_US&tracknum=1Z5R89390357567127"
    );
}

#[test]
fn a_day_is_the_customers_own() {
    // 23:30 in London is the next day in Madrid.
    let text = email(&Content::OrderConfirmation(full_order()), Language::Es).text;
    assert!(text.contains("24 de noviembre de 2026"), "{text}");
}

#[test]
fn templates_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&templates());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn no_name_becomes_markup_or_a_second_line(name in any::<String>(), id in "\\PC{1,100}") {
        let mut order = named(&name);
        if let Ok(id) = domain::OrderId::try_from(id.as_str()) {
            order.id = id;
        }
        let update = domain::StatusUpdate { order, ..full_update(OrderStatus::Delayed) };
        let content = Content::OrderStatus(update);
        let email = email(&content, Language::Es);
        prop_assert!(!email.html.to_ascii_lowercase().contains("<script"));
        prop_assert!(!email.subject.chars().any(char::is_control));
        prop_assert!(email.subject.chars().count() <= 121);
        let sms = sms(&content, Language::Es);
        prop_assert!(sms.segments <= 2);
        prop_assert_eq!(SmsEncoding::of(&sms.text), sms.encoding);
    }
}
