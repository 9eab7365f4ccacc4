//! What entries change besides the log, on Postgres: a statement for each kind of net effect, its rows as arrays, all sent
//! together behind the entries, in their transaction.
//!
//! ```text
//!   BEGIN, lock, entries ─► members, conversation, people, pins, mentions, reactions ─► recalls ─► COMMIT
//!                       └─► with edits: what they replace is read and locked ─► sealed anew ─┘
//! ```
//!
//! Invariants: the row of each conversation is locked before (mentions alone need no lock); rows of the log are locked
//! before those of the index, as erasing does; whatever fails leaves the transaction to be rolled back by the caller.

use ringwire_protocol::{ConversationId, Seq, UnixMs, UserId};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};

use super::append::{Step, in_one_go};
use super::hooks::NotedColumns;
use super::rows::position;
use crate::changes::{MemberUpdate, NetChanges, Reaction};
use crate::encryption::{BodyKeys, Place, Stored};
use crate::executor::AppendError;
use crate::search::{self, SearchText};

/// Takes reactions back, and counts them.
pub(super) const UNREACT: &str = "WITH gone AS (
            DELETE FROM reactions r
            USING UNNEST($1::int8[], $2::int8[], $3::int8[], $4::text[])
                AS u (conversation_id, seq, user_id, reaction)
            WHERE r.conversation_id = u.conversation_id AND r.seq = u.seq
                AND r.user_id = u.user_id AND r.reaction = u.reaction
            RETURNING r.conversation_id, r.seq, r.reaction
        ), counted AS MATERIALIZED (
            SELECT conversation_id, seq, reaction, count(*) AS n FROM gone GROUP BY 1, 2, 3
        ), none AS (
            DELETE FROM reaction_counts k USING counted n
            WHERE k.conversation_id = n.conversation_id AND k.seq = n.seq
                AND k.reaction = n.reaction AND k.count <= n.n
        )
        UPDATE reaction_counts k SET count = k.count - n.n FROM counted n
        WHERE k.conversation_id = n.conversation_id AND k.seq = n.seq
            AND k.reaction = n.reaction AND k.count > n.n";

/// Declares the statements: name, text.
macro_rules! statements {
    ($($name:ident = $text:expr;)+) => {
        /// The prepared statements of a writer's session.
        pub(super) struct Changer {
            $($name: Statement,)+
        }

        impl Changer {
            pub(super) async fn prepare(client: &Client) -> Result<Self, Error> {
                Ok(Self { $($name: client.prepare($text).await?,)+ })
            }
        }
    };
}

statements! {
    dissolve = "WITH nobody AS (DELETE FROM members WHERE conversation_id = ANY ($1::int8[])),
            no_wish AS (DELETE FROM join_requests WHERE conversation_id = ANY ($1)),
            no_ban AS (DELETE FROM bans WHERE conversation_id = ANY ($1)),
            no_pin AS (DELETE FROM pins WHERE conversation_id = ANY ($1)),
            no_name AS (DELETE FROM aliases WHERE conversation_id = ANY ($1))
        UPDATE conversations c SET member_count = 0, deleted_at = GREATEST(u.at, 1)
        FROM UNNEST($1::int8[], $2::int8[]) AS u (id, at) WHERE c.id = u.id";

    remove = "WITH gone AS (
            DELETE FROM members m USING UNNEST($1::int8[], $2::int8[]) AS u (conversation_id, user_id)
            WHERE m.conversation_id = u.conversation_id AND m.user_id = u.user_id
            RETURNING m.conversation_id
        ), counted AS (SELECT conversation_id, count(*)::int AS n FROM gone GROUP BY conversation_id)
        UPDATE conversations c SET member_count = c.member_count - n.n
        FROM counted n WHERE c.id = n.conversation_id";

    add = "WITH u AS MATERIALIZED (
            SELECT * FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::int8[], $5::int8[])
                AS u (conversation_id, user_id, joined_at, seq, msg_no)
        ), come AS (
            INSERT INTO members (conversation_id, user_id, role, joined_at)
            SELECT conversation_id, user_id, 0, joined_at FROM u
            WHERE coalesce((SELECT x.deleted_at FROM users x WHERE x.id = u.user_id), 0) = 0
            ORDER BY conversation_id, user_id
            ON CONFLICT (conversation_id, user_id) DO NOTHING
            RETURNING conversation_id, user_id
        ), seen AS (
            INSERT INTO cursors AS k (conversation_id, user_id, read_seq, read_msg_no, delivered_seq)
            SELECT u.conversation_id, u.user_id, u.seq, u.msg_no, u.seq
            FROM u JOIN come USING (conversation_id, user_id) ORDER BY 1, 2
            ON CONFLICT (conversation_id, user_id) DO UPDATE SET
                read_seq = GREATEST(k.read_seq, EXCLUDED.read_seq),
                read_msg_no = GREATEST(k.read_msg_no, EXCLUDED.read_msg_no),
                delivered_seq = GREATEST(k.delivered_seq, EXCLUDED.delivered_seq)
        ), counted AS (SELECT conversation_id, count(*)::int AS n FROM come GROUP BY conversation_id)
        UPDATE conversations c SET member_count = c.member_count + n.n
        FROM counted n WHERE c.id = n.conversation_id";

    update_members = "UPDATE members m
        SET role = coalesce(u.role, m.role), muted_until = coalesce(u.muted_until, m.muted_until)
        FROM UNNEST($1::int8[], $2::int8[], $3::int2[], $4::int8[])
            AS u (conversation_id, user_id, role, muted_until)
        WHERE m.conversation_id = u.conversation_id AND m.user_id = u.user_id";

    update_conversations = "UPDATE conversations c SET settings = coalesce(u.settings, c.settings),
            muted_until = coalesce(u.muted_until, c.muted_until)
        FROM UNNEST($1::int8[], $2::bytea[], $3::int8[]) AS u (id, settings, muted_until)
        WHERE c.id = u.id";

    ban = "WITH u AS MATERIALIZED (
            SELECT * FROM UNNEST($1::int8[], $2::int8[], $3::int8[]) AS u (conversation_id, user_id, until)
        ), lifted AS (
            DELETE FROM bans b USING u WHERE u.until = 0
                AND b.conversation_id = u.conversation_id AND b.user_id = u.user_id
        )
        INSERT INTO bans (conversation_id, user_id, until)
        SELECT conversation_id, user_id, until FROM u WHERE until <> 0
        ORDER BY conversation_id, user_id
        ON CONFLICT (conversation_id, user_id) DO UPDATE SET until = EXCLUDED.until";

    settle = "DELETE FROM join_requests r USING UNNEST($1::int8[], $2::int8[]) AS u (conversation_id, user_id)
        WHERE r.conversation_id = u.conversation_id AND r.user_id = u.user_id";

    ask = "INSERT INTO join_requests (conversation_id, user_id, text, requested_at)
        SELECT * FROM UNNEST($1::int8[], $2::int8[], $3::text[], $4::int8[])
        ON CONFLICT (conversation_id, user_id) DO UPDATE SET
            text = EXCLUDED.text, requested_at = EXCLUDED.requested_at";

    unpin = "DELETE FROM pins p USING UNNEST($1::int8[], $2::int8[]) AS u (conversation_id, seq)
        WHERE p.conversation_id = u.conversation_id AND p.seq = u.seq";

    pin = "INSERT INTO pins (conversation_id, seq, pinned_by_seq)
        SELECT e.conversation_id, e.seq, u.by
        FROM UNNEST($1::int8[], $2::int8[], $3::int8[]) AS u (conversation_id, seq, by)
        JOIN entries e ON e.conversation_id = u.conversation_id AND e.seq = u.seq
        ON CONFLICT (conversation_id, seq) DO NOTHING";

    mention = "INSERT INTO mentions (user_id, conversation_id, seq)
        SELECT u.user_id, u.conversation_id, u.seq
        FROM UNNEST($1::int8[], $2::int8[], $3::int8[]) AS u (user_id, conversation_id, seq)
        WHERE u.user_id = 0 OR (SELECT x.deleted_at FROM users x WHERE x.id = u.user_id) = 0
        ON CONFLICT (user_id, conversation_id, seq) DO NOTHING";

    note_edits = "INSERT INTO edits (conversation_id, seq, target_seq)
        SELECT u.conversation_id, u.seq, u.target_seq
        FROM UNNEST($1::int8[], $2::int8[], $3::int8[]) AS u (conversation_id, target_seq, seq)
        WHERE u.target_seq = 0 OR (SELECT octet_length(e.body) FROM entries e
            WHERE e.conversation_id = u.conversation_id AND e.seq = u.target_seq
                AND e.recalled_at IS NULL) > 0";

    edit_targets = "SELECT u.n - 1, e.sender_id, e.body_version
        FROM UNNEST($1::int8[], $2::int8[]) WITH ORDINALITY AS u (conversation_id, seq, n)
        JOIN entries e ON e.conversation_id = u.conversation_id AND e.seq = u.seq
        WHERE e.recalled_at IS NULL AND octet_length(e.body) > 0
        ORDER BY u.n FOR NO KEY UPDATE OF e";

    edit = "UPDATE entries e SET body = u.body, key_id = u.key_id, body_version = u.body_version,
            edited_at = u.edited_at
        FROM UNNEST($1::int8[], $2::int8[], $3::bytea[], $4::int4[], $5::int2[], $6::int8[])
            AS u (conversation_id, seq, body, key_id, body_version, edited_at)
        WHERE e.conversation_id = u.conversation_id AND e.seq = u.seq";

    index = "INSERT INTO search_entries (conversation_id, seq, created_at, words)
        SELECT e.conversation_id, e.seq, e.created_at, u.words::tsvector
        FROM UNNEST($1::int8[], $2::int8[], $3::text[]) AS u (conversation_id, seq, words)
        JOIN entries e ON e.conversation_id = u.conversation_id AND e.seq = u.seq
        ORDER BY e.conversation_id, e.seq
        ON CONFLICT (conversation_id, seq) DO UPDATE SET words = EXCLUDED.words";

    unindex = "DELETE FROM search_entries s
        USING UNNEST($1::int8[], $2::int8[]) AS u (conversation_id, seq)
        WHERE s.conversation_id = u.conversation_id AND s.seq = u.seq";

    push = super::push::ADD;

    note = super::hooks::NOTE;

    unreact = UNREACT;

    react = "WITH come AS (
            INSERT INTO reactions (conversation_id, seq, user_id, reaction)
            SELECT e.conversation_id, e.seq, u.user_id, u.reaction
            FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::text[])
                AS u (conversation_id, seq, user_id, reaction)
            JOIN entries e ON e.conversation_id = u.conversation_id AND e.seq = u.seq
            WHERE e.recalled_at IS NULL
            ON CONFLICT (conversation_id, seq, user_id, reaction) DO NOTHING
            RETURNING conversation_id, seq, reaction
        )
        INSERT INTO reaction_counts AS k (conversation_id, seq, reaction, count)
        SELECT conversation_id, seq, reaction, count(*) FROM come GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (conversation_id, seq, reaction) DO UPDATE SET count = k.count + EXCLUDED.count";

    // Locked in the order in which unused files are handed out for deletion.
    carry = "WITH free AS MATERIALIZED (
            SELECT a.file_id, u.conversation_id, u.seq
            FROM UNNEST($1::int8[], $2::int8[], $3::int8[], $4::text[])
                AS u (conversation_id, seq, owner_id, file_id)
            JOIN attachments a ON a.file_id = u.file_id AND a.owner_id = u.owner_id
            JOIN entries e ON e.conversation_id = u.conversation_id AND e.seq = u.seq
            WHERE a.seq = 0 AND e.sender_id = u.owner_id AND e.recalled_at IS NULL
            ORDER BY a.created_at, a.file_id FOR NO KEY UPDATE OF a
        )
        UPDATE attachments a SET conversation_id = f.conversation_id, seq = f.seq
        FROM free f WHERE a.file_id = f.file_id AND a.seq = 0";

    recall = "WITH targets AS MATERIALIZED (
            SELECT e.conversation_id, e.seq, u.at
            FROM UNNEST($1::int8[], $2::int8[], $3::int8[]) AS u (conversation_id, seq, at)
            JOIN entries e ON e.conversation_id = u.conversation_id AND e.seq = u.seq
            WHERE e.recalled_at IS NULL
            ORDER BY e.conversation_id, e.seq FOR NO KEY UPDATE OF e
        ), gone AS MATERIALIZED (
            SELECT conversation_id, seq, at FROM targets
            UNION ALL
            SELECT d.conversation_id, d.seq, NULL FROM targets t
            JOIN edits d ON d.conversation_id = t.conversation_id AND d.target_seq = t.seq
        ), nothing_to_say AS (
            UPDATE entries e SET recalled_at = coalesce(e.recalled_at, g.at), body = '', key_id = 0,
                body_version = e.body_version % 32767 + 1
            FROM gone g WHERE e.conversation_id = g.conversation_id AND e.seq = g.seq
        ), no_reaction AS (
            DELETE FROM reactions r USING targets t
            WHERE r.conversation_id = t.conversation_id AND r.seq = t.seq
        ), no_count AS (
            DELETE FROM reaction_counts k USING targets t
            WHERE k.conversation_id = t.conversation_id AND k.seq = t.seq
        ), no_mention AS (
            DELETE FROM mentions x USING targets t
            WHERE x.conversation_id = t.conversation_id AND x.seq = t.seq
        ), no_push AS (
            DELETE FROM push_outbox p USING gone g
            WHERE p.conversation_id = g.conversation_id AND p.seq = g.seq
        ), no_file AS (
            UPDATE attachments a SET conversation_id = NULL, seq = 0 FROM gone g
            WHERE a.conversation_id = g.conversation_id AND a.seq = g.seq
        )
        INSERT INTO search_entries (conversation_id, seq, created_at, words)
        SELECT e.conversation_id, e.seq, e.created_at, ''
        FROM gone g JOIN entries e ON e.conversation_id = g.conversation_id AND e.seq = g.seq
        ORDER BY e.conversation_id, e.seq
        ON CONFLICT (conversation_id, seq) DO UPDATE SET words = ''";
}

/// What applying takes besides the changes.
#[derive(Clone, Copy)]
pub(super) struct Applier<'a> {
    pub(super) client: &'a Client,
    pub(super) changer: &'a Changer,
    pub(super) keys: &'a BodyKeys,
    /// `None`: search is off.
    pub(super) text: Option<SearchText>,
}

/// The arguments of a statement.
type Arguments = Vec<Box<dyn ToSql + Sync>>;

macro_rules! arguments {
    ($($column:expr),+ $(,)?) => { vec![$(Box::new($column) as Box<dyn ToSql + Sync>),+] };
}

impl<'a> Applier<'a> {
    /// Applies net changes and commits. The first statement is sent when this is first polled.
    pub(super) async fn apply_and_commit(self, changes: &NetChanges) -> Result<(), AppendError> {
        let edits =
            if changes.edited.is_empty() { Vec::new() } else { self.new_bodies(changes).await? };
        let mut work: Vec<(&'a Statement, Arguments)> = Vec::new();
        self.membership(changes, &mut work);
        self.people_and_pins(changes, &mut work);
        self.entries(changes, edits, &mut work);
        self.outboxes(changes, &mut work);
        let mut steps: Vec<Step<'_>> = Vec::with_capacity(work.len() + 1);
        for (statement, arguments) in &work {
            steps.push(Box::pin(async move {
                let arguments: Vec<&(dyn ToSql + Sync)> =
                    arguments.iter().map(|argument| &**argument).collect();
                self.client.execute(*statement, &arguments).await?;
                Ok(())
            }));
        }
        steps.push(Box::pin(self.client.batch_execute("COMMIT")));
        Ok(in_one_go(steps).await?)
    }

    /// Reads and locks what edits replace, and seals what they say for its place. `None`: nothing to replace.
    async fn new_bodies(
        self,
        changes: &NetChanges,
    ) -> Result<Vec<Option<(u32, Stored)>>, AppendError> {
        let edited = &changes.edited;
        let ids: Vec<i64> = edited.iter().map(|e| e.conversation_id.as_i64()).collect();
        let seqs: Vec<i64> = edited.iter().map(|e| position(e.seq)).collect();
        let mut bodies = vec![None; edited.len()];
        for row in self.client.query(&self.changer.edit_targets, &[&ids, &seqs]).await? {
            let (at, sender) = (row.try_get::<_, i64>(0)?, row.try_get::<_, i64>(1)?);
            let version = u32::from(row.try_get::<_, i16>(2)?.unsigned_abs());
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            if let (Some(body), Some(edit)) = (bodies.get_mut(at), edited.get(at)) {
                let place = Place::edited(edit.conversation_id, edit.seq, sender, version);
                *body = Some((place.body_version, self.keys.seal(&place, &edit.body)?));
            }
        }
        Ok(bodies)
    }

    fn membership(self, changes: &NetChanges, work: &mut Vec<(&'a Statement, Arguments)>) {
        let changer = self.changer;
        if !changes.dissolved.is_empty() {
            let ids: Vec<i64> = changes.dissolved.iter().map(|(id, _)| id.as_i64()).collect();
            let times: Vec<UnixMs> = changes.dissolved.iter().map(|&(_, at)| at).collect();
            work.push((&changer.dissolve, arguments![ids, times]));
        }
        if !changes.removed.is_empty() {
            work.push((&changer.remove, members(&changes.removed)));
        }
        if !changes.early.is_empty() {
            work.push((&changer.update_members, updates(&changes.early)));
        }
        if !changes.added.is_empty() {
            let added = &changes.added;
            let ids: Vec<i64> = added.iter().map(|a| a.conversation_id.as_i64()).collect();
            let users: Vec<i64> = added.iter().map(|a| a.user_id.as_i64()).collect();
            let times: Vec<UnixMs> = added.iter().map(|a| a.joined_at).collect();
            let seqs: Vec<i64> = added.iter().map(|a| position(a.seq)).collect();
            let msg_nos: Vec<i64> = added.iter().map(|a| position(a.msg_no)).collect();
            work.push((&changer.add, arguments![ids, users, times, seqs, msg_nos]));
        }
        if !changes.updated.is_empty() {
            work.push((&changer.update_members, updates(&changes.updated)));
        }
        if !changes.conversations.is_empty() {
            let all = &changes.conversations;
            let ids: Vec<i64> = all.iter().map(|c| c.conversation_id.as_i64()).collect();
            let settings: Vec<Option<Vec<u8>>> =
                all.iter().map(|c| c.settings.as_ref().map(|settings| settings.to_vec())).collect();
            let muted: Vec<Option<UnixMs>> = all.iter().map(|c| c.muted_until).collect();
            work.push((&changer.update_conversations, arguments![ids, settings, muted]));
        }
    }

    fn people_and_pins(self, changes: &NetChanges, work: &mut Vec<(&'a Statement, Arguments)>) {
        let changer = self.changer;
        if !changes.bans.is_empty() {
            let ids: Vec<i64> = changes.bans.iter().map(|ban| ban.0.as_i64()).collect();
            let users: Vec<i64> = changes.bans.iter().map(|ban| ban.1.as_i64()).collect();
            let times: Vec<UnixMs> = changes.bans.iter().map(|ban| ban.2).collect();
            work.push((&changer.ban, arguments![ids, users, times]));
        }
        if !changes.settled.is_empty() {
            work.push((&changer.settle, members(&changes.settled)));
        }
        if !changes.asked.is_empty() {
            let ids: Vec<i64> = changes.asked.iter().map(|wish| wish.0.as_i64()).collect();
            let users: Vec<i64> = changes.asked.iter().map(|wish| wish.1.as_i64()).collect();
            let texts: Vec<String> = changes.asked.iter().map(|wish| wish.2.to_string()).collect();
            let times: Vec<UnixMs> = changes.asked.iter().map(|wish| wish.3).collect();
            work.push((&changer.ask, arguments![ids, users, texts, times]));
        }
        if !changes.unpinned.is_empty() {
            let (ids, seqs) = places(changes.unpinned.iter().copied());
            work.push((&changer.unpin, arguments![ids, seqs]));
        }
        if !changes.pinned.is_empty() {
            let (ids, seqs) = places(changes.pinned.iter().map(|pin| (pin.0, pin.1)));
            let by: Vec<i64> = changes.pinned.iter().map(|pin| position(pin.2)).collect();
            work.push((&changer.pin, arguments![ids, seqs, by]));
        }
    }

    fn entries(
        self,
        changes: &NetChanges,
        bodies: Vec<Option<(u32, Stored)>>,
        work: &mut Vec<(&'a Statement, Arguments)>,
    ) {
        let changer = self.changer;
        if !changes.mentions.is_empty() {
            // Nobody is 0, which stands for everyone.
            let user = |user: Option<UserId>| user.map_or(0, UserId::as_i64);
            let users: Vec<i64> = changes.mentions.iter().map(|m| user(m.2)).collect();
            let (ids, seqs) = places(changes.mentions.iter().map(|m| (m.0, m.1)));
            work.push((&changer.mention, arguments![users, ids, seqs]));
        }
        if !changes.edits.is_empty() {
            let (ids, targets) = places(changes.edits.iter().map(|edit| (edit.0, edit.1)));
            let seqs: Vec<i64> = changes.edits.iter().map(|edit| position(edit.2)).collect();
            work.push((&changer.note_edits, arguments![ids, targets, seqs]));
        }
        self.edit(changes, bodies, work);
        for (statement, reactions) in
            [(&changer.unreact, &changes.unreacted), (&changer.react, &changes.reacted)]
        {
            if !reactions.is_empty() {
                work.push((statement, reaction_columns(reactions)));
            }
        }
        if !changes.carried.is_empty() {
            let carried = &changes.carried;
            let (ids, seqs) = places(carried.iter().map(|c| (c.conversation_id, c.seq)));
            let owners: Vec<i64> = carried.iter().map(|c| c.owner_id.as_i64()).collect();
            let files: Vec<String> = carried.iter().map(|c| c.file_id.to_string()).collect();
            work.push((&changer.carry, arguments![ids, seqs, owners, files]));
        }
        if !changes.recalled.is_empty() {
            let (ids, seqs) = places(changes.recalled.iter().map(|r| (r.0, r.1)));
            let times: Vec<UnixMs> = changes.recalled.iter().map(|r| r.2).collect();
            work.push((&changer.recall, arguments![ids, seqs, times]));
        }
    }

    fn outboxes(self, changes: &NetChanges, work: &mut Vec<(&'a Statement, Arguments)>) {
        let notified = &changes.notified;
        if !notified.pushes.is_empty() {
            let (ids, seqs) = places(notified.pushes.iter().copied());
            work.push((&self.changer.push, arguments![ids, seqs, notified.push_delay_ms]));
        }
        if !notified.events.is_empty() {
            let NotedColumns { hooks, conversations, seqs, kinds } =
                NotedColumns::of(&notified.events);
            work.push((&self.changer.note, arguments![hooks, conversations, seqs, kinds]));
        }
    }

    fn edit(
        self,
        changes: &NetChanges,
        bodies: Vec<Option<(u32, Stored)>>,
        work: &mut Vec<(&'a Statement, Arguments)>,
    ) {
        let edited = changes.edited.iter().zip(bodies);
        let edited: Vec<_> = edited
            .filter_map(|(edit, body)| body.map(|(version, body)| (edit, version, body)))
            .collect();
        if edited.is_empty() {
            return;
        }
        let place = || places(edited.iter().map(|(edit, ..)| (edit.conversation_id, edit.seq)));
        let (ids, seqs) = place();
        let stored: Vec<Vec<u8>> = edited.iter().map(|(.., body)| body.body.to_vec()).collect();
        let key_ids: Vec<i32> = edited.iter().map(|(.., body)| body.key_id).collect();
        let versions: Vec<i16> = edited.iter().map(|(_, version, _)| *version as i16).collect();
        let times: Vec<UnixMs> = edited.iter().map(|(edit, ..)| edit.at).collect();
        let columns = arguments![ids, seqs, stored, key_ids, versions, times];
        work.push((&self.changer.edit, columns));
        let (ids, seqs) = place();
        match self.text {
            Some(text) => {
                let words = edited.iter().map(|(edit, ..)| {
                    text(&edit.body).map(|text| search::tsvector(&text)).unwrap_or_default()
                });
                let words: Vec<String> = words.collect();
                work.push((&self.changer.index, arguments![ids, seqs, words]));
            }
            None => work.push((&self.changer.unindex, arguments![ids, seqs])),
        }
    }
}

fn places(places: impl Iterator<Item = (ConversationId, Seq)>) -> (Vec<i64>, Vec<i64>) {
    places.map(|(id, seq)| (id.as_i64(), position(seq))).unzip()
}

fn members(members: &[(ConversationId, UserId)]) -> Arguments {
    let (ids, users): (Vec<i64>, Vec<i64>) =
        members.iter().map(|(id, user)| (id.as_i64(), user.as_i64())).unzip();
    arguments![ids, users]
}

fn updates(updates: &[MemberUpdate]) -> Arguments {
    let ids: Vec<i64> = updates.iter().map(|u| u.conversation_id.as_i64()).collect();
    let users: Vec<i64> = updates.iter().map(|u| u.user_id.as_i64()).collect();
    let roles: Vec<Option<i16>> = updates.iter().map(|u| u.role.map(|role| role as i16)).collect();
    let muted: Vec<Option<UnixMs>> = updates.iter().map(|u| u.muted_until).collect();
    arguments![ids, users, roles, muted]
}

fn reaction_columns(reactions: &[Reaction]) -> Arguments {
    let (ids, seqs) = places(reactions.iter().map(|r| (r.conversation_id, r.seq)));
    let users: Vec<i64> = reactions.iter().map(|r| r.user_id.as_i64()).collect();
    let texts: Vec<String> = reactions.iter().map(|r| r.with.to_string()).collect();
    arguments![ids, seqs, users, texts]
}
