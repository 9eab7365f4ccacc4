//! Large sets go in by binary COPY: the server inserts many rows into a page at once and parses no arrays.
//!
//! ```text
//!   BEGIN, COPY ─► rows ─► end of the rows, changes, COMMIT          two waits
//!                     └──► end of the rows, look at bases ─► changes, COMMIT, or ROLLBACK
//! ```
//!
//! COPY cannot leave a row out or look for a base while it inserts, so bases are looked at after it, in the same
//! transaction. The transaction is always an explicit one: the driver reports the end of a COPY when the server has
//! taken the rows, which is before an implicit transaction has committed.

use std::pin::pin;

use futures_util::future::{join, try_join};
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Statement};

use super::append::Columns;
use super::rows::position;
use crate::append::Append;
use crate::encryption::Stored;
use crate::executor::AppendError;

/// The smallest set that is copied. Below, arrays cost as much or less, and one wait instead of two or three.
pub(super) const COPY_FROM: usize = 256;

const COPY: &str = "COPY entries
    (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body, key_id)
    FROM STDIN (FORMAT binary)";

const TYPES: [Type; 9] = [
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::TEXT,
    Type::INT8,
    Type::BYTEA,
    Type::INT4,
];

/// Whether a base is missing. (A scalar subquery for the same reason as in the insert.)
const BASE_MISSING: &str = "SELECT COALESCE(bool_or((SELECT b.seq FROM entries b
        WHERE b.conversation_id = u.conversation_id AND b.seq = u.seq - 1) IS NULL), false)
    FROM UNNEST($1::int8[], $2::int8[]) AS u (conversation_id, seq)";

/// The statements of a COPY, prepared in a writer's session.
pub(super) struct Copier {
    copy: Statement,
    base_missing: Statement,
}

/// What the bases of a copied set look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bases {
    Present,
    Missing,
}

impl Copier {
    pub(super) async fn prepare(client: &Client) -> Result<Self, Error> {
        Ok(Self {
            copy: client.prepare(COPY).await?,
            base_missing: client.prepare(BASE_MISSING).await?,
        })
    }

    /// Copies the entries into the transaction that `first` begins, unless that is done; with bases to look at, looks at them. `last` commits: it
    /// goes along with the end of the rows where no base can forbid it. On an error the transaction is still open.
    pub(super) async fn copy(
        &self,
        client: &Client,
        entries: &[Append],
        bodies: &[Stored],
        first: impl Future<Output = Result<(), Error>>,
        last: impl Future<Output = Result<(), AppendError>>,
    ) -> Result<Bases, AppendError> {
        // Polled, and so sent, in this order.
        let ((), sink) = try_join(first, client.copy_in(&self.copy)).await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &TYPES));
        let columns = Columns::of(entries);
        for (number, (entry, stored)) in entries.iter().zip(bodies).enumerate() {
            writer
                .as_mut()
                .write(&[
                    &columns.conversations[number],
                    &columns.seqs[number],
                    &position(entry.msg_no),
                    &columns.senders[number],
                    &entry.created_at,
                    &columns.client_msg_ids[number],
                    &entry.command_hash,
                    &&*stored.body,
                    &stored.key_id,
                ])
                .await?;
        }
        let doubtful: Vec<&Append> = entries.iter().filter(|entry| entry.check_base).collect();
        if doubtful.is_empty() {
            // The first error is the cause; the other only says that the transaction is over.
            let (copied, committed) = join(writer.finish(), last).await;
            copied?;
            committed?;
            return Ok(Bases::Present);
        }
        writer.finish().await?;
        let conversations: Vec<i64> =
            doubtful.iter().map(|entry| entry.conversation_id.as_i64()).collect();
        let seqs: Vec<i64> = doubtful.iter().map(|entry| position(entry.seq)).collect();
        let row = client.query_one(&self.base_missing, &[&conversations, &seqs]).await?;
        if row.try_get(0)? {
            return Ok(Bases::Missing);
        }
        last.await?;
        Ok(Bases::Present)
    }
}
