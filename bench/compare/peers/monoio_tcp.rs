//! Peer of the echo comparison: bytes in, the same bytes out, on one monoio thread. What an echo server on this
//! runtime costs before it speaks any protocol.

use std::net::SocketAddr;

use anyhow::Result;
use clap::Parser;
use monoio::io::{AsyncReadRent as _, AsyncWriteRentExt as _};
use monoio::net::{TcpListener, TcpStream};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The gateway's ring: as many entries, the same flags.
const RING_ENTRIES: u32 = 4_096;
/// A whole burst of the deepest comparison, 16 messages of 1 KiB, fits into one read.
const BUFFER_BYTES: usize = 16 * 1_024;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: SocketAddr,
}

fn main() -> Result<()> {
    let Arguments { listen } = Arguments::parse();
    if monoio::utils::detect_uring() {
        let mut ring = io_uring::IoUring::builder();
        ring.setup_single_issuer().setup_defer_taskrun();
        monoio::RuntimeBuilder::<monoio::IoUringDriver>::new()
            .with_entries(RING_ENTRIES)
            .uring_builder(ring)
            .build()?
            .block_on(serve(listen))
    } else {
        monoio::RuntimeBuilder::<monoio::LegacyDriver>::new().build()?.block_on(serve(listen))
    }
}

async fn serve(listen: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(listen)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        drop(monoio::spawn(echo(stream)));
    }
}

async fn echo(mut stream: TcpStream) {
    let mut buffer = Vec::with_capacity(BUFFER_BYTES);
    loop {
        let (read, filled) = stream.read(buffer).await;
        if !matches!(read, Ok(1..)) {
            return;
        }
        let (written, sent) = stream.write_all(filled).await;
        if written.is_err() {
            return;
        }
        buffer = sent;
        buffer.clear();
    }
}
