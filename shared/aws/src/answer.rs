//! What a failed call of a provider means for the message: surely not taken, or nobody knows.

use aws_sdk_sesv2::config::http::HttpResponse;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use domain::ports::SendAnswer;
use std::error::Error;

/// What a provider's error code means, once it is sure that the provider refused.
pub(crate) type Codebook = fn(code: &str, message: &str, status: u16) -> SendAnswer;

/// An SDK error in few words for a log: code and status, or the causes of a broken connection. Never the response, which
/// may hold what it is about.
pub(crate) fn in_few_words<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let SdkError::ServiceError(answer) = error {
        let code = answer.err().code().unwrap_or("no error code");
        return format!("{code} with status {}", answer.raw().status().as_u16());
    }
    if matches!(error, SdkError::ResponseError(_)) {
        return "an answer that cannot be read".to_owned();
    }
    domain::chain(error)
}

/// Reads the error of a call that may have been written to the wire.
pub(crate) fn read_error<E>(error: &SdkError<E, HttpResponse>, codebook: Codebook) -> SendAnswer
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            let code = answer.err().code().unwrap_or("no error code");
            if status >= 500 {
                return SendAnswer::Unknown {
                    reason: format!("{code} with status {status}"),
                };
            }
            codebook(code, answer.err().message().unwrap_or_default(), status)
        }
        SdkError::ConstructionFailure(_) => SendAnswer::Refused {
            reason: "the request could not be built".to_owned(),
        },
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(cause) if never_connected(cause) => SendAnswer::NotTaken {
                reason: "no connection".to_owned(),
            },
            // Without credentials nothing is signed, and nothing is sent.
            None => SendAnswer::AccountTrouble {
                reason: "no request could be made".to_owned(),
            },
            Some(cause) if cause.is_timeout() => SendAnswer::Unknown {
                reason: "no answer in time".to_owned(),
            },
            Some(_) => SendAnswer::Unknown {
                reason: "the connection broke".to_owned(),
            },
        },
        SdkError::TimeoutError(_) => SendAnswer::Unknown {
            reason: "no answer in time".to_owned(),
        },
        SdkError::ResponseError(_) => SendAnswer::Unknown {
            reason: "an answer that cannot be read".to_owned(),
        },
        _ => SendAnswer::Unknown {
            reason: "an error of a new kind".to_owned(),
        },
    }
}

/// Whether the connection (name, TCP, TLS) was never made, so that no byte of the request was written.
fn never_connected(error: &(dyn Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return error.is_connect();
        }
        next = error.source();
    }
    false
}

/// Codes that every service uses for "slower".
pub(crate) fn is_throttle(code: &str, status: u16) -> bool {
    status == 429
        || matches!(
            code,
            "TooManyRequestsException"
                | "ThrottlingException"
                | "Throttling"
                | "ThrottledException"
                | "Throttled"
                | "RequestLimitExceeded"
        )
}

/// Codes that every service uses for "not you".
pub(crate) fn is_forbidden(code: &str, status: u16) -> bool {
    status == 401
        || status == 403
        || matches!(
            code,
            "AccessDenied"
                | "AccessDeniedException"
                | "AuthorizationError"
                | "InvalidClientTokenId"
                | "UnrecognizedClientException"
                | "ExpiredToken"
                | "ExpiredTokenException"
                | "SignatureDoesNotMatch"
                | "InvalidSignatureException"
                | "OptInRequired"
        )
}
