//! Samples of several processes, put together; the end of intervals; long runs.

use super::*;

const START_US: u64 = 2_300_000;

fn sample(at_us: u64, live: u64, sent: u64, took_us: u64) -> Sample {
    let mut ack = Latency::new(0);
    (0..sent).for_each(|_| ack.record(0, took_us));
    let counts = Counts { sent, ..Counts::default() };
    Sample { at_us, live, counts, ack: ack.packed(), deliver: Packed::default() }
}

#[test]
fn threads_cut_at_whole_seconds_of_the_clock_and_then_after_the_start() {
    assert_eq!(boundary_us(1_999_999, 0), 1_000_000);
    assert_eq!(boundary_us(2_299_999, START_US), 2_000_000);
    assert_eq!(boundary_us(2_300_000, START_US), 2_000_000);
    assert_eq!(boundary_us(3_299_999, START_US), 2_000_000);
    assert_eq!(boundary_us(3_300_000, START_US), START_US + SECOND_US);
    assert_eq!(boundary_us(4_400_000, START_US), START_US + 2 * SECOND_US);
}

#[test]
fn news_are_what_was_not_told_before_and_add_up_to_all() {
    let mut tally = Tally::new(0);
    let mut told = Told::default();
    let mut sum = Packed::default();
    let mut acked = 0;
    for round in 1..=5_u64 {
        for number in 0..round * 10 {
            tally.ack.record(0, number * 777);
            tally.acked += 1;
        }
        let sample = told.news(&Snapshot::of(&tally, round, 1));
        assert_eq!(sample.counts.acked, round * 10);
        assert_eq!(sample.ack.count(), round * 10);
        acked += sample.counts.acked;
        sum.merge(&sample.ack);
    }
    assert_eq!((acked, sum), (tally.acked, tally.ack.packed()));
    // The counts begin anew when the sending does.
    let fresh = Snapshot::of(&Tally::new(0), 9, 1);
    assert_eq!(told.news(&fresh).counts, Counts::default());
}

#[test]
fn samples_of_several_processes_meet_in_their_interval() {
    let mut series = Series::new();
    series.add(0, sample(1_000_000, 5, 0, 0));
    series.started(START_US);
    series.add(0, sample(START_US + SECOND_US, 10, 7, 1000));
    series.add(1, sample(START_US + SECOND_US, 20, 3, 3000));
    // The first process has nothing to tell in the second interval: its users are as they were.
    series.add(1, sample(START_US + 2 * SECOND_US, 21, 1, 3000));
    series.used(START_US + SECOND_US, Usage { cpu_s: 1.0, resident_bytes: 10 });
    series.used(START_US + 2 * SECOND_US, Usage { cpu_s: 1.75, resident_bytes: 20 });
    let intervals = series.intervals();
    let ends: Vec<_> = intervals.iter().map(|interval| interval.at_s).collect();
    assert_eq!(ends, [-1.3, 1.0, 2.0]);
    let live: Vec<_> = intervals.iter().map(|interval| interval.live).collect();
    assert_eq!(live, [5, 30, 31]);
    assert_eq!(intervals[1].counts.sent, 10);
    assert_eq!(intervals[1].ack.count(), 10);
    assert!((intervals[1].ack.max_ms() - 3.0).abs() < 0.01);
    assert_eq!(intervals[1].server_cpu_s, None);
    assert_eq!(intervals[2].server_cpu_s, Some(0.75));
    assert_eq!(intervals[2].server_resident_bytes, Some(20));
}

#[test]
fn a_long_run_has_longer_intervals_and_loses_nothing() {
    let mut series = Series::new();
    series.started(START_US);
    let seconds = MAX_INTERVALS as u64 * 3 + 5;
    for second in 1..=seconds {
        series.add(0, sample(START_US + second * SECOND_US, 4, second % 3, 1000));
    }
    let intervals = series.intervals();
    assert!(intervals.len() <= MAX_INTERVALS);
    assert!((series.width_s() - 4.0).abs() < f64::EPSILON);
    let sent: u64 = intervals.iter().map(|interval| interval.counts.sent).sum();
    let recorded: u64 = intervals.iter().map(|interval| interval.ack.count()).sum();
    let expected = (1..=seconds).map(|second| second % 3).sum();
    assert_eq!((sent, recorded), (expected, expected));
    assert!(intervals.iter().all(|interval| interval.live == 4));
}
