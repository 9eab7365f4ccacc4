//! The checker: a ledger goes in, every broken promise comes out.
//!
//! ```text
//!   place          one device's view, or the server's log: seq → content
//!   lost           acknowledged, but missing in a place that owes it
//!   phantom ack    acknowledged under a seq where the log holds something else or nothing, or under two seqs
//!   duplicated     one message under two seqs, or one seq pushed twice on one connection
//!   reordered      a push below an earlier one, or a sender's messages in another order than sent
//!   unexpected     a message nobody sent, or one whose refusal was final
//!   gap            a seq missing between the start and the end of a place
//!   diverging      two places hold different contents under one seq
//!   unpushed       the device learned of an entry only because it asked
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::AddAssign;

use ringwire_protocol::Seq;
use serde::{Deserialize, Serialize};

use super::digest::Prefixes;
use super::ledger::{Content, Device, Ledger, Level, Origin, Outcome, Seen, Via};
use super::streams;

/// How many findings are told in words.
const MAX_EXAMPLES: usize = 20;

/// The kinds of broken promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// An acknowledged message is missing from a device or from the log.
    Lost,
    /// An acknowledgement names a seq under which the log does not hold the message.
    PhantomAck,
    /// A message was stored or shown twice.
    Duplicated,
    /// Messages of one sender, or pushes on one connection, are out of order.
    Reordered,
    /// An entry that nobody sent, or that was refused.
    Unexpected,
    /// A seq is missing.
    Gap,
    /// Two places hold different entries under one seq.
    Diverging,
    /// An entry was not pushed to a device that was owed it.
    Unpushed,
}

/// How often each promise was broken: all zero for a correct history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Messages that were acknowledged but are missing somewhere.
    pub lost: u64,
    /// Acknowledgements that name a wrong seq.
    pub phantom_acks: u64,
    /// Messages stored or shown more than once.
    pub duplicated: u64,
    /// Messages out of order.
    pub reordered: u64,
    /// Entries that should not exist.
    pub unexpected: u64,
    /// Seqs missing, added up over devices and log.
    pub gaps: u64,
    /// Seqs with different contents in different places.
    pub diverging: u64,
    /// Entries learned only by asking, added up over devices.
    pub unpushed: u64,
    /// The first findings in words.
    pub examples: Vec<String>,
}

impl Findings {
    /// Nothing was found.
    pub fn is_clean(&self) -> bool {
        self.count() == 0
    }

    /// All findings together.
    pub fn count(&self) -> u64 {
        self.lost
            + self.phantom_acks
            + self.duplicated
            + self.reordered
            + self.unexpected
            + self.gaps
            + self.diverging
            + self.unpushed
    }

    pub(super) fn found(&mut self, finding: Finding, example: impl FnOnce() -> String) {
        self.found_times(finding, 1, example);
    }

    pub(super) fn found_times(
        &mut self,
        finding: Finding,
        times: u64,
        example: impl FnOnce() -> String,
    ) {
        if times == 0 {
            return;
        }
        let count = match finding {
            Finding::Lost => &mut self.lost,
            Finding::PhantomAck => &mut self.phantom_acks,
            Finding::Duplicated => &mut self.duplicated,
            Finding::Reordered => &mut self.reordered,
            Finding::Unexpected => &mut self.unexpected,
            Finding::Gap => &mut self.gaps,
            Finding::Diverging => &mut self.diverging,
            Finding::Unpushed => &mut self.unpushed,
        };
        *count = count.saturating_add(times);
        if self.examples.len() < MAX_EXAMPLES {
            self.examples.push(format!("{finding:?}: {}", example()));
        }
    }
}

impl AddAssign for Findings {
    fn add_assign(&mut self, other: Self) {
        self.lost += other.lost;
        self.phantom_acks += other.phantom_acks;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.unexpected += other.unexpected;
        self.gaps += other.gaps;
        self.diverging += other.diverging;
        self.unpushed += other.unpushed;
        let room = MAX_EXAMPLES.saturating_sub(self.examples.len());
        self.examples.extend(other.examples.into_iter().take(room));
    }
}

/// One view of the log, from `start` (exclusive) on.
struct Place<'a> {
    name: &'a str,
    start: Seq,
    /// It is complete up to here; `None`: up to the end of the conversation.
    end: Option<Seq>,
    entries: BTreeMap<Seq, Content>,
}

pub(super) fn check(ledger: &Ledger) -> Findings {
    let mut findings = Findings::default();
    if ledger.level == Level::Off {
        return findings;
    }
    let mut places = Vec::new();
    // Messages and seqs that were counted already: one fault seen in three places is one fault.
    let mut duplicated = HashSet::new();
    let mut unexpected = HashSet::new();
    if let Some((start, entries)) = &ledger.log {
        let contents = entries.iter().map(|&(seq, content)| (seq, content));
        let mut last = 0;
        for &(seq, content) in entries {
            if seq <= last {
                note_order(ledger, "the log", seq, last, content, &mut findings);
            }
            last = last.max(seq);
        }
        places.push(Place {
            name: "the log",
            start: *start,
            end: None,
            entries: contents.collect(),
        });
    }
    for device in &ledger.devices {
        if !matches!(device.seen, Seen::Everything(_)) {
            continue;
        }
        pushes(ledger, device, &mut duplicated, &mut findings);
        let entries: BTreeMap<_, _> = device
            .received()
            .iter()
            .filter(|received| received.seq > device.start)
            .map(|received| (received.seq, received.content))
            .collect();
        let last = entries.keys().next_back().copied().unwrap_or(device.start);
        let end = device.left.then_some(last);
        places.push(Place { name: &device.name, start: device.start, end, entries });
    }
    diverging(ledger, &mut findings);
    for place in &places {
        contents(ledger, place, &mut duplicated, &mut unexpected, &mut findings);
        holes(place, ledger.last_look, &mut findings);
    }
    missing(ledger, &places, &mut findings);
    acks(ledger, &mut findings);
    sender_order(ledger, &places, &mut findings);
    digests(ledger, &mut findings);
    streams::check(ledger, &mut findings);
    findings
}

/// Devices of which only a cursor and a hash are known hold what the log holds, up to where it was known to go; without
/// a log, those that got equally far hold the same.
fn digests(ledger: &Ledger, findings: &mut Findings) {
    let digests = ledger.devices.iter().filter_map(|device| match &device.seen {
        Seen::Digest(digest) => Some((device, digest)),
        Seen::Everything(_) | Seen::Streams(_) | Seen::Nothing => None,
    });
    let prefixes = ledger.log.as_ref().map(|(start, entries)| Prefixes::new(*start, entries));
    let head = digests.clone().map(|(_, digest)| digest.cursor).max().unwrap_or(0);
    let owed = ledger.last_look.unwrap_or(head);
    let mut first_hashes = HashMap::new();
    for (device, digest) in digests {
        digest.judge(&device.name, findings);
        if !device.left {
            let missing = owed.saturating_sub(digest.cursor.max(device.start));
            findings.found_times(Finding::Gap, missing, || {
                format!("{} ends at seq {} of {owed}", device.name, digest.cursor)
            });
        }
        let expected = match &prefixes {
            // What lies beyond the end of the log was added after it was read.
            Some(prefixes) if digest.cursor <= prefixes.end() => {
                prefixes.between(device.start, digest.cursor)
            }
            Some(_) => None,
            None => {
                let place = (device.start, digest.cursor);
                Some(*first_hashes.entry(place).or_insert(digest.hash))
            }
        };
        if expected.is_some_and(|expected| expected != digest.hash) {
            findings.found(Finding::Diverging, || {
                let cursor = digest.cursor;
                format!("{} holds something else up to seq {cursor} than the others", device.name)
            });
        }
    }
}

fn note_order(
    ledger: &Ledger,
    place: &str,
    seq: Seq,
    last: Seq,
    content: Content,
    findings: &mut Findings,
) {
    let finding = if seq == last { Finding::Duplicated } else { Finding::Reordered };
    findings.found(finding, || {
        format!("{place} shows seq {seq} after seq {last} ({})", describe(ledger, content))
    });
}

/// Pushes on one connection rise strictly, and everything a device has was pushed or acknowledged unless it was told
/// to ask.
fn pushes(
    ledger: &Ledger,
    device: &Device,
    duplicated: &mut HashSet<Origin>,
    findings: &mut Findings,
) {
    let mut session = 0;
    let mut last = 0;
    let mut seen_in_session: HashSet<Seq> = HashSet::new();
    let mut owed: BTreeSet<Seq> = BTreeSet::new();
    let mut given: HashSet<Seq> = HashSet::new();
    for received in device.received().iter().filter(|received| received.seq > device.start) {
        let seq = received.seq;
        if received.session != session {
            session = received.session;
            last = 0;
            seen_in_session.clear();
        }
        if received.via == Via::PullUntold {
            owed.insert(seq);
        } else {
            given.insert(seq);
        }
        if received.via != Via::Push {
            continue;
        }
        if !seen_in_session.insert(seq) {
            if let Content::Message(origin) = received.content {
                duplicated.insert(origin);
            }
            findings.found(Finding::Duplicated, || {
                let what = describe(ledger, received.content);
                format!("{} was pushed seq {seq} twice on one connection ({what})", device.name)
            });
        } else if seq < last {
            findings.found(Finding::Reordered, || {
                let what = describe(ledger, received.content);
                format!("{} was pushed seq {seq} after seq {last} ({what})", device.name)
            });
        }
        last = last.max(seq);
    }
    for seq in owed.into_iter().filter(|seq| !given.contains(seq)) {
        findings.found(Finding::Unpushed, || format!("{} had to ask for seq {seq}", device.name));
    }
}

/// One seq, one content, wherever it was seen.
fn diverging(ledger: &Ledger, findings: &mut Findings) {
    let mut truth: HashMap<Seq, Content> = HashMap::new();
    let mut told: HashSet<Seq> = HashSet::new();
    let logged = ledger.log.iter().flat_map(|(_, entries)| entries).copied();
    let received = ledger.devices.iter().flat_map(|device| {
        let start = device.start;
        let received = device.received().iter().filter(move |received| received.seq > start);
        received.map(|received| (received.seq, received.content))
    });
    for (seq, content) in logged.chain(received) {
        let first = *truth.entry(seq).or_insert(content);
        if first != content && told.insert(seq) {
            findings.found(Finding::Diverging, || {
                format!("seq {seq}: {} and {}", describe(ledger, first), describe(ledger, content))
            });
        }
    }
}

/// No message twice, none that nobody sent.
fn contents(
    ledger: &Ledger,
    place: &Place<'_>,
    duplicated: &mut HashSet<Origin>,
    unexpected: &mut HashSet<Seq>,
    findings: &mut Findings,
) {
    let mut seen: HashMap<Origin, Seq> = HashMap::new();
    for (&seq, &content) in &place.entries {
        let wrong = match content {
            Content::Notice => false,
            Content::Foreign => true,
            Content::Message(origin) => {
                if let Some(earlier) = seen.insert(origin, seq)
                    && duplicated.insert(origin)
                {
                    findings.found(Finding::Duplicated, || {
                        let what = describe(ledger, content);
                        format!("{} holds {what} as seq {earlier} and as seq {seq}", place.name)
                    });
                }
                matches!(ledger.outcome(origin), None | Some(Outcome::Refused(_)))
            }
        };
        if wrong && unexpected.insert(seq) {
            findings.found(Finding::Unexpected, || {
                format!("{} holds seq {seq}: {}", place.name, describe(ledger, content))
            });
        }
    }
}

/// No seq left out.
fn holes(place: &Place<'_>, last_look: Option<Seq>, findings: &mut Findings) {
    let known = last_look.unwrap_or(Seq::MAX);
    let mut next = place.start.saturating_add(1);
    for &seq in place.entries.keys() {
        // Counted, not walked through: a server may claim any seq.
        let missing = seq.min(known.saturating_add(1)).saturating_sub(next);
        findings.found_times(Finding::Gap, missing, || {
            format!("{} lacks {missing} from seq {next} on", place.name)
        });
        next = seq.saturating_add(1);
    }
}

/// What was acknowledged is everywhere; and no place ends before another does.
fn missing(ledger: &Ledger, places: &[Place<'_>], findings: &mut Findings) {
    let head = places.iter().filter_map(|place| place.entries.keys().next_back()).max().copied();
    for place in places.iter().filter(|place| place.end.is_none()) {
        let end = place.entries.keys().next_back().copied().unwrap_or(place.start);
        let head = ledger.last_look.or(head).unwrap_or(end);
        findings.found_times(Finding::Gap, head.saturating_sub(end), || {
            format!("{} ends at seq {end} of {head}", place.name)
        });
    }
    let held: Vec<HashSet<Origin>> = places.iter().map(Place::origins).collect();
    for (origin, outcome) in ledger.sends() {
        let Outcome::Acked(seq) = outcome else { continue };
        let lacking = places
            .iter()
            .zip(&held)
            .find(|(place, held)| place.owes(seq) && !held.contains(&origin));
        if let Some((place, _)) = lacking {
            findings.found(Finding::Lost, || {
                let what = describe(ledger, Content::Message(origin));
                format!("{what} was acknowledged as seq {seq} but {} lacks it", place.name)
            });
        }
    }
}

/// An acknowledgement names the seq under which the log holds the message, every time it is given.
fn acks(ledger: &Ledger, findings: &mut Findings) {
    for &(origin, earlier, later) in &ledger.changed_acks {
        findings.found(Finding::PhantomAck, || {
            let what = describe(ledger, Content::Message(origin));
            format!("{what} was acknowledged as seq {earlier} and as seq {later}")
        });
    }
    let Some((start, entries)) = &ledger.log else { return };
    let log: HashMap<Seq, Content> = entries.iter().copied().collect();
    for (origin, outcome) in ledger.sends() {
        let Outcome::Acked(seq) = outcome else { continue };
        let expected = Content::Message(origin);
        let held = log.get(&seq).copied();
        if seq > *start && held != Some(expected) {
            findings.found(Finding::PhantomAck, || {
                let held = held.map_or("nothing".to_owned(), |content| describe(ledger, content));
                let what = describe(ledger, expected);
                format!("{what} was acknowledged as seq {seq}, where the log holds {held}")
            });
        }
    }
}

/// Per sender, numbers and seqs rise together, wherever the message was seen first.
fn sender_order(ledger: &Ledger, places: &[Place<'_>], findings: &mut Findings) {
    let mut seqs: BTreeMap<Origin, Seq> = BTreeMap::new();
    for (origin, outcome) in ledger.sends() {
        if let Outcome::Acked(seq) = outcome {
            seqs.insert(origin, seq);
        }
    }
    for place in places {
        for (&seq, &content) in &place.entries {
            if let Content::Message(origin) = content {
                seqs.entry(origin).or_insert(seq);
            }
        }
    }
    let mut previous: Option<(Origin, Seq)> = None;
    for (origin, seq) in seqs {
        match previous {
            // Counted against the highest so far, so that one early message is one finding.
            Some((before, highest)) if before.sender == origin.sender && seq < highest => {
                findings.found(Finding::Reordered, || {
                    let what = describe(ledger, Content::Message(origin));
                    format!("{what} has seq {seq}, below seq {highest} of number {}", before.number)
                });
            }
            _ => previous = Some((origin, seq)),
        }
    }
}

impl Place<'_> {
    fn owes(&self, seq: Seq) -> bool {
        seq > self.start && self.end.is_none_or(|end| seq <= end)
    }

    fn origins(&self) -> HashSet<Origin> {
        let messages = self.entries.values().filter_map(|content| match content {
            Content::Message(origin) => Some(*origin),
            Content::Notice | Content::Foreign => None,
        });
        messages.collect()
    }
}

fn describe(ledger: &Ledger, content: Content) -> String {
    match content {
        Content::Notice => "a notice".to_owned(),
        Content::Foreign => "a message nobody sent".to_owned(),
        Content::Message(origin) => {
            let sender = ledger.senders.get(origin.sender.0 as usize);
            let sender = sender.map_or("?", |sender| &*sender.name);
            format!("message {} of {sender}", origin.number)
        }
    }
}

impl Ledger {
    /// Every send with its outcome.
    fn sends(&self) -> impl Iterator<Item = (Origin, Outcome)> {
        self.senders.iter().enumerate().flat_map(|(sender, facts)| {
            facts.sends.iter().enumerate().map(move |(index, &outcome)| {
                let sender = super::SenderIndex(sender as u32);
                (Origin { sender, number: index as u32 + 1 }, outcome)
            })
        })
    }
}

#[cfg(test)]
mod tests;
