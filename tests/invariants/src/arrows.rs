//! The states of a delivery and the arrows between them, as the delivery guarantee draws them.

use crate::chronicle::{Snapshot, Terms, Writer};

/// Why a move is none that the guarantee knows, as a clause; `None` if it is one.
pub(crate) fn objection(
    channel: &str,
    from: &Snapshot,
    to: &Snapshot,
    by: Writer,
    terms: &Terms,
) -> Option<&'static str> {
    let Some(way) = way(&from.state, &to.state) else {
        return Some("there is no such arrow");
    };
    objection_to_numbers(way, from, to).or_else(|| objection_to_writer(way, channel, from, to, by, terms))
}

/// Whether the word is a state that the guarantee knows.
pub(crate) fn is_state(state: &str) -> bool {
    ARROWS.iter().any(|(from, _)| *from == state)
}

/// Whether a delivery may begin like this.
pub(crate) fn is_beginning(state: &str) -> bool {
    matches!(
        state,
        "queued" | "deferred" | "skipped" | "suppressed" | "superseded" | "expired"
    )
}

/// Whether the provider took it.
pub(crate) fn is_accepted(state: &str) -> bool {
    matches!(state, "sent" | "delivered" | "bounced" | "complained")
}

/// Whether it was never sent and never will be.
pub(crate) fn is_unsent(state: &str) -> bool {
    matches!(state, "skipped" | "suppressed" | "superseded" | "expired" | "failed")
}

/// Whether it may be claimed at some time.
pub(crate) fn is_waiting(state: &str) -> bool {
    matches!(state, "queued" | "deferred")
}

/// What has to be true of a move besides its two states.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// Claim time come, attempt + 1, a new owner who writes it.
    Claim,
    /// Written by the owner of the attempt.
    Outcome,
    /// Written by anybody: the owner that got no answer, or whoever sees that the lease is over.
    Doubt,
    /// Written by anybody who knows that the provider accepted.
    Evidence,
    /// Written by the owner that was merely slow; by others when the deadline is over and the policy sends again.
    DeadlineAgain,
    /// Written by the owner that was merely slow; by others when the deadline is over and nothing may be sent again.
    DeadlineEnd,
    /// A later decision about what nobody has claimed.
    Decision,
    /// A first decision about what no event had asked for until now.
    Asked,
    /// Generation + 1, by the operator.
    Redrive,
    /// Nothing that a snapshot shows has changed.
    Detail,
}

type Arrows = &'static [(&'static str, &'static [(&'static str, Way)])];

const ARROWS: Arrows = &[
    (
        "deferred",
        &[
            ("queued", Way::Decision),
            ("deferred", Way::Decision),
            ("sending", Way::Claim),
            ("skipped", Way::Decision),
            ("suppressed", Way::Decision),
            ("superseded", Way::Decision),
            ("expired", Way::Decision),
        ],
    ),
    (
        "queued",
        &[
            ("sending", Way::Claim),
            ("skipped", Way::Decision),
            ("suppressed", Way::Decision),
            ("superseded", Way::Decision),
            ("expired", Way::Decision),
            ("sent", Way::Evidence),
            ("delivered", Way::Evidence),
            ("bounced", Way::Evidence),
            ("complained", Way::Evidence),
        ],
    ),
    (
        "sending",
        &[
            ("sent", Way::Evidence),
            ("queued", Way::Outcome),
            ("deferred", Way::Outcome),
            ("in_doubt", Way::Doubt),
            ("failed", Way::Outcome),
            ("skipped", Way::Outcome),
            ("suppressed", Way::Outcome),
            ("superseded", Way::Outcome),
            ("expired", Way::Outcome),
            ("parked", Way::Outcome),
            ("delivered", Way::Evidence),
            ("bounced", Way::Evidence),
            ("complained", Way::Evidence),
        ],
    ),
    (
        "in_doubt",
        &[
            ("sent", Way::Evidence),
            ("queued", Way::DeadlineAgain),
            ("parked", Way::DeadlineAgain),
            ("failed", Way::DeadlineEnd),
            ("in_doubt", Way::Outcome),
            ("deferred", Way::Outcome),
            ("skipped", Way::Outcome),
            ("suppressed", Way::Outcome),
            ("superseded", Way::Outcome),
            ("expired", Way::Outcome),
            ("delivered", Way::Evidence),
            ("bounced", Way::Evidence),
            ("complained", Way::Evidence),
        ],
    ),
    (
        "sent",
        &[
            ("delivered", Way::Evidence),
            ("bounced", Way::Evidence),
            ("complained", Way::Evidence),
            ("sent", Way::Detail),
        ],
    ),
    (
        "delivered",
        &[
            ("bounced", Way::Evidence),
            ("complained", Way::Evidence),
            ("delivered", Way::Detail),
        ],
    ),
    ("bounced", &[("complained", Way::Evidence), ("bounced", Way::Detail)]),
    ("complained", &[("complained", Way::Detail)]),
    (
        "parked",
        &[
            ("queued", Way::Redrive),
            ("parked", Way::Detail),
            ("sent", Way::Evidence),
            ("delivered", Way::Evidence),
            ("bounced", Way::Evidence),
            ("complained", Way::Evidence),
        ],
    ),
    (
        "skipped",
        &[
            ("queued", Way::Asked),
            ("deferred", Way::Asked),
            ("skipped", Way::Asked),
            ("suppressed", Way::Asked),
            ("superseded", Way::Asked),
            ("expired", Way::Asked),
        ],
    ),
    ("suppressed", &[]),
    ("superseded", &[]),
    ("expired", &[]),
    ("failed", &[]),
];

fn way(from: &str, to: &str) -> Option<Way> {
    let (_, arrows) = ARROWS.iter().find(|(state, _)| *state == from)?;
    let (_, way) = arrows.iter().find(|(state, _)| *state == to)?;
    Some(*way)
}

fn objection_to_numbers(way: Way, from: &Snapshot, to: &Snapshot) -> Option<&'static str> {
    let claims = u32::from(way == Way::Claim);
    let redrives = u32::from(way == Way::Redrive);
    if from.attempt.checked_add(claims) != Some(to.attempt) {
        return Some(if claims == 1 {
            "a claim adds one to the attempt"
        } else {
            "only a claim changes the attempt"
        });
    }
    if from.generation.checked_add(redrives) != Some(to.generation) {
        return Some(if redrives == 1 {
            "a redrive adds one to the generation"
        } else {
            "only a redrive changes the generation"
        });
    }
    if way != Way::Claim && to.owner.is_some() && to.owner != from.owner {
        return Some("only a claim changes the owner");
    }
    if to.claimable && !is_waiting(&to.state) {
        return Some("what is not waiting can be claimed");
    }
    None
}

fn objection_to_writer(
    way: Way,
    channel: &str,
    from: &Snapshot,
    to: &Snapshot,
    by: Writer,
    terms: &Terms,
) -> Option<&'static str> {
    if (by == Writer::Operator) != (way == Way::Redrive) {
        return Some("an operator queues parked deliveries again, and does nothing else, and nobody else does");
    }
    let is_owner = |snapshot: &Snapshot| snapshot.owner.map(Writer::Invocation) == Some(by);
    // A note that is put into an inbox again is the same note, whatever the policy says of e-mails.
    let sent_again = (channel == "email" && terms.resend_in_doubt) || channel == "in_app";
    match way {
        Way::Claim if !from.claimable => Some("its claim time has not come"),
        Way::Claim if !is_owner(to) => Some("whoever claims becomes the owner"),
        Way::Claim if from.owner == to.owner => Some("the new owner is the old one"),
        Way::Outcome if !is_owner(from) => Some("only its owner may write this"),
        Way::DeadlineAgain if !sent_again && !is_owner(from) => {
            Some("a doubt about this channel is not sent again under this policy")
        }
        Way::DeadlineEnd if sent_again && !is_owner(from) => Some("a doubt about this channel is sent again"),
        Way::Asked if from.reason.as_deref() != Some("not_asked_for") => {
            Some("only what was not asked for is reopened")
        }
        Way::Detail if from.reason != to.reason || from.owner != to.owner => {
            Some("only details may change in a state that stays")
        }
        Way::Claim
        | Way::Outcome
        | Way::Doubt
        | Way::Evidence
        | Way::DeadlineAgain
        | Way::DeadlineEnd
        | Way::Decision
        | Way::Asked
        | Way::Redrive
        | Way::Detail => None,
    }
}
