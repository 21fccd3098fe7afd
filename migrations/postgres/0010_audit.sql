-- What was sent and answered, and the newest attempt's Plan. Both are redacted before they come here.

ALTER TABLE steps ADD COLUMN request text, ADD COLUMN answer text; -- JSON, as it was redacted

CREATE TABLE run_plans (
    binding_id uuid        NOT NULL,
    run_id     uuid        NOT NULL,
    attempt_id uuid        NOT NULL,
    plan       text        NOT NULL, -- JSON, as it was redacted
    made_at    timestamptz NOT NULL,
    CONSTRAINT run_plans_pkey PRIMARY KEY (binding_id, run_id),
    CONSTRAINT run_plans_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);
