//! Second factors and recovery codes.

use std::sync::Arc;

use domain::{environment::Environment, ids::PersonId, run::Role};

use super::{
    people::{add_member, open_session},
    world::{World, assert_conflict, assert_not_found, assert_stale},
};
use crate::Store;

async fn with_member(store: Arc<dyn Store>) -> (World, PersonId) {
    let world = World::new(store).await;
    let member = add_member(&world, "ada@shop.example", Role::Owner).await;
    (world, member.person_id)
}

/// Puts a second factor in force whose last step is 100.
async fn confirm(world: &World, person: PersonId, codes: &[&str]) {
    let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
    let now = world.now();
    world.store.begin_second_factor(person, "sealed", now).await.unwrap();
    let version = world.store.second_factor(person).await.unwrap().unwrap().version;
    world.store.confirm_second_factor(person, version, 100, &codes, (now, None), &[]).await.unwrap();
}

/// Switched on or off, it ends the sessions of other browsers: whoever holds one has shown less, or might switch it back.
pub async fn a_second_factor_ends_the_sessions_that_knew_another(store: Arc<dyn Store>) {
    let world = World::new(store).await;
    let ada_here = add_member(&world, "ada@shop.example", Role::Owner).await;
    let bob_here = add_member(&world, "bob@shop.example", Role::Owner).await;
    let (ada, bob) = (ada_here.person_id, bob_here.person_id);
    let open = async |token| open_session(&world, ada_here.id, token, 9).await.id;
    let listed = async |person| -> Vec<_> {
        let listed = world.store.list_sessions(person, world.now()).await.unwrap();
        listed.into_iter().map(|session| session.id).collect()
    };
    let (here, bobs) = (open("here").await, open_session(&world, bob_here.id, "bob", 9).await.id);
    open("there").await;
    world.store.begin_second_factor(ada, "sealed", world.now()).await.unwrap();
    world.store.confirm_second_factor(ada, 1, 7, &[], (world.now(), Some(here)), &[]).await.unwrap();
    assert_eq!((listed(ada).await, listed(bob).await), (vec![here], vec![bobs]));
    open("elsewhere").await;
    world.store.remove_second_factor(ada, Some(here), &[]).await.unwrap();
    assert_eq!(listed(ada).await, [here]);
    world.store.begin_second_factor(ada, "sealed", world.now()).await.unwrap();
    world.store.confirm_second_factor(ada, 1, 7, &[], (world.now(), Some(here)), &[]).await.unwrap();
    world.store.remove_second_factor(ada, None, &[]).await.unwrap();
    assert_eq!((listed(ada).await, listed(bob).await), (vec![], vec![bobs]));
}

/// Until a first code has come a secret can be replaced; afterwards only be switched off.
pub async fn a_second_factor_is_in_force_once_it_is_confirmed(store: Arc<dyn Store>) {
    let (world, person) = with_member(store).await;
    let now = world.now();
    assert_eq!(world.store.second_factor(person).await.unwrap(), None);
    assert_not_found(world.store.begin_second_factor(PersonId(world.id()), "sealed", now).await);
    world.store.begin_second_factor(person, "first", now).await.unwrap();
    assert!(!world.store.take_step(person, 5).await.unwrap(), "not in force yet");
    world.store.begin_second_factor(person, "second", now).await.unwrap();
    assert_stale(world.store.confirm_second_factor(person, 1, 5, &[], (now, None), &[]).await);
    world.store.confirm_second_factor(person, 2, 5, &[], (now, None), &[]).await.unwrap();
    assert_stale(world.store.confirm_second_factor(person, 2, 6, &[], (now, None), &[]).await);
    assert_conflict(world.store.begin_second_factor(person, "third", now).await);
    let kept = world.store.second_factor(person).await.unwrap().unwrap();
    assert_eq!((kept.person_id, kept.envelope.as_str(), kept.confirmed_at), (person, "second", Some(now)));
    assert_eq!((kept.last_step, kept.version), (5, 2));
}

/// A code that somebody has looked at over a shoulder is worth nothing.
pub async fn a_time_step_is_taken_once(store: Arc<dyn Store>) {
    let (world, person) = with_member(store).await;
    confirm(&world, person, &[]).await;
    assert!(!world.store.take_step(person, 100).await.unwrap(), "the one that confirmed");
    assert!(!world.store.take_step(person, 99).await.unwrap());
    let (one, two) = tokio::join!(world.store.take_step(person, 101), world.store.take_step(person, 101));
    assert!(one.unwrap() != two.unwrap());
    assert!(world.store.take_step(person, 103).await.unwrap());
    assert!(!world.store.take_step(person, 102).await.unwrap());
}

/// Each code is good once, for its member; new ones take the place of all.
pub async fn a_recovery_code_is_good_once(store: Arc<dyn Store>) {
    let (world, ada) = with_member(store).await;
    let bob = add_member(&world, "bob@shop.example", Role::Viewer).await.person_id;
    confirm(&world, ada, &["a", "b"]).await;
    let now = world.now();
    let spend = |person, code| world.store.spend_recovery_code(person, code, now);
    assert!(!spend(bob, "a").await.unwrap());
    assert!(!spend(ada, "c").await.unwrap());
    let (one, two) = tokio::join!(spend(ada, "a"), spend(ada, "a"));
    assert!(one.unwrap() != two.unwrap());
    assert_eq!(world.store.recovery_codes_left(ada).await.unwrap(), 1);
    world.store.replace_recovery_codes(ada, &["c".to_owned(), "d".to_owned()], &[]).await.unwrap();
    assert_eq!(world.store.recovery_codes_left(ada).await.unwrap(), 2);
    assert!(!spend(ada, "b").await.unwrap());
    assert!(spend(ada, "c").await.unwrap());
    assert_eq!(world.store.recovery_codes_left(bob).await.unwrap(), 0);
}

/// Nothing of it is left to sign in with.
pub async fn a_second_factor_is_switched_off_with_its_codes(store: Arc<dyn Store>) {
    let (world, person) = with_member(store).await;
    confirm(&world, person, &["a"]).await;
    world.store.remove_second_factor(person, None, &[]).await.unwrap();
    world.store.remove_second_factor(person, None, &[]).await.unwrap();
    assert_eq!(world.store.second_factor(person).await.unwrap(), None);
    assert!(!world.store.spend_recovery_code(person, "a", world.now()).await.unwrap());
    assert!(!world.store.take_step(person, 200).await.unwrap());
}

/// Keys are rotated page by page, and never over what was written meanwhile.
pub async fn second_factors_are_sealed_again_one_by_one(store: Arc<dyn Store>) {
    let (world, first) = with_member(store).await;
    let second = add_member(&world, "bob@shop.example", Role::Viewer).await.person_id;
    confirm(&world, first, &["a"]).await;
    world.store.begin_second_factor(second, "sealed", world.now()).await.unwrap();
    let page = world.store.sealed_second_factors(None, 1).await.unwrap();
    assert_eq!(page.iter().map(|factor| factor.person_id).collect::<Vec<_>>(), [first]);
    let page = world.store.sealed_second_factors(Some(first), 10).await.unwrap();
    assert_eq!(page.iter().map(|factor| factor.person_id).collect::<Vec<_>>(), [second]);
    assert!(world.store.sealed_second_factors(Some(second), 10).await.unwrap().is_empty());

    world.store.reseal_second_factor(first, "again", 1, world.now()).await.unwrap();
    assert_stale(world.store.reseal_second_factor(first, "late", 1, world.now()).await);
    let kept = world.store.second_factor(first).await.unwrap().unwrap();
    assert_eq!((kept.envelope.as_str(), kept.version, kept.last_step), ("again", 2, 100));
    assert!(kept.confirmed_at.is_some());
    assert_eq!(world.store.recovery_codes_left(first).await.unwrap(), 1);
}
