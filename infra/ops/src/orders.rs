//! `ops order`: where an order stands and why, and which orders ask for somebody to have a look.

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use domain::{Effect, OrderId, Teller};
use jiff::Timestamp;
use serde::Serialize;
use std::fmt;
use std::process::ExitCode;
use tracking::ports::{Kept, OrdersKeep, ParcelsKeep};
use tracking::{OrderRecord, timeline};

use crate::account::Account;
use crate::operator::Deed;
use crate::output::{Progress, Report, counted, moment, show};

#[derive(Debug, Subcommand)]
pub(crate) enum OrderCommand {
    /// Show where an order stands, and everything that was said of it with what it did
    Show(Show),
    /// List the orders that were changed by hand, or of which something was said that did not count
    Review(Review),
    /// Say that an order was looked at
    Reviewed(Reviewed),
    /// Remove an order with everything that was said of it
    Forget(Forget),
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops order show 456

It shows no name, address or item. An order is changed by hand with POST /admin/orders/456/status.")]
pub(crate) struct Show {
    /// The order, as the pipeline names it
    #[arg(value_name = "ORDER", value_parser = |text: &str| OrderId::try_from(text))]
    order: OrderId,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops order review

It reads the whole table: not every minute, please.")]
pub(crate) struct Review {}

#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  ops order reviewed 456

What is said of the order afterwards may ask for another look.")]
pub(crate) struct Reviewed {
    /// The order, as the pipeline names it
    #[arg(value_name = "ORDER", value_parser = |text: &str| OrderId::try_from(text))]
    order: OrderId,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ops order forget 456 --why 'request 2026-117' --dry-run
  ops order forget 456 --why 'request 2026-117'

For guests, whom ops erase does not know: their address and number go with the order. What carriers said of its parcels \
names nobody and stays. An event of the order that comes later makes it known again.")]
pub(crate) struct Forget {
    /// The order, as the pipeline names it
    #[arg(value_name = "ORDER", value_parser = |text: &str| OrderId::try_from(text))]
    order: OrderId,
    /// Say what would happen, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    deed: Deed,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Forgotten {
    order: String,
    is_dry_run: bool,
    parcels: usize,
    by: String,
}

/// A record that others keep writing is read again so often.
const ROUNDS: usize = 5;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    order: String,
    #[serde(flatten)]
    line: Line,
    parcels: Vec<ParcelLine>,
    said: Vec<Said>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    orders: Vec<Line>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    order: String,
    status: &'static str,
    since: Option<Timestamp>,
    order_type: &'static str,
    needs_review: bool,
    updated_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ParcelLine {
    tracking_number: String,
    carrier: Option<String>,
    status: Option<&'static str>,
    since: Option<Timestamp>,
    failed_attempts: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Said {
    at: Timestamp,
    heard_at: Timestamp,
    tracking_number: Option<String>,
    status: Option<&'static str>,
    by: String,
    code: Option<String>,
    effect: &'static str,
    asks_for_review: bool,
}

impl OrderCommand {
    pub(crate) async fn run(&self, account: &Account, as_json: bool) -> Result<ExitCode> {
        match self {
            Self::Show(Show { order }) => show(&shown(account, order).await?, as_json),
            Self::Forget(forget) => show(&forget.run(account).await?, as_json),
            Self::Reviewed(Reviewed { order }) => {
                reviewed(account, order).await?;
                show(&shown(account, order).await?, as_json)
            }
            Self::Review(Review {}) => {
                let mut progress = Progress::new("looking through the orders");
                let found = account
                    .tracking()
                    .under_review(|seen| progress.tick(counted(seen, "order")))
                    .await?;
                let orders = found.iter().map(Line::of).collect();
                show(&Listed { orders }, as_json)
            }
        }
    }
}

/// Notes that an order was looked at; what was said until now asks no more.
async fn reviewed(account: &Account, order: &OrderId) -> Result<()> {
    let table = account.tracking();
    for _round in 0..ROUNDS {
        let Some(record) = table.read_order(order).await?.record else {
            bail!("nobody knows order {order}")
        };
        if table.keep(Some(&record), &record.reviewed(account.now()), &[]).await? == Kept::Done {
            return Ok(());
        }
    }
    bail!("others write order {order} all the time: try again")
}

impl Forget {
    async fn run(&self, account: &Account) -> Result<Forgotten> {
        let table = account.tracking();
        let Some(record) = table.read_order(&self.order).await?.record else {
            bail!("nobody knows order {}", self.order)
        };
        if !self.dry_run {
            table.forget_order(&record).await?;
        }
        Ok(Forgotten {
            order: self.order.to_string(),
            is_dry_run: self.dry_run,
            parcels: record.registration.parcels.len(),
            by: self.deed.remark(),
        })
    }
}

async fn shown(account: &Account, order: &OrderId) -> Result<Shown> {
    let table = account.tracking();
    let file = table.read_order(order).await?;
    let Some(record) = &file.record else {
        bail!(
            "nobody knows order {order}: its pipeline has published no event about it, or it is older than what is kept"
        )
    };
    let mut parcels = Vec::with_capacity(record.registration.parcels.len());
    for parcel in &record.registration.parcels {
        parcels.push(table.read_parcel(&parcel.number).await?);
    }
    let said = timeline(&file, &parcels).iter().map(Said::of).collect();
    let parcel_line = |parcel: &tracking::ParcelStanding| ParcelLine {
        tracking_number: parcel.number.to_string(),
        carrier: record
            .registration
            .parcel(&parcel.number)
            .and_then(tracking::RegisteredParcel::carrier)
            .map(|carrier| carrier.to_string()),
        status: parcel.standing.status.map(domain::OrderStatus::name),
        since: parcel.standing.since,
        failed_attempts: parcel.standing.failed_attempts,
    };
    Ok(Shown {
        order: order.to_string(),
        line: Line::of(record),
        parcels: record.parcels.iter().map(parcel_line).collect(),
        said,
    })
}

impl Line {
    fn of(record: &OrderRecord) -> Self {
        Self {
            order: record.registration.id().to_string(),
            status: record.status().name(),
            since: record.standing.since,
            order_type: record.registration.order_type.name(),
            needs_review: record.needs_review,
            updated_at: record.updated_at,
        }
    }
}

impl Said {
    fn of(entry: &tracking::Entry) -> Self {
        let (by, code) = match &entry.saying.by {
            Teller::Carrier { carrier, code, .. } => (carrier.to_string(), code.clone()),
            Teller::Pipeline { .. } => ("pipeline".to_owned(), None),
            Teller::Hand { who, reason } => (format!("{who} by hand ({reason})"), None),
        };
        Self {
            at: entry.saying.at,
            heard_at: entry.saying.heard_at,
            tracking_number: entry.saying.parcel.as_ref().map(ToString::to_string),
            status: entry.saying.status.map(domain::OrderStatus::name),
            by,
            code,
            effect: entry.effect.name(),
            asks_for_review: Effect::asks_for_review(entry.effect),
        }
    }
}

impl Report for Shown {
    fn needs_a_person(&self) -> bool {
        false
    }
}

impl Report for Listed {
    fn needs_a_person(&self) -> bool {
        !self.orders.is_empty()
    }
}

impl Report for Forgotten {
    fn needs_a_person(&self) -> bool {
        false
    }
}

impl fmt::Display for Forgotten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_dry_run {
            "would be forgotten"
        } else {
            "is forgotten"
        };
        writeln!(
            f,
            "order {} {what}, with {}",
            self.order,
            counted(self.parcels, "parcel")
        )?;
        writeln!(f, "by {}", self.by)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since.map(|since| format!(" since {}", moment(since)));
        write!(f, "order {}: {}{}", self.order, self.status, since.unwrap_or_default())?;
        match self.needs_review {
            true => write!(f, ", to be looked at"),
            false => Ok(()),
        }
    }
}

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for order in &self.orders {
            writeln!(f, "{order}")?;
        }
        writeln!(
            f,
            "{} to be looked at; ops order show tells why",
            counted(self.orders.len(), "order")
        )
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.line)?;
        for parcel in &self.parcels {
            let status = parcel.status.unwrap_or("nothing known");
            let carrier = parcel.carrier.as_deref().unwrap_or("no carrier that we know");
            write!(f, "  parcel {} ({carrier}): {status}", parcel.tracking_number)?;
            match parcel.failed_attempts {
                0 => writeln!(f)?,
                attempts => writeln!(f, ", {} in vain", counted(attempts as usize, "attempt"))?,
            }
        }
        for said in &self.said {
            let status = said.status.unwrap_or("nothing of a status");
            let code = said.code.as_ref().map(|code| format!(" [{code}]")).unwrap_or_default();
            let mark = if said.asks_for_review { "!" } else { " " };
            writeln!(
                f,
                "{mark} {}  {status:<16}  {}  {}{code}",
                moment(said.at),
                said.effect,
                said.by
            )?;
        }
        Ok(())
    }
}
