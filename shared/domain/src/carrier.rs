//! Who carries parcels, and who tells of them in others' place.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A carrier, or a service that gathers the news of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carrier {
    /// FedEx.
    Fedex,
    /// UPS.
    Ups,
    /// DHL, all its divisions.
    Dhl,
    /// Correos, the Spanish post.
    Correos,
    /// Correos Express, its courier: another company with another API.
    CorreosExpress,
    /// Royal Mail.
    RoyalMail,
    /// DPD.
    Dpd,
    /// EasyPost, a gatherer.
    Easypost,
    /// AfterShip, a gatherer.
    Aftership,
    /// Shippo, a gatherer.
    Shippo,
}

impl Carrier {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::Fedex,
        Self::Ups,
        Self::Dhl,
        Self::Correos,
        Self::CorreosExpress,
        Self::RoyalMail,
        Self::Dpd,
        Self::Easypost,
        Self::Aftership,
        Self::Shippo,
    ];

    /// The name in addresses, tables, queues and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fedex => "fedex",
            Self::Ups => "ups",
            Self::Dhl => "dhl",
            Self::Correos => "correos",
            Self::CorreosExpress => "correos-express",
            Self::RoyalMail => "royal-mail",
            Self::Dpd => "dpd",
            Self::Easypost => "easypost",
            Self::Aftership => "aftership",
            Self::Shippo => "shippo",
        }
    }

    /// The one of that name, to the letter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|carrier| carrier.name() == name)
    }

    /// Whether it tells of parcels that others carry.
    #[must_use]
    pub const fn is_gatherer(self) -> bool {
        matches!(self, Self::Easypost | Self::Aftership | Self::Shippo)
    }
}

impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_carrier_is_found_by_its_name_and_travels_by_it() {
        for carrier in Carrier::ALL {
            assert_eq!(Carrier::from_name(carrier.name()), Some(carrier));
            assert_eq!(serde_json::to_value(carrier).unwrap(), carrier.name());
        }
        assert_eq!(Carrier::from_name("FedEx"), None);
    }
}
