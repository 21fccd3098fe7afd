//! The history, page by page.

use domain::ids::{OrganisationId, RunId};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use store::{Page, PageRequest, Result, Run, RunFilter, Seek};

use crate::{error::translate, runs::RunRow, sqlite::SqliteStore};

/// Which way a list runs from where it starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Older,
    Newer,
}

pub(crate) async fn page(
    store: &SqliteStore,
    organisation: OrganisationId,
    request: &PageRequest,
) -> Result<Page> {
    // One snapshot for the page and its neighbours.
    let mut transaction = store.readers.begin().await.map_err(translate)?;
    let history = History { organisation, filter: &request.filter };
    let (way, from) = match request.seek {
        Seek::Newest => (Way::Older, None),
        Seek::OlderThan(run) => (Way::Older, Some(run)),
        Seek::NewerThan(run) => (Way::Newer, Some(run)),
    };
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let mut runs = history.list(&mut transaction, way, from, i64::from(request.limit) + 1).await?;
    let goes_on = runs.len() > limit;
    runs.truncate(limit);
    // On the side it came from: beyond the page's edge, or, when the page is empty, the run it was to start from and beyond.
    let edge = runs.first().map(|run| run.id);
    let came_from = match (way, edge, from) {
        (_, None, None) | (Way::Older, Some(_), None) => false,
        (Way::Older, Some(edge), Some(_)) => history.has(&mut transaction, " AND x.id > ", edge).await?,
        (Way::Older, None, Some(from)) => history.has(&mut transaction, " AND x.id >= ", from).await?,
        (Way::Newer, Some(edge), _) => history.has(&mut transaction, " AND x.id < ", edge).await?,
        (Way::Newer, None, Some(from)) => history.has(&mut transaction, " AND x.id <= ", from).await?,
    };
    Ok(match way {
        Way::Older => Page { runs, has_newer: came_from, has_older: goes_on },
        Way::Newer => {
            runs.reverse();
            Page { runs, has_newer: goes_on, has_older: came_from }
        }
    })
}

/// The runs that a page is cut from.
struct History<'a> {
    organisation: OrganisationId,
    filter: &'a RunFilter,
}

impl History<'_> {
    /// So many runs from here on. Each binding gives its next ones from an index, and the nearest of all are kept: the cost
    /// grows with the organisation's bindings, not with its history.
    async fn list(
        &self,
        connection: &mut SqliteConnection,
        way: Way,
        from: Option<RunId>,
        limit: i64,
    ) -> Result<Vec<Run>> {
        let (beyond, order) = match way {
            Way::Older => (" AND x.id < ", " DESC LIMIT "),
            Way::Newer => (" AND x.id > ", " LIMIT "),
        };
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT r.* FROM bindings b CROSS JOIN runs r
              WHERE r.id IN (SELECT x.id FROM runs x WHERE x.binding_id = b.id",
        );
        self.push_filter(&mut query);
        if let Some(from) = from {
            query.push(beyond).push_bind(from.to_string());
        }
        query.push(" ORDER BY x.id").push(order).push_bind(limit).push(")");
        self.push_bindings(&mut query);
        query.push(" ORDER BY r.id").push(order).push_bind(limit);
        query
            .build_query_as::<RunRow>()
            .fetch_all(connection)
            .await
            .map_err(translate)?
            .into_iter()
            .map(Run::try_from)
            .collect()
    }

    /// Whether there is any run beyond this one.
    async fn has(&self, connection: &mut SqliteConnection, beyond: &str, run: RunId) -> Result<bool> {
        let mut query = QueryBuilder::<Sqlite>::new(
            "SELECT EXISTS (SELECT 1 FROM bindings b CROSS JOIN runs x WHERE x.binding_id = b.id",
        );
        self.push_filter(&mut query);
        query.push(beyond).push_bind(run.to_string());
        self.push_bindings(&mut query);
        query.push(")");
        query.build_query_scalar().fetch_one(connection).await.map_err(translate)
    }

    fn push_filter(&self, query: &mut QueryBuilder<Sqlite>) {
        if let Some(status) = self.filter.status {
            query.push(" AND x.status = ").push_bind(status.as_str());
        }
        if let Some(event) = self.filter.event {
            query.push(" AND x.event = ").push_bind(event.as_str());
        }
    }

    fn push_bindings(&self, query: &mut QueryBuilder<Sqlite>) {
        query.push(" AND b.organisation_id = ").push_bind(self.organisation.to_string());
        if let Some(binding) = self.filter.binding {
            query.push(" AND b.id = ").push_bind(binding.to_string());
        }
    }
}
