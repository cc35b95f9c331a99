//! Lambda's Runtime API, for one process: hands it invocations and takes its answers.
//!
//! The API as AWS documents it: "Using the Lambda runtime API for custom runtimes" in the Lambda Developer Guide.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

use super::http::{Answer, Request, Response};
use super::wall_clock_ms;

/// The function may work on an invocation for so long: long enough for an instruction counter, which is fifty times slower.
const DEADLINE: Duration = Duration::from_secs(900);

/// One invocation to come.
#[derive(Debug)]
pub struct Invocation {
    /// Its payload.
    pub payload: Vec<u8>,
    /// When it arrives; none is there already.
    pub due: Option<Instant>,
}

/// How an invocation went.
#[derive(Debug, Clone)]
pub struct Finished {
    /// When it should have begun: when it arrived, or when it was handed over if it was there already.
    pub due: Instant,
    /// When the answer had come.
    pub at: Instant,
    /// The answer.
    pub answer: Vec<u8>,
    /// Whether the answer is an error.
    pub is_error: bool,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Invocation>,
    running: Option<(u64, Instant)>,
    finished: Vec<Finished>,
    first_poll: Option<Instant>,
    init_error: Option<String>,
    invocations: u64,
    /// The process asks and there is nothing to do.
    is_idle: bool,
}

/// The Runtime API of one process.
#[derive(Debug, Clone, Default)]
pub struct RuntimeApi {
    state: Arc<(Mutex<State>, Condvar)>,
    arrived: Arc<Notify>,
}

impl RuntimeApi {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this holds; false when it does not within the time.
    fn wait_until(&self, limit: Duration, holds: impl Fn(&State) -> bool) -> bool {
        let (_state, timed_out) = self
            .state
            .1
            .wait_timeout_while(self.state(), limit, |state| !holds(state))
            .unwrap_or_else(PoisonError::into_inner);
        !timed_out.timed_out()
    }

    /// Waits for the first question for work, and says when it came; none within the time, or after an error.
    #[must_use]
    pub fn first_poll(&self, limit: Duration) -> Option<Instant> {
        self.wait_until(limit, |state| state.first_poll.is_some() || state.init_error.is_some());
        self.state().first_poll
    }

    /// What the function said of why it cannot start.
    #[must_use]
    pub fn init_error(&self) -> Option<String> {
        self.state().init_error.clone()
    }

    /// Hands these over and waits until the function has finished them all and asks for more: how they went. Fewer than were
    /// handed over, when they are not finished within the time or the function has gone.
    #[must_use]
    pub fn run(&self, invocations: Vec<Invocation>, limit: Duration, is_there: impl Fn() -> bool) -> Vec<Finished> {
        let expected = invocations.len();
        {
            let mut state = self.state();
            state.finished = Vec::with_capacity(expected);
            state.waiting.extend(invocations);
            state.is_idle = false;
        }
        self.arrived.notify_one();
        let until = Instant::now() + limit;
        let is_done = |state: &State| state.finished.len() >= expected && state.is_idle;
        while !self.wait_until(Duration::from_secs(1), is_done) && Instant::now() < until && is_there() {}
        std::mem::take(&mut self.state().finished)
    }

    async fn next(&self) -> Response {
        loop {
            let due = {
                let mut state = self.state();
                if state.first_poll.is_none() {
                    state.first_poll = Some(Instant::now());
                    self.state.1.notify_all();
                }
                match state.waiting.front() {
                    None => {
                        state.is_idle = true;
                        self.state.1.notify_all();
                        None
                    }
                    Some(invocation) => {
                        let due = invocation.due;
                        if due.is_none_or(|due| due <= Instant::now())
                            && let Some(invocation) = state.waiting.pop_front()
                        {
                            return state.hand_over(invocation);
                        }
                        due
                    }
                }
            };
            match due {
                None => self.arrived.notified().await,
                // The timer is coarse: the last two milliseconds are waited for by looking at the clock.
                Some(due) => match due.checked_duration_since(Instant::now() + Duration::from_millis(2)) {
                    Some(time) => tokio::time::sleep(time).await,
                    None => tokio::task::yield_now().await,
                },
            }
        }
    }

    fn take_answer(&self, id: &str, answer: &[u8], is_error: bool) -> Response {
        let mut state = self.state();
        let at = Instant::now();
        match state.running.take() {
            Some((running, due)) if request_id(running) == id => {
                state.finished.push(Finished {
                    due,
                    at,
                    answer: answer.to_vec(),
                    is_error,
                });
                Response::json(202, br#"{"status":"OK"}"#.to_vec())
            }
            other => {
                state.running = other;
                Response::json(400, br#"{"errorType":"InvalidRequestID"}"#.to_vec())
            }
        }
    }
}

fn request_id(number: u64) -> String {
    format!("8476a536-e9f4-11e8-9739-{number:012x}")
}

impl State {
    fn hand_over(&mut self, invocation: Invocation) -> Response {
        self.invocations += 1;
        let number = self.invocations;
        self.running = Some((number, invocation.due.unwrap_or_else(Instant::now)));
        let deadline = wall_clock_ms().saturating_add(i64::try_from(DEADLINE.as_millis()).unwrap_or(0));
        Response {
            headers: format!(
                "Lambda-Runtime-Aws-Request-Id: {}\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n\
                 Lambda-Runtime-Trace-Id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0\r\n\
                 Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:000000000000:function:bench\r\n",
                request_id(number)
            ),
            ..Response::json(200, invocation.payload)
        }
    }
}

impl Answer for RuntimeApi {
    async fn answer(&self, request: Request<'_>) -> Response {
        let path = request.path.strip_prefix("/2018-06-01/runtime/").unwrap_or_default();
        match path.split('/').collect::<Vec<_>>().as_slice() {
            ["invocation", "next"] => self.next().await,
            ["invocation", id, "response"] => self.take_answer(id, request.body, false),
            ["invocation", id, "error"] => self.take_answer(id, request.body, true),
            ["init", "error"] => {
                self.state().init_error = Some(String::from_utf8_lossy(request.body).into_owned());
                self.state.1.notify_all();
                Response::json(202, br#"{"status":"OK"}"#.to_vec())
            }
            _ => Response::json(404, b"{}".to_vec()),
        }
    }
}
