//! The run's ends of its processes: a thread of its own, a child over pipes, a worker on another host over TCP.
//!
//! ```text
//!            orders ──► thread      │ child's stdin  │ socket
//!   run                 part::play  │ `worker --stdio`│ `worker --listen`
//!            events ◄── channel ◄───┴─ reader thread ─┴─ reader thread
//! ```
//!
//! Whatever a process says arrives in one bounded channel, with the number of the process. One that is gone without an
//! end of its own has failed.

use std::ffi::OsString;
use std::io::{self, BufReader, Read};
use std::net::{Shutdown, TcpStream, ToSocketAddrs as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender, SyncSender};
use std::thread;
use std::time::Duration;

use crate::clock::host_id;
use crate::control::{self, FromPart, Hello, ToPart, VERSION};
use crate::part;
use crate::scenario::Protocol;
use crate::secret::{Secret, SecretError};
use crate::target::Target;
use crate::token::Tokens;

/// How long a worker on another host has to answer while it is reached.
const REACH_LIMIT: Duration = Duration::from_secs(10);

/// Where a part of the run is carried out.
#[derive(Debug)]
pub enum Place {
    /// In this process.
    Here(Box<Here>),
    /// In a child: this program, called with these arguments.
    Child(PathBuf, Vec<OsString>),
    /// By a worker that listens at an address.
    Worker(String, Arc<Secret>),
}

/// What a part in this process needs.
pub struct Here {
    /// The server.
    pub target: Target,
    /// For the users.
    pub tokens: Tokens,
}

impl std::fmt::Debug for Here {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Here").field("target", &self.target).finish_non_exhaustive()
    }
}

/// Why a process cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// A child could not be started.
    #[error("cannot start a process of the load generator: {0}")]
    Start(io::Error),
    /// A worker could not be reached.
    #[error("cannot reach the worker {address}: {reason}")]
    Reach {
        /// Where.
        address: String,
        /// What the system said.
        reason: io::Error,
    },
    /// A worker and this run do not share a secret.
    #[error("worker {address}: {reason}")]
    Secret {
        /// Where.
        address: String,
        /// What is wrong.
        reason: SecretError,
    },
}

/// One process of a run, seen from the run.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) name: String,
    to: To,
}

#[derive(Debug)]
enum To {
    /// What a part here needs is kept until its order comes.
    Here {
        waiting: Option<Box<Here>>,
        orders: Option<Sender<ToPart>>,
        events: Events,
    },
    Child {
        child: Child,
        stdin: Option<ChildStdin>,
    },
    Worker(TcpStream),
}

/// Where the process with a number puts what it says.
#[derive(Clone, Debug)]
pub(crate) struct Events {
    number: usize,
    channel: SyncSender<(usize, FromPart)>,
}

impl Events {
    pub(crate) const fn new(number: usize, channel: SyncSender<(usize, FromPart)>) -> Self {
        Self { number, channel }
    }

    /// Passes it on; whether anybody still listens.
    fn pass(&self, event: FromPart) -> bool {
        self.channel.send((self.number, event)).is_ok()
    }

    /// Reads what a process says until it is gone.
    fn read_from(self, from: impl Read, name: &str) {
        let mut from = BufReader::new(from);
        loop {
            let event = match control::read::<FromPart>(&mut from) {
                Ok(Some(event)) => event,
                Ok(None) => FromPart::Failed(format!("{name} ended unexpectedly")),
                Err(error) => FromPart::Failed(format!("{name}: {error}")),
            };
            let is_end = matches!(event, FromPart::Failed(_) | FromPart::Done(_));
            if !self.pass(event) || is_end {
                return;
            }
        }
    }
}

impl Link {
    /// Opens the link. What the process says, its hello first, goes to `events`.
    pub(crate) fn open(place: Place, events: Events) -> Result<Self, LinkError> {
        let number = events.number + 1;
        match place {
            Place::Here(here) => {
                events.pass(FromPart::Hello(Hello { version: VERSION, host_id: host_id() }));
                let to = To::Here { waiting: Some(here), orders: None, events };
                Ok(Self { name: "this process".to_owned(), to })
            }
            Place::Child(program, arguments) => {
                let name = format!("process {number} of the load generator");
                let (child, stdin) =
                    start(&program, &arguments, events, name.clone()).map_err(LinkError::Start)?;
                Ok(Self { name, to: To::Child { child, stdin: Some(stdin) } })
            }
            Place::Worker(address, secret) => {
                let reach = |reason| LinkError::Reach { address: address.clone(), reason };
                let stream = connect(&address).map_err(reach)?;
                secret
                    .prove_as_run(&stream)
                    .map_err(|reason| LinkError::Secret { address: address.clone(), reason })?;
                stream.set_read_timeout(None).map_err(reach)?;
                let reading = stream.try_clone().map_err(reach)?;
                let name = format!("worker {address}");
                let reader = name.clone();
                thread::spawn(move || events.read_from(reading, &reader));
                Ok(Self { name, to: To::Worker(stream) })
            }
        }
    }

    /// Tells the process something. One that is gone is heard of by the events.
    pub(crate) fn tell(&mut self, message: ToPart) {
        match &mut self.to {
            To::Here { waiting, orders, events } => match message {
                ToPart::Order(order) => {
                    let Some(here) = waiting.take() else { return };
                    let (sender, receiver) = mpsc::channel();
                    *orders = Some(sender);
                    let events = events.clone();
                    thread::spawn(move || {
                        // Where nobody listens any more, the orders end as well.
                        let tell = |event| {
                            events.pass(event);
                        };
                        part::play(*order, here.target, here.tokens, &receiver, tell);
                    });
                }
                message => drop(orders.as_ref().map(|orders| orders.send(message))),
            },
            To::Child { stdin, .. } => {
                drop(stdin.as_mut().map(|stdin| control::write(stdin, &message)));
            }
            To::Worker(stream) => drop(control::write(&*stream, &message)),
        }
    }

    /// Ends a process that does not answer any more: nothing can be asked of it, and its end is not waited for.
    pub(crate) fn abandon(&mut self) {
        if let To::Child { child, .. } = &mut self.to {
            // It fails only where the child has ended.
            let _ = child.kill();
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // The end of its orders ends a process, however far it is.
        match &mut self.to {
            To::Here { orders, .. } => drop(orders.take()),
            To::Child { child, stdin } => {
                drop(stdin.take());
                let _ = child.wait();
            }
            // The reader holds the socket as well.
            To::Worker(stream) => drop(stream.shutdown(Shutdown::Both)),
        }
    }
}

/// Starts a child in a process group of its own: Ctrl-C reaches this process alone, which then asks all to stop.
fn start(
    program: &PathBuf,
    arguments: &[OsString],
    events: Events,
    name: String,
) -> io::Result<(Child, ChildStdin)> {
    use std::os::unix::process::CommandExt as _;
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn()?;
    let pipes = child.stdin.take().zip(child.stdout.take());
    let (stdin, stdout) = pipes.ok_or_else(|| io::Error::other("no pipes"))?;
    thread::spawn(move || events.read_from(stdout, &name));
    Ok((child, stdin))
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let mut failure = io::Error::other("the name has no address");
    for address in address.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, REACH_LIMIT) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(REACH_LIMIT))?;
                stream.set_write_timeout(Some(REACH_LIMIT))?;
                return Ok(stream);
            }
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// The process's side of a link: obeys one run from its first order to its end. `from` and `to` are the same socket, or
/// a child's stdin and stdout.
pub(crate) fn serve(
    from: impl Read + Send + 'static,
    mut to: impl io::Write,
    prepare: impl FnOnce(&str, Protocol) -> Result<Here, String>,
) -> io::Result<()> {
    let mut tell = |event: FromPart| {
        // A run that is gone ends the orders as well; one that is there hears why there are no counts.
        if let Err(error) = control::write(&mut to, &event) {
            let _ = control::write(&mut to, &FromPart::Failed(error.to_string()));
        }
    };
    tell(FromPart::Hello(Hello { version: VERSION, host_id: host_id() }));
    let mut from = BufReader::new(from);
    let Some(ToPart::Order(order)) = control::read(&mut from)? else {
        return Ok(());
    };
    let (orders, receiver) = mpsc::channel();
    thread::spawn(move || {
        while let Ok(Some(message)) = control::read::<ToPart>(&mut from) {
            if orders.send(message).is_err() {
                return;
            }
        }
    });
    match prepare(&order.url, order.scenario.protocol) {
        Ok(here) => part::play(*order, here.target, here.tokens, &receiver, tell),
        Err(reason) => tell(FromPart::Failed(reason)),
    }
    Ok(())
}
