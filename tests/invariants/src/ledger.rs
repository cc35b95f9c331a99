//! I1, I5 and I7 as the ledger shows them: how each delivery moved, and where it ended.

use crate::arrows;
use crate::chronicle::{Ending, Entry, Key, Snapshot, Terms, What};
use crate::quick::Map;
use crate::verdict::Invariant::{I1, I5, I7};
use crate::verdict::Verdict;

/// The ledger, rebuilt from the chronicle.
pub(crate) struct Ledger<'a> {
    terms: &'a Terms,
    held: Map<Key, Held<'a>>,
}

#[derive(Default)]
struct Held<'a> {
    /// What the ledger was last seen to hold; `None` before it was opened.
    value: Option<Value<'a>>,
    /// Whether a letter about it was put since it was last queued by an operator.
    has_letter: bool,
    /// The highest generation that an operator was told of.
    redriven: u32,
    /// How often the ending names it.
    ended: u32,
}

/// What can be compared of two sights of a value. Whether it is claimable depends on who looks.
#[derive(Clone, Copy, PartialEq)]
struct Value<'a> {
    state: &'a str,
    attempt: u32,
    generation: u32,
    owner: Option<u64>,
    reason: Option<&'a str>,
}

impl<'a> From<&'a Snapshot> for Value<'a> {
    fn from(snapshot: &'a Snapshot) -> Self {
        Self {
            state: &snapshot.state,
            attempt: snapshot.attempt,
            generation: snapshot.generation,
            owner: snapshot.owner,
            reason: snapshot.reason.as_deref(),
        }
    }
}

impl std::fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            state,
            attempt,
            generation,
            owner,
            reason,
        } = self;
        write!(f, "`{state}` with attempt {attempt}, generation {generation}")?;
        match owner {
            Some(owner) => write!(f, ", owner {owner}")?,
            None => f.write_str(", no owner")?,
        }
        match reason {
            Some(reason) => write!(f, ", reason `{reason}`"),
            None => f.write_str(", no reason"),
        }
    }
}

impl<'a> Ledger<'a> {
    pub(crate) fn new(terms: &'a Terms) -> Self {
        Self {
            terms,
            held: Map::default(),
        }
    }

    pub(crate) fn hear(&mut self, entry: &'a Entry, verdict: &mut Verdict) {
        let at_ms = Some(entry.at_ms);
        match &entry.what {
            What::Opened {
                delivery,
                state,
                reason,
                ..
            } => {
                let held = self.held.entry(*delivery).or_default();
                if held.value.is_some() {
                    let text = "the ledger opened it, although it had done so before".to_owned();
                    verdict.breach(I5, Some(*delivery), at_ms, text);
                } else if !arrows::is_beginning(state) {
                    let text = format!("the ledger opened it as `{state}`, which is no beginning");
                    verdict.breach(I5, Some(*delivery), at_ms, text);
                }
                held.value = Some(Value {
                    state,
                    attempt: 0,
                    generation: 0,
                    owner: None,
                    reason: reason.as_deref(),
                });
            }
            What::Moved { delivery, from, to, by } => {
                let held = self.held.entry(*delivery).or_default();
                let replaced = Value::from(from);
                match held.value {
                    None => {
                        let text = format!("{by} moved it, although the ledger had never opened it");
                        verdict.breach(I5, Some(*delivery), at_ms, text);
                    }
                    Some(value) if value != replaced => {
                        let text = format!("{by} replaced {replaced}, but the ledger held {value}");
                        verdict.breach(I5, Some(*delivery), at_ms, text);
                    }
                    Some(_) => {}
                }
                let value = Value::from(to);
                if let Some(objection) = arrows::objection(delivery.channel, from, to, *by, self.terms) {
                    let text = format!("{by} moved it from {replaced} to {value}, but {objection}");
                    verdict.breach(I5, Some(*delivery), at_ms, text);
                }
                held.value = Some(value);
                if from.state == "parked" && to.state != "parked" {
                    held.has_letter = false;
                }
            }
            What::DeadLettered {
                delivery: Some(delivery),
                ..
            } => self.held.entry(*delivery).or_default().has_letter = true,
            What::Redriven { delivery, generation } => {
                let held = self.held.entry(*delivery).or_default();
                held.redriven = held.redriven.max(*generation);
            }
            What::Published { .. }
            | What::SourceForgot { .. }
            | What::Looked { .. }
            | What::Offered { .. }
            | What::Accepted { .. }
            | What::Refused { .. }
            | What::ReplyLost { .. }
            | What::SendEvent { .. }
            | What::OptedOut { .. }
            | What::OptedIn { .. }
            | What::RangAtNight { .. }
            | What::DeadLettered { delivery: None, .. }
            | What::Metrics { .. }
            | What::Killed { .. }
            | What::Unanswered { .. }
            | What::LogLine { .. } => {}
        }
    }

    pub(crate) fn close(mut self, ending: &'a Ending, verdict: &mut Verdict) {
        if ending.waiting_messages > 0 {
            let text = format!("{} messages still wait at the end", ending.waiting_messages);
            verdict.breach(I1, None, None, text);
        }
        for (key, snapshot) in &ending.deliveries {
            let held = self.held.entry(*key).or_default();
            held.ended += 1;
            let value = Value::from(snapshot);
            judge_end(*key, value, held.has_letter, verdict);
            match held.value {
                None => {
                    let text = format!("the ledger holds {value} at the end, but never opened it");
                    verdict.breach(I5, Some(*key), None, text);
                }
                Some(last) if last != value => {
                    let text = format!("the ledger holds {value} at the end, but was last seen to hold {last}");
                    verdict.breach(I5, Some(*key), None, text);
                }
                Some(_) => {}
            }
        }
        let mut odd: Vec<_> = self.held.iter().filter(|(_, held)| held.is_odd()).collect();
        odd.sort_unstable_by_key(|(key, _)| **key);
        for (key, held) in odd {
            held.say_why_odd(*key, verdict);
        }
    }
}

impl Held<'_> {
    fn is_odd(&self) -> bool {
        (self.value.is_some() && self.ended == 0) || self.ended > 1 || self.was_redriven_in_vain()
    }

    fn say_why_odd(&self, key: Key, verdict: &mut Verdict) {
        if self.value.is_some() && self.ended == 0 {
            let text = "the ledger opened it, but does not hold it at the end".to_owned();
            verdict.breach(I1, Some(key), None, text);
        }
        if self.ended > 1 {
            let text = format!("the ledger holds it {} times at the end", self.ended);
            verdict.breach(I1, Some(key), None, text);
        }
        if self.was_redriven_in_vain() {
            let text = format!(
                "an operator was told of generation {}, which the ledger has never seen",
                self.redriven
            );
            verdict.breach(I5, Some(key), None, text);
        }
    }

    fn was_redriven_in_vain(&self) -> bool {
        self.redriven > self.value.map_or(0, |value| value.generation)
    }
}

fn judge_end(key: Key, value: Value<'_>, has_letter: bool, verdict: &mut Verdict) {
    let state = value.state;
    let has_reason = value.reason.is_some_and(|reason| !reason.trim().is_empty());
    if state == "parked" {
        if !has_reason {
            let text = "it is parked without a reason".to_owned();
            verdict.breach(I7, Some(key), None, text);
        }
        if !has_letter {
            let text = "it is parked, but no dead letter tells of it".to_owned();
            verdict.breach(I7, Some(key), None, text);
        }
    } else if arrows::is_unsent(state) {
        if !has_reason {
            let text = format!("it ended as `{state}` without a reason");
            verdict.breach(I1, Some(key), None, text);
        }
    } else if !arrows::is_accepted(state) {
        let text = if arrows::is_state(state) {
            format!("it ended as `{state}`, which is no end")
        } else {
            format!("it ended as `{state}`, which is no state")
        };
        verdict.breach(I1, Some(key), None, text);
    }
}
