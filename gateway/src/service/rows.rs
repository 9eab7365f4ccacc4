//! Rows of the store as the schema has them.

use prost::Message as _;
use ringwire_protocol::wire;
use ringwire_storage::model::{EntryRow, HeadRow, LogPage, MemberProfile, UserRow};

use crate::conversation::entry::wire_entry;
use crate::limits;

pub(super) fn user(row: &UserRow) -> wire::User {
    wire::User {
        user_id: row.user_id.get(),
        username: row.username.clone(),
        display_name: row.display_name.clone(),
        avatar_url: row.avatar_url.clone(),
        color: String::new(),
    }
}

pub(super) fn head(row: &HeadRow) -> wire::Head {
    let settings = wire::GroupSettings::decode(row.settings.clone()).unwrap_or_default();
    wire::Head {
        conversation: Some(wire::Conversation {
            conversation_id: row.conversation_id.get(),
            kind: row.kind as i32,
            settings: Some(settings),
            member_count: row.member_count,
            role: row.role as i32,
            created_at: row.created_at,
            users: row.users.iter().map(user).collect(),
        }),
        head_seq: row.head.seq,
        msg_no: row.head.msg_no,
        last_activity_at: row.last_activity_at,
        last_entry: row.last_entry.as_ref().map(wire_entry),
        unread: row.unread(),
        mentions_unread: 0,
        read_seq: row.read_seq,
        delivered_seq: row.delivered_seq,
    }
}

pub(super) fn heads(rows: &[HeadRow], more: bool) -> wire::HeadsPage {
    let next_page_token = match rows.last() {
        Some(last) if more => format!("{}.{}", last.last_activity_at, last.conversation_id),
        _ => String::new(),
    };
    wire::HeadsPage { heads: rows.iter().map(head).collect(), next_page_token }
}

pub(super) fn member(row: &MemberProfile) -> wire::Member {
    wire::Member {
        user: Some(user(&row.user)),
        role: row.member.role as i32,
        joined_at: row.member.joined_at,
        muted_until: row.member.muted_until,
        read_seq: row.read_seq,
        delivered_seq: row.delivered_seq,
    }
}

/// As many entries as one reply may carry, at least one.
pub(super) fn within_budget<'a>(
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
pub(super) fn trimmed_floor(page: &LogPage, after_seq: u64) -> u64 {
    if after_seq + 1 < page.floor_seq { page.floor_seq } else { 0 }
}
