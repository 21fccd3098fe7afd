//! What is asked for, as the conditions of a query.

use sqlx::Postgres;
use store::{Find, Path, RunFilter};

use super::{List, Query};
use crate::error::clean;

/// So many runs at most match one part of what is looked for, the newest of them.
const PART: i64 = 500;

/// Which of a filter's bounds are asked for.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) lower: bool,
    pub(super) upper: bool,
}

impl Bounds {
    pub(super) const BOTH: Self = Self { lower: true, upper: true };
}

impl List<'_> {
    /// `runs WHERE ...`: the runs of a path, those of other organisations left out. Postgres finds the index itself.
    pub(super) fn push_runs(&self, query: &mut Query, path: Path, bounds: Bounds) {
        query.push("runs WHERE ");
        match path {
            Path::Binding | Path::BindingStatus | Path::Policy => self.push_binding(query),
            _ => {
                query.push("organisation_id = ").push_bind(self.organisation);
            }
        }
        let filter = self.filter;
        match path {
            Path::Status | Path::BindingStatus => self.push_status(query),
            Path::Event => self.push_event(query),
            Path::EventStatus => {
                self.push_event(query);
                self.push_status(query);
            }
            Path::Code => self.push_code(query),
            Path::Open => self.push_open(query),
            Path::Policy => {
                query.push(" AND policy_version = ").push_bind(filter.policy_version);
            }
            Path::Amount => self.push_amounts(query, bounds),
            Path::Find => self.push_find(query),
            Path::Received | Path::Number | Path::Binding => {}
        }
        if !matches!(path, Path::Amount | Path::Number | Path::Open | Path::Find) {
            self.push_dates(query, bounds);
        }
    }

    /// ` AND ...`: everything that is asked for.
    pub(super) fn push_filter(&self, query: &mut Query) {
        let filter = self.filter;
        query.push(" AND organisation_id = ").push_bind(self.organisation);
        if filter.binding.is_some() {
            query.push(" AND ");
            self.push_binding(query);
        }
        self.push_status(query);
        self.push_event(query);
        self.push_code(query);
        self.push_open(query);
        if let Some(version) = filter.policy_version {
            query.push(" AND policy_version = ").push_bind(version);
        }
        self.push_dates(query, Bounds::BOTH);
        self.push_amounts(query, Bounds::BOTH);
        if filter.find.is_some() {
            self.push_find(query);
        }
    }

    /// The binding, if it is the organisation's: or the walk along another's would tell where it stopped.
    fn push_binding(&self, query: &mut Query) {
        query.push("binding_id = (SELECT id FROM bindings WHERE id = ");
        query.push_bind(self.filter.binding.map(|binding| binding.0));
        query.push(" AND organisation_id = ").push_bind(self.organisation).push(")");
    }

    fn push_status(&self, query: &mut Query) {
        if let Some(status) = self.filter.status {
            query.push(" AND status = ").push_bind(status.as_str());
        }
    }

    fn push_event(&self, query: &mut Query) {
        if let Some(event) = self.filter.event {
            query.push(" AND event = ").push_bind(event.as_str());
        }
    }

    fn push_code(&self, query: &mut Query) {
        if let Some(code) = self.filter.code {
            query.push(" AND code = ").push_bind(code.as_str());
        }
    }

    fn push_open(&self, query: &mut Query) {
        let RunFilter { open, cause, .. } = self.filter;
        if *open || cause.is_some() {
            query.push(" AND status IN ('failed', 'waiting') AND resolved_by IS NULL");
        }
        if let Some(cause) = cause {
            query.push(" AND coalesce(cause, code) = ").push_bind(clean(cause));
        }
    }

    fn push_dates(&self, query: &mut Query, bounds: Bounds) {
        if let Some(lowest) = self.filter.lowest_id().filter(|_| bounds.lower) {
            query.push(" AND id >= ").push_bind(lowest.0);
        }
        if let Some(beyond) = self.filter.beyond_id().filter(|_| bounds.upper) {
            query.push(" AND id < ").push_bind(beyond.0);
        }
    }

    fn push_amounts(&self, query: &mut Query, bounds: Bounds) {
        if let Some(amount) = self.filter.at_least.filter(|_| bounds.lower) {
            query.push(" AND coalesce(amount_minor, 0) >= ").push_bind(amount);
        }
        if let Some(amount) = self.filter.at_most.filter(|_| bounds.upper) {
            query.push(" AND coalesce(amount_minor, 0) <= ").push_bind(amount);
        }
        // Left out where it says nothing: a walk along the amounts would have to look at each run for it.
        if self.filter.takes_nothing() {
            query.push(" AND amount_minor IS NOT NULL");
        }
    }

    /// Each part has an index of its own; together they are a few runs.
    fn push_find(&self, query: &mut Query) {
        let Some(find) = &self.filter.find else { return };
        let Find { numbers, magento_id, amount_minor, email_digest, sage_id, run } = find;
        query.push(" AND id IN (SELECT NULL::uuid");
        for number in numbers {
            self.push_part(query, "coalesce(increment_id, '') = ", clean(number));
            self.push_part(query, "sage_reference = ", clean(number));
        }
        if let Some(amount) = amount_minor {
            self.push_part(query, "amount_minor IS NOT NULL AND coalesce(amount_minor, 0) = ", *amount);
        }
        if let Some(digest) = email_digest {
            self.push_part(query, "email_digest = ", clean(digest));
        }
        if let Some(id) = sage_id {
            self.push_part(query, "sage_id = ", clean(id));
            query.push(" UNION ALL SELECT run_id FROM steps WHERE request_id = ").push_bind(clean(id));
        }
        if let Some(run) = run {
            query.push(" UNION ALL SELECT ").push_bind(run.0);
        }
        if let Some(id) = magento_id {
            query.push(
                " UNION ALL SELECT x.id FROM bindings b CROSS JOIN runs x WHERE x.binding_id = b.id AND b.organisation_id = ",
            );
            query.push_bind(self.organisation).push(" AND x.magento_id = ").push_bind(*id);
        }
        query.push(")");
    }

    /// The newest runs of which one thing is so.
    fn push_part<'q, T>(&self, query: &mut Query, condition: &str, value: T)
    where
        T: 'q + sqlx::Encode<'q, Postgres> + sqlx::Type<Postgres>,
    {
        query.push(" UNION ALL (SELECT id FROM runs WHERE organisation_id = ");
        query.push_bind(self.organisation).push(format!(" AND {condition}")).push_bind(value);
        query.push(" ORDER BY id DESC LIMIT ").push_bind(PART).push(")");
    }
}
