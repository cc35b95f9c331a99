//! Which version a caller changes: `ETag` and `If-Match` (RFC 9110, sections 8.8.3 and 13.1.1).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};

use crate::Problem;

/// The versions that the caller is content with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// Whatever is there.
    Any,
    /// One of these.
    OneOf(Vec<String>),
}

impl IfMatch {
    /// Whether this version is one of them.
    #[must_use]
    pub fn admits(&self, revision: &str) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(revisions) => revisions.iter().any(|one| one == revision),
        }
    }
}

/// A version as an `ETag`: strong, in quotes.
///
/// A version of letters and digits; anything else gives an empty tag, which matches nothing.
#[must_use]
pub fn entity_tag(revision: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{revision}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let mut revisions = Vec::new();
        for value in parts.headers.get_all(header::IF_MATCH) {
            for tag in value.to_str().unwrap_or_default().split(',') {
                match tag.trim() {
                    "*" => return Ok(Self::Any),
                    // A weak tag never matches here (RFC 9110, section 13.1.1), and what is no tag neither.
                    tag => revisions.extend(
                        tag.strip_prefix('"')
                            .and_then(|tag| tag.strip_suffix('"'))
                            .map(str::to_owned),
                    ),
                }
            }
        }
        match parts.headers.contains_key(header::IF_MATCH) {
            true => Ok(Self::OneOf(revisions)),
            false => Err(Problem::precondition_required()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    async fn read(values: &[&'static str]) -> Option<IfMatch> {
        let mut request = Request::builder();
        for value in values {
            request = request.header(header::IF_MATCH, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        IfMatch::from_request_parts(&mut parts, &()).await.ok()
    }

    #[tokio::test]
    async fn the_versions_of_all_headers_count_and_a_weak_one_does_not() {
        let read = read(&["\"a\", W/\"b\"", "\"c\"", "d"]).await.unwrap();
        assert_eq!(read, IfMatch::OneOf(vec!["a".to_owned(), "c".to_owned()]));
        assert!(read.admits("a") && read.admits("c") && !read.admits("b") && !read.admits("d"));
    }

    #[tokio::test]
    async fn a_star_is_content_with_everything_and_silence_is_not_enough() {
        assert_eq!(read(&["*"]).await, Some(IfMatch::Any));
        assert_eq!(read(&[]).await, None);
        assert_eq!(read(&[""]).await, Some(IfMatch::OneOf(Vec::new())));
    }

    #[test]
    fn a_tag_is_strong() {
        assert_eq!(entity_tag("abc"), "\"abc\"");
    }
}
