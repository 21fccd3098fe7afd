-- What sums are shown in: the currency of a business's books and Sage's rates into it, without reading all of its lists.
ALTER TABLE reference_sets ADD COLUMN books TEXT; -- JSON
UPDATE reference_sets
   SET books = json_object('country', json_extract(body, '$.country'), 'base_currency', json_extract(body, '$.base_currency'),
                           'exchange_rates', json(coalesce(json_extract(body, '$.exchange_rates'), '{}')))
 WHERE json_valid(body);

-- What was posted since an instant is summed by the index alone.
DROP INDEX runs_succeeded;
CREATE INDEX runs_succeeded ON runs (organisation_id, finished_at, event, binding_id, currency, amount_minor) WHERE status = 'succeeded';
