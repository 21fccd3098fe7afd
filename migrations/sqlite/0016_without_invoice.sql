-- A run that was skipped because its invoice was keeps the invoice's id, and goes on when the invoice is synced after all.

DROP INDEX runs_waiting;
CREATE INDEX runs_by_invoice ON runs (binding_id, waits_for_invoice) WHERE waits_for_invoice IS NOT NULL;
