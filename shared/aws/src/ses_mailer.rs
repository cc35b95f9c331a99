//! E-mail through SES v2: `SendEmail`, offered once, with tags that name the delivery.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::operation::send_email::builders::SendEmailInputBuilder;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use base64::Engine as _;
use domain::ports::SendAnswer;
use domain::{Channel, NotificationId};

use crate::answer::{is_forbidden, is_throttle, read_error};
use crate::calls::Ses;

/// Names the notification where the tags are lost: in the headers that a report quotes.
const ID_HEADER: &str = "X-Notification-Id";

/// What SES takes as the value of a header (SES v2 API reference, `MessageHeader`): the lower of the two bounds that its
/// documents give, 870 and 995.
const LONGEST_HEADER_VALUE: usize = 870;

/// Who the e-mail is from.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The verified address.
    pub email: String,
    /// The name that customers see.
    pub name: String,
    /// Where answers go.
    pub reply_to: String,
}

/// A finished e-mail.
#[derive(Debug, Clone, Copy)]
pub struct Letter<'a> {
    /// One line.
    pub subject: &'a str,
    /// A whole HTML document.
    pub html: &'a str,
    /// The same in plain text.
    pub text: &'a str,
    /// The address that stops messages of this kind when it is posted to, where that is possible: at most 868 characters.
    pub unsubscribe: Option<&'a str>,
}

/// E-mail through SES v2.
#[derive(Debug, Clone)]
pub struct SesMailer<S = Client> {
    client: S,
    from: String,
    reply_to: String,
    configuration_set: Option<String>,
}

impl<S: Ses> SesMailer<S> {
    /// A mailer over a client whose own retries are off ([`crate::Connection::ses`]). The configuration set decides what SES
    /// reports about each e-mail, and where to.
    #[must_use]
    pub fn new(client: S, sender: &Sender, configuration_set: Option<String>) -> Self {
        Self {
            client,
            from: mailbox(&sender.name, &sender.email),
            reply_to: sender.reply_to.clone(),
            configuration_set,
        }
    }

    /// Offers one e-mail to SES, once. The tags `notification-id` and `channel`, and the header `X-Notification-Id`, come back
    /// with every event that SES publishes about it. With an address to unsubscribe it has a button for that in mail programs:
    /// `List-Unsubscribe` (RFC 2369) and `List-Unsubscribe-Post` (RFC 8058). An address that could leave its header is refused,
    /// and with it the e-mail, before SES sees either.
    pub async fn send(&self, id: NotificationId, to: &str, letter: Letter<'_>) -> SendAnswer {
        let message = match build(letter, id) {
            Ok(message) => message,
            Err(reason) => return SendAnswer::Refused { reason },
        };
        let tag = |name: &str, value: String| MessageTag::builder().name(name).value(value).build();
        let (Ok(id_tag), Ok(channel_tag)) = (
            tag("notification-id", id.to_string()),
            tag("channel", Channel::Email.name().to_owned()),
        ) else {
            return SendAnswer::Refused {
                reason: "the message tags could not be built".to_owned(),
            };
        };
        let request = SendEmailInputBuilder::default()
            .from_email_address(&self.from)
            .destination(Destination::builder().to_addresses(to).build())
            .reply_to_addresses(&self.reply_to)
            .content(EmailContent::builder().simple(message).build())
            .email_tags(id_tag)
            .email_tags(channel_tag)
            .set_configuration_set_name(self.configuration_set.clone());
        match self.client.send_email(request).await {
            Ok(output) => SendAnswer::Accepted {
                message_id: output.message_id.unwrap_or_default(),
            },
            Err(error) => read_error(&error, meaning),
        }
    }
}

fn build(letter: Letter<'_>, id: NotificationId) -> Result<Message, String> {
    let incomplete = |_error| "the message could not be built".to_owned();
    let content = |text: &str| {
        let content = Content::builder().data(text).charset("UTF-8");
        content.build().map_err(incomplete)
    };
    let header = |name: &str, value: String| {
        let header = MessageHeader::builder().name(name).value(value);
        header.build().map_err(incomplete)
    };
    let body = Body::builder()
        .html(content(letter.html)?)
        .text(content(letter.text)?)
        .build();
    let mut message = Message::builder()
        .subject(content(letter.subject)?)
        .body(body)
        .headers(header(ID_HEADER, id.to_string())?);
    if let Some(address) = letter.unsubscribe {
        message = message
            .headers(header("List-Unsubscribe", in_angle_brackets(address)?)?)
            .headers(header(
                "List-Unsubscribe-Post",
                "List-Unsubscribe=One-Click".to_owned(),
            )?);
    }
    Ok(message.build())
}

/// An address as RFC 2369 section 2 wants it. What could end the address or the line, or is not ASCII, is refused.
fn in_angle_brackets(address: &str) -> Result<String, String> {
    let value = format!("<{address}>");
    let is_safe = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',');
    if address.is_empty() || !address.chars().all(is_safe) || value.len() > LONGEST_HEADER_VALUE {
        return Err("the address to unsubscribe could not stand in a header".to_owned());
    }
    Ok(value)
}

/// What a refusal by SES means (SES v2 API reference, `SendEmail`, "Errors"). The provider's text is never kept: it may
/// quote addresses.
fn meaning(code: &str, message: &str, status: u16) -> SendAnswer {
    let reason = code.to_owned();
    let message = message.to_ascii_lowercase();
    let speaks_of_quota = message.contains("quota") || message.contains("daily");
    match code {
        _ if is_throttle(code, status) && speaks_of_quota => SendAnswer::AccountTrouble { reason },
        _ if is_throttle(code, status) => SendAnswer::Throttled { reason },
        "SendingPausedException"
        | "AccountSuspendedException"
        | "MailFromDomainNotVerifiedException"
        | "NotFoundException" => SendAnswer::AccountTrouble { reason },
        // It says the same of the sender's identity and, in the sandbox, of the recipient's.
        "MessageRejected" if message.contains("not verified") => SendAnswer::AccountTrouble { reason },
        _ if is_forbidden(code, status) => SendAnswer::AccountTrouble { reason },
        "LimitExceededException" => SendAnswer::Limited { reason },
        "MessageRejected" => SendAnswer::Rejected { reason },
        "BadRequestException" => SendAnswer::Refused { reason },
        _ => SendAnswer::NotTaken { reason },
    }
}

/// A mailbox with a display name (RFC 5322 section 3.4); letters beyond ASCII as encoded words (RFC 2047).
fn mailbox(name: &str, address: &str) -> String {
    let name = domain::clean_line(name);
    if name.is_empty() {
        return address.to_owned();
    }
    if name.is_ascii() {
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        return format!("\"{quoted}\" <{address}>");
    }
    // An encoded word holds at most 75 characters, 45 bytes of text before Base64.
    let mut words: Vec<String> = vec![String::new()];
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + letter.len_utf8() <= 45 => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    let encode = |word: &String| format!("=?UTF-8?B?{}?=", base64::engine::general_purpose::STANDARD.encode(word));
    format!("{} <{address}>", words.iter().map(encode).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sesv2::error::ErrorMetadata;
    use aws_sdk_sesv2::operation::send_email::{SendEmailError, SendEmailOutput};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    fn refusing(code: &'static str, message: &'static str) -> Rule {
        mock!(Client::send_email)
            .then_error(move || SendEmailError::generic(ErrorMetadata::builder().code(code).message(message).build()))
    }

    async fn answer_of(rule: Rule) -> SendAnswer {
        answer_to(rule, None).await
    }

    async fn answer_to(rule: Rule, unsubscribe: Option<&str>) -> SendAnswer {
        let client = mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, [&rule], |config| {
            config.retry_config(aws_sdk_sesv2::config::retry::RetryConfig::disabled())
        });
        let sender = Sender {
            email: "shop@example.com".into(),
            name: "Shop".into(),
            reply_to: "help@example.com".into(),
        };
        let letter = Letter {
            subject: "s",
            html: "<p>h</p>",
            text: "t",
            unsubscribe,
        };
        SesMailer::new(client, &sender, Some("reports".to_owned()))
            .send(NotificationId::from_digest([1; 16]), "ana@example.com", letter)
            .await
    }

    #[tokio::test]
    async fn an_accepted_email_brings_its_id() {
        let rule = mock!(Client::send_email)
            .match_requests(|request| {
                let message = request.content().and_then(EmailContent::simple);
                let headers = message.map(Message::headers).unwrap_or_default();
                request.email_tags().iter().any(|tag| tag.name() == "notification-id")
                    && headers.iter().any(|header| header.name() == "X-Notification-Id")
                    && request.configuration_set_name() == Some("reports")
                    && request.from_email_address() == Some("\"Shop\" <shop@example.com>")
            })
            .then_output(|| SendEmailOutput::builder().message_id("m-1").build());
        assert_eq!(
            answer_of(rule).await,
            SendAnswer::Accepted {
                message_id: "m-1".into()
            }
        );
    }

    /// Accepts an e-mail with these headers and no others.
    fn accepting(expected: &'static [(&'static str, &'static str)]) -> Rule {
        mock!(Client::send_email)
            .match_requests(move |request| {
                let message = request.content().and_then(EmailContent::simple);
                let headers = message.map(Message::headers).unwrap_or_default();
                let headers: Vec<_> = headers.iter().map(|header| (header.name(), header.value())).collect();
                headers == expected
            })
            .then_output(|| SendEmailOutput::builder().message_id("m-1").build())
    }

    #[tokio::test]
    async fn what_may_be_unsubscribed_says_where_and_that_one_click_is_enough() {
        let rule = accepting(&[
            ("X-Notification-Id", "01010101-0101-8101-8101-010101010101"),
            ("List-Unsubscribe", "<https://example.com/unsubscribe/AQ-_>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ]);
        let answer = answer_to(rule, Some("https://example.com/unsubscribe/AQ-_")).await;
        assert!(matches!(answer, SendAnswer::Accepted { .. }), "{answer:?}");
    }

    #[tokio::test]
    async fn what_may_not_be_unsubscribed_has_no_header_of_it() {
        let rule = accepting(&[("X-Notification-Id", "01010101-0101-8101-8101-010101010101")]);
        let answer = answer_to(rule, None).await;
        assert!(matches!(answer, SendAnswer::Accepted { .. }), "{answer:?}");
    }

    #[tokio::test]
    async fn an_address_that_could_leave_its_header_never_reaches_ses() {
        for address in [
            "",
            "https://example.com/\r\nBcc: x@example.com",
            "https://example.com/a b",
            "https://example.com/>, <mailto:x@example.com",
            "https://example.com/a,b",
            "https://ejemplo.españa/",
            "https://example.com/\u{7f}",
        ] {
            let rule = accepting(&[]);
            let answer = answer_to(rule.clone(), Some(address)).await;
            let reason = "the address to unsubscribe could not stand in a header".to_owned();
            assert_eq!(answer, SendAnswer::Refused { reason }, "{address:?}");
            assert_eq!(rule.num_calls(), 0);
        }
    }

    #[test]
    fn a_header_takes_870_characters_and_no_more() {
        assert!(in_angle_brackets(&"a".repeat(868)).is_ok());
        assert!(in_angle_brackets(&"a".repeat(869)).is_err());
    }

    #[tokio::test]
    async fn every_refusal_means_what_the_table_says() {
        let throttled = |code: &str| SendAnswer::Throttled { reason: code.into() };
        let account = |code: &str| SendAnswer::AccountTrouble { reason: code.into() };
        let refused = |code: &str| SendAnswer::Refused { reason: code.into() };
        let cases = [
            (
                ("TooManyRequestsException", "Maximum sending rate exceeded."),
                throttled("TooManyRequestsException"),
            ),
            (
                ("ThrottlingException", "Daily message quota exceeded."),
                account("ThrottlingException"),
            ),
            (
                ("TooManyRequestsException", "Daily limit."),
                account("TooManyRequestsException"),
            ),
            (
                ("TooManyRequestsException", "Sending quota exceeded."),
                account("TooManyRequestsException"),
            ),
            (("SendingPausedException", ""), account("SendingPausedException")),
            (("AccountSuspendedException", ""), account("AccountSuspendedException")),
            (
                ("MailFromDomainNotVerifiedException", ""),
                account("MailFromDomainNotVerifiedException"),
            ),
            (("NotFoundException", ""), account("NotFoundException")),
            (("AccessDeniedException", ""), account("AccessDeniedException")),
            (
                ("MessageRejected", "Email address is not verified."),
                account("MessageRejected"),
            ),
            (
                ("MessageRejected", "Message contains a virus."),
                SendAnswer::Rejected {
                    reason: "MessageRejected".into(),
                },
            ),
            (("BadRequestException", ""), refused("BadRequestException")),
            (
                ("LimitExceededException", ""),
                SendAnswer::Limited {
                    reason: "LimitExceededException".into(),
                },
            ),
            (
                ("SomethingNewException", ""),
                SendAnswer::NotTaken {
                    reason: "SomethingNewException".into(),
                },
            ),
        ];
        for ((code, message), expected) in cases {
            assert_eq!(meaning(code, message, 400), expected, "{code}: {message}");
        }
    }

    #[tokio::test]
    async fn a_refusal_is_read_from_the_sdks_error_and_keeps_no_address() {
        let answer = answer_of(refusing("MessageRejected", "Address ana@example.com is bad")).await;
        assert_eq!(
            answer,
            SendAnswer::Rejected {
                reason: "MessageRejected".into()
            }
        );
    }

    #[tokio::test]
    async fn a_server_error_leaves_doubt() {
        let rule = mock!(Client::send_email).then_http_response(|| {
            aws_sdk_sesv2::config::http::HttpResponse::new(500.try_into().unwrap(), "{}".into())
        });
        assert!(matches!(answer_of(rule).await, SendAnswer::Unknown { .. }));
    }

    #[test]
    fn a_senders_name_cannot_leave_its_header() {
        assert_eq!(
            mailbox("Ana \"A\"\r\nBcc: x", "a@example.com"),
            "\"Ana \\\"A\\\" Bcc: x\" <a@example.com>"
        );
        assert_eq!(
            mailbox("Ñandú", "a@example.com"),
            "=?UTF-8?B?w5FhbmTDug==?= <a@example.com>"
        );
        assert_eq!(mailbox("", "a@example.com"), "a@example.com");
    }
}
