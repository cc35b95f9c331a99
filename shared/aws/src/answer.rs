//! What a failed call of a provider means for the message: surely not taken, or nobody knows.

use aws_sdk_sesv2::config::http::HttpResponse;
use aws_sdk_sesv2::error::{ProvideErrorMetadata, SdkError};
use domain::ports::{SendAnswer, Unavailable};
use std::error::Error;

/// What a provider's error code means, once it is sure that the provider refused.
pub(crate) type Codebook = fn(code: &str, message: &str, status: u16) -> SendAnswer;

const UNREADABLE: &str = "an answer that cannot be read";

/// An SDK error in few words for a log: code and status, or the causes of a broken connection. Never the response, which
/// may hold what it is about.
pub(crate) fn in_few_words<E>(error: &SdkError<E, HttpResponse>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
{
    if let SdkError::ServiceError(answer) = error
        && !answer.raw().status().is_success()
    {
        let code = answer.err().code().unwrap_or("no error code");
        return format!("{code} with status {}", answer.raw().status().as_u16());
    }
    if matches!(error, SdkError::ResponseError(_) | SdkError::ServiceError(_)) {
        return UNREADABLE.to_owned();
    }
    domain::chain(error)
}

/// Whether a write under a condition was made; not, where its condition did not hold.
///
/// # Errors
///
/// [`Unavailable`] when it may or may not have been made.
pub(crate) fn was_written<T, E>(
    answer: Result<T, SdkError<E, HttpResponse>>,
    is_refused: fn(&E) -> bool,
    doing: &'static str,
) -> Result<bool, Unavailable>
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(is_refused) => Ok(false),
        Err(error) => Err(Unavailable::new(doing, in_few_words(&error))),
    }
}

/// Reads the error of a call that may have been written to the wire.
pub(crate) fn read_error<E>(error: &SdkError<E, HttpResponse>, codebook: Codebook) -> SendAnswer
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status().as_u16();
            // The SDK calls it an error of the service when a yes cannot be read. The message may well be out.
            if answer.raw().status().is_success() {
                return SendAnswer::Unknown {
                    reason: UNREADABLE.to_owned(),
                };
            }
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
            reason: UNREADABLE.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sesv2::error::ConnectorError;
    use aws_sdk_sesv2::operation::send_email::SendEmailError;

    type Failed = SdkError<SendEmailError, HttpResponse>;

    fn meant(error: &Failed) -> SendAnswer {
        read_error(error, |_, _, _| panic!("the provider did not answer"))
    }

    fn unknown(reason: &str) -> SendAnswer {
        SendAnswer::Unknown {
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn a_call_without_an_answer_leaves_doubt_and_says_which_kind() {
        let unreadable = HttpResponse::new(200.try_into().unwrap(), "{".into());
        assert_eq!(meant(&Failed::timeout_error("slow")), unknown("no answer in time"));
        assert_eq!(
            meant(&Failed::response_error("cut", unreadable)),
            unknown("an answer that cannot be read")
        );
        let late = ConnectorError::timeout("slow".into());
        assert_eq!(meant(&Failed::dispatch_failure(late)), unknown("no answer in time"));
        let broken = ConnectorError::io("reset".into());
        assert_eq!(
            meant(&Failed::dispatch_failure(broken)),
            unknown("the connection broke")
        );
    }

    #[test]
    fn a_request_that_cannot_be_built_is_refused() {
        let refused = SendAnswer::Refused {
            reason: "the request could not be built".to_owned(),
        };
        assert_eq!(meant(&Failed::construction_failure("incomplete")), refused);
    }

    #[tokio::test]
    async fn a_connection_that_was_never_made_took_nothing() {
        // A port that was free a moment ago and has nobody behind it.
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let keys = crate::Credentials::new("key", "secret", None, None, "test");
        let connection = crate::Connection::to(&format!("http://{port}"), "eu-west-1", keys);
        let error = connection.ses().send_email().send().await.unwrap_err();
        let not_taken = SendAnswer::NotTaken {
            reason: "no connection".to_owned(),
        };
        assert_eq!(read_error(&error, |_, _, _| panic!("nobody answers there")), not_taken);
    }

    #[test]
    fn either_status_and_any_of_the_codes_forbid() {
        assert!(is_forbidden("Whatever", 401) && is_forbidden("Whatever", 403));
        assert!(is_forbidden("AccessDenied", 400) && !is_forbidden("Whatever", 400));
        assert!(is_throttle("Whatever", 429) && is_throttle("Throttling", 400) && !is_throttle("Whatever", 400));
    }
}
