//! Why a delivery stands where it stands, in a sentence each: states, our own reasons, and what providers answer.
//!
//! The one table behind `ops explain`. A state or a reason that is added to the domain does not compile until it is told here.

use domain::{Channel, Reason, State};

/// What it means that a delivery stands here.
pub(crate) const fn of_state(state: State) -> &'static str {
    match state {
        State::Deferred => {
            "It waits for its time: the event's scheduledFor lies ahead, or the customer's quiet hours are not over."
        }
        State::Queued => "It was handed over, and may be claimed by a sender now or after a wait.",
        State::Sending => "A sender holds it and may be talking to the provider.",
        State::InDoubt => "The provider may or may not have taken it, so that it is not simply sent again.",
        State::Sent => "The provider accepted it; what became of it afterwards has not been reported, or not yet.",
        State::Delivered => "The provider delivered it: the recipient's server or phone has it.",
        State::Bounced => "The provider accepted it, and it came back or was not handed out.",
        State::Complained => "The provider delivered it, and the recipient called it unwanted.",
        State::Parked => "It was set aside: nobody sends it before an operator says so.",
        State::Skipped => "It was never sent: it is not wanted, or there is nowhere to send it.",
        State::Suppressed => "It was never sent: nothing is sent to this address.",
        State::Superseded => "It was never sent: newer news of the same order or parcel made it untrue.",
        State::Expired => "It was never sent: it is too old for anyone to want it.",
        State::Failed => "It could not be sent, for good.",
    }
}

/// The rule behind a reason of ours.
pub(crate) const fn of_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::OptedOut => {
            "The customer does not want this type or status by this channel: by a stored choice, or by the default where none is stored."
        }
        Reason::NotAskedFor => {
            "The event names channels, and this is none of them; or the e-mail function was called directly."
        }
        Reason::NoAddress => "Neither the event nor the customer's preferences have an address for this channel.",
        Reason::InvalidAddress => {
            "The address is not one that SES takes, or the number is not one that its country knows. The event's own address wins over the stored one."
        }
        Reason::PhoneNotVerified => {
            "Advertising and tests by SMS are sent to verified phones only, and phoneVerified is not true."
        }
        Reason::CountryNotServed => {
            "The number belongs to a country to which no text messages are sent (the parameter SmsCountries)."
        }
        Reason::SmsNumberLimit => {
            "The number has had its text messages of the day (the parameter SmsPerNumberPerDay; urgent ones go out up to twice that)."
        }
        Reason::SmsBudgetUsedUp => {
            "The month's segments are used up (the parameter SmsMonthlySegments), or the four fifths of them that are for what is not urgent."
        }
        Reason::NotOffered => "There is no sender for this channel.",
        Reason::TooOld => "The fact was more than 60 days old when it was decided upon, or when its turn came.",
        Reason::HeldTooLong => "It could not be sent for four days after it was due.",
        Reason::InDoubt => {
            "Nobody settled the doubt before its deadline (InDoubtSeconds): the provider may have taken the earlier try."
        }
        Reason::HardBounce => {
            "The mailbox or the number does not exist: an earlier message to this address came back for good."
        }
        Reason::Complaint => "The recipient called a message from us unwanted.",
        Reason::SoftBounces => {
            "Several messages to this address came back within a week, so that nothing is sent there for two weeks."
        }
        Reason::SmsOptedOut => "The number answered STOP, or its carrier blocks us.",
        Reason::SuppressedByOperator => "An operator suppressed the address: ops suppression show tells who, and why.",
        Reason::Superseded => "Newer news of the same order or parcel came while it waited.",
        Reason::Erased => "The customer was erased before it was sent.",
        Reason::QuietHours => {
            "It rings (text messages, pushes and advertising do), and the customer kept quiet hours: those stored, else the parameter \
             DefaultQuietHours, in the customer's zone. An event with the priority urgent does not wait."
        }
    }
}

/// The first reason of the list that [`after`] continues.
const FIRST: Reason = Reason::OptedOut;

/// The reason after this one. A match, so that a new reason does not compile until it is part of the list.
const fn after(reason: Reason) -> Option<Reason> {
    match reason {
        Reason::OptedOut => Some(Reason::NotAskedFor),
        Reason::NotAskedFor => Some(Reason::NoAddress),
        Reason::NoAddress => Some(Reason::InvalidAddress),
        Reason::InvalidAddress => Some(Reason::PhoneNotVerified),
        Reason::PhoneNotVerified => Some(Reason::CountryNotServed),
        Reason::CountryNotServed => Some(Reason::SmsNumberLimit),
        Reason::SmsNumberLimit => Some(Reason::SmsBudgetUsedUp),
        Reason::SmsBudgetUsedUp => Some(Reason::NotOffered),
        Reason::NotOffered => Some(Reason::TooOld),
        Reason::TooOld => Some(Reason::HeldTooLong),
        Reason::HeldTooLong => Some(Reason::InDoubt),
        Reason::InDoubt => Some(Reason::HardBounce),
        Reason::HardBounce => Some(Reason::Complaint),
        Reason::Complaint => Some(Reason::SoftBounces),
        Reason::SoftBounces => Some(Reason::SmsOptedOut),
        Reason::SmsOptedOut => Some(Reason::SuppressedByOperator),
        Reason::SuppressedByOperator => Some(Reason::Superseded),
        Reason::Superseded => Some(Reason::Erased),
        Reason::Erased => Some(Reason::QuietHours),
        Reason::QuietHours => None,
    }
}

/// Every reason of ours.
pub(crate) fn all() -> impl Iterator<Item = Reason> {
    std::iter::successors(Some(FIRST), |reason| after(*reason))
}

/// What providers answer, by the code that the ledger keeps.
const ANSWERS: [(&str, &str); 32] = [
    (
        "TooManyRequestsException",
        "The provider asked for patience: too many messages per second. No try is used up.",
    ),
    (
        "ThrottlingException",
        "The provider asked for patience. Where it spoke of the daily quota, the account's quota is used up. No try is used up.",
    ),
    ("Throttling", "The provider asked for patience. No try is used up."),
    (
        "ThrottledException",
        "The provider asked for patience. No try is used up.",
    ),
    ("Throttled", "The provider asked for patience. No try is used up."),
    (
        "RequestLimitExceeded",
        "The provider asked for patience. No try is used up.",
    ),
    (
        "LimitExceededException",
        "A limit of the account's resources at SES is reached: somebody has to raise it. No try is used up.",
    ),
    (
        "SendingPausedException",
        "Sending is paused for the account or for the configuration set. No try is used up.",
    ),
    (
        "AccountSuspendedException",
        "SES has shut the account down for sending. No try is used up.",
    ),
    (
        "MailFromDomainNotVerifiedException",
        "The MAIL FROM domain of the sender is not verified. No try is used up.",
    ),
    (
        "NotFoundException",
        "SES does not find the sender's identity or the configuration set. No try is used up.",
    ),
    (
        "MessageRejected",
        "SES refused the message: its content is bad; or, where it is tried again, the sender (in the sandbox the recipient) is not verified.",
    ),
    (
        "BadRequestException",
        "SES says that the request for this message is not valid: trying again would not help.",
    ),
    (
        "AccessDenied",
        "The function's role lacks the permission to send. No try is used up.",
    ),
    (
        "AccessDeniedException",
        "The function's role lacks the permission to send. No try is used up.",
    ),
    (
        "AuthorizationError",
        "The function's role lacks the permission to send. No try is used up.",
    ),
    (
        "OptInRequired",
        "The account is not signed up for the service in this region. No try is used up.",
    ),
    (
        "InvalidClientTokenId",
        "The function's credentials are not valid. No try is used up.",
    ),
    (
        "UnrecognizedClientException",
        "The function's credentials are not valid. No try is used up.",
    ),
    (
        "ExpiredToken",
        "The function's credentials have run out. No try is used up.",
    ),
    (
        "ExpiredTokenException",
        "The function's credentials have run out. No try is used up.",
    ),
    (
        "SignatureDoesNotMatch",
        "The function's credentials are not valid. No try is used up.",
    ),
    (
        "InvalidSignatureException",
        "The function's credentials are not valid. No try is used up.",
    ),
    (
        "InvalidParameter",
        "SNS says that the number or the text is not valid: trying again would not help.",
    ),
    (
        "InvalidParameterValue",
        "SNS says that the number or the text is not valid: trying again would not help.",
    ),
    (
        "ParameterValueInvalid",
        "SNS says that the number or the text is not valid: trying again would not help.",
    ),
    (
        "InvalidParameterException",
        "SNS says that the number or the text is not valid: trying again would not help.",
    ),
    (
        "ValidationError",
        "SNS says that the number or the text is not valid: trying again would not help.",
    ),
    (
        "ValidationException",
        "SNS says that the number or the text is not valid: trying again would not help.",
    ),
    ("InternalError", "The provider itself had an error."),
    ("ServiceUnavailable", "The provider was not available."),
    (
        "KMSThrottlingException",
        "The key service asked SNS for patience; it counts as a try.",
    ),
];

/// What was reported after a message was accepted, by the code that the ledger keeps; of bounces the part before the colon.
const REPORTS: [(&str, &str); 12] = [
    (
        "soft_bounce",
        "It came back for a passing reason, such as a full mailbox or a server that was away.",
    ),
    (
        "hard_bounce",
        "It came back for good: the mailbox does not exist, or never takes anything.",
    ),
    (
        "rejected_after_acceptance",
        "SES took it and found afterwards that it holds a virus or cannot be rendered: it was not delivered.",
    ),
    (
        "phone_blocks_sms",
        "The phone blocks text messages, or is on a list of blocked numbers.",
    ),
    ("invalid_phone_number", "The carrier says that there is no such number."),
    (
        "blocked_as_spam",
        "The carrier took the text for spam and did not deliver it.",
    ),
    (
        "blocked_by_carrier",
        "The carrier blocks messages to this number, or from this sender.",
    ),
    ("carrier_unreachable", "The carrier could not be reached."),
    ("phone_unreachable", "The phone could not be reached."),
    ("invalid_message", "The carrier says that the text is not valid."),
    (
        "above_max_price",
        "The text would have cost more than the account's highest price per message.",
    ),
    (
        "unknown_carrier_error",
        "The carrier did not deliver it, and gave a cause for which SNS has no words.",
    ),
];

/// What our own functions say, by the beginning of their words.
const OWN: [(&str, &str); 20] = [
    (
        "the sender that held it is gone",
        "The invocation that held it ended without saying how the call went.",
    ),
    (
        "no answer in time",
        "The provider did not answer within ten seconds: it may have taken the message.",
    ),
    (
        "the connection broke",
        "The connection broke after the request was on its way: the provider may have taken the message.",
    ),
    (
        "an answer that cannot be read",
        "The provider answered something that cannot be read: it may have taken the message.",
    ),
    (
        "an error of a new kind",
        "The call failed in a way that says nothing about whether the provider took the message.",
    ),
    (
        "panicked while sending",
        "The function crashed during the call: the provider may have taken the message.",
    ),
    (
        "panicked while writing the message",
        "The function crashed before the call: nothing was sent, and one try is used up.",
    ),
    (
        "no connection",
        "The provider could not be reached: nothing was sent, and one try is used up.",
    ),
    (
        "no request could be made",
        "The function had no credentials: nothing was sent. No try is used up.",
    ),
    (
        "the request could not be built",
        "The call could not be put together: this message is bad.",
    ),
    (
        "the message could not be built",
        "The message could not be put together: this message is bad.",
    ),
    (
        "the message tags could not be built",
        "The tags that name the delivery could not be put together: this message is bad.",
    ),
    (
        "the message attributes could not be built",
        "The attributes of the text message could not be put together: this message is bad.",
    ),
    (
        "no time left in this invocation",
        "The invocation was about to end, so that it gave the delivery back untried.",
    ),
    ("could not render the", "A template of ours is broken."),
    (
        "could not read preferences",
        "The tables of preferences and suppressions could not be read when its turn came. No try is used up.",
    ),
    (
        "could not ",
        "A table or a queue of ours could not be reached when its turn came. No try is used up.",
    ),
    (
        "the account is in trouble",
        "The account is in trouble, so that nothing is offered by this channel. No try is used up.",
    ),
    ("redriven by", "An operator sent it again."),
    ("others are busy with it", "Several senders were after it at once."),
];

/// What stands behind a reason, in a sentence; there is always one.
pub(crate) fn of(channel: Channel, state: State, reason: &str) -> String {
    // What was accepted speaks of this message, what was not of the address.
    if state.is_accepted()
        && let Some(words) = report(reason)
    {
        return words.to_owned();
    }
    if state == State::InDoubt && channel == Channel::Sms && reason == Reason::InDoubt.code() {
        return of_reason(Reason::InDoubt).to_owned();
    }
    if let Some(ours) = all().find(|ours| ours.code() == reason) {
        return of_reason(ours).to_owned();
    }
    if let Some((_, words)) = OWN.iter().find(|(begin, _)| reason.starts_with(begin)) {
        return (*words).to_owned();
    }
    if let Some(code) = reason.strip_suffix(", several in a row") {
        return format!(
            "{code} came several times in a row, which speaks of the account rather than of one message. No try is used up."
        );
    }
    if let Some((code, status)) = reason.split_once(" with status ") {
        return format!(
            "The provider answered with an error of its own ({code}, HTTP status {status}), which says nothing about whether it took the message."
        );
    }
    if let Some((_, words)) = ANSWERS.iter().find(|(code, _)| *code == reason) {
        return (*words).to_owned();
    }
    if let Some(words) = report(reason) {
        return words.to_owned();
    }
    format!("{} answered {reason}, which {}.", provider(channel), classified(state))
}

fn report(reason: &str) -> Option<&'static str> {
    let code = reason.split(':').next().unwrap_or(reason);
    if code == "complaint" {
        return Some("The recipient called this message unwanted.");
    }
    if code == "sms_opted_out" {
        return Some("The number had opted out at the carrier, so that the text was not delivered.");
    }
    REPORTS
        .iter()
        .find(|(known, _)| *known == code)
        .map(|(_, words)| *words)
}

/// How a code that stands in no table was taken.
const fn classified(state: State) -> &'static str {
    match state {
        State::Deferred | State::Queued => "counts as not taken and worth another try",
        State::Sending => "counts as not taken; another try is under way",
        State::InDoubt => "says nothing about whether the message was taken",
        State::Sent | State::Delivered => "did not keep the message from being accepted",
        State::Bounced | State::Complained => "it reported after it had accepted the message",
        State::Parked => "used up the last of the tries",
        State::Skipped | State::Suppressed | State::Superseded | State::Expired => {
            "speaks against sending the message at all"
        }
        State::Failed => "counts as a refusal for good: trying again would not help",
    }
}

const fn provider(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "SES",
        Channel::Sms => "SNS",
        Channel::InApp => "The table of inboxes",
        Channel::Push => "The provider",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::SuppressionReason;

    /// Every reason that some way of ours writes into the ledger, and some that no table knows.
    fn plausible() -> Vec<String> {
        let ours = all().map(|reason| reason.code().to_owned());
        let tables = ANSWERS
            .iter()
            .chain(&REPORTS)
            .chain(&OWN)
            .map(|(code, _)| (*code).to_owned());
        let others = [
            "hard_bounce: General",
            "soft_bounce: MailboxFull",
            "complaint",
            "InternalFailure with status 500",
            "no error code with status 503",
            "MessageRejected, several in a row",
            "could not render the template payment_failed/email/es: undefined value",
            "could not look up a suppression: ThrottlingException with status 400",
            "redriven by ana: the quota was raised",
            "SomethingNewException",
            "no error code",
        ];
        ours.chain(tables).chain(others.map(str::to_owned)).collect()
    }

    fn is_a_sentence(text: &str) -> bool {
        text.ends_with('.') && text.len() > 20 && !text.to_lowercase().contains("unknown")
    }

    #[test]
    fn every_state_with_every_reason_is_explained() {
        for channel in Channel::ALL {
            for state in State::ALL {
                assert!(is_a_sentence(of_state(state)), "{state}");
                for reason in plausible() {
                    let words = of(channel, state, &reason);
                    assert!(is_a_sentence(&words), "{channel} {state} {reason}: {words}");
                }
            }
        }
    }

    #[test]
    fn the_list_of_reasons_has_each_once() {
        let mut codes: Vec<&str> = all().map(Reason::code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert!(count == 20 && codes.len() == count, "{codes:?}");
        assert!(
            SuppressionReason::ALL
                .iter()
                .all(|reason| codes.contains(&reason.name()))
        );
    }

    #[test]
    fn a_bounce_of_this_message_is_told_apart_from_one_before() {
        let bounced = of(Channel::Email, State::Bounced, "hard_bounce: General");
        let suppressed = of(Channel::Email, State::Suppressed, "hard_bounce");
        assert!(bounced.starts_with("It came back") && suppressed.contains("earlier message"));
    }

    #[test]
    fn a_code_that_no_table_knows_is_told_by_how_it_was_taken() {
        assert_eq!(
            of(Channel::Sms, State::Parked, "BrandNewException"),
            "SNS answered BrandNewException, which used up the last of the tries."
        );
    }
}
