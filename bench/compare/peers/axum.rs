//! Peer of the comparison: the WebSocket of axum, the usual Rust web framework, on a single tokio thread.
//!
//! Underneath is tokio-tungstenite, so it is used as that is: `forward` writes all messages that are there before it
//! flushes. What is told to everybody waits in a queue of each connection.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::routing::any;
use axum::serve::ListenerExt as _;
use futures_util::{StreamExt as _, TryStreamExt as _, future, stream};
use ringwire_bench::peer::{self, Arguments, READ_BUFFER_BYTES};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The queues of all connections. axum wants its handlers to be able to move to other threads.
type Listeners = Arc<Mutex<Vec<UnboundedSender<Message>>>>;

fn main() -> Result<()> {
    peer::run(serve)
}

async fn serve(Arguments { listen, broadcast }: Arguments) -> Result<()> {
    let listener = TcpListener::bind(listen).await?.tap_io(|stream| {
        // It fails only on a connection that is gone already.
        let _gone = stream.set_nodelay(true);
    });
    let listeners = Listeners::default();
    let route = any(move |upgrade: WebSocketUpgrade| {
        let listeners = broadcast.then(|| Arc::clone(&listeners));
        future::ready(upgrade.read_buffer_size(READ_BUFFER_BYTES).on_upgrade(|socket| async {
            match listeners {
                None => echo(socket).await,
                Some(listeners) => tell_everybody(socket, listeners).await,
            }
        }))
    });
    Ok(axum::serve(listener, Router::new().route("/", route)).await?)
}

fn is_said(message: &Message) -> bool {
    matches!(message, Message::Text(_) | Message::Binary(_))
}

async fn echo(socket: WebSocket) {
    let (write, read) = socket.split();
    // Whatever ends a connection here, a close or an error, ends it for the driver too, and that counts.
    let _closed = read.try_filter(|message| future::ready(is_said(message))).forward(write).await;
}

async fn tell_everybody(socket: WebSocket, listeners: Listeners) {
    let (write, mut read) = socket.split();
    let (sender, mut queue) = unbounded_channel();
    listeners.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
    let queued = stream::poll_fn(move |context| queue.poll_recv(context)).map(Ok);
    drop(tokio::spawn(queued.forward(write)));
    while let Some(Ok(message)) = read.next().await {
        if is_said(&message) {
            let mut listeners = listeners.lock().unwrap_or_else(PoisonError::into_inner);
            // Who is gone takes nothing any more, and is forgotten.
            listeners.retain(|listener| listener.send(message.clone()).is_ok());
        }
    }
}
