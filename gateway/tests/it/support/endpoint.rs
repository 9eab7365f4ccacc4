//! A server of somebody else: it notes what it is asked and answers what the test says.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use super::PATIENCE;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Everything before the body; names of headers in lower case.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Asked {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find_map(|line| line.strip_prefix(name))?;
        line.strip_prefix(": ").map(str::trim)
    }
}

#[derive(Default)]
struct State {
    status: u16,
    answer: String,
    asked: Vec<Asked>,
}

/// The endpoint. It answers for as long as the test runs.
pub(crate) struct Endpoint {
    address: SocketAddr,
    state: Arc<(Mutex<State>, Condvar)>,
}

impl Endpoint {
    /// On a free port of the loopback address.
    pub(crate) fn start(status: u16, answer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let state = State { status, answer: answer.to_owned(), asked: Vec::new() };
        let state = Arc::new((Mutex::new(state), Condvar::new()));
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, state }
    }

    /// Where it is.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on it answers so.
    pub(crate) fn answer(&self, status: u16, answer: &str) {
        let mut state = lock(&self.state.0);
        state.status = status;
        answer.clone_into(&mut state.answer);
    }

    /// How often it was asked.
    pub(crate) fn count(&self) -> usize {
        lock(&self.state.0).asked.len()
    }

    /// The request of this number, from 0, once it has come.
    pub(crate) fn asked(&self, number: usize) -> Asked {
        let state = lock(&self.state.0);
        let waits = |state: &mut State| state.asked.len() <= number;
        let (state, timeout) = self
            .state
            .1
            .wait_timeout_while(state, PATIENCE, waits)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!timeout.timed_out(), "nobody asked {} times", number + 1);
        state.asked[number].clone()
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream, state: &(Mutex<State>, Condvar)) {
    let Some(asked) = read(&mut stream) else { return };
    let answer = {
        let mut state = lock(&state.0);
        state.asked.push(asked);
        format!(
            "HTTP/1.1 {} Answer\r\ncontent-type: application/json\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{}",
            state.status,
            state.answer.len(),
            state.answer
        )
    };
    state.1.notify_all();
    let _ = stream.write_all(answer.as_bytes());
}

fn read(stream: &mut TcpStream) -> Option<Asked> {
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
            });
            let length: usize = length.unwrap_or(0);
            if bytes.len() >= end + 4 + length {
                let body = String::from_utf8_lossy(&bytes[end + 4..end + 4 + length]).into_owned();
                let head = head.lines().map(|line| match line.split_once(':') {
                    Some((name, value)) => format!("{}:{value}\n", name.to_lowercase()),
                    None => format!("{line}\n"),
                });
                return Some(Asked { head: head.collect(), body });
            }
        }
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}
