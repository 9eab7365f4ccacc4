//! Traces of sampled entries: where the time of one message went, across threads.
//!
//! ```text
//!   message ── commit: at the writer and the database ── fan_out: to the shards ── flush: to the sockets (each shard)
//!   accepted            committed                         fanned out                flushed
//! ```
//!
//! Whether an entry is traced is decided when it has committed, by chance, with what the shard knows of it anyway; so
//! entries that are not traced cost one random number, and with traces off nothing.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use ringwire_protocol::{ConversationId, Seq};
use tokio::sync::mpsc;

use crate::placement::ShardId;

/// Names a span in its trace, as W3C Trace Context has it; neither number is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanContext {
    /// The trace.
    pub trace_id: u128,
    /// The span.
    pub span_id: u64,
}

/// A piece of time.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Which.
    pub context: SpanContext,
    /// Of which span it is a part; `None`: it is the root.
    pub parent: Option<u64>,
    /// What happened.
    pub name: &'static str,
    /// From when.
    pub start: Instant,
    /// To when.
    pub end: Instant,
    /// On which shard.
    pub shard: ShardId,
    /// About what.
    pub about: Vec<(&'static str, u64)>,
}

/// What all shards share for it.
#[derive(Clone, Debug)]
pub struct Tracing {
    sample: f64,
    spans: SpanSink,
}

/// Takes spans without waiting; what it has no room for is dropped and counted.
#[derive(Clone, Debug)]
pub struct SpanSink {
    pub(super) queue: mpsc::Sender<Span>,
    pub(super) dropped: prometheus_client::metrics::counter::Counter,
}

impl SpanSink {
    fn take(&self, span: Span) {
        if self.queue.try_send(span).is_err() {
            self.dropped.inc();
        }
    }
}

impl Tracing {
    /// Traces this share of all entries, 0 to 1.
    pub fn new(sample: f64, spans: SpanSink) -> Self {
        Self { sample, spans }
    }

    /// The tracer of a shard; `seed` is unlike that of any other shard or start.
    pub fn tracer(&self, seed: u64, shard: ShardId) -> Tracer {
        // All of the range for 1; a float of that size is not exact, but nobody counts to 2⁶⁴.
        let threshold = (self.sample * u64::MAX as f64) as u64;
        let random = Random(seed ^ (u64::from(shard) << 48));
        Tracer { threshold, random, spans: self.spans.clone(), shard }
    }
}

/// Decides what is traced, and makes spans.
#[derive(Debug)]
pub struct Tracer {
    threshold: u64,
    random: Random,
    spans: SpanSink,
    shard: ShardId,
}

/// The times of an entry on its owner shard.
#[derive(Clone, Copy, Debug)]
pub struct EntryTimes {
    /// It went to a writer.
    pub accepted: Instant,
    /// Its commit was heard of.
    pub committed: Instant,
    /// Every shard with a recipient has been told.
    pub fanned_out: Instant,
}

impl Tracer {
    /// A new trace, for one of so many entries.
    pub fn sample(&mut self) -> Option<SpanContext> {
        (self.random.next() <= self.threshold).then(|| {
            let trace_id = u128::from(self.random.next()) << 64 | u128::from(self.random.next());
            SpanContext { trace_id: trace_id | 1, span_id: self.random.next() | 1 }
        })
    }

    /// An entry was committed and told to its recipients' shards.
    pub fn entry(
        &mut self,
        root: SpanContext,
        times: EntryTimes,
        (id, seq): (ConversationId, Seq),
        users: u64,
    ) {
        let EntryTimes { accepted, committed, fanned_out } = times;
        let about = vec![("ringwire.conversation_id", id.get()), ("ringwire.seq", seq)];
        let (shard, users) = (self.shard, vec![("ringwire.users", users)]);
        let commit = self.part(root, "commit", accepted, committed, Vec::new());
        let fan_out = self.part(root, "fan_out", committed, fanned_out, users);
        self.spans.take(Span {
            context: root,
            parent: None,
            name: "message",
            start: accepted,
            end: fanned_out,
            shard,
            about,
        });
        self.spans.take(commit);
        self.spans.take(fan_out);
    }

    /// Its bytes were given to the sockets of this shard.
    pub fn flushed(&mut self, root: SpanContext, committed: Instant, now: Instant) {
        let flush = self.part(root, "flush", committed, now, Vec::new());
        self.spans.take(flush);
    }

    fn part(
        &mut self,
        root: SpanContext,
        name: &'static str,
        start: Instant,
        end: Instant,
        about: Vec<(&'static str, u64)>,
    ) -> Span {
        let context = SpanContext { trace_id: root.trace_id, span_id: self.random.next() | 1 };
        Span { context, parent: Some(root.span_id), name, start, end, shard: self.shard, about }
    }
}

/// SplitMix64: ids need to differ, not to be hard to guess.
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }
}

/// Brings times of the steady clock to Unix time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Epoch {
    at: Instant,
    unix_ns: u128,
}

impl Epoch {
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { at: Instant::now(), unix_ns: since.as_nanos() }
    }

    pub(super) fn unix_ns(self, at: Instant) -> u128 {
        let after = at.saturating_duration_since(self.at).as_nanos();
        let before = self.at.saturating_duration_since(at).as_nanos();
        (self.unix_ns + after).saturating_sub(before)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn tracing(sample: f64, room: usize) -> (Tracing, mpsc::Receiver<Span>) {
        let (queue, spans) = mpsc::channel(room);
        let dropped = prometheus_client::metrics::counter::Counter::default();
        (Tracing::new(sample, SpanSink { queue, dropped }), spans)
    }

    #[test]
    fn so_many_of_all_entries_are_traced() {
        let traced = |sample| {
            let mut tracer = tracing(sample, 1).0.tracer(7, 1);
            (0..10_000).filter(|_| tracer.sample().is_some()).count()
        };
        assert_eq!(traced(0.0), 0);
        assert_eq!(traced(1.0), 10_000);
        assert!((800..1200).contains(&traced(0.1)), "{}", traced(0.1));
    }

    #[test]
    fn the_parts_of_an_entry_belong_to_its_trace_and_what_has_no_room_is_counted() {
        let (tracing, mut spans) = tracing(1.0, 3);
        let mut tracer = tracing.tracer(7, 1);
        let root = tracer.sample().unwrap();
        let accepted = Instant::now();
        let committed = accepted + Duration::from_millis(2);
        let times = EntryTimes { accepted, committed, fanned_out: committed };
        tracer.entry(root, times, (ConversationId::new(5).unwrap(), 9), 2);
        tracer.flushed(root, committed, committed);
        let taken: Vec<Span> = std::iter::from_fn(|| spans.try_recv().ok()).collect();
        let names: Vec<_> = taken.iter().map(|span| (span.name, span.parent)).collect();
        let parent = Some(root.span_id);
        assert_eq!(names, [("message", None), ("commit", parent), ("fan_out", parent)]);
        assert!(taken.iter().all(|span| span.context.trace_id == root.trace_id));
        assert_eq!(tracing.spans.dropped.get(), 1);
    }

    #[test]
    fn times_before_and_after_the_epoch_are_told() {
        let epoch = Epoch { at: Instant::now() + Duration::from_mins(1), unix_ns: 1_000_000 };
        let later = epoch.at + Duration::from_nanos(7);
        assert_eq!(epoch.unix_ns(later), 1_000_007);
        assert_eq!(epoch.unix_ns(epoch.at.checked_sub(Duration::from_nanos(7)).unwrap()), 999_993);
    }
}
