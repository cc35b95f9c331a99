//! What the proxy knows: standing rules, the last calls, how many there were of each operation, and which permissions they needed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::access::{ByKey, Signed};
use crate::call::Call;
use crate::operation::Seen;
use crate::rule::{Fault, Rule, RuleId, StandingRule};
use crate::ses_event::Accepted;

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
    exercised: ByKey,
}

/// A call that was written down, so that its end can be added.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallNumber(u64);

impl Book {
    /// Whether a rule for this request depends on who calls.
    pub(crate) fn asks_who_calls(&self, seen: &Seen) -> bool {
        let asks = |standing: &StandingRule| standing.rule.caller.is_some() && fits(&standing.rule, seen);
        self.pages().rules.iter().any(asks)
    }

    /// Writes a call down and says what shall happen to it. The caller is known where [`Self::asks_who_calls`].
    pub(crate) fn open(&self, seen: &Seen, at_ms: u64, caller: Option<&str>) -> (CallNumber, Option<Fault>) {
        let mut pages = self.pages();
        let applied = pages
            .rules
            .iter_mut()
            .filter(|standing| fits(&standing.rule, seen) && is_by(&standing.rule, caller))
            .find_map(|standing| {
                if standing.rule.skip > 0 {
                    standing.rule.skip -= 1;
                    return None;
                }
                standing.used += 1;
                standing.rule.times = standing.rule.times.map(|times| times.saturating_sub(1));
                Some((standing.id, standing.rule.fault.clone()))
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

    /// Adds who calls.
    pub(crate) fn was_called_by(&self, number: CallNumber, name: &str) {
        self.amend(number, |call| call.caller = Some(name.to_owned()));
    }

    /// Adds what happened to the caller's process.
    pub(crate) fn did_to_caller(&self, number: CallNumber, deed: String) {
        self.amend(number, |call| call.done_to_caller = Some(deed));
    }

    /// Adds that the emulator accepted an e-mail, under which id.
    pub(crate) fn email_accepted(&self, number: CallNumber, message_id: &str) -> Option<Accepted> {
        let mut pages = self.pages();
        let call = pages.call(number)?;
        call.email.as_mut()?.message_id = Some(message_id.to_owned());
        accepted(number, call)
    }

    /// The last e-mail that was accepted under this message id, or with a tag of this value.
    pub(crate) fn accepted_email(&self, text: &str) -> Option<Accepted> {
        let pages = self.pages();
        let is_meant = |call: &Call| {
            call.email.as_ref().is_some_and(|email| match &email.message_id {
                Some(id) => id == text || email.tags.values().any(|tag| tag == text),
                None => false,
            })
        };
        let (place, call) = pages.calls.iter().enumerate().rev().find(|(_, call)| is_meant(call))?;
        accepted(CallNumber(pages.calls_forgotten + place as u64), call)
    }

    /// Counts an event about an e-mail.
    pub(crate) fn event_published(&self, number: CallNumber, event: &str) {
        self.amend(number, |call| {
            if let Some(email) = &mut call.email {
                *email.events.entry(event.to_owned()).or_default() += 1;
            }
        });
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

    /// Writes down which permissions a call needed, and who made it, where that is known.
    pub(crate) fn exercise(&self, signed: Signed, caller: Option<&str>) {
        let mut pages = self.pages();
        let exercised = pages.exercised.entry(signed.key).or_default();
        if let Some(name) = caller.filter(|name| !exercised.callers.contains(*name)) {
            exercised.callers.insert(name.to_owned());
        }
        exercised.accesses.extend(signed.accesses);
    }

    pub(crate) fn exercised(&self) -> ByKey {
        self.pages().exercised.clone()
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.pages().counts.clone()
    }

    fn amend(&self, number: CallNumber, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self.pages().call(number) {
            change(call);
        }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn call(&mut self, number: CallNumber) -> Option<&mut Call> {
        let place = number.0.checked_sub(self.calls_forgotten)?;
        self.calls.get_mut(usize::try_from(place).ok()?)
    }
}

fn accepted(number: CallNumber, call: &Call) -> Option<Accepted> {
    let email = call.email.clone()?;
    Some(Accepted {
        call: number,
        message_id: email.message_id.clone()?,
        email,
        at_ms: call.at_ms,
    })
}

fn fits(rule: &Rule, seen: &Seen) -> bool {
    rule.times != Some(0)
        && (rule.operation == "*" || rule.operation == seen.operation)
        && rule.contains.as_ref().is_none_or(|text| seen.contains(text))
}

fn is_by(rule: &Rule, caller: Option<&str>) -> bool {
    rule.caller
        .as_ref()
        .is_none_or(|text| caller.is_some_and(|caller| caller.contains(text)))
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
        book.open(&email_to(address), 0, None).1
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
    fn any_operation_is_a_star() {
        let book = Book::default();
        book.add_rule(Rule::on("*", Fault::Drop));
        assert_eq!(fault(&book, "ana@example.com"), Some(Fault::Drop));
    }

    #[test]
    fn a_rule_lets_as_many_requests_pass_as_it_says() {
        let book = Book::default();
        book.add_rule(Rule::on("SendEmail", Fault::Drop).skipping(1).times(1));
        assert_eq!(
            [0; 3].map(|_| fault(&book, "a@example.com")),
            [None, Some(Fault::Drop), None]
        );
    }

    #[test]
    fn a_request_that_passes_one_rule_is_left_to_the_next() {
        let book = Book::default();
        book.add_rule(Rule::on("SendEmail", Fault::Drop).skipping(1));
        book.add_rule(Rule::on("SendEmail", Fault::DropAfter));
        assert_eq!(fault(&book, "a@example.com"), Some(Fault::DropAfter));
    }

    #[test]
    fn a_rule_holds_for_one_caller() {
        let book = Book::default();
        book.add_rule(Rule::on("SendEmail", Fault::Drop).called_by("email"));
        let callers = [Some("e-com67-email-sender"), Some("e-com67-sms-sender"), None];
        assert_eq!(
            callers.map(|caller| book.open(&email_to("ana@example.com"), 0, caller).1),
            [Some(Fault::Drop), None, None]
        );
    }

    #[test]
    fn who_calls_is_asked_for_by_a_rule_only() {
        let book = Book::default();
        book.add_rule(Rule::on("SendEmail", Fault::Drop));
        let before = book.asks_who_calls(&email_to("ana@example.com"));
        book.add_rule(Rule::on("SendEmail", Fault::Drop).called_by("email"));
        assert_eq!(
            (before, book.asks_who_calls(&email_to("ana@example.com"))),
            (false, true)
        );
    }

    #[test]
    fn the_last_email_that_was_accepted_is_found_by_its_id() {
        let book = Book::default();
        let (first, _) = book.open(&email_to("first@example.com"), 0, None);
        book.open(&email_to("second@example.com"), 0, None);
        book.email_accepted(first, "0102-abc");
        let accepted = book.accepted_email("0102-abc").unwrap();
        assert_eq!(accepted.email.to, ["first@example.com"]);
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
        let (first, _) = book.open(&email_to("first@example.com"), 0, None);
        (0..CALLS_KEPT).for_each(|_| drop(fault(&book, "next@example.com")));
        book.caller_was_told(first, 200);
        assert_eq!(book.calls(None, None).len(), CALLS_KEPT);
        assert_eq!(book.counts()["SendEmail"], CALLS_KEPT as u64 + 1);
        assert!(book.calls(None, None).iter().all(|call| call.status.is_none()));
    }
}
