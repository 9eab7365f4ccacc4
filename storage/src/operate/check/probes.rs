//! The questions asked of a database. Almost all are the same text for both.
//!
//! Each answer row is a finding: the names of its kinds separated by blanks, the conversation, the user, the detail.

/// Something to ask.
pub(super) struct Probe {
    /// What is looked at, for who watches.
    pub(super) about: &'static str,
    pub(super) sql: String,
}

/// How long a list may lag behind its log before that is worth a word, in milliseconds.
const ACTIVITY_SLACK_MS: i64 = 600_000;

/// What one log says of itself. A gap at its beginning is found by [`HEADS`].
const LOG: &str = "
    SELECT CASE WHEN seq <> previous_seq + 1 THEN 'log_gap ' ELSE '' END
        || CASE WHEN msg_no < previous_msg_no THEN 'msg_no_falls ' ELSE '' END
        || CASE WHEN msg_no > seq OR msg_no - previous_msg_no > seq - previous_seq
                THEN 'msg_no_jumps ' ELSE '' END
        || CASE WHEN created_at < previous_at THEN 'created_at_falls ' ELSE '' END,
        conversation_id, CAST(NULL AS bigint),
        'entry ' || seq || ' after entry ' || coalesce(previous_seq, 0)
    FROM (SELECT conversation_id, seq, msg_no, created_at,
              lag(seq) OVER log AS previous_seq,
              lag(msg_no) OVER log AS previous_msg_no,
              lag(created_at) OVER log AS previous_at
          FROM entries
          WINDOW log AS (PARTITION BY conversation_id ORDER BY seq)) AS walk
    WHERE seq <> previous_seq + 1 OR msg_no < previous_msg_no OR msg_no > seq
        OR msg_no - previous_msg_no > seq - previous_seq OR created_at < previous_at";

/// Where each log begins and ends, against what its conversation says.
const HEADS: &str = "
    SELECT what, id, CAST(NULL AS bigint), 'entries ' || coalesce(lowest, 0) || ' to '
        || coalesce(head, 0) || ', floor ' || floor_seq
    FROM (
        SELECT id, floor_seq, lowest, head,
            CASE WHEN lowest IS NULL AND deleted_at = 0 THEN 'log_empty ' ELSE '' END
            || CASE WHEN lowest > floor_seq AND deleted_at = 0 THEN 'log_gap ' ELSE '' END
            || CASE WHEN lowest < floor_seq THEN 'entries_below_floor ' ELSE '' END
            || CASE WHEN last_activity_at > head_at THEN 'activity_beyond_head ' ELSE '' END
            || CASE WHEN last_activity_at < head_at - {slack}
                    THEN 'activity_behind_head ' ELSE '' END AS what
        FROM (SELECT c.id, c.floor_seq, c.deleted_at, c.last_activity_at,
                  (SELECT e.seq FROM entries e WHERE e.conversation_id = c.id
                   ORDER BY e.seq LIMIT 1) AS lowest,
                  (SELECT e.seq FROM entries e WHERE e.conversation_id = c.id
                   ORDER BY e.seq DESC LIMIT 1) AS head,
                  (SELECT e.created_at FROM entries e WHERE e.conversation_id = c.id
                   ORDER BY e.seq DESC LIMIT 1) AS head_at
              FROM conversations c) AS ends
    ) AS judged
    WHERE what <> ''";

/// Who is in each conversation. The account of a pair's member may be gone, and the membership with it.
const MEMBERS: &str = "
    SELECT what, id, CAST(NULL AS bigint),
        members || ' members, ' || member_count || ' counted, ' || owners || ' owners'
    FROM (
        SELECT id, members, member_count, owners,
            CASE WHEN members <> member_count THEN 'member_count_wrong ' ELSE '' END
            || CASE WHEN kind <> 0 AND members > 0 AND owners <> 1
                    THEN 'owner_count_wrong ' ELSE '' END
            || CASE WHEN kind = 0 AND deleted_at = 0 AND (strangers > 0 OR absent > 0)
                    THEN 'direct_members_wrong ' ELSE '' END AS what
        FROM (SELECT c.id, c.kind, c.deleted_at, c.member_count,
                  (SELECT count(*) FROM members m WHERE m.conversation_id = c.id) AS members,
                  (SELECT count(*) FROM members m
                   WHERE m.conversation_id = c.id AND m.role = 2) AS owners,
                  (SELECT count(*) FROM members m WHERE m.conversation_id = c.id
                   AND m.user_id NOT IN (c.low_user_id, c.high_user_id)) AS strangers,
                  (SELECT count(*) FROM users u
                   WHERE u.id IN (c.low_user_id, c.high_user_id) AND u.deleted_at = 0
                   AND NOT EXISTS (SELECT 1 FROM members m
                       WHERE m.conversation_id = c.id AND m.user_id = u.id)) AS absent
              FROM conversations c) AS counted
    ) AS judged
    WHERE what <> ''";

const CURSORS: &str = "
    SELECT 'cursor_beyond_head', conversation_id, user_id,
        'read ' || read_seq || ', delivered ' || delivered_seq || ', head ' || head
    FROM (SELECT k.conversation_id, k.user_id, k.read_seq, k.delivered_seq,
              coalesce((SELECT e.seq FROM entries e WHERE e.conversation_id = c.id
                  ORDER BY e.seq DESC LIMIT 1), 0) AS head
          FROM cursors k JOIN conversations c ON c.id = k.conversation_id
          WHERE c.deleted_at = 0) AS moved
    WHERE read_seq > head OR delivered_seq > head";

/// Where the entry is gone that was read, the oldest one counts as many messages or more.
const READ_COUNTS: &str = "
    SELECT 'read_count_beyond', conversation_id, user_id,
        'read ' || read_seq || ' as message ' || read_msg_no || ', which is ' || most
    FROM (SELECT k.conversation_id, k.user_id, k.read_seq, k.read_msg_no, coalesce(
              (SELECT e.msg_no FROM entries e WHERE e.conversation_id = k.conversation_id
                   AND e.seq <= k.read_seq ORDER BY e.seq DESC LIMIT 1),
              (SELECT e.msg_no FROM entries e WHERE e.conversation_id = k.conversation_id
               ORDER BY e.seq LIMIT 1), 0) AS most
          FROM cursors k JOIN conversations c ON c.id = k.conversation_id
          WHERE c.deleted_at = 0) AS counted
    WHERE read_msg_no > most";

const INDEXED: &str = "
    SELECT 'search_beyond_head', id, CAST(NULL AS bigint), 'indexed to ' || seq || ', head ' || head
    FROM (SELECT c.id, p.seq, coalesce((SELECT e.seq FROM entries e WHERE e.conversation_id = c.id
                  ORDER BY e.seq DESC LIMIT 1), 0) AS head
          FROM search_positions p JOIN conversations c ON c.id = p.conversation_id
          WHERE c.deleted_at = 0) AS indexed
    WHERE seq > head";

/// What a conversation that was dissolved has no more.
const DISSOLVED: &str = "
    SELECT 'dissolved_with_members', id, CAST(NULL AS bigint), 'members, requests, bans or pins'
    FROM conversations c
    WHERE c.deleted_at <> 0 AND (
        EXISTS (SELECT 1 FROM members t WHERE t.conversation_id = c.id)
        OR EXISTS (SELECT 1 FROM join_requests t WHERE t.conversation_id = c.id)
        OR EXISTS (SELECT 1 FROM bans t WHERE t.conversation_id = c.id)
        OR EXISTS (SELECT 1 FROM pins t WHERE t.conversation_id = c.id))";

/// Every reaction that is counted or there, against the other.
const REACTION_COUNTS: &str = "
    SELECT 'reaction_count_wrong', conversation_id, CAST(NULL AS bigint),
        'entry ' || seq || ': ' || sum(there) || ' there, ' || sum(counted) || ' counted'
    FROM (SELECT conversation_id, seq, reaction, 1 AS there, 0 AS counted FROM reactions
          UNION ALL
          SELECT conversation_id, seq, reaction, 0, count FROM reaction_counts) AS every
    GROUP BY conversation_id, seq, reaction HAVING sum(there) <> sum(counted)";

/// What belongs to entries that are gone, or never were.
const OF_NO_ENTRY: &[(&str, &str)] = &[
    ("edit_orphaned", "edits"),
    ("reaction_orphaned", "reactions"),
    ("pin_orphaned", "pins"),
    ("mention_orphaned", "mentions"),
    ("hidden_orphaned", "hidden"),
];

fn of_no_entry((kind, table): &(&str, &str)) -> String {
    format!(
        "SELECT '{kind}', t.conversation_id, CAST(NULL AS bigint), 'no entry ' || t.seq
         FROM {table} t JOIN conversations c ON c.id = t.conversation_id
         WHERE NOT EXISTS (SELECT 1 FROM entries e
             WHERE e.conversation_id = t.conversation_id AND e.seq = t.seq)"
    )
}

/// The id is compared as an expression, so that no index answers: it is the index that is in doubt.
const DUPLICATES: &str = "
    SELECT 'duplicate_entry', conversation_id, sender_id,
        count(*) || ' entries under one id, the first is ' || min(seq)
    FROM entries
    GROUP BY conversation_id, sender_id, client_msg_id || ''
    HAVING count(*) > 1";

const RANGES: &str = "
    SELECT 'out_of_range', id, CAST(NULL AS bigint), 'conversation'
    FROM conversations
    WHERE id NOT BETWEEN 1 AND 9007199254740991 OR kind NOT BETWEEN 0 AND 2 OR floor_seq < 1
        OR member_count < 0
    UNION ALL
    SELECT 'out_of_range', NULL, id, 'user' FROM users WHERE id NOT BETWEEN 1 AND 9007199254740991
    UNION ALL
    SELECT 'out_of_range', conversation_id, user_id, 'member' FROM members
    WHERE role NOT BETWEEN 0 AND 2 OR muted_until < 0
    UNION ALL
    SELECT 'out_of_range', conversation_id, user_id, 'cursor' FROM cursors
    WHERE read_seq < 0 OR read_msg_no < 0 OR delivered_seq < 0
    UNION ALL
    SELECT 'out_of_range', conversation_id, sender_id, 'entry ' || seq FROM entries
    WHERE seq < 1 OR msg_no < 0 OR sender_id NOT BETWEEN 0 AND 9007199254740991 OR key_id < 0
        OR body_version < 0";

const COMMAND_KEY: &str = "
    SELECT 'command_key_wrong', CAST(NULL AS bigint), CAST(NULL AS bigint), count(*) || ' keys'
    FROM command_key HAVING count(*) <> 1 OR min(length(key)) <> 16";

const ENTRIES_OF_NOTHING: &str = "
    SELECT 'entry_orphaned', conversation_id, CAST(NULL AS bigint),
        'no such conversation; ' || count(*) || ' entries'
    FROM entries e
    WHERE NOT EXISTS (SELECT 1 FROM conversations c WHERE c.id = e.conversation_id)
    GROUP BY conversation_id
    UNION ALL
    SELECT 'entry_orphaned', min(conversation_id), sender_id,
        'no such sender; ' || count(*) || ' entries'
    FROM entries e
    WHERE sender_id <> 0 AND NOT EXISTS (SELECT 1 FROM users u WHERE u.id = e.sender_id)
    GROUP BY sender_id";

const FILES_OF_NO_ENTRY: &str = "
    SELECT 'attachment_orphaned', a.conversation_id, a.owner_id, 'no entry ' || a.seq
    FROM attachments a JOIN conversations c ON c.id = a.conversation_id
    WHERE a.seq >= c.floor_seq AND c.deleted_at = 0 AND NOT EXISTS
        (SELECT 1 FROM entries e WHERE e.conversation_id = a.conversation_id AND e.seq = a.seq)";

/// Ids of users are not asked about: tokens choose them too, and whoever takes a new one leaves out those that exist.
const REUSED_IDS_SQLITE: &str = "
    SELECT 'id_to_be_reused', c.id, CAST(NULL AS bigint), 'the next conversation is ' || i.next
    FROM conversations c JOIN ids i ON i.name = 'conversation' WHERE c.id >= i.next";
/// Postgres has sequences instead, which belong to the schema.
const IDS_SQLITE: &str = "
    SELECT 'ids_missing', CAST(NULL AS bigint), CAST(NULL AS bigint), 'no row for ' || kind
    FROM (SELECT 'user' AS kind UNION ALL SELECT 'conversation')
    WHERE NOT EXISTS (SELECT 1 FROM ids WHERE name = kind)";
const REUSED_IDS_POSTGRES: &str = "
    SELECT 'id_to_be_reused', c.id, CAST(NULL AS bigint), 'the next conversation is ' || i.next
    FROM conversations c JOIN (
        SELECT CASE WHEN is_called THEN last_value + 1000 ELSE last_value END AS next
        FROM conversation_ids) AS i ON c.id >= i.next";

const FILE_SQLITE: &str = "
    SELECT 'file_damaged', CAST(NULL AS bigint), CAST(NULL AS bigint), integrity_check
    FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
const FOREIGN_KEYS_SQLITE: &str = "
    SELECT 'foreign_key_broken', CAST(NULL AS bigint), CAST(NULL AS bigint),
        count(*) || ' rows of ' || \"table\" || ' refer to missing rows of ' || parent
    FROM pragma_foreign_key_check GROUP BY \"table\", parent";

/// Columns that name a conversation or a user: kind, table, column, and the columns of the row that tell which
/// conversation and user it is about.
pub(super) const REFERENCES: &[(&str, &str, &str, &str, &str)] = &[
    ("conversation_orphaned", "conversations", "low_user_id", "id", "low_user_id"),
    ("conversation_orphaned", "conversations", "high_user_id", "id", "high_user_id"),
    ("conversation_orphaned", "conversations", "creator_id", "id", "creator_id"),
    ("member_orphaned", "members", "conversation_id", "conversation_id", "user_id"),
    ("member_orphaned", "members", "user_id", "conversation_id", "user_id"),
    ("cursor_orphaned", "cursors", "conversation_id", "conversation_id", "user_id"),
    ("cursor_orphaned", "cursors", "user_id", "conversation_id", "user_id"),
    ("credential_orphaned", "credentials", "user_id", "NULL", "user_id"),
    ("identity_orphaned", "identities", "user_id", "NULL", "user_id"),
    ("alias_orphaned", "aliases", "conversation_id", "conversation_id", "NULL"),
    ("device_orphaned", "devices", "user_id", "NULL", "user_id"),
    ("token_orphaned", "refresh_tokens", "user_id", "NULL", "user_id"),
    ("token_orphaned", "password_resets", "user_id", "NULL", "user_id"),
    ("block_orphaned", "blocks", "user_id", "NULL", "user_id"),
    ("block_orphaned", "blocks", "blocked_id", "NULL", "user_id"),
    ("contact_orphaned", "contacts", "user_id", "NULL", "user_id"),
    ("contact_orphaned", "contacts", "contact_id", "NULL", "user_id"),
    ("attachment_orphaned", "attachments", "owner_id", "conversation_id", "owner_id"),
    ("attachment_orphaned", "attachments", "conversation_id", "conversation_id", "owner_id"),
    ("push_orphaned", "push_outbox", "conversation_id", "conversation_id", "NULL"),
    ("push_orphaned", "push_deliveries", "conversation_id", "conversation_id", "user_id"),
    ("push_orphaned", "push_deliveries", "user_id", "conversation_id", "user_id"),
    ("search_orphaned", "search_entries", "conversation_id", "conversation_id", "NULL"),
    ("search_orphaned", "search_positions", "conversation_id", "conversation_id", "NULL"),
    ("deletion_orphaned", "deletions", "user_id", "NULL", "user_id"),
    ("mark_orphaned", "retention_marks", "conversation_id", "conversation_id", "NULL"),
    ("edit_orphaned", "edits", "conversation_id", "conversation_id", "NULL"),
    ("reaction_orphaned", "reactions", "conversation_id", "conversation_id", "user_id"),
    ("reaction_orphaned", "reactions", "user_id", "conversation_id", "user_id"),
    ("reaction_orphaned", "reaction_counts", "conversation_id", "conversation_id", "NULL"),
    ("pin_orphaned", "pins", "conversation_id", "conversation_id", "NULL"),
    ("ban_orphaned", "bans", "conversation_id", "conversation_id", "user_id"),
    ("ban_orphaned", "bans", "user_id", "conversation_id", "user_id"),
    ("request_orphaned", "join_requests", "conversation_id", "conversation_id", "user_id"),
    ("request_orphaned", "join_requests", "user_id", "conversation_id", "user_id"),
    ("mention_orphaned", "mentions", "conversation_id", "conversation_id", "user_id"),
    ("hidden_orphaned", "hidden", "conversation_id", "conversation_id", "user_id"),
    ("hidden_orphaned", "hidden", "user_id", "conversation_id", "user_id"),
];

fn orphans(reference: &(&str, &str, &str, &str, &str)) -> String {
    let (kind, table, column, conversation, user) = reference;
    let (parent, name) = match *column {
        "conversation_id" => ("conversations", "conversation"),
        _ => ("users", "user"),
    };
    let about = |column: &str| match column {
        "NULL" => "CAST(NULL AS bigint)".to_owned(),
        column => format!("t.{column}"),
    };
    format!(
        "SELECT '{kind}', {}, {}, 'no such {name}' FROM {table} t WHERE t.{column} IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.id = t.{column})",
        about(conversation),
        about(user)
    )
}

/// Everything asked of a database, cheapest first.
pub(super) fn probes(sqlite: bool) -> Vec<Probe> {
    let mut probes = Vec::new();
    let mut ask = |about, sql: &str| probes.push(Probe { about, sql: sql.to_owned() });
    ask("command key", COMMAND_KEY);
    ask("new ids", if sqlite { REUSED_IDS_SQLITE } else { REUSED_IDS_POSTGRES });
    for reference in REFERENCES {
        ask(reference.1, &orphans(reference));
    }
    ask("members", MEMBERS);
    ask("logs and lists", &HEADS.replace("{slack}", &ACTIVITY_SLACK_MS.to_string()));
    ask("cursors", CURSORS);
    ask("cursors", READ_COUNTS);
    ask("search", INDEXED);
    ask("files", FILES_OF_NO_ENTRY);
    for table in OF_NO_ENTRY {
        ask(table.1, &of_no_entry(table));
    }
    ask("reactions", REACTION_COUNTS);
    ask("dissolved conversations", DISSOLVED);
    ask("ranges", RANGES);
    ask("entries", LOG);
    ask("senders", ENTRIES_OF_NOTHING);
    ask("ids of messages", DUPLICATES);
    if sqlite {
        ask("new ids", IDS_SQLITE);
        ask("references", FOREIGN_KEYS_SQLITE);
        ask("file", FILE_SQLITE);
    }
    probes
}

/// Reads every body, with what opens it.
pub(super) const BODIES: &str =
    "SELECT conversation_id, seq, sender_id, body_version, key_id, body FROM entries";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_that_names_a_user_or_conversation_is_asked_about() {
        // Asked about by probes of their own, or never without meaning (0 is nobody or nothing yet).
        const OTHERWISE: [(&str, &str); 7] = [
            ("entries", "conversation_id"),
            ("entries", "sender_id"),
            ("audit", "actor_id"),
            // 0 is everyone.
            ("mentions", "user_id"),
            ("deletions", "conversation_id"),
            ("body_pass", "conversation_id"),
            // 0 is a user.
            ("hook_outbox", "conversation_id"),
        ];
        let database = rusqlite::Connection::open_in_memory().expect("memory");
        for migration in crate::migrate::SQLITE {
            database.execute_batch(migration.sql).expect(migration.name);
        }
        let mut columns = database
            .prepare(
                "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
                 WHERE t.type = 'table' AND (c.name LIKE '%user_id' OR c.name IN
                     ('conversation_id', 'owner_id', 'creator_id', 'blocked_id', 'contact_id', 'sender_id', 'actor_id'))",
            )
            .expect("a query");
        let columns =
            columns.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
        let mut count = 0;
        for column in columns.expect("columns") {
            let (table, column) = column.expect("a column");
            let known = REFERENCES.iter().any(|r| r.1 == table && r.2 == column)
                || OTHERWISE.contains(&(table.as_str(), column.as_str()));
            assert!(known, "{table}.{column} may be orphaned unseen: add it to REFERENCES");
            count += 1;
        }
        assert_eq!(count, REFERENCES.len() + OTHERWISE.len());
    }
}
