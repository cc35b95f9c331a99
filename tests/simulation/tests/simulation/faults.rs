//! Every fault and every pair of faults, at every call of a port.

use simulation::{Exempt, Faults, Reports, Table, base, base_of_inboxes, every_fault};

/// What a table is expected to say of e-mails that were accepted more than once although nothing was broken. The numbers
/// change with the number of calls that the engine makes; a violation is never expected.
struct Expected {
    /// By one fault alone: accepted twice.
    by_one: usize,
    /// By two faults: accepted twice, because one reply and its `Send` event were lost.
    twice: usize,
    /// By two faults: accepted three times, because two replies and both `Send` events were lost.
    three_times: usize,
}

/// Fewer would mean that something is left out.
const LEAST_PAIRS: usize = 30_000;

/// The same for notes, on whose way there are neither permits nor reports.
const LEAST_PAIRS_OF_NOTES: usize = 5_000;

fn compare(table: &Table, expected: &Expected) {
    println!("{table}");
    assert_eq!(table.broken, 0, "{:#?}", table.violations);
    assert!(table.pairs >= LEAST_PAIRS, "{}", table.pairs);
    let count = |is: &dyn Fn(&Exempt) -> bool| -> usize {
        let cases = table.exempt.iter().filter(|(exempt, _)| is(exempt));
        cases.map(|(_, count)| count).sum()
    };
    let got = (
        count(&|exempt| exempt.faults.len() == 1 && exempt.accepted == 2),
        count(&|exempt| exempt.faults.len() == 2 && exempt.accepted == 2),
        count(&|exempt| exempt.faults.len() == 2 && exempt.accepted == 3),
    );
    let Expected {
        by_one,
        twice,
        three_times,
    } = *expected;
    assert_eq!(got, (by_one, twice, three_times));
    assert_eq!(table.exempt_cases(), by_one + twice + three_times);
}

#[test]
fn without_a_fault_everything_is_sent_once() {
    let verdict = base(Faults::None, Reports::ON_TIME, false).verdict();
    assert!(verdict.holds() && verdict.exempt.is_empty(), "{verdict}");
}

#[test]
fn no_pair_of_faults_sends_twice_while_send_events_come() {
    let table = every_fault(base, Reports::ON_TIME, 2, true);
    compare(
        &table,
        &Expected {
            by_one: 0,
            twice: 0,
            three_times: 0,
        },
    );
}

#[test]
fn without_send_events_an_email_is_sent_again_once_for_every_lost_reply_and_an_sms_never() {
    let table = every_fault(base, Reports::LOST, 2, true);
    compare(
        &table,
        &Expected {
            by_one: 14,
            twice: 4_210,
            three_times: 98,
        },
    );
}

#[test]
fn no_pair_of_faults_loses_a_note_or_puts_it_into_an_inbox_twice() {
    let table = every_fault(base_of_inboxes, Reports::ON_TIME, 2, true);
    println!("{table}");
    assert_eq!((table.broken, table.exempt_cases()), (0, 0), "{:#?}", table.violations);
    assert!(table.pairs >= LEAST_PAIRS_OF_NOTES, "{}", table.pairs);
}
