//! One entry to many sessions: one mailbox message a shard, one frame for all its recipients.
//!
//! ```text
//!   owner shard ─► Delivery{frame, users of that shard} ─► home shard ─► each session of each user
//!                  mailbox full? remember (shard, conversation), tell it later that it lags
//! ```
//!
//! What is held for a session, to be sent later, is the plain frame: that may go out on any connection.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use ringwire_protocol::codec::Encoding;
use ringwire_protocol::websocket::frame;
use ringwire_protocol::{ConversationId, Seq, UserId, wire};

use crate::connection::links::{LinkKey, Links};
use crate::conversation::answer::ReplyTo;
use crate::conversation::entry::EntryFrame;
use crate::observe::kinds::PushKind;
use crate::observe::trace::SpanContext;
use crate::placement::ShardId;
use crate::session::resume::About;

/// Something to be pushed.
#[derive(Clone, Debug)]
pub enum Pushed {
    /// A committed entry.
    Entry(Arc<EntryFrame>),
    /// Somebody's cursor.
    Cursor {
        /// Whose log.
        id: ConversationId,
        /// How far they are.
        cursor: wire::Cursor,
    },
    /// Somebody types, or has stopped. Ephemeral.
    Typing(wire::TypingPush),
    /// A user's own view changed.
    View {
        /// Whose log.
        id: ConversationId,
        /// What was hidden.
        change: wire::ViewChanged,
    },
    /// Entries were not pushed: up to this position the clients must sync.
    Lag {
        /// Whose log.
        id: ConversationId,
        /// Newest position that was not pushed.
        head_seq: Seq,
    },
}

impl Pushed {
    /// What it counts as.
    pub fn kind(&self) -> PushKind {
        match self {
            Self::Entry(_) => PushKind::Entry,
            Self::Cursor { .. } => PushKind::Cursor,
            Self::Typing(_) => PushKind::Typing,
            Self::View { .. } => PushKind::View,
            Self::Lag { .. } => PushKind::Lag,
        }
    }

    /// Whose doing it tells of, when that user's sessions learn it in other ways.
    pub fn author(&self) -> Option<UserId> {
        match self {
            Self::Cursor { cursor, .. } => UserId::new(cursor.user_id),
            Self::Typing(typing) => UserId::new(typing.user_id),
            Self::Entry(_) | Self::View { .. } | Self::Lag { .. } => None,
        }
    }

    /// What it tells of a message.
    pub fn about(&self) -> About {
        match self {
            Self::Entry(entry) => entry.about,
            Self::Cursor { .. } | Self::Typing(_) | Self::View { .. } | Self::Lag { .. } => {
                About::Nothing
            }
        }
    }

    /// For what is durable: the conversation that lags when this is dropped, and up to where.
    pub fn position(&self) -> Option<(ConversationId, Seq)> {
        match self {
            Self::Entry(entry) => Some((entry.conversation_id, entry.seq)),
            Self::Cursor { id, cursor } => Some((*id, cursor.delivered_seq)),
            Self::View { id, .. } => Some((*id, 0)),
            Self::Lag { id, head_seq } => Some((*id, *head_seq)),
            Self::Typing(_) => None,
        }
    }
}

/// A push for the users of one shard.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What is pushed.
    pub pushed: Pushed,
    /// To whom.
    pub users: Arc<[UserId]>,
    /// The session that learns of it by its ack.
    pub except: Option<ReplyTo>,
    /// For an entry that was just committed.
    pub fresh: Option<Fresh>,
}

/// How an entry comes to be delivered.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// When its owner heard that it is committed.
    pub committed: Instant,
    /// The trace it is in.
    pub trace: Option<Box<SpanContext>>,
}

/// The frames of a push, each encoded when the first session needs it.
pub struct Frames<'a> {
    pushed: &'a Pushed,
    /// More than one user gets them.
    to_many: bool,
    protobuf: Option<Bytes>,
    json: Option<Bytes>,
}

impl<'a> Frames<'a> {
    /// Nothing encoded yet, except entries, which their owner encoded; for so many users.
    pub fn new(pushed: &'a Pushed, users: usize) -> Self {
        Self { pushed, to_many: users > 1, protobuf: None, json: None }
    }

    /// What they are of.
    pub fn pushed(&self) -> &'a Pushed {
        self.pushed
    }

    /// Gives the push to a session, compressed if its connection agreed on that and it is an entry that gets smaller.
    pub fn send(&mut self, encoding: Encoding, link: LinkKey, links: &mut Links) {
        if let Pushed::Entry(entry) = self.pushed
            && let Some(deflater) = links.deflater_for(link)
            && let Some(frame) = entry.compressed_json(deflater)
        {
            links.push(link, frame);
        } else if self.to_many {
            links.push_common(link, encoding.message_kind(), self.get(encoding));
        } else {
            links.push(link, self.get(encoding));
        }
    }

    /// The frame in an encoding, not compressed.
    pub fn get(&mut self, encoding: Encoding) -> &Bytes {
        if let Pushed::Entry(entry) = self.pushed {
            return entry.frame(encoding);
        }
        let slot = match encoding {
            Encoding::Protobuf => &mut self.protobuf,
            Encoding::Json => &mut self.json,
        };
        let pushed = self.pushed;
        slot.get_or_insert_with(|| match pushed {
            Pushed::Entry(entry) => entry.frame(encoding).clone(),
            Pushed::Cursor { cursor, .. } => {
                push_frame(encoding, wire::push::Event::Cursor(*cursor))
            }
            Pushed::Typing(typing) => push_frame(encoding, wire::push::Event::Typing(*typing)),
            Pushed::View { change, .. } => {
                push_frame(encoding, wire::push::Event::ViewChanged(change.clone()))
            }
            Pushed::Lag { id, head_seq } => {
                let lag = wire::Lag { conversation_id: id.get(), head_seq: *head_seq };
                push_frame(encoding, wire::push::Event::Lag(lag))
            }
        })
    }
}

/// The whole WebSocket frame of a push.
pub fn push_frame(encoding: Encoding, event: wire::push::Event) -> Bytes {
    frame::server_frame(encoding.message_kind(), &push_payload(encoding, event))
}

/// A push as the payload of a message of its own.
pub fn push_payload(encoding: Encoding, event: wire::push::Event) -> Bytes {
    let push = wire::Push { event: Some(event) };
    let server_frame = wire::ServerFrame { frame: Some(wire::server_frame::Frame::Push(push)) };
    encoding.encode_one(&server_frame)
}

/// Shards whose mailbox had no room for an entry, by conversation: they are told to sync when it has.
#[derive(Debug, Default)]
pub struct LaggingShards {
    heads: BTreeMap<(ShardId, ConversationId), Missed>,
}

/// What a shard was not told: the newest position, and whom it concerns there.
#[derive(Debug)]
struct Missed {
    head_seq: Seq,
    users: Arc<[UserId]>,
}

impl LaggingShards {
    /// An entry or a cursor could not be handed to a shard.
    pub fn mark(&mut self, shard: ShardId, id: ConversationId, seq: Seq, users: &Arc<[UserId]>) {
        match self.heads.entry((shard, id)) {
            Entry::Vacant(vacant) => {
                vacant.insert(Missed { head_seq: seq, users: Arc::clone(users) });
            }
            Entry::Occupied(mut missed) => {
                let missed = missed.get_mut();
                missed.head_seq = missed.head_seq.max(seq);
                if !Arc::ptr_eq(&missed.users, users) {
                    // Who left meanwhile has missed something all the same.
                    let mut all: Vec<UserId> =
                        missed.users.iter().chain(&**users).copied().collect();
                    all.sort_unstable();
                    all.dedup();
                    missed.users = all.into();
                }
            }
        }
    }

    /// Whether a shard lags in a conversation: then its entries are not sent either, only the newest position.
    pub fn contains(&self, shard: ShardId, id: ConversationId) -> bool {
        !self.heads.is_empty() && self.heads.contains_key(&(shard, id))
    }

    /// Tries to tell the lagging shards; `send` returns whether it was taken.
    pub fn retry(&mut self, mut send: impl FnMut(ShardId, Delivery) -> bool) {
        self.heads.retain(|(shard, id), missed| {
            let pushed = Pushed::Lag { id: *id, head_seq: missed.head_seq };
            let users = Arc::clone(&missed.users);
            !send(*shard, Delivery { pushed, users, except: None, fresh: None })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_left_after_missing_an_entry_is_told_as_well() {
        let user = |id| UserId::new(id).unwrap();
        let id = ConversationId::new(1).unwrap();
        let mut lagging = LaggingShards::default();
        lagging.mark(0, id, 5, &Arc::from([user(1), user(2)]));
        lagging.mark(0, id, 6, &Arc::from([user(2), user(3)]));
        assert!(lagging.contains(0, id) && !lagging.contains(1, id));
        lagging.retry(|_, _| false);
        let mut told = Vec::new();
        lagging.retry(|shard, delivery| {
            assert_eq!(shard, 0);
            assert!(matches!(delivery.pushed, Pushed::Lag { head_seq: 6, .. }));
            told.extend(delivery.users.iter().copied());
            true
        });
        assert_eq!(told, [user(1), user(2), user(3)]);
        assert!(!lagging.contains(0, id));
    }
}
