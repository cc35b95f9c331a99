//! What each function may do in an account is what the journeys made it do, and nothing else.

mod exemptions;
mod exercised;
mod granted;

use exemptions::{OF_EVERY_FUNCTION, RARE, Reason, WITHOUT_A_NAME};
use granted::{Template, rights};
use std::collections::BTreeSet;

/// The last step of `make test`: by then every journey has been played on the stack.
#[tokio::test]
#[ignore = "it judges what all journeys did: `make test` runs it as its last step"]
async fn after_all_journeys_every_function_may_do_what_it_did_and_nothing_else() {
    let template = Template::read();
    let exercised = exercised::by_function(&template).await;
    let mut differences = Vec::new();
    let mut used = BTreeSet::new();
    for function in template.functions() {
        let granted = rights(&template.statements(&function));
        let done = exercised.get(&function.name).cloned().unwrap_or_default();
        for access in done.difference(&granted) {
            differences.push(format!("{}: did {access}, which is not granted", function.name));
        }
        for access in granted.difference(&done) {
            match Reason::why_unseen(&function, access) {
                Some(reason) => drop(used.insert(reason)),
                None => differences.push(format!("{}: never did {access}, which is granted", function.name)),
            }
        }
        for access in granted.intersection(&done) {
            if let Some(Reason::Rare(rare)) = Reason::why_unseen(&function, access) {
                differences.push(format!(
                    "{}: did {access}, which is said to be done only {}",
                    function.name, rare.only
                ));
            }
        }
    }
    let idle: Vec<_> = Reason::all().filter(|reason| !used.contains(reason)).collect();
    assert!(
        differences.is_empty() && idle.is_empty(),
        "{} differences:\n{}\nexemptions that nothing needs: {idle:?}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn what_no_journey_can_bring_about_has_a_test_of_its_own() {
    for rare in &RARE {
        let (file, name) = rare.test;
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(&format!("fn {name}(")), "{file} has no test {name}");
    }
}

#[test]
fn no_role_grants_a_whole_family_of_actions() {
    for (role, statement) in Template::read().all_statements() {
        for action in &statement.actions {
            assert!(!action.contains('*'), "{role}: {action}");
        }
    }
}

#[test]
fn everything_is_granted_only_where_aws_knows_no_name() {
    let template = Template::read();
    let mut needed = BTreeSet::new();
    for (role, statement) in template.all_statements() {
        if statement.resources.iter().any(|resource| resource == "*") {
            needed.extend(statement.actions.iter().map(|action| (role.clone(), action.clone())));
        }
    }
    let mut named: BTreeSet<_> = WITHOUT_A_NAME
        .iter()
        .map(|(role, action, _)| ((*role).to_owned(), (*action).to_owned()))
        .collect();
    for function in template.functions() {
        named.extend(OF_EVERY_FUNCTION.map(|action| (function.role.clone(), action.to_owned())));
    }
    assert_eq!(needed, named);
}

#[test]
fn a_family_of_resources_is_named_only_where_its_members_are_made_later() {
    for (role, statement) in Template::read().all_statements() {
        for resource in statement.resources.iter().filter(|resource| *resource != "*") {
            let Some((family, _)) = resource.split_once('*') else {
                continue;
            };
            // Objects of a bucket, streams of a log group, and the two groups that SNS makes itself.
            let is_made_later = ["CarrierArchive/", "log-group:sns/"].contains(&family);
            assert!(is_made_later, "{role}: {resource}");
        }
    }
}

#[test]
fn what_the_emulator_alone_asks_for_is_granted_in_no_account() {
    let template = Template::read();
    let statements: Vec<_> = template
        .functions()
        .iter()
        .flat_map(|function| template.statements(function))
        .collect();
    assert!(!statements.is_empty());
    assert!(statements.iter().all(|statement| statement.sid != "EmulatorOnly"));
}

#[test]
fn whoever_acts_for_another_account_is_turned_away() {
    for (name, statement) in Template::read().services_that_are_let_in() {
        assert!(
            statement.contains("aws:SourceArn") || statement.contains("aws:SourceAccount"),
            "{name} lets a service in without saying on whose behalf: {statement}"
        );
    }
}
