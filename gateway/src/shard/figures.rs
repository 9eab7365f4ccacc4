//! A shard's numbers: posted a few times a second, and the entries whose bytes are not with the sockets yet.

use std::time::Instant;

use super::state::State;
use crate::connection::links::Links;
use crate::limits;
use crate::observe::figures::{Figure, Spread};
use crate::observe::trace::SpanContext;

/// Entries that committed and were handed to this shard's connections since the last flush.
#[derive(Debug, Default)]
pub(crate) struct Unflushed {
    /// When they committed, and how many did then: a batch is one of these.
    batches: Vec<(Instant, u64)>,
    /// Those of them that are traced.
    traced: Vec<(Instant, SpanContext)>,
}

impl Unflushed {
    /// One more. Beyond the bound a late batch counts as the one before.
    pub(crate) fn note(&mut self, committed: Instant, trace: Option<SpanContext>) {
        let is_full = self.batches.len() >= limits::UNFLUSHED_BATCHES;
        match self.batches.last_mut() {
            Some((at, count)) if *at == committed || is_full => *count += 1,
            _ => self.batches.push((committed, 1)),
        }
        if let Some(trace) = trace
            && self.traced.len() < limits::UNFLUSHED_BATCHES
        {
            self.traced.push((committed, trace));
        }
    }
}

impl State {
    /// Whether the numbers are to be posted in this turn.
    pub(super) fn is_posting_due(&self) -> bool {
        self.now.uptime_ms - self.posted_ms >= limits::POST_FIGURES_MS || self.posted_ms == 0
    }

    /// Posts the shard's numbers.
    pub(super) fn post_figures(&mut self, links: &Links) {
        self.posted_ms = self.now.uptime_ms.max(1);
        let detached = self.registry.detached_count();
        let (opening, waiting) = self.gate.numbers();
        let traffic = links.traffic();
        for (figure, value) in [
            (Figure::SessionsDetached, detached),
            (Figure::SessionsConnected, self.registry.len().saturating_sub(detached)),
            (Figure::Opening, opening),
            (Figure::OpeningWaiting, waiting),
            (Figure::Conversations, self.conversations.len()),
            (Figure::UnderWay, self.persist.under_way()),
            (Figure::Credits, self.credits.under_way()),
            (Figure::OutboxBytes, traffic.queued_bytes),
            (Figure::ResumeBytes, self.registry.resume_bytes()),
        ] {
            self.figures.set(figure, value as u64);
        }
        for (figure, value) in [
            (Figure::Receives, traffic.receives),
            (Figure::ReceivedBytes, traffic.received_bytes),
            (Figure::Sends, traffic.sends),
            (Figure::SentBytes, traffic.sent_bytes),
            (Figure::LeftOut, traffic.left_out),
        ] {
            self.figures.set(figure, value);
        }
        self.shared.board.post(self.id, &self.figures, self.now.at);
    }

    /// Everything queued has been given to the sockets, or waits for one that is full.
    pub(super) fn flushed(&mut self) {
        if self.unflushed.batches.is_empty() {
            return;
        }
        let now = self.now.read_again();
        for (committed, count) in self.unflushed.batches.drain(..) {
            let took = now.saturating_duration_since(committed);
            self.figures.observe_time(Spread::Deliver, took, count);
        }
        for (committed, trace) in self.unflushed.traced.drain(..) {
            if let Some(tracer) = &mut self.tracer {
                tracer.flushed(trace, committed, now);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn entries_of_one_commit_are_one_batch_and_batches_are_bounded() {
        let start = Instant::now();
        let mut unflushed = Unflushed::default();
        for n in 0..2 * limits::UNFLUSHED_BATCHES as u64 {
            unflushed.note(start + Duration::from_micros(n / 2), None);
            unflushed.note(start + Duration::from_micros(n / 2), None);
        }
        assert_eq!(unflushed.batches.len(), limits::UNFLUSHED_BATCHES);
        assert!(unflushed.batches.iter().all(|(_, count)| *count == 4));
        unflushed.note(start + Duration::from_secs(1), None);
        assert_eq!(unflushed.batches.len(), limits::UNFLUSHED_BATCHES);
        assert_eq!(unflushed.batches.last().unwrap().1, 5);
    }
}
