//! Reads what carriers sent anew, with today's tables, and compares it with what is stored.

use anyhow::{Context, Result, bail};
use aws::SqsQueue;
use carriers::{Told, webhook};
use clap::Args;
use domain::{Carrier, OrderId, OrderStatus, Saying, SayingId, Standing, TrackingEvent, TrackingNumber, roll_up};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tracking::CarrierNews;
use tracking::ports::{OrdersKeep, ParcelFile, ParcelsKeep};

use crate::{Difference, Replayed, Stack, Turn};

/// What takes longer says how far it is.
const SILENT_FOR: Duration = Duration::from_secs(2);

/// Reads what is archived anew, and says what would differ from what is stored
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  laboratory replay --bucket \"$E_COM67_CARRIER_ARCHIVE\"                       the whole archive of the local stack
  laboratory replay --bucket NAME --carrier correos --since 2026-11-01        one carrier, since a day (UTC)
  laboratory replay --folder archive --carrier dpd --apply                    files of the same names; differences are sent again

What is sent with --apply goes to the queue carrier-events like any news. It adds what is missing and replaces what nobody could read
when it came; what was read once stays what it was.")]
pub struct Replay {
    /// The bucket of the archive
    #[arg(long, required_unless_present = "folder", conflicts_with = "folder")]
    bucket: Option<String>,
    /// A folder with the same names in it
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Only what came on this day or later (UTC)
    #[arg(long)]
    since: Option<Date>,
    /// Only what this carrier sent
    #[arg(long, value_parser = carrier_of)]
    carrier: Option<Carrier>,
    /// Send what differs to the queue carrier-events
    #[arg(long)]
    apply: bool,
}

fn carrier_of(name: &str) -> Result<Carrier, String> {
    let expected = || format!("expected one of {}", Carrier::ALL.map(Carrier::name).join(", "));
    Carrier::from_name(name).ok_or_else(expected)
}

impl Replay {
    /// Reads and compares, and sends where it was asked to.
    ///
    /// # Errors
    ///
    /// When archive or table cannot be read.
    pub async fn run(&self) -> Result<Replayed> {
        let stack = Stack::anywhere().await;
        let archive = match (&self.bucket, &self.folder) {
            (Some(bucket), _) => Archive::of_bucket(&stack, bucket, self.carrier, self.since).await?,
            (None, Some(folder)) => Archive::of_folder(folder, self.carrier, self.since)?,
            (None, None) => bail!("expected --bucket or --folder"),
        };
        let replayed = compare(&stack, &archive).await?;
        if self.apply {
            apply(&stack, &replayed).await?;
        }
        Ok(replayed)
    }
}

/// What carriers sent, the oldest first.
#[derive(Debug, Default)]
pub struct Archive(Vec<Body>);

#[derive(Debug)]
struct Body {
    carrier: Carrier,
    came_at: Timestamp,
    key: String,
    bytes: Vec<u8>,
}

impl Archive {
    /// What is in this bucket.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn of_bucket(stack: &Stack, bucket: &str, carrier: Option<Carrier>, since: Option<Date>) -> Result<Self> {
        let prefix = carrier.map(|carrier| format!("{carrier}/"));
        let list = stack.s3.list_objects_v2().bucket(bucket).set_prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut places = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.with_context(|| format!("could not list the bucket {bucket}"))?;
            let keys = page.contents().iter().filter_map(|object| object.key());
            places.extend(keys.filter_map(|key| place_of(key, since)));
        }
        let mut progress = Progress::of("bodies fetched");
        let mut bodies = Vec::with_capacity(places.len());
        for (carrier, came_at, key) in places {
            let output = stack.s3.get_object().bucket(bucket).key(&key).send().await;
            let output = output.with_context(|| format!("could not read {key}"))?;
            let bytes = output
                .body
                .collect()
                .await
                .with_context(|| format!("could not read {key}"))?;
            bodies.push(Body {
                carrier,
                came_at,
                key,
                bytes: bytes.to_vec(),
            });
            progress.step();
        }
        Ok(Self::sorted(bodies))
    }

    /// What is in this folder.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub fn of_folder(folder: &Path, carrier: Option<Carrier>, since: Option<Date>) -> Result<Self> {
        let mut bodies = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(inner) = folders.pop() {
            for entry in fs::read_dir(&inner).with_context(|| format!("could not read {}", inner.display()))? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let key = path
                    .strip_prefix(folder)
                    .unwrap_or(&path)
                    .to_string_lossy()
                    .into_owned();
                let wanted = place_of(&key, since).filter(|(of, ..)| carrier.is_none_or(|carrier| carrier == *of));
                if let Some((carrier, came_at, key)) = wanted {
                    let bytes = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
                    bodies.push(Body {
                        carrier,
                        came_at,
                        key,
                        bytes,
                    });
                }
            }
        }
        Ok(Self::sorted(bodies))
    }

    fn sorted(mut bodies: Vec<Body>) -> Self {
        bodies.sort_by(|one, other| (one.came_at, &one.key).cmp(&(other.came_at, &other.key)));
        Self(bodies)
    }

    /// How many bodies there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Carrier and moment of a name of the archive, `fedex/2026/11/20/10-00-00.000Z-0123456789abcdef`; nothing for other names, and for what
/// came before.
fn place_of(key: &str, since: Option<Date>) -> Option<(Carrier, Timestamp, String)> {
    let (carrier, place) = key.split_once('/')?;
    let (moment, _hash) = place.rsplit_once('-')?;
    let clock = DateTime::strptime("%Y/%m/%d/%H-%M-%S%.fZ", moment).ok()?;
    let came_at = clock.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let is_wanted = since.is_none_or(|since| clock.date() >= since);
    is_wanted.then_some((Carrier::from_name(carrier)?, came_at, key.to_owned()))
}

/// An event as it is read now, and when it was heard.
type Heard = (TrackingEvent, Timestamp);

/// Reads every body, and compares each event with what is stored under its id. Nothing is written.
///
/// # Errors
///
/// When the table cannot be read.
pub async fn compare(stack: &Stack, archive: &Archive) -> Result<Replayed> {
    let mut replayed = Replayed {
        bodies: archive.len(),
        ..Replayed::default()
    };
    let by_parcel = read(archive, &mut replayed.unreadable);
    let tracking = stack.tracking();
    let mut progress = Progress::of("parcels compared");
    let mut changed: HashMap<TrackingNumber, Vec<Saying>> = HashMap::new();
    let mut orders: BTreeSet<OrderId> = BTreeSet::new();
    for (number, events) in by_parcel {
        let file = tracking.read_parcel(&number).await?;
        let stored: HashMap<SayingId, &Saying> = file.sayings.iter().map(|saying| (saying.id(), saying)).collect();
        replayed.events += events.len();
        let differences: Vec<Difference> = events
            .iter()
            .filter_map(|(id, (event, heard_at))| Difference::between(stored.get(id).copied(), event, *heard_at))
            .collect();
        if !differences.is_empty() {
            changed.insert(number, applied(&file, &differences));
            orders.extend(file.orders);
            replayed.differences.extend(differences);
        }
        progress.step();
    }
    for order in orders {
        replayed.turns.extend(turn(stack, order, &changed).await?);
    }
    Ok(replayed)
}

/// The events of all bodies by parcel. Of what comes several times the first counts, unless nobody can read it and a later one can be:
/// as it is stored.
fn read(archive: &Archive, unreadable: &mut Vec<String>) -> BTreeMap<TrackingNumber, BTreeMap<SayingId, Heard>> {
    let mut by_parcel: BTreeMap<TrackingNumber, BTreeMap<SayingId, Heard>> = BTreeMap::new();
    for body in &archive.0 {
        let Some(webhook) = webhook(body.carrier) else { continue };
        let Ok(delivery) = webhook.read_archived(&body.bytes, body.came_at) else {
            unreadable.push(body.key.clone());
            continue;
        };
        for sighting in delivery.sightings {
            let Told::Events(events) = sighting.told else { continue };
            let known = by_parcel.entry(sighting.number).or_default();
            for event in events {
                let id = Saying::of_carrier(event.clone(), body.came_at).id();
                let is_better = |(other, _): &Heard| other.status.is_none() && event.status.is_some();
                if known.get(&id).is_none_or(is_better) {
                    known.insert(id, (event, body.came_at));
                }
            }
        }
    }
    by_parcel
}

/// What would be stored of a parcel.
fn applied(file: &ParcelFile, differences: &[Difference]) -> Vec<Saying> {
    let new = differences.iter().filter(|difference| difference.can_be_applied());
    let new: HashMap<SayingId, Saying> = new
        .map(Difference::saying)
        .map(|saying| (saying.id(), saying))
        .collect();
    let kept = file.sayings.iter().filter(|saying| !new.contains_key(&saying.id()));
    kept.chain(new.values()).cloned().collect()
}

/// Where an order would stand with these sayings of its parcels; nothing where it stands there already.
async fn turn(stack: &Stack, order: OrderId, changed: &HashMap<TrackingNumber, Vec<Saying>>) -> Result<Option<Turn>> {
    let tracking = stack.tracking();
    let file = tracking.read_order(&order).await?;
    let Some(record) = &file.record else { return Ok(None) };
    let order_type = record.registration.order_type;
    let mut heard = Vec::new();
    for parcel in &record.registration.parcels {
        let told = match changed.get(&parcel.number) {
            Some(told) => told.clone(),
            None => tracking.read_parcel(&parcel.number).await?.sayings,
        };
        heard.push((parcel, told));
    }
    let whole = || file.sayings.iter().filter(|saying| saying.parcel.is_none());
    let (own, _) = Standing::after(whole(), order_type, None);
    let mut standings = Vec::new();
    for (parcel, told) in &heard {
        let said = file
            .sayings
            .iter()
            .filter(|saying| saying.parcel.as_ref() == Some(&parcel.number));
        let all = whole().chain(said).chain(told);
        standings.push(Standing::after(all, order_type, parcel.carrier()).0);
    }
    let before: Option<OrderStatus> = record.standing.status;
    let after = roll_up(&own, &standings).status;
    Ok((before != after).then_some(Turn { order, before, after }))
}

/// Sends what can be put right to the queue of carriers' news.
///
/// # Errors
///
/// When any of it may not be there.
pub async fn apply(stack: &Stack, replayed: &Replayed) -> Result<()> {
    let mut by_moment: BTreeMap<Timestamp, Vec<TrackingEvent>> = BTreeMap::new();
    for difference in replayed
        .differences
        .iter()
        .filter(|difference| difference.can_be_applied())
    {
        let heard = by_moment.entry(difference.heard_at).or_default();
        heard.push(difference.event.clone());
    }
    let messages: Vec<String> = by_moment
        .iter()
        .flat_map(|(heard_at, events)| CarrierNews::messages(events, *heard_at))
        .collect();
    let queue = SqsQueue::new(stack.sqs.clone(), stack.queue_url("carrier-events").await?);
    let put: Result<(), _> = queue.put_all(&messages).await.into_iter().collect();
    put.context("could not send the differences")
}

/// How far it is, on stderr, every two seconds.
struct Progress {
    what: &'static str,
    count: usize,
    said_at: Instant,
}

impl Progress {
    fn of(what: &'static str) -> Self {
        Self {
            what,
            count: 0,
            said_at: Instant::now(),
        }
    }

    fn step(&mut self) {
        self.count += 1;
        if self.said_at.elapsed() > SILENT_FOR {
            eprintln!("{} {}", self.count, self.what);
            self.said_at = Instant::now();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_the_archive_tells_carrier_and_moment() {
        let came_at: Timestamp = "2026-11-20T10:00:00.5Z".parse().unwrap();
        let key = aws::archive_key(Carrier::CorreosExpress, b"{}", came_at);
        assert_eq!(
            place_of(&key, None),
            Some((Carrier::CorreosExpress, came_at, key.clone()))
        );
        assert_eq!(place_of(&key, "2026-11-21".parse().ok()), None);
        assert!(place_of(&key, "2026-11-20".parse().ok()).is_some());
    }

    #[test]
    fn other_names_are_passed_over() {
        for key in [
            "",
            "fedex",
            "fedex/2026/11/20/x-1",
            "seur/2026/11/20/10-00-00.500Z-44136fa355b3678a",
        ] {
            assert_eq!(place_of(key, None), None, "{key}");
        }
    }
}
