-- What a binding is set up with: the binding itself, its sealed credentials, its settings, and the lists of its business.

CREATE TABLE bindings (
    id                TEXT NOT NULL PRIMARY KEY,
    organisation_id   TEXT NOT NULL REFERENCES organisations (id),
    name              TEXT NOT NULL,
    magento_url       TEXT NOT NULL,
    business_id       TEXT,
    business_name     TEXT,
    business_country  TEXT,
    status            TEXT NOT NULL,
    created_at        TEXT NOT NULL,
    status_changed_at TEXT NOT NULL,
    trusted_since     TEXT NOT NULL
) STRICT;

CREATE INDEX bindings_organisation ON bindings (organisation_id, id);

-- A deleted credential leaves its row without an envelope: versions must not start anew, or a late refresher that still
-- holds an old number could overwrite what a new connection has brought.
CREATE TABLE credentials (
    binding_id TEXT    NOT NULL REFERENCES bindings (id),
    kind       TEXT    NOT NULL,
    envelope   TEXT,
    version    INTEGER NOT NULL,
    updated_at TEXT    NOT NULL,
    PRIMARY KEY (binding_id, kind)
) STRICT;

-- JSON is kept as text: figures stay as they were written.
CREATE TABLE reference_sets (
    binding_id TEXT NOT NULL PRIMARY KEY REFERENCES bindings (id),
    body       TEXT NOT NULL,
    fetched_at TEXT NOT NULL
) STRICT;

CREATE TABLE policy_versions (
    binding_id TEXT    NOT NULL REFERENCES bindings (id),
    version    INTEGER NOT NULL,
    policy     TEXT    NOT NULL,
    author     TEXT,
    reason     TEXT,
    created_at TEXT    NOT NULL,
    PRIMARY KEY (binding_id, version)
) STRICT;
