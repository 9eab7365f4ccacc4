//! How a connection begins, until messages flow.
//!
//! ```text
//!   WebSocket:  GET / ─► 101
//!   Socket.IO:  GET /socket.io/ ─► 101, then the server's `0{…}`, our `40` (this namespace), the server's `40{…}`
//! ```

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use crate::wire::{self, Framing};

const LIMIT: Duration = Duration::from_secs(10);
/// Of an HTTP answer, or of one frame after it.
const MAX_BYTES: usize = 4_096;
/// Engine.IO protocol 4, by WebSocket from the start.
const SOCKET_IO_PATH: &str = "/socket.io/?EIO=4&transport=websocket";

/// A connection that takes messages; it does not block.
pub(crate) fn connect(address: SocketAddr, framing: Framing) -> Result<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let unread = match framing {
        Framing::None => Vec::new(),
        Framing::WebSocket => upgrade(&mut stream, address, "/")?,
        Framing::SocketIo => {
            let unread = upgrade(&mut stream, address, SOCKET_IO_PATH)?;
            join(&mut stream, unread)?
        }
    };
    ensure!(unread.is_empty(), "the server spoke first: {:02x?}", &unread[..unread.len().min(24)]);
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// The handshake of RFC 6455 section 1.3, with the key and the answer that stand there. Returns what came after it.
fn upgrade(stream: &mut TcpStream, address: SocketAddr, path: &str) -> Result<Vec<u8>> {
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut response = Vec::new();
    let end = loop {
        if let Some(end) = response.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
        read_more(stream, &mut response)?;
    };
    let unread = response.split_off(end);
    let response = String::from_utf8_lossy(&response);
    ensure!(
        response.starts_with("HTTP/1.1 101") && response.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        "not a WebSocket server: {response}"
    );
    Ok(unread)
}

/// Socket.IO: the server opens, we ask for its main namespace, it lets us in. Returns what came after it.
fn join(stream: &mut TcpStream, unread: Vec<u8>) -> Result<Vec<u8>> {
    let unread = expect(stream, unread, "0{")?;
    stream.write_all(&wire::text_request(b"40"))?;
    expect(stream, unread, "40{")
}

/// Reads one text frame, which has to begin with what is expected. Returns what came after it.
fn expect(stream: &mut TcpStream, mut unread: Vec<u8>, beginning: &str) -> Result<Vec<u8>> {
    let (start, end) = loop {
        if let Some(text) = text_frame(&unread)? {
            break text;
        }
        read_more(stream, &mut unread)?;
    };
    let others = unread.split_off(end);
    let text = String::from_utf8_lossy(&unread[start..]);
    ensure!(text.starts_with(beginning), "{beginning}…}} was expected, not {text}");
    Ok(others)
}

/// Where the text of the first frame begins and ends, once all of it is there.
fn text_frame(bytes: &[u8]) -> Result<Option<(usize, usize)>> {
    let (start, length) = match bytes {
        [wire::FINAL_TEXT, length @ 0..wire::LENGTH_16_BIT, ..] => (2, usize::from(*length)),
        [wire::FINAL_TEXT, wire::LENGTH_16_BIT, high, low, ..] => {
            (4, usize::from(u16::from_be_bytes([*high, *low])))
        }
        [] | [wire::FINAL_TEXT] | [wire::FINAL_TEXT, wire::LENGTH_16_BIT, ..] => return Ok(None),
        _ => bail!("no short text frame: {:02x?}", &bytes[..bytes.len().min(24)]),
    };
    Ok((bytes.len() >= start + length).then_some((start, start + length)))
}

fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> Result<()> {
    ensure!(bytes.len() < MAX_BYTES, "a handshake without an end");
    let mut chunk = [0; 512];
    let read = stream.read(&mut chunk).context("waiting for the handshake")?;
    ensure!(read > 0, "closed during the handshake");
    bytes.extend_from_slice(&chunk[..read]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_frame_is_found_once_it_is_whole() {
        assert_eq!(text_frame(b"").expect("nothing yet"), None);
        assert_eq!(text_frame(b"\x81\x03ab").expect("a beginning"), None);
        assert_eq!(text_frame(b"\x81\x03abcd").expect("whole"), Some((2, 5)));
        let mut long = vec![0x81, 126, 0, 200];
        assert_eq!(text_frame(&long[..3]).expect("a beginning"), None);
        long.resize(204, b'x');
        assert_eq!(text_frame(&long).expect("whole"), Some((4, 204)));
        text_frame(b"\x82\x01a").expect_err("it is binary");
        text_frame(b"\x81\x81a").expect_err("servers do not mask");
    }
}
