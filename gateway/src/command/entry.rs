//! Commands that become entries, beside `send`: checked as far as their content goes.

use std::mem::take;

use ringwire_protocol::{CommandError, ErrorCode, Seq, UserId, wire};
use wire::command::Op;
use wire::entry_body::Kind;

use super::body::encode;
use super::message::{self, invalid, too_large};
use super::named::Named;
use super::route::{Routed, Sender, conversation, submission, to_owner};
use crate::conversation::Intent;
use crate::conversation::change::role_of;
use crate::conversation::request::Request;
use crate::conversation::settings;
use crate::limits;

/// Checks such a command and makes it ready for the owner of its conversation.
pub(super) fn route(op: &mut Op, sender: &mut Sender<'_>) -> Result<Routed, CommandError> {
    let (conversation_id, client_msg_id, intent) = match op {
        Op::Edit(edit) => {
            let intent = self::edit(edit, sender)?;
            (edit.conversation_id, &mut edit.client_msg_id, intent)
        }
        Op::Recall(recall) => {
            let intent = Intent::Recall { target_seq: target(recall.target_seq)? };
            (recall.conversation_id, &mut recall.client_msg_id, intent)
        }
        Op::React(react) => {
            message::check_reaction(&react.reaction)?;
            let intent = Intent::React {
                target_seq: target(react.target_seq)?,
                reaction: take(&mut react.reaction).into(),
                removed: react.remove,
            };
            (react.conversation_id, &mut react.client_msg_id, intent)
        }
        Op::Pin(pin) => {
            let intent = Intent::Pin { target_seq: target(pin.target_seq)?, removed: pin.remove };
            (pin.conversation_id, &mut pin.client_msg_id, intent)
        }
        Op::UpdateGroup(update) => {
            let asked = update.settings.take().ok_or_else(|| invalid("settings is missing"))?;
            settings::check(&asked, sender.limits)?;
            let intent = Intent::Update(Box::new(asked));
            (update.conversation_id, &mut update.client_msg_id, intent)
        }
        Op::Join(join) => {
            message::check_request(&join.text)?;
            let intent = Intent::Join {
                code: take(&mut join.join_code).into(),
                text: take(&mut join.text).into(),
            };
            (join.conversation_id, &mut join.client_msg_id, intent)
        }
        Op::Leave(leave) => (leave.conversation_id, &mut leave.client_msg_id, Intent::Leave),
        Op::Remove(remove) => {
            let intent = Intent::Remove { users: users(&remove.user_ids, 0)? };
            (remove.conversation_id, &mut remove.client_msg_id, intent)
        }
        Op::SetRole(set) => {
            let Ok(role) = wire::Role::try_from(set.role) else {
                return Err(invalid("role is not known"));
            };
            let intent = Intent::SetRole { user: user(set.user_id)?, role: role_of(role) };
            (set.conversation_id, &mut set.client_msg_id, intent)
        }
        Op::Mute(mute) => {
            let user = if mute.user_id == 0 { None } else { Some(user(mute.user_id)?) };
            let intent = Intent::Mute { user, until: mute.until };
            (mute.conversation_id, &mut mute.client_msg_id, intent)
        }
        Op::ResolveJoin(resolve) => {
            let intent =
                Intent::ResolveJoin { user: user(resolve.user_id)?, refuse: resolve.refuse };
            (resolve.conversation_id, &mut resolve.client_msg_id, intent)
        }
        Op::Dissolve(dissolve) => {
            (dissolve.conversation_id, &mut dissolve.client_msg_id, Intent::Dissolve)
        }
        Op::Invite(invite) => return self::invite(invite, sender),
        Op::Ban(ban) => return self::ban(ban, sender),
        _ => return Err(CommandError::new(ErrorCode::UnknownCommand, "not a command for a log")),
    };
    let conversation_id = conversation(conversation_id)?;
    let submission = submission(client_msg_id, intent, sender)?;
    Ok(to_owner(conversation_id, submission))
}

fn edit(edit: &mut wire::Edit, sender: &Sender<'_>) -> Result<Intent, CommandError> {
    let target_seq = target(edit.target_seq)?;
    let message = edit.message.take().ok_or_else(|| invalid("message is missing"))?;
    message::check(&message, sender.limits)?;
    let (mention_all, files) = (message.mention_all, message::files(&message));
    let body = encode(Kind::Message(message.clone()));
    let edited = encode(Kind::Edited(wire::Edited { target_seq, message: Some(message) }));
    Ok(Intent::Edit { target_seq, body, edited, mention_all, files })
}

fn invite(invite: &mut wire::Invite, sender: &mut Sender<'_>) -> Result<Routed, CommandError> {
    let usernames = take(&mut invite.usernames);
    let users = users(&invite.user_ids, usernames.len())?;
    let submission =
        submission(&mut invite.client_msg_id, Intent::Invite { users: users.clone() }, sender)?;
    let conversation_id = conversation(invite.conversation_id)?;
    Ok(Routed::Named(Box::new(Named { conversation_id, submission, users, usernames })))
}

/// Whoever is banned need not be a member; a ban that is lifted names somebody who exists.
fn ban(ban: &mut wire::Ban, sender: &mut Sender<'_>) -> Result<Routed, CommandError> {
    let user = user(ban.user_id)?;
    let conversation_id = conversation(ban.conversation_id)?;
    let intent = Intent::Ban { user, until: ban.until };
    let submission = submission(&mut ban.client_msg_id, intent, sender)?;
    if ban.until == 0 {
        return Ok(Routed::Owner(Request::Submit { conversation_id, submission }));
    }
    let (users, usernames) = (vec![user], Vec::new());
    Ok(Routed::Named(Box::new(Named { conversation_id, submission, users, usernames })))
}

fn target(seq: Seq) -> Result<Seq, CommandError> {
    if seq == 0 || i64::try_from(seq).is_err() {
        return Err(invalid("target_seq is missing or out of range"));
    }
    Ok(seq)
}

fn user(id: u64) -> Result<UserId, CommandError> {
    UserId::new(id).ok_or_else(|| invalid("user_id is missing or out of range"))
}

/// The users of a list, each once, by id; `more` are named otherwise.
fn users(ids: &[u64], more: usize) -> Result<Vec<UserId>, CommandError> {
    if ids.len() + more > limits::MAX_NAMED {
        return Err(too_large(format!("more than {} users", limits::MAX_NAMED)));
    }
    if ids.len() + more == 0 {
        return Err(invalid("no users are named"));
    }
    let mut users = ids.iter().map(|id| user(*id)).collect::<Result<Vec<_>, _>>()?;
    users.sort_unstable();
    users.dedup();
    Ok(users)
}
