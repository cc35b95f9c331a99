//! I2, I4 and I9: what was offered to the provider, what it took, and who could know.

use crate::arrows;
use crate::chronicle::{Ending, Entry, Fate, Key, Terms, What, Writer};
use crate::quick::Map;
use crate::verdict::Invariant::{I1, I2, I4, I5, I7, I9};
use crate::verdict::{Exempt, Verdict};

/// The provider's side of the run.
pub(crate) struct Provider<'a> {
    terms: &'a Terms,
    dealings: Map<Key, Dealings>,
    /// Since which place.
    opted_out: Map<(u32, &'static str), usize>,
    /// The last place at which an invocation read what a customer wants.
    looked: Map<(u64, u32), usize>,
}

/// All that the provider and we had to do with each other about one delivery.
#[derive(Default)]
struct Dealings {
    claims: Vec<Claims>,
    acceptances: Vec<Acceptance>,
    /// The first place at which the ledger said that it was accepted.
    known: Option<usize>,
}

/// What one invocation may do, and did.
struct Claims {
    owner: u64,
    won: u32,
    /// The place of the last one.
    won_at: usize,
    offers: u32,
    /// Whether the provider accepted by its last call.
    last_offer: Option<bool>,
}

struct Acceptance {
    message_id: u64,
    by: u64,
    at_ms: i64,
    /// The place of the claim behind the call for it: whoever has claimed does not look at the ledger again.
    claim: Result<usize, NoOffer>,
    is_reply_lost: bool,
    is_event_lost: bool,
    /// The first place at which its `Send` event was taken.
    event: Option<usize>,
}

#[derive(Clone, Copy)]
enum NoOffer {
    None,
    Repeated,
}

impl<'a> Provider<'a> {
    pub(crate) fn new(terms: &'a Terms) -> Self {
        Self {
            terms,
            dealings: Map::default(),
            opted_out: Map::default(),
            looked: Map::default(),
        }
    }

    pub(crate) fn hear(&mut self, place: usize, entry: &Entry, verdict: &mut Verdict) {
        let at_ms = Some(entry.at_ms);
        match &entry.what {
            What::Moved { delivery, from, to, by } => {
                if to.state == "sending"
                    && let Some(owner) = to.owner
                {
                    let claims = self.dealings(*delivery).claims_of(owner);
                    claims.won += 1;
                    claims.won_at = place;
                } else if arrows::is_accepted(&to.state) && !arrows::is_accepted(&from.state) {
                    let dealings = self.dealings(*delivery);
                    dealings.known.get_or_insert(place);
                    // Whoever made the call speaks of that call, anybody else of any.
                    let is_true = dealings.acceptances.iter().any(|acceptance| {
                        from.owner.map(Writer::Invocation) != Some(*by) || from.owner == Some(acceptance.by)
                    });
                    if !is_true {
                        let text = format!(
                            "{by} wrote `{}`, but the provider had not accepted what it speaks of",
                            to.state
                        );
                        verdict.breach(I5, Some(*delivery), at_ms, text);
                    }
                }
            }
            What::Looked { customer, by } => {
                self.looked.insert((*by, *customer), place);
            }
            What::Offered { delivery, customer, by } => {
                let since = self.opted_out.get(&(*customer, delivery.channel));
                let looked = self.looked.get(&(*by, *customer));
                if since.is_some_and(|since| looked.is_none_or(|looked| looked > since)) {
                    let text = match looked {
                        Some(_) => "offered it after it had looked, although",
                        None => "offered it without having looked, and",
                    };
                    let text = format!("invocation {by} {text} customer {customer} had opted out");
                    verdict.breach(I4, Some(*delivery), at_ms, text);
                }
                let claims = self.dealings(*delivery).claims_of(*by);
                claims.offers += 1;
                claims.last_offer = Some(false);
                if claims.offers > claims.won {
                    let text = format!(
                        "invocation {by} offered it {} times after {} claims",
                        claims.offers, claims.won
                    );
                    verdict.breach(I5, Some(*delivery), at_ms, text);
                }
            }
            What::Accepted {
                delivery,
                message_id,
                by,
            } => {
                let dealings = self.dealings(*delivery);
                let claims = dealings.claims_of(*by);
                let claim = match claims.last_offer {
                    Some(false) => {
                        claims.last_offer = Some(true);
                        Ok(claims.won_at)
                    }
                    Some(true) => Err(NoOffer::Repeated),
                    None => Err(NoOffer::None),
                };
                if matches!(claim, Err(NoOffer::None)) {
                    let text = format!("the provider accepted it from invocation {by}, which had not offered it");
                    verdict.breach(I2, Some(*delivery), at_ms, text);
                }
                dealings.acceptances.push(Acceptance {
                    message_id: *message_id,
                    by: *by,
                    at_ms: entry.at_ms,
                    claim,
                    is_reply_lost: false,
                    is_event_lost: false,
                    event: None,
                });
            }
            What::ReplyLost { delivery, message_id } => {
                for acceptance in self.acceptances(*delivery, *message_id) {
                    acceptance.is_reply_lost = true;
                }
            }
            What::SendEvent {
                delivery,
                message_id,
                fate,
            } => {
                for acceptance in self.acceptances(*delivery, *message_id) {
                    match fate {
                        Fate::Delivered => {
                            acceptance.event.get_or_insert(place);
                        }
                        Fate::Lost => acceptance.is_event_lost = true,
                    }
                }
            }
            What::OptedOut { customer, channel } => {
                self.opted_out.entry((*customer, channel)).or_insert(place);
            }
            What::OptedIn { customer, channel } => {
                self.opted_out.remove(&(*customer, *channel));
            }
            What::RangAtNight { delivery } => {
                let text = "the provider accepted it in the customer's quiet hours, and it was not urgent".to_owned();
                verdict.breach(I9, Some(*delivery), at_ms, text);
            }
            What::Published { .. }
            | What::SourceForgot { .. }
            | What::Opened { .. }
            | What::Refused { .. }
            | What::DeadLettered { .. }
            | What::Redriven { .. }
            | What::Metrics { .. }
            | What::Killed { .. }
            | What::Unanswered { .. }
            | What::LogLine { .. } => {}
        }
    }

    pub(crate) fn close(self, ending: &Ending, verdict: &mut Verdict) {
        for (key, snapshot) in &ending.deliveries {
            let state = snapshot.state.as_ref();
            if arrows::is_accepted(state) {
                continue;
            }
            let dealings = self.dealings.get(key);
            let acceptances = dealings.into_iter().flat_map(|dealings| dealings.told_in_time(*key));
            let acceptances: Vec<&Acceptance> = acceptances.collect();
            if state == "parked" && acceptances.iter().any(|acceptance| acceptance.is_known_at_last()) {
                let text =
                    "it is parked, but known to be accepted: sending it again would be once too often".to_owned();
                verdict.breach(I7, Some(*key), None, text);
            } else if acceptances.iter().any(|acceptance| !acceptance.is_reply_lost) {
                let text = format!("it ended as `{state}`, but the provider had told its caller that it was accepted");
                verdict.breach(I1, Some(*key), None, text);
            }
        }
        let mut repeated: Vec<_> = self
            .dealings
            .iter()
            .filter(|(key, dealings)| dealings.acceptances.len() > 1 && !dealings.are_one_note(**key))
            .collect();
        repeated.sort_unstable_by_key(|(key, _)| **key);
        for (key, dealings) in repeated {
            dealings.judge(*key, self.terms, verdict);
        }
    }

    fn dealings(&mut self, delivery: Key) -> &mut Dealings {
        self.dealings.entry(delivery).or_default()
    }

    fn acceptances(&mut self, delivery: Key, message_id: u64) -> impl Iterator<Item = &mut Acceptance> {
        self.dealings(delivery)
            .acceptances
            .iter_mut()
            .filter(move |acceptance| acceptance.message_id == message_id)
    }
}

impl Dealings {
    fn claims_of(&mut self, owner: u64) -> &mut Claims {
        let number = self.claims.iter().rposition(|claims| claims.owner == owner);
        let number = number.unwrap_or_else(|| {
            self.claims.push(Claims {
                owner,
                won: 0,
                won_at: 0,
                offers: 0,
                last_offer: None,
            });
            self.claims.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "found or pushed just now")]
        &mut self.claims[number]
    }

    /// The acceptances of which somebody was told who could still write it down. Nobody waits for the owner of a note whose
    /// lease is over: it is put again, and what comes of that stands.
    fn told_in_time(&self, key: Key) -> impl Iterator<Item = &Acceptance> {
        let last_claim = self.claims.iter().map(|claims| claims.won_at).max();
        self.acceptances
            .iter()
            .filter(move |acceptance| key.channel != "in_app" || acceptance.claim.ok() >= last_claim)
    }

    /// Whether the acceptances are all of one note in an inbox, which is there once however often it was put.
    fn are_one_note(&self, key: Key) -> bool {
        let mut ids = self.acceptances.iter().map(|acceptance| acceptance.message_id);
        let first = ids.next();
        key.channel == "in_app" && ids.all(|id| Some(id) == first)
    }

    /// Of two acceptances and more: whether nobody could know of the earlier ones when a later one was claimed.
    fn judge(&self, key: Key, terms: &Terms, verdict: &mut Verdict) {
        let mut is_exempt = true;
        for (number, acceptance) in self.acceptances.iter().enumerate().skip(1) {
            let earlier = self.acceptances.iter().take(number);
            if let Some(why_not) = self.why_not(key, earlier, acceptance, terms) {
                is_exempt = false;
                let text = format!("the provider accepted it {} times, but {why_not}", number + 1);
                verdict.breach(I2, Some(key), Some(acceptance.at_ms), text);
            }
        }
        let why = self.acceptances.first().map(|first| {
            if first.is_event_lost {
                "the reply to the first and its `Send` event were lost"
            } else if first.event.is_some() {
                "the reply to the first was lost and its `Send` event came too late"
            } else {
                "the reply to the first was lost and its `Send` event has never come"
            }
        });
        if let Some(why) = why
            && is_exempt
        {
            verdict.exempt.push(Exempt {
                delivery: key,
                accepted: u32::try_from(self.acceptances.len()).unwrap_or(u32::MAX),
                why,
            });
        }
    }

    fn why_not<'b>(
        &self,
        key: Key,
        mut earlier: impl Iterator<Item = &'b Acceptance>,
        acceptance: &Acceptance,
        terms: &Terms,
    ) -> Option<&'static str> {
        if key.channel != "email" {
            return Some("nothing but an e-mail is ever sent again");
        }
        if !terms.resend_in_doubt {
            return Some("the policy sends nothing again");
        }
        let claim = match acceptance.claim {
            Ok(claim) => claim,
            Err(NoOffer::Repeated) => return Some("one call is one message"),
            Err(NoOffer::None) => return Some("nobody had offered it again"),
        };
        if self.known.is_some_and(|known| known < claim) {
            return Some("the ledger said so when it was claimed again");
        }
        earlier.find_map(|earlier| {
            if !earlier.is_reply_lost {
                Some("the caller had been told of an earlier one")
            } else if earlier.event.is_some_and(|event| event < claim) {
                Some("the `Send` event of an earlier one had come when it was claimed again")
            } else {
                None
            }
        })
    }
}

impl Acceptance {
    fn is_known_at_last(&self) -> bool {
        !self.is_reply_lost || self.event.is_some()
    }
}
