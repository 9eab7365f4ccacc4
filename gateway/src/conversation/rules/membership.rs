//! Who becomes a member, and who ceases to be one.

use bytes::Bytes;
use ringwire_protocol::{ErrorCode, UserId, wire};
use ringwire_storage::append::Change;
use ringwire_storage::model::{ConversationKind, Role};
use wire::entry_body::Kind;
use wire::group_settings::JoinPolicy;

use super::{Decision, Reach, Stop, encode, no_such_conversation, refusal};
use crate::conversation::settings::join_code;
use crate::conversation::{Conversation, Moment};
use crate::limits;
use crate::permissions::Operation;

impl Conversation {
    pub(super) fn join(&self, user: UserId, code: &str, text: &str, now: &Moment<'_>) -> Decision {
        let view = self.view();
        let settings = view.settings();
        let closed = || Stop::Refuse(no_such_conversation(Operation::Join));
        let policy = match self.state.kind {
            _ if view.is_dissolved() => return Err(closed()),
            ConversationKind::Direct => return Err(closed()),
            ConversationKind::Room => JoinPolicy::Open,
            ConversationKind::Group => settings.join_policy(),
        };
        match policy {
            JoinPolicy::InviteOnly => return Err(closed()),
            JoinPolicy::Open => {}
            JoinPolicy::ByLink => {
                let right = join_code(&settings, self.id, &now.terms.key);
                if right.as_deref() != Some(code) {
                    return Err(closed());
                }
            }
            JoinPolicy::ByApproval => return self.request_join(user, text),
        }
        self.has_room(1, now)?;
        Ok(joined(vec![user]))
    }

    fn request_join(&self, user: UserId, text: &str) -> Decision {
        let view = self.view();
        if view.has_asked(user) {
            return Err(refusal(ErrorCode::AlreadyRequested, "an answer is still to come"));
        }
        if view.most_requests() >= limits::MAX_REQUESTS {
            let error = format!("{} users wait for an answer", limits::MAX_REQUESTS);
            return Err(refusal(ErrorCode::LimitReached, error));
        }
        // What it says is for those who answer, not for every reader of the log.
        let requested = wire::JoinRequested::default();
        Ok((encode(Kind::JoinRequested(requested)), Change::RequestJoin { text: text.into() }))
    }

    pub(super) fn resolve_join(&self, user: UserId, refuse: bool, now: &Moment<'_>) -> Decision {
        if !self.view().has_asked(user) {
            return Err(refusal(ErrorCode::UserNotFound, format!("user {user} has not asked")));
        }
        if refuse {
            let refused = wire::JoinRefused { user_id: user.get() };
            return Ok((encode(Kind::JoinRefused(refused)), Change::RefuseJoin { user_id: user }));
        }
        self.is_free(user, now)?;
        self.has_room(1, now)?;
        Ok(joined(vec![user]))
    }

    pub(super) fn invite(&self, users: &[UserId], now: &Moment<'_>) -> Decision {
        let view = self.view();
        let new: Vec<UserId> =
            users.iter().copied().filter(|user| view.member(*user).is_none()).collect();
        if new.is_empty() {
            return Err(refusal(ErrorCode::AlreadyMember, "all of them are members already"));
        }
        for user in &new {
            self.is_free(*user, now)?;
        }
        self.has_room(new.len(), now)?;
        Ok(joined(new))
    }

    /// Whoever is banned can only be taken in after the ban is lifted.
    fn is_free(&self, user: UserId, now: &Moment<'_>) -> Result<(), Stop> {
        let until = self.view().banned_until(user);
        if until <= now.unix_ms {
            return Ok(());
        }
        Err(refusal(ErrorCode::Forbidden, format!("user {user} is banned until {until}")))
    }

    fn has_room(&self, more: usize, now: &Moment<'_>) -> Result<(), Stop> {
        let view = self.view();
        let most = view.settings().max_members.unwrap_or(now.terms.max_group_members);
        if view.most_members() + more <= most as usize {
            return Ok(());
        }
        Err(refusal(ErrorCode::GroupFull, format!("it may have {most} members")))
    }

    pub(super) fn leave(&self, user: UserId) -> (Bytes, Change) {
        let view = self.view();
        let owns = view.member(user).is_some_and(|member| member.role == Role::Owner);
        let new_owner_id = if owns { view.heir(user) } else { None };
        let left = wire::Left { new_owner_id: new_owner_id.map_or(0, UserId::get) };
        (encode(Kind::Left(left)), Change::Leave { user_id: user, new_owner_id })
    }

    pub(super) fn remove(&self, from: UserId, users: &[UserId], reach: Reach) -> Decision {
        for user in users {
            self.subject(from, *user, reach)?;
        }
        let removed = wire::Removed { user_ids: users.iter().map(|user| user.get()).collect() };
        Ok((encode(Kind::Removed(removed)), Change::Remove(users.to_vec())))
    }
}

fn joined(users: Vec<UserId>) -> (Bytes, Change) {
    let joined = wire::Joined { user_ids: users.iter().map(|user| user.get()).collect() };
    (encode(Kind::Joined(joined)), Change::Join(users))
}
