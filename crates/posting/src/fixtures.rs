//! What the tests translate: a British business, its settings, and the sample documents.

use std::collections::BTreeMap;

use domain::{
    business::ReferenceSet,
    documents::{Invoice, Payment},
    settings::{Settings, UndeterminedTax},
    xref::XrefKey,
};

use super::{Context, Generations, KnownRecord};

/// A British business registered for VAT.
pub fn reference() -> ReferenceSet {
    serde_json::from_str(&file("businesses/british.json")).unwrap()
}

/// Settings with every mapping that British documents need.
pub fn settings() -> Settings {
    let map = [("20.00", "GB_STANDARD"), ("5.00", "GB_LOWER"), ("0.00", "GB_ZERO")];
    Settings {
        default_tax_rate_id: Some("GB_STANDARD".to_owned()),
        default_ledger_account_id: Some("sales".to_owned()),
        default_bank_account_id: Some("current".to_owned()),
        tax_rate_map: map.iter().map(|(key, id)| ((*key).to_owned(), (*id).to_owned())).collect(),
        ..Settings::default()
    }
}

fn file(path: &str) -> String {
    let path = format!("{}/../../fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A sample invoice by its name, such as `invoice-1a`.
pub fn invoice(name: &str) -> Invoice {
    serde_json::from_str(&file(&format!("documents/{name}.json"))).unwrap()
}

/// The payment of a sample invoice.
pub fn payment(invoice: &str) -> Payment {
    serde_json::from_str(&file(&format!("documents/payment-of-{invoice}.json"))).unwrap()
}

/// What a translation depends on, to be borrowed from.
pub struct Scenario {
    /// The settings.
    pub settings: Settings,
    /// The business.
    pub reference: ReferenceSet,
    /// What is in Sage.
    pub xrefs: BTreeMap<XrefKey, KnownRecord>,
    /// How often records were made again.
    pub generations: Generations,
    /// Whether documents are drafts first.
    pub safe_mode: bool,
}

impl Scenario {
    /// A British business with nothing in Sage.
    pub fn new() -> Self {
        let (xrefs, generations) = (BTreeMap::new(), Generations::new());
        let settings = Settings { tax_undetermined: UndeterminedTax::Infer, ..settings() };
        Self { settings, reference: reference(), xrefs, generations, safe_mode: false }
    }

    /// Remembers a record.
    pub fn knows(&mut self, key: XrefKey, sage_id: &str) {
        self.xrefs.insert(key, KnownRecord { sage_id: sage_id.to_owned(), displayed_as: None });
    }

    /// The context of a translation.
    pub fn context(&self) -> Context<'_> {
        Context {
            binding: "0190f5a2-7c1e-7a3b-9d4e-5f60718293a4".parse().unwrap(),
            business: "business",
            settings: &self.settings,
            reference: &self.reference,
            xrefs: &self.xrefs,
            generations: &self.generations,
            safe_mode: self.safe_mode,
        }
    }
}
