//! Reading: pages of logs, lists and members, and who may.

use ringwire_protocol::{ConversationId, Seq};
use ringwire_storage::append::{Append, Change};
use ringwire_storage::members::{MemberList, MembersPage};
use ringwire_storage::model::{CursorRow, HeadRow, HeadsAfter, HistoryWindow, LogPage, NewGroup};

use crate::support::{self, Backend, Bench, body, message, user};

on_both_also_sealed!(
    history_goes_both_ways_in_pages,
    history_is_read_around_an_entry,
    sync_goes_forwards_in_pages,
    z2_strangers_read_nothing,
    a_conversation_is_loaded_whole,
    the_list_of_conversations_is_paged_by_activity,
    lines_of_the_list_say_all_a_client_shows,
    a_session_snapshot_has_list_and_missed_entries,
    members_come_in_pages_with_their_cursors,
    own_messages_are_not_unread,
    unread_is_summed_over_the_whole_list,
    thousands_of_lines_are_listed_once_each,
);

fn seqs(page: &LogPage) -> Vec<Seq> {
    page.entries.iter().map(|entry| entry.seq).collect()
}

fn missing() -> ConversationId {
    ConversationId::new(999_999).unwrap()
}

async fn history_goes_both_ways_in_pages(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append((2..=10).map(|seq| message(id, seq)).collect());
    let read = async |window, limit| {
        bench.store.history_page(user(1), id, window, limit).await.unwrap().unwrap()
    };
    let page = async |before, limit| read(HistoryWindow::Before(before), limit).await;
    let newest = read(HistoryWindow::Newest, 4).await;
    assert_eq!(seqs(&newest), [7, 8, 9, 10]);
    assert_eq!((newest.head.seq, newest.floor_seq), (10, 1));
    assert_eq!(seqs(&page(7, 4).await), [3, 4, 5, 6]);
    assert_eq!(seqs(&page(3, 4).await), [1, 2]);
    assert_eq!(seqs(&page(1, 4).await), [] as [u64; 0]);
    assert_eq!(seqs(&page(u64::MAX, 2).await), [9, 10], "a made-up position does no harm");

    let page = async |after, limit| read(HistoryWindow::After(after), limit).await;
    assert_eq!(seqs(&page(0, 3).await), [1, 2, 3]);
    assert_eq!(seqs(&page(3, 3).await), [4, 5, 6]);
    assert_eq!(seqs(&page(9, 3).await), [10]);
    assert_eq!(seqs(&page(10, 3).await), [] as [u64; 0]);
    let beyond = page(u64::MAX, 3).await;
    assert_eq!((seqs(&beyond), beyond.head.seq), (vec![], 10));
}

async fn history_is_read_around_an_entry(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append((2..=10).map(|seq| message(id, seq)).collect());
    let page = async |seq, limit| {
        let window = HistoryWindow::Around(seq);
        bench.store.history_page(user(2), id, window, limit).await.unwrap().unwrap()
    };
    assert_eq!(seqs(&page(5, 5).await), [3, 4, 5, 6, 7]);
    assert_eq!(seqs(&page(5, 4).await), [4, 5, 6, 7]);
    assert_eq!(seqs(&page(5, 1).await), [5]);
    assert_eq!(seqs(&page(5, 2).await), [5, 6]);
    assert_eq!(seqs(&page(1, 5).await), [1, 2, 3]);
    assert_eq!(seqs(&page(10, 5).await), [8, 9, 10]);
    assert_eq!(seqs(&page(99, 5).await), [9, 10]);
    assert_eq!(seqs(&page(u64::MAX, 3).await), [10]);
}

async fn sync_goes_forwards_in_pages(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append((2..=6).map(|seq| message(id, seq)).collect());
    let page = async |after| bench.store.sync_page(user(2), id, after, 2).await.unwrap().unwrap();
    assert_eq!(seqs(&page(0).await), [1, 2]);
    assert_eq!(seqs(&page(4).await), [5, 6]);
    let none = page(6).await;
    assert_eq!((seqs(&none).len(), none.head.seq), (0, 6));
    assert_eq!(seqs(&page(u64::MAX).await).len(), 0);
}

async fn z2_strangers_read_nothing(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.users(3).await;
    let store = &bench.store;
    for (who, what) in [(user(3), id), (user(1), missing())] {
        assert!(
            store.history_page(who, what, HistoryWindow::Around(1), 10).await.unwrap().is_none()
        );
        assert!(store.sync_page(who, what, 0, 10).await.unwrap().is_none());
        let page = store.members_page(who, what, MemberList::Members, None, 10, 0).await.unwrap();
        assert_eq!(page, MembersPage::NotMember);
        assert!(store.heads(who, None, &[what], 10).await.unwrap().0.is_empty());
        let snapshot = store.session_snapshot(who, &[(what, 0)], 10, 10).await.unwrap();
        assert_eq!(snapshot.syncs, [None]);
    }
    assert!(store.load_tail(missing(), 0, 10).await.unwrap().is_none());
    assert!(store.load_conversation(missing(), 10).await.unwrap().is_none());
}

async fn a_conversation_is_loaded_whole(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    bench.append((2..=6).map(|seq| message(id, seq)).collect());
    let loaded = bench.store.load_conversation(id, 3).await.unwrap().unwrap();
    assert_eq!(loaded.recent.iter().map(|entry| entry.seq).collect::<Vec<_>>(), [4, 5, 6]);
    assert_eq!((loaded.head.seq, loaded.head.msg_no, loaded.floor_seq), (6, 5, 1));
    assert_eq!(loaded.members.len(), 2);
    let bare = bench.store.load_conversation(id, 0).await.unwrap().unwrap();
    assert_eq!((bare.recent.len(), bare.head.seq), (0, 6));
}

/// Direct conversations of user 1 with users 2 to 8, opened at the times 2 to 8, but 7 and 8 at once.
async fn seven_conversations(bench: &Bench) -> Vec<ConversationId> {
    bench.users(8).await;
    let mut ids = Vec::new();
    for number in 2..=8 {
        let at = number.min(7) as i64;
        let opened = bench.store.open_direct(user(1), user(number), at, body("")).await.unwrap();
        ids.push(opened.0);
    }
    ids
}

async fn the_list_of_conversations_is_paged_by_activity(backend: Backend) {
    let bench = Bench::new(backend).await;
    let ids = seven_conversations(&bench).await;
    let mut listed = Vec::new();
    let mut after = None;
    let mut pages = 0;
    loop {
        let (page, more) = bench.store.heads(user(1), after, &[], 3).await.unwrap();
        pages += 1;
        after = page.last().map(|line| HeadsAfter {
            last_activity_at: line.last_activity_at,
            conversation_id: line.conversation_id,
        });
        listed.extend(page.iter().map(|line| line.conversation_id));
        if !more {
            break;
        }
    }
    let newest_first: Vec<_> = ids.iter().rev().copied().collect();
    assert_eq!((listed, pages), (newest_first, 3));

    let only = [ids[5], ids[0], missing()];
    let (some, more) = bench.store.heads(user(1), None, &only, 10).await.unwrap();
    let some: Vec<_> = some.iter().map(|line| line.conversation_id).collect();
    assert_eq!((some, more), (vec![ids[5], ids[0]], false));
}

async fn lines_of_the_list_say_all_a_client_shows(backend: Backend) {
    let bench = Bench::new(backend).await;
    let direct = bench.direct().await;
    bench.append(vec![message(direct, 2), message(direct, 3)]);
    let (group, _) = bench.store.create_group(support::group(1, &[2]), 5_000).await.unwrap();
    let (lines, more) = bench.store.heads(user(2), None, &[], 10).await.unwrap();
    assert!(!more);
    let [first, second] = lines.as_slice() else { panic!("two lines: {lines:?}") };

    assert_eq!(first.conversation_id, group);
    assert_eq!((first.created_at, first.member_count), (5_000, 2));
    assert_eq!(first.settings, body("settings"));
    assert!(first.users.is_empty());

    assert_eq!(second.conversation_id, direct);
    assert_eq!((second.head.seq, second.head.msg_no, second.unread()), (3, 2, 2));
    assert_eq!(second.last_entry.as_ref().map(|entry| &entry.body), Some(&body("text 3")));
    let names: Vec<_> = second.users.iter().map(|row| row.username.as_str()).collect();
    assert_eq!(names, ["name1", "name2"]);
}

async fn a_session_snapshot_has_list_and_missed_entries(backend: Backend) {
    let bench = Bench::new(backend).await;
    let ids = seven_conversations(&bench).await;
    bench.append((2..=9).map(|seq| message(ids[0], seq)).collect());
    let cursors = [(ids[1], 1), (missing(), 0), (ids[0], 3), (ids[0], 9)];
    let snapshot = bench.store.session_snapshot(user(1), &cursors, 5, 4).await.unwrap();
    assert_eq!((snapshot.heads.len(), snapshot.more_heads), (5, true));
    let missed: Vec<_> = snapshot
        .syncs
        .iter()
        .map(|page| page.as_ref().map(|page| (seqs(page), page.head.seq)))
        .collect();
    let expected = [Some((vec![], 1)), None, Some((vec![4, 5, 6, 7], 9)), Some((vec![], 9))];
    assert_eq!(missed, expected);
    let nothing = bench.store.session_snapshot(user(1), &[], 10, 10).await.unwrap();
    assert_eq!((nothing.heads.len(), nothing.syncs.len()), (7, 0));
}

async fn members_come_in_pages_with_their_cursors(backend: Backend) {
    let bench = Bench::new(backend).await;
    bench.users(5).await;
    let group = support::group(3, &[1, 2, 4, 5]);
    let (id, _) = bench.store.create_group(group, 1_000).await.unwrap();
    bench.append(vec![message(id, 2)]);
    let cursor = CursorRow { conversation_id: id, user_id: user(2), read_seq: 1, delivered_seq: 2 };
    bench.store.save_cursors(&[cursor]).await.unwrap();
    let list = MemberList::Members;
    let page = bench.store.members_page(user(1), id, list, None, 3, 0).await.unwrap();
    let MembersPage::Page { members: page, more: true } = page else { panic!("{page:?}") };
    let listed: Vec<_> = page
        .iter()
        .map(|line| (line.user.username.as_str(), line.read_seq, line.delivered_seq))
        .collect();
    assert_eq!(listed, [("name1", 0, 0), ("name2", 1, 2), ("name3", 0, 0)]);
    let rest = bench.store.members_page(user(1), id, list, Some(user(3)), 3, 0).await.unwrap();
    let MembersPage::Page { members, more } = rest else { panic!("{rest:?}") };
    let rest: Vec<_> = members.iter().map(|line| line.member.user_id).collect();
    assert_eq!((rest, more), (vec![user(4), user(5)], false));
}

async fn own_messages_are_not_unread(backend: Backend) {
    let bench = Bench::new(backend).await;
    let id = bench.direct().await;
    // Three of user 1, one of user 2, two more of user 1; no cursor was ever written.
    let by = |seq, number| Append { sender_id: Some(user(number)), ..message(id, seq) };
    bench.append((2..=7).map(|seq| by(seq, if seq == 5 { 2 } else { 1 })).collect());
    let line =
        async |number| bench.store.heads(user(number), None, &[], 1).await.unwrap().0.remove(0);
    let own = line(1).await;
    assert_eq!((own.unread(), own.read_seq, own.read_msg_no), (0, 7, 6));
    let other = line(2).await;
    assert_eq!((other.unread(), other.read_seq, other.read_msg_no), (2, 5, 4));

    // A cursor further on counts; one further back does not hide what was said since.
    let cursor =
        |read_seq| CursorRow { conversation_id: id, user_id: user(2), read_seq, delivered_seq: 0 };
    bench.store.save_cursors(&[cursor(3)]).await.unwrap();
    assert_eq!(line(2).await.unread(), 2);
    bench.store.save_cursors(&[cursor(6)]).await.unwrap();
    let read = line(2).await;
    assert_eq!((read.unread(), read.read_seq), (1, 6));
    // Who reacts says nothing, and may have left unread what is before it.
    let react = Change::React { target_seq: 7, reaction: "+".into(), removed: false };
    let reacts = Append { sender_id: Some(user(2)), msg_no: 6, change: react, ..message(id, 8) };
    bench.append(vec![reacts]);
    let reacted = line(2).await;
    assert_eq!((reacted.unread(), reacted.read_seq), (1, 6));
}

async fn unread_is_summed_over_the_whole_list(backend: Backend) {
    let bench = Bench::new(backend).await;
    let ids = seven_conversations(&bench).await;
    for (number, id) in (2..).zip(&ids) {
        // The n-th has n messages, all of the other side but the last of every second.
        let mine = |seq| if number % 2 == 0 && seq == number + 1 { 1 } else { number };
        let by = |seq| Append { sender_id: Some(user(mine(seq))), ..message(*id, seq) };
        bench.append((2..=number + 1).map(by).collect());
    }
    let read =
        CursorRow { conversation_id: ids[1], user_id: user(1), read_seq: 2, delivered_seq: 0 };
    bench.store.save_cursors(&[read]).await.unwrap();
    let total = async |limit| {
        let list = bench.store.session_snapshot(user(1), &[], limit, 0).await.unwrap();
        let sum: u64 = list.heads.iter().map(HeadRow::unread).sum();
        (list.total_unread, sum)
    };
    // Odd ones count: 3, one of them read, and 5 and 7.
    assert_eq!(total(10).await, (14, 14));
    assert_eq!(total(1).await.0, 14, "lines that do not fit count too");
    let nobody = bench.store.session_snapshot(user(99), &[], 10, 0).await.unwrap();
    assert_eq!((nobody.total_unread, nobody.heads.len()), (0, 0));
}

/// Three thousand conversations, in two instants only.
async fn thousands_of_lines_are_listed_once_each(backend: Backend) {
    const LINES: u64 = 3_000;
    let bench = Bench::new(backend).await;
    bench.users(1).await;
    let mut expected = Vec::new();
    for number in 0..LINES {
        let group = NewGroup { client_msg_id: number.to_string(), ..support::group(1, &[]) };
        let at = (number % 2) as i64;
        expected.push((at, bench.store.create_group(group, at).await.unwrap().0));
    }
    expected.sort_unstable();
    expected.reverse();
    let mut listed = Vec::new();
    let mut after = None;
    loop {
        let (page, more) = bench.store.heads(user(1), after, &[], 200).await.unwrap();
        listed.extend(page.iter().map(|line| (line.last_activity_at, line.conversation_id)));
        after = page.last().map(|line| HeadsAfter {
            last_activity_at: line.last_activity_at,
            conversation_id: line.conversation_id,
        });
        if !more {
            break;
        }
    }
    assert_eq!(listed, expected);
}
