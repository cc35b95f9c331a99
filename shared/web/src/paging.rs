//! Pages of a list: how many, and from where on.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Problem, Wrong};

const USUAL: u16 = 20;
const MOST: u16 = 100;
const LONGEST_CURSOR: usize = 1_024;

/// Which part of a list is asked for: `?limit=20&cursor=…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paging {
    /// How many at most: 1 to 100, 20 where nothing is said.
    pub limit: u16,
    /// Where the page before ended, as that page said; read it with [`read_cursor`].
    pub cursor: Option<String>,
    /// The other parameters.
    pub others: Vec<(String, String)>,
}

/// A cursor that no page of ours has given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidCursor;

impl From<InvalidCursor> for Problem {
    fn from(_: InvalidCursor) -> Self {
        Self::wrong("query/cursor", "expected the nextCursor of the page before")
    }
}

/// A place in a list as text: letters, digits, `-` and `_`. It is no secret and no proof: whoever reads it says whose list it is in.
pub fn cursor(place: &impl Serialize) -> Option<String> {
    serde_json::to_vec(place)
        .ok()
        .map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

/// The place that a cursor names.
///
/// # Errors
///
/// [`InvalidCursor`] when it is none of ours.
pub fn read_cursor<P: DeserializeOwned>(cursor: &str) -> Result<P, InvalidCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_not_ours| InvalidCursor)?;
    serde_json::from_slice(&bytes).map_err(|_not_ours| InvalidCursor)
}

impl<S: Sync> FromRequestParts<S> for Paging {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let mut paging = Self {
            limit: USUAL,
            cursor: None,
            others: Vec::new(),
        };
        let mut errors = Vec::new();
        let mut wrong = |name: &str, detail: String| {
            errors.push(Wrong {
                pointer: format!("query/{name}"),
                detail,
            });
        };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "limit" => match value.parse() {
                    Ok(limit) if (1..=MOST).contains(&limit) => paging.limit = limit,
                    Ok(_) | Err(_) => wrong("limit", format!("expected a number from 1 to {MOST}")),
                },
                "cursor" if value.len() <= LONGEST_CURSOR => paging.cursor = Some(value.into_owned()),
                "cursor" => wrong("cursor", "expected the nextCursor of the page before".to_owned()),
                _ => paging.others.push((name.into_owned(), value.into_owned())),
            }
        }
        match errors.is_empty() {
            true => Ok(paging),
            false => Err(Problem::invalid(errors)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    async fn read(query: &str) -> Result<Paging, Problem> {
        let request = Request::builder().uri(format!("/notifications?{query}"));
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        Paging::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn a_page_has_twenty_where_nothing_is_said_and_a_hundred_at_most() {
        assert_eq!(read("").await.unwrap().limit, 20);
        assert_eq!(read("limit=100&cursor=abc").await.unwrap().limit, 100);
        for limit in ["0", "101", "-1", "many", "", "99999999999999999999"] {
            let problem = read(&format!("limit={limit}")).await.unwrap_err();
            assert_eq!(
                problem,
                Problem::wrong("query/limit", "expected a number from 1 to 100")
            );
        }
    }

    #[test]
    fn a_cursor_comes_back_as_it_went_and_nothing_else_is_one() {
        let place = ("n-1".to_owned(), 12_i64);
        let written = cursor(&place).unwrap();
        assert!(
            written
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        );
        assert_eq!(read_cursor::<(String, i64)>(&written), Ok(place));
        for other in ["", "abc", "!", "W10", &format!("{written}A")] {
            assert_eq!(read_cursor::<(String, i64)>(other), Err(InvalidCursor), "{other}");
        }
    }
}
