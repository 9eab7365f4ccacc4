//! Files: uploads as a browser writes them, downloads, and the folder they end up in.

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use image::{DynamicImage, ImageFormat, RgbImage};
use ringwire_protocol::wire::{self, command::Op};
use serde_json::Value;

use super::PATIENCE;
use super::http::{Answer, exchange};
use super::server::ServerProcess;

/// Where files are.
pub(crate) const FILES: &str = "/api/v1/files";
/// What stands between the parts of a body.
pub(crate) const BOUNDARY: &str = "the-end-of-a-part";

/// A body with one part called `file`.
pub(crate) fn form(name: &str, mime_type: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: {mime_type}\r\n\r\n"
    );
    [head.as_bytes(), bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

/// The head of an upload; `more`: further header lines.
pub(crate) fn upload_head(server: &ServerProcess, user: u64, more: &str) -> String {
    let (address, token) = (server.address(), server.token(user));
    format!(
        "POST {FILES} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n{more}\r\n"
    )
}

/// Uploads a file.
pub(crate) fn upload(server: &ServerProcess, user: u64, name: &str, bytes: &[u8]) -> Answer {
    upload_form(server, user, &form(name, "application/octet-stream", bytes))
}

/// Uploads any body.
pub(crate) fn upload_form(server: &ServerProcess, user: u64, form: &[u8]) -> Answer {
    let head = upload_head(server, user, &format!("Content-Length: {}\r\n", form.len()));
    exchange(server.address(), &[head.as_bytes(), form].concat())
}

/// Uploads a file that is taken; what is told of it.
pub(crate) fn uploaded(server: &ServerProcess, user: u64, name: &str, bytes: &[u8]) -> Value {
    let answer = upload(server, user, name, bytes);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

/// The id in what is told of a file.
pub(crate) fn id_of(file: &Value) -> String {
    file["file_id"].as_str().expect("an id").to_owned()
}

/// A request with a token and further header lines.
pub(crate) fn ask(
    server: &ServerProcess,
    user: u64,
    method: &str,
    path: &str,
    headers: &str,
) -> Answer {
    let headers = format!("Authorization: Bearer {}\r\n{headers}", server.token(user));
    ask_anyhow(server, method, path, &headers)
}

/// A request with these header lines alone.
pub(crate) fn ask_anyhow(
    server: &ServerProcess,
    method: &str,
    path: &str,
    headers: &str,
) -> Answer {
    let address = server.address();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n"
    );
    exchange(address, request.as_bytes())
}

/// Downloads a file; the status and the bytes.
pub(crate) fn read(server: &ServerProcess, user: u64, id: &str) -> (u16, Vec<u8>) {
    let answer = ask(server, user, "GET", &format!("{FILES}/{id}"), "");
    (answer.status, answer.bytes)
}

/// The command that sends files.
pub(crate) fn send(conversation_id: u64, client_msg_id: &str, ids: &[&str]) -> Op {
    Op::Send(wire::Send {
        conversation_id,
        client_msg_id: client_msg_id.to_owned(),
        message: Some(message(ids)),
        ..Default::default()
    })
}

/// A message with files.
pub(crate) fn message(ids: &[&str]) -> wire::Message {
    let attachment =
        |id: &&str| wire::Attachment { file_id: (*id).to_owned(), ..Default::default() };
    let attachments = ids.iter().map(attachment).collect();
    wire::Message { kind: wire::message::Kind::File.into(), attachments, ..Default::default() }
}

/// A picture, as PNG.
pub(crate) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let image = RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 99]));
    DynamicImage::from(image).write_to(&mut bytes, ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

/// So many bytes that look random and are no text.
pub(crate) fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut bytes: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    })
    .take(count)
    .collect();
    if let Some(first) = bytes.first_mut() {
        *first = 0;
    }
    bytes
}

/// Every file below the server's folder for files, but for the note of whose they are.
pub(crate) fn stored(server: &ServerProcess) -> Vec<PathBuf> {
    let mut found = Vec::new();
    collect(&server.data().join("files"), &mut found);
    found.retain(|path| path.file_name().is_none_or(|name| name != "database"));
    found.sort();
    found
}

/// Waits until there are so many: what is refused is removed a moment after its answer.
pub(crate) fn await_stored(server: &ServerProcess, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    while stored(server).len() != count {
        assert!(Instant::now() < deadline, "not {count}: {:?}", stored(server));
        sleep(Duration::from_millis(20));
    }
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        // Files come and go.
        let Ok(entry) = entry else { continue };
        if entry.path().is_dir() {
            collect(&entry.path(), found);
        } else {
            found.push(entry.path());
        }
    }
}
