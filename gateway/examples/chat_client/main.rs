//! Says texts in a conversation, prints what is said there, and survives any drop of the connection:
//! `cargo run --example chat_client -- ws://127.0.0.1:8080/ws TOKEN CONVERSATION_ID [TEXT…]`
//!
//! The socket is here; what a client has to know and do is in `conversation.rs`.

mod conversation;

use std::{env, io, net::TcpStream, process, thread, time::Duration};

use conversation::Conversation;
use ringwire_protocol::codec::Encoding::Protobuf;
use ringwire_protocol::wire;
use tungstenite::{Error, Message, client::IntoClientRequest as _};

/// Lives on one connection until it fails.
fn live(conversation: &mut Conversation, url: &str) -> Result<(), Error> {
    let mut request = url.into_client_request()?;
    let protocol = Protobuf.subprotocol().parse().map_err(io::Error::other)?;
    request.headers_mut().insert("Sec-WebSocket-Protocol", protocol);
    let host = request.uri().authority().map_or("", |authority| authority.as_str());
    let stream = TcpStream::connect(host)?;
    // The server pings after 30 s of silence: more of it means that the network is gone.
    stream.set_read_timeout(Some(Duration::from_secs(75)))?;
    let (mut socket, _) = tungstenite::client(request, stream).map_err(io::Error::other)?;
    conversation.begin();
    loop {
        let commands = conversation.output.split().freeze();
        if !commands.is_empty() {
            socket.send(Message::Binary(commands))?;
        }
        match socket.read()? {
            Message::Binary(payload) => {
                for frame in Protobuf.decode::<wire::ServerFrame>(&payload) {
                    conversation.on_frame(frame.map_err(io::Error::other)?)?;
                }
            }
            Message::Close(Some(close)) if (4000..4100).contains(&u16::from(close.code)) => {
                eprintln!("the server wants no reconnect: {}", close.reason);
                process::exit(1);
            }
            _ => {}
        }
    }
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, token, conversation_id, texts @ ..] = &arguments[..] else {
        eprintln!("usage: chat_client URL TOKEN CONVERSATION_ID [TEXT…]");
        process::exit(2);
    };
    let conversation_id = conversation_id.parse().expect("the id of a conversation is a number");
    let mut conversation = Conversation::new(conversation_id, token, texts);
    loop {
        if let Err(error) = live(&mut conversation, url) {
            eprintln!("the connection ended: {error}");
        }
        // Half of the wait is chance, so that not all clients come back in the same moment.
        let wait_ms = conversation.wait_ms;
        let chance_ms = getrandom::u64().unwrap_or_default() % (wait_ms / 2 + 1);
        thread::sleep(Duration::from_millis(wait_ms / 2 + chance_ms));
        conversation.wait_ms = (wait_ms * 2).min(30_000);
    }
}
