//! What a run and the processes that carry it out say to each other.
//!
//! ```text
//!   run                                   process
//!    │ ◄──────────────── Hello ──────────── │   who it is, and whether it has the run's clock
//!    │ ───────────────── Order ───────────► │   the scenario, and which threads of it
//!    │ ◄──────────────── Ready ──────────── │   all its users are live
//!    │ ───────────────── Begin ───────────► │   when the first send may be due
//!    │ ◄──────────────── Sample ─────────── │   each second
//!    │ ◄──────────────── Met ─────────────► │   conversations with members in several processes: who is there
//!    │ ───────────────── Stop ────────────► │   if the run is called off
//!    │ ◄──────────────── Drained ────────── │   every send is answered, or the drain is over
//!    │ ───────────────── Close ───────────► │   all have drained: look for the last time
//!    │ ◄──────────────── Alive ──────────── │   each second, from the order on
//!    │ ◄──────────── Done | Failed ──────── │   its counts | why there are none
//! ```
//!
//! Each message is JSON behind its length (32 bits, big endian), over a pipe or TCP. The key that signs the users'
//! tokens is never sent: a process on another host reads its own copy. A reader allocates as bytes arrive, never what a
//! length claims.

use std::io::{self, Read, Write};
use std::ops::Range;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::relay::Met;
use crate::scenario::Scenario;
use crate::series::Sample;
use crate::tally::Tally;

/// Both sides have to speak the same.
pub(crate) const VERSION: u32 = 3;
/// The longest message. Counts with their histograms take some 100 KB; what is remembered of a conversation whose
/// members sit in several processes takes 15 bytes a send.
const MAX_MESSAGE_BYTES: u32 = 512 << 20;

/// Said by the run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum ToPart {
    /// What to do.
    Order(Box<Order>),
    /// All are ready: sends may be due from then on, on the run's clock.
    Begin { at_us: u64 },
    /// What the members in other processes know.
    Met(Vec<Met>),
    /// All processes have drained.
    Close,
    /// Send no more, drain and report.
    Stop,
}

/// Said by a process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum FromPart {
    /// The first word.
    Hello(Hello),
    /// All users of this process are live.
    Ready,
    /// What happened in a second.
    Sample(Box<Sample>),
    /// What the members here know, where that has changed.
    Met(Vec<Met>),
    /// All threads have drained.
    Drained,
    /// It is at work: whoever does not say so for long is gone.
    Alive,
    /// The end of it.
    Done(Box<Tally>),
    /// It could not do its part.
    Failed(String),
}

/// Who a process is.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) version: u32,
    /// See [`crate::clock::host_id`].
    pub(crate) host_id: Option<String>,
}

/// The part of a run that one process carries out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) scenario: Scenario,
    /// The server.
    pub(crate) url: String,
    /// Tells this run's messages from every other run's.
    pub(crate) run_id: u32,
    /// The lanes of this process: its threads, among those of all processes.
    pub(crate) own_lanes: Range<u32>,
    /// How many lanes there are.
    pub(crate) lanes: u32,
    /// The lanes that share this process's clock, its own among them.
    pub(crate) same_clock: Range<u32>,
    /// The run's clock.
    pub(crate) clock: ClockOrder,
}

/// How a process gets the run's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum ClockOrder {
    /// It is on the same host.
    Shared { epoch_us: u64 },
    /// It is elsewhere.
    Showing { now_us: u64 },
}

/// Writes a message.
pub(crate) fn write(mut to: impl Write, message: &impl Serialize) -> io::Result<()> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = u32::try_from(bytes.len() - 4).ok().filter(|&length| length <= MAX_MESSAGE_BYTES);
    let length = length.ok_or_else(|| io::Error::other("the message is too long"))?;
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    to.write_all(&bytes)?;
    to.flush()
}

/// Reads a message; `None`: the other side is gone.
pub(crate) fn read<T: DeserializeOwned>(mut from: impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        result => result?,
    }
    let length = u32::from_be_bytes(length);
    if length > MAX_MESSAGE_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too long"));
    }
    let mut bytes = Vec::new();
    let read = from.take(u64::from(length)).read_to_end(&mut bytes)?;
    if read < length as usize {
        return Ok(None);
    }
    Ok(Some(serde_json::from_slice(&bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order() -> Order {
        let scenario = include_str!("../scenarios/direct.toml");
        Order {
            scenario: Scenario::parse(scenario, &["threads=4".to_owned()]).unwrap(),
            url: "ws://127.0.0.1:1/ws".to_owned(),
            run_id: 7,
            own_lanes: 2..4,
            lanes: 4,
            same_clock: 0..4,
            clock: ClockOrder::Shared { epoch_us: 12 },
        }
    }

    #[test]
    fn messages_survive_the_wire() {
        let mut wire = Vec::new();
        write(&mut wire, &ToPart::Order(Box::new(order()))).unwrap();
        write(&mut wire, &ToPart::Begin { at_us: u64::MAX }).unwrap();
        let mut from = &wire[..];
        let Some(ToPart::Order(read_order)) = read(&mut from).unwrap() else { panic!() };
        assert_eq!(*read_order, order());
        assert!(matches!(read(&mut from).unwrap(), Some(ToPart::Begin { at_us: u64::MAX })));
        assert!(read::<ToPart>(&mut from).unwrap().is_none());
    }

    #[test]
    fn what_is_cut_is_an_end_and_what_is_wrong_an_error() {
        let mut wire = Vec::new();
        write(&mut wire, &ToPart::Stop).unwrap();
        for length in 0..wire.len() {
            assert!(read::<ToPart>(&wire[..length]).unwrap().is_none(), "{length}");
        }
        assert!(read::<ToPart>(&[0xff; 100][..]).is_err());
        assert!(read::<ToPart>(&b"\0\0\0\x03{}}"[..]).is_err());
    }
}
