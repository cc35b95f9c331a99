//! What the pages did, as metrics.

use axum::body::Body;
use axum::http::Response;
use lambda::MetricName;
use links::InvalidLink;
use pages::{Deed, Refusal};
use web::Counted;

/// Notes on a response what is counted for it.
pub(crate) async fn counted(mut response: Response<Body>) -> Response<Body> {
    if let Some(name) = response.extensions().get().and_then(|deed| name_of(*deed)) {
        response.extensions_mut().insert(Counted::once(name));
    }
    response
}

/// The name of the metric; none for what is no news.
const fn name_of(deed: Deed) -> Option<MetricName> {
    match deed {
        Deed::Shown | Deed::StoppedBefore | Deed::Unchanged | Deed::Trouble => None,
        Deed::Stopped => Some(MetricName::Unsubscribed),
        Deed::PutBack => Some(MetricName::UnsubscribedUndone),
        Deed::Saved => Some(MetricName::PreferencesSaved),
        Deed::Stale => Some(MetricName::PreferencesStale),
        Deed::Unreadable => Some(MetricName::FormUnreadable),
        Deed::FromElsewhere => Some(MetricName::FormFromElsewhere),
        Deed::MustSend => Some(MetricName::LinkRefusedMustSend),
        Deed::Refused(Refusal::OtherPurpose) => Some(MetricName::LinkRefusedOtherPurpose),
        Deed::Refused(Refusal::Invalid(InvalidLink::Malformed)) => Some(MetricName::LinkRefusedMalformed),
        Deed::Refused(Refusal::Invalid(InvalidLink::UnknownKey)) => Some(MetricName::LinkRefusedUnknownKey),
        Deed::Refused(Refusal::Invalid(InvalidLink::BadSignature)) => Some(MetricName::LinkRefusedBadSignature),
        Deed::Refused(Refusal::Invalid(InvalidLink::Expired)) => Some(MetricName::LinkRefusedExpired),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refusal_is_counted_by_its_cause_and_a_look_is_not() {
        for (deed, expected) in [
            (
                Deed::Refused(Refusal::Invalid(InvalidLink::Expired)),
                Some(Counted::once(MetricName::LinkRefusedExpired)),
            ),
            (Deed::Stopped, Some(Counted::once(MetricName::Unsubscribed))),
            (Deed::Shown, None),
        ] {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(deed);
            assert_eq!(counted(response).await.extensions().get(), expected.as_ref());
        }
    }
}
