-- Who signs in: organisations, their members, and the browsers that are signed in.

CREATE TABLE organisations (
    id         uuid        NOT NULL,
    name       text        NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT organisations_pkey PRIMARY KEY (id)
);

CREATE TABLE members (
    id              uuid        NOT NULL,
    organisation_id uuid        NOT NULL,
    email           text        NOT NULL, -- lower-cased
    name            text        NOT NULL,
    role            text        NOT NULL,
    password_hash   text        NOT NULL,
    created_at      timestamptz NOT NULL,
    CONSTRAINT members_pkey PRIMARY KEY (id),
    CONSTRAINT members_email_key UNIQUE (email),
    CONSTRAINT members_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES organisations (id)
);

CREATE TABLE sessions (
    token_hash text        NOT NULL,
    member_id  uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (token_hash),
    CONSTRAINT sessions_member_id_fkey FOREIGN KEY (member_id) REFERENCES members (id)
);

CREATE INDEX sessions_expires_at ON sessions (expires_at);
