//! A row as neither database's own: what travels between them.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::error::StoreError;

/// One column of one row. Our tables hold nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Integer(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// The columns of a row.
pub(crate) type Row = Vec<Value>;

impl Value {
    /// Roughly what it takes in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        let content = match self {
            Self::Null | Self::Integer(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        };
        size_of::<Self>() + content
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A row of Postgres.
pub(super) fn from_postgres(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let columns = row.columns().iter().enumerate();
    columns
        .map(|(at, column)| {
            let value = match *column.type_() {
                Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Value::Integer),
                Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map(|n| Value::Integer(n.into())),
                Type::INT2 => row.try_get::<_, Option<i16>>(at)?.map(|n| Value::Integer(n.into())),
                Type::TEXT => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
                Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Bytes),
                _ => return Err(unknown(column.name(), column.type_().name())),
            };
            Ok(value.unwrap_or(Value::Null))
        })
        .collect()
}

/// A row of SQLite.
pub(super) fn from_sqlite(row: &rusqlite::Row<'_>) -> Result<Row, StoreError> {
    use rusqlite::types::ValueRef;
    (0..row.as_ref().column_count())
        .map(|at| {
            Ok(match row.get_ref(at)? {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(number) => Value::Integer(number),
                ValueRef::Text(text) => Value::Text(
                    std::str::from_utf8(text)
                        .map_err(|_| StoreError::Damaged("a text is not UTF-8".into()))?
                        .to_owned(),
                ),
                ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
                ValueRef::Real(_) => return Err(unknown("a column", "REAL")),
            })
        })
        .collect()
}

fn unknown(column: &str, kind: &str) -> StoreError {
    StoreError::Damaged(format!("{column} is of type {kind}, which no table of this release has"))
}

impl ToSql for Value {
    fn to_sql(
        &self,
        to: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(number) => match *to {
                Type::INT2 => i16::try_from(*number)?.to_sql(to, out),
                Type::INT4 => i32::try_from(*number)?.to_sql(to, out),
                Type::INT8 => number.to_sql(to, out),
                _ => Err(format!("a number does not fit {to}").into()),
            },
            Self::Text(text) => text.to_sql(to, out),
            Self::Bytes(bytes) => bytes.to_sql(to, out),
        }
    }

    fn accepts(to: &Type) -> bool {
        matches!(*to, Type::INT2 | Type::INT4 | Type::INT8 | Type::TEXT | Type::BYTEA)
    }

    to_sql_checked!();
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
