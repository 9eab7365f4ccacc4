//! How many sends are due by when: a rate over time, as straight pieces, and its integral.
//!
//! ```text
//!   rate   ┌──┐        expected sends by t:  ∫ rate        due(k): the time at which k sends are expected
//!     ─────┘  └────
//! ```
//!
//! Both kinds of schedule follow from `due`: evenly spaced sends are due at 0, 1, 2 …, those of a Poisson process at the
//! sums of exponential gaps of mean 1, which is how a process of changing rate is made from one of rate 1.
//! Invariant: `due` never falls, and is `None` exactly for counts that are not reached before the end.

use crate::scenario::Shape;

/// A stretch of time over which the rate changes evenly.
#[derive(Clone, Copy, Debug)]
struct Piece {
    from_s: f64,
    length_s: f64,
    /// Sends per second at its beginning, and what is added per second.
    rate: f64,
    slope: f64,
    /// Sends expected before it.
    before: f64,
}

impl Piece {
    fn expected(&self) -> f64 {
        self.length_s * (self.rate + self.slope * self.length_s / 2.0)
    }
}

/// A rate over the time of a run.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    pieces: Vec<Piece>,
    /// The piece that held the last answer: questions come in rising order.
    at: usize,
}

impl Rate {
    /// A rate that begins with `rate_per_s` and changes as `shape` says.
    pub(crate) fn new(rate_per_s: f64, shape: Shape, duration_s: f64) -> Self {
        let mut rate = Self { pieces: Vec::new(), at: 0 };
        match shape {
            Shape::Steady {} => rate.push(duration_s, rate_per_s, rate_per_s),
            Shape::Ramp { to_per_s } => rate.push(duration_s, rate_per_s, to_per_s),
            Shape::Steps { to_per_s, steps } => {
                for step in 0..steps {
                    let share = f64::from(step) / f64::from(steps - 1);
                    let here = rate_per_s + (to_per_s - rate_per_s) * share;
                    rate.push(duration_s / f64::from(steps), here, here);
                }
            }
            Shape::Spike { at_s, for_s, to_per_s } => {
                let begins_s = at_s.min(duration_s);
                let lasts_s = for_s.min(duration_s - begins_s);
                rate.push(begins_s, rate_per_s, rate_per_s);
                rate.push(lasts_s, to_per_s, to_per_s);
                rate.push(duration_s - begins_s - lasts_s, rate_per_s, rate_per_s);
            }
        }
        rate
    }

    /// Sends expected over the whole run.
    pub(crate) fn total(&self) -> f64 {
        self.pieces.last().map_or(0.0, |last| last.before + last.expected())
    }

    /// When `count` sends are expected to have been due, in seconds; counts have to rise.
    pub(crate) fn due(&mut self, count: f64) -> Option<f64> {
        loop {
            let piece = self.pieces.get(self.at)?;
            let wanted = count - piece.before;
            if wanted < piece.expected() {
                // The smaller root of wanted = rate × t + slope / 2 × t², in the form that loses no digits.
                let root = (piece.rate * piece.rate + 2.0 * piece.slope * wanted).max(0.0).sqrt();
                let sum = piece.rate + root;
                let after_s = if sum > 0.0 { 2.0 * wanted / sum } else { 0.0 };
                return Some(piece.from_s + after_s.min(piece.length_s));
            }
            self.at += 1;
        }
    }

    fn push(&mut self, length_s: f64, from: f64, to: f64) {
        let from_s = self.pieces.last().map_or(0.0, |last| last.from_s + last.length_s);
        let before = self.total();
        let slope = if length_s > 0.0 { (to - from) / length_s } else { 0.0 };
        self.pieces.push(Piece { from_s, length_s, rate: from, slope, before });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn per_second(shape: Shape) -> Vec<usize> {
        let mut rate = Rate::new(100.0, shape, 4.0);
        let mut seconds = vec![0; 4];
        let mut last_s = 0.0;
        for count in 0.. {
            let Some(at_s) = rate.due(f64::from(count)) else { break };
            assert!(at_s >= last_s && at_s < 4.0);
            last_s = at_s;
            seconds[at_s as usize] += 1;
        }
        seconds
    }

    #[test]
    fn every_shape_has_the_sends_it_promises() {
        assert_eq!(per_second(Shape::Steady {}), [100, 100, 100, 100]);
        assert_eq!(per_second(Shape::Steps { to_per_s: 400.0, steps: 4 }), [100, 200, 300, 400]);
        let spike = Shape::Spike { at_s: 1.0, for_s: 1.0, to_per_s: 1000.0 };
        assert_eq!(per_second(spike), [100, 1000, 100, 100]);
        // 100 to 500 over 4 s: 150, 250, 350 and 450, give or take the send on the border.
        let ramp = per_second(Shape::Ramp { to_per_s: 500.0 });
        for (found, expected) in ramp.iter().zip([150_usize, 250, 350, 450]) {
            assert!(found.abs_diff(expected) <= 1, "{ramp:?}");
        }
    }

    #[test]
    fn silence_and_spikes_beyond_the_end_are_no_trouble() {
        assert_eq!(Rate::new(0.0, Shape::Steady {}, 4.0).due(0.0), None);
        let mut late = Rate::new(10.0, Shape::Spike { at_s: 9.0, for_s: 1.0, to_per_s: 99.0 }, 4.0);
        assert!((late.total() - 40.0).abs() < 1e-9);
        assert_eq!(late.due(40.0), None);
        let mut ramp = Rate::new(0.0, Shape::Ramp { to_per_s: 10.0 }, 4.0);
        assert_eq!(ramp.due(0.0), Some(0.0));
        assert!(ramp.due(19.9).is_some_and(|at_s| at_s > 3.9));
    }
}
