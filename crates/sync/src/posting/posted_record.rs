//! A record that is in Sage, and how it came to be there.

use domain::Decimal;
use messages::message;
use sage::FailedCall;
use store::Answer;

use crate::attempt::sage_answers;

/// A record that is in Sage.
pub struct PostedRecord {
    /// What Sage says of it.
    pub answer: Answer,
    /// How it came to be there.
    pub origin: Origin,
    /// Its total in the base currency, where Sage has just said so.
    pub base_total: Option<Decimal>,
    /// Whether it is a draft; none until somebody has looked.
    pub is_draft: Option<bool>,
}

/// How a record came to be in Sage.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This very attempt made it.
    Fresh,
    /// The same request was sent again: this attempt or one before it made it.
    Repeated,
    /// An earlier attempt made it, and heard so.
    Answered,
    /// It was found there, and may say something else than what would be sent today.
    Adopted,
}

impl PostedRecord {
    /// One of this origin, nothing else known.
    pub const fn of(answer: Answer, origin: Origin) -> Self {
        Self { answer, origin, base_total: None, is_draft: None }
    }
}

/// What Sage says of the record that it made, and its total in the base currency. A yes without an id is found again by its intent.
pub fn with_id(answered: sage::Answer) -> Result<(Answer, Option<Decimal>), sage::Error> {
    let base_total = sage_answers::amount_of(&answered.body["base_currency_total_amount"]);
    if let Some(answer) = sage_answers::answer_of(&answered.body) {
        return Ok((answer, base_total));
    }
    let sage::Answer { method, path, status, request_id, duration, .. } = answered;
    let failed_call = FailedCall {
        method,
        path,
        status: Some(status),
        request_id,
        duration,
        writes: true,
        messages: Vec::new(),
    };
    Err(sage::Error::InvalidResponse {
        what: message!(sage_answers.no_id),
        failed_call: Box::new(failed_call),
    })
}
