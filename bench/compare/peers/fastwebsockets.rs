//! Peer of the comparison: fastwebsockets on a single tokio thread, as its examples use it.
//!
//! What is told to everybody waits in a queue of each connection, whose task writes it message by message.

use std::cell::RefCell;
use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use fastwebsockets::{Frame, OpCode, Payload, Role, WebSocket, WebSocketError};
use ringwire_bench::peer::{self, Arguments};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const MAX_REQUEST_BYTES: usize = 4_096;

/// The queues of all connections.
type Listeners = Rc<RefCell<Vec<UnboundedSender<Bytes>>>>;

fn main() -> Result<()> {
    peer::run(serve)
}

async fn serve(Arguments { listen, broadcast }: Arguments) -> Result<()> {
    let listener = TcpListener::bind(listen).await?;
    let listeners = Listeners::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let listeners = broadcast.then(|| Rc::clone(&listeners));
        drop(spawn_local(async move {
            // Whatever ends a connection here, a close or an error, ends it for the driver too, and that counts.
            let _ended = match (upgrade(stream).await, listeners) {
                (Ok(stream), None) => echo(stream).await,
                (Ok(stream), Some(listeners)) => tell_everybody(stream, &listeners).await,
                (Err(_), _) => Ok(()),
            };
        }));
    }
}

/// The handshake of RFC 6455 section 4.2.2, for the one client there is.
async fn upgrade(mut stream: TcpStream) -> Result<TcpStream> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        ensure!(stream.read_buf(&mut request).await? > 0, "closed during the handshake");
        ensure!(request.len() <= MAX_REQUEST_BYTES, "a handshake without an end");
    }
    let request = String::from_utf8(request)?;
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let accept = derive_accept_key(key.context("no key")?.as_bytes());
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(response.as_bytes()).await?;
    Ok(stream)
}

async fn echo(stream: TcpStream) -> Result<(), WebSocketError> {
    let mut socket = WebSocket::after_handshake(stream, Role::Server);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => {
                // A frame of its own: what was read still claims to be masked.
                let echo = Frame::new(true, frame.opcode, None, frame.payload);
                socket.write_frame(echo).await?;
            }
            _ => {}
        }
    }
}

async fn tell_everybody(stream: TcpStream, listeners: &Listeners) -> Result<(), WebSocketError> {
    let (mut read, mut write) =
        WebSocket::after_handshake(stream, Role::Server).split(tokio::io::split);
    let (sender, mut queue) = unbounded_channel::<Bytes>();
    listeners.borrow_mut().push(sender);
    drop(spawn_local(async move {
        while let Some(message) = queue.recv().await {
            let frame = Frame::binary(Payload::Borrowed(&message));
            if write.write_frame(frame).await.is_err() {
                return;
            }
        }
    }));
    loop {
        // Pings and closes would be answered here; the driver sends none.
        let mut nothing = |_| async { Ok::<(), WebSocketError>(()) };
        let frame = read.read_frame(&mut nothing).await?;
        match frame.opcode {
            OpCode::Close => return Ok(()),
            OpCode::Text | OpCode::Binary => {
                let message = Bytes::copy_from_slice(&frame.payload);
                // Who is gone takes nothing any more, and is forgotten.
                listeners.borrow_mut().retain(|listener| listener.send(message.clone()).is_ok());
            }
            _ => {}
        }
    }
}
