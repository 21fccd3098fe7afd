-- How bindings fare, what members are told of it, by which channels, and what is on its way.

CREATE TABLE binding_health (
    binding_id      uuid        NOT NULL,
    failed_in_a_row bigint      NOT NULL,
    last_failed     uuid, -- the run
    stage           text        NOT NULL,
    since           timestamptz NOT NULL,
    CONSTRAINT binding_health_pkey PRIMARY KEY (binding_id),
    CONSTRAINT binding_health_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

CREATE TABLE alerts (
    id              uuid        NOT NULL,
    organisation_id uuid        NOT NULL,
    binding_id      uuid        NOT NULL,
    kind            text        NOT NULL,
    run_id          uuid,
    facts           text        NOT NULL, -- JSON: ids, sums, codes
    at              timestamptz NOT NULL,
    CONSTRAINT alerts_pkey PRIMARY KEY (id),
    CONSTRAINT alerts_organisation_id_fkey FOREIGN KEY (organisation_id) REFERENCES organisations (id),
    CONSTRAINT alerts_binding_id_fkey FOREIGN KEY (binding_id) REFERENCES bindings (id)
);

CREATE INDEX alerts_organisation ON alerts (organisation_id, id);
CREATE INDEX alerts_at ON alerts (at);

CREATE TABLE alert_channels (
    id           uuid        NOT NULL,
    member_id    uuid        NOT NULL,
    kind         text        NOT NULL,
    target       text        NOT NULL, -- the e-mail address or the URL
    envelope     text,                 -- the secret that signs, sealed by the vault
    version      bigint      NOT NULL,
    kinds        text[]      NOT NULL, -- the kinds of alerts
    bindings     uuid[],               -- none is all
    mode         text        NOT NULL,
    code_hash    text,                 -- until it is confirmed
    code_until   timestamptz,
    created_at   timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_ok_at   timestamptz,
    last_error   text,
    disabled_at  timestamptz,
    CONSTRAINT alert_channels_pkey PRIMARY KEY (id),
    CONSTRAINT alert_channels_member_id_fkey FOREIGN KEY (member_id) REFERENCES members (id)
);

CREATE INDEX alert_channels_member ON alert_channels (member_id);

CREATE TABLE alert_deliveries (
    alert_id     uuid        NOT NULL,
    channel_id   uuid        NOT NULL,
    slot         timestamptz NOT NULL, -- when it was first due; a digest is all of one slot
    parcel       uuid,                 -- the first alert of its message, since the first try
    attempts     integer     NOT NULL,
    next_at      timestamptz,          -- none when it has arrived or was given up
    lease_until  timestamptz,
    delivered_at timestamptz,
    last_error   text,
    CONSTRAINT alert_deliveries_pkey PRIMARY KEY (channel_id, alert_id),
    CONSTRAINT alert_deliveries_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES alerts (id),
    CONSTRAINT alert_deliveries_channel_id_fkey FOREIGN KEY (channel_id) REFERENCES alert_channels (id)
);

CREATE INDEX alert_deliveries_due ON alert_deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alert_deliveries_alert ON alert_deliveries (alert_id);
