-- Sage businesses and shops that do not answer rest: claims pass over them, and nothing of it is written in the runs.

CREATE TABLE rests (
    side  TEXT    NOT NULL, -- sage or magento
    id    TEXT    NOT NULL, -- Sage's id of the business, or the binding's
    code  TEXT    NOT NULL, -- why
    since TEXT    NOT NULL, -- of the first in a row
    until TEXT    NOT NULL,
    rests INTEGER NOT NULL, -- in a row
    PRIMARY KEY (side, id)
) STRICT, WITHOUT ROWID;

-- Settings were saved, and more runs wait for them than were let go on with the save.
ALTER TABLE bindings ADD COLUMN releases_held INTEGER NOT NULL DEFAULT 0;
CREATE INDEX bindings_releasing ON bindings (id) WHERE releases_held = 1;

-- What waits for its shop stays queued: the status of the shop says that it waits, and a change of it touches no runs.
UPDATE runs SET status = 'queued', code = NULL, message = NULL, cause = NULL
 WHERE status = 'waiting' AND code IN ('binding_pending', 'binding_paused', 'binding_needs_reauth', 'binding_revoked');
