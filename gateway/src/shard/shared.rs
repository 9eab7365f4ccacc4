//! What the threads of the process share.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use ringwire_protocol::CommandError;
use tokio::sync::mpsc;

use super::handoff::HttpSocket;
use super::mail::Mail;
use super::mailbox::MailboxSender;
use crate::auth::TokenVerifier;
use crate::command::key::CommandKey;
use crate::config::Config;
use crate::connection::addresses::Addresses;
use crate::connection::admission::Admission;
use crate::conversation::answer::Ack;
use crate::observe::board::Board;
use crate::observe::trace::Tracing;
use crate::service::ask::Call;

/// What all threads share.
pub struct Shared {
    /// What the operator decided.
    pub config: Arc<Config>,
    /// Checks tokens.
    pub verifier: Arc<TokenVerifier>,
    /// Hashes commands.
    pub command_key: CommandKey,
    /// A random number of this start, unlike that of any other start of any node.
    pub boot: u64,
    /// One per shard.
    pub mailboxes: Vec<MailboxSender<Mail>>,
    /// To the service thread.
    pub service: mpsc::Sender<Call>,
    /// Answers to the service's own commands, by their ids.
    pub errands: mpsc::Sender<(u64, Result<Ack, CommandError>)>,
    /// Connections that speak HTTP.
    pub http: mpsc::Sender<HttpSocket>,
    /// Connections of the process.
    pub connections: Arc<AtomicUsize>,
    /// What the addresses of those are doing.
    pub addresses: Addresses,
    /// Most connections the process takes.
    pub max_connections: usize,
    /// Where shards post their numbers.
    pub board: Arc<Board>,
    /// Traces of sampled entries, if they are wanted.
    pub tracing: Option<Tracing>,
    /// Shards that have nothing under way any more.
    pub drained_shards: AtomicUsize,
}

impl Shared {
    /// Takes a connection in, unless the process has too many.
    pub fn admit(&self) -> Option<Admission> {
        Admission::take(&self.connections, self.max_connections)
    }

    /// How many shards there are.
    pub fn shards(&self) -> usize {
        self.mailboxes.len()
    }
}
