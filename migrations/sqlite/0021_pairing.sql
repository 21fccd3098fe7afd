-- One shop per Sage business. Of shops that share one, the oldest that works keeps it; the others are to choose a business again,
-- and say why. Nothing is lost with that: cross-references are kept by business.

UPDATE bindings SET business_id = NULL, business_name = NULL, business_country = NULL, status = 'pending', refusal = 'business_shared'
 WHERE id IN (SELECT id FROM (
        SELECT id, row_number() OVER (PARTITION BY business_id ORDER BY status <> 'active', created_at, id) AS place
          FROM bindings WHERE status <> 'revoked' AND business_id IS NOT NULL)
      WHERE place > 1);

CREATE UNIQUE INDEX bindings_business ON bindings (business_id) WHERE status <> 'revoked';

-- What a shop did while it was not paired is looked for by its ids: one search a binding, the newest.
CREATE TABLE backfills (
    binding_id      TEXT    NOT NULL PRIMARY KEY REFERENCES bindings (id),
    begun_at        TEXT    NOT NULL, -- a search that was begun again is another one
    made_since      TEXT    NOT NULL, -- where no id is known: documents made before it are not looked for
    stage           TEXT    NOT NULL,
    next_invoice    INTEGER,          -- the next id; NULL: the first one made since then is to be found
    next_creditmemo INTEGER,
    below_invoice   INTEGER,          -- known open invoices below this id are still to be looked at; NULL: all
    misses          INTEGER NOT NULL, -- ids without a document, one after another
    looked_at       INTEGER NOT NULL, -- known open invoices
    found           INTEGER NOT NULL,
    queued          INTEGER NOT NULL,
    code            TEXT,             -- why it rests
    next_at         TEXT    NOT NULL,
    ended_at        TEXT
) STRICT;

CREATE INDEX backfills_open ON backfills (next_at) WHERE ended_at IS NULL;
