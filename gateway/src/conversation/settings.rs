//! The settings of groups: what may be asked for, how they change, and who sees the join code.
//!
//! ```text
//!   update_group ─► checked ─► merged ─► stored, with the seq of the entry that made the code in place of the code
//!                                  └───► the entry tells what changed, and never a code
//!   head of one who may invite ◄─ keyed hash of (conversation, that seq) ─► compared when somebody joins
//! ```
//!
//! Invariants: every node computes the same code; neither the log nor the database holds one. An entry that names
//! `join_policy` BY_LINK makes a new code, whether the policy changed by it or not; nothing else does.

use ringwire_protocol::{CommandError, ConversationId, ErrorCode, Seq, wire};
use ringwire_storage::model::ConversationKind;
use wire::GroupSettings;
use wire::group_settings::JoinPolicy;

use crate::command::key::CommandKey;
use crate::command::message::{invalid, too_large};
use crate::command::text;
use crate::config::LimitsConfig;
use crate::limits;

/// A room is for anyone.
pub fn fits_kind(settings: &GroupSettings, kind: ConversationKind) -> Result<(), CommandError> {
    let open = JoinPolicy::Open as i32;
    if kind == ConversationKind::Room && settings.join_policy.is_some_and(|policy| policy != open) {
        return Err(invalid("settings.join_policy of a room is OPEN"));
    }
    Ok(())
}

/// Checks what does not depend on the kind of conversation.
pub fn check(settings: &GroupSettings, limits: &LimitsConfig) -> Result<(), CommandError> {
    let texts = [
        ("title", &settings.title, limits::MAX_TITLE_BYTES),
        ("description", &settings.description, limits::MAX_DESCRIPTION_BYTES),
        ("avatar_url", &settings.avatar_url, limits::MAX_DESCRIPTION_BYTES),
    ];
    for (field, text, most) in texts {
        if text.as_ref().is_some_and(|text| text.len() > most) {
            return Err(too_large(format!("settings.{field} is longer than {most} bytes")));
        }
    }
    text::check_name(settings.title(), "settings.title")?;
    text::check_description(settings.description(), "settings.description")?;
    text::check_address(settings.avatar_url(), "settings.avatar_url")?;
    if settings.join_policy.is_some_and(|policy| JoinPolicy::try_from(policy).is_err()) {
        return Err(invalid("settings.join_policy is not known"));
    }
    if settings.max_members.is_some_and(|most| most == 0 || most > limits.max_group_members) {
        let most = limits.max_group_members;
        return Err(invalid(format!("settings.max_members must be 1 to {most}")));
    }
    Ok(())
}

/// What the entry tells of a change: what differs from `before`, and the policy where a new code is wanted.
pub(super) fn difference(
    before: &GroupSettings,
    asked: &GroupSettings,
) -> Result<GroupSettings, CommandError> {
    fn changed<T: Clone + PartialEq>(before: Option<&T>, asked: Option<&T>) -> Option<T> {
        asked.filter(|asked| before != Some(*asked)).cloned()
    }
    let by_link = Some(JoinPolicy::ByLink as i32);
    let policy = asked.join_policy.or(before.join_policy);
    let new_code = asked.join_code.is_some();
    if new_code && policy != by_link {
        let error = "settings.join_code can be made anew where join_policy is BY_LINK";
        return Err(CommandError::new(ErrorCode::InvalidArgument, error));
    }
    Ok(GroupSettings {
        title: changed(before.title.as_ref(), asked.title.as_ref()),
        description: changed(before.description.as_ref(), asked.description.as_ref()),
        avatar_url: changed(before.avatar_url.as_ref(), asked.avatar_url.as_ref()),
        join_policy: if new_code {
            by_link
        } else {
            changed(before.join_policy.as_ref(), asked.join_policy.as_ref())
        },
        announcement_only: changed(
            before.announcement_only.as_ref(),
            asked.announcement_only.as_ref(),
        ),
        max_members: changed(before.max_members.as_ref(), asked.max_members.as_ref()),
        members_may_invite: changed(
            before.members_may_invite.as_ref(),
            asked.members_may_invite.as_ref(),
        ),
        join_code: None,
    })
}

/// The settings after an entry at `seq` that tells `change`, as they are stored.
pub(super) fn merge(before: &GroupSettings, change: GroupSettings, seq: Seq) -> GroupSettings {
    let code_made = change.join_policy == Some(JoinPolicy::ByLink.into());
    GroupSettings {
        title: change.title.or_else(|| before.title.clone()),
        description: change.description.or_else(|| before.description.clone()),
        avatar_url: change.avatar_url.or_else(|| before.avatar_url.clone()),
        join_policy: change.join_policy.or(before.join_policy),
        announcement_only: change.announcement_only.or(before.announcement_only),
        max_members: change.max_members.or(before.max_members),
        members_may_invite: change.members_may_invite.or(before.members_may_invite),
        join_code: if code_made { Some(seq.to_string()) } else { before.join_code.clone() },
    }
}

/// The code that lets in, if the policy is by link.
pub fn join_code(stored: &GroupSettings, id: ConversationId, key: &CommandKey) -> Option<String> {
    let by_link = stored.join_policy == Some(JoinPolicy::ByLink.into());
    // Entry 1 makes the code of a group that begins with this policy.
    let made_at = stored.join_code.as_ref().and_then(|seq| seq.parse().ok()).unwrap_or(1);
    by_link.then(|| key.join_code(id, made_at))
}

/// The settings as a member sees them.
pub fn shown(
    stored: GroupSettings,
    id: ConversationId,
    key: &CommandKey,
    may_invite: bool,
) -> GroupSettings {
    let join_code = if may_invite { join_code(&stored, id, key) } else { None };
    GroupSettings { join_code, ..stored }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> CommandKey {
        CommandKey::new([7; 16])
    }

    fn id(number: u64) -> ConversationId {
        ConversationId::new(number).unwrap()
    }

    fn by_link() -> GroupSettings {
        GroupSettings { join_policy: Some(JoinPolicy::ByLink.into()), ..Default::default() }
    }

    #[test]
    fn only_an_entry_that_names_the_policy_makes_a_new_code() {
        let began = by_link();
        let first = join_code(&began, id(1), &key()).unwrap();
        assert_ne!(Some(&first), join_code(&began, id(2), &key()).as_ref());

        let title = GroupSettings { title: Some("new".to_owned()), ..Default::default() };
        let titled = merge(&began, difference(&began, &title).unwrap(), 5);
        assert_eq!(join_code(&titled, id(1), &key()).as_ref(), Some(&first));
        let same = merge(&titled, difference(&titled, &by_link()).unwrap(), 6);
        assert_eq!(join_code(&same, id(1), &key()).as_ref(), Some(&first), "nothing changed");

        let anew = GroupSettings { join_code: Some("?".to_owned()), ..Default::default() };
        let told = difference(&same, &anew).unwrap();
        assert_eq!(told, by_link(), "the log tells no code");
        let second = join_code(&merge(&same, told.clone(), 7), id(1), &key()).unwrap();
        assert_ne!(first, second);
        let elsewhere = join_code(&merge(&same, told, 7), id(1), &key());
        assert_eq!(elsewhere, Some(second), "every node computes the same");
    }

    #[test]
    fn a_code_is_for_groups_by_link_and_for_those_who_may_invite() {
        let open =
            GroupSettings { join_policy: Some(JoinPolicy::Open.into()), ..Default::default() };
        assert_eq!(join_code(&open, id(1), &key()), None);
        let anew = GroupSettings { join_code: Some(String::new()), ..Default::default() };
        assert!(difference(&open, &anew).is_err());
        let stored = merge(&open, by_link(), 9);
        assert_eq!(shown(stored.clone(), id(1), &key(), false).join_code, None);
        let told = shown(stored, id(1), &key(), true).join_code.unwrap();
        assert_eq!(told.len(), 16);
        assert!(told.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()));
    }
}
