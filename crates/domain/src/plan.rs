//! The Plan: the Sage calls that a document becomes, as plain data, with the rule behind each choice and the sums that Sage
//! must answer. Preview, dry run, proof and audit are all the same Plan, looked at.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    code::Code,
    money::{Currency, amount},
    xref::XrefKey,
};

/// What is to be done with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The calls are made.
    Post,
    /// The settings say not to.
    Skip,
    /// It waits for a person or another document.
    Hold,
    /// It cannot be posted.
    Fail,
}

/// An HTTP method of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Create or release.
    Post,
    /// Update.
    Put,
    /// Remove or void.
    Delete,
}

/// How a record that may already be in Sage is found again: ask its list, compare exactly, take it only if it is the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Adopt {
    /// A contact: `GET /contacts?search={reference}`, its reference equal, and its e-mail address not another's.
    Contact {
        /// The exact reference.
        reference: String,
        /// The customer's e-mail address; a contact that bears another one is somebody else.
        email: Option<String>,
        /// References to step to, in order, when the first is another customer's or a deleted contact's.
        alternatives: Vec<String>,
        /// The currency that Sage has locked the contact to; one of another currency is not it. None in plans of older versions.
        #[serde(default)]
        currency: Option<Currency>,
    },
    /// A document: `GET {path}?search={reference}`, its reference, contact and total equal, not void.
    Document {
        /// The list, such as `/sales_invoices`.
        path: String,
        /// The exact reference.
        reference: String,
    },
    /// A product, service or stock item: `GET {path}?search={item_code}`, its item code equal.
    Item {
        /// The list, such as `/products`.
        path: String,
        /// The exact item code.
        item_code: String,
    },
    /// A payment: `GET /contact_payments?contact_id={contact}`, its reference and total equal.
    Payment {
        /// The exact reference.
        reference: String,
    },
}

/// How far the answer's total in the base currency may lie from [`Expect::base_total`], as a fraction of it: Sage adds up lines
/// that it converts and rounds one by one, but a rate that it turned round is out by far more than one in a hundred.
pub const BASE_TOTAL_TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// The sums that the answer must show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// `total_amount`.
    #[serde(with = "amount")]
    pub total: Decimal,
    /// `tax_amount`; none where the record has no tax of its own (payments).
    #[serde(default, with = "crate::money::optional_amount")]
    pub tax: Option<Decimal>,
    /// `base_currency_total_amount`, within [`BASE_TOTAL_TOLERANCE`]; none for a document in the base currency. It proves that
    /// Sage takes the exchange rate in the direction that it was sent in.
    #[serde(default, with = "crate::money::optional_amount")]
    pub base_total: Option<Decimal>,
}

/// One call to Sage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// Names the call's answer: a later body says `{name}` where the answer's id goes.
    pub name: String,
    /// HTTP method.
    pub method: Method,
    /// Path below the API's base, such as `/sales_invoices`; may hold `{name}`.
    pub path: String,
    /// The body with its wrapper and `idempotency_id`; null where there is none. Ids of earlier answers stand as `{name}`.
    pub body: Value,
    /// What Ledger remembers the answer's record as; none for calls that make nothing new (a release).
    pub xref: Option<XrefKey>,
    /// How the record is found if it may already be there.
    pub adopt: Option<Adopt>,
    /// The sums that the answer must show.
    pub expect: Option<Expect>,
    /// Whether this call releases a draft made before it, and so waits for the comparison.
    #[serde(default)]
    pub releases_draft: bool,
}

/// The sums that Sage will show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predicted {
    /// Total with tax.
    #[serde(with = "amount")]
    pub total: Decimal,
    /// Tax.
    #[serde(with = "amount")]
    pub tax: Decimal,
    /// Currency of both.
    pub currency: Currency,
    /// Tax by tax rate id, as decimal text.
    pub tax_by_rate: BTreeMap<String, String>,
    /// The boxes of the tax return that the posting moves, in the base currency, as decimal text: `1` and `6` of the British one, `T1`,
    /// `E1`, `ES1` and `VIES` of the Irish, `101`, `GST/HST`, `QST` and `PST` in Canada (docs/vat.md). Empty for a business that is not
    /// registered, and in plans of older versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub boxes: BTreeMap<String, String>,
}

/// What the sums of a refused document were held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SumSource {
    /// What its own lines, shipping and adjustments come to.
    Lines,
    /// What Sage would make of it.
    Sage,
}

/// Both sums of a document that was refused because they differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedSums {
    /// Magento's total.
    #[serde(with = "amount")]
    pub total: Decimal,
    /// The tax in it, where Magento says.
    #[serde(default, with = "crate::money::optional_amount")]
    pub tax: Option<Decimal>,
    /// The other total.
    #[serde(with = "amount")]
    pub other_total: Decimal,
    /// The tax in that.
    #[serde(with = "amount")]
    pub other_tax: Decimal,
    /// Whose those are.
    pub source: SumSource,
}

/// One way in which a document can be read whose tax nothing shows to the penny.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Total with tax.
    #[serde(with = "amount")]
    pub total: Decimal,
    /// The tax in it, which tells the readings of a document apart.
    #[serde(with = "amount")]
    pub tax: Decimal,
    /// What it takes for granted, for people.
    pub sentence: String,
}

/// One choice, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What was chosen for, such as `line 2 tax rate`.
    pub subject: String,
    /// What was chosen.
    pub chosen: String,
    /// By which rule, such as `tax_rate_map`.
    pub rule: String,
    /// From which input, such as `20.00`.
    pub input: String,
}

/// What is to be done with a document, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Post, skip, hold or fail.
    pub verdict: Verdict,
    /// Why it is not posted.
    pub code: Option<Code>,
    /// The same for a person, with the figures of this document.
    pub message: Option<String>,
    /// The calls, in order.
    pub calls: Vec<Call>,
    /// The sums that Sage will show.
    pub predicted: Option<Predicted>,
    /// Both sums, where they are why it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_sums: Option<RefusedSums>,
    /// The ways in which it can be read, where it is held for somebody to choose; the likeliest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub readings: Vec<Reading>,
    /// Each choice, and why.
    pub rules: Vec<Rule>,
    /// What was cut, coerced or found out, for a person.
    pub notes: Vec<String>,
}

impl Plan {
    /// A plan that posts nothing.
    pub fn without_calls(verdict: Verdict, code: Code, message: impl Into<String>) -> Self {
        Self {
            verdict,
            code: Some(code),
            message: Some(message.into()),
            calls: Vec::new(),
            predicted: None,
            refused_sums: None,
            readings: Vec::new(),
            rules: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Skipped by the settings.
    pub fn skip(code: Code) -> Self {
        Self::without_calls(Verdict::Skip, code, code.sentence())
    }

    /// Held, with what is missing.
    pub fn hold(code: Code, message: impl Into<String>) -> Self {
        Self::without_calls(Verdict::Hold, code, message)
    }

    /// Refused, with the figures.
    pub fn fail(code: Code, message: impl Into<String>) -> Self {
        Self::without_calls(Verdict::Fail, code, message)
    }
}
