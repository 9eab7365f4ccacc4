//! What the machine itself adds to a latency: a byte over raw TCP and back, a hundred times a second, beside a load.
//!
//! Both ends sleep in between, like the connections of people, so that every round trip pays for two wake-ups on
//! processors that are busy with something else.

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

const EVERY: Duration = Duration::from_millis(10);
/// The longest round trip that can be told from a longer one, in microseconds.
const LONGEST_US: u64 = 60_000_000;

/// A probe that runs until it is asked.
#[derive(Debug)]
pub struct Probe {
    stop: Arc<AtomicBool>,
    pinging: JoinHandle<io::Result<Histogram<u64>>>,
}

impl Probe {
    /// Begins.
    ///
    /// # Errors
    ///
    /// No port or no thread is left.
    pub fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let ping = TcpStream::connect(listener.local_addr()?)?;
        let (pong, _) = listener.accept()?;
        thread::Builder::new().name("probe-pong".to_owned()).spawn(move || answer(pong))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let pinging = thread::Builder::new()
            .name("probe-ping".to_owned())
            .spawn(move || measure(ping, &stopped))?;
        Ok(Self { stop, pinging })
    }

    /// Ends it: round trips in microseconds.
    ///
    /// # Errors
    ///
    /// The connection broke.
    pub fn finish(self) -> io::Result<Histogram<u64>> {
        self.stop.store(true, Ordering::Release);
        self.pinging.join().map_err(|_| io::Error::other("the probe panicked"))?
    }
}

/// Ends with the connection.
fn answer(mut pong: TcpStream) {
    let mut byte = [0];
    while pong.read_exact(&mut byte).and_then(|()| pong.write_all(&byte)).is_ok() {}
}

fn measure(mut ping: TcpStream, stop: &AtomicBool) -> io::Result<Histogram<u64>> {
    ping.set_nodelay(true)?;
    let mut trips_us = Histogram::new_with_max(LONGEST_US, 3).map_err(io::Error::other)?;
    let mut due = Instant::now();
    while !stop.load(Ordering::Acquire) {
        due += EVERY;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        ping.write_all(&[0])?;
        ping.read_exact(&mut [0])?;
        // From when it was due: what stands still delays all that was due meanwhile.
        trips_us.saturating_record(due.elapsed().as_micros() as u64);
    }
    Ok(trips_us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_counts_its_round_trips() {
        let probe = Probe::start().expect("a port is free");
        thread::sleep(EVERY * 5);
        let trips_us = probe.finish().expect("the connection holds");
        assert!(!trips_us.is_empty());
        assert!(trips_us.max() < LONGEST_US);
    }
}
