-- The queue and the history at once: events, their runs, the attempts of a run and the steps of an attempt.
-- Keys lead with the binding, so that the tables can be spread over machines by it.

CREATE TABLE events (
    binding_id      uuid        NOT NULL,
    id              uuid        NOT NULL,
    run_id          uuid        NOT NULL, -- the run that answers for it
    event           text        NOT NULL,
    happens_once    boolean     NOT NULL, -- false: the key names the entity and repeats at every save
    idempotency_key text        NOT NULL,
    magento_id      bigint      NOT NULL,
    increment_id    text,
    website_id      bigint      NOT NULL,
    store_id        bigint      NOT NULL,
    body            text        NOT NULL, -- byte for byte
    occurred_at     timestamptz NOT NULL,
    received_at     timestamptz NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (binding_id, id),
    CONSTRAINT events_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

CREATE UNIQUE INDEX events_once ON events (binding_id, event, idempotency_key) WHERE happens_once;

CREATE TABLE runs (
    binding_id        uuid        NOT NULL,
    id                uuid        NOT NULL,
    event             text        NOT NULL,
    magento_id        bigint      NOT NULL,
    status            text        NOT NULL,
    code              text,
    message           text,
    attempts          integer     NOT NULL DEFAULT 0, -- since it was queued or retried by a person
    attempts_in_all   integer     NOT NULL DEFAULT 0,
    attempt_id        uuid,                           -- the fence while it is running
    lease_until       timestamptz,                    -- while it is running
    waits_for_invoice bigint,                         -- while it is waiting
    next_at           timestamptz NOT NULL,
    policy_version    bigint      NOT NULL,
    increment_id      text,
    customer          text,
    currency          text,
    amount_minor      bigint,
    tax_minor         bigint,
    sage_amount_minor bigint,
    sage_tax_minor    bigint,
    sage_id           text,
    sage_reference    text,
    website_id        bigint      NOT NULL,
    store_id          bigint      NOT NULL,
    occurred_at       timestamptz NOT NULL,
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    finished_at       timestamptz,
    CONSTRAINT runs_pkey PRIMARY KEY (binding_id, id),
    CONSTRAINT runs_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

-- A fence names the run alone.
CREATE INDEX runs_id ON runs (id);
-- A claim looks for the oldest run of each binding that has open ones.
CREATE INDEX runs_open ON runs (binding_id, id) WHERE status IN ('queued', 'retrying', 'running');
-- When the next claim can be.
CREATE INDEX runs_due ON runs (binding_id, next_at) WHERE status IN ('queued', 'retrying');
-- The history by its filters.
CREATE INDEX runs_status ON runs (binding_id, status, id);
CREATE INDEX runs_event ON runs (binding_id, event, id);
-- The newest run of an entity, and the run that an upsert folds into.
CREATE INDEX runs_entity ON runs (binding_id, magento_id, event, id);
-- Counts since an instant.
CREATE INDEX runs_finished ON runs (binding_id, finished_at) WHERE finished_at IS NOT NULL;
-- Who waits for an invoice.
CREATE INDEX runs_waiting ON runs (binding_id, waits_for_invoice) WHERE status = 'waiting';

-- One writer per Sage business: the row is the right to write, and its key makes two claims at the same moment meet.
CREATE TABLE business_leases (
    business_id text        NOT NULL,
    binding_id  uuid        NOT NULL,
    run_id      uuid        NOT NULL,
    attempt_id  uuid        NOT NULL,
    lease_until timestamptz NOT NULL,
    CONSTRAINT business_leases_pkey PRIMARY KEY (business_id)
);

CREATE INDEX business_leases_attempt ON business_leases (attempt_id);

CREATE TABLE attempts (
    binding_id uuid        NOT NULL,
    run_id     uuid        NOT NULL,
    number     integer     NOT NULL,
    id         uuid        NOT NULL,
    worker     text        NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    outcome    text, -- the status the run took, or `lost`
    code       text,
    message    text,
    CONSTRAINT attempts_pkey PRIMARY KEY (binding_id, run_id, number)
);

CREATE TABLE steps (
    binding_id     uuid        NOT NULL,
    run_id         uuid        NOT NULL,
    attempt_id     uuid        NOT NULL,
    position       bigint      NOT NULL,
    target         text        NOT NULL,
    name           text        NOT NULL,
    method         text        NOT NULL,
    path           text        NOT NULL,
    status         integer,
    request_id     text,
    idempotency_id text,
    summary        text        NOT NULL,
    started_at     timestamptz NOT NULL,
    duration_ms    bigint      NOT NULL,
    CONSTRAINT steps_pkey PRIMARY KEY (binding_id, run_id, attempt_id, position)
);
