-- The queue and the history at once: events, their runs, the attempts of a run and the steps of an attempt.

CREATE TABLE events (
    binding_id      TEXT    NOT NULL REFERENCES bindings (id),
    id              TEXT    NOT NULL,
    run_id          TEXT    NOT NULL, -- the run that answers for it
    event           TEXT    NOT NULL,
    happens_once    INTEGER NOT NULL, -- 0: the key names the entity and repeats at every save
    idempotency_key TEXT    NOT NULL,
    magento_id      INTEGER NOT NULL,
    increment_id    TEXT,
    website_id      INTEGER NOT NULL,
    store_id        INTEGER NOT NULL,
    body            TEXT    NOT NULL, -- byte for byte
    occurred_at     TEXT    NOT NULL,
    received_at     TEXT    NOT NULL,
    PRIMARY KEY (binding_id, id)
) STRICT;

CREATE UNIQUE INDEX events_once ON events (binding_id, event, idempotency_key) WHERE happens_once = 1;

CREATE TABLE runs (
    binding_id        TEXT    NOT NULL REFERENCES bindings (id),
    id                TEXT    NOT NULL PRIMARY KEY, -- alone: a fence names only the run
    event             TEXT    NOT NULL,
    magento_id        INTEGER NOT NULL,
    status            TEXT    NOT NULL,
    code              TEXT,
    message           TEXT,
    attempts          INTEGER NOT NULL DEFAULT 0, -- since it was queued or retried by a person
    attempts_in_all   INTEGER NOT NULL DEFAULT 0,
    attempt_id        TEXT,    -- the fence while it is running
    lease_until       TEXT,    -- while it is running
    lease_business    TEXT,    -- the Sage business that it writes to while it is running
    waits_for_invoice INTEGER, -- while it is waiting
    next_at           TEXT    NOT NULL,
    policy_version    INTEGER NOT NULL,
    increment_id      TEXT,
    customer          TEXT,
    currency          TEXT,
    amount_minor      INTEGER,
    tax_minor         INTEGER,
    sage_amount_minor INTEGER,
    sage_tax_minor    INTEGER,
    sage_id           TEXT,
    sage_reference    TEXT,
    website_id        INTEGER NOT NULL,
    store_id          INTEGER NOT NULL,
    occurred_at       TEXT    NOT NULL,
    created_at        TEXT    NOT NULL,
    updated_at        TEXT    NOT NULL,
    finished_at       TEXT
) STRICT;

-- The history, page by page, with its filters; by status also the oldest queued run of a binding for a claim.
CREATE INDEX runs_page ON runs (binding_id, id);
CREATE INDEX runs_status ON runs (binding_id, status, id);
CREATE INDEX runs_event ON runs (binding_id, event, id);
-- The newest run of an entity, and the run that an upsert folds into.
CREATE INDEX runs_entity ON runs (binding_id, magento_id, event, id);
-- Counts since an instant.
CREATE INDEX runs_finished ON runs (binding_id, finished_at) WHERE finished_at IS NOT NULL;
-- When the next claim can be. Two, because a partial index serves only what repeats its condition word for word.
CREATE INDEX runs_queued ON runs (binding_id, next_at) WHERE status = 'queued';
CREATE INDEX runs_retrying ON runs (binding_id, next_at) WHERE status = 'retrying';
-- Who writes to a business.
CREATE INDEX runs_running ON runs (lease_business, lease_until) WHERE status = 'running';
-- Who waits for an invoice.
CREATE INDEX runs_waiting ON runs (binding_id, waits_for_invoice) WHERE status = 'waiting';

CREATE TABLE attempts (
    binding_id TEXT    NOT NULL,
    run_id     TEXT    NOT NULL REFERENCES runs (id),
    number     INTEGER NOT NULL,
    id         TEXT    NOT NULL UNIQUE,
    worker     TEXT    NOT NULL,
    started_at TEXT    NOT NULL,
    ended_at   TEXT,
    outcome    TEXT, -- the status the run took, or `lost`
    code       TEXT,
    message    TEXT,
    PRIMARY KEY (binding_id, run_id, number)
) STRICT;

CREATE TABLE steps (
    binding_id     TEXT    NOT NULL,
    run_id         TEXT    NOT NULL,
    attempt_id     TEXT    NOT NULL REFERENCES attempts (id),
    position       INTEGER NOT NULL PRIMARY KEY, -- in the order of writing
    target         TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    method         TEXT    NOT NULL,
    path           TEXT    NOT NULL,
    status         INTEGER,
    request_id     TEXT,
    idempotency_id TEXT,
    summary        TEXT    NOT NULL,
    started_at     TEXT    NOT NULL,
    duration_ms    INTEGER NOT NULL
) STRICT;

CREATE INDEX steps_run ON steps (binding_id, run_id, started_at, position);
