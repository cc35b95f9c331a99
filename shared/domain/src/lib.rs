//! What is true about order notifications without AWS: no clock, no network, no SDK.
//!
//! An [`Event`] is decided upon ([`decide`]), the decision becomes a [`Notification`] in the ledger with one
//! [`Delivery`] per channel, and a [`Delivery`] moves along its arrows until it is final or parked.

mod canary;
mod carrier;
mod channel;
mod consent;
mod contact;
mod content;
mod country;
mod decision;
mod delivery;
mod error_text;
mod event;
mod evidence;
mod fact;
mod health;
mod ids;
mod inbox;
mod locale;
mod money;
mod notification;
mod numbering_plan;
mod phone_verification;
pub mod ports;
mod preferences;
mod quiet_hours;
mod retry;
mod sms_encoding;
mod sms_limits;
mod standing;
mod status;
mod suppression;
mod template;
mod text;
mod topic;
mod trace;
mod tracking;
mod traffic;
mod waiting_room;
mod workflow;
mod written;

pub use canary::{Flight, FlightLog, FrontDoor, Landing};
pub use carrier::Carrier;
pub use channel::Channel;
pub use consent::{Consent, ConsentChange, ConsentSource};
pub use contact::{EmailAddress, InvalidContact, PhoneNumber};
pub use content::{
    AccountChange, Campaign, Content, Item, Maintenance, NotificationType, Order, Parcel, Payment, PaymentOutcome,
    Payout, PayoutOutcome, Product, SmsClass, StatusUpdate,
};
pub use country::{Countries, InvalidCountry};
pub use decision::{Decision, Plan, Reason, ShopDefaults, Wait, decide};
pub use delivery::{Delivery, Encounter, Guard, Lease, NEVER, Past, State};
pub use error_text::chain;
pub use event::{Event, Priority, Recipient};
pub use evidence::{Evidence, Report};
pub use fact::{Fingerprint, ParcelMark};
pub use health::{Dependencies, Dependency, Health, Part};
pub use ids::{InvalidId, NotificationId, OrderId, UserId};
pub use inbox::{InboxPage, InboxPlace, MarkedAll, Note, Unread};
pub use locale::{InvalidLocale, Language, Zone};
pub use money::{Currency, InvalidMoney, Money};
pub use notification::{ChannelResult, DeliveryRequest, News, Notification, Outcome};
pub use phone_verification::PhoneVerification;
pub use preferences::{Preferences, StatusChoice};
pub use quiet_hours::{InvalidTimeOfDay, Night, QuietHours, rings};
pub use retry::{AfterDoubt, RetryPolicy};
pub use sms_encoding::SmsEncoding;
pub use sms_limits::SmsLimits;
pub use standing::{Effect, Saying, SayingId, Standing, Teller, Voice, roll_up};
pub use status::{OrderStatus, UnknownStatus};
pub use suppression::{Contact, Hold, Removal, SoftBounce, Strike, Suppression, SuppressionPolicy, SuppressionReason};
pub use template::{CannotSwitch, InForce, LiveVersion, Published, StateMove, Switch, TemplateVersion, VersionState};
pub use text::{clean_block, clean_line};
pub use topic::Topic;
pub use trace::TraceContext;
pub use tracking::{InvalidTrackingNumber, TrackingDetail, TrackingEvent, TrackingNumber};
pub use traffic::{Asked, Breaker, Slowed, Traffic, Window};
pub use waiting_room::{LONGEST_DELAY, Place};
pub use workflow::{OrderType, Workflow};
pub use written::{SmsSize, Written};
