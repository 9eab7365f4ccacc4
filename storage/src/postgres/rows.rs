//! Columns to rows. The column lists and the readers belong together: each reader starts at a column offset.

use bytes::Bytes;
use ringwire_protocol::{ConversationId, UserId};
use tokio_postgres::Row;

use crate::encryption::{BodyKeys, Place};
use crate::error::StoreError;
use crate::model::{ConversationKind, EntryMarks, EntryRow, LogHead, MemberRow, Role, UserRow};
use crate::presence::Visibility;
use crate::profiles::ProfileRow;
use crate::refresh::FamilyId;

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
     u.created_at, CASE WHEN EXISTS (SELECT FROM blocks b WHERE b.user_id = u.id AND b.blocked_id = $1) \
     THEN '' ELSE u.status_text END";
/// How many columns that is.
pub(super) const PROFILE_WIDTH: usize = USER_WIDTH + 1;

/// What [`member`] reads, of table `m`.
pub(super) const MEMBER: &str = "m.user_id, m.role, m.joined_at, m.muted_until";
/// How many columns that is.
pub(super) const MEMBER_WIDTH: usize = 4;

/// The entry with its body opened; one that does not open is reported and comes out damaged.
pub(super) fn entry(row: &Row, at: usize, keys: &BodyKeys) -> Result<EntryRow, StoreError> {
    let place = Place {
        conversation_id: conversation_id(row, at)?,
        seq: number(row, at + 1)?,
        sender_id: UserId::new(number(row, at + 3)?),
        body_version: body_version(row, at + 9)?,
    };
    let (body, damaged) = keys.open_or_report(&place, row.try_get(at + 8)?, row.try_get(at + 7)?);
    Ok(EntryRow {
        conversation_id: place.conversation_id,
        seq: place.seq,
        msg_no: number(row, at + 2)?,
        sender_id: place.sender_id,
        created_at: row.try_get(at + 4)?,
        client_msg_id: row.try_get(at + 5)?,
        command_hash: row.try_get(at + 6)?,
        marks: EntryMarks::of_row(row.try_get(at + 10)?, row.try_get(at + 11)?),
        body,
        damaged,
    })
}

pub(super) fn body_version(row: &Row, at: usize) -> Result<u32, StoreError> {
    u32::try_from(row.try_get::<_, i16>(at)?).map_err(|_| damaged("a body's version"))
}

/// A position, its message count and its time.
pub(super) fn head(row: &Row, at: usize) -> Result<LogHead, StoreError> {
    Ok(LogHead {
        seq: number(row, at)?,
        msg_no: number(row, at + 1)?,
        created_at: row.try_get(at + 2)?,
    })
}

pub(super) fn user(row: &Row, at: usize) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        user_id: user_id(row, at)?,
        username: row.try_get(at + 1)?,
        display_name: row.try_get(at + 2)?,
        avatar_url: row.try_get(at + 3)?,
        color: row.try_get(at + 4)?,
        created_at: row.try_get(at + 5)?,
    })
}

pub(super) fn profile(row: &Row, at: usize) -> Result<ProfileRow, StoreError> {
    Ok(ProfileRow { user: user(row, at)?, status_text: row.try_get(at + USER_WIDTH)? })
}

pub(super) fn member(row: &Row, at: usize) -> Result<MemberRow, StoreError> {
    Ok(MemberRow {
        user_id: user_id(row, at)?,
        role: role(row, at + 1)?,
        joined_at: row.try_get(at + 2)?,
        muted_until: row.try_get(at + 3)?,
    })
}

pub(super) fn user_id(row: &Row, at: usize) -> Result<UserId, StoreError> {
    UserId::new(number(row, at)?).ok_or_else(|| damaged("a user id"))
}

pub(super) fn conversation_id(row: &Row, at: usize) -> Result<ConversationId, StoreError> {
    ConversationId::new(number(row, at)?).ok_or_else(|| damaged("a conversation id"))
}

pub(super) fn family_id(row: &Row, at: usize) -> Result<FamilyId, StoreError> {
    FamilyId::try_from(row.try_get::<_, &[u8]>(at)?)
        .map_err(|_| StoreError::Damaged("a family of tokens has a wrong length".to_owned()))
}

pub(super) fn role(row: &Row, at: usize) -> Result<Role, StoreError> {
    Role::from_number(row.try_get(at)?).ok_or_else(|| damaged("a role"))
}

pub(super) fn kind(row: &Row, at: usize) -> Result<ConversationKind, StoreError> {
    ConversationKind::from_number(row.try_get(at)?).ok_or_else(|| damaged("a conversation's kind"))
}

pub(super) fn visibility(row: &Row, at: usize) -> Result<Visibility, StoreError> {
    Visibility::from_number(row.try_get(at)?).ok_or_else(|| damaged("a visibility"))
}

pub(super) fn bytes(row: &Row, at: usize) -> Result<Bytes, StoreError> {
    Ok(Bytes::copy_from_slice(row.try_get(at)?))
}

/// A count or position: never negative.
pub(super) fn number(row: &Row, at: usize) -> Result<u64, StoreError> {
    u64::try_from(row.try_get::<_, i64>(at)?).map_err(|_| damaged("a count"))
}

/// A list of positions.
pub(super) fn positions(row: &Row, at: usize) -> Result<Vec<u64>, StoreError> {
    let numbers: Vec<i64> = row.try_get(at)?;
    let positions = numbers.into_iter().map(u64::try_from).collect::<Result<_, _>>();
    positions.map_err(|_| damaged("a position"))
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(format!("{what} is out of range"))
}

/// A position as the database compares it, also one that a peer made up.
pub(super) fn position(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
