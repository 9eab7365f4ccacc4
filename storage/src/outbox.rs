//! Who is to be told of what is written: rows of two outboxes, in the transaction of the entries themselves.
//!
//! ```text
//!   batch ─► of: which entries notify ─┬─► push_outbox   messages, for members who are away (`push`, `deliveries`)
//!                                      └─► hook_outbox   events, one row for each webhook that wants them (`hooks`)
//! ```
//!
//! Invariants: a row is there exactly if its entry is, so a crash between commit and delivery loses nothing, and what was
//! rolled back tells nobody; where nobody is to be told this costs nothing, else one statement an outbox and batch.

use std::sync::Arc;

use ringwire_protocol::{ConversationId, Seq, UserId};

use crate::append::{Append, Change};

/// What happened, for webhooks; the numbers are those of the `kind` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum EventKind {
    /// A message was sent.
    MessageCreated = 1,
    /// A message has another content.
    MessageEdited = 2,
    /// A message was taken back.
    MessageRecalled = 3,
    /// Somebody reacted to a message, or no longer does.
    MessageReacted = 4,
    /// A message was pinned, or no longer is.
    MessagePinned = 5,
    /// Users became members.
    MemberJoined = 6,
    /// Users left, were removed or banned.
    MemberLeft = 7,
    /// A member has another role, was muted, may come back.
    MemberChanged = 8,
    /// Somebody asked to become a member, or was refused.
    MemberRequested = 9,
    /// A conversation was made.
    ConversationCreated = 10,
    /// It has other settings.
    ConversationUpdated = 11,
    /// It is dissolved.
    ConversationDissolved = 12,
    /// A user was registered, or made from a token.
    UserRegistered = 13,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::MessageCreated,
        Self::MessageEdited,
        Self::MessageRecalled,
        Self::MessageReacted,
        Self::MessagePinned,
        Self::MemberJoined,
        Self::MemberLeft,
        Self::MemberChanged,
        Self::MemberRequested,
        Self::ConversationCreated,
        Self::ConversationUpdated,
        Self::ConversationDissolved,
        Self::UserRegistered,
    ];

    /// As operators and receivers know it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessageCreated => "message.created",
            Self::MessageEdited => "message.edited",
            Self::MessageRecalled => "message.recalled",
            Self::MessageReacted => "message.reacted",
            Self::MessagePinned => "message.pinned",
            Self::MemberJoined => "member.joined",
            Self::MemberLeft => "member.left",
            Self::MemberChanged => "member.changed",
            Self::MemberRequested => "member.requested",
            Self::ConversationCreated => "conversation.created",
            Self::ConversationUpdated => "conversation.updated",
            Self::ConversationDissolved => "conversation.dissolved",
            Self::UserRegistered => "user.registered",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind with this number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i16 == number)
    }

    /// What an entry with this change stands for.
    fn of(change: &Change) -> Self {
        match change {
            Change::None | Change::Mention { .. } | Change::Carry { .. } => Self::MessageCreated,
            Change::Edit { .. } => Self::MessageEdited,
            Change::Recall { .. } => Self::MessageRecalled,
            Change::React { .. } => Self::MessageReacted,
            Change::Pin { .. } => Self::MessagePinned,
            Change::Join(_) => Self::MemberJoined,
            Change::Remove(_) | Change::Leave { .. } => Self::MemberLeft,
            Change::Ban { until, .. } if *until != 0 => Self::MemberLeft,
            Change::SetRole { .. } | Change::Ban { .. } | Change::Mute { user_id: Some(_), .. } => {
                Self::MemberChanged
            }
            Change::Mute { user_id: None, .. } | Change::Settings(_) => Self::ConversationUpdated,
            Change::RequestJoin { .. } | Change::RefuseJoin { .. } => Self::MemberRequested,
            Change::Dissolve => Self::ConversationDissolved,
        }
    }
}

/// Some of [`EventKind`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventSet(u32);

impl EventSet {
    /// With one more.
    #[must_use]
    pub const fn with(self, kind: EventKind) -> Self {
        Self(self.0 | 1 << kind as u32)
    }

    /// Every kind.
    pub fn all() -> Self {
        EventKind::ALL.into_iter().fold(Self::default(), Self::with)
    }

    /// Whether this one is among them.
    pub const fn has(self, kind: EventKind) -> bool {
        self.0 & 1 << kind as u32 != 0
    }
}

/// A webhook, as far as writers have to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookRule {
    /// Names it in the database.
    pub name: Arc<str>,
    /// What it wants to hear of.
    pub events: EventSet,
}

/// Who is to be told of what is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    /// How long a message waits before members who have not got it are told, in milliseconds; `None`: nobody is.
    pub push_delay_ms: Option<i64>,
    /// Webhooks.
    pub hooks: Vec<HookRule>,
}

/// An event for one webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) hook: Arc<str>,
    /// `None`: it is about a user.
    pub(crate) conversation_id: Option<ConversationId>,
    /// The entry, or the user.
    pub(crate) seq: Seq,
    pub(crate) kind: EventKind,
}

/// The rows of the outboxes that some entries make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Notified {
    pub(crate) pushes: Vec<(ConversationId, Seq)>,
    /// After which these are due.
    pub(crate) push_delay_ms: i64,
    pub(crate) events: Vec<Noted>,
}

impl Outbox {
    /// What these entries make.
    pub(crate) fn of(&self, entries: &[Append]) -> Notified {
        let mut notified = Notified::default();
        if let Some(delay_ms) = self.push_delay_ms {
            let messages = entries.iter().filter(|entry| entry.change.is_of_a_message());
            notified.pushes = messages.map(|entry| (entry.conversation_id, entry.seq)).collect();
            // Equal to the default where there is nothing.
            notified.push_delay_ms = if notified.pushes.is_empty() { 0 } else { delay_ms };
        }
        for hook in &self.hooks {
            for entry in entries {
                let kind = EventKind::of(&entry.change);
                if hook.events.has(kind) {
                    notified.events.push(Noted {
                        hook: Arc::clone(&hook.name),
                        conversation_id: Some(entry.conversation_id),
                        seq: entry.seq,
                        kind,
                    });
                }
            }
        }
        notified
    }

    /// What the making of a conversation makes.
    pub(crate) fn created(&self, id: ConversationId) -> Vec<Noted> {
        self.event(EventKind::ConversationCreated, Some(id), 1)
    }

    /// What the making of a user makes.
    pub(crate) fn registered(&self, user: UserId) -> Vec<Noted> {
        self.event(EventKind::UserRegistered, None, user.get())
    }

    fn event(&self, kind: EventKind, id: Option<ConversationId>, seq: Seq) -> Vec<Noted> {
        let hooks = self.hooks.iter().filter(|hook| hook.events.has(kind));
        hooks
            .map(|hook| Noted { hook: Arc::clone(&hook.name), conversation_id: id, seq, kind })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{entry, user};

    #[test]
    fn only_messages_are_pushed_and_a_hook_hears_what_it_asked_for() {
        let joins = Append { change: Change::Join(vec![user(7)]), ..entry(1, 2) };
        let entries = [entry(1, 1), joins];
        assert_eq!(Outbox::default().of(&entries), Notified::default());
        let hook = |name: &str, kind| HookRule {
            name: name.into(),
            events: EventSet::default().with(kind),
        };
        let outbox = Outbox {
            push_delay_ms: Some(5),
            hooks: vec![hook("a", EventKind::MemberJoined), hook("b", EventKind::MessageEdited)],
        };
        let notified = outbox.of(&entries);
        assert_eq!(notified.pushes, [(entry(1, 1).conversation_id, 1)]);
        let heard: Vec<_> = notified.events.iter().map(|e| (&*e.hook, e.seq, e.kind)).collect();
        assert_eq!(heard, [("a", 2, EventKind::MemberJoined)]);
        assert_eq!(outbox.of(&entries[1..]).push_delay_ms, 0);
    }

    #[test]
    fn names_and_numbers_lead_back_to_their_kind() {
        for kind in EventKind::ALL {
            assert_eq!(EventKind::from_name(kind.name()), Some(kind));
            assert_eq!(EventKind::from_number(kind as i16), Some(kind));
            assert!(EventSet::all().has(kind));
            assert!(!EventSet::default().has(kind));
        }
    }
}
