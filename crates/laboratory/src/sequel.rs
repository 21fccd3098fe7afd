//! What happens next: between what went wrong and Ledger's second decision.

use domain::{
    policy::{FIRST_DOCUMENTS, SafeMode},
    run::EventName,
};
use serde_json::{Value, json};
use simulators::magento::Kind;

use crate::{
    family::{BYSTANDER, CUSTOMER, Family, INVOICE, MEMO, PRODUCT},
    fault::Done,
    world::{Process, World},
};

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sequel {
    /// Nothing: the same document.
    Same,
    /// The documents are edited in Magento, their sums stay.
    Edited,
    /// The settings are saved: safe mode begins again.
    SettingsSaved,
    /// The settings are saved with another prefix: what Sage is asked for bears another reference.
    Prefixed,
    /// The twentieth document passes: safe mode ends.
    SafeModeEnds,
    /// A person voids in Sage what was made.
    Voided,
    /// A person deletes in Sage what was made.
    Deleted,
    /// A person deletes the customer's contact in Sage.
    ContactDeleted,
    /// The merchant disconnects and pairs the shop again.
    PairedAgain,
    /// The memo's event comes before the invoice's.
    MemoFirst,
}

impl Sequel {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Same,
        Self::Edited,
        Self::SettingsSaved,
        Self::Prefixed,
        Self::SafeModeEnds,
        Self::Voided,
        Self::Deleted,
        Self::ContactDeleted,
        Self::PairedAgain,
        Self::MemoFirst,
    ];

    /// As it is called in a cell's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Edited => "edited",
            Self::SettingsSaved => "settings-saved",
            Self::Prefixed => "prefixed",
            Self::SafeModeEnds => "safe-mode-ends",
            Self::Voided => "voided",
            Self::Deleted => "deleted",
            Self::ContactDeleted => "contact-deleted",
            Self::PairedAgain => "paired-again",
            Self::MemoFirst => "memo-first",
        }
    }

    /// Whether it can happen to this family, when a call to this list has or has not been worked.
    pub fn can_follow(self, family: Family, list: &str, done: Done) -> bool {
        let is_document = matches!(list, "sales_invoices" | "sales_credit_notes");
        match self {
            Self::Same | Self::Edited | Self::PairedAgain => true,
            Self::Prefixed => family != Family::Catalogue,
            Self::SettingsSaved | Self::SafeModeEnds => {
                family.safe_mode() == SafeMode::Never && family != Family::Catalogue
            }
            Self::MemoFirst => !matches!(family, Family::Catalogue | Family::Drafts),
            Self::Voided | Self::Deleted => is_document && done == Done::Already && family != Family::Drafts,
            Self::ContactDeleted => list == "sales_invoices" && done == Done::Not,
        }
    }

    /// When documents go through drafts.
    pub const fn safe_mode(self, family: Family) -> SafeMode {
        match self {
            Self::SettingsSaved | Self::SafeModeEnds => SafeMode::FirstDocuments,
            _ => family.safe_mode(),
        }
    }

    /// The events in the order of their arrival.
    pub fn events(self, family: Family) -> Vec<(EventName, i64)> {
        let mut events = family.events().to_vec();
        if self == Self::MemoFirst {
            events.rotate_right(1);
        }
        events
    }

    /// What was there before the family.
    pub async fn prepare(self, world: &World) {
        match self {
            Self::SettingsSaved => world.posted_before(FIRST_DOCUMENTS).await,
            Self::SafeModeEnds => world.posted_before(FIRST_DOCUMENTS - 1).await,
            _ => {}
        }
    }

    /// Happens; `list` is where the disturbed call went.
    pub async fn happen(self, world: &mut World, process: &Process, list: &str) {
        match self {
            Self::Same | Self::MemoFirst => {}
            Self::Edited => edit(world),
            Self::SettingsSaved => world.save(|_| ()).await,
            Self::Prefixed => {
                world.save(|settings| settings.invoice_number_prefix = Some("W-".to_owned())).await;
            }
            Self::SafeModeEnds => world.tell(EventName::InvoiceCreated, BYSTANDER).await,
            Self::Voided => {
                let void = json!({ "status": { "id": "VOID" }, "outstanding_amount": "0.0" });
                world.change_in_sage(list, Some(&void)).await;
            }
            Self::Deleted => world.change_in_sage(list, None).await,
            Self::ContactDeleted => world.change_in_sage("contacts", None).await,
            Self::PairedAgain => {
                process.engine.disconnect(&world.shop.binding, None).await.unwrap();
                world.pair(process).await;
                if world.store.current_policy(world.shop.binding.id).await.unwrap().is_none() {
                    world.save(|_| ()).await;
                }
            }
        }
    }
}

/// The merchant changes what stands on the documents, and no sum.
fn edit(world: &World) {
    let edited = |mut document: Value| {
        for customer in ["/customer", ""] {
            if let Some(phone) = document.pointer_mut(&format!("{customer}/phone")) {
                *phone = "07700900999".into();
            }
        }
        for name in ["/lines/0/name", "/name"] {
            if let Some(name) = document.pointer_mut(name) {
                *name = "Stoneware mug, blue".into();
            }
        }
        document
    };
    let documents = [
        (Kind::Invoice, INVOICE),
        (Kind::CreditMemo, MEMO),
        (Kind::Customer, CUSTOMER),
        (Kind::Product, PRODUCT),
    ];
    for (kind, id) in documents {
        let document = world.shop.running.documents().raw(kind, id.unsigned_abs()).unwrap_or_default();
        world.shop.running.edit(kind, id.unsigned_abs(), &edited(serde_json::from_str(document).unwrap()));
    }
}
