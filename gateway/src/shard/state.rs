//! What a shard holds besides its sockets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use ringwire_protocol::{CommandError, UnixMs, UserId};
use ringwire_storage::store::Store;
use tokio::sync::oneshot;

use super::credits::Credits;
use super::placement::ShardId;
use crate::conversation::cache::Cache;
use crate::conversation::{Effect, Moment};
use crate::fanout::LaggingShards;
use crate::limits;
use crate::persist::Persist;
use crate::server::Shared;
use crate::service::ask::{Ask, Call};
use crate::session::cursors::DirtyCursors;
use crate::session::rate::Rate;
use crate::session::registry::{Rates, Registry};
use ringwire_protocol::ConversationId;

/// Everything a shard decides with. All of it is used by one thread, one turn at a time.
pub struct State {
    pub(super) shared: Arc<Shared>,
    pub(super) id: ShardId,
    pub(super) now: Clock,
    pub(super) registry: Registry,
    pub(super) cursors: DirtyCursors,
    pub(super) conversations: Cache,
    pub(super) persist: Persist,
    pub(super) credits: Credits,
    pub(super) lagging: LaggingShards,
    /// Conversations made by users of this shard, whose owner shard had no room for the news yet.
    pub(super) announcements: Vec<ConversationId>,
    /// Tails that could not be loaded, to be asked for again.
    pub(super) stalled: Vec<ConversationId>,
    pub(super) waiters: HashMap<u64, oneshot::Sender<Result<UserId, CommandError>>>,
    pub(super) next_waiter: u64,
    pub(super) draining: bool,
    pub(super) spare_effects: Vec<Effect>,
    pub(super) scratch: BytesMut,
    pub(super) generation: u64,
    pub(super) server_ids: ServerIds,
}

impl State {
    /// An empty shard.
    pub fn new(shared: Arc<Shared>, id: ShardId, store: Store) -> Self {
        let limits = &shared.config.limits;
        let rates = Rates {
            session: Rate {
                per_s: limits.session_commands_per_s,
                burst: limits.session_commands_burst,
            },
            user: Rate { per_s: limits.user_commands_per_s, burst: limits.user_commands_burst },
        };
        Self {
            shared,
            id,
            now: Clock::new(),
            registry: Registry::new(rates),
            cursors: DirtyCursors::default(),
            conversations: Cache::default(),
            persist: Persist::new(store, id),
            credits: Credits::new(),
            lagging: LaggingShards::default(),
            announcements: Vec::new(),
            stalled: Vec::new(),
            waiters: HashMap::new(),
            next_waiter: 0,
            draining: false,
            spare_effects: Vec::new(),
            scratch: BytesMut::new(),
            generation: 0,
            server_ids: ServerIds::new(id),
        }
    }

    /// Reads the clock, once for everything one turn does.
    pub fn begin_turn(&mut self) {
        self.now.read();
    }

    /// The time of this turn, for conversations.
    pub(super) fn moment(&mut self) -> Moment<'_> {
        Moment {
            unix_ms: self.now.unix_ms,
            tick: self.now.tick,
            generation: &mut self.generation,
        }
    }

    /// Asks the service; `false`: it has no room.
    pub(super) fn ask(&mut self, ask: Ask) -> Result<(), Ask> {
        if !self.credits.take() {
            return Err(ask);
        }
        let call = Call { shard: self.id, ask };
        self.shared.service.try_send(call).map_err(|refused| {
            self.credits.give_back(1);
            refused.into_inner().ask
        })
    }
}

/// The answer to a command for which there is no room.
pub(super) fn busy(what: &str) -> CommandError {
    CommandError::retry(ringwire_protocol::ErrorCode::Busy, what, limits::BUSY_RETRY_MS)
}

/// The time, read once a turn.
#[derive(Debug)]
pub(super) struct Clock {
    started: Instant,
    pub(super) unix_ms: UnixMs,
    /// Seconds since the shard started, monotonic.
    pub(super) tick: u32,
}

impl Clock {
    fn new() -> Self {
        let mut clock = Self { started: Instant::now(), unix_ms: 0, tick: 0 };
        clock.read();
        clock
    }

    fn read(&mut self) {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.unix_ms = since_epoch.as_millis() as UnixMs;
        self.tick = self.started.elapsed().as_secs() as u32;
    }
}

/// Makes `client_msg_id`s for commands that carry none: unlike any other's, also across restarts.
#[derive(Debug)]
pub(super) struct ServerIds {
    prefix: String,
    next: u64,
}

impl ServerIds {
    fn new(shard: ShardId) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let boot = since_epoch.as_nanos();
        let process = std::process::id();
        Self { prefix: format!("s.{boot:x}.{process:x}.{shard:x}"), next: 0 }
    }

    pub(super) fn next(&mut self) -> String {
        self.next += 1;
        format!("{}.{:x}", self.prefix, self.next)
    }
}
