//! Which user sits where: in which conversation, as which member, and on which lane.
//!
//! ```text
//!   users          0 1 2 3 4 5 6 7 8 …        lane: a thread of the generator (of whichever process)
//!   conversations  └ 0 ┘ └ 1 ┘ └ 2 ┘          whole: lanes take turns at conversations
//!                                             split: lanes take turns at the members of each
//! ```
//!
//! A conversation whose every arrival is remembered stays whole, because its ledger does. One that is verified by
//! cursors and hashes may be split, since those of several lanes add up. Invariant: every user sits on one lane.

use crate::scenario::{Conversation, Scenario, Verify};
use crate::verify::Level;

/// Conversations of at most so many members are verified arrival by arrival, where that is affordable.
const MAX_LEDGER_MEMBERS: u32 = 100;
/// Arrivals of a run that can all be remembered: some 32 bytes each.
const MAX_LEDGER_ARRIVALS: f64 = 4e6;
/// Sends of a run that can all be remembered: 16 bytes each, and as much again for the log when it is read back.
const MAX_REMEMBERED_SENDS: f64 = 20e6;
/// The shortest an answer takes in the mean where nobody thinks.
const SHORTEST_ANSWER_S: f64 = 0.001;
/// Answers that a thread of the generator takes in a second at the most.
const MOST_ANSWERS_PER_S: f64 = 500_000.0;

/// Senders that all users together can remember the messages of, where there is no log: some 64 bytes each.
const MAX_STREAMS: f64 = 20e6;

/// The seating plan of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// How much is remembered of each verified conversation.
    pub level: Level,
    /// One of this many conversations is verified; the others are only counted.
    pub one_in: u32,
    /// Members of each conversation.
    pub(crate) members: u32,
    /// How many conversations there are.
    pub(crate) conversations: u32,
    lanes: u32,
    split: bool,
    first_user_id: u64,
}

impl Layout {
    /// The plan of a scenario over so many lanes.
    pub fn new(scenario: &Scenario, lanes: u32) -> Self {
        let members = scenario.conversation.members(scenario.users);
        let conversations = scenario.users / members.max(1);
        // Of a closed loop the most there can be in the mean.
        let under_way = f64::from(scenario.users) * f64::from(scenario.at_once);
        let thinking_per_s = (under_way / (scenario.think_s + SHORTEST_ANSWER_S))
            .min(f64::from(lanes) * MOST_ANSWERS_PER_S);
        let sends = scenario.mean_rate_per_s().unwrap_or(thinking_per_s) * scenario.duration_s;
        let streams = sends.min(f64::from(scenario.users)) * f64::from(members);
        let level = match scenario.verify {
            Verify::Off => Level::Off,
            _ if !scenario.conversation.is_any() => Level::Off,
            Verify::Auto if !scenario.protocol.is_ringwire() && streams > MAX_STREAMS => Level::Off,
            Verify::Ledger => Level::Ledger,
            Verify::Counters => Level::Counters,
            Verify::Auto => {
                let affordable = sends * f64::from(members) <= MAX_LEDGER_ARRIVALS;
                if members <= MAX_LEDGER_MEMBERS && affordable {
                    Level::Ledger
                } else {
                    Level::Counters
                }
            }
        };
        let one_in = match scenario.verify {
            Verify::Auto => (sends / MAX_REMEMBERED_SENDS).ceil().clamp(1.0, 1e6) as u32,
            _ => 1,
        };
        Self {
            level,
            one_in: one_in.min(conversations.max(1)),
            members,
            conversations,
            lanes,
            split: level != Level::Ledger
                && matches!(
                    scenario.conversation,
                    Conversation::Groups { .. } | Conversation::Room {}
                )
                && members > MAX_LEDGER_MEMBERS,
            first_user_id: scenario.first_user_id,
        }
    }

    /// What is remembered of a conversation.
    pub(crate) const fn level_of(&self, conversation: u32) -> Level {
        if conversation.is_multiple_of(self.one_in) { self.level } else { Level::Off }
    }

    /// Members of one conversation may sit on several lanes.
    pub(crate) const fn is_split(&self) -> bool {
        self.split
    }

    /// The conversations that a lane takes part in.
    pub(crate) fn conversations_of(&self, lane: u32) -> impl Iterator<Item = u32> + use<> {
        let (first, step) = if self.split { (0, 1) } else { (lane, self.lanes) };
        (first..self.conversations).step_by(step as usize)
    }

    /// The first member that a lane holds of each of them, and how far the next one is.
    pub(crate) const fn first_and_stride(&self, lane: u32) -> (u32, u32) {
        if self.split { (lane, self.lanes) } else { (0, 1) }
    }

    /// The lane of a member of a conversation that several lanes share.
    pub(crate) const fn lane_of(&self, member: u32) -> u32 {
        member % self.lanes
    }

    /// The members that a lane holds of each of them.
    pub(crate) fn members_of(&self, lane: u32) -> impl Iterator<Item = u32> + use<> {
        let (first, stride) = self.first_and_stride(lane);
        (first..self.members).step_by(stride as usize)
    }

    /// The id of the first member of a conversation; the others follow.
    pub(crate) fn first_member_id(&self, conversation: u32) -> u64 {
        self.first_user_id + u64::from(conversation) * u64::from(self.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(overrides: &[&str]) -> Scenario {
        let overrides: Vec<_> = overrides.iter().map(|&argument| argument.to_owned()).collect();
        Scenario::parse("name = 'x'\nusers = 1200\nrate_per_s = 10\nduration_s = 10", &overrides)
            .unwrap()
    }

    #[test]
    fn every_user_sits_on_exactly_one_lane() {
        for (overrides, split) in [
            (&["conversation.kind=pairs"][..], false),
            (&["conversation={kind='groups', members=12}"], false),
            (&["conversation={kind='groups', members=400}"], true),
            (&["conversation.kind=room"], true),
            (&["conversation.kind=room", "verify=ledger"], false),
            (&["conversation.kind=none"], false),
        ] {
            let layout = Layout::new(&scenario(overrides), 5);
            assert_eq!(layout.is_split(), split, "{overrides:?}");
            let mut ids = Vec::new();
            for lane in 0..5 {
                for conversation in layout.conversations_of(lane) {
                    let first = layout.first_member_id(conversation);
                    ids.extend(layout.members_of(lane).map(|member| first + u64::from(member)));
                }
            }
            ids.sort_unstable();
            assert!(ids.iter().copied().eq(1_000_000_001..1_000_001_201), "{overrides:?}");
        }
    }

    #[test]
    fn the_level_is_the_most_that_is_affordable() {
        let level = |overrides: &[&str]| {
            let layout = Layout::new(&scenario(overrides), 1);
            (layout.level, layout.one_in)
        };
        assert_eq!(level(&[]), (Level::Ledger, 1));
        assert_eq!(level(&["rate_per_s=500000"]), (Level::Counters, 1));
        assert_eq!(level(&["rate_per_s=500000", "duration_s=100"]), (Level::Counters, 3));
        assert_eq!(level(&["conversation.kind=room"]), (Level::Counters, 1));
        assert_eq!(level(&["conversation.kind=room", "verify=ledger"]), (Level::Ledger, 1));
        assert_eq!(level(&["conversation.kind=none"]), (Level::Off, 1));
        assert_eq!(level(&["verify=off"]), (Level::Off, 1));
        let crowd = ["protocol=broadcast", "conversation.kind=room", "users=30000"];
        assert_eq!(level(&crowd), (Level::Counters, 1));
        let busy = [&crowd[..], &["rate_per_s=1000"]].concat();
        assert_eq!(level(&busy), (Level::Off, 1));
    }

    #[test]
    fn a_closed_loop_is_verified_whole_as_far_as_its_answers_can_be_remembered() {
        let closed = |more: &[&str]| {
            Layout::new(&scenario(&[&["arrival=closed", "think_s=0"], more].concat()), 1)
        };
        let few = closed(&["users=100"]);
        assert_eq!((few.level, few.one_in), (Level::Ledger, 1));
        let many = closed(&["users=10000"]);
        assert_eq!((many.level, many.one_in), (Level::Counters, 1));
        assert!(closed(&["users=10000", "duration_s=3600"]).one_in > 1);
    }
}
