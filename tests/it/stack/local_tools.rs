//! The sample events through `cargo lambda invoke`, against the functions' own binaries.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::{Child, Command};

use super::harness::{Stack, eventually};

/// cargo-lambda's runtime API, and a function that polls it.
struct LocalLambda {
    port: u16,
    log: PathBuf,
    _runtime: Child,
    _function: Child,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn cargo_lambda() -> PathBuf {
    root().join(".tools/venv/bin/cargo-lambda")
}

/// The folder in which the functions and tools of this build are.
pub(super) fn binaries() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).map(Path::to_path_buf).unwrap()
}

impl LocalLambda {
    async fn start(stack: &Stack, deployed_as: &str, binary: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let runtime = Command::new(cargo_lambda())
            .args([
                "lambda",
                "watch",
                "--only-lambda-apis",
                "--invoke-address",
                "127.0.0.1",
                "--invoke-port",
                &port.to_string(),
            ])
            .current_dir(root())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let what = format!("cargo-lambda on port {port}");
        eventually(&what, async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        let deployed = stack
            .lambda
            .get_function_configuration()
            .function_name(stack.name(deployed_as))
            .send()
            .await
            .unwrap();
        let variables = deployed
            .environment
            .and_then(|environment| environment.variables)
            .unwrap();
        let log = std::env::temp_dir().join(format!("{}.log", stack.unique(binary)));
        let function = Command::new(binaries().join(binary))
            .envs(variables)
            .env(
                "AWS_LAMBDA_RUNTIME_API",
                format!("http://127.0.0.1:{port}/.rt/{binary}"),
            )
            .env("AWS_LAMBDA_FUNCTION_NAME", binary)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            // The finest level, at which libraries would log whole events if they were let.
            .env("LOG_LEVEL", "trace")
            .stdout(std::fs::File::create(&log).unwrap())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            port,
            log,
            _runtime: runtime,
            _function: function,
        }
    }

    async fn invoke(&self, function: &str, file: &Path) -> Value {
        let output = Command::new(cargo_lambda())
            .args([
                "lambda",
                "invoke",
                function,
                "--invoke-address",
                "127.0.0.1",
                "--invoke-port",
                &self.port.to_string(),
                "--data-file",
            ])
            .arg(file)
            .current_dir(root())
            .output()
            .await
            .unwrap();
        assert!(
            output.status.success(),
            "{}: {}",
            file.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}: {}", file.display(), String::from_utf8_lossy(&output.stdout)))
    }
}

#[tokio::test]
async fn every_sample_event_passes_through_cargo_lambda_invoke() {
    let stack = Stack::connect().await;
    let local = LocalLambda::start(&stack, "notification-orchestrator", "notification-orchestrator").await;
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("events/notification-orchestrator"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() > 15);
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let answer = local.invoke("notification-orchestrator", &file).await;
        match name.as_str() {
            "sns.json" => assert_eq!(answer, Value::Null, "{name}"),
            name if name.starts_with("sqs-") => {
                assert_eq!(answer["batchItemFailures"], serde_json::json!([]), "{name}")
            }
            name => assert_eq!(answer["statusCode"], 200, "{name}: {answer}"),
        }
    }
    stack.drained().await;
}

#[tokio::test]
async fn the_email_senders_sample_event_passes_through_cargo_lambda_invoke() {
    let stack = Stack::connect().await;
    let local = LocalLambda::start(&stack, "email-notification", "email-sender").await;
    let answer = local
        .invoke(
            "email-sender",
            &root().join("events/email-sender/direct-invocation.json"),
        )
        .await;
    assert_eq!(answer["statusCode"], 200, "{answer}");
    stack.drained().await;
}

#[tokio::test]
async fn no_level_makes_a_library_log_an_event() {
    let stack = Stack::connect().await;
    let local = LocalLambda::start(&stack, "notification-orchestrator", "notification-orchestrator").await;
    let canary = stack.address("canary");
    let event = serde_json::json!({"userId": stack.unique("user"), "type": "order_confirmation", "recipientEmail": canary,
        "orderData": {"orderId": stack.unique("order")}});
    let file = local.log.with_extension("json");
    std::fs::write(&file, event.to_string()).unwrap();
    assert_eq!(
        local.invoke("notification-orchestrator", &file).await["statusCode"],
        200
    );
    let log = std::fs::read_to_string(&local.log).unwrap();
    assert!(log.contains("NotificationSent") && !log.contains(&canary), "{log}");
    stack.drained().await;
}
