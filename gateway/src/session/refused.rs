//! Sends refused on a shard before they reached the conversation's owner.

use std::collections::VecDeque;

use crate::limits;

/// The newest refused sends of a session, by `client_msg_id`.
#[derive(Debug, Default)]
pub struct RefusedSends(VecDeque<Box<str>>);

impl RefusedSends {
    /// Remembers a refusal.
    pub fn insert(&mut self, client_msg_id: &str) {
        if client_msg_id.is_empty() || self.contains(client_msg_id) {
            return;
        }
        if self.0.len() == limits::REMEMBERED_REFUSALS {
            self.0.pop_front();
        }
        self.0.push_back(client_msg_id.into());
    }

    /// The send is tried again.
    pub fn forgive(&mut self, client_msg_id: &str) {
        self.0.retain(|refused| **refused != *client_msg_id);
    }

    /// Whether this send was refused.
    pub fn contains(&self, client_msg_id: &str) -> bool {
        self.0.iter().any(|refused| **refused == *client_msg_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_refusals_are_remembered_until_they_are_tried_again() {
        let mut refused = RefusedSends::default();
        refused.insert("");
        assert!(!refused.contains(""), "a send without id cannot be named");
        for number in 0..=limits::REMEMBERED_REFUSALS {
            refused.insert(&number.to_string());
        }
        assert!(!refused.contains("0") && refused.contains("1"));
        refused.forgive("1");
        assert!(!refused.contains("1"));
    }
}
