-- Settings were called a policy, and five codes bore names of our own. The glossary has the words.

ALTER TABLE policy_versions RENAME TO settings_versions;
ALTER TABLE settings_versions RENAME COLUMN policy TO settings;
ALTER TABLE runs RENAME COLUMN policy_version TO settings_version;
ALTER INDEX policy_versions_pkey RENAME TO settings_versions_pkey;
ALTER TABLE settings_versions RENAME CONSTRAINT policy_versions_binding_id_fkey TO settings_versions_binding_id_fkey;
ALTER INDEX runs_policy RENAME TO runs_settings;

UPDATE settings_versions SET settings = replace(settings, '"unshown_tax":', '"tax_undetermined":');

CREATE TABLE renamed_codes (was text NOT NULL PRIMARY KEY, becomes text NOT NULL);
INSERT INTO renamed_codes (was, becomes) VALUES
    ('document_makes_no_sense', 'inconsistent_document'), ('unshown_tax', 'tax_undetermined'), ('sage_garbage', 'sage_invalid_response'),
    ('magento_garbage', 'magento_invalid_response'), ('excluded_by_person', 'excluded');
UPDATE runs SET code = (SELECT becomes FROM renamed_codes WHERE was = code) WHERE code IN (SELECT was FROM renamed_codes);
UPDATE attempts SET code = (SELECT becomes FROM renamed_codes WHERE was = code) WHERE code IN (SELECT was FROM renamed_codes);
UPDATE rests SET code = (SELECT becomes FROM renamed_codes WHERE was = code) WHERE code IN (SELECT was FROM renamed_codes);
UPDATE backfills SET code = (SELECT becomes FROM renamed_codes WHERE was = code) WHERE code IN (SELECT was FROM renamed_codes);
UPDATE sync_state_deliveries SET skip_reason = 'excluded' WHERE skip_reason = 'excluded_by_person';
DROP TABLE renamed_codes;
-- A code within JSON stands as a whole string.
UPDATE run_plans SET plan = replace(replace(plan, '"document_makes_no_sense"', '"inconsistent_document"'), '"unshown_tax"', '"tax_undetermined"');
UPDATE alerts SET facts = replace(replace(replace(replace(facts, '"document_makes_no_sense"', '"inconsistent_document"'),
       '"unshown_tax"', '"tax_undetermined"'), '"sage_garbage"', '"sage_invalid_response"'), '"magento_garbage"', '"magento_invalid_response"');
UPDATE saved_views SET query = replace(replace(replace(replace(replace(query, 'document_makes_no_sense', 'inconsistent_document'),
       'unshown_tax', 'tax_undetermined'), 'sage_garbage', 'sage_invalid_response'), 'magento_garbage', 'magento_invalid_response'),
       'excluded_by_person', 'excluded');
