//! What the merchant changes in Magento, before and after something has gone wrong.

use chrono::TimeDelta;
use domain::run::EventName;
use serde_json::{Value, json};
use simulators::{
    magento,
    sage::{Kind, Rule},
};

use crate::{
    family::{CUSTOMER, Family, INVOICE, MEMO, PRODUCT},
    world::World,
};

/// A customer's telephone number and a product's name.
struct Told(&'static str, &'static str);

/// Before all else, where the family is in Sage already.
const BEFORE: Told = Told("07700900001", "Stoneware mug, chipped");
/// As the family's documents are.
const FIRST: Told = Told("07700900123", "Stoneware mug");
/// As they are edited to be.
const EDITED: Told = Told("07700900999", "Stoneware mug, blue");

impl Family {
    /// What there was before the family's events, and what Sage will get wrong by itself.
    pub async fn prepare(self, world: &World) {
        match self {
            Self::Changed => {
                edit(world, |document| {
                    say(document, &BEFORE);
                    set(document, "/stock_qty", json!(4));
                });
                for (event, id) in
                    [(EventName::CustomerUpserted, CUSTOMER), (EventName::ProductUpserted, PRODUCT)]
                {
                    world.tell(event, id).await;
                }
                world.work(&world.process(TimeDelta::zero()).await).await;
                edit(world, |_| ());
            }
            Self::Withdrawn => {
                for path in ["/sales_invoices", "/sales_credit_notes"] {
                    world.sage.faults().add(Kind::WrongTotals, Rule::times(1).on("POST", path));
                }
            }
            _ => {}
        }
    }

    /// The merchant changes what stands on the documents, and no sum.
    pub fn edit(self, world: &World) {
        edit(world, |document| say(document, &EDITED));
    }

    /// The merchant makes it three mugs in place of two.
    pub fn edit_sums(self, world: &World) {
        edit(world, |document| {
            let sums = [
                ("/lines/0/qty", json!(3)),
                ("/lines/0/line_subtotal", json!(37.5)),
                ("/lines/0/line_tax", json!(7.5)),
                ("/lines/0/line_total", json!(45)),
                ("/subtotal", json!(37.5)),
                ("/tax_amount", json!(7.5)),
                ("/grand_total", json!(45)),
            ];
            for (field, sum) in sums {
                set(document, field, sum);
            }
            if self != Self::PartPaid {
                set(document, "/amount", json!(45));
            }
        });
    }

    /// The telephone number and the name that Sage must show in the end, where the shop tells of its changes.
    pub fn told(self, is_edited: bool) -> Option<(&'static str, &'static str)> {
        let Told(telephone, name) = if is_edited { EDITED } else { FIRST };
        (!self.has_memo()).then_some((telephone, name))
    }
}

/// Changes the family's documents, each as it was at first.
fn edit(world: &World, change: impl Fn(&mut Value)) {
    let documents = [
        (magento::Kind::Invoice, INVOICE),
        (magento::Kind::Payment, INVOICE),
        (magento::Kind::CreditMemo, MEMO),
        (magento::Kind::Customer, CUSTOMER),
        (magento::Kind::Product, PRODUCT),
    ];
    for (kind, id) in documents {
        let id = id.unsigned_abs();
        if let Some(document) = world.shop.running.documents().raw(kind, id) {
            let mut document = serde_json::from_str(document).unwrap();
            change(&mut document);
            world.shop.running.edit(kind, id, &document);
        }
    }
}

fn say(document: &mut Value, Told(telephone, name): &Told) {
    for (field, text) in
        [("/customer/phone", telephone), ("/phone", telephone), ("/lines/0/name", name), ("/name", name)]
    {
        set(document, field, json!(text));
    }
}

/// Sets a field that is there.
fn set(document: &mut Value, field: &str, value: Value) {
    if let Some(found) = document.pointer_mut(field) {
        *found = value;
    }
}
