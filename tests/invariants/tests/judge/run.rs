//! Writes chronicles as a correct system would, until a test says otherwise.

use std::collections::BTreeMap;

use invariants::{Ending, Entry, Fate, Forgotten, Invariant, Key, Snapshot, Terms, Verdict, What, Writer, check};

pub(crate) const EMAIL: Key = Key {
    fact: 1,
    channel: "email",
};
pub(crate) const SMS: Key = Key {
    fact: 1,
    channel: "sms",
};
pub(crate) const NOTE: Key = Key {
    fact: 1,
    channel: "in_app",
};
/// Of every delivery here.
pub(crate) const CUSTOMER: u32 = 7;
/// The invocation that takes in.
pub(crate) const INTAKE: u64 = 1;

/// A chronicle under construction. Every step takes a second.
#[derive(Clone, Default)]
pub(crate) struct Run {
    pub(crate) chronicle: Vec<Entry>,
    pub(crate) held: BTreeMap<Key, Snapshot>,
    pub(crate) waiting_messages: u64,
    pub(crate) terms: Terms,
}

impl Run {
    /// Message 1 about fact 1 was taken in, its delivery waits.
    pub(crate) fn with(delivery: Key) -> Self {
        let mut run = Self::default();
        run.publish(1, Some(delivery.fact))
            .open(delivery, "queued", None)
            .metrics(INTAKE, &[("NotificationSent", 1)])
            .forget(1, Forgotten::Done);
        run
    }

    /// The same, and invocation 2 has claimed it.
    pub(crate) fn claimed(delivery: Key) -> Self {
        let mut run = Self::with(delivery);
        run.claim(delivery, 2);
        run
    }

    /// The same, and invocation 2 has sent it.
    pub(crate) fn sent(delivery: Key) -> Self {
        let mut run = Self::claimed(delivery);
        run.offer(delivery, 2)
            .accept(delivery, 20, 2)
            .step(delivery, "sent", 2)
            .succeed(delivery, 2);
        run
    }

    /// The same, but the reply was lost with its caller, and the delivery is in doubt.
    pub(crate) fn doubtful(delivery: Key) -> Self {
        let mut run = Self::claimed(delivery);
        run.offer(delivery, 2)
            .accept(delivery, 20, 2)
            .tell(What::ReplyLost {
                delivery,
                message_id: 20,
            })
            .tell(What::Killed { by: 2 })
            .step(delivery, "in_doubt", 3);
        run
    }

    /// The same, but it was parked, and its letter is there.
    pub(crate) fn parked(delivery: Key) -> Self {
        let mut run = Self::claimed(delivery);
        run.offer(delivery, 2)
            .tell(What::Refused { delivery, by: 2 })
            .step_for(delivery, "parked", "not_taken", 2)
            .letter(delivery)
            .step(delivery, "parked", 2)
            .fail(delivery, 2);
        run
    }

    pub(crate) fn tell(&mut self, what: What) -> &mut Self {
        let at_ms = i64::try_from(self.chronicle.len()).unwrap() * 1_000;
        self.chronicle.push(Entry { at_ms, what });
        self
    }

    pub(crate) fn publish(&mut self, message: u64, fact: Option<u32>) -> &mut Self {
        self.tell(What::Published { message, fact })
    }

    pub(crate) fn forget(&mut self, message: u64, to: Forgotten) -> &mut Self {
        self.tell(What::SourceForgot { message, to })
    }

    pub(crate) fn open(&mut self, delivery: Key, state: &'static str, reason: Option<&'static str>) -> &mut Self {
        let snapshot = Snapshot {
            state: state.into(),
            attempt: 0,
            generation: 0,
            owner: None,
            reason: reason.map(Into::into),
            claimable: is_waiting(state),
        };
        self.held.insert(delivery, snapshot);
        self.tell(What::Opened {
            delivery,
            state: state.into(),
            reason: reason.map(Into::into),
            by: Writer::Invocation(INTAKE),
        })
    }

    /// Any move at all.
    pub(crate) fn change(&mut self, delivery: Key, by: Writer, change: impl FnOnce(&mut Snapshot)) -> &mut Self {
        let from = self.held[&delivery].clone();
        let mut to = from.clone();
        change(&mut to);
        self.held.insert(delivery, to.clone());
        self.tell(What::Moved { delivery, from, to, by })
    }

    pub(crate) fn claim(&mut self, delivery: Key, by: u64) -> &mut Self {
        self.change(delivery, Writer::Invocation(by), |value| {
            value.state = "sending".into();
            value.attempt += 1;
            value.owner = Some(by);
            value.claimable = false;
        })
    }

    pub(crate) fn step(&mut self, delivery: Key, state: &'static str, by: u64) -> &mut Self {
        self.change(delivery, Writer::Invocation(by), |value| {
            value.state = state.into();
            value.claimable = is_waiting(state);
        })
    }

    pub(crate) fn step_for(&mut self, delivery: Key, state: &'static str, reason: &'static str, by: u64) -> &mut Self {
        self.change(delivery, Writer::Invocation(by), |value| {
            value.state = state.into();
            value.claimable = is_waiting(state);
            value.reason = Some(reason.into());
        })
    }

    pub(crate) fn redrive(&mut self, delivery: Key) -> &mut Self {
        self.change(delivery, Writer::Operator, |value| {
            value.state = "queued".into();
            value.claimable = true;
            value.generation += 1;
            value.reason = None;
        });
        let generation = self.held[&delivery].generation;
        self.tell(What::Redriven { delivery, generation })
    }

    pub(crate) fn look(&mut self, by: u64) -> &mut Self {
        self.tell(What::Looked { customer: CUSTOMER, by })
    }

    pub(crate) fn offer(&mut self, delivery: Key, by: u64) -> &mut Self {
        self.tell(What::Offered {
            delivery,
            customer: CUSTOMER,
            by,
        })
    }

    pub(crate) fn accept(&mut self, delivery: Key, message_id: u64, by: u64) -> &mut Self {
        self.tell(What::Accepted {
            delivery,
            message_id,
            by,
        })
    }

    pub(crate) fn event(&mut self, delivery: Key, message_id: u64, fate: Fate) -> &mut Self {
        self.tell(What::SendEvent {
            delivery,
            message_id,
            fate,
        })
    }

    pub(crate) fn letter(&mut self, delivery: Key) -> &mut Self {
        self.tell(What::DeadLettered {
            queue: "channel-dead-letters".into(),
            message: None,
            delivery: Some(delivery),
            reason: Some("not_taken".into()),
        })
    }

    pub(crate) fn metrics(&mut self, by: u64, counts: &[(&'static str, u64)]) -> &mut Self {
        let counts = counts.iter().map(|(name, count)| ((*name).into(), *count)).collect();
        self.tell(What::Metrics { by, counts })
    }

    pub(crate) fn succeed(&mut self, delivery: Key, by: u64) -> &mut Self {
        let name = match delivery.channel {
            "email" => "EmailNotificationSuccess",
            "sms" => "SmsNotificationSuccess",
            _ => "InAppNotificationSuccess",
        };
        self.metrics(by, &[(name, 1)])
    }

    pub(crate) fn fail(&mut self, delivery: Key, by: u64) -> &mut Self {
        let name = match delivery.channel {
            "email" => "EmailNotificationFailure",
            "sms" => "SmsNotificationFailure",
            _ => "InAppNotificationFailure",
        };
        self.metrics(by, &[(name, 1)])
    }

    pub(crate) fn resend(&mut self, delivery: Key, by: u64) -> &mut Self {
        let name = match delivery.channel {
            "email" => "EmailNotificationResentInDoubt",
            _ => "InAppNotificationResentInDoubt",
        };
        self.step(delivery, "queued", by).metrics(by, &[(name, 1)])
    }

    /// Claimed, offered, accepted, written down and counted by one invocation, with its number × 10 as the message's.
    pub(crate) fn send(&mut self, delivery: Key, by: u64) -> &mut Self {
        self.claim(delivery, by)
            .offer(delivery, by)
            .accept(delivery, by * 10, by)
            .step(delivery, "sent", by)
            .succeed(delivery, by)
    }

    pub(crate) fn verdict(&self) -> Verdict {
        let ending = Ending {
            deliveries: self.held.iter().map(|(key, value)| (*key, value.clone())).collect(),
            waiting_messages: self.waiting_messages,
        };
        check(&self.chronicle, &ending, &self.terms)
    }

    /// Which invariants are broken, each once.
    pub(crate) fn broken(&self) -> Vec<Invariant> {
        let mut broken: Vec<_> = self
            .verdict()
            .violations
            .iter()
            .map(|violation| violation.invariant)
            .collect();
        broken.sort_unstable();
        broken.dedup();
        broken
    }

    /// Every violation, as sentences.
    pub(crate) fn said(&self) -> String {
        self.verdict().to_string()
    }
}

fn is_waiting(state: &str) -> bool {
    matches!(state, "queued" | "deferred")
}

/// One of everything: an e-mail accepted twice because nobody could know, an SMS that was parked, redriven and sent, an
/// e-mail that an opt-out caught in time, and a message that nobody can read.
pub(crate) fn one_of_everything() -> Run {
    let stopped = Key {
        fact: 2,
        channel: "email",
    };
    let mut run = Run::default();
    run.terms.personal = vec!["anna@example.com".to_owned()];
    run.publish(1, Some(1))
        .open(EMAIL, "queued", None)
        .open(SMS, "skipped", Some("not_asked_for"))
        .forget(1, Forgotten::Done)
        .publish(2, None)
        .tell(What::DeadLettered {
            queue: "notifications-dead-letters".into(),
            message: Some(2),
            delivery: None,
            reason: Some("body".into()),
        })
        .forget(2, Forgotten::Done)
        .publish(3, Some(1))
        .step(SMS, "queued", INTAKE)
        .publish(4, Some(2))
        .open(stopped, "deferred", None)
        .metrics(INTAKE, &[("NotificationSent", 2)])
        .forget(3, Forgotten::Done)
        .forget(4, Forgotten::Done)
        // The e-mail.
        .claim(EMAIL, 2)
        .offer(EMAIL, 2)
        .accept(EMAIL, 20, 2)
        .tell(What::ReplyLost {
            delivery: EMAIL,
            message_id: 20,
        })
        .tell(What::Killed { by: 2 })
        .event(EMAIL, 20, Fate::Lost)
        .step(EMAIL, "in_doubt", 3)
        .resend(EMAIL, 3)
        .send(EMAIL, 4)
        .event(EMAIL, 40, Fate::Delivered)
        .step(EMAIL, "delivered", 5)
        // The SMS.
        .claim(SMS, 6)
        .offer(SMS, 6)
        .tell(What::Refused { delivery: SMS, by: 6 })
        .step_for(SMS, "parked", "not_taken", 6)
        .letter(SMS)
        .step(SMS, "parked", 6)
        .fail(SMS, 6)
        .redrive(SMS)
        .send(SMS, 7)
        // The opt-out.
        .tell(What::OptedOut {
            customer: CUSTOMER,
            channel: "email",
        })
        .claim(stopped, 8)
        .step_for(stopped, "skipped", "opted_out", 8)
        .tell(What::LogLine {
            text: "worked on 1 email deliveries".to_owned(),
        });
    run
}

#[test]
fn whatever_a_correct_system_does_is_right() {
    assert_eq!(
        one_of_everything().said(),
        "All invariants hold.\nExempt from I2: the email of fact 1 was accepted 2 times, because the reply to the first \
         and its `Send` event were lost."
    );
}

#[test]
fn a_verdict_says_how_much_happened() {
    let counts = one_of_everything().verdict().counts;
    let mut twice = counts;
    twice += counts;
    assert_eq!(
        (counts.opened, counts.offered, counts.accepted, counts.claimed),
        (3, 4, 3, 5)
    );
    assert_eq!((twice.opened, twice.moved), (6, 2 * counts.moved));
}
