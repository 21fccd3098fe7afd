-- The operator's desk: a history that is searched and sorted, what people do with it, and what they keep of it.

-- Known of the binding already; here, so that an index can lead with it.
ALTER TABLE runs ADD COLUMN organisation_id TEXT NOT NULL DEFAULT '';
UPDATE runs SET organisation_id = (SELECT b.organisation_id FROM bindings b WHERE b.id = runs.binding_id);
ALTER TABLE runs ADD COLUMN email_digest TEXT;
ALTER TABLE runs ADD COLUMN started_at TEXT; -- the newest attempt
ALTER TABLE runs ADD COLUMN cause TEXT; -- while it is failed or waiting, where it is finer than the code
ALTER TABLE runs ADD COLUMN resolved_by TEXT; -- a later run of the same document that succeeded
UPDATE runs SET started_at = (SELECT max(a.started_at) FROM attempts a WHERE a.binding_id = runs.binding_id AND a.run_id = runs.id);

-- The history of an organisation, by what is rare and in each order.
DROP INDEX runs_event;
CREATE INDEX runs_history ON runs (organisation_id, id);
CREATE INDEX runs_history_status ON runs (organisation_id, status, id);
CREATE INDEX runs_history_event ON runs (organisation_id, event, id);
CREATE INDEX runs_history_event_status ON runs (organisation_id, event, status, id);
CREATE INDEX runs_history_code ON runs (organisation_id, code, id) WHERE code IS NOT NULL;
CREATE INDEX runs_history_amount ON runs (organisation_id, coalesce(amount_minor, 0), id);
CREATE INDEX runs_history_number ON runs (organisation_id, coalesce(increment_id, ''), id);
-- What a person looks for with a paper in their hands.
CREATE INDEX runs_sage_reference ON runs (organisation_id, sage_reference) WHERE sage_reference IS NOT NULL;
CREATE INDEX runs_sage_id ON runs (organisation_id, sage_id) WHERE sage_id IS NOT NULL;
CREATE INDEX runs_email ON runs (organisation_id, email_digest) WHERE email_digest IS NOT NULL;
CREATE INDEX steps_request ON steps (request_id) WHERE request_id IS NOT NULL;
-- What is open, with all that its groups are counted from.
CREATE INDEX runs_causes ON runs (organisation_id, coalesce(cause, code), id, binding_id, status, code, currency, amount_minor)
    WHERE status IN ('failed', 'waiting') AND resolved_by IS NULL;

-- Who did what. Kept for ever.
CREATE TABLE actions (
    id              TEXT NOT NULL PRIMARY KEY, -- sorted by time
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    binding_id      TEXT,
    run_id          TEXT,
    member_id       TEXT, -- none: the command line, or Ledger itself
    actor           TEXT NOT NULL, -- the name at that time
    action          TEXT NOT NULL,
    detail          TEXT NOT NULL,
    at              TEXT NOT NULL
) STRICT;

CREATE INDEX actions_organisation ON actions (organisation_id, id);
CREATE INDEX actions_run ON actions (run_id, id) WHERE run_id IS NOT NULL;

-- Documents that are not to be synced, on a person's word.
CREATE TABLE exclusions (
    binding_id TEXT    NOT NULL REFERENCES bindings (id),
    entity     TEXT    NOT NULL,
    magento_id INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    actor      TEXT    NOT NULL,
    created_at TEXT    NOT NULL,
    PRIMARY KEY (binding_id, entity, magento_id)
) STRICT, WITHOUT ROWID;

-- Retries of many runs at once: the cursor moves with the runs that it has passed, in the same transaction.
CREATE TABLE bulk_retries (
    id              TEXT    NOT NULL PRIMARY KEY,
    organisation_id TEXT    NOT NULL REFERENCES organisations (id),
    member_id       TEXT,
    actor           TEXT    NOT NULL,
    query           TEXT    NOT NULL, -- the list's address
    state           TEXT    NOT NULL, -- running, done or cancelled
    expected        INTEGER NOT NULL,
    last_run        TEXT    NOT NULL, -- the newest run that is meant
    filter          TEXT    NOT NULL, -- the same as JSON
    cursor          TEXT,             -- the newest run that was passed
    retried         INTEGER NOT NULL DEFAULT 0,
    passed_over     INTEGER NOT NULL DEFAULT 0,
    created_at      TEXT    NOT NULL,
    ended_at        TEXT
) STRICT;

CREATE INDEX bulk_retries_organisation ON bulk_retries (organisation_id, id);
CREATE INDEX bulk_retries_running ON bulk_retries (id) WHERE state = 'running';

-- Views of the history that a member has given a name.
CREATE TABLE saved_views (
    member_id  TEXT NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    name       TEXT NOT NULL,
    query      TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (member_id, name)
) STRICT, WITHOUT ROWID;
