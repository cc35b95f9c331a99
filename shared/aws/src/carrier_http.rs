//! Calls to carriers over HTTPS.

use carriers::Call;
use domain::ports::Unavailable;
use reqwest::Method;
use std::time::Duration;
use tracking::ports::CarrierCalls;

const CALLING: &str = "call a carrier";

/// The longest that one call may take.
const TIME_OUT: Duration = Duration::from_secs(10);

/// More than any answer in its documented shape; what is larger is not read to its end.
const LARGEST_ANSWER: usize = 4 * 1_024 * 1_024;

/// Calls carriers.
#[derive(Debug, Clone)]
pub struct CarrierHttp {
    client: reqwest::Client,
}

impl CarrierHttp {
    /// A client that follows no redirect: a carrier's address is ours to know.
    ///
    /// # Errors
    ///
    /// When no TLS can be spoken here.
    pub fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(3))
            .timeout(TIME_OUT)
            .build()?;
        Ok(Self { client })
    }
}

impl CarrierCalls for CarrierHttp {
    async fn call(&self, call: &Call) -> Result<(u16, Vec<u8>), Unavailable> {
        // The address may hold a number or a key: the error keeps none of it.
        let failed = |error: reqwest::Error| Unavailable::new(CALLING, error.without_url());
        let method = Method::from_bytes(call.method.as_bytes()).map_err(|error| Unavailable::new(CALLING, error))?;
        let mut request = self.client.request(method, &call.url);
        for (name, value) in &call.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let mut response = request.send().await.map_err(failed)?;
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > LARGEST_ANSWER {
                return Err(Unavailable::new(CALLING, "its answer is too large"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((status, body))
    }
}
