//! Start and stop of everything.
//!
//! ```text
//!   keys, driver, listeners ─► mailboxes ─► store (its answers go to the mailboxes) ─► shards ─► service, API
//!   SIGTERM, SIGINT ─► shards and HTTP drain ─► store writes what it accepted ─► exit
//! ```

use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use ringwire_storage::{CompletionSink, Store};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::api::{ApiServer, Reach, ServiceFacts, ServiceState};
use crate::auth::TokenVerifier;
use crate::cli::say;
use crate::command::key::CommandKey;
use crate::config::{AuthConfig, Config, DriverChoice};
use crate::connection::addresses::Addresses;
use crate::hooks::{Events, Screener};
use crate::limits;
use crate::net::{self, Driver};
use crate::observe::board::{Board, Queue};
use crate::outbound::{Outgoing, OutgoingMetrics};
use crate::persist::AppendSink;
use crate::placement::ShardId;
use crate::push::{Pusher, VapidKey};
use crate::service::Service;
use crate::service::ask::Call;
use crate::service::calls::Calls;
use crate::service::issuers::Issuers;
use crate::service::orders::Orders;
use crate::service::upkeep::Upkeep;
use crate::shard::handoff::{HttpSocket, Returned};
use crate::shard::mail::Mail;
use crate::shard::mailbox::{Bounds, MailboxReceiver, MailboxSender, mailbox};
use crate::shard::shared::Shared;
use crate::shard::{Shard, launch};
use crate::startup::{self, StartError};

/// Descriptors kept for the database, files and eventfds.
const SPARE_DESCRIPTORS: usize = 256;

/// Serves until the process is told to stop.
pub fn run(config: Config) -> Result<(), StartError> {
    let descriptors = startup::raise_descriptor_limit()?;
    let keys = startup::load_keys(&config)?;
    let driver = choose_driver(config.server.driver)?;
    let (listeners, address) = listen(config.server.listen, config.server.shards)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|source| StartError::System { action: "start the service thread", source })?;
    runtime.block_on(async {
        let mut stop = StopSignal::new()?;
        let mut reload = handler(SignalKind::hangup())?;
        let (senders, receivers) = mailboxes(&config)?;
        let store = tokio::select! {
            store = startup::open_store(&config, completion_sink(&senders)) => store?,
            () = stop.received() => return Ok(()),
        };
        let command_key = CommandKey::new(store.command_key().await?);
        let (service, asked) = mpsc::channel(limits::SERVICE_QUEUE);
        let (http, sockets) = mpsc::channel(limits::HTTP_QUEUE);
        let config = Arc::new(config);
        let outgoing = Outgoing::new(config.push.private_endpoints)?;
        let traces = startup::traces(config.tracing.as_ref(), &outgoing);
        let queues = queues(&senders, &service, &http);
        let board = Arc::new(Board::new(config.server.shards, queues, Instant::now()));
        let shared = Arc::new(Shared {
            verifier: Arc::clone(&keys.verifier),
            command_key,
            boot: startup::boot_number()?,
            mailboxes: senders,
            service,
            http,
            connections: Arc::new(AtomicUsize::new(0)),
            addresses: Addresses::new(config.limits.address, config.server.trusted_proxies.clone()),
            max_connections: most_connections(&config, descriptors),
            board: Arc::clone(&board),
            tracing: traces.as_ref().map(|traces| traces.tracing.clone()),
            drained_shards: AtomicUsize::new(0),
            config: Arc::clone(&config),
        });
        let reach = Reach {
            mailboxes: shared.mailboxes.clone(),
            ordered: Arc::new(Notify::new()),
            stop: Arc::new(Notify::new()),
        };
        let facts = ServiceFacts {
            driver: driver.name(),
            shards: shared.shards(),
            board,
            reach: reach.clone(),
            exported: traces.as_ref().map(|traces| traces.exported.clone()),
        };
        if let Some(traces) = traces {
            tokio::spawn(traces.exporter.run());
        }
        let verifier = Arc::clone(&keys.verifier);
        let calls = Calls::new(shared.mailboxes.clone(), shared.addresses.clone());
        let vapid = keys.vapid.clone();
        let state = ServiceState::new(
            Arc::clone(&config),
            store.clone(),
            keys,
            facts,
            calls.clone(),
            &outgoing,
        )?;
        let api = ApiServer::new(state.clone(), config.server.max_http_connections)
            .on_upgrade(return_to_shards(Arc::clone(&shared)));
        let threads = start_shards(&shared, driver, &store, listeners, receivers)?;
        let metrics = state.outgoing_metrics();
        let telling = start_telling(&config, &store, vapid, &outgoing, &metrics)?;
        let screener = Screener::new(&config.hook, &config.limits, outgoing.clone(), metrics);
        let service = Service::new(Arc::clone(&shared), store.clone(), api.clone(), screener);
        tokio::spawn(service.run(asked, sockets));
        let upkeep =
            Upkeep::new(store.clone(), &config.storage, calls, state.deleted(), state.files());
        let upkeep = tokio::spawn(upkeep.run());

        let ordered = Arc::clone(&reach.ordered);
        let orders = Orders::new(store.clone(), shared.mailboxes.clone(), ordered);
        let orders = tokio::spawn(orders.run());
        let issuers = Issuers::new(Arc::clone(&config), Arc::clone(&verifier), outgoing);
        let issuers = tokio::spawn(issuers.run());

        tracing::info!(%address, driver = driver.name(), shards = shared.shards(), "ready");
        // It serves, whoever listens to that.
        let _ = say(format_args!("Ringwire is ready: http://{address}/"));
        tokio::select! {
            () = stop.received() => {}
            () = reach.stop.notified() => {}
            () = reload_keys(&verifier, &config.auth, &mut reload) => {}
        }

        tracing::info!("stopping: no new connections, finishing what is under way");
        upkeep.abort();
        orders.abort();
        issuers.abort();
        drop(telling);
        state.begin_drain();
        api.begin_drain();
        for mailbox in &shared.mailboxes {
            mailbox.send_reserved(Mail::Drain);
        }
        let join = tokio::task::spawn_blocking(move || join_shards(threads));
        // What is under way over HTTP mostly waits for the shards itself.
        drop(tokio::join!(join, api.ended()));
        let lost = store.shut_down(Duration::from_secs(limits::DRAIN_S)).await;
        if lost > 0 {
            tracing::warn!(lost, "unacknowledged entries were given up: the database is away");
        }
        tracing::info!("stopped");
        Ok(())
    })
}

/// Tells devices and other programs of what is written, until what this returns is dropped. What is under way by then is
/// told by another node, or after the next start.
fn start_telling(
    config: &Config,
    store: &Store,
    vapid: Option<Arc<VapidKey>>,
    outgoing: &Outgoing,
    metrics: &OutgoingMetrics,
) -> Result<JoinSet<()>, StartError> {
    let mut telling = JoinSet::new();
    if config.push.is_on() {
        let (push, outgoing) = (config.push.clone(), outgoing.clone());
        let pusher = Pusher::new(store.clone(), push, vapid, outgoing, metrics.clone())?;
        telling.spawn(pusher.run());
    }
    if config.push.is_on() || !config.events.webhooks.is_empty() {
        let (events, outgoing) = (&config.events, outgoing.clone());
        telling.spawn(Events::new(store.clone(), events, outgoing, metrics.clone()).run());
    }
    Ok(telling)
}

fn choose_driver(choice: DriverChoice) -> Result<Driver, StartError> {
    let probe = Driver::probe_uring();
    match (choice, probe) {
        (DriverChoice::Epoll, _) => Ok(Driver::Epoll),
        (DriverChoice::Auto | DriverChoice::Uring, Ok(())) => Ok(Driver::Uring),
        (DriverChoice::Auto, Err(error)) => {
            tracing::warn!(%error, "io_uring is not available here; using epoll");
            Ok(Driver::Epoll)
        }
        (DriverChoice::Uring, Err(source)) => Err(StartError::System {
            action: "use io_uring (allow it in the seccomp profile, or start with --driver auto)",
            source,
        }),
    }
}

/// A listener for each shard, all on one port; with port 0 the first decides which.
fn listen(
    address: SocketAddr,
    shards: usize,
) -> Result<(Vec<StdListener>, SocketAddr), StartError> {
    let failed = |source| StartError::Listen { address, source };
    net::wait_for_free_port(address).map_err(failed)?;
    let mut actual = address;
    let mut listeners = Vec::with_capacity(shards);
    for _ in 0..shards {
        let listener = net::listen(actual).map_err(failed)?;
        actual = listener.local_addr().map_err(failed)?;
        listeners.push(listener);
    }
    Ok((listeners, actual))
}

type Mailboxes = (Vec<MailboxSender<Mail>>, Vec<MailboxReceiver<Mail>>);

fn mailboxes(config: &Config) -> Result<Mailboxes, StartError> {
    let shards = config.server.shards;
    let bounds = Bounds {
        shared: limits::MAILBOX_SHARED,
        reserved: limits::SHARD_CREDITS + limits::DRAIN_ORDERS,
        // The other shards, the writers, the service.
        producers: shards + config.storage.writers.max(1) + 1,
    };
    let made: Result<Vec<_>, _> = (0..shards).map(|_| mailbox(bounds)).collect();
    let made = made.map_err(|source| StartError::System { action: "make an eventfd", source })?;
    Ok(made.into_iter().unzip())
}

/// The queues between threads, to be looked at by whoever reads the figures. What is only looked at stays open for nobody.
fn queues(
    mailboxes: &[MailboxSender<Mail>],
    service: &mpsc::Sender<Call>,
    http: &mpsc::Sender<HttpSocket>,
) -> Vec<Queue> {
    let mailbox = |(shard, mailbox): (usize, &MailboxSender<Mail>)| {
        let mailbox = mailbox.clone();
        Queue {
            name: "mailbox",
            shard: Some(shard as ShardId),
            capacity: mailbox.bounds().shared,
            waiting: Box::new(move || mailbox.waiting()),
        }
    };
    let mut queues: Vec<Queue> = mailboxes.iter().enumerate().map(mailbox).collect();
    queues.push(channel("service", service));
    queues.push(channel("http_sockets", http));
    queues
}

fn channel<T: Send + 'static>(name: &'static str, sender: &mpsc::Sender<T>) -> Queue {
    let capacity = sender.max_capacity();
    let sender = sender.downgrade();
    let waiting = move || sender.upgrade().map_or(0, |sender| capacity - sender.capacity());
    Queue { name, shard: None, capacity, waiting: Box::new(waiting) }
}

fn completion_sink(mailboxes: &[MailboxSender<Mail>]) -> CompletionSink {
    let mailboxes = mailboxes.to_vec();
    Arc::new(move |shard, completions| {
        mailboxes[usize::from(shard)].send_reserved(Mail::Completed(completions));
    })
}

fn most_connections(config: &Config, descriptors: usize) -> usize {
    let possible = descriptors.saturating_sub(SPARE_DESCRIPTORS).max(1);
    let wanted = config.server.max_connections;
    if wanted > possible {
        tracing::warn!(
            max_connections = wanted,
            possible,
            "the limit of open files (ulimit -n) allows fewer connections than configured"
        );
    }
    wanted.min(possible)
}

/// Gives connections that turn out to be WebSockets after all to the shards, in turn.
fn return_to_shards(shared: Arc<Shared>) -> impl Fn(crate::api::UpgradedSocket) + Send + Sync {
    let turn = AtomicUsize::new(0);
    move |socket| {
        let Some(admission) = shared.admit() else {
            return;
        };
        let mailbox = &shared.mailboxes[turn.fetch_add(1, Ordering::Relaxed) % shared.shards()];
        let returned = Returned {
            stream: socket.stream,
            unread: BytesMut::from(&*socket.unread),
            peer: socket.peer,
            admission,
        };
        // With no room the connection ends, and the client tries again.
        drop(mailbox.try_send(Mail::Returned(Box::new(returned))));
    }
}

/// Reads the key files again whenever the process is told to, for as long as it is polled.
async fn reload_keys(verifier: &TokenVerifier, config: &AuthConfig, told: &mut Signal) {
    while told.recv().await.is_some() {
        match verifier.reload(config) {
            Ok(()) => tracing::info!("the keys of tokens were read again"),
            Err(error) => tracing::error!(%error, "the keys of tokens stay as they were"),
        }
    }
    std::future::pending::<()>().await;
}

fn handler(kind: SignalKind) -> Result<Signal, StartError> {
    signal(kind).map_err(|source| StartError::System { action: "handle signals", source })
}

type ShardThread = JoinHandle<std::io::Result<()>>;

fn start_shards(
    shared: &Arc<Shared>,
    driver: Driver,
    store: &Store,
    listeners: Vec<StdListener>,
    mailboxes: Vec<MailboxReceiver<Mail>>,
) -> Result<Vec<ShardThread>, StartError> {
    let failed = |source| StartError::System { action: "start a shard", source };
    let pairs = listeners.into_iter().zip(mailboxes);
    let store = store.clone();
    let writers: AppendSink =
        Arc::new(move |append| store.submit(append).map_err(|full| Box::new(full.0)));
    pairs
        .enumerate()
        .map(|(id, (listener, mailbox))| {
            let (shared, writers) = (Arc::clone(shared), Arc::clone(&writers));
            let id = id as ShardId;
            let main = move || Shard::run(shared, id, driver, writers, listener, mailbox);
            launch::spawn(id, driver, main).map_err(failed)
        })
        .collect()
}

fn join_shards(threads: Vec<ShardThread>) {
    for thread in threads {
        match thread.join() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "a shard ended early"),
            Err(_) => tracing::error!("a shard panicked"),
        }
    }
}

struct StopSignal {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignal {
    fn new() -> Result<Self, StartError> {
        Ok(Self {
            terminate: handler(SignalKind::terminate())?,
            interrupt: handler(SignalKind::interrupt())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
