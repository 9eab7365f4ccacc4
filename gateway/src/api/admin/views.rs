//! Users and conversations as operators are told of them. Nothing here holds what people wrote.

use prost::Message as _;
use ringwire_protocol::{ConversationId, UserId, wire};
use ringwire_storage::devices::DeviceRow;
use ringwire_storage::model::{ConversationKind, ConversationSnapshot, HeadRow, MemberRow, Role};
use ringwire_storage::moderation::{AccountBan, FoundUser};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of users.
#[derive(Serialize, ToSchema)]
pub(super) struct UsersPage {
    #[schema(inline)]
    pub(super) users: Vec<UserView>,
    /// Empty: this was the last page.
    pub(super) next_page_token: String,
}

/// A user.
#[derive(Serialize, ToSchema)]
pub(super) struct UserView {
    user_id: String,
    username: String,
    /// Empty: the user name.
    display_name: String,
    /// Null: there is none, or the operator is a viewer.
    #[schema(required = true)]
    email: Option<String>,
    /// Unix milliseconds.
    created_at: String,
    /// When the account was closed, in Unix milliseconds; 0: it was not.
    deleted_at: String,
    /// Conversations they are in.
    memberships: u64,
    /// Null: they are not kept out.
    #[schema(inline, required = true)]
    ban: Option<BanView>,
}

#[derive(Serialize, ToSchema)]
struct BanView {
    /// Unix milliseconds.
    banned_at: String,
    /// Unix milliseconds; 0: for good.
    until: String,
    reason: String,
}

impl UserView {
    /// A user's address is told to those alone who do more than look.
    pub(super) fn of(found: &FoundUser, ban: Option<AccountBan>, with_email: bool) -> Self {
        let user = &found.user;
        Self {
            user_id: user.user_id.to_string(),
            username: user.username.clone(),
            display_name: user.display_name.clone(),
            email: found.email.clone().filter(|_| with_email),
            created_at: user.created_at.to_string(),
            deleted_at: found.deleted_at.to_string(),
            memberships: found.memberships,
            ban: ban.map(|ban| BanView {
                banned_at: ban.banned_at.to_string(),
                until: ban.until.to_string(),
                reason: ban.reason,
            }),
        }
    }
}

/// A user, with devices and conversations.
#[derive(Serialize, ToSchema)]
pub(super) struct WholeUser {
    #[serde(flatten)]
    #[schema(inline)]
    pub(super) user: UserView,
    #[schema(inline)]
    pub(super) devices: Vec<DeviceView>,
    /// The first 100.
    #[schema(inline)]
    pub(super) conversations: Vec<HeadView>,
}

/// A device of a user.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceView {
    device_id: String,
    /// May be empty.
    device_class: String,
    /// May be empty.
    name: String,
    /// Unix milliseconds.
    last_seen_at: String,
}

impl From<DeviceRow> for DeviceView {
    fn from(device: DeviceRow) -> Self {
        Self {
            device_id: device.seen.device_id,
            device_class: device.seen.device_class,
            name: device.seen.name,
            last_seen_at: device.last_seen_at.to_string(),
        }
    }
}

/// A conversation of a user.
#[derive(Serialize, ToSchema)]
pub(super) struct HeadView {
    conversation_id: String,
    #[schema(inline)]
    kind: KindView,
    /// May be empty.
    title: String,
    #[schema(inline)]
    role: RoleView,
    /// How many there are.
    members: u32,
    /// The newest position.
    head_seq: String,
}

impl From<HeadRow> for HeadView {
    fn from(head: HeadRow) -> Self {
        Self {
            conversation_id: head.conversation_id.to_string(),
            kind: head.kind.into(),
            title: title(head.settings),
            role: head.role.into(),
            members: head.member_count,
            head_seq: head.head.seq.to_string(),
        }
    }
}

/// A conversation, with its members.
#[derive(Serialize, ToSchema)]
pub(super) struct ConversationView {
    conversation_id: String,
    #[schema(inline)]
    kind: KindView,
    /// May be empty.
    title: String,
    /// The newest position.
    head_seq: String,
    /// How many messages there were.
    messages: String,
    /// Where the log begins: what is before is removed.
    floor_seq: String,
    member_count: usize,
    /// The first 200.
    #[schema(inline)]
    members: Vec<MemberView>,
    /// How many there are.
    bans: usize,
    /// How many wait to be let in.
    requests: usize,
    /// How many messages are pinned.
    pins: usize,
    /// Until when only admins may send, in Unix milliseconds; 0: everybody may.
    muted_until: String,
}

impl ConversationView {
    /// `name` knows what the members that are told are called.
    pub(super) fn of<'n>(
        id: ConversationId,
        snapshot: ConversationSnapshot,
        most_members: usize,
        name: impl Fn(UserId) -> Option<&'n str>,
    ) -> Self {
        let members = snapshot.members.iter().take(most_members);
        Self {
            conversation_id: id.to_string(),
            kind: snapshot.kind.into(),
            head_seq: snapshot.head.seq.to_string(),
            messages: snapshot.head.msg_no.to_string(),
            floor_seq: snapshot.floor_seq.to_string(),
            member_count: snapshot.members.len(),
            members: members.map(|member| MemberView::of(member, name(member.user_id))).collect(),
            bans: snapshot.state.bans.len(),
            requests: snapshot.state.requests.len(),
            pins: snapshot.state.pins.len(),
            muted_until: snapshot.state.muted_until.to_string(),
            title: title(snapshot.settings),
        }
    }
}

#[derive(Serialize, ToSchema)]
struct MemberView {
    user_id: String,
    /// Null: the user is not there any more.
    #[schema(required = true)]
    username: Option<String>,
    #[schema(inline)]
    role: RoleView,
    /// Unix milliseconds.
    joined_at: String,
    /// Until when they may not send, in Unix milliseconds; 0: they may.
    muted_until: String,
}

impl MemberView {
    fn of(member: &MemberRow, username: Option<&str>) -> Self {
        Self {
            user_id: member.user_id.to_string(),
            username: username.map(str::to_owned),
            role: member.role.into(),
            joined_at: member.joined_at.to_string(),
            muted_until: member.muted_until.to_string(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum KindView {
    Direct,
    Group,
    Room,
}

impl From<ConversationKind> for KindView {
    fn from(kind: ConversationKind) -> Self {
        match kind {
            ConversationKind::Direct => Self::Direct,
            ConversationKind::Group => Self::Group,
            ConversationKind::Room => Self::Room,
        }
    }
}

/// What a member may do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum RoleView {
    Member,
    Admin,
    Owner,
}

impl From<Role> for RoleView {
    fn from(role: Role) -> Self {
        match role {
            Role::Member => Self::Member,
            Role::Admin => Self::Admin,
            Role::Owner => Self::Owner,
        }
    }
}

fn title(settings: bytes::Bytes) -> String {
    wire::GroupSettings::decode(settings)
        .ok()
        .and_then(|settings| settings.title)
        .unwrap_or_default()
}
