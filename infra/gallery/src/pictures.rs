//! Pictures of the e-mails, and what the browser finds while it is at it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use domain::Language;
use gallery::{CHECKS, Chromium};
use serde_json::{Value, json};

use crate::files::{self, Folder};
use crate::message::{FULL, Message, Sample};
use crate::options::Options;
use crate::page;

/// Gmail cuts a longer e-mail and hides its end behind a link.
const LONGEST_HTML: usize = 102 * 1024;

/// The narrowest window in which e-mails are read.
const NARROWEST: u32 = 320;

/// A telephone's window, and one wider than the e-mails.
pub(crate) const WIDTHS: [u32; 2] = [375, 640];

/// How wide a contact sheet is.
const SHEET_WIDTH: u32 = 1600;

/// The messages whose dark pictures are taken in any case: one of every tone, with and without a button.
const DARK: [&str; 5] = [
    "order_confirmation",
    "order_status_update.shipped",
    "order_status_update.cancelled",
    "payment_failed",
    "promotional",
];

/// More browsers than this only wait for each other.
const MOST_BROWSERS: usize = 4;

/// Signs of life come as often as this.
const EVERY: Duration = Duration::from_secs(2);

/// Something that hinders reading an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file of the e-mail.
    pub(crate) email: String,
    /// A sentence.
    pub(crate) what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.email, self.what)
    }
}

/// What was found, and which pictures there are.
#[derive(Debug, Default)]
pub(crate) struct Inspection {
    pub(crate) findings: BTreeSet<Finding>,
    /// Their names in the folder.
    pub(crate) pictures: BTreeSet<String>,
}

impl Inspection {
    /// What can be found without a browser.
    pub(crate) fn of_sizes(messages: &[Message]) -> Self {
        let mut inspection = Self::default();
        for (message, sample) in each(messages) {
            let length = sample.email.html.len();
            if length >= LONGEST_HTML {
                inspection.find(
                    message,
                    sample,
                    format!("it has {length} bytes, and {LONGEST_HTML} are too many"),
                );
            }
        }
        inspection
    }

    fn find(&mut self, message: &Message, sample: &Sample, what: String) {
        let email = files::email(message, sample);
        self.findings.insert(Finding { email, what });
    }
}

/// The name of a picture of the full e-mail.
pub(crate) fn name(message: &Message, width: u32, is_dark: bool) -> String {
    let mode = if is_dark { ".dark" } else { "" };
    format!("png/{}/{}.{width}{mode}.png", message.language, message.name)
}

/// The name of the contact sheet of a language.
pub(crate) fn sheet_name(language: Language) -> String {
    format!("png/{language}.png")
}

/// Removes the pictures of an earlier run, which may show what is no longer so.
///
/// # Errors
///
/// When one cannot be removed.
pub(crate) fn forget(folder: &Folder, messages: &[Message]) -> Result<()> {
    for message in messages {
        folder.remove(&sheet_name(message.language))?;
        for width in WIDTHS {
            folder.remove(&name(message, width, false))?;
            folder.remove(&name(message, width, true))?;
        }
    }
    Ok(())
}

/// Checks every e-mail, and takes pictures of those with the full sample and of all of them together.
///
/// # Errors
///
/// When Chromium cannot be used. What came before stays in the inspection.
pub(crate) fn take(
    program: &Path,
    options: &Options,
    folder: &Folder,
    messages: &[Message],
    inspection: &mut Inspection,
) -> Result<()> {
    let emails: Vec<(&Message, &Sample)> = each(messages).collect();
    in_browsers(
        program,
        folder,
        "e-mails",
        &emails,
        inspection,
        |browser, (message, sample), found| visit(browser, options, folder, message, sample, found),
    )?;

    let languages: Vec<Language> = Language::ALL
        .into_iter()
        .filter(|language| messages.iter().any(|message| message.language == *language))
        .collect();
    for language in &languages {
        let sheet = page::sheet(messages, *language)?;
        folder.write(&files::sheet(*language), sheet.as_bytes())?;
    }
    in_browsers(
        program,
        folder,
        "contact sheets",
        &languages,
        inspection,
        |browser, language, found| {
            browser.open(&folder.path(&files::sheet(*language)))?;
            browser.resize(SHEET_WIDTH, options.scale)?;
            let name = sheet_name(*language);
            folder.write(&name, &browser.picture()?)?;
            locked(found).pictures.insert(name);
            Ok(())
        },
    )
}

fn visit(
    browser: &mut Chromium,
    options: &Options,
    folder: &Folder,
    message: &Message,
    sample: &Sample,
    found: &Mutex<&mut Inspection>,
) -> Result<()> {
    browser.resize(NARROWEST, 1)?;
    browser.darken(false)?;
    browser.open(&folder.path(&files::email(message, sample)))?;
    let check = format!("{}({NARROWEST}, {})", CHECKS.trim_end(), json!(message.language.code()));
    for is_dark in [false, true] {
        browser.darken(is_dark)?;
        let answer = browser.evaluate(&check)?;
        let findings = answer.as_array().context("the checks have no result")?;
        for what in findings.iter().filter_map(Value::as_str) {
            let mode = if is_dark { "in dark mode, " } else { "" };
            locked(found).find(message, sample, format!("{mode}{what}"));
        }
    }
    if sample.extent != FULL {
        return Ok(());
    }
    for is_dark in [false, true] {
        if is_dark && !options.dark && !DARK.contains(&message.name.as_str()) {
            continue;
        }
        browser.darken(is_dark)?;
        for width in WIDTHS {
            browser.resize(width, options.scale)?;
            let name = name(message, width, is_dark);
            folder.write(&name, &browser.picture()?)?;
            locked(found).pictures.insert(name);
        }
    }
    Ok(())
}

/// Does the work in as many browsers as there are processors. When one of them fails, the others stop, too.
fn in_browsers<T: Sync>(
    program: &Path,
    folder: &Folder,
    what: &str,
    work: &[T],
    inspection: &mut Inspection,
    job: impl Fn(&mut Chromium, &T, &Mutex<&mut Inspection>) -> Result<()> + Sync,
) -> Result<()> {
    let browsers = std::thread::available_parallelism().map_or(1, usize::from);
    let browsers = browsers.min(MOST_BROWSERS).min(work.len());
    let queue = Mutex::new(Queue::new(what, work));
    let found = Mutex::new(inspection);
    let worker = |number: usize| -> Result<()> {
        let mut browser = Chromium::start(program, folder.path(&format!(".chromium-{number}")))?;
        while let Some(next) = locked(&queue).next() {
            job(&mut browser, next, &found)?;
        }
        Ok(())
    };
    let worker = |number| worker(number).inspect_err(|_failed| locked(&queue).stop());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..browsers)
            .map(|number| scope.spawn(move || worker(number)))
            .collect();
        let results: Vec<Result<()>> = workers
            .into_iter()
            .map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|_panic| Err(anyhow!("the work on pictures broke off")))
            })
            .collect();
        results.into_iter().collect()
    })
}

/// What is still to be done, with signs of life for whoever waits.
struct Queue<'a, T> {
    what: &'a str,
    all: usize,
    rest: std::slice::Iter<'a, T>,
    last_sign: Instant,
}

impl<'a, T> Queue<'a, T> {
    fn new(what: &'a str, work: &'a [T]) -> Self {
        Self {
            what,
            all: work.len(),
            rest: work.iter(),
            last_sign: Instant::now(),
        }
    }

    fn next(&mut self) -> Option<&'a T> {
        if self.last_sign.elapsed() >= EVERY {
            self.last_sign = Instant::now();
            let done = self.all - self.rest.len();
            eprintln!("gallery: {done} of {} {}", self.all, self.what);
        }
        self.rest.next()
    }

    fn stop(&mut self) {
        self.rest = [].iter();
    }
}

fn each(messages: &[Message]) -> impl Iterator<Item = (&Message, &Sample)> {
    messages
        .iter()
        .flat_map(|message| message.samples.iter().map(move |sample| (message, sample)))
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_that_gmail_would_cut_is_found() {
        let mut messages = Message::all(&["payment_failed/email/es".to_owned()]).unwrap();
        assert!(Inspection::of_sizes(&messages).findings.is_empty());
        messages[0].samples[1].email.html = "a".repeat(LONGEST_HTML);
        let found: Vec<String> = Inspection::of_sizes(&messages)
            .findings
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            found,
            ["email/es/payment_failed.full.html: it has 104448 bytes, and 104448 are too many"]
        );
    }

    #[test]
    fn pictures_of_an_earlier_run_are_removed() {
        let messages = Message::all(&["payment_failed/email/es".to_owned()]).unwrap();
        let root = std::env::temp_dir().join(format!("gallery-pictures-{}", std::process::id()));
        let folder = Folder::new(&root).unwrap();
        let (picture, other) = (name(&messages[0], 640, true), "png/es/other.png");
        folder.write(&picture, b"old").unwrap();
        folder.write(other, b"not ours").unwrap();
        forget(&folder, &messages).unwrap();
        assert!(!folder.path(&picture).exists());
        assert!(folder.path(other).exists());
        std::fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn the_dark_ones_exist() {
        let messages = Message::all(&["/email/en".to_owned()]).unwrap();
        for name in DARK {
            assert!(messages.iter().any(|message| message.name == name), "{name}");
        }
    }
}
