//! Random actions, on sound nodes and on sabotaged ones.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use ringwire_storage::append::HEAD_TRUST;

use super::Violation;
use super::store::POISON;
use super::world::{Fault, NODES, ROOMS, Reading, USERS, World, joining, saying};
use crate::conversation::Intent;

/// One thing that happens at a node, to a conversation.
#[derive(Clone, Debug)]
enum Deed {
    /// A user sends something new. `after`: names one of their sends, counted from the last one.
    Send {
        user: u64,
        text: &'static str,
        after: Option<usize>,
    },
    /// A user tries a send of theirs again, counted from the last one, perhaps with another text.
    Again {
        user: u64,
        back: usize,
        text: &'static str,
    },
    Join {
        user: u64,
    },
    Leave {
        user: u64,
    },
    Read {
        user: u64,
        seq: u64,
    },
    Write {
        count: usize,
        answer_lost: bool,
    },
    Hear {
        count: usize,
    },
    Tail(Reading),
    SetRoom(usize),
    Forget {
        recent: usize,
    },
    Sleep(u32),
    Trim,
}

#[derive(Clone, Debug)]
struct Action {
    node: usize,
    room: usize,
    deed: Deed,
}

fn deed() -> impl Strategy<Value = Deed> {
    let text = prop_oneof![8 => Just("a"), 2 => Just("b"), 1 => Just(POISON)];
    let user = 1..=USERS;
    let reading = prop_oneof![
        1 => Just(Reading::Fails),
        4 => (1..5_usize).prop_map(Reading::Happens),
    ];
    prop_oneof![
        8 => (user.clone(), text.clone(), prop::option::of(0..3_usize))
            .prop_map(|(user, text, after)| Deed::Send { user, text, after }),
        3 => (user.clone(), 0..4_usize, text)
            .prop_map(|(user, back, text)| Deed::Again { user, back, text }),
        3 => user.clone().prop_map(|user| Deed::Join { user }),
        3 => user.clone().prop_map(|user| Deed::Leave { user }),
        1 => (user, 0..12_u64).prop_map(|(user, seq)| Deed::Read { user, seq }),
        8 => (1..4_usize, prop::bool::weighted(0.15))
            .prop_map(|(count, answer_lost)| Deed::Write { count, answer_lost }),
        8 => (1..4_usize).prop_map(|count| Deed::Hear { count }),
        8 => reading.prop_map(Deed::Tail),
        1 => (0..3_usize).prop_map(Deed::SetRoom),
        1 => (0..4_usize).prop_map(|recent| Deed::Forget { recent }),
        1 => prop_oneof![Just(1), Just(HEAD_TRUST.as_secs() as u32 + 1), Just(700)].prop_map(Deed::Sleep),
        1 => Just(Deed::Trim),
    ]
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let action =
        (0..NODES, 0..ROOMS, deed()).prop_map(|(node, room, deed)| Action { node, room, deed });
    vec(action, 1..150)
}

/// Carries actions out, and judges what comes of them.
fn run(actions: &[Action], world: &mut World) -> Result<(), Violation> {
    // The ids of each user's commands; a new one each time, unless it is a retry.
    let mut sent: Vec<Vec<String>> = vec![Vec::new(); USERS as usize + 1];
    for (number, Action { node, room, deed }) in actions.iter().enumerate() {
        let (node, room) = (*node, *room);
        let ids = |user: &u64, back: &usize| {
            let ids: &Vec<String> = &sent[*user as usize];
            ids.len().checked_sub(back + 1).map(|place| ids[place].clone())
        };
        match deed {
            Deed::Send { user, text, after } => {
                let after = after.and_then(|back| ids(user, &back)).unwrap_or_default();
                let id = format!("m{number}");
                world.ask(node, room, *user, &id, saying(text, &after))?;
                sent[*user as usize].push(id);
            }
            Deed::Again { user, back, text } => {
                if let Some(id) = ids(user, back) {
                    world.send(node, room, *user, &id, text)?;
                }
            }
            Deed::Join { user } => {
                world.ask(node, room, *user, &format!("j{number}"), joining())?;
            }
            Deed::Leave { user } => {
                world.ask(node, room, *user, &format!("l{number}"), Intent::Leave)?;
            }
            Deed::Read { user, seq } => world.read(node, room, *user, *seq)?,
            Deed::Write { count, answer_lost } => world.write(node, room, *count, *answer_lost)?,
            Deed::Hear { count } => world.hear(node, room, *count)?,
            Deed::Tail(reading) => world.tail(node, room, *reading)?,
            Deed::SetRoom(entries) => world.set_room(node, room, *entries),
            Deed::Forget { recent } => world.forget(node, room, *recent),
            Deed::Sleep(seconds) => world.sleep(*seconds),
            Deed::Trim => world.trim(room),
        }
    }
    world.settle()
}

/// More behind `RINGWIRE_TEST_FULL=1`; another seed with `PROPTEST_RNG_SEED`.
fn config() -> ProptestConfig {
    let full = std::env::var_os("RINGWIRE_TEST_FULL").is_some_and(|value| value == "1");
    let cases = if full { 20_000 } else { 500 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn v2_two_nodes_keep_every_promise_whatever_happens(actions in actions()) {
        run(&actions, &mut World::new(Fault::None)).map_err(TestCaseError::fail)?;
    }
}

/// The same random runs each time.
fn samples() -> impl Iterator<Item = Vec<Action>> {
    let mut runner = TestRunner::deterministic();
    let actions = actions();
    (0..300).filter_map(move |_| actions.new_tree(&mut runner).map(|tree| tree.current()).ok())
}

#[test]
fn v2_the_model_catches_sabotage() {
    for (fault, complaint) in [
        (Fault::AckBeforeCommit, "not in the log"),
        (Fault::DeliverTwice, "delivered instead of"),
        (Fault::NoRevalidation, "sends, no member"),
        (Fault::OnlyLaterMembers, "goes to"),
        (Fault::LoseSecondAnswers, "never answered"),
    ] {
        let caught = samples().any(|actions| {
            run(&actions, &mut World::new(fault))
                .is_err_and(|violation| violation.contains(complaint))
        });
        assert!(caught, "{fault:?}");
    }
}

#[test]
fn v2_random_actions_reach_every_outcome() {
    let mut seen = BTreeSet::new();
    for actions in samples() {
        let mut world = World::new(Fault::None);
        assert_eq!(run(&actions, &mut world), Ok(()));
        seen.extend(world.seen);
    }
    let all = [
        "base checked",
        "committed",
        "conflict",
        "duplicate",
        "moved",
        "outdated",
        "rejected",
        "told from memory",
        "withdrawn",
    ];
    assert_eq!(Vec::from_iter(seen), all);
}
