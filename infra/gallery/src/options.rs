//! What the gallery may be asked for.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use gallery::Chromium;

/// Shows every message in every language, and checks that all of them can be read
#[derive(Debug, Parser)]
#[command(
    name = "gallery",
    version,
    after_help = "\
Checked in Chromium, in light and in dark mode, 320 px wide: nothing scrolls sideways, no text is smaller than 14 px, \
every image has an alternative text, the language is named, and every text stands out from what is behind it (4.5:1, large text 3:1). \
Checked without it: mail programs cut an e-mail of 102 KB or more.

Answers with 0 when all is well, 1 when a check found something, 2 when it was called wrongly or could not work."
)]
pub(crate) struct Options {
    /// Only messages whose name (order_status_update.shipped/email/es) has all these parts
    #[arg(value_name = "PART")]
    pub(crate) parts: Vec<String>,
    /// Where to write
    #[arg(long, value_name = "FOLDER", default_value = "target/gallery")]
    pub(crate) out: PathBuf,
    /// Print the messages as text instead
    #[arg(long)]
    pub(crate) text: bool,
    /// The browser that takes the pictures; else chromium, chromium-browser or google-chrome of the PATH
    #[arg(long, value_name = "PATH", env = "CHROMIUM")]
    chromium: Option<PathBuf>,
    /// Take pictures of all e-mails in dark mode, and not of a few only
    #[arg(long)]
    pub(crate) dark: bool,
    /// How many dots of a picture make a pixel
    #[arg(long, value_name = "DOTS", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) scale: u8,
}

impl Options {
    /// The browser, if there is one.
    ///
    /// # Errors
    ///
    /// When one is named that is not there.
    pub(crate) fn chromium(&self) -> Result<Option<PathBuf>> {
        Chromium::find(self.chromium.as_deref())
    }
}
