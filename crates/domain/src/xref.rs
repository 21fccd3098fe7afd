//! What a Magento entity is in Sage.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{money::Currency, run::EventName, words::UnknownWord};

/// What kind of Sage record a Magento entity became; a contact is one per currency, because Sage locks a contact to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum XrefKind {
    /// A sales invoice, by the invoice's Magento id.
    Invoice,
    /// A sales credit note, by the credit memo's Magento id.
    Creditmemo,
    /// A customer receipt, by the invoice's Magento id.
    Payment,
    /// A customer refund, by the credit memo's Magento id.
    Refund,
    /// The allocation of a credit note to its invoice, by the credit memo's Magento id.
    Allocation,
    /// A customer's contact in a currency, by the customer's Magento id, `guest:` and the SHA-256 of a guest's e-mail address, or
    /// `invoice:` and the invoice's Magento id for a guest without one.
    Contact(Currency),
    /// The contact that collects consumers' sales of a currency.
    ContactFallback(Currency),
    /// A product.
    Product,
    /// A service.
    Service,
    /// A stock item.
    StockItem,
    /// A movement of stock, by the product's Magento id, the run's time and what Sage held before it.
    StockMovement,
}

impl XrefKind {
    /// What an event that happens once makes in Sage; none for those that only bring news.
    pub const fn made_by(event: EventName) -> Option<Self> {
        match event {
            EventName::InvoiceCreated => Some(Self::Invoice),
            EventName::InvoicePaid => Some(Self::Payment),
            EventName::CreditmemoCreated => Some(Self::Creditmemo),
            EventName::CustomerUpserted | EventName::ProductUpserted => None,
        }
    }
}

impl fmt::Display for XrefKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invoice => f.write_str("invoice"),
            Self::Creditmemo => f.write_str("creditmemo"),
            Self::Payment => f.write_str("payment"),
            Self::Refund => f.write_str("refund"),
            Self::Allocation => f.write_str("allocation"),
            Self::Contact(currency) => write!(f, "contact:{currency}"),
            Self::ContactFallback(currency) => write!(f, "contact_fallback:{currency}"),
            Self::Product => f.write_str("product"),
            Self::Service => f.write_str("service"),
            Self::StockItem => f.write_str("stock_item"),
            Self::StockMovement => f.write_str("stock_movement"),
        }
    }
}

impl FromStr for XrefKind {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let unknown = || {
            UnknownWord {
            word: word.to_owned(),
            allowed: "invoice creditmemo payment refund allocation contact:GBP contact_fallback:GBP product service stock_item stock_movement".to_owned(),
        }
        };
        Ok(match word.split_once(':') {
            Some(("contact", currency)) => Self::Contact(currency.parse().map_err(|_| unknown())?),
            Some(("contact_fallback", currency)) => {
                Self::ContactFallback(currency.parse().map_err(|_| unknown())?)
            }
            Some(_) => return Err(unknown()),
            None => match word {
                "invoice" => Self::Invoice,
                "creditmemo" => Self::Creditmemo,
                "payment" => Self::Payment,
                "refund" => Self::Refund,
                "allocation" => Self::Allocation,
                "product" => Self::Product,
                "service" => Self::Service,
                "stock_item" => Self::StockItem,
                "stock_movement" => Self::StockMovement,
                _ => return Err(unknown()),
            },
        })
    }
}

impl Serialize for XrefKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for XrefKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Names one record of Sage from Magento's side; unique within a binding and a Sage business.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct XrefKey {
    /// What it became.
    pub kind: XrefKind,
    /// Magento's id as text; for a guest's contact `guest:` and the SHA-256 of the e-mail address, for the fallback contact its
    /// reference.
    pub magento_key: String,
}
