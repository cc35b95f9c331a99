//! Events at the edge of what can be published: each still makes a decent message, in every language and on every channel.
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::sync::LazyLock;

use domain::{
    AccountChange, Campaign, Channel, Content, Currency, Item, Language, Maintenance, Money, NotificationType, Order,
    OrderStatus, Payment, SmsEncoding, Zone,
};
use messages::{Links, Reader, RenderedEmail, Shop, TemplateName, Templates, samples};
use scraper::Html;

const LARGEST_EMAIL: usize = 102_000;

static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::new);

/// A message on every channel.
struct Everywhere {
    email: RenderedEmail,
    /// What the HTML shows, one piece a line.
    shown: String,
    /// Subject, text message, and both notes: one line each.
    lines: Vec<String>,
}

fn reader(language: Language, zone: &str) -> Reader {
    Reader {
        language,
        zone: Zone::try_from(zone).unwrap(),
        links: Links::default(),
    }
}

fn shown(html: &str) -> String {
    let parsed = Html::parse_document(html);
    let pieces = parsed.tree.nodes().filter_map(|node| {
        let within = node
            .parent()
            .and_then(|parent| parent.value().as_element().map(|element| element.name()));
        let text = node.value().as_text().map(|text| text.trim().to_owned());
        text.filter(|_| !matches!(within, Some("style" | "script")))
    });
    pieces.filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join("\n")
}

fn everywhere(content: &Content, reader: &Reader, shop: &Shop) -> Everywhere {
    let templates = &*TEMPLATES;
    let email = templates.email(content, reader, shop).unwrap();
    let sms = templates.sms(content, reader, shop).unwrap();
    assert!(sms.segments <= 2, "{}", sms.text);
    let mut lines = vec![email.subject.clone(), sms.text];
    for note in [
        templates.push(content, reader, shop).unwrap(),
        templates.in_app(content, reader, shop).unwrap(),
    ] {
        lines.extend([note.title, note.body]);
    }
    let message = Everywhere {
        shown: shown(&email.html),
        email,
        lines,
    };
    message.is_decent();
    message
}

impl Everywhere {
    fn is_decent(&self) {
        assert!(self.email.html.len() < LARGEST_EMAIL, "{} bytes", self.email.html.len());
        let bodies = [&self.shown, &self.email.text];
        for text in self.lines.iter().chain(bodies) {
            let seen = text.replace("...", "…");
            for blemish in ["()", "( ", " )", "..", " ,", " .", ",,", ": .", "{{", "}}", "{%"] {
                assert!(!seen.contains(blemish), "{blemish:?} in {text}");
            }
            let mut words = text.split(|c: char| !c.is_alphanumeric());
            assert!(
                !words.any(|word| ["None", "none", "null", "undefined", "NaN"].contains(&word)),
                "{text}"
            );
        }
        for line in &self.lines {
            assert!(
                !line.is_empty() && !line.contains("  ") && !line.contains('\n'),
                "{line:?}"
            );
        }
        assert!(!self.email.text.contains("\n\n\n"), "{}", self.email.text);
    }
}

/// In every language, for a customer in Madrid.
fn in_every_language(content: &Content, shop: &Shop) -> Vec<Everywhere> {
    Language::ALL
        .iter()
        .map(|language| everywhere(content, &reader(*language, "Europe/Madrid"), shop))
        .collect()
}

fn english(content: &Content) -> Everywhere {
    everywhere(content, &reader(Language::En, "Europe/Madrid"), &samples::shop())
}

fn money(amount: &str, currency: &str) -> Money {
    Money {
        amount: amount.parse().unwrap(),
        currency: Currency::try_from(currency).unwrap(),
    }
}

fn item(name: &str, quantity: &str, price: Option<Money>) -> Item {
    Item {
        name: name.to_owned(),
        quantity: quantity.parse().unwrap(),
        price,
    }
}

fn order() -> Order {
    let content = samples::full(NotificationType::OrderConfirmation, None).unwrap();
    content.order().unwrap().clone()
}

/// Every message that there is about an order, about this one.
fn about(order: &Order) -> Vec<Content> {
    let mut all = Vec::new();
    let one_of_each = |name: &TemplateName| (name.channel, name.language) == (Channel::Email, Language::En);
    for name in TemplateName::all().filter(one_of_each) {
        for content in samples::of(name.kind, name.status) {
            all.push(match content {
                Content::OrderConfirmation(_) => Content::OrderConfirmation(order.clone()),
                Content::OrderStatus(mut update) => {
                    update.order = order.clone();
                    if let Some(parcel) = &mut update.parcel {
                        parcel.items = order.items.clone();
                    }
                    Content::OrderStatus(update)
                }
                Content::Payment(mut payment) => {
                    payment.order = order.clone();
                    Content::Payment(payment)
                }
                Content::Payout(_)
                | Content::Promotional(_)
                | Content::Maintenance(_)
                | Content::Account(_)
                | Content::LowStock(_)
                | Content::Test => continue,
            });
        }
    }
    all
}

fn maintenance(start: Option<&str>, end: Option<&str>) -> Content {
    Content::Maintenance(Maintenance {
        start: start.map(|at| at.parse().unwrap()),
        end: end.map(|at| at.parse().unwrap()),
        body: None,
    })
}

#[test]
fn every_sample_is_decent() {
    for name in TemplateName::all() {
        for content in samples::of(name.kind, name.status) {
            everywhere(&content, &samples::reader(name.language), &samples::shop());
        }
    }
}

#[test]
fn an_order_of_nothing_is_decent() {
    let nothing = Order {
        customer_name: None,
        items: Vec::new(),
        total: None,
        subtotal: None,
        tax: None,
        shipping_address: Vec::new(),
        at: None,
        ..order()
    };
    for content in about(&nothing) {
        in_every_language(&content, &samples::shop());
    }
}

#[test]
fn five_hundred_lines_are_counted_and_the_total_stays() {
    let many = Order {
        items: (0..500)
            .map(|n| item(&format!("Part {n}"), "1", Some(money("1", "EUR"))))
            .collect(),
        total: Some(money("500", "EUR")),
        ..order()
    };
    for content in about(&many) {
        in_every_language(&content, &samples::shop());
    }
    let message = english(&Content::OrderConfirmation(many));
    for text in [&message.shown, &message.email.text] {
        assert!(text.contains("450 more lines") && text.contains("€500.00"), "{text}");
        assert!(text.contains("Part 49") && !text.contains("Part 50"), "{text}");
    }
}

#[test]
fn no_mail_program_cuts_the_largest_message() {
    for letter in ["\"", "<", "&", "'", "🦊", "ש", "\u{1F468}\u{200D}"] {
        let long = letter.repeat(1_000);
        let largest = Order {
            id: long.chars().take(100).collect::<String>().as_str().try_into().unwrap(),
            customer_name: Some(long.clone()),
            items: vec![item(&long, "999999999.999999", Some(money("999999999999.99", "ZZZ"))); 500],
            shipping_address: vec![long.clone(); 20],
            total: Some(money("999999999999.99", "ZZZ")),
            ..order()
        };
        let link = Some(format!("https://shop.example/{}", "&".repeat(900)));
        let shop = Shop {
            name: long.clone(),
            url: link.clone(),
            support_email: long.clone(),
            logo_url: link.clone(),
            colour: None,
            address: Some(long.clone()),
        };
        let links = Links {
            unsubscribe: link.clone(),
            preferences: link.clone(),
        };
        for mut content in about(&largest) {
            if let Content::OrderStatus(update) = &mut content {
                update.reason = Some(long.clone());
            }
            let reader = Reader {
                links: links.clone(),
                ..reader(Language::Ru, "UTC")
            };
            let email = TEMPLATES.email(&content, &reader, &shop).unwrap();
            assert!(
                email.html.len() < LARGEST_EMAIL,
                "{letter}: {} bytes, {}",
                email.html.len(),
                content.notification_type()
            );
        }
    }
}

#[test]
fn a_name_of_ten_thousand_letters_is_cut() {
    let long = Order {
        customer_name: Some("Ana ".repeat(2_500)),
        ..order()
    };
    for content in about(&long) {
        for message in in_every_language(&content, &samples::shop()) {
            assert!(message.shown.matches("Ana").count() <= 60, "{}", message.shown);
        }
    }
}

#[test]
fn amounts_of_every_kind_are_told() {
    let cases = [
        ("0", "EUR", "€0.00"),
        ("-12.5", "EUR", "-€12.50"),
        ("999999999999.99", "EUR", "€999,999,999,999.99"),
        ("0.000001", "EUR", "€0.00"),
        ("12.345678", "KWD", "KWD\u{a0}12.346"),
        ("5", "ZZZ", "ZZZ\u{a0}5.00"),
    ];
    for (amount, currency, told) in cases {
        let order = Order {
            items: vec![item("Tea", "1", Some(money(amount, currency)))],
            total: Some(money(amount, currency)),
            ..order()
        };
        for content in about(&order) {
            in_every_language(&content, &samples::shop());
        }
        let message = english(&Content::OrderConfirmation(order));
        assert!(
            message.shown.contains(told) && message.email.text.contains(told),
            "{told}: {}",
            message.email.text
        );
    }
}

#[test]
fn amounts_of_two_currencies_keep_their_own() {
    let mixed = Order {
        items: vec![
            item("Tea", "2", Some(money("3", "USD"))),
            item("Pot", "1", Some(money("20", "GBP"))),
        ],
        total: Some(money("24", "EUR")),
        ..order()
    };
    let message = english(&Content::OrderConfirmation(mixed.clone()));
    for amount in ["US$6.00", "£20.00", "€24.00"] {
        assert!(message.email.text.contains(amount), "{}", message.email.text);
    }
    let refund = Content::Payment(Payment {
        outcome: domain::PaymentOutcome::Refunded,
        order: mixed,
        payment_id: None,
        method: None,
        retry_url: None,
        refund: Some(money("20", "GBP")),
        reason: None,
    });
    for message in in_every_language(&refund, &samples::shop()) {
        assert!(
            message.shown.contains('£') && message.shown.contains('€'),
            "{}",
            message.shown
        );
    }
}

#[test]
fn a_crumb_and_a_billion_pieces_are_told() {
    for (quantity, told) in [("0.001", "0.001 × Tea"), ("999999999", "999,999,999 × Tea")] {
        let order = Order {
            items: vec![item("Tea", quantity, Some(money("999999999999.99", "EUR")))],
            ..order()
        };
        for content in about(&order) {
            in_every_language(&content, &samples::shop());
        }
        let message = english(&Content::OrderConfirmation(order));
        assert!(message.email.text.contains(told), "{}", message.email.text);
    }
}

#[test]
fn no_day_and_a_day_that_is_over_are_decent() {
    for status in OrderStatus::ALL {
        for day in [None, Some("2020-02-29".parse().unwrap())] {
            let Some(Content::OrderStatus(update)) = samples::full(NotificationType::OrderStatusUpdate, Some(status))
            else {
                continue;
            };
            let content = Content::OrderStatus(domain::StatusUpdate {
                estimated_delivery: day,
                ..update
            });
            in_every_language(&content, &samples::shop());
        }
    }
}

#[test]
fn an_address_has_at_most_eight_lines() {
    let order = Order {
        shipping_address: (1..=12).map(|n| format!("Line number {n}")).collect(),
        ..order()
    };
    for message in in_every_language(&Content::OrderConfirmation(order), &samples::shop()) {
        assert_eq!(message.shown.matches("Line number").count(), 8);
        assert_eq!(message.email.text.matches("Line number").count(), 8);
    }
}

#[test]
fn a_campaign_of_twenty_thousand_letters_is_cut() {
    for body in ["word ".repeat(4_000), "a line\n".repeat(2_857), "<&\">".repeat(5_000)] {
        let content = Content::Promotional(Campaign {
            id: None,
            title: "Autumn".to_owned(),
            body: Some(body),
            url: None,
        });
        for message in in_every_language(&content, &samples::shop()) {
            assert!(message.email.text.len() < 9_000, "{} bytes", message.email.text.len());
        }
    }
}

#[test]
fn maintenance_without_times_or_with_strange_ones_is_decent() {
    let (early, late) = (Some("2026-11-28T01:00:00Z"), Some("2026-11-28T04:00:00Z"));
    for (start, end) in [(None, None), (early, None), (None, late), (late, early), (early, early)] {
        in_every_language(&maintenance(start, end), &samples::shop());
    }
}

#[test]
fn an_odd_offset_is_told_as_it_is() {
    let content = maintenance(Some("2026-11-28T01:00:00Z"), Some("2026-11-28T04:00:00Z"));
    for language in Language::ALL {
        let message = everywhere(&content, &reader(language, "Asia/Kathmandu"), &samples::shop());
        assert!(message.shown.contains("GMT+5:45"), "{}", message.shown);
        assert!(
            message.shown.contains("6:45") && message.shown.contains("9:45"),
            "{}",
            message.shown
        );
    }
}

#[test]
fn nights_of_a_clock_change_tell_the_time_on_the_wall() {
    // Spring: 02:00 becomes 03:00. Autumn: 03:00 becomes 02:00.
    for (start, end, from, until) in [
        ("2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "1:30", "3:30"),
        ("2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2:30", "2:30"),
    ] {
        for message in in_every_language(&maintenance(Some(start), Some(end)), &samples::shop()) {
            assert!(
                message.shown.contains(from) && message.shown.contains(until),
                "{}",
                message.shown
            );
        }
    }
}

#[test]
fn names_of_every_script_are_told() {
    for name in [
        "שרה לוי",
        "محمد علي",
        "王小明",
        "🦊🦊",
        "Ana\u{200B}",
        "नमस्ते",
        "O'Brien & Söhne",
        "…",
        ".",
    ] {
        let order = Order {
            customer_name: Some(name.to_owned()),
            items: vec![item(name, "1", None)],
            shipping_address: vec![name.to_owned()],
            ..order()
        };
        for content in [Content::OrderConfirmation(order)] {
            for language in Language::ALL {
                let message = TEMPLATES
                    .email(&content, &reader(language, "UTC"), &samples::shop())
                    .unwrap();
                assert!(
                    shown(&message.html).contains(name) && message.text.contains(name),
                    "{}",
                    message.text
                );
            }
        }
    }
}

#[test]
fn a_name_that_nobody_sees_leaves_no_gap() {
    let order = Order {
        customer_name: Some("\u{200B}\u{FEFF}".to_owned()),
        ..order()
    };
    for content in about(&order) {
        in_every_language(&content, &samples::shop());
    }
    let message = english(&Content::OrderConfirmation(order));
    assert!(message.email.text.contains("\nHello,\n"), "{}", message.email.text);
}

#[test]
fn a_shop_can_be_plain_or_loud() {
    let plain = Shop {
        url: None,
        logo_url: None,
        colour: None,
        address: None,
        ..samples::shop()
    };
    let logo = Some("https://shop.example/logo.png".to_owned());
    let white = Shop {
        colour: Some("#ffffff".to_owned()),
        logo_url: logo.clone(),
        ..samples::shop()
    };
    let black = Shop {
        colour: Some("#000000".to_owned()),
        logo_url: logo,
        ..samples::shop()
    };
    for name in TemplateName::all() {
        for content in samples::of(name.kind, name.status) {
            for shop in [&plain, &white, &black] {
                everywhere(&content, &samples::reader(name.language), shop);
            }
        }
    }
    let content = samples::full(NotificationType::AccountUpdate, None).unwrap();
    let message = everywhere(&content, &reader(Language::En, "UTC"), &white);
    assert!(message.email.html.contains("alt=\"E-Com67\"") && message.email.html.contains("color:#000000"));
}

#[test]
fn a_hebrew_shop_keeps_its_name_out_of_the_markup() {
    let shop = Shop {
        name: "החנות".to_owned(),
        logo_url: Some("https://shop.example/logo.png".to_owned()),
        ..samples::shop()
    };
    for message in in_every_language(&Content::OrderConfirmation(order()), &shop) {
        assert!(message.email.html.contains("alt=\"החנות\""), "{}", message.email.html);
    }
}

#[test]
fn a_change_of_the_account_in_the_publishers_words_is_decent() {
    for change in ["Your nickname was changed", "nickname", "x"] {
        let content = Content::Account(AccountChange {
            change: change.to_owned(),
            url: None,
        });
        for message in in_every_language(&content, &samples::shop()) {
            assert!(message.shown.contains(change), "{}", message.shown);
        }
    }
}

#[test]
fn a_link_with_letters_that_phones_lack_arrives_whole() {
    let content = Content::Promotional(Campaign {
        id: None,
        title: "Autumn".to_owned(),
        body: None,
        url: Some("https://shop.example/țară".to_owned()),
    });
    let sms = TEMPLATES
        .sms(&content, &reader(Language::En, "UTC"), &samples::shop())
        .unwrap();
    assert_eq!(sms.encoding, SmsEncoding::Gsm7);
    assert!(sms.text.contains("https://shop.example/%C8%9Bar%C4%83"), "{}", sms.text);
}
