//! The valves between queues and senders: event source mappings, switched on and off.

use aws_sdk_lambda::Client;
use domain::Channel;
use domain::ports::{Unavailable, Valves};
use futures_util::future::join_all;
use std::collections::HashMap;

use crate::answer::in_few_words;

const READING: &str = "read whether a queue flows";
const SETTING: &str = "hold a queue or let it flow";

/// The event source mappings of the senders.
#[derive(Debug, Clone)]
pub struct LambdaValves {
    client: Client,
    mappings: HashMap<Channel, Vec<String>>,
}

impl LambdaValves {
    /// These mappings: the ids of a channel's lanes.
    #[must_use]
    pub const fn new(client: Client, mappings: HashMap<Channel, Vec<String>>) -> Self {
        Self { client, mappings }
    }

    /// Sets one mapping. It is read first, because a write begins a change of some seconds even where nothing changes.
    async fn set_lane(&self, id: &str, is_flowing: bool) -> Result<(), Unavailable> {
        let mapping = self.client.get_event_source_mapping().uuid(id).send().await;
        let mapping = mapping.map_err(|error| Unavailable::new(READING, in_few_words(&error)))?;
        if flows(mapping.state()) == Some(is_flowing) {
            return Ok(());
        }
        self.client
            .update_event_source_mapping()
            .uuid(id)
            .enabled(is_flowing)
            .send()
            .await
            .map(|_changing| ())
            .map_err(|error| Unavailable::new(SETTING, in_few_words(&error)))
    }
}

impl Valves for LambdaValves {
    async fn set(&self, channel: Channel, is_flowing: bool) -> Result<(), Unavailable> {
        let Some(mappings) = self.mappings.get(&channel) else {
            return Err(Unavailable::new(
                SETTING,
                "no event source mapping is configured for it",
            ));
        };
        // One lane that cannot be set leaves the other as it should be.
        let lanes = join_all(mappings.iter().map(|id| self.set_lane(id, is_flowing))).await;
        lanes.into_iter().collect()
    }
}

/// Whether messages flow in this state, or soon will (Lambda API reference, `GetEventSourceMapping`, "State").
fn flows(state: Option<&str>) -> Option<bool> {
    match state? {
        "Creating" | "Enabling" | "Enabled" | "Updating" => Some(true),
        "Disabling" | "Disabled" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_lambda::operation::get_event_source_mapping::{
        GetEventSourceMappingError, GetEventSourceMappingOutput,
    };
    use aws_sdk_lambda::operation::update_event_source_mapping::{
        UpdateEventSourceMappingError, UpdateEventSourceMappingOutput,
    };
    use aws_sdk_lambda::types::error::{ResourceInUseException, ServiceException};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};

    fn valves(rules: &[&Rule]) -> LambdaValves {
        let client = mock_client!(aws_sdk_lambda, RuleMode::MatchAny, rules, |config| {
            config.retry_config(aws_sdk_lambda::config::retry::RetryConfig::disabled())
        });
        let mappings = vec!["normal".to_owned(), "urgent".to_owned()];
        LambdaValves::new(client, HashMap::from([(Channel::Email, mappings)]))
    }

    fn in_state(id: &'static str, state: &'static str) -> Rule {
        mock!(Client::get_event_source_mapping)
            .match_requests(move |request| request.uuid() == Some(id))
            .then_output(move || GetEventSourceMappingOutput::builder().state(state).build())
    }

    fn setting(id: &'static str, is_enabled: bool) -> Rule {
        mock!(Client::update_event_source_mapping)
            .match_requests(move |request| request.uuid() == Some(id) && request.enabled() == Some(is_enabled))
            .then_output(|| UpdateEventSourceMappingOutput::builder().build())
    }

    #[test]
    fn a_mapping_that_changes_counts_as_what_it_becomes() {
        for state in ["Creating", "Enabling", "Enabled", "Updating"] {
            assert_eq!(flows(Some(state)), Some(true), "{state}");
        }
        for state in ["Disabling", "Disabled"] {
            assert_eq!(flows(Some(state)), Some(false), "{state}");
        }
        assert_eq!((flows(Some("Deleting")), flows(None)), (None, None));
    }

    #[tokio::test]
    async fn only_the_lane_that_differs_is_set() {
        let (normal, urgent) = (in_state("normal", "Disabled"), in_state("urgent", "Enabled"));
        let shut = setting("urgent", false);
        valves(&[&normal, &urgent, &shut])
            .set(Channel::Email, false)
            .await
            .unwrap();
        assert_eq!(shut.num_calls(), 1);
    }

    #[tokio::test]
    async fn both_lanes_are_opened_again() {
        let (normal, urgent) = (in_state("normal", "Disabled"), in_state("urgent", "Disabling"));
        let (open_normal, open_urgent) = (setting("normal", true), setting("urgent", true));
        let valves = valves(&[&normal, &urgent, &open_normal, &open_urgent]);
        valves.set(Channel::Email, true).await.unwrap();
        assert_eq!((open_normal.num_calls(), open_urgent.num_calls()), (1, 1));
    }

    #[tokio::test]
    async fn a_lane_that_cannot_be_read_is_an_error_and_the_other_is_set() {
        let normal = mock!(Client::get_event_source_mapping)
            .match_requests(|request| request.uuid() == Some("normal"))
            .then_error(|| GetEventSourceMappingError::ServiceException(ServiceException::builder().build()));
        let (urgent, shut) = (in_state("urgent", "Enabled"), setting("urgent", false));
        assert!(
            valves(&[&normal, &urgent, &shut])
                .set(Channel::Email, false)
                .await
                .is_err()
        );
        assert_eq!(shut.num_calls(), 1);
    }

    #[tokio::test]
    async fn a_lane_that_is_in_use_is_an_error() {
        let (normal, urgent) = (in_state("normal", "Enabled"), in_state("urgent", "Disabled"));
        let busy = mock!(Client::update_event_source_mapping).then_error(|| {
            UpdateEventSourceMappingError::ResourceInUseException(ResourceInUseException::builder().build())
        });
        assert!(
            valves(&[&normal, &urgent, &busy])
                .set(Channel::Email, false)
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn a_channel_without_mappings_is_an_error() {
        assert!(valves(&[]).set(Channel::Sms, true).await.is_err());
    }
}
