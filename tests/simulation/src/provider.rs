//! The providers: they take a message or they do not, their answer arrives or it does not, and what they report comes when it
//! comes.

use domain::ports::SendAnswer;
use domain::{Channel, Contact, DeliveryRequest, NotificationId, NotificationType};
use invariants::{Fate, Key, What};
use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;

use crate::faults::{Fault, Kind, Operation, Phase};
use crate::port::Port;
use crate::queues::{Lane, Tag};
use crate::world::{BEGINNING, Due, Mood, State, World, throttled, timestamp};

/// A provider's caller stops waiting after this time.
const TIME_OUT_MS: i64 = 10_000;

/// An acceptance that is not written down yet.
pub(crate) struct Acceptance {
    pub(crate) invocation: u64,
    pub(crate) key: Key,
    pub(crate) message_id: u64,
    /// The same as the provider writes it.
    pub(crate) text: String,
    /// Whether its caller tried to write it down, and never heard back.
    pub(crate) was_tried: bool,
}

/// One call.
#[derive(Clone)]
struct Offer {
    invocation: u64,
    by: u64,
    key: Key,
    id: NotificationId,
    channel: Channel,
    /// Nothing for an inbox.
    to: Option<Contact>,
    kind: NotificationType,
    address: String,
    fault: Option<Fault>,
}

impl Offer {
    fn is(&self, kind: Kind, phase: Phase) -> bool {
        self.fault == Some(Fault::new(kind, phase))
    }

    /// Whether the answer never reaches its caller.
    fn loses_reply(&self) -> bool {
        matches!(
            self.fault,
            Some(
                Fault {
                    kind: Kind::Slow,
                    phase: _
                } | Fault {
                    kind: Kind::Broken | Kind::Error500,
                    phase: Phase::After
                }
            )
        )
    }
}

/// No answer. An inbox takes the same note once, whoever puts it there again.
fn unknown(channel: Channel, reason: &str) -> SendAnswer {
    let reason = reason.to_owned();
    match channel {
        Channel::InApp => SendAnswer::Repeatable { reason },
        Channel::Email | Channel::Sms | Channel::Push => SendAnswer::Unknown { reason },
    }
}

impl Port {
    /// Calls the provider, once.
    pub(crate) async fn offer(&self, request: &DeliveryRequest) -> SendAnswer {
        let fault = self.begin(Operation::Send, 1);
        let who = self.who();
        let is = |kind, phase| fault == Some(Fault::new(kind, phase));
        if is(Kind::Killed, Phase::Before) {
            self.die().await;
        }
        if is(Kind::Frozen, Phase::Before) {
            self.freeze().await;
        }
        let (there, back) = self.ways(Operation::Send);
        let offer = {
            let mut state = self.world.state();
            let key = state.key(request.id, request.channel);
            let customer = request
                .user
                .as_ref()
                .and_then(|user| state.user_numbers.get(user))
                .or_else(|| state.contact_numbers.get(&request.contact()?))
                .copied()
                .unwrap_or_default();
            state.tell(What::Offered {
                delivery: key,
                customer,
                by: who.owner,
            });
            Offer {
                invocation: who.invocation,
                by: who.owner,
                key,
                id: request.id,
                channel: request.channel,
                to: request.contact(),
                kind: request.content.notification_type(),
                address: request.to.clone(),
                fault,
            }
        };
        let now = self.world.look().now;
        let arrives_at = match is(Kind::Slow, Phase::Before) {
            // The caller has long stopped waiting.
            true => now + TIME_OUT_MS + 4_000,
            false => now + there,
        };
        let answer = Rc::new(RefCell::new(None));
        let heard = Rc::clone(&answer);
        let happens = move |world: &Rc<World>| {
            let answered = world.arrive(&offer);
            heard.replace(Some(answered));
        };
        self.world.state().plan(arrives_at, Due::Do(Box::new(happens)));
        if fault.is_some_and(|fault| fault.kind == Kind::Slow) {
            self.sleep_until(now + TIME_OUT_MS).await;
            return unknown(request.channel, "no answer in time");
        }
        if is(Kind::Killed, Phase::After) {
            self.sleep_until(arrives_at).await;
            self.die().await;
        }
        self.sleep_until(arrives_at + back).await;
        if is(Kind::Killed, Phase::Replied) {
            self.die().await;
        }
        if is(Kind::Frozen, Phase::Replied) {
            self.freeze().await;
        }
        let answer = answer.take().unwrap_or_else(|| unknown(request.channel, "no answer"));
        if let (SendAnswer::Accepted { message_id }, Channel::Sms) = (&answer, request.channel) {
            self.keep_message(message_id, request.id, request.channel).await;
        }
        answer
    }
}

impl World {
    /// A call arrives at the provider.
    fn arrive(self: &Rc<Self>, offer: &Offer) -> SendAnswer {
        let mut state = self.state();
        if let Some(refusal) = self.refusal(&mut state, offer) {
            state.tell(What::Refused {
                delivery: offer.key,
                by: offer.by,
            });
            return refusal;
        }
        let is_failing = offer.channel != Channel::InApp && self.fails_after_accepting(&mut state);
        let is_reply_lost = offer.loses_reply() || is_failing;
        state.messages_accepted += 1;
        let this_one = state.messages_accepted;
        let number = match offer.channel {
            Channel::InApp => *state.notes.entry(offer.id).or_insert(this_one),
            Channel::Email | Channel::Sms | Channel::Push => this_one,
        };
        let text = format!("message-{number}");
        state.tell(What::Accepted {
            delivery: offer.key,
            message_id: number,
            by: offer.by,
        });
        let rings = |to| state.rings_at_night(offer.key, to, offer.kind, self.setting.skew_ms);
        if offer.to.as_ref().is_some_and(rings) {
            state.tell(What::RangAtNight { delivery: offer.key });
        }
        if is_reply_lost || !state.is_running(offer.invocation) {
            state.tell(What::ReplyLost {
                delivery: offer.key,
                message_id: number,
            });
        } else {
            state.acceptances.push(Acceptance {
                invocation: offer.invocation,
                key: offer.key,
                message_id: number,
                text: text.clone(),
                was_tried: false,
            });
        }
        self.report(&mut state, offer, number, &text);
        match is_reply_lost {
            true => unknown(offer.channel, "500 or no answer"),
            false => SendAnswer::Accepted { message_id: text },
        }
    }

    /// Why it is not taken, if it is not.
    fn refusal(&self, state: &mut State, offer: &Offer) -> Option<SendAnswer> {
        let is_table = offer.channel == Channel::InApp;
        if offer.is(Kind::Broken, Phase::Before) {
            return Some(if is_table {
                unknown(offer.channel, "never connected")
            } else {
                not_connected()
            });
        }
        if offer.is(Kind::Error500, Phase::Before) {
            return Some(unknown(offer.channel, "500"));
        }
        if offer.is(Kind::Throttled, Phase::Before) {
            return Some(throttled());
        }
        if offer.is(Kind::Refused, Phase::Before) {
            return Some(SendAnswer::Refused {
                reason: "BadRequestException".to_owned(),
            });
        }
        if offer.is(Kind::Trouble, Phase::Before) {
            return Some(if is_table { forbidden() } else { suspended() });
        }
        // A table has no moods: an outage of it is one of the faults.
        if is_table {
            return None;
        }
        let now = state.now - BEGINNING;
        let moods = self
            .setting
            .moods
            .iter()
            .filter(|(from, to, _)| (*from..*to).contains(&now));
        for (_, _, mood) in moods {
            let refusal = match mood {
                Mood::Suspended { .. } => Some(suspended()),
                Mood::Throttling(often) => state.chance(*often).then(throttled),
                // Half of the failures are accepted, see above.
                Mood::Failing(often) => state.chance(often / 2.0).then(|| unknown(offer.channel, "500")),
                Mood::OutOfReach(often) => state.chance(*often).then(not_connected),
                Mood::Rejecting(often) => state.chance(*often).then(|| SendAnswer::Rejected {
                    reason: "MessageRejected".to_owned(),
                }),
            };
            if refusal.is_some() {
                return refusal;
            }
        }
        None
    }

    /// Whether it answers 500 although it has taken the message.
    fn fails_after_accepting(&self, state: &mut State) -> bool {
        let now = state.now - BEGINNING;
        let moods = self
            .setting
            .moods
            .iter()
            .filter(|(from, to, _)| (*from..*to).contains(&now));
        let often = moods.map(|(_, _, mood)| if let Mood::Failing(often) = mood { *often } else { 0.0 });
        let often: f64 = often.sum();
        state.chance(often / 2.0)
    }

    /// Publishes what is reported about a message that was accepted.
    fn report(&self, state: &mut State, offer: &Offer, number: u64, message_id: &str) {
        let reports = &self.setting.reports;
        if offer.channel == Channel::InApp {
            return;
        }
        if offer.channel == Channel::Sms {
            if state.chance(reports.logged) {
                let is_bounced = state.chance(reports.bounced);
                let delay = if state.chance(reports.quick) {
                    state.rng.i64(30..200)
                } else {
                    state.rng.i64(1_000..60_000)
                };
                let text = sms_log(offer, message_id, state.now + delay, is_bounced);
                state.put(Lane::DeliveryEvents, text.into(), Tag::default(), delay);
            }
            return;
        }
        let is_lost = state.chance(reports.send_lost);
        if is_lost {
            state.tell(What::SendEvent {
                delivery: offer.key,
                message_id: number,
                fate: Fate::Lost,
            });
        }
        let times = if is_lost {
            0
        } else {
            1 + u32::from(state.chance(reports.send_twice))
        };
        for _time in 0..times {
            let delay = match state.chance(reports.send_late) {
                true => state.rng.i64(60_000..10_800_000),
                false => state.rng.i64(100..1_000),
            };
            let text = self.ses_event(state, offer, message_id, "Send", json!({}));
            let tag = Tag {
                sent: Some((offer.key, number)),
                ..Tag::default()
            };
            state.put(Lane::DeliveryEvents, text.into(), tag, delay);
        }
        let recipients = json!([{"emailAddress": offer.address}]);
        let (delivered, bounced, complained) = (
            state.chance(reports.delivered),
            state.chance(reports.bounced),
            state.chance(reports.complained),
        );
        let mut later = Vec::new();
        if bounced {
            let is_hard = state.rng.bool();
            let details = json!({
                "bounceType": if is_hard { "Permanent" } else { "Transient" },
                "bounceSubType": "General",
                "bouncedRecipients": recipients,
            });
            later.push(("Bounce", details));
        } else if delivered {
            later.push(("Delivery", json!({"recipients": [offer.address]})));
        }
        if complained {
            later.push((
                "Complaint",
                json!({"complainedRecipients": recipients, "complaintFeedbackType": "abuse"}),
            ));
        }
        for (kind, mut details) in later {
            let delay = match state.chance(reports.quick) {
                true => state.rng.i64(30..200),
                false => state.rng.i64(1_000..900_000),
            };
            let at = state.now + delay;
            if let Some(details) = details.as_object_mut() {
                details.insert("timestamp".to_owned(), json!(timestamp(at).to_string()));
            }
            let text = self.ses_event(state, offer, message_id, kind, details);
            state.put(Lane::DeliveryEvents, text.into(), Tag::default(), delay);
        }
    }

    fn ses_event(
        &self,
        state: &mut State,
        offer: &Offer,
        message_id: &str,
        kind: &str,
        details: serde_json::Value,
    ) -> String {
        let field = match kind {
            "Send" => "send",
            "Delivery" => "delivery",
            "Bounce" => "bounce",
            _ => "complaint",
        };
        let id = offer.id.to_string();
        let sent_at = timestamp(state.now).to_string();
        // Identities report no `Send`, and show the headers where they are told to.
        if kind != "Send" && state.chance(self.setting.reports.older_form) {
            return json!({
                "notificationType": kind,
                "mail": {"timestamp": sent_at, "messageId": message_id, "headers": [{"name": "X-Notification-Id", "value": id}]},
                field: details,
            })
            .to_string();
        }
        json!({
            "eventType": kind,
            "mail": {"timestamp": sent_at, "messageId": message_id, "tags": {"notification-id": [id], "channel": ["email"]}},
            field: details,
        })
        .to_string()
    }
}

fn sms_log(offer: &Offer, message_id: &str, at: i64, is_bounced: bool) -> String {
    let at = timestamp(at).to_string().replace('T', " ").replace('Z', "");
    let (status, response) = match is_bounced {
        true => ("FAILURE", "Phone has blocked SMS"),
        false => ("SUCCESS", "Message has been accepted by phone carrier"),
    };
    json!({
        "notification": {"messageId": message_id, "timestamp": at},
        "delivery": {"destination": offer.address, "providerResponse": response},
        "status": status,
    })
    .to_string()
}

fn suspended() -> SendAnswer {
    SendAnswer::AccountTrouble {
        reason: "AccountSuspendedException".to_owned(),
    }
}

fn forbidden() -> SendAnswer {
    SendAnswer::Limited {
        reason: "AccessDeniedException".to_owned(),
    }
}

fn not_connected() -> SendAnswer {
    SendAnswer::NotTaken {
        reason: "never connected".to_owned(),
    }
}

impl State {
    /// The caller was killed: whatever it was told is lost with it.
    pub(crate) fn lose_replies_of(&mut self, invocation: u64) {
        self.end_replies_of(invocation, true);
    }

    /// The caller ended: what it tried in vain to write down is lost.
    pub(crate) fn forget_replies_of(&mut self, invocation: u64) {
        self.end_replies_of(invocation, false);
    }

    fn end_replies_of(&mut self, invocation: u64, was_killed: bool) {
        let mut acceptances = std::mem::take(&mut self.acceptances);
        acceptances.retain(|acceptance| {
            let is_its_own = acceptance.invocation == invocation;
            if is_its_own && (was_killed || acceptance.was_tried) {
                self.tell(What::ReplyLost {
                    delivery: acceptance.key,
                    message_id: acceptance.message_id,
                });
            }
            !is_its_own
        });
        self.acceptances = acceptances;
    }
}
