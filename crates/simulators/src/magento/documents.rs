//! The shop's documents: what the module would serve, each kept as the text it was written in.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::text::{as_magento_prints, quoted};

/// The kinds of document that the module serves (the wire specification, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `GET /invoice/{id}`.
    Invoice,
    /// `GET /creditmemo/{id}`.
    CreditMemo,
    /// `GET /payment/{invoice_id}`.
    Payment,
    /// `GET /customer/{id}`.
    Customer,
    /// `GET /product/{id}`.
    Product,
}

/// The fields that the simulator itself needs; everything else passes through unread.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Facts {
    #[serde(default)]
    pub magento_id: u64,
    pub increment_id: Option<String>,
    pub invoice_id: Option<u64>,
    pub website_id: Option<u64>,
    pub store_id: Option<u64>,
    pub currency: Option<String>,
    pub state: Option<String>,
}

#[derive(Debug, Clone)]
struct Document {
    /// As Magento prints it.
    text: String,
    facts: Facts,
    /// Came out of an invoice and stands in no file.
    embedded: bool,
}

/// All documents of one shop.
#[derive(Debug, Clone, Default)]
pub struct Documents {
    by_kind: BTreeMap<(Kind, u64), Document>,
}

impl Documents {
    /// Reads every `*.json` and `*.body` of a folder; the kind is told by the content. A file that holds an
    /// answer and no document (a list, or an error with its `message`) is passed over.
    ///
    /// # Errors
    /// A sentence that names the file and says what is wrong with it.
    pub fn read(dir: &Path) -> Result<Self, String> {
        let entries = fs::read_dir(dir)
            .map_err(|error| format!("The folder {} cannot be read: {error}.", dir.display()))?;
        let mut paths: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "json" || ending == "body"));
        paths.sort();
        let mut documents = Self::default();
        for path in paths {
            let text = fs::read_to_string(&path)
                .map_err(|error| format!("The file {} cannot be read: {error}.", path.display()))?;
            documents.add(&text).map_err(|why| format!("The file {} {why}.", path.display()))?;
        }
        documents.complete();
        Ok(documents)
    }

    /// The same from values; their numbers keep the text they were parsed from.
    ///
    /// # Errors
    /// A sentence about the first value that is no document.
    pub fn from_values(values: Vec<Value>) -> Result<Self, String> {
        let mut documents = Self::default();
        for (index, value) in values.into_iter().enumerate() {
            documents.add(&value.to_string()).map_err(|why| format!("Document {} {why}.", index + 1))?;
        }
        documents.complete();
        Ok(documents)
    }

    /// The ids of a kind, ascending; for payments the invoices' ids.
    pub fn ids(&self, kind: Kind) -> Vec<u64> {
        self.by_kind.keys().filter(|(other, _)| *other == kind).map(|(_, id)| *id).collect()
    }

    /// The document's JSON, byte for byte as the shop serves it.
    pub fn raw(&self, kind: Kind, id: u64) -> Option<&str> {
        self.by_kind.get(&(kind, id)).map(|document| document.text.as_str())
    }

    /// How many documents there are, made up payments and embedded customers included.
    pub fn len(&self) -> usize {
        self.by_kind.len()
    }

    /// Whether the shop is empty.
    pub fn is_empty(&self) -> bool {
        self.by_kind.is_empty()
    }

    pub(crate) fn facts(&self, kind: Kind, id: u64) -> Option<&Facts> {
        self.by_kind.get(&(kind, id)).map(|document| &document.facts)
    }

    /// The store of a memo, which its document does not name: its invoice's, or that of another document of
    /// the same website and currency.
    pub(crate) fn store_of_memo(&self, memo: &Facts) -> u64 {
        let of_invoice = memo.invoice_id.and_then(|id| self.facts(Kind::Invoice, id));
        let like_it = || {
            let invoices = self.by_kind.iter().filter(|((kind, _), _)| *kind == Kind::Invoice);
            invoices
                .map(|(_, document)| &document.facts)
                .find(|facts| facts.website_id == memo.website_id && facts.currency == memo.currency)
        };
        of_invoice.or_else(like_it).and_then(|facts| facts.store_id).unwrap_or(1)
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("is no JSON: {error}"))?;
        if value.is_array() || value.get("message").is_some() {
            return Ok(());
        }
        let kind = kind_of(&value).ok_or("is no document of the shop's module")?;
        let facts: Facts =
            serde_json::from_value(value).map_err(|error| format!("has an odd field: {error}"))?;
        let id = match kind {
            Kind::Payment => facts.invoice_id.unwrap_or(0),
            _ => facts.magento_id,
        };
        if id == 0 {
            return Err("has no id".to_owned());
        }
        let document = Document { text: as_magento_prints(text), facts, embedded: false };
        if self.by_kind.insert((kind, id), document).is_some() {
            return Err(format!("is a second {kind:?} with the id {id}"));
        }
        Ok(())
    }

    /// Adds what the module serves and no file holds: the customers inside invoices, and the payments.
    fn complete(&mut self) {
        for id in self.ids(Kind::Invoice) {
            let Some(invoice) = self.raw(Kind::Invoice, id) else { continue };
            let (customer, payment) = (embedded_customer(invoice), synthesised_payment(id, invoice));
            // A later invoice knows the customer better than an earlier one.
            if let Some((customer_id, document)) = customer {
                let known = self.by_kind.get(&(Kind::Customer, customer_id));
                if known.is_none_or(|known| known.embedded) {
                    self.by_kind.insert((Kind::Customer, customer_id), document);
                }
            }
            if let Some(document) = payment {
                self.by_kind.entry((Kind::Payment, id)).or_insert(document);
            }
        }
    }
}

fn kind_of(value: &Value) -> Option<Kind> {
    let has = |name: &str| value.get(name).is_some();
    if has("lines") {
        let memo = has("adjustment_positive") || has("invoice_created_at") || !has("state");
        return Some(if memo { Kind::CreditMemo } else { Kind::Invoice });
    }
    if has("sku") && has("product_type") {
        return Some(Kind::Product);
    }
    if has("method") && (has("invoice_id") || has("captured_at")) {
        return Some(Kind::Payment);
    }
    let person = has("first_name") || has("last_name");
    (person && has("addresses")).then_some(Kind::Customer)
}

fn embedded_customer(invoice: &str) -> Option<(u64, Document)> {
    #[derive(Deserialize)]
    struct Invoice {
        customer: Box<RawValue>,
    }
    let invoice: Invoice = serde_json::from_str(invoice).ok()?;
    let text = invoice.customer.get();
    let facts: Facts = serde_json::from_str(text).ok()?;
    // 0 is a guest, whom nobody can fetch.
    (facts.magento_id > 0)
        .then(|| (facts.magento_id, Document { text: text.to_owned(), facts, embedded: true }))
}

/// The payment of a paid invoice as the module makes it: captured when the invoice was created.
fn synthesised_payment(invoice_id: u64, invoice: &str) -> Option<Document> {
    #[derive(Deserialize)]
    struct Invoice {
        increment_id: String,
        state: String,
        currency: String,
        grand_total: Box<RawValue>,
        created_at: String,
        payment_method: Option<String>,
    }
    let invoice: Invoice = serde_json::from_str(invoice).ok()?;
    if invoice.state != "paid" {
        return None;
    }
    let text = format!(
        "{{\"magento_id\":{invoice_id},\"invoice_id\":{invoice_id},\"invoice_increment_id\":{},\"method\":{},\"currency\":{},\"amount\":{},\"captured_at\":{},\"gateway_metadata\":[]}}",
        quoted(&invoice.increment_id),
        quoted(invoice.payment_method.as_deref().unwrap_or("")),
        quoted(&invoice.currency),
        invoice.grand_total.get(),
        quoted(&invoice.created_at),
    );
    let facts = Facts { invoice_id: Some(invoice_id), ..Facts::default() };
    Some(Document { text, facts, embedded: true })
}
