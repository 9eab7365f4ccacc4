//! The connection layer alone, on the shards: answers every WebSocket message with the same message, or tells it to
//! everybody who is connected to that shard.
//!
//! For conformance suites and for measuring raw speed:
//! `cargo run --release --example echo -p ringwire-gateway -- --listen 127.0.0.1:9001`

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::BytesMut;
use clap::Parser;
use ringwire_gateway::connection::departures::Departures;
use ringwire_gateway::connection::driver::{self, Application, Opening, ReadBuffer};
use ringwire_gateway::connection::endpoint::Endpoint;
use ringwire_gateway::connection::links::{Heartbeat, LinkKey, Links, Overdue};
use ringwire_gateway::connection::upgrade::{self, Arrival};
use ringwire_gateway::net::{self, Driver, Listener, Stream};
use ringwire_gateway::{limits, shard};
use ringwire_protocol::CloseReason;
use ringwire_protocol::connection::Connection;
use ringwire_protocol::websocket::{Limits, MessageKind, Role, frame, handshake};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:9001")]
    listen: SocketAddr,
    /// Threads, one pinned to each processor.
    #[arg(long, default_value_t = 1)]
    shards: u16,
    /// Largest message accepted, in bytes.
    #[arg(long, default_value_t = 64 << 20)]
    max_message_bytes: usize,
    /// Compress messages for clients that offer permessage-deflate.
    #[arg(long)]
    compression: bool,
    /// Tell every message to all connections of the shard.
    #[arg(long)]
    broadcast: bool,
    /// Wait for sockets with epoll instead of io_uring.
    #[arg(long)]
    epoll: bool,
}

/// What the connections have in common.
#[derive(Clone, Copy)]
struct Manner {
    max_message_bytes: usize,
    compression: bool,
    broadcast: bool,
}

struct Echo {
    links: RefCell<Links>,
    read_buffer: RefCell<ReadBuffer>,
    departures: Departures,
    /// Who is told what is said, where everybody is.
    listeners: RefCell<Vec<LinkKey>>,
    manner: Manner,
}

impl Application for Echo {
    fn links(&self) -> &RefCell<Links> {
        &self.links
    }

    fn read_buffer(&self) -> &RefCell<ReadBuffer> {
        &self.read_buffer
    }

    fn departures(&self) -> &Departures {
        &self.departures
    }

    fn on_turn(&self) {}

    fn on_message(&self, link: LinkKey, kind: MessageKind, payload: &[u8]) {
        let mut links = self.links.borrow_mut();
        if self.manner.broadcast {
            // Framed once, and shared by all.
            let frame = frame::server_frame(kind, payload);
            for listener in self.listeners.borrow().iter() {
                links.push_common(*listener, kind, &frame);
            }
        } else {
            links.send_message(link, kind, payload);
        }
        // A peer that sends without reading is not read either.
        if links.queued_bytes(link) > limits::OUTBOX_FULL_BYTES {
            links.set_paused(link, true);
        }
    }

    fn on_drained(&self, link: LinkKey) {
        self.links.borrow_mut().set_paused(link, false);
    }

    fn on_farewell(&self, _: LinkKey, _: Option<u16>) {}

    fn on_gone(&self, link: LinkKey) {
        if self.manner.broadcast {
            self.listeners.borrow_mut().retain(|listener| *listener != link);
        }
    }

    fn on_second(&self, overdue: Vec<(LinkKey, Overdue)>) {
        let mut links = self.links.borrow_mut();
        for (link, _) in overdue {
            links.close(link, CloseReason::Idle.code(), CloseReason::Idle.reason());
        }
    }
}

async fn run(
    driver: Driver,
    listener: std::net::TcpListener,
    manner: Manner,
) -> std::io::Result<()> {
    let heartbeat =
        Heartbeat { ping_after_s: limits::PING_AFTER_S, close_after_s: limits::IDLE_CLOSE_S };
    let echo = Rc::new(Echo {
        links: RefCell::new(Links::new(heartbeat)),
        read_buffer: RefCell::default(),
        departures: Departures::default(),
        listeners: RefCell::default(),
        manner,
    });
    if driver == Driver::Uring {
        echo.links.borrow_mut().send_together();
    }
    net::spawn(driver::flush_loop(Rc::clone(&echo)));
    net::spawn(driver::sweep_loop(Rc::clone(&echo)));
    net::spawn(driver::departure_loop(Rc::clone(&echo)));
    let listener = Listener::new(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        net::spawn(greet(Rc::clone(&echo), stream));
    }
}

async fn greet(echo: Rc<Echo>, stream: Stream) {
    let Some(Arrival::Upgrade { request, unread }) =
        upgrade::read_request(&stream, BytesMut::new()).await
    else {
        return;
    };
    let deflate = request.deflate.filter(|_| echo.manner.compression);
    let response = handshake::accept_response(&request, None, deflate);
    if upgrade::write_all(&stream, &response).await.is_err() {
        return;
    }
    let limits = Limits { max_message_bytes: echo.manner.max_message_bytes };
    let mut machine = Connection::new(Role::Server, limits);
    if deflate.is_some() {
        machine = machine.with_deflate();
    }
    let stream = Rc::new(stream);
    let link = echo.links.borrow_mut().insert(Endpoint::Socket(Rc::clone(&stream)));
    if deflate.is_some() {
        echo.links.borrow_mut().allow_deflate(link);
    }
    if echo.manner.broadcast {
        echo.listeners.borrow_mut().push(link);
    }
    let opening = Box::new(Opening { machine, messages: Vec::new(), unread });
    // A task of its own, so that the handshake's state is not kept for the connection's life.
    net::spawn(driver::serve(echo, link, stream, opening, ()));
}

fn main() -> anyhow::Result<()> {
    let Arguments { listen, shards, max_message_bytes, compression, broadcast, epoll } =
        Arguments::parse();
    let manner = Manner { max_message_bytes, compression, broadcast };
    let driver = if epoll { Driver::Epoll } else { Driver::Uring };
    let mut address = listen;
    let mut threads = Vec::new();
    for index in 0..shards {
        let listener = net::listen(address)?;
        // With port 0 the first listener decides the port for all.
        address = listener.local_addr()?;
        let run = move || run(driver, listener, manner);
        threads.push(shard::launch::spawn(index, driver, run)?);
    }
    println!("echo on ws://{address}/ with {} and {shards} shard(s)", driver.name());
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("a shard panicked"))??;
    }
    Ok(())
}
