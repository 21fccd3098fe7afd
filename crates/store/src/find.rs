//! What a person looks for in the history.

use domain::ids::RunId;
use serde::{Deserialize, Serialize};

/// What a person holds in their hands: a run matches when any of it matches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Find {
    /// Numbers as Magento or Sage shows them.
    pub numbers: Vec<String>,
    /// Magento's id of the document, customer or product.
    pub magento_id: Option<i64>,
    /// Magento's total, in minor units of two decimals.
    pub amount_minor: Option<i64>,
    /// Magento's total at least and at most, in minor units of two decimals: a sum whose pennies were not typed.
    pub amount_within: Option<(i64, i64)>,
    /// The digest of a customer's e-mail address: [`domain::email::digest`].
    pub email_digest: Option<String>,
    /// Sage's id of a record or of a request.
    pub sage_id: Option<String>,
    /// The run itself.
    pub run: Option<RunId>,
    /// The beginning of a customer's name or of its last word, folded ([`domain::text::folded`]).
    pub customer: Option<String>,
}

/// One way in which a run may be what a person looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hit {
    /// Its number in Magento.
    Number(String),
    /// Its number in Sage.
    SageReference(String),
    /// Magento's total, in minor units of two decimals.
    Amount(i64),
    /// Magento's total lies between these, in minor units of two decimals.
    AmountWithin(i64, i64),
    /// The digest of its customer's e-mail address.
    EmailDigest(String),
    /// Sage's id of its record.
    SageId(String),
    /// Sage's id of one of its requests.
    Request(String),
    /// Its own id.
    Run(RunId),
    /// Magento's id of what it is about.
    MagentoId(i64),
    /// Its customer's folded name begins like this.
    CustomerName(String),
    /// The last word of its customer's folded name begins like this.
    CustomerLastWord(String),
}

impl Find {
    /// All ways in which a run may be it; each has an index of its own.
    pub fn hits(&self) -> Vec<Hit> {
        let numbers = self
            .numbers
            .iter()
            .flat_map(|text| [Hit::Number(text.clone()), Hit::SageReference(text.clone())]);
        let ids = self.sage_id.iter().flat_map(|id| [Hit::SageId(id.clone()), Hit::Request(id.clone())]);
        let names = self
            .customer
            .iter()
            .flat_map(|text| [Hit::CustomerName(text.clone()), Hit::CustomerLastWord(text.clone())]);
        numbers
            .chain(self.amount_minor.map(Hit::Amount))
            .chain(self.amount_within.map(|(least, most)| Hit::AmountWithin(least, most)))
            .chain(self.email_digest.clone().map(Hit::EmailDigest))
            .chain(ids)
            .chain(self.run.map(Hit::Run))
            .chain(self.magento_id.map(Hit::MagentoId))
            .chain(names)
            .collect()
    }
}

/// What lies behind every text that begins like this one, compared by their bytes.
pub fn behind(beginning: &str) -> String {
    format!("{beginning}{}", char::MAX)
}
