//! A TCP proxy that can lose an answer: what the client sent arrives, what the server says does not.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Passes connections on to a server until told to cut.
///
/// The threads end with their connections; the listening one ends with the process.
#[derive(Debug)]
pub struct CutProxy {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    lose_next: AtomicBool,
    cuts: AtomicUsize,
}

impl CutProxy {
    /// Listens on a free port of 127.0.0.1 for a server on `port` there.
    pub fn start(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming() {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                // A connection that cannot be set up is simply closed.
                let _ = pass(&client, &server, &shared);
            }
        });
        Ok(Self { address, state })
    }

    /// Where clients connect.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// From now on: the next answer of the server is swallowed, and its connection cut.
    pub fn lose_next_answer(&self) {
        self.state.lose_next.store(true, Ordering::SeqCst);
    }

    /// How many connections were cut.
    pub fn cuts(&self) -> usize {
        self.state.cuts.load(Ordering::SeqCst)
    }
}

fn pass(client: &TcpStream, server: &TcpStream, state: &Arc<State>) -> io::Result<()> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from, to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || copy(from, to, || false));
    let (from, to, state) = (server.try_clone()?, client.try_clone()?, Arc::clone(state));
    thread::spawn(move || {
        copy(from, to, || {
            let cut = state.lose_next.swap(false, Ordering::SeqCst);
            state.cuts.fetch_add(usize::from(cut), Ordering::SeqCst);
            cut
        });
    });
    Ok(())
}

/// Copies until either side ends or `cut` says so, then closes both.
fn copy(mut from: TcpStream, mut to: TcpStream, cut: impl Fn() -> bool) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if cut() || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // Already closed is as good.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
