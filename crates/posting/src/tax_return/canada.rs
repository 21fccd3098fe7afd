//! How a Canadian percentage divides into the federal tax and the province's.

use rust_decimal::Decimal;

use crate::percentage::is_same;

/// The goods and services tax (Excise Tax Act, s. 165(1)).
pub(super) const GST: Decimal = Decimal::from_parts(5, 0, 0, false, 0);

/// The provinces with a harmonised tax, all of which is declared with the federal one (CRA, "GST/HST rates").
const HARMONISED: [&str; 5] = ["CA-ON", "CA-NB", "CA-NL", "CA-NS", "CA-PE"];

/// What the federal tax is of a taxed amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Division {
    /// All of it.
    Federal,
    /// So much of the percentage, the rest is the province's.
    Both,
    /// Nothing of it.
    Provincial,
}

impl Division {
    /// The federal part of a tax of a percentage.
    pub fn federal(self, tax: Decimal, percent: Decimal) -> Decimal {
        match self {
            Self::Federal => tax,
            Self::Provincial => Decimal::ZERO,
            Self::Both => domain::money::round2((tax * GST).checked_div(percent).unwrap_or_default()),
        }
    }
}

/// The percentages of a province's own tax: Quebec's (Revenu Québec), and those of British Columbia (liquor at 10 %), Manitoba and
/// Saskatchewan.
fn provincial(region: &str) -> &'static [&'static str] {
    match region {
        "CA-QC" => &["9.975"],
        "CA-BC" => &["7", "10"],
        "CA-MB" => &["7"],
        "CA-SK" => &["6"],
        _ => &[],
    }
}

/// The percentages that a region may charge, each with how it divides; none where all tax is federal.
pub(super) fn divisions(region: &str) -> Vec<(Decimal, Division)> {
    let own = provincial(region).iter().filter_map(|percent| percent.parse::<Decimal>().ok());
    let both = own.flat_map(|own| [(own + GST, Division::Both), (own, Division::Provincial)]);
    if provincial(region).is_empty() {
        Vec::new()
    } else {
        [(GST, Division::Federal)].into_iter().chain(both).collect()
    }
}

/// How a percentage divides in a region; none where the region charges no such percentage.
pub(super) fn division(region: &str, percent: Decimal) -> Option<Division> {
    let all = divisions(region);
    if HARMONISED.contains(&region) || all.is_empty() {
        return Some(Division::Federal);
    }
    all.into_iter().find(|(known, _)| is_same(*known, percent)).map(|(_, division)| division)
}
