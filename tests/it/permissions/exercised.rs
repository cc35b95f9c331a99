//! What the functions did, as the fault proxy wrote it down.

use fault_proxy::{Access, Control};
use std::collections::{BTreeMap, BTreeSet};

use super::granted::Template;

/// The ids of keys that belong to a role's session begin so (AWS IAM, "unique identifiers").
const SESSION: &str = "ASIA";

/// What each function did, by its name. That each signs with a session of its own role shows that the roles are enforced: without
/// that, the emulator gives all of them the account's own key.
pub(super) async fn by_function(template: &Template) -> BTreeMap<String, BTreeSet<Access>> {
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run `make test`"));
    let proxy = Control::new(&variable("FAULT_PROXY_URL")).unwrap();
    let bucket = variable("E_COM67_CARRIER_ARCHIVE");
    let mappings = mappings(template).await;
    let mut exercised = BTreeMap::new();
    for (key, done) in proxy.exercised().await.unwrap() {
        if !key.starts_with(SESSION) {
            continue;
        }
        let callers: Vec<_> = done.callers.into_iter().collect();
        let [caller] = callers.as_slice() else {
            panic!("expected one function to sign with a key, got {callers:?}");
        };
        let accesses = done.accesses.into_iter().map(|access| Access {
            resource: named(&access.resource, &bucket, &mappings),
            ..access
        });
        // A function and its versions have keys of their own.
        let of_function: &mut BTreeSet<Access> = exercised.entry(caller.clone()).or_default();
        of_function.extend(accesses);
    }
    let seen: Vec<_> = exercised.keys().cloned().collect();
    let mut functions: Vec<_> = template.functions().into_iter().map(|function| function.name).collect();
    functions.sort();
    assert_eq!(
        seen, functions,
        "every function, and nobody else, signs with a session of its role"
    );
    exercised
}

/// A resource as the template names it, where AWS chose its name.
fn named(resource: &str, bucket: &str, mappings: &BTreeMap<String, String>) -> String {
    if let Some(rest) = resource.strip_prefix(bucket) {
        return format!("CarrierArchive{rest}");
    }
    mappings.get(resource).cloned().unwrap_or_else(|| resource.to_owned())
}

/// The mappings of queues to functions by their id, under the names by which the template knows them.
async fn mappings(template: &Template) -> BTreeMap<String, String> {
    let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
    let listed = aws_sdk_lambda::Client::new(&config)
        .list_event_source_mappings()
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await
        .unwrap();
    let functions = template.functions();
    let part = |arn: Option<&str>, place| {
        let part = arn.and_then(|arn| arn.split(':').nth(place));
        part.unwrap_or_default().to_owned()
    };
    listed
        .iter()
        .filter_map(|mapping| {
            // What follows the function's name is an alias.
            let (name, queue) = (part(mapping.function_arn(), 6), part(mapping.event_source_arn(), 5));
            let function = functions.iter().find(|function| function.name == name)?;
            let place = function.queues.iter().position(|known| *known == queue)?;
            Some((
                format!("event-source-mapping:{}", mapping.uuid()?),
                format!("event-source-mapping:{}", function.mappings.get(place)?),
            ))
        })
        .collect()
}
