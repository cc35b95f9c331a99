//! Every metric that the functions emit, by name: what is not here cannot be counted. What each means stands in
//! `docs/OPERATIONS.md`.

use domain::Channel;

/// Declares the metrics: those of one name, then the families that have one for each channel.
macro_rules! metrics {
    (
        $($plain:ident,)*
        $(#[doc = $about:literal] $variant:ident($family:ident): $between:literal { $($word:ident,)* })*
    ) => {
        /// The name of a metric.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum MetricName {
            $(#[doc = concat!("`", stringify!($plain), "`")] $plain,)*
            $(#[doc = $about] $variant(Channel, $family),)*
        }

        $(
            #[doc = $about]
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
            pub enum $family {
                $(#[doc = concat!("`…", $between, stringify!($word), "`")] $word,)*
            }
        )*

        impl MetricName {
            /// As it is emitted.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$plain => stringify!($plain),)*
                    $($(
                        Self::$variant(Channel::Email, $family::$word) => concat!("Email", $between, stringify!($word)),
                        Self::$variant(Channel::Sms, $family::$word) => concat!("Sms", $between, stringify!($word)),
                        Self::$variant(Channel::InApp, $family::$word) => concat!("InApp", $between, stringify!($word)),
                        Self::$variant(Channel::Push, $family::$word) => concat!("Push", $between, stringify!($word)),
                    )*)*
                }
            }

            /// All that can be emitted, by the channels that have a sender.
            pub fn all() -> impl Iterator<Item = Self> {
                let plain = [$(Self::$plain),*];
                let by_channel = Channel::OFFERED.into_iter().flat_map(|channel| {
                    [$($(Self::$variant(channel, $family::$word)),*),*]
                });
                plain.into_iter().chain(by_channel).filter(|name| name.happens())
            }
        }
    };
}

metrics! {
    NotificationSent,
    ChannelsUsed,
    NotificationRepeated,
    EventRefused,
    IdempotencyConflict,
    EventRetried,
    SmsSegments,
    SmsSkippedByNumberLimit,
    SmsSkippedByBudget,
    SmsBudgetUsedPercent,
    SmsUncounted,
    TemplateBroken,
    TemplatesUnavailable,
    DeferredReleased,
    DeferredRefused,
    DeferredOverdueSeconds,
    FeedbackUnmatched,
    FeedbackRefused,
    ContactSuppressed,
    Unsubscribed,
    UnsubscribedUndone,
    PreferencesSaved,
    PreferencesStale,
    FormUnreadable,
    FormFromElsewhere,
    LinkRefusedMalformed,
    LinkRefusedUnknownKey,
    LinkRefusedBadSignature,
    LinkRefusedExpired,
    LinkRefusedOtherPurpose,
    LinkRefusedMustSend,
    ParcelNotShown,
    OrderChangedByHand,
    WebhookCalls,
    WebhookRefused,
    WebhookUnreadable,
    WebhookUnarchived,
    WebhookFailed,
    CarrierCodeUnknown,
    TrackingEvents,
    TrackingUnknownParcel,
    TrackingRefused,
    OrderStatusChanged,
    OrderNews,
    OrderReviewNeeded,
    OrderEventUnreadable,
    OrderNewsPublished,
    OrderNewsOverdue,
    CarrierCalls,
    CarrierCallsFailed,
    CarriersResting,
    ParcelsAsked,
    ParcelsUnknown,
    ParcelsSubscribed,
    ParcelsSilent,
    ParcelsGivenUp,
    ApiRequests,
    ApiClientErrors,
    ApiServerErrors,
    ApiLatency,
    CanarySucceeded,
    CanaryFailed,
    CanaryLatency,
    DynamoDbDown,
    SqsDown,
    SnsDown,
    SesDown,
    SecretsDown,
    S3Down,
    CarriersDown,
    SendersDown,
    ApiDown,
    DependenciesDown,

    #[doc = "What became of deliveries of a channel."]
    Delivery(DeliveryMetric): "Notification" {
        Success,
        Failure,
        Skipped,
        Suppressed,
        Superseded,
        Deferred,
        Retried,
        Throttled,
        AccountTrouble,
        AccountLimit,
        HeldBack,
        BreakerOpened,
        InDoubt,
        ResentInDoubt,
        FailedInDoubt,
        SettledInDoubt,
        Refused,
        Latency,
        Delay,
        UrgentDelay,
    }
    #[doc = "What providers reported of a channel's messages."]
    Report(ReportMetric): "" {
        Delivered,
        Bounced,
        Complained,
        Delayed,
        Opened,
        OpenedByMachine,
        Clicked,
    }
    #[doc = "How the account of a channel is."]
    Account(AccountMetric): "" {
        BreakerOpen,
    }
}

impl MetricName {
    /// Whether there can be such a thing.
    const fn happens(self) -> bool {
        // A text message in doubt is never sent again; of an inbox nobody reports, and no account stands behind it.
        !matches!(
            self,
            Self::Delivery(Channel::Sms, DeliveryMetric::ResentInDoubt)
                | Self::Delivery(
                    Channel::InApp,
                    DeliveryMetric::SettledInDoubt | DeliveryMetric::AccountTrouble | DeliveryMetric::BreakerOpened
                )
                | Self::Account(Channel::InApp, _)
                | Self::Report(Channel::InApp, _)
                | Self::Report(
                    Channel::Sms,
                    ReportMetric::Complained
                        | ReportMetric::Delayed
                        | ReportMetric::Opened
                        | ReportMetric::OpenedByMachine
                        | ReportMetric::Clicked
                )
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_two_metrics_share_a_name() {
        let names: Vec<&str> = MetricName::all().map(MetricName::as_str).collect();
        let distinct: HashSet<&str> = names.iter().copied().collect();
        assert_eq!(distinct.len(), names.len());
        for name in [
            "NotificationSent",
            "EmailNotificationSuccess",
            "InAppNotificationLatency",
            "SmsBounced",
            "SmsBreakerOpen",
        ] {
            assert!(distinct.contains(name), "{name}");
        }
    }
}
