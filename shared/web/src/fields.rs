//! The fields of a JSON body, read one by one: everything that is wrong is told at once, by name.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde_json::{Map, Value};

use crate::{Problem, Wrong};

/// What merges into what is stored says so (RFC 7396, section 4); plain JSON is believed as well.
const TYPES: [&str; 2] = ["application/json", "application/merge-patch+json"];

/// An object of a body, and what is wrong with it so far.
#[derive(Debug)]
pub struct Fields {
    object: Map<String, Value>,
    errors: Vec<Wrong>,
}

impl Fields {
    /// Takes a field out of the object, if it is there. `null` is there.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name)
    }

    /// Takes a text out of the object and reads it; nothing, where it is missing or wrong, and then that is noted.
    pub fn required<T, E: std::fmt::Display>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match self.take(name) {
            None => {
                self.wrong(format!("/{name}"), "expected a text, got nothing");
                None
            }
            Some(Value::String(text)) => read(&text)
                .map_err(|problem| self.wrong(format!("/{name}"), problem.to_string()))
                .ok(),
            Some(_) => {
                self.wrong(format!("/{name}"), "expected a text");
                None
            }
        }
    }

    /// Notes that something is wrong. The pointer names the place in the body (RFC 6901).
    pub fn wrong(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.errors.push(Wrong {
            pointer: pointer.into(),
            detail: detail.into(),
        });
    }

    /// Ends the reading: a field that nobody took is one that nobody knows.
    ///
    /// # Errors
    ///
    /// [`Problem`] with everything that is wrong.
    pub fn end(mut self, known: &[&str]) -> Result<(), Problem> {
        let names: Vec<String> = self.object.keys().map(|name| pointer_part(name)).collect();
        for name in names {
            self.wrong(format!("/{name}"), format!("expected one of {}", known.join(", ")));
        }
        match self.errors.is_empty() {
            true => Ok(()),
            false => Err(Problem::invalid(self.errors)),
        }
    }
}

/// A name as it stands in a JSON pointer (RFC 6901, section 3), cut where it is longer than any name of ours.
#[must_use]
pub fn pointer_part(name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    name.replace('~', "~0").replace('/', "~1")
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let media_type = content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        if !TYPES.iter().any(|known| known.eq_ignore_ascii_case(media_type)) {
            return Err(Problem::unsupported_media_type("application/json"));
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|_broken| Problem::wrong("", "expected a body that can be read"))?;
        match serde_json::from_slice(&body) {
            Ok(Value::Object(object)) => Ok(Self {
                object,
                errors: Vec::new(),
            }),
            Ok(_) => Err(Problem::wrong("", "expected an object")),
            Err(error) => Err(Problem::wrong(
                "",
                format!(
                    "expected JSON, which ends at line {} column {}",
                    error.line(),
                    error.column()
                ),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    async fn read(content_type: &str, body: &'static str) -> Result<Fields, Problem> {
        let request = Request::builder()
            .header(header::CONTENT_TYPE, content_type)
            .body(Body::from(body));
        Fields::from_request(request.unwrap(), &()).await
    }

    #[tokio::test]
    async fn everything_that_is_wrong_is_told_at_once() {
        let mut fields = read("application/json; charset=utf-8", r#"{"code": 7, "b/c": 1, "a": 2}"#)
            .await
            .unwrap();
        let code = fields.required("code", |text| Ok::<_, String>(text.to_owned()));
        let name = fields.required("name", |text| Ok::<_, String>(text.to_owned()));
        let problem = fields.end(&["code", "name"]).unwrap_err();
        let expected = [
            ("/code", "expected a text"),
            ("/name", "expected a text, got nothing"),
            ("/a", "expected one of code, name"),
            ("/b~1c", "expected one of code, name"),
        ];
        let expected = expected.map(|(pointer, detail)| Wrong {
            pointer: pointer.to_owned(),
            detail: detail.to_owned(),
        });
        assert_eq!((code, name, problem), (None, None, Problem::invalid(expected.into())));
    }

    #[tokio::test]
    async fn what_is_no_object_of_json_is_refused() {
        for (content_type, body, expected) in [
            ("application/json", "[]", Problem::wrong("", "expected an object")),
            (
                "application/json",
                "{",
                Problem::wrong("", "expected JSON, which ends at line 1 column 1"),
            ),
            (
                "application/merge-patch+json",
                "",
                Problem::wrong("", "expected JSON, which ends at line 1 column 0"),
            ),
            ("text/plain", "{}", Problem::unsupported_media_type("application/json")),
            ("", "{}", Problem::unsupported_media_type("application/json")),
        ] {
            assert_eq!(
                read(content_type, body).await.unwrap_err(),
                expected,
                "{content_type} {body}"
            );
        }
    }
}
