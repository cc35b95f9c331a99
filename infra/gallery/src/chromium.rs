//! A headless Chromium with one page, spoken to in the DevTools protocol (<https://chromedevtools.github.io/devtools-protocol/>) over
//! a pair of pipes.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, geteuid, kill_process_group};
use serde_json::{Value, json};

/// Where Chromium is looked for, in this order.
const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// What hinders reading a page in a window of some width, as a JavaScript function `(width, language)` of a list of sentences.
pub const CHECKS: &str = include_str!("checks.js");

/// Longer than this no answer takes, be the machine ever so busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Chromium reads commands from descriptor 3 and answers on 4, which only a shell can give a child without unsafe code.
const START: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

/// The browser, with an empty page. It ends when this is dropped.
#[derive(Debug)]
pub struct Chromium {
    child: Child,
    commands: ChildStdin,
    answers: Receiver<Value>,
    profile: PathBuf,
    last_id: u64,
    session: Option<String>,
    /// The document that has come completely.
    loaded: Option<String>,
}

impl Chromium {
    /// The program, if there is one: the one that is named, else that of the PATH.
    ///
    /// # Errors
    ///
    /// When one is named that is not there.
    pub fn find(named: Option<&Path>) -> Result<Option<PathBuf>> {
        match named {
            Some(named) if named.components().count() == 1 => match on_path(named) {
                Some(found) => Ok(Some(found)),
                None => bail!("there is no {} on the PATH", named.display()),
            },
            Some(named) if named.is_file() => Ok(Some(named.to_owned())),
            Some(named) => bail!("there is no {}", named.display()),
            None => Ok(PROGRAMS.iter().find_map(|program| on_path(Path::new(program)))),
        }
    }

    /// Starts the browser with a profile of its own, in a folder that is removed afterwards.
    ///
    /// # Errors
    ///
    /// When the browser does not do it.
    pub fn start(program: &Path, profile: PathBuf) -> Result<Self> {
        if profile.exists() {
            fs::remove_dir_all(&profile).with_context(|| format!("could not remove {}", profile.display()))?;
        }
        fs::create_dir_all(&profile).with_context(|| format!("could not create {}", profile.display()))?;
        let log = File::create(profile.join("log")).context("could not create Chromium's log")?;
        let mut command = Command::new("sh");
        command.args(["-c", START]).arg(program).args([
            "--headless=new",
            "--remote-debugging-pipe",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-extensions",
            "--disable-gpu",
            "--disable-sync",
            "--force-color-profile=srgb",
            "--hide-scrollbars",
            // A picture must not depend on what some server answers that is not ours.
            "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--password-store=basic",
        ]);
        if geteuid().is_root() {
            // Chromium refuses to make a sandbox as root.
            command.arg("--no-sandbox");
        }
        let mut user_data = std::ffi::OsString::from("--user-data-dir=");
        user_data.push(&profile);
        let mut child = command
            .arg(user_data)
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("could not start {}", program.display()))?;
        let (Some(commands), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("{} has no pipes", program.display());
        };
        let mut chromium = Self {
            child,
            commands,
            answers: read(BufReader::new(answers)),
            profile,
            last_id: 0,
            session: None,
            loaded: None,
        };
        chromium
            .open_page()
            .with_context(|| format!("could not use {}", program.display()))?;
        Ok(chromium)
    }

    fn open_page(&mut self) -> Result<()> {
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}))?;
        let session = self.call(
            "Target.attachToTarget",
            json!({"targetId": text_of(&target, "targetId")?, "flatten": true}),
        )?;
        self.session = Some(text_of(&session, "sessionId")?);
        self.call("Page.enable", json!({}))?;
        self.call("Page.setLifecycleEventsEnabled", json!({"enabled": true}))?;
        Ok(())
    }

    /// Opens a file and waits until all of it is there.
    ///
    /// # Errors
    ///
    /// When it cannot be opened.
    pub fn open(&mut self, file: &Path) -> Result<()> {
        self.visit(&address(file))
    }

    /// Opens an address and waits until all of it is there.
    ///
    /// # Errors
    ///
    /// When nothing answers there.
    pub fn visit(&mut self, address: &str) -> Result<()> {
        let answer = self.call("Page.navigate", json!({"url": address}))?;
        if let Some(problem) = answer.get("errorText").and_then(Value::as_str) {
            bail!("could not open {address}: {problem}");
        }
        let document = text_of(&answer, "loaderId")?;
        let until = Instant::now() + PATIENCE;
        while self.loaded.as_ref() != Some(&document) {
            self.next(until)?;
        }
        Ok(())
    }

    /// Does what leads to another page, such as pressing a button, and waits until all of that is there.
    ///
    /// # Errors
    ///
    /// When the expression fails, or leads nowhere.
    pub fn follow(&mut self, expression: &str) -> Result<()> {
        self.loaded = None;
        self.evaluate(expression)?;
        let until = Instant::now() + PATIENCE;
        while self.loaded.is_none() {
            self.next(until)?;
        }
        Ok(())
    }

    /// Makes the window so wide, in CSS pixels, and so many dots per pixel. It is low, because a picture is as high as the window at least.
    ///
    /// # Errors
    ///
    /// When the browser does not do it.
    pub fn resize(&mut self, width: u32, scale: u8) -> Result<()> {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            json!({"width": width, "height": 100, "deviceScaleFactor": scale, "mobile": false}),
        )?;
        Ok(())
    }

    /// Chooses between dark and light mode.
    ///
    /// # Errors
    ///
    /// When the browser does not do it.
    pub fn darken(&mut self, is_dark: bool) -> Result<()> {
        let scheme = if is_dark { "dark" } else { "light" };
        self.call(
            "Emulation.setEmulatedMedia",
            json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]}),
        )?;
        Ok(())
    }

    /// What a JavaScript expression is worth on the page; of a promise, what it holds.
    ///
    /// # Errors
    ///
    /// When the browser does not do it.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let mut answer = self.call(
            "Runtime.evaluate",
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true}),
        )?;
        if let Some(problem) = answer.get("exceptionDetails") {
            bail!("the page answers {problem}");
        }
        Ok(answer.pointer_mut("/result/value").map(Value::take).unwrap_or_default())
    }

    /// A PNG of the whole page, however long it is.
    ///
    /// # Errors
    ///
    /// When the browser does not do it.
    pub fn picture(&mut self) -> Result<Vec<u8>> {
        let layout = self.call("Page.getLayoutMetrics", json!({}))?;
        let size = |side: &str| {
            layout
                .pointer(&format!("/cssContentSize/{side}"))
                .and_then(Value::as_f64)
        };
        let (Some(width), Some(height)) = (size("width"), size("height")) else {
            bail!("Chromium does not say how large the page is");
        };
        let answer = self.call(
            "Page.captureScreenshot",
            json!({"format": "png", "captureBeyondViewport": true,
                "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}}),
        )?;
        Ok(STANDARD.decode(text_of(&answer, "data")?)?)
    }

    fn call(&mut self, method: &str, parameters: Value) -> Result<Value> {
        self.last_id += 1;
        let id = self.last_id;
        let mut command = json!({"id": id, "method": method, "params": parameters});
        if let (Some(session), Some(fields)) = (&self.session, command.as_object_mut()) {
            fields.insert("sessionId".to_owned(), json!(session));
        }
        let mut bytes = serde_json::to_vec(&command)?;
        bytes.push(0);
        if let Err(error) = self.commands.write_all(&bytes) {
            return Err(anyhow!(error).context(self.last_words()));
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let Some(mut answer) = self.next(until).with_context(|| format!("no answer to {method}"))? else {
                continue;
            };
            if answer.get("id").and_then(Value::as_u64) == Some(id) {
                if let Some(problem) = answer.get("error") {
                    bail!("Chromium refuses {method}: {problem}");
                }
                return Ok(answer.get_mut("result").map(Value::take).unwrap_or_default());
            }
        }
    }

    /// The next answer; none when it was an event.
    fn next(&mut self, until: Instant) -> Result<Option<Value>> {
        let patience = until.saturating_duration_since(Instant::now());
        match self.answers.recv_timeout(patience) {
            Ok(message) if is(&message, "/method", "Page.lifecycleEvent") => {
                if is(&message, "/params/name", "load") {
                    self.loaded = message
                        .pointer("/params/loaderId")
                        .and_then(Value::as_str)
                        .map(str::to_owned);
                }
                Ok(None)
            }
            Ok(message) => Ok(message.get("id").is_some().then_some(message)),
            Err(RecvTimeoutError::Timeout) => bail!("Chromium said nothing for {} s", PATIENCE.as_secs()),
            Err(RecvTimeoutError::Disconnected) => Err(anyhow!(self.last_words())),
        }
    }

    /// Why it ended, as far as it says so.
    fn last_words(&self) -> String {
        let log = fs::read(self.profile.join("log")).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log
            .lines()
            .rev()
            .filter(|line| !line.trim().is_empty())
            .take(3)
            .collect();
        if lines.is_empty() {
            "Chromium has ended".to_owned()
        } else {
            format!("Chromium has ended; it last said: {}", lines.join(" / "))
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
            && let Err(error) = kill_process_group(group, Signal::KILL)
        {
            eprintln!("gallery: could not end Chromium: {error}");
        }
        if let Err(error) = self.child.wait() {
            eprintln!("gallery: could not wait for Chromium: {error}");
        }
        if let Err(error) = fs::remove_dir_all(&self.profile) {
            eprintln!("gallery: could not remove {}: {error}", self.profile.display());
        }
    }
}

fn on_path(program: &Path) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// What comes out of the pipe, message by message, until it is closed.
fn read(mut pipe: impl BufRead + Send + 'static) -> Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        while pipe.read_until(0, &mut bytes).is_ok_and(|read| read > 0) {
            let end = bytes.len().saturating_sub(1);
            let message = bytes
                .get(..end)
                .and_then(|message| serde_json::from_slice(message).ok());
            if message.is_none_or(|message| sender.send(message).is_err()) {
                break;
            }
            bytes.clear();
        }
    });
    receiver
}

fn text_of(answer: &Value, field: &str) -> Result<String> {
    let text = answer.get(field).and_then(Value::as_str);
    text.map(str::to_owned)
        .with_context(|| format!("Chromium's answer has no {field}"))
}

fn is(message: &Value, field: &str, text: &str) -> bool {
    message.pointer(field).and_then(Value::as_str) == Some(text)
}

/// The address of a file, with everything escaped that an address cannot have as it is.
fn address(file: &Path) -> String {
    let mut address = "file://".to_owned();
    for byte in file.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => {
                address.push(char::from(*byte))
            }
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn messages_are_parted_at_zeros() {
        let received: Vec<Value> = read(Cursor::new(b"{\"id\":1}\0{\"id\":2}\0".to_vec())).iter().collect();
        assert_eq!(received, [json!({"id": 1}), json!({"id": 2})]);
    }

    #[test]
    fn an_address_escapes_what_a_folder_may_be_called() {
        assert_eq!(
            address(Path::new("/tmp/a b#ñ/x.html")),
            "file:///tmp/a%20b%23%C3%B1/x.html"
        );
    }
}
