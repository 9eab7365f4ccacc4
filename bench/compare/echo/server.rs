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

use crate::cpu::{self, Usage};
use crate::wire::{Framing, Wire};

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
}

impl Server {
    pub(crate) const ALL: [Self; 3] = [Self::Ringwire, Self::MonoioTcp, Self::TokioTungstenite];

    /// The name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ringwire => "ringwire",
            Self::MonoioTcp => "monoio TCP",
            Self::TokioTungstenite => "tokio-tungstenite",
        }
    }

    /// What it speaks, with payloads of `size_bytes`.
    pub(crate) fn wire(self, size_bytes: usize) -> Result<Wire> {
        let framing = match self {
            Self::MonoioTcp => Framing::None,
            Self::Ringwire | Self::TokioTungstenite => Framing::WebSocket,
        };
        Wire::new(framing, size_bytes)
    }

    /// Cargo puts binaries beside this one and examples in a folder there.
    fn program(self) -> Result<PathBuf> {
        let this = std::env::current_exe()?;
        let folder = this.parent().context("this program lies in a folder")?;
        let program = folder.join(match self {
            Self::Ringwire => "examples/echo",
            Self::MonoioTcp => "echo_monoio_tcp",
            Self::TokioTungstenite => "echo_tokio_tungstenite",
        });
        ensure!(
            program.is_file(),
            "{} is not built; `cargo xtask bench echo` builds it",
            program.display()
        );
        Ok(program)
    }

    /// Starts it on `core` and waits until it accepts connections.
    pub(crate) fn start(self, core: usize) -> Result<Running> {
        let address = free_address()?;
        let mut command = Command::new(self.program()?);
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
