-- What sums are shown in: the currency of a business's books and Sage's rates into it, without reading all of its lists.
ALTER TABLE reference_sets ADD COLUMN books text; -- JSON
UPDATE reference_sets
   SET books = json_build_object('country', body::json -> 'country', 'base_currency', body::json -> 'base_currency',
                                 'exchange_rates', coalesce(body::json -> 'exchange_rates', '{}'::json))::text;

-- What was posted since an instant is summed by the index alone.
DROP INDEX runs_succeeded;
CREATE INDEX runs_succeeded ON runs (organisation_id, finished_at) INCLUDE (event, binding_id, currency, amount_minor) WHERE status = 'succeeded';
