//! Takes a request, applies the rule that fits, and forwards it.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::book::Book;
use crate::operation::Seen;
use crate::rule::Fault;
use crate::upstream::{Connection, Upstream, UpstreamError};
use crate::{answers, control_api};

/// Either the emulator's own answer, passed on as it comes, or one of ours.
type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// Serves connections for ever.
///
/// # Errors
///
/// When `listener` can accept no more connections.
pub async fn serve(listener: TcpListener, upstream: Upstream) -> io::Result<()> {
    let book = Arc::new(Book::default());
    loop {
        let (stream, _) = listener.accept().await?;
        // A small answer must not wait for the acknowledgement of the one before; a socket that refuses is merely slower.
        drop(stream.set_nodelay(true));
        tokio::spawn(serve_connection(stream, Arc::clone(&book), upstream.clone()));
    }
}

/// Why a caller gets no answer.
#[derive(Debug, Error)]
enum Silence {
    #[error("a rule asked for it")]
    Rule,
    #[error("could not read the request")]
    Request(#[source] hyper::Error),
    #[error("the answer was not finished")]
    Task(#[source] tokio::task::JoinError),
}

async fn serve_connection(stream: TcpStream, book: Arc<Book>, upstream: Upstream) {
    let connection = Arc::new(Mutex::new(Connection::to(upstream)));
    let service = service_fn(move |request: Request<Incoming>| {
        let (book, connection) = (Arc::clone(&book), Arc::clone(&connection));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(Silence::Request)?.to_bytes();
            let request = Request::from_parts(head, body);
            // A task of its own: a caller that gave up, or was killed, does not take back what it has sent.
            tokio::spawn(answer(request, book, connection))
                .await
                .map_err(Silence::Task)?
        }
    });
    // An error here is a caller that went away, or one that was to get no answer.
    let served = http1::Builder::new()
        .preserve_header_case(true)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    drop(served);
}

async fn answer(
    request: Request<Bytes>,
    book: Arc<Book>,
    connection: Arc<Mutex<Connection>>,
) -> Result<Answer, Silence> {
    if request.uri().path().starts_with(control_api::PREFIX) {
        return Ok(control_api::answer(&request, &book).map(Either::Right));
    }
    let (head, body) = request.into_parts();
    let seen = Seen::read(&head, &body);
    let (number, fault) = book.open(&seen, now_ms());

    let forward = async || {
        let request = Request::from_parts(head, Full::new(body));
        let mut connection = connection.lock().await;
        match connection.send(request).await {
            Ok(response) => {
                book.upstream_answered(number, response.status().as_u16());
                response.map(Either::Left)
            }
            Err(error) => unreachable(&error).map(Either::Right),
        }
    };
    let answer = match fault {
        None => forward().await,
        Some(Fault::Answer(error)) => answers::error(seen.protocol, &error).map(Either::Right),
        Some(Fault::AnswerAfter(error)) => {
            finish(forward().await).await;
            answers::error(seen.protocol, &error).map(Either::Right)
        }
        Some(Fault::AnswerWith { status, body }) => answers::made_up(seen.protocol, status, &body).map(Either::Right),
        Some(Fault::Drop) => return Err(Silence::Rule),
        Some(Fault::DropAfter) => {
            finish(forward().await).await;
            return Err(Silence::Rule);
        }
        Some(Fault::DelayMs(milliseconds)) => {
            sleep(Duration::from_millis(milliseconds)).await;
            forward().await
        }
        Some(Fault::DelayAfterMs(milliseconds)) => {
            let answer = forward().await;
            sleep(Duration::from_millis(milliseconds)).await;
            answer
        }
    };
    book.caller_was_told(number, answer.status().as_u16());
    Ok(answer)
}

/// Reads an answer that nobody will see to its end, so that the emulator is done with the request.
async fn finish(answer: Answer) {
    drop(answer.into_body().collect().await);
}

fn unreachable(error: &UpstreamError) -> Response<Full<Bytes>> {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    answers::plain(
        StatusCode::BAD_GATEWAY,
        "text/plain",
        format!("fault-proxy {error}{cause}\n"),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "it records when calls really happened; nothing is decided by it"
)]
fn now_ms() -> u64 {
    let since_1970 = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
