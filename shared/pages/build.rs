//! Collects the words of every language, so that a missing one stops the build and not a page.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[path = "../messages/src/words_file.rs"]
#[expect(unreachable_pub, reason = "public in the library, which this is not")]
mod words_file;

/// The first is the one that the others are held against.
const LANGUAGES: [&str; 4] = ["en", "es", "ro", "ru"];

/// The section whose words templates name, as `w.KEY`.
const OF_TEMPLATES: &str = "page";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=src/words");
    println!("cargo::rerun-if-changed=src/page");
    println!("cargo::rerun-if-changed=../messages/src/words_file.rs");
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={problem}");
            ExitCode::FAILURE
        }
    }
}

fn compile() -> Result<(), Box<dyn Error>> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo gave no OUT_DIR")?);
    let mut all = BTreeMap::new();
    for language in LANGUAGES {
        let path = source.join("words").join(format!("{language}.ini"));
        let texts = fs::read_to_string(&path)?;
        let texts = words_file::read(&texts).map_err(|problem| format!("{}: {problem}", path.display()))?;
        all.insert(language, texts);
    }
    let reference = all.get(LANGUAGES[0]).ok_or("there are no languages")?;
    for (language, texts) in &all {
        alike(language, texts, reference)?;
    }
    for entry in fs::read_dir(source.join("page"))? {
        let path = entry?.path();
        for key in named(&fs::read_to_string(&path)?) {
            if !reference.contains_key(&(OF_TEMPLATES.to_owned(), key.clone())) {
                return Err(format!("{}: there is no word {key}", path.display()).into());
            }
        }
    }
    let mut generated =
        "/// Language, section, key and text of every word.\nconst WORDS: &[(&str, &str, &str, &str)] = &[\n"
            .to_owned();
    for (language, texts) in &all {
        for ((section, key), text) in texts {
            writeln!(generated, "    ({language:?}, {section:?}, {key:?}, {text:?}),")?;
        }
    }
    generated.push_str("];\n");
    fs::write(out.join("words.rs"), generated)?;
    Ok(())
}

/// The same keys, and in each the same places to fill.
fn alike(language: &str, texts: &words_file::Texts, reference: &words_file::Texts) -> Result<(), Box<dyn Error>> {
    let keys: BTreeSet<_> = texts.keys().chain(reference.keys()).collect();
    for key in keys {
        let (section, name) = key;
        let (Some(text), Some(other)) = (texts.get(key), reference.get(key)) else {
            return Err(format!("{language}.ini: [{section}] {name} is not in every language").into());
        };
        if text.is_empty() || places(text) != places(other) {
            return Err(format!(
                "{language}.ini: [{section}] {name} does not say what {}.ini says",
                LANGUAGES[0]
            )
            .into());
        }
    }
    Ok(())
}

/// The names in braces.
fn places(text: &str) -> BTreeSet<&str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
        .collect()
}

/// The words that a template names.
fn named(template: &str) -> BTreeSet<String> {
    let is_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    template
        .split("w.")
        .zip(template.split("w.").skip(1))
        .filter(|(before, _)| !before.ends_with(|c: char| is_of_a_name(c) || c == '.'))
        .map(|(_, rest)| rest.chars().take_while(|c| is_of_a_name(*c)).collect())
        .collect()
}
