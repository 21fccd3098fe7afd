-- What several tasks and processes agree on: named leases, the tokens that were used, and a row to prove that writing works.

CREATE TABLE leases (
    name   TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until  TEXT NOT NULL
) STRICT;

CREATE TABLE seen_tokens (
    binding_id TEXT NOT NULL REFERENCES bindings (id),
    token_id   TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    PRIMARY KEY (binding_id, token_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX seen_tokens_expires_at ON seen_tokens (expires_at);

CREATE TABLE heartbeat (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    beats INTEGER NOT NULL
) STRICT;

INSERT INTO heartbeat (id, beats) VALUES (1, 0);
