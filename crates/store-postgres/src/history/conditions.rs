//! What is asked for, as the conditions of a query.

use domain::{code::Code, run::RunStatus};
use store::{Find, Hit, Path, Reach, RunFilter, behind};
use store_sql::Text;
use uuid::Uuid;

use super::way::{Query, Way};

/// Which of the runs of a path are wanted.
#[derive(Clone, Copy)]
pub(super) struct Extent<'a> {
    /// Whether the lower bounds of the filter hold.
    pub(super) lower: bool,
    /// Whether its upper bounds hold.
    pub(super) upper: bool,
    /// From where on, and in which order, hits are looked for.
    pub(super) way: Option<&'a Way>,
    /// So many hits at most are looked for on each index. The first of all hits are among the first of each index.
    pub(super) hits: Option<i64>,
}

impl<'a> Extent<'a> {
    /// All of a path, and every hit.
    pub(super) const ALL: Self = Self { lower: true, upper: true, way: None, hits: None };

    /// What a walk looks at that ends after so many runs. Beyond where it starts, a bound that lies behind it narrows nothing, and a
    /// database may seek by it instead.
    pub(super) const fn walked(way: &'a Way, window: i64) -> Self {
        let behind = way.from.is_some();
        Self {
            lower: !behind || way.descending,
            upper: !behind || !way.descending,
            way: Some(way),
            hits: Some(window.saturating_add(1)),
        }
    }
}

/// The runs that pages are cut from.
pub(super) struct List<'a> {
    pub(super) organisation: Uuid,
    pub(super) filter: &'a RunFilter,
    pub(super) reach: Reach,
}

impl List<'_> {
    /// `runs WHERE ...`: the runs of a path, those of other organisations left out. Postgres finds the index itself.
    pub(super) fn push_runs(&self, query: &mut Query, path: Path, extent: Extent<'_>) {
        query.push("runs WHERE ");
        match path {
            Path::Binding | Path::BindingStatus | Path::Settings => self.push_binding(query),
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
            Path::Settings => {
                query.push(" AND settings_version = ").push_bind(filter.settings_version);
            }
            Path::Amount => self.push_amounts(query, extent),
            // An array, or Postgres might walk the history for them.
            Path::Find => {
                query.push(" AND id = ANY(ARRAY(");
                self.push_hits(query, extent);
                query.push("))");
            }
            Path::Received | Path::Number | Path::Binding => {}
        }
        if !matches!(path, Path::Amount | Path::Number | Path::Open | Path::Find) {
            self.push_dates(query, extent);
        }
    }

    /// ` AND ...`: everything that is asked for, of the runs of a path.
    pub(super) fn push_filter(&self, query: &mut Query, path: Path) {
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
        self.push_kinds(query);
        if let Some(version) = filter.settings_version {
            query.push(" AND settings_version = ").push_bind(version);
        }
        self.push_dates(query, Extent::ALL);
        self.push_amounts(query, Extent::ALL);
        if let Some(currency) = &filter.currency {
            query.push(" AND currency = ").push_bind(Text(currency.clone()));
        }
        if let Some(name) = &filter.customer {
            query.push(" AND (");
            push_hit(query, Hit::CustomerName(name.clone()));
            query.push(" OR ");
            push_hit(query, Hit::CustomerLastWord(name.clone()));
            query.push(")");
        }
        if path != Path::Find {
            self.push_find(query);
        }
    }

    fn push_kinds(&self, query: &mut Query) {
        if let Some(bulk) = self.filter.bulk {
            query
                .push(" AND id IN (SELECT run_id FROM actions WHERE bulk_retry_id = ")
                .push_bind(bulk.0)
                .push(")");
        }
        if self.filter.retryable {
            query.push(format!(" AND status IN ({})", quoted(RunStatus::RETRYABLE.map(RunStatus::as_str))));
        }
        if self.filter.without_switched_off {
            let codes = quoted(Code::SWITCHED_OFF.map(Code::as_str));
            query
                .push(format!(" AND NOT (status = 'skipped_by_policy' AND coalesce(code, '') IN ({codes}))"));
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
            query.push(" AND coalesce(cause, code) = ").push_bind(Text(cause.clone()));
        }
    }

    fn push_dates(&self, query: &mut Query, extent: Extent<'_>) {
        if let Some(lowest) = self.filter.lowest_id().filter(|_| extent.lower) {
            query.push(" AND id >= ").push_bind(lowest.0);
        }
        if let Some(beyond) = self.filter.beyond_id().filter(|_| extent.upper) {
            query.push(" AND id < ").push_bind(beyond.0);
        }
    }

    fn push_amounts(&self, query: &mut Query, extent: Extent<'_>) {
        if let Some(amount) = self.filter.at_least.filter(|_| extent.lower) {
            query.push(" AND coalesce(amount_minor, 0) >= ").push_bind(amount);
        }
        if let Some(amount) = self.filter.at_most.filter(|_| extent.upper) {
            query.push(" AND coalesce(amount_minor, 0) <= ").push_bind(amount);
        }
        // Left out where it says nothing: a walk along the amounts would have to look at each run for it.
        if self.filter.takes_nothing() {
            query.push(" AND amount_minor IS NOT NULL");
        }
    }

    /// `SELECT ...`: the ids of the hits, each part looked for on an index of its own, and a nothing.
    pub(super) fn push_hits(&self, query: &mut Query, extent: Extent<'_>) {
        query.push("SELECT NULL::uuid AS id");
        for hit in self.hits() {
            // A range in the order of ids: fenced, or Postgres might walk the history in that order for the few that fit.
            let is_range =
                matches!(hit, Hit::CustomerName(_) | Hit::CustomerLastWord(_) | Hit::AmountWithin(..));
            query.push(" UNION ALL (SELECT id FROM ").push(if is_range {
                "(SELECT * FROM runs WHERE "
            } else {
                "runs WHERE "
            });
            if matches!(hit, Hit::MagentoId(_)) {
                query.push("binding_id = ANY(ARRAY(SELECT id FROM bindings WHERE organisation_id = ");
                query.push_bind(self.organisation).push("))");
            } else {
                query.push("organisation_id = ").push_bind(self.organisation);
            }
            query.push(" AND ");
            push_hit(query, hit);
            query.push(if is_range { " OFFSET 0) runs WHERE true" } else { "" });
            self.push_dates(query, extent);
            if let Some(way) = extent.way {
                way.push_from(query);
                way.push_order(query);
            }
            if let Some(hits) = extent.hits {
                query.push(" LIMIT ").push_bind(hits);
            }
            query.push(")");
        }
    }

    /// ` AND ...`: that a run is a hit.
    fn push_find(&self, query: &mut Query) {
        if self.filter.find.is_none() {
            return;
        }
        query.push(" AND (false");
        for hit in self.hits() {
            query.push(" OR ");
            push_hit(query, hit);
        }
        query.push(")");
    }

    fn hits(&self) -> Vec<Hit> {
        self.filter.find.as_ref().map(Find::hits).unwrap_or_default()
    }
}

/// Words of ours as a list of SQL.
fn quoted<const N: usize>(words: [&str; N]) -> String {
    words.map(|word| format!("'{word}'")).join(", ")
}

/// That a run is a hit in this way.
fn push_hit(query: &mut Query, hit: Hit) {
    match hit {
        Hit::Number(text) => query.push("coalesce(increment_id, '') = ").push_bind(Text(text)),
        Hit::SageReference(text) => query.push("sage_reference = ").push_bind(Text(text)),
        Hit::Amount(minor) => query
            .push("(amount_minor IS NOT NULL AND coalesce(amount_minor, 0) = ")
            .push_bind(minor)
            .push(")"),
        Hit::AmountWithin(least, most) => {
            query.push("(amount_minor IS NOT NULL AND coalesce(amount_minor, 0) BETWEEN ").push_bind(least);
            query.push(" AND ").push_bind(most).push(")")
        }
        Hit::EmailDigest(digest) => query.push("email_digest = ").push_bind(Text(digest)),
        Hit::SageId(id) => query.push("sage_id = ").push_bind(Text(id)),
        Hit::Request(id) => {
            query.push("id IN (SELECT run_id FROM steps WHERE request_id = ").push_bind(Text(id)).push(")")
        }
        Hit::Run(run) => query.push("id = ").push_bind(run.0),
        Hit::MagentoId(id) => query.push("magento_id = ").push_bind(id),
        Hit::CustomerName(name) => push_beginning(query, "customer_folded", name),
        Hit::CustomerLastWord(name) => push_beginning(query, "customer_last", name),
    };
}

/// That a column begins like this, as a range that an index leads to.
fn push_beginning<'q>(query: &'q mut Query, column: &str, text: String) -> &'q mut Query {
    let end = behind(&text);
    query.push(format!("({column} >= ")).push_bind(Text(text));
    query.push(format!(" AND {column} < ")).push_bind(Text(end)).push(")")
}
