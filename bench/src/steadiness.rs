//! Whether the machine keeps its speed. A virtual one may be slowed down by its host for a tenth of a second at a time,
//! unseen by any counter of the guest; then the slowest one per cent of anything says what the host does.

use std::hint::black_box;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_millis(10);

/// The share of the time in which this thread, doing nothing but sums, was slower than half of its median speed; from 0
/// to 1. Others that take the processor meanwhile count too, so it is asked of a machine at rest.
pub fn slow_share(length: Duration) -> f64 {
    let (begun, mut windows) = (Instant::now(), Vec::new());
    let mut sum = 1_u64;
    while begun.elapsed() < length {
        let (window, mut rounds) = (Instant::now(), 0_u64);
        while window.elapsed() < WINDOW {
            for _ in 0..1_000 {
                sum = black_box(sum.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
            }
            rounds += 1;
        }
        // A window in which the thread did not run at all is a long one.
        windows.push((rounds as f64 / window.elapsed().as_secs_f64(), window.elapsed()));
    }
    share_below_half(windows)
}

/// Of windows with their speeds.
fn share_below_half(mut windows: Vec<(f64, Duration)>) -> f64 {
    windows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let Some(&(median, _)) = windows.get(windows.len() / 2) else { return 0.0 };
    let total: Duration = windows.iter().map(|(_, length)| *length).sum();
    let slow = windows.iter().filter(|(speed, _)| *speed < median / 2.0);
    slow.map(|(_, length)| *length).sum::<Duration>().as_secs_f64() / total.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_slow_counts_by_its_time() {
        let steady = |count| vec![(100.0, WINDOW); count];
        let is_none = |share: f64| share.abs() < 1e-9;
        assert!(is_none(share_below_half(Vec::new())));
        assert!(is_none(share_below_half(steady(10))));
        let mut dip = steady(9);
        dip.push((49.0, WINDOW));
        assert!((share_below_half(dip) - 0.1).abs() < 1e-9);
        let mut standstill = steady(10);
        standstill.push((1.0, WINDOW * 10));
        assert!((share_below_half(standstill) - 0.5).abs() < 1e-9);
        let mut a_little_slower = steady(9);
        a_little_slower.push((51.0, WINDOW));
        assert!(is_none(share_below_half(a_little_slower)));
    }
}
