-- What several processes agree on: named leases, the tokens that were used, and whether the database can be written.

CREATE TABLE leases (
    name   text        NOT NULL,
    holder text        NOT NULL,
    until  timestamptz NOT NULL,
    CONSTRAINT leases_pkey PRIMARY KEY (name)
);

CREATE TABLE seen_tokens (
    binding_id uuid        NOT NULL,
    token_id   text        NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT seen_tokens_pkey PRIMARY KEY (binding_id, token_id),
    CONSTRAINT seen_tokens_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

CREATE INDEX seen_tokens_expires_at ON seen_tokens (expires_at);

-- One row that is written to prove that the database can be.
CREATE TABLE heartbeat (
    id    integer NOT NULL,
    beats bigint  NOT NULL,
    CONSTRAINT heartbeat_pkey PRIMARY KEY (id),
    CONSTRAINT heartbeat_one_row CHECK (id = 1)
);

INSERT INTO heartbeat (id, beats) VALUES (1, 0);
