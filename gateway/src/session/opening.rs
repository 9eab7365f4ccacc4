//! `connect`: the snapshot a session begins with, and the pushes that waited for it.

use std::collections::HashMap;

use ringwire_protocol::{ConversationId, Seq, UserId, wire};
use ringwire_storage::refresh::FamilyId;
use ringwire_storage::views::ViewChanges;

use super::registry::Device;

/// What `connect` asks the service for.
#[derive(Debug)]
pub struct OpenRequest {
    /// Whose session.
    pub user: UserId,
    /// A proposal for the name of a new user; may be empty.
    pub name_hint: String,
    /// Of which login its token is, if of any.
    pub login: Option<FamilyId>,
    /// On which device.
    pub device: Device,
    /// Where the client stands.
    pub cursors: Vec<(ConversationId, Seq)>,
    /// The newest change of its view that the client has; 0: it keeps none.
    pub view_no: u64,
}

/// What the service read for a session, in one snapshot.
#[derive(Debug)]
pub struct Opened {
    /// The user's profile.
    pub user: wire::User,
    /// The newest lines of the list.
    pub heads: wire::HeadsPage,
    /// How each cursor is served.
    pub sync: Vec<wire::SyncState>,
    /// The missed entries, to be pushed.
    pub missed: Vec<wire::Entry>,
    /// How the user's view changed since the client looked.
    pub view: ViewChanges,
    /// The newest position of every conversation in the snapshot: live pushes up to it are covered by it.
    pub covered: HashMap<ConversationId, Seq>,
}
