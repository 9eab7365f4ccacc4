//! The figures as operators look at them: rates and percentiles of a period, in JSON.

use std::time::Instant;

use serde::Serialize;
use utoipa::ToSchema;

use super::board::{Board, Queue};
use super::figures::{BOUNDS, Figure, Figures, SPREADS, Spread};
use super::process;

/// The numbers of all shards at a moment.
#[derive(Clone, Debug)]
pub struct Sample {
    at: Instant,
    shards: Vec<Figures>,
}

impl Sample {
    /// Looks now.
    pub fn take(board: &Board) -> Self {
        Self { at: Instant::now(), shards: board.read() }
    }

    fn all(&self) -> Figures {
        let mut all = Figures::default();
        for shard in &self.shards {
            all.merge(shard);
        }
        all
    }
}

/// What happened between two looks, or since the start, and how things are at the later one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Stats {
    /// Seconds since the start.
    uptime_s: u64,
    /// Seconds that the rates and latencies are of.
    period_s: f64,
    /// By how their frames are written.
    #[schema(inline)]
    connections: Connections,
    #[schema(inline)]
    sessions: Sessions,
    /// Conversations in memory.
    conversations: u64,
    /// Bytes that wait to be sent.
    outbox_bytes: u64,
    /// What the process keeps in memory.
    memory_bytes: u64,
    #[schema(inline)]
    per_second: Rates,
    #[schema(inline)]
    latency_ms: Latencies,
    #[schema(inline)]
    shards: Vec<ShardStats>,
    /// Between threads.
    #[schema(inline)]
    queues: Vec<QueueStats>,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Connections {
    protobuf: u64,
    json: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Sessions {
    connected: u64,
    /// Without a connection; they may be resumed.
    detached: u64,
    /// Being opened at this moment.
    opening: u64,
    /// That wait to be opened.
    waiting: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Rates {
    commands: f64,
    refusals: f64,
    /// Committed.
    entries: f64,
    pushes: f64,
    /// Entries that a full outbox left out; their clients sync.
    left_out: f64,
    received_bytes: f64,
    sent_bytes: f64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Latencies {
    /// From a send to its answer.
    #[schema(inline)]
    ack: Percentiles,
    /// From a commit to the sockets.
    #[schema(inline)]
    deliver: Percentiles,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct Percentiles {
    /// Null: nothing happened.
    #[schema(required = true)]
    p50: Option<f64>,
    /// As `p50`.
    #[schema(required = true)]
    p99: Option<f64>,
    /// Of how many.
    count: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct ShardStats {
    shard: usize,
    turns_per_second: f64,
    entries_per_second: f64,
    connections: u64,
    sessions: u64,
    conversations: u64,
    /// Entries that are not committed yet.
    entries_under_way: u64,
    /// Places that are kept for answers.
    credits_in_use: u64,
    outbox_bytes: u64,
    /// Mail that waits.
    mailbox: usize,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
struct QueueStats {
    /// What it is called.
    queue: &'static str,
    /// Whose it is; null: no shard's.
    #[schema(required = true)]
    shard: Option<u16>,
    waiting: usize,
    /// What it holds at most.
    capacity: usize,
}

/// See [`Stats`].
pub fn stats(board: &Board, before: Option<&Sample>, now: &Sample) -> Stats {
    let (all, earlier) = (now.all(), before.map(Sample::all).unwrap_or_default());
    let period = match before {
        Some(before) => now.at.saturating_duration_since(before.at),
        None => board.age(now.at),
    };
    let seconds = period.as_secs_f64().max(0.001);
    let rate = |now: u64, before: u64| now.saturating_sub(before) as f64 / seconds;
    let figure = |figure: Figure| rate(all.get(figure), earlier.get(figure));
    let sum = |numbers: &[u64]| numbers.iter().sum::<u64>();
    let shards = now.shards.iter().enumerate().map(|(id, figures)| {
        let before = before.and_then(|before| before.shards.get(id));
        shard(id, figures, before, seconds, board.queues())
    });
    Stats {
        uptime_s: board.age(now.at).as_secs(),
        period_s: seconds,
        connections: Connections {
            protobuf: all.get(Figure::ConnectionsProtobuf),
            json: all.get(Figure::ConnectionsJson),
        },
        sessions: Sessions {
            connected: all.get(Figure::SessionsConnected),
            detached: all.get(Figure::SessionsDetached),
            opening: all.get(Figure::Opening),
            waiting: all.get(Figure::OpeningWaiting),
        },
        conversations: all.get(Figure::Conversations),
        outbox_bytes: all.get(Figure::OutboxBytes),
        memory_bytes: process::resident_bytes(),
        per_second: Rates {
            commands: rate(sum(all.commands()), sum(earlier.commands())),
            refusals: rate(sum(all.refusals()), sum(earlier.refusals())),
            entries: figure(Figure::Entries),
            pushes: rate(sum(all.pushes()), sum(earlier.pushes())),
            left_out: figure(Figure::LeftOut),
            received_bytes: figure(Figure::ReceivedBytes),
            sent_bytes: figure(Figure::SentBytes),
        },
        latency_ms: Latencies {
            ack: percentiles(&all, &earlier, Spread::Ack),
            deliver: percentiles(&all, &earlier, Spread::Deliver),
        },
        shards: shards.collect(),
        queues: board.queues().iter().map(queue).collect(),
    }
}

fn shard(
    id: usize,
    now: &Figures,
    before: Option<&Figures>,
    seconds: f64,
    queues: &[Queue],
) -> ShardStats {
    let rate = |figure: Figure| {
        let before = before.map_or(0, |before| before.get(figure));
        now.get(figure).saturating_sub(before) as f64 / seconds
    };
    let mailbox = queues.iter().find(|queue| queue.shard.map(usize::from) == Some(id));
    ShardStats {
        shard: id,
        turns_per_second: rate(Figure::Turns),
        entries_per_second: rate(Figure::Entries),
        connections: now.get(Figure::ConnectionsProtobuf) + now.get(Figure::ConnectionsJson),
        sessions: now.get(Figure::SessionsConnected) + now.get(Figure::SessionsDetached),
        conversations: now.get(Figure::Conversations),
        entries_under_way: now.get(Figure::UnderWay),
        credits_in_use: now.get(Figure::Credits),
        outbox_bytes: now.get(Figure::OutboxBytes),
        mailbox: mailbox.map_or(0, |queue| (queue.waiting)()),
    }
}

fn queue(queue: &Queue) -> QueueStats {
    QueueStats {
        queue: queue.name,
        shard: queue.shard,
        waiting: (queue.waiting)(),
        capacity: queue.capacity,
    }
}

fn percentiles(now: &Figures, before: &Figures, spread: Spread) -> Percentiles {
    let (later, earlier) = (now.spread(spread).0, before.spread(spread).0);
    let buckets: Vec<u64> =
        later.iter().zip(earlier).map(|(later, earlier)| later.saturating_sub(*earlier)).collect();
    let bounds = SPREADS[spread as usize].bounds;
    // Microseconds to milliseconds; nothing happened: nothing to tell.
    let told = |share: f64| percentile(&buckets, bounds, share).map(|micros| micros / 1000.0);
    Percentiles { p50: told(0.5), p99: told(0.99), count: buckets.iter().sum() }
}

/// The value below which a share of all lies, straight lines between the bounds; beyond the last bound, that bound.
fn percentile(buckets: &[u64], bounds: &[u64; BOUNDS], share: f64) -> Option<f64> {
    let all: u64 = buckets.iter().sum();
    if all == 0 {
        return None;
    }
    let wanted = all as f64 * share;
    let mut below = 0.0;
    for (place, count) in buckets.iter().enumerate() {
        let count = *count as f64;
        if count > 0.0 && below + count >= wanted {
            let upper = bounds.get(place).or(bounds.last()).copied().unwrap_or(0) as f64;
            let lower = place.checked_sub(1).and_then(|place| bounds.get(place)).copied();
            let lower = (lower.unwrap_or(0) as f64).min(upper);
            return Some(lower + (upper - lower) * ((wanted - below) / count));
        }
        below += count;
    }
    bounds.last().map(|bound| *bound as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn percentiles_lie_between_the_bounds_of_their_bucket() {
        let mut figures = Figures::default();
        let bounds = SPREADS[Spread::Ack as usize].bounds;
        let at =
            |figures: &Figures, share| percentile(figures.spread(Spread::Ack).0, bounds, share);
        assert_eq!(at(&figures, 0.5), None);
        figures.observe_time(Spread::Ack, Duration::from_micros(80), 98);
        figures.observe_time(Spread::Ack, Duration::from_mins(1), 2);
        let median = at(&figures, 0.5).unwrap();
        assert!((50.0..100.0).contains(&median), "{median}");
        assert_eq!(at(&figures, 0.99), Some(*bounds.last().unwrap() as f64));
    }

    #[test]
    fn rates_are_of_the_period_between_two_looks() {
        let start = Instant::now();
        let board = Board::new(1, Vec::new(), start);
        let sample = |entries| {
            let mut figures = Figures::default();
            figures.add(Figure::Entries, entries);
            figures.set(Figure::ConnectionsJson, 3);
            figures
        };
        let before = Sample { at: start, shards: vec![sample(10)] };
        let now = Sample { at: start + Duration::from_secs(2), shards: vec![sample(30)] };
        let told = stats(&board, Some(&before), &now);
        let told = serde_json::to_value(told).unwrap();
        assert_eq!(told["per_second"]["entries"], 10.0);
        assert_eq!(told["connections"]["json"], 3);
        assert_eq!(told["shards"][0]["entries_per_second"], 10.0);
        assert_eq!(told["latency_ms"]["ack"]["p50"], serde_json::Value::Null);
    }
}
