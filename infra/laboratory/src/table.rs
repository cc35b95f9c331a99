//! What was played, for a terminal.

use std::time::Duration;

use crate::Played;

const HEADINGS: [&str; 7] = [
    "carrier",
    "manner",
    "calls",
    "p50 ms",
    "p99 ms",
    "status",
    "e-mails, in order",
];

/// One line for each life, and below it what was expected and did not happen.
#[must_use]
pub fn table(played: &[Played]) -> String {
    let rows: Vec<[String; 7]> = played.iter().map(row).collect();
    let headings = HEADINGS.map(str::to_owned);
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| {
            let cells = rows.iter().chain([&headings]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    let line = |row: &[String; 7], verdict: &str| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("{}  {verdict}", cells.join("  ")).trim_end().to_owned()
    };
    let mut lines = vec![line(&headings, "verdict")];
    for (played, row) in played.iter().zip(&rows) {
        lines.push(line(row, if played.problems.is_empty() { "good" } else { "BAD" }));
        lines.extend(played.problems.iter().map(|problem| format!("    {problem}")));
    }
    lines.join("\n")
}

fn row(played: &Played) -> [String; 7] {
    let mut times = played.took.clone();
    times.sort_unstable();
    let calls = played.took.len().to_string();
    let status = played.status.map_or("-", domain::OrderStatus::name);
    [
        played.carrier.to_string(),
        played.manner.to_string(),
        calls,
        percentile(&times, 50),
        percentile(&times, 99),
        status.to_owned(),
        played.told.join(" > "),
    ]
}

/// The time within which so many of a hundred answers came, in milliseconds.
fn percentile(sorted: &[Duration], of_hundred: usize) -> String {
    let place = (sorted.len() * of_hundred).div_ceil(100).saturating_sub(1);
    let time = sorted.get(place).map(|time| time.as_millis().to_string());
    time.unwrap_or_else(|| "-".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(
            (percentile(&times, 50), percentile(&times, 99)),
            ("50".to_owned(), "99".to_owned())
        );
        assert_eq!(percentile(&times[..1], 99), "1");
        assert_eq!(percentile(&[], 50), "-");
    }
}
