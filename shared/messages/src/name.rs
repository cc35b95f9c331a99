//! Names of templates: `order_status_update.shipped/email/es`.

use std::fmt;

use domain::{Channel, Content, Language, NotificationType, OrderStatus};

/// Which words: of what type of message (and which status), for which channel, in which language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TemplateName {
    /// The type.
    pub kind: NotificationType,
    /// The status: always there for `order_status_update`, and for nothing else.
    pub status: Option<OrderStatus>,
    /// The channel.
    pub channel: Channel,
    /// The language.
    pub language: Language,
}

/// A text that names no template.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected TYPE/CHANNEL/LANGUAGE such as payment_failed/sms/en, or order_status_update.STATUS/email/es: {0}")]
pub struct UnknownTemplate(String);

impl TemplateName {
    /// Every template.
    pub fn all() -> impl Iterator<Item = Self> {
        let messages = NotificationType::ALL.into_iter().flat_map(|kind| {
            let statuses = if kind == NotificationType::OrderStatusUpdate {
                OrderStatus::ALL.map(Some).to_vec()
            } else {
                vec![None]
            };
            statuses.into_iter().map(move |status| (kind, status))
        });
        messages.flat_map(|(kind, status)| {
            Channel::ALL.into_iter().flat_map(move |channel| {
                Language::ALL.into_iter().map(move |language| Self {
                    kind,
                    status,
                    channel,
                    language,
                })
            })
        })
    }

    /// The template that tells this content.
    #[must_use]
    pub fn of(content: &Content, channel: Channel, language: Language) -> Self {
        Self {
            kind: content.notification_type(),
            status: content.status(),
            channel,
            language,
        }
    }

    /// The folder of its words and its structure: messages that are built alike share one.
    #[must_use]
    pub(crate) const fn folder(&self) -> &'static str {
        match self.kind {
            NotificationType::PaymentSucceeded
            | NotificationType::PaymentFailed
            | NotificationType::PaymentRefunded
            | NotificationType::PaymentProcessing => "payment",
            NotificationType::PayoutProcessed | NotificationType::PayoutFailed => "payout",
            NotificationType::OrderConfirmation
            | NotificationType::OrderStatusUpdate
            | NotificationType::AccountUpdate
            | NotificationType::LowStock
            | NotificationType::Promotional
            | NotificationType::SystemMaintenance
            | NotificationType::Test => self.kind.name(),
        }
    }

    /// The section of its words in the files of its folder.
    #[must_use]
    pub(crate) const fn section(&self) -> &'static str {
        match self.status {
            Some(status) => status.name(),
            None => self.kind.name(),
        }
    }
}

impl fmt::Display for TemplateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if let Some(status) = self.status {
            write!(f, ".{status}")?;
        }
        write!(f, "/{}/{}", self.channel, self.language)
    }
}

impl TryFrom<&str> for TemplateName {
    type Error = UnknownTemplate;

    fn try_from(text: &str) -> Result<Self, UnknownTemplate> {
        let unknown = |what: &str| UnknownTemplate(what.to_owned());
        let mut parts = text.trim().split('/');
        let (Some(message), Some(channel), Some(language), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(unknown("it does not have three parts"));
        };
        let (kind, status) = match message.split_once('.') {
            Some((kind, status)) => (kind, Some(status)),
            None => (message, None),
        };
        let kind = NotificationType::from_name(kind).ok_or_else(|| unknown("there is no such type"))?;
        let has_status = kind == NotificationType::OrderStatusUpdate;
        let status = match status {
            Some(name) if has_status => OrderStatus::ALL
                .into_iter()
                .find(|status| status.name() == name)
                .map(Some)
                .ok_or_else(|| unknown("there is no such status"))?,
            None if has_status => return Err(unknown("order_status_update needs a status")),
            Some(_) => return Err(unknown("only order_status_update has a status")),
            None => None,
        };
        Ok(Self {
            kind,
            status,
            channel: Channel::from_name(channel).ok_or_else(|| unknown("there is no such channel"))?,
            language: Language::ALL
                .into_iter()
                .find(|known| known.code() == language)
                .ok_or_else(|| unknown("there is no such language"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_as_it_is_written() {
        let all: Vec<TemplateName> = TemplateName::all().collect();
        assert_eq!(all.len(), (12 + 13) * 4 * 4);
        for name in all {
            assert_eq!(TemplateName::try_from(name.to_string().as_str()), Ok(name));
        }
    }

    #[test]
    fn what_names_no_template_says_why() {
        for (text, why) in [
            ("payment_failed", "three parts"),
            ("payment_failed/sms/en/1", "three parts"),
            ("thanks/sms/en", "no such type"),
            ("order_status_update/sms/en", "needs a status"),
            ("order_status_update.lost/sms/en", "no such status"),
            ("payment_failed.shipped/sms/en", "only order_status_update"),
            ("payment_failed/fax/en", "no such channel"),
            ("payment_failed/sms/fr", "no such language"),
        ] {
            let problem = TemplateName::try_from(text).unwrap_err().to_string();
            assert!(problem.contains(why), "{text}: {problem}");
        }
    }
}
