//! A company's database: 1,000,000 entries, 400,000 of them in one room of 10,000 members, the others in 20,000
//! conversations; one user is in 5,000 of those.

/// The room.
pub(crate) const ROOM: u64 = 1;
/// Its entries.
pub(crate) const ROOM_ENTRIES: u64 = 400_030;

/// What the two databases write in their own ways.
pub(crate) trait Dialect {
    /// A table `t` of one column `i`, 1 to `count`.
    fn series(count: u64) -> String;
    /// A text as bytes.
    fn bytes(text: &str) -> String;
    /// 32 bytes that differ by `t.i`.
    fn digest() -> String;
}

/// Statements that fill an empty schema.
pub(crate) fn statements<D: Dialect>() -> Vec<String> {
    let body = D::bytes("a message of about the usual length, as people write them");
    let (none, digest) = (D::bytes(""), D::digest());
    let series = D::series;
    vec![
        format!(
            "INSERT INTO users (id, username, username_key, email, email_key, display_name, created_at)
             SELECT i, 'u' || i, 'u' || i, i || '@x', i || '@x', 'U9 ' || i, 1 FROM {}",
            series(10_000)
        ),
        format!(
            "INSERT INTO credentials (user_id, password_hash, changed_at) SELECT i, 'phc', 1 FROM {}",
            series(10_000)
        ),
        format!(
            "INSERT INTO identities (issuer, subject, user_id) SELECT 'iss', 's' || i, i FROM {}",
            series(10_000)
        ),
        // Groups to 15,000, direct conversations above; members are (first, second).
        format!(
            "INSERT INTO conversations (id, kind, settings, low_user_id, high_user_id, creator_id, creation_id,
                 member_count, created_at, last_activity_at)
             SELECT i, CASE WHEN i > 15000 THEN 0 ELSE 1 END, {none},
                 CASE WHEN i > 15000 THEN 3 + i % 5000 END, CASE WHEN i > 15000 THEN 10000 - i % 4000 END,
                 CASE WHEN i <= 15000 THEN 1 END, CASE WHEN i <= 15000 THEN 'g' || i END, 2, 1, i % 977
             FROM {}",
            series(20_000)
        ),
        format!(
            "INSERT INTO members (conversation_id, user_id, role, joined_at) SELECT 1, i, 0, 1 FROM {}",
            series(10_000)
        ),
        format!(
            "INSERT INTO members (conversation_id, user_id, role, joined_at)
             SELECT i, CASE WHEN i <= 5000 THEN 1 ELSE 3 + i % 5000 END, 0, 1 FROM {} WHERE i > 1",
            series(20_000)
        ),
        format!(
            "INSERT INTO members (conversation_id, user_id, role, joined_at)
             SELECT i, 10000 - i % 4000, 0, 1 FROM {} WHERE i > 1",
            series(20_000)
        ),
        "INSERT INTO cursors (conversation_id, user_id, read_seq, read_msg_no, delivered_seq)
         SELECT conversation_id, user_id, 5, 4, 5 FROM members WHERE (conversation_id + user_id) % 2 = 0"
            .to_owned(),
        format!(
            "INSERT INTO entries (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body)
             SELECT 1, i, i - 1, 1 + i % 10000, i, 'm' || i, i, {body} FROM {}",
            series(ROOM_ENTRIES)
        ),
        format!(
            "INSERT INTO entries (conversation_id, seq, msg_no, sender_id, created_at, client_msg_id, command_hash, body)
             SELECT 2 + (i - 1) / 30, 1 + (i - 1) % 30, (i - 1) % 30, 10000 - (2 + (i - 1) / 30) % 4000, i, 'm' || i, i,
                 {body} FROM {}",
            series(599_970)
        ),
        format!(
            "INSERT INTO attachments (file_id, owner_id, conversation_id, seq, name, mime_type, size_bytes, sha256,
                 created_at)
             SELECT 'f' || i, 1 + i % 10000, 2 + i % 19999, i % 31, 'n', 'm', 1, {digest}, i FROM {}",
            series(40_000)
        ),
        format!(
            "INSERT INTO push_outbox (conversation_id, seq, created_at, next_try_at)
             SELECT 2 + i % 19999, 1 + i / 19999, i, i FROM {}",
            series(39_000)
        ),
        format!(
            "INSERT INTO devices (user_id, device_id, created_at, last_seen_at) SELECT 1 + i % 10000, 'd' || i, 1, 1
             FROM {}",
            series(20_000)
        ),
        format!(
            "INSERT INTO push_deliveries (user_id, device_id, conversation_id, seq, created_at, next_try_at)
             SELECT 1 + i % 10000, 'd' || i, 2 + i % 19999, 5, i, i FROM {}",
            series(20_000)
        ),
        format!(
            "INSERT INTO hook_outbox (hook, conversation_id, seq, kind, created_at, next_try_at)
             SELECT CASE i % 3 WHEN 0 THEN 'h' ELSE 'x' END, 2 + i % 19999, 1 + i / 19999, 1, i, i FROM {}",
            series(39_000)
        ),
        format!(
            "INSERT INTO refresh_tokens (token_hash, family_id, user_id, created_at, expires_at)
             SELECT {digest}, substr({digest}, 17, 16), 1 + i % 10000, 1, i FROM {}",
            series(20_000)
        ),
        format!(
            "INSERT INTO blocks (user_id, blocked_id, created_at) SELECT i, 1 + (i * 7) % 10000, 1 FROM {}",
            series(10_000)
        ),
        format!(
            "INSERT INTO contacts (user_id, contact_id, created_at) SELECT i, 1 + (i * 7) % 10000, 1 FROM {}",
            series(10_000)
        ),
        format!(
            "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at)
             SELECT {digest}, 1 + i % 10000, 1, i FROM {}",
            series(20_000)
        ),
        format!(
            "INSERT INTO retention_marks (conversation_id, seq, marked_at) SELECT 2 + i, 1, 1 FROM {}",
            series(15_000)
        ),
        format!(
            "INSERT INTO audit (at, actor_id, action, target) SELECT i, i % 100, 'a', 't' FROM {}",
            series(20_000)
        ),
        format!(
            "INSERT INTO account_bans (account_id, banned_at, operator_id) SELECT i, i, 1 FROM {}",
            series(9_000)
        ),
        format!("INSERT INTO orders (at, kind) SELECT 4000000000000 + i, 1 FROM {}", series(20_000)),
        format!(
            "INSERT INTO aliases (name_key, name, conversation_id, created_at) SELECT 'a' || i, 'A' || i, i, 1 FROM {}",
            series(15_000)
        ),
        format!("INSERT INTO edits (conversation_id, seq, target_seq) SELECT 2 + i, 20, 10 FROM {}", series(19_000)),
        format!(
            "INSERT INTO reactions (conversation_id, seq, user_id, reaction) SELECT 1, i, 1 + i % 10000, '+' FROM {}",
            series(100_000)
        ),
        format!(
            "INSERT INTO reaction_counts (conversation_id, seq, reaction, count) SELECT 1, i, '+', 1 FROM {}",
            series(100_000)
        ),
        format!(
            "INSERT INTO mentions (user_id, conversation_id, seq) SELECT 1 + i % 10000, 1, 350000 + i FROM {}",
            series(50_000)
        ),
        format!("INSERT INTO mentions (user_id, conversation_id, seq) SELECT 0, 2 + i, 25 FROM {}", series(19_000)),
        format!(
            "INSERT INTO hidden (user_id, conversation_id, seq, view_no) SELECT 1 + i % 10000, 1, 350000 + i, i FROM {}",
            series(50_000)
        ),
        format!("INSERT INTO pins (conversation_id, seq, pinned_by_seq) SELECT 2 + i, 5, 6 FROM {}", series(15_000)),
        format!("INSERT INTO bans (conversation_id, user_id, until) SELECT 2 + i, 1 + i % 10000, 5 FROM {}", series(14_000)),
        format!("INSERT INTO bans (conversation_id, user_id, until) SELECT 1, i, 5 FROM {}", series(5_000)),
        format!(
            "INSERT INTO join_requests (conversation_id, user_id, text, requested_at) SELECT 2 + i, 1 + i % 10000, '', 5
             FROM {}",
            series(14_000)
        ),
        format!(
            "INSERT INTO join_requests (conversation_id, user_id, text, requested_at) SELECT 1, i, '', 5 FROM {}",
            series(5_000)
        ),
        // All logs are indexed, but those of the last conversations.
        "INSERT INTO search_positions (conversation_id, seq)
         SELECT id, CASE WHEN id = 1 THEN 400030 ELSE 30 END FROM conversations WHERE id < 19900"
            .to_owned(),
    ]
}
