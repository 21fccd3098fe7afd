use super::*;

const RUN: &str = "0190b5a4-7c3e-7000-8000-000000000001";

fn read(pairs: &[(&str, &'static str)]) -> Result<HistoryQuery, AppError> {
    HistoryQuery::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| *value))
}

fn searched(text: &'static str) -> RunFilter {
    read(&[("q", text)]).unwrap().filter()
}

#[test]
fn a_view_of_the_list_is_read_as_its_address_is_written() {
    for address in [
        "/dashboard/sync",
        "/dashboard/sync?status=failed&event=invoice.paid&after=0190b5a4-7c3e-7000-8000-000000000001",
        "/dashboard/sync?q=status%3Afailed%20amount%3A%3E100",
        "/dashboard/sync?code=totals_mismatch&from=2026-03-01&until=2026-03-31&min=100&max=81.52&sort=amount&order=up",
        "/dashboard/sync?shop=0190b5a4-7c3e-7000-8000-000000000001&cause=1f0c&open=1&version=3&sort=number&order=down",
    ] {
        let query = HistoryQuery::parse(address.split_once('?').unwrap_or_default().1).unwrap();
        assert_eq!(query.href(), address);
    }
}

#[test]
fn empty_parameters_are_none_and_unknown_ones_are_named() {
    assert_eq!(read(&[("status", ""), ("event", ""), ("q", " "), ("sort", "")]), Ok(HistoryQuery::default()));
    let error =
        read(&[("status", "borked"), ("after", "x"), ("min", "much"), ("q", "from:soon")]).unwrap_err();
    let names: Vec<_> = error.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["status", "min", "after", "from"]);
}

#[test]
fn qualifiers_ask_for_what_the_fields_ask_for() {
    let filter = searched("status:failed amount:>100 code:sage_validation from:2026-03-01 until:2026-03-02");
    assert_eq!((filter.status, filter.at_least), (Some(RunStatus::Failed), Some(10_001)));
    assert_eq!(filter.code, Some(Code::SageValidation));
    assert_eq!(filter.from.unwrap().to_rfc3339(), "2026-03-01T00:00:00+00:00");
    assert_eq!(filter.until.unwrap().to_rfc3339(), "2026-03-03T00:00:00+00:00", "the last day counts");
    assert_eq!(filter.find, None);
    let filter = searched("amount:10..20.50 status:skipped");
    assert_eq!((filter.at_least, filter.at_most), (Some(1_000), Some(2_050)));
    assert_eq!(filter.status, Some(RunStatus::SkippedByPolicy));
    let filter = searched("amount:>=100 amount:<200");
    assert_eq!((filter.at_least, filter.at_most), (Some(10_000), Some(19_999)));
    let both = read(&[("status", "failed"), ("q", "status:succeeded")]).unwrap();
    assert_eq!(both.filter().status, Some(RunStatus::Succeeded), "the search box has the last word");
}

#[test]
fn what_people_hold_in_their_hands_is_looked_for_everywhere_it_may_be() {
    let find = |text| searched(text).find.unwrap();
    assert_eq!(find("42").numbers, ["42", "000000042"]);
    assert_eq!((find("42").magento_id, find("#42").magento_id), (Some(42), Some(42)));
    assert_eq!((find("42").amount_within, find("81.52").amount_minor), (Some((4_200, 4_299)), Some(8_152)));
    for number in ["000005095", "12345678"] {
        let found = find(number);
        assert_eq!((found.amount_minor, found.amount_within), (None, None), "a number of a document");
    }
    assert_eq!(find("Quill").customer.as_deref(), Some("quill"));
    assert_eq!(find("Zoë Müller").customer.as_deref(), Some("zoe muller"));
    assert_eq!(
        (find("30").customer, find("a").customer, find("ada@example.com").customer),
        (None, None, None)
    );
    assert_eq!(find("si-27").numbers, ["si-27", "SI-27"]);
    assert_eq!(find("Ada@Example.com").email_digest, email::digest("ada@example.com"));
    assert_eq!(find(RUN).run, RUN.parse().ok());
    assert_eq!(find(RUN).sage_id.as_deref(), Some(RUN));
    assert_eq!(find("http:x").numbers[0], "http:x", "an unknown qualifier is a word");
}

#[test]
fn a_sum_is_found_as_people_write_it_with_its_pennies_or_without() {
    for (text, currency, least, most) in [
        ("30", None, 3_000, 3_099),
        ("81", None, 8_100, 8_199),
        ("-3", None, -399, -300),
        ("30.00", None, 3_000, 3_000),
        ("81.5", None, 8_150, 8_150),
        ("1,250", None, 125_000, 125_099),
        ("1,250.00", None, 125_000, 125_000),
        ("£30", Some("GBP"), 3_000, 3_099),
        ("GBP 30.00", Some("GBP"), 3_000, 3_000),
        ("30 eur", Some("EUR"), 3_000, 3_099),
        ("€1,250.00", Some("EUR"), 125_000, 125_000),
    ] {
        let filter = searched(text);
        let find = filter.find.unwrap();
        let within = find.amount_within.or_else(|| find.amount_minor.map(|minor| (minor, minor)));
        assert_eq!((filter.currency.as_deref(), within), (currency, Some((least, most))), "{text}");
    }
    for (text, currency) in [("EUR", "EUR"), ("€", "EUR"), ("GBP", "GBP"), ("USD status:failed", "USD")] {
        let filter = searched(text);
        assert_eq!((filter.currency.as_deref(), filter.find), (Some(currency), None), "{text}");
    }
    for name in ["TOM", "eur", "Euro Ltd"] {
        let filter = searched(name);
        assert_eq!((filter.currency, filter.find.is_some()), (None, true), "{name} may be a name");
    }
    let filter = searched("currency:eur status:failed");
    assert_eq!((filter.currency.as_deref(), filter.find), (Some("EUR"), None));
}

#[test]
fn a_customer_is_looked_for_alone_or_beside_something_else() {
    let alone = searched("customer:Quill status:failed");
    assert_eq!(alone.find.unwrap().customer.as_deref(), Some("quill"));
    assert_eq!((alone.customer, alone.status), (None, Some(RunStatus::Failed)));
    let beside = searched("customer:quill SI-27");
    assert_eq!(beside.customer.as_deref(), Some("quill"));
    assert!(beside.find.unwrap().numbers.contains(&"SI-27".to_owned()));
    let address = "/dashboard/sync?currency=EUR&customer=Nora%20Quill";
    assert_eq!(HistoryQuery::parse("currency=EUR&customer=Nora+Quill").unwrap().href(), address);
}

#[test]
fn an_address_that_is_looked_for_is_kept_as_its_digest_alone() {
    let query = read(&[("q", "status:failed Ada@Example.com"), ("min", "3")]).unwrap();
    let kept = query.kept();
    let digest = email::digest("ada@example.com").unwrap();
    assert_eq!(kept.search, format!("status:failed {digest}"));
    assert!(!format!("{:?} {:?} {}", query.filter(), kept.filter(), kept.text()).contains("xample"));
    let (filter, again) = (query.filter(), kept.filter());
    let hit = |filter: &RunFilter| filter.find.clone().unwrap().email_digest;
    assert_eq!((hit(&filter), filter.status, filter.at_least), (hit(&again), again.status, again.at_least));
    let other = read(&[("q", "status:failed SI-27")]).unwrap();
    assert_eq!(other.kept(), other);
}

#[test]
fn amounts_are_read_as_people_write_them() {
    for (text, amount) in [
        ("100", Some(10_000)),
        ("81.5", Some(8_150)),
        ("£1,234.50", Some(123_450)),
        ("1234,50", Some(123_450)),
        ("1,234", Some(123_400)),
        ("-3", Some(-300)),
        ("", None),
        ("1.2.3", None),
        ("ten", None),
        ("99999999999999999999", None),
    ] {
        assert_eq!(minor(text), amount, "{text}");
    }
}

#[test]
fn a_column_sorts_and_turns_round() {
    let query = read(&[("after", RUN)]).unwrap();
    assert_eq!(query.sorted_by(SortBy::Amount).href(), "/dashboard/sync?sort=amount&order=down");
    assert_eq!(
        query.sorted_by(SortBy::Amount).sorted_by(SortBy::Amount).href(),
        "/dashboard/sync?sort=amount&order=up"
    );
    assert_eq!(query.sorted_by(SortBy::Received).href(), "/dashboard/sync?sort=received&order=up");
}

#[test]
fn what_is_switched_off_is_left_out_where_nothing_asks_for_it() {
    for (text, leaves_out) in [
        ("", true),
        ("from=2026-03-01&min=100", true),
        ("skips=1", false),
        ("status=skipped_by_policy", false),
        ("q=status:skipped", false),
        ("event=product.upserted", false),
        ("q=SKU-7", false),
        ("open=1", false),
    ] {
        let query = HistoryQuery::parse(text).unwrap();
        assert_eq!(query.filter().without_switched_off, leaves_out, "{text}");
    }
    assert!(!HistoryQuery::default().is_filtered(), "the whole list is no filter");
    assert_eq!(HistoryQuery::parse("skips=1").unwrap().href(), "/dashboard/sync?skips=1");
}

#[test]
fn a_misspelt_word_is_named_and_the_nearest_offered() {
    let said = |text| unknown_word(&HistoryQuery::parse(text).unwrap_err());
    for (text, word, near) in [
        ("q=status:faild", "faild", "failed"),
        ("status=suceeded", "suceeded", "succeeded"),
        ("q=event:invoice.payd", "invoice.payd", "invoice.paid"),
        ("code=totals_mismach", "totals_mismach", "totals_mismatch"),
    ] {
        let said = said(text).unwrap();
        assert!(said.contains(&format!("“{word}”")) && said.contains(&format!("mean “{near}”")), "{said}");
    }
    let none_near = said("q=status:borked").unwrap();
    assert!(none_near.contains("failed") && !none_near.contains("mean"), "{none_near}");
    assert_eq!(said("from=soon"), None);
}
