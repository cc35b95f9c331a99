//! One state of a page: looked at, checked, pictured.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use domain::Language;
use gallery::{CHECKS, Chromium};
use serde_json::{Value, json};

/// The narrowest window for which pages are made (WCAG 2.2, success criterion 1.4.10), a telephone, a desktop.
const WIDTHS: [u32; 3] = [320, 375, 1280];
const NARROWEST: u32 = 320;

/// Looks at pages in one language.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) browser: Chromium,
    pub(crate) language: Language,
    axe: String,
    folder: PathBuf,
    pub(crate) states: u32,
    pub(crate) pictures: u32,
    pub(crate) findings: Vec<String>,
}

impl Observer {
    pub(crate) fn new(browser: Chromium, axe: &str, folder: &Path, language: Language) -> Self {
        Self {
            browser,
            language,
            axe: axe.to_owned(),
            folder: folder.to_owned(),
            states: 0,
            pictures: 0,
            findings: Vec::new(),
        }
    }

    /// Checks the page as it stands now, and takes its pictures under this name.
    pub(crate) fn look(&mut self, name: &str) -> Result<()> {
        self.states += 1;
        self.browser.resize(NARROWEST, 1)?;
        // Run by the debugger, to which the policy of the page does not apply.
        self.browser.evaluate(&format!("{};0", self.axe))?;
        for is_dark in [false, true] {
            self.browser.darken(is_dark)?;
            let mode = if is_dark { "dark" } else { "light" };
            let checks = [
                format!("{}({NARROWEST}, {})", CHECKS.trim_end(), json!(self.language.code())),
                include_str!("axe.js").trim_end().to_owned(),
                include_str!("checks.js").trim_end().to_owned(),
            ];
            for check in checks {
                let found = self.browser.evaluate(&check)?;
                let found = found.as_array().context("a check has no result")?;
                for what in found.iter().filter_map(Value::as_str) {
                    self.find(name, &format!("in {mode} mode, {what}"));
                }
            }
        }
        for width in WIDTHS {
            self.browser.resize(width, 1)?;
            for (is_dark, mode) in [(false, ""), (true, ".dark")] {
                self.browser.darken(is_dark)?;
                let file = self.folder.join(format!("{}.{name}.{width}{mode}.png", self.language));
                let picture = self.browser.picture()?;
                std::fs::write(&file, picture).with_context(|| format!("could not write {}", file.display()))?;
                self.pictures += 1;
            }
        }
        self.browser.darken(false)?;
        Ok(())
    }

    /// Notes what should hold and does not.
    pub(crate) fn expect(&mut self, name: &str, what: &str, holds: bool) {
        if !holds {
            self.find(name, &format!("expected {what}"));
        }
    }

    /// Whether an expression is true on the page.
    pub(crate) fn is(&mut self, expression: &str) -> Result<bool> {
        Ok(self.browser.evaluate(expression)?.as_bool().unwrap_or(false))
    }

    fn find(&mut self, name: &str, what: &str) {
        self.findings.push(format!("{} {name}: {what}", self.language));
    }
}
