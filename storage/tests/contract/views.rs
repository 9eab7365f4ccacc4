//! What one reader sees of a log that others do not: hidden entries, own reactions, mentions; and the lists of people.

use ringwire_storage::StoreError;
use ringwire_storage::append::{Append, Change};
use ringwire_storage::members::{MemberList, MembersPage};
use ringwire_storage::model::{CursorRow, HistoryWindow, Role};
use ringwire_storage::views::Hidden;

use crate::support::{self, Backend, Bench, body, message, user};

on_both_also_sealed!(
    what_is_hidden_is_hidden_from_one_reader_alone,
    a_view_tells_its_changes_or_to_begin_anew,
    marks_come_with_every_page,
    unread_mentions_are_counted_once_and_not_those_of_oneself,
    a_conversation_is_loaded_with_its_state,
    only_admins_read_who_is_banned_or_asks,
    who_has_read_an_entry_is_counted_without_its_sender,
);

/// An entry behind `messages` messages that is none.
fn change(id: ringwire_protocol::ConversationId, seq: u64, by: u64, change: Change) -> Append {
    Append { msg_no: 2, sender_id: Some(user(by)), change, ..message(id, seq) }
}

fn hidden(view_no: u64, seqs: &[u64]) -> Hidden {
    Hidden { view_no, seqs: seqs.to_vec() }
}

async fn what_is_hidden_is_hidden_from_one_reader_alone(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.users(3).await;
    bench.append(vec![message(id, 2), message(id, 3), message(id, 4)]);
    let store = &bench.store;
    assert_eq!(store.hide(user(3), id, &[2]).await.unwrap(), None, "not a member");
    assert!(matches!(store.hide(user(9), id, &[2]).await, Err(StoreError::NoSuchUser)));
    assert_eq!(store.hide(user(2), id, &[3, 2, 3, 77]).await.unwrap(), Some(hidden(1, &[2, 3])));
    assert_eq!(store.hide(user(2), id, &[2]).await.unwrap(), Some(hidden(1, &[2])), "nothing new");
    assert_eq!(
        store.hide(user(2), id, &[77]).await.unwrap(),
        Some(hidden(1, &[])),
        "nothing there"
    );
    assert_eq!(store.hide(user(2), id, &[2, 4]).await.unwrap(), Some(hidden(2, &[2, 4])));

    let page = |reader| store.history_page(user(reader), id, HistoryWindow::Newest, 10);
    let hidden = |page: ringwire_storage::model::LogPage| -> Vec<(u64, bool)> {
        let told = page.entries.iter().filter(|e| e.marks.as_ref().is_some_and(|m| m.hidden));
        told.map(|entry| (entry.seq, entry.body.is_empty())).collect()
    };
    let by_two = hidden(page(2).await.unwrap().unwrap());
    assert_eq!(by_two, [(2, true), (3, true), (4, true)]);
    assert_eq!(hidden(page(1).await.unwrap().unwrap()), []);
    let owner = store.load_tail(id, 0, 10).await.unwrap().unwrap();
    assert_eq!(hidden(owner), [], "the owner shard's view is everybody's");
    let heads = store.heads(user(2), None, &[], 5).await.unwrap().0;
    assert!(heads[0].last_entry.as_ref().unwrap().body.is_empty());
}

async fn a_view_tells_its_changes_or_to_begin_anew(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append((2..=6).map(|seq| message(id, seq)).collect());
    let store = &bench.store;
    for seqs in [&[2, 3][..], &[5], &[4]] {
        store.hide(user(1), id, seqs).await.unwrap();
    }
    let told = store.view_changes(user(1), 1, 10).await.unwrap();
    let changes: Vec<_> = told.changes.iter().map(|c| (c.view_no, c.seqs.clone())).collect();
    assert_eq!((told.view_no, told.reset, changes), (3, false, vec![(2, vec![5]), (3, vec![4])]));
    assert!(
        store.view_changes(user(1), 0, 3).await.unwrap().reset,
        "four entries are more than three"
    );
    assert!(
        store.view_changes(user(1), 4, 10).await.unwrap().reset,
        "a number of another database"
    );
    let none = store.view_changes(user(2), 0, 10).await.unwrap();
    assert_eq!((none.view_no, none.reset, none.changes.len()), (0, false, 0));
}

async fn marks_come_with_every_page(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append(vec![message(id, 2), message(id, 3)]);
    let react = |seq, by, reaction: &str| {
        let reaction = reaction.into();
        change(id, seq, by, Change::React { target_seq: 2, reaction, removed: false })
    };
    let edit = Change::Edit { target_seq: 3, body: body("new"), files: Vec::new() };
    bench.append(vec![
        react(4, 1, "b"),
        react(5, 2, "b"),
        react(6, 2, "a"),
        react(7, 2, "b"),
        change(id, 8, 1, edit),
    ]);
    let store = &bench.store;
    let snapshot = store.session_snapshot(user(1), &[(id, 1)], 5, 10).await.unwrap();
    let synced = snapshot.syncs[0].as_ref().unwrap().entries.clone();
    let page = store.sync_page(user(1), id, 1, 10).await.unwrap().unwrap();
    assert_eq!(synced, page.entries);
    let reactions = |entry: &ringwire_storage::model::EntryRow| -> Vec<(String, u32, bool)> {
        let marks = entry.marks.as_ref().unwrap();
        marks.reactions.iter().map(|r| (r.reaction.clone(), r.count, r.own)).collect()
    };
    assert_eq!(reactions(&synced[0]), [("b".into(), 2, true), ("a".into(), 1, false)]);
    let marks = synced[1].marks.as_ref().unwrap();
    assert_eq!((synced[1].body.clone(), marks.edited_at), (body("new"), 1_008));
    assert!(synced[2].marks.is_none());
    let owner = store.load_conversation(id, 10).await.unwrap().unwrap();
    assert_eq!(reactions(&owner.recent[1]), [("b".into(), 2, false), ("a".into(), 1, false)]);
}

async fn unread_mentions_are_counted_once_and_not_those_of_oneself(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    let says = |seq, by, users: &[u64], all| Append {
        sender_id: Some(user(by)),
        change: Change::Mention { users: users.iter().map(|&u| user(u)).collect(), all },
        ..message(id, seq)
    };
    bench.append(vec![
        says(2, 1, &[2], false),
        says(3, 1, &[1, 2, 77], true),
        says(4, 2, &[], true),
        says(5, 1, &[2, 2], false),
        says(6, 1, &[1], false),
    ]);
    let store = &bench.store;
    let unread = async |reader| {
        let heads = store.heads(user(reader), None, &[id], 5).await.unwrap().0;
        heads[0].mentions_unread
    };
    // Behind what user 2 said last, which they have read.
    assert_eq!((unread(1).await, unread(2).await), (0, 1));
    store.hide(user(2), id, &[5]).await.unwrap();
    assert_eq!(unread(2).await, 0, "what is hidden is not to be read");
    let rows = bench.numbers("SELECT user_id FROM mentions ORDER BY seq, user_id").await;
    assert_eq!(rows, [2, 0, 0, 2], "no row of nobody, of oneself, or besides everyone");
}

async fn a_conversation_is_loaded_with_its_state(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(5).await;
    let (id, _) = bench.store.create_group(support::group(1, &[2]), 1_000).await.unwrap();
    bench.append(vec![message(id, 2), message(id, 3)]);
    bench.append(vec![
        change(id, 4, 1, Change::Pin { target_seq: 3, removed: false }),
        change(id, 5, 1, Change::Pin { target_seq: 2, removed: false }),
        change(id, 6, 1, Change::Ban { user_id: user(3), until: 9_000 }),
        change(id, 7, 4, Change::RequestJoin { text: "please".into() }),
        change(id, 8, 1, Change::Mute { user_id: None, until: 7_000 }),
        change(id, 9, 1, Change::Mute { user_id: Some(user(2)), until: 8_000 }),
    ]);
    let state = bench.store.load_conversation(id, 5).await.unwrap().unwrap().state;
    assert_eq!((state.muted_until, state.blocked), (7_000, false));
    assert_eq!((state.bans, state.requests), (vec![(user(3), 9_000)], vec![user(4)]));
    assert_eq!(state.pins, [3, 2], "oldest pin first");
    let head = bench.store.heads(user(2), None, &[], 5).await.unwrap().0.remove(0);
    assert_eq!((head.muted_until, head.own_muted_until), (7_000, 8_000));
    assert_eq!(head.pins, [3, 2]);

    let (direct, _) = bench.store.open_direct(user(1), user(2), 1, body("")).await.unwrap();
    bench.store.add_block(user(2), user(1), 5).await.unwrap();
    assert!(bench.store.load_conversation(direct, 5).await.unwrap().unwrap().state.blocked);
}

async fn only_admins_read_who_is_banned_or_asks(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(5).await;
    let (id, _) = bench.store.create_group(support::group(1, &[2, 3]), 1_000).await.unwrap();
    bench.append(vec![message(id, 2), message(id, 3)]);
    let admin = Change::SetRole { user_id: user(2), role: Role::Admin, former_owner_id: None };
    bench.append(vec![
        change(id, 4, 1, admin),
        change(id, 5, 1, Change::Ban { user_id: user(4), until: 9_000 }),
        change(id, 6, 5, Change::RequestJoin { text: "please".into() }),
    ]);
    let page = async |reader, list| {
        bench.store.members_page(user(reader), id, list, None, 10, 0).await.unwrap()
    };
    for list in [MemberList::Banned, MemberList::Requests] {
        assert_eq!(page(3, list).await, MembersPage::NotAllowed);
        assert_eq!(page(4, list).await, MembersPage::NotMember);
    }
    for admin in [1, 2] {
        let MembersPage::Page { members, more: false } = page(admin, MemberList::Banned).await
        else {
            panic!("no page")
        };
        assert_eq!((members[0].user.user_id, members[0].banned_until), (user(4), 9_000));
        let MembersPage::Page { members, .. } = page(admin, MemberList::Requests).await else {
            panic!("no page")
        };
        let wish = (members[0].user.user_id, members[0].requested_at, &*members[0].request_text);
        assert_eq!(wish, (user(5), 1_006, "please"));
    }
    // A ban that is over is none.
    let over = bench.store.members_page(user(1), id, MemberList::Banned, None, 10, 9_000);
    let MembersPage::Page { members, more: false } = over.await.unwrap() else { panic!("no page") };
    assert_eq!(members, []);
    // Whoever joins has nothing to ask for any more.
    bench.append(vec![change(id, 7, 1, Change::Join(vec![user(5)]))]);
    let MembersPage::Page { members, .. } = page(1, MemberList::Requests).await else {
        panic!("no page")
    };
    assert_eq!(members, []);
}

async fn who_has_read_an_entry_is_counted_without_its_sender(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(6).await;
    let (id, _) = bench.store.create_group(support::group(1, &[2, 3, 4]), 1_000).await.unwrap();
    bench.append(vec![message(id, 2), message(id, 3)]);
    let moved = |number, read_seq, delivered_seq| CursorRow {
        conversation_id: id,
        user_id: user(number),
        read_seq,
        delivered_seq,
    };
    let cursors = [moved(1, 3, 3), moved(2, 3, 3), moved(3, 2, 3), moved(4, 1, 2)];
    bench.store.save_cursors(&cursors).await.unwrap();
    let store = &bench.store;
    let of_two = store.read_by(user(4), id, 2, None, 1).await.unwrap().unwrap();
    assert_eq!((of_two.read_count, of_two.delivered_count), (2, 3));
    assert_eq!((of_two.users, of_two.more), (vec![user(2)], true));
    let rest = store.read_by(user(4), id, 2, Some(user(2)), 5).await.unwrap().unwrap();
    assert_eq!((rest.users, rest.more), (vec![user(3)], false));
    assert!(store.read_by(user(5), id, 2, None, 5).await.unwrap().is_none(), "no member");
    // Whoever joins later was not there, though their cursor begins behind the entry.
    let join = Change::Join(vec![user(5), user(6)]);
    bench.append(vec![change(id, 4, 1, join), Append { msg_no: 3, ..message(id, 5) }]);
    let later = store.read_by(user(5), id, 2, None, 5).await.unwrap().unwrap();
    assert_eq!((later.read_count, later.delivered_count), (2, 3));
    assert_eq!((later.users, later.more), (vec![user(2), user(3)], false));
    store.save_cursors(&[moved(5, 5, 5)]).await.unwrap();
    let new = store.read_by(user(1), id, 5, None, 5).await.unwrap().unwrap();
    assert_eq!((new.read_count, new.delivered_count, new.users), (1, 1, vec![user(5)]));
    let none = store.read_by(user(1), id, 99, None, 5).await.unwrap().unwrap();
    assert!(new.exists && !none.exists);
    assert_eq!((none.read_count, none.delivered_count, none.users), (0, 0, vec![]));
}
