//! What is spoken with the server: Ringwire's own protocol, or that of another system, and what each of them can do.
//!
//! ```text
//!   protocol = "centrifugo-json"      ──► Protocol ──► what it lacks is an error that names the field
//!   foreign  = { room, acks, event }  ──► Foreign      what it has is spoken by `adapter`
//! ```
//!
//! Invariant: a scenario that a protocol cannot carry out is refused before anything connects; nothing is left out
//! silently.

use serde::{Deserialize, Serialize};

use super::{Arrival, Connections, Conversation, Encoding, Scenario};

/// The protocols virtual users speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Ringwire's own; `encoding` says how it travels.
    #[default]
    Ringwire,
    /// A WebSocket server that gives back what it gets.
    Echo,
    /// A WebSocket server that gives what it gets to everybody.
    Broadcast,
    /// Objects with a `type` in words: `private`, `group`.
    TypedStrings,
    /// Numbered rooms, one at a time.
    Rooms,
    /// System messages to an application's users; nothing is sent by them.
    Notify,
    /// Named rooms; every object has a `type` and a `payload`.
    Payload,
    /// Objects with an integer `type` and an id of the client's own.
    Numbered,
    /// Socket.IO 5 over Engine.IO 4, by WebSocket alone.
    SocketIo,
    /// Centrifugo's client protocol 2 as JSON.
    CentrifugoJson,
    /// The same as Protobuf.
    CentrifugoProtobuf,
}

/// What counts as the acknowledgement of a send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acks {
    /// What the protocol is best at, of the following.
    #[default]
    Auto,
    /// The server's answer to the send.
    Server,
    /// The sender's own copy of its message.
    OwnCopy,
    /// Nothing: a send counts once it is written, and has no latency.
    Written,
}

impl Acks {
    /// As reports say it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Auto | Self::Server => "the server's answer",
            Self::OwnCopy => "the sender's own copy of its message",
            Self::Written => "none: a send counts once it is written",
        }
    }
}

/// What a foreign server has to be told that ours need not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Foreign {
    /// What a conversation's room, group or channel is called there. `{run}` and `{conversation}` stand for the run and
    /// the conversation's number from 1. Empty: `loadtest-{run}-{conversation}` where names are free, else
    /// `{conversation}`.
    pub room: String,
    /// What counts as the acknowledgement of a send.
    pub acks: Acks,
    /// Socket.IO: the event that carries messages, both ways.
    pub event: String,
    /// Socket.IO: the event that asks to be let into a room; empty: none does.
    pub join: String,
}

impl Default for Foreign {
    fn default() -> Self {
        Self {
            room: String::new(),
            acks: Acks::Auto,
            event: "message".to_owned(),
            join: "join".to_owned(),
        }
    }
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Ringwire,
        Self::Echo,
        Self::Broadcast,
        Self::TypedStrings,
        Self::Rooms,
        Self::Notify,
        Self::Payload,
        Self::Numbered,
        Self::SocketIo,
        Self::CentrifugoJson,
        Self::CentrifugoProtobuf,
    ];

    /// As scenarios and reports name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ringwire => "ringwire",
            Self::Echo => "echo",
            Self::Broadcast => "broadcast",
            Self::TypedStrings => "typed-strings",
            Self::Rooms => "rooms",
            Self::Notify => "notify",
            Self::Payload => "payload",
            Self::Numbered => "numbered",
            Self::SocketIo => "socket-io",
            Self::CentrifugoJson => "centrifugo-json",
            Self::CentrifugoProtobuf => "centrifugo-protobuf",
        }
    }

    /// It is ours: its conversations have a log with an order that all members agree on.
    pub const fn is_ringwire(self) -> bool {
        matches!(self, Self::Ringwire)
    }

    /// Users have to show a token; where they need not, one that is there is shown all the same.
    pub const fn wants_token(self) -> bool {
        !matches!(self, Self::Echo | Self::Broadcast | Self::SocketIo)
    }

    /// A scenario's acknowledgements, once [`Acks::Auto`] is decided.
    pub fn acks(self, foreign: &Foreign) -> Acks {
        match foreign.acks {
            Acks::Auto => self.possible_acks().first().copied().unwrap_or(Acks::Server),
            acks => acks,
        }
    }

    /// The best first.
    const fn possible_acks(self) -> &'static [Acks] {
        match self {
            Self::Ringwire | Self::Numbered | Self::CentrifugoJson | Self::CentrifugoProtobuf => {
                &[Acks::Server]
            }
            Self::Echo => &[Acks::OwnCopy],
            Self::Broadcast | Self::Rooms | Self::Payload => &[Acks::OwnCopy, Acks::Written],
            Self::TypedStrings | Self::Notify => &[Acks::Written],
            Self::SocketIo => &[Acks::Server, Acks::OwnCopy, Acks::Written],
        }
    }

    const fn has_conversation(self, conversation: Conversation) -> bool {
        match conversation {
            Conversation::None {} => true,
            Conversation::Alone {} => matches!(self, Self::Echo),
            Conversation::Room {} => !matches!(self, Self::Echo | Self::Notify),
            Conversation::Pairs {} | Conversation::Groups { .. } => {
                !matches!(self, Self::Echo | Self::Notify | Self::Broadcast)
            }
        }
    }

    const fn conversations(self) -> &'static str {
        match self {
            Self::Echo => "alone or none",
            Self::Broadcast => "room or none",
            Self::Notify => "none",
            _ => "pairs, groups, room or none",
        }
    }

    const fn has_typing(self) -> bool {
        matches!(self, Self::Ringwire | Self::TypedStrings | Self::Payload | Self::Numbered)
    }

    const fn has_receipts(self) -> bool {
        matches!(self, Self::Ringwire | Self::Numbered)
    }

    const fn has_history(self) -> bool {
        matches!(self, Self::Ringwire | Self::CentrifugoJson | Self::CentrifugoProtobuf)
    }

    /// Who comes back is given what it missed, and knows when that was all.
    const fn resumes(self) -> bool {
        self.has_history()
    }

    /// A send that is repeated under its id is taken once.
    pub(crate) const fn is_idempotent(self) -> bool {
        matches!(self, Self::Ringwire | Self::Numbered)
    }

    /// What the scenario wants and the protocol cannot do: the field, and why.
    pub(super) fn refusal(self, scenario: &Scenario) -> Option<(&'static str, String)> {
        let foreign = &scenario.foreign;
        let acks = self.acks(foreign);
        let kind = scenario.conversation;
        let defaults = Foreign::default();
        let names_events = foreign.event != defaults.event || foreign.join != defaults.join;
        let resumed = matches!(
            scenario.connections,
            Connections::Reconnect { .. } | Connections::Churn { .. }
        );
        let activity = scenario.activity;
        let limits = &scenario.thresholds;
        let name = self.name();
        let lacks = |what: &str| format!("cannot be: protocol {name} has no {what}");
        let rules = [
            (self.is_ringwire() && *foreign != defaults, "foreign", {
                "is for other servers: set protocol as well".to_owned()
            }),
            (!self.is_ringwire() && scenario.encoding != Encoding::default(), "encoding", {
                format!("is how Ringwire's own schema travels; protocol {name} has its own way")
            }),
            (!self.has_conversation(kind), "conversation.kind", {
                format!("must be {} with protocol {name}", self.conversations())
            }),
            (names_events && self != Self::SocketIo, "foreign.event", {
                format!("and foreign.join are for socket-io; protocol {name} has no events")
            }),
            (!self.possible_acks().contains(&acks), "foreign.acks", {
                let possible: Vec<_> =
                    self.possible_acks().iter().map(|acks| acks.name()).collect();
                format!("must be auto or {} with protocol {name}", possible.join(", "))
            }),
            (resumed && !self.resumes(), "connections.plan", {
                lacks("way to ask for what was missed")
            }),
            (activity.typing > 0.0 && !self.has_typing(), "activity.typing", {
                lacks("typing signals")
            }),
            (
                activity.receipts_every_s > 0.0 && !self.has_receipts(),
                "activity.receipts_every_s",
                lacks("receipts"),
            ),
            (activity.history > 0.0 && !self.has_history(), "activity.history", {
                lacks("history on its connection")
            }),
            (
                acks == Acks::Written && scenario.arrival == Arrival::Closed && kind.is_any(),
                "arrival",
                lacks("answer a closed loop could wait for"),
            ),
            (
                acks == Acks::Written && limits.ack_p99_ms.is_some(),
                "thresholds.ack_p99_ms",
                lacks("acknowledgements"),
            ),
            (
                matches!(kind, Conversation::Alone {}) && limits.deliver_p99_ms.is_some(),
                "thresholds.deliver_p99_ms",
                "cannot be met by users who are alone: nobody else receives anything".to_owned(),
            ),
        ];
        rules.into_iter().find(|(broken, ..)| *broken).map(|(_, field, reason)| (field, reason))
    }

    /// What [`Foreign::room`] stands for when it is empty.
    pub(crate) const fn room_template(self) -> &'static str {
        match self {
            Self::TypedStrings | Self::Rooms | Self::Numbered => "{conversation}",
            _ => "loadtest-{run}-{conversation}",
        }
    }
}

impl Acks {
    const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Server => "server",
            Self::OwnCopy => "own-copy",
            Self::Written => "written",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECT: &str = include_str!("../../scenarios/direct.toml");

    fn parse(protocol: Protocol, overrides: &[&str]) -> Result<Scenario, String> {
        let protocol = format!("protocol={}", protocol.name());
        let overrides =
            std::iter::once(protocol).chain(overrides.iter().map(|&one| one.to_owned()));
        // The thresholds of the shipped scenario are beside the point here.
        let none = "thresholds={}".to_owned();
        let overrides: Vec<_> = std::iter::once(none).chain(overrides).collect();
        Scenario::parse(DIRECT, &overrides).map_err(|error| error.to_string())
    }

    #[test]
    fn every_protocol_is_named_as_it_is_written_and_can_hold_connections() {
        for protocol in Protocol::ALL {
            let scenario = parse(protocol, &["conversation.kind=none", "rate_per_s=0"]).unwrap();
            assert_eq!(scenario.protocol, protocol);
            assert_ne!(protocol.acks(&scenario.foreign), Acks::Auto);
        }
    }

    /// All that a protocol lacks is an error with the names of field and protocol; what it has is none.
    #[test]
    fn what_a_protocol_lacks_is_refused_by_name() {
        use Protocol::*;
        let room = "conversation.kind=room";
        for (field, overrides, able) in [
            (
                "conversation.kind",
                &["conversation.kind=pairs"][..],
                &[
                    Ringwire,
                    TypedStrings,
                    Rooms,
                    Payload,
                    Numbered,
                    SocketIo,
                    CentrifugoJson,
                    CentrifugoProtobuf,
                ][..],
            ),
            ("conversation.kind", &["conversation.kind=alone"], &[Echo]),
            (
                "activity.typing",
                &[room, "activity.typing=1"],
                &[Ringwire, TypedStrings, Payload, Numbered],
            ),
            (
                "activity.receipts_every_s",
                &[room, "activity.receipts_every_s=1"],
                &[Ringwire, Numbered],
            ),
            (
                "activity.history",
                &[room, "activity.history=1"],
                &[Ringwire, CentrifugoJson, CentrifugoProtobuf],
            ),
            (
                "connections.plan",
                &[room, "connections={plan='churn', rate_per_s=1}"],
                &[Ringwire, CentrifugoJson, CentrifugoProtobuf],
            ),
            (
                "foreign.acks",
                &[room, "foreign.acks=written"],
                &[Broadcast, TypedStrings, Rooms, Payload, SocketIo],
            ),
            ("foreign.event", &[room, "foreign.event=chat"], &[SocketIo]),
            ("encoding", &[room, "encoding=json"], &[Ringwire]),
        ] {
            for protocol in Protocol::ALL {
                match parse(protocol, overrides) {
                    Ok(_) => assert!(able.contains(&protocol), "{protocol:?} {overrides:?}"),
                    Err(error) => {
                        assert!(!able.contains(&protocol), "{protocol:?}: {error}");
                        let named = error.contains(field) || error.contains("conversation.kind");
                        let ours = protocol == Ringwire && error.contains("foreign");
                        assert!(ours || (named && error.contains(protocol.name())), "{error}");
                    }
                }
            }
        }
    }

    #[test]
    fn latencies_that_a_protocol_does_not_have_have_no_thresholds() {
        let error = parse(Protocol::TypedStrings, &["thresholds.ack_p99_ms=5"]).unwrap_err();
        assert!(error.contains("thresholds.ack_p99_ms"), "{error}");
        let error = parse(Protocol::TypedStrings, &["arrival=closed"]).unwrap_err();
        assert!(error.contains("arrival"), "{error}");
        let alone = ["conversation.kind=alone", "thresholds.deliver_p99_ms=5"];
        let error = parse(Protocol::Echo, &alone).unwrap_err();
        assert!(error.contains("thresholds.deliver_p99_ms"), "{error}");
    }
}
