//! What the peers of the comparison that are written in Rust have in common: how they are told what to do, and the one
//! thread they run on.

use std::net::SocketAddr;

use anyhow::Result;
use clap::Parser;
use tokio::task::LocalSet;

/// As much as each of them reads at once; libraries that would take more for every connection are told so.
pub const READ_BUFFER_BYTES: usize = 16 * 1_024;

/// What a peer is told.
#[derive(Debug, Parser)]
pub struct Arguments {
    /// Where to listen.
    #[arg(long)]
    pub listen: SocketAddr,
    /// Tell every message to everybody, in place of giving it back.
    #[arg(long)]
    pub broadcast: bool,
}

/// Runs a peer on tokio, on the calling thread alone.
///
/// # Errors
///
/// Those of the peer.
pub fn run<F: Future<Output = Result<()>>>(serve: impl FnOnce(Arguments) -> F) -> Result<()> {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(LocalSet::new().run_until(serve(arguments)))
}
