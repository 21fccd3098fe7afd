//! Businesses that are being connected by this process: how far each has come, and what went wrong. It is kept in memory; after a
//! restart, or in another process, nothing is known, and the page leads back to where the binding itself stands.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use domain::{business::ReferenceList, ids::BindingId};
use views::error::{AppError, ErrorCode};

/// How far the connecting of a business has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// This list is being fetched.
    Fetching(ReferenceList),
    /// It went wrong, and nothing was connected.
    Failed(ErrorCode),
}

/// What is under way, and what has failed and was not looked at yet.
#[derive(Default)]
pub struct Fetching(Mutex<HashMap<BindingId, Progress>>);

impl Fetching {
    /// Begins, unless it is under way already: a form that is sent twice starts once.
    pub fn begin(self: &Arc<Self>, binding: BindingId) -> Option<Underway> {
        let mut all = self.lock();
        if matches!(all.get(&binding), Some(Progress::Fetching(_))) {
            return None;
        }
        all.insert(binding, Progress::Fetching(ReferenceList::Business));
        Some(Underway { fetching: Arc::clone(self), binding })
    }

    /// How far it has come. A failure is told once.
    pub fn look(&self, binding: BindingId) -> Option<Progress> {
        let mut all = self.lock();
        match all.get(&binding) {
            Some(Progress::Failed(_)) => all.remove(&binding),
            other => other.copied(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<BindingId, Progress>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One business that is being connected. Dropped without an end, it has failed.
pub struct Underway {
    fetching: Arc<Fetching>,
    binding: BindingId,
}

impl Underway {
    /// Notes which list is being fetched now.
    pub fn reach(&self, list: ReferenceList) {
        self.fetching.lock().insert(self.binding, Progress::Fetching(list));
    }

    /// Ends it.
    pub fn end(self, result: Result<(), AppError>) {
        match result {
            Ok(()) => self.fetching.lock().remove(&self.binding),
            Err(error) => self.fetching.lock().insert(self.binding, Progress::Failed(error.code)),
        };
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if let Some(progress @ Progress::Fetching(_)) = self.fetching.lock().get_mut(&self.binding) {
            *progress = Progress::Failed(ErrorCode::Internal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_business_is_fetched_once_at_a_time_and_a_failure_is_told_once() {
        let (fetching, binding) = (Arc::new(Fetching::default()), BindingId::default());
        assert_eq!(fetching.look(binding), None);
        let underway = fetching.begin(binding).unwrap();
        assert!(fetching.begin(binding).is_none());
        underway.reach(ReferenceList::TaxRates);
        assert_eq!(fetching.look(binding), Some(Progress::Fetching(ReferenceList::TaxRates)));
        underway.end(Err(ErrorCode::SageTrouble.into()));
        assert_eq!(fetching.look(binding), Some(Progress::Failed(ErrorCode::SageTrouble)));
        assert_eq!(fetching.look(binding), None);
        fetching.begin(binding).unwrap().end(Ok(()));
        assert_eq!(fetching.look(binding), None);
    }

    #[test]
    fn what_broke_off_has_failed() {
        let (fetching, binding) = (Arc::new(Fetching::default()), BindingId::default());
        drop(fetching.begin(binding));
        assert_eq!(fetching.look(binding), Some(Progress::Failed(ErrorCode::Internal)));
    }
}
