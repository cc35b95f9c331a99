//! The links of an e-mail that lead to its reader's own pages.

use domain::{Channel, DeliveryRequest};
use links::{LinkKeys, Pages, Purpose, Token};
use messages::Links;

/// The links of an e-mail that lead to its reader's own pages.
#[derive(Debug, Clone)]
pub(crate) struct CustomerLinks {
    pub(crate) keys: LinkKeys,
    /// None where no pages answer: then there are no links either.
    pub(crate) pages: Option<Pages>,
}

impl CustomerLinks {
    /// Those of one e-mail. A guest has no preferences and so no links, and some types no link can stop. The same request
    /// has the same links for as long as the keys are the same.
    pub(crate) fn of(&self, request: &DeliveryRequest) -> Links {
        let (Some(pages), Some(user)) = (&self.pages, &request.user) else {
            return Links::default();
        };
        // A publisher's clock may be years ahead; a link must not be good for as long.
        let at = request.at.min(request.handed_over_at);
        let address = |purpose| pages.address_of(&Token::for_fact(purpose, user.clone(), at), &self.keys);
        let notification_type = request.content.notification_type();
        let unsubscribe = Purpose::Unsubscribe {
            channel: Channel::Email,
            notification_type,
        };
        Links {
            unsubscribe: notification_type.can_be_stopped().then(|| address(unsubscribe)),
            preferences: Some(address(Purpose::Preferences)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::NotificationType;
    use testkit::{at, confirmation, email_request, shipped};

    fn links() -> CustomerLinks {
        CustomerLinks {
            keys: LinkKeys::read("0123456789abcdefghijklmnopqrstuv").unwrap(),
            pages: Some(Pages::new("https://shop.example.com").unwrap()),
        }
    }

    /// What the link to a page carries.
    fn opened(address: Option<String>, page: &str) -> Token {
        let address = address.unwrap();
        let link = address.strip_prefix(&format!("https://shop.example.com/{page}/"));
        links().keys.verify(link.unwrap(), at(0)).unwrap()
    }

    #[test]
    fn news_of_an_order_can_be_stopped_by_its_reader_and_for_email_only() {
        let found = links().of(&email_request(&shipped("user-ana", "1001", at(1_000_000))));
        let token = opened(found.unsubscribe, "unsubscribe");
        let purpose = Purpose::Unsubscribe {
            channel: Channel::Email,
            notification_type: NotificationType::OrderStatusUpdate,
        };
        assert_eq!((token.purpose, token.user.as_str()), (purpose, "user-ana"));
        let token = opened(found.preferences, "preferences");
        assert_eq!((token.purpose, token.user.as_str()), (Purpose::Preferences, "user-ana"));
    }

    #[test]
    fn what_must_be_sent_leads_to_the_preferences_and_cannot_be_stopped() {
        let found = links().of(&email_request(&confirmation("user-ana", "1001", at(0))));
        assert_eq!(found.unsubscribe, None);
        assert!(found.preferences.is_some());
    }

    #[test]
    fn a_test_leads_to_the_preferences_and_has_nothing_to_stop() {
        let mut request = email_request(&shipped("user-ana", "1001", at(0)));
        request.content = domain::Content::Test;
        let found = links().of(&request);
        assert_eq!(found.unsubscribe, None);
        assert!(found.preferences.is_some());
    }

    #[test]
    fn a_guest_has_no_links() {
        let mut request = email_request(&shipped("user-ana", "1001", at(0)));
        request.user = None;
        assert_eq!(links().of(&request), Links::default());
    }

    #[test]
    fn where_no_pages_answer_there_are_no_links() {
        let links = CustomerLinks { pages: None, ..links() };
        let request = email_request(&shipped("user-ana", "1001", at(0)));
        assert_eq!(links.of(&request), Links::default());
    }

    #[test]
    fn an_email_that_is_written_again_has_the_same_links() {
        let mut request = email_request(&shipped("user-ana", "1001", at(0)));
        let first = links().of(&request);
        request.handed_over_at = at(90_000);
        assert_eq!(links().of(&request), first);
    }
}
