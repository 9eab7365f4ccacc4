//! Whole HTTP connections over loopback sockets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use bytes::Bytes;

use super::{ApiServer, UpgradedSocket};

/// Two ends of a connection over loopback.
fn socket_pair() -> (TcpStream, TcpStream, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, peer) = listener.accept().unwrap();
    client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    (client, server, peer)
}

fn tiny_router() -> Router {
    #[expect(clippy::panic, reason = "the test is about a handler that panics")]
    async fn broken() -> &'static str {
        panic!("a bug")
    }
    Router::new()
        .route("/hello", get(|| async { "hello" }))
        .route("/big", get(|| async { "x".repeat(8 << 20) }))
        .route("/broken", get(broken))
}

/// Reads one answer with a body of known length.
fn read_answer(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte).unwrap();
        answer.push(byte[0]);
    }
    let head = String::from_utf8(answer).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    client.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

const UPGRADE: &str =
    "GET /ws?room_id=1 HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";

#[tokio::test]
async fn bytes_that_others_have_read_come_first_and_connections_are_kept_alive() {
    let (mut client, server, peer) = socket_pair();
    let api = ApiServer::with_router(tiny_router(), 1);
    let already_read = Bytes::from_static(b"GET /hello HTTP/1.1\r\nho");
    let serving = tokio::spawn(async move { api.serve(server, already_read, peer).await });
    tokio::task::spawn_blocking(move || {
        client.write_all(b"st: a\r\n\r\n").unwrap();
        assert!(read_answer(&mut client).ends_with("hello"));
        client.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        assert!(read_answer(&mut client).ends_with("hello"));
    })
    .await
    .unwrap();
    serving.await.unwrap();
}

#[tokio::test]
async fn an_upgrade_on_a_used_connection_goes_to_the_shards_with_everything_after_it() {
    let (mut client, server, peer) = socket_pair();
    let (taken, mut upgraded) = tokio::sync::mpsc::unbounded_channel::<UpgradedSocket>();
    let api = ApiServer::with_router(tiny_router(), 1).on_upgrade(move |socket| {
        let _ = taken.send(socket);
    });
    let serving = tokio::spawn(async move { api.serve(server, Bytes::new(), peer).await });
    let talking = tokio::task::spawn_blocking(move || {
        // The answer to the first request is larger than any socket buffer: it has to leave before the hand-over.
        client.write_all(b"GET /big HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        client.write_all(UPGRADE.as_bytes()).unwrap();
        client.write_all(b"first frame").unwrap();
        assert!(read_answer(&mut client).len() > 8 << 20);
        let mut rest = [0; 8];
        client.read_exact(&mut rest).unwrap();
        assert_eq!(&rest, b"by shard");
    });
    let UpgradedSocket { mut stream, unread, peer: told } = upgraded.recv().await.unwrap();
    serving.await.unwrap();
    assert_eq!(told, peer);
    stream.set_nonblocking(false).unwrap();
    let mut received = unread.to_vec();
    let expected = [UPGRADE.as_bytes(), b"first frame"].concat();
    while received.len() < expected.len() {
        let mut more = [0; 64];
        let length = stream.read(&mut more).unwrap();
        received.extend_from_slice(&more[..length]);
    }
    assert_eq!(received, expected);
    stream.write_all(b"by shard").unwrap();
    talking.await.unwrap();
}

#[tokio::test]
async fn a_panic_in_a_handler_is_one_answer_500() {
    let (mut client, server, peer) = socket_pair();
    let api = ApiServer::with_router(tiny_router(), 1);
    let serving = tokio::spawn(async move { api.serve(server, Bytes::new(), peer).await });
    tokio::task::spawn_blocking(move || {
        client.write_all(b"GET /broken HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let answer = read_answer(&mut client);
        assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("INTERNAL"), "{answer}");
        client.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        assert!(read_answer(&mut client).ends_with("hello"));
    })
    .await
    .unwrap();
    serving.await.unwrap();
}

#[tokio::test]
async fn one_connection_too_many_is_answered_busy() {
    let (_waiting, first, peer) = socket_pair();
    let (mut client, second, _) = socket_pair();
    let api = ApiServer::with_router(tiny_router(), 1);
    let serving = tokio::spawn({
        let api = api.clone();
        async move { api.serve(first, Bytes::new(), peer).await }
    });
    while api.places.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    api.serve(second, Bytes::new(), peer).await;
    let answer = read_answer(&mut client);
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("\"BUSY\""), "{answer}");
    // A drain ends the idle one.
    api.begin_drain();
    serving.await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_refused_before_its_body_came_hears_of_it() {
    let (mut client, server, peer) = socket_pair();
    let api = ApiServer::with_router(tiny_router(), 1);
    let head = b"POST /nowhere HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n";
    let serving =
        tokio::spawn(async move { api.serve(server, Bytes::from_static(head), peer).await });
    let talking = tokio::task::spawn_blocking(move || {
        let answer = read_answer(&mut client);
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "the rest is not waited for: {answer}");
    });
    talking.await.unwrap();
    serving.await.unwrap();
}

#[tokio::test]
async fn a_connection_on_which_a_body_was_left_unread_is_not_kept_in_silence() {
    let small = format!("content-length: 5000\r\n\r\n{}", "x".repeat(5000));
    let chunked = "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".to_owned();
    let large = format!("content-length: 4000000\r\n\r\n{}", "x".repeat(4_000_000));
    for (rest, closes) in [(small, None), (chunked, None), (large, Some(true))] {
        for target in ["/nowhere", "/hello"] {
            let (mut client, server, peer) = socket_pair();
            let api = ApiServer::with_router(tiny_router(), 1);
            let serving = tokio::spawn(async move { api.serve(server, Bytes::new(), peer).await });
            let request = format!("POST {target} HTTP/1.1\r\nhost: a\r\n{rest}");
            tokio::task::spawn_blocking(move || {
                let mut writer = client.try_clone().unwrap();
                let writing = std::thread::spawn(move || {
                    writer.write_all(request.as_bytes())?;
                    writer.write_all(b"GET /hello HTTP/1.1\r\nhost: a\r\n\r\n")
                });
                let answer = read_answer(&mut client);
                assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
                let told = answer.contains("connection: close\r\n");
                assert!(closes.is_none_or(|closes| closes == told), "{answer}");
                if !told {
                    assert!(read_answer(&mut client).ends_with("hello"), "the next one is found");
                }
                drop(client);
                // Whether there was somebody to read all of it is not promised.
                drop(writing.join().unwrap());
            })
            .await
            .unwrap();
            serving.await.unwrap();
        }
    }
}
