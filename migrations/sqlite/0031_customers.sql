-- A customer who changes the e-mail address is still the same customer.
ALTER TABLE runs ADD COLUMN customer_id INTEGER; -- Magento's
CREATE INDEX runs_customer ON runs (binding_id, customer_id) WHERE customer_id IS NOT NULL;
