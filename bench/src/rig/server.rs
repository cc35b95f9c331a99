//! The thread that plays Lambda and AWS.

use anyhow::{Context, Result};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_rustls::TlsAcceptor;

use super::aws::{Delays, Endpoints};
use super::http::serve;
use super::process::{Core, ns_of, pin};
use super::runtime_api::RuntimeApi;

/// The running endpoints.
#[derive(Debug)]
pub struct Server {
    /// What AWS holds and has counted.
    pub endpoints: Endpoints,
    /// Where AWS answers without TLS.
    pub plain: SocketAddr,
    /// Where AWS answers with TLS.
    pub tls: SocketAddr,
    /// The certificate that a caller must trust, as PEM.
    pub certificate: PathBuf,
    apis: UnboundedSender<(TcpListener, RuntimeApi)>,
    /// Where the kernel tells how long the server's thread has run.
    schedstat: PathBuf,
}

impl Server {
    /// Starts it, on the core that is kept for the rig. The certificate is written into this folder.
    ///
    /// # Errors
    ///
    /// When no port can be had or the certificate cannot be written.
    pub fn start(work: &Path, delays: Delays) -> Result<Self> {
        let (acceptor, certificate) = certificate(work)?;
        let (plain, plain_at) = listener()?;
        let (tls, tls_at) = listener()?;
        let endpoints = Endpoints::new(delays);
        let (apis, mut new_apis) = unbounded_channel::<(TcpListener, RuntimeApi)>();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("start the rig's runtime")?;
        let answer = endpoints.clone();
        let (here, started) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            pin(Core::Rig);
            let thread = std::fs::read_link("/proc/thread-self").unwrap_or_default();
            // Whoever started this thread waits for it.
            let _is_heard = here.send(Path::new("/proc").join(thread).join("schedstat"));
            let all = tokio::task::LocalSet::new();
            all.block_on(&runtime, async move {
                let answer = Rc::new(answer);
                for (listener, tls) in [(plain, None), (tls, Some(acceptor))] {
                    if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                        tokio::task::spawn_local(serve(listener, tls, Rc::clone(&answer)));
                    }
                }
                while let Some((listener, api)) = new_apis.recv().await {
                    if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                        tokio::task::spawn_local(serve(listener, None, Rc::new(api)));
                    }
                }
            });
        });
        Ok(Self {
            endpoints,
            plain: plain_at,
            tls: tls_at,
            certificate,
            apis,
            schedstat: started.recv().context("start the rig's thread")?,
        })
    }

    /// How long the server's thread has run, in nanoseconds.
    #[must_use]
    pub fn cpu_ns(&self) -> u64 {
        ns_of(&self.schedstat)
    }

    /// A Runtime API for one more process, and where it answers.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub fn runtime_api(&self) -> Result<(RuntimeApi, SocketAddr)> {
        let (listener, at) = listener()?;
        let api = RuntimeApi::default();
        self.apis
            .send((listener, api.clone()))
            .context("the rig's server has ended")?;
        Ok((api, at))
    }
}

fn listener() -> Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("bind a port")?;
    listener.set_nonblocking(true).context("use a port")?;
    let at = listener.local_addr().context("use a port")?;
    Ok((listener, at))
}

/// A certificate for this machine, good for this run.
fn certificate(work: &Path) -> Result<(TlsAcceptor, PathBuf)> {
    let names = vec!["localhost".to_owned(), Ipv4Addr::LOCALHOST.to_string()];
    let made = rcgen::generate_simple_self_signed(names).context("make a certificate")?;
    let path = work.join("certificate.pem");
    std::fs::write(&path, made.cert.pem()).context("write the certificate")?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("choose the versions of TLS")?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .context("use the certificate")?;
    Ok((TlsAcceptor::from(Arc::new(config)), path))
}
