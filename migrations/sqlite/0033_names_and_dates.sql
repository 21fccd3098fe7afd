-- The day that a document bears in the books, as text that sorts like days.
ALTER TABLE runs ADD COLUMN document_date TEXT;

-- Customers are found by the beginning of their name, or of its last word: in small letters, without accents.
ALTER TABLE runs ADD COLUMN customer_folded TEXT;
ALTER TABLE runs ADD COLUMN customer_last TEXT; -- where the name has several words
UPDATE runs SET customer_folded = lower(customer) WHERE customer IS NOT NULL AND customer <> '';
UPDATE runs
   SET customer_last = replace(customer_folded, rtrim(customer_folded, replace(customer_folded, ' ', '')), '')
 WHERE customer_folded LIKE '% %';
CREATE INDEX runs_customer_folded ON runs (organisation_id, customer_folded, id) WHERE customer_folded IS NOT NULL;
CREATE INDEX runs_customer_last ON runs (organisation_id, customer_last, id) WHERE customer_last IS NOT NULL;
