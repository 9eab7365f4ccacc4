//! What every option means, in the order of the file. `""`: said with the option before. `[section]`: what stands above it.

/// What the file begins with.
pub(super) const HEAD: &str = "Ringwire's configuration: every option with its meaning, unit and default. All of them may be left out.

  ringwire --config ringwire.toml
  ringwire check-config --config ringwire.toml      shows each value and where it comes from

What is set later wins: defaults, this file, environment, flags. In the environment an option is called
RINGWIRE_SECTION__KEY (RINGWIRE_SERVER__LISTEN, lists separated by commas); those that are flags too have a short
name besides: RINGWIRE_LISTEN, RINGWIRE_SHARDS, RINGWIRE_DRIVER, RINGWIRE_DATA_DIR, RINGWIRE_DATABASE, RINGWIRE_LOG.
Any other variable RINGWIRE_... ends the start, so that no slip goes unseen; those that Kubernetes sets for services
(RINGWIRE_SERVICE_HOST, RINGWIRE_PORT=tcp://...) and those of Ringwire's tests do not.";

options! {
    "server.listen": r#"IP address and port for WebSockets, the HTTP API and the page. Default: only this machine can connect.
To serve others: "0.0.0.0:8080" (IPv4) or "[::]:8080" (IPv6 and, usually, IPv4), behind a proxy that speaks TLS."#,
    "server.shards": "Threads that serve connections, each pinned to a core. 0: one for each core this process may use. Flag: --shards.",
    "server.driver": r#"How they talk to the kernel: "auto" (io_uring where the kernel allows it, else epoll), "uring" or "epoll".
Flag: --driver. The choice in use is logged and shown by /health/ready."#,
    "server.max_connections": "Most connections at a time. 0: as many as the limit of open files (ulimit -Hn) leaves room for.",
    "server.max_http_connections": "Most of them that may speak HTTP at a time (API and page); one more is answered 503.",
    "server.compression": r#"Compression of WebSocket messages (permessage-deflate): "off" or "json" (for clients that ask for it and for the
subprotocol ringwire.v1.json, as browsers do; never for Protobuf, which is small already). It saves about a third of a
longer message and nine tenths of a page of history, and costs some 30 us of a core for each, once for all recipients;
a connection keeps nothing for it."#,
    "server.allowed_origins": r#"Web pages of which other origins may connect, and use the HTTP API (CORS). []: only the page this server delivers.
["*"]: any page.
Programs other than browsers send no origin and are not concerned.
Example: ["https://chat.example.org"]"#,
    "server.trusted_proxies": r#"Proxies in front of this server, as addresses or networks: of them alone, what X-Forwarded-For and Forwarded (RFC 7239)
say of the client is believed, read from the right up to the first address that is not listed here, so nobody dodges a
limit by writing such a header. List every proxy on the way and nobody else; they have to add to one of the headers.
What they say and cannot be understood counts as the proxy's own address.
Example: ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"]"#,
    "storage.database": r#""sqlite": embedded, in the data folder, nothing to install.
"postgres://user:password@host:5432/database": needed for more than one node. Flag: --database.
(A password is better kept out of this file: RINGWIRE_DATABASE in the environment.)
With TLS, and with a standby that takes over:
  "postgres://user@db1,db2/database?sslmode=verify-full&sslrootcert=/etc/ringwire/ca.pem"
sslmode is disable, allow, prefer (default), require, verify-ca or verify-full; sslrootcert=FILE: the authorities to
trust, or the server's own certificate (no ~/.postgresql/root.crt, no PG... variable is read); system or none with
verify-full: the authorities of the operating system; sslcert=FILE&sslkey=FILE: a client certificate. Of several
hosts the first writable one is used. A failover loses nothing if replication is synchronous
(synchronous_standby_names)."#,
    "storage.data_dir": "Folder for the embedded database and the signing key; made if missing, closed to other users. Flag: --data-dir.",
    "storage.writers": "Threads that write to Postgres, each with a connection of its own, 1 to 64. SQLite always has one.",
    "storage.partitions": "Into how many tables the log is divided on Postgres, by conversation, when its database is made: 0 (one table), or 2 to
256. For logs of hundreds of gigabytes: each part is vacuumed and indexed by itself. An existing database stays as it
is until `ringwire migrate --partitions N`. SQLite has one table.",
    "storage.search": "Whether people can search the messages of their conversations. The words are indexed in the background, a few seconds
behind, and take about as much room as the messages, and with Postgres at full load about a fifth of what it and the
gateway can do; with false, what was indexed is removed. Keys for encryption (below) switch search off too: an index
would hold what they hide.",
    "[storage.batch]": "How much one commit takes. A writer that has nothing to do commits a lone message at once; while a commit runs, what
comes next gathers, so batches grow with the load by themselves.",
    "storage.batch.max_rows": "Most entries, 1 to 16384.",
    "storage.batch.max_bytes": "Most bytes of bodies, 1 to 67108864. One larger message is a batch of its own.",
    "storage.batch.max_age_us": "How long a busy writer waits for more when its queue runs dry, in microseconds, 0 to 100000. More than 0 saves CPU of
the database and makes every message that much later.",
    "[storage.encryption]": r#"Encryption of message bodies in the database; see "Encryption at rest" in the README for what it protects and what not."#,
    "storage.encryption.keys_file": r#"File with lines "id = key" as `ringwire key new` prints them, readable by its owner alone. "": bodies are stored plain.
All nodes of a cluster need the same keys."#,
    "storage.encryption.keys": "The same lines, separated by commas, instead of a file. Better kept out of this one: RINGWIRE_STORAGE_KEYS in the
environment.",
    "storage.encryption.active": r#"Which key seals new bodies: its id, or "" for the highest, or "plain" to go back to plain bodies. Bodies under other
keys are brought under this one in the background."#,
    "storage.encryption.refuse_plain": "Whether plain bodies count as damaged: for databases where the log has said that every body is under a key. Keeps
somebody who can write to the database from putting in bodies of their own.",
    "[storage.retention]": r#"How long messages and other entries stay, by kind of conversation. 0: for ever. The oldest go first, at the earliest
10 minutes after they were written, never the newest of a conversation. "days" counts from the time the message shows.
A retried send is recognised for as long as its first try is kept, so keep at least as long as clients retry."#,
    "storage.retention.direct_days": "Of one-to-one conversations: those older than so many days (at most 36500), and all but the newest so many.",
    "storage.retention.direct_count": "",
    "storage.retention.group_days": "The same for groups.",
    "storage.retention.group_count": "",
    "storage.retention.room_days": "The same for rooms.",
    "storage.retention.room_count": "",
    "storage.retention.pass_s": "Pause after every conversation was looked at, in seconds, 1 to 604800.",
    "storage.retention.audit_days": "Rows of the audit log of operators that are older than so many days go. 0: none.",
    "[files]": r#"Files that messages carry; see "Files" in the README."#,
    "files.enabled": "Whether people can upload files. If false, those that are there cannot be read either, and stay.",
    "files.store": r#"Where their bytes lie: "" (the folder files in the data folder), the path of another folder, or
"s3://bucket/prefix" for an S3-compatible store. Nodes on one database need one place, and no two databases may share
one: bytes that the database does not know are removed after a day."#,
    "files.endpoint": r#"Of an S3-compatible store: its URL ("": Amazon's), region, and who asks. The secret is better kept out of this file:
RINGWIRE_FILES__SECRET_ACCESS_KEY in the environment. With neither id nor secret the machine's role is asked for."#,
    "files.region": "",
    "files.access_key_id": "",
    "files.secret_access_key": "",
    "files.max_size_bytes": "Largest file, in bytes, 1 to 4294967295. Default: 100 MiB.",
    "files.quota_mib": "What all files of a user may take together, in MiB (1048576 bytes), each counted as 4096 bytes at least. 0: no limit.",
    "files.allowed_types": r#"Content types that are accepted, by the first bytes of a file, never by what the client calls it. []: all.
Example: ["image/*", "audio/*", "video/*", "application/pdf", "text/plain"]"#,
    "files.link_ttl_s": "How long a signed link to a file is good, in seconds, 1 to 604800.",
    "files.user_uploads_per_s": "Uploads per second of one user in the long run (0: no limit), and at once after a pause.",
    "files.user_uploads_burst": "",
    "auth.jwt_secret_file": r#"File with the key that signs this server's own tokens. "": jwt.secret in the data folder, made at the first start; a file
that is named has to be there. All nodes of a cluster need the same one. It has to be readable by its owner alone."#,
    "auth.previous_secret_files": "Files with keys that signed this server's own tokens before. Tokens under them are accepted until they expire, so a
new key logs nobody out: name the old file here and the new one above, and start again. Take it out after token_ttl_s.",
    "auth.issuer": r#""iss" of this server's own tokens."#,
    "auth.audience": r#""aud" that every token has to name."#,
    "auth.token_ttl_s": "How long a token from login, registration or refresh is valid, in seconds, 60 or more. Default: a day. A login that
ended (logout, a refresh token used twice) lets nobody in before that, and its sessions end within 30 s on every node;
tokens that other programs check by their signature alone are good until then.",
    "auth.refresh_ttl_s": "How long a login lasts without being refreshed, in seconds, 60 or more. Default: 30 days.",
    "auth.provision_unknown_users": "Whether a valid token with an unknown subject makes a new user. If false, such tokens are refused.",
    "auth.registration": "Whether anybody may register an account. If false, users come from trusted issuers or from operators.",
    "auth.password_reset_url": r#"Where this server sends tokens for forgotten passwords: the operator's mailer, an https address (http only on this
machine). It gets a POST with {"event": "password_reset", "user_id", "username", "display_name", "email" (or null),
"token", "expires_at"} and mails a link to a page that posts the token and a new password to
/api/v1/auth/password-reset/confirm. The header X-Ringwire-Signature proves who sent it: t=<Unix seconds>,v1=<hex of
HMAC-SHA256(secret, "<t>.<body>")>; X-Ringwire-Id is the same for every try. "": nobody mails anything, and
/api/v1/auth/password-reset answers NOT_SUPPORTED (`ringwire user reset-password` still makes tokens)."#,
    "auth.password_reset_secret_file": "The file with that secret, 32 bytes or more, mode 0600.",
    "auth.password_reset_ttl_s": "How long such a token is good, in seconds, 60 to 604800.",
    "auth.trusted_keys": r#"Other issuers whose tokens are accepted: one table each, as many as needed. Default: none. The key files, and those of
previous_secret_files, are read again at SIGHUP; a key taken out lets nobody in from then on.

  [[auth.trusted_keys]]
  issuer = "https://login.example.org"     # "iss" of its tokens; never this server's own issuer
  algorithm = "EdDSA"                      # EdDSA, ES256, RS256 (public key as PEM) or HS256 (secret, mode 0600)
  key_file = "/etc/ringwire/login.pem"     # path of the key
  audience = "chat"                        # "aud" of its tokens; left out: auth.audience
  kid = "2026-01"                          # "kid" of its tokens, if the issuer has several keys; left out: any"#,
    "auth.issuers": r#"Other issuers that publish their keys as a set (JWKS, as OpenID Connect has it): one table each, 32 at most. Default: none.
Keys at an address are read again every refresh_s, and when a token names one that is not known (at most every 30 s
because of that); while the address does not answer, the last good ones stay. Files are read again at SIGHUP.

  [[auth.issuers]]
  issuer = "https://login.example.org"     # "iss" of its tokens; never this server's own issuer
  jwks_url = "https://login.example.org/jwks.json"    # https, or http on this machine; or else:
  jwks_file = "/etc/ringwire/jwks.json"    # path of the set
  algorithms = ["RS256"]                   # some of RS256, ES256, EdDSA; left out: all three
  audience = "chat"                        # "aud" of its tokens; left out: auth.audience
  refresh_s = 300                          # 1 to 86400
  subject_claim = "oid"                    # what names somebody; left out: "sub"
  username_claim = "nickname"              # proposed for a new user; left out: "preferred_username", "name""#,
    "session.policy": r#"On how many devices a user may be at a time: "multi" (any number), "one_per_device_class" (one phone, one desktop, as
clients call themselves) or "single". A device that connects again always takes the place of its older session."#,
    "session.on_conflict": r#"What happens where that leaves no room: "kick_old" (the session that is there ends, with close code 4004) or
"refuse_new" (the one that comes is refused, with 4007). Neither code lets a client come back by itself."#,
    "session.resume_s": "How long a session can be resumed after its connection ended, in seconds, 0 (never) to 3600. Until then it keeps what
its client misses, at most 256 pushes and 64 KiB.",
    "limits.max_text_bytes": "Longest text of a message, in bytes of UTF-8, 1 to 32768.",
    "limits.max_metadata_bytes": "Largest sum of metadata keys and values of a message, in bytes, 0 to 16384.",
    "limits.max_group_members": "Most members of a group, 2 to 100000.",
    "limits.edit_window_s": "How long after sending a message its sender may edit it, in seconds, 0 to 316224000. 0: for ever. Default: a day.",
    "limits.recall_window_s": "The same for taking it back. Owner and admins of a group may take back any message at any time.",
    "limits.max_sessions_per_user": "Most sessions that one user may have connected at a time, 1 to 10000.",
    "limits.address_connections_per_s": "New connections per second from one address (IPv4, or a /64 of IPv6) in the long run (0: no limit), and at once after
a pause. More are answered 429. The address is that of the socket; behind a proxy, list it in server.trusted_proxies:
then it is the client's for WebSockets, and nobody's for HTTP requests, whose connections proxies share.",
    "limits.address_connections_burst": "",
    "limits.address_handshakes": "Connections of one address, and of all together, that have not sent their upgrade request or first command yet. Each
has 10 s for either. 0: no limit.",
    "limits.handshakes": "",
    "limits.exempt_loopback": "Whether connections from this machine (127.0.0.0/8, ::1) are free of all limits by address.",
    "limits.session_commands_per_s": "Commands per second that one session may send in the long run (0: no limit), and at once after a pause.",
    "limits.session_commands_burst": "",
    "limits.user_commands_per_s": "The same for all sessions of a user together.",
    "limits.user_commands_burst": "",
    "limits.address_commands_per_s": "The same for all sessions from one address together, whoever their users are. 0: no limit, since a company or a mobile
network may be one address.",
    "limits.address_commands_burst": "",
    "limits.address_attempts_per_min": "How often an address may try to log in, register, change a password or set a forgotten one: per minute in the long run
(0: no limit), and at once after a pause. More is answered RATE_LIMITED. exempt_loopback counts here, too.",
    "limits.address_attempts_burst": "",
    "limits.account_attempts_per_min": "How often the password may be wrong for one user name or address, whoever tries. Right ones are not counted; names that
are nobody's are, so that a refusal tells nothing.",
    "limits.account_attempts_burst": "",
    "push.webhook_url": r#"Notifications to the devices of members who have not got a message. Each of the three ways is on where it is configured;
devices say where they are pushed by PUT /api/v1/devices/{device_id}/push.

A server of yours that notifies devices itself: it gets signed requests (see "Webhooks" in the README). "": off."#,
    "push.webhook_secrets": "What signs them, 1 to 4 secrets of 16 or more bytes. To rotate: add the new one, let the receiver accept it, take the
old one out.",
    "push.web_push_subject": r#"Web Push, to browsers: whom their push services write to if there is trouble, as mailto:somebody@example.org or
https://example.org. "": off."#,
    "push.vapid_key_file": r#"File with the key that signs Web Push requests (VAPID). "": vapid.key in the data folder, made at the first start; a
file that is named has to be there. All nodes of a cluster need the same one. `ringwire vapid-keys` prints a pair. Another key makes every browser subscribe anew."#,
    "push.fcm_account_file": r#"Firebase Cloud Messaging: file with the key of a service account, JSON as Google's console gives it. "": off."#,
    "push.fcm_url": "Where FCM is.",
    "push.preview": r#"What a notification says: "full" (who wrote, and the beginning of the text), "sender" (who wrote) or "none" (that there is
something). The text of Web Push is encrypted for the browser; FCM and Apple can read theirs."#,
    "push.delay_ms": "How long a message waits before members who have not got it are notified, in milliseconds, 0 to 600000. Who got it is
known from the cursors of all nodes, which are written every 2 s: less than that notifies people who are there.",
    "push.ttl_s": "How long a push service keeps a notification for a device that cannot be reached, in seconds, 0 to 2419200.",
    "push.max_tries": "Tries before a notification is given up, 1 to 100. The pauses between them grow from a second to an hour.",
    "push.private_endpoints": "Whether Web Push may go to addresses that are no public ones, and without TLS. For tests: users name these addresses.",
    "events.webhooks": r#"Programs of yours that hear of events, by signed requests: one table each, as many as 32. Default: none. Each hears of
every event at least once, of one conversation in order; one that is down holds up no other. The events: "*" (all), or
message.created, message.edited, message.recalled, message.reacted, message.pinned, member.joined, member.left,
member.changed, member.requested, conversation.created, conversation.updated, conversation.dissolved, user.registered.

  [[events.webhooks]]
  name = "archive"                                   # names it in the database: what waits belongs to this name
  url = "https://archive.example.org/ringwire"
  secrets = ["a secret of 16 or more bytes"]         # 1 to 4; each makes a signature
  events = ["message.created", "member.joined"]"#,
    "events.keep_s": "How long an event waits for a webhook that does not take it, in seconds, 60 to 2592000. Then it is dropped and counted.",
    "hook.url": r#"A program of yours that is asked before a message is accepted, and may allow, deny or rewrite it (see "Before a message is
sent" in the README). "": nobody is asked."#,
    "hook.secrets": "What signs the questions, 1 to 4 secrets of 16 or more bytes. Needed where url is set.",
    "hook.timeout_ms": "How long it may take, in milliseconds, 10 to 10000. The sender waits, and so do their later commands in the conversation.",
    "hook.on_failure": r#"What becomes of a message when it gives no answer: "allow" or "deny" (UNAVAILABLE, so clients try again). No answer is one
that does not come in time, a connection that fails, any status but 2xx, more than 64 KiB, what is none of the three
answers, and a text that no message may have."#,
    "hook.kinds": "About which kinds of message it is asked: TEXT, IMAGE, VOICE, VIDEO, FILE, LOCATION, CARD, CUSTOM. []: about all.",
    "log.filter": r#"What is logged: a level (error, warn, info, debug, trace), or directives such as
"info,ringwire_gateway::session=debug". Flag: --log."#,
    "log.format": r#""pretty" for people, "json" for machines: one object a line."#,
    "metrics.allow": r#"Who may read /metrics (OpenMetrics text, for Prometheus): addresses and networks. Default: this machine and private
networks. []: nobody, the path does not exist. ["*"]: anybody who reaches the port; guard the path in the proxy.
The address is that of the socket, and the request has to come directly: what is HTTP/1.0 or has a header Forwarded,
Via, X-Forwarded-..., X-Real-IP, True-Client-IP or CF-Connecting-IP is refused unless anybody may ask. A proxy in one
of these networks that speaks HTTP/1.1 and adds none of them cannot be told from a program: leave its address out."#,
    "tracing.otlp_endpoint": r#"Where traces of sampled messages go: an OpenTelemetry collector that takes OTLP over HTTP in JSON, such as
"http://127.0.0.1:4318" (/v1/traces is added). "": no traces. They tell conversations and positions, never what is said."#,
    "tracing.sample_ratio": "Which share of all messages is traced, 0 to 1.",
}
