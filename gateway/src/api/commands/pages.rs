//! Lists by page number, for those who do not keep the token of the page before.
//!
//! ```text
//!   conversations, members, … : page 1 ─ token ─► page 2 ─ token ─► … the page that was asked for
//!   messages: positions have no gaps, so page n ends (n − 1) · per_page before the head
//! ```
//!
//! What lies before a page may change while somebody turns the pages; tokens and positions do not have that fault.
//! Every step is a command of the caller's, and so many of them are taken out of their rate.

use ringwire_protocol::wire;
use wire::command::Op;
use wire::reply::Outcome;

use super::fields::{Parameters, single};
use super::invalid;
use super::table::{Fill, Row};
use crate::api::ServiceState;
use crate::api::caller::Caller;
use crate::api::error::ApiError;
use crate::limits;

/// Elements on a page where the request does not say.
pub(in crate::api) const USUAL_PAGE: u32 = 50;
/// What may lie before a page that is reached step by step.
pub(in crate::api) const MAX_SKIPPED: u32 = 2000;

/// One page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    /// From 1 on.
    number: u32,
    size: u32,
}

/// The page that the query asks for; `None`: it goes by tokens or positions.
///
/// A `limit` is within its bounds or refused, as `per_page` and the `limit` of every other list.
pub(super) fn asked(row: &Row, query: &Parameters) -> Result<Option<Page>, ApiError> {
    if row.fills.iter().any(|fill| matches!(fill, Fill::Query("limit"))) {
        number(query, "limit", limits::MAX_PAGE)?;
    }
    if !row.fills.iter().any(|fill| matches!(fill, Fill::Pages)) {
        return Ok(None);
    }
    let number = number(query, "page", u32::MAX)?;
    let size = number_of_elements(query)?;
    let (None, None) = (number, size) else {
        for other in ["page_token", "limit", "before_seq", "after_seq", "around_seq"] {
            if single(query, other)?.is_some() {
                return Err(invalid(format!("{other}: not together with page and per_page")));
            }
        }
        let (number, size) = (number.unwrap_or(1), size.unwrap_or(USUAL_PAGE));
        return Ok(Some(Page { number, size }));
    };
    Ok(None)
}

fn number_of_elements(query: &Parameters) -> Result<Option<u32>, ApiError> {
    number(query, "per_page", limits::MAX_PAGE)
}

fn number(query: &Parameters, name: &str, most: u32) -> Result<Option<u32>, ApiError> {
    let Some(text) = single(query, name)? else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (1..=most).contains(number));
    number.map(Some).ok_or_else(|| invalid(format!("{name}: a number from 1 to {most}")))
}

/// Reads that page of what a command lists.
pub(super) async fn read(
    caller: &Caller,
    state: &ServiceState,
    op: Op,
    page: Page,
) -> Result<Outcome, ApiError> {
    let skipped = u64::from(page.number - 1) * u64::from(page.size);
    if let Op::History(history) = op {
        return messages(caller, state, history, skipped, page.size).await;
    }
    let too_far =
        || invalid(format!("page: at most {MAX_SKIPPED} may lie before it; use page_token"));
    let mut left =
        u32::try_from(skipped).ok().filter(|left| *left <= MAX_SKIPPED).ok_or_else(too_far)?;
    let mut token = String::new();
    while left > 0 {
        let step = left.min(limits::MAX_PAGE);
        let mut outcome = caller.command(state, asking(&op, &token, step)).await?;
        token = match next_token(&mut outcome) {
            Some(next) if !next.is_empty() => std::mem::take(next),
            // The list ends before that page, which is empty then.
            _ => {
                clear(&mut outcome);
                return Ok(outcome);
            }
        };
        left -= step;
    }
    Ok(caller.command(state, asking(&op, &token, page.size)).await?)
}

async fn messages(
    caller: &Caller,
    state: &ServiceState,
    history: wire::History,
    skipped: u64,
    size: u32,
) -> Result<Outcome, ApiError> {
    let newest = wire::History { limit: if skipped == 0 { size } else { 1 }, ..history };
    let outcome = caller.command(state, Op::History(newest)).await?;
    let head_seq = match &outcome {
        Outcome::HistoryPage(page) if skipped > 0 => page.head_seq,
        _ => return Ok(outcome),
    };
    // Before the first there is nothing, and 0 would ask for the newest.
    let before_seq = head_seq.saturating_sub(skipped).saturating_add(1).max(1);
    let page = wire::History { before_seq, limit: size, ..history };
    Ok(caller.command(state, Op::History(page)).await?)
}

/// The same command for the page behind a token.
fn asking(op: &Op, token: &str, size: u32) -> Op {
    let mut op = op.clone();
    let place = match &mut op {
        Op::Heads(heads) => Some((&mut heads.page_token, &mut heads.limit)),
        Op::Members(members) => Some((&mut members.page_token, &mut members.limit)),
        Op::ReadBy(read_by) => Some((&mut read_by.page_token, &mut read_by.limit)),
        Op::Blocks(blocks) => Some((&mut blocks.page_token, &mut blocks.limit)),
        _ => None,
    };
    if let Some((page_token, limit)) = place {
        token.clone_into(page_token);
        *limit = size;
    }
    op
}

fn next_token(outcome: &mut Outcome) -> Option<&mut String> {
    match outcome {
        Outcome::HeadsPage(page) => Some(&mut page.next_page_token),
        Outcome::MembersPage(page) => Some(&mut page.next_page_token),
        Outcome::ReadByPage(page) => Some(&mut page.next_page_token),
        Outcome::BlocksPage(page) => Some(&mut page.next_page_token),
        _ => None,
    }
}

fn clear(outcome: &mut Outcome) {
    match outcome {
        Outcome::HeadsPage(page) => page.heads.clear(),
        Outcome::MembersPage(page) => page.members.clear(),
        Outcome::ReadByPage(page) => page.user_ids.clear(),
        Outcome::BlocksPage(page) => page.users.clear(),
        _ => {}
    }
}
