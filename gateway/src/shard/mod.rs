//! One shard: a pinned thread with its own runtime, its users and its conversations.

mod eventfd;
pub mod mailbox;
mod sync;
mod wake;
