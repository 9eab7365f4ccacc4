//! Who may do what: a command against the committed state and the entries in flight.

use std::cmp::Reverse;

use bytes::Bytes;
use prost::Message as _;
use ringwire_protocol::{CommandError, ErrorCode, UnixMs, UserId, wire};
use ringwire_storage::append::Change;
use ringwire_storage::model::{ConversationKind, Role};

use super::members::Member;
use super::{Conversation, Intent, Submission};
use wire::group_settings::JoinPolicy;

impl Conversation {
    /// The body and change the command stands for, or why it may not be.
    pub(super) fn decide(
        &self,
        submission: &Submission,
        now: UnixMs,
    ) -> Result<(Bytes, Change), CommandError> {
        let user = submission.from;
        match &submission.intent {
            Intent::Send { body, after } => {
                self.may_send(user, after, now)?;
                Ok((body.clone(), Change::None))
            }
            Intent::Join => {
                self.may_join(user)?;
                let joined = wire::Joined { user_ids: vec![user.get()] };
                Ok((encode(wire::entry_body::Kind::Joined(joined)), Change::Join(vec![user])))
            }
            Intent::Leave => {
                let new_owner_id = self.may_leave(user)?;
                let left = wire::Left { new_owner_id: new_owner_id.map_or(0, UserId::get) };
                Ok((
                    encode(wire::entry_body::Kind::Left(left)),
                    Change::Leave { user_id: user, new_owner_id },
                ))
            }
        }
    }

    /// The member as they will be when everything in flight has committed.
    fn member_in_view(&self, user: UserId) -> Option<Member> {
        let mut view = self.members.get(user);
        if self.changes_in_flight == 0 {
            return view;
        }
        for entry in &self.in_flight {
            match &entry.change {
                Change::Join(users) if users.contains(&user) => {
                    view = view.or(Some(Member { role: Role::Member, muted_until: 0 }));
                }
                Change::Leave { user_id, .. } if *user_id == user => view = None,
                Change::Leave { new_owner_id: Some(heir), .. } if *heir == user => {
                    view = view.map(|member| Member { role: Role::Owner, ..member });
                }
                _ => {}
            }
        }
        view
    }

    pub(super) fn may_send(
        &self,
        user: UserId,
        after: &str,
        now: UnixMs,
    ) -> Result<(), CommandError> {
        let member = self.member_in_view(user).ok_or_else(|| self.not_member())?;
        if member.muted_until > now {
            let message = format!("muted until {}", member.muted_until);
            return Err(CommandError::new(ErrorCode::Muted, message));
        }
        if self.settings.announcement_only == Some(true) && member.role == Role::Member {
            let message = "only owner and admins may send here";
            return Err(CommandError::new(ErrorCode::Forbidden, message));
        }
        if !after.is_empty() && self.refusals.contains(self.id, user, after) {
            let message = "the send named in `after` was refused";
            return Err(CommandError::new(ErrorCode::OutOfOrder, message));
        }
        Ok(())
    }

    fn may_join(&self, user: UserId) -> Result<(), CommandError> {
        if self.member_in_view(user).is_some() {
            return Err(CommandError::new(ErrorCode::AlreadyMember, "already a member"));
        }
        let open = match self.kind {
            ConversationKind::Room => true,
            ConversationKind::Group => self.settings.join_policy == Some(JoinPolicy::Open.into()),
            ConversationKind::Direct => false,
        };
        if !open {
            return Err(CommandError::new(
                ErrorCode::ConversationNotFound,
                "no such conversation, or it cannot be joined",
            ));
        }
        let most = self.max_members;
        if self.members.count() + self.changes_in_flight >= most as usize {
            return Err(CommandError::new(ErrorCode::GroupFull, format!("it has {most} members")));
        }
        Ok(())
    }

    fn may_leave(&self, user: UserId) -> Result<Option<UserId>, CommandError> {
        let member = self.member_in_view(user).ok_or_else(|| self.not_member())?;
        if self.kind == ConversationKind::Direct {
            let message = "a direct conversation cannot be left";
            return Err(CommandError::new(ErrorCode::Forbidden, message));
        }
        Ok(if member.role == Role::Owner { self.heir_in_view(user) } else { None })
    }

    /// Who inherits a group whose owner leaves: the admin, or else the member, with the lowest id.
    fn heir_in_view(&self, leaving: UserId) -> Option<UserId> {
        let joining = self.in_flight.iter().flat_map(|entry| match &entry.change {
            Change::Join(users) => users.as_slice(),
            _ => &[],
        });
        self.members
            .users()
            .chain(joining.copied())
            .filter(|user| *user != leaving)
            .filter_map(|user| self.member_in_view(user).map(|member| (user, member.role)))
            .min_by_key(|(user, role)| (Reverse(*role), *user))
            .map(|(user, _)| user)
    }

    /// Strangers learn nothing: a conversation that is not theirs looks like one that does not exist, unless
    /// anyone may join it.
    pub(super) fn not_member(&self) -> CommandError {
        match self.kind {
            ConversationKind::Room => CommandError::new(ErrorCode::NotMember, "join first"),
            _ => CommandError::new(ErrorCode::NotMember, "not a member of this conversation"),
        }
    }
}

fn encode(kind: wire::entry_body::Kind) -> Bytes {
    wire::EntryBody { kind: Some(kind) }.encode_to_vec().into()
}
