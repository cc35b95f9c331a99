//! What the system depends on, and whether it answers.

use jiff::Timestamp;
use std::fmt;

/// Something without which a part of the system stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// The tables.
    DynamoDb,
    /// The queues and their dead letters.
    Sqs,
    /// The topics.
    Sns,
    /// The account that sends e-mail.
    Ses,
    /// The secrets.
    Secrets,
    /// The archive of what carriers sent.
    S3,
    /// The carriers that are asked.
    Carriers,
    /// The senders, which a breaker may hold.
    Senders,
    /// The API that customers call.
    Api,
}

impl Dependency {
    /// Every one of them.
    pub const ALL: [Self; 9] = [
        Self::DynamoDb,
        Self::Sqs,
        Self::Sns,
        Self::Ses,
        Self::Secrets,
        Self::S3,
        Self::Carriers,
        Self::Senders,
        Self::Api,
    ];

    /// The name in logs and at the terminal.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DynamoDb => "dynamodb",
            Self::Sqs => "sqs",
            Self::Sns => "sns",
            Self::Ses => "ses",
            Self::Secrets => "secrets",
            Self::S3 => "s3",
            Self::Carriers => "carriers",
            Self::Senders => "senders",
            Self::Api => "api",
        }
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that was asked, such as one table, and what spoke against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Why it is down; a short sentence without personal data. Nothing where it is well.
    pub trouble: Option<String>,
}

/// How a dependency is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which one.
    pub dependency: Dependency,
    /// What was asked of it.
    pub parts: Vec<Part>,
}

impl Health {
    /// Whether any part of it is down.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.parts.iter().any(|part| part.trouble.is_some())
    }

    /// What exactly is down and why, joined by `; `. Nothing where all is well.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let troubles = self.parts.iter().filter_map(|part| {
            let trouble = part.trouble.as_ref()?;
            Some(format!("{}: {trouble}", part.name))
        });
        let troubles: Vec<String> = troubles.collect();
        (!troubles.is_empty()).then(|| troubles.join("; "))
    }
}

/// Asks what the system depends on.
pub trait Dependencies {
    /// Asks everything that there is of this kind. What cannot be asked is down.
    fn ask(&self, dependency: Dependency, now: Timestamp) -> impl Future<Output = Vec<Part>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, trouble: Option<&str>) -> Part {
        Part {
            name: name.to_owned(),
            trouble: trouble.map(str::to_owned),
        }
    }

    #[test]
    fn a_dependency_is_down_when_one_of_its_parts_is_and_says_which() {
        let health = Health {
            dependency: Dependency::Sqs,
            parts: vec![part("email", None), part("sms", Some("AccessDenied with status 403"))],
        };
        assert!(health.is_down());
        assert_eq!(health.why().as_deref(), Some("sms: AccessDenied with status 403"));
    }

    #[test]
    fn a_dependency_whose_parts_are_well_is_well() {
        let health = Health {
            dependency: Dependency::Sqs,
            parts: vec![part("email", None)],
        };
        assert!(!health.is_down() && health.why().is_none());
    }
}
