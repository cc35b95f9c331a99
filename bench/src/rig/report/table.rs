//! The figures as a table in Markdown: a row for each, and for each subject plain HTTP before TLS.

use std::fmt::Write as _;

use super::{ROWS, Results, Row};
use crate::rig::measure::Figures;
use crate::rig::subject::Transport;

/// Everything that was measured, and on what.
#[must_use]
pub fn table(results: &Results) -> String {
    let columns = results.columns();
    let mut text = String::new();
    let head = columns
        .iter()
        .map(|figures| format!("{}, plain | TLS", figures.subject));
    line(&mut text, "", head);
    line(&mut text, "---", columns.iter().map(|_| "---: | ---:".to_owned()));
    for row in &ROWS {
        let values: Vec<String> = columns.iter().map(|figures| cells(row, figures)).collect();
        if values.iter().any(|value| value != NOTHING) {
            line(&mut text, row.name, values.into_iter());
        }
    }
    let once = columns.iter().map(|figures| match figures.sends_once {
        None => NOTHING.to_owned(),
        Some(true) => "yes | ".to_owned(),
        Some(false) => "**sends duplicates** | ".to_owned(),
    });
    line(&mut text, "each notification sent once, repeated or not", once);
    text.push('\n');
    for figures in &columns {
        for (kind, operations) in figures.requests.iter().filter(|(_, operations)| !operations.is_empty()) {
            let operations: Vec<String> = operations
                .iter()
                .map(|(operation, count)| format!("{operation} {count:.2}"))
                .collect();
            add(
                &mut text,
                &format!(
                    "{}, AWS requests per {kind}: {}\n",
                    figures.subject,
                    operations.join(", ")
                ),
            );
        }
        for remark in &figures.remarks {
            add(&mut text, &format!("{}: {remark}\n", figures.subject));
        }
        if !figures.versions.is_empty() {
            add(
                &mut text,
                &format!("{}: {}\n", figures.subject, figures.versions.join(", ")),
            );
        }
    }
    for ceiling in &results.ceilings {
        add(
            &mut text,
            &format!(
                "The rig's own ceiling, {}: {:.0} requests/s plain, {:.0} TLS; {:.1} and {:.1} µs of its core each\n",
                ceiling.request, ceiling.plain, ceiling.tls, ceiling.plain_cpu_us, ceiling.tls_cpu_us
            ),
        );
    }
    let machine = &results.machine;
    let pinned = if machine.is_pinned {
        "native subjects on the first core, the rig on the last"
    } else {
        "nothing pinned"
    };
    add(
        &mut text,
        &format!(
            "{}, {} cores, Linux {}, {}, {}; {pinned}; load of the machine {} before and {} after; events: {}\n",
            machine.cpu,
            machine.cores,
            machine.kernel,
            machine.rustc,
            if machine.valgrind.is_empty() {
                "instructions not counted, because valgrind is missing"
            } else {
                &machine.valgrind
            },
            machine.load_before,
            machine.load_after,
            results.kind
        ),
    );
    text
}

const NOTHING: &str = "– | ";

fn cells(row: &Row, figures: &Figures) -> String {
    let shown = |transport| {
        let value = row.value(figures, transport);
        value.map(|value| grouped(value, row.digits))
    };
    match (shown(Transport::Plain), shown(Transport::Tls)) {
        (None, None) => NOTHING.to_owned(),
        (plain, tls) => {
            let tls = tls.filter(|_| !row.is_once).unwrap_or_default();
            format!("{} | {tls}", plain.unwrap_or_default())
        }
    }
}

/// A number with so many digits behind its point, and a comma before every third digit.
#[must_use]
pub fn grouped(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    let (whole, rest) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::with_capacity(text.len() + 4);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(rest) = rest {
        grouped.push('.');
        grouped.push_str(rest);
    }
    grouped
}

fn line(text: &mut String, name: &str, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.collect();
    add(text, &format!("| {name} | {} |\n", cells.join(" | ")));
}

fn add(text: &mut String, more: &str) {
    // Writing into a text does not fail.
    let _never_fails = text.write_str(more);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rig::report::tests::results;

    #[test]
    fn every_line_of_the_table_has_as_many_cells_as_the_first() {
        let text = table(&results());
        let widths: Vec<usize> = text
            .lines()
            .take_while(|line| line.starts_with('|'))
            .map(|line| line.matches('|').count())
            .collect();
        assert!(
            widths.len() > 10 && widths.iter().all(|width| *width == 10),
            "{widths:?}"
        );
    }

    #[test]
    fn who_sends_twice_is_shown_as_such_and_not_left_out() {
        let text = table(&results());
        let line = text.lines().find(|line| line.contains("sent once")).unwrap();
        assert_eq!(
            line,
            "| each notification sent once, repeated or not | – |  | yes |  | yes |  | **sends duplicates** |  |"
        );
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(grouped(1_234_567.0, 0), "1,234,567");
        assert_eq!(grouped(999.96, 1), "1,000.0");
        assert_eq!(grouped(0.25, 2), "0.25");
    }
}
