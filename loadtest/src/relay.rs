//! Meetings of one conversation in several processes, kept alike by way of the run.
//!
//! ```text
//!   process 1   3 of 5 arrived ──► Met ──┐        ┌──► 2 elsewhere ──► all are here: open it
//!                                        ▼        │
//!                                       run: Board (who said what of which conversation)
//!                                        ▲        │
//!   process 2   2 of 5 arrived ──► Met ──┘        └──► 3 elsewhere; later: opened, head
//! ```
//!
//! Told is what has changed. What was heard last of each process stands; repeats change nothing.

use std::collections::BTreeMap;

use ringwire_protocol::Seq;
use serde::{Deserialize, Serialize};

use crate::meeting::{Meeting, Opened};

/// What the members of a conversation in one process, or in all others, know of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Met {
    conversation: u32,
    arrived: u32,
    opened: Option<Opened>,
    head: Seq,
    said: u64,
}

/// A process's side: its meetings, and what it has told of them.
#[derive(Debug)]
pub(crate) struct Relay {
    told: Vec<Met>,
}

impl Relay {
    /// Nothing is told of so many meetings.
    pub(crate) fn new(meetings: usize) -> Self {
        let told = (0..meetings)
            .map(|conversation| Met { conversation: conversation as u32, ..Met::default() });
        Self { told: told.collect() }
    }

    /// What has changed since the last call.
    pub(crate) fn news(&mut self, meetings: &[Meeting]) -> Vec<Met> {
        let mut news = Vec::new();
        for (told, meeting) in self.told.iter_mut().zip(meetings) {
            let now = Met {
                arrived: meeting.arrived(),
                opened: meeting.opened(),
                head: meeting.head(),
                said: meeting.said(),
                ..*told
            };
            if now != *told {
                *told = now;
                news.push(now);
            }
        }
        news
    }
}

/// Takes in what the members elsewhere know.
pub(crate) fn heard(meetings: &[Meeting], news: &[Met]) {
    for met in news {
        let Some(meeting) = meetings.get(met.conversation as usize) else { continue };
        meeting.arrived_elsewhere(met.arrived);
        if let Some(opened) = met.opened {
            meeting.open(opened);
        }
        meeting.note(met.head);
        meeting.said_elsewhere(met.said);
    }
}

/// The run's side: the last word of each process on each conversation.
#[derive(Debug)]
pub(crate) struct Board {
    said: Vec<BTreeMap<u32, Met>>,
}

impl Board {
    /// Nobody has said anything.
    pub(crate) fn new(processes: usize) -> Self {
        Self { said: vec![BTreeMap::new(); processes] }
    }

    /// Takes in what a process says; answers what every other process has to be told.
    pub(crate) fn said(&mut self, process: usize, news: Vec<Met>) -> Vec<(usize, Vec<Met>)> {
        let conversations: Vec<u32> = news.iter().map(|met| met.conversation).collect();
        self.said[process].extend(news.into_iter().map(|met| (met.conversation, met)));
        let others = (0..self.said.len()).filter(|&other| other != process);
        others.map(|other| (other, self.elsewhere(other, &conversations))).collect()
    }

    /// What all but one process know of some conversations.
    fn elsewhere(&self, process: usize, conversations: &[u32]) -> Vec<Met> {
        let sum = |conversation: u32| {
            let said = self.said.iter().enumerate().filter(|&(other, _)| other != process);
            let said = said.filter_map(|(_, said)| said.get(&conversation));
            said.fold(Met { conversation, ..Met::default() }, |all, met| Met {
                arrived: all.arrived + met.arrived,
                opened: all.opened.or(met.opened),
                head: all.head.max(met.head),
                said: all.said + met.said,
                ..all
            })
        };
        conversations.iter().map(|&conversation| sum(conversation)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_in_three_processes_meet_and_learn_how_far_all_got() {
        let meetings: Vec<Vec<Meeting>> =
            (0..3).map(|_| (0..2).map(|_| Meeting::default()).collect()).collect();
        let mut relays: Vec<Relay> = (0..3).map(|_| Relay::new(2)).collect();
        let mut board = Board::new(3);
        let mut exchange = || {
            for process in 0..3 {
                let news = relays[process].news(&meetings[process]);
                for (other, news) in board.said(process, news) {
                    heard(&meetings[other], &news);
                }
            }
        };
        for (process, members) in [(0, 2), (1, 1), (2, 3)] {
            (0..members).for_each(|_| meetings[process][1].arrive());
        }
        assert!(!meetings[0][1].is_complete(6));
        exchange();
        assert!(
            meetings
                .iter()
                .all(|meetings| meetings[1].is_complete(6) && !meetings[1].is_complete(7))
        );
        assert!(!meetings[0][0].is_complete(1));

        let opened = Opened { conversation_id: 77, head: 3 };
        meetings[0][1].open(opened);
        exchange();
        assert!(meetings.iter().all(|meetings| meetings[1].opened() == Some(opened)));
        meetings[2][1].note(9);
        meetings[1][1].note(8);
        exchange();
        assert!(meetings.iter().all(|meetings| meetings[1].head() == 9 && meetings[0].head() == 0));
        // Without a log it is messages that are counted, over all processes.
        (0..7).for_each(|_| meetings[0][0].acknowledged(None));
        (0..4).for_each(|_| meetings[2][0].acknowledged(None));
        exchange();
        assert!(meetings.iter().all(|meetings| meetings[0].goal() == 11));
        // What all know is not told again, once everybody has said it.
        exchange();
        let told = (0..3).map(|process| relays[process].news(&meetings[process]).len());
        assert_eq!(told.sum::<usize>(), 0);
    }

    #[test]
    fn a_conversation_nobody_has_is_no_matter() {
        heard(&[], &[Met { conversation: 7, ..Met::default() }]);
    }
}
