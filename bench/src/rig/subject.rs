//! What is measured: our two functions, and rivals that do the work of both.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::jobs::Job;
use super::process::{Core, Launch};
use super::server::Server;

/// How AWS is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Transport {
    /// HTTP.
    Plain,
    /// HTTPS.
    Tls,
}

impl Transport {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Tls => "tls",
        }
    }
}

/// One that is measured.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// What it does with a batch.
    pub job: Job,
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Where it is started.
    pub folder: PathBuf,
    /// Whether it is machine code of one thread: pinned to a core, its instructions counted.
    pub is_native: bool,
    /// What is deployed, where that can be weighed.
    pub deployed: Option<PathBuf>,
    /// What it is made of.
    pub versions: Vec<String>,
}

/// `bench/rivals/NAME/subject.json`
#[derive(Debug, Deserialize)]
struct Rival {
    name: String,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    versions_command: Vec<String>,
    #[serde(default)]
    install: Vec<String>,
    command: Vec<String>,
    #[serde(default)]
    job: Job,
    #[serde(default)]
    native: bool,
    #[serde(default)]
    size_of: Option<String>,
}

/// Tables by the variables that name them, with their keys.
pub const TABLES: [(&str, &str, &[&str]); 7] = [
    ("PREFERENCES_TABLE", "bench-preferences", &["userId"]),
    ("SUPPRESSIONS_TABLE", "bench-suppressions", &["contact"]),
    ("LEDGER_TABLE", "bench-ledger", &["notificationId"]),
    ("SYSTEM_STATE_TABLE", "bench-system-state", &["name"]),
    ("TEMPLATES_TABLE", "bench-templates", &["template", "version"]),
    ("DEFERRED_DELIVERIES_TABLE", "bench-deferred", &["shard", "wake"]),
    ("IDEMPOTENCY_TABLE", "bench-idempotency", &["id"]),
];

/// Queues by the variables that name them.
const QUEUES: [(&str, &str); 9] = [
    ("NOTIFICATIONS_QUEUE_URL", "bench-notifications"),
    ("NOTIFICATIONS_URGENT_QUEUE_URL", "bench-notifications-urgent"),
    ("EMAIL_QUEUE_URL", "bench-email"),
    ("EMAIL_URGENT_QUEUE_URL", "bench-email-urgent"),
    ("SMS_QUEUE_URL", "bench-sms"),
    ("SMS_URGENT_QUEUE_URL", "bench-sms-urgent"),
    ("IN_APP_QUEUE_URL", "bench-in-app"),
    ("IN_APP_URGENT_QUEUE_URL", "bench-in-app-urgent"),
    ("ACCOUNT_TROUBLE_QUEUE_URL", "bench-account-trouble"),
];

/// Everything else that a function is told. The keys are no secrets: nothing is signed with them that anybody trusts.
const SETTINGS: [(&str, &str); 27] = [
    ("AWS_REGION", "eu-west-1"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ("AWS_SESSION_TOKEN", SESSION_TOKEN),
    ("AWS_LAMBDA_FUNCTION_NAME", "bench"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/11/02/[$LATEST]0123456789abcdef"),
    ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
    ("LANG", "C.UTF-8"),
    ("TZ", ":UTC"),
    ("_HANDLER", "handler.handler"),
    ("CONTACT_HASH_KEY", "0123456789abcdef0123456789abcdef"),
    ("LINK_KEYS", "0123456789abcdefghijklmnopqrstuv"),
    ("PUBLIC_URL", "https://shop.example.com"),
    ("SENDER_EMAIL", "orders@example.com"),
    ("SENDER_NAME", "E-Com67 Platform"),
    ("SUPPORT_EMAIL", "help@example.com"),
    ("SHOP_NAME", "E-Com67"),
    ("CONFIGURATION_SET", "bench"),
    ("DEFAULT_LANGUAGE", "es"),
    ("DEFAULT_TIME_ZONE", "Europe/Madrid"),
    ("DEFAULT_CURRENCY", "EUR"),
    ("DEFAULT_QUIET_HOURS", "22:00-08:00"),
];

/// As long as those that Lambda gives, because it goes out with every request.
const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE\
EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE\
EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE\
EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE\
EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE\
EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE";

impl Subject {
    /// One of our functions.
    #[must_use]
    pub fn ours(name: &str, job: Job, binary: &Path) -> Self {
        Self {
            name: name.to_owned(),
            job,
            command: vec![binary.as_os_str().to_owned()],
            folder: PathBuf::from("/"),
            is_native: true,
            deployed: Some(binary.to_owned()),
            versions: Vec::new(),
        }
    }

    /// The rival in this folder, installed where that is to be done.
    ///
    /// # Errors
    ///
    /// When its `subject.json` cannot be read, or it cannot be installed.
    pub fn rival(folder: &Path) -> Result<Self> {
        let folder = folder
            .canonicalize()
            .with_context(|| format!("find {}", folder.display()))?;
        let path = folder.join("subject.json");
        let text = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
        let rival: Rival = serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))?;
        // bench/rivals/NAME
        let root = folder.ancestors().nth(3).context("find the repository")?;
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
        let placed = |text: &String| {
            text.replace("{dir}", &folder.display().to_string())
                .replace("{root}", &root.display().to_string())
                .replace("{target}", &target.display().to_string())
        };
        let run = |command: &[String]| {
            let mut words = command.iter().map(placed);
            let program = words.next().context("there is nothing to run")?;
            let program = if program.starts_with("./") {
                folder.join(program)
            } else {
                PathBuf::from(program)
            };
            std::process::Command::new(&program)
                .args(words)
                .current_dir(&folder)
                .stderr(std::process::Stdio::inherit())
                .output()
                .with_context(|| format!("run {}", program.display()))
        };
        if !rival.install.is_empty() {
            let output = run(&rival.install)?;
            anyhow::ensure!(
                output.status.success(),
                "{} cannot be installed: {}",
                rival.name,
                String::from_utf8_lossy(&output.stdout)
            );
        }
        let mut versions = rival.versions;
        if !rival.versions_command.is_empty() {
            let output = run(&rival.versions_command)?;
            versions.extend(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned));
        }
        let command = rival.command.iter().map(placed).map(|word| {
            if word.starts_with("./") {
                folder.join(word).into_os_string()
            } else {
                OsString::from(word)
            }
        });
        Ok(Self {
            name: rival.name,
            job: rival.job,
            command: command.collect(),
            is_native: rival.native,
            deployed: rival.size_of.as_ref().map(|size_of| folder.join(placed(size_of))),
            versions,
            folder,
        })
    }

    /// How it is started.
    #[must_use]
    pub fn launch(&self, server: &Server, transport: Transport, work: &Path) -> Launch {
        let endpoint = match transport {
            Transport::Plain => format!("http://{}", server.plain),
            Transport::Tls => format!("https://{}", server.tls),
        };
        let mut variables: BTreeMap<String, String> = SETTINGS
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        variables.extend(
            TABLES
                .iter()
                .map(|(variable, table, _)| ((*variable).to_owned(), (*table).to_owned())),
        );
        variables.extend(
            QUEUES
                .iter()
                .map(|(variable, queue)| ((*variable).to_owned(), format!("{endpoint}/000000000000/{queue}"))),
        );
        let certificate = server.certificate.display().to_string();
        if transport == Transport::Tls {
            for variable in ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
                variables.insert(variable.to_owned(), certificate.clone());
            }
        }
        variables.insert("LAMBDA_TASK_ROOT".to_owned(), self.folder.display().to_string());
        variables.insert("AWS_ENDPOINT_URL".to_owned(), endpoint);
        Launch {
            command: self.command.clone(),
            variables,
            core: if self.is_native { Core::Subject } else { Core::Any },
            folder: self.folder.clone(),
            log: work.join(format!("{}.log", self.name.replace(['/', ' '], "-"))),
        }
    }
}
