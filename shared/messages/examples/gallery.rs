//! Writes every message in every language into a folder, to be looked at in a browser.
//!
//! `cargo run -p messages --example gallery -- FOLDER`

use std::{env, error::Error, fs, path::PathBuf};

use domain::Language;
use messages::Templates;

#[expect(clippy::unwrap_used, reason = "samples are right, or the tests fail")]
#[path = "../tests/samples/mod.rs"]
mod samples;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(env::args_os().nth(1).unwrap_or_else(|| "gallery".into()));
    fs::create_dir_all(&folder)?;
    let templates = Templates::load()?;
    let shop = samples::shop();
    for (number, content) in samples::all_contents().iter().enumerate() {
        let size = if number % 2 == 0 { "bare" } else { "full" };
        let status = content.status().map_or("order_confirmation", domain::OrderStatus::name);
        for language in templates.languages_of(content.notification_type(), content.status()) {
            let reader = samples::reader(language);
            let email = templates.email(content, &reader, Language::En, &shop)?;
            let sms = templates.sms(content, &reader, Language::En, &shop)?;
            let name = format!("{status}-{language}-{size}");
            fs::write(folder.join(format!("{name}.html")), email.html)?;
            let text = format!("{}\n\n{}\n{}\n", email.subject, email.text, sms.text);
            fs::write(folder.join(format!("{name}.txt")), text)?;
        }
    }
    Ok(())
}
