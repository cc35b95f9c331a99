//! Asks the emulator over plain HTTP.

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{HeaderMap, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// An HTTP API on this machine, at `http://NAME.localhost:PORT`: every name under `localhost` is this machine (RFC 6761, section
/// 6.3), whether or not the resolver knows.
#[derive(Debug, Clone)]
pub struct Api {
    base: Uri,
}

impl Api {
    /// The API at this address.
    ///
    /// # Errors
    ///
    /// When it is no address of this machine.
    pub fn at(base: &str) -> Result<Self> {
        let base: Uri = base
            .parse()
            .with_context(|| format!("expected http://HOST:PORT, got {base}"))?;
        let (Some("http"), Some(_)) = (base.scheme_str(), base.authority()) else {
            bail!("expected http://HOST:PORT, got {base}");
        };
        Ok(Self { base })
    }

    /// Sends one request and waits for the answer, whatever its status.
    ///
    /// # Errors
    ///
    /// When there is no answer.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
        let authority = self.base.authority().context("expected a host")?;
        let host = match authority.host() {
            name if name.ends_with(".localhost") => "127.0.0.1",
            name => name,
        };
        let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80)))
            .await
            .with_context(|| format!("could not connect to {}", self.base))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let connection = tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, authority.as_str());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
        let response = sender
            .send_request(request)
            .await
            .with_context(|| format!("no answer to {method} {path}"))?;
        let (parts, body) = response.into_parts();
        let body = body
            .collect()
            .await
            .with_context(|| format!("could not read the answer to {method} {path}"))?
            .to_bytes();
        connection.abort();
        Ok(Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        })
    }
}

/// The body of `GET base/path`.
pub(crate) async fn fetch(base: &str, path: &str) -> Result<Bytes> {
    let answer = Api::at(base)?.ask("GET", path, &[], "").await?;
    if !(200..300).contains(&answer.status) {
        bail!("expected {base}{path} to answer 200, got {}", answer.status);
    }
    Ok(answer.body)
}
