//! Ids in blocks of 1,000: one trip to the sequence serves a node for that many.

use deadpool_postgres::Object;

use crate::error::StoreError;

/// What one step of a sequence stands for; the sequences' INCREMENT.
const BLOCK: i64 = 1_000;

/// The ids this node may still give away.
#[derive(Debug)]
pub(super) struct IdBlock {
    sequence: &'static str,
    next: i64,
    end: i64,
}

impl IdBlock {
    /// Of a sequence; nothing is taken yet.
    pub(super) const fn new(sequence: &'static str) -> Self {
        Self { sequence, next: 0, end: 0 }
    }

    /// The next id; takes a new block when this one is used up.
    pub(super) async fn take(&mut self, client: &Object) -> Result<i64, StoreError> {
        if self.next == self.end {
            let row =
                client.query_one("SELECT nextval($1::text::regclass)", &[&self.sequence]).await?;
            self.next = row.try_get(0)?;
            self.end = self.next + BLOCK;
        }
        self.next += 1;
        Ok(self.next - 1)
    }

    /// After an id turned out to be taken (tokens choose ids too): leaves out all that are, in this block.
    pub(super) async fn skip_taken_users(&mut self, client: &Object) -> Result<(), StoreError> {
        let rows = client
            .query(
                "SELECT id FROM users WHERE id >= $1 AND id < $2 ORDER BY id",
                &[&self.next, &self.end],
            )
            .await?;
        for row in rows {
            let taken: i64 = row.try_get(0)?;
            if taken != self.next {
                break;
            }
            self.next += 1;
        }
        Ok(())
    }
}
