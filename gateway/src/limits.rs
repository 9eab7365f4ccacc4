//! Every bound of the gateway in one place: nothing here grows without one.
//!
//! Memory per idle connection: socket, task and link (about 0.7 KiB), session and user (about 0.7 KiB) and what it would
//! be resumed with (one slot and frame for each push the client has not counted); no buffer. Tests bound the sizes.

use std::time::Duration;

/// Largest WebSocket message a client may send, in bytes; `limits.max_frame_bytes` on the wire.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;
/// What a shard reads from a socket at once.
pub const READ_BUFFER_BYTES: usize = 64 * 1024;
/// Reads in a row from one socket before others get their turn.
pub const READS_PER_TURN: usize = 4;
/// Sends in one flush pass before the shard does something else.
pub const SENDS_PER_PASS: usize = 256;
/// A turn that leaves at least this much for its own connection sends it at once, in bytes.
pub const SEND_AT_ONCE_BYTES: usize = 4 * 1024;

/// Capacity of a fresh outbox buffer.
pub const POOLED_BUFFER_BYTES: usize = 4 * 1024;
/// Buffers that grew beyond this are freed instead of pooled.
pub const POOLED_BUFFER_MAX_BYTES: usize = 64 * 1024;
/// Spare buffers a shard keeps.
pub const POOLED_BUFFERS: usize = 512;
/// Bytes of small frames that a shard's connections share until they are sent; further ones are copied for each.
pub const COMMON_BYTES: usize = 256 * 1024;

/// Bytes an outbox may hold before entries are dropped and the conversation is marked lagging.
pub const OUTBOX_FULL_BYTES: usize = 256 * 1024;
/// At this fill ephemeral pushes are dropped, and below it lagging conversations are announced.
pub const OUTBOX_HALF_BYTES: usize = OUTBOX_FULL_BYTES / 2;
/// Conversations an outbox can mark as lagging one by one; beyond that the connection is closed as slow.
pub const OUTBOX_LAGGING: usize = 1024;

/// Durable pushes that a session keeps for a resume, and their bytes.
pub const RESUME_FRAMES: usize = 256;
/// See [`RESUME_FRAMES`].
pub const RESUME_BYTES: usize = 64 * 1024;
/// Bytes that all sessions of a shard keep for resumes; shared ones are counted for each.
pub const RESUME_SHARD_BYTES: usize = 256 * 1024 * 1024;
/// Sessions of a shard whose connection ended and that can be resumed; beyond that the oldest of them end.
pub const DETACHED_SESSIONS: usize = 100_000;
/// Addresses whose connections are counted one by one.
pub const KNOWN_ADDRESSES: usize = 64 * 1024;
/// What an address with too many unfinished handshakes is told to wait, in milliseconds.
pub const GREETING_RETRY_MS: u32 = 1000;
/// A session is closed that sends so many commands in a row which are refused as too fast, within [`FLOOD_MS`].
pub const FLOOD_REFUSALS: u32 = 1000;
/// See [`FLOOD_REFUSALS`]; in milliseconds.
pub const FLOOD_MS: i64 = 10_000;
/// Hidden entries that `connect` tells of; beyond that the client forgets its view.
pub const CONNECT_VIEW: u32 = 500;
/// Longest `device_class`, in bytes.
pub const MAX_DEVICE_CLASS_BYTES: usize = 32;
/// Longest `client_name`, in bytes.
pub const MAX_CLIENT_NAME_BYTES: usize = 128;
/// Devices the server remembers of a user; the one seen longest ago goes.
pub const MAX_DEVICES: u32 = 100;
/// Sessions of all shards together whose snapshot is read at a time; the others wait, so that commands which read the
/// database find room among [`SERVICE_CONCURRENT`].
pub const OPENINGS_UNDER_WAY: usize = 128;
/// Sessions of one shard that wait to be opened; more are refused as BUSY and closed.
pub const OPENINGS_WAITING: usize = 32 * 1024;
/// Cursors that waiting sessions hold together.
pub const OPENINGS_WAITING_CURSORS: usize = 1_000_000;

/// Silence after which the server sends a ping, in seconds.
pub const PING_AFTER_S: u32 = 30;
/// Silence after which the connection is closed, in seconds.
pub const IDLE_CLOSE_S: u32 = 75;
/// A full outbox without progress for this long closes the connection, in seconds.
pub const SLOW_CONSUMER_S: u32 = 10;
/// How long the other side may take to answer a close frame, in seconds.
pub const CLOSE_WAIT_S: u32 = 5;
/// Sockets that a shard closes in a millisecond at most; more that end at once wait for the next one.
pub const CLOSES_PER_MS: usize = 32;
/// Time for a whole upgrade request, and again for the first command, in seconds.
pub const HANDSHAKE_S: u64 = 10;
/// Upgrade requests larger than this are answered 431, in bytes.
pub const MAX_REQUEST_HEAD_BYTES: usize = 8 * 1024;

/// Unanswered commands of one session before it is not read any more; `limits.max_unanswered` on the wire. What had been
/// read by then is still carried out: at most [`READS_PER_TURN`] buffers.
pub const MAX_UNANSWERED: u32 = 256;
/// Unanswered commands of one session that read the database; more are refused.
pub const MAX_QUERIES: u32 = 32;
/// Entries on one page end when their bodies sum up to this, in bytes.
pub const PAGE_BYTES: usize = 256 * 1024;
/// Pushes held back while a session's snapshot is read; beyond that its conversations are marked lagging.
pub const MAX_HELD_PUSHES: usize = 256;
/// How long a session remembers what its snapshot told, for pushes that were slower than it, in seconds.
pub const SNAPSHOT_MEMORY_S: u32 = 30;
/// Answers a shard can have under way to it: commands at other shards, entries at writers, calls of the service.
pub const SHARD_CREDITS: usize = 32 * 1024;
/// Of those, the ones kept for what others may wait for: tails of conversations, entries that were accepted before.
pub const KEPT_CREDITS: usize = 64;
/// Reserved places of a mailbox that are no credits: the one order to drain.
pub const DRAIN_ORDERS: usize = 1;
/// Messages of other threads a shard's mailbox holds beside those answers.
pub const MAILBOX_SHARED: usize = 16 * 1024;
/// Mailbox messages a shard handles before it looks at its sockets again.
pub const MAILBOX_PER_TURN: usize = 256;
/// Calls waiting for the service thread, from all shards.
pub const SERVICE_QUEUE: usize = 16 * 1024;
/// Commands given outside of sessions that are under way on one shard; more are refused as BUSY.
pub const CALLERS: usize = 4096;
/// Those of one user; more are refused.
pub const CALLERS_OF_USER: u32 = 32;
/// How long who gives one waits for its answer, in seconds; longer than a call of the service, shorter than an HTTP
/// request may take.
pub const CALLER_WAIT_S: u64 = 28;
/// Calls the service thread works on at once.
pub const SERVICE_CONCURRENT: usize = 256;
/// How long one of them may take, in seconds; longer than the database's own limit for a statement.
pub const SERVICE_CALL_S: u64 = 25;
/// How long a step of upkeep may take, in seconds; also longer than that, and short enough for all jobs to come round
/// before another node erases what a user with a session here wrote.
pub const UPKEEP_STEP_S: u64 = 25;

/// What conversations of other shards have to hear and these have no room for; beyond that the oldest is lost.
pub const NEWS_WAITING: usize = 16 * 1024;
/// Conversations a shard keeps in memory; the least recently used idle one makes room.
pub const LOADED_CONVERSATIONS: usize = 100_000;
/// Seconds without a command after which a conversation is dropped from memory.
pub const CONVERSATION_IDLE_S: u32 = 600;
/// Newest entries of a conversation whose retries are recognised in memory, and that are kept encoded.
pub const RECENT_ENTRIES: usize = 100;
/// Bytes of entries that a conversation keeps encoded.
pub const RING_BYTES: usize = 32 * 1024;
/// How long an entry is kept encoded.
pub const RING_AGE: Duration = Duration::from_mins(1);
/// With other nodes on the same database: how long after its head was confirmed a conversation is read from memory.
pub const READ_TRUST: Duration = Duration::from_secs(1);
/// Entries of one conversation in flight to the writer; more are refused as BUSY.
pub const IN_FLIGHT_PER_CONVERSATION: usize = 4096;
/// Commands that wait for a conversation to be loaded or re-based; more are refused as BUSY.
pub const WAITING_PER_CONVERSATION: usize = 4096;
/// Cursors of one conversation that wait for what another node wrote; more are refused as BUSY.
pub const CURSORS_AHEAD: usize = 1024;
/// Older entries that a conversation reads at once because commands are about them; more commands are refused as BUSY.
pub const TARGETS_LOADING: usize = 64;
/// Of such entries it remembers what it needs to know of these many.
pub const TARGETS_KEPT: usize = 256;
/// Newest reactions of a conversation that are remembered, so that the same one again makes no entry.
pub const REACTIONS_KEPT: usize = 64;
/// With other nodes on the same database: how long a look at who blocks whom is believed.
pub const BLOCKS_TRUST: Duration = Duration::from_mins(1);
/// Refused sends a conversation remembers, to refuse what says it comes `after` them.
pub const REMEMBERED_REFUSALS: usize = 256;
/// Tail entries loaded at once after a conflict; a longer tail is read in rounds.
pub const TAIL_PAGE: u32 = 500;

/// Attachments, and mentions, of one message.
pub const MAX_MESSAGE_PARTS: usize = 64;
/// Longest reaction, in bytes; `limits.max_reaction_bytes` on the wire.
pub const MAX_REACTION_BYTES: usize = 64;
/// Longest address, title or name in an attachment, card or location, in bytes.
pub const MAX_PART_TEXT_BYTES: usize = 2048;
/// Users, or entries, that one command may name.
pub const MAX_NAMED: usize = 200;
/// Longest text of a request to join, in bytes.
pub const MAX_REQUEST_TEXT_BYTES: usize = 1024;
/// Pinned messages of a conversation; `limits.max_pins` on the wire.
pub const MAX_PINS: usize = 50;
/// Users a group may keep out at a time.
pub const MAX_BANS: usize = 1000;
/// Users that may wait for an answer of a group at a time.
pub const MAX_REQUESTS: usize = 1000;
/// Contacts of a user.
pub const MAX_CONTACTS: u32 = 10_000;
/// Longest title of a group, in bytes.
pub const MAX_TITLE_BYTES: usize = 256;
/// Entries, heads or members on one page.
pub const MAX_PAGE: u32 = 200;
/// Cursors in one `connect`.
pub const MAX_CURSORS: usize = 500;
/// Heads that `connected` carries.
pub const CONNECT_HEADS: u32 = 50;
/// Entries per cursor that follow `connected`.
pub const CONNECT_SYNC: u32 = 100;
/// Entries over all cursors that follow `connected`.
pub const CONNECT_SYNC_TOTAL: usize = 2000;
/// Groups up to this size push each member's cursors to the others; `limits.max_cursor_members` on the wire.
pub const CURSOR_PUSH_MEMBERS: usize = 100;
/// Members of a conversation whose last push is less than a second ago, on one shard; further pushes are not coalesced.
pub const PACED_KEYS: usize = 65_536;
/// Coalesced pushes that a shard's sweep sends; what is left goes out at the next.
pub const PACED_PER_SWEEP: usize = 4_096;
/// How long a `typing` lasts unless it is repeated, in milliseconds; `limits.typing_ms` on the wire.
pub const TYPING_MS: u64 = 6_000;
/// Groups up to this size push who types.
pub const TYPING_PUSH_MEMBERS: usize = 500;
/// Users typing in the conversations of one shard; more are refused as BUSY.
pub const TYPISTS: usize = 16_384;
/// How long a session whose connection ended still shows its user as present.
pub const PRESENCE_LINGER: Duration = Duration::from_secs(10);
/// How often it is asked again what somebody may see of others.
pub const PRESENCE_CHECK: Duration = Duration::from_mins(1);
/// Sessions for which a shard's sweep asks that, at most.
pub const PRESENCE_CHECKS_PER_SWEEP: usize = 256;
/// Longest text beside a status, in bytes.
pub const MAX_STATUS_TEXT_BYTES: usize = 128;
/// Users whose presence one session may watch; `limits.max_watched` on the wire.
pub const MAX_WATCHED: usize = 1_000;
/// Sessions of one shard that may watch the same user.
pub const MAX_WATCHERS: u32 = 10_000;
/// Watched users over all sessions of a shard, each counted as often as it is watched; some 150 bytes each.
pub const WATCHED_PER_SHARD: usize = 1_000_000;
/// Users of a shard whose time of last being there waits to be saved; that of others is lost with the shard.
pub const LAST_SEEN_WAITING: usize = 65_536;
/// Such times in one write.
pub const LAST_SEEN_BATCH: usize = 500;

/// How often a shard posts its numbers while it is busy, in milliseconds; while it is not, every second.
pub const POST_FIGURES_MS: i64 = 250;
/// Commits whose entries wait to be given to a shard's sockets and whose time is measured one by one.
pub const UNFLUSHED_BATCHES: usize = 1024;

/// How often cursors are written behind, in seconds.
pub const CURSOR_FLUSH_S: u32 = 2;
/// For how long after it moved a cursor is taken for one that the database may not have: several writes, for one may fail.
pub const CURSOR_UNWRITTEN: Duration = Duration::from_secs(10);
/// Cursors in one write; those of one user go together.
pub const CURSOR_BATCH: usize = 200;
/// What BUSY tells the client to wait, in milliseconds.
pub const BUSY_RETRY_MS: u32 = 200;
/// How long a drain waits for commits and sockets, in seconds.
pub const DRAIN_S: u64 = 10;
/// How long before a token expires the client is told, in seconds.
pub const TOKEN_WARNING_S: i64 = 60;
/// Longest description or avatar address of a group, in bytes.
pub const MAX_DESCRIPTION_BYTES: usize = 2048;
/// What UNAVAILABLE tells the client to wait, in milliseconds.
pub const UNAVAILABLE_RETRY_MS: u32 = 1000;
/// How often conversations that nobody uses are looked for, in seconds.
pub const CACHE_SWEEP_S: u32 = 30;

/// How often memory that nobody uses is given back to the system, in seconds.
pub const MEMORY_SWEEP_S: u32 = 10;
/// Pause after a failed accept, in milliseconds.
pub const ACCEPT_PAUSE_MS: u64 = 100;
/// How long a drain waits for the clients' close frames, in seconds.
pub const DRAIN_GOODBYE_S: u64 = 2;
/// Reconnects per millisecond and shard that a drain spreads its sessions to.
pub const RECONNECTS_PER_MS: u64 = 2;
/// The longest delay a drain asks of a client, in milliseconds.
pub const GOAWAY_MAX_MS: u64 = 10_000;
/// HTTP connections waiting for the service thread.
pub const HTTP_QUEUE: usize = 1024;

/// Uploads of files at a time, over all users; each holds a part of a file in memory.
pub const UPLOADS_AT_ONCE: usize = 24;
/// Of them, of one user.
pub const UPLOADS_OF_A_USER: usize = 4;
/// Users whose uploads are counted one by one.
pub const KNOWN_UPLOADERS: usize = 16 * 1024;
/// Downloads of files at a time; they leave room for other requests among `server.max_http_connections`.
pub const DOWNLOADS_AT_ONCE: usize = 512;
/// Pictures that are decoded at a time.
pub const PICTURES_AT_ONCE: usize = 1;
/// A part of an upload to a folder, in bytes.
pub const FOLDER_PART_BYTES: usize = 1024 * 1024;
/// A part of an upload to an S3-compatible store, in bytes; smaller ones are not allowed.
pub const S3_PART_BYTES: usize = 5 * 1024 * 1024;
/// Bytes of a file that are read from a folder at once.
pub const READ_BYTES: usize = 128 * 1024;
/// First bytes of a file that decide what it is.
pub const SNIFFED_BYTES: usize = 4096;
/// What an upload may hold between two pieces of its file, in bytes: heads of parts.
pub const UPLOAD_HEAD_BYTES: usize = 16 * 1024;
/// Silence after which an upload is given up, in seconds.
pub const UPLOAD_SILENCE_S: u64 = 30;
/// How long an upload or a download may take, in seconds.
pub const TRANSFER_S: u64 = 3600;
/// Pictures with more bytes get no thumbnail.
pub const MAX_PICTURE_BYTES: u64 = 32 * 1024 * 1024;
/// Pictures with more pixels get no thumbnail.
pub const MAX_PICTURE_PIXELS: u64 = 32 * 1024 * 1024;
/// Pictures with a longer side, in pixels, count as none.
pub const MAX_PICTURE_SIDE: u32 = 20_000;
/// Memory a picture may take while it is decoded, in bytes: that of as many pixels of four channels with 16 bits.
pub const MAX_PICTURE_MEMORY: u64 = 256 * 1024 * 1024;
/// The longer side of a thumbnail, in pixels.
pub const THUMBNAIL_SIDE: u32 = 320;
/// No thumbnail is larger, in bytes: more than its pixels take uncompressed.
pub const MAX_THUMBNAIL_BYTES: u64 = 512 * 1024;
/// Pause of the clean-up of files once nothing is left to do, in seconds.
pub const FILES_REST_S: u64 = 600;
/// Messages taken from the outbox at a time, to see who is to be notified.
pub const PUSHES_TAKEN: u32 = 64;
/// Notifications under way at once.
pub const PUSHES_AT_ONCE: usize = 32;
/// Events under way at once to one webhook.
pub const EVENTS_AT_ONCE: usize = 16;
/// Messages that the hook is asked about at once; more are refused as BUSY.
pub const SCREENED_AT_ONCE: usize = 256;
/// Commands of one shard that wait behind such messages; more are refused as BUSY.
pub const SCREENED_WAITING: usize = 16 * 1024;
