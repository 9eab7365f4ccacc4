//! The end of an account, and everything that is one user's, to take along.
//!
//! ```text
//!   delete_user ─► closed at once: no login, no token, no name ─► the gateway ends sessions and memberships
//!                        └── 2 minutes later, no group left ──► erase_step, step by step ─► forgotten
//!   export_page ─► account ─► memberships ─► files ─► messages, a page at a time
//! ```
//!
//! Invariants:
//! - A deleted id stays: the row of the user is a tombstone, entries keep their sender and their place in the log.
//! - What the user said is erased (an empty body, a higher body version), what the log means stays: an entry that
//!   counts as a message, edits one, reacts to one or asks to join loses its body (all but the first are noted in
//!   `edits`), one that tells who came and went does not.
//! - What else is there of the user (reactions, mentions, bans, wishes, what they have hidden) goes after that.
//! - A token of the user lets nobody in again, neither by id nor by the identity at another issuer, of which only a
//!   keyed hash is kept.
//! - Bodies are erased only when no session anywhere can still send (`QUIET_MS`) and no group is left.
//! - Every step is bounded, and its place is in the database: a crash loses no more than a step.

use std::hash::Hasher as _;

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};
use siphasher::sip128::{Hasher128 as _, SipHasher13};

use crate::error::StoreError;
use crate::model::{ConversationKind, EntryRow, Role};
use crate::presence::Visibility;
use crate::store::{Store, either};

/// What a deleted user is called.
pub(crate) const DELETED_NAME: &str = "deleted";
/// How long after the deletion bodies are erased: sessions on other nodes have ended by then.
pub(crate) const QUIET_MS: i64 = 2 * 60 * 1_000;
/// Entries read, or erased, in one step.
pub(crate) const ERASE_PAGE: i64 = 500;
/// Conversations looked at for entries of one user in one step.
pub(crate) const LOOK_PAGE: i64 = 1_000;

/// What a step of erasing did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EraseStep {
    /// Bodies erased.
    pub erased: u64,
    /// Whether there is more to do at once.
    pub more: bool,
}

/// One thing that is a user's, for export. Never a password hash, a token, or what somebody else wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportRow {
    /// The profile.
    Profile {
        /// Unique name.
        username: String,
        /// Address, if there is one.
        email: Option<String>,
        /// What others see.
        display_name: String,
        /// Where the picture is.
        avatar_url: String,
        /// Registration time.
        created_at: UnixMs,
        /// Who may see whether the user is there.
        status_visibility: Visibility,
        /// Who may see when the user last was.
        last_seen_visibility: Visibility,
        /// That time; 0: never, as far as is known.
        last_seen_at: UnixMs,
        /// `#rrggbb`, or empty.
        color: String,
        /// What they say about themselves.
        status_text: String,
    },
    /// Who the user is at another issuer.
    Identity {
        /// `iss`.
        issuer: String,
        /// `sub`.
        subject: String,
    },
    /// An installation of a client.
    Device {
        /// As the client chose it.
        device_id: String,
        /// Whatever the client says.
        device_class: String,
        /// Shown to the user.
        name: String,
        /// What the user calls it instead, unless empty.
        label: String,
        /// First seen.
        created_at: UnixMs,
        /// Last seen.
        last_seen_at: UnixMs,
    },
    /// A user this one does not want to hear from.
    Block {
        /// Who.
        blocked_id: UserId,
        /// Since when.
        created_at: UnixMs,
    },
    /// A user this one wants at hand.
    Contact {
        /// Who.
        contact_id: UserId,
        /// What the user calls them; may be empty.
        nickname: String,
        /// Since when.
        created_at: UnixMs,
    },
    /// A conversation, and how far the user has read.
    Membership {
        /// Which.
        conversation_id: ConversationId,
        /// What it is for.
        kind: ConversationKind,
        /// What the user may do there.
        role: Role,
        /// Since when.
        joined_at: UnixMs,
        /// Read up to here.
        read_seq: Seq,
        /// A device has everything up to here.
        delivered_seq: Seq,
    },
    /// A wish to become a member that nobody has answered.
    JoinRequest {
        /// Of which conversation.
        conversation_id: ConversationId,
        /// What the user said to it.
        text: String,
        /// When.
        requested_at: UnixMs,
    },
    /// A reaction of the user.
    Reaction {
        /// In which conversation.
        conversation_id: ConversationId,
        /// To which entry.
        seq: Seq,
        /// With what.
        reaction: String,
    },
    /// An entry the user does not want to see any more.
    Hidden {
        /// In which conversation.
        conversation_id: ConversationId,
        /// Which entry.
        seq: Seq,
    },
    /// A file the user uploaded.
    Attachment {
        /// Its id.
        file_id: String,
        /// Where it was sent, and as which entry.
        place: Option<(ConversationId, Seq)>,
        /// File name.
        name: String,
        /// Content type.
        mime_type: String,
        /// Size in bytes.
        size_bytes: u64,
        /// Upload time.
        created_at: UnixMs,
    },
    /// An entry the user made.
    Entry(EntryRow),
}

/// Where the next page of an export begins. The default is the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportPosition {
    pub(crate) section: Section,
    pub(crate) id: i64,
    pub(crate) key: String,
}

/// The sections, in their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Section {
    #[default]
    Profile,
    Identities,
    Devices,
    Blocks,
    Contacts,
    Memberships,
    JoinRequests,
    Reactions,
    Hidden,
    Attachments,
    Entries,
}

impl Section {
    const fn next(self) -> Option<Self> {
        Some(match self {
            Self::Profile => Self::Identities,
            Self::Identities => Self::Devices,
            Self::Devices => Self::Blocks,
            Self::Blocks => Self::Contacts,
            Self::Contacts => Self::Memberships,
            Self::Memberships => Self::JoinRequests,
            Self::JoinRequests => Self::Reactions,
            Self::Reactions => Self::Hidden,
            Self::Hidden => Self::Attachments,
            Self::Attachments => Self::Entries,
            Self::Entries => return None,
        })
    }
}

/// A page of an export, and where the next one begins.
pub type ExportPage = (Vec<ExportRow>, Option<ExportPosition>);

impl ExportPosition {
    /// After a page of a section other than the entries: its next page if it was full, else the next section.
    pub(crate) fn after(self, rows: &[ExportRow], limit: u32) -> Option<Self> {
        match rows.last() {
            Some(last) if rows.len() >= limit as usize => {
                let (id, key) = last.place();
                Some(Self { section: self.section, id, key })
            }
            _ => Some(Self { section: self.section.next()?, ..Self::default() }),
        }
    }
}

impl ExportRow {
    /// Where it stands within its section.
    fn place(&self) -> (i64, String) {
        match self {
            Self::Profile { .. } => (0, String::new()),
            // Neither half of an identity holds control characters.
            Self::Identity { issuer, subject } => (0, format!("{issuer}\n{subject}")),
            Self::Device { device_id, .. } => (0, device_id.clone()),
            Self::Block { blocked_id: id, .. } | Self::Contact { contact_id: id, .. } => {
                (id.as_i64(), String::new())
            }
            Self::Membership { conversation_id, .. }
            | Self::JoinRequest { conversation_id, .. } => {
                (conversation_id.as_i64(), String::new())
            }
            // As many digits as the largest position has, so that texts are in the order of numbers.
            Self::Reaction { conversation_id, seq, reaction } => {
                (conversation_id.as_i64(), format!("{seq:019}{reaction}"))
            }
            Self::Hidden { conversation_id, seq } => {
                (conversation_id.as_i64(), format!("{seq:019}"))
            }
            Self::Attachment { file_id, .. } => (0, file_id.clone()),
            Self::Entry(entry) => (entry.conversation_id.as_i64(), entry.client_msg_id.clone()),
        }
    }
}

/// Where a walk over everything a user sent stands. It goes by conversation and, within, by `client_msg_id`: the index
/// that finds duplicates leads it, so a page costs the same in a log of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentPosition {
    pub(crate) conversation: i64,
    pub(crate) key: String,
}

/// A stretch of that walk.
#[derive(Debug)]
pub(crate) struct SentPage {
    /// The entries, and whether each counts as a message.
    pub(crate) entries: Vec<(EntryRow, bool)>,
    /// `None`: that was all.
    pub(crate) next: Option<SentPosition>,
}

impl SentPosition {
    /// After a full page.
    pub(crate) fn behind(entries: &[(EntryRow, bool)]) -> Option<Self> {
        entries.last().map(|(entry, _)| Self {
            conversation: entry.conversation_id.as_i64(),
            key: entry.client_msg_id.clone(),
        })
    }

    /// Behind a conversation, given those that follow and whether the user sent anything there.
    pub(crate) fn in_next_of(looked_at: &[(i64, bool)]) -> Option<Self> {
        let found = looked_at.iter().find(|(_, sent)| *sent).or(looked_at.last())?;
        Some(Self { conversation: found.0, key: String::new() })
    }
}

/// What stands in the place of a deleted user's subject, so that their tokens stay refused.
pub(crate) fn retired_subject(key: &[u8; 16], issuer: &str, subject: &str) -> String {
    let mut hasher = SipHasher13::new_with_key(key);
    hasher.write(issuer.as_bytes());
    hasher.write_u8(0xFF);
    hasher.write(subject.as_bytes());
    format!("deleted:{:032x}", hasher.finish128().as_u128())
}

impl Store {
    /// Closes an account at once and for good: password, identities, devices, refresh tokens, blocks, contacts and profile are
    /// gone, its name is free again. Sessions and groups are the gateway's to end; the bodies of its messages go in
    /// [`Self::erase_step`]. `false`: there is no such user, or not any more. `actor`: whom the audit log names;
    /// `None`: the console.
    pub async fn delete_user(
        &self,
        user: UserId,
        actor: Option<UserId>,
    ) -> Result<bool, StoreError> {
        let key = self.command_key().await?;
        either!(self, store => store.delete_user(user, actor, key).await)
    }

    /// Some of the accounts that were closed lately or are not erased yet, oldest first: their sessions have to end.
    pub async fn deletions(&self, limit: u32) -> Result<Vec<UserId>, StoreError> {
        either!(self, store => store.deletions(limit).await)
    }

    /// Some of the groups and rooms that deleted users are still in.
    pub async fn groups_to_leave(
        &self,
        limit: u32,
    ) -> Result<Vec<(UserId, ConversationId)>, StoreError> {
        either!(self, store => store.groups_to_leave(limit).await)
    }

    /// Erases what deleted users sent, up to 500 bodies; begins 2 minutes after the deletion, when their sessions have
    /// ended and no group is left.
    pub async fn erase_step(&self) -> Result<EraseStep, StoreError> {
        either!(self, store => store.erase_step().await)
    }

    /// A page of everything that is one user's, about `limit` rows, and where the next one begins. A page may be empty
    /// though more follow. Nothing at all: there is no such user.
    pub async fn export_page(
        &self,
        user: UserId,
        from: ExportPosition,
        limit: u32,
    ) -> Result<ExportPage, StoreError> {
        if from.section == Section::Entries {
            let at = SentPosition { conversation: from.id, key: from.key };
            let page = either!(self, store => store.sent_page(user, at, limit.into()).await?);
            let rows = page.entries.into_iter().map(|(entry, _)| ExportRow::Entry(entry)).collect();
            let next = page.next.map(|at| ExportPosition {
                section: Section::Entries,
                id: at.conversation,
                key: at.key,
            });
            return Ok((rows, next));
        }
        let rows = either!(self, store => store.export_section(user, &from, limit).await?);
        if from.section == Section::Profile {
            let next = ExportPosition { section: Section::Identities, ..Default::default() };
            return Ok(if rows.is_empty() { (rows, None) } else { (rows, Some(next)) });
        }
        let next = from.after(&rows, limit);
        Ok((rows, next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retired_subject_tells_nothing_and_is_one_of_its_issuer() {
        let retired = retired_subject(&[1; 16], "iss", "ada@example.org");
        assert_eq!(retired.len(), 8 + 32);
        assert!(!retired.contains("ada"));
        assert_eq!(retired, retired_subject(&[1; 16], "iss", "ada@example.org"));
        assert_ne!(retired, retired_subject(&[1; 16], "issa", "da@example.org"));
        assert_ne!(retired, retired_subject(&[2; 16], "iss", "ada@example.org"));
    }

    #[test]
    fn a_walk_goes_to_the_next_conversation_with_entries_or_behind_those_looked_at() {
        let at =
            |looked: &[(i64, bool)]| SentPosition::in_next_of(looked).map(|at| at.conversation);
        assert_eq!(at(&[(4, false), (5, true), (6, true)]), Some(5));
        assert_eq!(at(&[(4, false), (6, false)]), Some(6));
        assert_eq!(at(&[]), None);
    }
}
