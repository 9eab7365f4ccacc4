//! Columns to rows. The column lists and the readers belong together: each reader starts at a column offset.

use ringwire_protocol::{ConversationId, UserId};
use rusqlite::Row;
use rusqlite::types::Type;

use crate::encryption::{BodyKeys, Place};
use crate::model::{ConversationKind, EntryMarks, EntryRow, MemberRow, Role, UserRow};
use crate::presence::Visibility;
use crate::profiles::ProfileRow;

/// What [`entry`] reads, of table `e`.
pub(super) const ENTRY: &str = "e.conversation_id, e.seq, e.msg_no, e.sender_id, e.created_at, \
     e.client_msg_id, e.command_hash, e.body, e.key_id, e.body_version, e.edited_at, e.recalled_at";
/// How many columns that is.
pub(super) const ENTRY_WIDTH: usize = 12;

/// What [`user`] reads, of table `u`.
pub(super) const USER: &str = "u.id, u.username, u.display_name, u.avatar_url, u.color, \
     u.created_at";
/// How many columns that is.
pub(super) const USER_WIDTH: usize = 6;

/// What [`profile`] reads, of table `u`; the first parameter is who looks.
pub(super) const PROFILE: &str = "u.id, u.username, u.display_name, u.avatar_url, u.color, \
     u.created_at, CASE WHEN EXISTS (SELECT 1 FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = ?1) \
     THEN '' ELSE u.status_text END";
/// How many columns that is.
pub(super) const PROFILE_WIDTH: usize = USER_WIDTH + 1;

/// What [`member`] reads, of table `m`.
pub(super) const MEMBER: &str = "m.user_id, m.role, m.joined_at, m.muted_until";
/// How many columns that is.
pub(super) const MEMBER_WIDTH: usize = 4;

/// The entry with its body opened; one that does not open is reported and comes out damaged.
pub(super) fn entry(row: &Row<'_>, at: usize, keys: &BodyKeys) -> rusqlite::Result<EntryRow> {
    let place = Place {
        conversation_id: conversation_id(row, at)?,
        seq: number(row, at + 1)?,
        sender_id: UserId::new(number(row, at + 3)?),
        body_version: row.get(at + 9)?,
    };
    let stored = row.get_ref(at + 7)?.as_blob()?;
    let (body, damaged) = keys.open_or_report(&place, row.get(at + 8)?, stored);
    Ok(EntryRow {
        conversation_id: place.conversation_id,
        seq: place.seq,
        msg_no: number(row, at + 2)?,
        sender_id: place.sender_id,
        created_at: row.get(at + 4)?,
        client_msg_id: row.get(at + 5)?,
        command_hash: row.get(at + 6)?,
        marks: EntryMarks::of_row(row.get(at + 10)?, row.get(at + 11)?),
        body,
        damaged,
    })
}

pub(super) fn user(row: &Row<'_>, at: usize) -> rusqlite::Result<UserRow> {
    Ok(UserRow {
        user_id: user_id(row, at)?,
        username: row.get(at + 1)?,
        display_name: row.get(at + 2)?,
        avatar_url: row.get(at + 3)?,
        color: row.get(at + 4)?,
        created_at: row.get(at + 5)?,
    })
}

pub(super) fn profile(row: &Row<'_>, at: usize) -> rusqlite::Result<ProfileRow> {
    Ok(ProfileRow { user: user(row, at)?, status_text: row.get(at + USER_WIDTH)? })
}

pub(super) fn member(row: &Row<'_>, at: usize) -> rusqlite::Result<MemberRow> {
    Ok(MemberRow {
        user_id: user_id(row, at)?,
        role: role(row, at + 1)?,
        joined_at: row.get(at + 2)?,
        muted_until: row.get(at + 3)?,
    })
}

pub(super) fn user_id(row: &Row<'_>, at: usize) -> rusqlite::Result<UserId> {
    UserId::new(number(row, at)?).ok_or_else(|| damaged(at))
}

pub(super) fn conversation_id(row: &Row<'_>, at: usize) -> rusqlite::Result<ConversationId> {
    ConversationId::new(number(row, at)?).ok_or_else(|| damaged(at))
}

pub(super) fn role(row: &Row<'_>, at: usize) -> rusqlite::Result<Role> {
    Role::from_number(row.get(at)?).ok_or_else(|| damaged(at))
}

pub(super) fn kind(row: &Row<'_>, at: usize) -> rusqlite::Result<ConversationKind> {
    ConversationKind::from_number(row.get(at)?).ok_or_else(|| damaged(at))
}

pub(super) fn visibility(row: &Row<'_>, at: usize) -> rusqlite::Result<Visibility> {
    Visibility::from_number(row.get(at)?).ok_or_else(|| damaged(at))
}

/// A count or position: never negative.
pub(super) fn number(row: &Row<'_>, at: usize) -> rusqlite::Result<u64> {
    u64::try_from(row.get::<_, i64>(at)?).map_err(|_| damaged(at))
}

fn damaged(at: usize) -> rusqlite::Error {
    rusqlite::Error::InvalidColumnType(at, "value out of range".into(), Type::Integer)
}

/// A position from a peer as the database compares it.
pub(super) fn position(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// A list as one parameter, for `json_each`.
pub(super) fn json_list(numbers: impl Iterator<Item = i64>) -> String {
    let mut list = String::from("[");
    for number in numbers {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(&number.to_string());
    }
    list.push(']');
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_json() {
        assert_eq!(json_list([].into_iter()), "[]");
        assert_eq!(json_list([1, -2].into_iter()), "[1,-2]");
    }
}
