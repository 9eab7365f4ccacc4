//! The search for the highest rate that meets the thresholds.
//!
//! ```text
//!   rate ▲        ✗ 8000                     grow while it passes, shrink while it fails,
//!        │  ✓ 4000   ✗ 5657                  then halve the gap (on a logarithmic scale) until it is narrow,
//!        │ ✓ 2000       ✓ 4757  ✗ 5187  ✓ 4757 then repeat the highest that passed: it counts if it passes again
//!        └────────────────────────────────►
//! ```
//!
//! A pass that is not confirmed counts as a failure, and the search goes on below. A run that proves nothing (the
//! generator was late) is repeated once; if it proves nothing again, the generator is the limit there, and the answer
//! is "at least". The search is bounded in steps. It knows no clock and no socket: it is asked for a rate and told the
//! verdict.

use crate::threshold::Verdict;

/// How the search goes about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// The first rate.
    pub from_per_s: f64,
    /// The factor from one rate to the next while nothing is known on one side; above 1.
    pub growth: f64,
    /// How narrow the gap between pass and failure has to be, as a share.
    pub precision: f64,
    /// The most runs, repeats included.
    pub max_steps: u32,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Offer this rate.
    Try(f64),
    /// Offer this rate once more: it passed.
    Confirm(f64),
    /// The search is over.
    Over(Answer),
}

/// What the search came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Answer {
    /// The highest rate that passed twice.
    pub rate_per_s: Option<f64>,
    /// Where there is none: the highest that passed once and was not refuted, for want of steps not repeated.
    pub unconfirmed_per_s: Option<f64>,
    /// What hinders a higher one.
    pub limit: Limit,
}

/// What hinders a higher rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The thresholds are not met.
    Server,
    /// The generator cannot offer it in time.
    Generator,
    /// The search had no more steps.
    Steps,
}

impl Answer {
    /// What it is worth: a pass needs a confirmed rate with a failure close above it.
    pub const fn verdict(&self) -> Verdict {
        match (self.rate_per_s, self.limit) {
            (Some(_), Limit::Server) => Verdict::Pass,
            (None, Limit::Server) => Verdict::Fail,
            (_, Limit::Generator | Limit::Steps) => Verdict::InsufficientEvidence,
        }
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.rate_per_s {
            Some(rate) if self.verdict() == Verdict::Pass => write!(f, "{rate:.0}/s")?,
            Some(rate) => write!(f, "at least {rate:.0}/s")?,
            None => match self.unconfirmed_per_s {
                Some(rate) => write!(f, "not confirmed, {rate:.0}/s passed once")?,
                None => write!(f, "not found")?,
            },
        }
        write!(f, " ({})", self.limit.name())
    }
}

impl Limit {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "the thresholds are not met above",
            Self::Generator => "the generator cannot offer more",
            Self::Steps => "the search had no more steps",
        }
    }
}

/// A search on its way.
#[derive(Clone, Debug)]
pub struct Search {
    settings: Settings,
    next: Next,
    steps: u32,
    /// Rates that passed and were not refuted since, ascending.
    passed: Vec<f64>,
    /// The lowest that did not, and why.
    failed: Option<(f64, Limit)>,
    /// The rate under way has proven nothing once.
    is_repeat: bool,
}

impl Search {
    /// Nothing is known yet.
    pub const fn new(settings: Settings) -> Self {
        let next = Next::Try(settings.from_per_s);
        Self { settings, next, steps: 0, passed: Vec::new(), failed: None, is_repeat: false }
    }

    /// What to do next.
    pub const fn next(&self) -> &Next {
        &self.next
    }

    /// Takes in the verdict of what was done.
    pub fn told(&mut self, verdict: Verdict) {
        let (rate, is_confirmation) = match self.next {
            Next::Try(rate) => (rate, false),
            Next::Confirm(rate) => (rate, true),
            Next::Over(_) => return,
        };
        self.steps += 1;
        if verdict == Verdict::InsufficientEvidence
            && !self.is_repeat
            && self.steps < self.settings.max_steps
        {
            self.is_repeat = true;
            return;
        }
        self.is_repeat = false;
        match verdict {
            Verdict::Pass if is_confirmation => {
                // Where the steps ran out far below the lowest failure, nothing is known of what lies between.
                let limit = match self.failed {
                    Some((failed, limit)) if self.is_narrow(rate, failed) => limit,
                    _ => Limit::Steps,
                };
                let (rate_per_s, unconfirmed_per_s) = (Some(rate), None);
                self.next = Next::Over(Answer { rate_per_s, unconfirmed_per_s, limit });
                return;
            }
            Verdict::Pass => self.passed.push(rate),
            Verdict::Fail | Verdict::InsufficientEvidence => {
                let limit = if verdict == Verdict::Fail { Limit::Server } else { Limit::Generator };
                self.passed.retain(|&passed| passed < rate);
                self.failed = Some((rate, limit));
            }
        }
        self.next = self.choose(is_confirmation);
    }

    fn is_narrow(&self, passed: f64, failed: f64) -> bool {
        // What was meant to be as narrow as this may have been rounded up.
        failed / passed <= (1.0 + self.settings.precision) * (1.0 + f64::EPSILON * 4.0)
    }

    /// The highest rate that has passed and was not refuted since.
    pub fn passed_once(&self) -> Option<f64> {
        self.passed.last().copied()
    }

    fn choose(&self, was_refuted: bool) -> Next {
        let Settings { growth, precision, max_steps, from_per_s } = self.settings;
        // The last step is kept for the confirmation.
        let steps_left = max_steps.saturating_sub(self.steps);
        let without = |limit, unconfirmed_per_s| {
            Next::Over(Answer { rate_per_s: None, unconfirmed_per_s, limit })
        };
        match (self.passed.last().copied(), self.failed) {
            (Some(passed), _) if steps_left == 1 => Next::Confirm(passed),
            (passed, _) if steps_left == 0 => without(Limit::Steps, passed),
            (Some(passed), None) => Next::Try(passed * growth),
            (Some(passed), Some((failed, _))) if self.is_narrow(passed, failed) => {
                Next::Confirm(passed)
            }
            // What passed once and then failed was close to the edge: go down in small steps.
            (Some(passed), Some((failed, _))) if was_refuted => {
                Next::Try((failed / (1.0 + precision)).max(passed))
            }
            (Some(passed), Some((failed, _))) => Next::Try((passed * failed).sqrt()),
            (None, Some((failed, _))) if was_refuted => Next::Try(failed / (1.0 + precision)),
            (None, Some((failed, limit))) => {
                let lower = failed / growth;
                if lower < 1.0_f64.min(from_per_s / 2.0) {
                    without(limit, None)
                } else {
                    Next::Try(lower)
                }
            }
            (None, None) => Next::Try(from_per_s),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings =
        Settings { from_per_s: 1000.0, growth: 2.0, precision: 0.05, max_steps: 40 };

    /// Searches with a server that answers by rate and number of the step; answers the rates offered as well.
    fn search(
        settings: Settings,
        mut serve: impl FnMut(f64, usize) -> Verdict,
    ) -> (Answer, Vec<f64>) {
        let mut search = Search::new(settings);
        let mut offered = Vec::new();
        loop {
            match *search.next() {
                Next::Over(answer) => return (answer, offered),
                Next::Try(rate) | Next::Confirm(rate) => {
                    search.told(serve(rate, offered.len()));
                    offered.push(rate);
                }
            }
            assert!(offered.len() <= settings.max_steps as usize);
        }
    }

    fn pass_up_to(capacity: f64) -> impl Fn(f64, usize) -> Verdict {
        move |rate, _| if rate <= capacity { Verdict::Pass } else { Verdict::Fail }
    }

    #[test]
    fn the_edge_is_found_from_below_and_from_above_and_confirmed() {
        for capacity in [3.0, 999.0, 1000.0, 1001.0, 5000.0, 123_456.0] {
            let (answer, offered) = search(SETTINGS, pass_up_to(capacity));
            let rate = answer.rate_per_s.unwrap();
            assert!(rate <= capacity && rate * 1.05 >= capacity, "{capacity}: {rate}");
            assert_eq!((answer.limit, answer.verdict()), (Limit::Server, Verdict::Pass));
            let confirmations =
                offered.iter().filter(|&&offered| offered.to_bits() == rate.to_bits());
            assert_eq!(confirmations.count(), 2, "{offered:?}");
        }
    }

    #[test]
    fn a_server_that_never_passes_fails() {
        let (answer, _) = search(SETTINGS, |_, _| Verdict::Fail);
        assert_eq!((answer.rate_per_s, answer.verdict()), (None, Verdict::Fail));
    }

    #[test]
    fn a_pass_by_luck_is_refuted_and_a_lower_rate_found() {
        let mut lucky = true;
        let (answer, _) = search(SETTINGS, |rate, _| {
            let is_lucky = rate > 4000.0 && rate < 4500.0 && std::mem::take(&mut lucky);
            if rate <= 3000.0 || is_lucky { Verdict::Pass } else { Verdict::Fail }
        });
        let rate = answer.rate_per_s.unwrap();
        assert!(rate <= 3000.0 && rate * 1.06 >= 3000.0, "{rate}");
    }

    #[test]
    fn a_generator_that_gives_out_makes_the_answer_at_least() {
        let (answer, offered) = search(SETTINGS, |rate, _| {
            if rate <= 3000.0 { Verdict::Pass } else { Verdict::InsufficientEvidence }
        });
        assert_eq!(answer.limit, Limit::Generator);
        assert_eq!(answer.verdict(), Verdict::InsufficientEvidence);
        assert!(answer.rate_per_s.unwrap() > 2800.0);
        // Once more each time, because chance may have made the generator late.
        assert_eq!(offered.iter().filter(|&&rate| rate > 3990.0).count(), 2, "{offered:?}");
        let (answer, _) = search(SETTINGS, |rate, step| match step {
            3 => Verdict::InsufficientEvidence,
            _ => pass_up_to(5000.0)(rate, step),
        });
        assert_eq!(answer.verdict(), Verdict::Pass);
    }

    #[test]
    fn steps_that_run_out_far_below_the_edge_make_the_answer_at_least() {
        let settings = Settings { from_per_s: 50.0, growth: 20.0, max_steps: 3, ..SETTINGS };
        let (answer, offered) = search(settings, pass_up_to(177.0));
        assert_eq!(offered, [50.0, 1000.0, 50.0]);
        assert_eq!((answer.rate_per_s, answer.limit), (Some(50.0), Limit::Steps));
        assert_eq!(answer.verdict(), Verdict::InsufficientEvidence);
        assert_eq!(answer.to_string(), "at least 50/s (the search had no more steps)");
    }

    #[test]
    fn what_passed_once_below_a_refuted_rate_is_told() {
        let settings = Settings { max_steps: 3, ..SETTINGS };
        let (answer, offered) = search(settings, |_, step| match step {
            2 => Verdict::Fail,
            _ => Verdict::Pass,
        });
        assert_eq!(offered, [1000.0, 2000.0, 2000.0]);
        assert_eq!((answer.rate_per_s, answer.unconfirmed_per_s), (None, Some(1000.0)));
        assert_eq!(answer.verdict(), Verdict::InsufficientEvidence);
        let text = "not confirmed, 1000/s passed once (the search had no more steps)";
        assert_eq!(answer.to_string(), text);
    }

    #[test]
    fn the_search_ends_however_it_goes() {
        for max_steps in 1..12 {
            let settings = Settings { max_steps, ..SETTINGS };
            for capacity in [1.0, 1500.0, f64::MAX] {
                let (answer, offered) = search(settings, pass_up_to(capacity));
                assert!(offered.len() <= max_steps as usize);
                if capacity > 1e9 {
                    assert_eq!(answer.verdict(), Verdict::InsufficientEvidence);
                    assert_eq!(answer.rate_per_s.is_some(), max_steps > 1);
                }
            }
        }
        // Chance decides: it must still come to an end.
        let mut state: u64 = 1;
        for _ in 0..200 {
            search(SETTINGS, |_, _| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                [Verdict::Pass, Verdict::Fail, Verdict::InsufficientEvidence]
                    [(state >> 40) as usize % 3]
            });
        }
    }
}
