//! What became of the messages of a batch, for the log: each outcome once, with the notifications that met it.

use domain::NotificationId;
use std::fmt;

/// The outcomes of a batch, in the order in which they were met.
#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    met: Vec<Met>,
}

#[derive(Debug)]
struct Met {
    outcome: String,
    times: usize,
    ids: Vec<NotificationId>,
}

impl Outcomes {
    /// Adds what became of a message, and of which notification it speaks.
    pub(crate) fn add(&mut self, outcome: String, id: Option<NotificationId>) {
        let known = |met: &&mut Met| met.outcome == outcome && met.ids.is_empty() == id.is_none();
        match self.met.iter_mut().find(known) {
            Some(met) => {
                met.times += 1;
                met.ids.extend(id);
            }
            None => self.met.push(Met {
                outcome,
                times: 1,
                ids: id.into_iter().collect(),
            }),
        }
    }

    /// How many messages that is.
    pub(crate) fn count(&self) -> usize {
        self.met.iter().map(|met| met.times).sum()
    }
}

impl fmt::Display for Outcomes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, met) in self.met.iter().enumerate() {
            f.write_str(if nth == 0 { "" } else { "; " })?;
            f.write_str(&met.outcome)?;
            for (nth, id) in met.ids.iter().enumerate() {
                write!(f, "{}{id}", if nth == 0 { ": " } else { "," })?;
            }
            if met.ids.is_empty() && met.times > 1 {
                write!(f, " ({} times)", met.times)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> NotificationId {
        NotificationId::from_digest([byte; 16])
    }

    #[test]
    fn each_outcome_is_told_once_with_every_notification_that_met_it() {
        let mut outcomes = Outcomes::default();
        outcomes.add("sent".to_owned(), Some(id(1)));
        outcomes.add("failed (MessageRejected)".to_owned(), Some(id(2)));
        outcomes.add("sent".to_owned(), Some(id(3)));
        outcomes.add("refused: why".to_owned(), None);
        outcomes.add("refused: why".to_owned(), None);
        let expected = format!(
            "sent: {},{}; failed (MessageRejected): {}; refused: why (2 times)",
            id(1),
            id(3),
            id(2)
        );
        assert_eq!((outcomes.to_string(), outcomes.count()), (expected, 5));
    }
}
