//! What happens to callers with a process of their own.
#![expect(clippy::unwrap_used, reason = "a caller that cannot be started is a failed test")]

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use fault_proxy::{Call, Fault, Rule};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, timeout};

use super::stage::{MESSAGE_ID, Stage, send_email, send_followed_email};

const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;

/// A function, as the emulator runs it: a program of its own that knows its name by a variable.
struct Function {
    child: Child,
    /// It goes on until this is closed.
    input: ChildStdin,
    shown: Lines<BufReader<ChildStdout>>,
}

impl Function {
    fn start(name: &str, stage: &Stage, request: &str) -> Self {
        Self::start_program(&program(), name, stage, request)
    }

    fn start_program(program: &Path, name: &str, stage: &Stage, request: &str) -> Self {
        let mut child = Command::new(program)
            .args([&stage.address, request])
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let shown = BufReader::new(child.stdout.take().unwrap()).lines();
        let input = child.stdin.take().unwrap();
        Self { child, input, shown }
    }

    /// The next line that it shows; none when it ended.
    async fn shows(&mut self) -> Option<String> {
        soon(self.shown.next_line()).await.unwrap()
    }

    /// How it ends.
    async fn ends(&mut self) -> ExitStatus {
        soon(self.child.wait()).await.unwrap()
    }

    /// Waits until it is stopped (proc_pid_stat(5)).
    async fn is_stopped(&self) {
        let state = || std::fs::read_to_string(format!("/proc/{}/stat", self.child.id().unwrap())).unwrap();
        while !state().contains(") T ") {
            tokio::task::yield_now().await;
        }
    }
}

/// The example that was built beside this test.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().with_file_name("examples").join("caller")
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(20), what).await.unwrap()
}

/// The only call of `SendEmail`, once the proxy has done what it says.
async fn call_with(stage: &Stage, deed: &str) -> Call {
    let done = async {
        loop {
            let calls = stage.control.calls("SendEmail", "").await.unwrap();
            if let [call] = calls.as_slice()
                && call.done_to_caller.as_deref() == Some(deed)
            {
                return call.clone();
            }
        }
    };
    soon(done).await
}

#[tokio::test]
async fn a_killed_caller_has_called_nobody() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Kill))
        .await
        .unwrap();
    let mut function = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    assert_eq!(function.ends().await.signal(), Some(SIGKILL));
    let call = call_with(&stage, "killed before the call").await;
    assert_eq!((call.status, call.upstream_status), (None, None));
    assert!(stage.received().is_empty());
}

#[tokio::test]
async fn a_caller_that_is_killed_after_acceptance_is_not_told() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::KillAfter))
        .await
        .unwrap();
    let mut function = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    assert_eq!(function.ends().await.signal(), Some(SIGKILL));
    assert_eq!(function.shows().await, None);
    let call = call_with(&stage, "killed before it was answered").await;
    assert_eq!((call.status, call.upstream_status), (None, Some(200)));
}

#[tokio::test]
async fn a_caller_that_is_killed_once_answered_was_answered() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::KillAnswered))
        .await
        .unwrap();
    let mut function = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    assert_eq!(function.ends().await.signal(), Some(SIGKILL));
    let call = call_with(&stage, "killed once it was answered").await;
    assert_eq!((call.status, call.upstream_status), (Some(200), Some(200)));
}

#[tokio::test]
async fn a_suspended_caller_stands_still_after_acceptance() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::SuspendMs(60_000)))
        .await
        .unwrap();
    let function = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    call_with(&stage, "suspended for 60000 ms").await;
    soon(function.is_stopped()).await;
    assert_eq!(stage.received().len(), 1);
}

#[tokio::test]
async fn a_suspended_caller_is_answered_later() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::SuspendMs(80)))
        .await
        .unwrap();
    let start = Instant::now();
    let mut function = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    assert_eq!(function.shows().await.as_deref(), Some("HTTP/1.1 200 OK"));
    assert!(start.elapsed() >= Duration::from_millis(80));
}

#[tokio::test]
async fn a_caller_without_further_memory_ends() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Exhaust))
        .await
        .unwrap();
    let mut function = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    assert_eq!(function.ends().await.signal(), Some(SIGABRT));
    let call = call_with(&stage, "left without further memory").await;
    assert_eq!((call.status, call.upstream_status), (Some(200), Some(200)));
}

#[tokio::test]
async fn a_caller_that_is_left_alone_goes_on() {
    let stage = Stage::set().await;
    let mut function = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    assert_eq!(function.shows().await.as_deref(), Some("HTTP/1.1 200 OK"));
    drop(function.input);
    assert!(soon(function.child.wait()).await.unwrap().success());
}

#[tokio::test]
async fn python_is_spared_and_told_so() {
    let stage = Stage::set().await;
    stage.control.add_rule(&Rule::on("*", Fault::KillAfter)).await.unwrap();
    // Another name for the same file.
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("python3.{}", std::process::id()));
    std::fs::hard_link(program(), &python).unwrap();
    let mut function = Function::start_program(&python, "emulator", &stage, &send_email("ana@example.com"));
    let shown = function.shows().await;
    std::fs::remove_file(&python).unwrap();
    assert_eq!(shown.as_deref(), Some("HTTP/1.1 501 Not Implemented"));
    assert!(stage.received().is_empty());
}

#[tokio::test]
async fn the_proxy_spares_itself() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Kill))
        .await
        .unwrap();
    let answer = stage.call(&send_email("ana@example.com")).await;
    assert!(
        answer.starts_with("HTTP/1.1 501 ") && answer.contains("is spared: it is the proxy itself"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_rule_is_for_one_function_only() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Kill).called_by("email-sender"))
        .await
        .unwrap();
    let mut texter = Function::start("e-com67-sms-sender", &stage, &send_email("ana@example.com"));
    assert_eq!(texter.shows().await.as_deref(), Some("HTTP/1.1 200 OK"));
    let mut emailer = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    assert_eq!(emailer.ends().await.signal(), Some(SIGKILL));
}

#[tokio::test]
async fn a_rule_is_for_a_later_call() {
    let stage = Stage::set().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::Kill).skipping(1))
        .await
        .unwrap();
    let mut first = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    assert_eq!(first.shows().await.as_deref(), Some("HTTP/1.1 200 OK"));
    let mut second = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    assert_eq!(second.ends().await.signal(), Some(SIGKILL));
}

#[tokio::test]
async fn a_call_remembers_the_function() {
    let stage = Stage::set().await;
    let mut function = Function::start("e-com67-email-sender", &stage, &send_email("ana@example.com"));
    function.shows().await;
    let calls = stage.control.calls("SendEmail", "").await.unwrap();
    assert_eq!(calls[0].caller.as_deref(), Some("e-com67-email-sender"));
}

#[tokio::test]
async fn an_email_of_a_caller_that_was_killed_has_its_message_id() {
    let stage = Stage::with_ses().await;
    stage
        .control
        .add_rule(&Rule::on("SendEmail", Fault::KillAfter))
        .await
        .unwrap();
    let mut function = Function::start("e-com67-email-sender", &stage, &send_followed_email("ana@example.com"));
    function.ends().await;
    let call = call_with(&stage, "killed before it was answered").await;
    assert_eq!(call.email.unwrap().message_id.as_deref(), Some(MESSAGE_ID));
}
