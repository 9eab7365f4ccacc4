//! What may be said, and what may be done with what was said.

use bytes::Bytes;
use ringwire_protocol::{ErrorCode, Seq, UnixMs, UserId, wire};
use ringwire_storage::append::Change;
use wire::entry_body::Kind;

use super::{Decision, Reach, Stop, encode, refusal};
use crate::conversation::facts::{Fact, Known, Nature};
use crate::conversation::intent::Mentions;
use crate::conversation::{Conversation, Moment};
use crate::limits;
use crate::permissions::Operation;

impl Conversation {
    pub(super) fn send(
        &self,
        from: UserId,
        body: &Bytes,
        after: &str,
        (mentions, files): (&Mentions, &[Box<str>]),
        now: &Moment<'_>,
    ) -> Decision {
        if mentions.all {
            self.reach(Operation::MentionAll, from, now)?;
        }
        if !after.is_empty() && self.refusals.contains(self.id, from, after) {
            return Err(refusal(ErrorCode::OutOfOrder, "the send named in `after` was refused"));
        }
        let files = files.to_vec();
        Ok((
            body.clone(),
            match self.mention(mentions) {
                addresses if files.is_empty() => addresses,
                Change::Mention { users, all } => Change::Carry { files, users, all },
                _ => Change::Carry { files, users: Vec::new(), all: false },
            },
        ))
    }

    /// Only members count as addressed.
    fn mention(&self, mentions: &Mentions) -> Change {
        if mentions.users.is_empty() && !mentions.all {
            return Change::None;
        }
        let view = self.view();
        let members = mentions.users.iter().copied().filter(|user| view.member(*user).is_some());
        let users: Vec<UserId> = members.collect();
        if users.is_empty() && !mentions.all {
            return Change::None;
        }
        Change::Mention { users, all: mentions.all }
    }

    pub(super) fn edit(
        &self,
        from: UserId,
        target_seq: Seq,
        (body, edited, files): (&Bytes, &Bytes, &[Box<str>]),
        mention_all: bool,
        now: &Moment<'_>,
    ) -> Decision {
        if mention_all {
            self.reach(Operation::MentionAll, from, now)?;
        }
        let message = self.message(target_seq, now)?;
        is_own(&message, from)?;
        is_within(now.terms.edit_window_ms, message.created_at, now.unix_ms)?;
        let (body, files) = (body.clone(), files.to_vec());
        Ok((edited.clone(), Change::Edit { target_seq, body, files }))
    }

    pub(super) fn recall(
        &self,
        from: UserId,
        target_seq: Seq,
        reach: Reach,
        now: &Moment<'_>,
    ) -> Decision {
        let message = self.message(target_seq, now)?;
        if reach == Reach::Own {
            is_own(&message, from)?;
            is_within(now.terms.recall_window_ms, message.created_at, now.unix_ms)?;
        }
        let recalled = wire::Recalled { target_seq };
        Ok((encode(Kind::Recalled(recalled)), Change::Recall { target_seq }))
    }

    pub(super) fn react(
        &self,
        from: UserId,
        target_seq: Seq,
        reaction: &str,
        removed: bool,
        now: &Moment<'_>,
    ) -> Decision {
        self.message(target_seq, now)?;
        match self.reaction_in_flight(from, target_seq, reaction) {
            Some(there) if there != removed => return Err(Stop::Likewise),
            None if self.reactions.get(target_seq, from, reaction) == Some(!removed) => {
                return Err(Stop::Already);
            }
            _ => {}
        }
        let reacted = wire::Reacted { target_seq, reaction: reaction.to_owned(), removed };
        let change = Change::React { target_seq, reaction: reaction.into(), removed };
        Ok((encode(Kind::Reacted(reacted)), change))
    }

    /// Whether a reaction is there once everything in flight has committed, if that says anything of it.
    fn reaction_in_flight(&self, from: UserId, seq: Seq, with: &str) -> Option<bool> {
        self.in_flight.iter().rev().find_map(|entry| match &entry.change {
            Change::React { target_seq, reaction, removed }
                if (entry.submission.from, *target_seq, &**reaction) == (from, seq, with) =>
            {
                Some(!removed)
            }
            _ => None,
        })
    }

    pub(super) fn pin(&self, target_seq: Seq, removed: bool, now: &Moment<'_>) -> Decision {
        let view = self.view();
        if view.is_pinned(target_seq) != removed {
            return Err(Stop::Already);
        }
        if !removed {
            self.message(target_seq, now)?;
            if view.most_pins() >= limits::MAX_PINS {
                let error = format!("{} messages are pinned", limits::MAX_PINS);
                return Err(refusal(ErrorCode::LimitReached, error));
            }
        }
        let change = Change::Pin { target_seq, removed };
        Ok((encode(Kind::Pinned(wire::Pinned { target_seq, removed })), change))
    }

    /// The message at a position, if it is one and still there.
    fn message(&self, seq: Seq, now: &Moment<'_>) -> Result<Fact, Stop> {
        let missing = || refusal(ErrorCode::EntryNotFound, format!("there is no message at {seq}"));
        let known = match self.facts.get(seq) {
            // Another node may have written what this one has not seen yet.
            Known::Unknown if seq > self.head.seq && now.terms.alone => Known::Absent,
            known => known,
        };
        match known {
            Known::Unknown => Err(Stop::Target(seq)),
            Known::Fact(fact) if fact.nature == Nature::Message => {
                if self.view().is_recalled(seq) {
                    Err(missing())
                } else {
                    Ok(fact)
                }
            }
            Known::Fact(_) | Known::Absent => Err(missing()),
        }
    }
}

fn is_own(message: &Fact, user: UserId) -> Result<(), Stop> {
    if message.sender == Some(user) {
        return Ok(());
    }
    Err(refusal(ErrorCode::Forbidden, "somebody else said it"))
}

/// A window of 0 never closes.
fn is_within(window_ms: u64, created_at: UnixMs, now: UnixMs) -> Result<(), Stop> {
    let age_ms = u64::try_from(now.saturating_sub(created_at)).unwrap_or(0);
    if window_ms == 0 || age_ms <= window_ms {
        return Ok(());
    }
    Err(refusal(ErrorCode::WindowPassed, format!("it was said more than {window_ms} ms ago")))
}
