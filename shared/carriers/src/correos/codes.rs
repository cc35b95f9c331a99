//! The event codes of Correos: those of the lists in its own shop module, then those of public integrations. There are several hundred,
//! and no public table of all.

use domain::OrderStatus;

use crate::code_table::{Meaning, Row};

/// Codes on which nobody disagrees.
pub(super) const CODES: &[Row] = &[
    Row(
        Meaning::of(OrderStatus::Processing),
        &[
            "A020000R", "A090000V", "A150000R", "O040000R", "SR01000V", "SR05000V", "SR070B0R", "SR070C0R", "SR070D0R",
            "SR070G0R", "SR070I0R", "SR070J0R", "SR070S0R", "SR070U0R", "SR070Y0R", "SR080A0R", "SR080E0R", "SR080F0R",
            "SR080M0R", "SR080N0R", "SR080O0R", "SR080R0R", "SR080W0R", "SR09000R", "X010000V", "X240000V", "Z010PF0R",
            "Z130000R",
        ],
    ),
    Row(
        Meaning::of(OrderStatus::Shipped),
        &[
            "A010000V", "P010000V", "P040000V", "P090000V", "P100000V", "P101110V", "P101120V", "P110000V", "C010000V",
            "E000001V",
        ],
    ),
    Row(
        Meaning::of(OrderStatus::OutForDelivery),
        &["H020000V", "H250000V", "X080000V", "G01L010V"],
    ),
    Row(Meaning::READY_FOR_PICKUP, &["G01L020V", "H01I350V", "X390000V"]),
    Row(
        Meaning::of(OrderStatus::Delivered),
        &[
            "E010670V", "H010710V", "H300030V", "H300040V", "H300050V", "H300070V", "I010000V", "I010110V", "I010120V",
            "I010130V", "I010400V", "I0104E0V", "I011010V", "I011020V", "I011030V", "I01E030V", "I01E070V", "I01E090V",
            "I01E410V", "I01H010V", "I01H030V", "I01H040V", "I01H050V", "I01H060V", "I01H210V", "I01H220V", "I240300V",
            "IPUDO02V", "R010750V", "X090030R", "X120000V", "X290030R", "X340000V", "X350000V",
        ],
    ),
    Row(
        Meaning::ATTEMPT_FAILED,
        &["H010930R", "H06P010V", "H01R390V", "H01R420V", "X130000R"],
    ),
    Row(Meaning::of(OrderStatus::Exception), &["M01E020R"]),
    Row(
        Meaning::of(OrderStatus::Cancelled),
        &[
            "A040000R", "A060000R", "E070000R", "E130000R", "E140000R", "E150000R", "E230000R", "E23E500R", "E310000R",
            "H01I270R", "H01K100V", "H01K110V", "H01K130V", "H01K180V", "H01K200V", "H01K220V", "H01K230V", "H01K240V",
            "H01K280V", "L010000R", "L040000R", "L04G000V", "O020BS0R", "O080000V", "VA06GO0R", "VA06GO0V", "X160000V",
            "X190000V",
        ],
    ),
    Row(
        Meaning::of(OrderStatus::Returned),
        &[
            "B250000R", "DX92002R", "DX92007V", "DX92132R", "DX92151R", "DX92153R", "DX92156R", "E23E220R", "E240000R",
            "H01E100R", "H01E110R", "H01E130R", "H01E180R", "H01E200R", "H01E220R", "H01E230R", "H01E240R", "H01E280R",
            "H01R220R", "H01R240R", "I020000V", "L01R380V", "L020000V", "L030000R", "L030000V", "L031060R", "L031070R",
            "L03D010R", "L03D100R", "L03D130R", "L03D230R", "L03D240R", "L03D270V", "L03D300R", "L03D320R", "L03D360R",
            "L03D370R", "L03DR40V", "L03I270R", "L060000R", "L060100R", "L060110R", "L060120R", "L060130R", "L060140R",
            "L060150R", "L060160R", "L060170R", "L060180R", "L060190R", "L060200R", "L060210R", "L060220R", "L060230R",
            "L060240R", "L060250R", "L060260R", "L060270R", "L060280R", "L060290R", "L060990R", "O130000V", "O140000V",
            "X090010R", "X090020R", "X090070R", "X090080R", "X090110R", "X090120R", "X090140R", "X090150R", "X090350R",
            "X090410R", "X290010R", "X290020R", "X290070R", "X290080R", "X290110R", "X290120R", "X290140R", "X290150R",
            "X290350R", "X290410R", "X170000V", "X320000V", "Z06E010R", "Z190000R", "Z190DC0R", "Z190DD0R", "Z190DF0R",
            "Z190DP0R", "Z190DR0R",
        ],
    ),
];

/// Codes of which one source says this and the other that: the words beside them decide.
pub(super) const DOUBTFUL: [&str; 5] = ["ADV0000V", "A170000V", "I01H230V", "X380000V", "L010000V"];

/// Attempts in vain, of which the neighbours in the official lists are returns: where the words speak of a return they are right.
pub(super) const ATTEMPTS_OR_RETURNS: [&str; 2] = ["X090060R", "X090100R"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::code_table::{doubled, meaning};

    #[test]
    fn each_code_has_one_meaning() {
        assert!(doubled(CODES).is_empty());
        for code in DOUBTFUL.into_iter().chain(ATTEMPTS_OR_RETURNS) {
            assert_eq!(meaning(CODES, code), None, "{code}");
        }
    }
}
