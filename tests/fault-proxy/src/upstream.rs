//! The emulator behind the proxy, and one connection to it.

use std::fmt;
use std::io;
use std::str::FromStr;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use thiserror::Error;
use tokio::net::TcpStream;

/// Where requests go: `http://HOST:PORT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    authority: String,
}

impl Upstream {
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}", self.authority)
    }
}

impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        let refused = || UpstreamError::Address { text: text.to_owned() };
        let uri: Uri = text.parse().map_err(|_not_a_uri| refused())?;
        let (Some("http"), Some(authority), "" | "/") = (uri.scheme_str(), uri.authority(), uri.path()) else {
            return Err(refused());
        };
        let port = authority.port_u16().unwrap_or(80);
        Ok(Self {
            authority: format!("{}:{port}", authority.host()),
        })
    }
}

/// Why there is no answer from the other side.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// An address that is not `http://HOST:PORT`.
    #[error("expected http://HOST:PORT, got {text}")]
    Address {
        /// What was given.
        text: String,
    },
    /// Nobody listens there.
    #[error("could not connect to {address}")]
    Connect {
        /// The address.
        address: String,
        /// What the operating system said.
        #[source]
        cause: io::Error,
    },
    /// The connection broke before an answer was complete.
    #[error("got no answer from {address}")]
    Exchange {
        /// The address.
        address: String,
        /// What went wrong.
        #[source]
        cause: hyper::Error,
    },
}

/// One connection, opened when it is first needed and again after it was closed.
#[derive(Debug)]
pub(crate) struct Connection {
    upstream: Upstream,
    sender: Option<http1::SendRequest<Full<Bytes>>>,
}

impl Connection {
    pub(crate) fn to(upstream: Upstream) -> Self {
        Self { upstream, sender: None }
    }

    /// Sends `request` as it is: neither its path nor its headers are touched.
    pub(crate) async fn send(
        &mut self,
        mut request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, UpstreamError> {
        loop {
            let (mut sender, is_reused) = match self.sender.take() {
                Some(sender) if !sender.is_closed() => (sender, true),
                _ => (self.open().await?, false),
            };
            let ready = sender.ready().await;
            if let Err(cause) = ready {
                if is_reused {
                    continue;
                }
                return Err(self.exchange(cause));
            }
            match sender.try_send_request(request).await {
                Ok(response) => {
                    self.sender = Some(sender);
                    return Ok(response);
                }
                Err(mut refused) => match refused.take_message() {
                    // Nothing of it was written: the other side had closed a connection that we held open.
                    Some(unsent) if is_reused => request = unsent,
                    _ => return Err(self.exchange(refused.into_error())),
                },
            }
        }
    }

    async fn open(&self) -> Result<http1::SendRequest<Full<Bytes>>, UpstreamError> {
        let address = &self.upstream.authority;
        let stream = TcpStream::connect(address)
            .await
            .map_err(|cause| UpstreamError::Connect {
                address: address.clone(),
                cause,
            })?;
        // A small request must not wait for the acknowledgement of the one before; a socket that refuses is merely slower.
        drop(stream.set_nodelay(true));
        let (sender, connection) = http1::Builder::new()
            .preserve_header_case(true)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|cause| self.exchange(cause))?;
        // Its error also reaches whoever waits for the answer.
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
    }

    /// The error of a connection that broke.
    pub(crate) fn exchange(&self, cause: hyper::Error) -> UpstreamError {
        UpstreamError::Exchange {
            address: self.upstream.authority.clone(),
            cause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_end_in_a_slash() {
        assert_eq!(
            "http://localhost:4566/".parse::<Upstream>().unwrap().to_string(),
            "http://localhost:4566"
        );
    }

    #[test]
    fn an_address_without_a_scheme_is_refused() {
        assert!("localhost:4566".parse::<Upstream>().is_err());
    }

    #[test]
    fn tls_is_refused() {
        let error = "https://localhost:4566".parse::<Upstream>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected http://HOST:PORT, got https://localhost:4566"
        );
    }
}
