//! What happens next: between what went wrong and Ledger's second decision.

use domain::{
    run::EventName,
    settings::{FIRST_DOCUMENTS, SafeMode},
};
use serde_json::json;

use crate::{
    family::{BYSTANDER, Family},
    fault::Done,
    world::{Process, World},
    write::Write,
};

/// What happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sequel {
    /// Nothing: the same document.
    Same,
    /// The documents are edited in Magento, their sums stay.
    Edited,
    /// The documents are edited in Magento, and their sums are others.
    SumsEdited,
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
    pub const ALL: [Self; 11] = [
        Self::Same,
        Self::Edited,
        Self::SumsEdited,
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
            Self::SumsEdited => "sums-edited",
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

    /// Whether it can happen to this family, when this call (or none) has or has not been worked.
    pub fn can_follow(self, family: Family, write: Option<&Write>, done: Done) -> bool {
        let place = write.map_or("", |write| write.place.as_str());
        let is_update = write.is_some_and(|write| write.method == "PUT");
        let is_document = matches!(place, "sales_invoices" | "sales_credit_notes");
        let takes_drafts = family.safe_mode() != SafeMode::Never;
        match self {
            Self::Same | Self::Edited | Self::PairedAgain => true,
            Self::Prefixed | Self::SumsEdited => family.has_memo(),
            Self::SettingsSaved | Self::SafeModeEnds | Self::MemoFirst => family.has_memo() && !takes_drafts,
            Self::Deleted if is_update && place == "stock_items" => done == Done::Not,
            Self::Voided | Self::Deleted => {
                is_document && done == Done::Already && family.has_memo() && !takes_drafts
            }
            Self::ContactDeleted if is_update => place == "contacts" && done == Done::Not,
            Self::ContactDeleted => {
                place == "sales_invoices" && done == Done::Not && family != Family::Withdrawn
            }
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
    pub async fn happen(self, world: &mut World, process: &Process, family: Family, list: &str) {
        match self {
            Self::Same | Self::MemoFirst => {}
            Self::Edited => {
                family.edit(world);
                // Of a customer and a product the shop tells whenever they are saved.
                for (event, id) in family.events().iter().filter(|(event, _)| !event.happens_once()) {
                    world.tell(*event, *id).await;
                }
            }
            Self::SumsEdited => family.edit_sums(world),
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
                if world.store.current_settings(world.shop.binding.id).await.unwrap().is_none() {
                    world.save(|_| ()).await;
                }
            }
        }
    }
}
