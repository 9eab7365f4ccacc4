//! The example clients lose nothing: each in its language, over a network that breaks every few packets and swallows the
//! last one before it does, and across kills of the server (promises R1 and O3 from outside).
//!
//! ```text
//!   chat_client (Rust, Python, JavaScript) ──► Breaking ──► server ◄── a peer of the test's own, undisturbed
//! ```
//!
//! What the client printed has to be the conversation's log: the same texts in the same order, each once.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;

use ringwire_protocol::codec::Encoding;

use crate::support::PATIENCE;
use crate::support::chat::text;
use crate::support::client::{Client, dial};
use crate::support::server::Setup;

/// How often the network breaks before the server is killed, and again before it is killed a second time.
const BREAKS: usize = 4;
/// Texts the client says.
const OWN_TEXTS: usize = 30;
const CLIENT: u64 = 1;
const PEER: u64 = 2;

/// Passes connections on, and breaks each after a few packets of the server.
struct Breaking {
    address: SocketAddr,
    calm: Arc<AtomicBool>,
    broken: Arc<AtomicUsize>,
}

impl Breaking {
    fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (calm, broken) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (shared_calm, shared_broken) = (Arc::clone(&calm), Arc::clone(&broken));
        thread::spawn(move || {
            for (number, client) in listener.incoming().enumerate() {
                let Ok(client) = client else { return };
                // While the server is away, the client's connection ends at once.
                let Ok(upstream) = dial(server) else { continue };
                // The answer to the upgrade, `connected`, and then a few more.
                let packets = 2 + number % 5;
                let (calm, broken) = (Arc::clone(&shared_calm), Arc::clone(&shared_broken));
                let (to_server, to_client) = (upstream.try_clone(), client.try_clone());
                thread::spawn(move || pass(client, to_server?, || true));
                thread::spawn(move || {
                    let mut left = packets;
                    pass(upstream, to_client?, || {
                        if left == 0 && !calm.load(SeqCst) {
                            broken.fetch_add(1, SeqCst);
                            return false;
                        }
                        left = left.saturating_sub(1);
                        true
                    })
                });
            }
        });
        Self { address, calm, broken }
    }
}

/// Copies until either side ends or `goes_on` says no, which swallows the packet at hand; then closes both.
fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    mut goes_on: impl FnMut() -> bool,
) -> std::io::Result<()> {
    from.set_read_timeout(None)?;
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if !goes_on() || to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    // Already closed is as good.
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    Ok(())
}

/// A running client, and what it has shown so far.
struct ClientProcess {
    child: Child,
    lines: Receiver<String>,
    shown: Vec<String>,
    notes: Arc<Mutex<Vec<String>>>,
}

impl ClientProcess {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let stderr = BufReader::new(child.stderr.take().expect("it is piped"));
        let (line, lines) = mpsc::channel();
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|shown| line.send(shown))
        });
        let notes = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&notes);
        thread::spawn(move || {
            for note in stderr.lines().map_while(Result::ok) {
                kept.lock().expect("nobody panics with it").push(note);
            }
        });
        Self { child, lines, shown: Vec::new(), notes }
    }

    /// Waits until it has shown a text.
    fn await_text(&mut self, text: &str) {
        let ending = format!("\t{text}");
        while !self.shown.iter().any(|line| line.ends_with(&ending)) {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.shown.push(line),
                Err(error) => {
                    panic!("{text}: {error}; shown: {:?}\n{}", self.shown, self.notes())
                }
            }
        }
    }

    fn notes(&self) -> String {
        self.notes.lock().expect("nobody panics with it").join("\n")
    }
}

impl Drop for ClientProcess {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets the client of a command, which takes URL, token, conversation and texts, chat with a peer through all that.
fn chats_through_any_drop(mut command: Command) {
    let mut server = Setup::new().without_rates().start();
    // The first session makes the account.
    Client::session(&server, CLIENT, Encoding::Protobuf).close();
    let opened = Client::session(&server, PEER, Encoding::Protobuf).open_direct(CLIENT);
    let conversation = opened.head.and_then(|head| head.conversation).expect("one").conversation_id;
    let network = Breaking::start(server.address());
    let own: Vec<String> = (0..OWN_TEXTS).map(|number| format!("own {number} ✓")).collect();
    command.arg(format!("ws://{}/ws", network.address)).arg(server.token(CLIENT));
    let mut client = ClientProcess::start(command.arg(conversation.to_string()).args(&own));

    // Each text is a packet at least, so the network breaks as often as is asked for.
    let mut texts = (0..).map(|number| format!("peer {number}"));
    let mut said = Vec::new();
    for broken in [BREAKS, 2 * BREAKS] {
        let mut peer = Client::session(&server, PEER, Encoding::Protobuf);
        for text in texts.by_ref() {
            peer.say(conversation, &text, &text);
            client.await_text(&text);
            said.push(text);
            if network.broken.load(SeqCst) >= broken {
                break;
            }
        }
        server.kill();
        server.restart();
    }
    network.calm.store(true, SeqCst);
    client.await_text(own.last().expect("one"));
    let mut peer = Client::session(&server, PEER, Encoding::Protobuf);
    peer.say(conversation, "last", "last");
    said.push("last".to_owned());
    client.await_text("last");

    let log = peer.log(conversation);
    let in_log: Vec<String> =
        log.iter().filter_map(|entry| Some(format!("{}\t{}", entry.seq, text(entry)?))).collect();
    assert_eq!(client.shown, in_log, "{}", client.notes());
    for (user, said) in [(CLIENT, &own), (PEER, &said)] {
        let by_user = log.iter().filter(|entry| entry.sender_id == user).filter_map(text);
        assert!(by_user.eq(said.iter().map(String::as_str)), "user {user}: {in_log:?}");
    }
    // One session each for the start and the two kills; every other drop of the network was resumed.
    let notes = client.notes();
    let (new, resumed) = (notes.matches("new session").count(), notes.matches("resumed").count());
    assert!(new >= 3 && resumed >= 1, "{new} new sessions, {resumed} resumed:\n{notes}");
}

/// A program that `cargo xtask test` names.
fn program(variable: &str) -> Command {
    Command::new(std::env::var_os(variable).unwrap_or_else(|| {
        panic!("{variable} names no program; `cargo xtask test` finds or installs one")
    }))
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/clients")
}

#[test]
fn r1_o3_the_rust_client_shows_everything_once() {
    let test = std::env::current_exe().expect("a path");
    let client = test.parent().expect("a folder").join("../examples/chat_client");
    assert!(client.exists(), "cargo build -p ringwire-gateway --example chat_client");
    chats_through_any_drop(Command::new(client));
}

#[test]
fn r1_o3_the_python_client_shows_everything_once() {
    let mut python = program("RINGWIRE_PYTHON");
    python.env("PYTHONDONTWRITEBYTECODE", "1").arg(clients().join("python/chat_client.py"));
    chats_through_any_drop(python);
}

#[test]
fn r1_o3_the_javascript_client_shows_everything_once() {
    let client = clients().join("javascript");
    assert!(client.join("node_modules/ws").exists(), "npm ci in docs/clients/javascript");
    let mut node = program("RINGWIRE_NODE");
    node.arg(client.join("chat_client.mjs"));
    chats_through_any_drop(node);
}
