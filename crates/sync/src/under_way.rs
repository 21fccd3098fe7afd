//! What the worker is doing at this moment, for the last words of a process.

use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering},
};

/// What can be under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkKind {
    /// A run.
    Run,
    /// A sync state on its way to a shop.
    SyncState,
    /// An alert by e-mail.
    EmailMessage,
    /// An alert to a webhook.
    Webhook,
}

/// One and many of each, in the order of [`UnderWay`].
const WORDS: [(&str, &str); 4] = [
    ("run", "runs"),
    ("sync state", "sync states"),
    ("e-mail", "e-mails"),
    ("webhook call", "webhook calls"),
];

/// How much of each is under way in this process.
#[derive(Debug, Default)]
pub struct UnderWay([AtomicUsize; 4]);

/// Something that is under way until this is dropped.
pub(crate) struct Begun<'a>(&'a AtomicUsize);

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl UnderWay {
    /// Counts it until what is returned is dropped.
    pub(crate) fn begin(&self, work: WorkKind) -> Begun<'_> {
        let [run, state, email_message, webhook] = &self.0;
        let count = match work {
            WorkKind::Run => run,
            WorkKind::SyncState => state,
            WorkKind::EmailMessage => email_message,
            WorkKind::Webhook => webhook,
        };
        count.fetch_add(1, Ordering::Relaxed);
        Begun(count)
    }
}

/// Such as "1 run and 2 e-mails"; "nothing" when there is nothing.
impl fmt::Display for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.iter().map(|count| count.load(Ordering::Relaxed));
        let words = counts.zip(WORDS).filter(|(count, _)| *count > 0);
        let words: Vec<_> = words
            .map(|(count, (one, many))| format!("{count} {}", if count == 1 { one } else { many }))
            .collect();
        match words.split_last() {
            None => f.write_str("nothing"),
            Some((last, [])) => f.write_str(last),
            Some((last, before)) => write!(f, "{} and {last}", before.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_named() {
        let under_way = UnderWay::default();
        assert_eq!(under_way.to_string(), "nothing");
        let run = under_way.begin(WorkKind::Run);
        let _letters = [under_way.begin(WorkKind::EmailMessage), under_way.begin(WorkKind::EmailMessage)];
        assert_eq!(under_way.to_string(), "1 run and 2 e-mails");
        let _state = under_way.begin(WorkKind::SyncState);
        assert_eq!(under_way.to_string(), "1 run, 1 sync state and 2 e-mails");
        drop(run);
        assert_eq!(under_way.to_string(), "1 sync state and 2 e-mails");
    }
}
