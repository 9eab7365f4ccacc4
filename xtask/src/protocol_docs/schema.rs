//! The schema with its comments, as plain data: what the pages are written from.
//!
//! A field's comment is what stands above it in the schema; a comment that only heads a group of commands ("Pull",
//! "State: …") belongs to the group, not to the first of them, and is left out here.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, MessageOptions};

const FILE: &str = "protocol/proto/ringwire.proto";
const PACKAGE: &str = ".ringwire.v1.";
/// Numbers of fields in descriptors, of which the paths of comments are made (`descriptor.proto`).
const MESSAGE_TYPE: i32 = 4;
const ENUM_TYPE: i32 = 5;
const FIELD: i32 = 2;
const NESTED_TYPE: i32 = 3;
const NESTED_ENUM: i32 = 4;
const ENUM_VALUE: i32 = 2;

/// Everything the schema declares, in its order.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) messages: Vec<Message>,
    pub(super) enums: Vec<Enum>,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) number: i32,
    pub(super) kind: Kind,
    pub(super) repeated: bool,
    /// Its absence means something else than its zero.
    pub(super) optional: bool,
    /// At most one of the fields with the same name here is set.
    pub(super) oneof: Option<String>,
    pub(super) comment: String,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A number, text, bytes or truth value: its name in the schema.
    Scalar(&'static str),
    /// `map<string, string>`, the only kind of map there is.
    TextMap,
    Message(String),
    Enum(String),
}

#[derive(Debug)]
pub(super) struct Enum {
    pub(super) name: String,
    pub(super) comment: String,
    pub(super) values: Vec<Value>,
}

#[derive(Debug)]
pub(super) struct Value {
    pub(super) name: String,
    pub(super) number: i32,
    pub(super) comment: String,
}

impl Schema {
    /// Compiles the schema of this workspace.
    pub(super) fn read(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        let include = path.parent().context("the schema has a folder")?;
        let set = protox::compile([&path], [include]).context("the schema does not compile")?;
        let file = set.file.into_iter().next().context("the schema is a file")?;
        let source = file.source_code_info.context("the schema has comments")?;
        let comments = source.location.into_iter().filter_map(|location| {
            let text = location.leading_comments?;
            Some((location.path, text.split_whitespace().collect::<Vec<_>>().join(" ")))
        });
        let mut reader =
            Reader { comments: comments.collect(), messages: Vec::new(), enums: Vec::new() };
        for (index, message) in (0..).zip(&file.message_type) {
            reader.message("", message, &[MESSAGE_TYPE, index])?;
        }
        for (index, declared) in (0..).zip(&file.enum_type) {
            reader.enumeration("", declared, &[ENUM_TYPE, index]);
        }
        Ok(Self { messages: reader.messages, enums: reader.enums })
    }

    /// A message by its name.
    pub(super) fn message(&self, name: &str) -> Result<&Message> {
        let found = self.messages.iter().find(|message| message.name == name);
        found.with_context(|| format!("the schema has no message {name}"))
    }
}

impl Message {
    /// The fields of which at most one is set, as (name, its message).
    pub(super) fn variants(&self, oneof: &str) -> Vec<(&Field, &str)> {
        let fields = self.fields.iter().filter(|field| field.oneof.as_deref() == Some(oneof));
        fields
            .filter_map(|field| match &field.kind {
                Kind::Message(name) => Some((field, name.as_str())),
                _ => None,
            })
            .collect()
    }
}

struct Reader {
    comments: HashMap<Vec<i32>, String>,
    messages: Vec<Message>,
    enums: Vec<Enum>,
}

impl Reader {
    fn comment(&self, path: &[i32]) -> String {
        self.comments.get(path).cloned().unwrap_or_default()
    }

    fn message(&mut self, scope: &str, message: &DescriptorProto, path: &[i32]) -> Result<()> {
        let name = format!("{scope}{}", message.name());
        let fields = (0..).zip(&message.field).map(|(index, field)| {
            let comment = self.comment(&[path, &[FIELD, index]].concat());
            read_field(message, field, comment)
        });
        let fields = fields.collect::<Result<Vec<_>>>()?;
        let comment = self.comment(path);
        self.messages.push(Message { name: name.clone(), comment, fields });
        let scope = format!("{name}.");
        for (index, nested) in (0..).zip(&message.nested_type) {
            let is_map = nested.options.as_ref().is_some_and(MessageOptions::map_entry);
            if !is_map {
                self.message(&scope, nested, &[path, &[NESTED_TYPE, index]].concat())?;
            }
        }
        for (index, declared) in (0..).zip(&message.enum_type) {
            self.enumeration(&scope, declared, &[path, &[NESTED_ENUM, index]].concat());
        }
        Ok(())
    }

    fn enumeration(&mut self, scope: &str, declared: &EnumDescriptorProto, path: &[i32]) {
        let values = (0..).zip(&declared.value).map(|(index, value)| Value {
            name: value.name().to_owned(),
            number: value.number(),
            comment: self.comment(&[path, &[ENUM_VALUE, index]].concat()),
        });
        let (name, values) = (format!("{scope}{}", declared.name()), values.collect());
        let comment = self.comment(path);
        self.enums.push(Enum { name, comment, values });
    }
}

fn read_field(
    message: &DescriptorProto,
    field: &FieldDescriptorProto,
    comment: String,
) -> Result<Field> {
    let type_name = field.type_name().trim_start_matches(PACKAGE).to_owned();
    let is_map = message.nested_type.iter().any(|nested| {
        nested.options.as_ref().is_some_and(MessageOptions::map_entry)
            && type_name == format!("{}.{}", message.name(), nested.name())
    });
    let kind = match field.r#type() {
        Type::Message if is_map => Kind::TextMap,
        Type::Message => Kind::Message(type_name),
        Type::Enum => Kind::Enum(type_name),
        scalar => Kind::Scalar(scalar_name(scalar).with_context(|| {
            format!("{}.{}: a type the pages do not know", message.name(), field.name())
        })?),
    };
    let optional = field.proto3_optional();
    let oneof = field.oneof_index.filter(|_| !optional);
    let oneof = oneof.and_then(|index| message.oneof_decl.get(usize::try_from(index).ok()?));
    let heads_group = oneof.is_some() && !comment.ends_with(['.', '?']);
    Ok(Field {
        name: field.name().to_owned(),
        number: field.number(),
        repeated: field.label() == Label::Repeated && !is_map,
        optional,
        oneof: oneof.map(|oneof| oneof.name().to_owned()),
        comment: if heads_group { String::new() } else { comment },
        kind,
    })
}

/// How the schema writes a type; `None` for those it does not use.
fn scalar_name(scalar: Type) -> Option<&'static str> {
    Some(match scalar {
        Type::Double => "double",
        Type::Int64 => "int64",
        Type::Uint64 => "uint64",
        Type::Int32 => "int32",
        Type::Uint32 => "uint32",
        Type::Bool => "bool",
        Type::String => "string",
        Type::Bytes => "bytes",
        _ => return None,
    })
}
