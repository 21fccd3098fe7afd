//! Idempotency ids: the same for every repeat of one create, another after Sage has refused it and somebody has fixed it.

use std::collections::BTreeMap;

use domain::{ids::BindingId, xref::XrefKey};
use sha2::{Digest, Sha256};

/// How often each record was refused by Sage and made again (missing = never).
pub type Generations = BTreeMap<XrefKey, u32>;

/// The `idempotency_id` of a create: 32 hex characters (Sage's guide on idempotency), derived from what the record is.
pub fn idempotency_id(binding: BindingId, business: &str, key: &XrefKey, generation: u32) -> String {
    let mut hash = Sha256::new();
    for part in
        [&binding.to_string(), business, &key.kind.to_string(), &key.magento_key, &generation.to_string()]
    {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex::encode(&hash.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::xref::XrefKind;

    #[test]
    fn an_id_is_stable_and_differs_by_every_part() {
        let binding: BindingId = "0190f5a2-7c1e-7a3b-9d4e-5f60718293a4".parse().unwrap();
        let key = |kind, id: &str| XrefKey { kind, magento_key: id.to_owned() };
        let id = idempotency_id(binding, "b1", &key(XrefKind::Invoice, "1"), 0);
        assert_eq!(id.len(), 32);
        assert_eq!(id, idempotency_id(binding, "b1", &key(XrefKind::Invoice, "1"), 0));
        for other in [
            idempotency_id(binding, "b2", &key(XrefKind::Invoice, "1"), 0),
            idempotency_id(binding, "b1", &key(XrefKind::Payment, "1"), 0),
            idempotency_id(binding, "b1", &key(XrefKind::Invoice, "2"), 0),
            idempotency_id(binding, "b1", &key(XrefKind::Invoice, "1"), 1),
        ] {
            assert_ne!(id, other);
        }
    }
}
