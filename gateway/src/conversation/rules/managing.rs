//! What owner and admins decide: roles, mutes, bans, settings.

use prost::Message as _;
use ringwire_protocol::{ErrorCode, UnixMs, UserId, wire};
use ringwire_storage::append::Change;
use ringwire_storage::model::Role;
use wire::entry_body::Kind;

use super::{Decision, Reach, Stop, encode, refusal};
use crate::conversation::settings::{difference, fits_kind, merge};
use crate::conversation::{Conversation, Moment};
use crate::limits;

impl Conversation {
    pub(super) fn set_role(
        &self,
        from: UserId,
        user: UserId,
        role: Role,
        reach: Reach,
    ) -> Decision {
        if self.subject(from, user, reach)? == role {
            return Err(Stop::Already);
        }
        let wire_role = match role {
            Role::Member => wire::Role::Member,
            Role::Admin => wire::Role::Admin,
            Role::Owner => wire::Role::Owner,
        };
        let changed = wire::RoleChanged { user_id: user.get(), role: wire_role.into() };
        let former_owner_id = (role == Role::Owner).then_some(from);
        let change = Change::SetRole { user_id: user, role, former_owner_id };
        Ok((encode(Kind::RoleChanged(changed)), change))
    }

    pub(super) fn mute(
        &self,
        from: UserId,
        user: Option<UserId>,
        until: UnixMs,
        reach: Reach,
        now: &Moment<'_>,
    ) -> Decision {
        if let Some(user) = user {
            self.subject(from, user, reach)?;
        }
        lies_ahead(until, now)?;
        let view = self.view();
        let before = match user {
            Some(user) => view.member(user).map_or(0, |member| member.muted_until),
            None => view.muted_until(),
        };
        if before == until {
            return Err(Stop::Already);
        }
        let muted = wire::Muted { user_id: user.map_or(0, UserId::get), until };
        Ok((encode(Kind::Muted(muted)), Change::Mute { user_id: user, until }))
    }

    pub(super) fn ban(
        &self,
        from: UserId,
        user: UserId,
        until: UnixMs,
        reach: Reach,
        now: &Moment<'_>,
    ) -> Decision {
        let view = self.view();
        let banned_until = view.banned_until(user);
        let banned = banned_until > now.unix_ms;
        if user == from || view.member(user).is_some() {
            self.subject(from, user, reach)?;
        }
        if until == 0 && !banned {
            return Err(refusal(ErrorCode::NotFound, format!("user {user} is not banned")));
        }
        lies_ahead(until, now)?;
        if banned && banned_until == until {
            return Err(Stop::Already);
        }
        if until != 0 && !banned && view.most_bans(now.unix_ms) >= limits::MAX_BANS {
            let error = format!("{} users are banned", limits::MAX_BANS);
            return Err(refusal(ErrorCode::LimitReached, error));
        }
        let body = encode(Kind::Banned(wire::Banned { user_id: user.get(), until }));
        Ok((body, Change::Ban { user_id: user, until }))
    }

    pub(super) fn update(&self, asked: &wire::GroupSettings) -> Decision {
        fits_kind(asked, self.state.kind)?;
        let view = self.view();
        let before = view.settings();
        let told = difference(&before, asked)?;
        if told == wire::GroupSettings::default() {
            return Err(Stop::Already);
        }
        let members = view.most_members();
        if told.max_members.is_some_and(|most| (most as usize) < members) {
            let error = format!("settings.max_members is less than the {members} there are");
            return Err(refusal(ErrorCode::InvalidArgument, error));
        }
        let after = merge(&before, told.clone(), self.next_seq());
        let changed = wire::GroupChanged { settings: Some(told) };
        let change = Change::Settings(after.encode_to_vec().into());
        Ok((encode(Kind::GroupChanged(changed)), change))
    }
}

/// 0 lifts; anything else has to be in the future.
fn lies_ahead(until: UnixMs, now: &Moment<'_>) -> Result<(), Stop> {
    if until == 0 || until > now.unix_ms {
        return Ok(());
    }
    Err(refusal(ErrorCode::InvalidArgument, "until lies in the past; 0 lifts it"))
}
