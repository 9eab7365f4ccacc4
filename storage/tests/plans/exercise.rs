//! The whole API, with values that lie in the middle of a large database.

use std::sync::Arc;

use ringwire_protocol::{ConversationId, Seq, UserId};
use ringwire_storage::account::ExportPosition;
use ringwire_storage::append::{Append, Change, Outcome};
use ringwire_storage::members::{MemberList, MembersPage};
use ringwire_storage::model::{CursorRow, HeadsAfter, HistoryWindow, NewGroup, NewUser};
use ringwire_storage::outbox::{EventSet, HookRule, Outbox};
use ringwire_storage::retention::{KeepRule, RetentionRules};
use ringwire_storage::search::{SearchAfter, SearchQuery};

use crate::accounts;
use crate::changes;
use crate::fill::{ROOM, ROOM_ENTRIES};
use crate::support::{self, Bench, body, message, user};

/// Everybody is told of everything.
pub(crate) fn outbox() -> Arc<Outbox> {
    let hook = HookRule { name: "h".into(), events: EventSet::all() };
    Arc::new(Outbox { push_delay_ms: Some(0), hooks: vec![hook] })
}

/// What of a body is searched.
pub(crate) fn text(body: &[u8]) -> Option<String> {
    std::str::from_utf8(body).ok().map(str::to_owned)
}

fn conversation(number: u64) -> ConversationId {
    ConversationId::new(number).unwrap()
}

/// How often everything is called.
pub(crate) const ROUNDS: u64 = 2;

/// Calls every method, also on its rarer paths. `round`: makes new names and takes new places.
pub(crate) async fn everything(mut bench: Bench, round: u64) -> Bench {
    reads(&bench).await;
    directory(&bench, round).await;
    accounts::everything(&bench, round).await;
    appends(&bench, round);
    changes::everything(&bench, round);
    changes::reads(&bench, round).await;
    upkeep(&bench, round).await;
    // Shutting down writes what the writers still have. In the end the index is emptied, at least a piece of each part.
    if round + 1 == ROUNDS {
        bench.config.search_text = None;
    }
    bench = bench.reopened().await;
    // In the end without search, too.
    changes::last_words(&bench, 10 + round, 50);
    for _ in 0..25 {
        bench.store.index_step().await.unwrap();
    }
    bench
}

async fn reads(bench: &Bench) {
    let store = &bench.store;
    let (one, room, small) = (user(1), conversation(ROOM), conversation(400));
    store.ping().await.unwrap();
    store.command_key().await.unwrap();
    let cursors = [(room, ROOM_ENTRIES - 50), (small, 3)];
    let list = store.session_snapshot(one, &cursors, 50, 100).await.unwrap();
    assert!(list.heads.len() == 50 && list.syncs.iter().all(Option::is_some));
    let last = &list.heads[49];
    let after = HeadsAfter {
        last_activity_at: last.last_activity_at,
        conversation_id: last.conversation_id,
    };
    assert_eq!(store.heads(one, Some(after), &[], 200).await.unwrap().0.len(), 200);
    assert_eq!(store.heads(one, None, &[room, small], 200).await.unwrap().0.len(), 2);
    // Direct conversations have users.
    let direct = store.heads(user(3), None, &[], 200).await.unwrap().0;
    assert!(direct.iter().any(|line| line.users.len() == 2));
    let loaded = store.load_conversation(room, 100).await.unwrap().unwrap();
    assert!(loaded.members.len() >= 9_000 && loaded.recent.len() == 100);
    store.load_tail(room, ROOM_ENTRIES - 10, 500).await.unwrap().unwrap();
    store.sync_page(one, room, 200_000, 200).await.unwrap().unwrap();
    for window in [
        HistoryWindow::Newest,
        HistoryWindow::Before(200_000),
        HistoryWindow::After(200_000),
        HistoryWindow::Around(200_000),
    ] {
        let page = store.history_page(one, room, window, 200).await.unwrap().unwrap();
        assert_eq!(page.entries.len(), 200);
    }
    let list = MemberList::Members;
    let page = store.members_page(one, room, list, Some(user(5_000)), 200, 0).await.unwrap();
    let MembersPage::Page { members, more: true } = page else { panic!("{page:?}") };
    assert_eq!(members.len(), 200);
    let query = SearchQuery::parse("common \"w7 tail\" comm*").unwrap();
    for only in [None, Some(room)] {
        let (found, _) = store.search(one, &query, only, None, 20).await.unwrap();
        let Some(last) = found.last() else { panic!("nothing is found in {only:?}") };
        let after = SearchAfter {
            created_at: last.created_at,
            conversation_id: last.conversation_id,
            seq: last.seq,
        };
        store.search(one, &query, only, Some(after), 20).await.unwrap();
    }
}

async fn directory(bench: &Bench, round: u64) {
    let store = &bench.store;
    let (known, new) = (user(50), user(1_000_000 + round));
    assert!(store.user(known).await.unwrap().is_some());
    assert!(store.user_by_name("U50").await.unwrap().is_some());
    assert_eq!(store.users(&[known, user(51)]).await.unwrap().len(), 2);
    assert!(store.credentials("u50").await.unwrap().is_some());
    assert!(store.credentials("50@x").await.unwrap().is_some());
    // A name that is taken, an address that is taken, and neither.
    for (name, email) in
        [("u50".to_owned(), None), (format!("n{round}"), Some("50@x")), (format!("r{round}"), None)]
    {
        let new = NewUser {
            username: name,
            email: email.map(str::to_owned),
            display_name: String::new(),
            password_hash: "phc".into(),
        };
        store.register(new, 5).await.unwrap();
    }
    assert!(!store.ensure_user(known, "", 5).await.unwrap().1);
    assert!(store.ensure_user(new, "u50", 5).await.unwrap().1);
    for subject in ["s50".to_owned(), format!("new{round}")] {
        let found = store.resolve_identity("iss", &subject, Some(""), 5).await.unwrap();
        assert!(found.is_some());
    }
    // One that exists, one that does not, and a group made twice.
    store.open_direct(user(4), user(9_999), 5, body("opened")).await.unwrap();
    store.open_direct(known, new, 5, body("opened")).await.unwrap();
    for _ in 0..2 {
        let again = format!("again{round}");
        let group = NewGroup { client_msg_id: again, ..support::group(50, &[51, 52]) };
        store.create_group(group, 5).await.unwrap();
    }
    let moved = |number, read_seq| CursorRow {
        conversation_id: conversation(ROOM),
        user_id: user(number),
        read_seq,
        delivered_seq: read_seq,
    };
    store.save_cursors(&[moved(1, 300_000 + round), moved(2, 9)]).await.unwrap();
}

/// A join in a conversation whose row somebody else holds goes back.
pub(crate) fn held_up(bench: &Bench, round: u64) {
    let join = Append {
        sender_id: Some(user(50)),
        client_msg_id: format!("held{round}").into(),
        change: Change::Join(vec![user(62)]),
        generation: 10 + round,
        ..message(conversation(9_500), 31)
    };
    assert_eq!(bench.append(vec![join]), [(31, Outcome::Conflict)]);
}

fn appends(bench: &Bench, round: u64) {
    let at = |number: u64, seq: Seq, by: u64| Append {
        sender_id: Some(user(by)),
        client_msg_id: format!("x{round}.{seq}").into(),
        ..message(conversation(number), seq)
    };
    // A whole batch, with a base to be checked, a collision, and members who come and go.
    let seq = 30 + round * 3;
    let mut batch: Vec<Append> = (10_000..10_100).map(|number| at(number, seq + 1, 50)).collect();
    batch.push(Append { check_base: true, ..at(10_000, seq + 2, 50) });
    batch.push(at(10_300, 7, 50));
    batch.push(Append { change: Change::Join(vec![user(60), user(61)]), ..at(9_000, seq + 1, 50) });
    let leave = Change::Leave { user_id: user(60), new_owner_id: Some(user(61)) };
    batch.push(Append { change: leave, ..at(9_000, seq + 2, 50) });
    bench.append(batch);
    // Another node is always first: the fourth time the writer goes behind it.
    for generation in 1..=4 {
        let id = format!("late{round}.{generation}");
        let late = Append { generation, client_msg_id: id.into(), ..at(10_301, 7, 50) };
        let outcomes = bench.append(vec![late]);
        let expected = if generation < 4 { "Conflict" } else { "Moved" };
        assert!(format!("{outcomes:?}").contains(expected), "{outcomes:?}");
    }
    // So many at once that they are copied, each with a base to be checked; they gather while the writer is held.
    bench.answers.block(true);
    bench.store.submit(at(10_400, 31 + round, 50)).unwrap();
    while bench.answers.len() == 0 {
        std::thread::yield_now();
    }
    for number in 14_000..15_200 {
        let entry = Append { check_base: true, ..at(number, 31 + round, 50) };
        bench.store.submit(entry).unwrap();
    }
    bench.answers.block(false);
    let answers = bench.answers.take(1_201);
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::Committed));
}

async fn upkeep(bench: &Bench, round: u64) {
    let store = &bench.store;
    while store.index_step().await.unwrap() {}
    store.reindex(conversation(400), &[1, 2, 3]).await.unwrap();

    // The first look sets marks; at the second, settled ones let entries go.
    let rule = KeepRule { days: 0, count: 20 };
    let rules = RetentionRules { direct: rule, group: rule, room: rule };
    bench.execute("DELETE FROM retention_marks WHERE conversation_id < 9000").await;
    store.retention_step(&rules, None).await.unwrap();
    bench.execute("UPDATE retention_marks SET seq = 30, marked_at = 1").await;
    let from = conversation(11_000 + round * 300);
    assert!(store.retention_step(&rules, Some(from)).await.unwrap().removed > 0);

    // One in no group any more, after the time in which sessions may still send.
    let gone = user(7_000 + round);
    changes::last_words(bench, round, gone.get());
    export(bench, gone).await;
    assert!(store.delete_user(gone, None).await.unwrap());
    assert!(!store.deletions(10).await.unwrap().is_empty());
    store.groups_to_leave(100).await.unwrap();
    store.erase_step().await.unwrap();
    bench.execute(&format!("DELETE FROM members WHERE user_id = {gone}")).await;
    bench.execute("UPDATE deletions SET deleted_at = 1").await;
    let mut erased = 0;
    loop {
        let step = store.erase_step().await.unwrap();
        erased += step.erased;
        if !step.more {
            break;
        }
    }
    assert!(erased > 0);
}

async fn export(bench: &Bench, user: UserId) {
    let (mut from, mut rows) = (Some(ExportPosition::default()), 0);
    while let Some(at) = from {
        let page = bench.store.export_page(user, at, 500).await.unwrap();
        rows += page.0.len();
        from = page.1;
    }
    assert!(rows > 10);
}
