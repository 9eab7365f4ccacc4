//! Commands that the database answers.

use ringwire_protocol::wire;

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
    /// `create_group`
    CreateGroup(wire::CreateGroup),
}
