//! I6: what the metrics lines add up to is what the ledger went through.

use crate::arrows;
use crate::chronicle::{Entry, What, Writer};
use crate::quick::Set;
use crate::verdict::Invariant::I6;
use crate::verdict::Verdict;

/// The metrics of the run beside the moves that they are about.
pub(crate) struct Sums {
    killed: Set<u64>,
    /// Writer and fact of what was written unknowingly.
    unanswered: Set<(u64, u32)>,
    facts: Set<u32>,
    notifications: Sum,
    email: Sender,
    sms: Sender,
    in_app: Sender,
    resent: Sum,
    put_again: Sum,
}

struct Sender {
    success: Sum,
    failure: Sum,
}

struct Sum {
    metric: &'static str,
    what: &'static str,
    told: u64,
    /// Events that may have been told.
    most: u64,
    /// Events that must have been told: those whose writer lived to learn of them.
    least: u64,
}

impl Sums {
    pub(crate) fn new(chronicle: &[Entry]) -> Self {
        let mut killed = Set::default();
        let mut unanswered = Set::default();
        for entry in chronicle {
            if let What::Killed { by } = &entry.what {
                killed.insert(*by);
            } else if let What::Unanswered { delivery, by } = &entry.what {
                unanswered.insert((*by, delivery.fact));
            }
        }
        Self {
            killed,
            unanswered,
            facts: Set::default(),
            notifications: Sum::new("NotificationSent", "notifications were opened"),
            email: Sender {
                success: Sum::new("EmailNotificationSuccess", "e-mails came to be accepted"),
                failure: Sum::new("EmailNotificationFailure", "e-mails came to be failed or parked"),
            },
            sms: Sender {
                success: Sum::new("SmsNotificationSuccess", "SMS came to be accepted"),
                failure: Sum::new("SmsNotificationFailure", "SMS came to be failed or parked"),
            },
            in_app: Sender {
                success: Sum::new("InAppNotificationSuccess", "notes came to be accepted"),
                failure: Sum::new("InAppNotificationFailure", "notes came to be failed or parked"),
            },
            put_again: Sum::new("InAppNotificationResentInDoubt", "notes in doubt were queued again"),
            resent: Sum::new("EmailNotificationResentInDoubt", "e-mails in doubt were queued again"),
        }
    }

    pub(crate) fn hear(&mut self, what: &What) {
        match what {
            What::Opened { delivery, by, .. } => {
                if self.facts.insert(delivery.fact) {
                    self.notifications.add(self.is_surely_told(*by, delivery.fact));
                }
            }
            What::Moved { delivery, from, to, by } => {
                let is_surely_told = self.is_surely_told(*by, delivery.fact);
                let (sender, resent) = match delivery.channel {
                    "email" => (&mut self.email, Some(&mut self.resent)),
                    "sms" => (&mut self.sms, None),
                    "in_app" => (&mut self.in_app, Some(&mut self.put_again)),
                    _ => return,
                };
                if arrows::is_accepted(&to.state) && !arrows::is_accepted(&from.state) {
                    sender.success.add(is_surely_told);
                } else if matches!(to.state.as_ref(), "failed" | "parked") && to.state != from.state {
                    sender.failure.add(is_surely_told);
                } else if let Some(resent) = resent
                    && from.state == "in_doubt"
                    && to.state == "queued"
                {
                    // Its slow owner may know better than to call it a doubt.
                    let is_owner = from.owner.map(Writer::Invocation) == Some(*by);
                    resent.add(is_surely_told && !is_owner);
                }
            }
            What::Metrics { counts, .. } => {
                for (name, count) in counts {
                    for sum in self.all_mut() {
                        if sum.metric == name {
                            sum.told += count;
                        }
                    }
                }
            }
            What::Published { .. }
            | What::SourceForgot { .. }
            | What::Looked { .. }
            | What::Offered { .. }
            | What::Accepted { .. }
            | What::Refused { .. }
            | What::ReplyLost { .. }
            | What::SendEvent { .. }
            | What::OptedOut { .. }
            | What::OptedIn { .. }
            | What::RangAtNight { .. }
            | What::DeadLettered { .. }
            | What::Redriven { .. }
            | What::Killed { .. }
            | What::Unanswered { .. }
            | What::LogLine { .. } => {}
        }
    }

    pub(crate) fn close(mut self, verdict: &mut Verdict) {
        for sum in self.all_mut() {
            if sum.told < sum.least || sum.told > sum.most {
                let Sum {
                    metric,
                    what,
                    told,
                    most,
                    least,
                } = sum;
                let lost = *most - *least;
                let text = format!("`{metric}` says {told}, but {most} {what}, {lost} of them perhaps untold");
                verdict.breach(I6, None, None, text);
            }
        }
    }

    fn is_surely_told(&self, by: Writer, fact: u32) -> bool {
        match by {
            Writer::Invocation(number) => !self.killed.contains(&number) && !self.unanswered.contains(&(number, fact)),
            Writer::Operator => false,
        }
    }

    fn all_mut(&mut self) -> [&mut Sum; 9] {
        [
            &mut self.notifications,
            &mut self.email.success,
            &mut self.email.failure,
            &mut self.sms.success,
            &mut self.sms.failure,
            &mut self.in_app.success,
            &mut self.in_app.failure,
            &mut self.put_again,
            &mut self.resent,
        ]
    }
}

impl Sum {
    fn new(metric: &'static str, what: &'static str) -> Self {
        Self {
            metric,
            what,
            told: 0,
            most: 0,
            least: 0,
        }
    }

    fn add(&mut self, is_surely_told: bool) {
        self.most += 1;
        self.least += u64::from(is_surely_told);
    }
}
