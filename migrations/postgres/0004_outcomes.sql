-- What a run leaves outside: what it is about to make in Sage, what it has made there, and what Magento is to be told.

CREATE TABLE intents (
    binding_id     uuid        NOT NULL,
    business_id    text        NOT NULL,
    kind           text        NOT NULL,
    magento_key    text        NOT NULL,
    generation     bigint      NOT NULL,
    state          text        NOT NULL, -- open, answered or refused
    idempotency_id text        NOT NULL,
    body_digest    text        NOT NULL,
    first_sent_at  timestamptz NOT NULL,
    sage_id        text,
    displayed_as   text,
    total_minor    bigint,
    tax_minor      bigint,
    updated_at     timestamptz NOT NULL,
    CONSTRAINT intents_pkey PRIMARY KEY (binding_id, business_id, kind, magento_key),
    CONSTRAINT intents_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

CREATE TABLE xrefs (
    binding_id   uuid        NOT NULL,
    business_id  text        NOT NULL,
    kind         text        NOT NULL,
    magento_key  text        NOT NULL,
    sage_id      text        NOT NULL,
    displayed_as text,
    created_at   timestamptz NOT NULL,
    CONSTRAINT xrefs_pkey PRIMARY KEY (binding_id, business_id, kind, magento_key),
    CONSTRAINT xrefs_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

-- One row an entity. The lease belongs to the version that is on its way; a newer one waits until that has come home,
-- because Magento overwrites without looking at times.
CREATE TABLE sync_state_deliveries (
    binding_id     uuid        NOT NULL,
    entity         text        NOT NULL,
    magento_id     bigint      NOT NULL,
    status         text        NOT NULL,
    sage_id        text,
    sage_reference text,
    skip_reason    text,
    error_code     text,
    at             timestamptz NOT NULL,
    version        bigint      NOT NULL,
    attempts       integer     NOT NULL,
    next_at        timestamptz, -- none when it has arrived or was given up
    lease_until    timestamptz,
    leased_version bigint,
    delivered_at   timestamptz,
    last_error     text,
    CONSTRAINT sync_state_deliveries_pkey PRIMARY KEY (binding_id, entity, magento_id),
    CONSTRAINT sync_state_deliveries_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

CREATE INDEX sync_state_deliveries_due ON sync_state_deliveries (next_at) WHERE next_at IS NOT NULL;
