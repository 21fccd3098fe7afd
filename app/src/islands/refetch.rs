//! Asks the server again, one question at a time: what is asked while an answer is on its way is asked once more behind it.

use std::{pin::Pin, rc::Rc};

use leptos::{prelude::*, task::spawn_local};

/// Asks once. Of one type, whatever is asked: the loop below is written out for each type of a question.
type Question = Rc<dyn Fn() -> Pin<Box<dyn Future<Output = ()>>>>;

/// What is asked again whenever something has changed.
#[derive(Clone, Copy)]
pub struct Refetch {
    is_asking: StoredValue<bool>,
    is_behind: StoredValue<bool>,
}

impl Refetch {
    /// Nothing is on its way yet.
    pub fn new() -> Self {
        Self { is_asking: StoredValue::new(false), is_behind: StoredValue::new(false) }
    }

    /// Asks now, or behind the answer that is on its way.
    pub fn ask<F: Future<Output = ()> + 'static>(self, question: impl Fn() -> F + 'static) {
        self.ask_in_turn(Rc::new(move || Box::pin(question())));
    }

    fn ask_in_turn(self, question: Question) {
        if self.is_asking.get_value() {
            self.is_behind.set_value(true);
            return;
        }
        self.is_asking.set_value(true);
        spawn_local(async move {
            loop {
                self.is_behind.set_value(false);
                question().await;
                if !self.is_behind.get_value() {
                    break;
                }
            }
            self.is_asking.set_value(false);
        });
    }
}
