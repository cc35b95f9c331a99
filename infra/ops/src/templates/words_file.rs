//! The file in which an operator writes words: lines `key = text`, as in the files of the built-in ones.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

/// All words of one message are far shorter.
const LONGEST: u64 = 64 * 1024;

/// Reads the file, or standard input for `-`.
pub(super) fn read(path: &Path) -> Result<BTreeMap<String, String>> {
    let mut text = String::new();
    let (name, source): (String, Box<dyn Read>) = if path.as_os_str() == "-" {
        ("standard input".to_owned(), Box::new(std::io::stdin().lock()))
    } else {
        let name = path.display().to_string();
        let file = std::fs::File::open(path)
            .with_context(|| format!("--from: expected a file with lines 'key = text', or -; could not open {name}"))?;
        (name, Box::new(file))
    };
    source
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .with_context(|| format!("could not read {name} as UTF-8"))?;
    if text.len() as u64 > LONGEST {
        bail!("{name}: expected at most {LONGEST} bytes");
    }
    words_of(&text).map_err(|problem| anyhow::anyhow!("{name}, {problem}"))
}

/// The words of one message: a file without sections.
fn words_of(text: &str) -> Result<BTreeMap<String, String>, String> {
    let texts = messages::words_file::read(text)?;
    if let Some((section, _)) = texts.keys().find(|(section, _)| !section.is_empty()) {
        return Err(format!(
            "[{section}]: expected key = text: a file has the words of one message, without sections"
        ));
    }
    match texts.is_empty() {
        true => Err("expected lines 'key = text', got none".to_owned()),
        false => Ok(texts.into_iter().map(|((_, key), text)| (key, text)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_with_the_lines_that_go_on() {
        let words = words_of(
            "# a comment\nsubject = Ya sale\n  {% if day %}el {{ day }}\n\t{% endif %}\n\nlead=a = b\nnext =\n",
        )
        .unwrap();
        let expected = [
            ("lead", "a = b"),
            ("next", ""),
            ("subject", "Ya sale {% if day %}el {{ day }}{% endif %}"),
        ];
        assert!(
            words
                .iter()
                .map(|(key, text)| (key.as_str(), text.as_str()))
                .eq(expected),
            "{words:?}"
        );
    }

    #[test]
    fn what_is_no_line_of_words_is_named_by_its_number() {
        for (text, problem) in [
            ("subject", "line 1: expected key = text"),
            (
                "# c\n  more",
                "line 2: an indented line goes on with a text, and there is none above",
            ),
            (
                "a = 1\n\n  more",
                "line 3: an indented line goes on with a text, and there is none above",
            ),
            ("a = 1\na = 2", "line 2: a is there already"),
            ("= 2", "line 1: expected a key before ="),
            (
                "[shipped]\na = 1",
                "[shipped]: expected key = text: a file has the words of one message, without sections",
            ),
            ("# nothing\n", "expected lines 'key = text', got none"),
        ] {
            assert_eq!(words_of(text), Err(problem.to_owned()), "{text}");
        }
    }

    #[test]
    fn words_come_as_they_were_written_wherever_they_were_written() {
        let one = words_of("\u{feff}subject = Ya sale\r\n  hoy\r\n").unwrap();
        assert_eq!(one, words_of("subject = Ya sale\n  hoy\n").unwrap());
    }
}
