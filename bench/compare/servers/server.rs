//! The servers under comparison: child processes, each alone on its core.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::ValueEnum;
use serde::Serialize;

use crate::Workload;
use crate::cpu::{self, Usage};
use crate::wire::{Framing, Wire};

/// In this repository: the program lies there, and its packages beside it.
const NODE_PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/compare/peers/node/server.js");
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
    /// The usual WebSocket server of Node: the package `ws`.
    NodeWs,
}

impl Server {
    pub(crate) const ALL: [Self; 4] =
        [Self::Ringwire, Self::MonoioTcp, Self::TokioTungstenite, Self::NodeWs];

    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ringwire => "ringwire",
            Self::MonoioTcp => "monoio TCP",
            Self::TokioTungstenite => "tokio-tungstenite",
            Self::NodeWs => "Node ws",
        }
    }

    /// Whether it can do it at all.
    pub(crate) fn does(self, workload: Workload) -> bool {
        workload == Workload::Echo || self != Self::MonoioTcp
    }

    /// What it speaks, with payloads of `size_bytes`.
    pub(crate) fn wire(self, size_bytes: usize) -> Result<Wire> {
        let framing = if self == Self::MonoioTcp { Framing::None } else { Framing::WebSocket };
        Wire::new(framing, size_bytes)
    }

    /// Why it cannot be started here; those of Rust are built with this program, and have to be there.
    pub(crate) fn missing(self) -> Result<Option<&'static str>> {
        let program = self.program()?;
        if self == Self::NodeWs {
            let installed = program.with_file_name("node_modules").is_dir();
            return Ok((!installed).then_some("`npm ci` was not run in bench/compare/peers/node"));
        }
        ensure!(
            program.is_file(),
            "{} is not built; `cargo xtask bench compare` builds it",
            program.display()
        );
        Ok(None)
    }

    /// Cargo puts binaries beside this one and examples in a folder there.
    fn program(self) -> Result<PathBuf> {
        let this = std::env::current_exe()?;
        let folder = this.parent().context("this program lies in a folder")?;
        Ok(match self {
            Self::Ringwire => folder.join("examples/echo"),
            Self::MonoioTcp => folder.join("peer_monoio_tcp"),
            Self::TokioTungstenite => folder.join("peer_tokio_tungstenite"),
            Self::NodeWs => PathBuf::from(NODE_PEER),
        })
    }

    fn command(self) -> Result<Command> {
        let program = self.program()?;
        if self != Self::NodeWs {
            return Ok(Command::new(program));
        }
        let node = std::env::var_os("RINGWIRE_NODE").unwrap_or_else(|| "node".into());
        let mut command = Command::new(node);
        command.arg(program);
        Ok(command)
    }

    /// Starts it on `core` and waits until it accepts connections.
    pub(crate) fn start(self, workload: Workload, core: usize) -> Result<Running> {
        let address = free_address()?;
        let mut command = self.command()?;
        if workload == Workload::Fanout {
            command.arg("--broadcast");
        }
        command.arg("--listen").arg(address.to_string()).env("RUST_LOG", "error");
        command.stdin(Stdio::null()).stdout(Stdio::null());
        // SAFETY: between fork and exec the closure only makes two system calls on its own stack.
        unsafe { command.pre_exec(move || cpu::pin(core)) };
        let child = command.spawn().context("the server cannot be started")?;
        let mut running = Running { child, address };
        running.wait_until_it_accepts()?;
        Ok(running)
    }
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
