//! The time of a shard: read once a turn, from the system or from whoever drives the shard.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ringwire_protocol::UnixMs;

/// A moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// On the monotonic one.
    pub at: Instant,
    /// On the wall.
    pub unix_ms: UnixMs,
}

/// Where a shard's time comes from.
#[derive(Clone, Debug)]
pub enum TimeSource {
    /// The system's clocks.
    System,
    /// Whatever is written here: time that only passes when somebody says so.
    Told(Rc<Cell<Time>>),
}

impl TimeSource {
    fn read(&self) -> Time {
        match self {
            Self::System => {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Time { at: Instant::now(), unix_ms: since_epoch.as_millis() as UnixMs }
            }
            Self::Told(time) => time.get(),
        }
    }
}

/// The time, read once a turn.
#[derive(Debug)]
pub(crate) struct Clock {
    source: TimeSource,
    started: Instant,
    pub(crate) at: Instant,
    pub(crate) unix_ms: UnixMs,
    /// Milliseconds since the shard started, monotonic: whatever the wall clock does, time that is rationed goes on.
    pub(crate) uptime_ms: i64,
    /// Likewise in seconds.
    pub(crate) tick: u32,
}

impl Clock {
    pub(super) fn new(source: TimeSource) -> Self {
        let Time { at, unix_ms } = source.read();
        Self { source, started: at, at, unix_ms, uptime_ms: 0, tick: 0 }
    }

    /// The time now, which is later than that of the turn.
    pub(super) fn read_again(&self) -> Instant {
        self.source.read().at
    }

    pub(super) fn read(&mut self) {
        let Time { at, unix_ms } = self.source.read();
        self.at = at;
        self.unix_ms = unix_ms;
        let uptime = at.duration_since(self.started);
        self.uptime_ms = uptime.as_millis() as i64;
        self.tick = uptime.as_secs() as u32;
    }
}
