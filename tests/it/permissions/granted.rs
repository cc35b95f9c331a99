//! What the roles of the template grant, as an account gets them: without what stands there for the emulator.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most kinds of YAML values stay what they are"
)]

use fault_proxy::Access;
use serde_yaml_ng::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The template with the nested ones that it draws names from.
pub(super) struct Template {
    main: Value,
    data: Value,
    queues: Value,
    api: Value,
    prefix: String,
}

/// A function and what Lambda does for it.
pub(super) struct Function {
    /// The name under which it is deployed.
    pub(super) name: String,
    /// The logical name of its role.
    pub(super) role: String,
    /// The queues that call it.
    pub(super) queues: Vec<String>,
    /// The logical names of their mappings, in the same order.
    pub(super) mappings: Vec<String>,
    /// Where Lambda puts what it could not have worked on.
    pub(super) destinations: Vec<String>,
}

/// What is granted together.
pub(super) struct Statement {
    pub(super) sid: String,
    pub(super) actions: Vec<String>,
    /// As [`Access::resource`] has them.
    pub(super) resources: Vec<String>,
}

/// Each action on each resource.
pub(super) fn rights(statements: &[Statement]) -> BTreeSet<Access> {
    let on = |statement: &Statement, action: &String| {
        let access = |resource: &String| Access {
            action: action.clone(),
            resource: resource.clone(),
        };
        statement.resources.iter().map(access).collect::<Vec<_>>()
    };
    statements
        .iter()
        .flat_map(|statement| statement.actions.iter().flat_map(|action| on(statement, action)))
        .collect()
}

impl Template {
    /// Reads it with the prefix of the stack under test.
    pub(super) fn read() -> Self {
        let file = |path: &str| {
            let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
            serde_yaml_ng::from_str::<Value>(&std::fs::read_to_string(path).unwrap()).unwrap()
        };
        Self {
            main: file("template.yaml"),
            data: file("infra/data.yaml"),
            queues: file("infra/queues.yaml"),
            api: file("infra/api.yaml"),
            prefix: std::env::var("E_COM67_PREFIX").unwrap_or_else(|_| "e-com67".to_owned()),
        }
    }

    pub(super) fn functions(&self) -> Vec<Function> {
        resources(&self.main)
            .filter(|(_, resource)| resource["Type"].as_str() == Some("AWS::Serverless::Function"))
            .map(|(logical, resource)| self.function(logical, &resource["Properties"]))
            .collect()
    }

    fn function(&self, logical: &str, properties: &Value) -> Function {
        let events = properties["Events"].as_mapping().into_iter().flatten();
        let (mut queues, mut mappings, mut destinations) = (Vec::new(), Vec::new(), Vec::new());
        for (name, event) in events {
            let source = &event["Properties"];
            if !source["Queue"].is_null() {
                queues.push(self.name(&self.main, &source["Queue"]));
                mappings.push(format!("{logical}{}", name.as_str().unwrap()));
            }
            destinations.push(&source["DestinationConfig"]["OnFailure"]["Destination"]);
        }
        destinations.push(&properties["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]["Destination"]);
        let role = argument(&properties["Role"]);
        Function {
            name: self.name(&self.main, &properties["FunctionName"]),
            role: role.strip_suffix(".Arn").unwrap().to_owned(),
            queues,
            mappings,
            destinations: destinations
                .into_iter()
                .filter(|destination| !destination.is_null())
                .map(|destination| self.name(&self.main, destination))
                .collect(),
        }
    }

    /// What a function's role grants.
    pub(super) fn statements(&self, function: &Function) -> Vec<Statement> {
        self.of_role(&self.main["Resources"][function.role.as_str()])
    }

    /// What every role grants, with the role's logical name.
    pub(super) fn all_statements(&self) -> Vec<(String, Statement)> {
        resources(&self.main)
            .filter(|(_, resource)| resource["Type"].as_str() == Some("AWS::IAM::Role"))
            .flat_map(|(name, role)| {
                self.of_role(role)
                    .into_iter()
                    .map(move |statement| (name.to_owned(), statement))
            })
            .collect()
    }

    fn of_role(&self, role: &Value) -> Vec<Statement> {
        let policies = list(&role["Properties"]["Policies"]);
        policies
            .into_iter()
            .flat_map(|policy| list(&policy["PolicyDocument"]["Statement"]))
            .filter_map(|statement| in_an_account(statement))
            .filter(|statement| statement["Effect"].as_str() == Some("Allow"))
            .map(|statement| Statement {
                sid: statement["Sid"].as_str().unwrap_or_default().to_owned(),
                actions: list(&statement["Action"]).into_iter().map(argument).collect(),
                resources: list(&statement["Resource"])
                    .into_iter()
                    .map(|resource| self.name(&self.main, resource))
                    .collect(),
            })
            .collect()
    }

    /// The statements of policies on keys, topics and queues that let a service in, as text, with the policy's logical name.
    pub(super) fn services_that_are_let_in(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for (name, resource) in [&self.main, &self.data, &self.queues, &self.api]
            .into_iter()
            .flat_map(resources)
        {
            let properties = &resource["Properties"];
            for policy in ["PolicyDocument", "KeyPolicy"] {
                for statement in list(&properties[policy]["Statement"]) {
                    let is_let_in =
                        !statement["Principal"]["Service"].is_null() && argument(&statement["Effect"]) == "Allow";
                    if is_let_in {
                        found.push((
                            name.to_owned(),
                            serde_yaml_ng::to_string(&statement["Condition"]).unwrap(),
                        ));
                    }
                }
            }
            if resource["Type"].as_str() == Some("AWS::Lambda::Permission") {
                let named = list(&properties["SourceArn"])
                    .first()
                    .map_or("nothing", |_| "aws:SourceArn");
                found.push((name.to_owned(), named.to_owned()));
            }
        }
        assert!(found.len() > 8, "{found:?}");
        found
    }

    /// A value as a name, or as the end of an ARN.
    fn name(&self, file: &Value, value: &Value) -> String {
        let Value::Tagged(tagged) = value else {
            return ending(&argument(value));
        };
        match (tagged.tag.to_string().as_str(), &tagged.value) {
            ("!Ref" | "!GetAtt", Value::String(target)) => self.target(file, target),
            ("!Sub", Value::String(text)) => ending(&self.substituted(file, text, &Value::Null)),
            ("!Sub", Value::Sequence(parts)) => ending(&self.substituted(file, &argument(&parts[0]), &parts[1])),
            ("!Select", Value::Sequence(parts)) => {
                let index = usize::try_from(parts[0].as_u64().unwrap()).unwrap();
                let Value::Tagged(split) = &parts[1] else {
                    panic!("{parts:?}")
                };
                let whole = self.name(file, &split.value[1]);
                whole.split(&argument(&split.value[0])).nth(index).unwrap().to_owned()
            }
            other => panic!("expected a name, got {other:?}"),
        }
    }

    /// What `!Ref` and `!GetAtt` refer to.
    fn target(&self, file: &Value, target: &str) -> String {
        let (logical, attribute) = target.split_once('.').unwrap_or((target, ""));
        if let Some(output) = attribute.strip_prefix("Outputs.") {
            let nested = match logical {
                "Data" => &self.data,
                "Queues" => &self.queues,
                "Api" => &self.api,
                other => panic!("a stack {other}"),
            };
            return self.name(nested, &nested["Outputs"][output]["Value"]);
        }
        if logical == "Prefix" {
            return self.prefix.clone();
        }
        let parameter = &file["Parameters"][logical]["Default"];
        if !parameter.is_null() {
            return argument(parameter);
        }
        let resource = &file["Resources"][logical];
        let own = |property: &str| self.name(file, &resource["Properties"][property]);
        match (resource["Type"].as_str().unwrap_or_default(), attribute) {
            ("AWS::DynamoDB::Table", "StreamArn") => format!("table/{}/stream", own("TableName")),
            ("AWS::DynamoDB::Table", _) => format!("table/{}", own("TableName")),
            ("AWS::SQS::Queue", _) => own("QueueName"),
            ("AWS::SNS::Topic", _) => own("TopicName"),
            ("AWS::SES::ConfigurationSet", _) => own("Name"),
            ("AWS::Serverless::Function", _) => format!("function:{}", own("FunctionName")),
            ("AWS::SecretsManager::Secret", _) => format!("secret:{}", own("Name")),
            ("AWS::Logs::LogGroup", _) => format!("log-group:{}", own("LogGroupName")),
            // AWS chooses the names of keys, buckets and mappings.
            _ => logical.to_owned(),
        }
    }

    fn substituted(&self, file: &Value, text: &str, own: &Value) -> String {
        let mut parts = text.split("${");
        let mut whole = parts.next().unwrap().to_owned();
        for part in parts {
            let (target, rest) = part.split_once('}').unwrap();
            let value = match target.strip_prefix("AWS::") {
                Some(pseudo) => pseudo.to_owned(),
                None if own[target].is_null() => self.target(file, target),
                None => self.name(file, &own[target]),
            };
            whole.push_str(&value);
            whole.push_str(rest);
        }
        whole
    }
}

fn resources(file: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let named = |(name, resource)| (Value::as_str(name).unwrap(), resource);
    file["Resources"].as_mapping().unwrap().iter().map(named)
}

/// A statement, unless it is for the emulator alone.
fn in_an_account(statement: &Value) -> Option<&Value> {
    match statement {
        Value::Tagged(choice) if choice.tag == "!If" => {
            assert_eq!(choice.value[0].as_str(), Some("IsLocal"));
            None
        }
        plain => Some(plain),
    }
}

/// One value or several.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Sequence(values) => values.iter().collect(),
        one => vec![one],
    }
}

/// A text, or what a tag is applied to.
fn argument(value: &Value) -> String {
    match value {
        Value::Tagged(tagged) => argument(&tagged.value),
        other => other
            .as_str()
            .unwrap_or_else(|| panic!("expected a text, got {other:?}"))
            .to_owned(),
    }
}

/// What of an ARN names the thing.
fn ending(arn: &str) -> String {
    match arn.strip_prefix("arn:") {
        Some(rest) => rest.splitn(5, ':').nth(4).unwrap_or_default().to_owned(),
        None => arn.to_owned(),
    }
}
