//! Payments, payouts, products, campaigns, maintenance and accounts.

use domain::{AccountChange, Campaign, Language, Maintenance, Payment, Payout, Product, Zone};
use serde::Serialize;

use super::{Codes, name, paragraphs, sentence};
use crate::{dates, money, words::code_of};

/// Who paid the courier gets no money back by that way.
const CASH: &str = "cash_on_delivery";

#[derive(Debug, Default, Serialize)]
pub(crate) struct PaymentFacts {
    id: Option<String>,
    /// How it was paid, in our words where the publisher's code is known.
    method: Option<String>,
    /// Where a refund goes, unless it was paid in cash.
    goes_back_to: Option<String>,
    /// What went back.
    refund: Option<String>,
    /// Less went back than was paid.
    is_partial: bool,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct PayoutFacts {
    id: String,
    amount: Option<String>,
    /// For which period.
    period: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct ProductFacts {
    sku: String,
    /// Its name, else its number.
    pub(crate) name: String,
    /// It has a name besides its number.
    is_named: bool,
    stock: Option<String>,
    /// Nothing is left.
    is_gone: bool,
    threshold: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct CampaignFacts {
    pub(crate) title: String,
    /// Its text, by paragraph.
    body: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct MaintenanceFacts {
    /// Day and time at which it begins, in words, in the customer's zone.
    start: Option<String>,
    /// When it ends: the time, with the day where it is another one.
    end: Option<String>,
    /// The same in few letters.
    short_start: Option<String>,
    short_end: Option<String>,
    /// How far these times are from Greenwich: `GMT+1`.
    zone: Option<String>,
    /// What is done, by paragraph.
    body: Vec<String>,
}

#[derive(Debug, Default, Serialize)]
pub(crate) struct AccountFacts {
    /// What changed, as a sentence.
    change: String,
}

impl PaymentFacts {
    pub(crate) fn of(payment: &Payment, language: Language, codes: Codes<'_>) -> Self {
        let code = payment.method.as_deref();
        let method = code.and_then(|code| codes("methods", code).or_else(|| name(code)));
        let is_cash = code.and_then(code_of).is_some_and(|code| code == CASH);
        let (refund, total) = (payment.refund, payment.order.total);
        Self {
            id: payment.payment_id.as_deref().and_then(name),
            goes_back_to: method.clone().filter(|_| !is_cash),
            method,
            refund: refund.map(|refund| money::money(language, refund)),
            is_partial: refund
                .zip(total)
                .is_some_and(|(refund, total)| refund.currency == total.currency && refund.amount < total.amount),
        }
    }
}

impl PayoutFacts {
    pub(crate) fn of(payout: &Payout, language: Language) -> Self {
        let period = payout.period.as_deref();
        Self {
            id: name(&payout.id).unwrap_or_default(),
            amount: payout.amount.map(|amount| money::money(language, amount)),
            period: period.and_then(|text| dates::month(language, text).or_else(|| name(text))),
        }
    }
}

impl ProductFacts {
    pub(crate) fn of(product: &Product, language: Language) -> Self {
        let sku = name(&product.sku).unwrap_or_default();
        Self {
            is_named: product.name.as_deref().and_then(name).is_some(),
            name: product.name.as_deref().and_then(name).unwrap_or_else(|| sku.clone()),
            sku,
            stock: product.stock.map(|stock| money::quantity(language, stock)),
            is_gone: product
                .stock
                .is_some_and(|stock| stock.is_zero() || stock.is_sign_negative()),
            threshold: product.threshold.map(|threshold| money::quantity(language, threshold)),
        }
    }
}

impl CampaignFacts {
    pub(crate) fn of(campaign: &Campaign) -> Self {
        Self {
            title: name(&campaign.title).unwrap_or_default(),
            body: campaign.body.as_deref().map(paragraphs).unwrap_or_default(),
        }
    }
}

impl MaintenanceFacts {
    pub(crate) fn of(maintenance: &Maintenance, language: Language, zone: &Zone) -> Self {
        let local = |at: jiff::Timestamp| at.to_zoned(zone.tz().clone());
        let start = maintenance.start.map(local);
        let end = maintenance.end.map(local);
        let ends_that_day = start
            .as_ref()
            .zip(end.as_ref())
            .is_some_and(|(start, end)| start.date() == end.date());
        let ending = |with_day: fn(Language, &jiff::Zoned) -> String| {
            end.as_ref().map(|end| match ends_that_day {
                true => dates::time(language, end),
                false => with_day(language, end),
            })
        };
        Self {
            short_end: ending(dates::short_moment),
            end: ending(dates::moment),
            short_start: start.as_ref().map(|start| dates::short_moment(language, start)),
            zone: start.as_ref().or(end.as_ref()).map(|at| dates::offset(language, at)),
            start: start.as_ref().map(|start| dates::moment(language, start)),
            body: maintenance.body.as_deref().map(paragraphs).unwrap_or_default(),
        }
    }
}

/// A sentence with a full stop: more sentences follow it.
fn ended(mut sentence: String) -> String {
    if !sentence.ends_with(['.', '!', '?', '…', '\u{2069}']) {
        sentence.push('.');
    }
    sentence
}

impl AccountFacts {
    pub(crate) fn of(account: &AccountChange, codes: Codes<'_>) -> Self {
        let known = codes("changes", &account.change);
        Self {
            change: known
                .or_else(|| sentence(&account.change).map(ended))
                .unwrap_or_default(),
        }
    }
}
