//! Compiles the world's numbering plans, as the crate `phonenumber` keeps them, into one automaton: an array of rows that leads
//! from digit to digit. What runs needs no patterns, no database and no memory of its own to know a phone number.

use std::{collections::HashMap, error::Error, fmt::Write as _, fs, path::PathBuf, process::ExitCode};

use phonenumber::metadata::{DATABASE, Metadata};
use regex_automata::{
    Anchored,
    dfa::{Automaton as _, StartKind, dense},
    util::{primitives::StateID, start, syntax},
};

/// How many digits a number has at most, its calling code among them: ITU-T E.164, 6.2.1.
const MAX_DIGITS: usize = 15;

/// The area of numbers that belong to no country, such as those of satellite networks.
const NO_COUNTRY: &str = "001";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=build.rs");
    match compile() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={problem}");
            ExitCode::FAILURE
        }
    }
}

fn compile() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").ok_or("cargo gave no OUT_DIR")?);
    let codes: Vec<u16> = (1..1_000).filter(|code| DATABASE.by_code(code).is_some()).collect();
    let mut table = Table::new();
    let first = table.below("", &codes)?;
    fs::write(out.join("numbering_plans.rs"), table.source(first, &codes)?)?;
    Ok(())
}

/// A place in the automaton: who owns the number that ends here, and where each further digit leads.
#[derive(PartialEq, Eq, Hash, Clone, Default)]
struct Row {
    owner: u8,
    next: [u16; 10],
}

/// The rows, each of them once: two places from which the same numbers go on are one.
struct Table {
    rows: Vec<Row>,
    known: HashMap<Row, u16>,
    /// The countries; what `owner` counts from one. The first stands for none.
    owners: Vec<String>,
}

impl Table {
    fn new() -> Self {
        // The row 0 is where no number goes on, and none ends.
        Self {
            rows: vec![Row::default()],
            known: HashMap::from([(Row::default(), 0)]),
            owners: vec![NO_COUNTRY.to_owned()],
        }
    }

    fn keep(&mut self, row: Row) -> Result<u16, Box<dyn Error>> {
        if let Some(&known) = self.known.get(&row) {
            return Ok(known);
        }
        let place = u16::try_from(self.rows.len())?;
        self.rows.push(row.clone());
        self.known.insert(row, place);
        Ok(place)
    }

    /// The row after these first digits of a calling code. No calling code begins with another.
    fn below(&mut self, digits: &str, codes: &[u16]) -> Result<u16, Box<dyn Error>> {
        if let Some(&code) = codes.iter().find(|code| code.to_string() == digits) {
            let areas = self.areas(code)?;
            let at = areas.iter().map(Area::start).collect::<Result<Vec<_>, _>>()?;
            return self.explore(&areas, at, MAX_DIGITS - digits.len(), &mut HashMap::new());
        }
        let mut row = Row::default();
        for (digit, next) in ('0'..='9').zip(&mut row.next) {
            let longer = format!("{digits}{digit}");
            if codes.iter().any(|code| code.to_string().starts_with(&longer)) {
                *next = self.below(&longer, codes)?;
            }
        }
        self.keep(row)
    }

    /// The countries that share a calling code, in the order in which a number is offered to them.
    fn areas(&mut self, code: u16) -> Result<Vec<Area>, Box<dyn Error>> {
        let regions = DATABASE.region(&code).ok_or("a calling code without a country")?;
        let mut areas = Vec::new();
        for region in regions {
            let plan = if region == NO_COUNTRY {
                DATABASE.by_code(&code).and_then(|plans| plans.into_iter().next())
            } else {
                DATABASE.by_id(region)
            };
            let owner = self.owners.iter().position(|owner| owner == region);
            let owner = owner.unwrap_or_else(|| {
                self.owners.push(region.to_owned());
                self.owners.len() - 1
            });
            let plan = plan.ok_or_else(|| format!("{region} has no numbering plan"))?;
            areas.push(Area::of(u8::try_from(owner + 1)?, plan)?);
        }
        Ok(areas)
    }

    fn explore(
        &mut self,
        areas: &[Area],
        at: Vec<[StateID; 3]>,
        left: usize,
        seen: &mut Seen,
    ) -> Result<u16, Box<dyn Error>> {
        if areas.iter().zip(&at).all(|(area, at)| area.is_over(at)) {
            return Ok(0);
        }
        if let Some(&place) = seen.get(&(at.clone(), left)) {
            return Ok(place);
        }
        let mut row = Row {
            owner: owner(areas, &at),
            next: [0; 10],
        };
        if left > 0 {
            for (digit, next) in (b'0'..=b'9').zip(&mut row.next) {
                let there = areas.iter().zip(&at).map(|(area, at)| area.step(at, digit));
                *next = self.explore(areas, there.collect(), left - 1, seen)?;
            }
        }
        let place = self.keep(row)?;
        seen.insert((at, left), place);
        Ok(place)
    }

    fn source(&self, first: u16, codes: &[u16]) -> Result<String, Box<dyn Error>> {
        let mut text = String::new();
        writeln!(text, "static ROWS: [[u16; 10]; {}] = [", self.rows.len())?;
        for row in &self.rows {
            writeln!(text, "    {:?},", row.next)?;
        }
        writeln!(text, "];\nstatic OWNERS: [u8; {}] = [", self.rows.len())?;
        for row in &self.rows {
            writeln!(text, "    {},", row.owner)?;
        }
        writeln!(text, "];\nconst FIRST: u16 = {first};")?;
        writeln!(text, "static COUNTRIES: [[u8; 2]; {}] = [", self.owners.len() - 1)?;
        for owner in self.owners.iter().skip(1) {
            writeln!(text, "    *b\"{owner}\",")?;
        }
        let trunks: Vec<(String, &str)> = codes
            .iter()
            .filter_map(|code| {
                let main = DATABASE.by_code(code)?.into_iter().next()?;
                Some((code.to_string(), main.national_prefix()?))
            })
            .collect();
        writeln!(
            text,
            "];\nstatic TRUNKS: [(&str, &str); {}] = {trunks:?};",
            trunks.len()
        )?;
        Ok(text)
    }
}

/// Where a walk through all areas of a calling code has been, and the row that it led to.
type Seen = HashMap<(Vec<[StateID; 3]>, usize), u16>;

/// The first area that says the number is its own, and knows it.
fn owner(areas: &[Area], at: &[[StateID; 3]]) -> u8 {
    let is_alone = areas.len() == 1;
    for (area, at) in areas.iter().zip(at) {
        let [general, kinds, leading] = *at;
        let is_known = ends(&area.general, general) && ends(&area.kinds, kinds);
        let claims = match &area.leading {
            Some(pattern) if !is_alone => ends(pattern, leading),
            _ => is_known,
        };
        if claims {
            return if is_known { area.owner } else { 0 };
        }
    }
    0
}

/// The plan of one country: what every number has to be, what a number of some kind (fixed, mobile, …) is, and with what a number
/// begins that is this country's and not that of another with the same calling code.
struct Area {
    owner: u8,
    general: dense::DFA<Vec<u32>>,
    kinds: dense::DFA<Vec<u32>>,
    leading: Option<dense::DFA<Vec<u32>>>,
}

impl Area {
    fn of(owner: u8, plan: &Metadata) -> Result<Self, Box<dyn Error>> {
        let all = plan.descriptors();
        let kinds = [
            all.premium_rate(),
            all.toll_free(),
            all.shared_cost(),
            all.voip(),
            all.personal_number(),
            all.pager(),
            all.uan(),
            all.voicemail(),
            all.fixed_line(),
            all.mobile(),
        ];
        let kinds: Vec<String> = kinds
            .into_iter()
            .flatten()
            .map(|kind| format!("(?:{})", kind.national_number().as_str()))
            .collect();
        let leading = plan.leading_digits();
        Ok(Self {
            owner,
            general: automaton(all.general().national_number().as_str(), "")?,
            kinds: automaton(&kinds.join("|"), "")?,
            leading: leading
                .map(|leading| automaton(leading.as_str(), "[0-9]*"))
                .transpose()?,
        })
    }

    fn start(&self) -> Result<[StateID; 3], Box<dyn Error>> {
        let anchored = start::Config::new().anchored(Anchored::Yes);
        let general = self.general.start_state(&anchored)?;
        let leading = self.leading.as_ref().map(|leading| leading.start_state(&anchored));
        Ok([
            general,
            self.kinds.start_state(&anchored)?,
            leading.transpose()?.unwrap_or(general),
        ])
    }

    fn step(&self, [general, kinds, leading]: &[StateID; 3], digit: u8) -> [StateID; 3] {
        let general = self.general.next_state(*general, digit);
        let leading = self.leading.as_ref().map(|pattern| pattern.next_state(*leading, digit));
        [
            general,
            self.kinds.next_state(*kinds, digit),
            leading.unwrap_or(general),
        ]
    }

    /// Whether no number of this area goes on from here.
    fn is_over(&self, [general, kinds, _]: &[StateID; 3]) -> bool {
        self.general.is_dead_state(*general) || self.kinds.is_dead_state(*kinds)
    }
}

/// The pattern as an automaton over whole texts. The patterns of the plans may be broken over lines.
fn automaton(pattern: &str, rest: &str) -> Result<dense::DFA<Vec<u32>>, Box<dyn Error>> {
    let digits_are_ascii = syntax::Config::new().unicode(false).utf8(false);
    let config = dense::Config::new().start_kind(StartKind::Anchored).minimize(true);
    let built = dense::Builder::new()
        .syntax(digits_are_ascii)
        .configure(config)
        .build(&format!("(?x)^(?:{pattern}){rest}$"))?;
    Ok(built)
}

fn ends(automaton: &dense::DFA<Vec<u32>>, state: StateID) -> bool {
    automaton.is_match_state(automaton.next_eoi_state(state))
}
