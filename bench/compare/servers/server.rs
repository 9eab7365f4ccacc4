//! The servers under comparison: child processes, each alone on its core.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use serde::Serialize;

use crate::cpu::{self, Usage};
use crate::nchan::Nchan;
use crate::wire::{Framing, Wire};
use crate::{Workload, uwebsockets};

/// In this repository: the programs lie there, and their packages beside them.
const NODE_PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/compare/peers/node");
const START_LIMIT: Duration = Duration::from_secs(10);

/// A server under comparison.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Server {
    /// Our connection layer alone: the gateway's example `echo`.
    Ringwire,
    /// TCP without a protocol, on our runtime.
    MonoioTcp,
    /// The usual Rust WebSocket server.
    TokioTungstenite,
    /// The Rust WebSocket server made for speed.
    Fastwebsockets,
    /// The WebSocket of the usual Rust web framework.
    Axum,
    /// The usual WebSocket server of Node: the package `ws`.
    NodeWs,
    /// Socket.IO on Node, by WebSocket alone: its own protocol inside, in text.
    NodeSocketIo,
    /// The C++ server, from its source.
    Uwebsockets,
    /// nginx with the module nchan.
    Nchan,
}

/// What a server runs from.
enum Program {
    /// Built with this program, and then it has to be there.
    Built(PathBuf),
    /// A script for Node.
    Script(PathBuf),
    /// What this machine has.
    Nginx(Nchan),
}

/// A server of a comparison, which may turn out not to be here.
pub(crate) struct Candidate {
    pub(crate) server: Server,
    /// Or why there is none.
    program: Result<Program, String>,
}

impl Server {
    pub(crate) const ALL: [Self; 9] = [
        Self::Ringwire,
        Self::MonoioTcp,
        Self::TokioTungstenite,
        Self::Fastwebsockets,
        Self::Axum,
        Self::NodeWs,
        Self::NodeSocketIo,
        Self::Uwebsockets,
        Self::Nchan,
    ];

    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ringwire => "ringwire",
            Self::MonoioTcp => "monoio TCP",
            Self::TokioTungstenite => "tokio-tungstenite",
            Self::Fastwebsockets => "fastwebsockets",
            Self::Axum => "axum",
            Self::NodeWs => "Node ws",
            Self::NodeSocketIo => "Socket.IO",
            Self::Uwebsockets => "uWebSockets",
            Self::Nchan => "nginx nchan",
        }
    }

    /// Whether it can do it at all.
    pub(crate) fn does(self, workload: Workload) -> bool {
        match self {
            Self::MonoioTcp => workload == Workload::Echo,
            Self::Nchan => workload == Workload::Fanout,
            _ => true,
        }
    }

    /// What it speaks, with payloads of `size_bytes`.
    pub(crate) fn wire(self, size_bytes: usize) -> Result<Wire> {
        let framing = match self {
            Self::MonoioTcp => Framing::None,
            Self::NodeSocketIo => Framing::SocketIo,
            _ => Framing::WebSocket,
        };
        Wire::new(framing, size_bytes)
    }

    /// Finds or builds what it runs from. What is built with this program has to be there, what is named has to build;
    /// of the rest is told why it is not here.
    pub(crate) fn find(self, uwebsockets_source: Option<&Path>) -> Result<Candidate> {
        let program = match self {
            Self::Ringwire => Ok(built("examples/echo")?),
            Self::MonoioTcp => Ok(built("peer_monoio_tcp")?),
            Self::TokioTungstenite => Ok(built("peer_tokio_tungstenite")?),
            Self::Fastwebsockets => Ok(built("peer_fastwebsockets")?),
            Self::Axum => Ok(built("peer_axum")?),
            Self::NodeWs => script("ws.js", "ws"),
            Self::NodeSocketIo => script("socket_io.js", "socket.io"),
            Self::Uwebsockets => match uwebsockets_source {
                Some(source) => Ok(Program::Built(uwebsockets::build(source)?)),
                None => Err("--uwebsockets names no source".to_owned()),
            },
            Self::Nchan => {
                Nchan::find(free_address()?).map(Program::Nginx).map_err(|why| format!("{why:#}"))
            }
        };
        Ok(Candidate { server: self, program })
    }
}

/// Cargo puts binaries beside this one and examples in a folder there.
fn built(name: &str) -> Result<Program> {
    let this = std::env::current_exe()?;
    let folder = this.parent().context("this program lies in a folder")?;
    let program = folder.join(name);
    ensure!(
        program.is_file(),
        "{} is not built; `cargo xtask bench compare` builds it",
        program.display()
    );
    Ok(Program::Built(program))
}

fn script(name: &str, package: &str) -> Result<Program, String> {
    let folder = Path::new(NODE_PEERS);
    if folder.join("node_modules").join(package).is_dir() {
        Ok(Program::Script(folder.join(name)))
    } else {
        Err("`npm ci` was not run in bench/compare/peers/node".to_owned())
    }
}

impl Candidate {
    /// Why it cannot be started.
    pub(crate) fn not_here(&self) -> Option<&str> {
        self.program.as_ref().err().map(String::as_str)
    }

    /// Starts it on `core` and waits until it accepts connections.
    pub(crate) fn start(&self, workload: Workload, core: usize) -> Result<Running> {
        let address = free_address()?;
        let mut command = match &self.program {
            Ok(Program::Nginx(nchan)) => nchan.command(address)?,
            Ok(Program::Built(program)) => with_options(Command::new(program), workload, address),
            Ok(Program::Script(script)) => {
                let node = std::env::var_os("RINGWIRE_NODE").unwrap_or_else(|| "node".into());
                let mut command = Command::new(node);
                command.arg(script);
                with_options(command, workload, address)
            }
            Err(why) => bail!("not here: {why}"),
        };
        command.env("RUST_LOG", "error").stdin(Stdio::null()).stdout(Stdio::null());
        // SAFETY: between fork and exec the closure only makes two system calls on its own stack.
        unsafe { command.pre_exec(move || cpu::pin(core)) };
        let child = command.spawn().context("the server cannot be started")?;
        let mut running = Running { child, address };
        running.wait_until_it_accepts()?;
        Ok(running)
    }
}

/// What all servers of our own making are told in the same way.
fn with_options(mut command: Command, workload: Workload, address: SocketAddr) -> Command {
    if workload == Workload::Fanout {
        command.arg("--broadcast");
    }
    command.arg("--listen").arg(address.to_string());
    command
}

/// A server that runs; dropping it ends it.
pub(crate) struct Running {
    child: Child,
    address: SocketAddr,
}

impl Running {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// CPU time used so far, by it and by others.
    pub(crate) fn usage(&self) -> Result<Usage> {
        Usage::now(self.child.id())
    }

    fn wait_until_it_accepts(&mut self) -> Result<()> {
        let started = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}");
            }
            ensure!(started.elapsed() < START_LIMIT, "the server does not listen");
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only when it is gone already, and that is what they are for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address nobody listens on at the moment.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}
