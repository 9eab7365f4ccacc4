//! What entries change besides the log, and a user's own view, as `exercise` does the rest.

use ringwire_protocol::{ConversationId, Seq};
use ringwire_storage::append::{Append, Change, Outcome};
use ringwire_storage::members::{MemberList, MembersPage};
use ringwire_storage::model::Role;
use ringwire_storage::presence::Visibility;

use crate::fill::{ROOM, ROOM_ENTRIES};
use crate::support::{Bench, body, message, user};

fn conversation(number: u64) -> ConversationId {
    ConversationId::new(number).unwrap()
}

/// An entry of a conversation of 30 that is no message.
fn entry(number: u64, seq: Seq, by: u64, change: Change) -> Append {
    Append {
        msg_no: 29,
        sender_id: Some(user(by)),
        client_msg_id: format!("c{seq}").into(),
        change,
        ..message(conversation(number), seq)
    }
}

/// Reads of everything that changes leave behind.
pub(crate) async fn reads(bench: &Bench, round: u64) {
    let store = &bench.store;
    let (one, room) = (user(1), conversation(ROOM));
    assert!(store.load_entry(room, 70_000).await.unwrap().is_some());
    let page = store.sync_page(one, room, 50_000, 200).await.unwrap().unwrap();
    assert!(page.entries.iter().all(|entry| entry.marks.is_some()), "all were reacted to");
    let read = store.read_by(one, room, 4, Some(user(100)), 200).await.unwrap().unwrap();
    assert!(read.users.len() == 200 && read.more);
    bench.execute("UPDATE members SET role = 1 WHERE conversation_id = 1 AND user_id = 1").await;
    for list in [MemberList::Banned, MemberList::Requests] {
        let page = store.members_page(one, room, list, Some(user(1_000)), 200, 0).await.unwrap();
        assert!(matches!(page, MembersPage::Page { more: true, .. }), "{page:?}");
    }
    let hidden = store.hide(one, room, &[ROOM_ENTRIES - 5 - round]).await.unwrap().unwrap();
    let changes = store.view_changes(one, hidden.view_no - 1, 50).await.unwrap();
    assert!(!changes.changes.is_empty() || changes.reset);

    store.set_visibility(user(5), Some(Visibility::Everyone), None).await.unwrap();
    store.save_last_seen(&[(user(5), 7), (user(6), 7)]).await.unwrap();
    let users: Vec<_> = (1..=200).map(user).collect();
    let seen = store.visible_presence(one, &users).await.unwrap();
    assert!(seen.len() == 200 && seen.iter().any(|seen| seen.status));

    store.login_state([7; 16]).await.unwrap();
    store.revoked_families(1, 50).await.unwrap();
}

/// Every kind of change, in one batch of two conversations.
pub(crate) fn everything(bench: &Bench, round: u64) {
    let (target_seq, until) = (10, 7_777);
    let react =
        |reaction: &str, removed| Change::React { target_seq, reaction: reaction.into(), removed };
    let mut changes = vec![
        Change::Edit { target_seq, body: body("better words"), files: Vec::new() },
        Change::Edit { target_seq: 11, body: body("other words"), files: Vec::new() },
        react("+", false),
        react("+", true),
        react("-", false),
        Change::Pin { target_seq, removed: true },
        Change::Pin { target_seq, removed: false },
        Change::Ban { user_id: user(60), until },
        Change::Ban { user_id: user(61), until: 0 },
        Change::RequestJoin { text: "please".into() },
        Change::RefuseJoin { user_id: user(62) },
        // Of somebody who is there before and after.
        Change::SetRole { user_id: user(63), role: Role::Admin, former_owner_id: None },
        Change::Join(vec![user(63)]),
        Change::Mute { user_id: Some(user(63)), until },
        Change::Remove(vec![user(64)]),
        Change::Mute { user_id: None, until },
        Change::Settings(body("settings")),
        Change::Recall { target_seq: 11 },
    ];
    if round > 0 {
        // What the first round left is taken back.
        changes.insert(0, react("-", true));
    }
    let number = 9_200;
    let from = 31 + 40 * round;
    let mut batch: Vec<_> =
        (from..).zip(changes).map(|(seq, c)| entry(number, seq, 50, c)).collect();
    let next = batch[batch.len() - 1].seq + 1;
    let fillers = from + 40 - next;
    batch.extend((next..next + fillers).map(|seq| entry(number, seq, 50, Change::None)));
    let mention = Change::Mention { users: vec![user(70), user(71)], all: false };
    batch.push(Append { msg_no: 30, ..entry(9_210 + round, 31, 50, mention) });
    let carry =
        Change::Carry { files: vec!["f31".into(), "f62".into()], users: Vec::new(), all: false };
    batch.push(Append { msg_no: 30, ..entry(9_215 + round, 31, 50, carry) });
    batch.push(entry(9_220 + round, 31, 50, Change::Dissolve));
    let answers = bench.append(batch);
    assert!(answers.iter().all(|(_, outcome)| *outcome == Outcome::Committed), "{answers:?}");
}

/// An edit by somebody whose account is about to go.
pub(crate) fn last_words(bench: &Bench, round: u64, by: u64) {
    let edit = Change::Edit { target_seq: 10, body: body("last words"), files: Vec::new() };
    let answers = bench.append(vec![entry(9_230 + round, 31, by, edit)]);
    assert_eq!(answers, [(31, Outcome::Committed)]);
}
