//! Takes a request, applies the rule that fits, and forwards it.

use std::error::Error;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderValue, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::time::sleep;

use crate::access::Signed;
use crate::book::{Book, CallNumber};
use crate::caller::Caller;
use crate::operation::Seen;
use crate::process::{ProcessError, Victim};
use crate::publisher::{Keys, Publisher};
use crate::rule::Fault;
use crate::topic::TopicArn;
use crate::upstream::{Connection, Upstream, UpstreamError};
use crate::{answers, control_api};

/// More than a function has free of the memory that it was ever given: 64 MiB.
const BLANKS: usize = 64 * 1024 * 1024;

/// Either the emulator's own answer, passed on as it comes, or one of ours.
type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// What a proxy needs to know beyond where it is and whom it serves.
#[derive(Clone, Default)]
pub struct Settings {
    /// The topic for events of SES, until a test names another. Absent: none are published.
    pub events_topic: Option<TopicArn>,
    /// The keys with which it signs what it publishes.
    pub keys: Keys,
}

/// Serves connections for ever, with the usual settings.
///
/// # Errors
///
/// When `listener` can accept no more connections.
pub async fn serve(listener: TcpListener, upstream: Upstream) -> io::Result<()> {
    serve_with(listener, upstream, Settings::default()).await
}

/// Serves connections for ever.
///
/// # Errors
///
/// When `listener` can accept no more connections.
pub async fn serve_with(listener: TcpListener, upstream: Upstream, settings: Settings) -> io::Result<()> {
    let Settings { events_topic, keys } = settings;
    let book = Arc::new(Book::default());
    let publisher = Publisher::new(Arc::clone(&book), upstream.clone(), keys, events_topic);
    let publisher = Arc::new(publisher);
    loop {
        let (stream, peer) = listener.accept().await?;
        // A small answer must not wait for the acknowledgement of the one before; a socket that refuses is merely slower.
        drop(stream.set_nodelay(true));
        // A connection that is over already has nobody to find.
        let here = stream.local_addr().unwrap_or(peer);
        let line = Line {
            book: Arc::clone(&book),
            publisher: Arc::clone(&publisher),
            upstream: Mutex::new(Connection::to(upstream.clone())),
            caller: Caller::between(peer, here),
            doomed: OnceLock::new(),
        };
        tokio::spawn(line.serve(stream));
    }
}

/// One caller's connection, and the one on which its requests are forwarded.
struct Line {
    book: Arc<Book>,
    publisher: Arc<Publisher>,
    upstream: Mutex<Connection>,
    caller: Caller,
    /// Who is killed when its last answer is written.
    doomed: OnceLock<(CallNumber, Victim)>,
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

/// Why a caller does not get the emulator's answer.
enum Ending {
    /// It gets none.
    Silence,
    /// Nothing could be done to its process.
    Spared(Arc<ProcessError>),
}

impl Line {
    async fn serve(self, stream: TcpStream) {
        let line = Arc::new(self);
        let service = service_fn(|request: Request<Incoming>| {
            let line = Arc::clone(&line);
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.map_err(Silence::Request)?.to_bytes();
                let request = Request::from_parts(head, body);
                // A task of its own: a caller that gave up, or was killed, does not take back what it has sent.
                tokio::spawn(line.answer(request)).await.map_err(Silence::Task)?
            }
        });
        // An error here is a caller that went away, or one that was to get no answer.
        let served = http1::Builder::new()
            .preserve_header_case(true)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        drop(served);
        if let Some((number, victim)) = line.doomed.get() {
            let deed = match victim.kill() {
                Ok(()) => "killed once it was answered".to_owned(),
                Err(error) => error.sentence(),
            };
            line.book.did_to_caller(*number, deed);
        }
    }

    async fn answer(self: Arc<Self>, request: Request<Bytes>) -> Result<Answer, Silence> {
        if request.uri().path().starts_with(control_api::PREFIX) {
            let answer = control_api::answer(&request, &self.book, &self.publisher).await;
            return Ok(answer.map(Either::Right));
        }
        let (head, body) = request.into_parts();
        let seen = Seen::read(&head, &body);
        let signed = Signed::read(&head, &seen);
        let caller = if self.book.asks_who_calls(&seen) {
            self.caller.name().await
        } else {
            None
        };
        let (number, fault) = self.book.open(&seen, now_ms(), caller);

        // Whoever is killed cannot be found any more, and a search beside the call does not make the call wait.
        let searched = tokio::spawn(Arc::clone(&self).note_caller(number));
        let request = Request::from_parts(head, Full::new(body));
        let applied = self.apply(fault, number, &seen, request).await;
        // Without it the name is missing, and nothing else.
        drop(searched.await);
        if let Some(signed) = signed {
            self.book.exercise(signed, self.caller.name().await);
        }
        let answer = match applied {
            Ok(answer) => answer,
            Err(Ending::Silence) => return Err(Silence::Rule),
            Err(Ending::Spared(error)) => {
                self.book.did_to_caller(number, error.sentence());
                spared(&error).map(Either::Right)
            }
        };
        self.book.caller_was_told(number, answer.status().as_u16());
        Ok(answer)
    }

    async fn note_caller(self: Arc<Self>, number: CallNumber) {
        if let Some(name) = self.caller.name().await {
            self.book.was_called_by(number, name);
        }
    }

    async fn apply(
        &self,
        fault: Option<Fault>,
        number: CallNumber,
        seen: &Seen,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, Ending> {
        let forward = || self.forward(number, seen, request);
        let did = |deed: String| self.book.did_to_caller(number, deed);
        let answer = match fault {
            None => forward().await,
            Some(Fault::Answer(error)) => answers::error(seen.protocol, &error).map(Either::Right),
            Some(Fault::AnswerAfter(error)) => {
                finish(forward().await).await;
                answers::error(seen.protocol, &error).map(Either::Right)
            }
            Some(Fault::AnswerWith { status, body }) => {
                answers::made_up(seen.protocol, status, &body).map(Either::Right)
            }
            Some(Fault::Drop) => return Err(Ending::Silence),
            Some(Fault::DropAfter) => {
                finish(forward().await).await;
                return Err(Ending::Silence);
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
            Some(Fault::Kill) => {
                self.caller.victim().await?.kill()?;
                did("killed before the call".to_owned());
                return Err(Ending::Silence);
            }
            Some(Fault::KillAfter) => {
                let victim = self.caller.victim().await?;
                finish(forward().await).await;
                victim.kill()?;
                did("killed before it was answered".to_owned());
                return Err(Ending::Silence);
            }
            Some(Fault::KillAnswered) => {
                let victim = self.caller.victim().await?;
                let mut answer = forward().await;
                // It ends the connection after this answer, and the end of the connection is when the answer is written.
                answer
                    .headers_mut()
                    .insert(CONNECTION, HeaderValue::from_static("close"));
                // Another doomed call on the same connection dooms the same caller.
                self.doomed.get_or_init(|| (number, victim));
                answer
            }
            Some(Fault::SuspendMs(milliseconds)) => {
                let victim = self.caller.victim().await?;
                let answer = forward().await;
                let _resumed_when_dropped = victim.suspend()?;
                did(format!("suspended for {milliseconds} ms"));
                sleep(Duration::from_millis(milliseconds)).await;
                answer
            }
            Some(Fault::Exhaust) => {
                self.caller.victim().await?.exhaust()?;
                did("left without further memory".to_owned());
                too_large(forward().await).await?
            }
        };
        Ok(answer)
    }

    async fn forward(&self, number: CallNumber, seen: &Seen, request: Request<Full<Bytes>>) -> Answer {
        let mut upstream = self.upstream.lock().await;
        let response = match upstream.send(request).await {
            Ok(response) => response,
            Err(error) => return unreachable(&error).map(Either::Right),
        };
        self.book.upstream_answered(number, response.status().as_u16());
        if seen.operation != "SendEmail" || !response.status().is_success() {
            return response.map(Either::Left);
        }
        let (head, body) = response.into_parts();
        match body.collect().await {
            Ok(body) => {
                let body = body.to_bytes();
                self.email_was_accepted(number, &body);
                Response::from_parts(head, Either::Right(Full::new(body)))
            }
            Err(cause) => unreachable(&upstream.exchange(cause)).map(Either::Right),
        }
    }

    fn email_was_accepted(&self, number: CallNumber, answer: &[u8]) {
        let accepted = message_id(answer).and_then(|id| self.book.email_accepted(number, &id));
        if let Some(accepted) = accepted {
            self.publisher.announce(&accepted);
        }
    }
}

impl From<ProcessError> for Ending {
    fn from(error: ProcessError) -> Self {
        Self::Spared(Arc::new(error))
    }
}

impl From<Arc<ProcessError>> for Ending {
    fn from(error: Arc<ProcessError>) -> Self {
        Self::Spared(error)
    }
}

/// The id in the answer to `SendEmail`.
fn message_id(answer: &[u8]) -> Option<String> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    answer.get("MessageId")?.as_str().map(str::to_owned)
}

/// Reads an answer that nobody will see to its end, so that the emulator is done with the request.
async fn finish(answer: Answer) {
    drop(answer.into_body().collect().await);
}

/// The answer, with so many blanks behind it that it fits into no memory that a caller may have left. JSON and XML allow them.
async fn too_large(answer: Answer) -> Result<Answer, Ending> {
    let (mut head, body) = answer.into_parts();
    let body = body.collect().await.map_err(|_broken| Ending::Silence)?.to_bytes();
    let mut padded = body.to_vec();
    padded.resize(body.len() + BLANKS, b' ');
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove(TRANSFER_ENCODING);
    Ok(Response::from_parts(head, Either::Right(Full::from(padded))))
}

fn unreachable(error: &UpstreamError) -> Response<Full<Bytes>> {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    answers::plain(
        StatusCode::BAD_GATEWAY,
        "text/plain",
        format!("fault-proxy {error}{cause}\n"),
    )
}

fn spared(error: &ProcessError) -> Response<Full<Bytes>> {
    answers::plain(
        StatusCode::NOT_IMPLEMENTED,
        "text/plain",
        format!("fault-proxy does nothing to the caller: {}\n", error.sentence()),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "it records when calls really happened; nothing is decided by it"
)]
pub(crate) fn now_ms() -> u64 {
    let since_1970 = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
