//! Letting a canary fly, and seeing what became of the one before.
//!
//! A run judges the canary before its own, which has had all the time between two runs, and then publishes the next. What is to be
//! judged is written down before it is published, so that each canary is judged once, by whichever run comes next.

use domain::ports::{Clock, LedgerLoad, Unavailable};
use domain::{Flight, FlightLog, FrontDoor, Landing, UserId, chain};
use jiff::Timestamp;
use serde_json::json;

use crate::{Reading, read_event};

/// The canaries, over their ports.
pub struct Canary<'a, L, F, D, C> {
    /// Where it stands what became of the last one.
    pub ledger: &'a L,
    /// Which one that is.
    pub log: &'a F,
    /// Where the next one flies in.
    pub door: &'a D,
    /// The time.
    pub clock: &'a C,
    /// How the orchestrator reads events, so that the id here is the one that the ledger will know.
    pub reading: &'a Reading,
    /// The customer that stands for all.
    pub user: &'a UserId,
    /// Where its e-mails go.
    pub email: &'a str,
}

/// How a run went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flown {
    /// The canary before, and what became of it; nothing where there was none, or where this run has been made already.
    pub before: Option<(Option<Flight>, Landing)>,
    /// The canary that flies now; nothing where none does.
    pub next: Option<Flight>,
    /// Why the next one may not have left, for the log. The next run finds it missing.
    pub trouble: Option<String>,
}

impl<L, F, D, C> Canary<'_, L, F, D, C>
where
    L: LedgerLoad,
    F: FlightLog,
    D: FrontDoor,
    C: Clock,
{
    /// The run of this slot. Made again, it does nothing.
    pub async fn fly(&self, slot: Timestamp) -> Flown {
        let last = match self.log.last().await {
            Ok(last) => last,
            Err(error) => return Flown::blind(None, &error),
        };
        if last.as_ref().is_some_and(|last| last.slot >= slot) {
            return Flown::default();
        }
        let (event, next) = match self.prepared(slot) {
            Ok(prepared) => prepared,
            Err(why) => return Flown::grounded(last, why),
        };
        let landing = match &last {
            Some(last) => Some(self.landing(last).await),
            None => None,
        };
        match self.log.begin(last.as_ref(), &next).await {
            Ok(true) => {}
            // Another run of this slot was quicker, and judges.
            Ok(false) => return Flown::default(),
            Err(error) => return Flown::blind(last, &error),
        }
        let trouble = self.door.publish(&event).await.err().map(|error| chain(&error));
        Flown {
            before: landing.map(|landing| (last, landing)),
            next: Some(next),
            trouble,
        }
    }

    async fn landing(&self, last: &Flight) -> Landing {
        match self.ledger.load(&[last.id]).await {
            Ok(found) => last.landing(found.get(&last.id)),
            Err(error) => Landing::Lost(format!("nobody knows what became of it: {}", chain(&error))),
        }
    }

    /// The event of this slot, and what it becomes. Urgent, so that neither quiet hours nor a campaign hold it up: what is late in that
    /// lane is late without an excuse.
    fn prepared(&self, slot: Timestamp) -> Result<(String, Flight), String> {
        let now = self.clock.now();
        let event = json!({
            "notificationType": "test",
            "userId": self.user.as_str(),
            "recipientEmail": self.email,
            "channels": ["email"],
            "priority": "urgent",
            "idempotencyKey": format!("canary/{slot}"),
            "timestamp": now.to_string(),
        })
        .to_string();
        let read = read_event(&event, now, self.reading).map_err(|refusal| refusal.to_string())?;
        let next = Flight {
            slot,
            published_at: now,
            id: read.notification_id(&self.reading.shop.zone),
        };
        Ok((event, next))
    }
}

impl Flown {
    /// A run that did not come to its end within so many seconds.
    #[must_use]
    pub fn cut_off(seconds: u64) -> Self {
        Self::grounded(None, format!("the run did not come to its end within {seconds} s"))
    }

    /// Without the log of flights nobody knows which canary to look for, and the next one would not be looked for either.
    fn blind(last: Option<Flight>, error: &Unavailable) -> Self {
        Self::grounded(last, chain(error))
    }

    fn grounded(last: Option<Flight>, why: String) -> Self {
        Self {
            before: Some((last, Landing::Lost(format!("no other can follow it: {why}")))),
            next: None,
            trouble: Some(why),
        }
    }
}
