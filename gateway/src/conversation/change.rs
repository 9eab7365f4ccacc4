//! What an entry of another node changes, told by its body alone.

use prost::Message as _;
use ringwire_protocol::{UserId, wire};
use ringwire_storage::append::Change;
use ringwire_storage::model::{EntryRow, Role};
use wire::entry_body::Kind;

use super::settings;

/// The change; what only the database keeps of it (bodies, texts, mentions, files) is left empty. A body that is gone told of a
/// message, or of an edit that a recall took back: neither changes what is decided next.
pub(super) fn change_of(row: &EntryRow, before: &wire::GroupSettings) -> Change {
    let Some(kind) = wire::EntryBody::decode(row.body.clone()).unwrap_or_default().kind else {
        return Change::None;
    };
    told(kind, row, before).unwrap_or(Change::None)
}

fn told(kind: Kind, row: &EntryRow, before: &wire::GroupSettings) -> Option<Change> {
    let users = |ids: Vec<u64>| ids.into_iter().filter_map(UserId::new).collect();
    Some(match kind {
        Kind::Message(_) | Kind::Created(_) => Change::None,
        Kind::Edited(edited) => {
            let target_seq = edited.target_seq;
            Change::Edit { target_seq, body: bytes::Bytes::new(), files: Vec::new() }
        }
        Kind::Recalled(recalled) => Change::Recall { target_seq: recalled.target_seq },
        Kind::Reacted(reacted) => Change::React {
            target_seq: reacted.target_seq,
            reaction: reacted.reaction.into(),
            removed: reacted.removed,
        },
        Kind::Pinned(pinned) => {
            Change::Pin { target_seq: pinned.target_seq, removed: pinned.removed }
        }
        Kind::Joined(joined) => Change::Join(users(joined.user_ids)),
        Kind::Removed(removed) => Change::Remove(users(removed.user_ids)),
        Kind::Left(left) => {
            Change::Leave { user_id: row.sender_id?, new_owner_id: UserId::new(left.new_owner_id) }
        }
        Kind::RoleChanged(changed) => {
            let role = role_of(changed.role());
            Change::SetRole {
                user_id: UserId::new(changed.user_id)?,
                role,
                former_owner_id: row.sender_id.filter(|_| role == Role::Owner),
            }
        }
        Kind::Muted(muted) => {
            Change::Mute { user_id: UserId::new(muted.user_id), until: muted.until }
        }
        Kind::Banned(banned) => {
            Change::Ban { user_id: UserId::new(banned.user_id)?, until: banned.until }
        }
        Kind::GroupChanged(changed) => {
            let after = settings::merge(before, changed.settings.unwrap_or_default(), row.seq);
            Change::Settings(after.encode_to_vec().into())
        }
        Kind::JoinRequested(_) => Change::RequestJoin { text: "".into() },
        Kind::JoinRefused(refused) => Change::RefuseJoin { user_id: UserId::new(refused.user_id)? },
        Kind::Dissolved(_) => Change::Dissolve,
    })
}

/// A role as the store has it.
pub fn role_of(role: wire::Role) -> Role {
    match role {
        wire::Role::Member => Role::Member,
        wire::Role::Admin => Role::Admin,
        wire::Role::Owner => Role::Owner,
    }
}
