//! Products, services and stock items.

use super::{amount, call, d};
use crate::{KnownStock, fixtures::Scenario, plan_product, wanted_product_xrefs};
use domain::{
    business::LedgerAccount,
    code::Code,
    documents::Product,
    plan::{Adopt, Method, Plan},
    xref::{XrefKey, XrefKind},
};

fn product(sku: &str) -> Product {
    let path = format!("{}/../../fixtures/documents/product-{sku}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn stock(quantity: Option<&str>) -> KnownStock {
    KnownStock { quantity: quantity.map(d), as_of: "2026-11-24T06:00:00Z".parse().unwrap() }
}

/// A business that sells and buys, with products and stock wanted.
fn world() -> Scenario {
    let mut world = Scenario::new();
    world.settings.sync_products = true;
    world.settings.sync_stock = true;
    world.settings.default_purchase_ledger_account_id = Some("purchases".to_owned());
    world.reference.ledger_accounts.push(LedgerAccount {
        id: "purchases".to_owned(),
        name: "Cost of sales".to_owned(),
        nominal_code: Some(5000),
        visible_in_sales: false,
        visible_in_expenses: true,
    });
    world
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.calls.iter().map(|call| call.name.as_str()).collect()
}

#[test]
fn products_are_skipped_unless_wanted_and_of_a_kind_that_sage_has() {
    let mut world = world();
    for sku in ["TEAPOT", "TEASET", "HAMPER"] {
        let plan = plan_product(&product(sku), &stock(None), &world.context());
        assert_eq!(plan.code, Some(Code::ProductTypeNotSupported), "{sku}");
    }
    world.settings.website_filter = vec![9];
    let plan = plan_product(&product("MUG-BLU"), &stock(None), &world.context());
    assert_eq!(plan.code, Some(Code::OutsideWebsiteFilter));
    world.settings.sync_products = false;
    let plan = plan_product(&product("MUG-BLU"), &stock(None), &world.context());
    assert_eq!(plan.code, Some(Code::ProductsDisabled));
}

#[test]
fn a_simple_product_without_stock_is_a_product_and_a_virtual_one_a_service() {
    let mut world = world();
    world.settings.sync_stock = false;
    let mut mug = product("MUG-BLU");
    mug.name = "Mug &amp; Saucer".to_owned();
    let plan = plan_product(&mug, &stock(None), &world.context());
    assert_eq!(names(&plan), ["product"]);
    let body = &call(&plan, "product").body["product"];
    assert_eq!(
        (body["description"].as_str(), body["item_code"].as_str()),
        (Some("Mug & Saucer"), Some("MUG-BLU"))
    );
    assert_eq!(body["purchase_ledger_account_id"], "purchases");
    assert_eq!(body["sales_tax_rate_id"], "GB_STANDARD");
    assert_eq!(amount(&body["sales_prices"][0], "price"), d("12.49"));
    let adopt = Adopt::Item { path: "/products".to_owned(), item_code: "MUG-BLU".to_owned() };
    assert_eq!(call(&plan, "product").adopt, Some(adopt));
    let plan = plan_product(&product("GIFT-WRAP"), &stock(None), &world.context());
    assert_eq!(names(&plan), ["service"]);
    assert_eq!(amount(&call(&plan, "service").body["service"]["sales_rates"][0], "rate"), d("3.33"));
}

#[test]
fn a_new_stock_item_is_filled_and_a_known_one_moved_by_the_difference() {
    let mut world = world();
    let mut mug = product("MUG-BLU");
    mug.cost = Some(d("4.10"));
    let plan = plan_product(&mug, &stock(None), &world.context());
    assert_eq!(names(&plan), ["stock_item", "stock_movement"]);
    let movement = &call(&plan, "stock_movement").body["stock_movement"];
    assert_eq!(
        (movement["stock_item_id"].as_str(), amount(movement, "quantity")),
        (Some("{stock_item}"), d("465"))
    );
    assert_eq!((movement["date"].as_str(), amount(movement, "cost_price")), (Some("2026-11-24"), d("4.10")));
    assert!(movement["details"].as_str().unwrap().chars().count() <= 50);
    world.knows(XrefKey { kind: XrefKind::StockItem, magento_key: "1".to_owned() }, "item-1");
    let plan = plan_product(&mug, &stock(Some("500")), &world.context());
    let update = call(&plan, "stock_item");
    assert_eq!((update.method, update.path.as_str()), (Method::Put, "/stock_items/item-1"));
    assert!(update.adopt.is_none() && update.body["stock_item"].get("idempotency_id").is_none());
    let movement = &call(&plan, "stock_movement").body["stock_movement"];
    assert_eq!(
        (movement["stock_item_id"].as_str(), amount(movement, "quantity")),
        (Some("item-1"), d("-35"))
    );
}

#[test]
fn no_stock_is_moved_where_nothing_differs_or_nothing_is_known_and_none_goes_below_zero() {
    let mut world = world();
    world.knows(XrefKey { kind: XrefKind::StockItem, magento_key: "1".to_owned() }, "item-1");
    let mut mug = product("MUG-BLU");
    for held in [Some("465"), Some("465.00"), None] {
        assert_eq!(names(&plan_product(&mug, &stock(held), &world.context())), ["stock_item"], "{held:?}");
    }
    mug.stock_qty = Some(d("-3"));
    let plan = plan_product(&mug, &stock(Some("2")), &world.context());
    assert_eq!(amount(&call(&plan, "stock_movement").body["stock_movement"], "quantity"), d("-2"));
    assert_eq!(names(&plan_product(&mug, &stock(Some("0")), &world.context())), ["stock_item"]);
}

#[test]
fn every_run_has_a_movement_of_its_own_and_every_try_the_same() {
    let world = world();
    let mug = product("MUG-BLU");
    let id = |as_of: &str| {
        let stock = KnownStock { as_of: as_of.parse().unwrap(), ..stock(None) };
        let plan = plan_product(&mug, &stock, &world.context());
        call(&plan, "stock_movement").body["stock_movement"]["idempotency_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(id("2026-11-24T06:00:00Z"), id("2026-11-24T06:00:00Z"));
    assert_ne!(id("2026-11-24T06:00:00Z"), id("2026-11-24T06:00:01Z"));
}

#[test]
fn an_article_number_is_never_cut() {
    let world = world();
    let mut mug = product("MUG-BLU");
    mug.sku = "M".repeat(31);
    assert_eq!(plan_product(&mug, &stock(None), &world.context()).code, Some(Code::ItemCodeTooLong));
    mug.manage_stock = Some(false);
    assert_eq!(names(&plan_product(&mug, &stock(None), &world.context())), ["product"]);
    mug.sku = "M".repeat(256);
    assert_eq!(plan_product(&mug, &stock(None), &world.context()).code, Some(Code::ItemCodeTooLong));
}

#[test]
fn a_missing_purchase_account_holds() {
    let mut world = world();
    world.settings.default_purchase_ledger_account_id = None;
    let plan = plan_product(&product("MUG-BLU"), &stock(None), &world.context());
    assert_eq!(plan.code, Some(Code::NeedsMapping));
    assert!(plan.message.unwrap().contains("“Purchase account”"));
}

#[test]
fn the_tax_class_finds_its_rate_where_the_map_names_one() {
    let mut world = world();
    world.settings.tax_rate_map.insert("5.00/2".to_owned(), "GB_LOWER".to_owned());
    let rate = |world: &Scenario| {
        let plan = plan_product(&product("MUG-BLU"), &stock(None), &world.context());
        call(&plan, "stock_item").body["stock_item"]["sales_tax_rate_id"].as_str().unwrap().to_owned()
    };
    assert_eq!(rate(&world), "GB_LOWER");
    world.settings.tax_rate_map.insert("20.00/2".to_owned(), "GB_STANDARD".to_owned());
    world.settings.default_tax_rate_id = Some("GB_EXEMPT".to_owned());
    assert_eq!(rate(&world), "GB_EXEMPT", "the class has two rates");
}

#[test]
fn what_was_made_as_a_product_stays_one() {
    let mut world = world();
    world.knows(XrefKey { kind: XrefKind::Product, magento_key: "1".to_owned() }, "product-1");
    let plan = plan_product(&product("MUG-BLU"), &stock(None), &world.context());
    assert_eq!(names(&plan), ["product"]);
    assert!(plan.notes[0].contains("stays a product"), "{:?}", plan.notes);
    assert_eq!(wanted_product_xrefs(&product("MUG-BLU")).len(), 3);
}
