//! The schema as the gateway describes it over HTTP: JSON schemas of all messages, and what a command is answered with.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::asyncapi::{enum_schema, message_schema};
use super::commands::COMMANDS;
use super::schema::Schema;
use super::yaml::{Node, map};

/// Envelopes of sockets, of which HTTP has none.
const ENVELOPES: [&str; 4] = ["Command", "ServerFrame", "Reply", "Push"];

/// The document, as JSON text.
pub(crate) fn schema_json(root: &Path) -> Result<String> {
    let schema = Schema::read(root)?;
    let replies = schema.message("Reply")?.variants("outcome");
    let mut commands = Vec::new();
    for (field, kind) in schema.message("Command")?.variants("op") {
        let name = &field.name;
        let told = COMMANDS.iter().find(|command| command.name == name);
        let told = told.with_context(|| format!("{name} is not among the commands"))?;
        let reply = replies.iter().find(|(field, _)| field.name == told.reply);
        let (_, reply) = reply.with_context(|| format!("{name} has no reply"))?;
        let errors = told.errors.iter().map(|&error| error.into()).collect();
        let command = map([
            ("message", kind.into()),
            ("reply", (*reply).into()),
            ("errors", Node::List(errors)),
        ]);
        commands.push((name.clone(), command));
    }
    let messages = schema.messages.iter();
    let mut schemas: Vec<_> = messages
        .filter(|message| !ENVELOPES.contains(&message.name.as_str()))
        .map(|message| (message.name.clone(), message_schema(message)))
        .collect();
    schemas
        .extend(schema.enums.iter().map(|declared| (declared.name.clone(), enum_schema(declared))));
    let document = map([("commands", Node::Map(commands)), ("schemas", Node::Map(schemas))]);
    Ok(format!("{:#}\n", document.to_json()))
}
