//! Compiles every `email.mjml` to HTML and collects the phrases of every language, so that a broken template stops
//! the build and not a message.

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

/// The language that has every phrase; the others are held against it.
const REFERENCE: &str = "en";

/// The folder whose phrases every message shares.
const SHARED: &str = "layout";

/// The texts of one file, by section and key.
type Phrases = BTreeMap<(String, String), String>;

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

    let mut structures = String::new();
    let mut phrases = String::new();
    for folder in folders(&source)? {
        let name = folder
            .file_name()
            .and_then(OsStr::to_str)
            .ok_or("a folder's name is not UTF-8")?;
        let mjml = folder.join("email.mjml");
        if mjml.exists() {
            let html = out.join(format!("{name}.html"));
            fs::write(&html, html_of(&source, &mjml)?)?;
            structure(&mut structures, &format!("{name}/email.html"), &html)?;
        }
        let text = folder.join("email.txt");
        if text.exists() {
            structure(&mut structures, &format!("{name}/email.txt"), &text)?;
        }
        for (language, texts) in languages(&folder)? {
            for ((section, key), text) in texts {
                checked(&format!("{name}/{language}.ini [{section}] {key}"), &text)?;
                writeln!(phrases, "    ({name:?}, {language:?}, {section:?}, {key:?}, {text:?}),")?;
            }
        }
    }
    let generated = format!(
        "/// Name and source of every structure.\n\
         const STRUCTURES: &[(&str, &str)] = &[\n{structures}];\n\n\
         /// Folder, language, section, key and source of every phrase.\n\
         const PHRASES: &[(&str, &str, &str, &str, &str)] = &[\n{phrases}];\n"
    );
    fs::write(out.join("templates.rs"), generated)?;
    Ok(())
}

fn folders(source: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(source)? {
        let path = entry?.path();
        if path.join(format!("{REFERENCE}.ini")).exists() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

fn structure(list: &mut String, name: &str, path: &Path) -> Result<(), Box<dyn Error>> {
    checked(name, &fs::read_to_string(path)?)?;
    writeln!(list, "    ({name:?}, include_str!({path:?})),")?;
    Ok(())
}

/// Stops at what the template engine cannot read.
fn checked(name: &str, source: &str) -> Result<(), Box<dyn Error>> {
    match Environment::new().template_from_str(source) {
        Ok(_) => Ok(()),
        Err(problem) => Err(format!("{name}: {}", chain(&problem)).into()),
    }
}

/// The HTML of one MJML file.
fn html_of(source: &Path, mjml: &Path) -> Result<String, Box<dyn Error>> {
    let told = |problem: &dyn Error| format!("{}: {}", mjml.display(), chain(problem));
    let parsed = mrml::parse(expanded(source, mjml)?).map_err(|e| told(&e))?;
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

/// The file with every `<mj-include path="…" />` replaced by the file of that path under `src`.
///
/// Not left to mrml, which renders included parts without the width of the body and the cell of the column.
fn expanded(source: &Path, mjml: &Path) -> Result<String, Box<dyn Error>> {
    const START: &str = "<mj-include path=\"";
    const END: &str = "\" />";
    let mut text = fs::read_to_string(mjml)?;
    while let Some((before, rest)) = text.split_once(START) {
        let (path, after) = rest
            .split_once(END)
            .ok_or_else(|| format!("{}: expected {START}…{END}", mjml.display()))?;
        let part = fs::read_to_string(source.join(path))
            .map_err(|problem| format!("{}: include {path}: {problem}", mjml.display()))?;
        text = format!("{before}{part}{after}");
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

/// The phrases of a folder by language, each with exactly the keys of the reference.
fn languages(folder: &Path) -> Result<BTreeMap<String, Phrases>, Box<dyn Error>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension() != Some(OsStr::new("ini")) {
            continue;
        }
        let language = path
            .file_stem()
            .and_then(OsStr::to_str)
            .ok_or("a file's name is not UTF-8")?;
        all.insert(language.to_owned(), read(&path)?);
    }
    let reference = all
        .get(REFERENCE)
        .ok_or_else(|| format!("{} has no {REFERENCE}.ini", folder.display()))?;
    for (language, texts) in &all {
        let missing = reference.keys().find(|key| !texts.contains_key(*key));
        let surplus = texts.keys().find(|key| !reference.contains_key(*key));
        let file = format!("{}/{language}.ini", folder.display());
        if let Some((section, key)) = missing {
            return Err(format!("{file}: [{section}] has no {key}, {REFERENCE}.ini has").into());
        }
        if let Some((section, key)) = surplus {
            return Err(format!("{file}: [{section}] has {key}, {REFERENCE}.ini has not").into());
        }
    }
    if folder.file_name() != Some(OsStr::new(SHARED)) && !folder.join("email.mjml").exists() {
        return Err(format!("{} has phrases and no email.mjml", folder.display()).into());
    }
    Ok(all)
}

/// Reads `[section]`, `key = text`, and indented lines that go on with the text. `#` at the start is a comment.
fn read(path: &Path) -> Result<Phrases, Box<dyn Error>> {
    let mut texts = Phrases::new();
    let mut section = String::new();
    let mut last: Option<(String, String)> = None;
    for (number, line) in (1..).zip(fs::read_to_string(path)?.lines()) {
        let told = |what: &str| format!("{}, line {number}: {what}", path.display());
        if line.trim().is_empty() || line.starts_with('#') {
            last = None;
        } else if line.starts_with([' ', '\t']) {
            let text = last
                .as_ref()
                .and_then(|key| texts.get_mut(key))
                .ok_or_else(|| told("an indented line goes on with a text, and there is none above"))?;
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(line.trim());
        } else if let Some(name) = line.trim().strip_prefix('[') {
            name.strip_suffix(']')
                .ok_or_else(|| told("expected [section]"))?
                .clone_into(&mut section);
            last = None;
        } else {
            let (key, text) = line.split_once('=').ok_or_else(|| told("expected key = text"))?;
            let key = (section.clone(), key.trim().to_owned());
            if section.is_empty() {
                return Err(told("expected a [section] first").into());
            }
            if texts.insert(key.clone(), text.trim().to_owned()).is_some() {
                return Err(told("this key is there already").into());
            }
            last = Some(key);
        }
    }
    Ok(texts)
}
