//! Reactions, and what the reader has hidden, for the entries of a page.

use deadpool_postgres::GenericClient;
use futures_util::future::try_join;
use ringwire_protocol::UserId;

use super::rows::{self, position};
use crate::error::StoreError;
use crate::marks::Marking;
use crate::model::{EntryRow, REACTIONS_TOLD, ReactionCount};

/// Fills in the marks of these entries; without a reader those that depend on one stay empty.
pub(super) async fn mark<'a>(
    client: &impl GenericClient,
    reader: Option<UserId>,
    entries: impl IntoIterator<Item = &'a mut EntryRow>,
) -> Result<(), StoreError> {
    let mut marking = Marking::of(entries);
    let runs = marking.runs();
    if runs.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = runs.iter().map(|run| run.conversation_id.as_i64()).collect();
    let firsts: Vec<i64> = runs.iter().map(|run| position(run.first)).collect();
    let lasts: Vec<i64> = runs.iter().map(|run| position(run.last)).collect();
    // No user has the id 0.
    let user = reader.map_or(0, UserId::as_i64);
    let (reactions, hidden) = try_join(
        client.prepare_cached(&format!(
            "SELECT u.id, p.seq, t.reaction, t.count, (SELECT o.seq FROM reactions o
                 WHERE o.conversation_id = u.id AND o.seq = p.seq AND o.user_id = $4
                     AND o.reaction = t.reaction) IS NOT NULL
             FROM UNNEST($1::int8[], $2::int8[], $3::int8[]) AS u (id, first_seq, last_seq)
             CROSS JOIN LATERAL generate_series(u.first_seq, u.last_seq) AS p (seq)
             CROSS JOIN LATERAL (SELECT r.reaction, r.count FROM reaction_counts r
                 WHERE r.conversation_id = u.id AND r.seq = p.seq
                 ORDER BY r.count DESC, r.reaction LIMIT {REACTIONS_TOLD}) t"
        )),
        client.prepare_cached(
            "SELECT h.conversation_id, h.seq
             FROM UNNEST($1::int8[], $2::int8[], $3::int8[]) AS u (id, first_seq, last_seq)
             JOIN hidden h ON h.user_id = $4 AND h.conversation_id = u.id
                 AND h.seq BETWEEN u.first_seq AND u.last_seq",
        ),
    )
    .await?;
    let (told, found) =
        try_join(client.query(&reactions, &[&ids, &firsts, &lasts, &user]), async {
            match reader {
                Some(_) => client.query(&hidden, &[&ids, &firsts, &lasts, &user]).await,
                None => Ok(Vec::new()),
            }
        })
        .await?;
    for row in &told {
        let count = ReactionCount {
            reaction: row.try_get(2)?,
            count: u32::try_from(rows::number(row, 3)?).unwrap_or(u32::MAX),
            own: row.try_get(4)?,
        };
        marking.reaction(rows::conversation_id(row, 0)?, rows::number(row, 1)?, &count);
    }
    for row in &found {
        marking.hidden(rows::conversation_id(row, 0)?, rows::number(row, 1)?);
    }
    Ok(())
}
