//! What the simulator holds.

use std::collections::VecDeque;

use axum::body::Bytes;
use chrono::{DateTime, Utc};

use super::{
    grants::Grants,
    late::Late,
    tables::{Business, Ids},
};

/// Everything, behind one lock.
pub(super) struct World {
    pub(super) ids: Ids,
    pub(super) grants: Grants,
    pub(super) businesses: Vec<Business>,
    pub(super) log: VecDeque<Logged>,
    /// What is still to be worked.
    pub(super) late: Vec<Late>,
}

impl World {
    pub(super) fn new(ids: Ids, businesses: Vec<Business>) -> Self {
        Self { businesses, ids, grants: Grants::default(), log: VecDeque::new(), late: Vec::new() }
    }

    /// The business named, or the lead business when none is.
    pub(super) fn business(&mut self, id: Option<&str>) -> Option<&mut Business> {
        match id {
            None => self.businesses.first_mut(),
            Some(id) => self.businesses.iter_mut().find(|business| business.id == id),
        }
    }
}

/// One request to the API or to the token host. Neither tokens nor secrets are kept.
#[derive(Default)]
pub(super) struct Logged {
    pub(super) at: DateTime<Utc>,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) business: Option<String>,
    pub(super) status: u16,
    pub(super) body: Bytes,
}
