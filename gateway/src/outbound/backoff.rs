//! How long to wait before something is tried again: longer each time, and never all at once.

use ringwire_protocol::UnixMs;

/// The pause after the first try, in milliseconds.
const FIRST_MS: u64 = 1_000;
/// The longest pause, in milliseconds.
const LONGEST_MS: u64 = 60 * 60 * 1_000;

/// The pause after the given try, from 1: between half of what has doubled each time and all of it.
pub(crate) fn pause_ms(tries: u32) -> UnixMs {
    let doubled = FIRST_MS << tries.saturating_sub(1).min(20);
    // Without random bytes the pause is a little less fair, and still one.
    pause(doubled.min(LONGEST_MS), getrandom::u64().unwrap_or_default())
}

fn pause(longest_ms: u64, random: u64) -> UnixMs {
    let half = longest_ms / 2;
    (half + random % (longest_ms - half + 1)).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_an_hour_and_differ() {
        assert_eq!((pause(1_000, 0), pause(1_000, 500), pause(1_000, 501)), (500, 1_000, 500));
        for (tries, longest) in [(0, 1_000), (1, 1_000), (2, 2_000), (5, 16_000), (99, 3_600_000)] {
            let pause = pause_ms(tries);
            assert!((longest / 2..=longest).contains(&pause), "{tries}: {pause}");
        }
    }
}
