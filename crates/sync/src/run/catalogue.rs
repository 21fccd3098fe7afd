//! Customers and products: what must be read before they can be planned.

use std::sync::Arc;

use domain::{
    documents::Product,
    xref::{XrefKey, XrefKind},
};
use posting::{KnownStock, plan_customer, plan_product, wanted_customer_xrefs, wanted_product_xrefs};
use sage::Connection;
use store::{IntentKey, Outcome};

use crate::{
    attempt::{
        audit_trail::{recorded, step},
        disposition::{AttemptError, Disposition},
        fetch,
        known::Known,
        log::AttemptLog,
        planning::planned,
        sage_answers::amount_of,
        work::Work,
    },
    connection::{shop::Shop, tokens::StoredTokens},
    posting::{
        create::{not_shown, under_way},
        create_rules::{may_land_until, not_shown_until},
        execute,
    },
    run::follow::follow,
};

/// A customer's contacts are updated, in every currency that has one; one in the base currency is made where there is none.
pub async fn customer(work: &Work<'_>, shop: &Shop, log: &mut AttemptLog) -> Result<Outcome, AttemptError> {
    let customer = fetch::customer(work, shop, log).await?;
    let known = Known::of(work, log, &wanted_customer_xrefs(&customer, &work.reference)).await?;
    let known = Arc::new(known.with_customer(work, &customer));
    let plan = planned(work, &known, move |context| plan_customer(&customer, context)).await?;
    follow(work, log, &plan, &known).await
}

/// A product becomes a product, a service or a stock item of Sage's, brought to Magento's quantity.
pub async fn product(work: &Work<'_>, shop: &Shop, log: &mut AttemptLog) -> Result<Outcome, AttemptError> {
    let product = fetch::product(work, shop, log).await?;
    let known = Arc::new(Known::of(work, log, &wanted_product_xrefs(&product)).await?);
    finish_movements(work, log, &product, &known).await?;
    let stock = stock(work, log, &product, &known).await?;
    let plan = planned(work, &known, move |context| plan_product(&product, &stock, context)).await?;
    follow(work, log, &plan, &known).await
}

/// A movement that an earlier attempt sent without hearing an answer is finished before the stock is read, whichever of the product's
/// runs has sent it: how much is left to move depends on it.
async fn finish_movements(
    work: &Work<'_>,
    log: &mut AttemptLog,
    product: &Product,
    known: &Known,
) -> Result<(), AttemptError> {
    let (store, kind) = (&work.engine.store, XrefKind::StockMovement);
    let (binding, business) = (work.binding.id, &work.business.id);
    // As a movement's key begins.
    let beginning = format!("{}:", product.magento_id);
    for key in store.unanswered_intents(binding, business, kind, &beginning).await? {
        if execute::finish_begun(work, log, &key, known).await? {
            continue;
        }
        let intent = store.intents(binding, business, std::slice::from_ref(&key)).await?.remove(&key);
        let unanswered_at = intent.and_then(|intent| intent.unanswered_at);
        if let Some(until) = may_land_until(unanswered_at, work.engine.environment.now()) {
            return Err(under_way(until));
        }
    }
    Ok(())
}

/// What Sage holds of the product's stock: of the item that is known, or of the one that bears the SKU exactly.
async fn stock(
    work: &Work<'_>,
    log: &mut AttemptLog,
    product: &Product,
    known: &Known,
) -> Result<KnownStock, AttemptError> {
    let mut stock = KnownStock { quantity: None, as_of: work.claimed.run.created_at };
    if !(work.settings.sync_stock && product.manage_stock == Some(true)) {
        return Ok(stock);
    }
    let tokens = StoredTokens::new(work.engine, work.binding.id);
    let sage = Connection::new(&work.engine.sage, &work.business.id, &tokens);
    let begun = work.engine.environment.now();
    if let Some(record) = known.record(XrefKind::StockItem) {
        let path = format!("/stock_items/{}", record.sage_id);
        let answered = sage.get(&path, &[]).await;
        let answer = match recorded(log, step("stock item", "GET", &path, begun), answered) {
            Ok(answer) => answer,
            Err(error @ sage::Error::NotFound(_)) => {
                return Err(forgotten(work, log, known, error).await?);
            }
            Err(error) => return Err(error.into()),
        };
        stock.quantity = amount_of(&answer.body["quantity_in_stock"]);
        return Ok(stock);
    }
    let query = [("search", product.sku.as_str()), ("attributes", "item_code,quantity_in_stock")];
    let items = sage.list_all("/stock_items", &query).await?;
    let found = items.iter().find(|item| item["item_code"].as_str() == Some(product.sku.as_str()));
    stock.quantity = found.and_then(|item| amount_of(&item["quantity_in_stock"]));
    Ok(stock)
}

/// Somebody has deleted a stock item in Sage: it is forgotten, so that a new plan makes it. One that was made just now may only not be
/// shown yet.
async fn forgotten(
    work: &Work<'_>,
    log: &mut AttemptLog,
    known: &Known,
    error: sage::Error,
) -> Result<AttemptError, AttemptError> {
    let is_item = |key: &&XrefKey| key.kind == XrefKind::StockItem;
    let Some(xref) = known.xrefs.keys().find(is_item).cloned() else { return Ok(error.into()) };
    let now = work.engine.environment.now();
    let intent = known.intents.get(&xref);
    if let Some(until) = intent.and_then(|intent| not_shown_until(intent.first_sent_at, now)) {
        return Ok(not_shown(until));
    }
    let key = IntentKey { binding_id: work.binding.id, business_id: work.business.id.clone(), xref };
    work.engine.store.forget_record(work.fence(), &key, &log.steps, now).await?;
    log.steps.clear();
    Ok(AttemptError { disposition: Disposition::PlanAgain, ..error.into() })
}
