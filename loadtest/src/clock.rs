//! The clock of a run: microseconds since the run began, the same in every process of a host.
//!
//! ```text
//!   this host      epoch of CLOCK_MONOTONIC, told as it is: exactly the same clock in every process
//!   other hosts    told how late it is there when the order is written: behind by the way the order took
//! ```
//!
//! What two processes of one host measure together is exact. Between hosts the clock is good enough to begin together
//! and to line intervals up, and no latency is taken from it.

/// Counts from the begin of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch_us: u64,
}

impl Clock {
    /// A run begins now.
    pub(crate) fn start() -> Self {
        Self { epoch_us: monotonic_us() }
    }

    /// The clock of a run whose begin another process of this host told.
    pub(crate) const fn shared(epoch_us: u64) -> Self {
        Self { epoch_us }
    }

    /// A clock that shows `now_us`.
    pub(crate) fn showing(now_us: u64) -> Self {
        Self { epoch_us: monotonic_us().saturating_sub(now_us) }
    }

    /// For another process of this host.
    pub(crate) const fn epoch_us(self) -> u64 {
        self.epoch_us
    }

    /// Microseconds since the begin of the run; never 0.
    pub(crate) fn now_us(self) -> u64 {
        monotonic_us().saturating_sub(self.epoch_us) + 1
    }
}

fn monotonic_us() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills in the structure it is given; this clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.cast_unsigned() * 1_000_000 + time.tv_nsec.cast_unsigned() / 1000
}

/// Equal in all processes that have the same `CLOCK_MONOTONIC`, and only there; `None`: the system does not say.
pub(crate) fn host_id() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let namespace = std::fs::read_link("/proc/self/ns/time").unwrap_or_default();
    Some(format!("{} {}", boot.trim(), namespace.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_told_clock_shows_the_same_time() {
        let clock = Clock::start();
        let shared = Clock::shared(clock.epoch_us());
        let (before, between, after) = (clock.now_us(), shared.now_us(), clock.now_us());
        assert!(before >= 1 && before <= between && between <= after);
        assert!(Clock::showing(5_000_000).now_us() > 5_000_000);
    }
}
