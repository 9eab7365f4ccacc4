//! Planted mistakes, each in a part that the world plays: a simulation that stays green with one of them proves nothing.

/// What is wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    /// Nothing.
    None,
    /// The writer says that entries are committed which the log does not keep.
    AckBeforeCommit,
    /// The database lets the same command in twice.
    NoDedupe,
    /// Entries are lost on their way from the shard to the client, and nobody says so.
    LosePush,
    /// A resume does not bring all that was missed.
    PartialResume,
}
