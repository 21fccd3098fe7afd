-- The newest of what a person looks for, without sorting all of it.
DROP INDEX runs_sage_reference;
DROP INDEX runs_sage_id;
DROP INDEX runs_email;
CREATE INDEX runs_sage_reference ON runs (organisation_id, sage_reference, id) WHERE sage_reference IS NOT NULL;
CREATE INDEX runs_sage_id ON runs (organisation_id, sage_id, id) WHERE sage_id IS NOT NULL;
CREATE INDEX runs_email ON runs (organisation_id, email_digest, id) WHERE email_digest IS NOT NULL;

-- SQLite seeks by a pair of values only where both are columns: a deep page among equals would be walked to otherwise.
DROP INDEX runs_history_amount;
DROP INDEX runs_history_number;
ALTER TABLE runs ADD COLUMN sort_amount INTEGER GENERATED ALWAYS AS (coalesce(amount_minor, 0)) VIRTUAL;
ALTER TABLE runs ADD COLUMN sort_number TEXT GENERATED ALWAYS AS (coalesce(increment_id, '')) VIRTUAL;
-- With what most filters look at, so that a walk needs no look at the runs themselves.
CREATE INDEX runs_history_amount ON runs (organisation_id, sort_amount, id, status, event, binding_id);
CREATE INDEX runs_history_number ON runs (organisation_id, sort_number, id, status, event, binding_id);
