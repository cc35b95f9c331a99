//! What holds for every message, whatever stands in its fields: it is rendered, and within its bounds.
#![expect(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use domain::{
    AccountChange, Campaign, Content, Currency, Item, Language, Maintenance, Money, Order, OrderId, OrderStatus,
    Parcel, Payment, PaymentOutcome, Payout, PayoutOutcome, Product, SmsEncoding, StatusUpdate, Zone,
};
use messages::{Links, Reader, Shop, Templates};
use proptest::{collection::vec, option::of, prelude::*, sample::select};
use rust_decimal::Decimal;

/// Any text, of usual length or of the length that an event may have, and of letters that grow when they are escaped.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        2 => "\\PC{0,300}",
        2 => "[\"'<>&a ]{0,1000}",
        1 => "[שלום🦊\\u{301}\\u{202E}\\u{2068} ]{0,1000}",
        1 => "[ \\n\\t{}%]{0,200}",
    ]
}

fn page() -> impl Strategy<Value = Option<String>> {
    of(prop_oneof![
        text(),
        text().prop_map(|text| format!("https://shop.example/{text}"))
    ])
}

fn decimal() -> impl Strategy<Value = Decimal> {
    (any::<i64>(), 0_u32..=6).prop_map(|(digits, scale)| Decimal::new(digits, scale))
}

fn money() -> impl Strategy<Value = Money> {
    (decimal(), "[A-Z]{3}").prop_map(|(amount, code)| Money {
        amount,
        currency: Currency::try_from(code.as_str()).unwrap(),
    })
}

fn item() -> impl Strategy<Value = Item> {
    (text(), decimal(), of(money())).prop_map(|(name, quantity, price)| Item { name, quantity, price })
}

fn moment() -> impl Strategy<Value = jiff::Timestamp> {
    (0_i64..4_102_444_800).prop_map(|seconds| jiff::Timestamp::from_second(seconds).unwrap())
}

fn order() -> impl Strategy<Value = Order> {
    let id = "\\PC{1,128}".prop_filter_map("an id", |id| OrderId::try_from(id).ok());
    let amounts = (of(money()), of(money()), of(money()));
    (
        id,
        of(text()),
        vec(item(), 0..60),
        amounts,
        vec(text(), 0..12),
        of(moment()),
    )
        .prop_map(
            |(id, customer_name, items, (total, subtotal, tax), shipping_address, at)| Order {
                id,
                customer_name,
                items,
                total,
                subtotal,
                tax,
                shipping_address,
                at,
            },
        )
}

fn parcel() -> impl Strategy<Value = Parcel> {
    (
        of(text()),
        of(text()),
        vec(item(), 0..60),
        of(any::<u32>()),
        of(any::<u32>()),
    )
        .prop_map(|(tracking_number, carrier, items, number, count)| Parcel {
            tracking_number,
            carrier,
            items,
            number,
            count,
        })
}

fn content() -> impl Strategy<Value = Content> {
    use PaymentOutcome::{Failed, Processing, Refunded, Succeeded};
    let days = (-9_998_i16..=9_999, 1_i8..=12, 1_i8..=28);
    let day = days.prop_map(|(year, month, day)| jiff::civil::date(year, month, day));
    let update = (
        order(),
        select(OrderStatus::ALL.to_vec()),
        of(parcel()),
        of(day),
        of(text()),
    );
    let payment = (
        (
            select(vec![Succeeded, Failed, Refunded, Processing]),
            order(),
            of(text()),
        ),
        (of(text()), page(), of(money()), of(text())),
    );
    let payout = (
        select(vec![PayoutOutcome::Processed, PayoutOutcome::Failed]),
        text(),
        of(money()),
        of(text()),
    );
    prop_oneof![
        order().prop_map(Content::OrderConfirmation),
        update.prop_map(
            |(order, status, parcel, estimated_delivery, reason)| Content::OrderStatus(StatusUpdate {
                order,
                status,
                parcel,
                estimated_delivery,
                reason
            })
        ),
        payment.prop_map(
            |((outcome, order, payment_id), (method, retry_url, refund, reason))| Content::Payment(Payment {
                outcome,
                order,
                payment_id,
                method,
                retry_url,
                refund,
                reason
            })
        ),
        payout.prop_map(|(outcome, id, amount, period)| Content::Payout(Payout {
            outcome,
            id,
            amount,
            period
        })),
        (of(text()), text(), of(text()), page()).prop_map(|(id, title, body, url)| Content::Promotional(Campaign {
            id,
            title,
            body,
            url
        })),
        (of(moment()), of(moment()), of(text())).prop_map(|(start, end, body)| Content::Maintenance(Maintenance {
            start,
            end,
            body
        })),
        (text(), page()).prop_map(|(change, url)| Content::Account(AccountChange { change, url })),
        Just(Content::Test),
        (text(), of(text()), of(decimal()), of(decimal())).prop_map(|(sku, name, stock, threshold)| Content::LowStock(
            Product {
                sku,
                name,
                stock,
                threshold
            }
        )),
    ]
}

fn reader() -> impl Strategy<Value = Reader> {
    let zones = [
        "UTC",
        "Europe/Madrid",
        "Asia/Kathmandu",
        "Pacific/Chatham",
        "America/St_Johns",
    ];
    (select(Language::ALL.to_vec()), select(zones.to_vec()), page(), page()).prop_map(
        |(language, zone, unsubscribe, preferences)| Reader {
            language,
            zone: Zone::try_from(zone).unwrap(),
            links: Links {
                unsubscribe,
                preferences,
            },
        },
    )
}

fn shop() -> impl Strategy<Value = Shop> {
    (text(), page(), text(), page(), of(text()), of(text())).prop_map(
        |(name, url, support_email, logo_url, colour, address)| Shop {
            name,
            url,
            support_email,
            logo_url,
            colour,
            address,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_message_is_rendered_within_its_bounds(content in content(), reader in reader(), shop in shop()) {
        let templates = Templates::new();
        let email = templates.email(&content, &reader, &shop).unwrap();
        prop_assert!(email.subject.chars().count() <= 121, "{}", email.subject);
        prop_assert!(email.html.len() < 102_000, "{} bytes", email.html.len());
        prop_assert!(email.text.len() < 102_000, "{} bytes", email.text.len());
        for note in [templates.push(&content, &reader, &shop).unwrap(), templates.in_app(&content, &reader, &shop).unwrap()] {
            prop_assert!(note.title.chars().count() <= 66, "{}", note.title);
            prop_assert!(note.body.chars().count() <= 241, "{}", note.body);
        }
        let sms = templates.sms(&content, &reader, &shop).unwrap();
        prop_assert!(sms.segments <= 2 && sms.segments == sms.encoding.segments(&sms.text), "{}", sms.text);
        prop_assert_eq!(sms.encoding, SmsEncoding::of(&sms.text));
    }
}
