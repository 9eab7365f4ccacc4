//! What a message may hold; checked on the sender's shard before anyone else hears of it.

use std::collections::BTreeSet;

use ringwire_protocol::ids::{MAX_CLIENT_ID_BYTES, MAX_ID};
use ringwire_protocol::{CommandError, ErrorCode, UserId, wire};
use wire::message::Kind;

use super::text;
use crate::config::LimitsConfig;
use crate::conversation::intent::Mentions;
use crate::files::FileId;
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
    text::check_speech(&message.text, "message.text")?;
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
    if message.mentions.iter().any(|user| UserId::new(*user).is_none()) {
        return Err(invalid("message.mentions has an id out of range"));
    }
    message.attachments.iter().try_for_each(check_attachment)?;
    message.location.as_ref().map_or(Ok(()), check_location)?;
    message.card.as_ref().map_or(Ok(()), check_card)?;
    message.forwarded_from.as_ref().map_or(Ok(()), check_origin)?;
    short(&message.custom_type, "message.custom_type", MAX_CLIENT_ID_BYTES)?;
    check_kind(kind, message)
}

/// Each kind has what it is about.
fn check_kind(kind: Kind, message: &wire::Message) -> Result<(), CommandError> {
    let text = !message.text.trim().is_empty();
    let attachments = !message.attachments.is_empty();
    let missing = match kind {
        Kind::Text | Kind::Notice => {
            let any = text || attachments || message.location.is_some() || message.card.is_some();
            (!any).then_some("a message needs text, an attachment, a location or a card")
        }
        Kind::Image | Kind::Voice | Kind::Video | Kind::File => {
            (!attachments).then_some("a message of this kind needs an attachment")
        }
        Kind::Location => message.location.is_none().then_some("LOCATION needs a location"),
        Kind::Card => message.card.is_none().then_some("CARD needs a card"),
        Kind::Custom => {
            let any = text
                || attachments
                || !message.metadata.is_empty()
                || !message.custom_type.is_empty();
            (!any).then_some("CUSTOM needs a custom_type, metadata, text or an attachment")
        }
    };
    missing.map_or(Ok(()), |missing| Err(CommandError::new(ErrorCode::EmptyMessage, missing)))
}

fn check_attachment(attachment: &wire::Attachment) -> Result<(), CommandError> {
    if attachment.file_id.is_empty() && attachment.url.is_empty() {
        return Err(invalid("an attachment needs a file_id or a url"));
    }
    let wire::Attachment { file_id, url, name, mime_type, thumbnail_url, .. } = attachment;
    for text in [file_id, url, name, mime_type, thumbnail_url] {
        short(text, "a text of an attachment", limits::MAX_PART_TEXT_BYTES)?;
    }
    text::check_address(url, "an attachment's url")?;
    text::check_address(thumbnail_url, "an attachment's thumbnail_url")?;
    text::check_name(mime_type, "an attachment's mime_type")?;
    text::check_name(name, "an attachment's name")
}

fn check_location(location: &wire::Location) -> Result<(), CommandError> {
    // Also false for what is not a number.
    let on_earth = (-90.0..=90.0).contains(&location.latitude)
        && (-180.0..=180.0).contains(&location.longitude);
    if !on_earth {
        return Err(invalid("message.location has a latitude or longitude out of range"));
    }
    short(&location.label, "message.location.label", limits::MAX_PART_TEXT_BYTES)?;
    text::check_name(&location.label, "message.location.label")
}

fn check_card(card: &wire::Card) -> Result<(), CommandError> {
    if card.user_id != 0 && UserId::new(card.user_id).is_none() {
        return Err(invalid("message.card.user_id is out of range"));
    }
    if card.user_id == 0 && card.title.trim().is_empty() {
        return Err(invalid("message.card needs a user_id or a title"));
    }
    for text in [&card.title, &card.text, &card.url, &card.image_url] {
        short(text, "a text of message.card", limits::MAX_PART_TEXT_BYTES)?;
    }
    text::check_address(&card.url, "message.card.url")?;
    text::check_address(&card.image_url, "message.card.image_url")?;
    text::check_name(&card.title, "message.card.title")?;
    text::check_speech(&card.text, "message.card.text")
}

fn check_origin(origin: &wire::Origin) -> Result<(), CommandError> {
    if origin.conversation_id.max(origin.sender_id) > MAX_ID {
        return Err(invalid("message.forwarded_from has an id out of range"));
    }
    Ok(())
}

fn short(text: &str, field: &str, most: usize) -> Result<(), CommandError> {
    if text.len() > most {
        return Err(too_large(format!("{field} is longer than {most} bytes")));
    }
    Ok(())
}

/// Whom a checked message addresses.
pub fn mentions(message: &wire::Message) -> Mentions {
    let mut users: Vec<UserId> =
        message.mentions.iter().filter_map(|user| UserId::new(*user)).collect();
    users.sort_unstable();
    users.dedup();
    Mentions { users: users.into(), all: message.mention_all }
}

/// The files that a checked message carries, each once; ids that are not of this server's making are somebody else's.
pub fn files(message: &wire::Message) -> Box<[Box<str>]> {
    let named = message.attachments.iter().map(|attachment| attachment.file_id.as_str());
    let files: BTreeSet<&str> = named.filter(|file_id| FileId::parse(file_id).is_some()).collect();
    files.into_iter().map(Into::into).collect()
}

/// Checks a reaction.
pub fn check_reaction(reaction: &str) -> Result<(), CommandError> {
    if reaction.trim().is_empty() {
        return Err(invalid("reaction is empty"));
    }
    text::check_name(reaction, "reaction")?;
    short(reaction, "reaction", limits::MAX_REACTION_BYTES)
}

/// Checks what somebody says to their wish to join.
pub fn check_request(text: &str) -> Result<(), CommandError> {
    text::check_speech(text, "text")?;
    short(text, "text", limits::MAX_REQUEST_TEXT_BYTES)
}

/// How the `client_msg_id`s begin that the server makes.
pub const SERVER_ID_PREFIX: &str = "ringwire.";

/// Checks the name that a client gave a command. Empty is allowed where the server makes one.
pub fn check_client_msg_id(id: &str) -> Result<(), CommandError> {
    if id.starts_with(SERVER_ID_PREFIX) {
        return Err(invalid(format!(
            "client_msg_id begins with {SERVER_ID_PREFIX:?}, as only the server's own do"
        )));
    }
    check_client_id(id, "client_msg_id")
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

/// Something is larger than it may be.
pub fn too_large(message: String) -> CommandError {
    CommandError::new(ErrorCode::TooLarge, message)
}

#[cfg(test)]
mod tests {
    use super::{check, *};
    use crate::config::{AttemptRate, CommandRate};

    fn text(text: &str) -> wire::Message {
        wire::Message { text: text.to_owned(), ..Default::default() }
    }

    fn limits() -> LimitsConfig {
        let rate = CommandRate { per_s: 0, burst: 1 };
        LimitsConfig {
            max_text_bytes: 100,
            max_metadata_bytes: 10,
            max_group_members: 10,
            edit_window_s: 0,
            recall_window_s: 0,
            max_sessions_per_user: 10,
            address: crate::connection::addresses::AddressLimits {
                connections: rate,
                greeting: 0,
                greeting_in_all: 0,
                commands: rate,
                exempt_loopback: true,
            },
            session_rate: rate,
            user_rate: rate,
            address_attempts: AttemptRate { per_min: 0, burst: 1 },
            account_attempts: AttemptRate { per_min: 0, burst: 1 },
        }
    }

    #[test]
    fn each_bound_has_its_own_refusal() {
        let limits = limits();
        let code = |message: wire::Message| check(&message, &limits).map_err(|error| error.code);
        assert_eq!(code(text("hi")), Ok(()));
        assert_eq!(code(text(" \n")), Err(ErrorCode::EmptyMessage));
        let long = "x".repeat(limits.max_text_bytes as usize + 1);
        assert_eq!(code(text(&long)), Err(ErrorCode::TooLarge));
        assert_eq!(code(wire::Message { kind: 99, ..text("hi") }), Err(ErrorCode::InvalidArgument));
        let notice = wire::Message { kind: Kind::Notice.into(), ..text("hi") };
        assert_eq!(code(notice), Err(ErrorCode::InvalidArgument));
        assert_eq!(code(text("a\0b")), Err(ErrorCode::InvalidArgument));
        let named = wire::Attachment {
            url: "https://a.example".to_owned(),
            name: "a\u{202e}gpj.exe".to_owned(),
            ..Default::default()
        };
        let turned = wire::Message { attachments: vec![named], ..text("hi") };
        assert_eq!(code(turned), Err(ErrorCode::InvalidArgument));
        for url in ["javascript:alert(1)", "data:text/html,x", "/elsewhere"] {
            let url = url.to_owned();
            let of_file = wire::Attachment { url: url.clone(), ..Default::default() };
            let seen = wire::Attachment {
                file_id: "f".to_owned(),
                thumbnail_url: url.clone(),
                ..Default::default()
            };
            for attachment in [of_file, seen] {
                let message = wire::Message { attachments: vec![attachment], ..text("hi") };
                assert_eq!(code(message), Err(ErrorCode::InvalidArgument));
            }
            let card = wire::Card { user_id: 5, url, ..Default::default() };
            let message = wire::Message { card: Some(card), ..text("hi") };
            assert_eq!(code(message), Err(ErrorCode::InvalidArgument));
        }
        let many = wire::Message { mentions: vec![1; 65], ..text("hi") };
        assert_eq!(code(many), Err(ErrorCode::TooLarge));
    }

    #[test]
    fn each_kind_has_what_it_is_about() {
        let limits = limits();
        let check = |message: wire::Message| check(&message, &limits).map_err(|error| error.code);
        let of = |kind: Kind| wire::Message { kind: kind.into(), ..text("") };
        let url = || vec![wire::Attachment { url: "http://a/b".to_owned(), ..Default::default() }];
        for kind in [Kind::Image, Kind::Voice, Kind::Video, Kind::File] {
            let mute = wire::Message { text: "just text".to_owned(), ..of(kind) };
            assert_eq!(check(mute), Err(ErrorCode::EmptyMessage), "{kind:?}");
            assert_eq!(check(wire::Message { attachments: url(), ..of(kind) }), Ok(()));
        }
        let nowhere =
            wire::Message { attachments: vec![wire::Attachment::default()], ..of(Kind::File) };
        assert_eq!(check(nowhere), Err(ErrorCode::InvalidArgument));

        let at = |latitude, longitude| wire::Message {
            location: Some(wire::Location { latitude, longitude, label: String::new() }),
            ..of(Kind::Location)
        };
        assert_eq!(check(of(Kind::Location)), Err(ErrorCode::EmptyMessage));
        assert_eq!(check(at(-90.0, 180.0)), Ok(()));
        for (latitude, longitude) in [(90.1, 0.0), (0.0, -180.1), (f64::NAN, 0.0)] {
            assert_eq!(check(at(latitude, longitude)), Err(ErrorCode::InvalidArgument));
        }

        let card = |card| wire::Message { card: Some(card), ..of(Kind::Card) };
        assert_eq!(check(of(Kind::Card)), Err(ErrorCode::EmptyMessage));
        assert_eq!(check(card(wire::Card::default())), Err(ErrorCode::InvalidArgument));
        assert_eq!(check(card(wire::Card { user_id: 5, ..Default::default() })), Ok(()));
        let beyond = wire::Card { user_id: MAX_ID + 1, ..Default::default() };
        assert_eq!(check(card(beyond)), Err(ErrorCode::InvalidArgument));

        assert_eq!(check(of(Kind::Custom)), Err(ErrorCode::EmptyMessage));
        let custom = wire::Message { custom_type: "poll".to_owned(), ..of(Kind::Custom) };
        assert_eq!(check(custom), Ok(()));
        let long = wire::Message { custom_type: "x".repeat(65), ..text("x") };
        assert_eq!(check(long), Err(ErrorCode::TooLarge));
        let nobody = wire::Message { mentions: vec![0], ..text("x") };
        assert_eq!(check(nobody), Err(ErrorCode::InvalidArgument));
    }

    #[test]
    fn each_user_is_addressed_once() {
        let message = wire::Message { mentions: vec![3, 1, 3], mention_all: true, ..text("x") };
        let mentions = mentions(&message);
        let users: Vec<u64> = mentions.users.iter().map(|user| user.get()).collect();
        assert_eq!((users, mentions.all), (vec![1, 3], true));
    }

    #[test]
    fn reactions_are_short_and_visible() {
        assert!(check_reaction("👍🏽").is_ok());
        for reaction in ["", " ", "a\nb", "a\0", &"x".repeat(65)] {
            assert!(check_reaction(reaction).is_err(), "{reaction:?}");
        }
        assert!(check_request("").is_ok() && check_request("a\0").is_err());
    }

    #[test]
    fn client_ids_fit_every_database() {
        assert!(check_client_id(&"x".repeat(64), "client_msg_id").is_ok());
        assert!(check_client_id(&"x".repeat(65), "client_msg_id").is_err());
        assert!(check_client_id("a\0b", "client_msg_id").is_err());
        assert!(check_client_msg_id("ringwire").is_ok());
        assert!(check_client_msg_id("ringwire.direct").is_err());
    }
}
