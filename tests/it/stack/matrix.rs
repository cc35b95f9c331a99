//! Who may do what: every path of the API × every method × every customer × every token that is not in order.

use emulator::{Answer, Api};
use futures_util::future::join_all;
use serde_json::json;

use super::api::{Customer, api, json_of};
use super::harness::Stack;
use super::tokens::UserPool;

/// The paths of customers, and the status of each method that has a route, for a token in order and an empty body.
const PATHS: [(&str, &[(&str, u16)]); 5] = [
    (
        "/notifications/preferences",
        &[("GET", 200), ("PUT", 428), ("PATCH", 428)],
    ),
    ("/notifications/verify-phone", &[("POST", 400)]),
    ("/notifications/verify-phone/confirm", &[("POST", 400)]),
    ("/notifications/history", &[("GET", 200)]),
    ("/notifications/test", &[("POST", 400)]),
];

const METHODS: [&str; 5] = ["GET", "PUT", "PATCH", "POST", "DELETE"];

/// So many requests at once: more would only wait for each other.
const AT_ONCE: usize = 8;

/// One cell: what is asked, by what token, and what is to come back.
struct Cell {
    name: String,
    method: &'static str,
    path: &'static str,
    token: Option<String>,
    expected: Expected,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// No route: what the gateway says of it, whoever asks.
    NoRoute,
    /// Nobody is believed.
    Denied,
    /// This status.
    Answered(u16),
}

async fn ask(api: &Api, cell: &Cell) -> Answer {
    let bearer = cell.token.as_ref().map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let body = if cell.method == "GET" { "" } else { "{}" };
    api.ask(cell.method, cell.path, &headers, body).await.unwrap()
}

/// What a caller can tell apart: the status, the body and the headers but for those of this one answer.
fn shape(answer: &Answer) -> String {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "date" | "apigw-requestid"))
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    headers.sort();
    format!(
        "{} {headers:?} {}",
        answer.status,
        String::from_utf8_lossy(&answer.body)
    )
}

#[tokio::test]
async fn every_cell_is_answered_as_specified_and_denials_are_the_same_to_the_byte() {
    let stack = Stack::connect().await;
    let pool = UserPool::connect().await;
    let users = ["ana", "ben", "eva"].map(|name| stack.unique(name));
    let admin = stack.unique("admin");
    let mut cells = Vec::new();
    for user in users.iter().chain([&admin]) {
        let another = if *user == users[0] { &users[1] } else { &users[0] };
        let group = if *user == admin { "admin" } else { "" };
        let in_order = [
            ("logged in", Some(pool.log_in(user, group).await)),
            ("in order", Some(pool.signed(&pool.claims(user)))),
        ];
        let faults = pool.faults(user, another);
        for (path, routes) in PATHS {
            for method in METHODS {
                let route = routes.iter().find(|(routed, _)| *routed == method);
                let tokens = in_order
                    .iter()
                    .map(|token| (true, token))
                    .chain(faults.iter().map(|token| (false, token)));
                cells.extend(tokens.map(|(is_in_order, (name, token))| Cell {
                    name: format!("{method} {path} as {user}: {name}"),
                    method,
                    path,
                    token: token.clone(),
                    expected: match (route, is_in_order) {
                        (None, _) => Expected::NoRoute,
                        (Some(_), false) => Expected::Denied,
                        (Some((_, status)), true) => Expected::Answered(*status),
                    },
                }));
            }
        }
    }
    assert!(cells.len() >= 500, "{} cells", cells.len());
    let api = api();
    let mut answers = Vec::with_capacity(cells.len());
    for chunk in cells.chunks(AT_ONCE) {
        answers.extend(join_all(chunk.iter().map(|cell| ask(&api, cell))).await);
    }
    let mut wrong = Vec::new();
    for (cell, answer) in cells.iter().zip(&answers) {
        let expected = match cell.expected {
            Expected::NoRoute => 404,
            Expected::Denied => 401,
            Expected::Answered(status) => status,
        };
        if answer.status != expected {
            wrong.push(format!("{}: expected {expected}, got {}", cell.name, shape(answer)));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} cells: {:#?}",
        wrong.len(),
        cells.len(),
        &wrong[..wrong.len().min(10)]
    );
    for expected in [Expected::NoRoute, Expected::Denied] {
        let of_this = cells.iter().zip(&answers).filter(|(cell, _)| cell.expected == expected);
        // What the gateway refuses, and what the function refuses after it.
        let mut shapes: Vec<String> = of_this.map(|(_, answer)| shape(answer)).collect();
        shapes.sort();
        shapes.dedup();
        let most = if expected == Expected::Denied { 2 } else { 1 };
        assert!(shapes.len() <= most, "{shapes:#?}");
    }
    // Nothing of it changed anything.
    for user in users.iter().chain([&admin]) {
        assert!(stack.items_of("notification-preferences", user).await.is_empty());
        assert!(stack.items_of("consent-log", user).await.is_empty());
    }
}

#[tokio::test]
async fn a_role_opens_nobody_elses_preferences() {
    let stack = Stack::connect().await;
    let pool = UserPool::connect().await;
    let (user, admin) = (stack.unique("user"), stack.unique("admin"));
    let customer = Customer::log_in(&user).await;
    let tag = customer
        .ask("GET", "/notifications/preferences", &[], None)
        .await
        .headers["etag"]
        .to_str()
        .unwrap()
        .to_owned();
    assert_eq!(customer.change(&tag, &json!({"language": "ru"})).await.status, 200);
    let token = format!("Bearer {}", pool.log_in(&admin, "admin").await);
    for path in [
        "/notifications/preferences",
        &format!("/notifications/preferences?userId={user}"),
    ] {
        let answer = api().ask("GET", path, &[("authorization", &token)], "").await.unwrap();
        assert_eq!(json_of(&answer)["language"], json!("es"), "{path}");
    }
}
