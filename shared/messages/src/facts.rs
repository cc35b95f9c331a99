//! What the words and structures of a message may speak of: the content of an event, made ready to be read.
//!
//! Everything here comes from outside. Each text is cleaned to one line of bounded length and loses the characters that
//! reorder others; it is handed to the templates as a value and is never a template itself.

use domain::{Content, Language, OrderStatus, PaymentOutcome, PayoutOutcome, Zone, clean_block, clean_line};
use icu::properties::{CodePointSetData, props::DefaultIgnorableCodePoint};
use serde::Serialize;

use crate::{
    dates,
    html::{isolated_where_needed, web_address, without_bidi_controls},
    shop::{Shop, ShopFacts},
    templates::Reader,
    words::code_of,
};

mod goods;
mod others;

pub(crate) use goods::tracking_page;
use goods::{OrderFacts, ParcelFacts};
use others::{AccountFacts, CampaignFacts, MaintenanceFacts, PaymentFacts, PayoutFacts, ProductFacts};

/// Longer names of people and things are cut.
const LONGEST_NAME: usize = 120;

/// Longer explanations are cut.
const LONGEST_SENTENCE: usize = 400;

/// Paragraphs of a free text, and characters in all of them; the rest is cut.
const MOST_PARAGRAPHS: usize = 20;
const LONGEST_TEXT: usize = 4_000;

/// The reason of a parcel that is out for delivery and waits to be collected.
const READY_FOR_PICKUP: &str = "ready_for_pickup";

/// After these a carrier does not try again.
const FINAL_REASONS: [&str; 3] = ["refused", "damaged", "lost"];

/// Looks up what a code of the publisher's means in plain words: kind (`reasons`, `methods`, `changes`) and code.
pub(crate) type Codes<'a> = &'a dyn Fn(&str, &str) -> Option<String>;

/// The variables of every template. What a message is not about is there all the same, and empty.
#[derive(Debug, Serialize)]
pub(crate) struct Facts {
    pub(crate) language: &'static str,
    pub(crate) shop: ShopFacts,
    /// The customer's name, if the event knows it.
    name: Option<String>,
    pub(crate) order: OrderFacts,
    /// The status by its name; empty when the message is about none.
    status: &'static str,
    pub(crate) parcel: ParcelFacts,
    /// The day on which the parcel is expected, in words.
    day: Option<String>,
    short_day: Option<String>,
    /// Why, as a sentence of ours, where the publisher's code is known.
    why: Option<String>,
    /// Why, in the publisher's own words, where it is no code that we know.
    reason: Option<String>,
    payment: PaymentFacts,
    payout: PayoutFacts,
    product: ProductFacts,
    campaign: CampaignFacts,
    maintenance: MaintenanceFacts,
    account: AccountFacts,
    /// The one page that this message leads to.
    pub(crate) link: Option<String>,
    links: LinkFacts,
    /// How the news are meant: `good`, `bad`, `over` or `plain`. Gives the card its colour.
    tone: &'static str,
    /// Whether the carrier may still deliver it by itself.
    is_tried_again: bool,
    /// Whether it waits in a shop, a locker or an office, instead of being brought.
    is_ready_to_collect: bool,
    /// Whether only the most important is to be said.
    pub(crate) is_brief: bool,
}

/// Pages of the customer's own.
#[derive(Debug, Serialize)]
struct LinkFacts {
    unsubscribe: Option<String>,
    preferences: Option<String>,
}

/// One clean line of bounded length that keeps its own direction, or nothing.
pub(crate) fn line(text: &str, longest: usize) -> Option<String> {
    seen(text).map(|text| isolated_where_needed(cut(text, longest)))
}

/// One clean line, or nothing where nobody sees anything: a name of zero-width letters is no name.
pub(crate) fn seen(text: &str) -> Option<String> {
    let invisible = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let text = clean_line(&without_bidi_controls(text));
    let is_seen = text.chars().any(|c| !c.is_whitespace() && !invisible.contains(c));
    is_seen.then_some(text)
}

fn name(text: &str) -> Option<String> {
    line(text, LONGEST_NAME)
}

fn sentence(text: &str) -> Option<String> {
    line(text, LONGEST_SENTENCE)
}

/// The paragraphs of a free text.
fn paragraphs(text: &str) -> Vec<String> {
    cut(clean_block(&without_bidi_controls(text)), LONGEST_TEXT)
        .lines()
        .filter_map(|paragraph| line(paragraph, LONGEST_TEXT))
        .take(MOST_PARAGRAPHS)
        .collect()
}

/// The text, or its beginning and `…`.
fn cut(text: String, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text,
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default().trim_end()),
    }
}

fn shorten(name: &mut String, longest: usize) {
    if name.chars().count() > longest {
        *name = name.chars().take(longest).collect();
        name.push_str("...");
    }
}

impl Facts {
    /// What this content tells this reader in this language.
    pub(crate) fn of(content: &Content, language: Language, reader: &Reader, shop: &Shop, codes: Codes<'_>) -> Self {
        let order = content.order();
        let zone = &reader.zone;
        let mut facts = Self {
            language: language.code(),
            shop: shop.facts(),
            name: order.and_then(|order| order.customer_name.as_deref()).and_then(name),
            order: order.map_or_else(OrderFacts::default, |order| OrderFacts::of(order, language, zone)),
            status: "",
            parcel: ParcelFacts::default(),
            day: None,
            short_day: None,
            why: None,
            reason: None,
            payment: PaymentFacts::default(),
            payout: PayoutFacts::default(),
            product: ProductFacts::default(),
            campaign: CampaignFacts::default(),
            maintenance: MaintenanceFacts::default(),
            account: AccountFacts::default(),
            link: None,
            links: LinkFacts {
                unsubscribe: reader.links.unsubscribe.as_deref().and_then(web_address),
                preferences: reader.links.preferences.as_deref().and_then(web_address),
            },
            tone: tone_of(content),
            is_tried_again: true,
            is_ready_to_collect: false,
            is_brief: false,
        };
        facts.add(content, language, zone, codes);
        facts
    }

    fn add(&mut self, content: &Content, language: Language, zone: &Zone, codes: Codes<'_>) {
        match content {
            Content::OrderConfirmation(_) | Content::Test => {}
            Content::OrderStatus(update) => {
                self.status = update.status.name();
                self.parcel = ParcelFacts::of(update, language);
                self.link.clone_from(&self.parcel.page);
                self.day = update.estimated_delivery.map(|day| dates::day(language, day));
                self.short_day = update.estimated_delivery.map(|day| dates::short_day(language, day));
                self.is_ready_to_collect =
                    update.status == OrderStatus::OutForDelivery && update.reason.as_deref() == Some(READY_FOR_PICKUP);
                if self.is_ready_to_collect {
                    // It was expected at the door, on a day that no longer counts.
                    (self.day, self.short_day) = (None, None);
                } else {
                    self.explain(update.reason.as_deref(), |code| explains(code, update.status), codes);
                }
            }
            Content::Payment(payment) => {
                self.payment = PaymentFacts::of(payment, language, codes);
                self.link = payment.retry_url.as_deref().and_then(web_address);
                self.explain(payment.reason.as_deref(), |_any| true, codes);
            }
            Content::Payout(payout) => self.payout = PayoutFacts::of(payout, language),
            Content::Promotional(campaign) => {
                self.campaign = CampaignFacts::of(campaign);
                self.link = campaign.url.as_deref().and_then(web_address);
            }
            Content::Maintenance(maintenance) => {
                self.maintenance = MaintenanceFacts::of(maintenance, language, zone);
            }
            Content::Account(account) => {
                self.account = AccountFacts::of(account, codes);
                self.link = account.url.as_deref().and_then(web_address);
            }
            Content::LowStock(product) => self.product = ProductFacts::of(product, language),
        }
    }

    /// Makes names short, as text messages need them.
    pub(crate) fn shorten_names(&mut self) {
        /// Shorter names are told whole.
        const SHORT: usize = 20;
        /// The title of a campaign is all that its text message tells.
        const SHORT_TITLE: usize = 60;
        let names = [&mut self.shop.name, &mut self.order.id, &mut self.product.name];
        for name in names.into_iter().chain(&mut self.parcel.carrier) {
            shorten(name, SHORT);
        }
        shorten(&mut self.campaign.title, SHORT_TITLE);
    }

    /// Tells why: in our words where the code is known and says what this message says, else in the publisher's.
    fn explain(&mut self, reason: Option<&str>, says: impl Fn(&str) -> bool, codes: Codes<'_>) {
        let Some(reason) = reason else { return };
        match (codes("reasons", reason), code_of(reason)) {
            (Some(why), Some(code)) => {
                self.is_tried_again = !FINAL_REASONS.contains(&code.as_str());
                self.why = says(&code).then_some(why);
            }
            _ => self.reason = sentence(reason),
        }
    }
}

/// Whether a reason goes with what a message of this status says: one that asks for something would deny that there is nothing
/// to do about a delay.
fn explains(code: &str, status: OrderStatus) -> bool {
    use OrderStatus as Status;
    let reasons: &[&str] = match status {
        Status::Delayed => &["weather", "high_volume", "customs", "late_supplier", "out_of_stock"],
        Status::Exception => &[
            "weather",
            "customs",
            "address_incomplete",
            "recipient_absent",
            "refused",
            "damaged",
            "lost",
        ],
        Status::Cancelled => &[
            "out_of_stock",
            "late_supplier",
            "customer_request",
            "payment_missing",
            "refused",
            "damaged",
            "lost",
        ],
        Status::Returned => &["address_incomplete", "recipient_absent", "refused", "damaged"],
        Status::Pending
        | Status::Paid
        | Status::Confirmed
        | Status::Processing
        | Status::Picking
        | Status::Packed
        | Status::Shipped
        | Status::OutForDelivery
        | Status::Delivered => &[],
    };
    reasons.contains(&code)
}

fn tone_of(content: &Content) -> &'static str {
    use domain::OrderStatus as Status;
    match content {
        Content::OrderConfirmation(_) | Content::Test => "good",
        Content::OrderStatus(update) => match update.status {
            Status::Confirmed | Status::Delivered | Status::Paid => "good",
            Status::Pending | Status::Delayed | Status::Exception => "bad",
            Status::Cancelled | Status::Returned => "over",
            Status::Processing | Status::Picking | Status::Packed | Status::Shipped | Status::OutForDelivery => "plain",
        },
        Content::Payment(payment) => match payment.outcome {
            PaymentOutcome::Succeeded | PaymentOutcome::Refunded => "good",
            PaymentOutcome::Failed => "bad",
            PaymentOutcome::Processing => "plain",
        },
        Content::Payout(payout) => match payout.outcome {
            PayoutOutcome::Processed => "good",
            PayoutOutcome::Failed => "bad",
        },
        Content::LowStock(_) => "bad",
        Content::Promotional(_) | Content::Maintenance(_) | Content::Account(_) => "plain",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_letters() {
        assert_eq!(cut("ñandú ñ".to_owned(), 6), "ñandú…");
        assert_eq!(cut("ñandú".to_owned(), 5), "ñandú");
    }

    #[test]
    fn a_name_that_nobody_sees_is_no_name() {
        for text in [
            "",
            " ",
            "\u{200B}",
            "\u{FEFF}\u{AD}",
            "\u{E0041}\u{FE0F}",
            "\u{202E}\u{200F}",
        ] {
            assert_eq!(name(text), None, "{text:?}");
        }
        assert_eq!(name("\u{200B}Ana").as_deref(), Some("\u{200B}Ana"));
    }

    #[test]
    fn a_free_text_keeps_its_paragraphs() {
        assert_eq!(paragraphs("one\r\n\r\n two \u{202E}three\n"), ["one", "two three"]);
        assert_eq!(paragraphs(&"line\n".repeat(500)).len(), MOST_PARAGRAPHS);
    }
}
