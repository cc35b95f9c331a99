//! Who text messages come from.

use std::collections::HashMap;

use super::Variables;
use crate::account::Account;
use crate::doctor::Finding;
use crate::doctor::providers::unanswered;
use crate::names::sender;

const SENDER_ID: &str = "SMS sender";
const DEFAULT: &str = "DefaultSenderID";

pub(super) async fn shown_sender(account: &Account) -> Finding {
    let variables = match account
        .variables_of(&account.names.of(sender(domain::Channel::Sms)))
        .await
    {
        Ok(variables) => variables,
        Err(error) => return Finding::problem(SENDER_ID, format!("{error:#}"), "deploy the stack again: make deploy"),
    };
    match account.sns.get_sms_attributes().attributes(DEFAULT).send().await {
        Ok(told) => judge(&variables, &told.attributes.unwrap_or_default()),
        Err(error) => unanswered(SENDER_ID, "SNS about the default sender (sns:GetSMSAttributes)", &error),
    }
}

fn judge(variables: &Variables, attributes: &HashMap<String, String>) -> Finding {
    let is_named = |name: Option<&String>| name.is_some_and(|name| !name.is_empty());
    if is_named(variables.get("SMS_SENDER_ID")) || is_named(attributes.get(DEFAULT)) {
        Finding::ok(SENDER_ID, "text messages name their sender where the country allows it")
    } else {
        Finding::note(
            SENDER_ID,
            "text messages come from a number of AWS's choice, and not at all to countries that ask for a registered sender",
            "make deploy PARAMETERS=\"SmsSenderId=NAME …\"",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Level;

    #[test]
    fn a_sender_is_named_by_the_stack_or_by_the_account() {
        let named = |name: &str| HashMap::from([(name.to_owned(), "SHOP".to_owned())]);
        assert_eq!(judge(&named("SMS_SENDER_ID"), &HashMap::new()).level, Level::Ok);
        assert_eq!(judge(&HashMap::new(), &named(DEFAULT)).level, Level::Ok);
        assert_eq!(judge(&HashMap::new(), &HashMap::new()).level, Level::Note);
    }
}
