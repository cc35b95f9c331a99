//! Fetches a page of the emulator over plain HTTP.

use anyhow::{Context, Result, bail};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// The body of `GET base/path`.
pub(crate) async fn fetch(base: &str, path: &str) -> Result<Bytes> {
    let uri: Uri = base
        .parse()
        .with_context(|| format!("expected http://HOST:PORT, got {base}"))?;
    let (Some("http"), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        bail!("expected http://HOST:PORT, got {base}");
    };
    let address = (authority.host(), authority.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("could not connect to {base}"))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let request = Request::get(path)
        .header(HOST, authority.as_str())
        .body(Empty::<Bytes>::new())?;
    let response = sender
        .send_request(request)
        .await
        .with_context(|| format!("could not fetch {base}{path}"))?;
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .with_context(|| format!("could not read {base}{path}"))?
        .to_bytes();
    connection.abort();
    if !status.is_success() {
        bail!("expected {base}{path} to answer 200, got {status}");
    }
    Ok(body)
}
