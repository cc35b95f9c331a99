//! Words laid out as plain text of at most 72 columns.

/// Lines are at most this wide, so that they survive being quoted in a reply.
const WIDTH: usize = 72;

/// The column in which the values of a list begin.
const LABEL: usize = 24;

fn width(text: &str) -> usize {
    text.chars().count()
}

/// The words on lines of at most `width` columns; a longer word has a line of its own.
fn lines(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A paragraph.
pub(crate) fn wrapped(text: &str) -> String {
    lines(text, WIDTH).join("\n")
}

/// A label and its value, the value in a column of its own.
pub(crate) fn row(label: &str, value: &str) -> String {
    let mut label = label.to_owned();
    let mut text = String::new();
    for line in lines(value, WIDTH - LABEL) {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&label);
        text.extend(std::iter::repeat_n(' ', LABEL.saturating_sub(width(&label)).max(1)));
        text.push_str(&line);
        label.clear();
    }
    text
}

/// An indented name, and an amount at the right end of its last line.
pub(crate) fn item(name: &str, amount: &str) -> String {
    let room = WIDTH.saturating_sub("    ".len() + "  ".len() + width(amount));
    let mut text = format!("  {}", lines(name, room).join("\n    "));
    if !amount.is_empty() {
        let last = text.lines().last().map(width).unwrap_or_default();
        let gap = WIDTH.saturating_sub(last + width(amount)).max(1);
        text.extend(std::iter::repeat_n(' ', gap));
        text.push_str(amount);
    }
    text
}

/// A heading with a line of the same length under it.
pub(crate) fn heading(text: &str) -> String {
    let text = wrapped(text);
    let longest = text.lines().map(width).max().unwrap_or_default();
    format!("{text}\n{}", "=".repeat(longest))
}

/// The whole text: no blanks at the ends of lines, never two empty lines in a row.
pub(crate) fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.trim().lines() {
        let line = line.trim_end();
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            tidied.push_str(line);
            tidied.push('\n');
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_breaks_between_words() {
        let text = wrapped(&"word ".repeat(40));
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
        assert_eq!(text.split_whitespace().count(), 40);
    }

    #[test]
    fn a_long_address_stays_whole() {
        let address = format!("https://shop.example/{}", "x".repeat(90));
        assert_eq!(wrapped(&address), address);
    }

    #[test]
    fn amounts_end_in_one_column() {
        let name = "A very long name of a thing that does not fit on one line of a message";
        for item in [item("2 × Tea", "€4.00"), item(name, "€1,234.00")] {
            assert_eq!(item.lines().last().map(width), Some(WIDTH), "{item}");
        }
    }

    #[test]
    fn values_begin_in_one_column() {
        assert_eq!(row("Order", "1001").find("1001"), Some(LABEL));
    }

    #[test]
    fn empty_lines_do_not_pile_up() {
        assert_eq!(tidy("\n\na  \n\n\n\nb\n"), "a\n\nb\n");
    }
}
