//! One shard: a pinned thread with its own runtime, its users and its conversations.

mod eventfd;
pub mod launch;
pub mod mailbox;
pub mod placement;
mod sync;
mod wake;
