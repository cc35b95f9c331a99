//! From which addresses of the internet carriers may call: a second lock, for those that publish where they call from.

use domain::Carrier;
use ipnet::IpNet;
use std::collections::HashMap;
use std::net::IpAddr;

/// From where carriers may call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Addresses(HashMap<Carrier, Vec<IpNet>>);

/// A list of addresses that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected carriers with their networks, such as fedex=20.65.16.22/31;dpd=213.95.42.108/32,10.0.0.0/8")]
pub struct InvalidAddresses;

impl Addresses {
    /// Whether this carrier may call from there. Who is not named may from everywhere; a caller without an address may not, where
    /// somebody is named.
    #[must_use]
    pub fn admit(&self, carrier: Carrier, caller: Option<IpAddr>) -> bool {
        match self.0.get(&carrier) {
            None => true,
            Some(networks) => caller.is_some_and(|caller| networks.iter().any(|network| network.contains(&caller))),
        }
    }
}

impl TryFrom<&str> for Addresses {
    type Error = InvalidAddresses;

    fn try_from(text: &str) -> Result<Self, InvalidAddresses> {
        let entries = text.split(';').map(str::trim).filter(|entry| !entry.is_empty());
        let entries = entries.map(|entry| {
            let (carrier, networks) = entry.split_once('=')?;
            let networks = networks.split(',').map(|network| network.trim().parse().ok());
            Some((Carrier::from_name(carrier.trim())?, networks.collect::<Option<_>>()?))
        });
        entries.collect::<Option<_>>().map(Self).ok_or(InvalidAddresses)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_named_calls_from_its_own_addresses_alone() {
        let addresses = Addresses::try_from("fedex=20.65.16.22/31; dpd=213.95.42.108/32").unwrap();
        let from = |carrier, address: &str| addresses.admit(carrier, address.parse().ok());
        assert!(from(Carrier::Fedex, "20.65.16.23"));
        assert!(!from(Carrier::Fedex, "20.65.16.24"));
        assert!(!from(Carrier::Dpd, ""));
        assert!(from(Carrier::Ups, "198.51.100.7"));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for text in ["fedex", "fedx=1.2.3.4/32", "fedex=1.2.3", "fedex="] {
            assert_eq!(Addresses::try_from(text), Err(InvalidAddresses), "{text}");
        }
        assert_eq!(Addresses::try_from(""), Ok(Addresses::default()));
    }
}
