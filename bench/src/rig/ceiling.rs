//! The most that the rig itself can answer: what comes near it measures the rig.

use anyhow::{Context, Result, bail};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::process::{Core, pin};
use super::server::Server;
use super::subject::Transport;

/// How many connections ask at once: enough that the rig never waits for its caller.
const CONNECTIONS: usize = 16;

/// The length of an e-mail's body: HTML and text of a confirmation.
const EMAIL_BYTES: usize = 17_000;

/// Requests per second of one kind that the rig answers to a caller of its own, on another core.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ceiling {
    /// What is asked.
    pub request: String,
    /// Without TLS.
    pub plain: f64,
    /// With TLS.
    pub tls: f64,
    /// The rig's CPU time for one, without TLS, microseconds: what it could answer with its core for itself.
    pub plain_cpu_us: f64,
    /// The same with TLS.
    pub tls_cpu_us: f64,
}

/// Measures the ceilings, each for so long. The tables must hold their customers.
///
/// # Errors
///
/// When the rig does not answer its own caller.
pub fn ceilings(server: &Server, each: Duration) -> Result<Vec<Ceiling>> {
    requests()
        .into_iter()
        .map(|(name, bytes)| {
            let rate = |transport| rate(server, transport, &bytes, each);
            let ((plain, plain_cpu_us), (tls, tls_cpu_us)) = (rate(Transport::Plain)?, rate(Transport::Tls)?);
            Ok(Ceiling {
                request: name.to_owned(),
                plain,
                tls,
                plain_cpu_us,
                tls_cpu_us,
            })
        })
        .collect()
}

fn requests() -> [(&'static str, Vec<u8>); 3] {
    let key = json!({ "userId": { "S": "bench-000001" } });
    let read = json!({ "TableName": "bench-preferences", "Key": key });
    let update = json!({
        "Statement": "UPDATE \"bench-preferences\" SET \"seen\"=? WHERE \"userId\"=? AND \"version\"<=? AND \"language\" IN [?,?]",
        "Parameters": [{ "N": "1" }, { "S": "bench-000001" }, { "N": "9" }, { "S": "en" }, { "S": "es" }],
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    });
    let updates = json!({ "Statements": vec![update; 10] });
    let email = json!({
        "Destination": { "ToAddresses": ["ana@example.com"] },
        "Content": { "Simple": { "Body": { "Html": { "Data": "x".repeat(EMAIL_BYTES) } } } },
    });
    let post = |path: &str, target: &str, body: &serde_json::Value| {
        let body = body.to_string();
        let length = body.len();
        let target = if target.is_empty() {
            String::new()
        } else {
            format!("x-amz-target: {target}\r\n")
        };
        format!("POST {path} HTTP/1.1\r\nhost: rig\r\n{target}content-length: {length}\r\n\r\n{body}").into_bytes()
    };
    [
        ("GetItem", post("/", "DynamoDB_20120810.GetItem", &read)),
        (
            "BatchExecuteStatement of ten conditional updates",
            post("/", "DynamoDB_20120810.BatchExecuteStatement", &updates),
        ),
        ("SendEmail of 17 kB", post("/v2/email/outbound-emails", "", &email)),
    ]
}

/// How many a second, and the CPU time of each in microseconds.
fn rate(server: &Server, transport: Transport, request: &[u8], each: Duration) -> Result<(f64, f64)> {
    let at = match transport {
        Transport::Plain => server.plain,
        Transport::Tls => server.tls,
    };
    let certificate = server.certificate.clone();
    let before = server.cpu_ns();
    let caller = std::thread::scope(|scope| {
        let caller = scope.spawn(|| {
            pin(Core::Subject);
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .context("start a runtime")?;
            let all = tokio::task::LocalSet::new();
            all.block_on(&runtime, ask(at, transport, &certificate, request, each))
        });
        caller.join()
    });
    let (answered, seconds) = caller.map_err(|_panic| anyhow::anyhow!("the rig's own caller failed"))??;
    let cpu = Duration::from_nanos(server.cpu_ns().saturating_sub(before));
    let answered = f64::from(answered.max(1));
    Ok((answered / seconds, cpu.as_secs_f64() * 1e6 / answered))
}

async fn ask(
    at: SocketAddr,
    transport: Transport,
    certificate: &Path,
    request: &[u8],
    each: Duration,
) -> Result<(u32, f64)> {
    let answered = Rc::new(Cell::new(0_u32));
    let connector = connector(certificate)?;
    let (request, began) = (Rc::<[u8]>::from(request), Instant::now());
    let mut callers = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(at).await.context("reach the rig")?;
        stream.set_nodelay(true).context("reach the rig")?;
        let (answered, request, until) = (Rc::clone(&answered), Rc::clone(&request), began + each);
        let connector = connector.clone();
        callers.push(tokio::task::spawn_local(async move {
            match transport {
                Transport::Plain => keep_asking(stream, &request, &answered, until).await,
                Transport::Tls => {
                    let name = ServerName::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST));
                    let stream = connector.connect(name, stream).await.context("greet the rig")?;
                    keep_asking(stream, &request, &answered, until).await
                }
            }
        }));
    }
    for caller in callers {
        caller.await.context("ask the rig")??;
    }
    Ok((answered.get(), began.elapsed().as_secs_f64()))
}

fn connector(certificate: &Path) -> Result<TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    let trusted = CertificateDer::from_pem_file(certificate).context("read the certificate")?;
    roots.add(trusted).context("trust the certificate")?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("choose the versions of TLS")?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn keep_asking<S>(mut stream: S, request: &[u8], answered: &Cell<u32>, until: Instant) -> Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut answer = Vec::with_capacity(8 * 1024);
    while Instant::now() < until {
        stream.write_all(request).await.context("ask the rig")?;
        stream.flush().await.context("ask the rig")?;
        answer.clear();
        while !is_whole(&answer)? {
            if stream.read_buf(&mut answer).await.context("hear the rig")? == 0 {
                bail!("the rig hung up");
            }
        }
        answered.set(answered.get() + 1);
    }
    Ok(())
}

/// Whether an answer is there to its end.
fn is_whole(answer: &[u8]) -> Result<bool> {
    let mut headers = [httparse::EMPTY_HEADER; 8];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(bytes) = head.parse(answer).context("read the rig's answer")? else {
        return Ok(false);
    };
    anyhow::ensure!(head.code == Some(200), "the rig refuses its own caller");
    let length = head.headers.iter().find(|header| header.name == "content-length");
    let length: usize = length
        .and_then(|length| std::str::from_utf8(length.value).ok()?.parse().ok())
        .context("read the length of the rig's answer")?;
    Ok(answer.len() >= bytes + length)
}
