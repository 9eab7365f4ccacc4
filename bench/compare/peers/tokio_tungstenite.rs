//! Peer of the echo comparison: the usual Rust WebSocket server, tokio-tungstenite on a single tokio thread.
//!
//! `forward` writes all messages that one read brought before it flushes, the kindest way to use it: sending
//! each message by itself flushes each message by itself.

use std::net::SocketAddr;

use anyhow::Result;
use clap::Parser;
use futures_util::{StreamExt as _, TryStreamExt as _, future};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As much as the other peers read at once; the default of 128 KiB is allocated for every connection.
const READ_BUFFER_BYTES: usize = 16 * 1_024;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: SocketAddr,
}

fn main() -> Result<()> {
    let Arguments { listen } = Arguments::parse();
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(serve(listen))
}

async fn serve(listen: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        drop(tokio::spawn(echo(stream)));
    }
}

async fn echo(stream: TcpStream) {
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES);
    // Whatever ends a connection here, a close or an error, ends it for the driver too, and that counts.
    if let Ok(socket) = accept_async_with_config(stream, Some(config)).await {
        let (write, read) = socket.split();
        let messages =
            read.try_filter(|message| future::ready(message.is_text() || message.is_binary()));
        let _closed = messages.forward(write).await;
    }
}
