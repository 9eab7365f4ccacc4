//! Random actions, on sound nodes and on sabotaged ones.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use ringwire_protocol::wire;
use ringwire_storage::append::HEAD_TRUST;
use ringwire_storage::model::Role;
use wire::group_settings::JoinPolicy;

use super::Violation;
use super::store::POISON;
use super::world::{
    Fault, NODES, ROOMS, Reading, USERS, World, calling_all, editing, saying, user,
};
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
    /// A user wants something else of the conversation.
    Ask {
        user: u64,
        wish: Wish,
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
    Target(Reading),
    SetRoom(usize),
    Forget {
        recent: usize,
    },
    Sleep(u32),
    Trim,
}

/// What a user may want besides saying something. `whom`: another user; `seq`: an entry, or with `own` one of the
/// user's messages, newest first; `on`: or the end of it.
#[derive(Clone, Debug)]
enum Wish {
    Join { right_code: bool },
    Leave,
    Edit { seq: u64, own: bool },
    Recall { seq: u64, own: bool },
    React { seq: u64, on: bool },
    Pin { seq: u64, on: bool },
    Announce,
    Update(usize),
    Invite { whom: u64 },
    Remove { whom: u64 },
    SetRole { whom: u64, role: Role },
    Mute { whom: Option<u64>, on: bool },
    Ban { whom: u64, on: bool },
    Resolve { whom: u64, refuse: bool },
    Dissolve,
}

/// How long what somebody is kept from lasts.
const LASTS_MS: i64 = 30_000;

fn wish() -> impl Strategy<Value = Wish> {
    let seq = 1..14_u64;
    let whom = 1..=USERS;
    let on = prop::bool::weighted(0.7);
    let own = prop::bool::weighted(0.85);
    let role = prop_oneof![2 => Just(Role::Admin), 2 => Just(Role::Member), 1 => Just(Role::Owner)];
    prop_oneof![
        6 => prop::bool::weighted(0.8).prop_map(|right_code| Wish::Join { right_code }),
        3 => Just(Wish::Leave),
        9 => (seq.clone(), own).prop_map(|(seq, own)| Wish::Edit { seq, own }),
        7 => (seq.clone(), own).prop_map(|(seq, own)| Wish::Recall { seq, own }),
        2 => (seq.clone(), on).prop_map(|(seq, on)| Wish::React { seq, on }),
        2 => (seq, on).prop_map(|(seq, on)| Wish::Pin { seq, on }),
        1 => Just(Wish::Announce),
        3 => (0..SETTINGS.len()).prop_map(Wish::Update),
        3 => whom.clone().prop_map(|whom| Wish::Invite { whom }),
        2 => whom.clone().prop_map(|whom| Wish::Remove { whom }),
        3 => (whom.clone(), role).prop_map(|(whom, role)| Wish::SetRole { whom, role }),
        6 => (prop::option::weighted(0.5, whom.clone()), on)
            .prop_map(|(whom, on)| Wish::Mute { whom, on }),
        3 => (whom.clone(), on).prop_map(|(whom, on)| Wish::Ban { whom, on }),
        2 => (whom, prop::bool::ANY).prop_map(|(whom, refuse)| Wish::Resolve { whom, refuse }),
        1 => Just(Wish::Dissolve),
    ]
}

/// What the settings are changed to.
const SETTINGS: [fn() -> wire::GroupSettings; 8] = [
    || policy(JoinPolicy::InviteOnly),
    || policy(JoinPolicy::Open),
    || policy(JoinPolicy::ByLink),
    || policy(JoinPolicy::ByApproval),
    || wire::GroupSettings { join_code: Some("anew".to_owned()), ..Default::default() },
    || wire::GroupSettings { announcement_only: Some(true), ..Default::default() },
    || wire::GroupSettings {
        announcement_only: Some(false),
        members_may_invite: Some(true),
        ..Default::default()
    },
    || wire::GroupSettings { max_members: Some(3), ..Default::default() },
];

fn policy(policy: JoinPolicy) -> wire::GroupSettings {
    wire::GroupSettings { join_policy: Some(policy.into()), ..Default::default() }
}

/// The wish as a command for a node.
fn intent(wish: &Wish, world: &World, from: u64, node: usize, room: usize) -> Intent {
    let target = |seq: u64, own: bool| {
        let mine = world.said_by(room, user(from));
        let newest = mine.iter().rev().nth(seq as usize % 2).copied();
        newest.filter(|_| own).unwrap_or(seq)
    };
    let until = |on: bool| if on { world.unix_ms(node) + LASTS_MS } else { 0 };
    match *wish {
        Wish::Join { right_code } => {
            let code = if right_code { world.join_code(room) } else { None };
            Intent::Join { code: code.unwrap_or_default().into(), text: "please".into() }
        }
        Wish::Leave => Intent::Leave,
        Wish::Edit { seq, own } => editing(target(seq, own), "better"),
        Wish::Recall { seq, own } => Intent::Recall { target_seq: target(seq, own) },
        Wish::React { seq, on } => {
            Intent::React { target_seq: seq, reaction: "+".into(), removed: !on }
        }
        Wish::Pin { seq, on } => Intent::Pin { target_seq: seq, removed: !on },
        Wish::Announce => calling_all("everyone"),
        Wish::Update(which) => Intent::Update(Box::new(SETTINGS[which]())),
        Wish::Invite { whom } => Intent::Invite { users: vec![user(whom)] },
        Wish::Remove { whom } => Intent::Remove { users: vec![user(whom)] },
        Wish::SetRole { whom, role } => Intent::SetRole { user: user(whom), role },
        Wish::Mute { whom, on } => Intent::Mute { user: whom.map(user), until: until(on) },
        Wish::Ban { whom, on } => Intent::Ban { user: user(whom), until: until(on) },
        Wish::Resolve { whom, refuse } => Intent::ResolveJoin { user: user(whom), refuse },
        Wish::Dissolve => Intent::Dissolve,
    }
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
    // Those who may do more do more.
    let asker = prop_oneof![3 => Just(1), 2 => Just(3), 5 => 1..=USERS];
    let reading = prop_oneof![
        1 => Just(Reading::Fails),
        4 => (1..5_usize).prop_map(Reading::Happens),
    ];
    prop_oneof![
        8 => (user.clone(), text.clone(), prop::option::of(0..3_usize))
            .prop_map(|(user, text, after)| Deed::Send { user, text, after }),
        3 => (user.clone(), 0..4_usize, text)
            .prop_map(|(user, back, text)| Deed::Again { user, back, text }),
        14 => (asker, wish()).prop_map(|(user, wish)| Deed::Ask { user, wish }),
        1 => (user, 0..12_u64).prop_map(|(user, seq)| Deed::Read { user, seq }),
        8 => (1..4_usize, prop::bool::weighted(0.15))
            .prop_map(|(count, answer_lost)| Deed::Write { count, answer_lost }),
        8 => (1..4_usize).prop_map(|count| Deed::Hear { count }),
        8 => reading.clone().prop_map(Deed::Tail),
        6 => reading.prop_map(Deed::Target),
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
            Deed::Ask { user, wish } => {
                let intent = intent(wish, world, *user, node, room);
                world.ask(node, room, *user, &format!("a{number}"), intent)?;
            }
            Deed::Read { user, seq } => world.read(node, room, *user, *seq)?,
            Deed::Write { count, answer_lost } => world.write(node, room, *count, *answer_lost)?,
            Deed::Hear { count } => world.hear(node, room, *count)?,
            Deed::Tail(reading) => world.tail(node, room, *reading)?,
            Deed::Target(reading) => world.target(node, room, *reading)?,
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

/// What random actions seldom tell: a message is taken back and then edited, somebody is muted and then sends, an admin is
/// put out and then acts.
fn story() -> Vec<Action> {
    let send = |user| Deed::Send { user, text: "a", after: None };
    let ask = |user, wish| Deed::Ask { user, wish };
    let deeds = [
        send(1),
        ask(1, Wish::Recall { seq: 0, own: true }),
        ask(1, Wish::Edit { seq: 0, own: true }),
        ask(1, Wish::Mute { whom: Some(2), on: true }),
        send(2),
        ask(1, Wish::Remove { whom: 3 }),
        ask(3, Wish::Announce),
    ];
    let told = deeds.into_iter().flat_map(|deed| {
        [deed, Deed::Write { count: 1, answer_lost: false }, Deed::Hear { count: 1 }]
    });
    told.map(|deed| Action { node: 0, room: 0, deed }).collect()
}

#[test]
fn v2_the_model_catches_sabotage() {
    for (fault, complaint) in [
        (Fault::AckBeforeCommit, "not in the log"),
        (Fault::DeliverTwice, "delivered instead of"),
        (Fault::NoRevalidation, "member: false"),
        (Fault::EditAfterRecall, "is no message that is there"),
        (Fault::MutedSends, "sends, muted"),
        (Fault::FormerAdminActs, "member: false"),
        (Fault::OnlyLaterMembers, "goes to"),
        (Fault::LoseSecondAnswers, "never answered"),
    ] {
        let caught = samples().chain([story()]).any(|actions| {
            run(&actions, &mut World::new(fault))
                .is_err_and(|violation| violation.contains(complaint))
        });
        assert!(caught, "{fault:?}");
    }
}

#[test]
fn v2_random_actions_reach_every_outcome() {
    let mut seen = BTreeSet::new();
    for actions in samples().chain([story()]) {
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
        "so already",
        "target asked",
        "target not told",
        "target told",
        "told from memory",
        "withdrawn",
    ];
    assert_eq!(Vec::from_iter(seen), all);
}
