//! One delivery explained: the decision and its rule, the steps, where it stands, and what happens next.

use domain::{Breaker, Channel, Delivery, Reason, State, Written};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;

use crate::output::{counted, moment, moment_from};
use crate::reasons;

/// What there is to tell of one delivery.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    state: State,
    reason: Option<String>,
    decision: &'static str,
    rule: String,
    /// What the state means.
    meaning: &'static str,
    /// What stands behind the reason.
    why: Option<String>,
    steps: Vec<Step>,
    attempts: u32,
    failures: u32,
    generation: u32,
    lease: Option<Lease>,
    message_id: Option<String>,
    /// How the message was written that was offered last.
    written: Option<Writing>,
    opened_at: Option<Timestamp>,
    clicked_at: Option<Timestamp>,
    is_dead_lettered: bool,
    breaker: Option<OpenBreaker>,
    next: String,
    next_at: Option<Timestamp>,
    pub(super) needs_a_person: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Step {
    state: State,
    reason: Option<String>,
    why: Option<String>,
    attempt: u32,
    at: Timestamp,
    times: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Writing {
    language: &'static str,
    template: String,
    encoding: Option<String>,
    segments: Option<u8>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Lease {
    owner: String,
    until: Timestamp,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OpenBreaker {
    reason: String,
    since: Timestamp,
    probe_at: Timestamp,
}

impl Told {
    pub(super) fn of(channel: Channel, delivery: &Delivery, breaker: Option<&Breaker>, now: Timestamp) -> Self {
        let (decision, rule) = decision(channel, delivery);
        let breaker = breaker
            .filter(|_| delivery.state.is_open())
            .and_then(|breaker| match breaker {
                Breaker::Closed => None,
                Breaker::Open {
                    since,
                    reason,
                    probe_at,
                    ..
                } => Some(OpenBreaker {
                    reason: reason.clone(),
                    since: *since,
                    probe_at: *probe_at,
                }),
            });
        let (next, next_at) = next(channel, delivery, breaker.as_ref(), now);
        let why =
            |state: State, reason: &Option<String>| reason.as_ref().map(|reason| reasons::of(channel, state, reason));
        let past = delivery.trail.iter().map(|past| Step {
            state: past.state,
            reason: past.reason.clone(),
            why: why(past.state, &past.reason),
            attempt: past.attempt,
            at: past.at,
            times: past.times,
        });
        let present = Step {
            state: delivery.state,
            reason: delivery.reason.clone(),
            why: why(delivery.state, &delivery.reason),
            attempt: delivery.attempt,
            at: delivery.changed_at,
            times: 1,
        };
        Self {
            state: delivery.state,
            reason: delivery.reason.clone(),
            decision,
            rule,
            meaning: reasons::of_state(delivery.state),
            why: why(delivery.state, &delivery.reason),
            steps: past.chain([present]).collect(),
            attempts: delivery.attempt,
            failures: delivery.failures,
            generation: delivery.generation,
            lease: delivery.lease.as_ref().map(|lease| Lease {
                owner: lease.owner.clone(),
                until: lease.until,
            }),
            message_id: delivery.message_id.clone(),
            written: delivery.written.as_ref().map(Writing::of),
            opened_at: delivery.opened_at,
            clicked_at: delivery.clicked_at,
            is_dead_lettered: delivery.is_dead_lettered,
            breaker,
            next,
            next_at,
            needs_a_person: delivery.state == State::Parked,
        }
    }

    pub(super) fn headline(&self) -> String {
        match &self.reason {
            Some(reason) => format!("{} ({reason})", self.state),
            None => self.state.to_string(),
        }
    }

    pub(super) fn write(&self, f: &mut fmt::Formatter<'_>, now: Timestamp) -> fmt::Result {
        writeln!(f, "    {}", self.meaning)?;
        // What was decided against is told by its rule, below.
        if let Some(why) = self.why.as_ref().filter(|why| **why != self.rule) {
            writeln!(f, "    {why}")?;
        }
        writeln!(f, "    decided         {}", self.decision)?;
        writeln!(f, "    because         {}", self.rule)?;
        for (index, step) in self.steps.iter().enumerate() {
            let label = if index == 0 { "steps" } else { "" };
            write!(f, "    {label:<15} {}  {}", moment(step.at), step.state)?;
            if let Some(reason) = &step.reason {
                write!(f, " ({reason})")?;
            }
            if step.attempt > 0 {
                write!(f, ", attempt {}", step.attempt)?;
            }
            if step.times > 1 {
                write!(f, ", the last of {} times in a row", step.times)?;
            }
            writeln!(f)?;
            // The present one was explained above.
            if let Some(why) = step.why.as_ref().filter(|_| index + 1 < self.steps.len()) {
                writeln!(f, "    {:<15} {:<25}{why}", "", "")?;
            }
        }
        if self.attempts > 0 {
            write!(
                f,
                "    attempts        {}, of which {} used up a try",
                self.attempts, self.failures
            )?;
            match self.generation {
                0 => writeln!(f)?,
                times => writeln!(f, "; sent again by an operator {times} times")?,
            }
        }
        if let Some(lease) = self.lease.as_ref().filter(|_| self.state == State::Sending) {
            writeln!(
                f,
                "    held by         invocation {} until {}",
                lease.owner,
                moment_from(lease.until, now)
            )?;
        }
        if let Some(message_id) = &self.message_id {
            writeln!(f, "    message id      {message_id}")?;
        }
        if let Some(written) = &self.written {
            writeln!(f, "    written         {written}")?;
        }
        for (label, at) in [("opened", self.opened_at), ("clicked", self.clicked_at)] {
            if let Some(at) = at {
                writeln!(f, "    {label:<15} {}", moment(at))?;
            }
        }
        if let Some(breaker) = &self.breaker {
            let since = moment_from(breaker.since, now);
            writeln!(f, "    breaker         open since {since}: {}", breaker.reason)?;
        }
        write!(f, "    next            {}", self.next)?;
        match self.next_at {
            Some(at) => writeln!(f, " {}", moment_from(at, now)),
            None => writeln!(f),
        }
    }
}

impl Writing {
    fn of(written: &Written) -> Self {
        Self {
            language: written.language.code(),
            template: written.template.clone(),
            encoding: written.sms.map(|sms| sms.encoding.to_string()),
            segments: written.sms.map(|sms| sms.segments),
        }
    }
}

impl fmt::Display for Writing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "in {} by template {}", self.language, self.template)?;
        match (&self.encoding, self.segments) {
            (Some(encoding), Some(segments)) => {
                write!(f, ", {} {encoding}", counted(usize::from(segments), "segment"))
            }
            _ => Ok(()),
        }
    }
}

/// What was decided about the channel when the event came, and by which rule.
fn decision(channel: Channel, delivery: &Delivery) -> (&'static str, String) {
    let is_decided_against = delivery.attempt == 0
        && delivery.trail.is_empty()
        && matches!(
            delivery.state,
            State::Skipped | State::Suppressed | State::Superseded | State::Expired
        )
        && delivery.reason.as_deref() != Some(Reason::Erased.code());
    if is_decided_against {
        let reason = delivery.reason.as_deref().unwrap_or("no_address");
        return ("not to send it", reasons::of(channel, delivery.state, reason));
    }
    let rule =
        "The event did not leave the channel out, the type was wanted, the address was valid and not suppressed.";
    ("to send it", rule.to_owned())
}

/// What happens next, and when, where that is known.
fn next(
    channel: Channel,
    delivery: &Delivery,
    breaker: Option<&OpenBreaker>,
    now: Timestamp,
) -> (String, Option<Timestamp>) {
    let words = |text: &str| (text.to_owned(), None);
    match delivery.state {
        State::Deferred | State::Queued if breaker.is_some() => (
            "the channel is held; one message is tried, and the queues flow again if that goes well, from".to_owned(),
            breaker.map(|breaker| breaker.probe_at),
        ),
        State::Deferred => match delivery.claimable_at {
            Some(at) if at > now && delivery.waits_for_quiet_hours() => (
                "it waits for the end of the customer's quiet hours, which are looked at again then; a sender may claim it from"
                    .to_owned(),
                Some(at),
            ),
            Some(at) if at > now => (
                "it waits for the event's scheduledFor; a sender may claim it from".to_owned(),
                Some(at),
            ),
            Some(_) | None => words(
                "a sender claims it as soon as its message comes out of the queue; if it stays like this, ops reconcile tells whether the message is lost",
            ),
        },
        State::Queued => match delivery.claimable_at {
            Some(at) if at > now => ("a sender may claim it from".to_owned(), Some(at)),
            Some(_) | None => words(
                "a sender claims it as soon as its message comes out of the queue; if it stays like this, ops reconcile tells whether the message is lost",
            ),
        },
        State::Sending => match &delivery.lease {
            Some(lease) if lease.until > now => (
                "its sender writes down how the call went; if it does not, the delivery is in doubt from".to_owned(),
                Some(lease.until),
            ),
            Some(_) | None => {
                words("the lease is over: when its message comes out of the queue again, the delivery is put in doubt")
            }
        },
        State::InDoubt => (doubt(channel).to_owned(), None),
        State::Sent => words(match channel {
            Channel::Email => "SES reports delivery, bounce or complaint, usually within minutes",
            Channel::Sms => "the carrier's report comes where SMS delivery logging is on (ops sms-logging status)",
            Channel::InApp => "nothing: the note is in the inbox",
            Channel::Push => "nothing",
        }),
        State::Delivered => words("nothing; a bounce or a complaint may still be reported"),
        State::Bounced | State::Complained => {
            words("nothing; ops suppression show tells whether the address is suppressed")
        }
        State::Parked if delivery.is_dead_lettered => words(
            "nothing by itself: mend the cause, then ops dead-letters redrive --notification ID --why TEXT sends it again",
        ),
        State::Parked => words("its message is put among the dead letters when it next comes out of the queue"),
        State::Skipped | State::Suppressed | State::Superseded | State::Expired => words("nothing: this is final"),
        State::Failed => words(
            "nothing: this is final. Mend the cause and publish the event again under an idempotencyKey of its own",
        ),
    }
}

/// The deadline is a parameter of the stack, which this tool does not know.
const fn doubt(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => {
            "SES's Send event makes it sent. If none has come when the deadline InDoubtSeconds is over, it is queued again (parked, if \
             that was the last try); with InDoubtPolicy=hold it fails"
        }
        Channel::InApp => {
            "it is put into the inbox again as soon as its message comes out of the queue (parked, if that was the last try): a note that \
             is there already does not come twice"
        }
        Channel::Sms | Channel::Push => {
            "its owner may still report. When the deadline InDoubtSeconds is over it fails, because SNS gives no way to know, and it is \
             never sent again"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_000_000).unwrap()
    }

    fn delivery(state: State, reason: Option<&str>) -> Delivery {
        Delivery {
            state,
            reason: reason.map(str::to_owned),
            ..Delivery::queued(now())
        }
    }

    struct Page<'a>(&'a Told);

    impl fmt::Display for Page<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write(f, now())
        }
    }

    fn open() -> Breaker {
        Breaker::Open {
            since: now(),
            reason: "SendingPausedException".to_owned(),
            troubles: 1,
            probe_at: now().saturating_add(SignedDuration::from_secs(60)).unwrap(),
        }
    }

    #[test]
    fn every_state_tells_what_happens_next_and_no_page_is_at_a_loss() {
        let codes: Vec<String> = reasons::all().map(|reason| reason.code().to_owned()).collect();
        for channel in Channel::ALL {
            for state in State::ALL {
                for reason in codes
                    .iter()
                    .map(|code| Some(code.as_str()))
                    .chain([None, Some("BrandNewException")])
                {
                    for breaker in [Breaker::Closed, open()] {
                        let told = Told::of(channel, &delivery(state, reason), Some(&breaker), now());
                        let page = Page(&told).to_string();
                        assert!(!told.next.is_empty() && !told.rule.is_empty(), "{channel} {state}");
                        assert!(!page.to_lowercase().contains("unknown"), "{channel} {state}: {page}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_offered_is_told_with_its_language_template_and_size() {
        let size = domain::SmsSize {
            encoding: domain::SmsEncoding::Gsm7,
            segments: 1,
        };
        for (written, words) in [
            (
                Written::sms(domain::Language::Es, "built-in", size),
                "written         in es by template built-in, 1 segment GSM-7\n",
            ),
            (
                Written::email(domain::Language::Ro, "3"),
                "written         in ro by template 3\n",
            ),
        ] {
            let sent = delivery(State::Sent, None).offered(Some(written));
            let page = Page(&Told::of(Channel::Sms, &sent, None, now())).to_string();
            assert!(page.contains(words), "{page}");
        }
        let page = Page(&Told::of(Channel::Sms, &delivery(State::Sent, None), None, now())).to_string();
        assert!(!page.contains("written"), "{page}");
    }

    #[test]
    fn what_was_decided_against_names_its_rule() {
        let told = Told::of(Channel::Sms, &delivery(State::Skipped, Some("opted_out")), None, now());
        assert_eq!(told.decision, "not to send it");
        assert!(told.rule.contains("by the default"));
    }

    #[test]
    fn a_delivery_closed_on_its_way_was_decided_to_be_sent() {
        let mut closed = delivery(State::Skipped, Some("opted_out"));
        closed.attempt = 1;
        assert_eq!(Told::of(Channel::Sms, &closed, None, now()).decision, "to send it");
        let erased = delivery(State::Skipped, Some("erased"));
        assert_eq!(Told::of(Channel::Sms, &erased, None, now()).decision, "to send it");
    }

    #[test]
    fn an_open_delivery_of_a_held_channel_waits_for_the_trial() {
        let told = Told::of(Channel::Email, &delivery(State::Queued, None), Some(&open()), now());
        assert!(told.next.starts_with("the channel is held") && told.next_at > Some(now()));
        let ended = Told::of(Channel::Email, &delivery(State::Sent, None), Some(&open()), now());
        assert!(ended.breaker.is_none());
    }

    #[test]
    fn the_past_is_told_step_by_step_and_ends_in_the_present() {
        let policy = domain::RetryPolicy::default();
        let lease = domain::Lease {
            owner: "invocation".to_owned(),
            until: now(),
        };
        let (_, claimed) = delivery(State::Queued, None).claim(lease.clone(), now());
        let waiting = claimed.spend_a_try("no connection", &policy, 0.5, now());
        let (_, claimed) = waiting.claim(lease, now());
        let told = Told::of(Channel::Email, &claimed.doubt("no answer in time", now()), None, now());
        let states: Vec<State> = told.steps.iter().map(|step| step.state).collect();
        assert_eq!(states, [State::Queued, State::InDoubt]);
        assert!(
            told.steps[0]
                .why
                .as_deref()
                .is_some_and(|why| why.contains("could not be reached"))
        );
        assert!(Page(&told).to_string().contains("InDoubtSeconds"));
    }
}
