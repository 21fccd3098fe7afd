//! How far shops have come on their first day.

use std::sync::Arc;

use domain::{
    run::EventName::InvoiceCreated,
    xref::{XrefKey, XrefKind},
};

use super::world::World;
use crate::{NewXref, Outcome, SetupFacts, Store};

/// A contact in Sage is not enough, nor is a document in another business; each shop for itself.
pub async fn a_shop_is_set_up_once_a_document_is_in_its_business(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let other = world.add_binding("business-2").await;
    let far = |has_settings, has_posted| SetupFacts { binding_id: world.binding, has_settings, has_posted };
    let untouched = SetupFacts { binding_id: other, has_settings: false, has_posted: false };
    assert_eq!(world.store.setups(world.organisation).await.unwrap(), [far(false, false), untouched]);
    world.save_settings(1).await;
    let made = [
        (XrefKind::Contact("GBP".parse().unwrap()), "business-1", false),
        (XrefKind::Invoice, "business-9", false),
        (XrefKind::Invoice, "business-1", true),
    ];
    for (number, (kind, business, is_enough)) in (1..).zip(made) {
        world.receive(InvoiceCreated, number).await;
        let claimed = world.claim().await;
        let mut end = world.end(&claimed, Outcome::Succeeded);
        end.xrefs = vec![NewXref {
            key: XrefKey { kind, magento_key: number.to_string() },
            business_id: business.to_owned(),
            sage_id: format!("sage-{number}"),
            displayed_as: None,
        }];
        world.store.finish_run(&end).await.unwrap();
        let setups = world.store.setups(world.organisation).await.unwrap();
        assert_eq!(setups, [far(true, is_enough), untouched], "{kind} in {business}");
    }
    let stranger = world.add_organisation("Second").await;
    assert_eq!(world.store.setups(stranger).await.unwrap(), []);
}
