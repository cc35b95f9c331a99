//! The template engine, set up in our way: strict about what is unknown, and HTML is escaped.

use domain::Language;
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior, escape_formatter,
    syntax::SyntaxConfig,
    value::{Kwargs, ValueKind},
};

use crate::{
    html,
    locale::plural_of,
    name::TemplateName,
    plain_text,
    weave::{Form, woven, woven_phrase},
    words,
};

/// The parts of an e-mail that have a structure; everything else is a phrase.
const STRUCTURED: [&str; 2] = ["email.html", "email.txt"];

/// The name under which the engine knows a part of a template.
pub(crate) fn source_name(name: &TemplateName, part: &str) -> String {
    format!("{name}/{part}")
}

/// What becomes of a value that is no text and no number, where words name one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wordless {
    /// Nothing is written: a message of ours goes out all the same.
    LeftOut,
    /// The words are broken: there are better ones to take their place.
    Broken,
}

/// An engine that weaves a template when it is first asked for it, with words from this source, and keeps it.
pub(crate) fn environment(
    wordless: Wordless,
    source: impl Fn(&TemplateName, &str) -> Option<String> + Send + Sync + 'static,
) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".html") {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.set_formatter(move |out, state, value| match (value.as_str(), value.kind()) {
        (Some(text), _) if matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe() => {
            html::escape_into(text, |part| out.write_str(part)).map_err(Error::from)
        }
        (Some(_), _) | (None, ValueKind::Number) => escape_formatter(out, state, value),
        (None, _) if wordless == Wordless::LeftOut => Ok(()),
        (None, kind) => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!("expected a text or a number, found {kind}: ask with if whether it is there"),
        )),
    });
    // A tag on a line of its own leaves no empty line behind.
    if let Ok(syntax) = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build() {
        environment.set_syntax(syntax);
    }
    // Nobody's words are markup.
    environment.remove_filter("safe");
    // Those of the engine make "NONE" of what is not there.
    environment.add_filter("upper", |text: &str| text.to_uppercase());
    environment.add_filter("lower", |text: &str| text.to_lowercase());
    environment.add_filter("plural", plural);
    environment.add_filter("attribute", |text: &str| html::without_bidi_controls(text).into_owned());
    environment.add_filter("mailbox", html::mailbox);
    environment.add_filter("wrapped", |text: &str| plain_text::wrapped(text));
    environment.add_filter("heading", |text: &str| plain_text::heading(text));
    environment.add_filter("row", |label: &str, value: &str| plain_text::row(label, value));
    environment.add_filter("item", |name: &str, amount: Option<&str>| {
        plain_text::item(name, amount.unwrap_or_default())
    });
    environment.set_loader(move |asked| {
        let Some((name, part)) = asked.rsplit_once('/') else {
            return Ok(None);
        };
        let Ok(name) = TemplateName::try_from(name) else {
            return Ok(None);
        };
        let words = |key: &str| source(&name, key);
        let text = match STRUCTURED.contains(&part) {
            true => {
                let form = if part == "email.html" { Form::Html } else { Form::Text };
                words::structure(name.folder(), part).map(|structure| woven(structure, form, &words))
            }
            false => source(&name, part).map(|phrase| woven_phrase(&phrase, &words)),
        };
        text.transpose()
            .map_err(|what| Error::new(ErrorKind::SyntaxError, what))
    });
    environment
}

/// `{{ count|plural(one="item", other="items") }}` in the language of the message.
fn plural(state: &State<'_, '_>, count: u64, forms: Kwargs) -> Result<String, Error> {
    let code = state.lookup("language").unwrap_or_default();
    let language = Language::try_from(code.as_str().unwrap_or_default())
        .map_err(|unknown| Error::new(ErrorKind::InvalidOperation, "no language to count in").with_source(unknown))?;
    let form: Option<String> = forms.get(plural_of(language, count))?;
    form.map_or_else(|| forms.get("other"), Ok)
}
