//! What migration 0028 renames, in a database of before it: the same statements and expectations for every driver.

use std::collections::BTreeMap;

use domain::{
    code::Code,
    ids::{BindingId, MemberId, OrganisationId, RunId},
    settings::UndeterminedTax,
};
use uuid::Uuid;

use crate::{PageRequest, Store};

/// The last migration with the old names.
pub const BEFORE: i64 = 27;

/// A shop whose settings, runs and views bear the old names; in SQL that every database takes.
pub const STATEMENTS: &[&str] = &[
    "INSERT INTO organisations VALUES ('00000000-0000-7000-8000-000000000001', 'Blue Mug Ltd', '2026-01-05T10:00:00.000Z')",
    "INSERT INTO people (id, email, password_hash, created_at) VALUES
       ('00000000-0000-7000-8000-00000000000a', 'ada@shop.example', 'hash', '2026-01-05T10:00:00.000Z')",
    "INSERT INTO members (id, person_id, organisation_id, name, role, created_at) VALUES
       ('00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-00000000000a', '00000000-0000-7000-8000-000000000001', 'Ada', 'owner',
        '2026-01-05T10:00:00.000Z')",
    "INSERT INTO saved_views (member_id, name, query, created_at) VALUES
       ('00000000-0000-7000-8000-00000000000a', 'mine', 'code=unshown_tax', '2026-01-05T10:00:00.000Z')",
    "INSERT INTO bindings (id, organisation_id, name, magento_url, status, created_at, status_changed_at, trusted_since) VALUES
       ('00000000-0000-7000-8000-00000000000c', '00000000-0000-7000-8000-000000000001', 'Blue Mug', 'https://shop.example', 'active',
        '2026-01-05T10:00:00.000Z', '2026-01-05T10:00:00.000Z', '2026-01-05T10:00:00.000Z')",
    "INSERT INTO policy_versions (binding_id, version, policy, created_at) VALUES
       ('00000000-0000-7000-8000-00000000000c', 1, '{\"unshown_tax\":\"infer\"}', '2026-01-05T10:00:00.000Z')",
];

/// The old codes, each with the one that it becomes and the status of a run with it.
pub const CODES: &[(&str, Code, &str)] = &[
    ("document_makes_no_sense", Code::InconsistentDocument, "failed"),
    ("unshown_tax", Code::TaxUndetermined, "waiting"),
    ("sage_garbage", Code::SageInvalidResponse, "retrying"),
    ("magento_garbage", Code::MagentoInvalidResponse, "failed"),
    ("excluded_by_person", Code::Excluded, "skipped_by_policy"),
];

/// A run with each of the old codes, numbered from 1.
pub fn runs() -> Vec<String> {
    let insert = |(place, (code, _, status)): (usize, &(&str, Code, &str))| {
        format!(
            "INSERT INTO runs (binding_id, id, organisation_id, event, magento_id, status, code, next_at, policy_version, website_id, store_id,
                occurred_at, created_at, updated_at) VALUES
               ('00000000-0000-7000-8000-00000000000c', '00000000-0000-7000-8000-0000000001{place:02}', '00000000-0000-7000-8000-000000000001',
                'invoice.created', {place}, '{status}', '{code}', '2026-01-05T10:00:00.000Z', 1, 1, 1, '2026-01-05T10:00:00.000Z',
                '2026-01-05T10:00:00.000Z', '2026-01-05T10:00:00.000Z')"
        )
    };
    CODES.iter().enumerate().map(insert).collect()
}

/// After the migration everything is read by its new name.
pub async fn names_are_new(store: &dyn Store) {
    let id = |last: u128| Uuid::from_u128(0x7000_8000_0000_0000_0000 | last);
    let (organisation, binding) = (OrganisationId(id(1)), BindingId(id(0xc)));
    let current = store.current_settings(binding).await.unwrap().unwrap();
    assert_eq!(current.settings.tax_undetermined, UndeterminedTax::Infer, "what somebody chose stays chosen");
    let page =
        store.page_runs(organisation, &PageRequest { limit: 50, ..PageRequest::default() }).await.unwrap();
    let codes: BTreeMap<i64, (RunId, Option<Code>, i64)> =
        page.runs.iter().map(|run| (run.magento_id, (run.id, run.code, run.settings_version))).collect();
    assert_eq!(codes.len(), CODES.len(), "every run can be read");
    for (place, (_, code, _)) in (0..).zip(CODES) {
        let (_, now, version) = codes[&place];
        assert_eq!((now, version), (Some(*code), 1));
    }
    let views = store.saved_views(MemberId(id(0xa))).await.unwrap();
    assert_eq!(views[0].query, "code=tax_undetermined");
}
