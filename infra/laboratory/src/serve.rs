//! The laboratory on a port of this machine.

use anyhow::{Context, Result};
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

use crate::laboratory::{Call, Laboratory};
use crate::stack::Stack;

/// Carriers that are asked.
const ASKED: [&str; 7] = ["fedex", "ups", "dhl", "correos", "correos-express", "royal-mail", "dpd"];

/// Answers as the tracking APIs of FedEx, UPS, DHL, Correos, Correos Express, Royal Mail and DPD would
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  laboratory serve --connect                  the local stack asks this laboratory in place of the carriers
  laboratory serve --strict --for 60          with the documented limits, for a minute

Parcels are told to it, steps of the future included:
  curl http://127.0.0.1:4599/laboratory/parcels -d '{\"carrier\": \"royal-mail\", \"number\": \"QK104000725GB\",
    \"steps\": [{\"milestone\": \"delivered\", \"at\": \"2026-11-20T10:00:00Z\"}]}'

Milestones: label, picked-up, in-transit, customs, out-for-delivery, attempt-failed, delivered, returned.
It ends by Ctrl-C.")]
pub struct Serve {
    /// Where it listens on this machine; 0 takes a free port
    #[arg(long, default_value_t = 4599)]
    port: u16,
    /// Answer with 429 what goes beyond the carriers' documented limits
    #[arg(long)]
    strict: bool,
    /// Give the stack accounts with this laboratory, which stay when it ends. Its functions know within two minutes
    #[arg(long)]
    connect: bool,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    for_seconds: Option<u64>,
}

impl Serve {
    /// Serves until it is over.
    ///
    /// # Errors
    ///
    /// When the port is taken, or the stack cannot be reached.
    pub async fn run(&self, say: impl Fn(&str)) -> Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await;
        let listener = listener.with_context(|| format!("could not listen on port {}", self.port))?;
        let address = format!("http://{}", listener.local_addr()?);
        say(&format!("the laboratory answers at {address}"));
        if self.connect {
            connect(&Stack::of_environment().await?, Some(&address)).await?;
            say("the stack has accounts with it");
        }
        let serving = serve(listener, Arc::new(Laboratory::new(self.strict)));
        match self.for_seconds {
            None => serving.await,
            Some(seconds) => tokio::time::timeout(Duration::from_secs(seconds), serving)
                .await
                .unwrap_or(Ok(())),
        }
    }
}

/// Gives the stack accounts with the laboratory at this address, or takes all accounts away; the keys of its webhooks stay.
///
/// # Errors
///
/// When its secret cannot be read or written.
pub async fn connect(stack: &Stack, address: Option<&str>) -> Result<()> {
    let name = format!("{}/carriers", stack.prefix);
    let kept = stack.secrets.get_secret_value().secret_id(&name).send().await;
    let kept = kept.with_context(|| format!("could not read the secret {name}"))?;
    let mut secret: Map<String, Value> = serde_json::from_str(kept.secret_string().unwrap_or("{}"))
        .with_context(|| format!("expected a JSON object in the secret {name}"))?;
    secret.insert("accounts".to_owned(), accounts_at(address));
    let text = Value::Object(secret).to_string();
    let put = stack.secrets.put_secret_value().secret_id(&name).secret_string(text);
    put.send()
        .await
        .with_context(|| format!("could not write the secret {name}"))?;
    Ok(())
}

/// An account with every carrier that can be asked; none without an address, or the carriers themselves would be called.
fn accounts_at(address: Option<&str>) -> Value {
    let account = address.map(|address| {
        json!({ "clientId": "laboratory", "clientSecret": "laboratory", "customer": "1", "baseUrl": address })
    });
    let accounts = account.map(|account| ASKED.map(|carrier| (carrier.to_owned(), account.clone())));
    Value::Object(accounts.into_iter().flatten().collect())
}

/// Serves for ever.
///
/// # Errors
///
/// When no more connections can be accepted.
pub async fn serve(listener: TcpListener, laboratory: Arc<Laboratory>) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(attend(stream, Arc::clone(&laboratory)));
    }
}

async fn attend(stream: TcpStream, laboratory: Arc<Laboratory>) {
    let service = service_fn(|request| answer(request, &laboratory));
    let served = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
    // An error here is a caller that went away.
    drop(served);
}

async fn answer(request: Request<Incoming>, laboratory: &Laboratory) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    let call = Call {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or_default(),
        headers: &headers,
        body: &body,
    };
    let reply = laboratory.reply(&call, now());
    let mut response = Response::new(Full::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    Ok(response)
}

#[expect(clippy::disallowed_methods, reason = "a tool has the clock of its user")]
fn now() -> Timestamp {
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_address_nobody_is_called() {
        assert_eq!(accounts_at(None), json!({}));
        let accounts = accounts_at(Some("http://127.0.0.1:1"));
        for carrier in ASKED {
            assert_eq!(accounts[carrier]["baseUrl"], "http://127.0.0.1:1", "{carrier}");
        }
    }
}
