//! Compiles every `email.mjml` to HTML and collects the words of every language, so that a broken or missing template stops the
//! build and not a message.

use std::{
    collections::BTreeMap,
    error::Error,
    ffi::OsStr,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use minijinja::Environment;
use mrml::prelude::render::RenderOptions;
use sha2::{Digest, Sha256};

#[path = "src/words_file.rs"]
#[expect(unreachable_pub, reason = "public in the library, which this is not")]
mod words_file;

/// The languages in which every message is written. The first is the one that the others are held against.
const LANGUAGES: [&str; 4] = ["en", "es", "ro", "ru"];

/// The folder whose words every message shares, and whose frames stand around every structure.
const SHARED: &str = "layout";

/// Sections that are no messages: words for the other sections, and what codes mean.
const NO_MESSAGES: [&str; 4] = ["shared", "reasons", "methods", "changes"];

/// The words that every message has.
const NEEDED: [&str; 9] = [
    "subject",
    "preheader",
    "heading",
    "lead",
    "next",
    "sms",
    "title",
    "push",
    "in_app",
];

/// The texts of one file, by section and key.
type Phrases = words_file::Texts;

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=src");
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={problem}");
            ExitCode::FAILURE
        }
    }
}

fn compile() -> Result<(), Box<dyn Error>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").canonicalize()?;
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo gave no OUT_DIR")?);

    let (mut structures, mut phrases, mut digests) = (String::new(), String::new(), String::new());
    let shared = languages(&source.join(SHARED))?;
    for folder in folders(&source)? {
        let name = folder
            .file_name()
            .and_then(OsStr::to_str)
            .ok_or("a folder's name is not UTF-8")?;
        let mut digest = Sha256::new();
        if name != SHARED {
            for (form, text) in [
                ("email.html", html_of(&source, &folder)?),
                ("email.txt", text_of(&source, &folder)?),
            ] {
                let path = out.join(format!("{name}.{form}"));
                fs::write(&path, &text)?;
                digest.update(&text);
                writeln!(structures, "    ({name:?}, {form:?}, include_str!({path:?})),")?;
            }
            digest.update(format!("{shared:?}"));
        }
        for (language, texts) in languages(&folder)? {
            for ((section, key), text) in texts {
                checked(&format!("{name}/{language}.ini [{section}] {key}"), &text)?;
                writeln!(phrases, "    ({name:?}, {language:?}, {section:?}, {key:?}, {text:?}),")?;
                digest.update(format!("{language} {section} {key} {text}"));
            }
        }
        let digest: String = digest
            .finalize()
            .iter()
            .take(4)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        writeln!(digests, "    ({name:?}, {digest:?}),")?;
    }
    let generated = format!(
        "/// Folder, form and source of every structure.\n\
         const STRUCTURES: &[(&str, &str, &str)] = &[\n{structures}];\n\n\
         /// Folder, language, section, key and source of every phrase, in this order.\n\
         const PHRASES: &[(&str, &str, &str, &str, &str)] = &[\n{phrases}];\n\n\
         /// What a folder's words and structure were, in a few letters.\n\
         const DIGESTS: &[(&str, &str)] = &[\n{digests}];\n"
    );
    fs::write(out.join("templates.rs"), generated)?;
    Ok(())
}

/// Every folder with words, in the order of their names.
fn folders(source: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(source)? {
        let path = entry?.path();
        if path.join(format!("{}.ini", LANGUAGES[0])).exists() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Stops at what the template engine cannot read. What words may do besides, `src/phrase.rs` says, wherever they come from.
fn checked(name: &str, source: &str) -> Result<(), Box<dyn Error>> {
    if let Err(problem) = Environment::new().template_from_str(source) {
        return Err(format!("{name}: {}", chain(&problem)).into());
    }
    Ok(())
}

/// The plain text of a folder's e-mails, in its frame.
fn text_of(source: &Path, folder: &Path) -> Result<String, Box<dyn Error>> {
    expanded(
        source,
        &source.join(SHARED).join("email.txt"),
        &folder.join("email.txt"),
        "{% include \"",
        "\" %}",
    )
}

/// The HTML of a folder's e-mails, in its frame.
fn html_of(source: &Path, folder: &Path) -> Result<String, Box<dyn Error>> {
    let mjml = folder.join("email.mjml");
    let frame = source.join(SHARED).join("frame.mjml");
    let whole = expanded(source, &frame, &mjml, "<mj-include path=\"", "\" />")?;
    let told = |problem: &dyn Error| format!("{}: {}", mjml.display(), chain(problem));
    let parsed = mrml::parse(whole).map_err(|e| told(&e))?;
    if let Some(warning) = parsed.warnings.first() {
        return Err(format!("{}: {warning:?}", mjml.display()).into());
    }
    // No web fonts: the reader's own are faster and tell nobody that the message was opened.
    let options = RenderOptions {
        disable_comments: true,
        fonts: [].into(),
        ..RenderOptions::default()
    };
    let html = parsed.element.render(&options).map_err(|e| told(&e))?;
    // mrml copies a tag that it does not know, and says nothing.
    match html.split_once("<mj-") {
        Some((_, rest)) => {
            let tag: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
            Err(format!("{}: <mj-{tag}> is no tag of MJML here", mjml.display()).into())
        }
        None => Ok(html),
    }
}

/// The frame with every included file in it; `message` is the message's own.
///
/// Not left to mrml, which renders included parts without the width of the body and the cell of the column.
fn expanded(source: &Path, frame: &Path, message: &Path, start: &str, end: &str) -> Result<String, Box<dyn Error>> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|problem| format!("{}: {problem}", path.display()));
    let mut text = read(frame)?;
    while let Some((before, rest)) = text.split_once(start) {
        let (path, after) = rest
            .split_once(end)
            .ok_or_else(|| format!("{}: expected {start}…{end}", message.display()))?;
        let part = match path {
            "message" => read(message)?,
            path => read(&source.join(path))?,
        };
        // A file ends with a line break, and so does the line that includes it.
        text = format!("{before}{}{after}", part.trim_end());
    }
    Ok(text)
}

fn chain(problem: &dyn Error) -> String {
    let mut text = problem.to_string();
    let mut cause = problem.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// The words of a folder by language: every language, each with exactly the keys of the first.
fn languages(folder: &Path) -> Result<BTreeMap<String, Phrases>, Box<dyn Error>> {
    let mut all = BTreeMap::new();
    for language in LANGUAGES {
        let path = folder.join(format!("{language}.ini"));
        all.insert(
            language.to_owned(),
            read(&path).map_err(|problem| format!("{}: {problem}", path.display()))?,
        );
    }
    let reference = all.get(LANGUAGES[0]).cloned().unwrap_or_default();
    for (language, texts) in &all {
        let missing = reference.keys().find(|key| !texts.contains_key(*key));
        let surplus = texts.keys().find(|key| !reference.contains_key(*key));
        let file = format!("{}/{language}.ini", folder.display());
        if let Some((section, key)) = missing {
            return Err(format!("{file}: [{section}] has no {key}, {}.ini has", LANGUAGES[0]).into());
        }
        if let Some((section, key)) = surplus {
            return Err(format!("{file}: [{section}] has {key}, {}.ini has not", LANGUAGES[0]).into());
        }
    }
    for section in reference.keys().map(|(section, _)| section) {
        let is_message = !NO_MESSAGES.contains(&section.as_str());
        let missing = NEEDED
            .iter()
            .find(|key| !reference.contains_key(&(section.clone(), (**key).to_owned())));
        if let (true, Some(key)) = (is_message, missing) {
            return Err(format!("{}: [{section}] has no {key}", folder.display()).into());
        }
    }
    Ok(all)
}

/// Reads a file of words, all of which stand in a section.
fn read(path: &Path) -> Result<Phrases, Box<dyn Error>> {
    let texts = words_file::read(&fs::read_to_string(path)?)?;
    match texts.keys().find(|(section, _)| section.is_empty()) {
        Some((_, key)) => Err(format!("{key}: expected a [section] first").into()),
        None => Ok(texts),
    }
}
