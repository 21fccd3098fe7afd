-- From when on a binding's failed documents are counted: a document that failed since then already is no new failure.

ALTER TABLE binding_health ADD COLUMN counted_from timestamptz;
ALTER TABLE binding_health DROP COLUMN last_failed;
