//! Another server, played: takes HTTP requests, keeps them, answers as the test says.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use aws_lc_rs::hmac::{HMAC_SHA256, Key, verify};
use serde_json::Value;

use super::PATIENCE;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The path.
    pub(crate) path: String,
    /// Names in lower case.
    pub(crate) headers: HashMap<String, String>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// A header; empty if it is not there.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Checks `X-Ringwire-Signature` as a receiver does.
    pub(crate) fn assert_signed(&self, secret: &str) {
        let value = self.header("x-ringwire-signature");
        let (time, signatures) = value.split_once(',').expect("a time and a signature");
        let time = time.strip_prefix("t=").expect("a time");
        let signed = [time.as_bytes(), b".", &self.body].concat();
        let key = Key::new(HMAC_SHA256, secret.as_bytes());
        let is_ours = |signature: &str| {
            let hex = signature.strip_prefix("v1=").expect("a signature");
            let bytes: Vec<u8> = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
                .collect();
            verify(&key, &signed, &bytes).is_ok()
        };
        assert!(signatures.split(',').any(is_ours), "{value}");
    }
}

/// What is answered: a status, lines of the head, a body.
pub(crate) type Answer = (u16, &'static str, String);
/// `None`: nothing, for as long as the test runs.
pub(crate) type Reply = Option<Answer>;

/// Taken, with nothing to say.
pub(crate) const TAKEN: Reply = Some((204, "", String::new()));

/// Such a server, for as long as the test runs.
pub(crate) struct Mock {
    address: SocketAddr,
    received: Arc<(Mutex<Vec<Received>>, Condvar)>,
}

impl Mock {
    /// Starts one.
    pub(crate) fn start(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let received = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let (all, answer) = (Arc::clone(&received), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                std::thread::spawn(move || serve(stream, &all, &*answer));
            }
        });
        Self { address, received }
    }

    /// A path of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Waits for so many requests that `wanted` says yes to; all there are of those by then.
    pub(crate) fn await_where(
        &self,
        count: usize,
        wanted: impl Fn(&Received) -> bool,
    ) -> Vec<Received> {
        let (received, more) = &*self.received;
        let received = received.lock().unwrap();
        let found = |all: &Vec<Received>| all.iter().filter(|one| wanted(one)).count();
        let (received, _) =
            more.wait_timeout_while(received, PATIENCE, |all| found(all) < count).unwrap();
        assert!(found(&received) >= count, "only these came: {received:?}");
        received.iter().filter(|one| wanted(one)).cloned().collect()
    }

    /// Waits for so many requests; all there are by then.
    pub(crate) fn await_requests(&self, count: usize) -> Vec<Received> {
        self.await_where(count, |_| true)
    }
}

fn serve(
    stream: TcpStream,
    all: &(Mutex<Vec<Received>>, Condvar),
    answer: &dyn Fn(&Received) -> Reply,
) {
    let mut writer = stream.try_clone().expect("a socket");
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        all.0.lock().unwrap().push(request.clone());
        all.1.notify_all();
        let Some((status, head, body)) = answer(&request) else {
            // Until the other side has had enough.
            drop(reader.read(&mut [0]));
            return;
        };
        let length = body.len();
        let text = format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n{head}\r\n{body}");
        if writer.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

/// `None`: the connection has ended.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut headers = HashMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Received { path, headers, body })
}
