//! Customers and products: what must be read before they can be planned.

use std::sync::Arc;

use domain::{documents::Product, xref::XrefKind};
use posting::{KnownStock, plan_customer, plan_product, wanted_customer_xrefs, wanted_product_xrefs};
use sage::Connection;
use store::Outcome;

use crate::{
    attempt::{
        audit_trail::{recorded, step},
        disposition::AttemptError,
        fetch,
        known::Known,
        log::AttemptLog,
        planning::planned,
        sage_answers::amount_of,
        work::Work,
    },
    connection::{shop::Shop, tokens::StoredTokens},
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
    let stock = stock(work, log, &product, &known).await?;
    let plan = planned(work, &known, move |context| plan_product(&product, &stock, context)).await?;
    follow(work, log, &plan, &known).await
}

/// What Sage holds of the product's stock: of the item that is known, or of the one that bears the SKU exactly.
async fn stock(
    work: &Work<'_>,
    log: &mut AttemptLog,
    product: &Product,
    known: &Known,
) -> Result<KnownStock, AttemptError> {
    let mut stock = KnownStock { quantity: None, as_of: work.claimed.run.created_at };
    if !(work.policy.sync_stock && product.manage_stock == Some(true)) {
        return Ok(stock);
    }
    let tokens = StoredTokens::new(work.engine, work.binding.id);
    let sage = Connection::new(&work.engine.sage, &work.business.id, &tokens);
    let begun = work.engine.outside.now();
    if let Some(record) = known.record(XrefKind::StockItem) {
        let path = format!("/stock_items/{}", record.sage_id);
        let answered = sage.get(&path, &[]).await;
        let answer = recorded(log, step("stock item", "GET", &path, begun), answered)?;
        stock.quantity = amount_of(&answer.body["quantity_in_stock"]);
        return Ok(stock);
    }
    let query = [("search", product.sku.as_str()), ("attributes", "item_code,quantity_in_stock")];
    let items = sage.list_all("/stock_items", &query).await?;
    let found = items.iter().find(|item| item["item_code"].as_str() == Some(product.sku.as_str()));
    stock.quantity = found.and_then(|item| amount_of(&item["quantity_in_stock"]));
    Ok(stock)
}
