//! An HTML document as a browser's parser understands it, reduced to what must not change with the facts.

use ego_tree::iter::Edge;
use scraper::{Html, Node};
use serde_json::Value;

/// One step through the document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Open(String, Vec<(String, String)>),
    Close,
    Comment(String),
    Doctype(String),
    Style(String),
    Data(Value),
    Instruction,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    pub(crate) steps: Vec<Step>,
    /// What a reader sees, and nothing of scripts and styles.
    pub(crate) text: String,
    pub(crate) title: String,
}

/// Reads it.
///
/// # Errors
///
/// What is in it that no message has: a `<bdi>` around more than text, a script that is not JSON.
pub(crate) fn read(html: &str) -> Result<Document, String> {
    let parsed = Html::parse_document(html);
    let mut document = Document {
        steps: Vec::new(),
        text: String::new(),
        title: String::new(),
    };
    let mut within: Vec<&str> = Vec::new();
    for edge in parsed.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Element(element) if element.name() == "bdi" => {
                    let is_plain =
                        element.attrs().next().is_none() && node.children().all(|child| child.value().is_text());
                    if !is_plain {
                        return Err("a <bdi> around more than text".to_owned());
                    }
                    within.push("bdi");
                }
                Node::Element(element) => {
                    let mut attributes: Vec<(String, String)> = element
                        .attrs()
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect();
                    attributes.sort();
                    document.steps.push(Step::Open(element.name().to_owned(), attributes));
                    within.push(element.name());
                }
                Node::Text(text) => match within.last().copied().unwrap_or_default() {
                    "script" => {
                        let data = serde_json::from_str(text)
                            .map_err(|problem| format!("a script that is no JSON: {problem}"))?;
                        document.steps.push(Step::Data(data));
                    }
                    "style" => document.steps.push(Step::Style(text.to_string())),
                    "title" => document.title.push_str(text),
                    _ => document.text.push_str(text),
                },
                Node::Comment(comment) => document.steps.push(Step::Comment(comment.to_string())),
                Node::Doctype(doctype) => document.steps.push(Step::Doctype(doctype.name().to_owned())),
                Node::ProcessingInstruction(_) => document.steps.push(Step::Instruction),
                Node::Document | Node::Fragment => {}
            },
            Edge::Close(node) => {
                if let Node::Element(element) = node.value() {
                    within.pop();
                    if element.name() != "bdi" {
                        document.steps.push(Step::Close);
                    }
                }
            }
        }
    }
    Ok(document)
}
