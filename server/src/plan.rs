//! `ledger plan`: prints the Plan of a document, touching nothing.

use std::{collections::BTreeMap, fs, path::Path, path::PathBuf, process::ExitCode};

use clap::{Args, ValueEnum};
use domain::{
    Decimal,
    business::ReferenceSet,
    documents::{CreditMemo, Customer, Invoice, InvoiceState, Payment, Product},
    environment::Environment,
    ids::BindingId,
    plan::{Plan, Verdict},
    settings::Settings,
    xref::{XrefKey, XrefKind},
};
use messages::message;
use posting::{
    Context, Generations, KnownRecord, KnownStock, OriginalInvoice, PostedPayment, is_of_same_order,
    plan_creditmemo, plan_customer, plan_invoice, plan_payment, plan_product,
};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{environment::Machine, lifecycle::Failure};

/// The demo's settings and lists, for a plan that names none.
pub(crate) const SETTINGS: &str = include_str!("../../fixtures/demo/settings.json");
pub(crate) const REFERENCE: &str = include_str!("../../fixtures/demo/reference.json");

/// What kind of document.
#[derive(Clone, Copy, ValueEnum)]
pub enum DocumentKind {
    /// An invoice.
    Invoice,
    /// The payment of an invoice.
    Payment,
    /// A credit memo.
    Creditmemo,
    /// A customer.
    Customer,
    /// A product.
    Product,
}

/// What is to be planned.
#[derive(Args)]
pub struct PlanArgs {
    /// What kind of document.
    kind: DocumentKind,
    /// The canonical document, as the module's endpoint gives it. Its invoice, where it needs one, is looked for beside it and
    /// then among the demo's, and taken as posted.
    file: PathBuf,
    /// The settings, as JSON; the demo's when none are given.
    #[arg(long)]
    settings: Option<PathBuf>,
    /// The business's lists, as JSON; the demo's when none are given.
    #[arg(long)]
    reference: Option<PathBuf>,
    /// What is in Sage already: [{"kind": "contact:GBP", "magento_key": "1", "sage_id": "…", "displayed_as": "…"}].
    #[arg(long)]
    xrefs: Option<PathBuf>,
    /// Plans drafts and their release.
    #[arg(long)]
    safe_mode: bool,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(flatten)]
    key: XrefKey,
    sage_id: String,
    #[serde(default)]
    displayed_as: Option<String>,
}

/// Prints the plan; a file that cannot be read is a failure, every verdict is none.
pub fn run(args: &PlanArgs) -> Result<ExitCode, Failure> {
    let planner = Planner::read(args)?;
    let plan = match args.kind {
        DocumentKind::Invoice => plan_invoice(&read(&args.file)?, &planner.context(&planner.xrefs)),
        DocumentKind::Payment => planner.payment(&read(&args.file)?, &args.file),
        DocumentKind::Creditmemo => planner.creditmemo(&read(&args.file)?, &args.file),
        DocumentKind::Customer => {
            plan_customer(&read::<Customer>(&args.file)?, &planner.context(&planner.xrefs))
        }
        DocumentKind::Product => {
            let stock = KnownStock { quantity: None, as_of: Machine.now() };
            plan_product(&read::<Product>(&args.file)?, &stock, &planner.context(&planner.xrefs))
        }
    };
    println!("{}", serde_json::to_string_pretty(&plan)?);
    Ok(ExitCode::SUCCESS)
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T, Failure> {
    let text = fs::read_to_string(file)
        .map_err(|error| message!(command_line.file_unreadable, file = file.display(), error = error))?;
    serde_json::from_str(&text)
        .map_err(|error| message!(command_line.file_invalid, file = file.display(), error = error).into())
}

struct Planner {
    settings: Settings,
    reference: ReferenceSet,
    xrefs: BTreeMap<XrefKey, KnownRecord>,
    generations: Generations,
    safe_mode: bool,
}

impl Planner {
    fn read(args: &PlanArgs) -> Result<Self, Failure> {
        let entries: Vec<Entry> = args.xrefs.as_deref().map_or_else(|| Ok(Vec::new()), read)?;
        let known = |entry: Entry| {
            (entry.key, KnownRecord { sage_id: entry.sage_id, displayed_as: entry.displayed_as })
        };
        Ok(Self {
            settings: args.settings.as_deref().map_or_else(|| Ok(serde_json::from_str(SETTINGS)?), read)?,
            reference: args
                .reference
                .as_deref()
                .map_or_else(|| Ok(serde_json::from_str(REFERENCE)?), read)?,
            xrefs: entries.into_iter().map(known).collect(),
            generations: Generations::new(),
            safe_mode: args.safe_mode,
        })
    }

    fn context<'a>(&'a self, xrefs: &'a BTreeMap<XrefKey, KnownRecord>) -> Context<'a> {
        Context {
            binding: BindingId::default(),
            business: "demo",
            settings: &self.settings,
            reference: &self.reference,
            xrefs,
            generations: &self.generations,
            safe_mode: self.safe_mode,
        }
    }

    /// What is known once the calls of a plan have been made: each record's id stands as the call's `{name}`.
    fn after(&self, plan: &Plan) -> BTreeMap<XrefKey, KnownRecord> {
        let mut xrefs = self.xrefs.clone();
        for call in &plan.calls {
            if let Some(key) = &call.xref {
                let record = KnownRecord { sage_id: format!("{{{}}}", call.name), displayed_as: None };
                xrefs.entry(key.clone()).or_insert(record);
            }
        }
        xrefs
    }

    fn payment(&self, payment: &Payment, file: &Path) -> Plan {
        let invoice = invoice_of(payment.invoice_id, file).unwrap_or_else(|| stand_in(payment));
        let posted = self.after(&plan_invoice(&invoice, &self.context(&self.xrefs)));
        plan_payment(&invoice, payment, &self.context(&posted))
    }

    fn creditmemo(&self, memo: &CreditMemo, file: &Path) -> Plan {
        let by_order = || invoices_beside(file).find(|invoice| is_of_same_order(memo, invoice));
        let invoice = memo.invoice_id.map_or_else(by_order, |id| invoice_of(id, file));
        let Some(invoice) = invoice else {
            return plan_creditmemo(memo, None, &self.context(&self.xrefs));
        };
        let made = plan_invoice(&invoice, &self.context(&self.xrefs));
        if made.verdict != Verdict::Post {
            return plan_creditmemo(memo, None, &self.context(&self.xrefs));
        }
        let mut posted = self.after(&made);
        let is_by_order = memo.invoice_id.is_none();
        let original = OriginalInvoice { is_by_order, ..self.original(&invoice, &made, &mut posted) };
        plan_creditmemo(memo, Some(&original), &self.context(&posted))
    }

    /// The invoice as Sage would hold it: paid by Ledger where Magento says so and the settings let it.
    fn original(
        &self,
        invoice: &Invoice,
        made: &Plan,
        posted: &mut BTreeMap<XrefKey, KnownRecord>,
    ) -> OriginalInvoice {
        let id_of = |kind: fn(&XrefKind) -> bool| {
            posted.iter().find(|(key, _)| kind(&key.kind)).map(|(_, record)| record.sage_id.clone())
        };
        let contact_id = id_of(|kind| matches!(kind, XrefKind::Contact(_) | XrefKind::ContactFallback(_)));
        let sage_id = id_of(|kind| matches!(kind, XrefKind::Invoice));
        let payment = Payment {
            invoice_id: invoice.magento_id,
            invoice_increment_id: Some(invoice.increment_id.clone()),
            method: invoice.payment_method.clone().unwrap_or_default(),
            currency: invoice.currency,
            amount: invoice.grand_total,
            captured_at: invoice.created_at,
            gateway_txn_id: None,
        };
        let paid = (invoice.state == InvoiceState::Paid)
            .then(|| plan_payment(invoice, &payment, &self.context(posted)))
            .filter(|plan| plan.verdict == Verdict::Post);
        let bank = paid.as_ref().and_then(|plan| {
            let receipt = plan.calls.iter().find(|call| call.name == "payment")?;
            receipt.body["contact_payment"]["bank_account_id"].as_str().map(str::to_owned)
        });
        if let Some(plan) = &paid {
            for (key, record) in self.after(plan) {
                posted.entry(key).or_insert(record);
            }
        }
        let total = made.predicted.as_ref().map_or(invoice.grand_total, |predicted| predicted.total);
        OriginalInvoice {
            sage_id: sage_id.unwrap_or_else(|| "{invoice}".to_owned()),
            displayed_as: None,
            contact_id: contact_id.unwrap_or_else(|| "{contact}".to_owned()),
            date: Some(invoice.created_at.date_naive()),
            status: Some(if bank.is_some() { "PAID" } else { "UNPAID" }.to_owned()),
            outstanding: if bank.is_some() { Decimal::ZERO } else { total },
            payment: bank
                .map(|bank_account_id| PostedPayment { sage_id: "{payment}".to_owned(), bank_account_id }),
            left_of_note: None,
            is_by_order: false,
            document: Some(invoice.clone()),
        }
    }
}

/// The invoice with this id, from the files beside the document or the demo's.
fn invoice_of(id: i64, beside: &Path) -> Option<Invoice> {
    invoices_beside(beside).find(|invoice| invoice.magento_id == id)
}

fn invoices_beside(beside: &Path) -> impl Iterator<Item = Invoice> {
    let folder = beside.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let siblings = fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| {
        let path = entry.path();
        let is_document = path.extension().is_some_and(|end| end == "json" || end == "body");
        is_document.then(|| fs::read(path).ok()).flatten()
    });
    siblings.chain(bundled()).filter_map(|bytes| serde_json::from_slice::<Invoice>(&bytes).ok())
}

/// The demo's documents.
#[cfg(feature = "demo")]
fn bundled() -> impl Iterator<Item = Vec<u8>> {
    crate::sandbox::DOCUMENTS.files().map(|file| file.contents().to_vec())
}

#[cfg(not(feature = "demo"))]
fn bundled() -> std::iter::Empty<Vec<u8>> {
    std::iter::empty()
}

/// An invoice that nobody has: what its payment tells of it.
fn stand_in(payment: &Payment) -> Invoice {
    Invoice {
        magento_id: payment.invoice_id,
        increment_id: payment.invoice_increment_id.clone().unwrap_or_else(|| payment.invoice_id.to_string()),
        order_increment_id: None,
        website_id: None,
        store_id: None,
        currency: payment.currency,
        state: InvoiceState::Paid,
        customer: Customer::default(),
        lines: Vec::new(),
        subtotal: payment.amount,
        tax_amount: Decimal::ZERO,
        shipping_amount: Decimal::ZERO,
        shipping_tax_amount: Decimal::ZERO,
        discount_amount: Decimal::ZERO,
        grand_total: payment.amount,
        created_at: payment.captured_at,
        payment_method: Some(payment.method.clone()),
        billing_address: None,
        shipping_address: None,
        po_number: None,
        base_to_order_rate: None,
    }
}
