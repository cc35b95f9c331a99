//! Where everything is written, and under which names.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use domain::Language;

use crate::message::{Message, Sample};

/// The folder of a gallery.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// A folder, made where it is missing. What lies in it stays, unless it has the name of something new.
    pub(crate) fn new(root: &Path) -> Result<Self> {
        fs::create_dir_all(root).with_context(|| format!("could not create {}", root.display()))?;
        let root = fs::canonicalize(root).with_context(|| format!("could not open {}", root.display()))?;
        Ok(Self { root })
    }

    /// The place of something in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Writes something, whatever was there before.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.path(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("could not create {}", parent.display()))?;
        }
        fs::write(&path, bytes).with_context(|| format!("could not write {}", path.display()))
    }

    /// Removes something, if it is there.
    pub(crate) fn remove(&self, name: &str) -> Result<()> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            removed => removed.with_context(|| format!("could not remove {}", path.display())),
        }
    }

    /// Writes every sample's e-mail, exactly as it would be sent, and its plain text.
    pub(crate) fn write_emails(&self, message: &Message) -> Result<()> {
        for sample in &message.samples {
            self.write(&email(message, sample), sample.email.html.as_bytes())?;
            self.write(&text(message, sample), sample.email.text.as_bytes())?;
        }
        Ok(())
    }
}

/// The page of one language.
pub(crate) fn page(language: Language) -> String {
    format!("{language}.html")
}

/// A sample's e-mail.
pub(crate) fn email(message: &Message, sample: &Sample) -> String {
    format!("email/{}/{}.html", message.language, message.stem(sample))
}

/// The same in plain text.
pub(crate) fn text(message: &Message, sample: &Sample) -> String {
    format!("email/{}/{}.txt", message.language, message.stem(sample))
}

/// The page of which the contact sheet of a language is a picture.
pub(crate) fn sheet(language: Language) -> String {
    format!("sheet-{language}.html")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_written_as_it_would_be_sent() {
        let root = std::env::temp_dir().join(format!("gallery-{}", std::process::id()));
        let folder = Folder::new(&root).unwrap();
        let message = &Message::all(&["payment_failed/email/es".to_owned()]).unwrap()[0];
        folder.write_emails(message).unwrap();
        let written = fs::read(folder.path("email/es/payment_failed.full.html")).unwrap();
        assert_eq!(written, message.samples[1].email.html.as_bytes());
        fs::remove_dir_all(&root).unwrap();
    }
}
