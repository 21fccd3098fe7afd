-- How bindings fare, what members are told of it, by which channels, and what is on its way.

CREATE TABLE binding_health (
    binding_id      TEXT    NOT NULL PRIMARY KEY REFERENCES bindings (id),
    failed_in_a_row INTEGER NOT NULL,
    last_failed     TEXT, -- the run
    stage           TEXT    NOT NULL,
    since           TEXT    NOT NULL
) STRICT;

CREATE TABLE alerts (
    id              TEXT NOT NULL PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    binding_id      TEXT NOT NULL REFERENCES bindings (id),
    kind            TEXT NOT NULL,
    run_id          TEXT,
    facts           TEXT NOT NULL, -- JSON: ids, sums, codes
    at              TEXT NOT NULL
) STRICT;

CREATE INDEX alerts_organisation ON alerts (organisation_id, id);
CREATE INDEX alerts_at ON alerts (at);

CREATE TABLE alert_channels (
    id           TEXT    NOT NULL PRIMARY KEY,
    member_id    TEXT    NOT NULL REFERENCES members (id),
    kind         TEXT    NOT NULL,
    target       TEXT    NOT NULL, -- the e-mail address or the URL
    envelope     TEXT,             -- the secret that signs, sealed by the vault
    version      INTEGER NOT NULL,
    kinds        TEXT    NOT NULL, -- JSON: the kinds of alerts
    bindings     TEXT,             -- JSON: ids; none is all
    mode         TEXT    NOT NULL,
    code_hash    TEXT,             -- until it is confirmed
    code_until   TEXT,
    created_at   TEXT    NOT NULL,
    confirmed_at TEXT,
    last_ok_at   TEXT,
    last_error   TEXT,
    disabled_at  TEXT
) STRICT;

CREATE INDEX alert_channels_member ON alert_channels (member_id);

CREATE TABLE alert_deliveries (
    alert_id     TEXT    NOT NULL REFERENCES alerts (id),
    channel_id   TEXT    NOT NULL REFERENCES alert_channels (id),
    slot         TEXT    NOT NULL, -- when it was first due; a digest is all of one slot
    parcel       TEXT,             -- the first alert of its message, since the first try
    attempts     INTEGER NOT NULL,
    next_at      TEXT,             -- none when it has arrived or was given up
    lease_until  TEXT,
    delivered_at TEXT,
    last_error   TEXT,
    PRIMARY KEY (channel_id, alert_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX alert_deliveries_due ON alert_deliveries (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX alert_deliveries_alert ON alert_deliveries (alert_id);
