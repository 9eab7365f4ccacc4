//! System messages to an application's users. They are sent by HTTP and by administrators; a user of the WebSocket only
//! listens, so that it is connections that can be measured here.
//!
//! ```text
//!   ◄── {"type":"CONNECTED","data":{…},"timestamp":…}
//!   ◄── {"type":"HEARTBEAT",…}        ──► {"type":"HEARTBEAT_REPLY","data":{"ping":"pong"},"timestamp":…}
//! ```

use serde::{Deserialize, Serialize};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Garbled, Heard, Out, Word, lines, object, word};

/// One user.
#[derive(Debug)]
pub(crate) struct Notify;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<Word<'a>>,
}

#[derive(Serialize)]
struct Reply {
    #[serde(rename = "type")]
    kind: &'static str,
    data: Pong,
    timestamp: u64,
}

#[derive(Serialize)]
struct Pong {
    ping: &'static str,
}

impl Notify {
    /// Takes in a message of the server.
    #[expect(clippy::unused_self, reason = "the call is that of all adapters")]
    pub(super) fn take_in(
        &self,
        payload: &[u8],
        out: &mut Out,
        heard: &mut Vec<Heard>,
    ) -> Result<(), Garbled> {
        for line in lines(payload) {
            let Envelope { kind } = object(line)?;
            match word(kind.as_ref()) {
                "CONNECTED" => heard.push(Heard::Live),
                "HEARTBEAT" => {
                    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                    let (data, timestamp) = (Pong { ping: "pong" }, now.as_secs());
                    out.push_json(&Reply { kind: "HEARTBEAT_REPLY", data, timestamp });
                }
                // What administrators send while a test runs is no part of it.
                _ => {}
            }
        }
        Ok(())
    }
}
