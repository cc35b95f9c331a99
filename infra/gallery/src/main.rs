//! Shows every message in every language on a page and in pictures, and checks that all of them can be read.

mod files;
mod listing;
mod message;
mod options;
mod page;
mod pictures;
mod preheader;
mod sms;

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;

use files::Folder;
use message::Message;
use options::Options;
use page::Gallery;
use pictures::Inspection;

/// What to say where there is no Chromium.
const NO_CHROMIUM: &str = "no Chromium was found, so there are no pictures, and nothing but the size of the e-mails was checked; \
on Debian, `sudo apt-get install chromium fonts-liberation` installs one, and --chromium names one in another place";

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("gallery: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    if options.text {
        let listing = listing::of(&options.parts)?;
        return match std::io::stdout().lock().write_all(listing.as_bytes()) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            written => Ok(written.map(|()| ExitCode::SUCCESS)?),
        };
    }
    let began = Instant::now();
    let messages = Message::all(&options.parts)?;
    let folder = Folder::new(&options.out)?;
    for message in &messages {
        folder.write_emails(message)?;
    }

    pictures::forget(&folder, &messages)?;
    let mut inspection = Inspection::of_sizes(&messages);
    let pictured = match options.chromium()? {
        Some(program) => pictures::take(&program, options, &folder, &messages, &mut inspection),
        None => {
            eprintln!("gallery: {NO_CHROMIUM}");
            Ok(())
        }
    };
    // The page is worth having, whatever became of the pictures.
    Gallery::new(&messages, &inspection).write(&folder)?;
    pictured?;

    let emails: usize = messages.iter().map(|message| message.samples.len()).sum();
    eprintln!(
        "gallery: messages: {}, e-mails: {emails}, pictures: {}, in {:.1} s: {}",
        messages.len(),
        inspection.pictures.len(),
        began.elapsed().as_secs_f64(),
        folder.path("index.html").display()
    );
    for finding in &inspection.findings {
        eprintln!("gallery: {finding}");
    }
    Ok(ExitCode::from(u8::from(!inspection.findings.is_empty())))
}
