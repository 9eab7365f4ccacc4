//! Commands that the database answers.

use ringwire_protocol::wire;
use ringwire_storage::presence::Visibility;

/// One of them.
#[derive(Debug)]
pub enum Query {
    /// `sync`
    Sync(wire::Sync),
    /// `history`
    History(wire::History),
    /// `heads`
    Heads(wire::Heads),
    /// `members`
    Members(wire::Members),
    /// `read_by`
    ReadBy(wire::ReadBy),
    /// `hide`
    Hide(wire::Hide),
    /// `block`
    Block(wire::Block),
    /// `blocks`
    Blocks(wire::Blocks),
    /// `open_direct`
    OpenDirect(wire::OpenDirect),
    /// `set_status`, as far as it is kept with the account.
    SetVisibility {
        /// Who sees the status; `None`: as before.
        status: Option<Visibility>,
        /// Who sees when the user was last there; `None`: as before.
        last_seen: Option<Visibility>,
    },
    /// `create_group`
    CreateGroup(wire::CreateGroup),
}
