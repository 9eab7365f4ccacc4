//! What a message may hold; checked on the sender's shard before anyone else hears of it.

use ringwire_protocol::ids::MAX_CLIENT_ID_BYTES;
use ringwire_protocol::{CommandError, ErrorCode, wire};
use wire::message::Kind;

use crate::config::LimitsConfig;
use crate::limits;

/// Checks the content of a message against the deployment's limits.
pub fn check(message: &wire::Message, limits: &LimitsConfig) -> Result<(), CommandError> {
    let Ok(kind) = Kind::try_from(message.kind) else {
        return Err(invalid("message.kind is not known"));
    };
    if kind == Kind::Notice {
        return Err(invalid("message.kind NOTICE is the server's own"));
    }
    if message.text.len() > limits.max_text_bytes as usize {
        let most = limits.max_text_bytes;
        return Err(too_large(format!("message.text is longer than {most} bytes")));
    }
    let metadata: usize = message.metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
    if metadata > limits.max_metadata_bytes as usize {
        let most = limits.max_metadata_bytes;
        return Err(too_large(format!("message.metadata is larger than {most} bytes")));
    }
    let parts = message.attachments.len().max(message.mentions.len());
    if parts > limits::MAX_MESSAGE_PARTS {
        let most = limits::MAX_MESSAGE_PARTS;
        return Err(too_large(format!("more than {most} attachments or mentions")));
    }
    let empty = message.text.trim().is_empty()
        && message.attachments.is_empty()
        && message.location.is_none()
        && (kind != Kind::Custom || message.metadata.is_empty());
    if empty {
        return Err(CommandError::new(
            ErrorCode::EmptyMessage,
            "a message needs text, an attachment, a location or custom metadata",
        ));
    }
    Ok(())
}

/// Checks an id chosen by the client. Empty is allowed where the server makes one.
pub fn check_client_id(id: &str, field: &str) -> Result<(), CommandError> {
    if id.len() > MAX_CLIENT_ID_BYTES {
        return Err(invalid(format!("{field} is longer than {MAX_CLIENT_ID_BYTES} bytes")));
    }
    // Postgres text cannot hold NUL.
    if id.contains('\0') {
        return Err(invalid(format!("{field} contains a NUL character")));
    }
    Ok(())
}

/// A field is missing or wrong.
pub fn invalid(message: impl Into<String>) -> CommandError {
    CommandError::new(ErrorCode::InvalidArgument, message)
}

fn too_large(message: String) -> CommandError {
    CommandError::new(ErrorCode::TooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CommandRate;

    fn text(text: &str) -> wire::Message {
        wire::Message { text: text.to_owned(), ..Default::default() }
    }

    #[test]
    fn each_bound_has_its_own_refusal() {
        let rate = CommandRate { per_s: 0, burst: 1 };
        let limits = LimitsConfig {
            max_text_bytes: 100,
            max_metadata_bytes: 10,
            max_group_members: 10,
            max_sessions_per_user: 10,
            address: crate::connection::addresses::AddressLimits {
                connections: rate,
                greeting: 0,
                greeting_in_all: 0,
                exempt_loopback: true,
            },
            session_rate: rate,
            user_rate: rate,
        };
        let code = |message: wire::Message| check(&message, &limits).map_err(|error| error.code);
        assert_eq!(code(text("hi")), Ok(()));
        assert_eq!(code(text(" \n")), Err(ErrorCode::EmptyMessage));
        let long = "x".repeat(limits.max_text_bytes as usize + 1);
        assert_eq!(code(text(&long)), Err(ErrorCode::TooLarge));
        assert_eq!(code(wire::Message { kind: 99, ..text("hi") }), Err(ErrorCode::InvalidArgument));
        let notice = wire::Message { kind: Kind::Notice.into(), ..text("hi") };
        assert_eq!(code(notice), Err(ErrorCode::InvalidArgument));
        let many = wire::Message { mentions: vec![1; 65], ..text("hi") };
        assert_eq!(code(many), Err(ErrorCode::TooLarge));
    }

    #[test]
    fn client_ids_fit_every_database() {
        assert!(check_client_id(&"x".repeat(64), "client_msg_id").is_ok());
        assert!(check_client_id(&"x".repeat(65), "client_msg_id").is_err());
        assert!(check_client_id("a\0b", "client_msg_id").is_err());
    }
}
