//! What the service thread answers, out of the model of the database. What an answer looks like is decided by the real
//! `service::rows`.

use prost::Message as _;
use ringwire_gateway::command::key::CommandKey;
use ringwire_gateway::command::query::Query;
use ringwire_gateway::limits;
use ringwire_gateway::service::ask::{Ask, News, Served};
use ringwire_gateway::service::rows;
use ringwire_protocol::{CommandError, ConversationId, ErrorCode, UserId, wire};
use ringwire_storage::model::{ConversationKind, EntryRow, HistoryWindow, Role};
use wire::reply::Outcome;

use crate::database::{Database, profile};
use crate::roster::Roster;

/// The key of the database.
pub(crate) const COMMAND_KEY: CommandKey = CommandKey::new([3; 16]);

/// Answers one call as of now. `failing`: the database cannot be reached.
pub(crate) fn serve(database: &mut Database, ask: Ask, failing: bool, unix_ms: i64) -> Served {
    let reached = if failing { Err(unavailable()) } else { Ok(()) };
    match ask {
        Ask::Resolve { waiter, .. } => {
            let unknown = CommandError::new(ErrorCode::Unauthenticated, "no such user");
            Served::Resolved { waiter, user: reached.and(Err(unknown)) }
        }
        Ask::OpenSession { session, request, dirty } => {
            let opened = reached.map(|()| {
                database.save_cursors(&dirty);
                let (heads, missed) = (limits::CONNECT_HEADS as usize, limits::CONNECT_SYNC);
                let snapshot = database.session(request.user, &request.cursors, heads, missed);
                Box::new(rows::opened(
                    &profile(request.user),
                    &request.cursors,
                    &snapshot,
                    &COMMAND_KEY,
                    unix_ms,
                ))
            });
            Served::SessionOpened { session, opened }
        }
        Ask::Query { user, reply_to, query, dirty } => {
            let answer = reached.and_then(|()| {
                database.save_cursors(&dirty);
                answer(database, user, query, unix_ms)
            });
            let (outcome, made) = match answer {
                Ok((outcome, made)) => (Ok(Box::new(outcome)), made),
                Err(error) => (Err(error), None),
            };
            Served::Answered { reply_to, outcome, news: made.map(News::Made) }
        }
        Ask::Identify(named) => {
            let users = reached.map(|()| named.users.clone());
            Served::Identified { named, users }
        }
        Ask::Screen(screening) => Served::Screened { screening, allowed: Ok(()) },
        Ask::LoadTarget { conversation_id: id, seq, asked } => {
            let row = reached.map(|()| database.logs.get(&id)?.row(seq).cloned());
            Served::Target { id, seq, asked, row }
        }
        Ask::LoadBlocks { conversation_id: id, asked, .. } => {
            Served::Blocks { id, asked, blocked: reached.map(|()| false) }
        }
        Ask::LoadConversation(id) => {
            let recent = limits::RECENT_ENTRIES;
            let snapshot = reached.map(|()| database.conversation(id, recent).map(Box::new));
            Served::Conversation { id, snapshot }
        }
        Ask::LoadTail { conversation_id: id, after } => {
            let tail = reached.map(|()| database.tail(id, after, limits::TAIL_PAGE));
            Served::Tail { id, tail }
        }
        Ask::SaveCursors(batch) => {
            if reached.is_ok() {
                database.save_cursors(&batch);
            }
            Served::CursorsSaved { batch, success: reached.is_ok() }
        }
        Ask::SeePresence { check, reply_to } => {
            Served::PresenceSeen { check, reply_to, seen: reached.map(|()| Vec::new()) }
        }
        Ask::SaveLastSeen(batch) => Served::LastSeenSaved { batch, success: reached.is_ok() },
    }
}

type Answer = Result<(Outcome, Option<ConversationId>), CommandError>;

fn answer(database: &mut Database, user: UserId, query: Query, unix_ms: i64) -> Answer {
    let outcome = match query {
        Query::Sync(sync) => {
            let id = conversation(sync.conversation_id)?;
            let page = database.missed(user, id, sync.seq, page(sync.limit));
            Outcome::SyncPage(rows::sync(id, sync.seq, &page.ok_or_else(not_member)?))
        }
        Query::History(history) => {
            let id = conversation(history.conversation_id)?;
            let first = history.before_seq.saturating_sub(u64::from(page(history.limit)) + 1);
            let page = database.missed(user, id, first, page(history.limit));
            let window = HistoryWindow::Before(history.before_seq);
            Outcome::HistoryPage(rows::history(id, window, &page.ok_or_else(not_member)?))
        }
        Query::Heads(heads) => {
            let list = database.session(user, &[], page(heads.limit) as usize, 0);
            Outcome::HeadsPage(rows::first_heads(&list, &COMMAND_KEY, unix_ms))
        }
        Query::CreateGroup(create) => return create_group(database, user, &create, unix_ms),
        _ => {
            return Err(CommandError::new(ErrorCode::NotSupported, "no client asks for this"));
        }
    };
    Ok((outcome, None))
}

/// Makes a group, once for each `client_msg_id` of a user.
fn create_group(
    database: &mut Database,
    user: UserId,
    create: &wire::CreateGroup,
    unix_ms: i64,
) -> Answer {
    let twin = database.logs.values().find(|log| {
        let first = log.rows.first();
        first.is_some_and(|row| {
            row.sender_id == Some(user) && row.client_msg_id == create.client_msg_id
        })
    });
    let (id, made) = if let Some(log) = twin {
        (log.id, false)
    } else {
        let id = conversation(database.logs.len() as u64 + 1)?;
        let mut roster = Roster::default();
        roster.add(user, Role::Owner, unix_ms);
        for other in create.user_ids.iter().filter_map(|id| UserId::new(*id)) {
            roster.add(other, Role::Member, unix_ms);
        }
        let created = created(id, user, &roster, &create.client_msg_id, unix_ms);
        database.create(id, ConversationKind::Group, roster, created);
        (id, true)
    };
    let list = database.session(user, &[], usize::MAX, 0);
    let head = list
        .heads
        .iter()
        .find(|line| line.conversation_id == id)
        .map(|line| rows::head(line, &COMMAND_KEY, unix_ms));
    let opened = wire::ConversationOpened { head, created: made };
    Ok((Outcome::ConversationOpened(opened), made.then_some(id)))
}

/// The first entry of a conversation.
pub(crate) fn created(
    id: ConversationId,
    owner: UserId,
    roster: &Roster,
    client_msg_id: &str,
    unix_ms: i64,
) -> EntryRow {
    let members = roster.members.values().map(|member| wire::Member {
        user: Some(wire::User { user_id: member.user_id.get(), ..Default::default() }),
        role: member.role as i32,
        ..Default::default()
    });
    let created = wire::Created { members: members.collect(), ..Default::default() };
    let body = wire::EntryBody { kind: Some(wire::entry_body::Kind::Created(created)) };
    EntryRow {
        conversation_id: id,
        seq: 1,
        msg_no: 0,
        sender_id: Some(owner),
        created_at: unix_ms,
        client_msg_id: client_msg_id.to_owned(),
        body: body.encode_to_vec().into(),
        damaged: false,
        marks: None,
        command_hash: 0,
    }
}

fn page(limit: u32) -> u32 {
    if limit == 0 { limits::MAX_PAGE } else { limit.min(limits::MAX_PAGE) }
}

fn conversation(id: u64) -> Result<ConversationId, CommandError> {
    ringwire_gateway::command::route::conversation(id)
}

fn not_member() -> CommandError {
    CommandError::new(ErrorCode::NotMember, "no such conversation, or you are not a member")
}

fn unavailable() -> CommandError {
    CommandError::retry(
        ErrorCode::Unavailable,
        "the database is away",
        limits::UNAVAILABLE_RETRY_MS,
    )
}
