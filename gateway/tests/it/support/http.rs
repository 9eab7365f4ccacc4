//! Plain HTTP: bytes written, the answer read until the server ends the connection or the body is complete.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

use super::PATIENCE;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// Everything before the body, in lower case.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
    /// The same as it came.
    pub(crate) bytes: Vec<u8>,
}

impl Answer {
    /// The value of a header, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// A connection to the server.
pub(crate) fn dial(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
    stream.set_nodelay(true).expect("no delay");
    stream
}

/// Writes bytes and reads the answer to them.
pub(crate) fn exchange(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = dial(address);
    // A server that refuses early may have closed already; what it said can still be read.
    let _ = stream.write_all(request);
    read_answer(&mut stream)
}

/// Reads one answer; the connection stays usable if it has a length.
pub(crate) fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let head_end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        read_some(stream, &mut bytes).unwrap_or_else(|| panic!("no answer: {bytes:?}"));
    };
    let head = String::from_utf8_lossy(&bytes[..head_end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map(|length| length.trim().parse::<usize>().expect("a length"));
    while length.is_none_or(|length| bytes.len() < head_end + length) {
        if read_some(stream, &mut bytes).is_none() {
            break;
        }
    }
    let bytes = bytes.split_off(head_end);
    let body = String::from_utf8_lossy(&bytes).into_owned();
    Answer { status, head, body, bytes }
}

/// `None`: the connection has ended.
fn read_some(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer) {
        Ok(count @ 1..) => {
            bytes.extend_from_slice(&buffer[..count]);
            Some(())
        }
        Ok(0) | Err(_) => None,
    }
}

/// `GET`, on a connection of its own.
pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    exchange(address, request.as_bytes())
}

/// `GET` with a token, on a connection of its own.
pub(crate) fn get_as(address: SocketAddr, token: &str, path: &str) -> Answer {
    ask_as(address, token, "GET", path)
}

/// Any request without a body, with a token, on a connection of its own.
pub(crate) fn ask_as(address: SocketAddr, token: &str, method: &str, path: &str) -> Answer {
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n"
    );
    exchange(address, request.as_bytes())
}

/// Any request with a JSON body (null: none), and more headers, with a token, on a connection of its own.
pub(crate) fn give_as(
    address: SocketAddr,
    token: &str,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let headers = headers
        .iter()
        .fold(String::new(), |lines, (name, value)| lines + name + ": " + value + "\r\n");
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    exchange(address, request.as_bytes())
}

/// `POST` with a JSON body, on a connection of its own.
pub(crate) fn post(address: SocketAddr, path: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    exchange(address, request.as_bytes())
}

/// Any request with a token, with a JSON body or none, on a connection of its own.
pub(crate) fn request_as(
    address: SocketAddr,
    token: &str,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Answer {
    match body {
        Some(body) => give_as(address, token, method, path, &[], body),
        None => ask_as(address, token, method, path),
    }
}
