//! Whether every message that may be asked for is written.

use domain::{Language, NotificationType, OrderStatus};
use messages::Templates;
use std::collections::BTreeMap;

use super::Finding;

const CHECK: &str = "templates";

pub(super) fn look() -> Vec<Finding> {
    let templates = match Templates::load() {
        Ok(templates) => templates,
        Err(error) => {
            let what = format!("a template is broken: {}", domain::chain(&error));
            return vec![Finding::problem(
                CHECK,
                what,
                "mend it in shared/messages and deploy again",
            )];
        }
    };
    let mut unwritten = Vec::new();
    let mut partly: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut written = 0;
    for (kind, status) in kinds() {
        let name = status.map_or_else(|| kind.to_string(), |status| format!("{kind} ({status})"));
        let languages = templates.languages_of(kind, status);
        let missing: Vec<&str> = Language::ALL
            .into_iter()
            .filter(|language| !languages.contains(language))
            .map(Language::code)
            .collect();
        if languages.is_empty() {
            unwritten.push(name);
        } else {
            written += 1;
            if !missing.is_empty() {
                partly.entry(missing.join(" and ")).or_default().push(name);
            }
        }
    }
    let mut findings = vec![Finding::ok(CHECK, format!("{written} kinds of messages are written"))];
    if !unwritten.is_empty() {
        findings.push(Finding::note(
            CHECK,
            format!("nobody has written {}", unwritten.join(", ")),
            "deliveries of these end as failed (no email template for …): write them in shared/messages, or do not publish them",
        ));
    }
    for (languages, names) in partly {
        findings.push(Finding::note(
            CHECK,
            format!("not written in {languages}: {}", names.join(", ")),
            "these customers get the shop's language, else English: write them in shared/messages",
        ));
    }
    findings
}

/// Every type, and every status of those that have one.
fn kinds() -> impl Iterator<Item = (NotificationType, Option<OrderStatus>)> {
    NotificationType::ALL.into_iter().flat_map(|kind| match kind {
        NotificationType::OrderStatusUpdate => OrderStatus::ALL.map(|status| (kind, Some(status))).to_vec(),
        NotificationType::OrderConfirmation
        | NotificationType::PaymentSucceeded
        | NotificationType::PaymentFailed
        | NotificationType::PaymentRefunded
        | NotificationType::PaymentProcessing
        | NotificationType::PayoutProcessed
        | NotificationType::PayoutFailed
        | NotificationType::AccountUpdate
        | NotificationType::LowStock
        | NotificationType::Promotional
        | NotificationType::SystemMaintenance => vec![(kind, None)],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn no_template_is_broken_and_what_nobody_wrote_is_named() {
        let findings = look();
        assert!(findings.iter().all(|finding| finding.level != Level::Problem));
        assert_eq!(
            kinds().count(),
            NotificationType::ALL.len() - 1 + OrderStatus::ALL.len()
        );
    }
}
