//! The judge of a delivery run: reads the chronicle of what happened, in order, and names every invariant that it broke.
//!
//! | | What must hold |
//! | --- | --- |
//! | I1 | each delivery ends in exactly one final state with its reason, or is parked; nothing waits |
//! | I2 | at most one accepted send per delivery, but for e-mails of which nobody could know |
//! | I3 | nothing that the source queue has forgotten is missing from the ledger or the dead letters |
//! | I4 | no call to the provider begins by a sender that looked after an acknowledged opt-out, or not at all |
//! | I5 | states move along the arrows only |
//! | I6 | metrics and ledger agree |
//! | I7 | whatever is parked has a reason and a letter, and can be sent again safely |
//! | I8 | no personal data in logs |
//! | I9 | nothing rings in a customer's quiet hours but what is urgent |
//!
//! The judge has its own table of states and arrows and knows no other crate of the workspace. It sees words and numbers only:
//! whoever records a run numbers its facts, customers, messages and invocations. So a chronicle costs next to nothing to
//! write, and one of a hundred entries takes a few microseconds to judge.

mod arrows;
mod chronicle;
mod ledger;
mod logs;
mod provider;
mod quick;
mod source;
mod sums;
mod verdict;

pub use chronicle::{Ending, Entry, Fate, Forgotten, Key, Snapshot, Terms, What, Word, Writer};
pub use verdict::{Counts, Exempt, Invariant, Verdict, Violation};

use ledger::Ledger;
use logs::Logs;
use provider::Provider;
use source::Source;
use sums::Sums;

/// What is to be said about a run that happened as `chronicle` tells and after which the ledger held `ending`.
pub fn check(chronicle: &[Entry], ending: &Ending, terms: &Terms) -> Verdict {
    let mut verdict = Verdict::default();
    let mut ledger = Ledger::new(terms);
    let mut provider = Provider::new(terms);
    let mut source = Source::default();
    let mut sums = Sums::new(chronicle);
    let logs = Logs::new(terms);
    for (place, entry) in chronicle.iter().enumerate() {
        verdict.counts.count(&entry.what);
        ledger.hear(entry, &mut verdict);
        provider.hear(place, entry, &mut verdict);
        source.hear(entry, &mut verdict);
        sums.hear(&entry.what);
        logs.hear(entry, &mut verdict);
    }
    ledger.close(ending, &mut verdict);
    provider.close(ending, &mut verdict);
    source.close(ending, &mut verdict);
    sums.close(&mut verdict);
    verdict
}
