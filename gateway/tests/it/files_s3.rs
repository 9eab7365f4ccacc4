//! Files in an S3-compatible store: a real server of its protocol (moto, `gateway/tests/s3/requirements.txt`).

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use ringwire_protocol::codec::Encoding;

use crate::support::client::Client;
use crate::support::files::{
    FILES, ask, form, id_of, noise, png, read, send, upload, upload_head, uploaded,
};
use crate::support::http::{self, dial};
use crate::support::server::Setup;

const ANN: u64 = 1;
const BOB: u64 = 2;
const SECRET: &str = "canary-of-an-s3-secret";

/// A server of S3's protocol with the bucket `chat`; ends with this value.
struct S3 {
    child: Child,
    address: SocketAddr,
}

impl S3 {
    fn start() -> Self {
        let python = std::env::var_os("RINGWIRE_PYTHON")
            .expect("RINGWIRE_PYTHON names no Python with gateway/tests/s3/requirements.txt; cargo xtask test makes one");
        // Free now; who takes it meanwhile makes the start fail, not the test pass.
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let child = Command::new(python)
            .args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &address.port().to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("moto can be started");
        let mut s3 = Self { child, address };
        while TcpStream::connect(address).is_err() {
            let ended = s3.child.try_wait().expect("a child");
            assert!(ended.is_none(), "moto ended before it was ready: {ended:?}");
            sleep(Duration::from_millis(50));
        }
        let made = s3.ask("PUT", "/chat");
        assert_eq!(made.status, 200, "{made:?}");
        s3
    }

    fn ask(&self, method: &str, path: &str) -> http::Answer {
        let request = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nContent-Length: 0\r\n\r\n",
            self.address
        );
        http::exchange(self.address, request.as_bytes())
    }

    /// The keys of files, and of uploads in parts that are under way.
    fn keys(&self) -> Vec<String> {
        let listed =
            self.ask("GET", "/chat?list-type=2").body + &self.ask("GET", "/chat?uploads").body;
        let keys = listed.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        let keys = keys.map(|(key, _)| key.to_owned());
        keys.filter(|key| !key.ends_with("/database")).collect()
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn files_lie_in_an_s3_compatible_store() {
    let s3 = S3::start();
    let config = format!(
        "[files]\nstore = \"s3://chat/some/prefix\"\nendpoint = \"http://{}\"\naccess_key_id = \"id\"",
        s3.address
    );
    let server = Setup::new()
        .config(&config)
        .variable("RINGWIRE_FILES__SECRET_ACCESS_KEY", SECRET)
        .variable("RINGWIRE_LOG", "debug")
        .start();
    let mut ann = Client::session(&server, ANN, Encoding::Protobuf);
    drop(Client::session(&server, BOB, Encoding::Protobuf));
    let group = ann.create_group(&[BOB]);
    let (picture, small) = (png(640, 320), noise(1_000));
    // In three parts: S3 allows none below 5 MiB but the last.
    let large = noise(11 * 1024 * 1024);
    let mut ids = Vec::new();
    for (name, bytes) in [("a.png", &picture), ("b.bin", &small), ("c.bin", &large)] {
        let id = id_of(&uploaded(&server, ANN, name, bytes));
        assert_eq!(read(&server, BOB, &id).0, 404);
        ann.call(send(group, name, &[&id])).expect("an ack");
        assert!(read(&server, BOB, &id) == (200, bytes.clone()), "{name}");
        ids.push(id);
    }
    let path = |id: &str| format!("{FILES}/{id}");
    let part = ask(&server, BOB, "GET", &path(&ids[2]), "Range: bytes=5242870-5242889\r\n");
    assert_eq!((part.status, &*part.bytes), (206, &large[5_242_870..5_242_890]));
    let thumbnail = ask(&server, BOB, "GET", &format!("{}/thumbnail", path(&ids[0])), "");
    assert_eq!(thumbnail.header("content-type"), Some("image/jpeg"));
    for id in [&ids[0], &ids[1]] {
        let copy = ask(&server, BOB, "POST", &format!("{}/copy", path(id)), "");
        assert_eq!(copy.status, 201, "{copy:?}");
        let copied = read(&server, BOB, &id_of(&copy.json()));
        assert_eq!(copied, read(&server, BOB, id));
    }
    let keys = s3.keys();
    // Three files, two copies, two thumbnails.
    assert_eq!(keys.len(), 7, "{keys:?}");
    assert!(keys.iter().all(|key| key.starts_with("some/prefix/")), "{keys:?}");

    // Given up in the middle of its second part, an upload leaves neither bytes nor parts.
    let body = form("d.bin", "a/b", &large);
    let mut stream = dial(server.address());
    let head = upload_head(&server, ANN, &format!("Content-Length: {}\r\n", body.len()));
    stream.write_all(&[head.as_bytes(), &body[..8 * 1024 * 1024]].concat()).expect("written");
    while s3.keys().len() == keys.len() {
        sleep(Duration::from_millis(20));
    }
    drop(stream);
    while s3.keys().len() > keys.len() {
        sleep(Duration::from_millis(20));
    }

    // Away, it costs a temporary error.
    drop(s3);
    let answer = upload(&server, ANN, "e.bin", &small);
    assert_eq!((answer.status, &answer.json()["error"]["temporary"]), (503, &true.into()));
    assert_eq!(read(&server, BOB, &ids[1]).0, 503);
    let told = server.tool(&["check-config"]);
    let told = String::from_utf8_lossy(&told.stdout) + String::from_utf8_lossy(&told.stderr);
    assert!(told.contains("files.secret_access_key = \"***\""), "{told}");
    assert!(!told.contains(SECRET) && !server.log().contains(SECRET));
}
