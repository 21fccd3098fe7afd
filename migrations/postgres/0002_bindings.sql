-- What a binding is set up with: the binding itself, its sealed credentials, its settings, and the lists of its business.

CREATE TABLE bindings (
    id                uuid        NOT NULL,
    organisation_id   uuid        NOT NULL,
    name              text        NOT NULL,
    magento_url       text        NOT NULL,
    business_id       text,
    business_name     text,
    business_country  text,
    status            text        NOT NULL,
    created_at        timestamptz NOT NULL,
    status_changed_at timestamptz NOT NULL,
    trusted_since     timestamptz NOT NULL,
    CONSTRAINT bindings_pkey PRIMARY KEY (id),
    CONSTRAINT bindings_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);

CREATE INDEX bindings_organisation ON bindings (organisation_id, id);

-- A deleted credential leaves its row with no envelope: versions must not start anew, or a late refresher that still
-- holds an old number could overwrite what a new connection has brought.
CREATE TABLE credentials (
    binding_id uuid        NOT NULL,
    kind       text        NOT NULL,
    envelope   text,
    version    bigint      NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT credentials_pkey PRIMARY KEY (binding_id, kind),
    CONSTRAINT credentials_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

-- JSON is kept as text: figures stay as they were written.
CREATE TABLE reference_sets (
    binding_id uuid        NOT NULL,
    body       text        NOT NULL,
    fetched_at timestamptz NOT NULL,
    CONSTRAINT reference_sets_pkey PRIMARY KEY (binding_id),
    CONSTRAINT reference_sets_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

CREATE TABLE policy_versions (
    binding_id uuid        NOT NULL,
    version    bigint      NOT NULL,
    policy     text        NOT NULL,
    author     uuid,
    reason     text,
    created_at timestamptz NOT NULL,
    CONSTRAINT policy_versions_pkey PRIMARY KEY (binding_id, version),
    CONSTRAINT policy_versions_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);
