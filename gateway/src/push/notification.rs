//! What a notification says, and how each way writes it down.

use prost::Message as _;
use ringwire_protocol::{ConversationId, UserId, wire};
use ringwire_storage::deliveries::PushDelivery;
use ringwire_storage::model::ConversationKind;
use ringwire_storage::notifications::Notice;
use serde_json::{Value, json};
use wire::message::Kind;

use super::collapse_key;
use crate::config::Preview;

/// The most of a text that is shown, in characters: what screens show, and small enough for every push service.
const PREVIEW_CHARS: usize = 200;
/// The same of a title.
const TITLE_CHARS: usize = 100;

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notification {
    pub(super) conversation_id: ConversationId,
    pub(super) seq: u64,
    /// Of the message, in milliseconds.
    pub(super) created_at: i64,
    /// `None`: not told.
    pub(super) sender_id: Option<UserId>,
    /// Who wrote, or in which group; may be empty.
    pub(super) title: String,
    /// What; may be empty.
    pub(super) text: String,
    /// Messages that are not read, in all conversations.
    pub(super) unread: u64,
}

impl Notification {
    /// As much of it as may be said.
    pub(super) fn of(notice: &Notice, preview: Preview) -> Self {
        let entry = &notice.entry;
        let mut said = Self {
            conversation_id: entry.conversation_id,
            seq: entry.seq,
            created_at: entry.created_at,
            sender_id: None,
            title: String::new(),
            text: String::new(),
            unread: notice.unread,
        };
        if preview == Preview::Nothing {
            return said;
        }
        said.sender_id = entry.sender_id;
        let sender = notice.sender.as_ref().map_or("", |user| match user.display_name.as_str() {
            "" => user.username.as_str(),
            name => name,
        });
        let settings = wire::GroupSettings::decode(notice.settings.clone()).unwrap_or_default();
        let name = settings.title.unwrap_or_default();
        let in_group = notice.kind != ConversationKind::Direct && !name.is_empty();
        said.title = beginning(if in_group { &name } else { sender }, TITLE_CHARS);
        let text = if preview == Preview::Full { text(&entry.body) } else { String::new() };
        said.text = match (in_group, text.as_str()) {
            (true, "") => beginning(sender, PREVIEW_CHARS),
            (true, text) => beginning(&format!("{sender}: {text}"), PREVIEW_CHARS),
            (false, text) => beginning(text, PREVIEW_CHARS),
        };
        said
    }

    /// Its key among the notifications of a device.
    pub(super) fn collapse_key(&self) -> String {
        collapse_key(self.conversation_id)
    }

    /// For a page, or a program of the operator.
    pub(super) fn json(&self) -> Value {
        json!({
            "type": "message",
            "conversation_id": self.conversation_id.to_string(),
            "seq": self.seq.to_string(),
            "created_at": self.created_at.to_string(),
            "sender_id": self.sender_id.map(|id| id.to_string()),
            "title": self.title,
            "text": self.text,
            "unread": self.unread,
            "collapse_key": self.collapse_key(),
        })
    }

    /// For a program of the operator, which notifies the device itself.
    pub(super) fn for_webhook(&self, to: &PushDelivery, token: &str) -> Vec<u8> {
        json!({
            "user_id": to.user_id.to_string(),
            "device_id": to.device_id,
            "token": token,
            "notification": self.json(),
        })
        .to_string()
        .into_bytes()
    }
}

/// What a message says, in a line.
fn text(body: &[u8]) -> String {
    let kind = wire::EntryBody::decode(body).ok().and_then(|body| body.kind);
    let Some(wire::entry_body::Kind::Message(message)) = kind else { return String::new() };
    if !message.text.trim().is_empty() {
        return message.text;
    }
    let stands_for = match message.kind() {
        Kind::Image => "Image",
        Kind::Voice => "Voice message",
        Kind::Video => "Video",
        Kind::File => "File",
        Kind::Location => "Location",
        Kind::Card => "Contact",
        Kind::Text | Kind::Custom | Kind::Notice => "",
    };
    stands_for.to_owned()
}

/// The beginning, in one line.
fn beginning(text: &str, most_chars: usize) -> String {
    let mut line = text.split_whitespace().flat_map(|word| [" ", word]).skip(1).collect::<String>();
    line.retain(|c| !c.is_control());
    if let Some((end, _)) = line.char_indices().nth(most_chars) {
        let last = line[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        line.truncate(last);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use ringwire_storage::model::{EntryRow, UserRow};

    use super::*;

    fn notice(text: &str, kind: ConversationKind) -> Notice {
        let message = wire::Message { text: text.to_owned(), ..Default::default() };
        let body = wire::EntryBody { kind: Some(wire::entry_body::Kind::Message(message)) };
        let settings = wire::GroupSettings { title: Some("Team".to_owned()), ..Default::default() };
        Notice {
            entry: EntryRow {
                conversation_id: ConversationId::new(7).unwrap(),
                seq: 3,
                msg_no: 2,
                sender_id: UserId::new(1),
                created_at: 5,
                client_msg_id: "m".to_owned(),
                body: body.encode_to_vec().into(),
                damaged: false,
                command_hash: 0,
                marks: None,
            },
            sender: Some(UserRow {
                user_id: UserId::new(1).unwrap(),
                username: "ann".to_owned(),
                display_name: "Ann".to_owned(),
                avatar_url: String::new(),
                color: String::new(),
                created_at: 1,
            }),
            kind,
            settings: settings.encode_to_vec().into(),
            unread: 4,
        }
    }

    fn said(text: &str, kind: ConversationKind, preview: Preview) -> (String, String) {
        let said = Notification::of(&notice(text, kind), preview);
        assert_eq!((said.unread, said.collapse_key().as_str()), (4, "c7"));
        (said.title, said.text)
    }

    #[test]
    fn as_much_is_said_as_the_operator_allows() {
        use ConversationKind::{Direct, Group};
        let pair = |title: &str, text: &str| (title.to_owned(), text.to_owned());
        assert_eq!(said("hi", Direct, Preview::Full), pair("Ann", "hi"));
        assert_eq!(said("hi", Group, Preview::Full), pair("Team", "Ann: hi"));
        assert_eq!(said("hi", Direct, Preview::Sender), pair("Ann", ""));
        assert_eq!(said("hi", Group, Preview::Sender), pair("Team", "Ann"));
        assert_eq!(said("hi", Direct, Preview::Nothing), pair("", ""));
        let nothing = Notification::of(&notice("hi", Direct), Preview::Nothing).json().to_string();
        assert!(!nothing.contains("hi") && !nothing.contains("Ann"), "{nothing}");
    }

    #[test]
    fn a_text_is_one_line_and_has_an_end() {
        assert_eq!(beginning(" two\n lines\t here ", 100), "two lines here");
        assert_eq!(beginning("äöü", 3), "äöü");
        assert_eq!(beginning("äöüß", 3), "äö…");
        let long = said(&"x".repeat(8_000), ConversationKind::Direct, Preview::Full).1;
        assert_eq!(long.chars().count(), PREVIEW_CHARS);
    }
}
