//! I3: whatever the source queues have forgotten is in the ledger or among the dead letters.

use crate::chronicle::{Ending, Entry, Forgotten, What};
use crate::quick::Map;
use crate::verdict::Invariant::I3;
use crate::verdict::Verdict;

/// What publishers said, and what became of it.
#[derive(Default)]
pub(crate) struct Source {
    messages: Map<u64, Message>,
    facts: Map<u32, Fact>,
}

#[derive(Default)]
struct Message {
    is_published: bool,
    fact: Option<u32>,
    is_done: bool,
    is_dead: bool,
    has_letter: bool,
}

#[derive(Default)]
struct Fact {
    is_published: bool,
    is_opened: bool,
}

impl Source {
    pub(crate) fn hear(&mut self, entry: &Entry, verdict: &mut Verdict) {
        match &entry.what {
            What::Published { message, fact } => {
                let message = self.messages.entry(*message).or_default();
                message.is_published = true;
                message.fact = *fact;
                if let Some(fact) = fact {
                    self.facts.entry(*fact).or_default().is_published = true;
                }
            }
            What::SourceForgot {
                message: number,
                to: Forgotten::Done,
            } => {
                let message = self.messages.entry(*number).or_default();
                message.is_done = true;
                if let Some(fact) = message.fact
                    && !self.facts.get(&fact).is_some_and(|fact| fact.is_opened)
                {
                    let text = format!("message {number} was deleted before fact {fact} was in the ledger");
                    verdict.breach(I3, None, Some(entry.at_ms), text);
                }
            }
            What::SourceForgot {
                message,
                to: Forgotten::DeadLetter,
            } => self.messages.entry(*message).or_default().is_dead = true,
            What::Opened { delivery, .. } => self.facts.entry(delivery.fact).or_default().is_opened = true,
            What::DeadLettered {
                message: Some(message), ..
            } => self.messages.entry(*message).or_default().has_letter = true,
            What::Moved { .. }
            | What::Looked { .. }
            | What::Offered { .. }
            | What::Accepted { .. }
            | What::Refused { .. }
            | What::ReplyLost { .. }
            | What::SendEvent { .. }
            | What::OptedOut { .. }
            | What::OptedIn { .. }
            | What::RangAtNight { .. }
            | What::DeadLettered { message: None, .. }
            | What::Redriven { .. }
            | What::Metrics { .. }
            | What::Killed { .. }
            | What::Unanswered { .. }
            | What::LogLine { .. } => {}
        }
    }

    pub(crate) fn close(self, ending: &Ending, verdict: &mut Verdict) {
        let nothing_waits = ending.waiting_messages == 0;
        let mut breaches: Vec<_> = self
            .messages
            .iter()
            .filter_map(|(number, message)| Some((*number, message.complaint(nothing_waits)?)))
            .collect();
        breaches.sort_unstable();
        for (number, complaint) in breaches {
            verdict.breach(I3, None, None, format!("message {number} {complaint}"));
        }
        let mut unheard: Vec<_> = self
            .facts
            .iter()
            .filter(|(_, fact)| fact.is_opened && !fact.is_published)
            .map(|(number, _)| *number)
            .collect();
        unheard.sort_unstable();
        for number in unheard {
            let text = format!("the ledger holds fact {number}, about which nobody published anything");
            verdict.breach(I3, None, None, text);
        }
    }
}

impl Message {
    fn complaint(&self, nothing_waits: bool) -> Option<&'static str> {
        let is_forgotten = self.is_done || self.is_dead;
        if !self.is_published {
            return Some("left a queue, but nobody had published it");
        }
        if self.is_dead && !self.has_letter {
            return Some("was moved to the dead letters, but is not there");
        }
        if is_forgotten && self.fact.is_none() && !self.has_letter {
            return Some("could not be read and was forgotten without a letter");
        }
        if !is_forgotten && nothing_waits {
            return Some("has vanished: it was neither done nor buried, and nothing waits");
        }
        None
    }
}
