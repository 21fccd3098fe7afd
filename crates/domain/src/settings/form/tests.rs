use super::*;
use crate::{business::ReferenceSet, settings::FieldProblem::*};

fn lists() -> Lists {
    let reference: ReferenceSet =
        serde_json::from_str(include_str!("../../../../../fixtures/demo/reference.json")).unwrap();
    Lists::of(&reference)
}

fn good() -> Settings {
    serde_json::from_str(include_str!("../../../../../fixtures/demo/settings.json")).unwrap()
}

fn typed(pairs: &[(&str, &str)]) -> Form {
    Form(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

#[test]
fn what_a_page_shows_is_read_as_the_same_settings() {
    let settings = Settings {
        sync_since: Some("2026-03-01T09:05:00Z".parse().unwrap()),
        website_filter: vec![1, 3],
        document_time_zone: Some("Europe/Dublin".to_owned()),
        invoice_number_prefix: Some("WEB-".to_owned()),
        payment_method_map: [("free".to_owned(), None)].into(),
        ..good()
    };
    let lists = lists();
    let (read, problems) = Form::of(&settings, &lists).read(&Settings::default(), &lists);
    assert_eq!(problems, []);
    assert_eq!(read, settings);
}

#[test]
fn what_a_form_leaves_out_stays_as_it_was() {
    let settings = Settings { sync_unpaid_invoices: false, ..good() };
    let (read, _) = typed(&[("invoice_number_prefix", "WEB-")]).read(&settings, &lists());
    assert_eq!(read, Settings { invoice_number_prefix: Some("WEB-".to_owned()), ..settings });
}

#[test]
fn a_switch_is_on_when_its_box_comes_after_what_says_that_it_is_off() {
    let read = |pairs| typed(pairs).read(&good(), &lists()).0.record_refunds;
    assert!(!read(&[("record_refunds", "false")]));
    assert!(read(&[("record_refunds", "false"), ("record_refunds", "true")]));
}

#[test]
fn an_account_may_be_named_by_its_number() {
    let (read, problems) = typed(&[("fee_ledger_account_id", " 4010 ")]).read(&good(), &lists());
    assert_eq!(problems, []);
    assert_eq!(read.fee_ledger_account_id.as_deref(), Some("e09df6330e6f4fe12bde8ea26f5dd5be"));
}

#[test]
fn what_cannot_be_read_names_its_field_and_its_code() {
    let lists = lists();
    for (pairs, path, problem) in [
        (&[("sync_unpaid_invoices", "perhaps")][..], "sync_unpaid_invoices", InvalidFormat),
        (&[("safe_mode", "sometimes")], "safe_mode", InvalidFormat),
        (&[("website_filter", "1, two")], "website_filter", InvalidFormat),
        (&[("website_filter", "-1")], "website_filter", OutOfRange),
        (&[("sync_since", "yesterday")], "sync_since", InvalidFormat),
        (&[("sync_since", "2026-02-30T10:00")], "sync_since", OutOfRange),
        (&[("default_tax_rate_id", "")], "default_tax_rate_id", Required),
        (&[("default_tax_rate_id", "Standard")], "default_tax_rate_id", NotInReference),
        (&[("default_tax_rate_id", "(missing) GB_OLD")], "default_tax_rate_id", NotInReference),
        (
            &[("consolidation.min_total_for_individual", "ten")],
            "consolidation.min_total_for_individual",
            InvalidFormat,
        ),
        (
            &[("consolidation.min_total_for_individual", "-1")],
            "consolidation.min_total_for_individual",
            OutOfRange,
        ),
        (&[("tax_rate_map.key", "20"), ("tax_rate_map.value", "")], "tax_rate_map.20", Required),
        (&[("tax_rate_map.key", ""), ("tax_rate_map.value", "GB_ZERO")], "tax_rate_map.", Required),
        (
            &[("payment_method_map.key", ""), ("payment_method_map.value", UNPAID)],
            "payment_method_map.",
            Required,
        ),
        (
            &[("payment_method_map.key", "free"), ("payment_method_map.value", "gone")],
            "payment_method_map.free",
            NotInReference,
        ),
        (
            &[("product_type_eu_goods_map.key", "simple"), ("product_type_eu_goods_map.value", "AIR")],
            "product_type_eu_goods_map.simple",
            InvalidFormat,
        ),
    ] {
        let (_, problems) = typed(pairs).read(&good(), &lists);
        assert_eq!(problems, [(path.to_owned(), problem)], "{pairs:?}");
    }
}

#[test]
fn rows_of_which_nobody_can_tell_what_belongs_together_change_nothing() {
    for map in ["tax_rate_map", "payment_method_map", "product_type_eu_goods_map"] {
        let (left, right) = (format!("{map}.key"), format!("{map}.value"));
        let form = typed(&[(&left, "20"), (&left, "5"), (&right, "GB_LOWER")]);
        let (read, problems) = form.read(&good(), &lists());
        assert_eq!((read, problems), (good(), vec![(map.to_owned(), InvalidFormat)]));
    }
}

#[test]
fn what_a_map_no_longer_lists_is_taken_out_of_it() {
    let form =
        typed(&[("product_type_eu_goods_map.key", "simple"), ("product_type_eu_goods_map.value", "GOODS")]);
    assert_eq!(form.read(&good(), &lists()).0.product_type_eu_goods_map.len(), 1);
}

#[test]
fn a_key_that_comes_twice_is_refused() {
    for (map, key, value) in [
        ("tax_rate_map", "20", "GB_ZERO"),
        ("payment_method_map", "free", UNPAID),
        ("product_type_eu_goods_map", "simple", "GOODS"),
    ] {
        let (left, right) = (format!("{map}.key"), format!("{map}.value"));
        let form = typed(&[(&left, key), (&right, value), (&left, key), (&right, value)]);
        assert_eq!(form.read(&good(), &lists()).1, [(format!("{map}.{key}"), Conflict)]);
    }
}

#[test]
fn an_emptied_row_is_taken_out_of_the_map() {
    let form = typed(&[
        ("tax_rate_map.key", "20"),
        ("tax_rate_map.value", "GB_STANDARD"),
        ("tax_rate_map.key", ""),
        ("tax_rate_map.value", ""),
    ]);
    let (read, problems) = form.read(&good(), &lists());
    assert_eq!((read.tax_rate_map.len(), problems.len()), (1, 0));
}

#[test]
fn problems_come_in_the_order_of_the_cards() {
    let form = typed(&[("document_time_zone", "Mars"), ("sync_since", "x"), ("default_tax_rate_id", "")]);
    let (_, problems) = form.read(&good(), &lists());
    let paths: Vec<_> = problems.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["sync_since", "default_tax_rate_id", "document_time_zone"]);
}
