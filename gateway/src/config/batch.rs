//! `[storage.batch]`: how much one commit takes.

use std::time::Duration;

use ringwire_storage::BatchLimits;
use serde::{Deserialize, Serialize};

use super::number::Number;
use super::validate::Invalid;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_field_names, reason = "they are called so in the file")]
pub(super) struct RawBatch {
    pub(super) max_rows: Number,
    pub(super) max_bytes: Number,
    pub(super) max_age_us: Number,
}

impl Default for RawBatch {
    fn default() -> Self {
        let BatchLimits { max_rows, max_bytes, max_age } = BatchLimits::default();
        Self {
            max_rows: (max_rows as u32).into(),
            max_bytes: (max_bytes as u32).into(),
            max_age_us: (max_age.as_micros() as u32).into(),
        }
    }
}

pub(super) fn batch(raw: &RawBatch) -> Result<BatchLimits, Invalid> {
    let max_age_us = raw.max_age_us.within("storage.batch.max_age_us", 0, 100_000)?;
    Ok(BatchLimits {
        max_rows: raw.max_rows.within("storage.batch.max_rows", 1, 16_384)? as usize,
        max_bytes: raw.max_bytes.within("storage.batch.max_bytes", 1, 1 << 26)? as usize,
        max_age: Duration::from_micros(max_age_us.into()),
    })
}
