//! Says texts in a conversation, prints what is said there, and survives any drop of the connection:
//! `cargo run --example chat_client -- ws://127.0.0.1:8080/ws TOKEN CONVERSATION_ID [TEXT…]`
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use std::{env, net::TcpStream, thread::sleep, time::Duration};
use tungstenite::{Message, client::IntoClientRequest as _};

#[derive(Default)]
struct Client {
    connect: Value,     // who we are, how far the conversation was shown, what to resume
    received: u64,      // durable pushes of this session
    seq: u64,           // everything up to here was shown, without a gap
    page_end: u64,      // where the pushes behind `connect` end although there is more; 0: nowhere
    unsent: Vec<Value>, // the last is under way: one at a time keeps the order
    wait_ms: u64,
}

impl Client {
    fn live(&mut self, url: &str) -> Result<()> {
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("Sec-WebSocket-Protocol", "ringwire.v1.json".parse()?);
        let stream = TcpStream::connect(request.uri().authority().context("no host")?.as_str())?;
        stream.set_read_timeout(Some(Duration::from_secs(75)))?; // pings come after 30 s of silence
        let (mut socket, _) = tungstenite::client(request, stream)?;
        self.connect["cursors"][0]["seq"] = json!(self.seq);
        self.connect["resume"]["received"] = json!(self.received);
        let mut next = Some(json!({"id": 1, "connect": self.connect}));
        loop {
            if let Some(mut command) = next.take() {
                command["received"] = json!(self.received); // the server keeps those behind it
                socket.send(Message::text(command.to_string()))?;
            }
            match socket.read()? {
                Message::Text(lines) => {
                    for line in lines.lines() {
                        next = self.on_frame(&serde_json::from_str(line)?)?.or(next);
                    }
                }
                // The server wants no reconnect.
                Message::Close(Some(end)) if u16::from(end.code) / 100 == 40 => return Ok(()),
                _ => {}
            }
        }
    }

    fn on_frame(&mut self, frame: &Value) -> Result<Option<Value>> {
        let (push, reply, error) = (&frame["push"], &frame["reply"], &frame["reply"]["error"]);
        let durable = ["entry", "cursor", "view_changed"].iter().any(|kind| push[kind].is_object());
        self.received += u64::from(durable);
        self.wait_ms = push["go_away"]["delay_ms"].as_u64().unwrap_or(self.wait_ms);
        ensure!(push["lag"].is_null(), "entries were left out");
        self.take(&push["entry"])?;
        if reply["id"] == "1" {
            ensure!(error.is_null(), "no session: {error}");
            let (connected, sync) = (&reply["connected"], &reply["connected"]["sync"][0]);
            eprintln!("{}", if connected["resumed"] == true { "resumed" } else { "new session" });
            if connected["resumed"].is_null() {
                self.connect["resume"] = json!({"session_id": connected["session_id"]});
                let (floor, pushed) = (seq(&sync["trimmed_floor"]), seq(&sync["pushed_seq"]));
                (self.received, self.seq) = (0, self.seq.max(floor.saturating_sub(1)));
                self.page_end = if pushed < seq(&sync["head_seq"]) { pushed } else { 0 };
            }
            self.wait_ms = 100;
        } else if reply["id"] == "2" && error["temporary"] != true {
            let body = self.unsent.pop().context("nothing was sent")?;
            self.take(&json!({"seq": reply["send_ack"]["seq"], "body": body}))?; // it is not pushed
        }
        sleep(Duration::from_millis(error["retry_after_ms"].as_u64().unwrap_or(0)));
        let send = self.unsent.last().filter(|_| reply.is_object()); // the same at every try
        Ok(send.map(|send| json!({"id": 2, "send": send})))
    }

    fn take(&mut self, entry: &Value) -> Result<()> {
        if seq(&entry["seq"]) == self.seq + 1 {
            self.seq += 1;
            let text = entry["body"]["message"]["text"].as_str();
            let _ = text.map(|text| println!("{}\t{text}", self.seq));
            ensure!(self.seq != self.page_end, "more lies behind these"); // a new session tells it
        }
        ensure!(seq(&entry["seq"]) <= self.seq, "a gap"); // likewise; older ones were shown
        Ok(())
    }
}

fn seq(value: &Value) -> u64 {
    value.as_str().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, token, id, texts @ ..] = &arguments[..] else { panic!("URL TOKEN CONVERSATION_ID") };
    let device = getrandom::u64().expect("chance").to_string(); // an application keeps it
    let hello = json!({"token": token, "device_id": device, "cursors": [{"conversation_id": id}]});
    let mut client = Client { connect: hello, wait_ms: 100, ..Client::default() };
    for (number, text) in texts.iter().enumerate().rev() {
        let (key, body) = (format!("{device}-{number}"), json!({"text": text}));
        let send = json!({"conversation_id": id, "client_msg_id": key, "message": body});
        client.unsent.push(send);
    }
    while let Err(error) = client.live(url) {
        eprintln!("the connection ended: {error}");
        if error.is::<&str>() {
            client.connect["resume"] = json!({}); // a resume would not fill the gap
        }
        sleep(Duration::from_millis(client.wait_ms));
        client.wait_ms = (client.wait_ms * 2).clamp(100, 30_000);
    }
}
