//! Peer of the comparison: the usual Rust WebSocket server, tokio-tungstenite on a single tokio thread.
//!
//! `forward` writes all messages that are there before it flushes, the kindest way to use it: sending each message by
//! itself flushes each message by itself. What is told to everybody waits in a queue of each connection.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::Result;
use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
use ringwire_bench::peer::{self, Arguments, READ_BUFFER_BYTES};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;
use tokio_tungstenite::accept_async_with_config;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The queues of all connections.
type Listeners = Rc<RefCell<Vec<UnboundedSender<Message>>>>;

fn main() -> Result<()> {
    peer::run(serve)
}

async fn serve(Arguments { listen, broadcast }: Arguments) -> Result<()> {
    let listener = TcpListener::bind(listen).await?;
    let listeners = Listeners::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        if broadcast {
            drop(spawn_local(tell_everybody(stream, Rc::clone(&listeners))));
        } else {
            drop(spawn_local(echo(stream)));
        }
    }
}

fn config() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(READ_BUFFER_BYTES)
}

async fn echo(stream: TcpStream) {
    // Whatever ends a connection here, a close or an error, ends it for the driver too, and that counts.
    if let Ok(socket) = accept_async_with_config(stream, Some(config())).await {
        let (write, read) = socket.split();
        let messages =
            read.try_filter(|message| future::ready(message.is_text() || message.is_binary()));
        let _closed = messages.forward(write).await;
    }
}

async fn tell_everybody(stream: TcpStream, listeners: Listeners) {
    let Ok(socket) = accept_async_with_config(stream, Some(config())).await else { return };
    let (write, mut read) = socket.split();
    let (sender, mut queue) = unbounded_channel();
    listeners.borrow_mut().push(sender);
    let queued = stream::poll_fn(move |context| queue.poll_recv(context)).map(Ok);
    drop(spawn_local(queued.forward(write)));
    while let Some(Ok(message)) = read.next().await {
        if message.is_text() || message.is_binary() {
            // Who is gone takes nothing any more, and is forgotten.
            listeners.borrow_mut().retain(|listener| listener.send(message.clone()).is_ok());
        }
    }
}
