//! Who belongs to a conversation after an entry, judged by the change that came with it.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message as _;
use ringwire_protocol::{MsgNo, UnixMs, UserId, wire};
use ringwire_storage::append::Change;
use ringwire_storage::model::{ConversationState, EntryRow, MemberRow, Role};

/// Members, settings, and what else entries have made of a conversation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    pub(crate) members: BTreeMap<UserId, MemberRow>,
    pub(crate) settings: Bytes,
    pub(crate) state: ConversationState,
}

impl Roster {
    pub(crate) fn has(&self, user: UserId) -> bool {
        self.members.contains_key(&user)
    }

    pub(crate) fn add(&mut self, user_id: UserId, role: Role, joined_at: UnixMs) {
        self.state.requests.retain(|asking| *asking != user_id);
        self.members.entry(user_id).or_insert(MemberRow {
            user_id,
            role,
            joined_at,
            muted_until: 0,
        });
    }

    /// The roster after an entry, `None`: as before; or what is wrong with the entry.
    pub(crate) fn follow(
        &self,
        row: &EntryRow,
        change: &Change,
        msg_no: MsgNo,
    ) -> Result<Option<Self>, String> {
        let body = wire::EntryBody::decode(row.body.clone()).map_err(|error| error.to_string())?;
        let countable = matches!(body.kind, Some(wire::entry_body::Kind::Message(_)));
        if row.msg_no != msg_no + u64::from(countable) {
            return Err(format!("has msg_no {}", row.msg_no));
        }
        let sender = row.sender_id.ok_or("has no sender")?;
        if countable && !self.has(sender) {
            return Err(format!("is a message of {sender}, who is no member"));
        }
        let mut after = self.clone();
        after.change(row, sender, change)?;
        Ok((*change != Change::None).then_some(after))
    }

    fn change(&mut self, row: &EntryRow, sender: UserId, change: &Change) -> Result<(), String> {
        match change {
            Change::None
            | Change::Mention { .. }
            | Change::Carry { .. }
            | Change::Edit { .. }
            | Change::React { .. } => {}
            Change::Recall { target_seq } => {
                self.state.pins.retain(|pinned| pinned != target_seq);
            }
            Change::Join(users) => {
                for user in users {
                    if self.has(*user) {
                        return Err(format!("lets {user} in, who is there"));
                    }
                    self.add(*user, Role::Member, row.created_at);
                }
            }
            Change::Leave { user_id, new_owner_id } => {
                let role = self.take_out(*user_id)?;
                if let Some(heir) = new_owner_id {
                    self.member(*heir)?.role = Role::Owner;
                } else if role == Role::Owner && !self.members.is_empty() {
                    return Err("leaves nobody to own it".to_owned());
                }
            }
            Change::Remove(users) => {
                for user in users {
                    self.take_out(*user)?;
                }
            }
            Change::SetRole { user_id, role, former_owner_id } => {
                self.member(*user_id)?.role = *role;
                if let Some(former) = former_owner_id {
                    self.member(*former)?.role = Role::Admin;
                }
            }
            Change::Mute { user_id: None, until } => self.state.muted_until = *until,
            Change::Mute { user_id: Some(user), until } => {
                self.member(*user)?.muted_until = *until;
            }
            Change::Ban { user_id, until } => {
                self.members.remove(user_id);
                self.state.requests.retain(|asking| asking != user_id);
                self.state.bans.retain(|(banned, _)| banned != user_id);
                if *until != 0 {
                    self.state.bans.push((*user_id, *until));
                    self.state.bans.sort_unstable();
                }
            }
            Change::Settings(settings) => self.settings = settings.clone(),
            Change::RequestJoin { .. } => {
                self.state.requests.push(sender);
                self.state.requests.sort_unstable();
            }
            Change::RefuseJoin { user_id } => {
                self.state.requests.retain(|asking| asking != user_id);
            }
            Change::Pin { target_seq, removed } => {
                self.state.pins.retain(|pinned| pinned != target_seq);
                if !removed {
                    self.state.pins.push(*target_seq);
                }
            }
            Change::Dissolve => {
                self.members.clear();
                self.state = ConversationState { dissolved: true, ..ConversationState::default() };
            }
        }
        Ok(())
    }

    fn member(&mut self, user: UserId) -> Result<&mut MemberRow, String> {
        self.members.get_mut(&user).ok_or_else(|| format!("concerns {user}, who is no member"))
    }

    fn take_out(&mut self, user: UserId) -> Result<Role, String> {
        let gone = self.members.remove(&user);
        gone.map(|member| member.role).ok_or_else(|| format!("takes {user} out, who is no member"))
    }
}
