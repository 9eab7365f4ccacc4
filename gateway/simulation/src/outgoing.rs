//! What a device wants to say in one conversation, in order, until each message is acknowledged or refused for good.
//!
//! A message keeps its id through all tries and names the one before it. After a refusal that is worth a retry the device
//! waits until everything behind it has been answered too, and begins again with the first.

use std::collections::VecDeque;

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Saying {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) sent: bool,
}

/// Those of one conversation.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    queue: VecDeque<Saying>,
    /// Tries that have no answer yet.
    unanswered: usize,
    /// The last one that was acknowledged.
    last_acked: String,
    /// Nothing is sent before this.
    from_ms: u64,
    refused: bool,
}

impl Outgoing {
    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether this is the oldest that is not acknowledged.
    pub(crate) fn is_next(&self, id: &str) -> bool {
        self.queue.front().is_some_and(|saying| saying.id == id)
    }

    pub(crate) fn push(&mut self, id: String, text: String) {
        self.queue.push_back(Saying { id, text, sent: false });
    }

    /// The next one to send, and the id it comes after.
    pub(crate) fn next(&mut self, now_ms: u64) -> Option<(Saying, String)> {
        if self.refused || now_ms < self.from_ms {
            return None;
        }
        let place = self.queue.iter().position(|saying| !saying.sent)?;
        let after = match place.checked_sub(1) {
            Some(before) => self.queue[before].id.clone(),
            None => self.last_acked.clone(),
        };
        let saying = &mut self.queue[place];
        saying.sent = true;
        self.unanswered += 1;
        Some((saying.clone(), after))
    }

    pub(crate) fn acked(&mut self, id: &str) {
        self.queue.retain(|saying| saying.id != id);
        id.clone_into(&mut self.last_acked);
        self.answered();
    }

    /// Refused, for good or not.
    pub(crate) fn refused(&mut self, id: &str, for_good: bool, retry_ms: u64) {
        if for_good {
            self.queue.retain(|saying| saying.id != id);
        }
        self.refused = true;
        self.from_ms = self.from_ms.max(retry_ms);
        self.answered();
    }

    fn answered(&mut self) {
        self.unanswered -= 1;
        if self.unanswered == 0 && self.refused {
            self.again();
        }
    }

    /// The connection has gone: whatever was not answered is sent again.
    pub(crate) fn disconnect(&mut self) {
        self.unanswered = 0;
        self.from_ms = 0;
        self.again();
    }

    fn again(&mut self) {
        self.refused = false;
        for saying in &mut self.queue {
            saying.sent = false;
        }
    }
}
