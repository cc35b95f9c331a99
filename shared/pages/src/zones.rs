//! The time zones that can be chosen: those of the IANA database's `zone.tab`, one at least for every country.

use domain::Zone;
use std::collections::BTreeMap;

/// A name per line, in their order. More names exist, older ones and other spellings; they are taken and not offered.
const NAMES: &str = include_str!("zones.txt");

/// The parts of the world and their zones: the one in which the shop is comes first, the others by name.
pub(crate) fn regions(usual: &Zone) -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    let mut regions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in NAMES.lines() {
        let (region, _) = name.split_once('/').unwrap_or((name, name));
        regions.entry(region).or_default().push(name);
    }
    let usual = String::from(usual.clone());
    let mut regions: Vec<_> = regions.into_iter().collect();
    regions.sort_by_key(|(region, _)| !usual.starts_with(&format!("{region}/")));
    regions.into_iter()
}

/// A zone as people call it: `Buenos Aires, Argentina` for `America/Argentina/Buenos_Aires`.
pub(crate) fn city(name: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').skip(1).collect();
    parts.reverse();
    match parts.is_empty() {
        true => name.to_owned(),
        false => parts.join(", ").replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_that_is_offered_is_known_and_has_the_name_by_which_it_is_kept() {
        for name in NAMES.lines() {
            assert_eq!(String::from(Zone::try_from(name).unwrap()), name);
        }
        assert_eq!(NAMES.lines().count(), 418);
    }

    #[test]
    fn the_shops_part_of_the_world_comes_first() {
        let madrid = Zone::try_from("Europe/Madrid").unwrap();
        let names: Vec<&str> = regions(&madrid).map(|(region, _)| region).collect();
        assert_eq!(names[..3], ["Europe", "Africa", "America"]);
        assert_eq!(names.len(), 10);
    }

    #[test]
    fn a_zone_is_called_by_its_city() {
        assert_eq!(city("America/Argentina/Buenos_Aires"), "Buenos Aires, Argentina");
        assert_eq!(city("Europe/Madrid"), "Madrid");
        assert_eq!(city("UTC"), "UTC");
    }
}
