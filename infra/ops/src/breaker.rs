//! `ops breaker`: whether the queues of a channel are held because the account is in trouble, and letting them flow again.

use anyhow::Result;
use aws::LambdaValves;
use clap::{Args, Subcommand, ValueEnum};
use domain::ports::{TrafficShare, Valves};
use domain::{Breaker, Channel};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;
use std::process::ExitCode;

use crate::account::Account;
use crate::mappings;
use crate::names::sender;
use crate::operator::Deed;
use crate::output::{Report, moment_from, show};

#[derive(Debug, Subcommand)]
pub(crate) enum BreakerCommand {
    /// Show breakers, pace and queues of the channels
    Status(Status),
    /// Close a breaker and let the channel's queues flow
    Close(Close),
    /// Hold a channel's queues until somebody closes the breaker
    Hold(Hold),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops breaker status

Answers with 1 when a breaker is open, or a queue is held without one.")]
pub(crate) struct Status {}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops breaker close --channel email --why 'SES support lifted the suspension'

The account monitor closes a breaker by itself once a trial goes through, and opens it again while SES says that \
the account may not send. Nobody keeps who closed it, and why, but this command's answer.")]
pub(crate) struct Close {
    /// Which one
    #[arg(long)]
    channel: Sender,
    #[command(flatten)]
    deed: Deed,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops breaker hold --channel sms --why 'a wrong text went live'

Messages wait in their queues, no attempt is used up, and no trial is made until 'ops breaker close'. Disabling the \
event source mappings by hand lasts a minute at most: the account monitor opens what no breaker holds. Queues keep \
messages for 14 days; what waited for more than four is parked when its turn comes.")]
pub(crate) struct Hold {
    /// Which one
    #[arg(long)]
    channel: Sender,
    #[command(flatten)]
    deed: Deed,
}

/// Longer than any queue keeps a message.
const NO_TRIAL_FOR: SignedDuration = SignedDuration::from_hours(24 * 365);

/// A channel that has a sender.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Sender {
    Email,
    Sms,
}

impl From<Sender> for Channel {
    fn from(sender: Sender) -> Self {
        match sender {
            Sender::Email => Self::Email,
            Sender::Sms => Self::Sms,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    channels: Vec<Line>,
    done: Option<String>,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    channel: Channel,
    is_open: bool,
    reason: Option<String>,
    since: Option<Timestamp>,
    troubles: u32,
    probe_at: Option<Timestamp>,
    limit_per_second: f64,
    pace_per_second: f64,
    queues: Vec<Queue>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Queue {
    name: String,
    mapping: String,
    flows: bool,
}

impl BreakerCommand {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        let done = match self {
            Self::Status(_) => None,
            Self::Close(close) => Some(close.close(account).await?),
            Self::Hold(hold) => Some(hold.hold(account).await?),
        };
        let mut channels = Vec::new();
        for channel in Channel::METERED {
            channels.push(line(account, channel).await?);
        }
        let shown = Shown {
            channels,
            done,
            now: account.now(),
        };
        show(&shown, as_json)
    }
}

impl Close {
    async fn close(&self, account: &Account) -> Result<String> {
        let channel = Channel::from(self.channel);
        let mappings = mappings::ids_of_channel(account, channel).await?;
        let traffic = account.traffic();
        let was_open = traffic.look(channel).await?.breaker.is_open();
        // First the breaker: senders that are let loose before would give everything back.
        traffic.set_breaker(channel, &Breaker::Closed).await?;
        LambdaValves::new(account.lambda.clone(), HashMap::from([(channel, mappings)]))
            .set(channel, true)
            .await?;
        let before = if was_open { "was open" } else { "was closed already" };
        Ok(format!(
            "the breaker of {channel} {before}; its queues flow now ({})",
            self.deed.remark()
        ))
    }
}

impl Hold {
    async fn hold(&self, account: &Account) -> Result<String> {
        let channel = Channel::from(self.channel);
        let mappings = mappings::ids_of_channel(account, channel).await?;
        let now = account.now();
        let breaker = Breaker::Open {
            since: now,
            reason: format!("held by hand: {}", self.deed.remark()),
            troubles: 1,
            probe_at: now.saturating_add(NO_TRIAL_FOR).unwrap_or(Timestamp::MAX),
        };
        account.traffic().set_breaker(channel, &breaker).await?;
        LambdaValves::new(account.lambda.clone(), HashMap::from([(channel, mappings)]))
            .set(channel, false)
            .await?;
        Ok(format!("the queues of {channel} are held ({})", self.deed.remark()))
    }
}

async fn line(account: &Account, channel: Channel) -> Result<Line> {
    let traffic = account.traffic().look(channel).await?;
    let pace_per_second = traffic.pace(account.now());
    let (is_open, reason, since, troubles, probe_at) = match traffic.breaker {
        Breaker::Closed => (false, None, None, 0, None),
        Breaker::Open {
            since,
            reason,
            troubles,
            probe_at,
        } => (true, Some(reason), Some(since), troubles, Some(probe_at)),
    };
    let queues = mappings::of_function(account, sender(channel))
        .await?
        .into_iter()
        .map(|mapping| Queue {
            flows: mapping.flows(),
            name: mapping.queue,
            mapping: mapping.state,
        });
    Ok(Line {
        channel,
        is_open,
        reason,
        since,
        troubles,
        probe_at,
        limit_per_second: traffic.limit,
        pace_per_second,
        queues: queues.collect(),
    })
}

impl Report for Shown {
    fn needs_a_person(&self) -> bool {
        self.channels
            .iter()
            .any(|line| line.is_open || line.queues.iter().any(|queue| !queue.flows))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(done) = &self.done {
            writeln!(f, "{done}")?;
        }
        for line in &self.channels {
            match (&line.reason, line.since, line.probe_at) {
                (Some(reason), Some(since), Some(probe_at)) => writeln!(
                    f,
                    "{}: open since {}, trouble met {} times: {reason}; next trial {}",
                    line.channel,
                    moment_from(since, self.now),
                    line.troubles,
                    moment_from(probe_at, self.now)
                )?,
                _ => writeln!(f, "{}: closed", line.channel)?,
            }
            writeln!(
                f,
                "  pace {:.1} of {:.1} messages per second",
                line.pace_per_second, line.limit_per_second
            )?;
            for queue in &line.queues {
                writeln!(f, "  {} {}", queue.name, if queue.flows { "flows" } else { "is held" })?;
            }
        }
        Ok(())
    }
}
