//! Connections: TCP and TLS, made when a call needs one and kept while they are used.

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use std::error::Error;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tower_service::Service;

use crate::connection::{CONNECT_TIME_OUT, IDLE_FOR};

/// The pool of connections.
pub(super) type Http = Client<Connector, Full<Bytes>>;

type Cause = Box<dyn Error + Send + Sync>;

/// The pool of connections, shared by the clients of all services.
#[derive(Debug, Clone)]
pub(super) struct Pool(Http);

impl Pool {
    /// A pool that trusts the certificates of this file, or those that browsers trust.
    pub(super) fn new(ca_bundle: Option<String>) -> Self {
        let connector = Connector(Arc::new(Lazy {
            ca_bundle,
            https: OnceLock::new(),
        }));
        let http = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self(http)
    }

    pub(super) const fn http(&self) -> &Http {
        &self.0
    }
}

/// Makes connections. TLS is set up for the first of them: a function that starts and finds no event has paid for nothing.
#[derive(Debug, Clone)]
pub(super) struct Connector(Arc<Lazy>);

#[derive(Debug)]
struct Lazy {
    ca_bundle: Option<String>,
    https: OnceLock<HttpsConnector<HttpConnector>>,
}

impl Lazy {
    fn https(&self) -> Result<HttpsConnector<HttpConnector>, Cause> {
        if let Some(https) = self.https.get() {
            return Ok(https.clone());
        }
        let mut http = HttpConnector::new();
        http.enforce_http(false);
        http.set_nodelay(true);
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls(self.ca_bundle.as_deref())?)
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(self.https.get_or_init(|| https).clone())
    }
}

fn tls(ca_bundle: Option<&str>) -> Result<ClientConfig, Cause> {
    let mut roots = RootCertStore::empty();
    match ca_bundle {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            for certificate in CertificateDer::pem_file_iter(file)? {
                roots.add(certificate?)?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

impl Service<http::Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = Cause;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: http::Uri) -> Self::Future {
        let https = self.0.https();
        Box::pin(async move { tokio::time::timeout(CONNECT_TIME_OUT, https?.call(to)).await? })
    }
}
