//! One node: real shards with real mailboxes, and around them what the world plays.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, Waker};

use anyhow::{Context as _, Result};
use ringwire_gateway::auth::TokenVerifier;
use ringwire_gateway::config::{self, CommandRate, Config, Database as DatabaseChoice};
use ringwire_gateway::connection::addresses::Addresses;
use ringwire_gateway::connection::driver::Application as _;
use ringwire_gateway::connection::forwarded::TrustedProxies;
use ringwire_gateway::connection::links::LinkKey;
use ringwire_gateway::limits;
use ringwire_gateway::observe::board::Board;
use ringwire_gateway::placement::ShardId;
use ringwire_gateway::secret::SecretKey;
use ringwire_gateway::service::ask::Call;
use ringwire_gateway::shard::Shard;
use ringwire_gateway::shard::clock::{Time, TimeSource};
use ringwire_gateway::shard::mail::Mail;
use ringwire_gateway::shard::mailbox::{Bounds, MailboxReceiver, mailbox};
use ringwire_gateway::shard::shared::Shared;
use tokio::sync::mpsc;

use crate::plan::Plan;
use crate::random::Random;
use crate::service::COMMAND_KEY;
use crate::writer::Writer;

/// One shard and what of it is due.
pub(crate) struct Place {
    pub(crate) shard: Rc<Shard>,
    pub(crate) mailbox: MailboxReceiver<Mail>,
    /// A turn with the mailbox is to come.
    pub(crate) mail_due: bool,
    /// A flush pass is to come.
    pub(crate) flush_due: bool,
    /// It does nothing before this, in virtual microseconds.
    pub(crate) frozen_until_us: u64,
}

impl Place {
    /// Whether a connection has something to send.
    pub(crate) fn is_dirty(&self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        self.shard.links().borrow_mut().poll_dirty(&mut context) == Poll::Ready(())
    }

    /// Whether the shard reads this connection at present.
    pub(crate) fn reads(&self, link: LinkKey) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        self.shard.links().borrow_mut().poll_unpaused(link, &mut context) == Poll::Ready(())
    }
}

/// A running node.
pub(crate) struct Node {
    pub(crate) shared: Arc<Shared>,
    pub(crate) places: Vec<Place>,
    pub(crate) calls: mpsc::Receiver<Call>,
    pub(crate) writer: Writer,
    pub(crate) write_due: bool,
    /// Whatever else the shards could speak to; nobody does in here.
    _silent: Box<dyn std::any::Any>,
}

impl Node {
    /// Starts one with nothing in memory.
    pub(crate) fn start(plan: &Plan, random: &mut Random, time: &Rc<Cell<Time>>) -> Result<Self> {
        let bounds = Bounds {
            shared: plan.mailbox_shared,
            reserved: plan.credits + limits::DRAIN_ORDERS,
            producers: 1,
        };
        let mailboxes: std::io::Result<Vec<_>> =
            (0..plan.shards).map(|_| mailbox(bounds)).collect();
        let (senders, receivers): (Vec<_>, Vec<_>) =
            mailboxes.context("no descriptor for an eventfd")?.into_iter().unzip();
        let config = Arc::new(configuration(plan)?);
        let (service, calls) = mpsc::channel(plan.service_queue);
        let (http, http_end) = mpsc::channel(1);
        let (errands, errands_end) = mpsc::channel(1);
        let own = SecretKey::new(vec![7; 32]);
        let shared = Arc::new(Shared {
            verifier: Arc::new(TokenVerifier::new(&own, &config.auth)?),
            command_key: COMMAND_KEY,
            boot: random.next(),
            mailboxes: senders,
            service,
            errands,
            http,
            connections: Arc::new(AtomicUsize::new(0)),
            addresses: Addresses::new(config.limits.address, TrustedProxies::default()),
            max_connections: 1_000,
            board: Arc::new(Board::new(plan.shards, Vec::new(), time.get().at)),
            tracing: None,
            drained_shards: AtomicUsize::new(0),
            config,
        });
        let writer = Writer::new();
        let places = receivers.into_iter().enumerate().map(|(id, mailbox)| {
            let time = TimeSource::Told(Rc::clone(time));
            let sink = writer.queue.sink(plan.writer_room);
            let shard = Rc::new(Shard::new(Arc::clone(&shared), id as ShardId, time, sink));
            Place { shard, mailbox, mail_due: false, flush_due: false, frozen_until_us: 0 }
        });
        let places = places.collect();
        let silent = Box::new((http_end, errands_end));
        Ok(Self { shared, places, calls, writer, write_due: false, _silent: silent })
    }

    /// Nothing is under way in here.
    pub(crate) fn is_quiet(&self) -> bool {
        self.writer.queue.lock().is_empty()
            && self.places.iter().all(|place| place.mailbox.is_empty() && place.shard.is_quiet())
    }
}

fn configuration(plan: &Plan) -> Result<Config> {
    let mut config = config::load(None, [], &[])?.config;
    config.server.shards = plan.shards;
    // Others may write to the same database, unless nobody does.
    if plan.has_rival() {
        config.storage.database = DatabaseChoice::Postgres("postgres://model".to_owned());
    }
    let no_limit = CommandRate { per_s: 0, burst: 1 };
    config.limits.session_rate = match plan.session_burst {
        0 => no_limit,
        burst => CommandRate { per_s: burst, burst },
    };
    config.limits.user_rate = no_limit;
    Ok(config)
}
