//! Every message as its reader sees it.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod shown;

use domain::{Channel, Content, Language, NotificationType, OrderStatus, SmsEncoding};
use messages::{RenderedEmail, RenderedSms, Shop, TemplateName, Templates, Wording, samples};
use shown::{message_names, readable, shown};
use std::collections::{BTreeMap, BTreeSet};

fn email(content: &Content, language: Language) -> RenderedEmail {
    Templates::new()
        .email(content, &samples::reader(language), &samples::shop())
        .unwrap()
}

fn sms(content: &Content, language: Language) -> RenderedSms {
    Templates::new()
        .sms(content, &samples::reader(language), &samples::shop())
        .unwrap()
}

fn full(kind: NotificationType, status: Option<OrderStatus>) -> Content {
    samples::full(kind, status).unwrap()
}

fn update(status: OrderStatus) -> domain::StatusUpdate {
    let Content::OrderStatus(update) = full(NotificationType::OrderStatusUpdate, Some(status)) else {
        unreachable!("a sample of its own type");
    };
    update
}

fn confirmation() -> domain::Order {
    let Content::OrderConfirmation(order) = full(NotificationType::OrderConfirmation, None) else {
        unreachable!("a sample of its own type");
    };
    order
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn every_message_reads_as_agreed_in_every_language_and_by_every_channel() {
    let templates = Templates::new();
    for (kind, status) in message_names() {
        for language in Language::ALL {
            let name = status.map_or_else(|| kind.to_string(), |status| format!("{kind}_{status}"));
            insta::assert_snapshot!(format!("{name}_{language}"), shown(&templates, kind, status, language));
        }
    }
}

#[test]
fn the_whole_html_of_each_structure_is_as_agreed() {
    for (kind, status) in [
        (NotificationType::OrderConfirmation, None),
        (NotificationType::OrderStatusUpdate, Some(OrderStatus::Shipped)),
        (NotificationType::PaymentFailed, None),
        (NotificationType::PayoutProcessed, None),
        (NotificationType::AccountUpdate, None),
        (NotificationType::LowStock, None),
        (NotificationType::Promotional, None),
        (NotificationType::SystemMaintenance, None),
        (NotificationType::Test, None),
    ] {
        insta::assert_snapshot!(format!("html_{kind}"), email(&full(kind, status), Language::En).html);
    }
}

#[test]
fn every_template_is_written_and_passes_the_check_of_overrides() {
    let needed: BTreeMap<Channel, &[&str]> = BTreeMap::from([
        (
            Channel::Email,
            ["subject", "preheader", "heading", "lead", "next"].as_slice(),
        ),
        (Channel::Sms, ["sms"].as_slice()),
        (Channel::Push, ["title", "push"].as_slice()),
        (Channel::InApp, ["title", "in_app"].as_slice()),
    ]);
    for name in TemplateName::all() {
        let words = Templates::built_in(&name);
        let keys: Vec<&str> = words.keys().map(String::as_str).collect();
        for key in needed[&name.channel] {
            assert!(
                words.get(*key).is_some_and(|text| !text.is_empty()),
                "{name}: {key}, {keys:?}"
            );
        }
        let wording = Wording {
            name,
            version: 1,
            words,
        };
        assert!(
            Templates::check(&wording).is_ok(),
            "{name}: {:?}",
            Templates::check(&wording)
        );
    }
}

/// What a variable tells: the short form of a day tells the day, and what only chooses between words tells nothing.
fn told(variables: &BTreeSet<String>) -> BTreeSet<String> {
    variables
        .iter()
        .filter(|name| {
            !name.contains("is_") && !["parcel", "order", "maintenance", "language"].contains(&name.as_str())
        })
        .map(|name| name.replace("short_", ""))
        .collect()
}

#[test]
fn every_language_tells_the_same() {
    let mut differences = Vec::new();
    for name in TemplateName::all() {
        let of = |language| {
            let name = TemplateName { language, ..name };
            let wording = Wording {
                name,
                version: 1,
                words: Templates::built_in(&name),
            };
            told(&Templates::check(&wording).unwrap())
        };
        let (ours, english) = (of(name.language), of(Language::En));
        if ours != english {
            let missing: Vec<_> = english.difference(&ours).collect();
            let added: Vec<_> = ours.difference(&english).collect();
            differences.push(format!("{name}: without {missing:?}, with {added:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The words of a phrase, without expressions and tags.
fn without_code(phrase: &str) -> String {
    let mut words = String::new();
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once(['{']) {
        words.push_str(before);
        rest = after
            .split_once("}}")
            .into_iter()
            .chain(after.split_once("%}"))
            .map(|(_, rest)| rest)
            .max_by_key(|rest| rest.len())
            .unwrap();
    }
    words + rest
}

#[test]
fn nothing_was_left_in_english() {
    for name in TemplateName::all().filter(|name| name.language != Language::En) {
        let english = Templates::built_in(&TemplateName {
            language: Language::En,
            ..name
        });
        for (key, text) in Templates::built_in(&name) {
            let has_words = without_code(&text).chars().filter(|c| c.is_alphabetic()).count() > 3;
            let is_the_same_word = [
                "Total",
                "Subtotal",
                "PayPal",
                "Bizum",
                "Apple Pay",
                "Google Pay",
                "Klarna",
            ]
            .contains(&text.as_str());
            let has_words = has_words && !is_the_same_word;
            assert!(!has_words || english.get(&key) != Some(&text), "{name} {key}: {text}");
        }
    }
}

#[test]
fn no_message_has_a_blank_a_stop_or_a_word_too_many() {
    let templates = Templates::new();
    for (kind, status) in message_names() {
        for language in Language::ALL {
            let text = shown(&templates, kind, status, language);
            for line in text.lines().map(str::trim) {
                for flaw in [
                    "..",
                    " .",
                    " ,",
                    "( ",
                    "()",
                    ",,",
                    ", .",
                    "{{",
                    "}}",
                    "{%",
                    "none",
                    "None",
                    "undefined",
                    "\u{2068}",
                ] {
                    let is_flawed = line.replace("...", "…").contains(flaw);
                    assert!(!is_flawed, "{kind} {status:?} {language}: {flaw:?} in {line}");
                }
            }
        }
    }
}

#[test]
fn every_email_fits_and_names_its_language() {
    for (kind, status) in message_names() {
        for content in samples::of(kind, status) {
            for language in Language::ALL {
                let email = email(&content, language);
                assert!(email.html.len() < 102 * 1024, "{}", email.html.len());
                assert!(
                    email.html.contains(&format!("<html lang=\"{language}\"")),
                    "{}",
                    email.html
                );
                assert!(
                    email
                        .text
                        .lines()
                        .all(|line| line.chars().count() < 78 || line.contains("://")),
                    "{}",
                    email.text
                );
                assert!(email.subject.chars().count() <= 121, "{}", email.subject);
            }
        }
    }
}

#[test]
fn no_sms_is_cut_and_none_needs_more_than_two_segments() {
    for (kind, status) in message_names() {
        for content in samples::of(kind, status) {
            for language in Language::ALL {
                let sms = sms(&content, language);
                assert!(!sms.is_cut && sms.segments <= 2, "{}", sms.text);
                let expected = if language == Language::Ru {
                    SmsEncoding::Ucs2
                } else {
                    SmsEncoding::Gsm7
                };
                assert_eq!(sms.encoding, expected, "{}", sms.text);
            }
        }
    }
}

#[test]
fn an_sms_of_usual_length_is_one_segment_in_the_latin_alphabet() {
    for (kind, status) in message_names() {
        for language in [Language::En, Language::Es, Language::Ro] {
            let sms = sms(&full(kind, status), language);
            assert_eq!(sms.segments, 1, "{} letters: {}", sms.text.chars().count(), sms.text);
        }
    }
}

#[test]
fn a_test_message_is_one_segment_in_every_language() {
    for language in Language::ALL {
        let sms = sms(&Content::Test, language);
        assert_eq!(sms.segments, 1, "{} letters: {}", sms.text.chars().count(), sms.text);
    }
}

#[test]
fn a_test_message_leads_to_the_preferences_and_has_nothing_to_stop() {
    for language in Language::ALL {
        let reader = samples::reader_of(NotificationType::Test, language);
        let email = Templates::new()
            .email(&Content::Test, &reader, &samples::shop())
            .unwrap();
        for part in [&email.html, &email.text] {
            assert!(part.contains("https://api.shop.example/preferences/token"), "{part}");
            assert!(!part.contains("/unsubscribe/"), "{part}");
        }
    }
}

#[test]
fn a_note_fits_on_a_telephone() {
    let templates = Templates::new();
    for (kind, status) in message_names() {
        for language in Language::ALL {
            let (reader, shop) = (samples::reader(language), samples::shop());
            let push = templates.push(&full(kind, status), &reader, &shop).unwrap();
            assert!(push.title.chars().count() <= 50, "{}", push.title);
            assert!(push.body.chars().count() <= 178, "{}", push.body);
            let note = templates.in_app(&full(kind, status), &reader, &shop).unwrap();
            assert!(
                note.body.chars().count() <= 240 && !note.body.ends_with('…'),
                "{}",
                note.body
            );
        }
    }
}

#[test]
fn a_message_names_the_template_that_wrote_it() {
    let email = email(&full(NotificationType::OrderConfirmation, None), Language::Ro);
    let name = TemplateName::try_from("order_confirmation/email/ro").unwrap();
    assert_eq!(email.origin.language, Language::Ro);
    assert_eq!(
        email.origin.template,
        format!("built-in-{}", Templates::built_in_version(&name))
    );
    assert_eq!(email.origin.broken, None);
}

#[test]
fn a_failed_payment_says_why_how_to_go_on_and_that_the_order_is_kept() {
    let text = one_line(&email(&full(NotificationType::PaymentFailed, None), Language::En).text);
    assert!(
        text.contains("There was not enough money in the account or on the card."),
        "{text}"
    );
    assert!(text.contains("your order ORD-2026-004217 is kept for you"), "{text}");
    assert!(text.contains("Pay now: https://shop.example/orders/4217/pay"), "{text}");
}

#[test]
fn a_reason_that_is_no_known_code_is_told_in_the_publishers_words() {
    let mut update = update(OrderStatus::Delayed);
    update.reason = Some("The ferry did not sail".to_owned());
    let text = one_line(&email(&Content::OrderStatus(update), Language::Ru).text);
    assert!(text.contains("The ferry did not sail"), "{text}");
}

#[test]
fn a_reason_that_the_message_would_deny_is_left_out() {
    let text = |status, reason: &str| {
        let mut update = update(status);
        update.reason = Some(reason.to_owned());
        one_line(&email(&Content::OrderStatus(update), Language::En).text)
    };
    let delayed = text(OrderStatus::Delayed, "payment_missing");
    assert!(!delayed.contains("payment"), "{delayed}");
    let lost = text(OrderStatus::Exception, "lost");
    assert!(
        lost.contains("The carrier cannot find it.") && !lost.contains("tries again"),
        "{lost}"
    );
}

#[test]
fn a_refund_of_what_was_paid_in_cash_does_not_go_back_that_way() {
    let Content::Payment(mut payment) = full(NotificationType::PaymentRefunded, None) else {
        unreachable!("a sample of its own type");
    };
    payment.method = Some("Cash on delivery".to_owned());
    let text = one_line(&email(&Content::Payment(payment), Language::En).text);
    assert!(text.contains("We have refunded €49.00. This is part"), "{text}");
}

#[test]
fn a_known_number_links_to_its_carrier_and_an_unknown_one_is_plain() {
    let known = email(&Content::OrderStatus(update(OrderStatus::Shipped)), Language::En);
    assert!(known.html.contains("tracking-number=RR123456785ES\">RR123456785ES</a>"));
    let mut update = update(OrderStatus::Shipped);
    update.parcel.as_mut().unwrap().carrier = Some("Seur".to_owned());
    let unknown = email(&Content::OrderStatus(update), Language::En);
    assert!(unknown.html.contains("<td class=\"name\">RR123456785ES</td>"));
    assert!(!unknown.html.contains("Track your parcel"));
}

#[test]
fn the_last_of_several_parcels_says_so() {
    let mut update = update(OrderStatus::Shipped);
    update.parcel.as_mut().unwrap().number = Some(2);
    let text = one_line(&email(&Content::OrderStatus(update), Language::En).text);
    assert!(
        text.contains("This parcel has 2 of the 5 items you ordered. It is the last of 2 parcels."),
        "{text}"
    );
}

#[test]
fn a_parcel_with_the_whole_order_says_so() {
    let mut update = update(OrderStatus::Shipped);
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
    let mut update = update(OrderStatus::Delivered);
    let parcel = update.parcel.as_mut().unwrap();
    (parcel.number, parcel.count) = (None, None);
    let email = email(&Content::OrderStatus(update), Language::En);
    assert_eq!(email.subject, "Delivered: a parcel of order ORD-2026-004217");
    assert!(!email.text.contains("Your order has been delivered"), "{}", email.text);
}

#[test]
fn a_short_number_leaves_room_for_the_carriers_page() {
    let mut update = update(OrderStatus::Shipped);
    update.order.id = domain::OrderId::try_from("1001").unwrap();
    update.estimated_delivery = None;
    let parcel = update.parcel.as_mut().unwrap();
    parcel.carrier = Some("UPS".to_owned());
    parcel.tracking_number = Some("1Z5R89390357567127".to_owned());
    (parcel.number, parcel.count, parcel.items) = (None, None, Vec::new());
    assert_eq!(
        sms(&Content::OrderStatus(update), Language::En).text,
        "E-Com67: order 1001 is on its way. Track: https://www.ups.com/track?loc=en_US&tracknum=1Z5R89390357567127"
    );
}

#[test]
fn a_day_is_the_customers_own() {
    // 23:30 in London is the next day in Madrid.
    let text = email(&Content::OrderConfirmation(confirmation()), Language::Es).text;
    assert!(text.contains("24 de noviembre de 2026"), "{text}");
}

#[test]
fn a_logo_stands_for_the_shops_name_and_says_it_where_no_image_is_shown() {
    let shop = Shop {
        logo_url: Some("https://shop.example/logo.png".to_owned()),
        ..samples::shop()
    };
    let content = full(NotificationType::OrderConfirmation, None);
    let email = Templates::new()
        .email(&content, &samples::reader(Language::En), &shop)
        .unwrap();
    assert!(
        email
            .html
            .contains("<img src=\"https://shop.example/logo.png\" alt=\"E-Com67\""),
        "{}",
        email.html
    );
}

#[test]
fn a_link_to_the_shop_is_a_web_address_or_none() {
    let html = |url: &str| {
        let shop = Shop {
            url: Some(url.to_owned()),
            ..samples::shop()
        };
        let content = full(NotificationType::OrderConfirmation, None);
        Templates::new()
            .email(&content, &samples::reader(Language::En), &shop)
            .unwrap()
            .html
    };
    assert!(!html("javascript:alert(1)").contains("javascript"));
    assert!(html("https://shop.example/?a=1&b=\"x").contains("href=\"https://shop.example/?a=1&amp;b=%22x\""));
}

#[test]
fn the_links_to_the_customers_own_pages_stand_in_html_and_text_or_nowhere() {
    let content = full(NotificationType::OrderStatusUpdate, Some(OrderStatus::Shipped));
    let with = email(&content, Language::En);
    for page in [
        "https://api.shop.example/unsubscribe/token",
        "https://api.shop.example/preferences/token",
    ] {
        assert!(
            with.html.contains(&format!("href=\"{page}\"")) && with.text.contains(page),
            "{page}"
        );
    }
    let reader = messages::Reader {
        links: messages::Links::default(),
        ..samples::reader(Language::En)
    };
    let without = Templates::new().email(&content, &reader, &samples::shop()).unwrap();
    assert!(!readable(&without.html).contains("No more e-mails"));
    assert!(!without.text.contains("No more e-mails"));
}

#[test]
fn mail_programs_find_the_parcel_in_the_message() {
    let html = email(&Content::OrderStatus(update(OrderStatus::Shipped)), Language::Es).html;
    let (_, script) = html.split_once("<script type=\"application/ld+json\">").unwrap();
    let (json, _) = script.split_once("</script>").unwrap();
    let parcel: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!(parcel["@type"], "ParcelDelivery");
    assert_eq!(parcel["trackingNumber"], "RR123456785ES");
    assert_eq!(parcel["carrier"]["name"], "Correos");
    assert_eq!(parcel["expectedArrivalUntil"], "2026-11-27");
    assert_eq!(parcel["partOfOrder"]["orderNumber"], "ORD-2026-004217");
    assert_eq!(parcel["partOfOrder"]["orderStatus"], "http://schema.org/OrderInTransit");

    let html = email(&Content::OrderConfirmation(confirmation()), Language::Es).html;
    let (_, script) = html.split_once("<script type=\"application/ld+json\">").unwrap();
    let (json, _) = script.split_once("</script>").unwrap();
    let order: serde_json::Value = serde_json::from_str(json).unwrap();
    assert_eq!((&order["@type"], &order["price"]), (&"Order".into(), &"128.80".into()));
    assert_eq!(
        order["acceptedOffer"][0]["itemOffered"]["name"],
        "Wireless headphones, black"
    );
}

#[test]
fn templates_may_be_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&Templates::new());
}

#[test]
fn a_parcel_that_waits_to_be_collected_is_not_said_to_come() {
    let waits = domain::StatusUpdate {
        reason: Some("ready_for_pickup".to_owned()),
        ..update(OrderStatus::OutForDelivery)
    };
    let comes = email(&Content::OrderStatus(update(OrderStatus::OutForDelivery)), Language::En);
    assert!(comes.subject.contains("Out for delivery") && one_line(&comes.text).contains("Expected delivery"));
    for (language, subject, courier) in [
        (Language::En, "Ready to collect", "courier"),
        (Language::Es, "Listo para recoger", "repartidor"),
        (Language::Ro, "Gata de ridicare", "Curierul"),
        (Language::Ru, "Можно забрать", "Курьер"),
    ] {
        let content = Content::OrderStatus(waits.clone());
        let message = email(&content, language);
        assert!(message.subject.starts_with(subject), "{}", message.subject);
        assert!(!message.text.contains(courier), "{}", message.text);
        // Nor is there the address to which it does not come.
        let street = &waits.order.shipping_address[1];
        assert!(
            !message.text.contains(street) && !message.html.contains(street),
            "{}",
            message.text
        );
        assert!(!sms(&content, language).text.contains(courier));
    }
}
