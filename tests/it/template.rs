//! What the code relies on stands in the templates.

use serde_yaml_ng::Value;
use std::path::PathBuf;

pub(crate) fn template(path: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    serde_yaml_ng::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The resources of one type, by name.
pub(crate) fn resources(template: &Value, kind: &str) -> Vec<(String, Value)> {
    template["Resources"]
        .as_mapping()
        .unwrap()
        .iter()
        .filter(|(_, resource)| resource["Type"].as_str() == Some(kind))
        .map(|(name, resource)| (name.as_str().unwrap().to_owned(), resource["Properties"].clone()))
        .collect()
}

/// A value without its CloudFormation tag, as text.
fn text(value: &Value) -> String {
    if let Value::Tagged(tagged) = value {
        return format!("{} {}", tagged.tag, text(&tagged.value));
    }
    serde_yaml_ng::to_string(value).unwrap().trim().to_owned()
}

#[test]
fn every_queue_has_dead_letters_and_keeps_messages_as_long_as_it_can() {
    let queues = resources(&template("infra/queues.yaml"), "AWS::SQS::Queue");
    let is_for_dead = |name: &str| name.ends_with("DeadLetters");
    assert_eq!(queues.iter().filter(|(name, _)| !is_for_dead(name)).count(), 13);
    for (name, queue) in &queues {
        assert_eq!(queue["MessageRetentionPeriod"].as_u64(), Some(1_209_600), "{name}");
        if !is_for_dead(name) {
            assert!(!queue["RedrivePolicy"]["deadLetterTargetArn"].is_null(), "{name}");
        }
    }
}

#[test]
fn a_message_is_hidden_for_six_times_the_functions_time_out() {
    let time_out = template("template.yaml")["Globals"]["Function"]["Timeout"]
        .as_u64()
        .unwrap();
    let functions = resources(&template("template.yaml"), "AWS::Serverless::Function");
    let time_out_of = |wanted: &str| {
        let (_, function) = functions.iter().find(|(name, _)| name == wanted).unwrap();
        function["Timeout"].as_u64().unwrap()
    };
    for (name, queue) in resources(&template("infra/queues.yaml"), "AWS::SQS::Queue") {
        let time_out = match name.as_str() {
            "AccountTroubleQueue" => time_out_of("AccountMonitorFunction"),
            "CarrierHandshakesQueue" => time_out_of("CarrierPollerFunction"),
            _ => time_out,
        };
        if !name.ends_with("DeadLetters") {
            assert!(queue["VisibilityTimeout"].as_u64().unwrap() >= 6 * time_out, "{name}");
        }
    }
}

#[test]
fn a_call_of_a_provider_fits_twice_into_the_functions_time_out() {
    let time_out = template("template.yaml")["Globals"]["Function"]["Timeout"]
        .as_u64()
        .unwrap();
    // The time-out of a call is `aws::CALL_TIME_OUT`, ten seconds; another five are kept free for settling.
    assert!(time_out >= 2 * 10 + 5);
}

#[test]
fn every_subscription_has_its_own_redrive_policy_and_the_normal_lane_has_no_filter() {
    let subscriptions = resources(&template("infra/queues.yaml"), "AWS::SNS::Subscription");
    assert_eq!(subscriptions.len(), 6);
    for (name, subscription) in subscriptions {
        assert!(!subscription["RedrivePolicy"].is_null(), "{name}");
        let is_urgent = text(&subscription["Endpoint"]).contains("Urgent");
        assert_eq!(!subscription["FilterPolicy"].is_null(), is_urgent, "{name}");
        assert_eq!(
            subscription["FilterPolicyScope"].as_str() == Some("MessageBody"),
            is_urgent,
            "{name}"
        );
    }
}

#[test]
fn every_function_reports_single_failures_is_bounded_and_has_its_own_role_and_log() {
    let template = template("template.yaml");
    let functions = resources(&template, "AWS::Serverless::Function");
    assert_eq!(functions.len(), 16);
    let mut roles = Vec::new();
    for (name, function) in &functions {
        roles.push(text(&function["Role"]));
        assert!(!function["LoggingConfig"]["LogGroup"].is_null(), "{name}");
        // What the gateway calls is answered, and nobody waits for another try.
        let Some(events) = function["Events"].as_mapping() else {
            assert!(
                ["ApiFunction", "PageFunction", "WebhookFunction"]
                    .iter()
                    .any(|end| name.ends_with(end)),
                "{name}"
            );
            continue;
        };
        assert!(
            !function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"].is_null(),
            "{name}"
        );
        for (event, source) in events {
            if source["Type"].as_str() != Some("SQS") {
                continue;
            }
            let source = &source["Properties"];
            assert_eq!(
                text(&source["FunctionResponseTypes"]),
                "- ReportBatchItemFailures",
                "{name} {event:?}"
            );
            assert!(
                source["ScalingConfig"]["MaximumConcurrency"].as_u64().is_some(),
                "{name} {event:?}"
            );
        }
    }
    roles.sort();
    roles.dedup();
    assert_eq!(roles.len(), 16);
    for (name, group) in resources(&template, "AWS::Logs::LogGroup") {
        assert!(!group["RetentionInDays"].is_null(), "{name}");
    }
}

#[test]
fn every_table_is_encrypted_and_what_people_said_and_got_can_be_put_back() {
    let tables = resources(&template("infra/data.yaml"), "AWS::DynamoDB::Table");
    assert_eq!(tables.len(), 11);
    for (name, table) in &tables {
        // The others hold what is measured again, or found again within days.
        let can_be_put_back = table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"].as_bool();
        let is_lasting = [
            "Preferences",
            "Ledger",
            "Suppressions",
            "Templates",
            "DeferredDeliveries",
            "ConsentLog",
            "Inbox",
            "OrderStatus",
        ]
        .contains(&name.as_str());
        assert_eq!(can_be_put_back.unwrap_or(false), is_lasting, "{name}");
        assert_eq!(table["SSESpecification"]["SSEEnabled"].as_bool(), Some(true), "{name}");
    }
    let ledger = &tables
        .iter()
        .find(|(_, table)| !table["GlobalSecondaryIndexes"].is_null())
        .unwrap()
        .1;
    assert_eq!(
        ledger["TimeToLiveSpecification"]["AttributeName"].as_str(),
        Some("expiresAt")
    );
    let index = &ledger["GlobalSecondaryIndexes"][0];
    assert_eq!(index["IndexName"].as_str(), Some("userId-timestamp-index"));
    let projected = text(&index["Projection"]["NonKeyAttributes"]);
    // What a claim or an attempt writes is not projected, so that it costs one write.
    assert!(
        projected.contains("results") && !projected.contains("email") && !projected.contains("sms"),
        "{projected}"
    );
}

#[test]
fn every_function_is_given_the_variables_that_it_reads_and_no_others() {
    let template = template("template.yaml");
    let functions = resources(&template, "AWS::Serverless::Function");
    for (folder, logical) in [
        ("notification-orchestrator", "OrchestratorFunction"),
        ("email-sender", "EmailFunction"),
        ("sms-sender", "SmsFunction"),
        ("in-app-sender", "InAppFunction"),
        ("delivery-events", "DeliveryEventsFunction"),
        ("account-monitor", "AccountMonitorFunction"),
        ("deferred-deliveries", "DeferredDeliveriesFunction"),
        ("preferences-api", "PreferencesApiFunction"),
        ("inbox-api", "InboxApiFunction"),
        ("preferences-page", "PreferencesPageFunction"),
        ("carrier-webhook", "CarrierWebhookFunction"),
        ("order-status", "OrderStatusFunction"),
        ("order-outbox", "OrderOutboxFunction"),
        ("carrier-poller", "CarrierPollerFunction"),
        ("tracking-api", "TrackingApiFunction"),
        ("canary", "CanaryFunction"),
    ] {
        let config = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../functions")
            .join(folder)
            .join("src/config.rs");
        let config = std::fs::read_to_string(config).unwrap();
        let given = &functions.iter().find(|(name, _)| name == logical).unwrap().1["Environment"]["Variables"];
        let mut read: Vec<&str> = config
            .split('`')
            .filter(|word| word.contains('_') && word.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
            .chain(["LOG_LEVEL"])
            .collect();
        let mut given: Vec<&str> = given.as_mapping().unwrap().keys().filter_map(Value::as_str).collect();
        read.sort_unstable();
        read.dedup();
        given.sort_unstable();
        assert_eq!(given, read, "{folder}");
    }
}

#[test]
fn no_role_may_do_everything_anywhere() {
    let text = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../template.yaml")).unwrap();
    for line in text.lines().filter(|line| line.contains("Resource: \"*\"")) {
        assert!(line.contains('#'), "a resource of * without its reason: {line}");
    }
    assert!(!text.contains("Action: \"*\""));
}

#[test]
fn what_stands_in_a_path_is_not_logged_because_it_may_be_a_key() {
    let stages = resources(&template("infra/api.yaml"), "AWS::ApiGatewayV2::Stage");
    let format = stages[0].1["AccessLogSettings"]["Format"].as_str().unwrap();
    assert!(format.contains("$context.routeKey"), "{format}");
    for path in ["path", "resourcePath", "authorizer", "identity"] {
        assert!(!format.contains(&format!("$context.{path}")), "{format}");
    }
}

#[test]
fn one_http_stack_is_compiled_in() {
    let lock = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock")).unwrap();
    let rustls = lock.matches("name = \"rustls\"\n").count();
    assert_eq!(rustls, 1, "the SDK's default features bring a second TLS stack");
    assert_eq!(lock.matches("name = \"hyper\"\n").count(), 1);
}

#[test]
fn the_countries_that_may_be_deployed_are_those_that_the_functions_know() {
    let template = template("template.yaml");
    let pattern = template["Parameters"]["SmsCountries"]["AllowedPattern"]
        .as_str()
        .unwrap();
    let (first, _) = pattern.trim_start_matches('(').split_once(')').unwrap();
    assert_eq!(pattern, format!("(({first})(,({first}))*)?"));
    let allowed: Vec<&str> = first.split('|').collect();
    for code in ('A'..='Z').flat_map(|one| ('A'..='Z').map(move |other| format!("{one}{other}"))) {
        let is_known = domain::Countries::try_from(code.as_str()).is_ok();
        assert_eq!(allowed.contains(&code.as_str()), is_known, "{code}");
    }
}

#[test]
fn the_quiet_hours_that_may_be_deployed_are_those_that_the_functions_can_read_and_nothing_that_waits_expires() {
    let parameter = &template("template.yaml")["Parameters"]["DefaultQuietHours"];
    let default = parameter["Default"].as_str().unwrap();
    assert_eq!(domain::QuietHours::from_range(default), Ok(domain::QuietHours::USUAL));
    assert_eq!(
        parameter["AllowedPattern"].as_str(),
        Some("none|([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
    );
    for text in ["none", "00:00-23:59", "19:05-20:00"] {
        assert!(domain::QuietHours::from_range(text).is_ok(), "{text}");
    }
    let tables = resources(&template("infra/data.yaml"), "AWS::DynamoDB::Table");
    let (_, room) = tables.iter().find(|(name, _)| name == "DeferredDeliveries").unwrap();
    assert!(room["TimeToLiveSpecification"].is_null());
}
