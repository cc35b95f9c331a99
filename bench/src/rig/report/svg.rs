//! The figures as a picture: a panel for each, a pair of bars for each subject.

use std::fmt::Write as _;

use super::table::grouped;
use super::{ROWS, Results};
use crate::rig::subject::Transport;

/// What is drawn: a figure, and whether more of it is better.
const PANELS: [(&str, bool); 8] = [
    ("start to first poll, p50, ms", false),
    ("CPU per notification, µs", false),
    ("notifications per second, one process", true),
    ("latency of a batch at 50 %, p99, ms", false),
    ("AWS requests per e-mail, confirmation", false),
    ("bytes sent to AWS per notification", false),
    ("peak memory, MB", false),
    ("binary, zipped, MB", false),
];

const WIDTH: f64 = 1_000.0;
const PANEL: f64 = WIDTH / 2.0;
const NAMES: f64 = 130.0;
const VALUES: f64 = 75.0;
const MARGIN: f64 = 20.0;
const HEAD: f64 = 92.0;
const BAR: f64 = 14.0;
const PAIR: f64 = 2.0 * BAR + 12.0;
const PANEL_HEAD: f64 = 34.0;
const AXIS: f64 = 34.0;

const STYLE: &str = "\
text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#1f2328}\
.title{font-size:20px;font-weight:600}.panel{font-size:14px;font-weight:600}.soft{fill:#59636e}\
.paper{fill:#ffffff}.plain{fill:#0b6e4f}.tls{fill:#7cc5ab}.line{stroke:#d1d9e0}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.soft{fill:#9198a1}.paper{fill:#0d1117}.plain{fill:#3fb68b}.tls{fill:#23634c}.line{stroke:#3d444d}}";

/// The picture.
#[must_use]
pub fn svg(results: &Results) -> String {
    let columns = results.columns();
    let mut panels = String::new();
    let (mut drawn, mut tallest, mut y) = (0_usize, 0.0_f64, HEAD);
    for (name, is_more_better) in PANELS {
        let Some(row) = ROWS.iter().find(|row| row.name == name) else {
            continue;
        };
        let bars: Vec<(&str, Option<f64>, Option<f64>)> = columns
            .iter()
            .map(|figures| {
                let value = |transport| row.value(figures, transport);
                let tls = value(Transport::Tls).filter(|_| !row.is_once);
                (figures.subject.as_str(), value(Transport::Plain), tls)
            })
            .filter(|(_, plain, tls)| plain.is_some() || tls.is_some())
            .collect();
        if bars.is_empty() {
            continue;
        }
        let is_left = drawn % 2 == 0;
        if is_left && drawn > 0 {
            y += tallest;
            tallest = 0.0;
        }
        let x = if is_left { MARGIN } else { PANEL + MARGIN / 2.0 };
        let height = panel(&mut panels, (x, y), (name, is_more_better), row.digits, &bars);
        tallest = tallest.max(height);
        drawn += 1;
    }
    let height = y + tallest + 10.0;
    let subtitle = format!(
        "{}, {} cores; events: {}; one process, batches of ten",
        results.machine.cpu, results.machine.cores, results.kind
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\" \
         aria-label=\"What a notification costs, by subject\"><style>{STYLE}</style>\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\
         <text class=\"title\" x=\"{MARGIN}\" y=\"36\">What a notification costs</text>\
         <text class=\"soft\" x=\"{MARGIN}\" y=\"58\">{}</text>\
         <rect class=\"plain\" x=\"{MARGIN}\" y=\"68\" width=\"12\" height=\"12\"/><text x=\"38\" y=\"78\">plain HTTP</text>\
         <rect class=\"tls\" x=\"120\" y=\"68\" width=\"12\" height=\"12\"/><text x=\"138\" y=\"78\">TLS</text>\
         {panels}</svg>\n",
        escaped(&subtitle)
    )
}

/// Draws one panel: how high it is.
fn panel(
    out: &mut String,
    (x, y): (f64, f64),
    (name, is_more_better): (&str, bool),
    digits: usize,
    bars: &[(&str, Option<f64>, Option<f64>)],
) -> f64 {
    let most = bars
        .iter()
        .flat_map(|(_, plain, tls)| [*plain, *tls])
        .flatten()
        .fold(0.0, f64::max);
    let left = x + NAMES;
    let width = PANEL - NAMES - VALUES - MARGIN * 1.5;
    let scale = |value: f64| {
        if most > 0.0 {
            (value / most * width).max(1.0)
        } else {
            1.0
        }
    };
    let better = if is_more_better {
        "more is better"
    } else {
        "less is better"
    };
    add(
        out,
        &format!(
            "<text class=\"panel\" x=\"{x}\" y=\"{:.0}\">{}</text>",
            y + 16.0,
            escaped(name)
        ),
    );
    let mut top = y + PANEL_HEAD;
    for (subject, plain, tls) in bars {
        add(
            out,
            &format!(
                "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>",
                left - 8.0,
                top + BAR + 4.0,
                escaped(subject)
            ),
        );
        for (class, value, offset) in [("plain", plain, 0.0), ("tls", tls, BAR)] {
            let Some(value) = value else { continue };
            let (length, top) = (scale(*value), top + offset);
            add(
                out,
                &format!(
                    "<rect class=\"{class}\" x=\"{left:.0}\" y=\"{top:.0}\" width=\"{length:.1}\" height=\"{:.0}\"/>\
                     <text x=\"{:.0}\" y=\"{:.0}\">{}</text>",
                    BAR - 1.0,
                    left + length + 5.0,
                    top + BAR - 2.0,
                    grouped(*value, digits)
                ),
            );
        }
        top += PAIR;
    }
    let bottom = top - 4.0;
    add(
        out,
        &format!(
            "<line class=\"line\" x1=\"{left:.0}\" y1=\"{:.0}\" x2=\"{left:.0}\" y2=\"{bottom:.0}\"/>\
             <line class=\"line\" x1=\"{left:.0}\" y1=\"{bottom:.0}\" x2=\"{:.0}\" y2=\"{bottom:.0}\"/>\
             <text class=\"soft\" x=\"{left:.0}\" y=\"{:.0}\">0</text>\
             <text class=\"soft\" x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{better} · {}</text>",
            y + PANEL_HEAD - 4.0,
            left + width,
            bottom + 15.0,
            left + width,
            bottom + 15.0,
            grouped(most, digits)
        ),
    );
    bottom + AXIS - y
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
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
    fn the_picture_is_well_formed_whatever_a_subject_is_called() {
        let text = svg(&results());
        let document = roxmltree::Document::parse(&text).unwrap();
        let names: Vec<&str> = document.descendants().filter_map(|node| node.text()).collect();
        assert!(names.contains(&"a <rival> & co"));
    }

    #[test]
    fn every_value_has_a_bar_within_its_panel() {
        let text = svg(&results());
        let document = roxmltree::Document::parse(&text).unwrap();
        let bars: Vec<f64> = document
            .descendants()
            .filter(|node| matches!(node.attribute("class"), Some("plain" | "tls")))
            .map(|node| node.attribute("width").unwrap().parse().unwrap())
            .collect();
        assert!(bars.len() > 20);
        assert!(bars.iter().all(|width| *width >= 1.0 && *width < PANEL), "{bars:?}");
    }

    #[test]
    fn nothing_measured_is_an_empty_picture() {
        assert!(roxmltree::Document::parse(&svg(&Results::default())).is_ok());
    }
}
