//! The life of a parcel, told to our webhooks in all the manners in which carriers tell, and what came of it.

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use domain::{Carrier, OrderStatus};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::fmt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::numbers;
use crate::post::{CarrierKeys, Letter, Post};
use crate::shapes::{self, Push, tells_histories};
use crate::witness::{News, Witness};
use crate::{Stack, Step, Trace};

/// Carriers that call us.
pub const CALLERS: [Carrier; 8] = [
    Carrier::Fedex,
    Carrier::Ups,
    Carrier::Dhl,
    Carrier::Correos,
    Carrier::Dpd,
    Carrier::Easypost,
    Carrier::Aftership,
    Carrier::Shippo,
];

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(90);
const BETWEEN_LOOKS: Duration = Duration::from_millis(150);

/// How many lives go on at a time.
const AT_ONCE: usize = 8;

/// In which manner a carrier tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Manner {
    /// Each step when the one before it has been taken in
    OnTime,
    /// Everything at once, before the shop tells whose parcel it is
    Late,
    /// Each message twice
    Twice,
    /// In any order
    Shuffled,
    /// The whole history with each message, where messages carry one
    WholeHistory,
    /// Everything again, to the byte, when it is over
    Replayed,
    /// Signed with another key
    BadSignature,
}

impl Manner {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::OnTime,
        Self::Late,
        Self::Twice,
        Self::Shuffled,
        Self::WholeHistory,
        Self::Replayed,
        Self::BadSignature,
    ];
}

impl fmt::Display for Manner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.to_possible_value().map(|value| value.get_name().to_owned());
        f.write_str(&name.unwrap_or_default())
    }
}

/// Plays a parcel's life as its carrier would, and says whether the stack took it rightly
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  laboratory play                                            every carrier in every manner
  laboratory play --carrier fedex,ups --manner twice         these two, each message twice
  laboratory play --carrier dhl --manner shuffled --seed 7   in the order of seed 7
  laboratory play --carrier dpd --manner on-time --trace returned --order 1001 --number 09440000567812

A verdict is good when the order ends in the one state that its trace leads to, no e-mail tells of a state that is older than one
already told, and, with bad signatures, every call is answered 401 and nothing changes. Answers with 1 where one is not.")]
pub struct Play {
    /// Who calls: fedex, ups, dhl, correos, dpd, easypost, aftership, shippo, or all of them
    #[arg(long, value_delimiter = ',', default_value = "all", value_parser = carriers_of)]
    carrier: Vec<Carriers>,
    /// How: on-time, late, twice, shuffled, whole-history, replayed, bad-signature, or all of these
    #[arg(long, value_delimiter = ',', default_value = "all", value_parser = manners_of)]
    manner: Vec<Manners>,
    /// Which of all orders a shuffled life has
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The parcel's number, instead of one that is made up; for one carrier and one manner
    #[arg(long)]
    number: Option<String>,
    /// The order's number, likewise
    #[arg(long)]
    order: Option<String>,
    /// Do not publish the shop's event that tells whose parcel it is
    #[arg(long)]
    no_order: bool,
    /// The life
    #[arg(long, value_enum, default_value = "delivered")]
    trace: Trace,
    /// The keys of the local stack's webhooks
    #[arg(long, value_name = "FILE", default_value = "events/carriers/keys.json")]
    keys: PathBuf,
}

type Carriers = Vec<Carrier>;
type Manners = Vec<Manner>;

fn carriers_of(text: &str) -> Result<Carriers, String> {
    match text {
        "all" => Ok(CALLERS.to_vec()),
        name => Carrier::from_name(name)
            .filter(|carrier| CALLERS.contains(carrier))
            .map(|carrier| vec![carrier])
            .ok_or_else(|| format!("expected all or one of {}", CALLERS.map(Carrier::name).join(", "))),
    }
}

fn manners_of(text: &str) -> Result<Manners, String> {
    match text {
        "all" => Ok(Manner::ALL.to_vec()),
        name => Manner::from_str(name, false).map(|manner| vec![manner]),
    }
}

/// Who plays what.
#[derive(Debug, Clone)]
pub struct Casting {
    /// Who calls.
    pub carrier: Carrier,
    /// In which manner.
    pub manner: Manner,
    /// The life.
    pub trace: Trace,
    /// Decides the order of a shuffled life.
    pub seed: u64,
    /// The parcel; made up where there is none.
    pub number: Option<String>,
    /// The order, likewise.
    pub order: Option<String>,
    /// Whether the shop tells whose parcel it is.
    pub registers: bool,
}

impl Casting {
    /// This carrier in this manner, with everything made up.
    #[must_use]
    pub const fn new(carrier: Carrier, manner: Manner) -> Self {
        Self {
            carrier,
            manner,
            trace: Trace::Delivered,
            seed: 1,
            number: None,
            order: None,
            registers: true,
        }
    }
}

/// What was played, and what came of it.
#[derive(Debug, Clone)]
pub struct Played {
    /// Who called.
    pub carrier: Carrier,
    /// In which manner.
    pub manner: Manner,
    /// The parcel.
    pub number: String,
    /// The order.
    pub order: String,
    /// How long each answer took.
    pub took: Vec<Duration>,
    /// Where the order stands in the end.
    pub status: Option<OrderStatus>,
    /// The statuses that e-mails told, in the order in which the provider took them.
    pub told: Vec<String>,
    /// What was expected and did not happen.
    pub problems: Vec<String>,
}

impl Play {
    /// Plays everything that was asked for.
    ///
    /// # Errors
    ///
    /// When the stack cannot be reached.
    pub async fn run(&self) -> Result<Vec<Played>> {
        let (carriers, manners) = (self.carrier.concat(), self.manner.concat());
        let is_one = carriers.len() == 1 && manners.len() == 1;
        if !is_one && (self.number.is_some() || self.order.is_some()) {
            bail!("expected one --carrier and one --manner with --number or --order");
        }
        let stack = Stack::of_environment().await?;
        let keys = CarrierKeys::read(&self.keys)?;
        let castings = manners.iter().flat_map(|manner| {
            carriers.iter().map(|carrier| Casting {
                trace: self.trace,
                seed: self.seed,
                number: self.number.clone(),
                order: self.order.clone(),
                registers: !self.no_order,
                ..Casting::new(*carrier, *manner)
            })
        });
        play(&stack, &keys, castings.collect()).await
    }
}

/// Plays all of these, some at a time, and tells what came of each, in this order.
///
/// # Errors
///
/// When the stack cannot be reached.
pub async fn play(stack: &Stack, keys: &CarrierKeys, castings: Vec<Casting>) -> Result<Vec<Played>> {
    let post = Post::to(stack.api()?);
    let mut chance = fastrand::Rng::new();
    let scenes: Vec<Scene<'_>> = castings
        .into_iter()
        .map(|casting| Scene::new(stack, keys, &post, casting, &mut chance))
        .collect::<Result<_>>()?;
    stream::iter(scenes.iter().map(Scene::play))
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// One life on its stage.
struct Scene<'s> {
    stack: &'s Stack,
    post: &'s Post,
    key: &'s str,
    casting: Casting,
    number: String,
    order: String,
    steps: Vec<Step>,
    witness: Witness<'s>,
}

impl<'s> Scene<'s> {
    fn new(
        stack: &'s Stack,
        keys: &'s CarrierKeys,
        post: &'s Post,
        casting: Casting,
        chance: &mut fastrand::Rng,
    ) -> Result<Self> {
        let number = casting.number.clone();
        let number = number.unwrap_or_else(|| numbers::number(casting.carrier, chance));
        let made_up = || format!("LAB-{}-{}-{:08x}", casting.carrier, casting.manner, chance.u32(..));
        let order = casting.order.clone().unwrap_or_else(made_up);
        Ok(Self {
            stack,
            post,
            key: keys.of(casting.carrier)?,
            steps: casting.trace.steps(now()),
            witness: Witness::of(stack, &order, &number)?,
            number,
            order,
            casting,
        })
    }

    async fn play(&self) -> Result<Played> {
        let Casting { carrier, manner, .. } = self.casting;
        let mut played = Played {
            carrier,
            manner,
            number: self.number.clone(),
            order: self.order.clone(),
            took: Vec::new(),
            status: None,
            told: Vec::new(),
            problems: Vec::new(),
        };
        if manner != Manner::Late {
            self.register(&mut played).await?;
        }
        let before = self.witness.record().await?;
        let letters = self.letters().await?;
        for (place, letter) in letters.iter().enumerate() {
            self.send(letter, &mut played).await?;
            if manner == Manner::OnTime {
                self.until_taken_in(place, &mut played).await?;
            }
        }
        if manner == Manner::BadSignature {
            let after = self.witness.record().await?;
            if self.witness.heard().await? > 0 || after != before {
                played
                    .problems
                    .push("expected forged messages to change nothing".to_owned());
            }
            played.status = after.map(|record| record.status());
            return Ok(played);
        }
        if manner == Manner::Late {
            self.register(&mut played).await?;
        }
        self.until_over(&mut played).await?;
        if manner == Manner::Replayed {
            self.replay(&letters, &mut played).await?;
        }
        self.judge(&mut played).await?;
        Ok(played)
    }

    /// The shop tells whose parcel it is.
    async fn register(&self, played: &mut Played) -> Result<()> {
        if !self.casting.registers {
            return Ok(());
        }
        let began = self.steps.first().map_or_else(now, |step| step.at) - SignedDuration::from_hours(1);
        let mut order = json!({ "orderId": self.order, "status": "processing", "trackingNumber": self.number });
        if !self.casting.carrier.is_gatherer()
            && let Some(order) = order.as_object_mut()
        {
            order.insert("carrier".to_owned(), self.casting.carrier.name().into());
        }
        let event = json!({
            "userId": format!("user-{}", self.order.to_lowercase()),
            "notificationType": "order_status_update",
            "recipientEmail": format!("{}@example.com", self.order.to_lowercase()),
            "language": "en",
            "timestamp": began.to_string(),
            "orderData": order,
        });
        // Every local stack is in this region and account.
        let topic = format!(
            "arn:aws:sns:eu-west-1:000000000000:{}-order-notifications",
            self.stack.prefix
        );
        let publish = self.stack.sns.publish().topic_arn(topic).message(event.to_string());
        publish.send().await.context("could not publish the order's event")?;
        let is_known = until(async || Ok(self.witness.record().await?.is_some())).await?;
        if !is_known {
            played.problems.push("expected the order to be known".to_owned());
        }
        Ok(())
    }

    /// Everything that the carrier sends, in the order in which it does.
    async fn letters(&self) -> Result<Vec<Letter>> {
        let Casting {
            carrier, manner, seed, ..
        } = self.casting;
        let mut pushes = Vec::new();
        for (place, step) in self.steps.iter().enumerate() {
            let history = self.steps.get(..=place).unwrap_or_default();
            let told = match manner == Manner::WholeHistory && tells_histories(carrier) {
                true => history,
                false => std::slice::from_ref(step),
            };
            pushes.extend(shapes::push(carrier, &self.number, told));
        }
        let mut letters = Vec::new();
        let token = match carrier == Carrier::Ups && manner != Manner::BadSignature {
            true => Some(self.post.ups_token(self.key).await?),
            false => None,
        };
        for push in &pushes {
            letters.push(self.letter(push, token.as_deref())?);
        }
        if manner == Manner::Twice {
            letters = letters
                .into_iter()
                .flat_map(|letter| [letter.clone(), letter])
                .collect();
        }
        if manner == Manner::Shuffled {
            fastrand::Rng::with_seed(seed).shuffle(&mut letters);
        }
        Ok(letters)
    }

    fn letter(&self, push: &Push, token: Option<&str>) -> Result<Letter> {
        if let Some(token) = token {
            return Ok(Letter::with_token(push, token));
        }
        let key = match self.casting.manner == Manner::BadSignature {
            true => format!("{}-of-another", self.key),
            false => self.key.to_owned(),
        };
        Letter::signed(self.casting.carrier, push, &key, now()).context("expected a carrier that calls")
    }

    async fn send(&self, letter: &Letter, played: &mut Played) -> Result<()> {
        let expected = if self.casting.manner == Manner::BadSignature {
            401
        } else {
            200
        };
        let (status, took) = self.post.send(letter).await?;
        played.took.push(took);
        if status != expected {
            played
                .problems
                .push(format!("expected the answer {expected}, got {status}"));
        }
        Ok(())
    }

    /// Waits until this step was taken in, and its news, if it brings any, were decided upon.
    async fn until_taken_in(&self, place: usize, played: &mut Played) -> Result<()> {
        if !self.casting.registers {
            return Ok(());
        }
        let Some(step) = self.steps.get(place) else {
            return Ok(());
        };
        let status = step.milestone.status();
        let before = place.checked_sub(1).and_then(|place| self.steps.get(place));
        let before = before.map_or(OrderStatus::Processing, |step| step.milestone.status());
        let is_taken_in = until(async || {
            let is_there = self.witness.status().await? == Some(status);
            let news = self.witness.news().await?;
            let is_told = news.iter().any(|news| is_about(news, step) && news.is_settled);
            Ok(is_there && (status == before || is_told))
        })
        .await?;
        if !is_taken_in {
            played
                .problems
                .push(format!("expected news that the order is {status}"));
        }
        Ok(())
    }

    /// Waits until everything was heard and told.
    async fn until_over(&self, played: &mut Played) -> Result<()> {
        let all = self.steps.len();
        let Some(last) = self.steps.last().filter(|_| self.casting.registers) else {
            if !until(async || Ok(self.witness.heard().await? == all)).await? {
                played.problems.push(format!("expected {all} events to be kept"));
            }
            return Ok(());
        };
        let status = last.milestone.status();
        let is_over = until(async || {
            if self.witness.heard().await? < all || self.witness.status().await? != Some(status) {
                return Ok(false);
            }
            let news = self.witness.news().await?;
            let is_told = news.iter().any(|news| is_about(news, last)) && news.iter().all(|news| news.is_settled);
            Ok(is_told && !self.witness.has_waiting_news().await?)
        })
        .await?;
        if !is_over {
            let (heard, stands) = (self.witness.heard().await?, self.witness.status().await?);
            let stands = stands.map_or("unknown", OrderStatus::name);
            played.problems.push(format!(
                "expected {all} events, the status {status} and its news within {} s; there are {heard}, and it is {stands}",
                PATIENCE.as_secs()
            ));
        }
        Ok(())
    }

    /// Sends everything once more, and waits until it was taken in.
    async fn replay(&self, letters: &[Letter], played: &mut Played) -> Result<()> {
        let before = (self.witness.record().await?, self.witness.news().await?.len());
        for letter in letters {
            self.send(letter, played).await?;
        }
        if !until(async || self.witness.is_all_heard().await).await? {
            played
                .problems
                .push("expected the queue carrier-events to be empty".to_owned());
        }
        let after = (self.witness.record().await?, self.witness.news().await?.len());
        if before != after {
            played
                .problems
                .push("expected repetitions to change nothing".to_owned());
        }
        Ok(())
    }

    async fn judge(&self, played: &mut Played) -> Result<()> {
        let heard = self.witness.heard().await?;
        if heard > self.steps.len() {
            played.problems.push(format!(
                "expected {} events to be kept, found {heard}",
                self.steps.len()
            ));
        }
        let told = self.witness.told().await?;
        for (earlier, later) in told.iter().zip(told.iter().skip(1)) {
            if later.at < earlier.at {
                let problem = format!(
                    "expected nothing about {} after {}, which is newer",
                    later.status, earlier.status
                );
                played.problems.push(problem);
            }
        }
        played.status = self.witness.status().await?;
        played.told = told.into_iter().map(|news| news.status).collect();
        Ok(())
    }
}

fn is_about(news: &News, step: &Step) -> bool {
    news.status == step.milestone.status().name() && news.at == step.at.as_second()
}

/// Whether it came true while one was patient.
async fn until(ask: impl AsyncFn() -> Result<bool>) -> Result<bool> {
    let began = Instant::now();
    loop {
        if ask().await? {
            return Ok(true);
        }
        if began.elapsed() > PATIENCE {
            return Ok(false);
        }
        tokio::time::sleep(BETWEEN_LOOKS).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "a tool has the clock of its user")]
fn now() -> Timestamp {
    Timestamp::now()
}
