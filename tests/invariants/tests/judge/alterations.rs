//! A correct chronicle with one entry missing, or told twice: the judge notices wherever it matters.

use crate::run::{Run, one_of_everything};

/// Entry by entry: what it tells, what is broken without it, and what is broken when it is told twice.
const EXPECTED: &str = "
 0 Published    | I3       |
 1 Opened       | I5       | I5
 2 Opened       | I5       | I5
 3 SourceForgot | I3       |
 4 Published    | I3       |
 5 DeadLettered | I3       |
 6 SourceForgot | I3       |
 7 Published    | I3       |
 8 Moved        | I5       | I5
 9 Published    | I3       |
10 Opened       | I3 I5 I6 | I5
11 Metrics      | I6       | I6
12 SourceForgot | I3       |
13 SourceForgot | I3       |
14 Moved        | I5       | I5
15 Offered      | I2       | I5
16 Accepted     |          | I2
17 ReplyLost    | I2       |
18 Killed       |          |
19 SendEvent    |          |
20 Moved        | I5       | I5
21 Moved        | I5 I6    | I5 I6
22 Metrics      | I6       | I6
23 Moved        | I5       | I5
24 Offered      | I2       | I5
25 Accepted     | I5       | I2
26 Moved        | I5 I6    | I5 I6
27 Metrics      | I6       | I6
28 SendEvent    |          |
29 Moved        | I5       | I5
30 Moved        | I5       | I5
31 Offered      |          | I5
32 Refused      |          |
33 Moved        | I5 I6    | I5 I6
34 DeadLettered |          |
35 Moved        |          |
36 Metrics      | I6       | I6
37 Moved        | I5       | I5
38 Redriven     |          |
39 Moved        | I5       | I5
40 Offered      | I2       | I5
41 Accepted     | I5       | I2
42 Moved        | I5 I6    | I5 I6
43 Metrics      | I6       | I6
44 OptedOut     |          |
45 Moved        | I5       | I5
46 Moved        | I5       | I5
47 LogLine      |          |
";

#[test]
fn whatever_matters_is_noticed() {
    let right = one_of_everything();
    let seen: String = (0..right.chronicle.len()).map(|place| altered(&right, place)).collect();
    assert_eq!(seen, EXPECTED.trim_start_matches('\n'));
}

fn altered(right: &Run, place: usize) -> String {
    let mut without = right.clone();
    let entry = without.chronicle.remove(place);
    let told = format!("{:?}", entry.what);
    let told = told.split(' ').next().unwrap_or_default();
    let mut twice = right.clone();
    twice.chronicle.insert(place, entry);
    let line = format!("{place:2} {told:12} | {:8} | {}", broken(&without), broken(&twice));
    format!("{}\n", line.trim_end())
}

fn broken(run: &Run) -> String {
    let names: Vec<_> = run.broken().iter().map(ToString::to_string).collect();
    names.join(" ")
}
