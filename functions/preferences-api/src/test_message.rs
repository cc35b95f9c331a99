//! `POST /notifications/test`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use domain::Channel;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;
use web::{Caller, Fields, Problem};

use crate::open_api;
use crate::ports::{EventPut, Ports};

/// By which channel.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "describes a body that is read field by field")]
pub(crate) struct TestOrder {
    /// A channel that has a sender.
    #[schema(schema_with = open_api::offered_channel)]
    channel: String,
}

/// Which notification it became.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TestOrdered {
    /// Its id in the history, where it stands a moment later with how it fared.
    notification_id: String,
}

/// Send me a test message.
///
/// By one channel, at once, whatever the preferences and the hour; a text message needs a verified number. One per channel and minute: asked for
/// again in the same minute it is the same message.
#[utoipa::path(
    post, path = "/notifications/test", operation_id = "sendTest", tag = "history",
    request_body(content((TestOrder = "application/json"))),
    responses((status = 202, body = TestOrdered), open_api::BodyRefusals)
)]
pub(crate) async fn send<P: Ports>(
    State(ports): State<Arc<P>>,
    Extension(now): Extension<Timestamp>,
    caller: Caller,
    mut fields: Fields,
) -> Result<(StatusCode, Json<TestOrdered>), Problem> {
    let names = Channel::OFFERED.map(Channel::name).join(", ");
    let channel = fields.required("channel", |text| {
        let known = Channel::OFFERED.into_iter().find(|channel| channel.name() == text);
        known.ok_or_else(|| format!("expected one of {names}"))
    });
    fields.end(&["channel"])?;
    let channel = channel.ok_or_else(Problem::internal)?;
    let event = json!({
        "notificationType": "test",
        "userId": caller.user.as_str(),
        "channels": [channel.name()],
        "priority": "urgent",
        "eventId": format!("test/{channel}/{}", now.as_second().div_euclid(60)),
        "timestamp": now.to_string(),
    })
    .to_string();
    // Read as the orchestrator will read it: the id is the one that the ledger will know.
    let reading = pipeline::Reading {
        shop: ports.shop().clone(),
        admin_topic: None,
        admin_email: None,
    };
    let read = pipeline::read_event(&event, now, &reading).map_err(|_of_our_making| Problem::internal())?;
    ports.events().put(event).await?;
    let notification_id = read.notification_id(&ports.shop().zone).to_string();
    Ok((StatusCode::ACCEPTED, Json(TestOrdered { notification_id })))
}
