-- Whether another document holds a record that is found in Sage.
CREATE INDEX xrefs_sage ON xrefs (binding_id, business_id, sage_id);
CREATE INDEX intents_answered ON intents (binding_id, business_id, sage_id) WHERE state = 'answered';
