//! Watching over the account: how fast it may send, whether it may at all, and when to try again.
//!
//! While a breaker is open its channel's queues are held as a whole: nothing is received, so that nothing is in flight and no
//! attempt is spent. From time to time one message is taken to its sender by hand. If that meets no trouble, the queues flow.

use domain::ports::{AccountFacts, Clock, OptOutList, SuppressionsKeep, TrafficKeep, Trial, Unavailable, Valves};
use domain::{Breaker, Channel, RetryPolicy, Strike, SuppressionPolicy, SuppressionReason, chain};

/// The watch, over its ports.
pub struct Watch<'a, A, T, V, R, C> {
    /// What the providers say of the account.
    pub account: &'a A,
    /// What the senders share.
    pub traffic: &'a T,
    /// The ways from the queues to the senders.
    pub valves: &'a V,
    /// Takes one message to a sender.
    pub trial: &'a R,
    /// When to try again.
    pub policy: &'a RetryPolicy,
    /// The time.
    pub clock: &'a C,
}

/// How a channel was found and left.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// The channel.
    pub channel: Channel,
    /// Whether its breaker is open now.
    pub is_held: bool,
    /// What was done, for the log.
    pub notes: Vec<String>,
    /// Whether something could not be done.
    pub is_complete: bool,
}

impl<A, T, V, R, C> Watch<'_, A, T, V, R, C>
where
    A: AccountFacts,
    T: TrafficKeep,
    V: Valves,
    R: Trial,
    C: Clock,
{
    /// Looks after one channel. Doing it again, or twice at once, does no harm.
    pub async fn look_after(&self, channel: Channel) -> Watched {
        let mut notes = Vec::new();
        let done = self.try_to(channel, &mut notes).await;
        if let Err(error) = &done {
            notes.push(chain(error));
        }
        Watched {
            channel,
            is_held: *done.as_ref().unwrap_or(&true),
            notes,
            is_complete: done.is_ok(),
        }
    }

    /// Whether the channel is held afterwards.
    async fn try_to(&self, channel: Channel, notes: &mut Vec<String>) -> Result<bool, Unavailable> {
        // The provider's silence about the account is no reason to leave the queues alone.
        let account = match self.account.ask(channel).await {
            Ok(account) => Some(account),
            Err(error) => {
                notes.push(chain(&error));
                None
            }
        };
        let traffic = self.traffic.look(channel).await?;
        if let Some(account) = &account
            && (account.limit - traffic.limit).abs() > f64::EPSILON
        {
            self.traffic.set_limit(channel, account.limit).await?;
            notes.push(format!("may send {} messages per second now", account.limit));
        }
        let trouble = account.and_then(|account| account.trouble);
        let now = self.clock.now();
        match (&traffic.breaker, trouble) {
            // Whatever broke in between, or came too late: a closed breaker and shut valves never last longer than a minute.
            (Breaker::Closed, None) => {
                self.valves.set(channel, true).await?;
                Ok(false)
            }
            (Breaker::Closed, Some(trouble)) => {
                self.traffic
                    .set_breaker(channel, &traffic.troubled(&trouble, self.policy, now))
                    .await?;
                self.valves.set(channel, false).await?;
                notes.push(format!("opened the breaker: {trouble}"));
                Ok(true)
            }
            (Breaker::Open { probe_at, .. }, trouble) => {
                self.valves.set(channel, false).await?;
                if *probe_at > now {
                    return Ok(true);
                }
                if let Some(trouble) = trouble {
                    self.traffic
                        .set_breaker(channel, &traffic.troubled(&trouble, self.policy, now))
                        .await?;
                    notes.push(format!("still in trouble: {trouble}"));
                    return Ok(true);
                }
                self.try_one(channel, &traffic.breaker, notes).await
            }
        }
    }

    /// Takes one message to the sender; whether the channel stays held.
    async fn try_one(&self, channel: Channel, before: &Breaker, notes: &mut Vec<String>) -> Result<bool, Unavailable> {
        let was_there_one = self.trial.run(channel).await?;
        let after = self.traffic.look(channel).await?.breaker;
        if was_there_one && after.is_open() && troubles(&after) > troubles(before) {
            notes.push("a trial met trouble again".to_owned());
            return Ok(true);
        }
        self.traffic.set_breaker(channel, &Breaker::Closed).await?;
        self.valves.set(channel, true).await?;
        notes.push(match was_there_one {
            true => "a trial met no trouble: the queues flow again".to_owned(),
            false => "nothing waits: the queues flow again".to_owned(),
        });
        Ok(false)
    }
}

const fn troubles(breaker: &Breaker) -> u32 {
    match breaker {
        Breaker::Closed => 0,
        Breaker::Open { troubles, .. } => *troubles,
    }
}

/// Suppresses every number on the provider's list; how many were new.
///
/// # Errors
///
/// [`Unavailable`] when the list or a number on it could not be worked on: do it again.
pub async fn take_over_opt_outs<O, S, C>(list: &O, suppressions: &S, clock: &C) -> Result<u64, Unavailable>
where
    O: OptOutList,
    S: SuppressionsKeep,
    C: Clock,
{
    let mut new = 0;
    for contact in list.read().await? {
        let known = suppressions.look_up(&contact).await?.unwrap_or_default();
        let now = clock.now();
        // Lifting an opt-out here would not lift it there.
        if known.in_force(now).is_some() {
            continue;
        }
        let strike = Strike {
            reason: SuppressionReason::OptedOut,
            at: now,
            source: "the provider's list of opted-out numbers".to_owned(),
        };
        if let Some(next) = known.after(&strike, &SuppressionPolicy::default())
            && suppressions.keep(&contact, &next).await?
        {
            new += 1;
        }
    }
    Ok(new)
}
