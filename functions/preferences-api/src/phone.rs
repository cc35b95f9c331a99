//! `POST /notifications/verify-phone` and its confirmation.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::{Extension, Json};
use domain::ports::{Changed, PhoneVerificationsKeep, PreferencesKeep};
use domain::{ConsentSource, PhoneNumber, PhoneVerification, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use web::{Caller, Fields, Problem};

use crate::open_api;
use crate::ports::{CodeSend, NotSent, Ports};
use crate::preferences::{PreferencesView, shown};

/// More rounds than this mean that the same customer is busy elsewhere.
const ROUNDS: usize = 4;

const NO_CODE: &str = "no code is waited for, or not any more: ask for another by POST /notifications/verify-phone";

/// Which number.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "describes a body that is read field by field")]
pub(crate) struct PhoneOrder {
    /// In E.164.
    #[schema(pattern = "^[+][0-9 ().-]{7,30}$", example = "+34600123456")]
    phone_number: String,
}

/// What happens next.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CodeSent {
    /// For how long the code is good.
    #[schema(example = 600)]
    expires_in_seconds: i64,
    /// From when on another can be asked for.
    #[schema(example = 60)]
    again_in_seconds: i64,
}

/// What the text message said.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes a body that is read field by field")]
pub(crate) struct CodeRead {
    /// Six digits.
    #[schema(pattern = "^[0-9]{6}$", example = "123456")]
    code: String,
}

/// Send a code to my phone.
///
/// Six digits by text message, good for ten minutes and five guesses. Once a minute, five times a day.
#[utoipa::path(
    post, path = "/notifications/verify-phone", operation_id = "verifyPhone", tag = "phone",
    request_body(content((PhoneOrder = "application/json"))),
    responses((status = 202, body = CodeSent), open_api::PhoneRefusals)
)]
pub(crate) async fn verify<P: Ports>(
    State(ports): State<Arc<P>>,
    Extension(now): Extension<Timestamp>,
    caller: Caller,
    mut fields: Fields,
) -> Result<(StatusCode, Json<CodeSent>), Problem> {
    let text = fields.required("phoneNumber", shaped);
    fields.end(&["phoneNumber"])?;
    let phone = text.ok_or_else(Problem::internal)?;
    let phone = PhoneNumber::try_from(phone.as_str()).map_err(|problem| unusable(problem.to_string()))?;
    let before = ports.verifications().look_up(&caller.user).await?;
    let (code, mac) = ports.codes().draw(&caller.user, &phone)?;
    let next = PhoneVerification::begin(before.as_ref(), phone.clone(), mac, now).map_err(|again_at| {
        let seconds = again_at.duration_since(now).as_secs().saturating_add(1);
        Problem::too_many(
            "a code can be asked for once a minute, and five times a day",
            u32::try_from(seconds).unwrap_or(u32::MAX),
        )
    })?;
    // Written down before it is sent: what is sent counts.
    if !ports.verifications().keep(&caller.user, before.as_ref(), &next).await? {
        return Err(Problem::too_many("another code was asked for at the same moment", 60));
    }
    let language = ports.preferences().look_up(&caller.user).await?.preferences.language;
    let language = language.unwrap_or(ports.shop().language);
    match ports.codes().send(&phone, &code, language, now).await {
        Ok(()) => Ok((
            StatusCode::ACCEPTED,
            Json(CodeSent {
                expires_in_seconds: 600,
                again_in_seconds: 60,
            }),
        )),
        Err(NotSent::NotNow(error)) => Err(error.into()),
        Err(NotSent::Unwanted(reason)) => Err(unusable(unwanted(reason).to_owned())),
    }
}

/// Why a number gets no code, as far as it concerns whoever typed it.
fn unwanted(reason: Reason) -> &'static str {
    if reason == Reason::CountryNotServed {
        "no text messages are sent to this country"
    } else if reason == Reason::SmsNumberLimit {
        "this number has had its text messages of the day; try again tomorrow"
    } else {
        "no text message can be sent to this number"
    }
}

/// A text that could be a number: a plus, and digits as people write them.
pub(crate) fn shaped(text: &str) -> Result<String, &'static str> {
    let is_written_so = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '.' | '-');
    let is_shaped = text
        .strip_prefix('+')
        .is_some_and(|rest| (7..=30).contains(&rest.len()) && rest.chars().all(is_written_so));
    if is_shaped {
        Ok(text.to_owned())
    } else {
        Err("expected a phone number in E.164 such as +34600123456")
    }
}

/// A number that is written like one, and to which nothing can be sent.
pub(crate) fn unusable(detail: String) -> Problem {
    Problem::unprocessable("/phoneNumber", detail)
}

/// Here is the code.
///
/// From now on the number is mine, and text messages go there.
#[utoipa::path(
    post, path = "/notifications/verify-phone/confirm", operation_id = "confirmPhone", tag = "phone",
    request_body(content((CodeRead = "application/json"))),
    responses(
        (status = 200, body = PreferencesView, headers(("ETag" = String, description = "the version, for If-Match"))),
        open_api::ConfirmRefusals
    )
)]
pub(crate) async fn confirm<P: Ports>(
    State(ports): State<Arc<P>>,
    Extension(now): Extension<Timestamp>,
    caller: Caller,
    mut fields: Fields,
) -> Result<Response, Problem> {
    let code = fields.required("code", |text| {
        let is_code = text.len() == 6 && text.bytes().all(|digit| digit.is_ascii_digit());
        if is_code {
            Ok(text.to_owned())
        } else {
            Err("expected six digits")
        }
    });
    fields.end(&["code"])?;
    let code = code.ok_or_else(Problem::internal)?;
    let attempted = spend_an_attempt(&*ports, &caller, now).await?;
    if !ports
        .codes()
        .is_code(&caller.user, &attempted.phone, &code, &attempted.mac)
    {
        return Err(Problem::unprocessable("/code", "this is not the code that was sent"));
    }
    for _round in 0..ROUNDS {
        let kept = ports.preferences().look_up(&caller.user).await?;
        let mut to = kept.preferences.clone();
        to.phone = Some(String::from(attempted.phone.clone()));
        to.phone_verified = true;
        let source = ConsentSource::PhoneConfirmation;
        if let Changed::Done(kept) = ports
            .preferences()
            .change(&caller.user, &kept, &to, &source, now)
            .await?
        {
            // Unwritten, the code stays good for the same customer and the same number, until it expires.
            if let Err(error) = ports
                .verifications()
                .keep(&caller.user, Some(&attempted), &attempted.served())
                .await
            {
                tracing::warn!(error = domain::chain(&error), "could not note that a code has served");
            }
            return Ok(shown(&kept, ports.shop()));
        }
    }
    Err(Problem::unavailable())
}

/// Counts the guess before it is looked at, so that no number of guesses at once is more than five.
async fn spend_an_attempt<P: Ports>(ports: &P, caller: &Caller, now: Timestamp) -> Result<PhoneVerification, Problem> {
    for _round in 0..ROUNDS {
        let before = ports.verifications().look_up(&caller.user).await?;
        let before = before.ok_or_else(|| Problem::conflict(NO_CODE))?;
        let attempted = before.attempted(now).ok_or_else(|| Problem::conflict(NO_CODE))?;
        if ports
            .verifications()
            .keep(&caller.user, Some(&before), &attempted)
            .await?
        {
            return Ok(attempted);
        }
    }
    Err(Problem::unavailable())
}
