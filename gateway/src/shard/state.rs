//! What a shard holds besides its sockets.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::BytesMut;
use ringwire_protocol::{CommandError, UserId};
use tokio::sync::oneshot;

use super::clock::{Clock, TimeSource};
use super::connect::Entering;
use super::credits::Credits;
use super::figures::Unflushed;
use super::named::BehindNamed;
use super::news::News;
use super::screening::Screenings;
use super::shared::Shared;
use super::signals::{CursorPush, OwnCursor};
use crate::command::message::SERVER_ID_PREFIX;
use crate::config::Database;
use crate::conversation::cache::Cache;
use crate::conversation::typing::Typists;
use crate::conversation::{Effect, Moment, Terms};
use crate::fanout::LaggingShards;
use crate::limits;
use crate::observe::figures::{Figure, Figures};
use crate::observe::trace::Tracer;
use crate::pacing::Pacer;
use crate::persist::{AppendSink, Persist};
use crate::placement::ShardId;
use crate::presence::Presence;
use crate::service::ask::{Ask, Call};
use crate::session::callers::Callers;
use crate::session::cursors::DirtyCursors;
use crate::session::gate::{Gate, GateBounds};
use crate::session::registry::{Birthplace, Rates, Registry};
use ringwire_protocol::ConversationId;

/// Everything a shard decides with. All of it is used by one thread, one turn at a time.
pub struct State {
    pub(crate) shared: Arc<Shared>,
    pub(crate) id: ShardId,
    pub(crate) now: Clock,
    pub(crate) registry: Registry,
    /// Who gives commands outside of sessions.
    pub(crate) callers: Callers,
    /// Sessions whose snapshot is read, and those in line.
    pub(crate) gate: Gate<Entering>,
    pub(crate) cursors: DirtyCursors,
    pub(crate) conversations: Cache,
    pub(crate) persist: Persist,
    pub(crate) credits: Credits,
    pub(crate) lagging: LaggingShards,
    /// Cursors of members of this shard's conversations on their way to the other members.
    pub(crate) cursor_pushes: Pacer<(ConversationId, UserId), CursorPush>,
    /// Cursors of this shard's users on their way to their own devices.
    pub(crate) own_cursors: Pacer<(UserId, ConversationId), OwnCursor>,
    pub(crate) typists: Typists,
    pub(crate) presence: Presence,
    pub(crate) news: News,
    pub(crate) screenings: Screenings,
    /// What waits for the users to be known that a command before it names.
    pub(crate) behind_named: BehindNamed,
    /// Tails that could not be loaded, to be asked for again.
    pub(crate) stalled: Vec<ConversationId>,
    pub(crate) waiters: HashMap<u64, oneshot::Sender<Result<UserId, CommandError>>>,
    pub(crate) next_waiter: u64,
    pub(crate) draining: bool,
    pub(crate) spare_effects: Vec<Effect>,
    pub(crate) scratch: BytesMut,
    pub(crate) generation: u64,
    pub(crate) terms: Terms,
    pub(crate) server_ids: ServerIds,
    pub(crate) figures: Figures,
    /// When the figures were posted, in milliseconds since the shard started.
    pub(super) posted_ms: i64,
    pub(crate) unflushed: Unflushed,
    pub(crate) tracer: Option<Tracer>,
}

impl State {
    /// An empty shard.
    pub fn new(shared: Arc<Shared>, id: ShardId, time: TimeSource, writers: AppendSink) -> Self {
        let limits = &shared.config.limits;
        let reserved = shared.mailboxes[usize::from(id)].bounds().reserved;
        let server_ids = ServerIds::new(shared.boot, id);
        let terms = Terms {
            shards: shared.shards(),
            max_group_members: limits.max_group_members,
            edit_window_ms: limits.edit_window_ms(),
            recall_window_ms: limits.recall_window_ms(),
            alone: matches!(shared.config.storage.database, Database::Sqlite),
            key: shared.command_key,
        };
        let rates = Rates { session: limits.session_rate, user: limits.user_rate };
        let birthplace = Birthplace { boot: shared.boot, shard: id };
        let bounds = GateBounds {
            places: (limits::OPENINGS_UNDER_WAY / shared.shards()).max(1),
            waiting: limits::OPENINGS_WAITING,
            weight: limits::OPENINGS_WAITING_CURSORS,
        };
        let presence = Presence::new(id, shared.shards());
        let tracer = shared.tracing.as_ref().map(|tracing| tracing.tracer(shared.boot, id));
        Self {
            shared,
            id,
            now: Clock::new(time),
            registry: Registry::new(rates, birthplace),
            callers: Callers::default(),
            gate: Gate::new(bounds),
            cursors: DirtyCursors::default(),
            conversations: Cache::default(),
            persist: Persist::new(writers, id),
            credits: Credits::new(reserved - limits::DRAIN_ORDERS),
            lagging: LaggingShards::default(),
            cursor_pushes: Pacer::default(),
            own_cursors: Pacer::default(),
            typists: Typists::default(),
            presence,
            news: News::default(),
            screenings: Screenings::default(),
            behind_named: BehindNamed::default(),
            stalled: Vec::new(),
            waiters: HashMap::new(),
            next_waiter: 0,
            draining: false,
            spare_effects: Vec::new(),
            scratch: BytesMut::new(),
            generation: 0,
            terms,
            server_ids,
            figures: Figures::default(),
            posted_ms: 0,
            unflushed: Unflushed::default(),
            tracer,
        }
    }

    /// Reads the clock, once for everything one turn does.
    pub fn begin_turn(&mut self) {
        self.now.read();
        self.figures.add(Figure::Turns, 1);
    }

    /// The time of this turn, for conversations.
    pub(crate) fn moment(&mut self) -> Moment<'_> {
        Moment {
            unix_ms: self.now.unix_ms,
            at: self.now.at,
            generation: &mut self.generation,
            terms: &self.terms,
        }
    }

    /// Asks the service, or gives the question back when there is no room.
    pub(crate) fn ask(&mut self, ask: Ask) -> Result<(), Box<Ask>> {
        // What waits for a tail may be a request of another shard, whose credit is not free before.
        let taken = match ask {
            Ask::LoadTail { .. } => self.credits.take_kept(),
            _ => self.credits.take(),
        };
        if !taken {
            return Err(Box::new(ask));
        }
        let call = Call { shard: self.id, ask };
        self.shared.service.try_send(call).map_err(|refused| {
            self.credits.give_back(1);
            Box::new(refused.into_inner().ask)
        })
    }
}

/// The answer to a command for which there is no room.
pub(crate) fn busy(what: &str) -> CommandError {
    CommandError::retry(ringwire_protocol::ErrorCode::Busy, what, limits::BUSY_RETRY_MS)
}

/// The answer to a command while the shard drains.
pub(crate) fn draining() -> CommandError {
    CommandError::new(ringwire_protocol::ErrorCode::Draining, "the server stops; connect again")
}

/// Makes `client_msg_id`s for commands that carry none: unlike any other's, also across restarts.
#[derive(Debug)]
pub(crate) struct ServerIds {
    prefix: String,
    next: u64,
}

impl ServerIds {
    fn new(boot: u64, shard: ShardId) -> Self {
        Self { prefix: format!("{SERVER_ID_PREFIX}{boot:x}.{shard:x}"), next: 0 }
    }

    pub(crate) fn next(&mut self) -> String {
        self.next += 1;
        format!("{}.{:x}", self.prefix, self.next)
    }
}
