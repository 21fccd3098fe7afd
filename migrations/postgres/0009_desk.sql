-- The operator's desk: a history that is searched and sorted, what people do with it, and what they keep of it.

-- Known of the binding already; here, so that an index can lead with it.
ALTER TABLE runs ADD COLUMN organisation_id uuid;
UPDATE runs SET organisation_id = (SELECT b.organisation_id FROM bindings b WHERE b.id = runs.binding_id);
ALTER TABLE runs ALTER COLUMN organisation_id SET NOT NULL;
ALTER TABLE runs ADD COLUMN email_digest text;
ALTER TABLE runs ADD COLUMN started_at timestamptz; -- the newest attempt
ALTER TABLE runs ADD COLUMN cause text; -- while it is failed or waiting, where it is finer than the code
ALTER TABLE runs ADD COLUMN resolved_by uuid; -- a later run of the same document that succeeded
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
    id              uuid NOT NULL PRIMARY KEY, -- sorted by time
    organisation_id uuid NOT NULL REFERENCES organisations (id),
    binding_id      uuid,
    run_id          uuid,
    member_id       uuid, -- none: the command line, or Ledger itself
    actor           text NOT NULL, -- the name at that time
    action          text NOT NULL,
    detail          text NOT NULL,
    at              timestamptz NOT NULL
);

CREATE INDEX actions_organisation ON actions (organisation_id, id);
CREATE INDEX actions_run ON actions (run_id, id) WHERE run_id IS NOT NULL;

-- Documents that are not to be synced, on a person's word.
CREATE TABLE exclusions (
    binding_id uuid    NOT NULL REFERENCES bindings (id),
    entity     text    NOT NULL,
    magento_id bigint NOT NULL,
    reason     text    NOT NULL,
    actor      text    NOT NULL,
    created_at timestamptz    NOT NULL,
    PRIMARY KEY (binding_id, entity, magento_id)
);

-- Retries of many runs at once: the cursor moves with the runs that it has passed, in the same transaction.
CREATE TABLE bulk_retries (
    id              uuid    NOT NULL PRIMARY KEY,
    organisation_id uuid    NOT NULL REFERENCES organisations (id),
    member_id       uuid,
    actor           text    NOT NULL,
    query           text    NOT NULL, -- the list's address
    state           text    NOT NULL, -- running, done or cancelled
    expected        bigint NOT NULL,
    last_run        uuid    NOT NULL, -- the newest run that is meant
    filter          text    NOT NULL, -- the same as JSON
    cursor          uuid,             -- the newest run that was passed
    retried         bigint NOT NULL DEFAULT 0,
    passed_over     bigint NOT NULL DEFAULT 0,
    created_at      timestamptz    NOT NULL,
    ended_at        timestamptz
);

CREATE INDEX bulk_retries_organisation ON bulk_retries (organisation_id, id);
CREATE INDEX bulk_retries_running ON bulk_retries (id) WHERE state = 'running';

-- Views of the history that a member has given a name.
CREATE TABLE saved_views (
    member_id  uuid NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    name       text NOT NULL,
    query      text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (member_id, name)
);
