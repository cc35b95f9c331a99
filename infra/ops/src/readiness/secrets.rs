//! Whether the secrets hold what the functions look for in them. What they hold is never shown.

use serde_json::Value;

use crate::account::Account;
use crate::doctor::Finding;

const SECRETS: &str = "secrets";

pub(super) async fn look(account: &Account) -> Vec<Finding> {
    let names = &account.names;
    let mut findings = Vec::new();
    findings.push(match account.contact_key().await {
        Ok(_) => Finding::ok(SECRETS, "the key of suppressions is filled"),
        Err(error) => unread(&error, &names.contact_hash_key()),
    });
    findings.push(match account.secret(&names.link_keys()).await {
        Ok(keys) if keys.trim().is_empty() => Finding::problem(
            SECRETS,
            "there is no key that signs the links in e-mails",
            fill(&names.link_keys(), "a text of 64 random letters and digits"),
        ),
        Ok(_) => Finding::ok(SECRETS, "the keys of links are filled"),
        Err(error) => unread(&error, &names.link_keys()),
    });
    findings.push(match account.secret(&names.carriers()).await {
        Ok(text) => carriers(&text, &names.carriers()),
        Err(error) => unread(&error, &names.carriers()),
    });
    findings
}

/// Messages of the order pipeline go out without carriers: what is missing here keeps nothing back but their news.
fn carriers(text: &str, name: &str) -> Finding {
    let Ok(Value::Object(keys)) = serde_json::from_str(text) else {
        let mend = fill(name, r#"{"webhooks":{"fedex":["KEY"]},"accounts":{}}"#);
        return Finding::problem(
            SECRETS,
            "the carriers' secret is no JSON object: no carrier is believed or asked",
            mend,
        );
    };
    let count = |part: &str| {
        keys.get(part)
            .and_then(Value::as_object)
            .map_or(0, serde_json::Map::len)
    };
    let (webhooks, accounts) = (count("webhooks"), count("accounts"));
    if webhooks + accounts == 0 {
        let mend = fill(name, r#"{"webhooks":{"fedex":["KEY"]},"accounts":{}}"#);
        Finding::note(
            SECRETS,
            "no carrier has a key: no webhook is believed, and nobody is asked",
            mend,
        )
    } else {
        let what = format!("carriers: {webhooks} with keys for webhooks, {accounts} with accounts");
        Finding::ok(SECRETS, what)
    }
}

fn fill(name: &str, with: &str) -> String {
    format!("aws secretsmanager put-secret-value --secret-id {name} --secret-string '{with}', then make deploy")
}

fn unread(error: &anyhow::Error, name: &str) -> Finding {
    let text = format!("{error:#}");
    if text.contains("AccessDenied") {
        return Finding::note(SECRETS, text, "give these credentials the permission");
    }
    Finding::problem(
        SECRETS,
        text,
        format!("deploy the stack again, or look at it: aws secretsmanager describe-secret --secret-id {name}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn the_secret_of_carriers_begins_empty_which_keeps_no_message_back() {
        assert_eq!(
            carriers(r#"{"webhooks":{},"accounts":{}}"#, "shop/carriers").level,
            Level::Note
        );
    }

    #[test]
    fn a_secret_of_carriers_that_cannot_be_read_is_a_problem() {
        let finding = carriers("fedex=hunter2", "shop/carriers");
        assert_eq!(finding.level, Level::Problem);
        assert!(!finding.what.contains("hunter2"));
    }

    #[test]
    fn carriers_are_counted_and_their_keys_not_shown() {
        let finding = carriers(
            r#"{"webhooks":{"fedex":["hunter2"]},"accounts":{"dhl":{}}}"#,
            "shop/carriers",
        );
        assert_eq!(finding.level, Level::Ok);
        assert_eq!(finding.what, "carriers: 1 with keys for webhooks, 1 with accounts");
    }
}
