-- What Magento told of the customer when the contact was written (fingerprints, as JSON). It stands beside Sage's answer, because
-- both are known at one moment, and the cross-reference only later.

ALTER TABLE intents ADD COLUMN told text;
