//! How the first member of a conversation opens it: one command for a pair, several for a crowd.
//!
//! ```text
//!   direct:       open_direct ──► done
//!   group, room:  create_group with the first members ──► invite the next ones ──► … ──► done (id, head)
//! ```
//!
//! Every command carries a `client_msg_id` that the run and its place decide, so that a repeat after a lost connection
//! changes nothing.

use std::ops::Range;

use ringwire_protocol::Seq;
use ringwire_protocol::wire::{self, command::Op};

use crate::meeting::Opened;

/// Users that one command may name.
const MAX_NAMED: u64 = 200;

/// What is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Direct,
    Group,
    Room,
}

/// A conversation that is being opened.
#[derive(Debug)]
pub(crate) struct Founding {
    kind: Kind,
    run: u32,
    /// The ids of the other members who are not in it yet.
    missing: Range<u64>,
    /// The ids the command under way names.
    named: Range<u64>,
    opened: Option<Opened>,
}

impl Founding {
    /// Of the members with these ids, the caller left out.
    pub(crate) fn new(kind: Kind, run: u32, others: Range<u64>) -> Self {
        let named = others.start..others.end.min(others.start + MAX_NAMED);
        Self { kind, run, missing: named.end..others.end, named, opened: None }
    }

    /// The command to be sent now.
    pub(crate) fn command(&self) -> Op {
        let user_ids: Vec<_> = self.named.clone().collect();
        let client_msg_id = format!("{:08x}-with-{}", self.run, self.named.start);
        match (self.kind, self.opened) {
            (Kind::Direct, _) => {
                Op::OpenDirect(wire::OpenDirect { user_id: self.named.start, ..Default::default() })
            }
            (kind, None) => {
                let kind = match kind {
                    Kind::Room => wire::ConversationKind::Room,
                    Kind::Direct | Kind::Group => wire::ConversationKind::Group,
                };
                let title = Some(format!("load test {:08x}", self.run));
                Op::CreateGroup(wire::CreateGroup {
                    kind: kind.into(),
                    settings: Some(wire::GroupSettings { title, ..Default::default() }),
                    user_ids,
                    client_msg_id,
                    ..Default::default()
                })
            }
            (_, Some(Opened { conversation_id, .. })) => Op::Invite(wire::Invite {
                conversation_id,
                user_ids,
                client_msg_id,
                ..Default::default()
            }),
        }
    }

    /// The conversation exists. `Some`: with everybody in it.
    pub(crate) fn created(&mut self, opened: Opened) -> Option<Opened> {
        self.opened = Some(opened);
        self.advance()
    }

    /// Those invited are in it; the entry that says so has this seq. `Some`: nobody is missing any more.
    pub(crate) fn invited(&mut self, seq: Seq) -> Option<Opened> {
        if let Some(opened) = &mut self.opened {
            opened.head = opened.head.max(seq);
        }
        self.advance()
    }

    fn advance(&mut self) -> Option<Opened> {
        if self.missing.is_empty() {
            return self.opened;
        }
        self.named = self.missing.start..self.missing.end.min(self.missing.start + MAX_NAMED);
        self.missing.start = self.named.end;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(op: &Op) -> usize {
        match op {
            Op::CreateGroup(create) => create.user_ids.len(),
            Op::Invite(invite) => invite.user_ids.len(),
            Op::OpenDirect(_) => 1,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_crowd_is_invited_in_parts_and_the_last_entry_is_where_it_starts() {
        let mut founding = Founding::new(Kind::Room, 7, 11..511);
        assert_eq!(named(&founding.command()), 200);
        assert_eq!(founding.created(Opened { conversation_id: 5, head: 1 }), None);
        assert!(matches!(founding.command(), Op::Invite(_)));
        assert_eq!(named(&founding.command()), 200);
        assert_eq!(founding.invited(2), None);
        assert_eq!(named(&founding.command()), 100);
        assert_eq!(founding.invited(3), Some(Opened { conversation_id: 5, head: 3 }));
    }

    #[test]
    fn a_pair_needs_one_command() {
        let mut founding = Founding::new(Kind::Direct, 7, 12..13);
        assert!(matches!(founding.command(), Op::OpenDirect(wire::OpenDirect { user_id: 12, .. })));
        let opened = Opened { conversation_id: 5, head: 9 };
        assert_eq!(founding.created(opened), Some(opened));
    }
}
