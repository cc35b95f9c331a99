//! Draws one trace as a waterfall: a row for each span, below the one that led to it, over a common axis of time.

use std::fmt::Write;

use crate::Span;

const WIDTH: f64 = 1280.0;
const LABELS: f64 = 400.0;
const RIGHT: f64 = 96.0;
const TOP: f64 = 138.0;
const ROW: f64 = 27.0;
const BOTTOM: f64 = 58.0;
const FONT: &str = "'Liberation Sans', 'Helvetica Neue', Arial, sans-serif";
const INK: &str = "#1b2733";
const PALE: &str = "#5d6b79";

/// What stands above and below the picture.
#[derive(Debug, Clone)]
pub struct Caption {
    /// What is shown.
    pub title: String,
    /// Where and how it was taken.
    pub note: String,
    /// What names begin with that is not worth showing.
    pub prefix: String,
}

/// What a row shows, by which it gets its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Publisher,
    Queue,
    Function,
    Call,
}

impl Sort {
    const ALL: [Self; 4] = [Self::Publisher, Self::Queue, Self::Function, Self::Call];

    fn of(span: &Span) -> Self {
        let has = |key: &str| span.attributes.contains_key(key);
        match span.kind {
            3 => Self::Call,
            _ if has("received") => Self::Queue,
            _ if has("outcome") => Self::Function,
            _ => Self::Publisher,
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Publisher => "#3f4d5c",
            Self::Queue => "url(#wait)",
            Self::Function => "#0b6e4f",
            Self::Call => "#3b7dd8",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Publisher => "publisher",
            Self::Queue => "waits in a queue",
            Self::Function => "function at work",
            Self::Call => "call of AWS",
        }
    }
}

/// The picture, as SVG; of no spans, an empty one.
#[must_use]
pub fn draw(spans: &[Span], caption: &Caption) -> String {
    let rows = rows(spans);
    let begun = spans.iter().map(|span| span.begun_us).min().unwrap_or_default();
    let ended = spans.iter().map(|span| span.ended_us).max().unwrap_or_default();
    let step = step_of(ended - begun);
    let total = ((ended - begun) / step + 1) * step;
    let height = TOP + ROW * as_length(rows.len()) + BOTTOM;
    let place = |at: i64| LABELS + (WIDTH - LABELS - RIGHT) * ratio(at - begun, total);
    let mut out = String::new();
    // Writing into a text cannot fail.
    let _written = frame(&mut out, caption, height, ended - begun);
    let _written = axis(&mut out, step, total, height, |us| place(begun + us));
    for (nth, (depth, span)) in rows.iter().enumerate() {
        let top = TOP + ROW * as_length(nth);
        let bar = (place(span.begun_us), place(span.ended_us));
        let _written = row(&mut out, span, *depth, top, bar, &caption.prefix);
    }
    out.push_str("</svg>\n");
    out
}

/// The spans, each behind the one that led to it, with how deep it stands. One whose parent nobody told stands at the edge.
fn rows(spans: &[Span]) -> Vec<(usize, &Span)> {
    fn put<'s>(spans: &'s [Span], parent: &str, depth: usize, rows: &mut Vec<(usize, &'s Span)>) {
        for span in spans.iter().filter(|span| span.parent.as_deref() == Some(parent)) {
            rows.push((depth, span));
            // What a trace tells wrongly, a span behind itself, ends here.
            if depth < 32 {
                put(spans, &span.id, depth + 1, rows);
            }
        }
    }
    let is_known = |id: &str| spans.iter().any(|span| span.id == id);
    let mut rows = Vec::new();
    for span in spans
        .iter()
        .filter(|span| !span.parent.as_deref().is_some_and(is_known))
    {
        rows.push((0, span));
        put(spans, &span.id, 1, &mut rows);
    }
    rows
}

fn frame(out: &mut String, caption: &Caption, height: f64, total: i64) -> std::fmt::Result {
    writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" font-family="{FONT}" font-size="13" fill="{INK}">
<defs><pattern id="wait" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="7" height="7" fill="#f8dfa6"/><rect width="3" height="7" fill="#e5b34b"/></pattern></defs>
<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
<text x="24" y="42" font-size="22" font-weight="bold">{}</text>
<text x="{}" y="42" font-size="15" text-anchor="end" fill="{PALE}">{} in all</text>"##,
        escaped(&caption.title),
        WIDTH - 24.0,
        length(total),
    )?;
    let mut left = 24.0;
    for sort in Sort::ALL {
        writeln!(
            out,
            r#"<rect x="{left}" y="65" width="22" height="12" rx="3" fill="{}"/><text x="{}" y="76" fill="{PALE}">{}</text>"#,
            sort.colour(),
            left + 30.0,
            sort.word(),
        )?;
        left += 66.0 + 7.0 * as_length(sort.word().len());
    }
    writeln!(
        out,
        r#"<text x="24" y="{}" font-size="12" fill="{PALE}">{}</text>"#,
        height - 20.0,
        escaped(&caption.note),
    )
}

fn axis(out: &mut String, step: i64, total: i64, height: f64, place: impl Fn(i64) -> f64) -> std::fmt::Result {
    let mut at = 0;
    while at <= total {
        let x = place(at);
        writeln!(
            out,
            r##"<line x1="{x:.1}" y1="{}" x2="{x:.1}" y2="{}" stroke="#e3e8ed"/><text x="{x:.1}" y="{}" font-size="11" text-anchor="middle" fill="{PALE}">{}</text>"##,
            TOP - 8.0,
            height - BOTTOM + 4.0,
            TOP - 14.0,
            length(at),
        )?;
        at += step;
    }
    Ok(())
}

fn row(out: &mut String, span: &Span, depth: usize, top: f64, bar: (f64, f64), prefix: &str) -> std::fmt::Result {
    let sort = Sort::of(span);
    let (middle, indent) = (top + ROW / 2.0, 24.0 + 15.0 * as_length(depth));
    let attribute = |key: &str| span.attributes.get(key).map(String::as_str);
    let name = span.name.strip_prefix(prefix).unwrap_or(&span.name);
    let (name, more) = match sort {
        Sort::Publisher => (name.to_owned(), String::new()),
        Sort::Queue => (format!("queue {name}"), String::new()),
        Sort::Function => (name.to_owned(), attribute("outcome").unwrap_or_default().to_owned()),
        Sort::Call => (name.to_owned(), attribute("deed").unwrap_or_default().to_owned()),
    };
    if sort == Sort::Function || sort == Sort::Publisher {
        writeln!(
            out,
            r##"<rect x="12" y="{}" width="{}" height="{}" rx="4" fill="#f3f6f8"/>"##,
            top + 1.0,
            WIDTH - 24.0,
            ROW - 2.0,
        )?;
    }
    let weight = if sort == Sort::Call { "normal" } else { "bold" };
    writeln!(
        out,
        r#"<text x="{indent}" y="{:.1}" font-weight="{weight}">{}<tspan font-weight="normal" fill="{PALE}" dx="7">{}</tspan></text>"#,
        middle + 4.5,
        escaped(&name),
        escaped(&more),
    )?;
    let thickness = if sort == Sort::Call { 9.0 } else { 15.0 };
    let width = (bar.1 - bar.0).max(2.0);
    let colour = if span.is_bad { "#c0392b" } else { sort.colour() };
    writeln!(
        out,
        r#"<rect x="{:.1}" y="{:.1}" width="{width:.1}" height="{thickness}" rx="2.5" fill="{colour}"/><text x="{:.1}" y="{:.1}" font-size="11" fill="{PALE}">{}</text>"#,
        bar.0,
        middle - thickness / 2.0,
        bar.0 + width + 6.0,
        middle + 4.0,
        length(span.ended_us - span.begun_us),
    )
}

/// Six ticks or so.
fn step_of(total: i64) -> i64 {
    let steps = [1, 2, 5]
        .into_iter()
        .cycle()
        .zip(0_u32..)
        .map(|(digit, nth)| digit * 10_i64.pow(nth / 3));
    let mut steps = steps.take(36);
    steps.find(|step| total / step < 7).unwrap_or(i64::MAX)
}

/// A stretch of time as people write it.
fn length(microseconds: i64) -> String {
    match microseconds {
        ..=0 => "0".to_owned(),
        1..1_000 => "< 1 ms".to_owned(),
        1_000..10_000_000 => format!("{} ms", (microseconds + 500) / 1_000),
        _ => format!("{} s", (microseconds + 500_000) / 1_000_000),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a place in a picture")]
fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "rows and letters are few")]
fn as_length(count: usize) -> f64 {
    count as f64
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: &str, parent: Option<&str>, name: &str, begun_us: i64) -> Span {
        Span {
            id: id.to_owned(),
            parent: parent.map(str::to_owned),
            name: name.to_owned(),
            kind: 2,
            begun_us,
            ended_us: begun_us + 1_000,
            attributes: [("outcome".to_owned(), "sent".to_owned())].into(),
            is_bad: false,
        }
    }

    fn caption() -> Caption {
        Caption {
            title: "a <b>".to_owned(),
            note: "n".to_owned(),
            prefix: "e-com67-".to_owned(),
        }
    }

    #[test]
    fn each_span_stands_below_the_one_that_led_to_it() {
        let spans = [
            span("c", Some("a"), "c", 30),
            span("a", Some("nobody"), "a", 0),
            span("b", Some("a"), "b", 10),
            span("d", Some("c"), "d", 40),
        ];
        let rows: Vec<(usize, &str)> = rows(&spans)
            .into_iter()
            .map(|(depth, span)| (depth, span.id.as_str()))
            .collect();
        assert_eq!(rows, [(0, "a"), (1, "c"), (2, "d"), (1, "b")]);
    }

    #[test]
    fn every_row_has_its_name_and_what_is_said_is_escaped() {
        let picture = draw(&[span("a", None, "e-com67-<i>", 0)], &caption());
        assert!(picture.contains("&lt;i&gt;") && picture.contains("a &lt;b&gt;"));
        assert!(!picture.contains("<i>") && !picture.contains("e-com67-"));
    }

    #[test]
    fn of_nothing_there_is_a_picture_as_well() {
        assert!(draw(&[], &caption()).ends_with("</svg>\n"));
    }

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!([1, 6_999, 7_000, 340_000].map(step_of), [1, 1_000, 2_000, 50_000]);
    }

    #[test]
    fn times_are_told_as_people_tell_them() {
        assert_eq!(
            [0, 999, 1_499, 9_999_000, 61_000_000].map(length),
            ["0", "< 1 ms", "1 ms", "9999 ms", "61 s"]
        );
    }
}
