//! The one table of error codes and close codes; `docs/errors.md` is generated from it.
//!
//! Numbers are part of the wire protocol: a code may be added, never changed or reused.

use crate::wire;

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $name:literal, temporary: $temporary:literal, http: $http:literal;)+) => {
        /// Why a command was refused. The same codes serve the sockets and the HTTP API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u32)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant = $code,)+
        }

        impl ErrorCode {
            /// Every code, in order of number.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The stable name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Whether the same command may succeed later without being changed.
            pub const fn is_temporary(self) -> bool {
                match self { $(Self::$variant => $temporary,)+ }
            }

            /// The status of an HTTP answer that carries this error.
            pub const fn http_status(self) -> u16 {
                match self { $(Self::$variant => $http,)+ }
            }

            /// What it means, for the generated reference.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

error_codes! {
    /// The server failed; the failure is in its log.
    Internal = 1, "INTERNAL", temporary: true, http: 500;
    /// The server has no room for the command right now; wait `retry_after_ms`.
    Busy = 2, "BUSY", temporary: true, http: 503;
    /// The session, user or address sends too much; wait `retry_after_ms`.
    RateLimited = 3, "RATE_LIMITED", temporary: true, http: 429;
    /// The server is about to stop; connect again.
    Draining = 4, "DRAINING", temporary: true, http: 503;
    /// What the command needs cannot be reached at present: the database, the store of files, or the program that is asked before a message.
    Unavailable = 5, "UNAVAILABLE", temporary: true, http: 503;

    /// The command carries no operation that this server knows.
    UnknownCommand = 100, "UNKNOWN_COMMAND", temporary: false, http: 404;
    /// The operation belongs to the protocol but this server does not offer it.
    NotSupported = 101, "NOT_SUPPORTED", temporary: false, http: 501;
    /// A field is missing or has a value that is not allowed; the message names it.
    /// Over HTTP also with 405, 408, 415, 416 and 426.
    InvalidArgument = 102, "INVALID_ARGUMENT", temporary: false, http: 400;
    /// The text, metadata, list or frame is larger than `limits` allows.
    TooLarge = 103, "TOO_LARGE", temporary: false, http: 413;
    /// A message needs text, an attachment, a location, a card, or a type and metadata of its own.
    EmptyMessage = 104, "EMPTY_MESSAGE", temporary: false, http: 400;
    /// More commands are unanswered than `limits.max_unanswered` allows.
    TooManyUnanswered = 105, "TOO_MANY_UNANSWERED", temporary: true, http: 429;

    /// No valid token was given.
    Unauthenticated = 200, "UNAUTHENTICATED", temporary: false, http: 401;
    /// The token has expired.
    TokenExpired = 201, "TOKEN_EXPIRED", temporary: false, http: 401;
    /// `connect` must come first.
    NotConnected = 202, "NOT_CONNECTED", temporary: false, http: 401;
    /// `connect` came a second time.
    AlreadyConnected = 203, "ALREADY_CONNECTED", temporary: false, http: 409;
    /// The user name, e-mail address or password is wrong.
    InvalidCredentials = 204, "INVALID_CREDENTIALS", temporary: false, http: 401;

    /// The caller's role does not allow this.
    Forbidden = 300, "FORBIDDEN", temporary: false, http: 403;
    /// The caller is not a member of the conversation.
    NotMember = 301, "NOT_MEMBER", temporary: false, http: 403;
    /// The caller is muted here; the message says until when.
    Muted = 302, "MUTED", temporary: false, http: 403;
    /// The caller is banned.
    Banned = 303, "BANNED", temporary: false, http: 403;
    /// One of the two has blocked the other.
    Blocked = 304, "BLOCKED", temporary: false, http: 403;

    /// There is no such conversation, or it is not visible to the caller.
    ConversationNotFound = 400, "CONVERSATION_NOT_FOUND", temporary: false, http: 404;
    /// There is no such user.
    UserNotFound = 401, "USER_NOT_FOUND", temporary: false, http: 404;
    /// There is no such entry.
    EntryNotFound = 402, "ENTRY_NOT_FOUND", temporary: false, http: 404;
    /// There is no such path or object.
    NotFound = 403, "NOT_FOUND", temporary: false, http: 404;

    /// This `client_msg_id` was used for another command.
    Conflict = 500, "CONFLICT", temporary: false, http: 409;
    /// The send named in `after` was refused.
    OutOfOrder = 501, "OUT_OF_ORDER", temporary: true, http: 409;
    /// The name or address is taken.
    AlreadyExists = 502, "ALREADY_EXISTS", temporary: false, http: 409;
    /// The group has as many members as it may have.
    GroupFull = 503, "GROUP_FULL", temporary: false, http: 409;
    /// The caller is a member already.
    AlreadyMember = 504, "ALREADY_MEMBER", temporary: false, http: 409;
    /// The time for editing or recalling the message has passed.
    WindowPassed = 505, "WINDOW_PASSED", temporary: false, http: 409;
    // 506 was "OWNER_MUST_STAY", which no server ever answered: an owner who leaves hands the group on.
    /// The caller has asked to join already, and waits for an answer.
    AlreadyRequested = 507, "ALREADY_REQUESTED", temporary: false, http: 409;
    /// There are as many of these (pins, bans, requests, watched users) as there may be.
    LimitReached = 508, "LIMIT_REACHED", temporary: false, http: 409;
}

/// A refusal on its way to the client: a code, and what is particular about this one case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", code.name())]
pub struct CommandError {
    /// Which refusal.
    pub code: ErrorCode,
    /// One sentence for the developer of the client. Never holds secrets or bodies of messages.
    pub message: String,
    /// How long to wait before the next try; 0 leaves it to the client.
    pub retry_after_ms: u32,
}

impl CommandError {
    /// A refusal with its explanation.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after_ms: 0 }
    }

    /// A refusal that is worth repeating after `retry_after_ms`.
    pub fn retry(code: ErrorCode, message: impl Into<String>, retry_after_ms: u32) -> Self {
        Self { code, message: message.into(), retry_after_ms }
    }
}

impl From<CommandError> for wire::Error {
    fn from(error: CommandError) -> Self {
        Self {
            code: error.code as u32,
            name: error.code.name().to_owned(),
            message: error.message,
            temporary: error.code.is_temporary(),
            retry_after_ms: error.retry_after_ms,
        }
    }
}

/// What a client does after the server closed the connection with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconnect {
    /// Not by itself: the reason will not go away. Codes 4000–4099.
    Never,
    /// After an exponential back-off with jitter. Codes 4100–4199.
    AfterBackoff,
    /// At once, or after the delay told before. Codes 4200–4299.
    Now,
}

macro_rules! close_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $reason:literal;)+) => {
        /// Why the server closed a connection, beside the codes of RFC 6455 section 7.4.1.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum CloseReason {
            $($(#[doc = $doc])+ $variant = $code,)+
        }

        impl CloseReason {
            /// Every code, in order of number.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The number in the close frame.
            pub const fn code(self) -> u16 {
                self as u16
            }

            /// The text in the close frame.
            pub const fn reason(self) -> &'static str {
                match self { $(Self::$variant => $reason,)+ }
            }

            /// What it means, for the generated reference.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }

            /// What the client does next.
            pub const fn reconnect(self) -> Reconnect {
                match self.code() {
                    ..=4099 => Reconnect::Never,
                    4100..=4199 => Reconnect::AfterBackoff,
                    _ => Reconnect::Now,
                }
            }
        }
    };
}

close_codes! {
    /// The token is missing, malformed or not trusted.
    BadToken = 4000, "bad token";
    /// The token expired and was not refreshed.
    TokenExpired = 4001, "token expired";
    /// A frame was no command: not decodable, or in the wrong encoding.
    BadFrame = 4002, "bad frame";
    /// The same device connected again; this connection is the older one.
    Replaced = 4003, "replaced";
    /// An operator or another device of the user ended the session.
    Kicked = 4004, "kicked";
    /// The user is banned.
    Banned = 4005, "banned";
    /// The user logged out.
    LoggedOut = 4006, "logged out";
    /// The device policy refuses another session.
    TooManyDevices = 4007, "too many devices";
    /// The account was deleted.
    AccountDeleted = 4008, "account deleted";
    /// The client did not read for 10 s while its outbox was full.
    SlowConsumer = 4100, "slow consumer";
    /// The server has no room for another connection or session.
    Overloaded = 4101, "overloaded";
    /// Nothing was heard from the client for 75 s.
    Idle = 4102, "idle";
    /// No `connect` came within 10 s.
    ConnectTimeout = 4103, "connect timeout";
    /// The client floods the server in spite of refusals.
    RateLimited = 4104, "rate limited";
    /// The server could not carry out the connection's work.
    Internal = 4105, "internal error";
    /// The server stops; another one, or the same one soon, serves the client.
    Drain = 4200, "drain";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_rise_and_names_are_unique() {
        assert!(ErrorCode::ALL.windows(2).all(|pair| (pair[0] as u32) < (pair[1] as u32)));
        assert!(CloseReason::ALL.windows(2).all(|pair| pair[0].code() < pair[1].code()));
        let mut names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn numbers_of_codes_that_are_gone_stay_unused() {
        const OWNER_MUST_STAY: u32 = 506;
        assert!(ErrorCode::ALL.iter().all(|code| *code as u32 != OWNER_MUST_STAY));
    }

    #[test]
    fn close_codes_tell_when_to_reconnect() {
        assert_eq!(CloseReason::BadToken.reconnect(), Reconnect::Never);
        assert_eq!(CloseReason::Idle.reconnect(), Reconnect::AfterBackoff);
        assert_eq!(CloseReason::Drain.reconnect(), Reconnect::Now);
    }
}
