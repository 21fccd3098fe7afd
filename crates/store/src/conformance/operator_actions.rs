//! What people do with runs: exclude a document and take it back, retry many at once; what they did, and the views that they keep.

use std::sync::Arc;

use chrono::TimeDelta;
use domain::{
    code::Code,
    environment::Environment,
    ids::{ActionId, BindingId, BulkRetryId, MemberId, OrganisationId, PersonId, RunId},
    run::{
        ActionKind, BindingStatus, BulkState, EntityKind,
        EventName::{CustomerUpserted, InvoiceCreated, InvoicePaid},
        Role, RunStatus,
    },
    xref::{XrefKey, XrefKind},
};

use super::world::{World, assert_conflict, assert_not_found, failed, fence, request, skipped, waiting_for};
use crate::{
    Action, ActionFilter, Actor, Advance, BulkRetry, Claimed, Draft, FEED, IntentKey, Member, NewMember,
    Outcome, RunFilter, SavedView, Store, Targets,
};

impl World {
    /// Somebody has done this.
    pub(super) fn action(
        &self,
        organisation_id: OrganisationId,
        run_id: Option<RunId>,
        kind: ActionKind,
    ) -> Action {
        Action {
            id: ActionId(self.id()),
            organisation_id,
            binding_id: Some(self.binding),
            run_id,
            actor: Actor { member: Some(MemberId(self.id())), name: "Ada".to_owned() },
            kind,
            detail: "a test order".to_owned(),
            at: self.now(),
        }
    }

    async fn exclude(&self, run: RunId) -> crate::Result<()> {
        let action = self.action(self.organisation, Some(run), ActionKind::Excluded);
        self.store.exclude_document(run, &action).await
    }

    pub(super) async fn bulk(&self, filter: RunFilter, last_run: RunId) -> BulkRetry {
        let action = self.action(self.organisation, None, ActionKind::BulkRetryBegun);
        let bulk = BulkRetry {
            id: BulkRetryId(self.id()),
            organisation_id: self.organisation,
            actor: action.actor.clone(),
            filter,
            query: "status=failed".to_owned(),
            state: BulkState::Running,
            expected: 7,
            last_run,
            retried: 0,
            passed_over: 0,
            created_at: self.now(),
            ended_at: None,
        };
        self.store.begin_bulk_retry(&bulk, &action).await.unwrap();
        bulk
    }

    pub(super) async fn advance(&self, bulk: &BulkRetry) -> Advance {
        self.store.advance_bulk_retry(bulk.id, self).await.unwrap()
    }

    /// A claimed run fails, which is never reason enough to pause its binding.
    async fn fail(&self, claimed: &Claimed) {
        let mut end = self.end(claimed, failed());
        end.thresholds.pause = 0;
        self.store.finish_run(&end).await.unwrap();
    }

    /// So many runs that failed, the last of which is told.
    async fn fail_many(&self, count: i64) -> RunId {
        let mut last = None;
        for number in 0..count {
            last = Some(self.receive(CustomerUpserted, number).await);
            let claimed = self.claim().await;
            self.fail(&claimed).await;
        }
        last.unwrap()
    }

    async fn told(&self, bulk: &BulkRetry) -> (BulkState, i64, i64) {
        let bulk = self.store.bulk_retry(self.organisation, bulk.id).await.unwrap().unwrap();
        (bulk.state, bulk.retried, bulk.passed_over)
    }
}

/// Newest first, page by page, and by run; only to their organisation.
pub async fn actions_are_kept_and_told(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let run = world.receive(InvoiceCreated, 1).await;
    let stranger = world.add_organisation("Second").await;
    let first = world.action(world.organisation, Some(run), ActionKind::Retried);
    let second =
        Action { detail: String::new(), ..world.action(world.organisation, None, ActionKind::Paused) };
    let theirs = world.action(stranger, Some(run), ActionKind::Retried);
    for action in [&first, &second, &theirs] {
        world.store.record_action(action).await.unwrap();
    }
    assert_eq!(
        world.store.actions_of_run(world.organisation, run).await.unwrap(),
        std::slice::from_ref(&first)
    );
    let any = ActionFilter::default();
    let list = |before, limit| world.store.list_actions(world.organisation, &any, before, limit);
    assert_eq!(list(None, 9).await.unwrap(), [second.clone(), first.clone()]);
    assert_eq!(list(Some(second.id), 9).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(list(None, 1).await.unwrap(), std::slice::from_ref(&second));
    let of = async |filter: ActionFilter| {
        world.store.list_actions(world.organisation, &filter, None, 9).await.unwrap()
    };
    assert_eq!(
        of(ActionFilter { kind: Some(ActionKind::Paused), ..any.clone() }).await,
        std::slice::from_ref(&second)
    );
    assert_eq!(of(ActionFilter { kind: Some(ActionKind::Resumed), ..any.clone() }).await, []);
    let (ada, bob) = (first.actor.member, second.actor.member);
    let (own, other) = (Some(world.binding), Some(BindingId(world.id())));
    assert_eq!(of(ActionFilter { binding: own, ..any.clone() }).await, [second.clone(), first.clone()]);
    assert_eq!(of(ActionFilter { binding: other, ..any.clone() }).await, []);
    assert_eq!(of(ActionFilter { member: ada, ..any.clone() }).await, [first]);
    assert_eq!(of(ActionFilter { kind: Some(ActionKind::Retried), member: bob, ..any.clone() }).await, []);
}

/// Its runs are skipped with the reason, what waits for it goes on, Magento is told; and all of it is taken back.
pub async fn a_document_is_excluded_and_taken_back(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let invoice = world.run_through(InvoiceCreated, 1, failed()).await;
    let payment = world.run_through(InvoicePaid, 1, waiting_for(1)).await;
    world.exclude(invoice).await.unwrap();
    let excluded = (RunStatus::SkippedByPolicy, Some(Code::Excluded));
    assert_eq!((world.run_state(invoice).await, world.run_state(payment).await), (excluded, excluded));
    assert_eq!(world.run(invoice).await.message.as_deref(), Some("a test order"));
    let told = world.store.exclusion(world.binding, EntityKind::Invoice, 1).await.unwrap().unwrap();
    assert_eq!((told.reason.as_str(), told.actor.as_str()), ("a test order", "Ada"));
    let now = world.now();
    let delivery = world.store.claim_delivery(now, now, Targets::All).await.unwrap().unwrap();
    assert_eq!(delivery.state.skip_reason.as_deref(), Some("excluded"));

    let action = world.action(world.organisation, Some(invoice), ActionKind::Included);
    world.store.include_document(invoice, &action).await.unwrap();
    let queued = (RunStatus::Queued, None);
    assert_eq!((world.run_state(invoice).await, world.run_state(payment).await), (queued, queued));
    assert_eq!(world.store.exclusion(world.binding, EntityKind::Invoice, 1).await.unwrap(), None);
    assert_not_found(world.store.include_document(invoice, &action).await);
    let kinds: Vec<_> = world.store.actions_of_run(world.organisation, invoice).await.unwrap();
    let kinds: Vec<_> = kinds.iter().map(|action| action.kind).collect();
    assert_eq!(kinds, [ActionKind::Excluded, ActionKind::Included]);
}

/// What is at work or in Sage stays; another organisation's is not even there.
pub async fn what_is_posted_or_running_cannot_be_excluded(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let posted = world.run_through(InvoiceCreated, 1, Outcome::Succeeded).await;
    assert_conflict(world.exclude(posted).await);
    let payment = world.run_through(InvoicePaid, 1, skipped()).await;
    world.exclude(payment).await.unwrap();
    let now = world.now();
    let delivery = world.store.claim_delivery(now, now, Targets::All).await.unwrap();
    assert_eq!(delivery, None, "its invoice stays synced");
    let running = world.receive(InvoiceCreated, 2).await;
    world.claim().await;
    assert_conflict(world.exclude(running).await);
    let stranger = world.add_organisation("Second").await;
    let action = world.action(stranger, Some(payment), ActionKind::Excluded);
    assert_not_found(world.store.exclude_document(payment, &action).await);
    assert_not_found(world.store.include_document(payment, &action).await);
    assert!(world.store.actions_of_run(stranger, payment).await.unwrap().is_empty());
}

/// What Sage was asked for and has not refused may be there: neither its own run nor another of the document's takes it for out.
pub async fn what_may_be_in_sage_cannot_be_excluded(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let payment = world.run_through(InvoicePaid, 1, waiting_for(1)).await;
    let invoice = world.receive(InvoiceCreated, 1).await;
    let claimed = world.claim().await;
    let xref = XrefKey { kind: XrefKind::Invoice, magento_key: "1".to_owned() };
    let key = IntentKey { binding_id: world.binding, business_id: "business-1".to_owned(), xref };
    world.store.open_intent(fence(&claimed), &key, &request("1"), world.now()).await.unwrap();
    world.fail(&claimed).await;
    for run in [invoice, payment] {
        assert_conflict(world.exclude(run).await);
    }
    assert_eq!(world.store.exclusion(world.binding, EntityKind::Invoice, 1).await.unwrap(), None);
    world.store.retry_run(world.organisation, invoice, world.now(), None).await.unwrap();
    let claimed = world.claim().await;
    world.store.refuse_intent(fence(&claimed), &key, &[], world.now()).await.unwrap();
    world.fail(&claimed).await;
    world.exclude(payment).await.unwrap();
    assert_eq!(world.run_state(invoice).await.1, Some(Code::Excluded));
}

/// What a later run made good and is excluded afterwards has nothing to do with that run any more.
pub async fn an_exclusion_forgets_what_resolved_a_failure(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let broken = world.run_through(CustomerUpserted, 1, failed()).await;
    world.run_through(CustomerUpserted, 1, Outcome::Succeeded).await;
    assert!(world.run(broken).await.resolved_by.is_some());
    world.exclude(broken).await.unwrap();
    let run = world.run(broken).await;
    assert_eq!((run.code, run.resolved_by), (Some(Code::Excluded), None));
}

/// A page that was saved once more takes the other's place; each member has their own.
pub async fn views_are_kept_by_name(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut ids = Vec::new();
    for email in ["ada@example.com", "eve@example.com"] {
        let member = Member {
            id: MemberId(world.id()),
            person_id: PersonId(world.id()),
            organisation_id: world.organisation,
            email: email.to_owned(),
            proved_at: Some(world.now()),
            name: String::new(),
            role: Role::Viewer,
            created_at: world.now(),
        };
        ids.push(member.id);
        world.store.create_member(&NewMember { member, password_hash: "-".to_owned() }, None).await.unwrap();
    }
    let view = |name: &str, query: &str| SavedView {
        name: name.to_owned(),
        query: query.to_owned(),
        created_at: world.now(),
    };
    let (old, new) = (view("Broken", "status=failed"), view("Broken", "open=1"));
    let other = view("All", "");
    for one in [&old, &other, &new] {
        world.store.save_view(ids[0], one).await.unwrap();
    }
    assert_eq!(world.store.saved_views(ids[0]).await.unwrap(), [other.clone(), new]);
    assert_eq!(world.store.saved_views(ids[1]).await.unwrap(), []);
    world.store.forget_view(ids[0], "Broken").await.unwrap();
    world.store.forget_view(ids[0], "Broken").await.unwrap();
    assert_eq!(world.store.saved_views(ids[0]).await.unwrap(), [other]);
    // What was sent and not saved is kept for its own member and time.
    let (now, expires_at) = (world.now(), world.now() + TimeDelta::minutes(10));
    for sealed in ["first", "second"] {
        let draft = Draft { member: ids[0], binding: world.binding, sealed: sealed.to_owned(), expires_at };
        world.store.keep_draft(&draft, now).await.unwrap();
    }
    let kept = |member, at| world.store.draft(member, world.binding, at);
    assert_eq!(kept(ids[0], now).await.unwrap().as_deref(), Some("second"));
    assert_eq!(kept(ids[1], now).await.unwrap(), None);
    assert_eq!(kept(ids[0], expires_at).await.unwrap(), None);
    world.store.forget_draft(ids[0], world.binding).await.unwrap();
    assert_eq!(kept(ids[0], now).await.unwrap(), None);
}

/// Oldest first, each once, up to the newest that was there when it was begun; what ended well is left alone.
pub async fn a_bulk_retry_passes_each_run_once(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let mut broken = Vec::new();
    for number in 0..5 {
        broken.push(world.run_through(CustomerUpserted, number, failed()).await);
    }
    let fine = world.run_through(CustomerUpserted, 5, Outcome::Succeeded).await;
    let bulk = world.bulk(RunFilter { binding: Some(world.binding), ..RunFilter::default() }, fine).await;
    let later = world.run_through(CustomerUpserted, 6, failed()).await;
    assert_eq!(world.store.running_bulk_retries().await.unwrap(), [bulk.id]);
    assert_eq!(
        world.store.list_bulk_retries(world.organisation, 9).await.unwrap(),
        std::slice::from_ref(&bulk)
    );
    while world.advance(&bulk).await == Advance::Moved {}
    assert_eq!(world.told(&bulk).await, (BulkState::Done, 5, 0));
    assert_eq!(world.run_state(later).await.0, RunStatus::Failed, "it came after");
    for run in &broken {
        assert_eq!(world.run_state(*run).await, (RunStatus::Queued, None));
        let actions = world.store.actions_of_run(world.organisation, *run).await.unwrap();
        assert_eq!(actions.iter().map(|action| action.kind).collect::<Vec<_>>(), [ActionKind::Retried]);
    }
    assert_eq!(world.advance(&bulk).await, Advance::Ended);
    assert_eq!(world.told(&bulk).await, (BulkState::Done, 5, 0), "once and not again");
    let outcomes = || world.store.bulk_outcomes(world.organisation, bulk.id);
    assert_eq!(outcomes().await.unwrap(), [(RunStatus::Queued, 5)]);
    let claimed = world.claim().await;
    world.fail(&claimed).await;
    assert_eq!(outcomes().await.unwrap(), [(RunStatus::Failed, 1), (RunStatus::Queued, 4)]);
    let failures = world.store.bulk_failures(world.organisation, bulk.id, 9).await.unwrap();
    let failures: Vec<_> = failures.iter().map(|one| (one.binding_id, one.code, one.runs)).collect();
    assert_eq!(failures, [(world.binding, Code::SageValidation, 1)]);
    for (status, count) in [(None, 5), (Some(RunStatus::Failed), 1)] {
        let of_bulk = RunFilter { bulk: Some(bulk.id), status, ..RunFilter::default() };
        let counted = world.store.count_matching(world.organisation, &of_bulk, 99).await.unwrap();
        assert_eq!(counted, count, "{status:?}");
    }
    assert!(world.store.running_bulk_retries().await.unwrap().is_empty());
    let succeeded = RunFilter { status: Some(RunStatus::Succeeded), ..RunFilter::default() };
    let of_succeeded = world.bulk(succeeded, later).await;
    assert_eq!(world.advance(&of_succeeded).await, Advance::Ended);
    assert_eq!(world.told(&of_succeeded).await, (BulkState::Done, 0, 0), "what is in Sage is left alone");
    let stranger = world.add_organisation("Second").await;
    assert_eq!(world.store.bulk_retry(stranger, bulk.id).await.unwrap(), None);
    assert_eq!(world.store.bulk_outcomes(stranger, bulk.id).await.unwrap(), []);
    assert_eq!(world.store.bulk_failures(stranger, bulk.id, 9).await.unwrap(), []);
}

/// It leaves room in the queue, waits until there is, and stops when a person says so.
pub async fn a_bulk_retry_feeds_the_queue_and_can_be_cancelled(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let last = world.fail_many(FEED + 20).await;
    let failures = RunFilter { status: Some(RunStatus::Failed), ..RunFilter::default() };
    let bulk = world.bulk(failures.clone(), last).await;
    assert_eq!(world.advance(&bulk).await, Advance::Moved);
    assert_eq!(world.advance(&bulk).await, Advance::Full);
    assert_eq!(world.told(&bulk).await, (BulkState::Running, FEED, 0));
    let claimed = world.claim().await;
    world.fail(&claimed).await;
    assert_eq!(world.advance(&bulk).await, Advance::Moved, "there is room for one more");
    assert_eq!(world.told(&bulk).await, (BulkState::Running, FEED + 1, 0));
    let action = world.action(world.organisation, None, ActionKind::BulkRetryCancelled);
    let stranger = world.add_organisation("Second").await;
    let theirs = world.action(stranger, None, ActionKind::BulkRetryCancelled);
    assert_conflict(world.store.cancel_bulk_retry(bulk.id, &theirs).await);
    world.store.cancel_bulk_retry(bulk.id, &action).await.unwrap();
    assert_conflict(world.store.cancel_bulk_retry(bulk.id, &action).await);
    assert_eq!(world.advance(&bulk).await, Advance::Ended);
    assert_eq!(world.store.count_matching(world.organisation, &failures, 99).await.unwrap(), 20);
}

/// Several processes may carry on the same one; runs of a paused shop wait for it.
pub async fn a_bulk_retry_may_be_carried_on_by_several(store: Arc<dyn Store>) {
    let world = Arc::new(World::new(store).await);
    let last = world.fail_many(60).await;
    world.set_status(BindingStatus::Paused).await;
    let bulk = world.bulk(RunFilter::default(), last).await;
    let carry_on = || {
        let (world, bulk) = (Arc::clone(&world), bulk.clone());
        tokio::spawn(async move { while world.advance(&bulk).await != Advance::Ended {} })
    };
    for task in [carry_on(), carry_on(), carry_on()] {
        task.await.unwrap();
    }
    assert_eq!(world.told(&bulk).await, (BulkState::Done, 60, 0));
    assert_eq!(world.run_state(last).await, (RunStatus::Queued, None));
}
