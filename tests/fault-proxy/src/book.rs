//! What the proxy knows: standing rules, the last calls, and how many there were of each operation.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::call::Call;
use crate::operation::Seen;
use crate::rule::{Fault, Rule, RuleId, StandingRule};

/// How many calls are remembered; older ones are only counted.
const CALLS_KEPT: usize = 20_000;

#[derive(Debug, Default)]
pub(crate) struct Book {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    rules: Vec<StandingRule>,
    rules_added: u64,
    calls: VecDeque<Call>,
    calls_forgotten: u64,
    counts: BTreeMap<String, u64>,
}

/// A call that was written down, so that its end can be added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CallNumber(u64);

impl Book {
    /// Writes a call down and says what shall happen to it.
    pub(crate) fn open(&self, seen: &Seen, at_ms: u64) -> (CallNumber, Option<Fault>) {
        let mut pages = self.pages();
        let applied = pages
            .rules
            .iter_mut()
            .find(|standing| applies(&standing.rule, seen))
            .map(|standing| {
                standing.used += 1;
                standing.rule.times = standing.rule.times.map(|times| times.saturating_sub(1));
                (standing.id, standing.rule.fault.clone())
            });
        let (rule, fault) = applied.unzip();

        *pages.counts.entry(seen.operation.clone()).or_default() += 1;
        if pages.calls.len() == CALLS_KEPT {
            pages.calls.pop_front();
            pages.calls_forgotten += 1;
        }
        let number = pages.calls_forgotten + pages.calls.len() as u64;
        pages.calls.push_back(Call::of(seen, at_ms, rule));
        (CallNumber(number), fault)
    }

    /// Adds how the emulator answered.
    pub(crate) fn upstream_answered(&self, number: CallNumber, status: u16) {
        self.amend(number, |call| call.upstream_status = Some(status));
    }

    /// Adds what the caller was told.
    pub(crate) fn caller_was_told(&self, number: CallNumber, status: u16) {
        self.amend(number, |call| call.status = Some(status));
    }

    pub(crate) fn add_rule(&self, rule: Rule) -> RuleId {
        let mut pages = self.pages();
        pages.rules_added += 1;
        let id = RuleId(pages.rules_added);
        pages.rules.push(StandingRule { id, rule, used: 0 });
        id
    }

    /// Whether there was such a rule.
    pub(crate) fn remove_rule(&self, id: RuleId) -> bool {
        let mut pages = self.pages();
        let before = pages.rules.len();
        pages.rules.retain(|standing| standing.id != id);
        pages.rules.len() < before
    }

    pub(crate) fn remove_all_rules(&self) {
        self.pages().rules.clear();
    }

    pub(crate) fn rules(&self) -> Vec<StandingRule> {
        self.pages().rules.clone()
    }

    /// The calls that are remembered, oldest first.
    pub(crate) fn calls(&self, operation: Option<&str>, contains: Option<&str>) -> Vec<Call> {
        let wanted = |call: &&Call| {
            operation.is_none_or(|operation| call.operation == operation)
                && contains.is_none_or(|text| call.mentions(text))
        };
        self.pages().calls.iter().filter(wanted).cloned().collect()
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.pages().counts.clone()
    }

    fn amend(&self, number: CallNumber, change: impl FnOnce(&mut Call)) {
        let mut pages = self.pages();
        let place = number
            .0
            .checked_sub(pages.calls_forgotten)
            .and_then(|place| usize::try_from(place).ok());
        if let Some(call) = place.and_then(|place| pages.calls.get_mut(place)) {
            change(call);
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn applies(rule: &Rule, seen: &Seen) -> bool {
    rule.times != Some(0)
        && rule.operation == seen.operation
        && rule.contains.as_ref().is_none_or(|text| seen.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    fn email_to(address: &str) -> Seen {
        let (head, ()) = Request::post("/v2/email/outbound-emails")
            .body(())
            .unwrap()
            .into_parts();
        Seen::read(
            &head,
            format!(r#"{{"Destination":{{"ToAddresses":["{address}"]}}}}"#).as_bytes(),
        )
    }

    fn fault(book: &Book, address: &str) -> Option<Fault> {
        book.open(&email_to(address), 0).1
    }

    #[test]
    fn a_rule_holds_as_often_as_it_says() {
        let book = Book::default();
        book.add_rule(Rule::on("SendEmail", Fault::Drop).times(1));
        assert_eq!(
            [fault(&book, "a@example.com"), fault(&book, "a@example.com")],
            [Some(Fault::Drop), None]
        );
    }

    #[test]
    fn another_recipient_does_not_use_a_rule_up() {
        let book = Book::default();
        book.add_rule(
            Rule::on("SendEmail", Fault::Drop)
                .containing("ana@example.com")
                .times(1),
        );
        assert_eq!(
            [fault(&book, "luis@example.com"), fault(&book, "ana@example.com")],
            [None, Some(Fault::Drop)]
        );
    }

    #[test]
    fn another_operation_is_left_alone() {
        let book = Book::default();
        book.add_rule(Rule::on("Publish", Fault::Drop));
        assert_eq!(fault(&book, "ana@example.com"), None);
    }

    #[test]
    fn the_oldest_rule_counts_first() {
        let book = Book::default();
        book.add_rule(Rule::on("SendEmail", Fault::Drop).times(1));
        book.add_rule(Rule::on("SendEmail", Fault::DropAfter));
        assert_eq!(
            [fault(&book, "a@example.com"), fault(&book, "a@example.com")],
            [Some(Fault::Drop), Some(Fault::DropAfter)]
        );
    }

    #[test]
    fn a_removed_rule_does_nothing() {
        let book = Book::default();
        let id = book.add_rule(Rule::on("SendEmail", Fault::Drop));
        assert!(book.remove_rule(id));
        assert_eq!(fault(&book, "ana@example.com"), None);
    }

    #[test]
    fn the_oldest_calls_are_forgotten_and_still_counted() {
        let book = Book::default();
        let (first, _) = book.open(&email_to("first@example.com"), 0);
        (0..CALLS_KEPT).for_each(|_| drop(fault(&book, "next@example.com")));
        book.caller_was_told(first, 200);
        assert_eq!(book.calls(None, None).len(), CALLS_KEPT);
        assert_eq!(book.counts()["SendEmail"], CALLS_KEPT as u64 + 1);
        assert!(book.calls(None, None).iter().all(|call| call.status.is_none()));
    }
}
