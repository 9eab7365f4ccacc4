//! Rows of the store as the schema has them. Pure, so that other stores than the real one can be told alike.

use std::cmp::Reverse;
use std::collections::HashMap;

use prost::Message as _;
use ringwire_protocol::{ConversationId, Seq, UnixMs, wire};
use ringwire_storage::model::{
    ConversationKind, EntryRow, HeadRow, HistoryWindow, LogPage, MemberProfile, Role,
    SessionSnapshot, UserRow,
};
use ringwire_storage::views::ViewChanges;

use crate::command::key::CommandKey;
use crate::conversation::entry::wire_entry;
use crate::conversation::settings;
use crate::limits;
use crate::permissions::{Caller, Operation, Verdict};
use crate::session::opening::Opened;

/// A user as others see them.
pub fn user(row: &UserRow) -> wire::User {
    wire::User {
        user_id: row.user_id.get(),
        username: row.username.clone(),
        display_name: row.display_name.clone(),
        avatar_url: row.avatar_url.clone(),
        color: row.color.clone(),
    }
}

/// Until when something keeps somebody from something, if it still does.
fn ahead(until: UnixMs, now: UnixMs) -> UnixMs {
    if until > now { until } else { 0 }
}

/// One line of a user's list as of `now`; `key` makes the join code.
pub fn head(row: &HeadRow, key: &CommandKey, now: UnixMs) -> wire::Head {
    let settings = wire::GroupSettings::decode(row.settings.clone()).unwrap_or_default();
    let may_invite = may_invite(row, &settings);
    let settings = settings::shown(settings, row.conversation_id, key, may_invite);
    wire::Head {
        conversation: Some(wire::Conversation {
            conversation_id: row.conversation_id.get(),
            kind: row.kind as i32,
            settings: Some(settings),
            member_count: row.member_count,
            role: row.role as i32,
            created_at: row.created_at,
            users: row.users.iter().map(user).collect(),
            pinned_seqs: row.pins.clone(),
            muted_until: ahead(row.muted_until, now),
            own_muted_until: ahead(row.own_muted_until, now),
        }),
        head_seq: row.head.seq,
        msg_no: row.head.msg_no,
        last_activity_at: row.last_activity_at,
        last_entry: row.last_entry.as_ref().map(wire_entry),
        unread: row.unread(),
        mentions_unread: row.mentions_unread,
        read_seq: row.read_seq,
        delivered_seq: row.delivered_seq,
    }
}

fn may_invite(row: &HeadRow, settings: &wire::GroupSettings) -> bool {
    let caller = match (row.kind, row.role) {
        (ConversationKind::Direct, _) => Caller::Direct,
        (_, Role::Owner) => Caller::Owner,
        (_, Role::Admin) => Caller::Admin,
        (_, Role::Member) => Caller::Member,
    };
    match Operation::Invite.verdict(caller, None) {
        Verdict::IfMembersMayInvite => settings.members_may_invite == Some(true),
        verdict => verdict == Verdict::Yes,
    }
}

pub(super) fn heads(
    rows: &[HeadRow],
    more: bool,
    key: &CommandKey,
    now: UnixMs,
) -> wire::HeadsPage {
    let next_page_token = match rows.last() {
        Some(last) if more => format!("{}.{}", last.last_activity_at, last.conversation_id),
        _ => String::new(),
    };
    wire::HeadsPage {
        heads: rows.iter().map(|row| head(row, key, now)).collect(),
        next_page_token,
        total_unread: None,
    }
}

/// The first page of the whole list; `key` makes join codes.
pub fn first_heads(list: &SessionSnapshot, key: &CommandKey, now: UnixMs) -> wire::HeadsPage {
    let page = heads(&list.heads, list.more_heads, key, now);
    wire::HeadsPage { total_unread: Some(list.total_unread), ..page }
}

/// What `sync` is answered.
pub fn sync(id: ConversationId, after: Seq, page: &LogPage) -> wire::SyncPage {
    let entries: Vec<_> = within_budget(page.entries.iter()).map(wire_entry).collect();
    wire::SyncPage {
        conversation_id: id.get(),
        head_seq: page.head.seq,
        more: entries.last().is_some_and(|last| last.seq < page.head.seq),
        entries,
        trimmed_floor: trimmed_floor(page, after),
    }
}

/// What `history` is answered.
pub fn history(id: ConversationId, window: HistoryWindow, page: &LogPage) -> wire::HistoryPage {
    let entries = window_within_budget(window, &page.entries);
    let (older, newer) = match (entries.first(), entries.last()) {
        (Some(first), Some(last)) => (first.seq > page.floor_seq, last.seq < page.head.seq),
        // Nothing where it was asked for: what there is lies on the other side.
        _ => match window {
            HistoryWindow::After(_) => (true, false),
            HistoryWindow::Around(seq) => (seq > page.floor_seq, seq < page.head.seq),
            HistoryWindow::Newest | HistoryWindow::Before(_) => (false, true),
        },
    };
    wire::HistoryPage {
        conversation_id: id.get(),
        entries: entries.iter().map(wire_entry).collect(),
        head_seq: page.head.seq,
        more: older,
        newer,
        trimmed_floor: if page.floor_seq > 1 { page.floor_seq } else { 0 },
    }
}

/// As many entries as one reply may carry, at least one, beginning where the window was asked for.
fn window_within_budget(window: HistoryWindow, rows: &[EntryRow]) -> &[EntryRow] {
    let middle = match window {
        HistoryWindow::Newest | HistoryWindow::Before(_) => rows.len(),
        HistoryWindow::After(_) => 0,
        HistoryWindow::Around(seq) => rows.partition_point(|row| row.seq < seq),
    };
    let (mut start, mut end, mut bytes) = (middle, middle, 0);
    loop {
        // The side that is behind, unless it is at its end.
        let later = end < rows.len() && (start == 0 || end - middle <= middle - start);
        let next = if later { rows.get(end) } else { start.checked_sub(1).map(|at| &rows[at]) };
        let Some(next) = next else { return &rows[start..end] };
        bytes += next.body.len().max(1);
        if bytes > limits::PAGE_BYTES && start < end {
            return &rows[start..end];
        }
        if later { end += 1 } else { start -= 1 }
    }
}

pub(super) fn member(row: &MemberProfile, now: UnixMs) -> wire::Member {
    wire::Member {
        user: Some(user(&row.user)),
        role: row.member.role as i32,
        joined_at: row.member.joined_at,
        muted_until: ahead(row.member.muted_until, now),
        read_seq: row.read_seq,
        delivered_seq: row.delivered_seq,
        banned_until: row.banned_until,
        requested_at: row.requested_at,
        request_text: row.request_text.clone(),
    }
}

/// What a session begins with. `cursors` are those that the snapshot was asked for.
pub fn opened(
    profile: &UserRow,
    cursors: &[(ConversationId, Seq)],
    snapshot: &SessionSnapshot,
    key: &CommandKey,
    now: UnixMs,
) -> Opened {
    let mut covered: HashMap<ConversationId, Seq> =
        snapshot.heads.iter().map(|row| (row.conversation_id, row.head.seq)).collect();
    let mut missed = Vec::new();
    let mut sync: Vec<_> = cursors
        .iter()
        .map(|(id, _)| wire::SyncState {
            conversation_id: id.get(),
            not_member: true,
            ..Default::default()
        })
        .collect();
    // Where something happened last is served first: not all may find room.
    let pages = cursors.iter().zip(&snapshot.syncs).zip(&mut sync);
    let mut pages: Vec<_> =
        pages.filter_map(|((cursor, page), state)| Some((cursor, page.as_ref()?, state))).collect();
    pages.sort_by_key(|(_, page, _)| Reverse(page.head.created_at));
    for ((id, seq), page, state) in pages {
        covered.insert(*id, page.head.seq);
        let room = limits::CONNECT_SYNC_TOTAL.saturating_sub(missed.len());
        let pushed: Vec<_> = within_budget(page.entries.iter()).take(room).collect();
        missed.extend(pushed.iter().copied().map(wire_entry));
        *state = wire::SyncState {
            conversation_id: id.get(),
            head_seq: page.head.seq,
            pushed_seq: pushed.last().map_or((*seq).min(page.head.seq), |row| row.seq),
            trimmed_floor: trimmed_floor(page, *seq),
            not_member: false,
        };
    }
    let view = ViewChanges::default();
    Opened {
        user: user(profile),
        heads: first_heads(snapshot, key, now),
        sync,
        missed,
        view,
        covered,
    }
}

/// As many entries as one reply may carry, at least one.
fn within_budget<'a>(
    rows: impl Iterator<Item = &'a EntryRow>,
) -> impl Iterator<Item = &'a EntryRow> {
    let mut bytes = 0;
    rows.take_while(move |row| {
        let first = bytes == 0;
        bytes += row.body.len().max(1);
        first || bytes <= limits::PAGE_BYTES
    })
}

/// The floor to tell, where a cursor lies below what retention has left; 0 otherwise.
fn trimmed_floor(page: &LogPage, after_seq: u64) -> u64 {
    if after_seq.saturating_add(1) < page.floor_seq { page.floor_seq } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ringwire_protocol::UserId;
    use ringwire_storage::model::LogHead;

    /// Entries `first` to `last` of a log of ten, with bodies of so many bytes.
    fn page(first: u64, last: u64, bytes: usize, floor_seq: u64) -> LogPage {
        let row = |seq| EntryRow {
            conversation_id: id(),
            seq,
            msg_no: seq,
            sender_id: None,
            created_at: 0,
            client_msg_id: String::new(),
            body: vec![0; bytes].into(),
            damaged: false,
            marks: None,
            command_hash: 0,
        };
        let head = LogHead { seq: 10, msg_no: 10, created_at: 0 };
        LogPage { entries: (first..=last).map(row).collect(), head, floor_seq }
    }

    fn id() -> ConversationId {
        ConversationId::new(7).unwrap()
    }

    #[test]
    fn what_is_over_is_not_told() {
        assert_eq!((ahead(0, 5), ahead(4, 5), ahead(5, 5), ahead(6, 5)), (0, 0, 0, 6));
    }

    #[test]
    fn where_something_happened_last_is_served_first() {
        let cursors: Vec<_> = (1..=4).map(|id| (ConversationId::new(id).unwrap(), 0)).collect();
        let each = limits::CONNECT_SYNC_TOTAL as u64 / 2;
        let of = |place: usize| {
            let mut page = page(1, each, 1, 1);
            page.head = LogHead { seq: each, msg_no: each, created_at: [5, 9, 0, 7][place] };
            page.entries.iter_mut().for_each(|row| row.conversation_id = cursors[place].0);
            (place != 2).then_some(page)
        };
        let snapshot = SessionSnapshot {
            heads: Vec::new(),
            more_heads: false,
            total_unread: 0,
            syncs: (0..4).map(of).collect(),
        };
        let user = UserRow {
            user_id: UserId::new(1).unwrap(),
            username: String::new(),
            display_name: String::new(),
            avatar_url: String::new(),
            color: String::new(),
            created_at: 0,
        };
        let opened = opened(&user, &cursors, &snapshot, &CommandKey::new([0; 16]), 0);
        let told: Vec<_> = opened.sync.iter().map(|s| (s.conversation_id, s.pushed_seq)).collect();
        assert_eq!(told, [(1, 0), (2, each), (3, 0), (4, each)], "in the order asked");
        assert!(opened.sync[2].not_member);
        let order: Vec<_> = opened.missed.iter().map(|entry| entry.conversation_id).collect();
        assert_eq!(order.first().zip(order.last()), Some((&2, &4)));
    }

    fn seqs(window: HistoryWindow, page: &LogPage) -> Vec<u64> {
        history(id(), window, page).entries.iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn a_page_ends_with_its_bytes_and_begins_where_it_was_asked_for() {
        use HistoryWindow::{After, Around, Before, Newest};
        // Four fit.
        let rows = page(1, 9, limits::PAGE_BYTES / 4, 1);
        assert_eq!(seqs(Newest, &rows), [6, 7, 8, 9]);
        assert_eq!(seqs(Before(10), &rows), [6, 7, 8, 9]);
        assert_eq!(seqs(After(0), &rows), [1, 2, 3, 4]);
        assert_eq!(seqs(Around(5), &rows), [3, 4, 5, 6], "both sides, and no gap");
        assert_eq!(seqs(Around(1), &rows), [1, 2, 3, 4]);
        assert_eq!(seqs(Around(9), &rows), [6, 7, 8, 9]);
        let large = page(1, 9, limits::PAGE_BYTES + 1, 1);
        assert_eq!(seqs(Around(5), &large), [5], "at least one");
        assert_eq!(seqs(Before(5), &large), [9]);
        assert_eq!(seqs(After(0), &large), [1]);
    }

    #[test]
    fn the_floor_is_told_and_is_where_older_entries_end() {
        let tell = |window, rows: &LogPage| {
            let told = history(id(), window, rows);
            (told.more, told.newer, told.trimmed_floor)
        };
        assert_eq!(tell(HistoryWindow::Before(7), &page(4, 6, 1, 4)), (false, true, 4));
        assert_eq!(tell(HistoryWindow::Before(7), &page(5, 6, 1, 4)), (true, true, 4));
        assert_eq!(tell(HistoryWindow::Around(2), &page(4, 6, 1, 4)), (false, true, 4));
        assert_eq!(tell(HistoryWindow::Newest, &page(8, 10, 1, 1)), (true, false, 0));
        assert_eq!(trimmed_floor(&page(4, 6, 1, 4), 2), 4);
        assert_eq!(trimmed_floor(&page(4, 6, 1, 4), 3), 0);
        assert_eq!(trimmed_floor(&page(4, 6, 1, 4), u64::MAX), 0);
        let nothing = LogPage { entries: Vec::new(), ..page(1, 1, 1, 4) };
        assert_eq!(tell(HistoryWindow::Before(4), &nothing), (false, true, 4));
        assert_eq!(tell(HistoryWindow::After(10), &nothing), (true, false, 4));
        assert_eq!(tell(HistoryWindow::Around(u64::MAX), &nothing), (true, false, 4));
    }
}
