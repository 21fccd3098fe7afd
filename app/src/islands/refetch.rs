//! Asks the server again, one question at a time: of what is asked while an answer is on its way, the
//! newest is asked behind it.

use std::{pin::Pin, sync::Arc};

use leptos::{prelude::*, task::spawn_local};

/// Asks once. Of one type, whatever is asked: the loop below is written out for each type of a question.
type Question = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()>>> + Send + Sync>;

/// What is asked again whenever something has changed.
#[derive(Clone, Copy)]
pub struct Refetch {
    is_asking: StoredValue<bool>,
    /// The newest question that waits for the answer to another one.
    behind: StoredValue<Option<Question>>,
}

impl Refetch {
    /// Nothing is on its way yet.
    pub fn new() -> Self {
        Self { is_asking: StoredValue::new(false), behind: StoredValue::new(None) }
    }

    /// Asks now, or behind the answer that is on its way.
    pub fn ask<F: Future<Output = ()> + 'static>(self, question: impl Fn() -> F + Send + Sync + 'static) {
        self.ask_in_turn(Arc::new(move || Box::pin(question())));
    }

    fn ask_in_turn(self, question: Question) {
        if self.is_asking.get_value() {
            self.behind.set_value(Some(question));
            return;
        }
        self.is_asking.set_value(true);
        spawn_local(async move {
            let mut next = Some(question);
            while let Some(question) = next {
                question().await;
                next = self.behind.try_update_value(Option::take).flatten();
            }
            self.is_asking.set_value(false);
        });
    }
}
