//! When a create may leave for Sage: the law of ADR 4, in one place.
//!
//! A new request for a record goes out only if nothing that was asked for before can still make it. Whatever went out without a definite
//! answer is repeated as it was, under its own idempotency id, which Sage answers with the first result.

use chrono::{DateTime, TimeDelta, Utc};
use store::{Intent, IntentState};

/// Sage keeps an idempotency id for seven days (its guide on idempotency); a day is left for clocks and queues.
pub const REPEATABLE_FOR: TimeDelta = TimeDelta::days(6);

/// How long after it was sent a request without a definite answer may still be carried out: Sage's gateway gives up after a minute or
/// two, and what stands in a queue behind it is given an hour.
pub const MAY_LAND_FOR: TimeDelta = TimeDelta::hours(1);

/// How soon a young record that Sage does not show is looked for again.
pub const LOOKS_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(5);

/// When a record that Sage has made and does not show is looked for again; none where it has had the time to be shown, so that it is
/// gone.
pub fn not_shown_until(made_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let shown_by = made_at + MAY_LAND_FOR;
    (now < shown_by).then(|| shown_by.min(now + LOOKS_AGAIN_AFTER))
}

/// What is known of a create besides its intent.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownCreate {
    /// Whether Sage has been searched for the record in this attempt, and does not have it.
    pub is_searched: bool,
    /// Whether the record may be in Sage although this store has no intent of it: it is older than Sage's memory of idempotency ids,
    /// somebody may have entered it before Ledger was there, or it was seen there before.
    pub may_be_there: bool,
    /// Whether the request that went out is at hand, word for word.
    pub is_repeatable: bool,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Sage has made it: what it made is looked at.
    LookAt,
    /// The request that went out is sent again under its id.
    Repeat,
    /// Sage is searched before anything is sent.
    Search,
    /// Nothing may be sent before then: an earlier request may still land.
    RestUntil(DateTime<Utc>),
    /// Nothing that was asked for can still land, and Sage does not have it: another generation begins.
    BeginAgain,
    /// The request of today goes out.
    Send,
}

/// The next step of a create.
pub fn next(intent: Option<&Intent>, known: KnownCreate, now: DateTime<Utc>) -> Next {
    let Some(intent) = intent else { return first(0, known) };
    match (&intent.state, intent.unanswered_at) {
        (IntentState::Answered(_), _) => Next::LookAt,
        (IntentState::Refused, _) | (IntentState::Open, None) => first(intent.generation, known),
        (IntentState::Open, Some(_))
            if known.is_repeatable && now - intent.first_sent_at < REPEATABLE_FOR =>
        {
            Next::Repeat
        }
        (IntentState::Open, Some(_)) if !known.is_searched => Next::Search,
        (IntentState::Open, unanswered_at) => match may_land_until(unanswered_at, now) {
            Some(until) => Next::RestUntil(until),
            None => Next::BeginAgain,
        },
    }
}

/// The first request of a generation.
const fn first(generation: u32, known: KnownCreate) -> Next {
    if (generation > 0 || known.may_be_there) && !known.is_searched { Next::Search } else { Next::Send }
}

/// Until when a request that went out then may still land; none when that is over.
pub fn may_land_until(unanswered_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    unanswered_at.map(|sent| sent + MAY_LAND_FOR).filter(|until| *until > now)
}

/// Until when an update rests: one that says something else went out before and may still land, and Sage keeps what comes last.
pub fn update_rests_until(intent: &Intent, body_digest: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    may_land_until(intent.unanswered_at, now).filter(|_| intent.request.body_digest != body_digest)
}

#[cfg(test)]
mod tests {
    use store::{Answer, Request};

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn intent(state: IntentState, unanswered_at: Option<i64>) -> Intent {
        let request = Request {
            idempotency_id: "id".to_owned(),
            body_digest: "digest".to_owned(),
            reference: None,
            contact_id: None,
            sealed_call: None,
        };
        let unanswered_at = unanswered_at.map(at);
        Intent { generation: 0, request, first_sent_at: at(0), unanswered_at, is_withdrawn: false, state }
    }

    const NOTHING: KnownCreate =
        KnownCreate { is_searched: false, may_be_there: false, is_repeatable: false };
    const HOUR: i64 = 3_600;
    const DAY: i64 = 24 * HOUR;

    #[test]
    fn a_record_that_was_never_asked_for_is_sent_and_one_that_may_be_there_is_searched_for_first() {
        assert_eq!(next(None, NOTHING, at(0)), Next::Send);
        let old = KnownCreate { may_be_there: true, ..NOTHING };
        assert_eq!(next(None, old, at(0)), Next::Search);
        assert_eq!(next(None, KnownCreate { is_searched: true, ..old }, at(0)), Next::Send);
    }

    #[test]
    fn after_a_refusal_sage_is_searched_before_anything_is_sent() {
        let refused = Intent { generation: 1, ..intent(IntentState::Refused, None) };
        assert_eq!(next(Some(&refused), NOTHING, at(9 * DAY)), Next::Search);
        let searched = KnownCreate { is_searched: true, ..NOTHING };
        assert_eq!(next(Some(&refused), searched, at(9 * DAY)), Next::Send);
    }

    #[test]
    fn what_may_have_reached_sage_is_repeated_word_for_word_while_sage_remembers_it() {
        let open = intent(IntentState::Open, Some(0));
        let kept = KnownCreate { is_repeatable: true, ..NOTHING };
        assert_eq!(next(Some(&open), kept, at(15)), Next::Repeat);
        assert_eq!(next(Some(&open), kept, at(6 * DAY)), Next::Search);
        assert_eq!(next(Some(&open), NOTHING, at(15)), Next::Search);
    }

    #[test]
    fn an_empty_search_begins_nothing_while_a_request_may_still_land() {
        let open = intent(IntentState::Open, Some(0));
        let searched = KnownCreate { is_searched: true, ..NOTHING };
        assert_eq!(next(Some(&open), searched, at(400)), Next::RestUntil(at(HOUR)));
        assert_eq!(next(Some(&open), searched, at(HOUR)), Next::BeginAgain);
        let repeated_late = intent(IntentState::Open, Some(6 * DAY));
        assert_eq!(
            next(Some(&repeated_late), searched, at(6 * DAY + 1)),
            Next::RestUntil(at(6 * DAY + HOUR))
        );
    }

    #[test]
    fn what_sage_has_definitely_not_done_may_be_sent_as_it_is_today() {
        let settled = intent(IntentState::Open, None);
        assert_eq!(next(Some(&settled), KnownCreate { is_repeatable: true, ..NOTHING }, at(15)), Next::Send);
    }

    #[test]
    fn an_update_waits_only_for_one_that_says_something_else_and_may_still_land() {
        let updated = intent(IntentState::Open, Some(0));
        assert_eq!(update_rests_until(&updated, "another", at(400)), Some(at(HOUR)));
        assert_eq!(update_rests_until(&updated, "digest", at(400)), None);
        assert_eq!(update_rests_until(&updated, "another", at(HOUR)), None);
        assert_eq!(update_rests_until(&intent(IntentState::Open, None), "another", at(400)), None);
    }

    #[test]
    fn what_sage_has_made_is_looked_at() {
        let answer =
            Answer { sage_id: "1".to_owned(), displayed_as: None, total_minor: None, tax_minor: None };
        let answered = intent(IntentState::Answered(answer), None);
        assert_eq!(next(Some(&answered), NOTHING, at(0)), Next::LookAt);
    }
}
