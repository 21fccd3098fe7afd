-- What a run leaves outside: what it is about to make in Sage, what it has made there, and what Magento is to be told.

CREATE TABLE intents (
    binding_id     TEXT    NOT NULL REFERENCES bindings (id),
    business_id    TEXT    NOT NULL,
    kind           TEXT    NOT NULL,
    magento_key    TEXT    NOT NULL,
    generation     INTEGER NOT NULL,
    state          TEXT    NOT NULL, -- open, answered or refused
    idempotency_id TEXT    NOT NULL,
    body_digest    TEXT    NOT NULL,
    first_sent_at  TEXT    NOT NULL,
    sage_id        TEXT,
    displayed_as   TEXT,
    total_minor    INTEGER,
    tax_minor      INTEGER,
    updated_at     TEXT    NOT NULL,
    PRIMARY KEY (binding_id, business_id, kind, magento_key)
) STRICT;

CREATE TABLE xrefs (
    binding_id   TEXT NOT NULL REFERENCES bindings (id),
    business_id  TEXT NOT NULL,
    kind         TEXT NOT NULL,
    magento_key  TEXT NOT NULL,
    sage_id      TEXT NOT NULL,
    displayed_as TEXT,
    created_at   TEXT NOT NULL,
    PRIMARY KEY (binding_id, business_id, kind, magento_key)
) STRICT;

-- One row an entity. The lease belongs to the version that is on its way; a newer one (its attempts are 0) waits until that
-- has come home, because Magento overwrites without looking at times.
CREATE TABLE sync_state_deliveries (
    binding_id     TEXT    NOT NULL REFERENCES bindings (id),
    entity         TEXT    NOT NULL,
    magento_id     INTEGER NOT NULL,
    status         TEXT    NOT NULL,
    sage_id        TEXT,
    sage_reference TEXT,
    skip_reason    TEXT,
    error_code     TEXT,
    at             TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    attempts       INTEGER NOT NULL,
    next_at        TEXT, -- none when it has arrived or was given up
    lease_until    TEXT,
    delivered_at   TEXT,
    last_error     TEXT,
    PRIMARY KEY (binding_id, entity, magento_id)
) STRICT;

CREATE INDEX sync_state_deliveries_due ON sync_state_deliveries (next_at) WHERE next_at IS NOT NULL;
