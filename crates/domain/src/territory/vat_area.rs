//! The tax areas that Sage's businesses sell from, and those that they sell to.

/// Whose value added tax (or goods and services tax) a territory is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VatArea {
    /// The United Kingdom's, Northern Ireland apart.
    UnitedKingdom,
    /// Northern Ireland: the United Kingdom's, and for goods the European Union's as well (Windsor Framework, art. 8).
    NorthernIreland,
    /// A member state's of the European Union.
    EuropeanUnion,
    /// Canada's.
    Canada,
    /// Nobody's of these.
    Elsewhere,
}
